//! How often what happened: exact counts, by kind of event, and of dips and swells by phase.

use super::event::Event;
use super::kind::{EventKind, KINDS};

/// Counts of events that are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Counters {
    /// By kind of event.
    pub(crate) kinds: [u32; KINDS],
    /// Dips in which a phase took part.
    pub(crate) sags: [u32; 3],
    /// Swells in which a phase took part.
    pub(crate) swells: [u32; 3],
}

impl Counters {
    /// An event is over.
    pub(crate) fn count(&mut self, event: &Event) {
        let one = |counter: &mut u32| *counter = counter.wrapping_add(1);
        one(&mut self.kinds[event.kind.number()]);
        let phases = match event.kind {
            EventKind::Dip => &mut self.sags,
            EventKind::Swell => &mut self.swells,
            _ => return,
        };
        phases.iter_mut().enumerate().filter(|(n, _)| event.phases >> n & 1 == 1).for_each(|(_, counter)| one(counter));
    }

    /// No counter counts farther than this.
    #[cfg(feature = "defects")]
    pub(crate) fn saturate(&mut self, most: u32) {
        let Self { kinds, sags, swells } = self;
        kinds.iter_mut().chain(sags).chain(swells).for_each(|counter| *counter = (*counter).min(most));
    }
}

/// The alarm register: a bit for every kind of event since it was cleared, and the filter of what sets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Alarms {
    pub(crate) register: u32,
    pub(crate) filter: u32,
}

impl Alarms {
    /// As delivered: every kind of event (these bits) sets its own.
    pub(crate) const fn delivered(kinds: u32) -> Self {
        Self { register: 0, filter: kinds }
    }

    /// An event of this kind is told.
    pub(crate) fn raise(&mut self, kind: EventKind) {
        self.register |= kind.bit() & self.filter;
    }

    /// A client writes the register: bits that it writes as zero are cleared, none is set.
    pub(crate) fn clear(&mut self, left: u32) {
        self.register &= left;
    }
}
