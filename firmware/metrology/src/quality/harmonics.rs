//! Harmonics of every channel over a window, from the folded cycle.

use microfft::Complex32;
use microfft::complex::cfft_128;

use super::folding::{POINTS, POINTS_IN_WINDOW, fold};
use super::kernel::{self, gains};
use super::samples::{CHANNELS, Samples};
use super::values::{HIGHEST_ORDER, Phasor, Spectrum};

/// Two real channels as one complex: voltage and current of a phase.
type Folded = [Complex32; POINTS];

/// Writes the harmonics of so many cycles from `from` [1/65536 slot] to `from + duration`, in volts and amperes.
///
/// `per_count` is the volts and amperes of a count, by channel. Returns the mean of each channel (counts).
pub(crate) fn analyse(
    samples: &Samples,
    from: u64,
    duration: u64,
    cycles: u64,
    per_count: &[[f32; 2]],
    spectrum: &mut Spectrum,
) -> [f32; CHANNELS] {
    let mut folded = [[Complex32::new(0.0, 0.0); POINTS]; 3];
    if per_count.len() == 1 {
        fold::<2>(samples, from, duration, cycles, |n, [u, i]| folded[0][n] = Complex32::new(u, i));
    } else {
        fold::<6>(samples, from, duration, cycles, |n, points| {
            for (folded, &[u, i]) in folded.iter_mut().zip(points.as_chunks::<2>().0) {
                folded[n] = Complex32::new(u, i);
            }
        });
    }
    // Cycles per sample, and at order 0 what stays of a constant.
    let fundamental = cycles as f32 * 65_536.0 / duration as f32;
    let gains = gains::<HIGHEST_ORDER>(fundamental);
    let [whole] = kernel::gains::<1>(0.0);
    let mut means = [0.0; CHANNELS];
    for (n, (folded, &[volt, ampere])) in folded.iter_mut().zip(per_count).enumerate() {
        let transformed = cfft_128(folded);
        means[2 * n] = transformed[0].re / (whole * POINTS_IN_WINDOW);
        means[2 * n + 1] = transformed[0].im / (whole * POINTS_IN_WINDOW);
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
    means
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
