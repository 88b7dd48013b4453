//! The electrical world: a function of the seed, the source's log and time.

use rayon::prelude::*;

use crate::position::{Position, TrueError};
use crate::reference::Reference;
use crate::source::{Output, SourceLog};
use meterbench_metrology::SAMPLE_RATE;

/// Nanoseconds of one sample.
const SAMPLE_NS: u64 = 1_000_000_000 / SAMPLE_RATE as u64;
/// Below this many samples of lag, all positions together, threads cost more than they save.
const PARALLEL_LAG: u64 = 400;
/// Samples kept of the source's past: the longest gate of an error calculator (one day).
const PAST: u64 = 24 * 3600 * SAMPLE_RATE as u64;

/// Everything that is connected.
#[derive(Debug)]
pub struct World {
    pub(crate) source: SourceLog,
    pub(crate) reference: Reference,
    pub(crate) positions: Vec<Position>,
    now: u64,
}

impl World {
    pub(crate) fn new(reference: Reference, positions: Vec<Position>) -> Self {
        Self { source: SourceLog::default(), reference, positions, now: 0 }
    }

    /// Moves every position up to this bench time. The only place where the world moves.
    pub(crate) fn advance(&mut self, bench_ns: u64) {
        self.now = self.now.max(bench_ns / SAMPLE_NS);
        let (source, to) = (&self.source, self.now);
        let lag: u64 = self.positions.iter().map(|p| to - p.sampled()).sum();
        if self.positions.len() > 1 && lag > PARALLEL_LAG {
            self.positions.par_iter_mut().for_each(|p| p.advance(source, to));
        } else {
            self.positions.iter_mut().for_each(|p| p.advance(source, to));
        }
        self.source.forget_before(self.now.saturating_sub(PAST));
    }

    /// First sample that a command given now can still change.
    pub(crate) fn next_sample(&self) -> u64 {
        self.now
    }

    /// The output now.
    pub(crate) fn output(&self) -> &Output {
        self.source.output_at(self.now)
    }

    /// The error of the meter at this place (counted from 0) as the world knows it.
    pub fn true_error(&self, position: usize) -> Option<TrueError> {
        self.positions.get(position).map(|p| p.true_error(self.output()))
    }
}
