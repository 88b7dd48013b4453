//! What a meter said, against what was played.

use meterbench_instruments::RegisterReading;
use meterbench_plan::{
    Bounds, Condition, EventExpectation, EventKind, Observable, PlayExpectation, PlayTest, READ_UNITS, ResolvedStep,
};
use meterbench_record::{Limit, Phases, Uncertainty, Value};
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};

use super::figures::{Figures, bounds_limit, count_limit, turned};
use super::log::{Row, counted, listed, new_rows};
use super::look::{ClockReading, Look, Said};
use super::stimulus::Began;
use crate::bench::{Bench, Taken};
use crate::error::RunError;

/// What is known of a meter when the stimulus is over.
pub(super) struct Story {
    pub(super) before: Look,
    pub(super) readings: Vec<Said>,
    pub(super) began: Began,
}

/// Resolution of the duration in a log (ms).
const MILLISECOND: f64 = 1.0;

/// Records what a meter cannot show, and why.
pub(super) fn record_missing(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PlayTest,
    watched: &[(usize, Look)],
) -> Result<(), RunError> {
    for (place, look) in watched {
        for (expectation, sees) in test.expect.iter().zip(&look.sees) {
            let Err(why) = sees else { continue };
            for (quantity, unit) in quantities(expectation) {
                let taken = Taken::new(step, quantity, unit, &test.load, None);
                let (subject, note) = (Some(expectation.subject.clone()), Some(why.clone()));
                bench.record(*place, Taken { subject, note, not_observable: true, ..taken })?;
            }
        }
    }
    Ok(())
}

/// Quantity and unit of every measurement of an expectation.
fn quantities(expectation: &PlayExpectation) -> Vec<(&'static str, &'static str)> {
    match &expectation.observable {
        Observable::Event(event) => {
            let extreme = event.kind.filter(|_| event.extreme.is_some());
            let given = [
                Some(("event-count", "1")),
                event.phases.map(|_| ("event-phases", "")),
                extreme.map(|kind| (kind.extreme(), kind.unit())),
                event.duration.map(|_| ("event-duration", "ms")),
                event.begin.map(|_| ("event-begin", "ms")),
            ];
            given.into_iter().flatten().collect()
        }
        Observable::Counter { .. } => vec![("counter", "1")],
        Observable::Reading { value, flagged, .. } => {
            let value = value.map(|bounds| ("reading", bounds.unit));
            value.into_iter().chain(flagged.map(|_| ("flagged", ""))).collect()
        }
        Observable::Snapshot { value, .. } => vec![("snapshot", value.unit)],
        Observable::Harmonic { value, angle, .. } => {
            let value = value.map(|bounds| ("harmonic", bounds.unit));
            value.into_iter().chain(angle.map(|_| ("harmonic-angle", "deg"))).collect()
        }
    }
}

/// Judges every expectation that this meter can show.
pub(super) fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PlayTest,
    place: usize,
    story: &Story,
    after: &Look,
) -> Result<(), RunError> {
    let judge = Judge { step, test, place, story, after };
    for (n, expectation) in test.expect.iter().enumerate() {
        if story.before.sees[n].is_err() {
            continue;
        }
        match &expectation.observable {
            Observable::Event(event) => judge.event(bench, expectation, event)?,
            Observable::Counter { count, .. } => judge.counter(bench, n, expectation, *count)?,
            Observable::Reading { value, flagged, .. } => {
                if let Some(value) = value {
                    judge.reading(bench, n, expectation, value)?;
                }
                if let Some(flagged) = flagged {
                    judge.flagged(bench, n, expectation, *flagged)?;
                }
            }
            Observable::Snapshot { kind, value, .. } => judge.snapshot(bench, n, expectation, *kind, value)?,
            Observable::Harmonic { orders, value, angle, .. } => {
                judge.harmonic(bench, n, expectation, *orders, (value.as_ref(), angle.as_ref()))?;
            }
        }
    }
    Ok(())
}

struct Judge<'a> {
    step: &'a ResolvedStep,
    test: &'a PlayTest,
    place: usize,
    story: &'a Story,
    after: &'a Look,
}

impl<'a> Judge<'a> {
    fn taken(
        &self,
        expectation: &PlayExpectation,
        quantity: &'a str,
        unit: &'a str,
        limit: Option<Limit>,
    ) -> Taken<'a> {
        let subject = Some(expectation.subject.clone());
        Taken { subject, ..Taken::new(self.step, quantity, unit, &self.test.load, limit) }
    }

    /// Rows of a kind that are new; of all kinds that the step does not name where there is none.
    fn rows(&self, kind: Option<EventKind>) -> Vec<Row> {
        let quality = new_rows(&self.story.before.quality, &self.after.quality);
        let grid = new_rows(&self.story.before.grid, &self.after.grid);
        let named = |code: u8| {
            self.test.expect.iter().any(|expectation| match &expectation.observable {
                Observable::Event(event) => event.kind.is_some_and(|kind| kind.code() == code),
                _ => false,
            })
        };
        let meant = |row: &&Row| match kind {
            Some(kind) => row.code == kind.code(),
            None => !named(row.code),
        };
        quality.iter().chain(grid).filter(meant).copied().collect()
    }

    fn event(
        &self,
        bench: &mut Bench,
        expectation: &PlayExpectation,
        event: &EventExpectation,
    ) -> Result<(), RunError> {
        let rows = self.rows(event.kind);
        let what = expectation.subject.as_str();
        let mut raw = Map::new();
        raw.insert("events".into(), rows.iter().map(|row| row.json(self.begin_ns(row))).collect());
        let limit = count_limit(event.count, what);
        let found = rows.len() as f64;
        let wrong = event.count.low.is_some_and(|low| found < low) || event.count.high.is_some_and(|high| found > high);
        let note = wrong.then(|| format!("expected {} of {what}, found {}", counted(event.count), listed(&rows)));
        let taken = self.taken(expectation, "event-count", "1", Some(limit));
        let value = Value::Integer(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        bench.record(self.place, Taken { value, raw: raw.clone(), note, ..taken })?;
        if let Some(phases) = event.phases {
            self.phases(bench, expectation, &rows, phases, &raw)?;
        }
        if let (Some(kind), Some(bounds)) = (event.kind, &event.extreme) {
            let values = rows.iter().map(|row| f64::from(row.extreme) / kind.digits()).collect();
            let uncertainty = |worst: f64| {
                let source = if kind.is_voltage() { worst * bench.calibrations.source_percent / 100.0 } else { 0.0 };
                Budget::default()
                    .rectangular("log: last digit", 0.5 / kind.digits())
                    .certificate("source: amplitude", source)
                    .combine()
            };
            let figures = Figures { quantity: kind.extreme(), unit: kind.unit(), values };
            let uncertainty = figures.worst(bounds).map(uncertainty);
            self.figure(bench, expectation, &figures, bounds, uncertainty, &raw)?;
        }
        if let Some(bounds) = &event.duration {
            let values = rows.iter().map(|row| f64::from(row.duration_ms)).collect();
            let uncertainty = Budget::default().rectangular("log: last digit", MILLISECOND / 2.0).combine();
            let figures = Figures { quantity: "event-duration", unit: "ms", values };
            self.figure(bench, expectation, &figures, bounds, Some(uncertainty), &raw)?;
        }
        if let Some(bounds) = &event.begin {
            let values = rows.iter().enumerate().map(|(n, row)| 1e3 * self.begin_after(n, row)).collect();
            let clock = self.clock();
            let uncertainty = Budget::default()
                .rectangular("clock: reading", 1e3 * clock.half_width)
                .rectangular("log: last digit", 5.0)
                .combine();
            let figures = Figures { quantity: "event-begin", unit: "ms", values };
            self.figure(bench, expectation, &figures, bounds, Some(uncertainty), &raw)?;
        }
        Ok(())
    }

    /// The reading of the clock that stands nearer to the stimulus and is of the same run of the clock: the first.
    fn clock(&self) -> ClockReading {
        self.story.before.clock
    }

    /// How long after the begin of its event a row begins, by the clock of the meter (s).
    fn begin_after(&self, n: usize, row: &Row) -> f64 {
        let each = &self.story.began.each;
        let event = each[n.min(each.len() - 1)];
        let utc = row.begin.hundredths_since_1970().unwrap_or(0) as f64 / 100.0;
        let clock = self.clock();
        utc - clock.utc - (event - clock.at).as_secs_f64()
    }

    /// Bench time of the begin of a row (ns).
    fn begin_ns(&self, row: &Row) -> u64 {
        let utc = row.begin.hundredths_since_1970().unwrap_or(0) as f64 / 100.0;
        let began = &self.story.began;
        let clock = self.clock();
        let after = utc - clock.utc - (began.at - clock.at).as_secs_f64();
        (began.bench_ns as f64 + 1e9 * after).max(0.0) as u64
    }

    fn phases(
        &self,
        bench: &mut Bench,
        expectation: &PlayExpectation,
        rows: &[Row],
        expected: Phases,
        raw: &Map<String, serde_json::Value>,
    ) -> Result<(), RunError> {
        let mut found: Vec<String> = rows.iter().map(Row::phases_words).collect();
        found.dedup();
        let expected = expected.to_string();
        let met = found == [expected.clone()] || rows.is_empty() && may_be_none(expectation);
        let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        let mut raw = raw.clone();
        raw.insert("expected".into(), json!(expected));
        let taken = self.taken(expectation, "event-phases", "", None);
        bench.record(self.place, Taken { value: Value::State(found), met: Some(met), raw, ..taken })
    }

    /// The figure farthest from what is expected, of one or several occurrences.
    fn figure(
        &self,
        bench: &mut Bench,
        expectation: &PlayExpectation,
        figures: &Figures<'a>,
        bounds: &Bounds,
        uncertainty: Option<Uncertainty>,
        raw: &Map<String, serde_json::Value>,
    ) -> Result<(), RunError> {
        let limit = bounds_limit(bounds, &expectation.subject);
        let Some(worst) = figures.worst(bounds) else {
            if may_be_none(expectation) {
                let taken = self.taken(expectation, figures.quantity, figures.unit, None);
                return bench.record(self.place, Taken { note: Some("there was none".to_owned()), ..taken });
            }
            let taken = self.taken(expectation, figures.quantity, figures.unit, Some(limit));
            return bench.record(self.place, taken.failed(format!("there is no {}", expectation.subject)));
        };
        let taken = self.taken(expectation, figures.quantity, figures.unit, Some(limit));
        let (value, readings) = (Value::Number(worst), figures.values.clone());
        bench.record(self.place, Taken { value, readings, uncertainty, raw: raw.clone(), ..taken })
    }

    fn counter(
        &self,
        bench: &mut Bench,
        n: usize,
        expectation: &PlayExpectation,
        count: Condition,
    ) -> Result<(), RunError> {
        let (before, after) = (self.story.before.counters[n].unwrap_or(0), self.after.counters[n].unwrap_or(0));
        let mut raw = Map::new();
        raw.insert("before".into(), json!(i64::try_from(before).unwrap_or(i64::MAX)));
        raw.insert("after".into(), json!(i64::try_from(after).unwrap_or(i64::MAX)));
        let limit = count_limit(count, &expectation.subject);
        let taken = self.taken(expectation, "counter", "1", Some(limit));
        let value = Value::Integer(i64::try_from(after - before).unwrap_or(i64::MAX));
        bench.record(self.place, Taken { value, raw, ..taken })
    }

    fn reading(
        &self,
        bench: &mut Bench,
        n: usize,
        expectation: &PlayExpectation,
        bounds: &Bounds,
    ) -> Result<(), RunError> {
        let limit = bounds_limit(bounds, &expectation.subject);
        let taken = self.taken(expectation, "reading", bounds.unit, Some(limit));
        match &self.story.readings[n] {
            Said::Register(reading, _) => self.number(bench, taken, reading, bounds),
            Said::Strange(what) => bench.record(self.place, taken.failed(format!("the meter gives {what}"))),
            _ => bench.record(self.place, taken.failed("the meter gives nothing".to_owned())),
        }
    }

    /// A number in the unit that the plan names.
    fn number(
        &self,
        bench: &mut Bench,
        taken: Taken<'a>,
        reading: &RegisterReading,
        bounds: &Bounds,
    ) -> Result<(), RunError> {
        let mut raw = taken.raw.clone();
        raw.insert("digits".into(), json!(i64::try_from(reading.digits).unwrap_or(i64::MAX)));
        raw.insert("scaler".into(), json!(reading.scaler));
        raw.insert("unit".into(), json!(reading.unit));
        let taken = Taken { raw, ..taken };
        let code = unit_code(bounds.unit);
        if reading.unit != code {
            let why = format!("the meter says unit {}, {} is unit {code}", reading.unit, bounds.unit);
            return bench.record(self.place, taken.failed(why));
        }
        let value = reading.value();
        let by_source = if matches!(bounds.unit, "V" | "A" | "W" | "var") { value.abs() } else { 0.0 };
        let uncertainty = Budget::default()
            .rectangular("register: last digit", reading.resolution() / 2.0)
            .certificate("source: amplitude", by_source * bench.calibrations.source_percent / 100.0)
            .combine();
        bench.record(self.place, Taken { value: Value::Number(value), uncertainty: Some(uncertainty), ..taken })
    }

    fn flagged(
        &self,
        bench: &mut Bench,
        n: usize,
        expectation: &PlayExpectation,
        expected: bool,
    ) -> Result<(), RunError> {
        let words = |flagged: bool| if flagged { "flagged" } else { "not flagged" };
        let (found, met) = match &self.story.readings[n] {
            Said::Register(_, flagged) => (words(*flagged), *flagged == expected),
            _ => ("nothing", false),
        };
        let mut raw = Map::new();
        raw.insert("expected".into(), json!(words(expected)));
        let taken = self.taken(expectation, "flagged", "", None);
        bench.record(self.place, Taken { value: Value::State(found.to_owned()), met: Some(met), raw, ..taken })
    }

    /// The first new snapshot of a kind of event.
    fn snapshot(
        &self,
        bench: &mut Bench,
        n: usize,
        expectation: &PlayExpectation,
        kind: EventKind,
        bounds: &Bounds,
    ) -> Result<(), RunError> {
        let taken = self.taken(expectation, "snapshot", bounds.unit, Some(bounds_limit(bounds, &expectation.subject)));
        let (place, register) = match &self.story.readings[n] {
            Said::Captured(place, register) => (*place, register),
            Said::Strange(what) => return bench.record(self.place, taken.failed(format!("the meter gives {what}"))),
            _ => return bench.record(self.place, taken.failed("the meter gives nothing".to_owned())),
        };
        let new = new_rows(&self.story.before.snapshots, &self.after.snapshots);
        let Some(row) = new.iter().find(|row| row.code == kind.code()) else {
            let why = format!("no snapshot of {} was taken, of {} that are new", kind.word(), new.len());
            return bench.record(self.place, taken.failed(why));
        };
        let mut raw = Map::new();
        raw.insert("begin".into(), json!(row.begin.to_string()));
        raw.insert("code".into(), json!(row.code));
        let Some(digits) = row.values.get(place) else {
            return bench.record(self.place, taken.failed(format!("a snapshot has {} values", row.values.len())));
        };
        let reading = RegisterReading { digits: *digits, ..*register };
        self.number(bench, Taken { raw, ..taken }, &reading, bounds)
    }

    fn harmonic(
        &self,
        bench: &mut Bench,
        n: usize,
        expectation: &PlayExpectation,
        (first, last): (u16, u16),
        (value, angle): (Option<&Bounds>, Option<&Bounds>),
    ) -> Result<(), RunError> {
        let spectrum = match &self.story.readings[n] {
            Said::Spectrum(spectrum) => Ok(spectrum),
            Said::Strange(what) => Err(format!("the meter gives {what}")),
            _ => Err("the meter gives nothing".to_owned()),
        };
        let orders = |spectrum: &Vec<(f64, f64)>| -> Vec<(f64, f64)> {
            let from = usize::from(first).saturating_sub(1).min(spectrum.len());
            spectrum[from..usize::from(last).min(spectrum.len())].to_vec()
        };
        for (quantity, bounds) in [("harmonic", value), ("harmonic-angle", angle)] {
            let Some(bounds) = bounds else { continue };
            let limit = bounds_limit(bounds, &expectation.subject);
            let taken = self.taken(expectation, quantity, bounds.unit, Some(limit));
            let (spectrum, fundamental) = match &spectrum {
                Ok(spectrum) => (orders(spectrum), spectrum.first().map_or(0.0, |(magnitude, _)| *magnitude)),
                Err(why) => {
                    bench.record(self.place, taken.failed(why.clone()))?;
                    continue;
                }
            };
            let factor = if bounds.unit == "%" { 100.0 / fundamental.max(1e-9) } else { 1.0 };
            let values: Vec<f64> = spectrum
                .iter()
                .map(
                    |(magnitude, angle)| {
                        if quantity == "harmonic" { magnitude * factor } else { turned(*angle, bounds) }
                    },
                )
                .collect();
            let wanted = usize::from(last - first) + 1;
            if values.len() < wanted {
                let why = format!("{} of {wanted} orders are there", values.len());
                bench.record(self.place, taken.failed(why))?;
                continue;
            }
            let figures = Figures { quantity, unit: bounds.unit, values };
            let digit = if quantity == "harmonic" { 1e-3 * factor } else { 0.01 };
            let worst = figures.worst(bounds).unwrap_or(0.0);
            let by_source = if bounds.unit == "deg" { 0.0 } else { worst.abs() };
            let uncertainty = Budget::default()
                .rectangular("spectrum: last digit", digit / 2.0)
                .certificate("source: amplitude", by_source * bench.calibrations.source_percent / 100.0)
                .combine();
            let note = figures
                .worst_place(bounds)
                .filter(|_| wanted > 1)
                .map(|n| format!("farthest from it: order {}", usize::from(first) + n));
            let (value, readings) = (Value::Number(worst), figures.values);
            let uncertainty = Some(uncertainty);
            bench.record(self.place, Taken { value, readings, uncertainty, note, ..taken })?;
        }
        Ok(())
    }
}

/// The plan allows that there is no such event.
fn may_be_none(expectation: &PlayExpectation) -> bool {
    match &expectation.observable {
        Observable::Event(event) => event.count.low.is_none_or(|low| low <= 0.0),
        _ => false,
    }
}

/// COSEM's number of a unit; 56 is the percentage.
fn unit_code(unit: &str) -> u8 {
    const PERCENTAGE: u8 = 56;
    if unit == "%" {
        return PERCENTAGE;
    }
    READ_UNITS.iter().find(|(known, ..)| *known == unit).map_or(255, |(_, code, _)| *code)
}
