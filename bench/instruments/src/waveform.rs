//! What a source puts out beside a steady sine.

use async_trait::async_trait;

use crate::roles::{InstrumentError, Setting};

/// A component at a whole multiple of the fundamental.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harmonic {
    /// 0 for direct voltage or current, from 2.
    pub order: u16,
    /// RMS value as share of the fundamental's [%]; the value of order 0.
    pub percent: f64,
    /// Its own angle where the fundamental of the same wave crosses zero upwards (deg): `sin(order·θ + angle)`; nothing at order 0.
    pub angle_deg: f64,
}

/// A component at any frequency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interharmonic {
    pub hertz: f64,
    /// RMS value as share of the fundamental's [%].
    pub percent: f64,
}

/// How a modulation moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModulationShape {
    Sine,
    Rectangle,
}

/// A change of the amplitude to and fro: flicker, bursts. The wave is multiplied by `1 + percent/200 · m(t)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modulation {
    pub shape: ModulationShape,
    pub hertz: f64,
    /// From the lowest to the highest amplitude [% of the amplitude without modulation].
    pub percent: f64,
}

/// What one wave carries beside its fundamental.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distortion {
    pub harmonics: Vec<Harmonic>,
    pub interharmonic: Option<Interharmonic>,
    pub modulation: Option<Modulation>,
}

/// Distortions of the three voltages and the three currents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waveform {
    pub voltage: [Distortion; 3],
    pub current: [Distortion; 3],
}

/// A dip, a swell or an interruption: the voltage of some phases stands at a share of its value for a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoltageEvent {
    pub phases: [bool; 3],
    /// Of the voltage that stands: 0.4 leaves 40 %.
    pub share: f64,
    pub seconds: f64,
    /// Where L1 stands when it begins (deg after its zero crossing upwards).
    pub point_on_wave_deg: f64,
}

/// What a source of any wave can do beside [`AcSource`](crate::AcSource).
#[async_trait]
pub trait WaveSource: Send {
    /// Refuses what the instrument cannot make, or what lies beyond the limits; nothing is written for it.
    fn check_waveform(&self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError>;

    /// Puts out a setting with these distortions; a later plain setting is without them.
    async fn apply_waveform(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError>;

    /// Refuses an event that the instrument cannot make of the setting that stands.
    fn check_event(&self, setting: &Setting, event: &VoltageEvent) -> Result<(), InstrumentError>;

    /// Plays an event on what stands; returns when it is over.
    async fn play(&mut self, event: &VoltageEvent) -> Result<(), InstrumentError>;
}
