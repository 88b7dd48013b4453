//! What has no common period with the fundamental: interharmonics, and changes of the amplitude to and fro.

use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::SAMPLE_RATE;

use super::table::phase;
use super::{COUNTS, FrontEnd};
use crate::source::Segment;
use crate::source::wave::{Modulation, Shape};

/// Six sines, each turning on by its own angle with every sample.
#[derive(Debug, Clone, Copy, Default)]
struct Turning {
    cos: [f64; 6],
    sin: [f64; 6],
    step_cos: [f64; 6],
    step_sin: [f64; 6],
}

impl Turning {
    fn put(&mut self, place: usize, peak: f64, angle: f64, step: f64) {
        let (sin, cos) = angle.sin_cos();
        (self.cos[place], self.sin[place]) = (peak * cos, peak * sin);
        (self.step_sin[place], self.step_cos[place]) = step.sin_cos();
    }

    /// The sines now; turns on.
    #[inline(always)]
    fn next(&mut self) -> [f64; 6] {
        let now = self.sin;
        for n in 0..6 {
            let (cos, sin, c, s) = (self.cos[n], self.sin[n], self.step_cos[n], self.step_sin[n]);
            (self.cos[n], self.sin[n]) = (cos * c - sin * s, cos * s + sin * c);
        }
        now
    }
}

/// Six levels, each moving to and fro between two [2⁻⁶⁴ turn].
#[derive(Debug, Clone, Copy)]
struct Switching {
    phase: [u64; 6],
    step: [u64; 6],
    duty: [u64; 6],
    high: [f64; 6],
    low: [f64; 6],
}

/// A switch that falls on a sample to rounding has happened (turns).
const ON_THE_EDGE: f64 = 1e-9;

impl Switching {
    /// All of them at one.
    const STEADY: Self = Self { phase: [0; 6], step: [0; 6], duty: [0; 6], high: [1.0; 6], low: [1.0; 6] };

    fn put(&mut self, place: usize, modulation: &Modulation, turns: f64, step: f64) {
        let half = modulation.depth / 2.0;
        self.phase[place] = phase(TAU * (turns + ON_THE_EDGE));
        self.step[place] = phase(TAU * step);
        self.duty[place] = if modulation.duty < 1.0 { phase(TAU * modulation.duty) } else { u64::MAX };
        (self.high[place], self.low[place]) = (1.0 + half, 1.0 - half);
    }

    #[inline(always)]
    fn next(&mut self) -> [f64; 6] {
        std::array::from_fn(|n| {
            let is_high = self.phase[n] < self.duty[n];
            self.phase[n] = self.phase[n].wrapping_add(self.step[n]);
            if is_high { self.high[n] } else { self.low[n] }
        })
    }
}

/// The fluctuations of the six channels from one sample on.
#[derive(Debug, Clone)]
pub(super) struct Fluctuation {
    interharmonics: Option<Turning>,
    /// Changes of amplitudes as sines about zero.
    sines: Option<Turning>,
    /// And in steps.
    steps: Option<Switching>,
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
        let mut new = Self { interharmonics: None, sines: None, steps: None };
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
                let turning = new.interharmonics.get_or_insert_default();
                turning.put(place, peak, angle, TAU * inter.hertz * per_sample);
            }
            if let Some(modulation) = &distortion.modulation {
                let since = moment - segment.modulated_from(place);
                let turns = since / f64::from(SAMPLE_RATE) * modulation.hertz;
                let step = modulation.hertz * per_sample;
                match modulation.shape {
                    Shape::Sine => {
                        let turning = new.sines.get_or_insert_default();
                        turning.put(place, modulation.depth / 2.0, TAU * turns, TAU * step);
                    }
                    Shape::Rectangle => {
                        new.steps.get_or_insert(Switching::STEADY).put(place, modulation, turns, step);
                    }
                }
            }
        }
        Some(new)
    }

    /// Adds the interharmonics of the next sample and moves its amplitudes.
    #[inline(always)]
    pub(super) fn take(&mut self, values: &mut [f64; 6]) {
        if let Some(interharmonics) = &mut self.interharmonics {
            let inter = interharmonics.next();
            (0..6).for_each(|n| values[n] += inter[n]);
        }
        let mut factors = [1.0; 6];
        if let Some(steps) = &mut self.steps {
            factors = steps.next();
        }
        if let Some(sines) = &mut self.sines {
            let sines = sines.next();
            (0..6).for_each(|n| factors[n] += sines[n]);
        }
        (0..6).for_each(|n| values[n] *= factors[n]);
    }
}
