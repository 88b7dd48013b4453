//! Harmonics of one kind of channel: what was commanded as bars, what meters read as marks, and what they may read as brackets.

use std::fmt::Write as _;

use super::marker;
use super::plot::{PHASE_COLOURS, Plot, Spacing, open, text};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 20.0;
const HEIGHT: f64 = 190.0;
const TOP: f64 = 30.0;

/// A commanded harmonic.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Commanded {
    pub(in crate::report) order: u16,
    /// From 0.
    pub(in crate::report) phase: usize,
    pub(in crate::report) percent: f64,
}

/// What a meter read.
#[derive(Debug, Clone)]
pub(in crate::report) struct Reading {
    pub(in crate::report) order: u16,
    pub(in crate::report) phase: usize,
    pub(in crate::report) percent: f64,
    /// What it may read.
    pub(in crate::report) bounds: Option<(f64, f64)>,
    pub(in crate::report) failed: bool,
    pub(in crate::report) tip: String,
}

/// Draws orders 2 to the highest that was commanded or read; nothing where there is none.
pub(in crate::report) fn harmonics_figure(
    commanded: &[Commanded],
    readings: &[Reading],
    letter: &str,
    title: &str,
) -> String {
    let shown = || commanded.iter().map(|c| c.order).chain(readings.iter().map(|r| r.order)).filter(|&order| order > 1);
    let Some(highest) = shown().max() else { return String::new() };
    let percents = commanded.iter().filter(|c| c.order > 1).map(|c| c.percent);
    let bounds = readings.iter().filter_map(|r| r.bounds).map(|(_, high)| high).filter(|high| high.is_finite());
    let most = percents.chain(readings.iter().map(|r| r.percent)).chain(bounds).fold(0.1, f64::max);
    let highest = f64::from(highest.clamp(8, 50)) + 0.5;
    let plot = Plot {
        left: LEFT,
        top: TOP,
        width: WIDTH - LEFT - RIGHT,
        height: HEIGHT,
        x: (1.3, highest + 0.7),
        y: (0.0, most * 1.08),
        spacing: Spacing::Linear,
    };
    let mut out = open(WIDTH, TOP + HEIGHT + 40.0, title);
    plot.y_axis(&mut out, &format!("{letter} [% of the fundamental]"), 6);
    let step = if highest > 26.0 { 2 } else { 1 };
    for order in (2..=highest as u16).filter(|order| (order - 2) % step == 0) {
        text(&mut out, plot.at_x(f64::from(order)), plot.bottom() + 15.0, "tick middle", &order.to_string());
    }
    bars(&mut out, &plot, commanded);
    for reading in readings {
        mark(&mut out, &plot, reading);
    }
    plot.frame(&mut out);
    text(&mut out, plot.left + plot.width / 2.0, plot.bottom() + 32.0, "axis middle", "order");
    legend(&mut out, readings);
    out.push_str("</svg>");
    out
}

fn unit(plot: &Plot) -> f64 {
    plot.at_x(3.0) - plot.at_x(2.0)
}

/// One bar where all phases are commanded alike, else one for each.
fn bars(out: &mut String, plot: &Plot, commanded: &[Commanded]) {
    let mut orders: Vec<u16> = commanded.iter().map(|c| c.order).filter(|&order| order > 1).collect();
    orders.sort_unstable();
    orders.dedup();
    let phases: Vec<usize> = (0..3).filter(|&phase| commanded.iter().any(|c| c.phase == phase)).collect();
    let of = |order: u16, phase: usize| {
        commanded.iter().find(|c| c.order == order && c.phase == phase).map_or(0.0, |c| c.percent)
    };
    let equal =
        orders.iter().all(|&order| phases.iter().all(|&phase| (of(order, phase) - of(order, phases[0])).abs() < 1e-9));
    let shown: &[usize] = if equal { phases.get(..1).unwrap_or_default() } else { &phases };
    let width = 0.78 * unit(plot) / shown.len() as f64;
    for &order in &orders {
        for (n, &phase) in shown.iter().enumerate() {
            let x = plot.at_x(f64::from(order)) + width * (n as f64 - shown.len() as f64 / 2.0);
            let y = plot.at_y(of(order, phase));
            let height = plot.bottom() - y;
            let name = if equal { String::new() } else { format!(" L{}", phase + 1) };
            let percent = of(order, phase);
            let _ = write!(
                out,
                "<g><title>order {order}{name}: {percent:.3} % commanded</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" class=\"bar\"/></g>",
                width * 0.94
            );
        }
    }
}

fn mark(out: &mut String, plot: &Plot, reading: &Reading) {
    let place = (reading.phase as f64 - 1.0) * 0.24 * unit(plot);
    let (x, y) = (plot.at_x(f64::from(reading.order)) + place, plot.at_y(reading.percent));
    if let Some((low, high)) = reading.bounds {
        let (low, high) = (plot.at_y(low.max(0.0)), plot.at_y(high));
        let half = 0.1 * unit(plot);
        let (left, right) = (x - half, x + half);
        let _ = write!(
            out,
            "<path d=\"M{left:.1} {high:.1}H{right:.1}M{x:.1} {high:.1}V{low:.1}M{left:.1} {low:.1}H{right:.1}\" class=\"bracket\"/>"
        );
    }
    let (colour, tip) = (PHASE_COLOURS[reading.phase], super::plot::escaped(&reading.tip));
    let shape = marker(reading.phase, 0.0, 0.0);
    let _ = write!(
        out,
        "<g fill=\"{colour}\" transform=\"translate({x:.1} {y:.1}) scale(0.72)\"><title>{tip}</title>{shape}</g>"
    );
    if reading.failed {
        let _ = write!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\" class=\"failed\"/>");
    }
}

fn legend(out: &mut String, readings: &[Reading]) {
    let _ = write!(out, "<rect x=\"{LEFT}\" y=\"7\" width=\"12\" height=\"10\" class=\"bar\"/>");
    text(out, LEFT + 18.0, 16.0, "legend", "commanded");
    let mut x = LEFT + 110.0;
    for phase in (0..3).filter(|&phase| readings.iter().any(|r| r.phase == phase)) {
        let (colour, shape) = (PHASE_COLOURS[phase], marker(phase, 0.0, 0.0));
        let _ = write!(out, "<g fill=\"{colour}\" transform=\"translate({x:.1} 12) scale(0.72)\">{shape}</g>");
        text(out, x + 9.0, 16.0, "legend", &format!("read on L{}", phase + 1));
        x += 92.0;
    }
    if readings.iter().any(|r| r.bounds.is_some()) {
        let _ = write!(out, "<path d=\"M{:.1} 7h8M{:.1} 7v10M{:.1} 17h8\" class=\"bracket\"/>", x - 4.0, x, x - 4.0);
        text(out, x + 9.0, 16.0, "legend", "what it may read");
    }
}
