//! An area with two axes, and what is drawn in it.

use std::fmt::Write as _;

use super::scale::{multiples, nice};

/// Colours of L1, L2, L3 as conductors have them: brown, black, grey. Strokes differ too.
pub(super) const PHASE_COLOURS: [&str; 3] = ["#8a4a1c", "#111111", "#7d8a97"];
/// Dashes of L1, L2, L3.
pub(super) const PHASE_DASHES: [&str; 3] = ["", "7 3", "2 2.5"];
/// Widths of L1, L2, L3: where lines lie on each other, all of them are seen.
pub(super) const PHASE_WIDTHS: [f64; 3] = [2.4, 1.6, 1.6];

/// A rectangle of the picture and what its edges stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) logarithmic: bool,
}

impl Plot {
    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub(super) fn at_x(&self, value: f64) -> f64 {
        let (low, high) = self.x;
        let share = if self.logarithmic {
            (value.max(low * 1e-3) / low).ln() / (high / low).ln()
        } else {
            (value - low) / (high - low)
        };
        self.left + share.clamp(0.0, 1.0) * self.width
    }

    /// What lies outside is drawn at the edge.
    pub(super) fn at_y(&self, value: f64) -> f64 {
        let share = (value - self.y.0) / (self.y.1 - self.y.0);
        self.bottom() - share.clamp(0.0, 1.0) * self.height
    }

    pub(super) fn frame(&self, out: &mut String) {
        let Self { left, top, width, height, .. } = self;
        let _ = write!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"frame\"/>"
        );
    }

    /// Lines and figures of the y axis, and its title.
    pub(super) fn y_axis(&self, out: &mut String, title: &str, ticks: usize) {
        for value in multiples(self.y.0, self.y.1, nice((self.y.1 - self.y.0) / ticks as f64)) {
            let class = if value == 0.0 { "zero" } else { "grid" };
            self.horizontal(out, value, class);
            let label = value.to_string().replace('-', "\u{2212}");
            text(out, self.left - 7.0, self.at_y(value) + 4.0, "tick end", &label);
        }
        let (x, y) = (self.left - 48.0, self.top + self.height / 2.0);
        let _ = write!(
            out,
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" class=\"axis middle\">{title}</text>"
        );
    }

    /// Lines and figures of the x axis.
    pub(super) fn x_axis(&self, out: &mut String, ticks: &[f64], labels: bool) {
        for &value in ticks {
            self.vertical(out, value, if value == 0.0 && !self.logarithmic { "zero" } else { "grid" });
            if labels {
                let label = value.to_string().replace('-', "\u{2212}");
                text(out, self.at_x(value), self.bottom() + 16.0, "tick middle", &label);
            }
        }
    }

    /// Steps of one, two, five.
    pub(super) fn x_ticks(&self, count: usize) -> Vec<f64> {
        multiples(self.x.0, self.x.1, nice((self.x.1 - self.x.0) / count as f64))
    }

    pub(super) fn horizontal(&self, out: &mut String, value: f64, class: &str) {
        let (y, left, right) = (self.at_y(value), self.left, self.right());
        let _ = write!(out, "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>");
    }

    pub(super) fn vertical(&self, out: &mut String, value: f64, class: &str) {
        let (x, top, bottom) = (self.at_x(value), self.top, self.bottom());
        let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" class=\"{class}\"/>");
    }

    /// A line of a phase (from 0) through points in the units of the axes.
    pub(super) fn phase_line(&self, out: &mut String, phase: usize, points: impl Iterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "{:.1},{:.1} ", self.at_x(x), self.at_y(y));
        }
        let (colour, dash, width) = (PHASE_COLOURS[phase], PHASE_DASHES[phase], PHASE_WIDTHS[phase]);
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        let path = path.trim_end();
        let _ = write!(
            out,
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash} class=\"phase\"/>"
        );
    }
}

/// Begins a picture; words for readers who do not see it.
pub(super) fn open(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\" class=\"chart\"><title>{title}</title>"
    )
}

pub(super) fn text(out: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>", escaped(words));
}

/// A legend of phases, one beneath the other.
pub(super) fn phase_legend(out: &mut String, x: f64, y: f64, prefix: &str, phases: [bool; 3]) {
    for (n, phase) in (0..3).filter(|&phase| phases[phase]).enumerate() {
        let (colour, dash, width) = (PHASE_COLOURS[phase], PHASE_DASHES[phase], PHASE_WIDTHS[phase]);
        let (y, end) = (y + 18.0 * n as f64, x + 26.0);
        let middle = y - 4.0;
        let _ = write!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{end:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>"
        );
        text(out, end + 6.0, y, "legend", &format!("{prefix}L{}", phase + 1));
    }
}

pub(super) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
