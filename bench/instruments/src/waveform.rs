//! The role of a source for waves other than a steady sine.

use std::time::Duration;

use async_trait::async_trait;
use meterbench_waveform::{VoltageEvent, Waveform};

use crate::roles::{InstrumentError, Setting};

/// What a source of any wave can do beside [`AcSource`](crate::AcSource).
#[async_trait]
pub trait WaveSource: Send {
    /// Refuses what the instrument cannot make, or what lies beyond the limits; nothing is written for it.
    fn check_waveform(&self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError>;

    /// Puts out a setting with these distortions; a later plain setting is without them.
    async fn apply_waveform(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError>;

    /// Refuses an event that the instrument cannot make of the setting that stands.
    fn check_event(&self, setting: &Setting, event: &VoltageEvent) -> Result<(), InstrumentError>;

    /// Longest time it needs from the end of one event to the begin of the next, at this frequency (Hz).
    fn pause(&self, hertz: f64) -> Duration;

    /// Plays an event on what stands; returns when it is over.
    async fn play(&mut self, event: &VoltageEvent) -> Result<(), InstrumentError>;
}
