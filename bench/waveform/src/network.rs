//! Three-phase voltages by what happened in the network: symmetrical components, a lost neutral, a lost phase of the
//! medium-voltage side.
//!
//! Angles of sines are lags behind the common zero, as everywhere in this crate; arguments say how far something is ahead.

use std::ops::{Add, Mul, Sub};

use crate::played::Sine;

/// Lag of each phase where nothing is wrong (deg).
pub const BALANCED_LAG_DEG: [f64; 3] = [0.0, 120.0, 240.0];

/// A component beside the positive sequence.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Component {
    /// Share of the positive sequence [%].
    pub percent: f64,
    /// How far it is ahead of the positive sequence in L1 (deg).
    pub ahead_deg: f64,
}

/// How the windings of the transformer between medium and low voltage are connected; vector groups 11 and 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transformer {
    /// Delta on the side of the loss: no neutral of its own, one phase stays whole.
    Dyn,
    /// Star on both sides, the star point of the medium-voltage side open.
    Yyn,
    /// Star and zigzag: on the side of the loads it behaves like [`Transformer::Dyn`].
    Yzn,
}

/// Symmetrical components of three sines, as far as they can be stated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequences {
    /// Positive sequence (V or A).
    pub positive: f64,
    /// Negative against positive sequence, u2 [%].
    pub negative_percent: f64,
    /// Zero against positive sequence, u0 [%].
    pub zero_percent: f64,
}

/// Sines made of a positive sequence (V or A), and of a negative and a zero sequence beside it.
pub fn unbalanced(positive: f64, negative: Component, zero: Component) -> [Sine; 3] {
    let share = |of: Component| Complex::polar(positive * of.percent / 100.0, of.ahead_deg);
    let (negative, zero) = (share(negative), share(zero));
    let positive = Complex::polar(positive, 0.0);
    [0, 1, 2].map(|phase| {
        let (forward, backward) = (turn(-120.0 * f64::from(phase)), turn(120.0 * f64::from(phase)));
        (positive * forward + negative * backward + zero).sine()
    })
}

/// What three sines consist of; `None` where there is no positive sequence: nothing, or a reversed rotation.
pub fn sequences(sines: &[Sine; 3]) -> Option<Sequences> {
    let phasors = sines.map(|sine| Complex::polar(sine.rms, -sine.lag_deg));
    let component = |step: f64| {
        let sum = (0u8..3).zip(phasors).fold(Complex::ZERO, |sum, (n, u)| sum + u * turn(step * f64::from(n)));
        sum.magnitude() / 3.0
    };
    let (zero, positive, negative) = (component(0.0), component(120.0), component(-120.0));
    let largest = sines.iter().map(|sine| sine.rms).fold(0.0, f64::max);
    (positive > 1e-9 * largest).then(|| Sequences {
        positive,
        negative_percent: 100.0 * negative / positive,
        zero_percent: 100.0 * zero / positive,
    })
}

/// What a meter sees whose neutral is lost on the side of the network (Millman): the star point of the loads moves to where
/// their currents cancel. `admittances` of the loads are resistive and in any unit; `neutral` in the same unit is what is left of the
/// neutral, 0 where nothing is. `None` where nothing holds the star point.
pub fn lost_neutral(volt: f64, admittances: [f64; 3], neutral: f64) -> Option<[Sine; 3]> {
    let all: f64 = admittances.iter().sum::<f64>() + neutral;
    if all <= 0.0 || admittances.iter().any(|y| *y < 0.0) || neutral < 0.0 {
        return None;
    }
    let phasors = BALANCED_LAG_DEG.map(|lag| Complex::polar(volt, -lag));
    let star = phasors.iter().zip(admittances).fold(Complex::ZERO, |sum, (u, y)| sum + *u * Complex::real(y / all));
    Some(phasors.map(|u| (u - star).sine()))
}

/// What stands on the low-voltage side when a phase (0 to 2) of the medium-voltage side is lost. `negative_percent` is what
/// the loads make of it: u2 is 100 % where all are passive, and less where motors go on running and hold the low phases up.
pub fn lost_mv_phase(volt: f64, phase: usize, transformer: Transformer, negative_percent: f64) -> [Sine; 3] {
    // What the two phases that are left feed keeps its voltage: positive and negative sequence add up to it there.
    let positive = volt / (1.0 + negative_percent / 100.0);
    let behind = 120.0 * phase as f64;
    let ahead_deg = match transformer {
        // The winding between the other two phases: it is the next one's.
        Transformer::Dyn | Transformer::Yzn => 120.0 - 2.0 * behind,
        // The voltage between the other two; opposite in the lost phase.
        Transformer::Yyn => 180.0 - 2.0 * behind,
    };
    unbalanced(positive, Component { percent: negative_percent, ahead_deg }, Component::default())
}

fn turn(ahead_deg: f64) -> Complex {
    Complex::polar(1.0, ahead_deg)
}

#[derive(Debug, Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    const ZERO: Self = Self { re: 0.0, im: 0.0 };

    fn real(re: f64) -> Self {
        Self { re, im: 0.0 }
    }

    fn polar(magnitude: f64, ahead_deg: f64) -> Self {
        let (sin, cos) = ahead_deg.to_radians().sin_cos();
        Self { re: magnitude * cos, im: magnitude * sin }
    }

    fn magnitude(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// Rounded to a nanovolt and a billionth of a degree, so that what cancels is nothing.
    fn sine(self) -> Sine {
        let rounded = |x: f64| (x * 1e9).round() / 1e9;
        let rms = rounded(self.magnitude());
        let lag = if rms == 0.0 { 0.0 } else { rounded(-self.im.atan2(self.re).to_degrees()).rem_euclid(360.0) };
        Sine { rms, lag_deg: lag }
    }
}

impl Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the last digit of the tables.
    const VOLT: f64 = 0.051;
    const DEGREE: f64 = 0.051;

    fn magnitudes(sines: &[Sine; 3]) -> [f64; 3] {
        sines.map(|sine| sine.rms)
    }

    fn sines(rms: [f64; 3], ahead_deg: [f64; 3]) -> [Sine; 3] {
        [0, 1, 2].map(|n| Sine { rms: rms[n], lag_deg: -ahead_deg[n] })
    }

    #[track_caller]
    fn close(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found} is not {expected} ± {within}");
    }

    fn at_angles(found: &[Sine; 3], ahead_deg: [f64; 3]) {
        for (sine, ahead) in found.iter().zip(ahead_deg) {
            let apart = (sine.lag_deg + ahead + 180.0).rem_euclid(360.0) - 180.0;
            assert!(sine.rms == 0.0 || apart.abs() <= DEGREE, "{sine:?} is not at {ahead}");
        }
    }

    /// Unbalance sets of the bench: voltages [% Un], angles, u2, u0; four decimals are given.
    #[test]
    fn unbalance_of_known_sets() {
        let straight = [0.0, -120.0, 120.0];
        for (rms, angles, u2, u0) in [
            ([100.0, 100.0, 100.0], straight, 0.0, 0.0),
            ([95.0, 100.0, 100.0], straight, 1.6949, 1.6949),
            ([94.1176, 100.0, 100.0], straight, 2.0, 2.0),
            ([90.0, 100.0, 100.0], straight, 3.4483, 3.4483),
            ([73.0, 80.0, 87.0], straight, 5.0518, 5.0518),
            ([152.0, 140.0, 128.0], straight, 4.9487, 4.9487),
            ([100.0, 115.7895, 100.0], straight, 5.0, 5.0),
            ([100.0, 100.0, 100.0], [0.0, -122.0, 118.0], 1.1637, 1.1637),
            ([102.0, 99.015, 99.015], [0.0, -121.0, 121.0], 2.0, 0.0),
            ([102.0, 99.015, 99.015], [0.0, -119.0, 119.0], 0.0, 2.0),
        ] {
            let found = sequences(&sines(rms, angles)).unwrap();
            // Angles of the pure sets are rounded to a hundredth of a degree: 2e-4 of a radian on 99 %.
            let within = if angles == straight { 6e-5 } else { 5e-3 };
            close(found.negative_percent, u2, within);
            close(found.zero_percent, u0, within);
        }
        assert_eq!(sequences(&sines([100.0; 3], [0.0, 120.0, -120.0])), None, "a reversed rotation");
        assert_eq!(sequences(&[Sine::default(); 3]), None);
    }

    #[test]
    fn what_is_made_of_components_has_them() {
        let two = Component { percent: 2.0, ahead_deg: 0.0 };
        let negative = unbalanced(100.0, two, Component::default());
        for (found, expected) in magnitudes(&negative).into_iter().zip([102.0, 99.015, 99.015]) {
            close(found, expected, 1e-3);
        }
        at_angles(&negative, [0.0, -121.0, 121.0]);
        let zero = unbalanced(100.0, Component::default(), two);
        at_angles(&zero, [0.0, -119.0, 119.0]);
        for ahead_deg in (0..360).step_by(30).map(f64::from) {
            let made = unbalanced(
                230.0,
                Component { percent: 3.0, ahead_deg },
                Component { percent: 1.0, ahead_deg: 2.0 * ahead_deg },
            );
            let found = sequences(&made).unwrap();
            close(found.positive, 230.0, 1e-6);
            close(found.negative_percent, 3.0, 1e-6);
            close(found.zero_percent, 1.0, 1e-6);
        }
    }

    /// Loads L1 to L3, voltages (V), angles (deg), u0 [%] at 230 V.
    #[test]
    fn a_lost_neutral_moves_the_star_point() {
        for (loads, volts, angles, u0) in [
            ([1.0, 1.0, 1.0], [230.0, 230.0, 230.0], [0.0, -120.0, 120.0], 0.0),
            ([2.0, 2.0, 1.0], [210.8, 210.8, 276.0], [10.9, -130.9, 120.0], 20.0),
            ([2.0, 1.0, 1.0], [172.5, 263.5, 263.5], [0.0, -130.9, 130.9], 25.0),
            ([3.0, 2.0, 1.0], [175.7, 239.4, 289.4], [10.9, -136.1, 126.6], 28.9),
            ([5.0, 5.0, 1.0], [201.6, 201.6, 313.6], [21.1, -141.1, 120.0], 36.4),
            ([4.0, 1.0, 1.0], [115.0, 304.3, 304.3], [0.0, -139.1, 139.1], 50.0),
            ([1.0, 1.0, 0.0], [199.2, 199.2, 345.0], [30.0, -150.0, 120.0], 50.0),
            ([1.0, 0.0, 0.0], [0.0, 398.4, 398.4], [0.0, -150.0, 150.0], 100.0),
        ] {
            let seen = lost_neutral(230.0, loads, 0.0).unwrap();
            for (found, expected) in magnitudes(&seen).into_iter().zip(volts) {
                close(found, expected, VOLT);
            }
            at_angles(&seen, angles);
            let found = sequences(&seen).unwrap();
            close(found.zero_percent, u0, 0.05);
            // The voltages between the phases are those of the network.
            close(found.negative_percent, 0.0, 1e-6);
        }
        let partial = sequences(&lost_neutral(230.0, [2.0, 1.0, 1.0], 1.0).unwrap()).unwrap();
        close(partial.zero_percent, 20.0, 1e-6);
        assert_eq!(lost_neutral(230.0, [0.0; 3], 0.0), None);
        assert_eq!(lost_neutral(230.0, [1.0, -1.0, 1.0], 0.0), None);
    }

    #[test]
    fn a_lost_phase_of_the_medium_voltage_side() {
        use Transformer::{Dyn, Yyn, Yzn};
        // L1 lost: the winding between the other two stays whole, that is L2.
        let delta = lost_mv_phase(230.0, 0, Dyn, 100.0);
        for (found, expected) in magnitudes(&delta).into_iter().zip([115.0, 230.0, 115.0]) {
            close(found, expected, 1e-6);
        }
        // The low ones are in phase with each other and opposite to the first.
        at_angles(&delta, [60.0, -120.0, 60.0]);
        assert_eq!(lost_mv_phase(230.0, 0, Yzn, 100.0), delta);
        let star = lost_mv_phase(230.0, 0, Yyn, 100.0);
        for (found, expected) in magnitudes(&star).into_iter().zip([0.0, 199.186, 199.186]) {
            close(found, expected, 1e-3);
        }
        at_angles(&star, [0.0, -90.0, 90.0]);
        // The phase that is whole moves with the one that is lost.
        for (lost, whole) in [(0, 1), (1, 2), (2, 0)] {
            close(magnitudes(&lost_mv_phase(230.0, lost, Dyn, 100.0))[whole], 230.0, 1e-6);
            close(magnitudes(&lost_mv_phase(230.0, lost, Yyn, 100.0))[lost], 0.0, 1e-6);
            for percent in [30.0, 50.0, 70.0, 100.0] {
                for transformer in [Dyn, Yyn] {
                    let seen = lost_mv_phase(230.0, lost, transformer, percent);
                    let found = sequences(&seen).unwrap();
                    close(found.negative_percent, percent, 1e-6);
                    close(found.zero_percent, 0.0, 1e-6);
                }
                close(magnitudes(&lost_mv_phase(230.0, lost, Dyn, percent))[whole], 230.0, 1e-6);
            }
        }
    }
}
