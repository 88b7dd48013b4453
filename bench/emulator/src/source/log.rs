//! The source's output over time: what it was commanded, as segments, planned ones included.

#[cfg(test)]
use std::f64::consts::SQRT_2;
use std::f64::consts::TAU;
use std::sync::Arc;

use meterbench_metrology::SAMPLE_RATE;

#[cfg(test)]
use super::Event;
use super::Output;

const RATE: f64 = SAMPLE_RATE as f64;

/// A stretch of time with one constant output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// Where it begins (samples of bench time); events begin between samples.
    pub(crate) from: f64,
    /// Turns of the common angle there: the phase runs on through a change of frequency.
    pub(crate) turns: f64,
    /// Where its wave began (samples): modulation and interharmonics run on through an event.
    pub(crate) begun: f64,
    pub(crate) output: Output,
}

impl Segment {
    /// Angle of the common zero at a moment (rad).
    pub(crate) fn angle_at(&self, sample: f64) -> f64 {
        let turns = self.turns + (sample - self.from) / RATE * self.output.hertz;
        (turns - turns.floor()) * TAU
    }

    /// Turns of the interharmonic of a channel at a moment, since the wave began.
    pub(crate) fn turns_of(&self, hertz: f64, sample: f64) -> f64 {
        (sample - self.begun) / RATE * hertz
    }

    /// Where the first period of the modulation of a channel begins (samples): at the first zero crossing upwards of its fundamental.
    pub(crate) fn modulated_from(&self, place: usize) -> f64 {
        let hertz = self.output.hertz;
        let common = self.turns - (self.from - self.begun) / RATE * hertz;
        let own = common - self.output.channel(place).lag_deg / 360.0 + 0.25;
        // A crossing a hair behind is one at the beginning.
        let wait = (own - 1e-6).ceil() - own;
        self.begun + wait / hertz * RATE
    }

    #[cfg(test)]
    /// What a channel is multiplied by at a moment.
    pub(crate) fn factor(&self, place: usize, sample: f64) -> f64 {
        let modulation = self.output.distortion(place).and_then(|d| d.modulation);
        modulation.map_or(1.0, |m| m.factor((sample - self.modulated_from(place)) / RATE * m.hertz))
    }

    #[cfg(test)]
    /// The momentary value of a channel (V, A): U1..U3, I1..I3 by place.
    pub(crate) fn value(&self, place: usize, sample: f64) -> f64 {
        let (angle, fundamental) = (self.angle_at(sample), self.output.channel(place));
        let mut value = SQRT_2 * fundamental.rms * (angle - fundamental.lag_deg.to_radians()).cos();
        let Some(distortion) = self.output.distortion(place) else { return value };
        for harmonic in &distortion.harmonics {
            let phasor = fundamental.harmonic(harmonic);
            value += match harmonic.order {
                0 => phasor.rms,
                n => SQRT_2 * phasor.rms * (f64::from(n) * angle - phasor.lag_deg.to_radians()).cos(),
            };
        }
        if let Some(inter) = distortion.interharmonic {
            value += SQRT_2 * fundamental.rms * inter.share * (TAU * self.turns_of(inter.hertz, sample)).sin();
        }
        value * self.factor(place, sample)
    }
}

/// Steps of a ramp, 50 ms each: an amplifier takes half a second from one set-point to the next.
const RAMP_STEPS: u64 = 10;
const RAMP_STEP_SAMPLES: u64 = SAMPLE_RATE as u64 / 20;

/// When something that was planned begins and is over (samples of bench time).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) begin: f64,
    pub(crate) end: f64,
}

/// Everything the source has put out and will put out by the commands it was given.
#[derive(Debug, Clone)]
pub(crate) struct SourceLog {
    segments: Vec<Segment>,
}

impl Default for SourceLog {
    fn default() -> Self {
        let output = Output { hertz: 50.0, ..Output::default() };
        Self { segments: vec![Segment { from: 0.0, turns: 0.0, begun: 0.0, output }] }
    }
}

impl SourceLog {
    /// Index of the segment at a moment (samples).
    pub(crate) fn index_at(&self, sample: f64) -> usize {
        self.segments.partition_point(|s| s.from <= sample).saturating_sub(1)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The output at a sample.
    pub(crate) fn output_at(&self, sample: u64) -> &Output {
        &self.segments[self.index_at(sample as f64)].output
    }

    /// What stands when everything planned is over.
    pub(crate) fn standing(&self) -> &Output {
        &self.segments[self.segments.len() - 1].output
    }

    /// Ramps to a new output from this sample on; whatever was planned after it is dropped. A wave is there from the beginning.
    pub(crate) fn ramp_to(&mut self, sample: u64, target: &Output) {
        let from = self.output_at(sample).clone();
        for step in 1..RAMP_STEPS {
            let at = sample + (step - 1) * RAMP_STEP_SAMPLES;
            self.set(at, from.between(target, step as f64 / RAMP_STEPS as f64));
        }
        // To the last bit: what stands is compared with what was asked for.
        self.set(sample + (RAMP_STEPS - 1) * RAMP_STEP_SAMPLES, target.clone());
    }

    /// Switches at this sample; whatever was planned after it is dropped.
    pub(crate) fn set(&mut self, sample: u64, output: Output) {
        self.switch(sample as f64, output);
    }

    /// Switches at a moment, which may lie between samples.
    ///
    /// The same wave at the same frequency runs on: its modulation and its interharmonics do not begin anew.
    fn switch(&mut self, at: f64, output: Output) {
        let index = self.index_at(at);
        let before = &self.segments[index];
        let turns = before.angle_at(at) / TAU;
        let runs_on = before.output.hertz == output.hertz
            && matches!((&before.output.wave, &output.wave), (Some(a), Some(b)) if Arc::ptr_eq(a, b));
        let begun = if runs_on { before.begun } else { at };
        let keeps = usize::from(before.from < at);
        self.segments.truncate(index + keeps);
        self.segments.push(Segment { from: at, turns, begun, output });
    }

    #[cfg(test)]
    /// Plays an event on what stands, from the next time that L1 passes its point on wave; what stood before stands again after it.
    pub(crate) fn play(&mut self, sample: u64, event: &Event) -> Span {
        let during = event.on(self.standing());
        self.play_steps(sample, event.point_on_wave_deg, &[(during, event.seconds)])
    }

    /// Plays outputs one after the other, each for its time (s), from the next time that L1 passes this point on wave (deg after the
    /// zero crossing upwards of its fundamental); what stood before stands again after them.
    ///
    /// Whatever was planned is dropped: what is going on ends at this sample.
    pub(crate) fn play_steps(&mut self, sample: u64, point_on_wave_deg: f64, steps: &[(Output, f64)]) -> Span {
        let standing = self.standing().clone();
        if self.segments[self.segments.len() - 1].from > sample as f64 {
            self.set(sample, standing.clone());
        }
        let begin = self.next_passing(sample, point_on_wave_deg);
        let mut at = begin;
        for (output, seconds) in steps {
            self.switch(at, output.clone());
            at += seconds * RATE;
        }
        self.switch(at, standing);
        Span { begin, end: at }
    }

    /// When L1 passes this point on wave next (samples), by what stands at this sample.
    fn next_passing(&self, sample: u64, point_on_wave_deg: f64) -> f64 {
        let segment = &self.segments[self.index_at(sample as f64)];
        let crossing = segment.angle_at(sample as f64) / TAU - segment.output.voltage[0].lag_deg / 360.0 + 0.25;
        let wait = (point_on_wave_deg / 360.0 - crossing).rem_euclid(1.0);
        sample as f64 + wait / segment.output.hertz * RATE
    }

    /// Forgets what lies before this sample; the segment that holds it stays.
    pub(crate) fn forget_before(&mut self, sample: u64) {
        let index = self.index_at(sample as f64);
        self.segments.drain(..index);
    }
}

#[cfg(test)]
mod tests;
