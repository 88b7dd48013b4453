//! The table of an influence step: for every load the error at reference conditions, then error and shift at every value.

use meterbench_record::{LoadPoint, Measurement, Value};
use serde::Serialize;

use super::row::{self, Sources};
use crate::words;

#[derive(Debug, Serialize)]
pub(super) struct ShiftTable {
    groups: Vec<Group>,
    /// Something in it is held against a limit or has a verdict.
    judged: bool,
    sources: Sources,
}

/// One load.
#[derive(Debug, Serialize)]
struct Group {
    load: String,
    reference: String,
    uncertainty: String,
    /// What is said of the error at reference conditions beside its value.
    note: String,
    class: &'static str,
    rows: Vec<ShiftRow>,
}

/// One value of the influence quantity at one load.
#[derive(Debug, Serialize)]
struct ShiftRow {
    value: String,
    error: String,
    error_uncertainty: String,
    shift: String,
    shift_uncertainty: String,
    limit: String,
    source: String,
    verdict: String,
    class: &'static str,
    note: String,
}

const ERROR: &str = "percentage-error";
const SHIFT: &str = "error-shift";

/// The table of a step, and the measurements that have no place in it.
pub(super) fn table<'a>(step: &[&'a Measurement], systems: u8) -> (Option<ShiftTable>, Vec<&'a Measurement>) {
    // One phase against all has no condition in words: its loads are known by their shift.
    let varied = |at: &LoadPoint| step.iter().any(|m| m.quantity == SHIFT && m.at == *at);
    let is_base = |m: &Measurement| m.quantity == ERROR && m.at.conditions().is_empty() && !varied(&m.at);
    let bases: Vec<&Measurement> = step.iter().copied().filter(|m| is_base(m)).collect();
    let mut sources = Sources::default();
    let mut groups: Vec<Group> = bases.iter().map(|m| group(m, systems)).collect();
    let mut left = Vec::new();
    let mut done: Vec<&LoadPoint> = Vec::new();
    for m in step.iter().copied().filter(|m| !is_base(m)) {
        let known = matches!(m.quantity.as_str(), ERROR | SHIFT);
        let base = bases.iter().position(|b| b.at.same_base(&m.at));
        let base = base.or_else(|| bases.iter().position(|b| same_but_phases(&b.at, &m.at))).filter(|_| known);
        let Some(base) = base else {
            left.push(m);
            continue;
        };
        let of = |quantity| step.iter().copied().find(|o| o.quantity == quantity && o.at == m.at);
        let (error, shift) = (of(ERROR), of(SHIFT));
        if !done.contains(&&m.at) {
            done.push(&m.at);
            groups[base].rows.push(shift_row(&bases[base].at, error, shift, &mut sources));
            // Both may be judged; the row tells of one.
            let both = [error, shift].iter().all(|m| m.is_some_and(|m| m.limit.is_some()));
            left.extend(error.filter(|_| both));
        }
    }
    let judged = |row: &ShiftRow| !row.limit.is_empty() || row.class != "none" || row.verdict == "not applicable";
    let judged = groups.iter().flat_map(|g| &g.rows).any(judged);
    ((!groups.is_empty()).then_some(ShiftTable { groups, judged, sources }), left)
}

fn same_but_phases(base: &LoadPoint, at: &LoadPoint) -> bool {
    LoadPoint { phases: at.phases, ..base.clone() }.same_base(at)
}

fn group(m: &Measurement, systems: u8) -> Group {
    let verdict = m.verdict.as_ref().map(|_| row::verdict(m));
    let note: Vec<String> = verdict.into_iter().chain(m.note.clone()).collect();
    Group {
        load: row::load(&m.at, systems),
        reference: row::value(m),
        uncertainty: words::uncertainty(m),
        note: note.join(": "),
        class: row::class(m),
        rows: Vec::new(),
    }
}

fn shift_row(
    base: &LoadPoint,
    error: Option<&Measurement>,
    shift: Option<&Measurement>,
    sources: &mut Sources,
) -> ShiftRow {
    let limited = |m: &&Measurement| m.limit.is_some();
    let judged = shift.filter(limited).or(error.filter(limited)).or(shift).or(error);
    let at = judged.map(|m| &m.at);
    let mut value = at.map(|at| at.conditions().join(", ")).unwrap_or_default();
    if let Some(at) = at.filter(|at| at.phases != base.phases) {
        value = format!("{value} {}", at.phases).trim().to_owned();
    }
    // A point that gave nothing is told once, by the measurement that says why.
    let number = |m: Option<&Measurement>| m.filter(|m| m.value != Value::None).map(words::value).unwrap_or_default();
    let of_error = judged.is_some_and(|m| m.quantity == ERROR && m.limit.is_some());
    ShiftRow {
        value,
        error: number(error),
        error_uncertainty: error.map(words::uncertainty).unwrap_or_default(),
        shift: number(shift),
        shift_uncertainty: shift.map(words::uncertainty).unwrap_or_default(),
        limit: judged.map(|m| format!("{}{}", if of_error { "e: " } else { "" }, row::limit(m))).unwrap_or_default(),
        source: judged.map(|m| sources.letter(m)).unwrap_or_default(),
        verdict: judged.map(row::verdict).unwrap_or_default(),
        class: judged.map_or("none", row::class),
        note: judged.and_then(|m| m.note.clone()).unwrap_or_default(),
    }
}
