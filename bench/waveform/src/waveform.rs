//! Waves by their components, and voltage events on them.

use serde::{Deserialize, Serialize};

/// A component at a whole multiple of the fundamental.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Harmonic {
    /// 0 for direct voltage or current, from 2.
    pub order: u16,
    /// RMS value as share of the fundamental's [%]; the value of order 0.
    pub percent: f64,
    /// Its own angle where the fundamental of the same wave crosses zero upwards (deg): `sin(order·θ + angle)`; nothing at order 0.
    pub angle_deg: f64,
}

/// A component at any frequency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interharmonic {
    /// Its frequency (Hz).
    pub hertz: f64,
    /// RMS value as share of the fundamental's [%].
    pub percent: f64,
}

/// How a modulation moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModulationShape {
    /// To and fro as a sine.
    Sine,
    /// To and fro in steps.
    Rectangle,
}

/// A change of the amplitude to and fro: flicker, bursts. The wave is multiplied by `1 + percent/200 · m(t)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Modulation {
    /// How it moves.
    pub shape: ModulationShape,
    /// How often (Hz).
    pub hertz: f64,
    /// From the lowest to the highest amplitude [% of the amplitude without modulation].
    pub percent: f64,
}

/// What one wave carries beside its fundamental.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Distortion {
    /// Harmonics and the direct part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harmonics: Vec<Harmonic>,
    /// One component at any frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interharmonic: Option<Interharmonic>,
    /// A change of the amplitude of the whole wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulation: Option<Modulation>,
}

impl Distortion {
    /// A steady sine.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Of figures that a source could make: orders to 200, ten times the fundamental, 20 kHz.
    pub(crate) fn is_sound(&self) -> bool {
        let share = |percent: f64| (0.0..=1000.0).contains(&percent);
        let harmonic = |h: &Harmonic| h.order <= 200 && share(h.percent) && h.angle_deg.abs() <= 36e3;
        let tone = |tone: Interharmonic| (0.1..=20e3).contains(&tone.hertz) && share(tone.percent);
        let modulation = |m: Modulation| (1e-4..=1000.0).contains(&m.hertz) && share(m.percent);
        self.harmonics.len() <= 200
            && self.harmonics.iter().all(harmonic)
            && self.interharmonic.is_none_or(tone)
            && self.modulation.is_none_or(modulation)
    }
}

/// Distortions of the three voltages and the three currents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Waveform {
    /// Of the voltages L1 to L3.
    pub voltage: [Distortion; 3],
    /// Of the currents L1 to L3.
    pub current: [Distortion; 3],
}

impl Waveform {
    /// Steady sines everywhere.
    pub fn is_none(&self) -> bool {
        self.voltage.iter().chain(&self.current).all(Distortion::is_none)
    }
}

/// A dip, a swell, a step or an interruption: the voltage of some phases stands at a share of its value for a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VoltageEvent {
    /// Phases it happens to.
    pub phases: [bool; 3],
    /// Of the voltage that stands: 0.4 leaves 40 %.
    pub share: f64,
    /// How long it lasts (s).
    pub seconds: f64,
    /// Where L1 stands when it begins (deg after its zero crossing upwards).
    pub point_on_wave_deg: f64,
    /// By how much the voltages of these phases are ahead while it lasts (deg).
    #[serde(default)]
    pub phase_jump_deg: f64,
}
