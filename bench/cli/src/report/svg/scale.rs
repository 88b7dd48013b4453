//! Where a value stands in a chart, and where the ticks are.

use super::{Axis, BOTTOM, HEIGHT, LEFT, Point, RIGHT, TOP, View, WIDTH};

pub(super) struct Scale {
    /// Ends of the x axis.
    x: (f64, f64),
    logarithmic: bool,
    /// Ends of the y axis [%], and between two ticks.
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
    /// Every point stands at one place: series stand side by side.
    pub(super) one_place: bool,
}

impl Scale {
    pub(super) fn new(points: &[&Point], axis: &Axis, view: View) -> Self {
        let ends = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.x), h.max(p.x)));
        let logarithmic = matches!(axis, Axis::Current);
        // One point alone still needs an axis to stand on.
        let one_place = logarithmic && ends.1 / ends.0 < 1.5;
        let x = match (logarithmic, one_place) {
            (true, true) => (ends.0 / 2.5, ends.1 * 2.5),
            (true, false) => (ends.0 / 1.25, ends.1 * 1.25),
            (false, _) => {
                let margin = ((ends.1 - ends.0) * 0.04).max(1e-3 * ends.1.abs()).max(1e-3);
                (ends.0 - margin, ends.1 + margin)
            }
        };
        let (low, high, step) = percents(points, view);
        Self { x, logarithmic, low, high, step, one_place }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        let (low, high) = self.x;
        let share =
            if self.logarithmic { (value / low).ln() / (high / low).ln() } else { (value - low) / (high - low) };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    /// What lies outside is drawn a little outside.
    pub(super) fn y(&self, percent: f64) -> f64 {
        let share = (percent - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share.clamp(-0.1, 1.1) * (HEIGHT - TOP - BOTTOM)
    }

    pub(super) fn x_ticks(&self) -> Vec<f64> {
        let (low, high) = self.x;
        if !self.logarithmic {
            return multiples(low, high, nice((high - low) / 9.0));
        }
        let decades = low.log10().floor() as i32..=high.log10().floor() as i32;
        let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(decade)));
        ticks.filter(|tick| (low..=high).contains(tick)).map(rounded).collect()
    }

    pub(super) fn y_ticks(&self) -> Vec<f64> {
        multiples(self.low, self.high, self.step)
    }
}

/// Ends and step of the y axis.
fn percents(points: &[&Point], view: View) -> (f64, f64, f64) {
    if let View::AtLeast(low, high) = view {
        let low = points.iter().map(|p| p.percent - p.uncertainty).fold(low, f64::min);
        let high = points.iter().map(|p| p.percent + p.uncertainty).fold(high, f64::max);
        let step = nice((high - low) / 9.0);
        return ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step, step);
    }
    let (error, limit) = extremes(points);
    let most = if view == View::Limits { error.max(limit) } else { error };
    let most = most.max(0.01) * 1.15;
    let step = nice(most / 3.0);
    let most = (most / step).ceil() * step;
    (-most, most, nice(most / 3.5))
}

/// The largest error with its uncertainty, and the largest limit.
pub(super) fn extremes(points: &[&Point]) -> (f64, f64) {
    let errors = points.iter().map(|p| p.percent.abs() + p.uncertainty);
    (errors.fold(0.0, f64::max), points.iter().filter_map(|p| p.limit).fold(0.0, f64::max))
}

pub(super) fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|n| rounded(n as f64 * step)).collect()
}

fn rounded(tick: f64) -> f64 {
    (tick * 1e6).round() / 1e6
}

/// 1, 2 or 5 times a power of ten, at least this.
pub(super) fn nice(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&x| x >= at_least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_one_two_five() {
        for (x, tick) in [(0.3, 0.5), (0.2, 0.2), (0.11, 0.2), (1.0, 1.0), (7.0, 10.0), (0.06, 0.1)] {
            assert!((nice(x) - tick).abs() < 1e-9, "{x}: {}", nice(x));
        }
    }

    #[test]
    fn an_axis_shows_at_least_what_is_asked_and_grows_when_needed() {
        let at =
            |percent| Point { x: 50.0, percent, uncertainty: 0.02, limit: None, failed: false, tip: String::new() };
        let scale = |points: &[Point]| {
            let points: Vec<&Point> = points.iter().collect();
            Scale::new(&points, &Axis::Linear { label: "", reference: 50.0 }, View::AtLeast(-0.5, 0.3))
        };
        let small = scale(&[at(0.05)]);
        assert!((small.low + 0.5).abs() < 1e-9 && (small.high - 0.3).abs() < 1e-9, "{} {}", small.low, small.high);
        let grown = scale(&[at(0.05), at(-0.71)]);
        assert!(grown.low <= -0.73 && grown.high >= 0.3, "{} {}", grown.low, grown.high);
        assert!(grown.y_ticks().contains(&0.0) && grown.x_ticks().contains(&50.0));
    }
}
