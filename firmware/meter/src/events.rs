//! Event loggers: what happened and when, oldest first; the newest pushes the oldest out.

use crate::clock::LocalTime;

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

/// Rows of a logger.
const ROWS: usize = 32;

/// A logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLog {
    rows: [Option<(LocalTime, SecurityEvent)>; ROWS],
    /// Rows ever written.
    written: usize,
}

impl Default for EventLog {
    fn default() -> Self {
        Self { rows: [None; ROWS], written: 0 }
    }
}

impl EventLog {
    /// Rows it can hold.
    pub(crate) const CAPACITY: usize = ROWS;

    /// Adds a row, unless the newest says the same of this very minute: a flood must not wipe out what came before.
    pub(crate) fn push(&mut self, at: LocalTime, event: SecurityEvent) {
        let minute = |time: &LocalTime| (time.civil.seconds().map(|s| s / 60), time.deviation);
        if self.rows().last().is_some_and(|(before, same)| same == event && minute(&before) == minute(&at)) {
            return;
        }
        self.rows[self.written % ROWS] = Some((at, event));
        self.written += 1;
    }

    /// Oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (LocalTime, SecurityEvent)> + '_ {
        let first = self.written.saturating_sub(ROWS);
        (first..self.written).filter_map(|n| self.rows[n % ROWS])
    }

    pub(crate) fn len(&self) -> usize {
        self.written.min(ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, DaylightSaving};

    #[test]
    fn the_newest_push_the_oldest_out() {
        let (mut log, mut clock) = (EventLog::default(), Clock::cold(-60, DaylightSaving::EUROPE));
        assert_eq!((log.len(), log.rows().count()), (0, 0));
        for _ in 0..40 {
            clock.advance(8000 * 60);
            log.push(clock.local(), SecurityEvent::Replayed);
            log.push(clock.local(), SecurityEvent::Replayed);
        }
        assert_eq!((log.len(), log.rows().count()), (32, 32));
        assert_eq!(log.rows().next().unwrap().0.civil.minute, 9);
        assert_eq!(log.rows().last().unwrap().0.civil.minute, 40);
    }
}
