//! The samples of the last window: a ring for each channel.

use super::kernel::TAPS;
use super::lanes::sum_of_squares;

/// Samples of a channel: a window of ten cycles at 42.5 Hz is 1883 long, and is looked at up to 120 samples after its end.
const LENGTH: usize = 2048;
/// The first samples of the ring stand behind its last ones once more, so that neighbours are always in one piece.
const NEIGHBOURS: usize = TAPS;
static NONE: [f32; NEIGHBOURS] = [0.0; NEIGHBOURS];
/// Channels: voltage and current of each phase in turn.
pub(crate) const CHANNELS: usize = 6;

/// Rings of samples [counts], with their direct part. A slot is the number of a sample; its place in the ring follows from it.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    channels: [[f32; LENGTH + NEIGHBOURS]; CHANNELS],
    /// Slot of the next sample.
    next: u64,
    /// Slot of the first sample since which there was no gap.
    from: u64,
}

const fn place(slot: u64) -> usize {
    slot as usize % LENGTH
}

impl Samples {
    pub(crate) const fn new() -> Self {
        Self { channels: [[0.0; LENGTH + NEIGHBOURS]; CHANNELS], next: 0, from: 0 }
    }

    /// Slot of the next sample.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The slots that are there.
    pub(crate) fn seen(&self) -> core::ops::Range<u64> {
        self.from.max(self.next.saturating_sub(LENGTH as u64))..self.next
    }

    /// What comes next has the slot `next`, and what was before is not there.
    pub(crate) fn begin_at(&mut self, next: u64) {
        (self.next, self.from) = (next, next);
    }

    /// Takes the sample of one phase at the next slot.
    #[inline]
    pub(crate) fn put(&mut self, phase: usize, voltage: i32, current: i32) {
        let at = place(self.next);
        let Some([u, i]) = self.channels.as_chunks_mut::<2>().0.get_mut(phase) else { return };
        (u[at], i[at]) = (voltage as f32, current as f32);
        if at < NEIGHBOURS {
            (u[LENGTH + at], i[LENGTH + at]) = (voltage as f32, current as f32);
        }
    }

    /// Every phase has its sample.
    #[inline]
    pub(crate) fn step(&mut self) {
        self.next += 1;
    }

    /// Puts what the last two samples of each channel lead to at the next slot: for half a sample at the end of a sum.
    pub(crate) fn foresee(&mut self) {
        for channel in 0..CHANNELS {
            let [last, before] = [1, 2].map(|back| self.at(channel, self.next.saturating_sub(back)));
            self.channels[channel][place(self.next)] = 2.0 * last - before;
        }
    }

    /// Puts what the first two samples of each channel come from at the slot before them.
    pub(crate) fn recall(&mut self) {
        for channel in 0..CHANNELS {
            let [first, second] = [0, 1].map(|n| self.at(channel, self.from + n));
            self.channels[channel][place(self.from.wrapping_sub(1))] = 2.0 * first - second;
        }
    }

    /// One sample.
    #[inline]
    pub(crate) fn at(&self, channel: usize, slot: u64) -> f32 {
        self.channels[channel][place(slot)]
    }

    /// Eight samples from this slot on, of the first `C` channels.
    #[inline]
    pub(crate) fn neighbours<const C: usize>(&self, slot: u64) -> [&[f32; NEIGHBOURS]; C] {
        let at = place(slot);
        core::array::from_fn(|channel| self.channels[channel][at..].first_chunk().unwrap_or(&NONE))
    }

    /// ∫ (x - direct)² from one place to another [1/65536 slot], each sample standing for half a sample to either side.
    ///
    /// At both ends a sample counts for its part. Over whole cycles of a sine the sum is off by less than 7·10⁻⁵.
    pub(crate) fn squares(&self, channel: usize, direct: f32, from: u64, to: u64) -> f32 {
        const HALF: u64 = 1 << 15;
        let (first, last) = ((from + HALF) >> 16, (to + HALF) >> 16);
        let square = |slot| {
            let x = self.at(channel, slot) - direct;
            x * x
        };
        let part = |q16: u64| q16 as u16 as f32 / 65_536.0;
        // What lies before `from` in the first sample, and up to `to` in the last.
        let (before, up_to) = (part(from + HALF), part(to + HALF));
        self.sum_of_squares(channel, direct, first, last) - square(first) * before + square(last) * up_to
    }

    /// Over the slots from `first` to the one before `end`.
    fn sum_of_squares(&self, channel: usize, direct: f32, first: u64, end: u64) -> f32 {
        let ring = &self.channels[channel][..LENGTH];
        let (begin, length) = (place(first), (end.saturating_sub(first) as usize).min(LENGTH));
        let to_edge = (LENGTH - begin).min(length);
        sum_of_squares(&ring[begin..begin + to_edge], direct) + sum_of_squares(&ring[..length - to_edge], direct)
    }
}
