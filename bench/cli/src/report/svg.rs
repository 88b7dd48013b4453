//! The error curve: percentage error over a logarithmic current axis, limit band, uncertainty bars.

use std::fmt::Write as _;

use meterbench_record::Measurement;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 128.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 44.0;
/// Colours that stay apart for colour-blind readers and in grey print; shapes tell the series apart as well.
const COLOURS: [&str; 6] = ["#0b5cad", "#c2410c", "#0f766e", "#7c3aed", "#9f1239", "#4d7c0f"];

/// One line in the chart.
pub(super) struct Series<'a> {
    pub(super) name: String,
    pub(super) points: Vec<&'a Measurement>,
}

struct Scale {
    low_ampere: f64,
    high_ampere: f64,
    percent: f64,
    one_current: bool,
}

impl Scale {
    fn x(&self, ampere: f64) -> f64 {
        let share = (ampere / self.low_ampere).ln() / (self.high_ampere / self.low_ampere).ln();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, percent: f64) -> f64 {
        let middle = TOP + (HEIGHT - TOP - BOTTOM) / 2.0;
        middle - percent.clamp(-self.percent * 1.2, self.percent * 1.2) / self.percent * (HEIGHT - TOP - BOTTOM) / 2.0
    }
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The limit band fills most of the height.
    Limits,
    /// The errors fill the height; the limits may lie outside.
    Magnified,
}

/// Draws the curves; nothing when no point has a number.
pub(super) fn error_curves(series: &[Series<'_>], title: &str, view: View) -> String {
    let points: Vec<&Measurement> =
        series.iter().flat_map(|s| s.points.iter().copied()).filter(|m| drawable(m)).collect();
    if points.is_empty() {
        return String::new();
    }
    let scale = scale(&points, view);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" class=\"chart\"><title>{title}</title>"
    );
    axes(&mut out, &scale);
    band(&mut out, &scale, &points);
    for (n, line) in series.iter().enumerate() {
        // Series that share their currents stand side by side.
        let shift = if scale.one_current { 16.0 * (n as f64 - (series.len() as f64 - 1.0) / 2.0) } else { 0.0 };
        curve(&mut out, &scale, line, n, shift);
    }
    out.push_str("</svg>");
    out
}

/// A finite error at a current that a logarithmic axis can show.
fn drawable(m: &Measurement) -> bool {
    (1e-6..1e6).contains(&m.at.ampere) && m.value.number().is_some_and(f64::is_finite)
}

/// The errors use less than this share of their limits: a magnified view then shows them.
const SMALL_SHARE: f64 = 0.3;

/// The largest error with its uncertainty, and the largest limit.
fn extremes(points: &[&Measurement]) -> (f64, f64) {
    let errors = points.iter().filter_map(|m| {
        let u = m.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
        m.value.number().map(|v| v.abs() + u)
    });
    let limits = points.iter().filter_map(|m| m.limit.as_ref()?.high);
    (errors.fold(0.0, f64::max), limits.fold(0.0, f64::max))
}

/// A magnified view shows more than the view with limits.
pub(super) fn worth_magnifying(series: &[Series<'_>]) -> bool {
    let points: Vec<&Measurement> = series.iter().flat_map(|s| s.points.iter().copied()).collect();
    let (error, limit) = extremes(&points);
    error > 0.0 && error < SMALL_SHARE * limit
}

fn scale(points: &[&Measurement], view: View) -> Scale {
    let amperes = points.iter().map(|m| m.at.ampere);
    let (low, high) = amperes.fold((f64::INFINITY, 0.0f64), |(l, h), a| (l.min(a), h.max(a)));
    let (error, limit) = extremes(points);
    let most = match view {
        View::Limits => error.max(limit),
        View::Magnified => error,
    };
    let most = most.max(0.01) * 1.15;
    let step = nice(most / 3.0);
    // One point alone still needs an axis to stand on.
    let one_current = high / low < 1.5;
    let (low, high) = if one_current { (low / 2.5, high * 2.5) } else { (low / 1.25, high * 1.25) };
    Scale { low_ampere: low, high_ampere: high, percent: (most / step).ceil() * step, one_current }
}

/// 1, 2 or 5 times a power of ten, at least this.
fn nice(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&x| x >= at_least).unwrap_or(10.0 * power)
}

/// The band between the limits; at each current the tightest limit of the points there.
fn band(out: &mut String, scale: &Scale, points: &[&Measurement]) {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for m in points {
        let Some(limit) = m.limit.as_ref().and_then(|l| l.high) else { continue };
        match corners.iter_mut().find(|(a, _)| (*a - m.at.ampere).abs() < 1e-9) {
            Some((_, known)) => *known = known.min(limit),
            None => corners.push((m.at.ampere, limit)),
        }
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    if corners.is_empty() {
        return;
    }
    // A limit holds from its current to the next, as the bands of the standards do.
    let mut upper = String::new();
    for (n, (ampere, limit)) in corners.iter().enumerate() {
        let from = if n == 0 { LEFT } else { scale.x(*ampere) };
        let to = corners.get(n + 1).map_or(WIDTH - RIGHT, |next| scale.x(next.0));
        if *limit > scale.percent {
            continue; // outside a magnified view
        }
        for sign in [1.0, -1.0] {
            let y = scale.y(sign * limit);
            let _ = write!(out, "<line x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"limit\"/>");
        }
        let (top, bottom) = (scale.y(limit.min(scale.percent)), scale.y(-limit.min(scale.percent)));
        let _ = write!(
            upper,
            "<rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" class=\"band\"/>",
            to - from,
            bottom - top
        );
    }
    out.insert_str(out.find("</title>").map_or(0, |n| n + 8), &upper);
    let (x, words) = (WIDTH - RIGHT - 6.0, corners.last().map_or(0.0, |c| c.1));
    let (y, text) = if words > scale.percent {
        (TOP + 14.0, format!("magnified; limit ±{words} % outside the chart"))
    } else {
        (scale.y(words) - 5.0, format!("limit ±{words} %"))
    };
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"note end\">{text}</text>");
}

fn axes(out: &mut String, scale: &Scale) {
    let (x_end, y_end) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let step = nice(scale.percent / 3.5);
    let steps = (scale.percent / step).floor() as i32;
    for n in -steps..=steps {
        let value = f64::from(n) * step;
        let y = scale.y(value);
        let class = if n == 0 { "zero" } else { "grid" };
        let value = (value * 1e6).round() / 1e6;
        let label = if n == 0 { "0".to_owned() } else { format!("{value:+}").replace('-', "\u{2212}") };
        let _ = write!(out, "<line x1=\"{LEFT}\" x2=\"{x_end}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>");
        let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" class=\"tick end\">{label}</text>", LEFT - 8.0, y + 4.0);
    }
    let mut decade = 10f64.powf(scale.low_ampere.log10().floor());
    while decade <= scale.high_ampere {
        for multiple in [1.0, 2.0, 5.0] {
            let ampere = decade * multiple;
            if ampere < scale.low_ampere || ampere > scale.high_ampere {
                continue;
            }
            let (x, text) = (scale.x(ampere), format!("{}", (ampere * 1e6).round() / 1e6));
            let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{y_end}\" class=\"grid\"/>");
            let _ = write!(out, "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"tick middle\">{text}</text>", y_end + 17.0);
        }
        decade *= 10.0;
    }
    let _ = write!(
        out,
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" class=\"frame\"/>",
        x_end - LEFT,
        y_end - TOP
    );
    let middle = (LEFT + x_end) / 2.0;
    let _ = write!(
        out,
        "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"axis middle\">current per phase [A]</text>",
        HEIGHT - 8.0
    );
    let y = (TOP + y_end) / 2.0;
    let _ = write!(out, "<text transform=\"translate(14 {y:.1}) rotate(-90)\" class=\"axis middle\">error [%]</text>");
}

fn curve(out: &mut String, scale: &Scale, series: &Series<'_>, n: usize, shift: f64) {
    let colour = COLOURS[n % COLOURS.len()];
    let mut points: Vec<&Measurement> = series.points.iter().copied().filter(|m| drawable(m)).collect();
    points.sort_by(|a, b| a.at.ampere.total_cmp(&b.at.ampere));
    let at = |m: &Measurement| (scale.x(m.at.ampere) + shift, scale.y(m.value.number().unwrap_or(0.0)));
    let path: Vec<String> = points.iter().map(|m| at(m)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ =
        write!(out, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>", path.join(" "));
    for m in &points {
        let ((x, y), value) = (at(m), m.value.number().unwrap_or(0.0));
        if let Some(u) = &m.uncertainty {
            let (low, high) = (scale.y(value - u.expanded), scale.y(value + u.expanded));
            let _ = write!(
                out,
                "<path d=\"M{x:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h6M{:.1} {high:.1}h6\" stroke=\"{colour}\"/>",
                x - 3.0,
                x - 3.0
            );
        }
        let u = m.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
        let tip = format!("{}: {value:+.3} %, U {u:.3} %", m.at);
        let _ = write!(out, "<g fill=\"{colour}\"><title>{tip}</title>{}</g>", marker(n, x, y));
        let failed = m.verdict == Some(meterbench_record::Verdict::Fail) && m.decides;
        if failed {
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

#[cfg(test)]
mod tests {
    use super::nice;

    #[test]
    fn ticks_are_one_two_five() {
        for (x, tick) in [(0.3, 0.5), (0.2, 0.2), (0.11, 0.2), (1.0, 1.0), (7.0, 10.0), (0.06, 0.1)] {
            assert!((nice(x) - tick).abs() < 1e-9, "{x}: {}", nice(x));
        }
    }
}
