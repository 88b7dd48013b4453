//! Impulses: energy handed out evenly, cut into equal pieces, each with the instant its piece was complete.

use core::fmt;

use crate::config::MeterConstant;
use crate::scale::{QUANTA_PER_WATT_HOUR, SAMPLE_RATE};

/// A moment of sample time [1/65536 sample of 125 µs], counted from power-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SampleInstant(u64);

impl SampleInstant {
    /// From a sample index and 1/65536 of a sample.
    pub const fn new(index: u64, fraction: u16) -> Self {
        Self(index << 16 | fraction as u64)
    }

    /// Sample index, rounded down.
    pub const fn index(self) -> u64 {
        self.0 >> 16
    }

    /// 1/65536 of a sample past the index.
    pub const fn fraction(self) -> u16 {
        self.0 as u16
    }

    /// Nanoseconds of sample time, rounded down: 125 000 ns per sample.
    pub const fn nanoseconds(self) -> u64 {
        let sample_ns = 1_000_000_000 / SAMPLE_RATE as u64;
        self.index() * sample_ns + ((self.fraction() as u64 * sample_ns) >> 16)
    }

    /// This moment and so many whole samples more.
    #[must_use]
    pub const fn plus_samples(self, samples: u32) -> Self {
        Self(self.0 + ((samples as u64) << 16))
    }
}

impl fmt::Display for SampleInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}/65536", self.index(), self.fraction())
    }
}

/// One impulse on the test output and on the S0 output: the same edges on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Impulse {
    /// Both outputs switch on.
    pub rise: SampleInstant,
    /// Both outputs switch off.
    pub fall: SampleInstant,
}

/// Booked energy waits here until it has been given out. `pool + given·step` is what was booked, exactly.
///
/// The share at which the next impulse is complete is known as soon as energy is booked: between, a sample costs a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ImpulseGenerator {
    /// Booked and not yet spread over samples [quanta · constant].
    pool: u128,
    /// Given out per sample.
    step: u128,
    /// Samples given since the step was set.
    given: u32,
    /// Energy that the next impulse needs, counted from the last booking; below zero when impulses come faster than samples.
    due: i128,
    /// The share that completes it.
    completes: u32,
}

impl Default for ImpulseGenerator {
    fn default() -> Self {
        Self { pool: 0, step: 0, given: 0, due: Self::THRESHOLD as i128, completes: u32::MAX }
    }
}

impl ImpulseGenerator {
    const THRESHOLD: u128 = QUANTA_PER_WATT_HOUR * 1000;

    /// Everything booked for which no impulse has been given yet [quanta · constant].
    pub(crate) fn collected(&self) -> u128 {
        (self.pool + Self::THRESHOLD).saturating_add_signed(-self.due)
    }

    /// A generator that has collected so much and waits for its first booking.
    pub(crate) fn with_collected(collected: u128) -> Self {
        Self { due: Self::THRESHOLD as i128 - collected as i128, ..Self::default() }
    }

    /// Books energy and spreads everything not yet given over the next `samples` samples.
    pub(crate) fn book(&mut self, quanta: u128, constant: MeterConstant, samples: u32) {
        let spent = self.step * u128::from(self.given);
        self.pool = self.pool + quanta * u128::from(constant.get()) - spent;
        self.due -= spent as i128;
        self.given = 0;
        self.step = self.pool / u128::from(samples.max(1));
        self.foresee();
    }

    fn foresee(&mut self) {
        let due = self.due.max(0).unsigned_abs();
        let shares = if self.step == 0 { u128::MAX } else { due.div_ceil(self.step) };
        // A share of zero would never come: an impulse that is due at the booking itself completes with the first.
        self.completes = u32::try_from(shares.max(1)).unwrap_or(u32::MAX);
    }

    /// The instant at which the share that was just given completed an impulse.
    fn complete(&mut self, index: u64) -> SampleInstant {
        let over = (self.step * u128::from(self.completes)).saturating_add_signed(-self.due);
        let before = self.step.saturating_sub(over);
        let fraction = (before << 16).checked_div(self.step).unwrap_or(0).min(65_535);
        self.due += Self::THRESHOLD as i128;
        self.foresee();
        SampleInstant::new(index, fraction as u16)
    }

    /// Gives out the shares of so many samples at once: the same impulses as [`Self::advance`] sample by sample.
    pub(crate) fn advance_by(&mut self, index: u64, expected: u32, samples: u32, mut act: impl FnMut(SampleInstant)) {
        let before = self.given;
        self.given += expected.saturating_sub(before).min(samples);
        while self.completes <= self.given {
            let at = index + u64::from(self.completes - before) - 1;
            act(self.complete(at));
        }
    }

    /// Gives out one sample's share; the instant within sample `index` at which an impulse became complete, if it did.
    pub(crate) fn advance(&mut self, index: u64, expected: u32) -> Option<SampleInstant> {
        if self.given >= expected {
            return None; // the cycle is longer than expected: the pool must not be overdrawn
        }
        self.given += 1;
        (self.given >= self.completes).then(|| self.complete(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_shares_at_once_give_the_impulses_of_each_in_turn() {
        let constant = MeterConstant::new(1000).unwrap();
        let (mut one, mut many) = (ImpulseGenerator::default(), ImpulseGenerator::default());
        let mut index = 0u64;
        for cycle in 0u32..500 {
            let energy = QUANTA_PER_WATT_HOUR / 7 * u128::from(cycle % 5) + u128::from(cycle * 13);
            let (expected, samples) = (150 + cycle % 20, 150 + cycle * 7 % 23);
            one.book(energy, constant, expected);
            many.book(energy, constant, expected);
            let each: std::vec::Vec<_> =
                (0..u64::from(samples)).filter_map(|n| one.advance(index + n, expected)).collect();
            let mut at_once = std::vec::Vec::new();
            many.advance_by(index, expected, samples, |at| at_once.push(at));
            assert_eq!((each, one), (at_once, many), "cycle {cycle}");
            index += u64::from(samples);
        }
    }

    #[test]
    fn no_energy_is_lost_between_impulses() {
        let constant = MeterConstant::new(1000).unwrap();
        let mut generator = ImpulseGenerator::default();
        let (mut booked, mut impulses) = (0u128, 0u128);
        for cycle in 0u32..2000 {
            let energy = QUANTA_PER_WATT_HOUR / 7 + u128::from(cycle * 13);
            let samples = 150 + cycle % 20;
            booked += energy;
            generator.book(energy, constant, samples);
            for n in 0..(150 + cycle % 23) {
                impulses += u128::from(generator.advance(u64::from(n), samples).is_some());
            }
        }
        generator.book(0, constant, 1);
        assert_eq!(booked * 1000, impulses * ImpulseGenerator::THRESHOLD + generator.collected());
    }
}
