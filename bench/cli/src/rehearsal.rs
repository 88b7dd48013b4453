//! A run in memory: for tests of the bench itself and for the validation of its uncertainty.
//!
//! The same bench, procedures and supervision as `run`, without files; beside the record it keeps what only the
//! emulated world knows, the true error of every meter over bench time.

use std::io::Cursor;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use meterbench_emulator::{InstrumentLog, Laboratory};
use meterbench_plan::Source;
use meterbench_record::{JournalLine, Measurement, Outcome, Record, RunInfo};
use tokio::time::sleep;

use crate::assemble::{self, Changes, Equipped};
use crate::catalogue::Refusal;
use crate::execute::{self, Begin, Prepared, Wires, conduct};
use crate::terminal::Failure;

/// What came out, and what was true.
pub struct Rehearsal {
    pub outcome: Outcome,
    pub record: Record,
    pub lines: Vec<JournalLine>,
    pub failure: Option<Failure>,
    /// Log of the emulated source.
    pub source_log: InstrumentLog,
    truth: Vec<Truth>,
}

/// The true error of one meter at one moment.
#[derive(Debug, Clone, Copy)]
struct Truth {
    bench_ns: u64,
    position: u32,
    percent: f64,
}

impl Rehearsal {
    /// The true percentage error of the meter when this measurement was taken.
    pub fn true_percent(&self, measurement: &Measurement) -> Option<f64> {
        let before = |t: &&Truth| t.position == measurement.position && t.bench_ns + 300_000_000 < measurement.bench_ns;
        self.truth.iter().rev().find(before).map(|t| t.percent)
    }
}

/// How often the truth is noted.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Equips a bench and prepares a plan from text.
pub fn prepare(plan: &str, bench: &str, changes: &Changes) -> Result<(Prepared, Equipped), Refusal> {
    let equipped = assemble::equip(bench, changes)?;
    let prepared = execute::prepare_source(Source::new("plan.yaml", plan), &equipped)?;
    Ok((prepared, equipped))
}

/// Runs a plan; a stop request comes after `stop_after` of bench time.
pub fn rehearse(prepared: &Prepared, equipped: &Equipped, stop_after: Option<Duration>) -> Result<Rehearsal, String> {
    let (sender, receiver) = sync_channel(1024);
    let reader = std::thread::spawn(move || receiver.into_iter().collect::<Vec<JournalLine>>());
    let runtime = execute::emulated_runtime().map_err(|e| e.to_string())?;
    let truth: Arc<Mutex<Vec<Truth>>> = Arc::default();
    let noted = truth.clone();
    let (conducted, laboratory) = runtime.block_on(async {
        let laboratory = Laboratory::start(&equipped.config).map_err(|e| e.to_string())?;
        let (spy, positions) = (laboratory.clone(), equipped.positions.clone());
        tokio::spawn(async move {
            loop {
                sleep(NOTE_EVERY).await;
                for position in &positions {
                    let Some(error) = spy.true_error(position.id).filter(|e| e.percent.is_finite()) else { continue };
                    let note = Truth { bench_ns: spy.bench_ns(), position: position.id, percent: error.percent };
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(note);
                }
            }
        });
        let run = RunInfo {
            id: "rehearsal".into(),
            started: String::new(),
            host: String::new(),
            operator: None,
            wall_seconds: 0.0,
            out: String::new(),
            image: equipped.image.clone(),
        };
        let stop = async {
            match stop_after {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let wires = Wires { lines: sender, tracer: None };
        let begin = Begin { run, started: Instant::now(), from: None };
        let conducted = conduct(prepared, equipped, &laboratory, begin, wires, stop).await?;
        Ok::<_, String>((conducted, laboratory))
    })?;
    let source_log = laboratory.log("source").unwrap_or_default();
    drop(runtime);
    let lines = reader.join().map_err(|_| "the reader failed".to_owned())?;
    let mut journal = Vec::new();
    for line in &lines {
        serde_json::to_writer(&mut journal, line).map_err(|e| e.to_string())?;
        journal.push(b'\n');
    }
    let record = Record::fold(Cursor::new(journal)).map_err(|e| e.to_string())?;
    let truth = std::mem::take(&mut *truth.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Rehearsal { outcome: conducted.outcome, record, lines, failure: conducted.failure, source_log, truth })
}
