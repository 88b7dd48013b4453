//! What has no common period with the fundamental: interharmonics, and changes of the amplitude to and fro.

use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::SAMPLE_RATE;

use super::{COUNTS, FrontEnd};
use crate::source::Segment;
use crate::source::wave::{Modulation, Shape};

/// A sine that turns on by the same angle with every sample.
#[derive(Debug, Clone, Copy, Default)]
struct Turning {
    cos: f64,
    sin: f64,
    step: (f64, f64),
}

impl Turning {
    fn new(peak: f64, angle: f64, step: f64) -> Self {
        let ((sin, cos), (step_sin, step_cos)) = (angle.sin_cos(), step.sin_cos());
        Self { cos: peak * cos, sin: peak * sin, step: (step_cos, step_sin) }
    }

    /// The sine now; turns on.
    #[inline(always)]
    fn next(&mut self) -> f64 {
        let (now, (c, s)) = (self.sin, self.step);
        (self.cos, self.sin) = (self.cos * c - self.sin * s, self.cos * s + self.sin * c);
        now
    }
}

/// A factor that moves to and fro.
#[derive(Debug, Clone, Copy)]
enum Swing {
    Steady,
    Sine(Turning),
    Rectangle {
        /// Turns of the modulation since this began.
        turns: f64,
        step: f64,
        duty: f64,
        high: f64,
        low: f64,
    },
}

/// A switch that falls on a sample to rounding has happened (turns).
const ON_THE_EDGE: f64 = 1e-9;

impl Swing {
    fn new(modulation: &Modulation, turns: f64, step: f64) -> Self {
        let half = modulation.depth / 2.0;
        match modulation.shape {
            Shape::Sine => Self::Sine(Turning::new(half, TAU * turns, TAU * step)),
            Shape::Rectangle => {
                let turns = turns - turns.floor() + ON_THE_EDGE;
                Self::Rectangle { turns, step, duty: modulation.duty, high: 1.0 + half, low: 1.0 - half }
            }
        }
    }

    #[inline(always)]
    fn next(&mut self) -> f64 {
        match self {
            Self::Steady => 1.0,
            Self::Sine(turning) => 1.0 + turning.next(),
            Self::Rectangle { turns, step, duty, high, low } => {
                let within = *turns - turns.floor();
                *turns += *step;
                if within < *duty { *high } else { *low }
            }
        }
    }
}

/// The fluctuations of the six channels from one sample on.
#[derive(Debug, Clone)]
pub(super) struct Fluctuation {
    interharmonics: [Turning; 6],
    swings: [Swing; 6],
}

impl Fluctuation {
    /// From this moment (samples of bench time) on; `None` where the wave of the segment has a common period.
    pub(super) fn at(front_end: &FrontEnd, segment: &Segment, gains: &[f64; 6], moment: f64) -> Option<Self> {
        let wave = segment.output.wave.as_ref()?;
        let fluctuates = |place: usize| {
            let distortion = wave.channel(place);
            distortion.interharmonic.is_some() || distortion.modulation.is_some()
        };
        if !(0..6).any(fluctuates) {
            return None;
        }
        let mut new = Self { interharmonics: [Turning::default(); 6], swings: [Swing::Steady; 6] };
        let per_sample = 1.0 / (f64::from(SAMPLE_RATE) * front_end.clock);
        for place in 0..6 {
            let (distortion, fundamental) = (wave.channel(place), segment.output.channel(place));
            let channel = &front_end.channels[place % 3];
            if let Some(inter) = distortion.interharmonic {
                let relative = inter.hertz / segment.output.hertz;
                let (converter, path, later) = if place < 3 {
                    let (ratio, lag_deg) = front_end.isolation;
                    (channel.voltage_converter, ratio, relative * lag_deg.to_radians())
                } else {
                    (channel.current_converter, 1.0, -relative * channel.lead_rad)
                };
                let (gain, lag) = converter.response(inter.hertz, segment.output.hertz);
                let peak = SQRT_2 * fundamental.rms * inter.share * path * gain * gains[place] * COUNTS[place];
                let turns = segment.turns_of(inter.hertz, moment);
                let angle = TAU * (turns - turns.floor()) - later - lag;
                new.interharmonics[place] = Turning::new(peak, angle, TAU * inter.hertz * per_sample);
            }
            if let Some(modulation) = &distortion.modulation {
                let since = moment - segment.modulated_from(place);
                let turns = since / f64::from(SAMPLE_RATE) * modulation.hertz;
                new.swings[place] = Swing::new(modulation, turns, modulation.hertz * per_sample);
            }
        }
        Some(new)
    }

    /// Adds the interharmonics of the next sample and moves its amplitudes.
    #[inline(always)]
    pub(super) fn take(&mut self, values: &mut [f64; 6]) {
        for ((value, inter), swing) in values.iter_mut().zip(&mut self.interharmonics).zip(&mut self.swings) {
            *value = (*value + inter.next()) * swing.next();
        }
    }
}
