//! Everything of one position, in words.

use meterbench_record::{Measurement, Nameplate, Outcome, PositionInfo, Record, StepInfo};
use serde::Serialize;

use super::budget::{Agreement, Budget, Trials, budget};
use super::charts::{self, Chart};
use super::matrix::{Matrix, Terms, matrix, terms};
use super::rights::{RightsMatrix, is_right, rights};
use super::row::{Row, Sources};
use super::shift::{self, ShiftTable};

#[derive(Debug, Serialize)]
pub(super) struct PositionPage {
    id: u32,
    serial: String,
    meter: String,
    type_number: String,
    class: String,
    ratings: String,
    directions: &'static str,
    constant: String,
    faults: Vec<String>,
    skipped: bool,
    counts: String,
    verdict: &'static str,
    verdict_class: &'static str,
    charts: Vec<Chart>,
    steps: Vec<StepPage>,
    agreement: Agreement,
}

#[derive(Debug, Serialize)]
struct StepPage {
    title: String,
    chart: Option<Chart>,
    shifts: Option<ShiftTable>,
    matrices: Vec<Matrix>,
    terms: Terms,
    rights: Option<RightsMatrix>,
    rows: Vec<Row>,
    /// The rows are about subjects, not loads.
    subjects: bool,
    /// Some of the rows have conditions, or remarks.
    conditions: bool,
    remarks: bool,
    sources: Sources,
    budgets: Vec<Budget>,
}

pub(super) fn page(record: &Record, position: &PositionInfo, trials: &mut Trials) -> PositionPage {
    let plate = &position.meter;
    let here: Vec<&Measurement> = record.measurements.iter().filter(|m| m.position == position.id).collect();
    let is_influence =
        |m: &&Measurement| record.subject.steps.iter().any(|step| step.step == m.step && step.kind == "influence");
    let (influence, others): (Vec<&Measurement>, Vec<&Measurement>) = here.iter().copied().partition(is_influence);
    let mut agreement = Agreement::new();
    let mut steps = Vec::new();
    for step in &record.subject.steps {
        let of: Vec<&Measurement> = here.iter().copied().filter(|m| m.step == step.step).collect();
        if !of.is_empty() {
            steps.push(step_page(step, &of, plate.systems, trials, &mut agreement));
        }
    }
    let verdict = verdict(record, position);
    let mut charts = charts::over_current(&others, plate.systems);
    charts.extend(charts::over_influence(&influence, plate));
    PositionPage {
        id: position.id,
        serial: position.serial.clone(),
        meter: plate.title.clone(),
        type_number: plate.type_number.clone(),
        class: class(plate),
        ratings: ratings(plate),
        directions: if plate.export { "import and export (A+, A\u{2212})" } else { "import only (A+)" },
        constant: format!("{} imp/kWh", plate.constant_per_kwh),
        faults: position.faults.clone(),
        skipped: position.skip,
        counts: counts(record, position),
        verdict,
        verdict_class: match verdict {
            "pass" | "fail" | "skipped" => verdict,
            _ => "open",
        },
        charts,
        steps,
        agreement,
    }
}

fn step_page(
    step: &StepInfo,
    of: &[&Measurement],
    systems: u8,
    trials: &mut Trials,
    agreement: &mut Agreement,
) -> StepPage {
    let (shifts, left) = if step.kind == "influence" { shift::table(of, systems) } else { (None, of.to_vec()) };
    let matrices: Vec<Matrix> = [
        ("temperature-coefficient", "Temperature coefficient [%/K]", "limit"),
        ("composite-error", "Composite error [%]", "MPE"),
    ]
    .into_iter()
    .filter_map(|(quantity, title, limit)| matrix(of, quantity, title, limit, systems))
    .collect();
    let shown =
        |m: &&Measurement| matches!(m.quantity.as_str(), "temperature-coefficient" | "composite-error") || is_right(m);
    let mut sources = Sources::default();
    let left: Vec<&Measurement> = left.into_iter().filter(|m| !shown(m)).collect();
    let rows = left.iter().map(|m| Row::new(m, systems, &mut sources)).collect();
    StepPage {
        title: format!("{}  {}", step.step, step.name),
        chart: (step.kind == "self-heating").then(|| charts::over_time(of, systems)).flatten(),
        shifts,
        matrices,
        terms: terms(of, systems),
        rights: rights(of),
        subjects: left.iter().all(|m| m.subject.is_some()),
        rows,
        conditions: left.iter().any(|m| !m.at.conditions().is_empty()),
        remarks: left.iter().any(|m| m.note.is_some()),
        sources,
        budgets: of.iter().filter_map(|m| budget(m, trials, agreement)).collect(),
    }
}

fn class(plate: &Nameplate) -> String {
    match plate.reactive_class {
        Some(reactive) => format!("{} (active), {reactive} (reactive)", plate.class),
        None => format!("{} (active); no reactive energy", plate.class),
    }
}

fn ratings(plate: &Nameplate) -> String {
    format!(
        "{} V, {} Hz, {}-{}({}) A, {} measuring {}",
        plate.un_volt,
        plate.fn_hertz,
        plate.imin_ampere,
        plate.iref_ampere,
        plate.imax_ampere,
        plate.systems,
        if plate.systems == 1 { "system" } else { "systems" }
    )
}

fn counts(record: &Record, position: &PositionInfo) -> String {
    let counts = record.positions_counts.get(&position.id).copied().unwrap_or_default();
    let mut said = format!("{} pass, {} fail, {} inconclusive", counts.pass, counts.fail, counts.inconclusive);
    for (n, word) in [
        (counts.advisory, "advisory"),
        (counts.not_observable, "not applicable"),
        (counts.skipped, "skipped"),
        (counts.unlimited, "without limit"),
    ] {
        if n > 0 {
            said.push_str(&format!(", {n} {word}"));
        }
    }
    said
}

/// What is said of a meter: a run that did not end, or a lost position, is no pass.
fn verdict(record: &Record, position: &PositionInfo) -> &'static str {
    let outcome = record.positions_counts.get(&position.id).copied().unwrap_or_default().outcome();
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
