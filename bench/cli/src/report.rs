//! Reports, rendered from the record alone: HTML, JUnit, CSV, waveforms. Pure; the record is the fold of the journal.

pub mod csv;
pub mod html;
pub mod junit;
mod svg;
pub mod waveforms;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use meterbench_record::{Record, RecordError, Verdict};
use meterbench_run::UNSETTLED;
use meterbench_standards::{DecisionRule, Judgement};

use crate::arguments::{ReportArguments, Waveforms};
use crate::catalogue::Refusal;
use crate::diagnostics;
use crate::journal;
use crate::terminal::report_file;

/// Where `report` looks for identifiers.
pub const RUNS: &str = "reports/runs";

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the report cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("the waveforms cannot be written beside the report: {0}; with more room `meterbench report` writes them")]
    Waveforms(io::Error),
    #[error("the template: {0}")]
    Template(#[from] minijinja::Error),
    #[error("record.json: {0}")]
    Json(#[from] serde_json::Error),
    #[error("points.csv: {0}")]
    Csv(#[from] ::csv::Error),
    #[error("junit.xml: {0}")]
    Junit(String),
    #[error(
        "the journal says {told:?} of `{id}` at position {position}, its figures say {judged:?}: it has been changed"
    )]
    Contradiction { id: String, position: u32, told: Option<Verdict>, judged: Verdict },
    #[error("the journal names the decision rule `{0}`, which this meterbench does not know")]
    Rule(String),
}

/// Every verdict that a figure and its limit decide is judged again. What a procedure saw beside the figure can only fail a meter.
fn judge_again(record: &Record) -> Result<(), ReportError> {
    let rule = &record.subject.decision_rule;
    let rule = DecisionRule::parse(rule).ok_or_else(|| ReportError::Rule(rule.clone()))?;
    for m in record.measurements.iter().chain(&record.superseded) {
        let (Some(limit), Some(value)) = (&m.limit, m.value.number()) else { continue };
        let expanded = m.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
        let judged = match m.raw.get(UNSETTLED) {
            Some(_) => Judgement { verdict: Verdict::Inconclusive, decides: true },
            None => rule.judge(value, expanded, limit),
        };
        let told = (m.verdict.as_ref(), m.decides);
        if told != (Some(&judged.verdict), judged.decides) && told != (Some(&Verdict::Fail), true) {
            let (id, position, told) = (m.id.clone(), m.position, m.verdict.clone());
            return Err(ReportError::Contradiction { id, position, told, judged: judged.verdict });
        }
    }
    Ok(())
}

/// Folds the journal of a run and writes record and reports beside it.
pub fn write(directory: &Path, waves: Waveforms) -> Result<Record, ReportError> {
    let record = journal::fold(directory)?;
    judge_again(&record)?;
    let before = fs::read(directory.join("record.json")).ok();
    // A run that went on has another record by right.
    let before = before.filter(|_| record.attempt() == 1);
    let before = before.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    if let Some(before) = before.filter(|old| old["digest"] != record.digest.as_str()) {
        complain!(
            "WARNING: the journal does not give the record that was here (digest {}, now {}): it is kept as record.json.before",
            before["digest"].as_str().unwrap_or("none"),
            record.digest
        );
        fs::rename(directory.join("record.json"), directory.join("record.json.before"))?;
    }
    let put = |name: &str, bytes: &[u8]| {
        // Whole or not at all: an old report is not destroyed by a full disk.
        let partial = directory.join(format!("{name}.partial"));
        fs::write(&partial, bytes)?;
        fs::rename(&partial, directory.join(name))
    };
    let mut json = serde_json::to_vec_pretty(&record)?;
    json.push(b'\n');
    put("record.json", &json)?;
    put("points.csv", &csv::render(&record)?)?;
    put("junit.xml", junit::render(&record)?.as_bytes())?;
    put("report.html", html::render(&record)?.as_bytes())?;
    waveforms::write(&record, directory, waves).map_err(ReportError::Waveforms)?;
    Ok(record)
}

/// `report RUN`: the exit code.
pub fn again(arguments: &ReportArguments) -> u8 {
    let directory = match find(&arguments.run, Path::new(RUNS)) {
        Ok(directory) => directory,
        Err(refusal) => return diagnostics::refuse(&refusal),
    };
    match write(&directory, arguments.waveforms) {
        Ok(record) => {
            if record.outcome.is_none() {
                say!("this run has not ended: what its journal holds is reported");
            }
            say!("report {}", report_file(&directory).display());
            0
        }
        Err(error) => diagnostics::refuse(&Refusal::Words(format!("{}: {error}", directory.display()))),
    }
}

/// A directory, an identifier, a unique beginning of one, or `latest`.
pub fn find(run: &str, runs: &Path) -> Result<PathBuf, Refusal> {
    let direct = Path::new(run);
    if journal::events_file(direct).is_file() {
        return Ok(direct.to_owned());
    }
    let mut known: Vec<String> = fs::read_dir(runs)
        .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    known.retain(|name| journal::events_file(&runs.join(name)).is_file());
    // By the moment they began: two runs of one second differ in their file times.
    known.sort();
    known.sort_by_key(|name| fs::metadata(runs.join(name).join("inputs.json")).and_then(|m| m.modified()).ok());
    let matching: Vec<&String> = known.iter().filter(|name| name.starts_with(run)).collect();
    let found = match (run, matching.as_slice()) {
        ("latest", _) => known.last(),
        (_, [one]) => Some(*one),
        (_, many) if !many.is_empty() => {
            let text =
                format!("`{run}` is the beginning of {} runs in {}: give more of it", many.len(), runs.display());
            return Err(Refusal::Words(text));
        }
        _ => None,
    };
    match found {
        Some(name) => Ok(runs.join(name)),
        None => Err(Refusal::Words(format!("there is no run `{run}` in {}", runs.display()))),
    }
}
