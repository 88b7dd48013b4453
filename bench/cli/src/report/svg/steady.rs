//! A wave that goes on: two of its cycles, and the fundamentals as phasors where they are not balanced.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use meterbench_waveform::{Played, Wave, Waves, sequences};

use super::plot::{PHASE_COLOURS, PHASE_DASHES, PHASE_WIDTHS, Plot, open, phase_legend, text};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 66.0;
const HEIGHT: f64 = 200.0;
const TOP: f64 = 26.0;
const POINTS: usize = 400;

/// Voltages and, if there are any, currents over two cycles, or two periods of a modulation of which a figure shows the envelope.
pub(in crate::report) fn steady_figure(played: &Played, waves: &Waves, systems: usize, title: &str) -> String {
    let sounding = |of: &[Wave; 3]| std::array::from_fn(|n| n < systems && !of[n].is_silent());
    let (voltages, currents): ([bool; 3], [bool; 3]) = (sounding(&waves.voltage), sounding(&waves.current));
    let mut panels = vec![(&waves.voltage, voltages, "u [V]", "U")];
    if currents.contains(&true) && played.waveform.current.iter().any(|wave| !wave.is_none()) {
        panels.push((&waves.current, currents, "i [A]", "I"));
    }
    let modulations = played.waveform.voltage.iter().chain(&played.waveform.current).filter_map(|wave| wave.modulation);
    let slowest = modulations.map(|m| 2.0 / m.hertz.max(0.05)).fold(0.0, f64::max);
    let seconds = (2.0 / played.sines.hertz).max(slowest.min(4.0));
    let mut out = open(WIDTH, TOP + HEIGHT + 40.0, title);
    let gap = 84.0;
    let width = (WIDTH - LEFT - 20.0 - gap * (panels.len() as f64 - 1.0)) / panels.len() as f64;
    for (n, (of, phases, label, letter)) in panels.iter().enumerate() {
        let left = LEFT + n as f64 * (width + gap);
        let points = if seconds > 3.0 / played.sines.hertz { 4 * POINTS } else { POINTS };
        let at = |k: usize| seconds * k as f64 / points as f64;
        let values = |phase: usize| (0..=points).map(move |k| (at(k) * 1e3, of[phase].at(at(k))));
        let peak = (0..3).filter(|&p| phases[p]).flat_map(values).map(|(_, y)| y.abs()).fold(1e-3, f64::max);
        let (x, y) = ((0.0, seconds * 1e3), (-1.06 * peak, 1.06 * peak));
        let plot = Plot { left, top: TOP, width, height: HEIGHT, x, y, logarithmic: false };
        phase_legend(&mut out, left, 14.0, letter, *phases);
        plot.y_axis(&mut out, label, 6);
        plot.x_axis(&mut out, &plot.x_ticks(if panels.len() == 1 { 12 } else { 6 }), true);
        for phase in (0..3).filter(|&phase| phases[phase]) {
            plot.phase_line(&mut out, phase, values(phase));
        }
        plot.frame(&mut out);
        text(&mut out, left + width / 2.0, plot.bottom() + 32.0, "axis middle", "time [ms]");
    }
    out.push_str("</svg>");
    out
}

/// The fundamentals of three voltages as phasors, L1 to the right, with their symmetrical components in words.
pub(in crate::report) fn phasor_figure(played: &Played, udin: f64, title: &str) -> String {
    let sines = &played.sines.voltage;
    let (size, radius) = (250.0, 96.0);
    let largest = sines.iter().map(|sine| sine.rms).fold(udin, f64::max);
    let (cx, cy) = (150.0, size / 2.0);
    let mut out = open(620.0, size, title);
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
        let (colour, dash, width) = (PHASE_COLOURS[n], PHASE_DASHES[n], PHASE_WIDTHS[n]);
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
        text(&mut out, 320.0, y, "legend", words);
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
