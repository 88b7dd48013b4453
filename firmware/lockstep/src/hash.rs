//! A running hash of what a meter has done.

use meterbench_meter::Meter;
use meterbench_metrology::{Impulse, Registers};

/// FNV-1a, 64 bits: over every event as it comes, and over the registers after every request.
///
/// It tells two bodies apart, by accident and not by intent: it is no protection against somebody who wants equal hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// The hash so far.
    pub const fn value(self) -> u64 {
        self.0
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// An impulse came.
    pub fn impulse(&mut self, impulse: &Impulse) {
        for edge in [impulse.rise, impulse.fall] {
            self.add(&edge.index().to_le_bytes());
            self.add(&edge.fraction().to_le_bytes());
        }
    }

    /// A request is done: the sample index and the registers of the total and of every phase.
    pub fn registers(&mut self, meter: &Meter) {
        self.add(&meter.sample_index().to_le_bytes());
        self.set(meter.registers());
        (0..3).for_each(|phase| self.set(meter.phase_registers(phase)));
    }

    fn set(&mut self, registers: &Registers) {
        let Registers { active_import, active_export, reactive, apparent_import, apparent_export } = registers;
        for energy in [active_import, active_export, apparent_import, apparent_export].into_iter().chain(reactive) {
            self.add(&energy.quanta().to_le_bytes());
        }
    }
}
