//! What was put out and when, as the record keeps it.

use serde::{Deserialize, Serialize};

use crate::waveform::{Distortion, VoltageEvent, Waveform};

/// A sine: RMS value and the angle by which it lags the common zero (deg).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sine {
    /// RMS value (V) or (A).
    pub rms: f64,
    /// Lag (deg).
    pub lag_deg: f64,
}

/// The fundamentals of the voltages and the currents; zero where nothing is put out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sines {
    /// Frequency (Hz).
    pub hertz: f64,
    /// Voltages L1 to L3 (V).
    pub voltage: [Sine; 3],
    /// Currents L1 to L3 (A).
    pub current: [Sine; 3],
}

/// What a source was asked to play in a step, as commanded: the truth a meter is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// Number of the step.
    pub step: u32,
    /// In words.
    pub words: String,
    /// Bench time at its begin (ns).
    pub from_ns: u64,
    /// Bench time at its end (ns).
    pub to_ns: u64,
    /// Fundamentals that stood.
    pub sines: Sines,
    /// Their distortion.
    #[serde(default, skip_serializing_if = "Waveform::is_none")]
    pub waveform: Waveform,
    /// A voltage event, if one was played. A line of the journal has a word `event` of its own.
    #[serde(rename = "voltage_event", default, skip_serializing_if = "Option::is_none")]
    pub event: Option<VoltageEvent>,
}

/// Longest stimulus that a record can hold (s).
const LONGEST_S: f64 = 60.0 * 86_400.0;

impl Played {
    /// What of it no source could have played, for a record that comes from outside.
    pub fn unsound(&self) -> Option<&'static str> {
        let within = |x: f64, low: f64, high: f64| (low..=high).contains(&x);
        let angle = |deg: f64| within(deg, -36e3, 36e3);
        let Self { sines, waveform, .. } = self;
        let sine = |sine: &Sine| within(sine.rms, 0.0, 1e5) && angle(sine.lag_deg);
        let event = self.event.is_none_or(|event| {
            let angles = angle(event.point_on_wave_deg) && angle(event.phase_jump_deg);
            within(event.seconds, 0.0, LONGEST_S) && within(event.share, 0.0, 100.0) && angles
        });
        let checks = [
            (self.from_ns <= self.to_ns && (self.to_ns - self.from_ns) as f64 <= 1e9 * LONGEST_S, "its times"),
            (within(sines.hertz, 1.0, 1000.0), "its frequency"),
            (sines.voltage.iter().all(sine), "its voltages"),
            (sines.current.iter().all(sine), "its currents"),
            (waveform.voltage.iter().chain(&waveform.current).all(Distortion::is_sound), "its distortion"),
            (event, "its voltage event"),
        ];
        checks.into_iter().find(|(sound, _)| !sound).map(|(_, what)| what)
    }
}
