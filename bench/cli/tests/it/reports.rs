//! Reports: what a page, a table of points and a CI file say of a record.

use std::sync::LazyLock;

use meterbench::report::{csv, html, junit};
use meterbench::words;
use meterbench_record::{EngineTime, Firmware, LogLine, Measurement, Record, Value, Verdict};

use crate::{changes, run};

/// Every kind of table and chart, at two loads.
const PLAN: &str = "
plan: Report
standard: EN 50470-3:2006
steps:
  - accuracy: { at: [{ current: [Itr, 0.5 Imax] }] }
  - influence: { name: Voltage, vary: voltage, at: [{ current: [Itr, 0.5 Imax] }] }
  - influence: { name: Frequency, vary: frequency, at: [{ current: [Itr, 0.5 Imax] }] }
  - influence: { name: One phase, vary: phases }
  - starting
  - self-heating: { at: [{ current: Imax }] }
  - influence: { name: Temperature, vary: { temperature: [5 °C, 30 °C] }, soak: 10 min, at: [{ current: [Itr, 0.5 Imax] }] }
  - composite-error
";

static RECORD: LazyLock<Record> = LazyLock::new(|| run(PLAN, "emulated-3ph", &changes(&[])).record);

fn page(record: &Record) -> String {
    html::render(record).expect("the template renders")
}

/// The part of a page from this heading to the next of its kind.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let from = page.find(heading).unwrap_or_else(|| panic!("no {heading}"));
    let level = &heading[..3];
    let length = page[from + 3..].find(level).map_or(page.len() - from, |n| n + 3);
    &page[from..from + length]
}

/// Tables without the budgets behind them.
fn tables<'a>(page: &'a str, heading: &str) -> &'a str {
    section(page, heading).split("<details class=\"budgets\">").next().unwrap_or_default()
}

fn row<'a>(table: &'a str, words: &str) -> &'a str {
    table.split("<tr").find(|row| row.contains(words)).unwrap_or_else(|| panic!("no row with {words}: {table}"))
}

fn find<'a>(record: &'a Record, id: &str) -> &'a Measurement {
    record.measurements.iter().find(|m| m.id.contains(id)).unwrap_or_else(|| panic!("no {id}"))
}

fn find_mut<'a>(record: &'a mut Record, id: &str) -> &'a mut Measurement {
    record.measurements.iter_mut().find(|m| m.id.contains(id)).unwrap_or_else(|| panic!("no {id}"))
}

/// Points of every line of this chart.
fn lines(page: &str, title: &str) -> Vec<usize> {
    let from = page.find(&format!("aria-label=\"{title}\"")).unwrap_or_else(|| panic!("no chart {title}"));
    let svg = page[from..].split("</svg>").next().unwrap_or_default();
    let points = svg.split("<polyline points=\"").skip(1);
    points.map(|line| line.split('"').next().unwrap_or_default().split(' ').count()).collect()
}

#[test]
fn an_influence_step_is_a_table_of_shifts() {
    let page = page(&RECORD);
    let table = tables(&page, "<h3>2  Voltage");
    let [base, error, shift] =
        ["voltage/l123/itr/1/import/percentage-error", "itr/1/import/0.9-un/percentage-error", "0.9-un/error-shift"]
            .map(|id| words::value(find(&RECORD, id)));
    let first = row(table, "0.9 Un");
    for wanted in ["Itr (0.5 A), PF 1", &base, &error, &shift, "±0.7 %", "pass"] {
        assert!(first.contains(wanted), "{wanted}: {first}");
    }
    assert_eq!(table.matches("1.1 Un").count() - table.matches("to 1.1 Un").count(), 2, "a row per load: {table}");
    assert_eq!(table.matches("influence of voltage 0.9 to 1.1 Un").count(), 1, "the clause stands once: {table}");
    assert!(!table.contains("no limit"), "errors without limit are no rows of their own: {table}");
    let phases = tables(&page, "<h3>4  One phase");
    assert!(row(phases, ">L2<").contains(&words::value(find(&RECORD, "/l2/iref/1/import/error-shift"))), "{phases}");
}

#[test]
fn a_point_without_a_value_stays_in_the_table_of_shifts() {
    let mut record = RECORD.clone();
    record.measurements.retain(|m| !m.id.contains("itr/1/import/0.9-un/percentage-error"));
    let shift = find_mut(&mut record, "itr/1/import/0.9-un/error-shift");
    shift.value = Value::None;
    shift.verdict = Some(Verdict::Fail);
    shift.note = Some("no impulse came".into());
    let page = page(&record);
    let row = row(tables(&page, "<h3>2  Voltage"), "0.9 Un");
    assert!(row.contains("class=\"fail\"") && row.contains("no impulse came"), "{row}");
}

#[test]
fn a_limit_of_the_error_itself_is_told_as_such() {
    let mut record = RECORD.clone();
    let limit = find_mut(&mut record, "itr/1/import/0.9-un/error-shift").limit.take();
    let error = find_mut(&mut record, "itr/1/import/0.9-un/percentage-error");
    (error.limit, error.verdict, error.decides) = (limit, Some(Verdict::Fail), true);
    let page = page(&record);
    let row = row(tables(&page, "<h3>2  Voltage"), "0.9 Un");
    assert!(row.contains("e: ±0.7 %") && row.contains("fail"), "{row}");
}

#[test]
fn coefficients_and_composite_errors_stand_by_load_and_range() {
    let page = page(&RECORD);
    let coefficients = tables(&page, "<h3>7  Temperature");
    let of = find(&RECORD, "itr/1/import/5-to-23-c/temperature-coefficient");
    let words = words::value(of);
    let (number, unit) = words.split_once(' ').expect("a unit");
    assert!(unit == "%/K" && number.len() == "+0.00123".len(), "{words}");
    let first = row(coefficients.split("<h4>").nth(1).expect("a table"), "Itr (0.5 A), PF 1");
    assert!(first.contains(&format!("<span>{number}</span>")) && first.contains("limit ±0.05"), "{first}");

    let composite = tables(&page, "<h3>8  Composite error");
    let of = find(&RECORD, "composite-error/l123/0.5-imax/1/import/5-to-30-c/composite-error");
    let words = words::value(of);
    assert!(!words.starts_with(['+', '-']), "a composite error is a magnitude: {words}");
    let matrix = row(composite, "0.5 Imax (50 A), PF 1");
    assert!(matrix.contains(words.trim_end_matches(" %")) && matrix.contains("MPE 2<sup>a"), "{matrix}");
    let terms = row(composite.split("<details>").nth(1).expect("the terms"), "0.5 Imax (50 A), PF 1");
    for name in ["intrinsic error", "temperature", "voltage", "frequency"] {
        let term = format!("{} %", words::signed(of.raw[name].as_f64().expect("a term"), 3));
        assert!(terms.contains(&term), "{name} {term}: {terms}");
    }
}

#[test]
fn charts_show_the_error_over_every_influence_with_its_reference_point() {
    let page = page(&RECORD);
    for title in ["Error over voltage", "Error over frequency", "Error over temperature"] {
        assert_eq!(lines(&page, title), [3, 3], "{title}: two loads, two values and the reference point");
    }
    assert_eq!(lines(&page, "Error curve, all phases loaded"), [2], "points of influence steps are no error curve");
    let figure = page.split("Error over voltage</figcaption>").nth(1).expect("the figure");
    let figure = figure.split("</svg>").next().unwrap_or_default();
    for tick in [">\u{2212}0.5<", ">+0.3<", ">90<", ">100<", ">110<", "Itr PF 1<", "0.5 Imax PF 1<"] {
        assert!(figure.contains(tick), "{tick}");
    }
    let readings = find(&RECORD, "self-heating/").readings.len();
    assert!(readings >= 13, "an hour of five minutes: {readings}");
    assert_eq!(lines(&page, "Course of the error"), [readings]);
}

#[test]
fn every_budget_is_held_against_its_distributions() {
    let page = page(&RECORD);
    let budgets = RECORD.measurements.iter().filter(|m| m.uncertainty.is_some()).count();
    assert_eq!(page.matches("Monte Carlo (JCGM 101, 20 000 trials): U = ").count(), budgets);
    let differ = section(&page, "<h2>Position 1").split("<figure").next().unwrap_or_default();
    assert!(differ.contains(&format!("of {budgets} budgets agree with the GUM within 10 %")), "the summary");
    // Starting times have one rectangular contribution: 0.9545·a against 2·a/sqrt(3).
    let words =
        "Ist 1, first impulse: U = 1.2 s by the GUM, 1.0 s by Monte Carlo (-17 %); the GUM gives the larger value";
    assert!(differ.contains(words), "{differ}");
    assert!(!differ.contains("percentage error"), "an error budget is nearly normal");
}

#[test]
fn a_page_tells_of_meter_engine_chamber_and_earlier_attempts() {
    let plain = page(&RECORD);
    assert!(plain.contains("0.5 K</td>") && plain.contains("B (active), 1 (reactive)"));
    assert!(plain.contains("import and export") && !plain.contains("Superseded"));
    assert!(plain.contains("@page") && plain.contains("counter(pages)") && !plain.contains("<script"));
    assert!(plain == page(&RECORD), "a report is a function of its record");
    let mut record = RECORD.clone();
    record.engine = Some(EngineTime { samples_s: 25_920.0, cycles_s: 103_200.0 });
    record.subject.positions[0].meter.export = false;
    record.subject.positions[0].meter.reactive_class = None;
    let mut old = record.measurements[0].clone();
    old.value = Value::Number(7.654);
    record.superseded.push(old);
    let page = page(&record);
    for words in ["computed by samples 7 h 12 min, by cycles 28 h 40 min", "import only (A+)", "no reactive energy"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(section(&page, "<h2>Superseded measurements").contains("+7.654 %"));
    assert!(!section(&page, "<h2>Position 1").contains("+7.654 %"), "it counts no more");
}

#[test]
fn what_a_meter_cannot_show_is_not_applicable() {
    let mut record = RECORD.clone();
    let only = find(&record, "voltage/l123/itr/1/import/0.9-un/error-shift").clone();
    let (step, note) = (only.step, Some("a single-phase meter has no phase sequence".to_owned()));
    record.measurements.retain(|m| m.step != step);
    let at = find(&record, "accuracy/l123/itr/1/import/percentage-error").at.clone();
    let verdict = Some(Verdict::NotObservable);
    let (value, limit, uncertainty) = (Value::None, None, None);
    record.measurements.push(Measurement { at, note, verdict, value, limit, uncertainty, decides: false, ..only });
    let page = page(&record);
    let row = row(tables(&page, "<h3>2  Voltage"), "not applicable");
    assert!(row.contains("has no phase sequence") && !row.contains("none</td>"), "{row}");
    let junit = junit::render(&record).expect("junit");
    assert!(junit.contains("not applicable, a single-phase meter has no phase sequence"));
}

#[test]
fn points_and_cases_carry_the_new_quantities() {
    let bytes = csv::render(&RECORD).expect("csv");
    let text = String::from_utf8(bytes).expect("text");
    let head: Vec<&str> = text.lines().next().expect("a head").split(',').collect();
    let column = |name: &str| head.iter().position(|h| *h == name).unwrap_or_else(|| panic!("no column {name}"));
    let line = |id: &str| -> Vec<&str> {
        text.lines().find(|l| l.contains(id)).unwrap_or_else(|| panic!("no {id}")).split(',').collect()
    };
    let coefficient = line("itr/1/import/5-to-23-c/temperature-coefficient");
    assert_eq!([coefficient[column("unit")], coefficient[column("conditions")]], ["%/K", "5 to 23 °C"]);
    let warm = line("itr/1/import/30-c/error-shift");
    assert_eq!([warm[column("temperature_c")], warm[column("unit")], warm[column("energy")]], ["30", "%", "active"]);
    let junit = junit::render(&RECORD).expect("junit");
    assert!(junit.contains("composite-error/l123/itr/1/import/5-to-30-c/composite-error") && junit.contains("%/K"));
}

#[test]
fn firmware_and_its_log_stand_in_the_page() {
    let mut record = RECORD.clone();
    assert!(!page(&record).contains("Firmware put into the meters"));
    record.firmware.push(Firmware {
        step: 1,
        position: 2,
        image: "build/meter.elf".into(),
        sha256: "3f".repeat(32),
        bytes: 40_000,
        probe: "ST-Link (0483:374b:066D)".into(),
        chip: "STM32F405RG (identity 0x10076413, 1024 KiB)".into(),
        clearance: "voltage off (read back)".into(),
    });
    record.log.push(LogLine { step: 1, position: 2, text: "boot <script>".into() });
    let page = page(&record);
    let firmware = section(&page, "<h2>Firmware put into the meters</h2>");
    for words in
        ["build&#x2f;meter.elf", &"3f".repeat(32), "40000", "ST-Link", "identity 0x10076413", "off (read back)"]
    {
        assert!(firmware.contains(words), "{words}");
    }
    assert!(firmware.contains("Log of the firmware (1 lines)") && firmware.contains("position 2: boot &lt;script&gt;"));
}
