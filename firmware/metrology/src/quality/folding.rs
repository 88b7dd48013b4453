//! Ten cycles become one: each is resampled to 128 points, and the points of the same angle are added.
//!
//! A sum over ten cycles keeps what repeats with the cycle, and so the harmonics, exactly; of what lies between them nothing is
//! left that fits a whole number of times into the window. With 128 points an order up to 50 is not reached by one below 78.

use super::kernel::{BEFORE, TAPS, coefficients_at};
use super::samples::{CHANNELS, Samples};

/// Points of a cycle.
pub(crate) const POINTS: usize = 128;
/// Cycles of a window.
pub(crate) const CYCLES: u64 = 10;
/// Points of a window.
pub(crate) const POINTS_IN_WINDOW: f32 = (POINTS as u64 * CYCLES) as f32;

/// Where the points of a window lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folding {
    /// Its beginning [1/65536 slot].
    from: u64,
    cycles: u64,
    /// From point to point [1/2³² slot].
    step: u64,
}

impl Folding {
    /// A window of so many cycles from `from` [1/65536 slot] to `from + duration`.
    pub(crate) const fn new(from: u64, duration: u64, cycles: u64) -> Self {
        let points = POINTS as u64 * if cycles == 0 { 1 } else { cycles };
        Self { from, cycles, step: (duration << 16) / points }
    }

    /// Cycles per sample.
    pub(crate) fn frequency(&self) -> f32 {
        (1u64 << 32) as f32 / (self.step * POINTS as u64) as f32
    }

    /// One point of the folded cycle: the sum over the cycles by channel, as if they were ten.
    ///
    /// A point whose neighbours were not all seen is left to the other cycles.
    pub(crate) fn point<const C: usize>(&self, samples: &Samples, n: usize) -> [f32; C] {
        const { assert!(C <= CHANNELS) };
        let (first, begin) = (self.from >> 16, (self.from & 0xffff) << 16);
        let seen = samples.seen();
        let mut sums = [[0.0f32; TAPS / 2]; C];
        let mut taken = 0;
        for cycle in 0..self.cycles {
            let place = begin + (n as u64 + cycle * POINTS as u64) * self.step;
            let slot = first + (place >> 32) + 1;
            if slot < seen.start + BEFORE || slot + (TAPS as u64 - BEFORE) > seen.end {
                continue;
            }
            let coefficients = coefficients_at(place as u32);
            for (sum, neighbours) in sums.iter_mut().zip(samples.neighbours::<C>(slot - BEFORE)) {
                for lane in 0..TAPS / 2 {
                    sum[lane] += coefficients[lane] * neighbours[lane]
                        + coefficients[lane + TAPS / 2] * neighbours[lane + TAPS / 2];
                }
            }
            taken += 1;
        }
        let share = if taken == CYCLES { 1.0 } else { CYCLES as f32 / taken.max(1) as f32 };
        together(&sums, share)
    }
}

/// The lanes of each sum, and its share.
///
/// A call of its own: the lanes above stay lanes of one channel each.
#[inline(never)]
fn together<const C: usize>(sums: &[[f32; TAPS / 2]; C], share: f32) -> [f32; C] {
    sums.map(|[a, b, c, d]| ((a + c) + (b + d)) * share)
}
