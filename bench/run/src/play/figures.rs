//! Figures of one quantity against the bounds of the plan.

use meterbench_plan::{Bounds, Condition};
use meterbench_record::{Certainty, Limit};

/// An angle on the side of the circle where its bounds are.
pub(super) fn turned(angle: f64, bounds: &Bounds) -> f64 {
    let middle = match (bounds.low, bounds.high) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        (low, high) => low.or(high).unwrap_or(0.0),
    };
    middle + (angle - middle + 180.0).rem_euclid(360.0) - 180.0
}

/// Figures of one quantity, one for each occurrence.
pub(super) struct Figures<'a> {
    pub(super) quantity: &'a str,
    pub(super) unit: &'a str,
    pub(super) values: Vec<f64>,
}

impl Figures<'_> {
    /// The one farthest from the middle of its bounds, or nearest to the one that there is.
    pub(super) fn worst_place(&self, bounds: &Bounds) -> Option<usize> {
        let distance = |x: f64| match (bounds.low, bounds.high) {
            (Some(low), Some(high)) => (x - (low + high) / 2.0).abs(),
            (Some(low), None) => low - x,
            (None, Some(high)) => x - high,
            (None, None) => x.abs(),
        };
        (0..self.values.len()).max_by(|a, b| distance(self.values[*a]).total_cmp(&distance(self.values[*b])))
    }

    pub(super) fn worst(&self, bounds: &Bounds) -> Option<f64> {
        self.worst_place(bounds).map(|n| self.values[n])
    }
}

fn limit(low: Option<f64>, high: Option<f64>, row: &str) -> Limit {
    let (source, row) = ("plan".to_owned(), row.to_owned());
    Limit { low, high, source, row, certainty: Certainty::Verified, binding: None }
}

/// Bounds that the plan sets to a count.
pub(super) fn count_limit(count: Condition, what: &str) -> Limit {
    limit(count.low, count.high, what)
}

/// Bounds that the plan sets to a figure.
pub(super) fn bounds_limit(bounds: &Bounds, what: &str) -> Limit {
    limit(bounds.low, bounds.high, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(low: Option<f64>, high: Option<f64>) -> Bounds {
        Bounds { low, high, unit: "%" }
    }

    #[test]
    fn the_worst_of_several_is_the_one_farthest_from_what_is_expected() {
        let figures = |values: &[f64]| Figures { quantity: "residual", unit: "%", values: values.to_vec() };
        assert_eq!(figures(&[40.1, 39.8, 40.0]).worst(&bounds(Some(39.8), Some(40.2))), Some(39.8));
        assert_eq!(figures(&[0.1, 0.4, 0.2]).worst(&bounds(None, Some(0.5))), Some(0.4));
        assert_eq!(figures(&[7.0, 4.0]).worst(&bounds(Some(3.0), None)), Some(4.0));
        assert_eq!(figures(&[]).worst(&bounds(None, None)), None);
    }

    #[test]
    fn angles_are_compared_on_the_circle() {
        let deg = |middle: f64| bounds(Some(middle - 2.0), Some(middle + 2.0));
        assert_eq!(turned(-179.0, &deg(180.0)), 181.0);
        assert_eq!(turned(359.5, &deg(0.0)), -0.5);
    }
}
