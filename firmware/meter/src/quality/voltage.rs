//! Dips, swells and interruptions by the RMS voltage of every cycle, renewed every half cycle (IEC 61000-4-30, Urms(1/2)).
//!
//! All are polyphase. A dip begins when any phase falls below its threshold, and ends when all have come back to the threshold
//! and the hysteresis; a swell the other way round. An interruption begins when all phases are below its threshold, and ends
//! when any is back. Conventions of this meter:
//!
//! * A voltage exactly at a threshold begins nothing; one exactly at threshold and hysteresis ends what lasts.
//! * An event begins and ends with the beginning of the cycle whose value says so.
//! * An interruption is no dip: what fell before it belongs to it (EN 50160), and so does a voltage that comes back slowly. What
//!   is still low two seconds after it is a dip, from the end of the interruption on.
//! * A phase took part if it passed the threshold itself.

use meterbench_metrology::SampleInstant;

use super::event::{Open, Outbox, Timeline, Told, Trigger, Values};
use super::kind::EventKind;
use super::limits::{Limit, Limits};

/// Half cycles in which a voltage that returns belongs to the interruption: two seconds.
const RETURN: u8 = 200;

/// A half cycle as events of voltage see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HalfCycleLevels<'a> {
    /// Voltage by phase (0.01 % of Udin).
    pub(crate) levels: &'a [u16],
    pub(crate) lowest: u16,
    pub(crate) highest: u16,
    /// Beginning of the cycle that these are of.
    pub(crate) begun: SampleInstant,
    pub(crate) values: Values,
}

impl HalfCycleLevels<'_> {
    /// Phases of which it is so.
    pub(crate) fn phases(&self, is_so: impl Fn(u16) -> bool) -> u8 {
        (0..).zip(self.levels).fold(0, |bits, (phase, level)| bits | u8::from(is_so(*level)) << phase)
    }
}

/// Events of voltage that last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct VoltageEvents {
    pub(crate) dip: Option<Open>,
    pub(crate) swell: Option<Open>,
    pub(crate) interruption: Option<Open>,
    /// Half cycles since the interruption ended with which this dip began.
    returning: Option<u8>,
}

impl VoltageEvents {
    /// These go on.
    pub(crate) fn lasting(dip: Option<Open>, swell: Option<Open>, interruption: Option<Open>) -> Self {
        Self { dip, swell, interruption, returning: None }
    }

    /// Nothing lasts.
    pub(crate) fn is_quiet(&self) -> bool {
        self.dip.is_none() && self.swell.is_none() && self.interruption.is_none()
    }

    /// A half cycle has ended. `kinds` are those that the meter knows.
    pub(crate) fn half_cycle(
        &mut self,
        half: &HalfCycleLevels<'_>,
        limits: &Limits,
        kinds: u32,
        time: &Timeline<'_>,
        out: &mut Outbox,
    ) {
        let hysteresis = limits.of(Limit::Hysteresis);
        if kinds & EventKind::Interruption.bit() != 0 {
            self.interruption(half, limits.of(Limit::Interruption), hysteresis, time, out);
        }
        if self.interruption.is_none() {
            self.dip(half, limits.of(Limit::Dip), hysteresis, time, out);
        }
        self.swell(half, limits.of(Limit::Swell), hysteresis, time, out);
    }

    fn interruption(
        &mut self,
        half: &HalfCycleLevels<'_>,
        limit: u16,
        hysteresis: u16,
        time: &Timeline<'_>,
        out: &mut Outbox,
    ) {
        match &mut self.interruption {
            None if half.highest < limit => {
                let every = half.phases(|_| true);
                self.interruption = Some(begin(EventKind::Interruption, half, every, half.lowest, time, out));
                (self.dip, self.returning) = (None, None);
            }
            Some(open) if half.highest >= limit + hysteresis => {
                out.put(Told::Ended(open.ended(EventKind::Interruption, half.begun)));
                (self.interruption, self.returning) = (None, Some(0));
            }
            Some(open) => open.extreme = open.extreme.min(half.lowest.into()),
            None => {}
        }
    }

    fn dip(&mut self, half: &HalfCycleLevels<'_>, limit: u16, hysteresis: u16, time: &Timeline<'_>, out: &mut Outbox) {
        let below = half.phases(|level| level < limit);
        match &mut self.dip {
            None if below != 0 && self.returning.is_some() => {
                self.dip = Some(Open::at(half.begun, time.moment(half.begun), below, half.lowest.into()));
            }
            None if below != 0 => {
                self.dip = Some(begin(EventKind::Dip, half, below, half.lowest, time, out));
            }
            Some(open) if half.lowest >= limit + hysteresis => {
                if self.returning.is_none_or(|halves| halves > RETURN) {
                    out.put(Told::Ended(open.ended(EventKind::Dip, half.begun)));
                }
                self.dip = None;
            }
            Some(open) => {
                open.phases |= below;
                open.extreme = open.extreme.min(half.lowest.into());
            }
            None => {}
        }
        self.returning = self.returning.map(|halves| halves.saturating_add(1)).filter(|_| self.dip.is_some());
    }

    fn swell(
        &mut self,
        half: &HalfCycleLevels<'_>,
        limit: u16,
        hysteresis: u16,
        time: &Timeline<'_>,
        out: &mut Outbox,
    ) {
        let above = half.phases(|level| level > limit);
        match &mut self.swell {
            None if above != 0 => self.swell = Some(begin(EventKind::Swell, half, above, half.highest, time, out)),
            Some(open) if half.highest <= limit - hysteresis => {
                out.put(Told::Ended(open.ended(EventKind::Swell, half.begun)));
                self.swell = None;
            }
            Some(open) => {
                open.phases |= above;
                open.extreme = open.extreme.max(half.highest.into());
            }
            None => {}
        }
    }
}

/// An event begins with a half cycle, and says so.
fn begin(
    kind: EventKind,
    half: &HalfCycleLevels<'_>,
    phases: u8,
    extreme: u16,
    time: &Timeline<'_>,
    out: &mut Outbox,
) -> Open {
    let at = time.moment(half.begun);
    out.put(Told::Began(Trigger { kind, at, values: half.values }));
    Open::at(half.begun, at, phases, extreme.into())
}
