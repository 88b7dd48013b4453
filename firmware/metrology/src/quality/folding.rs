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

/// Sums over so many cycles from `from` [1/65536 slot] to `from + duration`, by point and channel, as if they were ten.
///
/// A point whose neighbours were not all seen is left to the other cycles.
pub(crate) fn fold<const C: usize>(
    samples: &Samples,
    from: u64,
    duration: u64,
    cycles: u64,
    mut point: impl FnMut(usize, [f32; C]),
) {
    const { assert!(C <= CHANNELS) };
    let step = (duration << 16) / (POINTS as u64 * cycles.max(1));
    let (first, begin) = (from >> 16, (from & 0xffff) << 16);
    let seen = samples.seen();
    for n in 0..POINTS as u64 {
        let mut sums = [[0.0f32; TAPS / 2]; C];
        let mut taken = 0;
        for cycle in 0..cycles {
            let place = begin + (n + cycle * POINTS as u64) * step;
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
        point(n as usize, together(&sums, share));
    }
}

/// The lanes of each sum, and its share.
///
/// A call of its own: the lanes above stay lanes of one channel each.
#[inline(never)]
fn together<const C: usize>(sums: &[[f32; TAPS / 2]; C], share: f32) -> [f32; C] {
    sums.map(|[a, b, c, d]| ((a + c) + (b + d)) * share)
}
