//! One standard in one edition: looks limits up, says what a procedure must do.

use std::sync::LazyLock;

use meterbench_record::{Class, EnergyKind, Limit, LoadPoint, Nameplate, PowerFactor};

use crate::cell::{Cell, Current};
use crate::data::{Connection, DurationForm, File, InterruptionRow, LoadWord, PfWord, Points, Row};

/// Data files, name and content, compiled in.
const FILES: [(&str, &str); 9] = [
    ("en50470-3-2006.yaml", include_str!("../data/en50470-3-2006.yaml")),
    ("en50470-3-2022.yaml", include_str!("../data/en50470-3-2022.yaml")),
    ("iec62053-21-2003.yaml", include_str!("../data/iec62053-21-2003.yaml")),
    ("iec62053-21-2020.yaml", include_str!("../data/iec62053-21-2020.yaml")),
    ("iec62053-22-2003.yaml", include_str!("../data/iec62053-22-2003.yaml")),
    ("iec62053-22-2020.yaml", include_str!("../data/iec62053-22-2020.yaml")),
    ("iec62053-23-2003.yaml", include_str!("../data/iec62053-23-2003.yaml")),
    ("iec62053-24-2020.yaml", include_str!("../data/iec62053-24-2020.yaml")),
    ("oiml-r46-2012.yaml", include_str!("../data/oiml-r46-2012.yaml")),
];

static ALL: LazyLock<Vec<Standard>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, text)| Standard {
            file: File::read(name, text).expect("the data files are part of the program and read by its tests"),
        })
        .collect()
});

/// A standard in one edition.
#[derive(Debug, Clone)]
pub struct Standard {
    pub(crate) file: File,
}

/// Whether all phases are loaded, or one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    Balanced,
    OnePhase,
}

/// A point of the standard's own accuracy test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StandardPoint {
    pub load: Load,
    pub current: Current,
    pub power_factor: PowerFactor,
}

/// There is no limit, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLimit {
    #[error("{standard} has no class {class}")]
    Class { standard: String, class: String },
    #[error("{standard} limits meters on current transformers, and this meter is connected directly")]
    Connection { standard: String },
    #[error("{standard} class {class} has no limit at {at} ({because})")]
    Point { standard: String, class: Class, at: String, because: String },
    #[error("{standard} says nothing of {what}")]
    Nothing { standard: String, what: &'static str },
}

/// What the no-load test asks at one voltage.
#[derive(Debug, Clone, PartialEq)]
pub struct NoLoad {
    /// Test voltage as a multiple of Un.
    pub voltage_factor: f64,
    /// Least duration (s).
    pub seconds: f64,
    /// Impulses allowed: a limit with only an upper bound.
    pub limit: Limit,
}

/// What the starting test asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Starting {
    /// Starting current Ist (A).
    pub ampere: f64,
    /// Time between two impulses at Ist, all systems (s).
    pub tau_seconds: f64,
    /// Longest time any reading of the rule allows for one impulse (s).
    pub longest_seconds: f64,
    /// Limit of the time to an impulse (s).
    pub limit: Limit,
}

/// Voltage dips and short interruptions, and what the meter may register of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Dips {
    pub events: Vec<InterruptionRow>,
    /// Critical change (Wh): a limit with only an upper bound.
    pub limit: Limit,
}

impl Standard {
    /// Every standard this version knows.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// By citation, as on paper: `EN 50470-3:2006`.
    pub fn find(citation: &str) -> Option<&'static Self> {
        ALL.iter().find(|standard| standard.citation() == citation)
    }

    /// `EN 50470-3:2006`.
    pub fn citation(&self) -> String {
        format!("{}:{}", self.file.standard, self.file.edition)
    }

    pub fn title(&self) -> &str {
        &self.file.title
    }

    /// The energy whose accuracy the standard limits.
    pub fn energy(&self) -> EnergyKind {
        self.file.energy
    }

    /// The class of this meter that the standard speaks of, if it knows it.
    pub fn class_of(&self, plate: &Nameplate) -> Result<Class, NoLimit> {
        // Every nameplate of this version is of a meter connected directly.
        if self.file.connection == Connection::Ct {
            return Err(NoLimit::Connection { standard: self.citation() });
        }
        let class = match self.file.energy {
            EnergyKind::Active => Some(plate.class),
            EnergyKind::Reactive => plate.reactive_class,
        };
        class.filter(|class| self.file.classes.iter().any(|name| name == class.name())).ok_or_else(|| {
            let class = class.map_or("for reactive energy on this meter", Class::name).to_owned();
            NoLimit::Class { standard: self.citation(), class }
        })
    }

    /// Limit of the percentage error at reference conditions: the intrinsic error in EN 50470-3.
    pub fn intrinsic_limit(&self, plate: &Nameplate, point: &LoadPoint) -> Result<Limit, NoLimit> {
        let class = self.class_of(plate)?;
        self.intrinsic_row(plate, class, point)
            .map(|(row, cell)| {
                let scale = if row.growing { row.to.ampere(plate) / point.ampere } else { 1.0 };
                self.limit(&format!("intrinsic error, {}, class {class}", row_words(row)), cell, scale)
            })
            .ok_or_else(|| NoLimit::Point {
                standard: self.citation(),
                class,
                at: point.to_string(),
                because: self.why_none(plate, class, point),
            })
    }

    /// Limit of the experimental standard deviation at this load.
    pub fn repeatability_limit(&self, plate: &Nameplate, point: &LoadPoint) -> Result<Limit, NoLimit> {
        let mut limit = self.intrinsic_limit(plate, point)?;
        let fraction = &self.file.repeatability.fraction;
        let bounds = fraction.bounds();
        limit.low = None;
        limit.high = limit.high.map(|high| high * fraction.figure);
        limit.row = format!("repeatability, {} of: {}", fraction.figure, limit.row);
        limit.certainty = limit.certainty.min(fraction.certainty);
        limit.binding = limit.binding.zip(bounds).map(|(mut binding, (tightest, loosest))| {
            binding.tightest *= tightest;
            binding.loosest *= loosest;
            binding
        });
        Ok(limit)
    }

    /// What the no-load test asks of this meter, at every voltage the edition names.
    pub fn no_load(&self, plate: &Nameplate) -> Result<Vec<NoLoad>, NoLimit> {
        let factors: Vec<f64> = self.file.no_load.voltages.iter().map(|cell| cell.figure).collect();
        factors.into_iter().map(|factor| self.no_load_at(plate, factor)).collect()
    }

    /// The same at one voltage, which the edition may not name.
    pub fn no_load_at(&self, plate: &Nameplate, factor: f64) -> Result<NoLoad, NoLimit> {
        let class = self.class_of(plate)?;
        let rule = &self.file.no_load;
        let named = rule.voltages.iter().find(|cell| (cell.figure - factor).abs() < 1e-9);
        let constant = rule.duration.constant.get(class.name()).ok_or_else(|| self.no_class_row(class))?;
        let product = f64::from(plate.constant_per_kwh) * f64::from(plate.systems) * plate.un_volt;
        let minutes = match rule.duration.form {
            DurationForm::Ist => constant.figure / (product * factor * self.ist(plate, class)?.0),
            DurationForm::Imax => constant.figure / (product * plate.imax_ampere),
            DurationForm::Imin => {
                let error = self.figure_at_imin(plate, class).ok_or_else(|| self.no_class_row(class))?;
                constant.figure / (error * product * factor * plate.imin_ampere)
            }
        };
        let mut row = format!("no-load condition at {factor} Un, class {class}");
        let mut limit = self.limit(&row, &rule.impulses, 1.0);
        limit.low = None;
        limit.certainty = limit.certainty.min(constant.certainty);
        if rule.duration.form == DurationForm::Ist {
            limit.certainty = limit.certainty.min(self.ist(plate, class)?.1.certainty);
        }
        match named {
            Some(cell) => limit.certainty = limit.certainty.min(cell.certainty),
            None => {
                row.push_str(", a voltage the edition does not name");
                limit.certainty = limit.certainty.min(meterbench_record::Certainty::Medium);
            }
        }
        limit.row = row;
        Ok(NoLoad { voltage_factor: factor, seconds: minutes * 60.0, limit })
    }

    /// Limit of the error at Imin and PF 1 [%].
    fn figure_at_imin(&self, plate: &Nameplate, class: Class) -> Option<f64> {
        let holds = |row: &&Row| {
            row.load == LoadWord::Balanced
                && !row.growing
                && row_has_pf(row, PowerFactor::UNITY)
                && row_has_current(row, plate, plate.imin_ampere)
        };
        self.file.intrinsic.iter().find(holds).and_then(|row| row.cell(class.name())).map(|cell| cell.figure)
    }

    /// What the starting test asks of this meter.
    pub fn starting(&self, plate: &Nameplate) -> Result<Starting, NoLimit> {
        let class = self.class_of(plate)?;
        let rule = &self.file.starting;
        let (ampere, current) = self.ist(plate, class)?;
        let tau = plate.seconds_per_impulse(f64::from(plate.systems) * plate.un_volt * ampere);
        let cell = &rule.within_tau;
        let mut limit = self.limit(&format!("starting, {} tau, class {class}", cell.figure), cell, tau);
        limit.low = None;
        if let Some(binding) = &mut limit.binding {
            "time to an impulse".clone_into(&mut binding.ingredient);
        }
        if !current.certainty.decides() {
            (limit.certainty, limit.binding) = (limit.certainty.min(current.certainty), None);
        }
        let longest = cell.candidates.map_or(cell.figure, |(_, loosest)| loosest) * tau;
        Ok(Starting { ampere, tau_seconds: tau, longest_seconds: longest, limit })
    }

    /// Starting current Ist of the standard (A), and its cell.
    fn ist(&self, plate: &Nameplate, class: Class) -> Result<(f64, &Cell), NoLimit> {
        let cell = self.file.starting.current.get(class.name()).ok_or_else(|| self.no_class_row(class))?;
        Ok((cell.figure * plate.iref_ampere, cell))
    }

    /// Limit of impulses against register [% of the register's energy].
    pub fn meter_constant_limit(&self, plate: &Nameplate) -> Result<Limit, NoLimit> {
        let class = self.class_of(plate)?;
        let cell = self.file.meter_constant.get(class.name()).ok_or_else(|| self.no_class_row(class))?;
        Ok(self.limit(&format!("meter constant, class {class}"), cell, 1.0))
    }

    /// Voltage dips and short interruptions without current, and the critical change m·Un·Imax·C.
    pub fn dips(&self, plate: &Nameplate) -> Result<Dips, NoLimit> {
        self.class_of(plate)?;
        let what = "voltage dips and short interruptions";
        let table =
            self.file.interruptions.as_ref().ok_or_else(|| NoLimit::Nothing { standard: self.citation(), what })?;
        let kwh = table.critical_change.figure * f64::from(plate.systems) * plate.un_volt * plate.imax_ampere;
        let mut limit = self.limit("critical change, 1e-6·m·Un·Imax kWh", &table.critical_change, 1.0);
        (limit.low, limit.high) = (None, Some(kwh * 1000.0));
        limit.certainty = limit.certainty.min(table.of.certainty);
        Ok(Dips { events: table.events.clone(), limit })
    }

    /// The points of the standard's own accuracy test for this meter, in order.
    pub fn accuracy_points(&self, plate: &Nameplate) -> Vec<StandardPoint> {
        standard_points(&self.file.points, plate)
    }

    fn no_class_row(&self, class: Class) -> NoLimit {
        NoLimit::Class { standard: self.citation(), class: class.name().to_owned() }
    }

    /// Rows hold at reference conditions; what departs from them is an influence, with limits of its own.
    fn intrinsic_row(&self, plate: &Nameplate, class: Class, point: &LoadPoint) -> Option<(&Row, &Cell)> {
        let here = point.energy == self.file.energy && at_reference(plate, point);
        find_row(self.file.intrinsic.iter().filter(|_| here), plate, class, point, |row| row)
    }

    /// Says what the rows of this power factor or this load cover.
    fn why_none(&self, plate: &Nameplate, class: Class, point: &LoadPoint) -> String {
        if point.energy != self.file.energy {
            let (own, other) = (energy_word(self.file.energy), energy_word(point.energy));
            return format!("it limits {own} energy, and this point is {other}");
        }
        let Some(load) = load_of(plate, point) else {
            return format!("{} of {} phases loaded: all, or one", point.phases.count(), plate.systems);
        };
        if !at_reference(plate, point) {
            return "the limits hold at reference conditions; a shift away from them is an `influence` test".to_owned();
        }
        let bands: Vec<String> = self
            .file
            .intrinsic
            .iter()
            .filter(|row| row.load == load && row_has_pf(row, point.power_factor))
            .filter(|row| row.cell(class.name()).is_some())
            .map(|row| format!("{} to {}", row.from, row.to))
            .collect();
        if bands.is_empty() {
            return format!("no row for power factor {}", point.power_factor);
        }
        format!("power factor {}: {} only", point.power_factor, bands.join(", "))
    }

    pub(crate) fn limit(&self, row: &str, cell: &Cell, scale: f64) -> Limit {
        Limit {
            low: Some(-cell.figure * scale),
            high: Some(cell.figure * scale),
            source: self.citation(),
            row: row.to_owned(),
            certainty: cell.certainty,
            binding: cell.binding("value", scale),
        }
    }
}

pub(crate) fn energy_word(energy: EnergyKind) -> &'static str {
    if energy == EnergyKind::Active { "active" } else { "reactive" }
}

/// The points of a list that this meter can have.
pub(crate) fn standard_points(blocks: &[Points], plate: &Nameplate) -> Vec<StandardPoint> {
    let mut points = Vec::new();
    for block in blocks {
        let load = match block.load {
            LoadWord::Balanced => Load::Balanced,
            LoadWord::OnePhase if plate.systems == 1 => continue,
            LoadWord::OnePhase => Load::OnePhase,
        };
        for &current in &block.current {
            for &power_factor in &block.pf {
                points.push(StandardPoint { load, current, power_factor });
            }
        }
    }
    points
}

/// The first row of this load, band and power factor that has a cell for the class.
pub(crate) fn find_row<'a, R>(
    rows: impl Iterator<Item = &'a R>,
    plate: &Nameplate,
    class: Class,
    point: &LoadPoint,
    row_of: impl Fn(&'a R) -> &'a Row,
) -> Option<(&'a R, &'a Cell)> {
    let load = load_of(plate, point)?;
    rows.filter(|outer| {
        let row = row_of(outer);
        row.load == load && row_has_pf(row, point.power_factor) && row_has_current(row, plate, point.ampere)
    })
    .find_map(|outer| row_of(outer).cell(class.name()).map(|cell| (outer, cell)))
}

/// All phases or one of several; the standards limit nothing between.
fn load_of(plate: &Nameplate, point: &LoadPoint) -> Option<LoadWord> {
    match point.phases.count() {
        n if n == plate.systems => Some(LoadWord::Balanced),
        1 => Some(LoadWord::OnePhase),
        _ => None,
    }
}

/// The reference temperature of every standard here (°C).
pub const REFERENCE_C: f64 = 23.0;

/// Within the tolerance of the reference conditions: 1 % of Un, 0.3 % of fn, 2 K.
fn at_reference(plate: &Nameplate, point: &LoadPoint) -> bool {
    let within = |value: f64, nominal: f64, share: f64| (value - nominal).abs() <= nominal * (share + 1e-9);
    within(point.volt, plate.un_volt, 0.01)
        && within(point.frequency_hz, plate.fn_hertz, 0.003)
        && (point.temperature_c - REFERENCE_C).abs() <= 2.0
        && !point.reversed_sequence
        && point.interrupted.is_none()
        && point.wave.is_none()
        && point.switched.is_none()
}

fn row_has_pf(row: &Row, pf: PowerFactor) -> bool {
    row.pf.iter().any(|word| *word == PfWord::Any || *word == PfWord::One(pf))
}

/// Bands include their lower end; nominal currents are compared with a margin far below any band.
fn row_has_current(row: &Row, plate: &Nameplate, current: f64) -> bool {
    let (from, to) = (row.from.ampere(plate), row.to.ampere(plate));
    let margin = current * 1e-9;
    current >= from - margin && (current < to - margin || row.last && current <= to + margin)
}

pub(crate) fn row_words(row: &Row) -> String {
    let load = match row.load {
        LoadWord::Balanced => "balanced",
        LoadWord::OnePhase => "one phase loaded",
    };
    let pf: Vec<String> = row
        .pf
        .iter()
        .map(|word| match word {
            PfWord::Any => "any PF".to_owned(),
            PfWord::One(pf) => format!("PF {pf}"),
        })
        .collect();
    let band = if row.from == row.to {
        format!("at {}", row.from)
    } else {
        format!("{} {} {}", row.from, if row.last { "to" } else { "below" }, row.to)
    };
    let growing = if row.growing { ", times the upper current over the current" } else { "" };
    format!("{load}, {band}, {}{growing}", pf.join(" / "))
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod waves;
#[cfg(test)]
mod worked_numbers;
