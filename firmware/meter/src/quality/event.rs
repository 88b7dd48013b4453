//! Events: one that lasts, one that is over, and the moment at which something must be captured.

use meterbench_metrology::SampleInstant;

use super::kind::EventKind;
use crate::clock::Clock;
use crate::ring::Stamp;

/// 1/65536 samples in a millisecond.
const PER_MS: u64 = 8 << 16;

/// A moment of the clock, to a hundredth of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Moment {
    pub(crate) stamp: Stamp,
    pub(crate) hundredths: u8,
}

impl Moment {
    /// What a clock shows.
    pub(crate) fn of(clock: &Clock) -> Self {
        let local = clock.local();
        Self { stamp: Stamp::of(&local), hundredths: local.hundredths }
    }
}

/// The clock beside the index of the sample at which it stands: what time it was, or will be, at another sample.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline<'a> {
    pub(crate) clock: &'a Clock,
    pub(crate) index: u64,
}

impl Timeline<'_> {
    /// The moment of an instant, by the clock as it stands.
    pub(crate) fn moment(&self, at: SampleInstant) -> Moment {
        Moment::of(&self.clock.moved(at.index() as i64 - self.index as i64))
    }
}

/// An instant by its 1/65536 of samples.
pub(crate) const fn instant(raw: u64) -> SampleInstant {
    SampleInstant::new(raw >> 16, raw as u16)
}

/// The 1/65536 of samples of an instant.
pub(crate) const fn raw(at: SampleInstant) -> u64 {
    at.index() << 16 | at.fraction() as u64
}

/// From one instant to a later one (ms), rounded.
pub(crate) const fn milliseconds(from: SampleInstant, to: SampleInstant) -> u32 {
    let ms = (raw(to).saturating_sub(raw(from)) + PER_MS / 2) / PER_MS;
    if ms > u32::MAX as u64 { u32::MAX } else { ms as u32 }
}

/// An event that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    pub(crate) begun: Moment,
    /// What passed of it before `since` (ms): before the last power-up, or in intervals that are over.
    pub(crate) before_ms: u32,
    /// From when the rest is counted.
    pub(crate) since: SampleInstant,
    /// Phases that took part, bit 0 for L1.
    pub(crate) phases: u8,
    /// The worst value so far; its unit is that of the kind.
    pub(crate) extreme: u32,
}

impl Open {
    /// Begins at an instant.
    pub(crate) fn at(at: SampleInstant, begun: Moment, phases: u8, extreme: u32) -> Self {
        Self { begun, before_ms: 0, since: at, phases, extreme }
    }

    /// How long it has lasted at an instant (ms).
    pub(crate) fn lasted_ms(&self, at: SampleInstant) -> u32 {
        self.before_ms.saturating_add(milliseconds(self.since, at))
    }

    /// It ends at an instant.
    pub(crate) fn ended(&self, kind: EventKind, at: SampleInstant) -> Event {
        self.of(kind, self.lasted_ms(at))
    }

    /// The event, with its duration (ms).
    pub(crate) fn of(&self, kind: EventKind, duration_ms: u32) -> Event {
        let Self { begun, phases, extreme, .. } = *self;
        Event { kind, begun, duration_ms, phases, extreme }
    }
}

/// An event that is over: a row of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) begun: Moment,
    pub(crate) duration_ms: u32,
    pub(crate) phases: u8,
    pub(crate) extreme: u32,
}

/// RMS values of a cycle or a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Values {
    pub(crate) voltage_mv: [u32; 3],
    pub(crate) current_ma: [u32; 3],
}

/// An event began that is to be remembered by the values of its first cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Trigger {
    pub(crate) kind: EventKind,
    pub(crate) at: Moment,
    pub(crate) values: Values,
}

/// What the monitor tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    Began(Trigger),
    Ended(Event),
}

/// What was told and not yet fetched. It is fetched after every cycle at the latest, which ends and begins few events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Outbox {
    told: [Option<Told>; Self::ROOM],
    count: usize,
    /// Of these the events are counted.
    counted: usize,
}

impl Outbox {
    /// Two half cycles, a window and a tick of the clock, with all that can begin and end in each.
    const ROOM: usize = 16;

    pub(crate) fn put(&mut self, told: Told) {
        if let Some(free) = self.told.get_mut(self.count) {
            (*free, self.count) = (Some(told), self.count + 1);
        }
    }

    /// Shows what has been told since the last time.
    pub(crate) fn uncounted(&mut self, mut show: impl FnMut(&Told)) {
        let told = self.told.get(self.counted..self.count).unwrap_or_default();
        told.iter().flatten().for_each(&mut show);
        self.counted = self.count;
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Everything that waits, in the order in which it was told.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Told> + use<> {
        core::mem::take(self).told.into_iter().flatten()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use meterbench_iec62056::date_time::ClockStatus;

    use super::*;

    /// So many milliseconds after power-up.
    pub(crate) fn ms(ms: u64) -> SampleInstant {
        instant(ms * PER_MS)
    }

    pub(crate) fn moment(at: SampleInstant) -> Moment {
        let hundredths = raw(at) / PER_MS / 10;
        let stamp = Stamp { utc: hundredths / 100, deviation: 0, status: ClockStatus::GOOD };
        Moment { stamp, hundredths: (hundredths % 100) as u8 }
    }

    #[test]
    fn durations_are_rounded_to_milliseconds_and_go_on_after_a_cut() {
        assert_eq!(milliseconds(instant(PER_MS), instant(3 * PER_MS - 1)), 2);
        assert_eq!(milliseconds(instant(0), instant(PER_MS / 2 - 1)), 0);
        let open = Open { before_ms: 700, ..Open::at(instant(0), moment(instant(0)), 1, 0) };
        assert_eq!(open.lasted_ms(ms(41)), 741);
    }

    #[test]
    fn a_moment_lies_before_or_after_the_sample_at_which_the_clock_stands() {
        let mut clock = Clock::cold(-60, crate::clock::DaylightSaving::EUROPE);
        clock.set_utc(1000).unwrap();
        let line = Timeline { clock: &clock, index: 80_000 };
        let shown = |index| {
            let moment = line.moment(SampleInstant::new(index, 9));
            (moment.stamp.utc, moment.hundredths)
        };
        assert_eq!(
            [shown(80_000), shown(79_999), shown(72_000), shown(80_400)],
            [(1000, 0), (999, 99), (999, 0), (1000, 5)]
        );
    }
}
