//! Harmonics of every channel over a window, from the folded cycle.

use microfft::Complex32;
use microfft::complex::cfft_128;

use super::folding::{Folding, POINTS, POINTS_IN_WINDOW};
use super::kernel::gains;
use super::samples::{CHANNELS, Samples};
use super::values::{HIGHEST_ORDER, Phasor, Spectrum};
use crate::config::{Config, PhaseConfig};

/// Two real channels as one complex: voltage and current of a phase.
type Folded = [Complex32; POINTS];

/// Points that are resampled in one piece of the work.
const POINTS_AT_ONCE: usize = 3;

/// A window on its way to its harmonics, in pieces: a processor that takes one with every sample is never late.
#[derive(Debug, Clone)]
pub(crate) struct Harmonics {
    folding: Folding,
    folded: [Folded; 3],
    /// Points, and after them phases, that are done.
    done: usize,
    /// Mean of each channel (counts).
    means: [f32; CHANNELS],
}

impl Harmonics {
    pub(crate) const fn new() -> Self {
        Self {
            folding: Folding::new(0, 0, 1),
            folded: [[Complex32::new(0.0, 0.0); POINTS]; 3],
            done: 0,
            means: [0.0; CHANNELS],
        }
    }

    /// Of this window from now on.
    pub(crate) fn begin(&mut self, folding: Folding) {
        (self.folding, self.done) = (folding, 0);
    }

    /// Does one piece of the work; the means of the channels (counts) with the last.
    pub(crate) fn go_on(
        &mut self,
        config: &Config,
        samples: &Samples,
        spectrum: &mut Spectrum,
    ) -> Option<[f32; CHANNELS]> {
        if let Some(n) = self.done.checked_sub(POINTS) {
            if let Some(phase) = config.phases.get(n).filter(|_| n < config.systems()) {
                self.transform(n, phase, spectrum);
            }
            self.done += 1;
        } else {
            let to = (self.done + POINTS_AT_ONCE).min(POINTS);
            for n in self.done..to {
                self.resample(config, samples, n);
            }
            self.done = to;
        }
        (self.done >= POINTS + config.systems()).then_some(self.means)
    }

    fn resample(&mut self, config: &Config, samples: &Samples, n: usize) {
        if config.systems() == 1 {
            let [u, i] = self.folding.point(samples, n);
            self.folded[0][n] = Complex32::new(u, i);
        } else {
            let points: [f32; CHANNELS] = self.folding.point(samples, n);
            for (folded, &[u, i]) in self.folded.iter_mut().zip(points.as_chunks::<2>().0) {
                folded[n] = Complex32::new(u, i);
            }
        }
    }

    /// Harmonics of one phase, in volts and amperes.
    fn transform(&mut self, n: usize, phase: &PhaseConfig, spectrum: &mut Spectrum) {
        // At order 0 what stays of a constant.
        let ([whole], gains) = (gains::<1>(0.0), gains::<HIGHEST_ORDER>(self.folding.frequency()));
        let transformed = cfft_128(&mut self.folded[n]);
        self.means[2 * n] = transformed[0].re / (whole * POINTS_IN_WINDOW);
        self.means[2 * n + 1] = transformed[0].im / (whole * POINTS_IN_WINDOW);
        let (volt, ampere) = (phase.volt_per_count(), phase.ampere_per_count());
        for order in 1..=HIGHEST_ORDER {
            let (voltage, current) = part(transformed, order);
            // Twice over the points is the peak; a sine has its angle a quarter turn behind that of the transform.
            let scale = core::f32::consts::SQRT_2 / (POINTS_IN_WINDOW * gains[order - 1]);
            let sine = |of: Complex32, per_count: f32| {
                let scale = scale * per_count;
                Phasor { re: -of.im * scale, im: of.re * scale }
            };
            spectrum.voltage[n][order - 1] = sine(voltage, volt);
            spectrum.current[n][order - 1] = sine(current, ampere);
        }
    }
}

/// Turns every order so that the fundamental of this voltage has no angle.
///
/// The window began where the whole voltage crossed zero, harmonics and noise with it.
pub(crate) fn turn_to(sync: usize, spectrum: &mut Spectrum) {
    let Phasor { re, im } = spectrum.voltage[sync][0];
    let length = spectrum.voltage[sync][0].magnitude();
    if length <= 0.0 {
        return;
    }
    let back = Phasor { re: re / length, im: -im / length };
    let mut turn = back;
    for order in 0..HIGHEST_ORDER {
        for channel in spectrum.voltage.iter_mut().chain(&mut spectrum.current) {
            channel[order] = channel[order] * turn;
        }
        turn = turn * back;
    }
}

/// Parts a transform of `u + j·i` into those of u and i.
fn part(transformed: &Folded, order: usize) -> (Complex32, Complex32) {
    let (ahead, behind) = (transformed[order], transformed[POINTS - order]);
    let u = Complex32::new((ahead.re + behind.re) / 2.0, (ahead.im - behind.im) / 2.0);
    let i = Complex32::new((ahead.im + behind.im) / 2.0, (behind.re - ahead.re) / 2.0);
    (u, i)
}
