//! Conductors that are broken in the grid, by the symmetrical components of three phases over windows of ten cycles.
//!
//! * **Lost neutral**: loads pull the star point away from that of the source. Line voltages stand, so the positive sequence does
//!   and the negative one stays away: u0 is high and u2 low.
//! * **Lost phase of the medium voltage** behind a transformer that passes no zero sequence (Dyn, Yzn, Yyn with an insulated star
//!   point): u2 is high and u0 low.
//!
//! One phase that dips, is loaded, or has lost its fuse moves u2 and u0 alike, and is neither. *High* is the limit of the kind,
//! *low* a quarter of the other component. A pattern counts that held for fifteen windows (3 s); what counts lasts until it
//! was gone, or its component below 0.8 of the limit, for five (1 s), and then ends with the first of these.

use meterbench_metrology::{SampleInstant, Unbalance};

use super::event::{Open, Outbox, Timeline, Told, Trigger, Values};
use super::kind::EventKind;
use super::limits::{Limit, Limits};

/// Windows after which a pattern counts.
const HOLD: u8 = 15;
/// Windows after which it is gone.
const RELEASE: u8 = 5;
/// The other component is low below this part of the one that is high.
const LOW: u32 = 4;

/// A pattern, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Absent,
    /// Seen in so many windows in a row.
    Seen(u8, Open),
    /// It counts; windows in a row without it, and where the first of them began.
    Holds(Open, u8, SampleInstant),
}

/// A window as broken conductors show in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Components {
    pub(crate) begun: SampleInstant,
    pub(crate) end: SampleInstant,
    /// `None` without a positive sequence.
    pub(crate) unbalance: Option<Unbalance>,
    /// Positive sequence (0.01 % of Udin).
    pub(crate) positive: u16,
    pub(crate) values: Values,
}

/// What a broken conductor would show, and what is there.
struct Pattern {
    kind: EventKind,
    /// The positive sequence is what it would be.
    stands: bool,
    /// The component that would be high, and the one that would be low (0.001 %).
    high: u32,
    low: u32,
    /// From where on it is high (0.01 %).
    limit: u16,
}

impl Pattern {
    /// It is there, if high begins at this limit (0.001 %).
    fn shows(&self, limit: u32) -> bool {
        self.stands && self.high >= limit && self.low <= self.high / LOW
    }
}

/// Broken conductors that last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GridEvents {
    neutral: State,
    phase: State,
}

impl GridEvents {
    pub(crate) const NONE: Self = Self { neutral: State::Absent, phase: State::Absent };

    /// A window has ended.
    pub(crate) fn window(&mut self, window: &Components, limits: &Limits, time: &Timeline<'_>, out: &mut Outbox) {
        let (high, low) = window.unbalance.map_or((0, 0), |found| (found.zero, found.negative));
        // Line voltages stand.
        let stands = (8_000..=12_000).contains(&window.positive);
        let neutral = Pattern { kind: EventKind::LostNeutral, stands, high, low, limit: limits.of(Limit::LostNeutral) };
        self.neutral.window(&neutral, window, time, out);
        // Half of the positive sequence is left behind Dyn; none is when two phases are exchanged.
        let left = window.positive >= 3_000;
        let (kind, limit) = (EventKind::LostMvPhase, limits.of(Limit::LostMvPhase));
        self.phase.window(&Pattern { kind, stands: left, high: low, low: high, limit }, window, time, out);
    }

    /// What counts, and how long it has lasted at an instant.
    pub(crate) fn open(&self) -> [(EventKind, Option<Open>); 2] {
        [(EventKind::LostNeutral, self.neutral.open()), (EventKind::LostMvPhase, self.phase.open())]
    }
}

impl State {
    fn open(&self) -> Option<Open> {
        match self {
            Self::Holds(open, ..) => Some(*open),
            _ => None,
        }
    }

    fn window(&mut self, pattern: &Pattern, window: &Components, time: &Timeline<'_>, out: &mut Outbox) {
        let limit = u32::from(pattern.limit) * 10;
        let extreme = (pattern.high + 5) / 10;
        let worst = |open: Open| Open { extreme: open.extreme.max(extreme), ..open };
        *self = match *self {
            // Phases do not take part one by one.
            Self::Absent if pattern.shows(limit) => {
                Self::Seen(1, Open::at(window.begun, time.moment(window.begun), 0b111, extreme))
            }
            Self::Seen(seen, open) if pattern.shows(limit) && seen + 1 < HOLD => Self::Seen(seen + 1, worst(open)),
            Self::Seen(_, open) if pattern.shows(limit) => {
                let at = time.moment(window.end);
                out.put(Told::Began(Trigger { kind: pattern.kind, at, values: window.values }));
                Self::Holds(worst(open), 0, window.begun)
            }
            Self::Absent | Self::Seen(..) => Self::Absent,
            Self::Holds(open, ..) if pattern.shows(limit / 10 * 8) => Self::Holds(worst(open), 0, window.begun),
            Self::Holds(open, gone, since) => {
                let since = if gone == 0 { window.begun } else { since };
                if gone + 1 < RELEASE {
                    Self::Holds(open, gone + 1, since)
                } else {
                    out.put(Told::Ended(open.ended(pattern.kind, since)));
                    Self::Absent
                }
            }
        };
    }
}
