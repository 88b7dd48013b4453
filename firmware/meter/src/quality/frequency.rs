//! The frequency of ten seconds: whole cycles between two ticks of the clock by their duration (IEC 61000-4-30).

use meterbench_metrology::{SAMPLE_RATE, SampleInstant};

use super::event::raw;

/// The cycles since the last tick. One that a tick cuts is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Frequency {
    /// The tick [1/65536 sample].
    since: u64,
    /// Where the first cycle began, and the last whole one ended.
    first: u64,
    last: u64,
    half_cycles: u32,
}

impl Frequency {
    /// A half cycle has ended here, and was so long [1/65536 sample].
    pub(crate) fn half_cycle(&mut self, end: SampleInstant, duration: u32) {
        let (end, begun) = (raw(end), raw(end).saturating_sub(duration.into()));
        if begun < self.since {
            return;
        }
        if self.half_cycles == 0 {
            self.first = begun;
        }
        self.half_cycles += 1;
        if self.half_cycles.is_multiple_of(2) {
            self.last = end;
        }
    }

    /// The clock ticks at this instant; the frequency since the last time (0.1 mHz), if there was a whole cycle.
    pub(crate) fn tick(&mut self, at: SampleInstant) -> Option<u32> {
        let Self { first, last, half_cycles, .. } = core::mem::take(self);
        self.since = raw(at);
        let cycles = u64::from(half_cycles / 2);
        let duration = last.checked_sub(first).filter(|duration| *duration > 0 && cycles > 0)?;
        let tenths = (cycles * (u64::from(SAMPLE_RATE) << 16) * 10_000 + duration / 2) / duration;
        u32::try_from(tenths).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::instant;
    use super::*;

    /// The frequencies of intervals of ten seconds of half cycles of so many 1/65536 samples.
    fn measured(half: u64, intervals: u64) -> std::vec::Vec<Option<u32>> {
        let (mut frequency, mut end, mut found) = (Frequency::default(), 12_345, std::vec::Vec::new());
        for n in 1..=intervals {
            let tick = n * 80_000 << 16;
            while end < tick {
                end += half;
                frequency.half_cycle(instant(end), half as u32);
            }
            found.push(frequency.tick(instant(tick)));
        }
        found
    }

    #[test]
    fn whole_cycles_between_two_ticks_give_the_frequency() {
        // 50.6 Hz, and 42.5 Hz: off by less than half of 0.1 mHz and what is cut off of a half cycle.
        for tenths_mhz in [506_000_u64, 425_000, 500_000] {
            let half = 80_000_000_u64 * 65_536 / (2 * tenths_mhz);
            for found in measured(half, 5) {
                assert!(found.unwrap().abs_diff(tenths_mhz as u32) <= 1, "{found:?} of {tenths_mhz}");
            }
        }
    }

    #[test]
    fn without_a_whole_cycle_there_is_none() {
        assert_eq!(Frequency::default().tick(instant(80_000 << 16)), None);
        let mut one_half = Frequency::default();
        one_half.half_cycle(instant(80 << 16), 80 << 16);
        assert_eq!(one_half.tick(instant(80_000 << 16)), None);
    }
}
