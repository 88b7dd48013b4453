//! Pictures of what was played.

use meterbench_record::{Measurement, PositionInfo, Record, Verdict};
use meterbench_waveform::{HIGHEST_ORDER, Lamp, Modulation, Played, sequences};
use serde::Serialize;

use super::logged::{Logged, meter};
use super::{Stimulus, phases_words, time_words};
use crate::report::svg::{
    Commanded, Lane, LaneKind, Reading, course_figure, event_figure, harmonics_figure, phasor_figure, steady_figure,
};
use crate::report::waveforms;
use crate::words;

/// Lanes of meters in a picture at most.
const MOST_LANES: usize = 6;
/// Stages named beside a picture at most.
const MOST_NAMES: usize = 6;
/// Rows of a meter in a picture at most.
const MOST_ROWS: usize = 12;
/// Samples a second of the flickermeter.
const FLICKER_RATE: u32 = 8000;
/// What the flickermeter looks at, at most (s), and how long it settles before.
const FLICKER_S: f64 = 600.0;
const SETTLING_S: f64 = 60.0;
/// Components of less than this share are balanced (%).
const BALANCED_PERCENT: f64 = 0.02;

#[derive(Debug, Serialize)]
pub(super) struct Figure {
    title: String,
    facts: Vec<String>,
    svgs: Vec<String>,
    /// Beginning of the names of its files.
    files: String,
}

/// A picture of every stimulus: what was played again alike shares one, and so do voltages that stood one after the other.
pub(super) fn figures(
    record: &Record,
    stimuli: &[Stimulus<'_>],
    tested: &[&PositionInfo],
    udin: f64,
    systems: usize,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut left = stimuli;
    while let Some(stimulus) = left.first() {
        let step = stimulus.played.step;
        let goes_on = |other: &&Stimulus<'_>| {
            other.played.step == step && other.attempt == stimulus.attempt && is_stage(other.played)
        };
        let stages = left.iter().take_while(goes_on).count();
        // One balanced sine says nothing as a wave.
        let plain = stages == 1 && !(systems == 3 && is_unbalanced(stimulus.played));
        if stages > 1 || plain {
            figures.push(course(record, &left[..stages], tested, udin, systems));
            left = &left[stages..];
            continue;
        }
        let before = &stimuli[..stimulus.place];
        if !before.iter().any(|other| again(other, stimulus)) {
            let times = left.iter().filter(|other| again(other, stimulus)).count();
            figures.push(figure(record, stimulus, times, tested, udin, systems));
        }
        left = &left[1..];
    }
    figures
}

/// Number and name of a step.
fn title(record: &Record, step: u32) -> String {
    let name = record.subject.steps.iter().find(|info| info.step == step).map_or("", |info| info.name.as_str());
    format!("Step {step}: {name}")
}

/// Steady sines, without an event.
fn is_stage(played: &Played) -> bool {
    played.event.is_none() && played.waveform.is_none()
}

/// Voltages that stood one after the other.
fn course(record: &Record, stages: &[Stimulus<'_>], tested: &[&PositionInfo], udin: f64, systems: usize) -> Figure {
    let played: Vec<&Played> = stages.iter().map(|stage| stage.played).collect();
    let (first, from_ns) = (&stages[0], played[0].from_ns);
    let title = title(record, first.played.step);
    let nominal = tested.first().map_or(50.0, |position| position.meter.fn_hertz);
    let mut lanes = Vec::new();
    for position in tested.iter().filter(|position| first.asks(position)).take(MOST_LANES) {
        let rows = stages.iter().flat_map(|stage| &stage.logged).filter(|row| row.position == position.id);
        let before = lanes.len();
        lanes.extend(rows.take(MOST_ROWS).map(|row| row_lane(row, from_ns, tested)));
        if lanes.len() == before {
            lanes.push(nothing_logged(meter(position.id, tested)));
        }
    }
    let named = stages.iter().take(MOST_NAMES).map(|stage| stage.played.words.as_str()).collect::<Vec<_>>();
    let more = stages.len().checked_sub(MOST_NAMES + 1).map(|left| format!(", and {} more", left + 1));
    let mut facts = vec![format!("{}{}", named.join(", then "), more.unwrap_or_default())];
    facts.push(format!("at {} of bench time", words::clock(from_ns)));
    let seconds = played.last().map_or(0, |last| last.to_ns).saturating_sub(from_ns) as f64 / 1e9;
    facts.push(format!("{} altogether", words::duration(seconds)));
    if stages.len() > 1 {
        facts.push("where a stage is a way from one voltage to another, its end is drawn".to_owned());
    }
    let svgs = vec![course_figure(&played, (udin, nominal), systems, &lanes, &title)];
    Figure { title, facts, svgs, files: waveforms::name(record, first.place) }
}

/// The same stimulus in the same step: an event alike, or a wave of the same form, at whatever load.
fn again(one: &Stimulus<'_>, other: &Stimulus<'_>) -> bool {
    if one.attempt != other.attempt {
        return false;
    }
    let (one, other) = (one.played, other.played);
    let steady = one.event.is_none() && other.event.is_none() && !one.waveform.is_none();
    let same_form = steady && one.waveform == other.waveform;
    one.step == other.step && (same_form || waveforms::alike(one, other))
}

fn figure(
    record: &Record,
    stimulus: &Stimulus<'_>,
    times: usize,
    tested: &[&PositionInfo],
    udin: f64,
    systems: usize,
) -> Figure {
    let played = stimulus.played;
    let title = title(record, played.step);
    let mut facts = vec![played.words.clone(), format!("at {} of bench time", words::clock(played.from_ns))];
    if stimulus.attempt > 1 {
        facts.push(format!("attempt {}", stimulus.attempt));
    }
    if stimulus.looked.is_empty() {
        facts.push("no meter was looked at: the run broke off".to_owned());
    }
    let mut svgs = Vec::new();
    if times > 1 {
        facts.push(format!("played {times} times, the first is shown"));
    }
    facts.push(format!("{} Hz", played.sines.hertz));
    match &played.event {
        Some(event) => {
            facts.push(format!("begins at {}° of L1", event.point_on_wave_deg));
            if event.phase_jump_deg != 0.0 {
                facts.push(format!("voltages jump by {}° while it lasts", words::signed(event.phase_jump_deg, 0)));
            }
            let lanes = lanes(stimulus, tested);
            svgs.push(event_figure(played, &stimulus.waves, udin, systems, &lanes, &title));
        }
        None => {
            facts.push(format!("for {}", words::duration(played.seconds())));
            svgs.push(steady_figure(played, &stimulus.waves, udin, systems, &title));
            if systems == 3 && is_unbalanced(played) {
                svgs.push(phasor_figure(played, udin, &format!("{title}: fundamentals")));
            }
        }
    }
    facts.extend(distortion(stimulus, systems));
    if played.event.is_none() {
        facts.extend(stimulus.logged.iter().take(MOST_ROWS).map(|row| row.short_words(tested)));
    }
    let waves = played.waveform.voltage.iter().chain(&played.waveform.current);
    let highest = waves.flat_map(|wave| &wave.harmonics).map(|harmonic| harmonic.order).max().unwrap_or(0);
    if usize::from(highest) > HIGHEST_ORDER {
        facts.push(format!("orders up to {highest} are played, up to {HIGHEST_ORDER} drawn"));
    }
    let readings = |letter| readings(record, stimulus, letter);
    for (letter, name) in [("U", "voltage"), ("I", "current")] {
        let (commanded, read) = (commanded(stimulus, letter, systems), readings(name));
        let svg = harmonics_figure(&commanded, &read, letter, &format!("{title}: harmonics of the {name}"));
        svgs.extend(Some(svg).filter(|svg| !svg.is_empty()));
    }
    facts.extend(played.cut_words().map(|words| format!("waveform files: {words}")));
    Figure { title, facts, svgs, files: waveforms::name(record, stimulus.place) }
}

/// Commanded, as the method reads it, and what every meter says.
fn lanes(stimulus: &Stimulus<'_>, tested: &[&PositionInfo]) -> Vec<Lane> {
    let Some(event) = &stimulus.played.event else { return Vec::new() };
    let share = format!("{:.1} %, {}", 100.0 * event.share, time_words(event.seconds));
    let mut lanes = vec![Lane {
        name: "commanded".into(),
        bar: Some((0.0, event.seconds)),
        words: format!("{share}, {}", phases_words(event.phases)),
        kind: LaneKind::Commanded,
    }];
    if stimulus.expected.is_empty() {
        let (name, words) = ("by the method".into(), "no event".into());
        lanes.push(Lane { name, bar: None, words, kind: LaneKind::Method });
    }
    for expected in &stimulus.expected {
        let words =
            format!("{}: {:.2} %, {}", expected.kind.word(), 100.0 * expected.extreme, time_words(expected.seconds));
        let bar = Some((expected.begin_s, expected.seconds));
        lanes.push(Lane { name: "by the method".into(), bar, words, kind: LaneKind::Method });
    }
    for position in tested.iter().filter(|position| stimulus.asks(position)).take(MOST_LANES) {
        let of: Vec<&Logged> =
            stimulus.logged.iter().filter(|row| row.position == position.id).take(MOST_ROWS).collect();
        let name = meter(position.id, tested);
        if of.is_empty() {
            lanes.push(nothing_logged(name));
            continue;
        }
        lanes.extend(of.into_iter().map(|row| row_lane(row, stimulus.played.from_ns, tested)));
    }
    lanes
}

/// The bar of a row, in the time of what was played.
fn row_lane(row: &Logged, from_ns: u64, tested: &[&PositionInfo]) -> Lane {
    let begin_s = (row.begin_ns as f64 - from_ns as f64) / 1e9;
    let (kind, seconds) = (row.kind().replace("voltage ", ""), row.duration_ms / 1e3);
    let words = format!("{kind}: {}, {}", row.extreme_words(), time_words(seconds));
    Lane { name: meter(row.position, tested), bar: Some((begin_s, seconds)), words, kind: LaneKind::Meter }
}

fn nothing_logged(name: String) -> Lane {
    Lane { name, bar: None, words: "nothing logged".into(), kind: LaneKind::Meter }
}

fn is_unbalanced(played: &Played) -> bool {
    let voltages = &played.sines.voltage;
    let silent = voltages.iter().all(|sine| sine.rms == 0.0);
    !silent
        && sequences(voltages)
            .is_none_or(|found| found.negative_percent > BALANCED_PERCENT || found.zero_percent > BALANCED_PERCENT)
}

/// What the distortion amounts to, in words.
fn distortion(stimulus: &Stimulus<'_>, systems: usize) -> Vec<String> {
    let (played, waves) = (stimulus.played, &stimulus.waves);
    let mut words = Vec::new();
    for (letter, of, distortions) in
        [("U", &waves.voltage, &played.waveform.voltage), ("I", &waves.current, &played.waveform.current)]
    {
        let sounding = (0..systems).filter(|&n| !of[n].is_silent() && !distortions[n].is_none());
        let Some(first) = sounding.clone().next() else { continue };
        match distortions[first].modulation {
            Some(Modulation { hertz, percent, .. }) => {
                words.push(format!("{letter}: the amplitude moves by {percent} % with {hertz:.4} Hz"));
            }
            None => {
                let thd = of[first].spectrum(0).thd(50);
                if thd > 0.0005 {
                    words.push(format!("THD{letter} {thd:.3} % (orders 2 to 50, L{})", first + 1));
                }
            }
        }
        if let Some(other) = distortions[first].interharmonic {
            words.push(format!("{letter}: {} % at {} Hz", other.percent, other.hertz));
        }
        if letter == "U" && played.event.is_none() && distortions[first].modulation.is_some() {
            let seconds = played.seconds().clamp(10.0, FLICKER_S);
            let flicker = of[first].flicker(Lamp::V230, 0.0, seconds, SETTLING_S, FLICKER_RATE);
            let of = if seconds < FLICKER_S { format!(" over {seconds:.0} s") } else { String::new() };
            let (pst, pinst) = (flicker.pst, flicker.pinst_max);
            words.push(format!(
                "Pst {pst:.3}{of}, highest Pinst {pinst:.2} (IEC 61000-4-15, 230 V lamp, L{})",
                first + 1
            ));
        }
    }
    words
}

fn commanded(stimulus: &Stimulus<'_>, letter: &str, systems: usize) -> Vec<Commanded> {
    let waveform = &stimulus.played.waveform;
    let of = if letter == "U" { &waveform.voltage } else { &waveform.current };
    let waves = if letter == "U" { &stimulus.waves.voltage } else { &stimulus.waves.current };
    let phases = (0..systems).filter(|&phase| !waves[phase].is_silent());
    let harmonic = |phase: usize| {
        let drawn = of[phase].harmonics.iter().filter(|h| usize::from(h.order) <= HIGHEST_ORDER);
        drawn.map(move |h| Commanded { order: h.order, phase, percent: h.percent })
    };
    let all: Vec<Commanded> = phases.flat_map(harmonic).collect();
    if all.iter().any(|c| c.order > 1) { all } else { Vec::new() }
}

/// What meters read of it: `voltage-harmonic-l1, order 2 to 50`, a reading an order.
fn readings(record: &Record, stimulus: &Stimulus<'_>, channel: &str) -> Vec<Reading> {
    let of_step = |m: &&Measurement| m.step == stimulus.played.step && m.quantity == "harmonic" && m.unit == "%";
    record.measurements.iter().filter(of_step).filter_map(|m| orders(m, channel)).flatten().collect()
}

fn orders(m: &Measurement, channel: &str) -> Option<Vec<Reading>> {
    let subject = m.subject.as_deref()?;
    let rest = subject.strip_prefix(channel)?.strip_prefix("-harmonic-l")?;
    let (phase, orders) = rest.split_once(", order ")?;
    let phase = phase.parse::<usize>().ok().filter(|phase| (1..=3).contains(phase))? - 1;
    let first: u16 = orders.split(' ').next()?.parse().ok()?;
    let single = m.value.number().into_iter().collect();
    let values = if m.readings.is_empty() { single } else { m.readings.clone() };
    let bounds = m.limit.as_ref().map(|l| (l.low.unwrap_or(0.0), l.high.unwrap_or(f64::INFINITY)));
    let outside = |percent: f64| bounds.is_some_and(|(low, high)| percent < low || percent > high);
    let failed = m.decides && m.verdict == Some(Verdict::Fail);
    let reading = |(n, &percent): (usize, &f64)| {
        let order = first + n as u16;
        let tip = format!("order {order}, L{}, position {}: {percent:.3} % read", phase + 1, m.position);
        let bounds = bounds.filter(|(_, high)| high.is_finite());
        Reading { order, phase, percent, bounds, failed: failed && outside(percent), tip }
    };
    Some(values.iter().enumerate().map(reading).collect())
}
