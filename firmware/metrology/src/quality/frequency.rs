//! Frequency over ten seconds (IEC 61000-4-30): whole cycles between two ticks of the clock, divided by their duration.

use super::values::HalfCycle;
use crate::impulse::SampleInstant;
use crate::scale::SAMPLE_RATE;

/// Below this in every phase (mV) there is nothing to count, as for the detection of cycles.
const LEAST_VOLTAGE_MV: u32 = 20_000;

/// Counts whole cycles between ticks. What overlaps a tick counts on neither side.
///
/// Its error is that of two crossings: with noise of 0.1 % of the voltage below 0.1 mHz over ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct FrequencyCounter {
    /// The first end of a half cycle in this interval.
    first: Option<u64>,
    /// Half cycles since.
    halves: u32,
    /// The last end of a half cycle that makes whole cycles with the first, and how many they are.
    last: u64,
    cycles: u32,
    /// There was a time without a voltage.
    lost: bool,
    /// The tick that ends it.
    tick: Option<SampleInstant>,
}

impl FrequencyCounter {
    /// Nothing counted yet.
    pub const fn new() -> Self {
        Self { first: None, halves: 0, last: 0, cycles: 0, lost: false, tick: None }
    }

    /// The clock ticks at this instant. The first half cycle that ends later tells the frequency.
    pub fn tick(&mut self, at: SampleInstant) {
        self.tick = Some(at);
    }

    /// A half cycle has ended. The first one behind a tick tells the frequency of the interval [0.1 mHz]: `Some(None)` where the
    /// voltage was gone for a time, or no whole cycle was seen.
    pub fn add(&mut self, half_cycle: &HalfCycle) -> Option<Option<u32>> {
        let over = self.tick.is_some_and(|tick| half_cycle.end >= tick);
        let told = over.then(|| self.frequency());
        if over {
            *self = Self::new();
        }
        let at = place(half_cycle.end);
        self.lost |= half_cycle.voltage_mv.iter().all(|&voltage| voltage < LEAST_VOLTAGE_MV);
        if self.first.is_none() {
            self.first = Some(at);
            return told;
        }
        self.halves += 1;
        if self.halves.is_multiple_of(2) {
            (self.last, self.cycles) = (at, self.halves / 2);
        }
        told
    }

    fn frequency(&self) -> Option<u32> {
        let duration = self.last.checked_sub(self.first?).filter(|&duration| duration > 0 && !self.lost)?;
        let cycles = u64::from(self.cycles) * (u64::from(SAMPLE_RATE) << 16) * 10_000;
        u32::try_from((cycles + duration / 2) / duration).ok()
    }
}

/// In 1/65536 sample.
fn place(at: SampleInstant) -> u64 {
    at.index() << 16 | u64::from(at.fraction())
}
