//! A wave that goes on: two of its cycles, what a modulation does, and the fundamentals as phasors where they are not balanced.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use meterbench_waveform::{Played, Wave, Waves, sequences};

use super::event::staircase;
use super::plot::{PHASE_COLOURS, PHASE_DASHES, PHASE_WIDTHS, Plot, Spacing, open, phase_legend, text};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 66.0;
const HEIGHT: f64 = 200.0;
const TOP: f64 = 14.0;
/// Room for the names of the phases.
const LEGEND: f64 = 72.0;
const POINTS: usize = 600;
/// A phasor is at most so wide: its tip is to be seen.
const PHASOR_WIDTH: f64 = 2.6;

/// Voltages over two cycles, and currents where they are distorted; beneath them what a modulation does to the RMS values.
pub(in crate::report) fn steady_figure(
    played: &Played,
    waves: &Waves,
    udin: f64,
    systems: usize,
    title: &str,
) -> String {
    let sounding = |of: &[Wave; 3]| std::array::from_fn(|n| n < systems && !of[n].is_silent());
    let (voltages, currents): ([bool; 3], [bool; 3]) = (sounding(&waves.voltage), sounding(&waves.current));
    let mut panels = vec![(&waves.voltage, voltages, "u [V]", "u")];
    if currents.contains(&true) && played.waveform.current.iter().any(|wave| !wave.is_none()) {
        panels.push((&waves.current, currents, "i [A]", "i"));
    }
    let slowest = played.waveform.voltage.iter().filter_map(|wave| wave.modulation).map(|m| 1.0 / m.hertz.max(0.01));
    let period = slowest.fold(0.0, f64::max);
    let height = TOP + HEIGHT + 44.0;
    let mut out = open(WIDTH, height + if period > 0.0 { HEIGHT + 56.0 } else { 0.0 }, title);
    let seconds = shown_seconds(played);
    let step = (WIDTH - 20.0) / panels.len() as f64;
    for (n, (of, phases, label, letter)) in panels.iter().enumerate() {
        let left = LEFT + n as f64 * step;
        let at = |k: usize| seconds * k as f64 / POINTS as f64;
        let values = |phase: usize| (0..=POINTS).map(move |k| (at(k) * 1e3, of[phase].at(at(k))));
        let peak = (0..3).filter(|&p| phases[p]).flat_map(values).map(|(_, y)| y.abs()).fold(1e-3, f64::max);
        let (x, y) = ((0.0, seconds * 1e3), (-1.06 * peak, 1.06 * peak));
        let plot = Plot { left, top: TOP, width: step - LEFT - LEGEND, height: HEIGHT, x, y, spacing: Spacing::Linear };
        phase_legend(&mut out, plot.right() + 12.0, TOP + 14.0, letter, *phases);
        plot.y_axis(&mut out, label, 6);
        plot.x_axis(&mut out, &plot.x_ticks(if panels.len() == 1 { 10 } else { 5 }), true);
        plot.phase_lines(&mut out, *phases, values);
        plot.frame(&mut out);
        text(&mut out, left + plot.width / 2.0, plot.bottom() + 32.0, "axis middle", "time [ms]");
    }
    if period > 0.0 {
        envelope(&mut out, waves, udin, height, (3.0 * period).clamp(0.2, 180.0), voltages);
    }
    out.push_str("</svg>");
    out
}

/// Two cycles; two periods where a modulation is not much slower.
fn shown_seconds(played: &Played) -> f64 {
    let cycle = 1.0 / played.sines.hertz;
    let waves = played.waveform.voltage.iter().chain(&played.waveform.current);
    let periods = waves.filter_map(|wave| wave.modulation).map(|m| 2.0 / m.hertz.max(1e-6));
    periods.filter(|&seconds| seconds <= 10.0 * cycle).fold(2.0 * cycle, f64::max)
}

/// RMS values of the half cycles over some periods of a modulation.
fn envelope(out: &mut String, waves: &Waves, udin: f64, top: f64, seconds: f64, phases: [bool; 3]) {
    let span = (0.0, seconds);
    let series = |phase: usize| staircase(waves, phase, udin, span);
    let shares = (0..3).filter(|&phase| phases[phase]).flat_map(series);
    let (low, high) = shares.fold((f64::INFINITY, 0f64), |(l, h), (_, share)| (l.min(share), h.max(share)));
    let margin = (0.15 * (high - low)).max(0.05);
    let (scale, unit) = if seconds > 2.0 { (1.0, "s") } else { (1e3, "ms") };
    let plot = Plot {
        left: LEFT,
        top,
        width: WIDTH - 20.0 - LEFT - LEGEND,
        height: HEIGHT,
        x: (0.0, seconds * scale),
        y: (low - margin, high + margin),
        spacing: Spacing::Linear,
    };
    plot.y_axis(out, "Urms(1/2) [% of Udin]", 5);
    plot.x_axis(out, &plot.x_ticks(10), true);
    plot.phase_lines(out, phases, |phase| series(phase).map(|(s, share)| (s * scale, share)));
    plot.frame(out);
    text(out, plot.left + plot.width / 2.0, plot.bottom() + 32.0, "axis middle", &format!("time [{unit}]"));
}

/// The fundamentals of three voltages as phasors, L1 to the right, with their symmetrical components in words.
pub(in crate::report) fn phasor_figure(played: &Played, udin: f64, title: &str) -> String {
    let sines = &played.sines.voltage;
    let (size, radius) = (250.0, 96.0);
    let largest = sines.iter().map(|sine| sine.rms).fold(udin, f64::max);
    let (cx, cy) = (LEFT + 130.0, size / 2.0);
    let mut out = open(WIDTH, size, title);
    let circle = radius * udin / largest;
    let _ = write!(out, "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{circle:.1}\" class=\"frame\" stroke-dasharray=\"3 3\"/>");
    for turn in 0..12 {
        let (sin, cos) = (f64::from(turn) * TAU / 12.0).sin_cos();
        let (x, y) = (cx + radius * 1.1 * cos, cy + radius * 1.1 * sin);
        let _ = write!(out, "<line x1=\"{cx}\" y1=\"{cy}\" x2=\"{x:.1}\" y2=\"{y:.1}\" class=\"grid\"/>");
    }
    for (n, sine) in sines.iter().enumerate() {
        let (sin, cos) = sine.lag_deg.to_radians().sin_cos();
        let length = radius * sine.rms / largest;
        // A lag turns clockwise; y grows downwards.
        let (x, y) = (cx + length * cos, cy + length * sin);
        let (colour, dash, width) = (PHASE_COLOURS[n], PHASE_DASHES[n], PHASE_WIDTHS[n].min(PHASOR_WIDTH));
        let _ = write!(
            out,
            "<line x1=\"{cx}\" y1=\"{cy}\" x2=\"{x:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>"
        );
        if length > 8.0 {
            let wing = |turn: f64| {
                let (s, c) = (sine.lag_deg.to_radians() + turn).sin_cos();
                (x - 9.0 * c, y - 9.0 * s)
            };
            let ((ax, ay), (bx, by)) = (wing(0.35), wing(-0.35));
            let _ = write!(out, "<path d=\"M{x:.1} {y:.1}L{ax:.1} {ay:.1}L{bx:.1} {by:.1}z\" fill=\"{colour}\"/>");
        }
        let out_by = length.max(14.0) + 13.0;
        text(&mut out, cx + out_by * cos, cy + out_by * sin + 4.0, "legend middle", &format!("L{}", n + 1));
    }
    let mut y = 46.0;
    let mut line = |words: &str| {
        text(&mut out, 400.0, y, "legend", words);
        y += 21.0;
    };
    for (n, sine) in sines.iter().enumerate() {
        let angle = (180.0 - sine.lag_deg).rem_euclid(360.0) - 180.0;
        let share = 100.0 * sine.rms / udin;
        line(&format!("L{}  {:.2} V  ({share:.2} %)  at {}°", n + 1, sine.rms, crate::words::signed(angle, 1)));
    }
    match sequences(sines) {
        Some(found) => {
            line(&format!("positive sequence U1 = {:.2} V", found.positive));
            line(&format!("u2 = U2/U1 = {:.3} %", found.negative_percent));
            line(&format!("u0 = U0/U1 = {:.3} %", found.zero_percent));
        }
        None => line("no positive sequence: reversed rotation, or nothing"),
    }
    line(&format!("dashed circle: {udin} V"));
    out.push_str("</svg>");
    out
}
