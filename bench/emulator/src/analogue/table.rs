//! One period of the common angle as a table of all six channels: any sample of a wave with harmonics is four points of it.
//!
//! Between points a polynomial of third order is laid. Its error against the component itself, by order: below 10⁻⁶ up to order
//! 50, below 2·10⁻⁵ at order 100. The table is an inverse Fourier transform of the spectrum; making one takes a seventh of a millisecond,
//! and is done once per output.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use super::front_end::Spectrum;

const POINTS_BITS: u32 = 12;
const POINTS: usize = 1 << POINTS_BITS;

/// Cosine and sine of every point.
static TURN: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    (0..POINTS)
        .map(|n| {
            let (sin, cos) = (TAU * n as f64 / POINTS as f64).sin_cos();
            (cos, sin)
        })
        .collect()
});

/// The six channels over one period.
#[derive(Debug)]
pub(super) struct Table {
    /// Point n stands at place n + 1; the ends are repeated.
    points: Vec<[f64; 6]>,
}

impl Table {
    /// Of the parts of every order, peak values.
    pub(super) fn of(spectrum: &Spectrum) -> Self {
        let mut points = vec![[0.0; 6]; POINTS + 3];
        for n in 0..3 {
            // Voltage and current of a phase are one complex period.
            let mut period = vec![(0.0, 0.0); POINTS];
            for (order, (u, i)) in spectrum[n].iter().zip(&spectrum[n + 3]).enumerate() {
                // u = Re (u0 - j·u1)·e^(jna): half of it stands at n, half, conjugate, at -n; i is the imaginary part.
                let (mirror, half) = ((POINTS - order) % POINTS, 0.5);
                period[order].0 += half * (u.0 + i.1);
                period[order].1 += half * (i.0 - u.1);
                period[mirror].0 += half * (u.0 - i.1);
                period[mirror].1 += half * (i.0 + u.1);
            }
            transform(&mut period);
            for (point, (u, i)) in points[1..].iter_mut().zip(period) {
                (point[n], point[n + 3]) = (u, i);
            }
        }
        points[0] = points[POINTS];
        points[POINTS + 1] = points[1];
        points[POINTS + 2] = points[2];
        Self { points }
    }

    /// The six channels at a phase [2⁻⁶⁴ turn].
    #[inline(always)]
    pub(super) fn at(&self, phase: u64) -> [f64; 6] {
        const FRACTION_BITS: u32 = 64 - POINTS_BITS;
        const FRACTION: f64 = 1.0 / (1u64 << FRACTION_BITS) as f64;
        let place = (phase >> FRACTION_BITS) as usize;
        let x = (phase & ((1 << FRACTION_BITS) - 1)) as i64 as f64 * FRACTION;
        let (below, above, beyond) = (x + 1.0, x - 1.0, x - 2.0);
        let (outer, inner) = (x * above, below * beyond);
        let weights = [-outer * beyond / 6.0, inner * above / 2.0, -inner * x / 2.0, outer * below / 6.0];
        let four: &[[f64; 6]; 4] = self.points[place..place + 4].try_into().expect("four");
        let mut values = [0.0; 6];
        for n in 0..6 {
            values[n] =
                weights[0] * four[0][n] + weights[1] * four[1][n] + weights[2] * four[2][n] + weights[3] * four[3][n];
        }
        values
    }
}

/// An angle (rad, any) as a phase [2⁻⁶⁴ turn].
pub(super) fn phase(angle: f64) -> u64 {
    let turns = angle / TAU;
    // 2⁵³ steps are all an f64 has below one.
    (((turns - turns.floor()) * (1u64 << 53) as f64) as u64) << 11
}

/// Σ x·e^(+jkn·2π/N), in place: decimation in time.
fn transform(period: &mut [(f64, f64)]) {
    let shift = usize::BITS - POINTS_BITS;
    for n in 0..POINTS {
        let mirror = n.reverse_bits() >> shift;
        if n < mirror {
            period.swap(n, mirror);
        }
    }
    let mut half = 1;
    while half < POINTS {
        let stride = POINTS / (2 * half);
        for block in period.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (n, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (cos, sin) = TURN[n * stride];
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_itself_between_the_points() {
        let (mut worst_50, mut worst_100): (f64, f64) = (0.0, 0.0);
        for order in 1..=100usize {
            let mut spectrum: Spectrum = [[(0.0, 0.0); 101]; 6];
            for (n, channel) in spectrum.iter_mut().enumerate() {
                let (sin, cos) = (n as f64).sin_cos();
                channel[order] = (cos, sin);
            }
            let table = Table::of(&spectrum);
            for step in 0..10_000u64 {
                let phase = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let angle = phase as f64 / 2f64.powi(64) * TAU;
                for (n, value) in table.at(phase).into_iter().enumerate() {
                    let error = (value - (order as f64 * angle - n as f64).cos()).abs();
                    if order <= 50 { worst_50 = worst_50.max(error) } else { worst_100 = worst_100.max(error) }
                }
            }
        }
        println!("table: error at most {worst_50:.1e} of a component up to order 50, {worst_100:.1e} up to 100");
        assert!(worst_50 < 1e-6 && worst_100 < 2e-5, "{worst_50} {worst_100}");
    }
}
