//! All events of a run over their duration, with the curve of the ITI (CBEMA) behind them.

use std::fmt::Write as _;

use meterbench_waveform::{ITI_LOWER, ITI_UPPER};

use super::plot::{Plot, Spacing, escaped, open, text};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 400.0;

/// An event in the picture.
#[derive(Debug, Clone)]
pub(in crate::report) struct Happening {
    /// Its number in the table.
    pub(in crate::report) number: usize,
    pub(in crate::report) seconds: f64,
    /// Of Udin.
    pub(in crate::report) percent: f64,
    /// A meter logged it; else it is what the method reads in what was commanded.
    pub(in crate::report) logged: bool,
    pub(in crate::report) tip: String,
}

/// Draws them; nothing where there are none.
pub(in crate::report) fn iti_figure(happenings: &[Happening], title: &str) -> String {
    if happenings.is_empty() {
        return String::new();
    }
    let longest = happenings.iter().map(|h| h.seconds).fold(100.0, f64::max);
    let highest = happenings.iter().map(|h| h.percent).fold(140.0, f64::max);
    let plot = Plot {
        left: 66.0,
        top: 30.0,
        width: WIDTH - 66.0 - 20.0,
        height: HEIGHT - 30.0 - 44.0,
        x: (0.005, 10f64.powf((longest * 1.3).log10().ceil())),
        y: (0.0, (highest * 1.05 / 20.0).ceil() * 20.0),
        spacing: Spacing::Logarithmic,
    };
    let mut out = open(WIDTH, HEIGHT, title);
    region(&mut out, &plot, &ITI_UPPER, plot.y.1, "region prohibited");
    region(&mut out, &plot, &ITI_LOWER, 0.0, "region damage");
    plot.y_axis(&mut out, "voltage [% of Udin]", 8);
    let (first, last) = (plot.x.0.log10().ceil() as i32, plot.x.1.log10().floor() as i32);
    for decade in first..=last {
        for (factor, class) in [(1.0, "zero"), (2.0, "grid"), (5.0, "grid")] {
            let value = factor * 10f64.powi(decade);
            if value < plot.x.1 * 1.001 {
                plot.vertical(&mut out, value, class);
            }
        }
        let value = 10f64.powi(decade);
        let label =
            if value < 0.9999 { format!("{} ms", (value * 1e3).round()) } else { format!("{} s", value.round()) };
        text(&mut out, plot.at_x(value), plot.bottom() + 16.0, "tick middle", &label);
    }
    text(&mut out, plot.right() - 8.0, plot.top + 18.0, "note end", "prohibited");
    text(&mut out, plot.right() - 8.0, plot.bottom() - 10.0, "note end", "no damage");
    text(&mut out, plot.left + 8.0, plot.at_y(100.0) + 4.0, "note", "no interruption in function");
    points(&mut out, &plot, happenings);
    plot.frame(&mut out);
    text(&mut out, plot.left + plot.width / 2.0, HEIGHT - 8.0, "axis middle", "duration");
    legend(&mut out, &plot, happenings.iter().any(|h| h.logged));
    out.push_str("</svg>");
    out
}

/// The area between a stepped curve and an edge of the picture.
fn region(out: &mut String, plot: &Plot, steps: &[(f64, f64)], edge: f64, class: &str) {
    let mut path = format!("M{:.1} {:.1}", plot.left, plot.at_y(edge));
    let first = steps.iter().take_while(|step| step.0 <= plot.x.0).last().map_or(steps[0].1, |step| step.1);
    let _ = write!(path, "V{:.1}", plot.at_y(first));
    for &(from, next) in steps.iter().filter(|step| step.0 > plot.x.0) {
        let _ = write!(path, "H{:.1}V{:.1}", plot.at_x(from), plot.at_y(next));
    }
    let _ = write!(path, "H{:.1}V{:.1}z", plot.right(), plot.at_y(edge));
    let _ = write!(out, "<path d=\"{path}\" class=\"{class}\"/>");
}

/// Hollow where the method reads it, filled where a meter logged it; the number of the event beside the first.
fn points(out: &mut String, plot: &Plot, happenings: &[Happening]) {
    let mut labels: Vec<(f64, f64)> = Vec::new();
    for h in happenings {
        let (x, y) = (plot.at_x(h.seconds.max(plot.x.0)), plot.at_y(h.percent));
        let (class, shape) = if h.logged {
            ("logged", format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0))
        } else {
            ("expected", format!("M{:.1} {y:.1}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0", x - 6.0))
        };
        let tip = escaped(&h.tip);
        let _ = write!(out, "<g><title>{tip}</title><path d=\"{shape}\" class=\"{class}\"/></g>");
        // Events at one place share the first one's number.
        if !h.logged && !labels.iter().any(|&(a, b)| (a - x).abs() < 12.0 && (b - y).abs() < 10.0) {
            labels.push((x, y));
            text(out, x + 9.0, y - 6.0, "note", &h.number.to_string());
        }
    }
}

fn legend(out: &mut String, plot: &Plot, logged: bool) {
    let (x, y) = (plot.left + 6.0, 15.0);
    let _ = write!(out, "<path d=\"M{:.1} {y}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0\" class=\"expected\"/>", x - 6.0);
    text(out, x + 12.0, y + 4.0, "legend", "as the method reads what was commanded");
    if logged {
        let x = x + 280.0;
        let _ = write!(out, "<path d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\" class=\"logged\"/>", x - 4.0, y - 4.0);
        text(out, x + 12.0, y + 4.0, "legend", "as a meter logged it");
    }
}
