//! Events made of whole intervals of the clock: one lasts from the first interval beyond a limit to the last in a row.
//!
//! A value exactly at its limit lies within it. An interval of which nothing is known (it was flagged, or not whole) neither
//! begins nor ends an event. A row is written when an interval lies within the limit again.

use meterbench_metrology::SampleInstant;

use super::event::{Event, Moment, Open};
use super::kind::EventKind;

/// What an interval says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Within,
    /// These phases lie beyond the limit, the worst of them so.
    Beyond {
        phases: u8,
        worst: u32,
    },
    Unknown,
}

impl Verdict {
    /// Of values by phase, `None` where there is none: the phases of which `is_beyond`, and the worst value of them.
    pub(crate) fn of(values: &[Option<u32>], is_beyond: impl Fn(u32) -> bool, worse: impl Fn(u32, u32) -> u32) -> Self {
        let beyond = |value: &Option<u32>| value.is_some_and(&is_beyond);
        let phases = (0..).zip(values).fold(0, |bits, (phase, value)| bits | u8::from(beyond(value)) << phase);
        match values.iter().copied().filter(beyond).flatten().reduce(&worse) {
            Some(worst) => Self::Beyond { phases, worst },
            None if values.iter().all(Option::is_none) => Self::Unknown,
            None => Self::Within,
        }
    }
}

/// The event of one kind that may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Run {
    pub(crate) open: Option<Open>,
}

impl Run {
    /// An interval is over that began at this moment and was so long; what ended with the one before it.
    pub(crate) fn interval(
        &mut self,
        kind: EventKind,
        verdict: Verdict,
        begun: Moment,
        length_ms: u32,
        worse: impl Fn(u32, u32) -> u32,
    ) -> Option<Event> {
        match (&mut self.open, verdict) {
            (None, Verdict::Beyond { phases, worst }) => {
                let open = Open::at(SampleInstant::default(), begun, phases, worst);
                self.open = Some(Open { before_ms: length_ms, ..open });
            }
            (Some(open), Verdict::Beyond { phases, worst }) => {
                open.before_ms = open.before_ms.saturating_add(length_ms);
                (open.phases, open.extreme) = (open.phases | phases, worse(open.extreme, worst));
            }
            (Some(open), Verdict::Unknown) => open.before_ms = open.before_ms.saturating_add(length_ms),
            (Some(_), Verdict::Within) => return self.end(kind),
            (None, Verdict::Within | Verdict::Unknown) => {}
        }
        None
    }

    /// What lasts ends with the last interval that is over.
    pub(crate) fn end(&mut self, kind: EventKind) -> Option<Event> {
        self.open.take().map(|open| open.of(kind, open.before_ms))
    }
}
