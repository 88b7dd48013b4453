//! The per-cycle engine: whole windows of ten cycles in closed form, while the output stands and nobody looks at samples.
//!
//! Sums over the samples of a cycle are those of the sample path, to rounding: for `u = û·cos(ωn + a)`,
//! `Σ u·i = N/2·û·î·cos(a - b) + û·î/2·sin(Nω)/sin(ω)·cos(2·middle + a + b)`. Noise has no mean and is left out of energy; its
//! square stands in the RMS values. What is known to be steady is the output; gains are renewed with every window.

use std::f64::consts::{FRAC_PI_2, TAU};

use meterbench_metrology::{CycleSums, Frame, PhaseSums};

use super::{Around, COUNTS, Sampler};

/// Cycles of a window.
const CYCLES: usize = 10;
/// The detector's angle is Q22.
const Q22: f64 = (1u32 << 22) as f64;
/// Crossings of a wave this small are noise (counts).
const LEAST_PEAK: f64 = 400_000.0;

/// Samples by which the metrology knows a new output: three windows.
const SETTLING: u64 = 5000;

/// What became of an attempt to take a window.
pub(crate) enum Window {
    /// Ten cycles, and the two frames before the next sample.
    Taken(Box<([CycleSums; CYCLES], [Frame; 2])>),
    /// The output stands, and the window ends after the time that has passed.
    NotYet,
    /// The output changes within the window, or there is no mains.
    Changing,
}

impl Sampler {
    /// Takes the window that begins at the next sample, if it ends by `to`.
    ///
    /// `sync` is the phase whose voltage gives the crossings: a cycle ends with the first frame at or above zero. What the
    /// metrology sums at that frame is the one before it, for it delays every channel by one sample.
    pub(crate) fn take_window(&mut self, around: Around<'_>, sync: usize, to: u64) -> Window {
        let (segment, change) = self.segment(around.source);
        let step = self.step(segment);
        let waves = self.waves(segment);
        let (cos, sin) = waves[sync];
        // The metrology measures the period over one clean window before it can tune its detector to it.
        let settled = self.next_sample() >= self.own_sample(segment.from) + SETTLING;
        if cos.hypot(sin) < LEAST_PEAK || !settled || segment.output.wave.is_some() {
            return Window::Changing;
        }
        // Angle of the synchronising wave at frame `next - 1`, the last one the metrology has looked at for a crossing.
        let lag = sin.atan2(cos);
        let seen = self.next_sample() - 1;
        let since_crossing = (self.angle(segment, seen) - lag + FRAC_PI_2).rem_euclid(TAU);
        // The crossing behind may lie a hair ahead of the first sample above zero.
        let until = if TAU - since_crossing < 0.5 * step { 2.0 * TAU - since_crossing } else { TAU - since_crossing };
        let ends: [f64; CYCLES] = std::array::from_fn(|n| seen as f64 + (until + TAU * n as f64) / step);
        let last = ends[CYCLES - 1].ceil() as u64 + 1;
        if last + 4 > change {
            return Window::Changing;
        }
        if last > to {
            return Window::NotYet;
        }
        let mut begin = self.next_sample();
        // The detector of the metrology stands at angle zero at the first sample of the window.
        let (sin, cos) = self.angle(segment, begin - 1).sin_cos();
        let detector = [(cos, sin), (-sin, cos)];
        // A cycle has one of two lengths.
        let mut ripple = (0, 0.0);
        let cycles = ends.map(|end| {
            let first_above = end.ceil();
            let next = first_above as u64 + 1;
            let samples = (next - begin) as u32;
            let middle = self.angle(segment, begin - 1) + step * f64::from(samples - 1) / 2.0;
            begin = next;
            let crossing = ((end - (first_above - 1.0)) * 65_536.0) as u32;
            if ripple.0 != samples {
                ripple = (samples, (f64::from(samples) * step).sin() / step.sin() / 2.0);
            }
            let (sin, cos) = (2.0 * middle).sin_cos();
            let sums = self.sums(&waves, &detector, f64::from(samples), (ripple.1 * cos, ripple.1 * sin));
            CycleSums { samples, crossing, phases: sums }
        });
        let frames = [last - 2, last - 1].map(|n| frame(&waves, self.angle(segment, n)));
        self.jump(segment, around.air, last);
        Window::Taken(Box::new((cycles, frames)))
    }

    /// `ripple` is what is left of the wave of twice the frequency at the middle of the cycle.
    fn sums(
        &self,
        waves: &[(f64, f64); 6],
        detector: &[(f64, f64); 2],
        count: f64,
        ripple: (f64, f64),
    ) -> [PhaseSums; 3] {
        let product = |a: (f64, f64), b: (f64, f64)| {
            let mean = count / 2.0 * (a.0 * b.0 + a.1 * b.1);
            mean + ripple.0 * (a.0 * b.0 - a.1 * b.1) + ripple.1 * (a.0 * b.1 + a.1 * b.0)
        };
        // Cut, not rounded: half a count² in 10¹².
        let seen = |wave, n: usize| (product(wave, detector[n]) * Q22) as i64;
        std::array::from_fn(|n| {
            let (u, i) = (waves[n], waves[n + 3]);
            if u == (0.0, 0.0) && i == (0.0, 0.0) {
                return PhaseSums::default();
            }
            let channel = &self.front_end.channels[n];
            let noise = |rms: f64, counts: f64| count * (rms * counts).powi(2);
            PhaseSums {
                ui: product(u, i) as i64,
                uu: (product(u, u) + noise(channel.voltage_noise, COUNTS[n])) as i64,
                ii: (product(i, i) + noise(channel.current_noise, COUNTS[n + 3])) as i64,
                u_cos: seen(u, 0),
                u_sin: seen(u, 1),
                i_cos: seen(i, 0),
                i_sin: seen(i, 1),
            }
        })
    }
}

fn frame(waves: &[(f64, f64); 6], angle: f64) -> Frame {
    let (sin, cos) = angle.sin_cos();
    let [u1, u2, u3, i1, i2, i3] = waves.map(|(c, s)| (c * cos + s * sin).round() as i32);
    Frame { voltage: [u1, u2, u3], current: [i1, i2, i3] }
}
