//! Rapid voltage changes (IEC 61000-4-30): from one steady voltage to another, without a dip or a swell.
//!
//! A phase is steady while all values of the last second lie within the threshold of their mean, and the voltage is while all
//! phases are. An event begins when it is not steady any more and ends when it is again, by a threshold smaller by the
//! hysteresis; the second that the values need to fill is taken off its duration. It is none if it passed the threshold of a
//! dip or a swell on its way, or came from one within that second. A value exactly at the threshold is steady.
//!
//! The sum of the last second is kept, and bounds of its values: only where those do not decide every value is looked at.

use super::event::{Open, Outbox, Timeline, Told, instant, raw};
use super::kind::EventKind;
use super::limits::{Limit, Limits};
use super::voltage::HalfCycleLevels;

/// Half cycles of a second at 50 Hz.
const WINDOW: usize = 100;

/// The last second of a phase (0.01 % of Udin).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Second {
    values: [u16; WINDOW],
    sum: u32,
    /// Lowest and highest since the place in `values` began anew, and of the turn before: bounds of all values.
    turn: (u16, u16),
    before: (u16, u16),
}

/// Nothing seen.
const NONE: (u16, u16) = (u16::MAX, 0);

impl Second {
    const EMPTY: Self = Self { values: [0; WINDOW], sum: 0, turn: NONE, before: NONE };

    fn push(&mut self, place: usize, level: u16) {
        if place == 0 {
            self.before = core::mem::replace(&mut self.turn, NONE);
        }
        self.turn = (self.turn.0.min(level), self.turn.1.max(level));
        if let Some(value) = self.values.get_mut(place) {
            self.sum = self.sum + u32::from(level) - u32::from(core::mem::replace(value, level));
        }
    }

    /// How far a level lies from the mean, times [`WINDOW`].
    fn distance(&self, level: u16) -> u32 {
        distance(level, self.sum)
    }

    /// All values lie within a threshold of their mean.
    fn is_steady(&self, threshold: u16) -> bool {
        let within = |level: u16| self.distance(level) <= WINDOW as u32 * u32::from(threshold);
        let (lowest, highest) = (self.turn.0.min(self.before.0), self.turn.1.max(self.before.1));
        (within(lowest) && within(highest)) || self.values.iter().all(|level| within(*level))
    }
}

/// How far a level lies from a mean by its sum, times [`WINDOW`].
fn distance(level: u16, sum: u32) -> u32 {
    (WINDOW as u32 * u32::from(level)).abs_diff(sum)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// So many values are there; all of them make a second.
    Filling(u8),
    /// Never steady since.
    Unsteady,
    /// Steady; the sums of the phases.
    Steady([u32; 3]),
    /// It was steady with these sums. `is_other` where it became a dip or a swell.
    Changing { before: [u32; 3], open: Open, is_other: bool },
}

/// The rapid voltage change that may last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RapidChange {
    seconds: [Second; 3],
    place: u8,
    /// Half cycles for which a dip, a swell or an interruption is still among the values.
    other_for: u8,
    state: State,
}

impl RapidChange {
    pub(crate) const NEW: Self =
        Self { seconds: [const { Second::EMPTY }; 3], place: 0, other_for: 0, state: State::Filling(0) };

    /// A half cycle has ended. `is_other`: a dip, a swell or an interruption lasts.
    pub(crate) fn half_cycle(
        &mut self,
        half: &HalfCycleLevels<'_>,
        half_length: u32,
        limits: &Limits,
        is_other: bool,
        time: &Timeline<'_>,
        out: &mut Outbox,
    ) {
        for (second, level) in self.seconds.iter_mut().zip(half.levels) {
            second.push(usize::from(self.place), *level);
        }
        self.place = if usize::from(self.place) + 1 < WINDOW { self.place + 1 } else { 0 };
        self.other_for = if is_other { WINDOW as u8 } else { self.other_for.saturating_sub(1) };
        let threshold = limits.of(Limit::RapidChange);
        let within = match self.state {
            State::Changing { .. } => threshold.saturating_sub(limits.of(Limit::RapidChangeHysteresis)),
            _ => threshold,
        };
        if let State::Filling(filled) = self.state
            && usize::from(filled) + 1 < WINDOW
        {
            self.state = State::Filling(filled + 1);
            return;
        }
        let steady = self.seconds.iter().zip(half.levels).all(|(second, _)| second.is_steady(within));
        let sums = self.seconds.each_ref().map(|second| second.sum);
        // Phases away from where they were, and how far the farthest is.
        let away = |before: &[u32; 3]| {
            let far = |n: usize| half.levels.get(n).map_or(0, |level| distance(*level, before[n]));
            let beyond = |n: &usize| far(*n) > WINDOW as u32 * u32::from(threshold);
            let phases = (0..3).filter(beyond).fold(0, |bits, n| bits | 1 << n);
            (phases, ((0..3).map(far).max().unwrap_or(0) + WINDOW as u32 / 2) / WINDOW as u32)
        };
        match &mut self.state {
            State::Filling(_) | State::Unsteady | State::Steady(_) if steady => self.state = State::Steady(sums),
            State::Filling(_) => self.state = State::Unsteady,
            State::Unsteady => {}
            State::Steady(before) => {
                let (phases, farthest) = away(before);
                let open = Open::at(half.begun, time.moment(half.begun), phases, farthest);
                self.state = State::Changing { before: *before, open, is_other: self.other_for > 0 };
            }
            State::Changing { before, open, is_other: became_other } => {
                let (phases, farthest) = away(before);
                open.phases |= phases;
                open.extreme = open.extreme.max(farthest);
                *became_other |= is_other;
                if steady {
                    let filling = WINDOW as u64 * u64::from(half_length);
                    let end = instant(raw(half.begun).saturating_sub(filling).max(raw(open.since)));
                    if !*became_other {
                        out.put(Told::Ended(open.ended(EventKind::RapidChange, end)));
                    }
                    self.state = State::Steady(sums);
                }
            }
        }
    }
}
