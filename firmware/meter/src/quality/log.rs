//! The loggers of power quality and of the grid: rings of events in memory, the newest pushes the oldest out.
//!
//! A row is stamped with the beginning of its event, and written when that is over: rows stand in the order of their ends.
//! A log that is read in blocks fits what a server keeps of an answer, so that its blocks are of one moment.

use super::event::{Event, Moment};
use super::kind::{EventKind, QualityLog};
use crate::memory::Memory;
use crate::ring::{Ring, Row};

/// Values of a row: duration (ms), worst value, hundredths of the second and phases.
const VALUES: usize = 3;

/// A logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventRing(Ring);

impl EventRing {
    /// Octets of so many rows.
    pub(crate) const fn octets(rows: usize) -> usize {
        rows * Ring::row_length(VALUES)
    }

    /// For so many rows, with those that stand in memory from a place on.
    pub(crate) fn new(memory: &Memory, at: usize, rows: usize, log: QualityLog) -> Self {
        let layout = match log {
            QualityLog::Quality => 5,
            QualityLog::Grid => 6,
        };
        let octets = memory.octets();
        Self(Ring::new(octets, at, Self::octets(rows), VALUES, layout).recovered(octets))
    }

    /// Writes an event down.
    pub(crate) fn push(&mut self, memory: &mut Memory, event: &Event) {
        let [hundredths, phases] = [event.begun.hundredths, event.phases].map(u32::from);
        let values = [event.duration_ms, event.extreme, hundredths << 8 | phases];
        self.0.push(memory.octets_mut(), event.begun.stamp, event.kind.code(), values.into_iter());
    }

    /// Rows that have room.
    pub(crate) fn capacity(&self) -> u32 {
        self.0.capacity()
    }

    /// Numbers of the rows that exist, the oldest first.
    pub(crate) fn rows(&self) -> core::ops::Range<u32> {
        self.0.rows()
    }

    /// The row of this number, if it exists.
    pub(crate) fn row(&self, memory: &Memory, number: u32) -> Option<Event> {
        self.0.row(memory.octets(), number).and_then(|row| event(&row))
    }

    /// The newest row.
    pub(crate) fn newest(&self, memory: &Memory) -> Option<Event> {
        self.0.newest(memory.octets()).and_then(|row| event(&row))
    }
}

fn event(row: &Row<'_>) -> Option<Event> {
    let kind = EventKind::ALL.into_iter().find(|kind| kind.code() == row.status())?;
    let [_, _, hundredths, phases] = row.value(2).to_be_bytes();
    let begun = Moment { stamp: row.stamp(), hundredths };
    Some(Event { kind, begun, duration_ms: row.value(0), phases, extreme: row.value(1) })
}
