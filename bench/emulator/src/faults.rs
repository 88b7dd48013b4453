//! Planted faults: each changes the meter or its front end, never a reading of the bench.

use meterbench_meter::Settings;
use meterbench_metrology::MeterConstant;

use crate::analogue::FrontEnd;

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Gain of the current channels [%].
    Gain,
    /// Phase error of the current channels [minutes of arc], positive = current seen earlier.
    PhaseError,
    /// Power registered without a load, all phases together, and no starting threshold (W).
    Creep,
    /// The voltage of this phase (1 to 3) is not sensed.
    LostPhase,
    /// One impulse in so many is not put out, on LED and S0.
    DroppedImpulses,
    /// Input noise, multiple of the usual.
    Noise,
    /// Power added by coupling from voltage to current, all phases together (W).
    OffsetPower,
    /// The meter works with this constant instead of that of its nameplate [imp/kWh].
    WrongConstant,
}

/// A fault with its severity, in the unit of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub severity: f64,
}

/// A severity that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(String);

impl FaultKind {
    /// By the name in fault files.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "gain" => Self::Gain,
            "phase-error" => Self::PhaseError,
            "creep" => Self::Creep,
            "lost-phase" => Self::LostPhase,
            "dropped-impulses" => Self::DroppedImpulses,
            "noise" => Self::Noise,
            "offset-power" => Self::OffsetPower,
            "wrong-constant" => Self::WrongConstant,
            _ => return None,
        })
    }
}

impl Fault {
    /// Checks the severity.
    pub fn new(kind: FaultKind, severity: f64) -> Result<Self, FaultError> {
        let refuse = |text: &str| Err(FaultError(text.to_owned()));
        let whole = severity.fract() == 0.0;
        match kind {
            _ if !severity.is_finite() => refuse("the severity must be a number"),
            FaultKind::LostPhase if !whole || !(1.0..=3.0).contains(&severity) => refuse("the phase is 1, 2 or 3"),
            FaultKind::DroppedImpulses if !whole || severity < 2.0 => {
                refuse("one impulse in at least 2 can be dropped")
            }
            FaultKind::WrongConstant if !whole || !(1.0..=1_000_000.0).contains(&severity) => {
                refuse("the constant is a whole number of imp/kWh, at most 1 000 000")
            }
            FaultKind::Noise if !(0.0..=1000.0).contains(&severity) => refuse("noise is a multiple from 0 to 1000"),
            FaultKind::Gain if severity.abs() > 50.0 => refuse("gain is at most 50 %"),
            FaultKind::PhaseError if severity.abs() > 600.0 => refuse("phase error is at most 600 minutes of arc"),
            FaultKind::Creep | FaultKind::OffsetPower if severity.abs() > 1000.0 => refuse("power is at most 1000 W"),
            _ => Ok(Self { kind, severity }),
        }
    }
}

/// What a set of faults does to a meter with this many systems.
pub(crate) fn plant(
    faults: &[Fault],
    systems: usize,
    front_end: &mut FrontEnd,
    settings: &mut Settings,
) -> Option<u32> {
    let mut drop_one_in = None;
    for fault in faults {
        let severity = fault.severity;
        let channels = front_end.channels.iter_mut().take(systems);
        match fault.kind {
            FaultKind::Gain => channels.for_each(|c| c.current_gain *= 1.0 + severity / 100.0),
            FaultKind::PhaseError => channels.for_each(|c| c.lead_rad += (severity / 60.0).to_radians()),
            FaultKind::Noise => channels.for_each(|c| {
                c.voltage_noise *= severity;
                c.current_noise *= severity;
            }),
            FaultKind::Creep | FaultKind::OffsetPower => {
                let un = f64::from(settings.reference_voltage);
                channels.for_each(|c| c.coupling.0 += severity / systems as f64 / (un * un));
                if fault.kind == FaultKind::Creep {
                    settings.starting_power_mw = Some(0);
                }
            }
            FaultKind::LostPhase => front_end.channels[severity as usize - 1].voltage_gain = 0.0,
            FaultKind::DroppedImpulses => drop_one_in = Some(severity as u32),
            FaultKind::WrongConstant => {
                settings.constant = MeterConstant::new(severity as u32).unwrap_or(settings.constant);
            }
        }
    }
    drop_one_in
}
