//! One standard in one edition: looks limits up, says what a procedure must do.

use std::fmt::Write as _;
use std::sync::LazyLock;

use meterbench_record::{Class, Limit, LoadPoint, Nameplate, PowerFactor};

use crate::cell::{Cell, Current};
use crate::data::{DurationForm, File, LoadWord, PfWord, Row};

/// Data files, name and content, compiled in.
const FILES: [(&str, &str); 2] = [
    ("en50470-3-2006.yaml", include_str!("../data/en50470-3-2006.yaml")),
    ("iec62053-21-2003.yaml", include_str!("../data/iec62053-21-2003.yaml")),
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
    file: File,
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
    Class { standard: String, class: Class },
    #[error("{standard} class {class} has no limit at {at} ({because})")]
    Point { standard: String, class: Class, at: String, because: String },
}

/// What the no-load test asks.
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

    /// The standard defines this class.
    pub fn has_class(&self, class: Class) -> bool {
        self.file.classes.iter().any(|name| name == class.name())
    }

    fn check_class(&self, class: Class) -> Result<(), NoLimit> {
        if self.has_class(class) {
            return Ok(());
        }
        Err(NoLimit::Class { standard: self.citation(), class })
    }

    /// Limit of the percentage error at reference conditions: the intrinsic error in EN 50470-3.
    pub fn intrinsic_limit(&self, plate: &Nameplate, point: &LoadPoint) -> Result<Limit, NoLimit> {
        self.check_class(plate.class)?;
        self.find_row(&self.file.intrinsic, plate, point)
            .map(|(row, cell)| {
                self.limit(&format!("intrinsic error, {}, class {}", row_words(row), plate.class), cell, 1.0)
            })
            .ok_or_else(|| NoLimit::Point {
                standard: self.citation(),
                class: plate.class,
                at: point.to_string(),
                because: self.why_none(plate, point),
            })
    }

    /// Maximum permissible error at this load, for the composite error; not every standard has one.
    pub fn mpe(&self, plate: &Nameplate, point: &LoadPoint) -> Option<Limit> {
        let (row, cell) = self.find_row(&self.file.mpe, plate, point)?;
        Some(self.limit(&format!("MPE, {}, class {}", row_words(row), plate.class), cell, 1.0))
    }

    /// Limit of the experimental standard deviation at this load.
    pub fn repeatability_limit(&self, plate: &Nameplate, point: &LoadPoint) -> Result<Limit, NoLimit> {
        let mut limit = self.intrinsic_limit(plate, point)?;
        let fraction = &self.file.repeatability.fraction;
        limit.low = None;
        limit.high = limit.high.map(|high| high * fraction.figure);
        limit.row = format!("repeatability, {} of: {}", fraction.figure, limit.row);
        limit.certainty = limit.certainty.min(fraction.certainty);
        if let Some(binding) = &mut limit.binding {
            binding.tightest *= fraction.figure;
            binding.loosest *= fraction.figure;
        }
        Ok(limit)
    }

    /// What the no-load test asks of this meter.
    pub fn no_load(&self, plate: &Nameplate) -> Result<NoLoad, NoLimit> {
        self.check_class(plate.class)?;
        let rule = &self.file.no_load;
        let constant = rule.duration.constant.get(plate.class.name()).ok_or_else(|| self.no_class_row(plate))?;
        let systems = f64::from(plate.systems);
        let product = f64::from(plate.constant_per_kwh) * systems;
        let minutes = match rule.duration.form {
            DurationForm::StartingCurrent => {
                constant.figure / (product * plate.un_volt * rule.voltage.figure * plate.ist_ampere())
            }
            DurationForm::MaximumCurrent => constant.figure / (product * plate.un_volt * plate.imax_ampere),
        };
        let mut limit = self.limit(&format!("no-load condition, class {}", plate.class), &rule.impulses, 1.0);
        limit.low = None;
        limit.certainty = limit.certainty.min(rule.voltage.certainty).min(constant.certainty);
        Ok(NoLoad { voltage_factor: rule.voltage.figure, seconds: minutes * 60.0, limit })
    }

    /// What the starting test asks of this meter.
    pub fn starting(&self, plate: &Nameplate) -> Result<Starting, NoLimit> {
        self.check_class(plate.class)?;
        let ampere = plate.ist_ampere();
        let tau = plate.seconds_per_impulse(f64::from(plate.systems) * plate.un_volt * ampere);
        let cell = &self.file.starting.within_tau;
        let mut limit = self.limit(&format!("starting, {} tau, class {}", cell.figure, plate.class), cell, tau);
        limit.low = None;
        if let Some(binding) = &mut limit.binding {
            "time to an impulse".clone_into(&mut binding.ingredient);
        }
        let longest = cell.candidates.map_or(cell.figure, |(_, loosest)| loosest) * tau;
        Ok(Starting { ampere, tau_seconds: tau, longest_seconds: longest, limit })
    }

    /// Limit of impulses against register [% of the register's energy].
    pub fn meter_constant_limit(&self, plate: &Nameplate) -> Result<Limit, NoLimit> {
        self.check_class(plate.class)?;
        let cell = self.file.meter_constant.get(plate.class.name()).ok_or_else(|| self.no_class_row(plate))?;
        Ok(self.limit(&format!("meter constant, class {}", plate.class), cell, 1.0))
    }

    /// The points of the standard's own accuracy test for this meter, in order.
    pub fn accuracy_points(&self, plate: &Nameplate) -> Vec<StandardPoint> {
        let mut points = Vec::new();
        for block in &self.file.points {
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

    fn no_class_row(&self, plate: &Nameplate) -> NoLimit {
        NoLimit::Class { standard: self.citation(), class: plate.class }
    }

    /// Rows hold at reference voltage and frequency; what departs from them is an influence, with limits of its own.
    fn find_row<'a>(&self, rows: &'a [Row], plate: &Nameplate, point: &LoadPoint) -> Option<(&'a Row, &'a Cell)> {
        let load = load_of(plate, point).filter(|_| at_reference(plate, point))?;
        rows.iter()
            .filter(|row| row.load == load && row_has_pf(row, point.power_factor) && row_has_current(row, plate, point))
            .find_map(|row| row.cell(plate.class.name()).map(|cell| (row, cell)))
    }

    /// Says what the rows of this power factor or this load cover.
    fn why_none(&self, plate: &Nameplate, point: &LoadPoint) -> String {
        let Some(load) = load_of(plate, point) else {
            return format!("{} of {} phases loaded: all, or one", point.phases.count(), plate.systems);
        };
        if !at_reference(plate, point) {
            return "the limits hold at reference voltage and frequency; a shift away from them is an influence test"
                .to_owned();
        }
        let bands: Vec<String> = self
            .file
            .intrinsic
            .iter()
            .filter(|row| row.load == load && row_has_pf(row, point.power_factor))
            .filter(|row| row.cell(plate.class.name()).is_some())
            .map(|row| format!("{} to {}", row.from, row.to))
            .collect();
        if bands.is_empty() {
            return format!("no row for power factor {}", point.power_factor);
        }
        format!("power factor {}: {} only", point.power_factor, bands.join(", "))
    }

    fn limit(&self, row: &str, cell: &Cell, scale: f64) -> Limit {
        Limit {
            low: Some(-cell.figure * scale),
            high: Some(cell.figure * scale),
            source: self.citation(),
            row: row.to_owned(),
            certainty: cell.certainty,
            binding: cell.binding("value", scale),
        }
    }

    /// Prints every table with its certainties.
    pub fn tables(&self) -> String {
        let file = &self.file;
        let mut out = format!("{}  {}\n{}\n", self.citation(), file.title, file.status);
        for (title, rows) in [("intrinsic error [%]", &file.intrinsic), ("MPE, 5 to 30 °C [%]", &file.mpe)] {
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n  {title}");
            for row in rows {
                let cells: Vec<String> = row
                    .cells()
                    .into_iter()
                    .filter_map(|(class, cell)| cell.map(|c| format!("{class}: ±{c}")))
                    .collect();
                let _ = writeln!(out, "    {:<44} {}", row_words(row), cells.join("   "));
            }
        }
        let _ =
            writeln!(out, "\n  repeatability: standard deviation below {} of the limit", file.repeatability.fraction);
        let _ = writeln!(out, "  starting: an impulse within {} tau", file.starting.within_tau);
        let form = match file.no_load.duration.form {
            DurationForm::StartingCurrent => "k·m·Utest·Ist",
            DurationForm::MaximumCurrent => "k·m·Un·Imax",
        };
        let _ = writeln!(out, "  no-load: at {} Un, at most {} impulses", file.no_load.voltage, file.no_load.impulses);
        for (class, constant) in &file.no_load.duration.constant {
            let _ = writeln!(out, "    class {class}: {constant}/({form}) minutes");
        }
        for (class, cell) in &file.meter_constant {
            let _ = writeln!(out, "  meter constant, class {class}: ±{cell} %");
        }
        let _ = writeln!(out, "\n  {} is the reference current. Sources:", file.reference_current);
        for (key, text) in &file.sources {
            let _ = writeln!(out, "    {key}: {text}");
        }
        out
    }
}

/// All phases or one of several; the standards limit nothing between.
fn load_of(plate: &Nameplate, point: &LoadPoint) -> Option<LoadWord> {
    match point.phases.count() {
        n if n == plate.systems => Some(LoadWord::Balanced),
        1 => Some(LoadWord::OnePhase),
        _ => None,
    }
}

/// Within the tolerance of the reference conditions: 1 % of Un, 0.3 % of fn.
fn at_reference(plate: &Nameplate, point: &LoadPoint) -> bool {
    let within = |value: f64, nominal: f64, share: f64| (value - nominal).abs() <= nominal * (share + 1e-9);
    within(point.volt, plate.un_volt, 0.01) && within(point.frequency_hz, plate.fn_hertz, 0.003)
}

fn row_has_pf(row: &Row, pf: PowerFactor) -> bool {
    row.pf.iter().any(|word| *word == PfWord::Any || *word == PfWord::One(pf))
}

/// Bands include their lower end; nominal currents are compared with a margin far below any band.
fn row_has_current(row: &Row, plate: &Nameplate, point: &LoadPoint) -> bool {
    let (from, to, current) = (row.from.ampere(plate), row.to.ampere(plate), point.ampere);
    let margin = current * 1e-9;
    current >= from - margin && (current < to - margin || row.last && current <= to + margin)
}

fn row_words(row: &Row) -> String {
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
    let end = if row.last { "to" } else { "below" };
    format!("{load}, {} {end} {}, {}", row.from, row.to, pf.join(" / "))
}

#[cfg(test)]
mod tests {
    use meterbench_record::{Certainty, Direction, EnergyKind, Phases};

    use super::*;

    fn plate(class: Class, systems: u8) -> Nameplate {
        Nameplate {
            name: "test".into(),
            title: "test".into(),
            type_number: String::new(),
            class,
            reactive_class: None,
            export: true,
            systems,
            un_volt: 230.0,
            fn_hertz: 50.0,
            imin_ampere: 0.25,
            iref_ampere: 5.0,
            imax_ampere: 100.0,
            constant_per_kwh: 1000,
            has: Vec::new(),
        }
    }

    fn point(ampere: f64, pf: &str, phases: Phases) -> LoadPoint {
        LoadPoint {
            voltage: "1 Un".into(),
            current: format!("{ampere} A"),
            volt: 230.0,
            ampere,
            power_factor: PowerFactor::parse(pf).unwrap(),
            frequency_hz: 50.0,
            phases,
            direction: Direction::Import,
            energy: EnergyKind::Active,
            temperature_c: 23.0,
        }
    }

    fn high(citation: &str, class: Class, ampere: f64, pf: &str, phases: Phases) -> Option<f64> {
        let standard = Standard::find(citation).unwrap();
        standard.intrinsic_limit(&plate(class, 3), &point(ampere, pf, phases)).ok()?.high
    }

    #[test]
    fn every_data_file_reads() {
        for (name, text) in FILES {
            File::read(name, text).unwrap();
        }
    }

    #[test]
    fn a_cell_with_an_unknown_source_or_without_certainty_is_refused() {
        let good = FILES[0].1;
        let foreign = good.replacen("1.5 verified tables", "1.5 verified rumour", 1);
        assert!(File::read("x", &foreign).unwrap_err().problem.contains("rumour"));
        let bare = good.replacen("1.5 verified tables", "\"1.5\"", 1);
        assert!(File::read("x", &bare).unwrap_err().problem.contains("no certainty"));
    }

    #[test]
    fn limits_follow_the_bands_of_the_page() {
        use Class::{A, B, One, Two};
        const EN: &str = "EN 50470-3:2006";
        const IEC: &str = "IEC 62053-21:2003";
        let one_phase = Phases::new([false, true, false]).unwrap();
        #[rustfmt::skip]
        let table = [
            (EN,  B,   0.25,  "1",       Phases::L123, Some(1.5)),
            (EN,  B,   0.499, "1",       Phases::L123, Some(1.5)),
            (EN,  B,   0.5,   "1",       Phases::L123, Some(1.0)),
            (EN,  B,   0.5,   "0.5 ind", Phases::L123, Some(1.0)),
            (EN,  B,   0.25,  "0.5 ind", Phases::L123, None),
            (EN,  B,   100.0, "0.8 cap", Phases::L123, Some(1.0)),
            (EN,  B,   100.1, "1",       Phases::L123, None),
            (EN,  B,   5.0,   "1",       one_phase,    Some(2.0)),
            (EN,  B,   5.0,   "0.8 cap", one_phase,    None),
            (EN,  A,   5.0,   "1",       Phases::L123, Some(2.0)),
            (EN,  One, 5.0,   "1",       Phases::L123, None),
            (IEC, One, 0.5,   "0.5 ind", Phases::L123, Some(1.5)),
            (IEC, One, 1.0,   "0.5 ind", Phases::L123, Some(1.0)),
            (IEC, Two, 5.0,   "0.8 cap", Phases::L123, None),
            (IEC, One, 5.0,   "0.25 ind",Phases::L123, Some(3.5)),
            (IEC, One, 0.249, "1",       Phases::L123, None),
        ];
        for (citation, class, ampere, pf, phases, limit) in table {
            assert_eq!(high(citation, class, ampere, pf, phases), limit, "{citation} {class} {ampere} A {pf}");
        }
    }

    #[test]
    fn away_from_reference_conditions_and_with_two_phases_there_is_no_limit() {
        let standard = Standard::find("EN 50470-3:2006").unwrap();
        let says = |point: LoadPoint| standard.intrinsic_limit(&plate(Class::B, 3), &point).unwrap_err().to_string();
        let base = point(5.0, "1", Phases::L123);
        assert!(says(LoadPoint { volt: 207.0, ..base.clone() }).contains("influence"));
        assert!(says(LoadPoint { frequency_hz: 51.0, ..base.clone() }).contains("influence"));
        let two = Phases::new([true, true, false]).unwrap();
        assert!(says(LoadPoint { phases: two, ..base }).contains("2 of 3 phases"));
    }

    #[test]
    fn no_load_takes_the_time_its_edition_names() {
        let minutes = |citation: &str, class, systems| {
            Standard::find(citation).unwrap().no_load(&plate(class, systems)).unwrap().seconds / 60.0
        };
        // Worked numbers: Un 230 V, 1000 imp/kWh, Imax 100 A, Ist 20 or 25 mA
        assert!((minutes("EN 50470-3:2006", Class::B, 1) - 45.37).abs() < 0.01);
        assert!((minutes("EN 50470-3:2006", Class::B, 3) - 15.12).abs() < 0.01);
        assert!((minutes("EN 50470-3:2006", Class::A, 3) - 12.10).abs() < 0.01);
        assert!((minutes("IEC 62053-21:2003", Class::One, 1) - 26.09).abs() < 0.01);
        assert!((minutes("IEC 62053-21:2003", Class::Two, 3) - 6.96).abs() < 0.01);
    }

    #[test]
    fn the_dial_test_of_the_mid_is_held_against_a_tenth_of_the_mpe() {
        let standard = Standard::find("EN 50470-3:2006").unwrap();
        for class in [Class::A, Class::B, Class::C] {
            let plate = plate(class, 3);
            let mpe = standard.mpe(&plate, &point(100.0, "1", Phases::L123)).and_then(|l| l.high).unwrap();
            let dial = standard.meter_constant_limit(&plate).unwrap().high.unwrap();
            assert!((dial - mpe / 10.0).abs() < 1e-9, "{class}: {dial} {mpe}");
        }
    }

    #[test]
    fn starting_takes_the_time_of_one_impulse() {
        let starting = |class, systems| {
            Standard::find(if class == Class::B { "EN 50470-3:2006" } else { "IEC 62053-21:2003" })
                .unwrap()
                .starting(&plate(class, systems))
                .unwrap()
        };
        assert!((starting(Class::B, 1).tau_seconds - 782.6).abs() < 0.1);
        assert!((starting(Class::B, 3).tau_seconds - 260.9).abs() < 0.1);
        let class_2 = starting(Class::Two, 3);
        assert!((class_2.tau_seconds - 208.7).abs() < 0.1 && class_2.limit.certainty == Certainty::Medium);
        assert!(class_2.limit.binding.is_some_and(|b| b.loosest > b.tightest));
    }

    #[test]
    fn the_message_says_what_the_standard_covers() {
        let standard = Standard::find("EN 50470-3:2006").unwrap();
        let none = standard.intrinsic_limit(&plate(Class::B, 3), &point(0.25, "0.5 ind", Phases::L123)).unwrap_err();
        assert!(none.to_string().contains("power factor 0.5 ind: Itr to Imax only"), "{none}");
    }

    #[test]
    fn every_own_point_of_a_standard_has_a_limit_or_is_named() {
        for (citation, class, without) in [
            ("EN 50470-3:2006", Class::B, 0),
            ("EN 50470-3:2006", Class::A, 0),
            ("IEC 62053-21:2003", Class::One, 0),
            ("IEC 62053-21:2003", Class::Two, 5),
        ] {
            let (standard, plate) = (Standard::find(citation).unwrap(), plate(class, 3));
            let missing = standard
                .accuracy_points(&plate)
                .into_iter()
                .filter(|p| {
                    let phases = if p.load == Load::OnePhase { Phases::L1 } else { Phases::L123 };
                    let at = point(p.current.ampere(&plate), &p.power_factor.to_string(), phases);
                    standard.intrinsic_limit(&plate, &at).is_err()
                })
                .count();
            assert_eq!(missing, without, "{citation} class {class}");
        }
    }
}
