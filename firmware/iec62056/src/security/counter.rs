//! Invocation counters. A counter that is used twice with one key gives the key away; a counter that is accepted twice
//! lets an old APDU act again.

/// Why a counter cannot be accepted or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CounterError {
    /// Not greater than the last one accepted.
    #[error("invocation counter {found} came, {expected} or more was expected")]
    Replayed {
        /// The counter that came.
        found: u32,
        /// The least one that would be accepted.
        expected: u32,
    },
    /// No number is left: the key must be changed.
    #[error("the invocation counter is used up; the key must be changed")]
    Exhausted,
    /// The numbers that were reserved are used up: reserve and persist first.
    #[error("the reserved invocation counters are used up")]
    NotReserved,
}

/// The last counter accepted from one sender under one key.
///
/// In this order: [`check`](Self::check), open the APDU, see that it is protected as the policy demands,
/// [`accept`](Self::accept), persist [`stored`](Self::stored), act. An APDU that is not genuine never gets as far as
/// `accept`: a forged counter must not lock the true sender out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveCounter {
    /// The least counter that is accepted; `None` when all are used up.
    expected: Option<u32>,
}

/// A counter that may be accepted once its APDU proves genuine.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Accepted {
    counter: u32,
}

impl ReceiveCounter {
    /// Under a new key: every counter is accepted first.
    pub const NEW: Self = Self { expected: Some(0) };

    /// As it was persisted: the value of [`stored`](Self::stored).
    pub const fn from_storage(stored: Option<u32>) -> Self {
        Self { expected: stored }
    }

    /// What is to be persisted before acting: the least counter that is accepted, `None` when all are used up.
    pub const fn stored(&self) -> Option<u32> {
        self.expected
    }

    /// Whether this counter is new. Changes nothing.
    pub fn check(&self, counter: u32) -> Result<Accepted, CounterError> {
        let expected = self.expected.ok_or(CounterError::Exhausted)?;
        if counter < expected {
            return Err(CounterError::Replayed { found: counter, expected });
        }
        Ok(Accepted { counter })
    }

    /// The APDU with this counter is genuine; it and all before it are never accepted again.
    #[expect(clippy::needless_pass_by_value, reason = "what was checked is accepted once")]
    pub fn accept(&mut self, accepted: Accepted) {
        self.raise(accepted.counter);
    }

    /// A counter that proved genuine in an answer to a challenge; it and all before it are never accepted again.
    ///
    /// Such a counter is not checked: the challenge is fresh by itself, and a client may take the counter of its answer
    /// before that of the APDU around it.
    pub fn raise(&mut self, counter: u32) {
        self.expected = self.expected.and_then(|expected| Some(counter.checked_add(1)?.max(expected)));
    }
}

/// The counters of one sender under one key, reserved in steps: storage is written once per step, and after a power
/// failure the numbers begin behind the last reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransmitCounter {
    next: u32,
    /// Numbers below this one are reserved.
    reserved: u32,
    step: u32,
}

impl TransmitCounter {
    /// The step that is taken where nothing speaks against it.
    pub const STEP: u32 = 1000;

    /// Begins at what was persisted last, 0 under a new key. Nothing is reserved yet.
    pub fn from_storage(persisted: u32, step: u32) -> Self {
        Self { next: persisted, reserved: persisted, step: step.max(1) }
    }

    /// The number to persist now, when less than half a step is left. Persist it, then call
    /// [`reserved`](Self::reserved).
    pub fn reservation_due(&self) -> Option<u32> {
        let left = self.reserved - self.next;
        let to = self.next.saturating_add(self.step);
        (left <= self.step / 2 && to > self.reserved).then_some(to)
    }

    /// This number stands in storage.
    pub fn reserved(&mut self, persisted: u32) {
        self.reserved = self.reserved.max(persisted);
    }

    /// The next number; never given again.
    pub fn take(&mut self) -> Result<u32, CounterError> {
        match self.next {
            u32::MAX => Err(CounterError::Exhausted),
            next if next >= self.reserved => Err(CounterError::NotReserved),
            next => {
                self.next += 1;
                Ok(next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_greater_counters_are_accepted() {
        let mut counter = ReceiveCounter::NEW;
        for (found, good) in [(0, true), (0, false), (5, true), (4, false), (5, false), (6, true), (u32::MAX, true)] {
            match counter.check(found) {
                Ok(accepted) => counter.accept(accepted),
                Err(error) => assert!(!good, "{error}"),
            }
            assert!(counter.check(found).is_err());
        }
        assert_eq!(counter.stored(), None);
        assert_eq!(ReceiveCounter::from_storage(counter.stored()).check(7), Err(CounterError::Exhausted));
    }

    #[test]
    fn a_checked_counter_that_is_not_genuine_changes_nothing() {
        let counter = ReceiveCounter::from_storage(Some(10));
        let _ = counter.check(4_000_000_000).unwrap();
        assert!(counter.check(10).is_ok());
        assert_eq!(counter.check(9), Err(CounterError::Replayed { found: 9, expected: 10 }));
    }

    #[test]
    fn no_counter_is_taken_twice_across_power_failures() {
        let (mut storage, mut last) = (0, None);
        for run in 0..50 {
            let mut counter = TransmitCounter::from_storage(storage, 10);
            assert_eq!(counter.take(), Err(CounterError::NotReserved));
            for _ in 0..run {
                if let Some(reservation) = counter.reservation_due() {
                    storage = reservation;
                    counter.reserved(reservation);
                }
                let taken = counter.take().unwrap();
                assert!(Some(taken) > last && taken < storage);
                last = Some(taken);
            }
        }
    }

    #[test]
    fn the_last_counter_is_not_wrapped() {
        let mut counter = TransmitCounter::from_storage(u32::MAX - 2, 10);
        counter.reserved(counter.reservation_due().unwrap());
        assert_eq!([counter.take(), counter.take()], [Ok(u32::MAX - 2), Ok(u32::MAX - 1)]);
        assert_eq!(counter.take(), Err(CounterError::Exhausted));
        assert_eq!(counter.reservation_due(), None);
    }
}
