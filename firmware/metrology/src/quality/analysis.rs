//! The analysis beside the metrology: it looks at the same samples, and changes nothing of what they are counted as.

use super::boundaries::{Boundaries, Boundary};
#[cfg(feature = "defects")]
use super::defects::QualityDefects;
use super::folding::CYCLES;
use super::harmonics::Harmonics;
use super::lanes::sqrt;
use super::samples::{CHANNELS, Samples};
use super::sums;
use super::values::{Found, HIGHEST_ORDER, HalfCycle, Spectrum};
use super::windows::Window;
use crate::config::Config;
use crate::cycle::CycleSums;
use crate::impulse::{Impulse, SampleInstant};
use crate::state::{EndedWindow, Frame, State};

const ONE: u64 = 1 << 16;
const NO_RANGE: (f32, f32) = (f32::INFINITY, 0.0);

/// Everything the analysis of power quality keeps: the samples of one window and what is under way.
///
/// No part of a [`State`]: registers, impulses and readings are the same to the bit with it and without it.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub(super) samples: Samples,
    pub(super) boundaries: Boundaries,
    /// Phase whose voltage gives the boundaries.
    sync: usize,
    /// Mean of each channel, taken off for RMS values (counts).
    direct: [f32; CHANNELS],
    /// Least and greatest mean square of a cycle since the last window (counts²).
    pub(super) range: [(f32, f32); CHANNELS],
    /// A half cycle since the last window was longer or shorter than half a period.
    pub(super) irregular: bool,
    /// The last cycle that came as sums.
    before: Option<Before>,
    /// A window that has ended and waits for what is still to come of it.
    pub(super) ended: Option<EndedWindow>,
    /// The window whose harmonics are on their way.
    pub(super) under_way: Option<Window>,
    pub(super) harmonics: Harmonics,
    /// Sums of the detector after five cycles of the window under way.
    pub(super) half_way: (i64, i64),
    /// Where the last window ended.
    pub(super) last_window: u64,
    pub(super) spectrum: Spectrum,
    #[cfg(feature = "defects")]
    defects: QualityDefects,
}

/// A cycle that came as sums.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// Where it ended.
    until: u64,
    /// Its mean squares (counts²).
    squares: [f32; CHANNELS],
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

impl Analysis {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            samples: Samples::new(),
            boundaries: Boundaries::new(),
            sync: 0,
            direct: [0.0; CHANNELS],
            range: [NO_RANGE; CHANNELS],
            irregular: false,
            before: None,
            ended: None,
            under_way: None,
            harmonics: Harmonics::new(),
            half_way: (0, 0),
            last_window: 0,
            spectrum: Spectrum::new(),
            #[cfg(feature = "defects")]
            defects: QualityDefects { short_window: false, thd_to_40: false },
        }
    }

    /// Windows are wrong in these ways from now on.
    #[cfg(feature = "defects")]
    pub fn plant(&mut self, defects: QualityDefects) {
        self.defects = defects;
    }

    /// Cycles that a window is made of.
    pub(super) fn cycles_of_window(&self) -> u64 {
        #[cfg(feature = "defects")]
        if self.defects.short_window {
            return 8;
        }
        CYCLES
    }

    /// The last order in THD.
    pub(super) fn highest_of_distortion(&self) -> usize {
        #[cfg(feature = "defects")]
        if self.defects.thd_to_40 {
            return 40;
        }
        HIGHEST_ORDER
    }
}

impl Config {
    /// Like [`Config::process`], and tells what the analysis finds, in order of time.
    ///
    /// A half cycle is told up to 5 ms after it has ended, a window up to 15 ms after it has ended: its harmonics are computed in pieces, one
    /// with every sample.
    pub fn process_watched(
        &self,
        state: &mut State,
        analysis: &mut Analysis,
        frame: &Frame,
        mut found: impl FnMut(Found<'_>),
    ) -> Option<Impulse> {
        analysis.follow(state.sample_index());
        let (impulse, cycle) = self.take(state, frame, |phase, u, i| analysis.samples.put(phase, u, i));
        if let Some(end) = cycle {
            let window = self.end_cycle(state, end.crossing);
            analysis.end_cycle(state, window);
        }
        analysis.look(self, state, &mut found);
        impulse
    }

    /// Like [`Config::process_cycle`]; half cycles and windows come from the sums, and a spectrum has order 1 alone.
    pub fn process_cycle_watched(
        &self,
        state: &mut State,
        analysis: &mut Analysis,
        cycle: &CycleSums,
        act: impl FnMut(Impulse),
        mut found: impl FnMut(Found<'_>),
    ) {
        analysis.finish(self, &mut found);
        let ended = self.take_cycle(state, cycle, act);
        analysis.take_cycle(self, state, cycle, &mut found);
        if let Some(ended) = ended {
            analysis.tell_window(self, &ended, &mut found);
        }
    }
}

impl Analysis {
    /// Goes on at this sample, whatever came before.
    fn follow(&mut self, index: u64) {
        if self.samples.next() != index {
            // In place: the rings are larger than a stack.
            self.samples.begin_at(index);
            self.boundaries.begin_at(index * ONE, self.boundaries.period());
            (self.direct, self.before, self.irregular) = ([0.0; CHANNELS], None, true);
            (self.ended, self.under_way) = (None, None);
        }
    }

    fn end_cycle(&mut self, state: &State, window: Option<EndedWindow>) {
        if window.is_some() {
            self.ended = window;
        } else if state.cycles() == 5 {
            self.half_way = state.detected();
        }
    }

    /// Looks at the sample that has just come.
    #[inline]
    fn look(&mut self, config: &Config, state: &State, found: &mut impl FnMut(Found<'_>)) {
        let slot = self.samples.next();
        self.samples.step();
        if self.sync != state.synchronised_by() {
            self.sync = state.synchronised_by();
            self.boundaries.move_on();
        }
        let voltage = 2 * self.sync;
        if let Some(boundary) = self.boundaries.take(slot, self.samples.at(voltage, slot) - self.direct[voltage]) {
            self.hurry_window(config, &boundary, found);
            self.tell_half_cycle(config, &boundary, found);
        }
        if self.ended.is_some() || self.under_way.is_some() {
            self.work_on_window(config, found);
        }
    }

    fn tell_half_cycle(&mut self, config: &Config, boundary: &Boundary, found: &mut impl FnMut(Found<'_>)) {
        self.irregular |= !boundary.regular;
        let Some(squares) = self.squares_of_cycle(config, boundary) else { return };
        for ((least, greatest), &square) in self.range.iter_mut().zip(&squares) {
            (*least, *greatest) = (least.min(square), greatest.max(square));
        }
        found(Found::HalfCycle(&half_cycle(config, instant(boundary.at), boundary.duration, &squares)));
    }

    /// Mean squares of the cycle that ends with a boundary (counts²); `None` where not all of it was seen.
    ///
    /// Of a cycle that began while cycles came as sums, that part is as the last of them.
    fn squares_of_cycle(&mut self, config: &Config, boundary: &Boundary) -> Option<[f32; CHANNELS]> {
        let from = boundary.at.saturating_sub(u64::from(boundary.cycle));
        let (mut seen, mut squares_before) = (from, [0.0; CHANNELS]);
        if from < self.samples.seen().start * ONE {
            let before = self.before?;
            (seen, squares_before) = (before.until.max(from), before.squares);
            self.samples.recall();
        } else {
            // What came as sums is over: the next sums have another past.
            self.before = None;
        }
        let unseen = (seen - from) as f32 / 65_536.0;
        let mut squares = [0.0; CHANNELS];
        for (channel, mean) in squares.iter_mut().enumerate().take(2 * config.systems()) {
            let sum = self.samples.squares(channel, self.direct[channel], seen, boundary.at);
            *mean = (sum + squares_before[channel] * unseen) / (boundary.cycle as f32 / 65_536.0);
        }
        Some(squares)
    }

    /// Whole cycles come as sums: what the samples have left is told first.
    fn finish(&mut self, config: &Config, found: &mut impl FnMut(Found<'_>)) {
        let Some(ended) = self.ended else { return self.complete_window(config, found) };
        let end = ended.end.saturating_sub(ONE);
        if !self.boundaries.have_passed(end) {
            self.samples.foresee();
            let boundary = self.boundaries.end(end, true);
            self.tell_half_cycle(config, &boundary, found);
        }
        self.tell_window(config, &ended, found);
    }

    /// Mean of a channel, taken off for RMS values (counts).
    pub(super) fn direct(&self, channel: usize) -> f32 {
        self.direct[channel]
    }

    /// Moves the direct part of each channel an eighth of the way to the mean of a window, if the channel was steady in it: what
    /// changes amid a half cycle has a mean of its own, which must not stand in what is left of the voltage.
    pub(super) fn follow_direct(&mut self, means: &[f32; CHANNELS], steady: &[bool; CHANNELS]) {
        for ((direct, mean), _) in self.direct.iter_mut().zip(means).zip(steady).filter(|(_, steady)| **steady) {
            *direct += (mean - *direct) / 8.0;
        }
    }

    /// Least and greatest mean square are of what comes from now on.
    pub(super) fn begin_range(&mut self) {
        (self.range, self.irregular) = ([NO_RANGE; CHANNELS], false);
    }

    /// Half cycles of a whole cycle that came as sums.
    fn take_cycle(&mut self, config: &Config, state: &State, cycle: &CycleSums, found: &mut impl FnMut(Found<'_>)) {
        let end = state.sample_index() * ONE + u64::from(cycle.crossing) - ONE;
        let whole = u64::from(cycle.samples) * ONE;
        let since = end.saturating_sub(self.boundaries.began());
        let length = if since.abs_diff(whole) <= ONE { since } else { whole };
        let squares = sums::mean_squares(config, cycle.samples, length, &cycle.phases, state.synchronised_by());
        // Cycles that came as samples since the last that came as sums were as this one.
        let last = self.before.filter(|before| before.until.abs_diff(end.saturating_sub(length)) <= ONE);
        let before = last.map_or(squares, |before| before.squares);
        let (half, length) = (length as u32 / 2, length as u32);
        let middle = core::array::from_fn(|n| (before[n] + squares[n]) / 2.0);
        let first = instant(end - u64::from(length - half));
        found(Found::HalfCycle(&half_cycle(config, first, half, &middle)));
        found(Found::HalfCycle(&half_cycle(config, instant(end), length - half, &squares)));
        self.before = Some(Before { until: end, squares });
        self.samples.begin_at(state.sample_index());
        self.boundaries.begin_at(end, length);
    }
}

/// The instant of a place in the ring, whose samples are one sample late.
pub(super) fn instant(place: u64) -> SampleInstant {
    let place = place.saturating_sub(ONE);
    SampleInstant::new(place >> 16, place as u16)
}

pub(super) fn half_cycle(config: &Config, end: SampleInstant, duration: u32, squares: &[f32; CHANNELS]) -> HalfCycle {
    let mut half_cycle = HalfCycle { end, duration, ..HalfCycle::default() };
    for (n, phase) in config.phases.iter().enumerate().take(config.systems()) {
        let thousandths = |square: f32, per_count: f32| (sqrt(square) * per_count * 1000.0 + 0.5) as u32;
        half_cycle.voltage_mv[n] = thousandths(squares[2 * n], phase.volt_per_count());
        half_cycle.current_ma[n] = thousandths(squares[2 * n + 1], phase.ampere_per_count());
    }
    half_cycle
}
