//! Power quality: what was played as pictures, and every voltage event as it was commanded, as the method reads it, and as the meters
//! logged it.

mod figures;
mod logged;
mod tables;

use meterbench_record::{PositionInfo, Record};
use meterbench_waveform::{EventKind, ExpectedEvent, Played, Waves};
use serde::Serialize;

use figures::Figure;
use logged::{Logged, logged};
use tables::{CellTable, EventRow};

/// Pictures in a page at most.
const MOST_FIGURES: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct QualityPage {
    udin: String,
    figures: Vec<Figure>,
    /// Stimuli that have no picture.
    omitted: usize,
    scatter: String,
    rows: Vec<EventRow>,
    dips: Option<CellTable>,
    swells: Option<CellTable>,
    interruptions: Vec<String>,
    /// Rows of logs that stand for no stimulus.
    strays: Vec<String>,
}

/// Something that was played, with everything known of it.
struct Stimulus<'a> {
    played: &'a Played,
    /// Place in the record, from 0.
    place: usize,
    waves: Waves,
    /// What the method reads.
    expected: Vec<ExpectedEvent>,
    /// The attempt it belongs to.
    attempt: u32,
    /// Positions whose meters were looked at for it.
    looked: Vec<u32>,
    /// What the meters logged, by position.
    logged: Vec<Logged>,
}

impl Stimulus<'_> {
    /// Whether the meter of a position was looked at: one that was not has nothing to say of it.
    fn asks(&self, position: &PositionInfo) -> bool {
        self.looked.contains(&position.id)
    }
}

/// Nothing where nothing was played.
pub(super) fn page(record: &Record) -> Option<QualityPage> {
    if record.played.is_empty() {
        return None;
    }
    let tested: Vec<&PositionInfo> = record.subject.tested().collect();
    let plate = tested.first().map(|position| &position.meter);
    let (udin, systems) = plate.map_or((230.0, 3), |plate| (plate.un_volt, usize::from(plate.systems)));
    let mut rows = logged(record);
    let mut stimuli: Vec<Stimulus<'_>> = record
        .played
        .iter()
        .enumerate()
        .map(|(place, played)| stimulus(record, played, place, udin, systems))
        .collect();
    for stimulus in stimuli.iter_mut().rev() {
        // The last one that had begun when the row began.
        let (step, from) = (stimulus.played.step, stimulus.played.from_ns.saturating_sub(CLOCK_NS));
        let attempt = stimulus.attempt;
        let is_of_it = |row: &Logged| row.step == step && row.attempt == attempt && row.begin_ns >= from;
        let (mine, left) = rows.into_iter().partition(is_of_it);
        (stimulus.logged, rows) = (mine, left);
    }
    let events: Vec<&Stimulus<'_>> = stimuli.iter().filter(|stimulus| stimulus.played.event.is_some()).collect();
    let figures: Vec<Figure> = figures::figures(record, &stimuli, &tested, udin, systems);
    let omitted = figures.len().saturating_sub(MOST_FIGURES);
    Some(QualityPage {
        udin: format!("{udin} V"),
        figures: figures.into_iter().take(MOST_FIGURES).collect(),
        omitted,
        scatter: tables::scatter(&events, &tested),
        rows: tables::rows(&events, &tested),
        dips: tables::dips(&events, &tested),
        swells: tables::swells(&events, &tested),
        interruptions: tables::interruptions(&events, &tested),
        strays: rows.iter().map(|row| row.words(&tested)).collect(),
    })
}

/// The begin of a row is known to a hundredth of a second, that of an event to a cycle and what the commands take; half a second is far from
/// both and far from the next event.
const CLOCK_NS: u64 = 500_000_000;

fn stimulus<'a>(record: &Record, played: &'a Played, place: usize, udin: f64, systems: usize) -> Stimulus<'a> {
    let (waves, expected) = (played.waves(), played.by_the_method(systems, udin));
    let attempt = record.played_in.get(place).copied().unwrap_or(1);
    let of_it = record.measurements.iter().filter(|m| m.step == played.step && m.attempt == attempt);
    let looked = of_it.map(|m| m.position).collect();
    Stimulus { played, place, waves, expected, attempt, looked, logged: Vec::new() }
}

/// Kinds of voltage events as logs number them.
fn code(kind: EventKind) -> u8 {
    match kind {
        EventKind::Dip => logged::FIRST_CODE,
        EventKind::Swell => logged::FIRST_CODE + 1,
        EventKind::Interruption => logged::FIRST_CODE + 2,
    }
}

/// `L1+L3`, `L123`
fn phases_words(phases: [bool; 3]) -> String {
    meterbench_record::Phases::new(phases).map_or("none".to_owned(), |phases| phases.to_string())
}

/// `200 ms`, `5.00 s`, `600 s`
fn time_words(seconds: f64) -> String {
    match seconds {
        _ if seconds < 2.0 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds < 100.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}
