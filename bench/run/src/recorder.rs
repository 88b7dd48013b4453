//! Where events go: numbered, stamped with bench time, out through a channel that blocks.
//!
//! Readers live in real time on other threads. The channel blocks the bench when they fall behind, which lets no
//! virtual time pass; an asynchronous channel would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use meterbench_record::{BenchNs, Event, JournalLine, Measurement};
use tokio::time::Instant;

use crate::error::RunError;

/// Emits the events of one run.
#[derive(Debug)]
pub struct Recorder {
    lines: SyncSender<JournalLine>,
    seq: Sequence,
    epoch: Instant,
}

/// The number of the last line, shared so that it outlives a procedure that panics.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequence(Arc<AtomicU64>);

impl Recorder {
    /// Bench time counts from `epoch`.
    pub fn new(lines: SyncSender<JournalLine>, epoch: Instant) -> Self {
        Self::resumed(lines, Sequence::default(), epoch)
    }

    /// Goes on where another recorder stopped.
    pub(crate) fn resumed(lines: SyncSender<JournalLine>, seq: Sequence, epoch: Instant) -> Self {
        Self { lines, seq, epoch }
    }

    pub(crate) fn sequence(&self) -> Sequence {
        self.seq.clone()
    }

    pub(crate) fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Bench time [ns].
    pub fn bench_ns(&self) -> BenchNs {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn emit(&mut self, event: Event) -> Result<(), RunError> {
        let seq = self.seq.0.fetch_add(1, Ordering::Relaxed) + 1;
        let line = JournalLine { seq, bench_ns: self.bench_ns(), event };
        self.lines.send(line).map_err(|_| RunError::JournalGone)
    }

    pub fn measured(&mut self, measurement: Measurement) -> Result<(), RunError> {
        self.emit(Event::Measured(Box::new(measurement)))
    }

    pub fn note(&mut self, step: Option<u32>, text: impl Into<String>) -> Result<(), RunError> {
        self.emit(Event::Noted { step, text: text.into() })
    }
}
