//! A voltage event: the wave around it, the RMS values of its half cycles with the thresholds, and beneath on the same time axis what was
//! commanded, what the method reads, and what every meter logged.

use std::fmt::Write as _;

use meterbench_waveform::{Played, Thresholds, Waves};

use super::plot::{Plot, open, phase_legend, text};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 118.0;
const RIGHT: f64 = 190.0;
const WAVE_HEIGHT: f64 = 170.0;
const RMS_HEIGHT: f64 = 190.0;
const TOP: f64 = 26.0;
const GAP: f64 = 44.0;
const LANE: f64 = 22.0;
/// Points of a wave in a cycle.
const POINTS: f64 = 64.0;
/// Cycles shown before and after an event.
const MARGIN: f64 = 2.0;
/// An event of up to so many cycles is drawn whole, a longer one by its begin and its end.
const WHOLE: f64 = 12.0;
/// Of a longer one so many cycles are drawn at each end.
const PART: f64 = 4.0;

/// A bar beneath the RMS values.
#[derive(Debug, Clone)]
pub(in crate::report) struct Lane {
    /// Who says it.
    pub(in crate::report) name: String,
    /// From when and how long (s after the begin of the event), where it is known.
    pub(in crate::report) bar: Option<(f64, f64)>,
    /// What is said of it.
    pub(in crate::report) words: String,
    pub(in crate::report) kind: LaneKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum LaneKind {
    Commanded,
    Method,
    Meter,
}

/// Draws it; `udin` is what 100 % are.
pub(in crate::report) fn event_figure(
    played: &Played,
    waves: &Waves,
    udin: f64,
    systems: usize,
    lanes: &[Lane],
    title: &str,
) -> String {
    let Some(event) = &played.event else { return String::new() };
    let cycle = 1.0 / played.sines.hertz;
    let height = TOP + WAVE_HEIGHT + GAP + RMS_HEIGHT + 10.0 + LANE * lanes.len() as f64 + 40.0;
    let mut out = open(WIDTH, height, title);
    let phases = std::array::from_fn(|n| n < systems && !waves.voltage[n].is_silent());
    phase_legend(&mut out, WIDTH - RIGHT + 12.0, TOP + 14.0, "u", phases);
    wave_panels(&mut out, waves, event.seconds, cycle, phases);
    let margin = (10.0 * cycle).max(0.12 * event.seconds);
    let (scale, unit) = if event.seconds + 2.0 * margin > 2.0 { (1.0, "s") } else { (1e3, "ms") };
    let span = (-margin, event.seconds + margin);
    let values = extremes(waves, udin, span, phases);
    let plot = Plot {
        left: LEFT,
        top: TOP + WAVE_HEIGHT + GAP,
        width: WIDTH - LEFT - RIGHT,
        height: RMS_HEIGHT,
        x: (span.0 * scale, span.1 * scale),
        y: axis_ends(values),
        logarithmic: false,
    };
    plot.y_axis(
        &mut out,
        &format!("U<tspan dy=\"3\" font-size=\"9\">rms(1/2)</tspan><tspan dy=\"-3\"> [% of {udin} V]</tspan>"),
        6,
    );
    let ticks = plot.x_ticks(9);
    plot.x_axis(&mut out, &ticks, false);
    thresholds(&mut out, &plot, values);
    for phase in (0..3).filter(|&phase| phases[phase]) {
        plot.phase_line(&mut out, phase, staircase(waves, phase, udin, span).map(|(s, share)| (s * scale, share)));
    }
    plot.frame(&mut out);
    lanes_below(&mut out, &plot, lanes, scale, &ticks);
    let bottom = plot.bottom() + 10.0 + LANE * lanes.len() as f64;
    for (at, words) in [(0.0, "begin"), (event.seconds, "end")] {
        let (x, top) = (plot.at_x(at * scale), plot.top);
        let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" class=\"edge\"/>");
        text(&mut out, x, top - 4.0, "note middle", words);
    }
    let label = format!("time after the begin of the event [{unit}]");
    text(&mut out, plot.left + plot.width / 2.0, bottom + 32.0, "axis middle", &label);
    out.push_str("</svg>");
    out
}

/// The wave: whole, or its begin and its end side by side.
fn wave_panels(out: &mut String, waves: &Waves, seconds: f64, cycle: f64, phases: [bool; 3]) {
    let all = WIDTH - LEFT - RIGHT;
    let margin = MARGIN * cycle;
    let spans: Vec<(f64, f64)> = if seconds <= WHOLE * cycle {
        vec![(-margin, seconds + margin)]
    } else {
        vec![(-margin, PART * cycle), (seconds - PART * cycle, seconds + margin)]
    };
    let peak = peak(waves, &spans, phases);
    let width = (all - 26.0 * (spans.len() as f64 - 1.0)) / spans.len() as f64;
    for (n, &(from, to)) in spans.iter().enumerate() {
        let plot = Plot {
            left: LEFT + n as f64 * (width + 26.0),
            top: TOP,
            width,
            height: WAVE_HEIGHT,
            x: (from * 1e3, to * 1e3),
            y: (-peak, peak),
            logarithmic: false,
        };
        if n == 0 {
            plot.y_axis(out, "u [V]", 6);
        } else {
            plot.horizontal(out, 0.0, "zero");
        }
        plot.x_axis(out, &plot.x_ticks(if spans.len() == 1 { 10 } else { 5 }), true);
        let count = ((to - from) / cycle * POINTS).ceil() as usize;
        for phase in (0..3).filter(|&phase| phases[phase]) {
            let edges = [0.0, seconds].into_iter().flat_map(|edge| [edge - 1e-9, edge]);
            let mut at: Vec<f64> = (0..=count).map(|k| from + (to - from) * k as f64 / count as f64).collect();
            at.extend(edges.filter(|edge| (from..to).contains(edge)));
            at.sort_by(f64::total_cmp);
            plot.phase_line(out, phase, at.into_iter().map(|s| (s * 1e3, waves.voltage[phase].at(s))));
        }
        for (edge, words) in [(0.0, "begin"), (seconds, "end")] {
            if (from..to).contains(&edge) {
                plot.vertical(out, edge * 1e3, "edge");
                text(out, plot.at_x(edge * 1e3), plot.top - 5.0, "note middle", words);
            }
        }
        plot.frame(out);
    }
    text(out, WIDTH - RIGHT + 22.0, TOP + WAVE_HEIGHT + 16.0, "axis", "t [ms]");
}

/// The highest peak, rounded up to 50 V.
fn peak(waves: &Waves, spans: &[(f64, f64)], phases: [bool; 3]) -> f64 {
    let mut peak = 10f64;
    for &(from, to) in spans {
        for phase in (0..3).filter(|&phase| phases[phase]) {
            let samples = (0..2000).map(|k| from + (to - from) * f64::from(k) / 2000.0);
            peak = samples.map(|s| waves.voltage[phase].at(s).abs()).fold(peak, f64::max);
        }
    }
    (peak * 1.05 / 50.0).ceil() * 50.0
}

/// Values [% of Udin] as they are known: each stands from the end of its cycle to the end of the next. Values that do not change are one line.
pub(super) fn staircase(waves: &Waves, phase: usize, udin: f64, span: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for half in waves.voltage[phase].half_cycles(span.0, span.1) {
        let share = 100.0 * half.rms / udin;
        match points.last().copied() {
            Some((_, before)) if (before - share).abs() < 0.005 => {}
            Some((_, before)) => points.extend([(half.end_s, before), (half.end_s, share)]),
            None => points.push((span.0, share)),
        }
    }
    if let Some(&(_, last)) = points.last() {
        points.push((span.1, last));
    }
    points.into_iter()
}

/// Lowest and highest RMS value [%].
fn extremes(waves: &Waves, udin: f64, span: (f64, f64), phases: [bool; 3]) -> (f64, f64) {
    let shares = (0..3).filter(|&phase| phases[phase]).flat_map(|phase| staircase(waves, phase, udin, span));
    shares.fold((100.0, 100.0), |ends, (_, share)| (ends.0.min(share), ends.1.max(share)))
}

/// Ends of the axis of the RMS values [%].
fn axis_ends((lowest, highest): (f64, f64)) -> (f64, f64) {
    let (lowest, highest) = (lowest.min(88.0), highest.max(103.0));
    let step = if highest - lowest > 60.0 { 20.0 } else { 5.0 };
    ((lowest / step - 0.3).floor().max(0.0) * step, (highest / step + 0.3).ceil() * step)
}

/// Those that the values come near.
fn thresholds(out: &mut String, plot: &Plot, (lowest, highest): (f64, f64)) {
    let of = Thresholds::default();
    let mut lines = Vec::new();
    if lowest < 95.0 {
        lines.extend([
            (of.dip, "limit", "dip begins below 90 %", 11.0),
            (of.dip + of.hysteresis, "hysteresis", "dip ends at 92 %", -3.0),
        ]);
    }
    if highest > 105.0 {
        lines.extend([
            (of.swell, "limit", "swell begins above 110 %", -3.0),
            (of.swell - of.hysteresis, "hysteresis", "swell ends at 108 %", 11.0),
        ]);
    }
    if lowest < 10.0 {
        lines.extend([
            (of.interruption, "limit", "interruption begins below 5 %", 11.0),
            (of.interruption + of.hysteresis, "hysteresis", "and ends at 7 %", -3.0),
        ]);
    }
    for (share, class, words, down) in lines {
        plot.horizontal(out, 100.0 * share, class);
        text(out, plot.right() + 6.0, plot.at_y(100.0 * share) + down, "note", words);
    }
}

/// Bars beneath a picture, and the figures of its x axis.
pub(super) fn lanes_below(out: &mut String, plot: &Plot, lanes: &[Lane], scale: f64, ticks: &[f64]) {
    let (top, left, right) = (plot.bottom() + 10.0, plot.left, plot.right());
    let bottom = top + LANE * lanes.len() as f64;
    for &tick in ticks {
        let x = plot.at_x(tick);
        let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" class=\"grid\"/>");
        let label = tick.to_string().replace('-', "\u{2212}");
        text(out, x, bottom + 14.0, "tick middle", &label);
    }
    for (n, lane) in lanes.iter().enumerate() {
        let y = top + LANE * n as f64;
        text(out, left - 7.0, y + 14.0, "tick end", &lane.name);
        let _ = write!(out, "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"grid\"/>");
        if let Some((begin, seconds)) = lane.bar {
            let (from, to) = (plot.at_x(begin * scale), plot.at_x((begin + seconds) * scale));
            let class = match lane.kind {
                LaneKind::Commanded => "lane commanded",
                LaneKind::Method => "lane method",
                LaneKind::Meter => "lane meter",
            };
            let (y, width, height) = (y + 5.0, (to - from).max(1.5), LANE - 10.0);
            let _ = write!(
                out,
                "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
            );
        }
        text(out, right + 6.0, y + 14.0, "legend", &lane.words);
    }
}
