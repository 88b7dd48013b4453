//! Charts: percentage error over current, an influence quantity or time, with limit band and uncertainty bars; waves, events, harmonics.

mod course;
mod event;
mod harmonics;
mod iti;
mod plot;
mod scale;
mod steady;

pub(super) use course::course_figure;
pub(super) use event::{Lane, LaneKind, event_figure};
pub(super) use harmonics::{Commanded, Reading, harmonics_figure};
pub(super) use iti::{Happening, iti_figure};
pub(super) use steady::{phasor_figure, steady_figure};

use std::fmt::Write as _;

use scale::{Scale, extremes};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 128.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 44.0;
/// Colours that stay apart for colour-blind readers and in grey print; shapes tell the series apart as well.
const COLOURS: [&str; 6] = ["#0b5cad", "#c2410c", "#0f766e", "#7c3aed", "#9f1239", "#4d7c0f"];
/// The errors use less than this share of their limits: a magnified view then shows them.
const SMALL_SHARE: f64 = 0.3;

/// An error in the chart.
#[derive(Debug, Clone)]
pub(super) struct Point {
    /// In the unit of the x axis.
    pub(super) x: f64,
    pub(super) percent: f64,
    /// Expanded [%].
    pub(super) uncertainty: f64,
    /// Limit of the magnitude [%].
    pub(super) limit: Option<f64>,
    pub(super) failed: bool,
    /// What a pointer resting on it is told.
    pub(super) tip: String,
}

/// One line in the chart.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<Point>,
}

/// What stands along the x axis.
#[derive(Debug, Clone, Copy)]
pub(super) enum Axis {
    /// Current per phase (A), logarithmic.
    Current,
    /// A quantity with its unit, linear; a line marks its reference value.
    Linear { label: &'static str, reference: f64 },
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum View {
    /// The limit band fills most of the height.
    Limits,
    /// The errors fill the height; the limits may lie outside.
    Magnified,
    /// From here to here [%], and more when an error needs it.
    AtLeast(f64, f64),
}

/// Draws the curves; nothing when no point can be shown.
pub(super) fn error_curves(series: &[Series], title: &str, axis: Axis, view: View) -> String {
    let points: Vec<&Point> = series.iter().flat_map(|s| &s.points).filter(|p| drawable(p, axis)).collect();
    if points.is_empty() {
        return String::new();
    }
    let scale = Scale::new(&points, &axis, view);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" class=\"chart\"><title>{title}</title>"
    );
    axes(&mut out, &scale, axis);
    band(&mut out, &scale, &points);
    for (n, line) in series.iter().enumerate() {
        // Series that share their currents stand side by side.
        let shift = if scale.one_place { 16.0 * (n as f64 - (series.len() as f64 - 1.0) / 2.0) } else { 0.0 };
        curve(&mut out, &scale, axis, line, n, shift);
    }
    out.push_str("</svg>");
    out
}

/// A finite error at a place that the axis can show.
fn drawable(point: &Point, axis: Axis) -> bool {
    let place = match axis {
        Axis::Current => (1e-6..1e6).contains(&point.x),
        Axis::Linear { .. } => point.x.is_finite(),
    };
    place && point.percent.is_finite()
}

/// A magnified view shows more than the view with limits.
pub(super) fn worth_magnifying(series: &[Series]) -> bool {
    let points: Vec<&Point> = series.iter().flat_map(|s| &s.points).collect();
    let (error, limit) = extremes(&points);
    error > 0.0 && error < SMALL_SHARE * limit
}

/// The band between the limits; at each place the tightest limit of the points there.
fn band(out: &mut String, scale: &Scale, points: &[&Point]) {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let Some(limit) = point.limit else { continue };
        match corners.iter_mut().find(|(x, _)| (*x - point.x).abs() < 1e-9) {
            Some((_, known)) => *known = known.min(limit),
            None => corners.push((point.x, limit)),
        }
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(&(_, last)) = corners.last() else { return };
    // A limit holds from its current to the next, as the bands of the standards do.
    let mut area = String::new();
    for (n, &(x, limit)) in corners.iter().enumerate() {
        let from = if n == 0 { LEFT } else { scale.x(x) };
        let to = corners.get(n + 1).map_or(WIDTH - RIGHT, |next| scale.x(next.0));
        if limit > scale.high {
            continue; // outside a magnified view
        }
        let (top, bottom) = (scale.y(limit), scale.y(-limit));
        for y in [top, bottom] {
            let _ = write!(out, "<line x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"limit\"/>");
        }
        let (width, height) = (to - from, bottom - top);
        let _ = write!(
            area,
            "<rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"band\"/>"
        );
    }
    out.insert_str(out.find("</title>").map_or(0, |n| n + 8), &area);
    let x = WIDTH - RIGHT - 6.0;
    let (y, text) = if last > scale.high {
        (TOP + 14.0, format!("magnified; limit ±{last} % outside the chart"))
    } else {
        (scale.y(last) - 5.0, format!("limit ±{last} %"))
    };
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"note end\">{text}</text>");
}

fn axes(out: &mut String, scale: &Scale, axis: Axis) {
    let (x_end, y_end) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for value in scale.y_ticks() {
        let y = scale.y(value);
        let class = if value == 0.0 { "zero" } else { "grid" };
        let label = if value == 0.0 { "0".to_owned() } else { format!("{value:+}").replace('-', "\u{2212}") };
        let _ = write!(out, "<line x1=\"{LEFT}\" x2=\"{x_end}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>");
        let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"tick end\">{label}</text>", LEFT - 8.0, y + 4.0);
    }
    for value in scale.x_ticks() {
        let (x, label) = (scale.x(value), value.to_string().replace('-', "\u{2212}"));
        let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{y_end}\" class=\"grid\"/>");
        let _ = write!(out, "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"tick middle\">{label}</text>", y_end + 17.0);
    }
    let label = match axis {
        Axis::Current => "current per phase [A]",
        Axis::Linear { label, reference } => {
            let x = scale.x(reference);
            if (LEFT..=x_end).contains(&x) {
                let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{y_end}\" class=\"zero\"/>");
            }
            label
        }
    };
    let (width, height) = (x_end - LEFT, y_end - TOP);
    let _ = write!(out, "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"frame\"/>");
    let (x, y) = ((LEFT + x_end) / 2.0, HEIGHT - 8.0);
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"axis middle\">{label}</text>");
    let y = (TOP + y_end) / 2.0;
    let _ = write!(out, "<text transform=\"translate(14 {y:.1}) rotate(-90)\" class=\"axis middle\">error [%]</text>");
}

fn curve(out: &mut String, scale: &Scale, axis: Axis, series: &Series, n: usize, shift: f64) {
    let colour = COLOURS[n % COLOURS.len()];
    let mut points: Vec<&Point> = series.points.iter().filter(|p| drawable(p, axis)).collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let at = |p: &Point| (scale.x(p.x) + shift, scale.y(p.percent));
    let path: Vec<String> = points.iter().map(|p| at(p)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let path = path.join(" ");
    let _ = write!(out, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>");
    for point in &points {
        let (x, y) = at(point);
        if point.uncertainty > 0.0 {
            let low = scale.y(point.percent - point.uncertainty);
            let high = scale.y(point.percent + point.uncertainty);
            let left = x - 3.0;
            let bar = format!("M{x:.1} {low:.1}V{high:.1}M{left:.1} {low:.1}h6M{left:.1} {high:.1}h6");
            let _ = write!(out, "<path d=\"{bar}\" stroke=\"{colour}\"/>");
        }
        let mark = marker(n, x, y);
        let _ = write!(out, "<g fill=\"{colour}\"><title>{}</title>{mark}</g>", point.tip);
        if point.failed {
            let _ = write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\" class=\"failed\"/>");
        }
    }
    let (x, y) = (WIDTH - RIGHT + 12.0, TOP + 14.0 + 19.0 * n as f64);
    let _ = write!(out, "<g fill=\"{colour}\">{}</g>", marker(n, x, y - 4.0));
    let _ = write!(out, "<text x=\"{:.1}\" y=\"{y:.1}\" class=\"legend\">{}</text>", x + 11.0, series.name);
}

/// Circle, square, triangle, diamond, in turn.
fn marker(n: usize, x: f64, y: f64) -> String {
    match n % 4 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
        1 => format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"7.4\" height=\"7.4\"/>", x - 3.7, y - 3.7),
        2 => format!("<path d=\"M{x:.1} {:.1}l4.6 8h-9.2z\"/>", y - 5.0),
        _ => format!("<path d=\"M{x:.1} {:.1}l5 5l-5 5l-5-5z\"/>", y - 5.0),
    }
}
