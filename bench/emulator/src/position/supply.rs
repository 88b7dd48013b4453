//! What a meter lives on: its phases, what is stored in its power supply, and the reserve of its real-time clock.

use meterbench_meter::{Backup, Outage};
use meterbench_metrology::SAMPLE_RATE;

use crate::source::Phasor;

/// Share of the reference voltage that one phase must have. A dip to half of it is no power cut.
const LEAST_SHARE: f64 = 0.4;
/// How long a meter runs on after the last phase is gone (samples): half a second.
pub(super) const HOLD_UP: u64 = SAMPLE_RATE as u64 / 2;
/// Temperature at which the crystal of the clock is fastest (°C).
const TURNOVER_C: f64 = 23.0;
/// What that crystal loses away from it [1/K²].
const PARABOLA: f64 = -0.034e-6;
const BILLION: i128 = 1_000_000_000;
const DAY_MS: u64 = 86_400_000;

/// Whether the meter runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Supply {
    /// Never had power.
    New,
    /// A phase feeds it.
    Fed,
    /// No phase feeds it; what is stored lasts up to this sample.
    HeldUp { until: u64 },
    /// Without power.
    Gone,
}

/// Whether one of the phases of a meter with so many systems feeds it, by what stands at its terminals.
pub(super) fn feeds(voltage: &[Phasor; 3], systems: usize, reference_voltage: f64) -> bool {
    voltage.iter().take(systems).any(|phase| phase.rms >= LEAST_SHARE * reference_voltage)
}

/// A 32 kHz crystal and its reserve: what a meter measures time by when it does not sample.
#[derive(Debug, Clone)]
pub(super) struct RealTimeClock {
    /// Relative error of the crystal at 23 °C.
    pub(super) error: f64,
    /// Samples of the meter in the time of one true sample.
    pub(super) sampling: f64,
    /// Time the reserve lasts (ms); `None` for a battery.
    reserve_ms: Option<u64>,
    /// Time counted without power (1e-9 sample).
    counted: i128,
}

impl RealTimeClock {
    pub(super) fn new(error: f64, sampling: f64, backup: Backup) -> Self {
        let reserve_ms = match backup {
            Backup::Supercap3 | Backup::Supercap3LastGasp => Some(3 * DAY_MS),
            Backup::Supercap7 | Backup::Supercap7LastGasp => Some(7 * DAY_MS),
            Backup::Battery | Backup::Supercap7Battery | Backup::BatteryLastGasp => None,
        };
        Self { error, sampling, reserve_ms, counted: 0 }
    }

    /// How much faster it runs at this temperature than the crystal that samples (1e-9).
    pub(super) fn ppb(&self, celsius: f64) -> i32 {
        let crystal = 1.0 + self.error + PARABOLA * (celsius - TURNOVER_C).powi(2);
        (1e9 * (crystal / self.sampling - 1.0)).round() as i32
    }

    /// So many samples would have been taken at this temperature.
    pub(super) fn pass(&mut self, samples: u64, celsius: f64) {
        self.counted += i128::from(samples) * (BILLION + i128::from(self.ppb(celsius)));
    }

    /// What became of the time, for the firmware that starts; counts anew.
    pub(super) fn outage(&mut self) -> Outage {
        let ms = std::mem::take(&mut self.counted) / (BILLION * i128::from(SAMPLE_RATE / 1000));
        let ms = u64::try_from(ms).unwrap_or(u64::MAX);
        if self.reserve_ms.is_some_and(|reserve| ms > reserve) { Outage::Lost } else { Outage::Bridged { ms } }
    }
}
