//! What was put out and when, as the record keeps it.

use serde::{Deserialize, Serialize};

use crate::waveform::{VoltageEvent, Waveform};

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
