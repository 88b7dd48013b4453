//! A voltage event, on one time axis from top to bottom: the wave, the RMS values of its half cycles with the thresholds, and
//! what was commanded, what the method reads, what every meter logged. The axis squeezes the middle of a long event.

use std::fmt::Write as _;

use meterbench_waveform::{Played, Thresholds, Waves};

use super::plot::{Plot, Spacing, open, phase_legend, text};

const WIDTH: f64 = 940.0;
const LEFT: f64 = 118.0;
const RIGHT: f64 = 206.0;
const WAVE_HEIGHT: f64 = 170.0;
const RMS_HEIGHT: f64 = 190.0;
const TOP: f64 = 26.0;
const GAP: f64 = 18.0;
const LANE: f64 = 22.0;
/// Points of a wave in a cycle.
const POINTS: f64 = 64.0;
/// Cycles shown before and after an event, and before and after its bars.
const MARGIN: f64 = 3.0;
/// Bars are followed up to so many cycles beyond the event.
const BEYOND: f64 = 10.0;
/// An event of up to so many cycles is drawn whole; the middle of a longer one is squeezed.
const WHOLE: f64 = 12.0;
/// Of a longer one so many cycles are drawn at each end.
const PART: f64 = 5.0;

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

/// The time axis that the panels and the bars of an event share (s after its begin).
struct Time {
    from: f64,
    to: f64,
    /// What is squeezed: the middle of a long event.
    squeezed: Option<(f64, f64)>,
    /// Units in a second.
    scale: f64,
    unit: &'static str,
}

impl Time {
    /// Of an event of so many seconds; bars that begin before it or end after it lengthen the axis.
    fn new(seconds: f64, cycle: f64, lanes: &[Lane]) -> Self {
        let bars = || lanes.iter().filter_map(|lane| lane.bar);
        let first = bars().map(|(begin, _)| begin).fold(0.0, f64::min).max(-BEYOND * cycle);
        let last = bars().map(|(begin, lasted)| begin + lasted).fold(seconds, f64::max).min(seconds + BEYOND * cycle);
        let (from, to) = (first - MARGIN * cycle, last + MARGIN * cycle);
        let squeezed = (seconds > WHOLE * cycle).then_some((PART * cycle, seconds - PART * cycle));
        let (scale, unit) = if to > 2.0 { (1.0, "s") } else { (1e3, "ms") };
        Self { from, to, squeezed, scale, unit }
    }

    /// What is not squeezed.
    fn pieces(&self) -> Vec<(f64, f64)> {
        match self.squeezed {
            Some((end, begin)) => vec![(self.from, end), (begin, self.to)],
            None => vec![(self.from, self.to)],
        }
    }

    /// A panel over this axis.
    fn plot(&self, top: f64, height: f64, y: (f64, f64)) -> Plot {
        let spacing = match self.squeezed {
            Some((from, to)) => Spacing::Broken { from: from * self.scale, to: to * self.scale },
            None => Spacing::Linear,
        };
        let x = (self.from * self.scale, self.to * self.scale);
        Plot { left: LEFT, top, width: WIDTH - LEFT - RIGHT, height, x, y, spacing }
    }
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
    let time = Time::new(event.seconds, cycle, lanes);
    let phases = std::array::from_fn(|n| n < systems && !waves.voltage[n].is_silent());
    let values = extremes(waves, udin, (time.from, time.to), phases);
    let peak = peak(waves, &time, phases);
    let wave = time.plot(TOP, WAVE_HEIGHT, (-peak, peak));
    let rms = time.plot(wave.bottom() + GAP, RMS_HEIGHT, axis_ends(values));
    let (ticks, bottom) = (wave.x_ticks(9), rms.bottom() + 10.0 + LANE * lanes.len() as f64);
    let mut out = open(WIDTH, bottom + 40.0, title);
    squeeze(&mut out, &wave, &time, bottom);
    phase_legend(&mut out, wave.right() + 12.0, TOP + 14.0, "", phases);
    wave.y_axis(&mut out, "u [V]", 6);
    wave.x_axis(&mut out, &ticks, false);
    for (from, to) in time.pieces() {
        let at = instants(from, to, cycle, [0.0, event.seconds]);
        let points = |phase: usize| at.iter().map(move |&s| (s * time.scale, waves.voltage[phase].at(s)));
        wave.phase_lines(&mut out, phases, points);
    }
    wave.frame(&mut out);
    let name = "U<tspan dy=\"3\" font-size=\"9\">rms(1/2)</tspan>";
    rms.y_axis(&mut out, &format!("{name}<tspan dy=\"-3\"> [% of {udin} V]</tspan>"), 6);
    rms.x_axis(&mut out, &ticks, false);
    thresholds(&mut out, &rms, values);
    rms.phase_lines(&mut out, phases, |phase| {
        staircase(waves, phase, udin, (time.from, time.to)).map(|(s, share)| (s * time.scale, share))
    });
    rms.frame(&mut out);
    lanes_below(&mut out, &rms, lanes, time.scale, &ticks);
    edge(&mut out, wave.at_x(0.0), bottom, "note end", "begin");
    edge(&mut out, wave.at_x(event.seconds * time.scale), bottom, "note", "end");
    let label = format!("time after the begin of the event [{}]", time.unit);
    text(&mut out, wave.left + wave.width / 2.0, bottom + 32.0, "axis middle", &label);
    out.push_str("</svg>");
    out
}

/// A line from the top of the wave to the last bar.
fn edge(out: &mut String, x: f64, bottom: f64, class: &str, words: &str) {
    let _ = write!(out, "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\" class=\"edge\"/>");
    text(out, x, TOP - 6.0, class, words);
}

/// Shades what the axis squeezes, through all panels, and says how much it is.
fn squeeze(out: &mut String, wave: &Plot, time: &Time, bottom: f64) {
    let Some((from, to)) = time.squeezed else { return };
    let (left, right) = (wave.at_x(from * time.scale), wave.at_x(to * time.scale));
    let (width, height) = (right - left, bottom - wave.top);
    let _ = write!(
        out,
        "<rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"squeezed\"/>"
    );
    let (middle, cut) = ((left + right) / 2.0, ((to - from) * time.scale * 100.0).round() / 100.0);
    for (line, words) in [(1.0, format!("{cut} {}", time.unit)), (2.0, "squeezed".to_owned())] {
        text(out, middle, TOP + 14.0 * line, "note middle", &words);
    }
}

/// Where a wave is drawn (s): evenly, and on both sides of each edge.
fn instants(from: f64, to: f64, cycle: f64, edges: [f64; 2]) -> Vec<f64> {
    let count = ((to - from) / cycle * POINTS).ceil();
    let mut at: Vec<f64> = (0..=count as usize).map(|k| from + (to - from) * k as f64 / count).collect();
    let sides = edges.into_iter().flat_map(|edge| [edge - 1e-9, edge]);
    at.extend(sides.filter(|side| (from..to).contains(side)));
    at.sort_by(f64::total_cmp);
    at
}

/// The highest peak (V), rounded up to 50 V.
fn peak(waves: &Waves, time: &Time, phases: [bool; 3]) -> f64 {
    let mut peak = 10f64;
    for (from, to) in time.pieces() {
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

#[cfg(test)]
mod tests {
    use meterbench_waveform::{Sine, Sines, VoltageEvent};

    use super::*;

    /// A dip of L1, at 50 Hz, with a bar for what was commanded and one for a meter (s).
    fn figure(seconds: f64, meter: (f64, f64)) -> String {
        let event = VoltageEvent {
            phases: [true, false, false],
            share: 0.7,
            seconds,
            point_on_wave_deg: 0.0,
            phase_jump_deg: 0.0,
        };
        let voltage = [0.0, 120.0, 240.0].map(|lag_deg| Sine { rms: 230.0, lag_deg });
        let sines = Sines { hertz: 50.0, voltage, ..Default::default() };
        let (words, waveform) = (String::new(), Default::default());
        let played = Played { step: 1, words, from_ns: 0, to_ns: 0, sines, waveform, event: Some(event) };
        let lane = |bar, kind| Lane { name: String::new(), bar: Some(bar), words: String::new(), kind };
        let lanes = [lane((0.0, seconds), LaneKind::Commanded), lane(meter, LaneKind::Meter)];
        event_figure(&played, &played.waves(), 230.0, 3, &lanes, "")
    }

    /// Points of every line of a phase.
    fn lines(svg: &str) -> Vec<Vec<(f64, f64)>> {
        let point = |point: &str| point.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()));
        let line = |rest: &str| rest.split('"').next().unwrap().split(' ').filter_map(point).collect();
        svg.split("<polyline points=\"").skip(1).map(line).collect()
    }

    /// A number of every element of this class.
    fn of_class(svg: &str, class: &str, name: &str) -> Vec<f64> {
        let class = format!("class=\"{class}\"");
        let number = |element: &str| {
            let (_, rest) = element.split_once(&format!(" {name}=\""))?;
            rest.split_once('"')?.0.parse().ok()
        };
        svg.split('<').filter(|element| element.contains(&class)).filter_map(number).collect()
    }

    /// From the leftmost to the rightmost point.
    fn extent(lines: &[Vec<(f64, f64)>]) -> (f64, f64) {
        let x = || lines.iter().flatten().map(|point| point.0);
        (x().fold(f64::INFINITY, f64::min), x().fold(0.0, f64::max))
    }

    #[test]
    fn wave_rms_values_and_bars_share_their_time_axis() {
        for seconds in [0.01, 0.2, 5.0] {
            let svg = figure(seconds, (0.0, seconds));
            let lines = lines(&svg);
            let (waves, rms) = lines.split_at(lines.len() - 3);
            assert_eq!(extent(waves), (LEFT, WIDTH - RIGHT), "{seconds} s");
            assert_eq!(extent(rms), (LEFT, WIDTH - RIGHT), "{seconds} s");
            let (begin, bar) = (of_class(&svg, "edge", "x1")[0], of_class(&svg, "lane commanded", "x")[0]);
            assert_eq!(begin, bar, "{seconds} s: the dip begins at one place in all of them");
            assert_eq!(of_class(&svg, "edge", "y1"), [TOP, TOP], "{seconds} s: one line through all");
            // Figures of the axis stand at its lines in the wave, in the RMS values and between the bars.
            let (from, to) = (of_class(&svg, "grid", "x1"), of_class(&svg, "grid", "x2"));
            let vertical: Vec<f64> = from.into_iter().zip(to).filter(|(a, b)| a == b).map(|(x, _)| x).collect();
            for x in of_class(&svg, "tick middle", "x").into_iter().filter(|&x| x != begin) {
                assert_eq!(vertical.iter().filter(|&&line| line == x).count(), 3, "{seconds} s, {x}");
            }
        }
    }

    /// The dip of L1 begins at a zero crossing: half a cycle later the first value is known that is less.
    #[test]
    fn rms_values_fall_half_a_cycle_right_of_where_the_wave_does() {
        for seconds in [0.2, 5.0] {
            let svg = figure(seconds, (0.0, seconds));
            let lines = lines(&svg);
            let l1 = lines.iter().rev().take(3).find(|line| line.len() > 2).unwrap();
            let ticks = of_class(&svg, "tick middle", "x");
            let begin = of_class(&svg, "edge", "x1")[0];
            let next = ticks.into_iter().filter(|&x| x > begin).fold(f64::INFINITY, f64::min);
            // The figures stand 50 ms apart, half a cycle is 10 ms; places are rounded to 0.1.
            assert!((l1[1].0 - begin - (next - begin) / 5.0).abs() < 0.2, "{seconds} s: {l1:?} {begin} {next}");
        }
    }

    #[test]
    fn the_middle_of_a_long_event_is_squeezed_and_says_so() {
        let svg = figure(5.0, (0.0, 5.0));
        assert!(svg.contains(">4.8 s<") && svg.contains(">squeezed<"));
        let (left, width) = (of_class(&svg, "squeezed", "x")[0], of_class(&svg, "squeezed", "width")[0]);
        let waves = &lines(&svg)[..6];
        let inside = |point: &&(f64, f64)| point.0 > left && point.0 < left + width;
        assert_eq!(waves.iter().flatten().filter(inside).count(), 0, "both ends of three waves, nothing between");
        assert!(!figure(0.2, (0.0, 0.2)).contains("squeezed"));
    }

    /// A meter that sees an event begin early or end late has its bar in the picture, with both its ends.
    #[test]
    fn a_bar_beyond_the_event_lengthens_the_axis() {
        let svg = figure(0.1, (-0.15, 0.4));
        let (left, width) = (of_class(&svg, "lane meter", "x")[0], of_class(&svg, "lane meter", "width")[0]);
        assert!(left > LEFT && left + width < WIDTH - RIGHT, "{left} {width}");
    }
}
