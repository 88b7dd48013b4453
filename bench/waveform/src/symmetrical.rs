//! Symmetrical components of three fundamentals (IEC 61000-4-30).

use std::f64::consts::PI;

use crate::wave::Phasor;

/// Positive, negative and zero sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symmetrical {
    /// U1.
    pub positive: Phasor,
    /// U2.
    pub negative: Phasor,
    /// U0.
    pub zero: Phasor,
}

impl Symmetrical {
    /// Of three phasors.
    pub fn of(phases: [Phasor; 3]) -> Self {
        let sequence = |turn: f64| {
            let part = |n: usize| {
                let (sin, cos) = (turn * n as f64 * 2.0 * PI / 3.0).sin_cos();
                let Phasor { re, im } = phases[n];
                (re * cos - im * sin, re * sin + im * cos)
            };
            let (a, b, c) = (part(0), part(1), part(2));
            Phasor { re: (a.0 + b.0 + c.0) / 3.0, im: (a.1 + b.1 + c.1) / 3.0 }
        };
        Self { positive: sequence(1.0), negative: sequence(-1.0), zero: sequence(0.0) }
    }

    /// u2 [%]; nothing without a positive sequence, as with two phases swapped.
    pub fn negative_percent(&self) -> Option<f64> {
        self.percent(self.negative)
    }

    /// u0 [%]; nothing without a positive sequence.
    pub fn zero_percent(&self) -> Option<f64> {
        self.percent(self.zero)
    }

    fn percent(&self, of: Phasor) -> Option<f64> {
        let positive = self.positive.rms();
        let most = positive.max(self.negative.rms()).max(self.zero.rms());
        (positive > 1e-6 * most).then(|| 100.0 * of.rms() / positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RMS values and angles of three phases, and u2 and u0 [%] to the fourth decimal.
    #[test]
    fn sets_of_known_unbalance() {
        let straight = [0.0, -120.0, 120.0];
        #[rustfmt::skip]
        let sets = [
            ([100.0, 100.0, 100.0],       straight,             0.0,    0.0),
            ([95.0, 100.0, 100.0],        straight,             1.6949, 1.6949),
            ([94.1176, 100.0, 100.0],     straight,             2.0,    2.0),
            ([90.0, 100.0, 100.0],        straight,             3.4483, 3.4483),
            ([73.0, 80.0, 87.0],          straight,             5.0518, 5.0518),
            ([152.0, 140.0, 128.0],       straight,             4.9487, 4.9487),
            ([100.0, 115.7895, 100.0],    straight,             5.0,    5.0),
            ([100.0, 100.0, 100.0],       [0.0, -122.0, 118.0], 1.1637, 1.1637),
            ([102.0, 99.0152, 99.0152],   [0.0, -121.0024, 121.0024], 2.0, 0.0),
            ([102.0, 99.0152, 99.0152],   [0.0, -118.9976, 118.9976], 0.0, 2.0),
        ];
        for (rms, degrees, negative, zero) in sets {
            let set = Symmetrical::of([0, 1, 2].map(|n| Phasor::polar(rms[n], degrees[n])));
            let (u2, u0) = (set.negative_percent().unwrap(), set.zero_percent().unwrap());
            // Inputs and figures have four decimals.
            assert!((u2 - negative).abs() < 2e-4 && (u0 - zero).abs() < 2e-4, "{rms:?} {degrees:?}: {u2} {u0}");
        }
        let reverse = Symmetrical::of([Phasor::polar(1.0, 0.0), Phasor::polar(1.0, 120.0), Phasor::polar(1.0, -120.0)]);
        assert_eq!(reverse.negative_percent(), None);
        let nothing = Symmetrical::of([Phasor::default(); 3]);
        assert_eq!(nothing.zero_percent(), None);
    }
}
