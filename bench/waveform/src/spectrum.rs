//! Harmonics over ten cycles by IEC 61000-4-7, in closed form: bins of a tenth of the fundamental, groups and distortion factors.

use crate::wave::{Phasor, Wave};

/// Cycles of a window at 50 Hz; at 60 Hz the standard takes twelve.
pub const CYCLES: usize = 10;
/// The highest order.
pub const HIGHEST_ORDER: usize = 50;

/// Fourier coefficients of one window, a bin every `fundamental / cycles`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    cycles: usize,
    bins: Vec<Phasor>,
}

impl Wave {
    /// The window of ten cycles (twelve above 55 Hz) that begins with the n-th zero crossing.
    pub fn spectrum(&self, n: i64) -> Spectrum {
        let cycles = if self.hertz() > 55.0 { CYCLES + 2 } else { CYCLES };
        let (from, to) = (self.zero_crossing(n), self.zero_crossing(n + 2 * cycles as i64));
        let bin = self.hertz() / cycles as f64;
        let bins = (0..=cycles * HIGHEST_ORDER + cycles).map(|k| self.component(k as f64 * bin, from, to));
        Spectrum { cycles, bins: bins.collect() }
    }
}

impl Spectrum {
    /// The component of an order, from 0.
    pub fn harmonic(&self, order: usize) -> Phasor {
        self.bins.get(order * self.cycles).copied().unwrap_or_default()
    }

    /// RMS value of the bins from one to another around an order, both included; ends of a group count half.
    fn sum(&self, order: usize, from: i64, to: i64, half_ends: bool) -> f64 {
        let centre = (order * self.cycles) as i64;
        let square = |offset: i64| {
            let bin = usize::try_from(centre + offset).ok().and_then(|at| self.bins.get(at));
            let weight = if half_ends && (offset == from || offset == to) { 0.5 } else { 1.0 };
            weight * bin.map_or(0.0, |bin| bin.rms().powi(2))
        };
        (from..=to).map(square).sum::<f64>().sqrt()
    }

    /// Harmonic subgroup: the order's bin and its neighbours.
    pub fn subgroup(&self, order: usize) -> f64 {
        self.sum(order, -1, 1, false)
    }

    /// Harmonic group: half way to the orders beside it.
    pub fn group(&self, order: usize) -> f64 {
        let half = (self.cycles / 2) as i64;
        self.sum(order, -half, half, true)
    }

    /// Centred interharmonic subgroup above an order.
    pub fn interharmonic_subgroup(&self, order: usize) -> f64 {
        self.sum(order, 2, self.cycles as i64 - 2, false)
    }

    /// Total harmonic distortion of orders 2 to the highest, against the fundamental [%].
    pub fn thd(&self, highest: usize) -> f64 {
        self.distortion(highest, |order| self.harmonic(order).rms())
    }

    /// The same of subgroups, THDS.
    pub fn thds(&self, highest: usize) -> f64 {
        self.distortion(highest, |order| self.subgroup(order))
    }

    fn distortion(&self, highest: usize, of: impl Fn(usize) -> f64) -> f64 {
        let fundamental = of(1);
        if fundamental == 0.0 {
            return 0.0;
        }
        100.0 * (2..=highest).map(|order| of(order).powi(2)).sum::<f64>().sqrt() / fundamental
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_2_PI;

    use crate::waveform::{Distortion, Harmonic, Interharmonic};

    use super::*;

    fn wave(harmonics: &[(u16, f64)], interharmonic: Option<(f64, f64)>) -> Wave {
        let harmonics =
            harmonics.iter().map(|&(order, percent)| Harmonic { order, percent, angle_deg: f64::from(order) * 37.0 });
        let interharmonic = interharmonic.map(|(hertz, percent)| Interharmonic { hertz, percent });
        let distortion = Distortion { harmonics: harmonics.collect(), interharmonic, modulation: None };
        Wave::new(50.0, 100.0, 0.3, &distortion)
    }

    /// Figures of a closed form: the tolerance is the rounding of f64 over 6000 integrals.
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
    }

    #[test]
    fn one_harmonic_stands_in_its_own_subgroup_alone() {
        for order in [2, 5, 17, 49, 50] {
            let spectrum = wave(&[(order, 6.0)], None).spectrum(0);
            for n in 2..=HIGHEST_ORDER {
                close(spectrum.subgroup(n), if n == usize::from(order) { 6.0 } else { 0.0 });
            }
            close(spectrum.harmonic(usize::from(order)).rms(), 6.0);
            close(spectrum.thd(50), 6.0);
        }
    }

    #[test]
    fn a_tone_between_bins_leaks_and_one_between_orders_stands_in_its_group() {
        // Half way between two bins: 2/π each, and a little of what mirrors at 0 Hz.
        let spectrum = wave(&[], Some((182.5, 1.0))).spectrum(0);
        for bin in [36, 37] {
            assert!((spectrum.bins[bin].rms() - FRAC_2_PI).abs() < 0.01, "{}", spectrum.bins[bin].rms());
        }
        let spectrum = wave(&[], Some((260.0, 1.0))).spectrum(0);
        close(spectrum.subgroup(5), 0.0);
        close(spectrum.group(5), 1.0);
        close(spectrum.interharmonic_subgroup(5), 1.0);
    }

    #[test]
    fn orders_above_the_fortieth_tell_two_distortion_factors_apart() {
        let orders: Vec<(u16, f64)> = (41..=50).map(|order| (order, 1.0)).collect();
        let spectrum = wave(&orders, None).spectrum(1);
        close(spectrum.thd(40), 0.0);
        close(spectrum.thd(50), 10f64.sqrt());
        close(spectrum.thds(50), 10f64.sqrt());
    }

    /// The table of EN 50160 scaled to a THD of 8 %.
    #[test]
    fn the_table_of_en_50160_scaled_gives_eight_percent() {
        #[rustfmt::skip]
        let table = [(2, 2.0), (3, 5.0), (4, 1.0), (5, 6.0), (6, 0.5), (7, 5.0), (8, 0.5), (9, 1.5), (10, 0.5), (11, 3.5), (12, 0.5), (13, 3.0),
            (14, 0.5), (15, 0.5), (16, 0.5), (17, 2.0), (18, 0.5), (19, 1.5), (20, 0.5), (21, 0.5), (22, 0.5), (23, 1.5), (24, 0.5), (25, 1.5)];
        let scaled = table.map(|(order, percent)| (order, 0.706_417 * percent));
        let thd = wave(&scaled, None).spectrum(0).thd(40);
        // The factor has six digits.
        assert!((thd - 8.0).abs() < 1e-4, "{thd}");
    }
}
