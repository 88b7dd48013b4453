//! `run --resume`: a run that broke off goes on from its journal.
//!
//! A run keeps its plan and what its bench was equipped by beside its journal. Steps that ended keep what they measured; the
//! step that broke off and all after it are made anew with a higher attempt, after the warm-up has been repeated.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use meterbench_plan::{Action, Answer, PortCheck, ResolvedPlan, Source};
use meterbench_record::{Event, JournalLine, Outcome, PositionInfo, Record};

use crate::arguments::{EngineChoice, RunArguments};
use crate::assemble::{self, Changes, Equipped, Inputs};
use crate::catalogue::Refusal;
use crate::digest;
use crate::execute::{self, Prepared};
use crate::{journal, report};

const PLAN: &str = "plan.yaml";
const INPUTS: &str = "inputs.json";

/// What a run goes on from.
#[derive(Debug)]
pub struct From {
    pub directory: PathBuf,
    /// Locked since before it was read: nobody else goes on with this run.
    pub journal: File,
    /// As the journal left it.
    pub record: Record,
    pub first_step: u32,
    pub attempt: u32,
    /// Positions that are tested again; empty for all.
    positions: Vec<u32>,
    pub at: String,
}

impl From {
    /// The event that opens this attempt.
    pub fn event(&self) -> Event {
        Event::RunResumed {
            step: self.first_step,
            positions: self.positions.clone(),
            attempt: self.attempt,
            at: self.at.clone(),
        }
    }

    /// The record with what is made again set apart.
    pub fn continued(&self) -> Record {
        let mut record = self.record.clone();
        record.apply(JournalLine { seq: record.seq, bench_ns: record.bench_ns, event: self.event() });
        record
    }
}

/// A run found, checked and ready to go on.
pub struct Resumed {
    pub prepared: Prepared,
    pub equipped: Equipped,
    pub from: From,
}

/// Keeps the plan as it was read and what the bench was equipped by.
pub fn keep_inputs(directory: &Path, prepared: &Prepared, equipped: &Equipped) -> io::Result<()> {
    fs::write(directory.join(PLAN), &prepared.source.text)?;
    fs::write(directory.join(INPUTS), serde_json::to_vec_pretty(&equipped.inputs)?)
}

/// Finds a run and what is left of it.
pub fn find(run: &str, arguments: &RunArguments) -> Result<Resumed, Refusal> {
    let directory = report::find(run, &arguments.out)?;
    let said = |what: &str, error: &dyn std::fmt::Display| format!("{}: {what}: {error}", directory.display());
    let locked = journal::reopen(&journal::events_file(&directory));
    let Some(journal) = locked.map_err(|e| said("its journal cannot be written", &e))? else {
        return Err(Refusal::Words(format!(
            "{} is in progress: another meterbench writes its journal",
            directory.display()
        )));
    };
    let record = journal::fold(&directory).map_err(|e| said("its journal cannot be read", &e))?;
    let plan = fs::read_to_string(directory.join(PLAN)).map_err(|e| said(PLAN, &e))?;
    let inputs = fs::read(directory.join(INPUTS)).map_err(|e| said(INPUTS, &e))?;
    let Inputs { bench, changes } = serde_json::from_slice(&inputs).map_err(|e| said(INPUTS, &e))?;
    let positions =
        if arguments.positions.is_empty() { record.attempt_positions.clone() } else { arguments.positions.clone() };
    let engine = if arguments.engine == EngineChoice::Auto { changes.engine } else { arguments.engine };
    let tested = if positions.is_empty() { changes.positions.clone() } else { positions.clone() };
    let equipped = assemble::equip(&bench, &Changes { positions: tested, engine, ..changes })?;
    let mut prepared = execute::prepare_source(Source::new(record.subject.plan_file.clone(), plan), &equipped)?;
    prepared.source.name.clone_from(&record.subject.plan_file);
    check_unchanged(&record, &equipped, &prepared)?;
    let retest = !arguments.positions.is_empty();
    let first_step = if retest { 1 } else { goes_on_with(&prepared.plan, record.steps_ended + 1) };
    // A run that lost nothing but its last word gets it.
    if first_step as usize > prepared.plan.steps.len() && record.outcome.is_some() {
        let told = record.outcome.map_or("without a last word", Outcome::word);
        return Err(Refusal::Words(format!(
            "every step of this run has ended ({told}): nothing is left to go on with; `--position N` tests a position again"
        )));
    }
    let attempt = record.attempt() + 1;
    let from = From { directory, journal, record, first_step, attempt, positions, at: execute::now() };
    Ok(Resumed { prepared, equipped, from })
}

/// The step a run goes on with: emulated meters are new, and what a step before has set in them is set again.
fn goes_on_with(plan: &ResolvedPlan, next: u32) -> u32 {
    let sets = |action: &Action| match action {
        Action::Port { test, .. } => match &test.check {
            PortCheck::Clock(clock) => clock.set.is_some(),
            PortCheck::Write { answer, .. } => *answer == Answer::Granted,
            PortCheck::Act { granted, .. } => *granted,
            _ => false,
        },
        _ => false,
    };
    let left = plan.steps.iter().any(|step| step.number >= next);
    let first = plan.steps.iter().find(|step| step.number < next && sets(&step.action)).map(|step| step.number);
    first.filter(|_| left).unwrap_or(next)
}

/// A run goes on with the same meters, bench and plan, or not at all.
fn check_unchanged(record: &Record, equipped: &Equipped, prepared: &Prepared) -> Result<(), Refusal> {
    let about = &record.subject;
    let same_meters = |a: &[PositionInfo], b: &[PositionInfo]| {
        let meter = |p: &PositionInfo| (p.id, p.serial.clone(), p.meter.clone(), p.faults.clone());
        a.iter().map(meter).eq(b.iter().map(meter))
    };
    let changed = if digest::of(&prepared.source.text) != about.plan_sha256 {
        "its plan"
    } else if !same_meters(&about.positions, &equipped.positions) {
        "the meters of its bench"
    } else if about.bench != equipped.file.title || about.seed != Some(equipped.config.seed) {
        "its bench"
    } else if about.bench_sha256.as_ref().is_some_and(|began| *began != equipped.bench_sha256) {
        "its bench (an instrument, a certificate, a limit, or the firmware its meters run)"
    } else {
        return Ok(());
    };
    Err(Refusal::Words(format!("{changed} changed since this run began: what it measured would not fit what comes")))
}
