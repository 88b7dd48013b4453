//! What a wave with its distortion comes to: RMS value, peak, the table of one period.

use std::f64::consts::{SQRT_2, TAU};

use meterbench_waveform::{Distortion, Harmonic};

/// Points of one period at which the peak is sought. Sum of orders to 100: the true peak is at most 1.2 % higher where the whole wave is of
/// order 100 (cosine of half a step), 0.05 % for what a grid carries.
const POINTS: usize = 2048;

/// Value at an angle of the fundamental (rad), by a fundamental of amplitude one; without interharmonic and modulation.
pub(crate) fn periodic(harmonics: &[Harmonic], angle: f64) -> f64 {
    harmonics.iter().fold(angle.sin(), |sum, harmonic| {
        let share = harmonic.percent / 100.0;
        match harmonic.order {
            0 => sum + share / SQRT_2,
            order => sum + share * (f64::from(order) * angle + harmonic.angle_deg.to_radians()).sin(),
        }
    })
}

/// Highest amplitude by the fundamental's, with everything.
pub(crate) fn peak(distortion: &Distortion) -> f64 {
    let at = |n: usize| periodic(&distortion.harmonics, n as f64 / POINTS as f64 * TAU).abs();
    let peak = (0..POINTS).map(at).fold(0.0, f64::max);
    let interharmonic = distortion.interharmonic.map_or(0.0, |i| i.percent / 100.0);
    let modulation = distortion.modulation.map_or(0.0, |m| m.percent.abs() / 200.0);
    (peak + interharmonic) * (1.0 + modulation)
}

/// RMS value of the components by the fundamental's, without modulation.
pub(crate) fn rms(distortion: &Distortion) -> f64 {
    let harmonics = distortion.harmonics.iter().map(|h| h.percent);
    let shares = harmonics.chain(distortion.interharmonic.map(|i| i.percent));
    (1.0 + shares.map(|percent| (percent / 100.0).powi(2)).sum::<f64>()).sqrt()
}

/// An angle in (-180, 180] degrees.
pub(crate) fn wrapped(degrees: f64) -> f64 {
    // Adding zero turns a negative zero into zero: it is written out.
    let turned = degrees.rem_euclid(360.0) + 0.0;
    if turned > 180.0 { turned - 360.0 } else { turned }
}

/// A figure for a message: four decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use meterbench_waveform::{Interharmonic, Modulation, ModulationShape};

    use super::*;

    #[test]
    fn peaks_and_rms_are_those_of_closed_form() {
        let third = |angle_deg| Distortion {
            harmonics: vec![Harmonic { order: 3, percent: 30.0, angle_deg }],
            ..Distortion::default()
        };
        // sin(x) + 0.3 sin(3x + 180 deg): both at their maximum at 90 deg.
        assert!((peak(&third(180.0)) - 1.3).abs() < 1e-6);
        assert!(peak(&third(0.0)) < 1.0, "a third in phase flattens the wave");
        assert!((rms(&third(0.0)) - 1.09f64.sqrt()).abs() < 1e-12);
        // A direct part as large as the fundamental (RMS): 1 + 1/sqrt 2 of its amplitude.
        let direct = Harmonic { order: 0, percent: 100.0, angle_deg: 0.0 };
        let mut wave = Distortion { harmonics: vec![direct], ..Distortion::default() };
        assert!((peak(&wave) - (1.0 + 1.0 / SQRT_2)).abs() < 1e-6);
        wave.interharmonic = Some(Interharmonic { hertz: 182.5, percent: 10.0 });
        wave.modulation = Some(Modulation { shape: ModulationShape::Sine, hertz: 8.8, percent: 20.0 });
        assert!((peak(&wave) - (1.0 + 1.0 / SQRT_2 + 0.1) * 1.1).abs() < 1e-6);
    }

    #[test]
    fn angles_are_wrapped() {
        for (angle, within) in [(-240.0, 120.0), (180.0, 180.0), (-180.0, 180.0), (359.0, -1.0), (0.0, 0.0)] {
            assert!((wrapped(angle) - within).abs() < 1e-9, "{angle}");
        }
    }
}
