//! Filters of second order, from their analogue form by the bilinear transform.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// One section, transposed direct form.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    forward: [f64; 3],
    back: [f64; 2],
    kept: [f64; 2],
}

impl Filter {
    /// Coefficients by rising power of s.
    fn analogue(above: [f64; 3], below: [f64; 3], rate: f64) -> Self {
        let c = 2.0 * rate;
        let digital = |[zero, one, two]: [f64; 3]| {
            let (one, two) = (one * c, two * c * c);
            [zero + one + two, 2.0 * (zero - two), zero - one + two]
        };
        let (above, below) = (digital(above), digital(below));
        let scale = below[0];
        Self { forward: above.map(|x| x / scale), back: [below[1] / scale, below[2] / scale], kept: [0.0; 2] }
    }

    pub(super) fn high_pass(hertz: f64, rate: f64) -> Self {
        Self::analogue([0.0, 1.0, 0.0], [TAU * hertz, 1.0, 0.0], rate)
    }

    pub(super) fn low_pass(time_constant_s: f64, rate: f64) -> Self {
        Self::analogue([1.0, 0.0, 0.0], [1.0, time_constant_s, 0.0], rate)
    }

    pub(super) fn butterworth_sixth_order(hertz: f64, rate: f64) -> [Self; 3] {
        let w = TAU * hertz;
        // 2 cos of 15, 45 and 75 degrees.
        [1.931_851_652_578_137, 2.0 * FRAC_1_SQRT_2, 0.517_638_090_205_041_5]
            .map(|damping| Self::analogue([w * w, 0.0, 0.0], [w * w, damping * w, 1.0], rate))
    }

    /// `k·w1·s/(s² + 2λs + w1²) · (1 + s/w2)/((1 + s/w3)(1 + s/w4))`, corners in Hz.
    pub(super) fn weighting(k: f64, lambda: f64, w1: f64, [w2, w3, w4]: [f64; 3], rate: f64) -> [Self; 2] {
        let [lambda, w1, w2, w3, w4] = [lambda, w1, w2, w3, w4].map(|hertz| TAU * hertz);
        let first = Self::analogue([0.0, k * w1, 0.0], [w1 * w1, 2.0 * lambda, 1.0], rate);
        let second = Self::analogue([1.0, 1.0 / w2, 0.0], [1.0, 1.0 / w3 + 1.0 / w4, 1.0 / (w3 * w4)], rate);
        [first, second]
    }

    pub(super) fn push(&mut self, x: f64) -> f64 {
        let y = self.forward[0] * x + self.kept[0];
        self.kept[0] = self.forward[1] * x - self.back[0] * y + self.kept[1];
        self.kept[1] = self.forward[2] * x - self.back[1] * y;
        y
    }

    /// What is left of a sine of this frequency.
    pub(super) fn magnitude(&self, hertz: f64, rate: f64) -> f64 {
        let angle = -TAU * hertz / rate;
        let of = |[zero, one, two]: [f64; 3]| {
            let re = zero + one * angle.cos() + two * (2.0 * angle).cos();
            re.hypot(one * angle.sin() + two * (2.0 * angle).sin())
        };
        of(self.forward) / of([1.0, self.back[0], self.back[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_stand_where_they_are_asked_for() {
        let rate = 4000.0;
        let butterworth = |hertz: f64| -> f64 {
            Filter::butterworth_sixth_order(35.0, rate).iter().map(|f| f.magnitude(hertz, rate)).product()
        };
        // The bilinear transform moves 35 Hz by a quarter of a thousandth.
        assert!((butterworth(35.0) - FRAC_1_SQRT_2).abs() < 1e-3 && (butterworth(1.0) - 1.0).abs() < 1e-9);
        // At 100 Hz by 2 thousandths, six times over.
        assert!((butterworth(100.0) / 0.35f64.powi(6) - 1.0).abs() < 0.015, "{}", butterworth(100.0));
        assert!((Filter::high_pass(0.05, rate).magnitude(0.05, rate) - FRAC_1_SQRT_2).abs() < 1e-6);
        // A sine that has settled comes out as large as `magnitude` says.
        let mut filter = Filter::high_pass(5.0, rate);
        let out: Vec<f64> = (0..8000).map(|n| filter.push((TAU * 10.0 * f64::from(n) / rate).sin())).collect();
        let peak = out[4000..].iter().fold(0f64, |peak, y| peak.max(y.abs()));
        assert!((peak - filter.magnitude(10.0, rate)).abs() < 1e-3, "{peak}");
    }
}
