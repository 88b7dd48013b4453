//! The angle of a phasor, by a polynomial: the same digits on every processor.

use meterbench_metrology::Phasor;

/// Coefficients of atan(x)/x in x², |x| ≤ 1; their error is 2·10⁻⁸ (Abramowitz and Stegun, 4.4.49), far below 0.01°.
const ARC_TANGENT: [f32; 9] = [
    1.0,
    -0.333_331_45,
    0.199_935_51,
    -0.142_089,
    0.106_562_64,
    -0.075_289_64,
    0.042_909_614,
    -0.016_165_737,
    0.002_866_225_7,
];

/// From the start of the window: positive where the sine leads it (0.01°, above -180° and up to 180°); 0 for no sine.
pub(crate) fn hundredths_of_degree(phasor: Phasor) -> i16 {
    let (along, across) = (phasor.re.abs(), phasor.im.abs());
    let (short, long) = if across < along { (across, along) } else { (along, across) };
    if long == 0.0 {
        return 0;
    }
    let ratio = short / long;
    let square = ratio * ratio;
    let sum = ARC_TANGENT.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient);
    let angle = ratio * sum * (18_000.0 / core::f32::consts::PI);
    // Mirrored back: at 45°, at the upright axis, at the level one.
    let angle = if across < along { angle } else { 9_000.0 - angle };
    let angle = if phasor.re < 0.0 { 18_000.0 - angle } else { angle };
    let rounded = (angle + 0.5) as i16;
    if phasor.im < 0.0 && rounded < 18_000 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_right_to_a_hundredth_of_a_degree() {
        for n in -18_000..=18_000i32 {
            for length in [1e-3, 230.0, 4e5] {
                let radians = f64::from(n).to_radians() / 100.0;
                let phasor = Phasor { re: (length * radians.cos()) as f32, im: (length * radians.sin()) as f32 };
                let found = i32::from(hundredths_of_degree(phasor));
                let apart = (found - n).rem_euclid(36_000);
                assert!(apart <= 1 || apart == 35_999, "{n}: {found}");
            }
        }
        assert_eq!(hundredths_of_degree(Phasor { re: 0.0, im: 0.0 }), 0);
        assert_eq!(hundredths_of_degree(Phasor { re: -1.0, im: -0.0 }), 18_000);
    }
}
