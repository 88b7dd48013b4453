//! Voltages that stand one after the other: their RMS values over time, the frequency where it changes, and beneath what meters logged.

use meterbench_waveform::Played;

use super::event::{Lane, lanes_below};
use super::plot::{Plot, Spacing, open, phase_legend, text};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 118.0;
const RIGHT: f64 = 206.0;
const TOP: f64 = 14.0;
const HEIGHT: f64 = 180.0;
const GAP: f64 = 30.0;
const LANE: f64 = 22.0;

/// Draws stages of a step; time begins with the first, and bars of lanes are in the same time. `udin` is what 100 % are; a frequency
/// away from the nominal one is drawn too.
pub(in crate::report) fn course_figure(
    stages: &[&Played],
    (udin, nominal): (f64, f64),
    systems: usize,
    lanes: &[Lane],
    title: &str,
) -> String {
    let (Some(first), Some(last)) = (stages.first(), stages.last()) else { return String::new() };
    let time = |ns: u64| ns.saturating_sub(first.from_ns) as f64 / 1e9;
    let ends = lanes.iter().filter_map(|lane| lane.bar).map(|(begin, seconds)| begin + seconds);
    let end = ends.fold(time(last.to_ns), f64::max).max(0.01);
    let (scale, unit) = if end > 180.0 { (1.0 / 60.0, "min") } else { (1.0, "s") };
    let changes = stages.iter().any(|stage| (stage.sines.hertz - nominal).abs() > 1e-6);
    let panels = if changes { 2.0 } else { 1.0 };
    let height = TOP + (HEIGHT + GAP) * panels + LANE * lanes.len() as f64 + 24.0;
    let mut out = open(WIDTH, height, title);
    let phases: [bool; 3] = std::array::from_fn(|n| n < systems);
    let share = |stage: &Played, phase: usize| 100.0 * stage.sines.voltage[phase].rms / udin;
    let steps = |of: &dyn Fn(&Played) -> f64| -> Vec<(f64, f64)> {
        let ends = |stage: &&Played| {
            let value = of(stage);
            [(time(stage.from_ns) * scale, value), (time(stage.to_ns) * scale, value)]
        };
        stages.iter().flat_map(ends).collect()
    };
    let bounds = |values: &[f64], margin: f64| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = (0.15 * (high - low)).max(margin);
        ((low - margin).max(0.0), high + margin)
    };
    let shares: Vec<f64> = stages.iter().flat_map(|stage| (0..systems).map(|n| share(stage, n))).collect();
    let x = (-0.02 * end * scale, 1.02 * end * scale);
    let mut plot = Plot {
        left: LEFT,
        top: TOP,
        width: WIDTH - LEFT - RIGHT,
        height: HEIGHT,
        x,
        y: bounds(&shares, 1.0),
        spacing: Spacing::Linear,
    };
    let ticks = plot.x_ticks(9);
    phase_legend(&mut out, plot.right() + 12.0, TOP + 14.0, "U ", phases);
    plot.y_axis(&mut out, &format!("U commanded [% of {udin} V]"), 6);
    plot.x_axis(&mut out, &ticks, false);
    plot.phase_lines(&mut out, phases, |phase| steps(&|stage| share(stage, phase)).into_iter());
    plot.frame(&mut out);
    if changes {
        let hertz: Vec<f64> = stages.iter().map(|stage| stage.sines.hertz).collect();
        plot = Plot { top: plot.bottom() + GAP, y: bounds(&hertz, 0.05), ..plot };
        plot.y_axis(&mut out, "f commanded [Hz]", 6);
        plot.x_axis(&mut out, &ticks, false);
        plot.phase_line(&mut out, 0, steps(&|stage| stage.sines.hertz).into_iter());
        plot.frame(&mut out);
    }
    lanes_below(&mut out, &plot, lanes, scale, &ticks);
    let label = format!("time after the begin of the course [{unit}]");
    let y = plot.bottom() + 10.0 + LANE * lanes.len() as f64 + 32.0;
    text(&mut out, plot.left + plot.width / 2.0, y, "axis middle", &label);
    out.push_str("</svg>");
    out
}
