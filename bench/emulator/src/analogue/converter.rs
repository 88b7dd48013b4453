//! What the converter makes of a component by its frequency: the filter before it, and its decimation.
//!
//! A sigma-delta converter with a decimation filter of linear phase: its delay is the same in every channel and is left out. At order
//! 50 of 52.5 Hz it is 2·10⁻⁵ down; an equaliser leaves a residue beside that, 0.2 % there from meter to meter. At half the sampling
//! rate, 4 kHz, it is 15 dB down; what folds back from above that stays above order 50.

use meterbench_metrology::HIGHEST_ORDER;

/// Corner of the decimation filter (Hz) and its order.
const CORNER: f64 = 3600.0;
const ORDER: i32 = 16;
/// Frequency at which the residue of the equaliser is stated (Hz): order 50.
const EQUALISED_AT: f64 = 50.0 * HIGHEST_ORDER as f64;

/// The way of one channel to its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Converter {
    /// Relative error of the gain at 2.5 kHz beside that at the fundamental; it grows with the square of the frequency.
    pub(crate) residue: f64,
    /// Corner of a plain low-pass of first order in the place of the decimation filter (Hz): nothing keeps out what folds back.
    pub(crate) plain: Option<f64>,
}

impl Converter {
    /// Without a residue.
    #[cfg(test)]
    pub(crate) const EVEN: Self = Self { residue: 0.0, plain: None };

    /// The corner of a plain low-pass that loses this share of the fifth harmonic beside the fundamental (Hz); the share is below 0.8.
    pub(crate) fn corner_losing(share: f64, hertz: f64) -> f64 {
        let left = (1.0 - share) * (1.0 - share);
        hertz / ((1.0 - left) / (25.0 * left - 1.0)).sqrt()
    }

    /// Gain of a component against that of the fundamental, and the angle by which it lags beside the delay to which the fundamental was
    /// adjusted (rad).
    pub(crate) fn response(&self, hertz: f64, fundamental: f64) -> (f64, f64) {
        if hertz == fundamental || hertz == 0.0 {
            return (1.0, 0.0);
        }
        if let Some(corner) = self.plain {
            let (x, one) = (hertz / corner, fundamental / corner);
            let gain = ((1.0 + one * one) / (1.0 + x * x)).sqrt();
            return (gain, x.atan() - hertz / fundamental * one.atan());
        }
        let decimated = 1.0 / (1.0 + (hertz / CORNER).powi(2 * ORDER)).sqrt();
        let relative = hertz / EQUALISED_AT;
        (decimated * (1.0 + self.residue * relative * relative), 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_50_passes_and_what_would_fold_back_onto_it_does_not() {
        let gain = |hertz: f64| Converter::EVEN.response(hertz, 50.0).0;
        println!("decimation: {:+.1e} at 2.5 kHz, {:+.1e} at 2625 Hz", gain(2500.0) - 1.0, gain(2625.0) - 1.0);
        assert!((gain(2625.0) - 1.0).abs() < 3e-5);
        // The lowest frequency that folds back onto order 50 of 52.5 Hz.
        assert!(gain(8000.0 - 2625.0) < 2e-3);
    }

    #[test]
    fn a_plain_low_pass_loses_the_share_it_was_made_for() {
        let plain = Converter { residue: 0.0, plain: Some(Converter::corner_losing(0.4, 50.0)) };
        assert!((plain.response(250.0, 50.0).0 - 0.6).abs() < 1e-12);
        assert_eq!(plain.response(50.0, 50.0), (1.0, 0.0));
        assert!(plain.response(4500.0, 50.0).0 > 0.01, "no zero above half the sampling rate");
    }
}
