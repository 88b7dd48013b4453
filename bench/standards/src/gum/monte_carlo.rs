//! The propagation of distributions (JCGM 101): a check of the expanded uncertainty that the law of propagation gives.
//!
//! Every item of a budget is drawn from its own distribution and the draws are added; the model of a budget is linear, so
//! this checks the *form* of the distributions behind k = 2, not the linearity of the measurement.
//!
//! - `normal`: standard deviation `standard`; independent normal items are one normal item of their added variances.
//! - `rectangular`, `triangular`: half-width `standard·sqrt(3)`, `standard·sqrt(6)`.
//! - `student`: the mean of a few readings is a scaled and shifted t of `n - 1` degrees of freedom with scale `s/sqrt(n)`
//!   (JCGM 101, 6.4.9). In the budget `standard` is `s/sqrt(n)·t95/2`: widened, so that k = 2 covers. The widening is an
//!   effect of the very t that is drawn here and must not enter twice, so the scale drawn with is `2·standard/t95`.
//! - anything else, and a `student` item without degrees of freedom: normal.

use meterbench_record::BudgetItem;

use super::{COVERAGE_FACTOR, student_95_45};

/// Coverage probability of k = 2 with a normal distribution.
pub const COVERAGE_PROBABILITY: f64 = 0.9545;

/// Half-width of the coverage interval of 95.45 % about the value, by this many trials; zero for an empty budget.
///
/// All distributions are symmetric with one peak: the symmetric interval is the shortest. Its standard error is
/// `0.96/sqrt(trials)` of a normal result (0.7 % for 20 000 trials). Equal arguments give equal results.
pub fn coverage_half_width(budget: &[BudgetItem], trials: usize, seed: u64) -> f64 {
    let (normal, others) = distributions(budget);
    if trials == 0 || normal == 0.0 && others.is_empty() {
        return 0.0;
    }
    let mut random = SplitMix64(seed);
    let mut magnitudes: Vec<f64> = (0..trials)
        .map(|_| {
            let first = if normal > 0.0 { normal * random.normal() } else { 0.0 };
            others.iter().fold(first, |sum, other| sum + other.draw(&mut random)).abs()
        })
        .collect();
    let rank = ((COVERAGE_PROBABILITY * trials as f64).ceil() as usize).clamp(1, trials) - 1;
    *magnitudes.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// What is drawn besides the normal part.
enum Distribution {
    Rectangular { half_width: f64 },
    Triangular { half_width: f64 },
    Student { scale: f64, degrees: f64 },
}

impl Distribution {
    fn draw(&self, random: &mut SplitMix64) -> f64 {
        match self {
            Self::Rectangular { half_width } => half_width * (2.0 * random.uniform() - 1.0),
            Self::Triangular { half_width } => half_width * (random.uniform() + random.uniform() - 1.0),
            Self::Student { scale, degrees } => scale * random.student(*degrees),
        }
    }
}

/// The standard deviation of the normal part, and the rest.
fn distributions(budget: &[BudgetItem]) -> (f64, Vec<Distribution>) {
    let mut variance = 0.0;
    let mut others = Vec::new();
    for item in budget.iter().filter(|item| item.standard > 0.0) {
        match (item.distribution.as_str(), item.degrees_of_freedom) {
            ("rectangular", _) => others.push(Distribution::Rectangular { half_width: item.standard * 3f64.sqrt() }),
            ("triangular", _) => others.push(Distribution::Triangular { half_width: item.standard * 6f64.sqrt() }),
            ("student", Some(degrees @ 1..)) => {
                let scale = item.standard * COVERAGE_FACTOR / student_95_45(degrees as usize);
                others.push(Distribution::Student { scale, degrees: f64::from(degrees) });
            }
            _ => variance += item.standard * item.standard,
        }
    }
    (variance.sqrt(), others)
}

/// Steele, Lea and Flood (2014): 64 bits of state, a period of 2^64.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, never either.
    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Bailey (1994): Box and Muller's method for Student's t, exact for any degrees of freedom.
    fn student(&mut self, degrees: f64) -> f64 {
        let radius = (degrees * (self.uniform().powf(-2.0 / degrees) - 1.0)).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::*;

    const TRIALS: usize = 200_000;

    fn half_width(budget: Budget) -> f64 {
        coverage_half_width(&budget.combine().budget, TRIALS, 1)
    }

    /// Equal within five standard errors of a normal result, or so many times that.
    fn near(found: f64, expected: f64, times: f64) {
        let tolerance = 5.0 * 0.96 / (TRIALS as f64).sqrt() * times;
        assert!((found / expected - 1.0).abs() < tolerance, "{found}, expected {expected} within {tolerance}");
    }

    #[test]
    fn one_distribution_gives_its_own_interval() {
        near(half_width(Budget::default().certificate("certificate", 0.06)), 0.06, 1.0);
        near(half_width(Budget::default().rectangular("bound", 0.1)), 0.095_45, 1.0);
    }

    #[test]
    fn two_equal_rectangles_are_a_triangle() {
        // Of half-width 2a: P(|x| <= h) = 1 - (1 - h/2a)².
        let budget = Budget::default().rectangular("one", 0.1).rectangular("other", 0.1);
        near(half_width(budget), 0.2 * (1.0 - 0.0455f64.sqrt()), 1.0);
    }

    #[test]
    fn normal_and_rectangular_together_cover_what_they_shall() {
        let (sigma, a) = (0.05, 0.1);
        let h = half_width(Budget::default().certificate("certificate", 2.0 * sigma).rectangular("bound", a));
        // P(|n + r| <= h): the share of the rectangle about n that lies inside, over the normal density.
        let step = 1e-3;
        let covered: f64 = (-8000..8000)
            .map(|n| f64::from(n) * step)
            .map(|z| {
                let inside = (h - sigma * z).min(a) - (-h - sigma * z).max(-a);
                (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * step * (inside.max(0.0) / (2.0 * a))
            })
            .sum();
        assert!((covered - COVERAGE_PROBABILITY).abs() < 0.003, "{covered}: five standard errors are 0.0023");
        assert!(h < 0.98 * 2.0 * (sigma * sigma + a * a / 3.0).sqrt(), "tails are cut off: less than k = 2 says");
    }

    #[test]
    fn a_student_item_is_not_widened_twice() {
        for readings in [&[1.0, 1.1, 1.3][..], &[1.0, 1.1, 1.3, 0.9, 1.0, 1.2]] {
            let uncertainty = Budget::default().repeated("mean", &[readings.to_vec()]).combine();
            let drawn = coverage_half_width(&uncertainty.budget, TRIALS, 1);
            near(drawn, uncertainty.expanded, 3.0); // the tails of t are long: its quantile is less sharp
        }
    }

    #[test]
    fn equal_seeds_give_equal_results_and_nothing_gives_nothing() {
        let budget = Budget::default().certificate("certificate", 0.06).rectangular("bound", 0.1).combine().budget;
        assert_eq!(coverage_half_width(&budget, 1000, 3).to_bits(), coverage_half_width(&budget, 1000, 3).to_bits());
        assert_ne!(coverage_half_width(&budget, 1000, 3).to_bits(), coverage_half_width(&budget, 1000, 4).to_bits());
        assert!(coverage_half_width(&[], 1000, 3) == 0.0 && coverage_half_width(&budget, 0, 3) == 0.0);
    }
}
