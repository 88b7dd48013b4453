//! Waves that the standards of meters name: what each makes of a sine current, and of the voltage beside it.
//!
//! A named wave is said of the sine that a load point has at reference conditions: shapes that are cut from a sine say of which
//! one, and the fundamental of what is left follows. Series end where sources of waves do: what is cut off there carries no active
//! power, since the voltage has nothing at these orders.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::waveform::{Distortion, Harmonic, Modulation, ModulationShape, Waveform};

/// Highest order of a wave with edges.
pub const HIGHEST: u16 = 100;
/// Of a half-wave, which has none: a component of higher order is below 0.06 % of the fundamental, and amplifiers for high currents
/// end at 3 kHz. A multiple of four, so that the last term lowers the peak: it does not exceed that of the shape.
const HALF_WAVE_HIGHEST: u16 = 48;
/// Cycles of a burst that pass, and as many that do not.
const BURST_CYCLES: f64 = 2.0;
/// From nothing to twice the mean amplitude: on and off [%].
const ON_AND_OFF: f64 = 200.0;

/// A wave with a name in IEC 62053-21, EN 50470-3 or OIML R46.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum NamedWave {
    /// Fifth harmonic, 10 % of the voltage and 40 % of the current, in phase at the zero crossing upwards.
    FifthHarmonic,
    /// One half-wave of a sine of twice the amplitude: direct current and even harmonics, at equal power.
    HalfWave,
    /// A sine of which the first quarter of every half-wave is missing (fired at 90 degrees): odd harmonics.
    PhaseFired {
        /// Cut from a sine of twice the amplitude, so that the active power stays (OIML R46).
        equal_power: bool,
    },
    /// Two cycles that pass and two that do not: sub-harmonics.
    BurstFired {
        /// Of twice the amplitude, so that the mean active power stays (OIML R46).
        equal_power: bool,
    },
    /// Flat, like the current of a rectifier behind a choke (OIML R46).
    Quadriform,
    /// Peaked, like the current of a rectifier with a capacitor (OIML R46).
    Peaked,
}

/// What a named wave makes of a sine current.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped {
    /// RMS value of the fundamental, in multiples of the sine's; the mean of it where it is modulated.
    pub fundamental: f64,
    /// By how much the fundamental lags the sine (deg).
    pub lag_deg: f64,
    /// What it carries beside.
    pub distortion: Distortion,
}

/// Order, current [%], current of the peaked wave turned, voltage [%]; OIML R46, high certainty.
#[rustfmt::skip]
const R46: [(u16, f64, bool, f64); 5] = [
    ( 3, 30.0, true,  3.8),
    ( 5, 18.0, false, 2.4),
    ( 7, 14.0, true,  1.7),
    (11,  9.0, true,  1.0),
    (13,  5.0, false, 0.8),
];

impl NamedWave {
    /// Every wave.
    pub const ALL: [Self; 8] = [
        Self::FifthHarmonic,
        Self::HalfWave,
        Self::PhaseFired { equal_power: false },
        Self::PhaseFired { equal_power: true },
        Self::BurstFired { equal_power: false },
        Self::BurstFired { equal_power: true },
        Self::Quadriform,
        Self::Peaked,
    ];

    /// The word of its influence in plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::FifthHarmonic => "fifth-harmonic",
            Self::HalfWave => "dc-and-even-harmonics",
            Self::PhaseFired { .. } => "odd-harmonics",
            Self::BurstFired { .. } => "sub-harmonics",
            Self::Quadriform => "quadriform",
            Self::Peaked => "peaked",
        }
    }

    /// Amplitude of the sine it is cut from, in multiples of the sine of the load point.
    fn amplitude(self) -> f64 {
        match self {
            Self::HalfWave | Self::PhaseFired { equal_power: true } | Self::BurstFired { equal_power: true } => 2.0,
            _ => 1.0,
        }
    }

    /// What it makes of a sine current of this frequency (Hz).
    pub fn current(self, hertz: f64) -> Shaped {
        let harmonics = |fundamental: f64, lag_deg: f64, harmonics: Vec<Harmonic>| Shaped {
            fundamental,
            lag_deg,
            distortion: Distortion { harmonics, ..Distortion::default() },
        };
        match self {
            Self::FifthHarmonic => harmonics(1.0, 0.0, vec![harmonic(5, 40.0, 0.0)]),
            Self::Quadriform => harmonics(1.0, 0.0, R46.map(|(n, i, _, _)| harmonic(n, i, 0.0)).to_vec()),
            Self::Peaked => {
                let turned = |(n, i, turned, _)| harmonic(n, i, if turned { 180.0 } else { 0.0 });
                harmonics(1.0, 0.0, R46.map(turned).to_vec())
            }
            Self::HalfWave => harmonics(self.amplitude() / 2.0, 0.0, half_wave()),
            Self::PhaseFired { .. } => {
                let (fundamental, lag_deg, rest) = phase_fired();
                harmonics(self.amplitude() * fundamental, lag_deg, rest)
            }
            Self::BurstFired { .. } => {
                let modulation = on_and_off(2.0 * BURST_CYCLES / hertz);
                let distortion = Distortion { modulation: Some(modulation), ..Distortion::default() };
                Shaped { fundamental: self.amplitude() / 2.0, lag_deg: 0.0, distortion }
            }
        }
    }

    /// What the voltage carries.
    pub fn voltage(self) -> Distortion {
        let harmonics = match self {
            Self::FifthHarmonic => vec![harmonic(5, 10.0, 0.0)],
            Self::Quadriform => R46.map(|(n, _, _, u)| harmonic(n, u, 180.0)).to_vec(),
            // In each order against the current, like the drop of voltage that the current makes.
            Self::Peaked => R46.map(|(n, _, turned, u)| harmonic(n, u, if turned { 0.0 } else { 180.0 })).to_vec(),
            Self::HalfWave | Self::PhaseFired { .. } | Self::BurstFired { .. } => Vec::new(),
        };
        Distortion { harmonics, ..Distortion::default() }
    }

    /// Distortions of all channels: of the voltages that stand and of the currents that flow.
    pub fn waveform(self, hertz: f64, voltages: [bool; 3], currents: [bool; 3]) -> Waveform {
        let of = |on: bool, distortion: &Distortion| if on { distortion.clone() } else { Distortion::default() };
        let (voltage, current) = (self.voltage(), self.current(hertz).distortion);
        Waveform { voltage: voltages.map(|on| of(on, &voltage)), current: currents.map(|on| of(on, &current)) }
    }

    /// Mean active power, in multiples of the product of the RMS values of both sines, with a current that lags by this angle (deg);
    /// the cosine for plain sines.
    pub fn active(self, lag_deg: f64) -> f64 {
        self.components(lag_deg).map(|(_, product, angle)| product * angle.cos()).sum()
    }

    /// Reactive power of the fundamental in the same measure.
    pub fn reactive(self, lag_deg: f64) -> f64 {
        let current = self.current(1.0);
        current.fundamental * (lag_deg + current.lag_deg).to_radians().sin()
    }

    /// How strongly a delay between the channels of an instrument changes the active power it measures: relative, per radian of
    /// the fundamental. The tangent of the lag for plain sines.
    pub fn delay_sensitivity(self, lag_deg: f64) -> f64 {
        let slope: f64 = self.components(lag_deg).map(|(order, product, angle)| order * product * angle.sin()).sum();
        slope / self.active(lag_deg)
    }

    /// Share of the active power that is not the fundamental's.
    pub fn harmonic_share(self, lag_deg: f64) -> f64 {
        let active = self.active(lag_deg);
        let beside: f64 = self.components(lag_deg).skip(1).map(|(_, product, angle)| product * angle.cos()).sum();
        beside / active
    }

    /// Order, product of voltage and current, and angle by which the current lags the voltage at that order (rad); the fundamental
    /// first.
    fn components(self, lag_deg: f64) -> impl Iterator<Item = (f64, f64, f64)> {
        let (voltage, current) = (self.voltage(), self.current(1.0));
        let lag = (lag_deg + current.lag_deg).to_radians();
        let beside = voltage.harmonics.into_iter().filter_map(move |u| {
            let i = current.distortion.harmonics.iter().find(|i| i.order == u.order)?;
            let angle = (u.angle_deg - i.angle_deg).to_radians() + f64::from(u.order) * lag;
            Some((f64::from(u.order), current.fundamental * u.percent * i.percent / 1e4, angle))
        });
        let fundamental = (1.0, self.current(1.0).fundamental, lag);
        std::iter::once(fundamental).chain(beside)
    }

    /// RMS value of the current, in multiples of the sine's; of whole bursts where it is modulated.
    pub fn current_rms(self) -> f64 {
        match self {
            // A half of the square of the sine it is cut from.
            Self::HalfWave | Self::PhaseFired { .. } | Self::BurstFired { .. } => self.amplitude() * FRAC_1_SQRT_2,
            _ => rms(&self.current(1.0).distortion.harmonics),
        }
    }

    /// RMS value of the voltage, in multiples of the sine's.
    pub fn voltage_rms(self) -> f64 {
        rms(&self.voltage().harmonics)
    }

    /// Peak of the current, in multiples of the sine's.
    pub fn current_peak(self) -> f64 {
        match self {
            Self::HalfWave | Self::PhaseFired { .. } | Self::BurstFired { .. } => self.amplitude(),
            _ => peak(&self.current(1.0).distortion.harmonics),
        }
    }

    /// Peak of the voltage, in multiples of the sine's.
    pub fn voltage_peak(self) -> f64 {
        peak(&self.voltage().harmonics)
    }

    /// Direct part of the current, in multiples of the RMS value of the sine.
    pub fn direct(self) -> f64 {
        let current = self.current(1.0);
        let direct = current.distortion.harmonics.iter().find(|h| h.order == 0);
        direct.map_or(0.0, |h| current.fundamental * h.percent / 100.0)
    }

    /// After this time the power repeats itself (s), where that takes more than a cycle.
    pub fn burst_seconds(self, hertz: f64) -> Option<f64> {
        matches!(self, Self::BurstFired { .. }).then(|| 2.0 * BURST_CYCLES / hertz)
    }
}

impl fmt::Display for NamedWave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::PhaseFired { equal_power: true } | Self::BurstFired { equal_power: true } => {
                f.write_str(" of equal power")
            }
            _ => Ok(()),
        }
    }
}

impl From<NamedWave> for String {
    fn from(wave: NamedWave) -> Self {
        wave.to_string()
    }
}

impl TryFrom<String> for NamedWave {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|wave| wave.to_string() == text);
        known.ok_or_else(|| format!("`{text}` names no wave"))
    }
}

/// A change between nothing and twice the mean amplitude that begins anew after this time (s).
pub fn on_and_off(period_seconds: f64) -> Modulation {
    Modulation { shape: ModulationShape::Rectangle, hertz: 1.0 / period_seconds, percent: ON_AND_OFF }
}

fn harmonic(order: u16, percent: f64, angle_deg: f64) -> Harmonic {
    Harmonic { order, percent, angle_deg }
}

/// Of `max(sin, 0)`: 1/π + sin/2 - (2/π)·Σ cos(nθ)/(n² - 1) over the even orders; the fundamental is a half.
///
/// In an order in which no partial sum exceeds the peak of the whole, for sources are told one component after the other: those that
/// lower the peak first.
fn half_wave() -> Vec<Harmonic> {
    let direct = harmonic(0, 100.0 * 2.0 * SQRT_2 / PI, 0.0);
    let lowering = (4..=HALF_WAVE_HIGHEST).step_by(4);
    let even = lowering.chain((2..=HALF_WAVE_HIGHEST).step_by(4)).map(|n| {
        let square = f64::from(n) * f64::from(n);
        harmonic(n, 100.0 * 4.0 / (PI * (square - 1.0)), -90.0)
    });
    std::iter::once(direct).chain(even).collect()
}

/// Of the sine in the second half of each half-wave: sin/2 - cos/π and (2/π)·Σ (1 - s·n)/(n² - 1)·cos(nθ) over the odd orders from
/// three, s = (-1)^((n-1)/2). Amplitude of the fundamental, its lag (deg), and the rest by the angle of the fundamental.
fn phase_fired() -> (f64, f64, Vec<Harmonic>) {
    let (fundamental, lag) = (0.5f64.hypot(1.0 / PI), (2.0 / PI).atan());
    let odd = (3..=HIGHEST).step_by(2).map(|n| {
        let order = f64::from(n);
        let sign = if n % 4 == 1 { 1.0 } else { -1.0 };
        let cosine = 2.0 / PI * (1.0 - sign * order) / (order * order - 1.0);
        let turn = if cosine < 0.0 { -90.0 } else { 90.0 };
        let angle = (order * lag.to_degrees() + turn).rem_euclid(360.0);
        harmonic(n, 100.0 * cosine.abs() / fundamental, angle)
    });
    (fundamental, lag.to_degrees(), odd.collect())
}

/// RMS value of a fundamental of one with these.
fn rms(harmonics: &[Harmonic]) -> f64 {
    let squares: f64 = harmonics.iter().map(|h| h.percent * h.percent / 1e4).sum();
    (1.0 + squares).sqrt()
}

/// Highest value of a fundamental of amplitude one with these, to a thousandth: in steps of a quarter of a degree.
fn peak(harmonics: &[Harmonic]) -> f64 {
    let at = |step: u32| {
        let turn = f64::from(step) / 1440.0 * 2.0 * PI;
        let beside =
            harmonics.iter().map(|h| h.percent / 100.0 * (f64::from(h.order) * turn + h.angle_deg.to_radians()).sin());
        (turn.sin() + beside.sum::<f64>()).abs()
    };
    (0..1440).map(at).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests;
