//! What the nameplate of a meter says, in the symbols of the standards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Accuracy class for active energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// MID class A.
    A,
    /// MID class B.
    B,
    /// MID class C.
    C,
    /// IEC class 1.
    #[serde(rename = "1")]
    One,
    /// IEC class 2.
    #[serde(rename = "2")]
    Two,
    /// IEC class 3, reactive.
    #[serde(rename = "3")]
    Three,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [Self::A, Self::B, Self::C, Self::One, Self::Two, Self::Three];

    /// The letter or digit.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::One => "1",
            Self::Two => "2",
            Self::Three => "3",
        }
    }

    /// The class of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == text)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something a meter variant may have, which plans can require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Supply control switch.
    SupplyControlSwitch,
    /// Last gasp.
    LastGasp,
    /// S0 pulse output.
    PulseOutput,
    /// Load control switches.
    LoadControl,
    /// Auxiliary power supply.
    AuxiliarySupply,
    /// Home area network port.
    Han,
    /// Modem.
    Modem,
    /// Log and counters of dips, swells, under- and overvoltage and distortion of the voltage.
    VoltageQuality,
    /// Log and counters of everything that EN 50160 describes.
    PowerQuality,
    /// Log of events of the grid.
    GridEvents,
    /// Snapshot of registers at an event.
    Snapshot,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 11] = [
        Self::SupplyControlSwitch,
        Self::LastGasp,
        Self::PulseOutput,
        Self::LoadControl,
        Self::AuxiliarySupply,
        Self::Han,
        Self::Modem,
        Self::VoltageQuality,
        Self::PowerQuality,
        Self::GridEvents,
        Self::Snapshot,
    ];

    /// The word in plans and meter files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SupplyControlSwitch => "supply-control-switch",
            Self::LastGasp => "last-gasp",
            Self::PulseOutput => "pulse-output",
            Self::LoadControl => "load-control",
            Self::AuxiliarySupply => "auxiliary-supply",
            Self::Han => "han",
            Self::Modem => "modem",
            Self::VoltageQuality => "voltage-quality",
            Self::PowerQuality => "power-quality",
            Self::GridEvents => "grid-events",
            Self::Snapshot => "snapshot",
        }
    }

    /// The feature of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == text)
    }
}

/// Ratings of a direct-connected meter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nameplate {
    /// Name of the meter file.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Type number as printed.
    pub type_number: String,
    /// Active accuracy class.
    pub class: Class,
    /// Reactive accuracy class; absent when no reactive energy is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactive_class: Option<Class>,
    /// Registers active energy of both directions (A+ and A-).
    #[serde(default = "both_directions")]
    pub export: bool,
    /// Measuring systems, 1 or 3.
    pub systems: u8,
    /// Reference voltage Un (V).
    pub un_volt: f64,
    /// Reference frequency fn (Hz).
    pub fn_hertz: f64,
    /// Minimum current Imin (A).
    pub imin_ampere: f64,
    /// Reference current: Iref in EN 50470, Ib in IEC 62053 (A).
    pub iref_ampere: f64,
    /// Maximum current Imax (A).
    pub imax_ampere: f64,
    /// Meter constant [imp/kWh].
    pub constant_per_kwh: u32,
    /// Time an impulse lasts, by the data sheet (ms).
    #[serde(default = "usual_pulse")]
    pub pulse_width_ms: f64,
    /// What the variant has.
    pub has: Vec<Feature>,
}

fn usual_pulse() -> f64 {
    30.0
}

fn both_directions() -> bool {
    true
}

impl Nameplate {
    /// Transitional current Itr (A): a tenth of Iref for direct connection.
    pub fn itr_ampere(&self) -> f64 {
        self.iref_ampere / 10.0
    }

    /// Starting current Ist (A): 0.004 Iref for B and 1, 0.005 Iref for A and 2 (direct connection).
    pub fn ist_ampere(&self) -> f64 {
        let fraction = match self.class {
            Class::B | Class::C | Class::One => 0.004,
            Class::A | Class::Two | Class::Three => 0.005,
        };
        self.iref_ampere * fraction
    }

    /// Energy of one impulse (Wh).
    pub fn watt_hours_per_impulse(&self) -> f64 {
        1000.0 / f64::from(self.constant_per_kwh)
    }

    /// Time between two impulses at this power (s).
    pub fn seconds_per_impulse(&self, watt: f64) -> f64 {
        3600.0 * self.watt_hours_per_impulse() / watt.abs()
    }
}
