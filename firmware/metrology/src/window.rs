//! Sums over one window of ten cycles and what follows from them.

use crate::config::PhaseConfig;
use crate::cycle::PhaseSums;
use crate::readings::PhaseReadings;
use crate::scale::{AMPERE_FULL_SCALE, FULL_SCALE, GAIN_BITS, MILLIWATT_NUMERATOR, VOLT_FULL_SCALE};

/// Sums of one phase since the window began.
///
/// 24-bit samples over at most 1880 of them: squares need 57 bits, detector sums (Q22) 57 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub(crate) struct WindowSums {
    pub(crate) u: i64,
    pub(crate) i: i64,
    pub(crate) uu: i64,
    pub(crate) ii: i64,
    /// Coherent detector: voltage and current times cos and sin of the fundamental.
    pub(crate) u_cos: i64,
    pub(crate) u_sin: i64,
    pub(crate) i_cos: i64,
    pub(crate) i_sin: i64,
    /// Active energy of the cycles in this window, calibrated (quanta).
    pub(crate) active: i128,
}

impl WindowSums {
    /// Fundamental reactive energy of `samples` samples (quanta), inductive positive.
    ///
    /// With `u = û·cos(ωn + a)` and `i = î·cos(ωn + b)` the detector sums are `û·n/2·(cos a, -sin a)`, so that
    /// `Q·n = û·î/2·sin(a - b)·n = 2·(u_cos·i_sin - u_sin·i_cos)/n`.
    pub(crate) fn reactive(&self, samples: u32, phase: &PhaseConfig) -> i128 {
        const TWO_Q22: u32 = 44;
        let cross = i128::from(self.u_cos) * i128::from(self.i_sin) - i128::from(self.u_sin) * i128::from(self.i_cos);
        let raw = (2 * (cross / i128::from(samples))) >> TWO_Q22;
        raw * phase.power_gain
    }

    /// Apparent energy of `samples` samples [quanta]: `Urms·Irms·n = sqrt(Σu²·Σi²)`.
    pub(crate) fn apparent(&self, phase: &PhaseConfig) -> u128 {
        let product = self.uu.max(0) as u128 * self.ii.max(0) as u128;
        product.isqrt() * phase.power_gain.unsigned_abs()
    }

    /// The sums as those of one cycle come. `ui` has been booked and is not among them.
    pub(crate) fn of_samples(&self) -> PhaseSums {
        let Self { uu, ii, u_cos, u_sin, i_cos, i_sin, .. } = *self;
        PhaseSums { ui: 0, uu, ii, u_cos, u_sin, i_cos, i_sin }
    }

    pub(crate) fn rms_millivolt(&self, duration: u64, phase: &PhaseConfig) -> u32 {
        rms(self.uu, duration, phase.voltage_gain, VOLT_FULL_SCALE)
    }

    pub(crate) fn rms_milliampere(&self, duration: u64, phase: &PhaseConfig) -> u32 {
        rms(self.ii, duration, phase.current_gain, AMPERE_FULL_SCALE)
    }
}

/// Thousandths of the unit whose peak full scale is `full_scale`; `duration` of the window in 1/65536 sample.
fn rms(squares: i64, duration: u64, gain: i64, full_scale: u32) -> u32 {
    let counts_q16 = ((squares.max(0) as u128) << 48).checked_div(u128::from(duration)).unwrap_or(0).isqrt();
    let scaled = counts_q16 * u128::from(gain.unsigned_abs()) * u128::from(full_scale) * 1000;
    (scaled / ((FULL_SCALE as u128) << (16 + GAIN_BITS))) as u32
}

/// Energy of a window (quanta) as mean power (mW); `duration` in 1/65536 sample.
pub(crate) fn milliwatt(quanta: i128, duration: u64) -> i64 {
    let per_sample = (quanta << 16) / i128::from(duration.max(1));
    (((per_sample >> 16) * MILLIWATT_NUMERATOR) >> (46 + GAIN_BITS - 16)) as i64
}

/// P/S in 1/10 000.
pub(crate) fn power_factor(readings: &PhaseReadings) -> i16 {
    let ratio = (readings.active_mw * 10_000).checked_div(readings.apparent_mva).unwrap_or(0);
    ratio.clamp(-10_000, 10_000) as i16
}
