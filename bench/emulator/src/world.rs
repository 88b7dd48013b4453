//! The electrical world: a function of the seed, the source's log, the chamber's and time.

use meterbench_metrology::SAMPLE_RATE;

use crate::air::Air;
use crate::analogue::Around;
use crate::body::BodyError;
use crate::position::{Pace, Position, TrueError};
use crate::reference::Reference;
use crate::source::{Output, Segment, SourceLog};

/// Nanoseconds of one sample.
const SAMPLE_NS: u64 = 1_000_000_000 / SAMPLE_RATE as u64;
/// Below this many samples of lag, all positions together, threads cost more than they save.
const PARALLEL_LAG: u64 = 400;
/// Positions take turns on the cores in slices of this many samples, so that three positions keep two cores busy.
const SLICE: u64 = 2000;
/// Samples kept of the source's past: the longest gate of an error calculator (one day).
const PAST: u64 = 24 * 3600 * SAMPLE_RATE as u64;

/// Which way a meter's time may pass while nobody waits for its impulses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// By cycles in closed form where nobody looks, by samples where impulses are gated.
    #[default]
    Auto,
    /// Every sample.
    Samples,
}

/// Bench time that one meter spent in each engine (s).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EngineSeconds {
    pub samples: f64,
    pub cycles: f64,
}

/// Everything that is connected.
#[derive(Debug)]
pub struct World {
    pub(crate) source: SourceLog,
    pub(crate) air: Air,
    pub(crate) reference: Reference,
    pub(crate) positions: Vec<Position>,
    engine: Engine,
    now: u64,
}

impl World {
    pub(crate) fn new(reference: Reference, positions: Vec<Position>, ambient_c: f64, engine: Engine) -> Self {
        Self { source: SourceLog::default(), air: Air::new(ambient_c), reference, positions, engine, now: 0 }
    }

    /// The world has been moved to this bench time.
    pub(crate) fn stands_at(&self, bench_ns: u64) -> bool {
        self.now == bench_ns / SAMPLE_NS && self.now > 0
    }

    /// Moves every position up to this bench time. The only place where the world moves.
    ///
    /// `watched` tells the positions whose impulses somebody waits for; the others may stay up to one window behind.
    pub(crate) fn advance(&mut self, bench_ns: u64, watched: impl Fn(usize) -> bool) {
        self.now = self.now.max(bench_ns / SAMPLE_NS);
        let (around, to) = (Around { source: &self.source, air: &self.air }, self.now);
        let dwells = |place| self.engine == Engine::Auto && !watched(place);
        let paces: Vec<Pace> =
            (0..self.positions.len()).map(|n| if dwells(n) { Pace::Dwell } else { Pace::Samples }).collect();
        let lag: u64 = self.positions.iter().map(|p| p.lag(to)).sum();
        if self.positions.len() > 1 && lag > PARALLEL_LAG {
            rayon::scope_fifo(|scope| {
                for (position, pace) in self.positions.iter_mut().zip(paces) {
                    scope.spawn_fifo(move |scope| slice(scope, position, around, to, pace));
                }
            });
        } else {
            for (position, pace) in self.positions.iter_mut().zip(paces) {
                position.advance(around, to, pace, u64::MAX / 2);
            }
        }
        self.source.forget_before(self.now.saturating_sub(PAST));
    }

    /// The place (counted from 0) whose body broke first in order, and what broke it.
    pub(crate) fn failure(&self) -> Option<(usize, &BodyError)> {
        self.positions.iter().enumerate().find_map(|(place, position)| Some((place, position.failure()?)))
    }

    /// First sample that a command given now can still change.
    pub(crate) fn next_sample(&self) -> u64 {
        self.now
    }

    /// The output now.
    pub(crate) fn output(&self) -> &Output {
        self.source.output_at(self.now)
    }

    /// The stretch of the source's output that stands now.
    pub(crate) fn segment(&self) -> &Segment {
        &self.source.segments()[self.source.index_at(self.now as f64)]
    }

    /// A position brought up to now, sample by sample: somebody looks.
    pub(crate) fn look_at(&mut self, place: usize) -> Option<&mut Position> {
        let around = Around { source: &self.source, air: &self.air };
        let position = self.positions.get_mut(place)?;
        position.advance(around, self.now, Pace::Samples, u64::MAX / 2);
        Some(position)
    }

    /// Temperature of the air now (°C).
    pub(crate) fn air_c(&self) -> f64 {
        self.air.at(self.now as f64)
    }

    /// The chamber moves its air to this temperature (°C) from now on.
    pub(crate) fn move_air(&mut self, celsius: f64) {
        self.air.move_to(self.now, celsius);
    }

    /// Temperature of the first meter (°C).
    pub(crate) fn specimen_c(&self) -> f64 {
        self.positions.first().map_or_else(|| self.air_c(), Position::case_c)
    }

    /// The error of the meter at this place (counted from 0) as the world knows it.
    pub fn true_error(&self, position: usize) -> Option<TrueError> {
        self.positions.get(position).map(|p| p.true_error(self.output()))
    }

    /// How the time of the meter at this place was spent.
    pub fn engine_seconds(&self, position: usize) -> EngineSeconds {
        let (samples, cycles) = self.positions.get(position).map(Position::taken).unwrap_or_default();
        let seconds = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE);
        EngineSeconds { samples: seconds(samples), cycles: seconds(cycles) }
    }
}

/// One slice of one position; what is left goes to the end of the queue.
fn slice<'s>(scope: &rayon::ScopeFifo<'s>, position: &'s mut Position, around: Around<'s>, to: u64, pace: Pace) {
    if position.advance(around, to, pace, SLICE) {
        scope.spawn_fifo(move |scope| slice(scope, position, around, to, pace));
    }
}

#[cfg(test)]
mod tests;
