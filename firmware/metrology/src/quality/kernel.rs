//! What stands between two samples: a Kaiser-Bessel kernel of eight samples, and what it does to each harmonic.
//!
//! The kernel is not flat where the harmonics are, and need not be: it damps a sine of known frequency by a known factor, which is
//! taken back for each order. So its eight coefficients serve what 16 of a flat kernel would: the images of a spectrum (at the
//! sampling rate less the frequency) are below 10⁻⁵ of it up to 2.9 kHz.

/// Samples of the kernel.
pub(crate) const TAPS: usize = 8;
/// Samples of it before the place, that at the place or just before it included.
pub(crate) const BEFORE: u64 = 4;
/// Rows of coefficients between two samples. Interpolated linearly between them, the kernel is within 2·10⁻⁶.
const ROWS: usize = 256;

/// Its shape: the images of 2.9 kHz stand where the main lobe ends.
const BETA: f64 = 16.0;
const HALF_WIDTH: f64 = TAPS as f64 / 2.0;

/// Coefficients of the samples from the third before to the fourth behind, by the place between two samples.
static COEFFICIENTS: [[f32; TAPS]; ROWS + 1] = coefficients();

const fn coefficients() -> [[f32; TAPS]; ROWS + 1] {
    let mut table = [[0.0; TAPS]; ROWS + 1];
    let peak = bessel_i0(BETA * BETA);
    let mut row = 0;
    while row <= ROWS {
        let mut tap = 0;
        while tap < TAPS {
            let distance = (tap as f64 - (HALF_WIDTH - 1.0) - row as f64 / ROWS as f64) / HALF_WIDTH;
            table[row][tap] = (bessel_i0(BETA * BETA * (1.0 - distance * distance)) / peak) as f32;
            tap += 1;
        }
        row += 1;
    }
    table
}

/// I₀(x) of x², by its power series.
const fn bessel_i0(square: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while k < 40.0 {
        term *= square / 4.0 / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Coefficients for a place between two samples [1/2³² of their distance].
#[inline]
pub(crate) fn coefficients_at(place: u32) -> [f32; TAPS] {
    let row = (place >> 24) as usize;
    let part = (place & 0x00ff_ffff) as f32 / (1u32 << 24) as f32;
    let (here, next) = (&COEFFICIENTS[row], &COEFFICIENTS[row + 1]);
    core::array::from_fn(|n| here[n] + part * (next[n] - here[n]))
}

/// Terms of the series of sinh; the largest argument is [`BETA`].
const TERMS: usize = 26;

/// One over `2k·(2k + 1)`, from the last term to the first.
const STEPS: [f32; TERMS] = {
    let mut steps = [0.0; TERMS];
    let mut n = 0;
    while n < TERMS {
        let k = (TERMS - n) as f64;
        steps[n] = (1.0 / (2.0 * k * (2.0 * k + 1.0))) as f32;
        n += 1;
    }
    steps
};

/// What the kernel multiplies sines with whose frequencies are `first`, twice, three times `first` ... [1/sampling rate].
///
/// `∫ g(x)·cos(2πfx) dx = 2a/I₀(β)·sinh(s)/s` with `s² = β² - (2πfa)²` and `a` half the width. Relative error below 10⁻⁶.
pub(crate) fn gains<const N: usize>(first: f32) -> [f32; N] {
    const PER_FREQUENCY: f32 = (2.0 * core::f64::consts::PI * HALF_WIDTH) as f32;
    const SCALE: f32 = (2.0 * HALF_WIDTH / bessel_i0(BETA * BETA)) as f32;
    let squares: [f32; N] = core::array::from_fn(|n| {
        let x = PER_FREQUENCY * first * (n + 1) as f32;
        (BETA * BETA) as f32 - x * x
    });
    let mut sums = [1.0f32; N];
    for step in STEPS {
        for (sum, square) in sums.iter_mut().zip(&squares) {
            *sum = 1.0 + square * step * *sum;
        }
    }
    sums.map(|sum| SCALE * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel between the rows, in f64.
    fn exact(distance: f64) -> f64 {
        bessel_i0(BETA * BETA * (1.0 - (distance / HALF_WIDTH).powi(2))) / bessel_i0(BETA * BETA)
    }

    #[test]
    fn coefficients_are_the_kernel() {
        let mut worst = 0.0f64;
        for n in 0..10_000u32 {
            let place = n * 429_497;
            for (tap, got) in coefficients_at(place).into_iter().enumerate() {
                let wanted = exact(tap as f64 - 3.0 - f64::from(place) / 4_294_967_296.0);
                worst = worst.max((f64::from(got) - wanted).abs());
            }
        }
        std::println!("kernel: off by at most {worst:.1e} of its peak");
        assert!(worst < 2.5e-6);
    }

    #[test]
    fn gains_are_the_transform_of_the_kernel() {
        let first = 57.5 / 8000.0;
        let gains = gains::<50>(first as f32);
        let mut worst = 0.0f64;
        for (n, &got) in gains.iter().enumerate() {
            let frequency = first * (n + 1) as f64;
            let steps = 80_000;
            let wanted: f64 = (0..steps)
                .map(|k| HALF_WIDTH * (2.0 * (f64::from(k) + 0.5) / f64::from(steps) - 1.0))
                .map(|x| exact(x) * (core::f64::consts::TAU * frequency * x).cos())
                .sum::<f64>()
                * 2.0
                * HALF_WIDTH
                / f64::from(steps);
            worst = worst.max((f64::from(got) / wanted - 1.0).abs());
        }
        std::println!(
            "kernel's gain up to order 50 at 57.5 Hz: {:.3} to {:.3}, off by at most {worst:.1e}",
            gains[49],
            gains[0]
        );
        assert!(worst < 2e-6);
    }
}
