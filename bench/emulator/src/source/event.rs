//! Voltage events of the tests: one of a source is made of its own commands.

use super::{Output, Phasor};

/// The voltage of some phases stands at a share of its value for a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Event {
    pub(crate) phases: [bool; 3],
    /// Of the voltage that stands: 0.4 leaves 40 %.
    pub(crate) share: f64,
    /// How long it lasts (s).
    pub(crate) seconds: f64,
    /// Where the fundamental of L1 stands when it begins (deg after its zero crossing upwards).
    pub(crate) point_on_wave_deg: f64,
    /// By how much the voltages of these phases are ahead while it lasts (deg).
    pub(crate) phase_jump_deg: f64,
}

impl Event {
    /// The output while it lasts.
    pub(crate) fn on(&self, output: &Output) -> Output {
        let mut during = output.clone();
        for (voltage, _) in during.voltage.iter_mut().zip(self.phases).filter(|(_, struck)| *struck) {
            *voltage = Phasor { rms: voltage.rms * self.share, lag_deg: voltage.lag_deg - self.phase_jump_deg };
        }
        during
    }
}
