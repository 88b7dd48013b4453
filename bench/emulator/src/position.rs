//! A place on the bench: front end, meter body and what comes out of its optical test output.

use meterbench_meter::{Action, Meter, MeterError, Profile, Settings};
use meterbench_metrology::{Frame, SampleInstant};

use crate::analogue::{FrontEnd, Sampler};
use crate::faults::{Fault, plant};
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
        mut front_end: FrontEnd,
        faults: &[Fault],
        noise_seed: u64,
        ambient_c: f64,
    ) -> Result<Self, MeterError> {
        let mut settings = *settings;
        let drop_one_in = plant(faults, profile.systems as usize, &mut front_end, &mut settings);
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

#[cfg(test)]
mod tests {
    use meterbench_meter::TypeNumber;

    use super::*;
    use crate::source::Phasor;

    #[test]
    fn with_an_ideal_front_end_the_register_is_the_energy_of_the_source() {
        let number: TypeNumber = "684-2-41D-1312AA70-1B14001".parse().unwrap();
        for (ampere, lag, bound) in [(0.5, 0.0, 0.002), (100.0, 60.0, 0.002), (0.02, 0.0, 0.02)] {
            let mut output = Output { hertz: 50.0, ..Output::default() };
            for phase in 0..3 {
                let angle = 120.0 * phase as f64;
                output.voltage[phase] = Phasor { rms: 230.0, lag_deg: angle };
                output.current[phase] = Phasor { rms: ampere, lag_deg: angle + lag };
            }
            let mut source = SourceLog::default();
            source.set(0, output);
            let settings = Settings::delivered();
            let mut position = Position::new(number.profile(), &settings, FrontEnd::ideal(), &[], 0, 23.0).unwrap();
            position.advance(&source, 8000);
            let before = position.meter.registers().active_import.quanta();
            position.advance(&source, 8000 * 21);
            let quanta = position.meter.registers().active_import.quanta() - before;
            let watt_hours = quanta as f64 / (240u128 << 76) as f64;
            let truth = (0..3).map(|n| output.active_watt(n)).sum::<f64>() * 20.0 / 3600.0;
            let error = 100.0 * (watt_hours - truth) / truth;
            println!("world and firmware at {ampere} A, lag {lag} deg: {error:+.5} %");
            assert!(error.abs() < bound, "{ampere} A, {lag} deg: {error}");
        }
    }
}
