//! A running hash of what a meter has done and how it stands.

use core::hash::{Hash as _, Hasher};

use meterbench_meter::Meter;
use meterbench_meter::port::PortAction;
use meterbench_metrology::Impulse;

/// FNV-1a, 64 bits: over every event as it comes (impulses, and what the ports say), and after every request over the whole state of the metrology (registers,
/// running sums, delay lines, oscillator, readings, energy that waits for an impulse) and of power quality (events, counters, aggregates, harmonics to the bit).
///
/// So a sample that was lost, or a product with one wrong bit, shows in the block in which it happened, long before it
/// reaches a register. The hash tells two bodies apart by accident and not by intent: it is no protection against somebody
/// who wants equal hashes.
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

    /// An impulse came.
    pub fn impulse(&mut self, impulse: &Impulse) {
        for edge in [impulse.rise, impulse.fall] {
            edge.hash(&mut Bytes(&mut self.0));
        }
    }

    /// A port says something.
    pub fn port(&mut self, action: &PortAction<'_>) {
        action.hash(&mut Bytes(&mut self.0));
    }

    /// A request is done.
    pub fn state(&mut self, meter: &Meter) {
        meter.state().hash(&mut Bytes(&mut self.0));
        meter.hash_quality(&mut Bytes(&mut self.0));
    }
}

/// Takes integers alike on every processor: little-endian, and those of the size of a pointer as 64 bits.
struct Bytes<'a>(&'a mut u64);

impl Hasher for Bytes<'_> {
    fn finish(&self) -> u64 {
        *self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            *self.0 = (*self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_i64(value as i64);
    }
}
