//! An area with two axes, and what is drawn in it.

use std::fmt::Write as _;

use super::scale::{multiples, nice};

/// Colours of L1, L2, L3 as conductors have them: brown, black, grey. They differ in lightness too.
pub(super) const PHASE_COLOURS: [&str; 3] = ["#9a5220", "#111111", "#aab5bf"];
/// Dashes of L1, L2, L3.
pub(super) const PHASE_DASHES: [&str; 3] = ["", "6 4", ""];
/// Widths of L1, L2, L3. In the order of [`DRAWN`] each lies within the one beneath it: where lines coincide, all are seen.
pub(super) const PHASE_WIDTHS: [f64; 3] = [2.4, 1.2, 5.6];
/// Phases from the widest line to the narrowest.
const DRAWN: [usize; 3] = [2, 0, 1];
/// Width of what an axis squeezes.
const BREAK: f64 = 64.0;

/// How the x axis runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spacing {
    Linear,
    Logarithmic,
    /// Linear, but what lies between these values is squeezed into [`BREAK`].
    Broken {
        from: f64,
        to: f64,
    },
}

/// A rectangle of the picture and what its edges stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) spacing: Spacing,
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
        let share = match self.spacing {
            Spacing::Linear => (value - low) / (high - low),
            Spacing::Logarithmic => (value.max(low * 1e-3) / low).ln() / (high / low).ln(),
            Spacing::Broken { from, to } => {
                let squeezed = (value.clamp(from, to) - from) / (to - from) * BREAK;
                let shown = value.min(from) - low + (value.max(to) - to);
                (squeezed + shown * (self.width - BREAK) / self.shown()) / self.width
            }
        };
        self.left + share.clamp(0.0, 1.0) * self.width
    }

    /// How much of the x axis is not squeezed.
    fn shown(&self) -> f64 {
        self.pieces().map(|(from, to)| to - from).sum()
    }

    /// The stretches of the x axis that are not squeezed.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (f64, f64)> {
        let (low, high) = self.x;
        let (first, second) = match self.spacing {
            Spacing::Broken { from, to } => ((low, from), Some((to, high))),
            Spacing::Linear | Spacing::Logarithmic => ((low, high), None),
        };
        std::iter::once(first).chain(second)
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
            self.vertical(
                out,
                value,
                if value == 0.0 && self.spacing != Spacing::Logarithmic { "zero" } else { "grid" },
            );
            if labels {
                let label = value.to_string().replace('-', "\u{2212}");
                text(out, self.at_x(value), self.bottom() + 16.0, "tick middle", &label);
            }
        }
    }

    /// Steps of one, two, five.
    pub(super) fn x_ticks(&self, count: usize) -> Vec<f64> {
        let step = nice(self.shown() / count as f64);
        self.pieces().flat_map(|(from, to)| multiples(from, to, step)).collect()
    }

    pub(super) fn horizontal(&self, out: &mut String, value: f64, class: &str) {
        let (y, left, right) = (self.at_y(value), self.left, self.right());
        let _ = write!(out, "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>");
    }

    pub(super) fn vertical(&self, out: &mut String, value: f64, class: &str) {
        let (x, top, bottom) = (self.at_x(value), self.top, self.bottom());
        let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" class=\"{class}\"/>");
    }

    /// Lines of phases (from 0) that are shown, the widest first.
    pub(super) fn phase_lines<L: Iterator<Item = (f64, f64)>>(
        &self,
        out: &mut String,
        phases: [bool; 3],
        points: impl Fn(usize) -> L,
    ) {
        for phase in DRAWN.into_iter().filter(|&phase| phases[phase]) {
            self.phase_line(out, phase, points(phase));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(spacing: Spacing) -> Plot {
        Plot { left: 10.0, top: 0.0, width: 200.0 + BREAK, height: 100.0, x: (-1.0, 11.0), y: (0.0, 1.0), spacing }
    }

    /// Attributes of the strokes of all lines, in their order.
    fn strokes(svg: &str) -> Vec<String> {
        let stroke = |rest: &str| {
            let attributes = rest.split(['/', '>']).next().unwrap();
            let attributes = attributes.replace(" class=\"phase\"", "").replace(" stroke-dasharray=\"\"", "");
            attributes.trim().to_owned()
        };
        svg.split(" stroke=").skip(1).map(stroke).collect()
    }

    #[test]
    fn lines_that_coincide_are_all_seen_and_the_legend_has_their_strokes() {
        let (mut lines, mut legend) = (String::new(), String::new());
        plot(Spacing::Linear).phase_lines(&mut lines, [true; 3], |_| [(0.0, 0.5), (1.0, 0.5)].into_iter());
        phase_legend(&mut legend, 0.0, 0.0, "", [true; 3]);
        let drawn = strokes(&lines);
        let width = |stroke: &String| -> f64 {
            stroke.split_once("stroke-width=\"").unwrap().1.split('"').next().unwrap().parse().unwrap()
        };
        // Of each at least half a pixel is seen on both sides of the next.
        for pair in drawn.windows(2) {
            assert!(width(&pair[0]) - width(&pair[1]) >= 1.1, "{pair:?}");
        }
        let named = strokes(&legend);
        assert_eq!([&named[2], &named[0], &named[1]], [&drawn[0], &drawn[1], &drawn[2]], "L1 to L3 in the legend");
    }

    #[test]
    fn a_broken_axis_goes_on_and_keeps_its_scale_on_both_sides() {
        let plot = plot(Spacing::Broken { from: 1.0, to: 9.0 });
        let places = [-1.0, 0.0, 1.0, 5.0, 9.0, 10.0, 11.0].map(|x| plot.at_x(x));
        let expected = [10.0, 60.0, 110.0, 142.0, 174.0, 224.0, 274.0];
        for (place, expected) in places.into_iter().zip(expected) {
            assert!((place - expected).abs() < 1e-9, "{places:?}");
        }
        assert_eq!(plot.x_ticks(4), [-1.0, 0.0, 1.0, 9.0, 10.0, 11.0]);
    }
}
