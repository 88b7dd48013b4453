//! The analysis beside the metrology: it looks at the same samples, and changes nothing of what they are counted as.

use super::boundaries::{Boundaries, Boundary};
#[cfg(feature = "defects")]
use super::defects::QualityDefects;
use super::folding::CYCLES;
use super::harmonics;
use super::lanes::sqrt;
use super::samples::{CHANNELS, Samples};
use super::sums;
use super::values::{Found, HIGHEST_ORDER, HalfCycle, Phasor, QualityWindow, Spectrum, Unbalance, distortion};
use crate::config::Config;
use crate::cycle::CycleSums;
use crate::impulse::{Impulse, SampleInstant};
use crate::state::{EndedWindow, Frame, State};

const ONE: u64 = 1 << 16;
/// Fundamentals below these have no distortion worth a figure (V, A).
const LEAST_VOLT: f32 = 5.0;
const LEAST_AMPERE: f32 = 0.01;
const NO_RANGE: (f32, f32) = (f32::INFINITY, 0.0);
/// Mean squares this far apart are the same for a channel that is all but dead (counts²): 24 mA.
const NOISE: f32 = 1e6;
/// Samples behind the end of a window that its last points need.
const BEHIND: u64 = 6;

/// Everything the analysis of power quality keeps: the samples of one window and what is under way.
///
/// No part of a [`State`]: registers, impulses and readings are the same to the bit with it and without it.
#[derive(Debug, Clone)]
pub struct Analysis {
    samples: Samples,
    boundaries: Boundaries,
    /// Phase whose voltage gives the boundaries.
    sync: usize,
    /// Mean of each channel, taken off for RMS values (counts).
    direct: [f32; CHANNELS],
    /// Least and greatest mean square of a cycle since the last window (counts²).
    range: [(f32, f32); CHANNELS],
    /// A half cycle since the last window was longer or shorter than half a period.
    irregular: bool,
    /// The last cycle that came as sums.
    before: Option<Before>,
    /// A window that has ended and waits for what is still to come of it.
    ended: Option<EndedWindow>,
    /// Sums of the detector after five cycles of the window under way.
    half_way: (i64, i64),
    /// Where the last window ended.
    window: u64,
    spectrum: Spectrum,
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
            half_way: (0, 0),
            window: 0,
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
    fn cycles_of_window(&self) -> u64 {
        #[cfg(feature = "defects")]
        if self.defects.short_window {
            return 8;
        }
        CYCLES
    }

    /// The last order in THD.
    fn highest_of_distortion(&self) -> usize {
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
    /// A half cycle is told up to 5 ms after it has ended, a window up to 15 ms after it has ended.
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
            (self.direct, self.before, self.ended) = ([0.0; CHANNELS], None, None);
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
            self.tell_window_if(config, |_, end| end + ONE < boundary.at, found);
            self.tell_half_cycle(config, &boundary, found);
        }
        if self.ended.is_some() {
            // The last points of the window need samples behind it.
            let behind = |a: &Self, end| a.samples.next() * ONE >= end + BEHIND * ONE;
            self.tell_window_if(config, |a, end| a.boundaries.have_passed(end) && behind(a, end), found);
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
        }
        let unseen = (seen - from) as f32 / 65_536.0;
        let mut squares = [0.0; CHANNELS];
        for (channel, mean) in squares.iter_mut().enumerate().take(2 * config.systems()) {
            let sum = self.samples.squares(channel, self.direct[channel], seen, boundary.at);
            *mean = (sum + squares_before[channel] * unseen) / (boundary.cycle as f32 / 65_536.0);
        }
        Some(squares)
    }

    /// Tells of a window that has ended, if `over` says of its end that nothing to come belongs before it.
    fn tell_window_if(
        &mut self,
        config: &Config,
        over: impl Fn(&Self, u64) -> bool,
        found: &mut impl FnMut(Found<'_>),
    ) {
        let Some(ended) = self.ended else { return };
        if over(self, ended.end.saturating_sub(ONE)) {
            self.ended = None;
            self.tell_window(config, &ended, found);
        }
    }

    /// Whole cycles come as sums: what the samples have left is told first.
    fn finish(&mut self, config: &Config, found: &mut impl FnMut(Found<'_>)) {
        let Some(ended) = self.ended.take() else { return };
        let end = ended.end.saturating_sub(ONE);
        if !self.boundaries.have_passed(end) {
            self.samples.foresee();
            let boundary = self.boundaries.end(end, true);
            self.tell_half_cycle(config, &boundary, found);
        }
        self.tell_window(config, &ended, found);
    }

    /// Half cycles of a whole cycle that came as sums.
    fn take_cycle(&mut self, config: &Config, state: &State, cycle: &CycleSums, found: &mut impl FnMut(Found<'_>)) {
        let end = state.sample_index() * ONE + u64::from(cycle.crossing) - ONE;
        let whole = u64::from(cycle.samples) * ONE;
        let since = end.saturating_sub(self.boundaries.began());
        let length = if since.abs_diff(whole) <= ONE { since } else { whole };
        let squares = sums::mean_squares(config, cycle.samples, length, &cycle.phases, state.synchronised_by());
        let before = self.before.map_or(squares, |before| before.squares);
        let (half, length) = (length as u32 / 2, length as u32);
        let middle = core::array::from_fn(|n| (before[n] + squares[n]) / 2.0);
        let first = instant(end - u64::from(length - half));
        found(Found::HalfCycle(&half_cycle(config, first, half, &middle)));
        found(Found::HalfCycle(&half_cycle(config, instant(end), length - half, &squares)));
        self.before = Some(Before { until: end, squares });
        self.samples.begin_at(state.sample_index());
        self.boundaries.begin_at(end, length);
    }

    fn tell_window(&mut self, config: &Config, ended: &EndedWindow, found: &mut impl FnMut(Found<'_>)) {
        // The half cycle that ended there has found the same crossing, and may take another direct part off.
        let near = |place: u64, of: u64| if place.abs_diff(of) <= ONE { place } else { of };
        let end = near(self.boundaries.began(), ended.end.saturating_sub(ONE));
        let duration = end - near(self.window, end.saturating_sub(ended.duration));
        self.window = end;
        if ended.clean {
            self.find_spectrum(config, ended, end, duration);
        }
        (self.range, self.irregular) = ([NO_RANGE; CHANNELS], false);
        let squares = self.squares_of_window(config, ended, end, duration);
        let HalfCycle { voltage_mv, current_ma, .. } = half_cycle(config, instant(end), 0, &squares);
        let spectrum = ended.clean.then_some(&self.spectrum);
        let thd = |orders: &[Phasor; HIGHEST_ORDER], least| distortion(orders, self.highest_of_distortion(), least);
        found(Found::Window(&QualityWindow {
            end: instant(end),
            duration,
            clean: ended.clean,
            voltage_mv,
            current_ma,
            spectrum,
            thd_voltage: spectrum.map_or([0; 3], |s| s.voltage.each_ref().map(|u| thd(u, LEAST_VOLT))),
            thd_current: spectrum.map_or([0; 3], |s| s.current.each_ref().map(|i| thd(i, LEAST_AMPERE))),
            unbalance: spectrum
                .filter(|_| config.systems() == 3)
                .and_then(|s| Unbalance::of(&s.voltage.each_ref().map(|u| u[0]))),
        }));
    }

    /// Harmonics of a window that the samples are there for; of one that came as sums, the fundamentals.
    fn find_spectrum(&mut self, config: &Config, ended: &EndedWindow, end: u64, duration: u64) {
        let from = end - duration;
        if self.samples.seen().start * ONE > from + 2 * ONE {
            self.spectrum.clear();
            sums::fundamentals(config, ended, duration, &mut self.spectrum);
            return;
        }
        let exact =
            sums::length_by_angle(ended, self.half_way).filter(|exact| exact.abs_diff(duration) < duration / 100);
        let (from, duration) = exact.map_or((from, duration), |exact| (from + duration / 2 - exact / 2, exact));
        let cycles = self.cycles_of_window();
        let length = duration * cycles / CYCLES;
        let per_count = config.phases.each_ref().map(|phase| [phase.volt_per_count(), phase.ampere_per_count()]);
        let per_count = &per_count[..config.systems()];
        let from = from + duration - length;
        let means = harmonics::analyse(&self.samples, from, length, cycles, per_count, &mut self.spectrum);
        // A voltage that vanishes goes through zero too, and ends a window that is no longer ten cycles.
        if !self.irregular && end == self.boundaries.began() {
            self.follow_direct(&means);
        }
        harmonics::turn_to(ended.sync, &mut self.spectrum);
    }

    /// Mean squares of a window (counts²).
    fn squares_of_window(&self, config: &Config, ended: &EndedWindow, end: u64, duration: u64) -> [f32; CHANNELS] {
        let length = duration * self.cycles_of_window() / CYCLES;
        if length == duration || (self.samples.seen().start + 1) * ONE > end - length {
            return sums::mean_squares(config, ended.samples, duration, &ended.phases, ended.sync);
        }
        let mean = |n: usize| self.samples.squares(n, self.direct[n], end - length, end) / (length as f32 / 65_536.0);
        core::array::from_fn(|n| if n < 2 * config.systems() { mean(n) } else { 0.0 })
    }

    /// Moves the direct part of each channel an eighth of the way to the mean of a window, if the channel was steady in it: what
    /// changes amid a half cycle has a mean of its own, which must not stand in what is left of the voltage.
    fn follow_direct(&mut self, means: &[f32; CHANNELS]) {
        for ((direct, mean), (least, greatest)) in self.direct.iter_mut().zip(means).zip(&self.range) {
            // Within 0.8 % of each other.
            if *greatest - *least <= *least / 64.0 + NOISE {
                *direct += (mean - *direct) / 8.0;
            }
        }
    }
}

/// The instant of a place in the ring, whose samples are one sample late.
fn instant(place: u64) -> SampleInstant {
    let place = place.saturating_sub(ONE);
    SampleInstant::new(place >> 16, place as u16)
}

fn half_cycle(config: &Config, end: SampleInstant, duration: u32, squares: &[f32; CHANNELS]) -> HalfCycle {
    let mut half_cycle = HalfCycle { end, duration, ..HalfCycle::default() };
    for (n, phase) in config.phases.iter().enumerate().take(config.systems()) {
        let thousandths = |square: f32, per_count: f32| (sqrt(square) * per_count * 1000.0 + 0.5) as u32;
        half_cycle.voltage_mv[n] = thousandths(squares[2 * n], phase.volt_per_count());
        half_cycle.current_ma[n] = thousandths(squares[2 * n + 1], phase.ampere_per_count());
    }
    half_cycle
}
