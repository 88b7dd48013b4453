//! Symmetrical components of three phasors (IEC 61000-4-30).
//!
//! `U1 = (Ua + a·Ub + a²·Uc)/3`, `U2 = (Ua + a²·Ub + a·Uc)/3`, `U0 = (Ua + Ub + Uc)/3` with `a` a third of a turn;
//! `u2 = U2/U1`, `u0 = U0/U1`.

use super::values::{Phasor, Unbalance};

/// Without a positive sequence of this much (V) there is nothing to compare with.
const LEAST_POSITIVE: f32 = 5.0;

const A: Phasor = Phasor { re: -0.5, im: 0.866_025_4 };
const A_SQUARED: Phasor = Phasor { re: -0.5, im: -0.866_025_4 };

/// Positive, negative and zero sequence of three phases.
pub fn symmetrical_components(of: &[Phasor; 3]) -> [Phasor; 3] {
    let [a, b, c] = *of;
    let third = |x: Phasor| Phasor { re: x.re / 3.0, im: x.im / 3.0 };
    [third(a + A * b + A_SQUARED * c), third(a + A_SQUARED * b + A * c), third(a + b + c)]
}

impl Unbalance {
    /// Of the fundamentals of three voltages (V). `None` without a positive sequence: no voltage, or reverse rotation.
    ///
    /// Error below 0.001 points of u2 and u0 beside that of the phasors.
    pub fn of(voltages: &[Phasor; 3]) -> Option<Self> {
        let [positive, negative, zero] = symmetrical_components(voltages).map(Phasor::magnitude);
        let against = |x: f32| (x / positive * 100_000.0 + 0.5) as u32;
        (positive >= LEAST_POSITIVE).then(|| Self {
            negative: against(negative),
            zero: against(zero),
            positive_mv: (positive * 1000.0 + 0.5) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phasors(of: [(f64, f64); 3]) -> [Phasor; 3] {
        of.map(|(percent, degrees)| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            Phasor { re: (2.3 * percent * cos) as f32, im: (2.3 * percent * sin) as f32 }
        })
    }

    /// Percent and degrees of L1, L2, L3; u2 and u0 (%).
    type Row = ([(f64, f64); 3], f64, f64);

    #[test]
    fn sets_in_closed_form() {
        // One phase scaled by k: u2 = u0 = |k - 1|/(k + 2).
        #[rustfmt::skip]
        let rows: [Row; 10] = [
            ([(100.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 0.0, 0.0),
            ([(95.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 1.6949, 1.6949),
            ([(94.1176, 0.0), (100.0, -120.0), (100.0, 120.0)], 2.0, 2.0),
            ([(90.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 3.4483, 3.4483),
            ([(73.0, 0.0), (80.0, -120.0), (87.0, 120.0)], 5.0518, 5.0518),
            ([(152.0, 0.0), (140.0, -120.0), (128.0, 120.0)], 4.9487, 4.9487),
            ([(100.0, 0.0), (115.7895, -120.0), (100.0, 120.0)], 5.0, 5.0),
            ([(100.0, 0.0), (100.0, -122.0), (100.0, 118.0)], 1.1637, 1.1637),
            ([(102.0, 0.0), (99.015, -121.0), (99.015, 121.0)], 2.0, 0.0),
            ([(102.0, 0.0), (99.015, -119.0), (99.015, 119.0)], 0.0, 2.0),
        ];
        let mut worst = 0.0f64;
        for (of, negative, zero) in rows {
            let got = Unbalance::of(&phasors(of)).unwrap();
            for (got, wanted) in [(got.negative, negative), (got.zero, zero)] {
                worst = worst.max((f64::from(got) / 1000.0 - wanted).abs());
            }
        }
        std::println!("unbalance, sets in closed form: off by at most {worst:.4} points");
        // The sets of the table have four digits, and angles of whole degrees.
        assert!(worst < 0.003);
    }

    #[test]
    fn reverse_rotation_has_no_unbalance() {
        assert_eq!(Unbalance::of(&phasors([(100.0, 0.0), (100.0, 120.0), (100.0, -120.0)])), None);
        assert_eq!(Unbalance::of(&[Phasor::default(); 3]), None);
    }
}
