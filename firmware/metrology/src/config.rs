//! What is chosen once: systems, calibration, thresholds, impulses. Nothing here changes while samples flow.

use core::num::NonZeroU32;

use crate::phase_delay::PhaseDelay;
use crate::scale::{AMPERE_FULL_SCALE, FULL_SCALE, GAIN_BITS, QUANTA_PER_WATT_HOUR, SAMPLE_RATE, VOLT_FULL_SCALE};

/// Number of measuring systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Systems {
    /// Single-phase meter.
    One = 1,
    /// Three-phase four-wire meter.
    Three = 3,
}

/// Meter constant [imp/kWh] or [imp/kvarh].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterConstant(NonZeroU32);

impl MeterConstant {
    /// `None` for zero.
    pub const fn new(impulses_per_kilowatt_hour: u32) -> Option<Self> {
        match NonZeroU32::new(impulses_per_kilowatt_hour) {
            Some(constant) => Some(Self(constant)),
            None => None,
        }
    }

    /// Impulses per kWh (kvarh).
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// Which energy the test output and the S0 output count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpulseQuantity {
    /// kWh: the magnitude of the net active energy, both directions unless [`Config::import_only`].
    Active,
    /// kvarh: the magnitude of the net fundamental reactive energy.
    Reactive,
}

/// The test output (LED) and the S0 output, which share every edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impulses {
    /// What an impulse stands for.
    pub quantity: ImpulseQuantity,
    /// How many impulses make one kWh (kvarh).
    pub constant: MeterConstant,
    /// Time the output stays on [samples of 125 µs].
    pub width: u32,
}

impl Impulses {
    /// 30 ms, the least on-time of a pulse output (IEC 62053-31).
    pub const WIDTH_30_MS: u32 = 30 * SAMPLE_RATE / 1000;
}

/// Calibration of one measuring system, all 1.0 and 0 for an ideal front end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseCalibration {
    /// Gain of the voltage channel, 1.0 = 2³⁰.
    pub voltage_gain: i32,
    /// Gain of the current channel, 1.0 = 2³⁰.
    pub current_gain: i32,
    /// Active power that the front end adds on its own, taken off each sample [count² at calibrated gain].
    pub power_offset: i32,
    /// Extra delay of the current channel [1/65536 sample], positive = current later. ±0.5 sample is ±62.5 µs.
    pub current_delay: i16,
}

impl PhaseCalibration {
    /// Gain 1.0.
    pub const UNITY: i32 = 1 << GAIN_BITS;
}

impl Default for PhaseCalibration {
    fn default() -> Self {
        Self { voltage_gain: Self::UNITY, current_gain: Self::UNITY, power_offset: 0, current_delay: 0 }
    }
}

/// Why a configuration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Two impulses would run into each other at the highest power.
    #[error(
        "at {power_w} W (Imax and 1.15 Un) an impulse comes every {period_ms} ms, which leaves no off-time beside its {width_ms} ms: the meter constant is too high"
    )]
    ImpulsesMerge {
        /// Highest power the meter must register (W).
        power_w: u32,
        /// Time between two impulses there (ms).
        period_ms: u32,
        /// On-time of one impulse (ms).
        width_ms: u32,
    },
    /// A gain outside 0.5 .. 1.99, which no working front end needs.
    #[error("the calibration gain of system {system} is outside 0.5 to 1.99")]
    GainOutOfRange {
        /// Number of the measuring system, from 1.
        system: u8,
    },
}

/// The metrology's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub(crate) systems: usize,
    pub(crate) phases: [PhaseConfig; 3],
    pub(crate) starting_power: i128,
    pub(crate) impulses: Impulses,
    pub(crate) import_only: bool,
}

/// Calibration in the form the sample path uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PhaseConfig {
    pub(crate) delay: PhaseDelay,
    pub(crate) voltage_gain: i64,
    pub(crate) current_gain: i64,
    pub(crate) power_gain: i128,
    pub(crate) power_offset: i128,
}

impl PhaseConfig {
    fn new(calibration: &PhaseCalibration) -> Self {
        let (voltage_gain, current_gain) = (i64::from(calibration.voltage_gain), i64::from(calibration.current_gain));
        Self {
            delay: PhaseDelay::new(calibration.current_delay),
            voltage_gain,
            current_gain,
            power_gain: (i128::from(voltage_gain) * i128::from(current_gain)) >> GAIN_BITS,
            power_offset: i128::from(calibration.power_offset) << GAIN_BITS,
        }
    }

    /// Volts of a count, for values of power quality.
    pub(crate) fn volt_per_count(&self) -> f32 {
        self.voltage_gain as i32 as f32 * (VOLT_FULL_SCALE as f32 / FULL_SCALE as f32 / (1u32 << GAIN_BITS) as f32)
    }

    /// Amperes of a count, for values of power quality.
    pub(crate) fn ampere_per_count(&self) -> f32 {
        self.current_gain as i32 as f32 * (AMPERE_FULL_SCALE as f32 / FULL_SCALE as f32 / (1u32 << GAIN_BITS) as f32)
    }
}

impl Config {
    /// Checks and prepares a configuration.
    ///
    /// `starting_power_mw` (mW) is the power per phase below which nothing is registered; half of `Un·Ist` is usual.
    /// `highest_power_w` (W) is the power at which impulses must still stand apart (Imax and 1.15 Un, all phases).
    pub fn new(
        systems: Systems,
        calibration: &[PhaseCalibration; 3],
        starting_power_mw: u32,
        highest_power_w: u32,
        impulses: Impulses,
    ) -> Result<Self, ConfigError> {
        for (system, phase) in (1u8..).zip(calibration) {
            let usable = (PhaseCalibration::UNITY / 2)..=i32::MAX;
            if !usable.contains(&phase.voltage_gain) || !usable.contains(&phase.current_gain) {
                return Err(ConfigError::GainOutOfRange { system });
            }
        }
        let period_ms =
            3_600_000_000_000u64 / (u64::from(highest_power_w.max(1)) * u64::from(impulses.constant.get())) / 1000;
        let width_ms = u64::from(impulses.width) * 1000 / u64::from(SAMPLE_RATE);
        if period_ms < width_ms + 10 {
            return Err(ConfigError::ImpulsesMerge {
                power_w: highest_power_w,
                period_ms: u32::try_from(period_ms).unwrap_or(u32::MAX),
                width_ms: u32::try_from(width_ms).unwrap_or(u32::MAX),
            });
        }
        // mW -> quanta per sample: 1 Wh = 3600 s · 8000 S/s · 1000 mW
        let starting_power =
            (QUANTA_PER_WATT_HOUR * u128::from(starting_power_mw) / (3600 * u128::from(SAMPLE_RATE) * 1000)) as i128;
        Ok(Self {
            systems: systems as usize,
            phases: calibration.map(|c| PhaseConfig::new(&c)),
            starting_power,
            impulses,
            import_only: false,
        })
    }

    /// For a meter that registers A+ alone: active energy exported gives no impulse. Its register runs all the same;
    /// the meter does not show it.
    #[must_use]
    pub fn import_only(self) -> Self {
        Self { import_only: true, ..self }
    }

    /// The outputs count another energy from now on; what was collecting towards an impulse is dropped.
    pub fn select(&mut self, state: &mut crate::state::State, quantity: ImpulseQuantity) {
        if self.impulses.quantity != quantity {
            self.impulses.quantity = quantity;
            state.forget_collected();
        }
    }

    /// Number of measuring systems.
    pub fn systems(&self) -> usize {
        self.systems
    }

    /// The outputs.
    pub fn impulses(&self) -> Impulses {
        self.impulses
    }
}
