//! The per-cycle path: a whole cycle of mains as sums, for stretches in which nobody looks at single samples.
//!
//! The same bookings as the sample path, from the same sums; only who adds them up differs. The sample path must stand at
//! the start of a window ([`State::at_window_start`]) before the first cycle, and [`State::resume`] hands over to it again.

use crate::config::Config;
use crate::impulse::Impulse;
use crate::state::{EndedWindow, Frame, State};

/// Sums of one phase over one cycle, of the samples the sample path would have taken [counts, counts²].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseSums {
    /// Σ u·i
    pub ui: i64,
    /// Σ u²
    pub uu: i64,
    /// Σ i²
    pub ii: i64,
    /// Σ u·cos and Σ u·sin of any angle that turns with the fundamental, the same for all phases, Q22.
    pub u_cos: i64,
    /// See `u_cos`.
    pub u_sin: i64,
    /// Σ i·cos and Σ i·sin of the same angle, Q22.
    pub i_cos: i64,
    /// See `i_cos`.
    pub i_sin: i64,
}

/// One cycle of mains: what lies between two positive-going zero crossings of the synchronising voltage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CycleSums {
    /// Samples that belong to it.
    pub samples: u32,
    /// Where the crossing that ends it lies [1/65536 sample before its last sample, up to one whole sample].
    pub crossing: u32,
    /// Sums by phase; unused systems stay zero.
    pub phases: [PhaseSums; 3],
}

impl Config {
    /// Takes one cycle; hands out the impulses that were completed in it.
    pub fn process_cycle(&self, state: &mut State, cycle: &CycleSums, act: impl FnMut(Impulse)) {
        self.take_cycle(state, cycle, act);
    }

    pub(crate) fn take_cycle(
        &self,
        state: &mut State,
        cycle: &CycleSums,
        mut act: impl FnMut(Impulse),
    ) -> Option<EndedWindow> {
        state.give_impulses(cycle.samples, |rise| {
            act(Impulse { rise, fall: rise.plus_samples(self.impulses.width) });
        });
        state.add_cycle(cycle);
        let crossing = (state.sample_index() << 16) + u64::from(cycle.crossing);
        self.end_cycle(state, Some(crossing))
    }
}

impl State {
    /// Hands over to the sample path: the last two frames fill its delay lines.
    pub fn resume(&mut self, last_but_one: &Frame, last: &Frame) {
        self.refill(last_but_one, last);
    }
}
