//! A step `play`: what is put out, and what is expected of it, with its counts and tolerances.

use meterbench_plan::{Bounds, Condition, EventExpectation, Observable, PlayExpectation, PlayTest, ResolvedStep};
use meterbench_record::{Nameplate, Phases};
use meterbench_waveform::{BALANCED_LAG_DEG, ExpectedEvent, Played, Sine, Sines};

use super::{Line, line};
use crate::words;

/// A line for each thing that is played, and for each that is expected.
pub(super) fn lines(step: &ResolvedStep, test: &PlayTest, plate: &Nameplate) -> Vec<Line> {
    let stages = test.stages.iter().map(|stage| (stage.words.clone(), stage.over_seconds + stage.seconds));
    let events = test.events.iter().map(|series| {
        let what = match series.times {
            1 => series.words.clone(),
            times => format!("{}, {times} times, every {} s", series.words, series.every_seconds),
        };
        (what, series.seconds())
    });
    let played =
        stages.chain(events).map(|(what, seconds)| Line { seconds: Some(seconds), ..line(step, &test.load, &what) });
    let expected = test.expect.iter().map(|expectation| {
        let limit = match expectation.missing(plate) {
            Some(why) => format!("not observable: {why}"),
            None => conditions(expectation),
        };
        Line { at: "expected".to_owned(), limit: Some(limit), ..line(step, &test.load, &expectation.subject) }
    });
    played.chain(by_the_method(step, test, plate)).chain(expected).collect()
}

/// What IEC 61000-4-30 reads of the events, with the thresholds as meters are delivered: for who sets counts and tolerances.
fn by_the_method(step: &ResolvedStep, test: &PlayTest, plate: &Nameplate) -> Vec<Line> {
    let Some(series) = &test.events else { return Vec::new() };
    let systems = usize::from(plate.systems);
    let standing =
        |n: usize| Sine { rms: if n < systems { test.load.volt } else { 0.0 }, lag_deg: BALANCED_LAG_DEG[n] };
    let last = test.stages.last();
    let sines = Sines {
        hertz: last.and_then(|stage| stage.hertz).unwrap_or(test.load.frequency_hz),
        voltage: last.and_then(|stage| stage.voltage).unwrap_or([0, 1, 2].map(standing)),
        ..Sines::default()
    };
    let waveform = last.map(|stage| stage.waveform.clone()).unwrap_or_default();
    let (words, event) = (String::new(), Some(series.event));
    let played = Played { step: step.number, words, from_ns: 0, to_ns: 0, sines, waveform, event };
    let events = played.by_the_method(systems, plate.un_volt);
    let found = |event: &ExpectedEvent| {
        let on = Phases::new(event.phases).map_or(String::new(), |phases| format!("{} on {phases}", event.kind.word()));
        (on, format!("{:.2} %, {:.0} ms", 100.0 * event.extreme, 1e3 * event.seconds))
    };
    let mut all: Vec<(String, String)> = events.iter().map(found).collect();
    if all.is_empty() {
        all.push(("no event".to_owned(), String::new()));
    }
    let told = |(what, figures): (String, String)| Line {
        at: "by the method".to_owned(),
        limit: Some(figures),
        ..line(step, &test.load, &what)
    };
    all.into_iter().map(told).collect()
}

/// `3, on L1, residual 39.8 to 40.2 %, duration 180 to 220 ms`
fn conditions(expectation: &PlayExpectation) -> String {
    let named = |name: &str, bounds: &Option<Bounds>| {
        bounds.as_ref().map(|b| format!("{name} {}", words::range(b.low, b.high, b.unit)))
    };
    let plain = |bounds: &Option<Bounds>| bounds.as_ref().map(|b| words::range(b.low, b.high, b.unit));
    let all = match &expectation.observable {
        Observable::Event(EventExpectation { kind, count, phases, extreme, duration, begin }) => vec![
            Some(counted(*count)),
            phases.map(|phases| format!("on {phases}")),
            kind.and_then(|kind| named(kind.extreme(), extreme)),
            named("duration", duration),
            named("begin", begin),
        ],
        Observable::Counter { count, .. } => {
            vec![Some(format!("goes on by {}", words::range(count.low, count.high, "1")))]
        }
        Observable::Reading { value, flagged, .. } => {
            vec![plain(value), flagged.map(|flagged| if flagged { "flagged" } else { "not flagged" }.to_owned())]
        }
        Observable::Harmonic { value, angle, .. } => vec![plain(value), named("angle", angle)],
        Observable::Snapshot { value, .. } => vec![plain(&Some(*value))],
    };
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn counted(count: Condition) -> String {
    match count.high {
        Some(0.0) => "none".to_owned(),
        _ => words::range(count.low, count.high, "1"),
    }
}
