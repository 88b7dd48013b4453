//! Samples of one front end, in order.

use std::f64::consts::{SQRT_2, TAU};
use std::sync::Arc;

use meterbench_metrology::{FULL_SCALE, Frame, SAMPLE_RATE};

use super::fluctuation::Fluctuation;
use super::front_end::peaks;
use super::table::{Table, phase};
use super::thermal::Approach;
use super::{Around, COUNTS, FrontEnd, Thermal};
use crate::air::Air;
use crate::noise::ChannelNoise;
use crate::source::{Output, Phasor, Segment, SourceLog};

/// The thermal state and the gains are renewed on this grid of samples (100 ms).
const GRID: u64 = SAMPLE_RATE as u64 / 10;
/// Outputs whose tables are kept: an event goes to and fro between two.
const TABLES: usize = 4;

/// Makes the samples of one front end, in order. Its samples are those of the meter's own clock.
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    pub(crate) front_end: FrontEnd,
    pub(crate) thermal: Thermal,
    noise: ChannelNoise,
    next: u64,
    /// RMS of the noise (counts).
    noise_counts: [f64; 6],
    generator: Generator,
    /// The generator must begin anew at the next sample.
    pub(super) stale: bool,
    /// Temperatures before the stretch that was filled last.
    before: Thermal,
    /// Per line of the grid.
    approach: Approach,
    /// Tables of the last outputs, the newest first.
    tables: Vec<(Output, Arc<Table>)>,
}

/// What makes the values of the next sample; begun anew at every change and on the grid.
#[derive(Debug, Clone)]
enum Generator {
    Sines(Oscillator),
    Wave(Box<Periodic>),
}

/// Six sines of one frequency by rotation, in counts.
#[derive(Debug, Clone, Copy, Default)]
struct Oscillator {
    cos: [f64; 6],
    sin: [f64; 6],
    step: (f64, f64),
}

/// Six waves of one period, and what fluctuates on them.
#[derive(Debug, Clone)]
struct Periodic {
    table: Arc<Table>,
    /// Of the next sample, and per sample [2⁻⁶⁴ turn].
    phase: u64,
    step: u64,
    gains: [f64; 6],
    fluctuation: Option<Fluctuation>,
}

impl Sampler {
    pub(crate) fn new(front_end: FrontEnd, ambient_c: f64, noise_seed: u64) -> Self {
        let thermal = Thermal { case_c: ambient_c, rise_k: [0.0; 3] };
        let noise_counts = std::array::from_fn(|n| {
            let channel = &front_end.channels[n % 3];
            COUNTS[n] * if n < 3 { channel.voltage_noise } else { channel.current_noise }
        });
        Self {
            approach: Approach::in_seconds(&front_end, GRID as f64 / f64::from(SAMPLE_RATE)),
            front_end,
            thermal,
            before: thermal,
            noise: ChannelNoise::new(noise_seed),
            noise_counts,
            next: 0,
            generator: Generator::Sines(Oscillator::default()),
            stale: true,
            tables: Vec::new(),
        }
    }

    pub(crate) fn next_sample(&self) -> u64 {
        self.next
    }

    /// The true time of a sample of the meter (samples).
    pub(crate) fn true_time(&self, sample: u64) -> f64 {
        sample as f64 / self.front_end.clock
    }

    /// The first sample of the meter at or after a true moment (samples).
    pub(crate) fn own_sample(&self, moment: f64) -> u64 {
        (moment * self.front_end.clock - 1e-6).ceil().max(0.0) as u64
    }

    /// The segment that holds the next sample, and the sample that begins the one after it.
    pub(super) fn segment<'a>(&self, source: &'a SourceLog) -> (&'a Segment, u64) {
        let mut index = source.index_at(self.true_time(self.next));
        while let Some(after) = source.segments().get(index + 1)
            && self.own_sample(after.from) <= self.next
        {
            index += 1;
        }
        let change = source.segments().get(index + 1).map_or(u64::MAX, |s| self.own_sample(s.from));
        (&source.segments()[index], change)
    }

    /// The voltages at the terminals at the next sample, and the sample that begins something else.
    pub(crate) fn terminals(&self, source: &SourceLog) -> ([Phasor; 3], u64) {
        let (segment, change) = self.segment(source);
        (self.front_end.terminals(&segment.output.voltage), change)
    }

    /// Steady sines stand at the terminals: whole windows have a closed form.
    pub(crate) fn is_steady(&self, source: &SourceLog) -> bool {
        self.segment(source).0.output.wave.is_none()
    }

    /// Takes no sample up to `to`, which lies before the next change; temperatures go on. `passed` is told how many samples passed
    /// at which temperature of the case (°C).
    pub(crate) fn skip(&mut self, around: Around<'_>, to: u64, mut passed: impl FnMut(u64, f64)) {
        let segment = self.segment(around.source).0;
        while self.next < to {
            let end = to.min((self.next / GRID + 1) * GRID);
            passed(end - self.next, self.thermal.case_c);
            self.warm(segment, around.air, end - 1, end);
            self.next = end;
        }
        self.stale = true;
    }

    /// Goes on at a sample up to which others have taken time; temperatures go on.
    pub(super) fn jump(&mut self, segment: &Segment, air: &Air, to: u64) {
        let from = self.next;
        self.next = to;
        self.stale = true;
        self.warm(segment, air, from, to);
    }

    /// Appends the samples up to `to` (exclusive), but no further than the next change or grid line.
    pub(crate) fn fill(&mut self, frames: &mut Vec<Frame>, around: Around<'_>, to: u64) {
        self.before = self.thermal;
        let (segment, change) = self.segment(around.source);
        let grid_end = (self.next / GRID + 1) * GRID;
        let end = to.min(grid_end).min(change);
        if self.stale || self.next == self.own_sample(segment.from) || self.next.is_multiple_of(GRID) {
            self.begin(segment);
        }
        let converted = Converted { noise: &self.noise, counts: &self.noise_counts, samples: self.next..end };
        match &mut self.generator {
            Generator::Sines(oscillator) => {
                // What turns stands in registers.
                let mut turning = *oscillator;
                converted.extend(frames, &mut turning);
                *oscillator = turning;
            }
            Generator::Wave(wave) => wave.extend(frames, &converted),
        }
        self.next = end;
        self.warm(segment, around.air, end - 1, end);
    }

    /// Back to an earlier sample of the stretch that was filled last.
    pub(crate) fn rewind(&mut self, to: u64) {
        self.next = to;
        self.stale = true;
        self.thermal = self.before;
    }

    /// Moves the temperatures over every grid line in `after + 1 ..= to`.
    fn warm(&mut self, segment: &Segment, air: &Air, after: u64, to: u64) {
        for line in (after / GRID + 1)..=(to / GRID) {
            let air_c = air.at(self.true_time(line * GRID));
            self.thermal.advance(&self.front_end, &segment.output, air_c, &self.approach);
        }
    }

    pub(super) fn angle(&self, segment: &Segment, sample: u64) -> f64 {
        segment.angle_at(self.true_time(sample))
    }

    /// Turn of the fundamental per sample of the meter (rad).
    pub(super) fn step(&self, segment: &Segment) -> f64 {
        TAU * segment.output.hertz / (f64::from(SAMPLE_RATE) * self.front_end.clock)
    }

    /// Cosine and sine parts of the six fundamentals, peak, in counts.
    pub(super) fn waves(&self, segment: &Segment) -> [(f64, f64); 6] {
        let mut waves = self.front_end.seen(&segment.output, &self.thermal);
        for (wave, counts) in waves.iter_mut().zip(COUNTS) {
            *wave = (wave.0 * SQRT_2 * counts, wave.1 * SQRT_2 * counts);
        }
        waves
    }

    fn begin(&mut self, segment: &Segment) {
        self.stale = false;
        if segment.output.wave.is_some() {
            self.generator = Generator::Wave(Box::new(self.periodic(segment)));
            return;
        }
        let (rotate_sin, rotate_cos) = self.angle(segment, self.next).sin_cos();
        let step = self.step(segment);
        let mut oscillator = Oscillator { step: (step.cos(), step.sin()), ..Oscillator::default() };
        for (n, (cos, sin)) in self.waves(segment).into_iter().enumerate() {
            // The wave is peak·cos(angle - lag): the running pair holds cos and sin of (angle - lag).
            oscillator.cos[n] = cos * rotate_cos + sin * rotate_sin;
            oscillator.sin[n] = cos * rotate_sin - sin * rotate_cos;
        }
        self.generator = Generator::Sines(oscillator);
    }

    fn periodic(&mut self, segment: &Segment) -> Periodic {
        let gains = self.front_end.gains(&segment.output, &self.thermal);
        let moment = self.true_time(self.next);
        Periodic {
            table: self.table(&segment.output),
            phase: phase(self.angle(segment, self.next)),
            step: phase(self.step(segment)),
            gains,
            fluctuation: Fluctuation::at(&self.front_end, segment, &gains, moment),
        }
    }

    /// The table of an output: one of the last, or a new one.
    fn table(&mut self, output: &Output) -> Arc<Table> {
        if let Some(place) = self.tables.iter().position(|(known, _)| is_same(known, output)) {
            self.tables[..=place].rotate_right(1);
        } else {
            let mut spectrum = self.front_end.spectrum(output);
            peaks(&mut spectrum);
            self.tables.truncate(TABLES - 1);
            self.tables.insert(0, (output.clone(), Arc::new(Table::of(&spectrum))));
        }
        Arc::clone(&self.tables[0].1)
    }
}

/// The same output; of waves that are one it is not asked long.
fn is_same(one: &Output, other: &Output) -> bool {
    let waves = match (&one.wave, &other.wave) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        (a, b) => a.is_none() && b.is_none(),
    };
    waves && (one.hertz, one.voltage, one.current) == (other.hertz, other.voltage, other.current)
}

/// What gives the values of one sample after the other (counts).
trait Values {
    fn next(&mut self) -> [f64; 6];
}

impl Values for Oscillator {
    #[inline(always)]
    fn next(&mut self) -> [f64; 6] {
        let (now, (c, s)) = (self.cos, self.step);
        for n in 0..6 {
            let turned = self.cos[n] * c - self.sin[n] * s;
            self.sin[n] = self.cos[n] * s + self.sin[n] * c;
            self.cos[n] = turned;
        }
        now
    }
}

/// A table read on and on.
struct Reading<'a> {
    table: &'a Table,
    phase: u64,
    step: u64,
    gains: [f64; 6],
}

impl Values for Reading<'_> {
    #[inline(always)]
    fn next(&mut self) -> [f64; 6] {
        let mut values = self.table.at(self.phase);
        self.phase = self.phase.wrapping_add(self.step);
        for (value, gain) in values.iter_mut().zip(&self.gains) {
            *value *= gain;
        }
        values
    }
}

/// The same with what fluctuates on it.
struct Fluctuating<'a>(Reading<'a>, &'a mut Fluctuation);

impl Values for Fluctuating<'_> {
    #[inline(always)]
    fn next(&mut self) -> [f64; 6] {
        let mut values = self.0.next();
        self.1.take(&mut values);
        values
    }
}

impl Periodic {
    fn extend(&mut self, frames: &mut Vec<Frame>, converted: &Converted<'_>) {
        let mut reading = Reading { table: &self.table, phase: self.phase, step: self.step, gains: self.gains };
        self.phase = match &mut self.fluctuation {
            None => {
                converted.extend(frames, &mut reading);
                reading.phase
            }
            Some(fluctuation) => {
                let mut fluctuating = Fluctuating(reading, fluctuation);
                converted.extend(frames, &mut fluctuating);
                fluctuating.0.phase
            }
        };
    }
}

/// A stretch of samples on its way through the converter.
struct Converted<'a> {
    noise: &'a ChannelNoise,
    /// RMS of the noise (counts).
    counts: &'a [f64; 6],
    samples: std::ops::Range<u64>,
}

/// Adding and subtracting 1.5·2⁵² leaves the nearest integer in the low bits of the mantissa.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl Converted<'_> {
    /// Appends what the converter gives for these values.
    fn extend(&self, frames: &mut Vec<Frame>, values: &mut impl Values) {
        if self.counts.iter().any(|&n| n > 0.0) {
            let counts = *self.counts;
            frames.extend(self.samples.clone().map(|n| {
                let (mut values, noise) = (values.next(), self.noise.at(n));
                for place in 0..6 {
                    values[place] += counts[place] * noise[place];
                }
                frame(&values)
            }));
        } else {
            frames.extend(self.samples.clone().map(|_| frame(&values.next())));
        }
    }
}

#[inline(always)]
fn frame(values: &[f64; 6]) -> Frame {
    const FULL: f64 = FULL_SCALE as f64;
    let codes = values.map(|value| (value.clamp(-FULL, FULL - 1.0) + ROUND).to_bits() as i32);
    let [u1, u2, u3, i1, i2, i3] = codes;
    Frame { voltage: [u1, u2, u3], current: [i1, i2, i3] }
}
