//! A place on the bench: front end, meter body and what comes out of its optical test output.

use meterbench_meter::{Action, Meter, MeterError, Profile, Settings};
use meterbench_metrology::{Frame, SampleInstant};

use crate::analogue::{FrontEnd, Sampler};
use crate::faults::{Fault, plant};
use crate::noise::{Draw, mix};
use crate::source::{Output, SourceLog};

/// Frames handed to the meter at once.
const BLOCK: usize = 800;

/// One meter under test.
#[derive(Debug)]
pub(crate) struct Position {
    sampler: Sampler,
    pub(crate) meter: Meter,
    frames: Vec<Frame>,
    /// Rising edges of LED and S0 that nobody has looked at yet.
    edges: Vec<SampleInstant>,
    drop_one_in: Option<u32>,
    impulses: u32,
}

/// The error of a meter as the world knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueError {
    /// (registered - true)/true of the active power now [%].
    pub percent: f64,
    /// True active power, all phases of the meter (W).
    pub watt: f64,
}

impl Position {
    pub(crate) fn new(
        profile: &Profile,
        settings: &Settings,
        serial: &str,
        faults: &[Fault],
        seed: u64,
        ambient_c: f64,
        ideal: bool,
    ) -> Result<Self, MeterError> {
        let mut settings = *settings;
        let mut front_end = if ideal { FrontEnd::ideal() } else { FrontEnd::drawn(seed, serial) };
        let drop_one_in = plant(faults, profile.systems as usize, &mut front_end, &mut settings);
        let noise_seed = mix((Draw::of(seed, serial).uniform("noise seed", 0) * 1e18) as u64);
        Ok(Self {
            sampler: Sampler::new(front_end, ambient_c, noise_seed),
            meter: Meter::new(profile, &settings)?,
            frames: Vec::with_capacity(BLOCK),
            edges: Vec::new(),
            drop_one_in,
            impulses: 0,
        })
    }

    /// Samples up to here have been taken.
    pub(crate) fn sampled(&self) -> u64 {
        self.sampler.next_sample()
    }

    /// Runs the meter up to a sample.
    pub(crate) fn advance(&mut self, source: &SourceLog, to: u64) {
        while self.sampler.next_sample() < to {
            self.frames.clear();
            self.sampler.fill(&mut self.frames, source, to);
            let Self { meter, frames, edges, drop_one_in, impulses, .. } = self;
            meter.process(frames, |Action::Impulse(impulse)| {
                *impulses += 1;
                if drop_one_in.is_none_or(|n| *impulses % n != 0) {
                    edges.push(impulse.rise);
                }
            });
        }
    }

    /// Takes the edges since the last call.
    pub(crate) fn take_edges(&mut self) -> Vec<SampleInstant> {
        std::mem::take(&mut self.edges)
    }

    /// What the meter must show at this output, by its front end alone.
    pub(crate) fn true_error(&self, output: &Output) -> TrueError {
        let systems = self.meter.profile().systems as usize;
        let watt: f64 = (0..systems).map(|n| output.active_watt(n)).sum();
        let seen: f64 = self.sampler.front_end.active_watt(output, &self.sampler.thermal).iter().take(systems).sum();
        TrueError { percent: 100.0 * (seen - watt) / watt, watt }
    }
}
