//! The shape of a data file. Checked when it is read: an unknown source or a missing certainty is an error, not a gap.

use std::collections::BTreeMap;

use meterbench_record::{EnergyKind, PowerFactor};
use serde::Deserialize;

use crate::cell::{Cell, Current};

/// A data file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit table {file}: {problem}")]
pub struct DataError {
    pub file: &'static str,
    pub problem: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) standard: String,
    pub(crate) edition: String,
    pub(crate) title: String,
    pub(crate) status: String,
    /// Active unless the file says otherwise.
    #[serde(default = "active")]
    pub(crate) energy: EnergyKind,
    /// Direct unless the file says otherwise.
    #[serde(default)]
    pub(crate) connection: Connection,
    pub(crate) classes: Vec<String>,
    pub(crate) reference_current: String,
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) intrinsic: Vec<Row>,
    #[serde(default)]
    pub(crate) mpe: Vec<MpeRow>,
    #[serde(default)]
    pub(crate) influence: Vec<InfluenceRow>,
    pub(crate) points: Vec<Points>,
    #[serde(default)]
    pub(crate) influence_points: BTreeMap<Influence, InfluencePoints>,
    pub(crate) repeatability: Repeatability,
    pub(crate) starting: StartingRow,
    pub(crate) no_load: NoLoadRow,
    pub(crate) meter_constant: BTreeMap<String, Cell>,
    #[serde(default)]
    pub(crate) interruptions: Option<Interruptions>,
}

fn active() -> EnergyKind {
    EnergyKind::Active
}

/// How the meters of a standard are connected to the current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Connection {
    #[default]
    Direct,
    /// Through current transformers.
    Ct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoadWord {
    Balanced,
    OnePhase,
}

/// A row of limits: one band of current, the factors (power factor, or sin phi) of the row, a cell per class.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    #[serde(default = "balanced")]
    pub(crate) load: LoadWord,
    pub(crate) from: Current,
    pub(crate) to: Current,
    #[serde(default)]
    pub(crate) last: bool,
    pub(crate) pf: Vec<PfWord>,
    /// The limit is that of the upper end of the band and grows as the current falls (OIML R46 below Imin).
    #[serde(default)]
    pub(crate) growing: bool,
    #[serde(flatten)]
    pub(crate) classes: BTreeMap<String, Cell>,
}

fn balanced() -> LoadWord {
    LoadWord::Balanced
}

/// Maximum permissible errors in a range of temperature; ranges are nested, the narrowest that holds a point counts.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MpeRow {
    pub(crate) range: Span,
    #[serde(flatten)]
    pub(crate) row: Row,
}

/// What is varied away from the reference conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Influence {
    /// Voltage, in multiples of Un.
    Voltage,
    /// Frequency, in multiples of fn.
    Frequency,
    /// Ambient temperature (°C).
    Temperature,
    /// Reversed phase sequence.
    PhaseSequence,
    /// One or two voltages interrupted.
    Interrupted,
    /// One phase loaded instead of all, at balanced voltages.
    Phases,
    /// Heating by the meter's own loss at Imax.
    SelfHeating,
    /// Fifth harmonic in voltage and current.
    FifthHarmonic,
    /// Direct current and even harmonics: a half-wave of the current.
    DcAndEvenHarmonics,
    /// Odd harmonics: a current fired at 90 degrees.
    OddHarmonics,
    /// Sub-harmonics: a current of bursts.
    SubHarmonics,
    /// Harmonics in voltage and current, flat (OIML R46).
    Quadriform,
    /// Harmonics in voltage and current, peaked (OIML R46).
    Peaked,
    /// A current that is switched on and off.
    FastLoadVariation,
}

impl Influence {
    /// The word in plans and data files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Voltage => "voltage",
            Self::Frequency => "frequency",
            Self::Temperature => "temperature",
            Self::PhaseSequence => "phase-sequence",
            Self::Interrupted => "interrupted",
            Self::Phases => "phases",
            Self::SelfHeating => "self-heating",
            Self::FifthHarmonic => "fifth-harmonic",
            Self::DcAndEvenHarmonics => "dc-and-even-harmonics",
            Self::OddHarmonics => "odd-harmonics",
            Self::SubHarmonics => "sub-harmonics",
            Self::Quadriform => "quadriform",
            Self::Peaked => "peaked",
            Self::FastLoadVariation => "fast-load-variation",
        }
    }

    /// Waves in place of sines.
    pub const WAVES: [Self; 6] = [
        Self::FifthHarmonic,
        Self::DcAndEvenHarmonics,
        Self::OddHarmonics,
        Self::SubHarmonics,
        Self::Quadriform,
        Self::Peaked,
    ];

    /// It is a wave in place of sines.
    pub fn is_wave(self) -> bool {
        Self::WAVES.contains(&self)
    }
}

/// What a limit of an influence is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// The signed change of the error against the error at reference conditions, at the same load.
    #[default]
    Shift,
    /// The error itself.
    Error,
    /// The change of the error per kelvin.
    PerKelvin,
}

/// Limit of an influence over a span of its values.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct InfluenceRow {
    pub(crate) vary: Influence,
    /// Both ends belong to it; absent for an influence without a value.
    #[serde(default)]
    pub(crate) over: Option<Span>,
    #[serde(default)]
    pub(crate) of: Judged,
    /// Lower bound where it is not the upper one with the other sign.
    #[serde(default)]
    pub(crate) low: Option<f64>,
    #[serde(flatten)]
    pub(crate) row: Row,
}

/// `0.9..1.1`, both ends included; `0..<0.8` without its upper end.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span {
    pub from: f64,
    pub to: f64,
    /// The upper end does not belong to it.
    pub open: bool,
}

impl Span {
    pub fn holds(self, value: f64) -> bool {
        let margin = 1e-9 * (1.0 + value.abs());
        let below = if self.open { value < self.to - margin } else { value <= self.to + margin };
        value >= self.from - margin && below
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (from, to) = text.split_once("..")?;
            let (open, to) = to.strip_prefix('<').map_or((false, to), |to| (true, to));
            Some(Self { from: from.parse().ok()?, to: to.parse().ok()?, open })
        };
        read().ok_or_else(|| format!("`{text}` is no range `FROM..TO`"))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.from, if self.open { "to below" } else { "to" }, self.to)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum PfWord {
    Any,
    One(PowerFactor),
}

impl TryFrom<String> for PfWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::Any);
        }
        PowerFactor::parse(&text).map(Self::One).ok_or_else(|| format!("`{text}` is no power factor"))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Points {
    #[serde(default = "balanced")]
    pub(crate) load: LoadWord,
    pub(crate) current: Vec<Current>,
    pub(crate) pf: Vec<PowerFactor>,
}

/// Values and load points of an influence test where a plan names none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InfluencePoints {
    #[serde(default)]
    pub(crate) values: Vec<f64>,
    pub(crate) at: Vec<Points>,
    /// The current is cut from a sine of twice the amplitude, so that the mean active power stays.
    #[serde(default, rename = "equal-power")]
    pub(crate) equal_power: bool,
    /// Times with and without current (s).
    #[serde(default, rename = "on-off")]
    pub(crate) on_off: Vec<(f64, f64)>,
    /// How long each of them lasts.
    #[serde(default)]
    pub(crate) hours: Option<Cell>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeatability {
    pub(crate) fraction: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StartingRow {
    /// Ist in multiples of the reference current, by class.
    pub(crate) current: BTreeMap<String, Cell>,
    pub(crate) within_tau: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoLoadRow {
    /// Test voltages in multiples of Un, that of the standard first.
    pub(crate) voltages: Vec<Cell>,
    pub(crate) duration: Duration,
    pub(crate) impulses: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duration {
    pub(crate) form: DurationForm,
    pub(crate) constant: BTreeMap<String, Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum DurationForm {
    /// `C/(k·m·Utest·Ist)` minutes.
    #[serde(rename = "starting-current")]
    Ist,
    /// `C/(k·m·Un·Imax)` minutes.
    #[serde(rename = "maximum-current")]
    Imax,
    /// `C/(b·k·m·Utest·Imin)` minutes, b the limit of the error at Imin and PF 1 [%].
    #[serde(rename = "minimum-current")]
    Imin,
}

/// Voltage dips and short interruptions without current.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Interruptions {
    pub(crate) events: Vec<InterruptionRow>,
    /// Critical change [kWh per m·Un·Imax].
    pub(crate) critical_change: Cell,
    pub(crate) of: Cell,
}

/// One kind of dip.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterruptionRow {
    /// Voltage that remains, in multiples of Un.
    pub to: f64,
    /// How long (s).
    pub seconds: f64,
    pub times: u32,
    /// Voltage restored between two (s).
    #[serde(default)]
    pub between: f64,
}

impl Row {
    pub(crate) fn cell(&self, class: &str) -> Option<&Cell> {
        self.classes.get(class)
    }
}

impl File {
    pub(crate) fn read(file: &'static str, text: &str) -> Result<Self, DataError> {
        let wrong = |problem: String| DataError { file, problem };
        let read: Self = serde_saphyr::from_str(text).map_err(|e| wrong(e.to_string()))?;
        for cell in read.all_cells() {
            if !read.sources.contains_key(&cell.source) {
                return Err(wrong(format!("cell `{cell}` cites a source that the file does not name")));
            }
            if cell.candidates.is_some_and(|(tight, loose)| tight > cell.figure || loose < cell.figure) {
                return Err(wrong(format!("cell `{cell}` lies outside its own candidates")));
            }
        }
        if let Some(foreign) = read.class_names().find(|name| !read.classes.contains(name)) {
            return Err(wrong(format!("`{foreign}` is neither a key of a row nor a class of this standard")));
        }
        Ok(read)
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        let influence = self.influence.iter().map(|i| &i.row);
        self.intrinsic.iter().chain(self.mpe.iter().map(|m| &m.row)).chain(influence)
    }

    fn maps(&self) -> [&BTreeMap<String, Cell>; 3] {
        [&self.starting.current, &self.no_load.duration.constant, &self.meter_constant]
    }

    fn class_names(&self) -> impl Iterator<Item = &String> {
        self.rows().flat_map(|row| row.classes.keys()).chain(self.maps().into_iter().flat_map(BTreeMap::keys))
    }

    fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        let single = [&self.repeatability.fraction, &self.starting.within_tau, &self.no_load.impulses];
        let interruptions = self.interruptions.iter().flat_map(|i| [&i.critical_change, &i.of]);
        let hours = self.influence_points.values().filter_map(|points| points.hours.as_ref());
        self.rows()
            .flat_map(|row| row.classes.values())
            .chain(single)
            .chain(&self.no_load.voltages)
            .chain(interruptions)
            .chain(hours)
            .chain(self.maps().into_iter().flat_map(BTreeMap::values))
    }
}
