//! Planted faults: each changes the meter's firmware, its front end or its outputs, never a reading of the bench.

use std::f64::consts::{PI, SQRT_2};

use meterbench_meter::defects::Defects;
use meterbench_meter::{Profile, Settings};
use meterbench_metrology::{Impulse, MeterConstant, SAMPLE_RATE, SampleInstant};

use crate::analogue::{Converter, FrontEnd};

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Gain of the current channels [%].
    Gain,
    /// Phase error of the current channels [minutes of arc], positive = current seen earlier.
    PhaseError,
    /// Power registered without a load, all phases together, and no starting threshold (W).
    Creep,
    /// Part of the voltage of L1 that is not sensed [%].
    LostPhase,
    /// One impulse in so many is not put out, on LED and S0.
    DroppedImpulses,
    /// Input noise, multiple of the usual.
    Noise,
    /// Power added by coupling from voltage to current, all phases together (W).
    OffsetPower,
    /// The meter works with this constant instead of that of its nameplate [imp/kWh].
    WrongConstant,
    /// Change of the error per 10 % of voltage [%].
    VoltageCoefficient,
    /// Change of the error per 2 % of frequency [%].
    FrequencyCoefficient,
    /// Temperature coefficient of the shunts beside the usual [ppm/K].
    ShuntTcr,
    /// Change of the error by the meter's own heat at 100 A, in the end [%].
    SelfHeating,
    /// Change of the error at the reversed phase sequence [%].
    PhaseSequence,
    /// A register misses the energy of one impulse in so many.
    RegisterLoss,
    /// Share of the exported energy that the register books as import [%].
    WrongDirection,
    /// Share of the inductive reactive energy that the register books as capacitive [%].
    ReactiveSign,
    /// A register drops half of this at every impulse (Wh): a remainder that is rounded off.
    RoundingLoss,
    /// The meter's clock runs fast (ppm).
    ClockError,
    /// Time an impulse lasts on both outputs, instead of that of the data sheet (ms).
    PulseWidth,
    /// One impulse in so many does not reach S0, in one for a dead output; the LED gives it.
    S0Loss,
    /// The reader may do what only management may.
    RightsHole,
    /// The scaler of energies is one too high; value and display are right.
    WrongScaler,
    /// The optical port sends all frames of an answer at once, whatever window was agreed on.
    WindowIgnored,
    /// An answer in blocks ends one block early.
    BlocksTruncated,
    /// The clock does not go over to daylight saving time, although its setup says so.
    DstIgnored,
    /// Management writes and resets energies.
    LegalWrite,
    /// Back from a power cut, the meter accepts again every counter it has ever accepted.
    CounterForgotten,
    /// Gain that the current channels lose at the direct part of a half-wave at Imax [%]: a current transformer that saturates.
    DcSensitive,
    /// Part of the fifth harmonic that the current channels lose, more of higher ones [%]; no filter keeps out what folds back.
    Alias,
    /// Dips, swells and interruptions end where they begin.
    NoDipHysteresis,
    /// Values of power quality are made of windows that are one cycle short.
    ShortWindow,
    /// Harmonics above the fortieth are left out of the distortion.
    ThdTo40,
    /// Unbalance is made of magnitudes alone.
    UnbalanceByMagnitude,
    /// A snapshot of the grid is taken of the window that ends after its trigger.
    SnapshotLate,
    /// Counters of events stop at fifteen.
    CounterSaturates,
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

/// Names in fault files.
const NAMES: [(&str, FaultKind); 35] = [
    ("gain", FaultKind::Gain),
    ("phase-error", FaultKind::PhaseError),
    ("creep", FaultKind::Creep),
    ("lost-phase", FaultKind::LostPhase),
    ("dropped-impulses", FaultKind::DroppedImpulses),
    ("noise", FaultKind::Noise),
    ("offset-power", FaultKind::OffsetPower),
    ("wrong-constant", FaultKind::WrongConstant),
    ("voltage-coefficient", FaultKind::VoltageCoefficient),
    ("frequency-coefficient", FaultKind::FrequencyCoefficient),
    ("shunt-tcr", FaultKind::ShuntTcr),
    ("self-heating", FaultKind::SelfHeating),
    ("phase-sequence", FaultKind::PhaseSequence),
    ("register-loss", FaultKind::RegisterLoss),
    ("wrong-direction", FaultKind::WrongDirection),
    ("reactive-sign", FaultKind::ReactiveSign),
    ("rounding-loss", FaultKind::RoundingLoss),
    ("clock-error", FaultKind::ClockError),
    ("pulse-width", FaultKind::PulseWidth),
    ("s0-loss", FaultKind::S0Loss),
    ("rights-hole", FaultKind::RightsHole),
    ("wrong-scaler", FaultKind::WrongScaler),
    ("window-ignored", FaultKind::WindowIgnored),
    ("blocks-truncated", FaultKind::BlocksTruncated),
    ("dst-ignored", FaultKind::DstIgnored),
    ("legal-write", FaultKind::LegalWrite),
    ("counter-forgotten", FaultKind::CounterForgotten),
    ("dc-sensitive", FaultKind::DcSensitive),
    ("alias", FaultKind::Alias),
    ("no-dip-hysteresis", FaultKind::NoDipHysteresis),
    ("short-window", FaultKind::ShortWindow),
    ("thd-to-40", FaultKind::ThdTo40),
    ("unbalance-by-magnitude", FaultKind::UnbalanceByMagnitude),
    ("snapshot-late", FaultKind::SnapshotLate),
    ("counter-saturates", FaultKind::CounterSaturates),
];

impl FaultKind {
    /// By the name in fault files.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The name in fault files.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Planted in the firmware: an image has no such fault.
    pub fn is_of_firmware(self) -> bool {
        self.is_there_or_not() && self != Self::CounterForgotten
            || matches!(self, Self::RegisterLoss | Self::WrongDirection | Self::ReactiveSign | Self::RoundingLoss)
    }

    /// Has no severity but 1.
    fn is_there_or_not(self) -> bool {
        matches!(
            self,
            Self::RightsHole
                | Self::WrongScaler
                | Self::WindowIgnored
                | Self::BlocksTruncated
                | Self::DstIgnored
                | Self::LegalWrite
                | Self::CounterForgotten
                | Self::NoDipHysteresis
                | Self::ShortWindow
                | Self::ThdTo40
                | Self::UnbalanceByMagnitude
                | Self::SnapshotLate
                | Self::CounterSaturates
        )
    }
}

impl Fault {
    /// Checks the severity.
    pub fn new(kind: FaultKind, severity: f64) -> Result<Self, FaultError> {
        let refuse = |text: &str| Err(FaultError(text.to_owned()));
        let whole = severity.fract() == 0.0;
        match kind {
            _ if !severity.is_finite() => refuse("the severity must be a number"),
            FaultKind::DroppedImpulses | FaultKind::RegisterLoss if !whole || severity < 2.0 => {
                refuse("one impulse in at least 2 can be dropped")
            }
            FaultKind::S0Loss if !whole || severity < 1.0 => {
                refuse("one impulse in so many: a whole number; 1 for a dead S0")
            }
            FaultKind::WrongConstant if !whole || !(1.0..=1_000_000.0).contains(&severity) => {
                refuse("the constant is a whole number of imp/kWh, at most 1 000 000")
            }
            FaultKind::Noise if !(0.0..=1000.0).contains(&severity) => refuse("noise is a multiple from 0 to 1000"),
            FaultKind::DcSensitive if !(0.0..=100.0).contains(&severity) => refuse("0 to 100 % of the gain are lost"),
            FaultKind::Alias if !(severity > 0.0 && severity < 80.0) => {
                refuse("a plain filter loses more than 0 and less than 80 % of the fifth harmonic")
            }
            FaultKind::Gain if severity.abs() > 50.0 => refuse("gain is at most 50 %"),
            FaultKind::PhaseError if severity.abs() > 600.0 => refuse("phase error is at most 600 minutes of arc"),
            FaultKind::VoltageCoefficient
            | FaultKind::FrequencyCoefficient
            | FaultKind::SelfHeating
            | FaultKind::PhaseSequence
                if severity.abs() > 50.0 =>
            {
                refuse("a change of the error is at most 50 %")
            }
            FaultKind::ShuntTcr if severity.abs() > 5000.0 => refuse("a coefficient is at most 5000 ppm/K"),
            FaultKind::LostPhase | FaultKind::WrongDirection | FaultKind::ReactiveSign
                if !(0.0..=100.0).contains(&severity) =>
            {
                refuse("a share is 0 to 100 %")
            }
            FaultKind::RoundingLoss if !(0.0..=1.0).contains(&severity) => refuse("a remainder is 0 to 1 Wh"),
            FaultKind::PulseWidth if !(0.1..=1000.0).contains(&severity) => refuse("an impulse lasts 0.1 to 1000 ms"),
            FaultKind::ClockError if severity.abs() > 50_000.0 => refuse("a clock error is at most 50000 ppm"),
            FaultKind::Creep | FaultKind::OffsetPower if severity.abs() > 1000.0 => refuse("power is at most 1000 W"),
            _ if kind.is_there_or_not() && severity != 1.0 => {
                refuse("it is there or not: leave the severity out, or write 1")
            }
            _ => Ok(Self { kind, severity }),
        }
    }
}

/// Faults at the outputs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Planted {
    drop_one_in: Option<u32>,
    drop_on_s0_one_in: Option<u32>,
    /// Time an impulse lasts (1/65536 sample).
    width: Option<u64>,
    /// The memory of counters does not outlive a power cut.
    pub(crate) counter_forgotten: bool,
}

impl Planted {
    /// Whether the impulse of this number, counted from 1, reaches the LED, and S0; `None` for neither.
    pub(crate) fn puts_out(&self, number: u32) -> Option<(bool, bool)> {
        let kept = |one_in: Option<u32>| one_in.is_none_or(|n| !number.is_multiple_of(n));
        kept(self.drop_one_in).then(|| (true, kept(self.drop_on_s0_one_in)))
    }

    /// When the outputs switch on and off for this impulse.
    pub(crate) fn edges(&self, impulse: Impulse) -> (SampleInstant, SampleInstant) {
        let later = |width: u64| {
            let fall = impulse.rise.index() * 65_536 + u64::from(impulse.rise.fraction()) + width;
            SampleInstant::new(fall >> 16, fall as u16)
        };
        (impulse.rise, self.width.map_or(impulse.fall, later))
    }
}

/// Mean of a half-wave against the RMS value of its whole sine: √2/π.
const MEAN_OF_HALF_WAVE: f64 = SQRT_2 / PI;

/// What a set of faults does to a meter of this profile.
pub(crate) fn plant(
    faults: &[Fault],
    profile: &Profile,
    front_end: &mut FrontEnd,
    settings: &mut Settings,
) -> (Planted, Defects) {
    let (mut planted, mut defects) = (Planted::default(), Defects::default());
    let systems = profile.systems as usize;
    for fault in faults {
        let severity = fault.severity;
        let percent = severity / 100.0;
        let channels = front_end.channels.iter_mut().take(systems);
        match fault.kind {
            FaultKind::Gain => channels.for_each(|c| c.current_gain *= 1.0 + percent),
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
            FaultKind::LostPhase => front_end.channels[0].voltage_gain *= 1.0 - percent,
            FaultKind::DroppedImpulses => planted.drop_one_in = Some(severity as u32),
            FaultKind::WrongConstant => {
                settings.constant = MeterConstant::new(severity as u32).unwrap_or(settings.constant);
            }
            FaultKind::VoltageCoefficient => channels.for_each(|c| c.voltage_coefficient += percent / 0.1),
            FaultKind::FrequencyCoefficient => channels.for_each(|c| c.frequency_coefficient += percent / 0.02),
            FaultKind::ShuntTcr => channels.for_each(|c| c.shunt_tc += severity * 1e-6),
            // 100 A heat the shunt by 24 K.
            FaultKind::SelfHeating => channels.for_each(|c| c.heating_gain += percent / (c.heating * 1e4)),
            FaultKind::PhaseSequence => channels.for_each(|c| c.sequence_gain += percent),
            FaultKind::DcSensitive => {
                let direct = f64::from(profile.maximum_current) * MEAN_OF_HALF_WAVE;
                channels.for_each(|c| c.saturation = Some(-percent / direct));
            }
            FaultKind::Alias => {
                let corner = Converter::corner_losing(percent, front_end.nominal.1);
                channels.for_each(|c| c.current_converter.plain = Some(corner));
            }
            FaultKind::PulseWidth => {
                planted.width = Some((severity / 1000.0 * f64::from(SAMPLE_RATE) * 65_536.0).round() as u64);
            }
            FaultKind::S0Loss => planted.drop_on_s0_one_in = Some(severity as u32),
            FaultKind::CounterForgotten => planted.counter_forgotten = true,
            FaultKind::ClockError => front_end.clock *= 1.0 + severity * 1e-6,
            FaultKind::RegisterLoss => defects.register_loss = severity as u32,
            FaultKind::WrongDirection => defects.wrong_direction_ppm = (severity * 1e4).round() as u32,
            FaultKind::ReactiveSign => defects.reactive_sign_ppm = (severity * 1e4).round() as u32,
            FaultKind::RoundingLoss => defects.rounding_loss_uwh = (severity / 2.0 * 1e6).round() as u32,
            FaultKind::RightsHole => defects.rights_hole = true,
            FaultKind::WrongScaler => defects.wrong_scaler = true,
            FaultKind::WindowIgnored => defects.window_ignored = true,
            FaultKind::BlocksTruncated => defects.blocks_truncated = true,
            FaultKind::DstIgnored => defects.dst_ignored = true,
            FaultKind::LegalWrite => defects.legal_write = true,
            FaultKind::NoDipHysteresis => defects.dip_hysteresis_missing = true,
            FaultKind::ShortWindow => defects.short_window = true,
            FaultKind::ThdTo40 => defects.thd_to_40 = true,
            FaultKind::UnbalanceByMagnitude => defects.unbalance_by_magnitude = true,
            FaultKind::SnapshotLate => defects.snapshot_late = true,
            FaultKind::CounterSaturates => defects.counter_saturates = true,
        }
    }
    (planted, defects)
}

#[cfg(test)]
mod tests {
    use meterbench_meter::TypeNumber;

    use super::*;

    fn planted(fault: Fault) -> (FrontEnd, Defects) {
        let profile = *"684-2-41D-1312AA70-1B14001".parse::<TypeNumber>().unwrap().profile();
        let (mut front_end, mut settings) = (FrontEnd::ideal(), Settings::delivered());
        let (_, defects) = plant(&[fault], &profile, &mut front_end, &mut settings);
        (front_end, defects)
    }

    #[test]
    fn every_word_has_a_kind_of_its_own() {
        for (name, kind) in NAMES {
            assert_eq!((FaultKind::parse(name), kind.name()), (Some(kind), name));
        }
    }

    #[test]
    fn a_word_of_power_quality_plants_its_own_defect_alone() {
        let none = Defects::default();
        for (name, wanted) in [
            ("no-dip-hysteresis", Defects { dip_hysteresis_missing: true, ..none }),
            ("short-window", Defects { short_window: true, ..none }),
            ("thd-to-40", Defects { thd_to_40: true, ..none }),
            ("unbalance-by-magnitude", Defects { unbalance_by_magnitude: true, ..none }),
            ("snapshot-late", Defects { snapshot_late: true, ..none }),
            ("counter-saturates", Defects { counter_saturates: true, ..none }),
        ] {
            let kind = FaultKind::parse(name).unwrap();
            assert!(kind.is_of_firmware() && Fault::new(kind, 0.5).is_err(), "{name}");
            assert_eq!(planted(Fault::new(kind, 1.0).unwrap()), (FrontEnd::ideal(), wanted), "{name}");
        }
    }

    #[test]
    fn faults_of_waves_stand_in_the_front_end_with_a_severity_that_means_something() {
        for (kind, fits, refused) in [
            (FaultKind::DcSensitive, [0.0, 10.0, 100.0], [-1.0, 101.0, f64::NAN]),
            (FaultKind::Alias, [0.1, 40.0, 79.0], [0.0, 80.0, -5.0]),
        ] {
            assert!(!kind.is_of_firmware());
            assert!(refused.iter().all(|&severity| Fault::new(kind, severity).is_err()), "{kind:?}");
            for severity in fits {
                let (front_end, defects) = planted(Fault::new(kind, severity).unwrap());
                assert!(front_end != FrontEnd::ideal() && defects == Defects::default(), "{kind:?} {severity}");
            }
        }
    }
}
