//! Voltage events of a run: a list, the tables of EN 50160, the scatter over their duration.

use meterbench_record::PositionInfo;
use meterbench_waveform::{
    DIP_COLUMNS_MS, DIP_ROWS, EventKind, ExpectedEvent, LONG_INTERRUPTION_MS, SWELL_COLUMNS_MS, SWELL_ROWS, dip_cell,
    iti_region, swell_cell,
};
use serde::Serialize;

use super::logged::{Logged, meter};
use super::{Stimulus, code, phases_words, time_words};
use crate::report::svg::{Happening, iti_figure};
use crate::words;

/// An event of the run with all that is said of it.
#[derive(Debug, Serialize)]
pub(super) struct EventRow {
    /// Of the first and the last of several that are alike in everything.
    numbers: (usize, usize),
    step: u32,
    at: String,
    commanded: String,
    said: Vec<Said>,
}

/// What one says of it.
#[derive(Debug, PartialEq, Serialize)]
struct Said {
    by: String,
    kind: String,
    phases: String,
    extreme: String,
    duration: String,
    cell: String,
    region: &'static str,
    class: &'static str,
}

/// How many events stand in each cell of a table of EN 50160.
#[derive(Debug, Serialize)]
pub(super) struct CellTable {
    columns: Vec<String>,
    rows: Vec<CellRow>,
    /// Events outside the table, in words.
    outside: Vec<String>,
}

#[derive(Debug, Serialize)]
struct CellRow {
    name: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    name: String,
    expected: usize,
    /// `meter 1001: 2` where a meter says otherwise.
    differs: Vec<String>,
}

/// An event as somebody sees it: percent of Udin and seconds.
#[derive(Debug, Clone)]
struct Seen {
    percent: f64,
    seconds: f64,
}

fn expected(events: &[&Stimulus<'_>], kind: EventKind) -> Vec<Seen> {
    let of = events.iter().flat_map(|stimulus| &stimulus.expected).filter(|event| event.kind == kind);
    of.map(|event| Seen { percent: 100.0 * event.extreme, seconds: event.seconds }).collect()
}

fn seen(events: &[&Stimulus<'_>], kind: EventKind, position: u32) -> Vec<Seen> {
    let rows = events.iter().flat_map(|stimulus| &stimulus.logged);
    let of = rows.filter(|row| row.position == position && row.code == code(kind));
    of.map(|row| Seen { percent: row.extreme, seconds: row.duration_ms / 1e3 }).collect()
}

/// `C2`, or why there is none.
fn cell(kind: EventKind, percent: f64, seconds: f64) -> String {
    let found = match kind {
        EventKind::Dip => dip_cell(percent, seconds * 1e3).map(|(row, column)| (DIP_ROWS[row].0, column)),
        EventKind::Swell => swell_cell(percent, seconds * 1e3).map(|(row, column)| (SWELL_ROWS[row].0, column)),
        EventKind::Interruption => {
            return if seconds * 1e3 > LONG_INTERRUPTION_MS { "long" } else { "short" }.to_owned();
        }
    };
    found.map_or("outside".to_owned(), |(row, column)| format!("{row}{}", column + 1))
}

/// A row for every event; one for several in a step that are commanded alike and of which everybody says the same.
pub(super) fn rows(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = Vec::new();
    for row in every_row(events, tested) {
        match rows.last_mut() {
            Some(last)
                if (last.step, &last.commanded, &last.said) == (row.step, &row.commanded, &row.said)
                    && last.numbers.1 + 1 == row.numbers.0 =>
            {
                last.numbers.1 = row.numbers.1;
            }
            _ => rows.push(row),
        }
    }
    rows
}

fn every_row(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> Vec<EventRow> {
    let row = |(n, stimulus): (usize, &&Stimulus<'_>)| {
        let event = stimulus.played.event?;
        let jump = if event.phase_jump_deg == 0.0 {
            String::new()
        } else {
            format!(", jump {}°", words::signed(event.phase_jump_deg, 0))
        };
        let commanded = format!(
            "{:.1} % for {} on {} at {}°{jump}",
            100.0 * event.share,
            time_words(event.seconds),
            phases_words(event.phases),
            event.point_on_wave_deg
        );
        let mut said: Vec<Said> = stimulus.expected.iter().map(by_method).collect();
        if said.is_empty() {
            said.push(nothing("by the method", "no event", ""));
        }
        for position in tested.iter().filter(|position| stimulus.asks(position)) {
            said.extend(by_meter(stimulus, position, tested));
        }
        Some(EventRow {
            numbers: (n + 1, n + 1),
            step: stimulus.played.step,
            at: words::clock(stimulus.played.from_ns),
            commanded,
            said,
        })
    };
    events.iter().enumerate().filter_map(row).collect()
}

fn by_method(event: &ExpectedEvent) -> Said {
    let percent = 100.0 * event.extreme;
    Said {
        by: "by the method".into(),
        kind: event.kind.word().into(),
        phases: phases_words(event.phases),
        extreme: format!("{percent:.2} %"),
        duration: format!("{:.1} ms", 1e3 * event.seconds),
        cell: cell(event.kind, percent, event.seconds),
        region: iti_region(percent, event.seconds).words(),
        class: "",
    }
}

/// Words in place of an event.
fn nothing(by: &str, words: &str, class: &'static str) -> Said {
    let none = String::new;
    Said {
        by: by.to_owned(),
        kind: words.to_owned(),
        phases: none(),
        extreme: none(),
        duration: none(),
        cell: none(),
        region: "",
        class,
    }
}

/// Every row of a meter, and every event that it should have and has not.
fn by_meter(stimulus: &Stimulus<'_>, position: &PositionInfo, tested: &[&PositionInfo]) -> Vec<Said> {
    let by = meter(position.id, tested);
    let rows: Vec<&Logged> = stimulus.logged.iter().filter(|row| row.position == position.id).collect();
    let of_kind = |code: u8| rows.iter().filter(|row| row.code == code).count();
    let mut said: Vec<Said> = rows.iter().map(|row| of_row(&by, row, stimulus)).collect();
    for event in &stimulus.expected {
        if of_kind(code(event.kind)) == 0 {
            said.push(nothing(&by, &format!("missing: {}", event.kind.word()), "differs"));
        }
    }
    if said.is_empty() {
        said.push(nothing(&by, "nothing logged", ""));
    }
    said
}

fn of_row(by: &str, row: &Logged, stimulus: &Stimulus<'_>) -> Said {
    let kind =
        [EventKind::Dip, EventKind::Swell, EventKind::Interruption].into_iter().find(|kind| code(*kind) == row.code);
    let seconds = row.duration_ms / 1e3;
    let same = kind.and_then(|kind| stimulus.expected.iter().find(|event| event.kind == kind));
    let (cell, region) = match kind {
        Some(kind) => (cell(kind, row.extreme, seconds), iti_region(row.extreme, seconds).words()),
        None => (String::new(), ""),
    };
    let differs = match (kind, same) {
        (Some(kind), Some(event)) => self::cell(kind, 100.0 * event.extreme, event.seconds) != cell,
        (Some(_), None) => true,
        (None, _) => false,
    };
    Said {
        by: by.to_owned(),
        kind: row.kind().replace("voltage ", ""),
        phases: row.phases.clone(),
        extreme: row.extreme_words(),
        duration: format!("{:.0} ms", row.duration_ms),
        cell,
        region,
        class: if differs { "differs" } else { "" },
    }
}

/// Nothing where there was no dip.
pub(super) fn dips(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> Option<CellTable> {
    let name = |&(letter, from, below): &(char, f64, f64)| match from {
        0.0 => format!("{letter}: below {below} %"),
        _ => format!("{letter}: {from} % to below {below} %"),
    };
    let names: Vec<(char, String)> = DIP_ROWS.iter().map(|row| (row.0, name(row))).collect();
    cells(events, tested, EventKind::Dip, &names, &DIP_COLUMNS_MS, dip_cell)
}

/// Nothing where there was no swell.
pub(super) fn swells(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> Option<CellTable> {
    let names = [('S', "S: 120 % and more".to_owned()), ('T', "T: above 110 % to below 120 %".to_owned())];
    cells(events, tested, EventKind::Swell, &names, &SWELL_COLUMNS_MS, swell_cell)
}

fn cells(
    events: &[&Stimulus<'_>],
    tested: &[&PositionInfo],
    kind: EventKind,
    names: &[(char, String)],
    columns: &[(f64, f64)],
    place: fn(f64, f64) -> Option<(usize, usize)>,
) -> Option<CellTable> {
    let commanded = expected(events, kind);
    // What a meter sees, and what it should: events for which it was looked at.
    let by_meter: Vec<(String, Vec<Seen>, Vec<Seen>)> = tested
        .iter()
        .map(|position| {
            let asked: Vec<&Stimulus<'_>> = events.iter().copied().filter(|event| event.asks(position)).collect();
            (meter(position.id, tested), seen(events, kind, position.id), expected(&asked, kind))
        })
        .collect();
    if commanded.is_empty() && by_meter.iter().all(|(_, seen, _)| seen.is_empty()) {
        return None;
    }
    let at = |seen: &Seen| place(seen.percent, seen.seconds * 1e3);
    let count = |of: &[Seen], cell| of.iter().filter(|seen| at(seen) == Some(cell)).count();
    let rows = names.iter().enumerate().map(|(row, (letter, name))| CellRow {
        name: name.clone(),
        cells: (0..columns.len())
            .map(|column| {
                let expected = count(&commanded, (row, column));
                let other = |(meter, seen, due): &(String, Vec<Seen>, Vec<Seen>)| {
                    let found = count(seen, (row, column));
                    (found != count(due, (row, column))).then(|| format!("{meter}: {found}"))
                };
                let differs = by_meter.iter().filter_map(other).collect();
                Cell { name: format!("{letter}{}", column + 1), expected, differs }
            })
            .collect(),
    });
    let beyond = |by: &str, of: &[Seen]| -> Vec<String> {
        let words = |seen: &Seen| format!("{by}: {:.2} % for {}", seen.percent, time_words(seen.seconds));
        of.iter().filter(|seen| at(seen).is_none()).map(words).collect()
    };
    let mut outside = beyond("by the method", &commanded);
    outside.extend(by_meter.iter().flat_map(|(meter, seen, _)| beyond(meter, seen)));
    let column = |(n, &(from, to)): (usize, &(f64, f64))| {
        let low = if n == 0 { "from" } else { "above" };
        format!("{low} {} to {}", short(from), short(to))
    };
    Some(CellTable { columns: columns.iter().enumerate().map(column).collect(), rows: rows.collect(), outside })
}

/// `200 ms`, `5 s`
fn short(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms} ms") } else { format!("{} s", ms / 1e3) }
}

/// Who sees how many interruptions, short and long; nothing where there was none.
pub(super) fn interruptions(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> Vec<String> {
    let line = |by: String, of: Vec<Seen>| {
        let long = of.iter().filter(|seen| seen.seconds * 1e3 > LONG_INTERRUPTION_MS).count();
        format!("{by}: {} short, {long} long", of.len() - long)
    };
    let method = expected(events, EventKind::Interruption);
    let meters: Vec<(String, Vec<Seen>)> = tested
        .iter()
        .map(|position| (meter(position.id, tested), seen(events, EventKind::Interruption, position.id)))
        .collect();
    if method.is_empty() && meters.iter().all(|(_, seen)| seen.is_empty()) {
        return Vec::new();
    }
    std::iter::once(line("by the method".into(), method)).chain(meters.into_iter().map(|(m, s)| line(m, s))).collect()
}

/// All events over their duration.
pub(super) fn scatter(events: &[&Stimulus<'_>], tested: &[&PositionInfo]) -> String {
    let mut all = Vec::new();
    for (n, stimulus) in events.iter().enumerate() {
        let number = n + 1;
        for event in &stimulus.expected {
            let percent = 100.0 * event.extreme;
            let tip = format!("event {number}, by the method: {percent:.2} % for {}", time_words(event.seconds));
            all.push(Happening { number, seconds: event.seconds, percent, logged: false, tip });
        }
        for row in stimulus.logged.iter().filter(|row| row.is_voltage_event()) {
            let (seconds, percent) = (row.duration_ms / 1e3, row.extreme);
            let by = meter(row.position, tested);
            let tip = format!("event {number}, {by}: {percent:.2} % for {}", time_words(seconds));
            all.push(Happening { number, seconds, percent, logged: true, tip });
        }
    }
    iti_figure(&all, "Voltage events over their duration, with the ITI (CBEMA) curve")
}
