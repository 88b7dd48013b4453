//! Where events go: numbered, stamped with bench time, out through a channel that blocks.
//!
//! Readers live in real time on other threads. The channel blocks the bench when they fall behind, which lets no
//! virtual time pass; an asynchronous channel would.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use meterbench_record::{BenchNs, Counts, Event, JournalLine, Measurement, Record};
use tokio::time::Instant;

use crate::error::RunError;

/// Emits the events of one run.
#[derive(Debug)]
pub struct Recorder {
    lines: SyncSender<JournalLine>,
    told: Told,
    epoch: Instant,
    /// Bench time of earlier attempts (ns).
    before: BenchNs,
}

/// Lines and verdicts so far, shared so that they outlive a procedure that panics.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<(u64, BTreeMap<u32, Counts>)>>);

impl Recorder {
    /// Bench time counts from `epoch`.
    pub fn new(lines: SyncSender<JournalLine>, epoch: Instant) -> Self {
        Self { lines, told: Told::default(), epoch, before: 0 }
    }

    /// Goes on after an earlier attempt, whose record stands.
    pub fn after(record: &Record, lines: SyncSender<JournalLine>, epoch: Instant) -> Self {
        let told = Told(Arc::new(Mutex::new((record.seq, record.positions_counts.clone()))));
        Self { lines, told, epoch, before: record.bench_ns }
    }

    /// Goes on where another recorder of this run stopped.
    pub(crate) fn again(&self) -> Self {
        Self { lines: self.lines.clone(), told: self.told.clone(), epoch: self.epoch, before: self.before }
    }

    /// Verdicts so far, by position.
    pub fn counts(&self) -> BTreeMap<u32, Counts> {
        self.told.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Bench time (ns).
    pub fn bench_ns(&self) -> BenchNs {
        self.before + u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn emit(&mut self, event: Event) -> Result<(), RunError> {
        let seq = {
            let mut told = self.told.0.lock().unwrap_or_else(PoisonError::into_inner);
            told.0 += 1;
            if let Event::Measured { measurement } = &event {
                told.1.entry(measurement.position).or_default().add(measurement);
            }
            told.0
        };
        let line = JournalLine { seq, bench_ns: self.bench_ns(), event };
        self.lines.send(line).map_err(|_| RunError::JournalGone)
    }

    pub fn measured(&mut self, measurement: Measurement) -> Result<(), RunError> {
        self.emit(Event::Measured { measurement: Box::new(measurement) })
    }

    pub fn note(&mut self, step: Option<u32>, text: impl Into<String>) -> Result<(), RunError> {
        self.emit(Event::Noted { step, text: text.into() })
    }
}
