//! What a step asks of a meter over one of its ports.

use crate::object::{DlmsValue, ObjectName, ObjectPattern};

/// Which port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    Optical,
    Network,
}

/// Roles of clients that a plan can name.
pub const ROLES: [&str; 4] = ["public", "management", "reader", "installer"];

/// A test over a port.
#[derive(Debug, Clone, PartialEq)]
pub struct PortTest {
    pub port: Port,
    pub check: PortCheck,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq)]
pub enum PortCheck {
    /// Attributes are read and compared.
    Read { role: &'static str, expect: Vec<ReadExpectation> },
    /// An attribute is written. Where it must be refused, the event and the unchanged value prove it.
    Write { role: &'static str, object: ObjectName, attribute: i8, value: DlmsValue, answer: Answer },
    /// A method is called.
    Act { role: &'static str, object: ObjectName, method: i8, parameter: Option<DlmsValue>, granted: bool },
    /// Every attribute and method of every object, as every role.
    AccessRights { rules: Vec<RightsRule> },
    /// Associations with keys that are wrong by one bit.
    WrongKey { role: &'static str },
    /// Requests that were heard before; with a power cut (s) between them, where there is one.
    Replay { role: &'static str, off_seconds: Option<f64> },
    /// Less protection than the role needs.
    Downgrade { role: &'static str },
    /// One association after the other, and what goes on without one.
    AssociationLimits { role: &'static str, times: u64 },
    /// The rules of HDLC on the optical port.
    HdlcLink,
    /// The clock: set, and compared after a time (s).
    Clock(ClockTest),
    /// Rows of the load profile after a time (s) at the load that stands; in general blocks, or in those of GET.
    LoadProfile { role: &'static str, seconds: f64, general_blocks: bool },
}

/// What a meter must answer to who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Granted,
    /// This role may not.
    Refused,
    /// The role may, and the value is none that the attribute takes.
    Invalid,
}

/// One attribute that is read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadExpectation {
    pub object: ObjectName,
    pub value: ReadValue,
}

/// What a value that is read must be.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadValue {
    /// Within bounds, in this unit.
    Number { low: Option<f64>, high: Option<f64>, unit: &'static str },
    /// These characters.
    Text(String),
}

impl ReadValue {
    /// With the volts and hertz of the nameplate in the place of Un and fn.
    #[must_use]
    pub(crate) fn resolved(self, un_volt: f64, fn_hertz: f64) -> Self {
        let times = |nominal: f64, unit, (low, high): (Option<f64>, Option<f64>)| Self::Number {
            low: low.map(|low| low * nominal),
            high: high.map(|high| high * nominal),
            unit,
        };
        match self {
            Self::Number { low, high, unit: "Un" } => times(un_volt, "V", (low, high)),
            Self::Number { low, high, unit: "fn" } => times(fn_hertz, "Hz", (low, high)),
            other => other,
        }
    }
}

/// Who may do what with some objects. The first rule that names an object holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightsRule {
    pub objects: Vec<ObjectPattern>,
    pub read: Vec<&'static str>,
    pub write: Vec<&'static str>,
    pub act: Vec<&'static str>,
}

/// A test of the clock.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockTest {
    /// UTC to set (s since 1970); `None` leaves the clock.
    pub set: Option<i64>,
    /// Time until it is compared (s).
    pub seconds: f64,
    /// How far it may be off then (s).
    pub limit: f64,
    /// The clock follows the rule of the European Union.
    pub daylight_saving: bool,
}

/// COSEM unit (IEC 62056-6-2) and factor of a unit in a plan; Un and fn are those of the nameplate.
pub const READ_UNITS: [(&str, u8, f64); 19] = [
    ("W", 27, 1.0),
    ("kW", 27, 1e3),
    ("VA", 28, 1.0),
    ("kVA", 28, 1e3),
    ("var", 29, 1.0),
    ("kvar", 29, 1e3),
    ("Wh", 30, 1.0),
    ("kWh", 30, 1e3),
    ("VAh", 31, 1.0),
    ("varh", 32, 1.0),
    ("kvarh", 32, 1e3),
    ("A", 33, 1.0),
    ("mA", 33, 1e-3),
    ("V", 35, 1.0),
    ("mV", 35, 1e-3),
    ("Hz", 44, 1.0),
    ("1", 255, 1.0),
    ("Un", 35, 0.0),
    ("fn", 44, 0.0),
];
