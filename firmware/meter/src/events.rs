//! Event loggers: what happened and when, oldest first; the newest pushes the oldest out.

use crate::memory::Memory;
use crate::ring::{Ring, Stamp};

/// Events about the meter as such. The numbers are those that companion specifications use (recalled).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandardEvent {
    /// The supply failed: the last time that the clock kept.
    PowerDown = 1,
    /// The supply is back.
    PowerUp = 2,
    /// Daylight saving began or ended.
    DaylightSaving = 3,
    /// The clock was set: what it showed before.
    ClockBefore = 4,
    /// The clock was set: what it shows now.
    ClockAfter = 5,
    /// The clock lost its time.
    ClockInvalid = 6,
    /// A set-up was changed.
    ParametersChanged = 47,
    /// The load profile was cleared.
    LoadProfileCleared = 254,
}

/// Events about security. The numbers are those that companion specifications use (recalled).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecurityEvent {
    /// A client could not prove who it is.
    AuthenticationFailed = 46,
    /// An APDU could not be deciphered, or was not protected as it must be.
    NotGenuine = 49,
    /// An invocation counter came again.
    Replayed = 50,
    /// A role tried to write or to call what it may not; a code of the manufacturer.
    AccessDenied = 231,
}

/// Which logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// Of [`StandardEvent`]s.
    Standard,
    /// Of [`SecurityEvent`]s.
    Security,
}

/// Rows of a logger.
const ROWS: usize = 32;

/// A logger: 32 rows of time and code, which stand in memory too, if the meter has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLog {
    rows: [Option<(Stamp, u8)>; ROWS],
    /// Rows ever written.
    written: usize,
    kept: Ring,
}

impl EventLog {
    /// Rows it can hold.
    pub(crate) const CAPACITY: usize = ROWS;
    /// Octets that it takes in memory.
    pub(crate) const OCTETS: usize = ROWS * Ring::row_length(0);

    /// With the rows that stand in memory from a place on.
    pub(crate) fn new(memory: &Memory, at: usize, layout: u16) -> Self {
        let octets = memory.octets();
        let kept = Ring::new(octets, at, Self::OCTETS, 0, layout).recovered(octets);
        let mut log = Self { rows: [None; ROWS], written: 0, kept };
        for row in log.kept.rows().filter_map(|number| log.kept.row(octets, number)) {
            log.rows[log.written % ROWS] = Some((row.stamp(), row.status()));
            log.written += 1;
        }
        log
    }

    /// Adds a row, unless one of this very minute says the same: a flood fills no more than a row a minute of its kind.
    pub(crate) fn push_once_a_minute(&mut self, memory: &mut Memory, at: Stamp, code: u8) {
        let minute = |stamp: &Stamp| (stamp.utc / 60, stamp.deviation);
        if !self.rows().any(|(before, same)| same == code && minute(&before) == minute(&at)) {
            self.push(memory, at, code);
        }
    }

    /// Adds a row, unless the newest says the same of this very minute.
    pub(crate) fn push(&mut self, memory: &mut Memory, at: Stamp, code: u8) {
        let minute = |stamp: &Stamp| (stamp.utc / 60, stamp.deviation);
        if self.rows().last().is_some_and(|(before, same)| same == code && minute(&before) == minute(&at)) {
            return;
        }
        self.rows[self.written % ROWS] = Some((at, code));
        self.written += 1;
        self.kept.push(memory.octets_mut(), at, code, core::iter::empty());
    }

    /// Oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Stamp, u8)> + '_ {
        (0..self.len()).filter_map(|n| self.row(n))
    }

    /// A row by its place, the oldest being 0.
    pub(crate) fn row(&self, place: usize) -> Option<(Stamp, u8)> {
        self.rows[(self.written.saturating_sub(ROWS) + place) % ROWS]
    }

    pub(crate) fn len(&self) -> usize {
        self.written.min(ROWS)
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;

    use super::*;
    use crate::clock::{Clock, DaylightSaving};

    #[test]
    fn the_newest_push_the_oldest_out_and_all_come_back_from_memory() {
        let mut clock = Clock::cold(-60, DaylightSaving::EUROPE);
        let mut memory = Memory::Static(Box::leak(Box::new([0; EventLog::OCTETS + 9])));
        let mut log = EventLog::new(&memory, 9, 1);
        assert_eq!((log.len(), log.rows().count()), (0, 0));
        for _ in 0..40 {
            clock.advance(8000 * 60);
            log.push(&mut memory, Stamp::of(&clock.local()), SecurityEvent::Replayed as u8);
            log.push(&mut memory, Stamp::of(&clock.local()), SecurityEvent::Replayed as u8);
        }
        assert_eq!((log.len(), log.rows().count()), (32, 32));
        assert_eq!(log.rows().next().unwrap().0.date_time().time.minute, 9);
        assert_eq!(log.rows().last().unwrap().0.date_time().time.minute, 40);
        let again = EventLog::new(&memory, 9, 1);
        assert!(again.rows().eq(log.rows()));
        assert_eq!(EventLog::new(&memory, 9, 2).len(), 0, "rows of another log");
    }
}
