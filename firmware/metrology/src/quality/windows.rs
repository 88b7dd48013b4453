//! Windows of ten cycles: what is told of them, and when.

use super::analysis::{Analysis, half_cycle, instant};
use super::boundaries::Boundary;
use super::folding::{CYCLES, Folding};
use super::harmonics::turn_to;
use super::samples::CHANNELS;
use super::sums;
use super::values::{Found, HIGHEST_ORDER, HalfCycle, Phasor, QualityWindow, Unbalance, distortion};
use crate::config::Config;
use crate::state::EndedWindow;

const ONE: u64 = 1 << 16;
/// Samples behind the end of a window that its last points need.
const BEHIND: u64 = 6;
/// Fundamentals below these have no distortion worth a figure (V, A).
const LEAST_VOLT: f32 = 5.0;
const LEAST_AMPERE: f32 = 0.01;
/// Mean squares this far apart are the same for a channel that is all but dead (counts²): 24 mA.
const NOISE: f32 = 1e6;

/// A window whose harmonics are on their way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    end: u64,
    duration: u64,
    clean: bool,
    /// Phase whose voltage has no angle.
    sync: usize,
    /// Mean squares (counts²).
    squares: [f32; CHANNELS],
    /// Channels that were steady in it.
    steady: [bool; CHANNELS],
}

/// What is to be done for the harmonics of a window.
enum Task {
    /// They are there, or there are none.
    Nothing,
    Fold(Folding),
}

impl Analysis {
    /// Goes on with a window that has ended, a piece with every sample.
    pub(super) fn work_on_window(&mut self, config: &Config, found: &mut impl FnMut(Found<'_>)) {
        if let Some(ended) = self.ended {
            let end = ended.end.saturating_sub(ONE);
            // Nothing that comes may belong before it, and its last points need samples behind it.
            if self.boundaries.have_passed(end) && self.samples.next() * ONE >= end + BEHIND * ONE {
                self.begin_window(config, &ended, found);
            }
        } else if let Some(window) = self.under_way
            && let Some(means) = self.harmonics.go_on(config, &self.samples, &mut self.spectrum)
        {
            self.complete(config, &window, &means, found);
        }
    }

    /// Tells at once of a window that has ended before a boundary.
    pub(super) fn hurry_window(&mut self, config: &Config, next: &Boundary, found: &mut impl FnMut(Found<'_>)) {
        if let Some(ended) = self.ended.filter(|ended| ended.end < next.at) {
            self.begin_window(config, &ended, found);
        }
        if self.ended.is_none() {
            self.complete_window(config, found);
        }
    }

    /// Tells at once of a window whose harmonics are on their way.
    pub(super) fn complete_window(&mut self, config: &Config, found: &mut impl FnMut(Found<'_>)) {
        while let Some(window) = self.under_way {
            if let Some(means) = self.harmonics.go_on(config, &self.samples, &mut self.spectrum) {
                self.complete(config, &window, &means, found);
            }
        }
    }

    /// Tells at once of a window.
    pub(super) fn tell_window(&mut self, config: &Config, ended: &EndedWindow, found: &mut impl FnMut(Found<'_>)) {
        self.begin_window(config, ended, found);
        self.complete_window(config, found);
    }

    fn begin_window(&mut self, config: &Config, ended: &EndedWindow, found: &mut impl FnMut(Found<'_>)) {
        self.ended = None;
        // The half cycle that ended there has found the same crossing, and may take another direct part off.
        let near = |place: u64, of: u64| if place.abs_diff(of) <= ONE { place } else { of };
        let end = near(self.boundaries.began(), ended.end.saturating_sub(ONE));
        let duration = end - near(self.last_window, end.saturating_sub(ended.duration));
        self.last_window = end;
        let task = if ended.clean { self.task(config, ended, end, duration) } else { None };
        let followed = !self.irregular && end == self.boundaries.began();
        let window = Window {
            end,
            duration,
            clean: task.is_some(),
            sync: ended.sync,
            squares: self.squares_of_window(config, ended, end, duration),
            // Within 0.8 % of each other.
            steady: self.range.map(|(least, greatest)| followed && greatest - least <= least / 64.0 + NOISE),
        };
        self.begin_range();
        match task {
            Some(Task::Fold(folding)) => {
                self.harmonics.begin(folding);
                self.under_way = Some(window);
            }
            _ => self.tell(config, &window, found),
        }
    }

    /// Harmonics come from the samples where they are there; of a window that came as sums, its fundamentals are there at once.
    /// `None` where it has no ten whole cycles: a voltage that vanishes goes through zero too, and a jump of the phase moves a
    /// crossing.
    fn task(&mut self, config: &Config, ended: &EndedWindow, end: u64, duration: u64) -> Option<Task> {
        let from = end - duration;
        if self.samples.seen().start * ONE > from + 2 * ONE {
            self.spectrum.clear();
            sums::fundamentals(config, ended, duration, &mut self.spectrum);
            return Some(Task::Nothing);
        }
        let exact = sums::length_by_angle(ended, self.half_way);
        let expected = exact.unwrap_or(CYCLES * u64::from(self.boundaries.period()));
        if expected.abs_diff(duration) > duration / 256 {
            return None;
        }
        let (from, duration) = exact.map_or((from, duration), |exact| (from + duration / 2 - exact / 2, exact));
        let length = duration * self.cycles_of_window() / CYCLES;
        Some(Task::Fold(Folding::new(from + duration - length, length, self.cycles_of_window())))
    }

    /// Mean squares of a window (counts²).
    fn squares_of_window(&self, config: &Config, ended: &EndedWindow, end: u64, duration: u64) -> [f32; CHANNELS] {
        let length = duration * self.cycles_of_window() / CYCLES;
        if length == duration || (self.samples.seen().start + 1) * ONE > end - length {
            return sums::mean_squares(config, ended.samples, duration, &ended.phases, ended.sync);
        }
        let mean = |n: usize| self.samples.squares(n, self.direct(n), end - length, end) / (length as f32 / 65_536.0);
        core::array::from_fn(|n| if n < 2 * config.systems() { mean(n) } else { 0.0 })
    }

    fn complete(
        &mut self,
        config: &Config,
        window: &Window,
        means: &[f32; CHANNELS],
        found: &mut impl FnMut(Found<'_>),
    ) {
        self.under_way = None;
        self.follow_direct(means, &window.steady);
        turn_to(window.sync, &mut self.spectrum);
        self.tell(config, window, found);
    }

    fn tell(&self, config: &Config, window: &Window, found: &mut impl FnMut(Found<'_>)) {
        let Window { end, duration, clean, squares, .. } = *window;
        let HalfCycle { end, voltage_mv, current_ma, .. } = half_cycle(config, instant(end), 0, &squares);
        let spectrum = clean.then_some(&self.spectrum);
        let thd = |orders: &[Phasor; HIGHEST_ORDER], least| distortion(orders, self.highest_of_distortion(), least);
        found(Found::Window(&QualityWindow {
            end,
            duration,
            clean,
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
}
