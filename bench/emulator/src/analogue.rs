//! The analogue front end of one meter: what lies between its terminals and its converter.
//!
//! Every effect is linear in the phasors, so that the error it causes can be stated in closed form; noise and
//! quantisation come on top, sample by sample. Default magnitudes are those of shunt meters with commercial parts.

use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::{AMPERE_FULL_SCALE, FULL_SCALE, Frame, SAMPLE_RATE, VOLT_FULL_SCALE};

use crate::air::Air;
use crate::noise::{ChannelNoise, Draw};
use crate::source::{Output, Phasor, Segment, SourceLog};

pub(crate) mod dwell;

/// Temperature at which gain and phase were adjusted (°C).
const ADJUSTED_AT_C: f64 = 23.0;
/// The thermal state and the gains are renewed on this grid of samples (100 ms).
const GRID: u64 = SAMPLE_RATE as u64 / 10;

/// Parameters of one measuring system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Channel {
    /// Relative gain of the voltage channel.
    pub(crate) voltage_gain: f64,
    /// Relative gain of the current channel.
    pub(crate) current_gain: f64,
    /// Phase error of the current channel (rad), positive = current seen earlier.
    pub(crate) lead_rad: f64,
    /// Coupling from voltage into the current channel, in phase and in quadrature [A/V].
    pub(crate) coupling: (f64, f64),
    /// Noise, referred to the terminals (V), (A) RMS.
    pub(crate) voltage_noise: f64,
    pub(crate) current_noise: f64,
    /// Temperature coefficient of the shunt [1/K] and [1/K²].
    pub(crate) shunt_tc: f64,
    pub(crate) shunt_tc2: f64,
    /// Heating of the shunt by its own loss [K/A²] and its time constant (s).
    pub(crate) heating: f64,
    pub(crate) heating_tau: f64,
    /// Relative change of the current gain per kelvin of that heating, beside the shunt's own.
    pub(crate) heating_gain: f64,
    /// Relative change of gain per relative change of voltage and of frequency.
    pub(crate) voltage_coefficient: f64,
    pub(crate) frequency_coefficient: f64,
    /// Relative change of gain at the reversed phase sequence.
    pub(crate) sequence_gain: f64,
}

/// Parameters of one front end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FrontEnd {
    pub(crate) channels: [Channel; 3],
    /// Temperature coefficient of the voltage reference, which enters power twice [1/K].
    pub(crate) reference_tc: f64,
    /// Nominal voltage (V) and frequency (Hz), at which it was adjusted.
    pub(crate) nominal: (f64, f64),
    /// Samples the meter takes in the time of one true sample: its clock.
    pub(crate) clock: f64,
    /// Relative error at 23 °C of the crystal that keeps the meter's time.
    pub(crate) timekeeping: f64,
    /// Voltage at its terminals against that of the source: ratio, and angle by which it lags (deg).
    pub(crate) isolation: (f64, f64),
}

/// Time constant of a meter in moving air (s).
const CASE_TAU: f64 = 1200.0;

impl FrontEnd {
    /// The front end of this serial number: residual errors after adjustment, drawn from the seed.
    pub(crate) fn drawn(seed: u64, serial: &str, nominal: (f64, f64)) -> Self {
        let draw = Draw::of(seed, serial);
        let channel = |n: u64| {
            let power_offset_w = draw.normal("power offset", n, 0.02);
            let quadrature_w = draw.normal("quadrature offset", n, 0.02);
            Channel {
                voltage_gain: 1.0,
                current_gain: 1.0 + draw.normal("gain", n, 0.0005),
                lead_rad: draw.normal("phase", n, 0.0001),
                coupling: (power_offset_w / (230.0 * 230.0), quadrature_w / (230.0 * 230.0)),
                voltage_noise: 0.020,
                current_noise: 0.0045,
                shunt_tc: 25e-6 + draw.normal("shunt", n, 10e-6),
                shunt_tc2: -0.45e-6,
                // 200 µOhm, 12 K/W
                heating: 200e-6 * 12.0,
                heating_tau: 600.0,
                heating_gain: 0.0,
                voltage_coefficient: draw.normal("divider", n, 5e-4),
                frequency_coefficient: draw.normal("filter", n, 1e-3),
                sequence_gain: draw.normal("crosstalk", n, 2e-5),
            }
        };
        let reference_tc = draw.normal("reference", 0, 12e-6);
        // A crystal of 20 ppm.
        let clock = 1.0 + draw.rectangular("clock", 0, 2e-5);
        // At most half a second a day.
        let timekeeping = draw.rectangular("timekeeping", 0, 5.8e-6);
        let isolation = (1.0, 0.0);
        Self { channels: [channel(0), channel(1), channel(2)], reference_tc, nominal, clock, timekeeping, isolation }
    }

    /// No error but quantisation.
    #[cfg(test)]
    pub(crate) fn ideal() -> Self {
        let channel = Channel {
            voltage_gain: 1.0,
            current_gain: 1.0,
            lead_rad: 0.0,
            coupling: (0.0, 0.0),
            voltage_noise: 0.0,
            current_noise: 0.0,
            shunt_tc: 0.0,
            shunt_tc2: 0.0,
            heating: 0.0,
            heating_tau: 600.0,
            heating_gain: 0.0,
            voltage_coefficient: 0.0,
            frequency_coefficient: 0.0,
            sequence_gain: 0.0,
        };
        Self {
            channels: [channel; 3],
            reference_tc: 0.0,
            nominal: (230.0, 50.0),
            clock: 1.0,
            timekeeping: 0.0,
            isolation: (1.0, 0.0),
        }
    }

    /// What stands at the terminals: the voltages have passed the isolation of the position.
    pub(crate) fn terminals(&self, output: &Output) -> Output {
        let (ratio, lag_deg) = self.isolation;
        let through = |v: Phasor| Phasor { rms: v.rms * ratio, lag_deg: v.lag_deg + lag_deg };
        Output { voltage: output.voltage.map(through), ..*output }
    }

    /// What the converter sees of this output: cosine and sine parts of U1..U3, I1..I3 in V and A, RMS.
    pub(crate) fn seen(&self, output: &Output, thermal: &Thermal) -> [(f64, f64); 6] {
        let output = &self.terminals(output);
        let mut seen = [(0.0, 0.0); 6];
        let reversed = if output.is_reversed() { 1.0 } else { 0.0 };
        for (n, channel) in self.channels.iter().enumerate() {
            let ambient = thermal.case_c - ADJUSTED_AT_C;
            let shunt = ambient + thermal.rise_k[n];
            let converter = 1.0 - self.reference_tc * ambient;
            let (u_cos, u_sin) = output.voltage[n].parts();
            let current =
                Phasor { lag_deg: output.current[n].lag_deg - channel.lead_rad.to_degrees(), ..output.current[n] };
            let (i_cos, i_sin) = current.parts();
            let (in_phase, quadrature) = channel.coupling;
            let shunt_gain = 1.0 + channel.shunt_tc * shunt + channel.shunt_tc2 * shunt * shunt;
            let (volt, hertz) = self.nominal;
            let influenced = 1.0
                + channel.voltage_coefficient * (output.voltage[n].rms / volt - 1.0)
                + channel.frequency_coefficient * (output.hertz / hertz - 1.0)
                + channel.sequence_gain * reversed
                + channel.heating_gain * thermal.rise_k[n];
            let gain = channel.current_gain * shunt_gain * converter * influenced;
            let voltage_gain = channel.voltage_gain * converter;
            seen[n] = (u_cos * voltage_gain, u_sin * voltage_gain);
            seen[n + 3] = (
                gain * i_cos + in_phase * u_cos - quadrature * u_sin,
                gain * i_sin + in_phase * u_sin + quadrature * u_cos,
            );
        }
        seen
    }

    /// Active power the meter must find in this output (W), per phase; noise has none.
    pub(crate) fn active_watt(&self, output: &Output, thermal: &Thermal) -> [f64; 3] {
        let seen = self.seen(output, thermal);
        [0, 1, 2].map(|n| seen[n].0 * seen[n + 3].0 + seen[n].1 * seen[n + 3].1)
    }
}

/// Temperatures of one meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thermal {
    /// Of the case: it follows the air.
    pub(crate) case_c: f64,
    /// Rise of each shunt above the case by its own loss (K).
    pub(crate) rise_k: [f64; 3],
}

/// Share of the way to its end that each temperature goes in one step of time.
#[derive(Debug, Clone, Copy)]
struct Approach {
    shunts: [f64; 3],
    case: f64,
}

impl Approach {
    fn in_seconds(front_end: &FrontEnd, seconds: f64) -> Self {
        let share = |tau: f64| -(-seconds / tau).exp_m1();
        Self { shunts: front_end.channels.map(|channel| share(channel.heating_tau)), case: share(CASE_TAU) }
    }
}

impl Thermal {
    fn advance(&mut self, front_end: &FrontEnd, output: &Output, air_c: f64, share: &Approach) {
        for (n, channel) in front_end.channels.iter().enumerate() {
            let target = channel.heating * output.current[n].rms * output.current[n].rms;
            self.rise_k[n] += (target - self.rise_k[n]) * share.shunts[n];
        }
        if self.case_c != air_c {
            self.case_c += (air_c - self.case_c) * share.case;
        }
    }
}

/// What stands around a meter: at its terminals and in the air.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) source: &'a SourceLog,
    pub(crate) air: &'a Air,
}

/// Makes the samples of one front end, in order. Its samples are those of the meter's own clock.
#[derive(Debug, Clone)]
pub(crate) struct Sampler {
    pub(crate) front_end: FrontEnd,
    pub(crate) thermal: Thermal,
    noise: ChannelNoise,
    next: u64,
    oscillator: Oscillator,
    /// The oscillator must begin anew at the next sample.
    stale: bool,
    /// Temperatures before the stretch that was filled last.
    before: Thermal,
    /// Per line of the grid.
    approach: Approach,
}

/// Six sines of one frequency by rotation, in counts; begun anew at every change and on the grid.
#[derive(Debug, Clone, Copy, Default)]
struct Oscillator {
    cos: [f64; 6],
    sin: [f64; 6],
    step: (f64, f64),
    noise: [f64; 6],
}

const COUNTS: [f64; 6] = {
    let (u, i) = (FULL_SCALE as f64 / VOLT_FULL_SCALE as f64, FULL_SCALE as f64 / AMPERE_FULL_SCALE as f64);
    [u, u, u, i, i, i]
};

impl Sampler {
    pub(crate) fn new(front_end: FrontEnd, ambient_c: f64, noise_seed: u64) -> Self {
        let thermal = Thermal { case_c: ambient_c, rise_k: [0.0; 3] };
        Self {
            approach: Approach::in_seconds(&front_end, GRID as f64 / f64::from(SAMPLE_RATE)),
            front_end,
            thermal,
            before: thermal,
            noise: ChannelNoise::new(noise_seed),
            next: 0,
            oscillator: Oscillator::default(),
            stale: true,
        }
    }

    pub(crate) fn next_sample(&self) -> u64 {
        self.next
    }

    /// The true time of a sample of the meter (samples).
    pub(crate) fn true_time(&self, sample: u64) -> f64 {
        sample as f64 / self.front_end.clock
    }

    /// The first sample of the meter at or after a true sample.
    pub(crate) fn own_sample(&self, true_sample: u64) -> u64 {
        (true_sample as f64 * self.front_end.clock - 1e-6).ceil().max(0.0) as u64
    }

    /// The segment that holds the next sample, and the sample that begins the one after it.
    fn segment<'a>(&self, source: &'a SourceLog) -> (&'a Segment, u64) {
        let mut index = source.index_at(self.true_time(self.next) as u64);
        while let Some(after) = source.segments().get(index + 1)
            && self.own_sample(after.from) <= self.next
        {
            index += 1;
        }
        let change = source.segments().get(index + 1).map_or(u64::MAX, |s| self.own_sample(s.from));
        (&source.segments()[index], change)
    }

    /// What stands at the terminals at the next sample, and the sample that begins something else.
    pub(crate) fn terminals(&self, source: &SourceLog) -> (Output, u64) {
        let (segment, change) = self.segment(source);
        (self.front_end.terminals(&segment.output), change)
    }

    /// Takes no sample up to `to`, which lies before the next change; temperatures go on. `passed` is told how many samples passed
    /// at which temperature of the case (°C).
    pub(crate) fn skip(&mut self, around: Around<'_>, to: u64, mut passed: impl FnMut(u64, f64)) {
        let segment = *self.segment(around.source).0;
        while self.next < to {
            let end = to.min((self.next / GRID + 1) * GRID);
            passed(end - self.next, self.thermal.case_c);
            self.warm(&segment, around.air, end - 1, end);
            self.next = end;
        }
        self.stale = true;
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
        let noisy = self.oscillator.noise.iter().any(|&n| n > 0.0);
        if noisy {
            (self.next..end).for_each(|n| frames.push(self.oscillator.frame(&self.noise.at(n))));
        } else {
            (self.next..end).for_each(|_| frames.push(self.oscillator.frame(&[0.0; 6])));
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

    fn angle(&self, segment: &Segment, sample: u64) -> f64 {
        segment.angle_at(self.true_time(sample))
    }

    /// Turn of the fundamental per sample of the meter (rad).
    fn step(&self, segment: &Segment) -> f64 {
        TAU * segment.output.hertz / (f64::from(SAMPLE_RATE) * self.front_end.clock)
    }

    /// Cosine and sine parts of the six waves, peak, in counts.
    fn waves(&self, segment: &Segment) -> [(f64, f64); 6] {
        let mut waves = self.front_end.seen(&segment.output, &self.thermal);
        for (wave, counts) in waves.iter_mut().zip(COUNTS) {
            *wave = (wave.0 * SQRT_2 * counts, wave.1 * SQRT_2 * counts);
        }
        waves
    }

    fn begin(&mut self, segment: &Segment) {
        self.stale = false;
        let (rotate_sin, rotate_cos) = self.angle(segment, self.next).sin_cos();
        let step = self.step(segment);
        self.oscillator.step = (step.cos(), step.sin());
        for (n, (cos, sin)) in self.waves(segment).into_iter().enumerate() {
            // The wave is peak·cos(angle - lag): the running pair holds cos and sin of (angle - lag).
            self.oscillator.cos[n] = cos * rotate_cos + sin * rotate_sin;
            self.oscillator.sin[n] = cos * rotate_sin - sin * rotate_cos;
            let channel = &self.front_end.channels[n % 3];
            let rms = if n < 3 { channel.voltage_noise } else { channel.current_noise };
            self.oscillator.noise[n] = rms * COUNTS[n];
        }
    }
}

/// Adding and subtracting 1.5·2⁵² leaves the nearest integer in the low bits of the mantissa.
const ROUND: f64 = 6_755_399_441_055_744.0;

impl Oscillator {
    #[inline]
    fn frame(&mut self, noise: &[f64; 6]) -> Frame {
        let (c, s) = self.step;
        let full = f64::from(FULL_SCALE);
        let mut counts = [0i32; 6];
        for n in 0..6 {
            let value = (self.cos[n] + self.noise[n] * noise[n]).clamp(-full, full - 1.0);
            counts[n] = (value + ROUND).to_bits() as i32;
            let turned = self.cos[n] * c - self.sin[n] * s;
            self.sin[n] = self.cos[n] * s + self.sin[n] * c;
            self.cos[n] = turned;
        }
        let [u1, u2, u3, i1, i2, i3] = counts;
        Frame { voltage: [u1, u2, u3], current: [i1, i2, i3] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> SourceLog {
        let mut output = Output { hertz: 50.0, ..Output::default() };
        for phase in 0..3 {
            let lag = 120.0 * phase as f64;
            output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
            output.current[phase] = Phasor { rms: 5.0, lag_deg: lag + 60.0 };
        }
        let mut log = SourceLog::default();
        log.ramp_to(0, &output);
        log
    }

    fn samples(cuts: &[u64]) -> Vec<Frame> {
        let mut sampler = Sampler::new(FrontEnd::drawn(1, "1001", (230.0, 50.0)), 23.0, 99);
        let (source, air, mut frames) = (source(), Air::new(23.0), Vec::new());
        let around = Around { source: &source, air: &air };
        for &to in cuts {
            while sampler.next_sample() < to {
                sampler.fill(&mut frames, around, to);
            }
        }
        frames
    }

    #[test]
    fn cutting_a_run_into_blocks_never_changes_a_bit() {
        let whole = samples(&[20_000]);
        let cut: Vec<u64> = (1..).map(|n| n * 37).take_while(|&n| n < 20_000).chain([20_000]).collect();
        assert_eq!(whole.len(), 20_000);
        assert!(whole == samples(&cut));
    }

    #[test]
    fn samples_are_the_wave_they_describe() {
        let mut sampler = Sampler::new(FrontEnd::ideal(), 23.0, 0);
        let (source, air, mut frames) = (source(), Air::new(23.0), Vec::new());
        while sampler.next_sample() < 16_000 {
            sampler.fill(&mut frames, Around { source: &source, air: &air }, 16_000);
        }
        for (n, frame) in frames.iter().enumerate().skip(8000) {
            let angle = TAU * (n as f64 / 160.0).fract();
            for phase in 0..3 {
                let lag = TAU / 3.0 * phase as f64;
                let u = SQRT_2 * 230.0 * (angle - lag).cos() * COUNTS[0];
                let i = SQRT_2 * 5.0 * (angle - lag - TAU / 6.0).cos() * COUNTS[3];
                assert!((f64::from(frame.voltage[phase]) - u).abs() < 0.6, "{n} u{phase}");
                assert!((f64::from(frame.current[phase]) - i).abs() < 0.6, "{n} i{phase}");
            }
        }
    }

    #[test]
    fn the_shunt_warms_with_its_time_constant() {
        let mut front_end = FrontEnd::ideal();
        front_end.channels[0].heating = 200e-6 * 12.0;
        let mut thermal = Thermal { case_c: 23.0, rise_k: [0.0; 3] };
        let mut output = Output::default();
        output.current[0].rms = 100.0;
        let share = Approach::in_seconds(&front_end, 0.1);
        (0..6000).for_each(|_| thermal.advance(&front_end, &output, 23.0, &share));
        // one time constant at 24 K final rise
        assert!((thermal.rise_k[0] - 24.0 * (1.0 - (-1f64).exp())).abs() < 1e-6, "{}", thermal.rise_k[0]);
    }
}
