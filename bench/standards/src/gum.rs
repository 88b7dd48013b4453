//! Uncertainty of a measurement by the law of propagation (JCGM 100, the GUM).
//!
//! Contributions enter as standard uncertainties of the *result*, sensitivity included. The expanded uncertainty is
//! `U = 2·sqrt(Σ u²)`; a contribution from few readings is widened by its Student factor, so that k = 2 keeps its
//! meaning of about 95 %. [`coverage_half_width`] checks that by drawing from the distributions themselves.

mod monte_carlo;

use meterbench_record::{BudgetItem, Uncertainty};

pub use monte_carlo::{COVERAGE_PROBABILITY, coverage_half_width};

/// Coverage factor of every expanded uncertainty.
pub const COVERAGE_FACTOR: f64 = 2.0;

/// Collects contributions.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    items: Vec<BudgetItem>,
}

impl Budget {
    /// From a certificate: expanded uncertainty at k = 2.
    #[must_use]
    pub fn certificate(self, item: &str, expanded: f64) -> Self {
        self.push(item, "B", "normal", expanded / COVERAGE_FACTOR, None)
    }

    /// A bound of equal probability: half the width over the square root of three.
    #[must_use]
    pub fn rectangular(self, item: &str, half_width: f64) -> Self {
        self.push(item, "B", "rectangular", half_width / 3f64.sqrt(), None)
    }

    /// The mean of repeated readings: `s/sqrt(n)`, widened for few readings. Of several series, each with a mean of its own,
    /// the pooled deviation counts. Nothing where no series has two readings.
    #[must_use]
    pub fn repeated(self, item: &str, series: &[Vec<f64>]) -> Self {
        let n: usize = series.iter().map(Vec::len).sum();
        let degrees: usize = series.iter().map(|readings| readings.len().saturating_sub(1)).sum();
        if degrees == 0 {
            return self;
        }
        let s = (series.iter().map(|readings| squares(readings)).sum::<f64>() / degrees as f64).sqrt();
        let standard = s / (n as f64).sqrt() * student_95_45(degrees) / COVERAGE_FACTOR;
        self.push(item, "A", "student", standard, u32::try_from(degrees).ok())
    }

    fn push(mut self, item: &str, kind: &str, distribution: &str, standard: f64, degrees: Option<u32>) -> Self {
        self.items.push(BudgetItem {
            item: item.to_owned(),
            kind: kind.to_owned(),
            distribution: distribution.to_owned(),
            standard: standard.abs(),
            degrees_of_freedom: degrees,
        });
        self
    }

    /// Adds up; the largest contribution comes first.
    pub fn combine(mut self) -> Uncertainty {
        self.items.sort_by(|a, b| b.standard.total_cmp(&a.standard));
        let variance: f64 = self.items.iter().map(|item| item.standard * item.standard).sum();
        Uncertainty { expanded: COVERAGE_FACTOR * variance.sqrt(), k: COVERAGE_FACTOR, budget: self.items }
    }
}

/// Arithmetic mean; `None` of nothing.
pub fn mean(readings: &[f64]) -> Option<f64> {
    (!readings.is_empty()).then(|| readings.iter().sum::<f64>() / readings.len() as f64)
}

/// Experimental standard deviation with `n - 1`; `None` below two readings.
pub fn experimental_deviation(readings: &[f64]) -> Option<f64> {
    (readings.len() >= 2).then(|| (squares(readings) / (readings.len() - 1) as f64).sqrt())
}

/// Sum of the squared departures from the mean.
fn squares(readings: &[f64]) -> f64 {
    mean(readings).map_or(0.0, |mean| readings.iter().map(|x| (x - mean) * (x - mean)).sum())
}

/// Student's t for 95.45 % (JCGM 100, table G.2); from ten degrees on by its expansion, within 0.2 %.
fn student_95_45(degrees: usize) -> f64 {
    const TABLE: [f64; 9] = [13.97, 4.53, 3.31, 2.87, 2.65, 2.52, 2.43, 2.37, 2.32];
    match degrees {
        0 => f64::INFINITY,
        1..=9 => TABLE[degrees - 1],
        _ => {
            let n = degrees as f64;
            2.0 + (8.0 + 2.0) / (4.0 * n) + (5.0 * 32.0 + 16.0 * 8.0 + 3.0 * 2.0) / (96.0 * n * n)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_add_in_squares() {
        let u = Budget::default().certificate("a", 0.06).rectangular("b", 0.04 * 3f64.sqrt()).combine();
        assert!((u.expanded - 0.1).abs() < 1e-12, "{}", u.expanded);
        assert_eq!(u.budget[0].item, "b", "the largest comes first");
    }

    #[test]
    fn the_deviation_uses_n_minus_one() {
        assert_eq!(experimental_deviation(&[1.0]), None);
        assert!((experimental_deviation(&[1.0, 2.0, 3.0]).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn each_series_has_a_mean_of_its_own() {
        let item = |series: &[Vec<f64>]| Budget::default().repeated("mean", series).combine().budget.pop();
        let pooled = item(&[vec![1.0, 2.0, 3.0], vec![11.0, 12.0, 13.0]]).unwrap();
        assert_eq!(pooled.degrees_of_freedom, Some(4));
        assert!((pooled.standard - student_95_45(4) / 2.0 / 6f64.sqrt()).abs() < 1e-12, "s = 1, six readings");
        assert!(item(&[vec![1.0], vec![2.0]]).is_none());
    }

    #[test]
    fn student_matches_the_published_table() {
        // JCGM 100:2008 table G.2, p = 95.45 %
        for (degrees, t) in [(2, 4.53), (10, 2.28), (20, 2.13), (50, 2.05)] {
            assert!((student_95_45(degrees) - t).abs() < 0.01, "{degrees}: {}", student_95_45(degrees));
        }
    }
}
