//! `report.html`: one self-contained page a laboratory can file.

use meterbench_record::{EnergyKind, Measurement, Outcome, Phases, Record, Verdict};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use crate::report::svg::{Series, View, error_curves, worth_magnifying};
use crate::words;

const TEMPLATE: &str = include_str!("../../../../reports/templates/report.html");

/// Everything of one position, in words.
#[derive(Serialize)]
struct PositionPage {
    id: u32,
    serial: String,
    meter: String,
    type_number: String,
    class: String,
    ratings: String,
    constant: String,
    faults: Vec<String>,
    skipped: bool,
    counts: String,
    verdict: &'static str,
    verdict_class: &'static str,
    charts: Vec<Chart>,
    steps: Vec<StepTable>,
}

#[derive(Serialize)]
struct Chart {
    title: String,
    svg: String,
}

#[derive(Serialize)]
struct StepTable {
    title: String,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    at: String,
    current: String,
    power_factor: String,
    conditions: String,
    quantity: String,
    value: String,
    uncertainty: String,
    limit: String,
    clause: String,
    certainty: String,
    verdict: String,
    class: &'static str,
    note: String,
    readings: String,
    budget: Vec<(String, String, String, String)>,
}

pub fn render(record: &Record) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("report.html", TEMPLATE)?;
    let positions: Vec<PositionPage> = record.subject.positions.iter().map(|p| position_page(record, p)).collect();
    let expected: usize = record.subject.steps.iter().map(|s| s.points as usize).sum();
    environment.get_template("report.html")?.render(context! {
        record => Value::from(Serde(record)),
        outcome => record.outcome.map_or("UNFINISHED", Outcome::word),
        outcome_class => outcome_class(record.outcome),
        bench_time => words::duration(record.bench_ns as f64 / 1e9),
        wall_time => words::duration(record.run.wall_seconds),
        points => record.measurements.len(),
        expected => expected * record.subject.tested().count(),
        rule => rule_words(&record.subject.decision_rule),
        positions => Value::from(Serde(&positions)),
    })
}

fn outcome_class(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Pass) => "pass",
        Some(Outcome::Fail) => "fail",
        _ => "open",
    }
}

fn rule_words(rule: &str) -> &'static str {
    match rule {
        "iso-14253-1" => {
            "ISO 14253-1: pass only if the value lies inside the limit by U, fail only if it lies outside by U, otherwise inconclusive"
        }
        "simple-acceptance" => "simple acceptance: the limit alone decides, uncertainty is shown",
        _ => {
            "guarded acceptance with simple rejection (ILAC-G8): pass if the value lies inside the limit by U, fail if it lies outside the limit, otherwise inconclusive"
        }
    }
}

/// What is said of a meter: a run that did not end, or a lost position, is no pass.
fn verdict(record: &Record, position: &meterbench_record::PositionInfo, outcome: Outcome) -> &'static str {
    let ended = matches!(record.outcome, Some(Outcome::Pass | Outcome::Fail | Outcome::Undecided));
    match outcome {
        _ if position.skip => "skipped",
        Outcome::Fail => "fail",
        _ if record.positions_lost.contains_key(&position.id) => "lost by the bench",
        _ if !ended && record.positions_lost.is_empty() => "incomplete",
        Outcome::Pass => "pass",
        _ => "undecided",
    }
}

fn verdict_class(record: &Record, position: &meterbench_record::PositionInfo, outcome: Outcome) -> &'static str {
    match verdict(record, position, outcome) {
        "pass" => "pass",
        "fail" => "fail",
        "skipped" => "skipped",
        _ => "open",
    }
}

fn position_page(record: &Record, position: &meterbench_record::PositionInfo) -> PositionPage {
    let plate = &position.meter;
    let here: Vec<&Measurement> = record.measurements.iter().filter(|m| m.position == position.id).collect();
    let counts = record.positions_counts.get(&position.id).copied().unwrap_or_default();
    let mut said = format!("{} pass, {} fail, {} inconclusive", counts.pass, counts.fail, counts.inconclusive);
    for (n, word) in [(counts.advisory, "advisory"), (counts.unlimited, "without limit")] {
        if n > 0 {
            said.push_str(&format!(", {n} {word}"));
        }
    }
    let steps = record
        .subject
        .steps
        .iter()
        .map(|step| StepTable {
            title: format!("{}  {}", step.step, step.name),
            rows: here.iter().filter(|m| m.step == step.step).map(|m| row(m)).collect(),
        })
        .filter(|table| !table.rows.is_empty())
        .collect();
    PositionPage {
        id: position.id,
        serial: position.serial.clone(),
        meter: plate.title.clone(),
        type_number: plate.type_number.clone(),
        class: plate.class.to_string(),
        ratings: format!(
            "{} V, {} Hz, {}-{}({}) A, {} measuring {}",
            plate.un_volt,
            plate.fn_hertz,
            plate.imin_ampere,
            plate.iref_ampere,
            plate.imax_ampere,
            plate.systems,
            if plate.systems == 1 { "system" } else { "systems" }
        ),
        constant: format!("{} imp/kWh", plate.constant_per_kwh),
        faults: position.faults.clone(),
        skipped: position.skip,
        counts: said,
        verdict: verdict(record, position, counts.outcome()),
        verdict_class: verdict_class(record, position, counts.outcome()),
        charts: charts(&here, plate.systems),
        steps,
    }
}

/// A chart of the balanced points and one of the points with one phase loaded, a line per power factor (and phase).
fn charts(measurements: &[&Measurement], systems: u8) -> Vec<Chart> {
    let all = Phases::all(systems);
    let of = |balanced: bool| -> Vec<&Measurement> {
        let wanted = |m: &&&Measurement| {
            m.quantity == "percentage-error" && m.at.energy == EnergyKind::Active && (m.at.phases == all) == balanced
        };
        measurements.iter().filter(wanted).copied().collect()
    };
    let mut charts = Vec::new();
    for (balanced, title) in [(true, "Error curve, all phases loaded"), (false, "Error, one phase loaded")] {
        let points = of(balanced);
        let mut series: Vec<Series<'_>> = Vec::new();
        for m in points {
            let mut name = format!("PF {}", m.at.power_factor);
            if !balanced {
                name = format!("{} {name}", m.at.phases);
            }
            if m.at.direction == meterbench_record::Direction::Export {
                name.push_str(" export");
            }
            match series.iter_mut().find(|s| s.name == name) {
                Some(series) => series.points.push(m),
                None => series.push(Series { name, points: vec![m] }),
            }
        }
        let svg = error_curves(&series, title, View::Limits);
        if !svg.is_empty() {
            charts.push(Chart { title: title.to_owned(), svg });
        }
        if worth_magnifying(&series) {
            let title = format!("{title}, magnified");
            charts.push(Chart { svg: error_curves(&series, &title, View::Magnified), title });
        }
    }
    charts
}

/// What departs from the reference conditions, and which phases are loaded.
fn conditions(m: &Measurement) -> String {
    let mut words = vec![m.at.phases.to_string()];
    if m.at.voltage != "1 Un" {
        words.push(m.at.voltage.clone());
    }
    if m.at.direction == meterbench_record::Direction::Export {
        words.push("export".to_owned());
    }
    words.push(format!("{} Hz", m.at.frequency_hz));
    if m.at.temperature_c != 23.0 {
        words.push(format!("{} °C", m.at.temperature_c));
    }
    words.join(", ")
}

fn row(m: &Measurement) -> Row {
    let verdict = match &m.verdict {
        None => "no limit".to_owned(),
        Some(verdict) if !m.decides => format!("{} (advisory)", verdict.word()),
        Some(verdict) => verdict.word().to_owned(),
    };
    let class = match (&m.verdict, m.decides) {
        (Some(Verdict::Pass), true) => "pass",
        (Some(Verdict::Fail), true) => "fail",
        (None, _) => "none",
        _ => "open",
    };
    let limit = m.limit.as_ref();
    let mut note = m.note.clone().unwrap_or_default();
    if let Some(binding) = limit.and_then(|l| l.binding.as_ref()) {
        note = format!(
            "{note} {} uncertain: between {:.1} and {:.1} {}",
            binding.ingredient, binding.tightest, binding.loosest, m.unit
        );
    }
    let budget = m.uncertainty.as_ref().map(|u| &u.budget[..]).unwrap_or_default();
    Row {
        at: m.at.to_string(),
        current: match m.at.ampere {
            0.0 => "none".to_owned(),
            a if m.at.current.ends_with('A') => format!("{a} A"),
            a => format!("{} ({a} A)", m.at.current),
        },
        power_factor: if m.at.ampere > 0.0 { m.at.power_factor.to_string() } else { String::new() },
        conditions: conditions(m),
        quantity: m.quantity.replace('-', " "),
        value: words::value(m),
        uncertainty: words::uncertainty(m),
        limit: limit.map(|l| words::limit(l, &m.unit)).unwrap_or_default(),
        clause: limit.map(|l| format!("{}: {}", l.source, l.row)).unwrap_or_default(),
        certainty: limit.filter(|l| l.source != "plan").map(|l| l.certainty.word().to_owned()).unwrap_or_default(),
        verdict,
        class,
        note: note.trim().to_owned(),
        readings: m.readings.iter().map(|r| format!("{r:+.4}")).collect::<Vec<_>>().join("  "),
        budget: budget
            .iter()
            .map(|i| (i.item.clone(), i.kind.clone(), i.distribution.clone(), format!("{:.5}", i.standard)))
            .collect(),
    }
}
