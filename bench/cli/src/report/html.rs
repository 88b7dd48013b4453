//! `report.html`: one self-contained page a laboratory can file. A function of the record alone.

mod budget;
mod charts;
mod matrix;
mod position;
mod quality;
mod rights;
mod row;
mod shift;

use meterbench_record::{EngineTime, Outcome, Record};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use rayon::prelude::*;
use serde::Serialize;

use crate::words;
use budget::Trials;
use position::PositionPage;
use row::{Row, Sources};

/// The page, and what it includes.
const TEMPLATES: [(&str, &str); 4] = [
    ("report.html", include_str!("../../../../reports/templates/report.html")),
    ("position.html", include_str!("../../../../reports/templates/position.html")),
    ("quality.html", include_str!("../../../../reports/templates/quality.html")),
    ("style.css", include_str!("../../../../reports/templates/style.css")),
];

/// What an earlier attempt measured in a step that was made again.
#[derive(Debug, Serialize)]
struct Superseded {
    attempt: u32,
    position: u32,
    step: u32,
    row: Row,
}

pub fn render(record: &Record) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    // Budgets are checked by thousands of trials each: positions on the cores there are.
    let positions: Vec<PositionPage> =
        record.subject.positions.par_iter().map(|p| position::page(record, p, &mut Trials::default())).collect();
    let (superseded, sources) = superseded(record);
    // Of a table of rights only the meter knows how long it is.
    let expected: usize = record.subject.steps.iter().map(|s| s.points as usize).sum();
    environment.get_template("report.html")?.render(context! {
        record => Value::from(Serde(record)),
        outcome => record.outcome.map_or("UNFINISHED", Outcome::word),
        outcome_class => outcome_class(record.outcome),
        bench_time => words::duration(record.bench_ns as f64 / 1e9),
        wall_time => words::duration(record.run.wall_seconds),
        engine => record.engine.as_ref().map(engine),
        points => record.measurements.len(),
        expected => (expected * record.subject.tested().count()).max(record.measurements.len()),
        rule => rule_words(&record.subject.decision_rule),
        positions => Value::from(Serde(&positions)),
        quality => quality::page(record).map(|page| Value::from(Serde(page))),
        superseded => Value::from(Serde(&superseded)),
        superseded_sources => Value::from(Serde(&sources)),
    })
}

fn outcome_class(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Pass) => "pass",
        Some(Outcome::Fail) => "fail",
        _ => "open",
    }
}

fn engine(time: &EngineTime) -> String {
    format!("by samples {}, by cycles {}", words::duration(time.samples_s), words::duration(time.cycles_s))
}

fn superseded(record: &Record) -> (Vec<Superseded>, Sources) {
    let systems = |id: u32| record.subject.positions.iter().find(|p| p.id == id).map_or(3, |p| p.meter.systems);
    let mut sources = Sources::default();
    let rows = record.superseded.iter().map(|m| Superseded {
        attempt: m.attempt,
        position: m.position,
        step: m.step,
        row: Row::new(m, systems(m.position), &mut sources),
    });
    (rows.collect(), sources)
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
