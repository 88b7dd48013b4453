//! The monitor: takes what the analysis of the samples finds and the ticks of the clock, and tells events.

use meterbench_metrology::{Found, FrequencyCounter, HalfCycle, QualityWindow, SampleInstant, Unbalance};

use super::aggregates::{Aggregates, FlagOf, Harmonics, NO_HARMONICS, Values as Aggregated};
use super::counters::{Alarms, Counters};
#[cfg(feature = "defects")]
use super::event::Trigger;
use super::event::{Moment, Open, Outbox, Timeline, Told, Values, instant, raw};
use super::grid::{Components, GridEvents};
use super::kept::KeptQuality;
use super::kind::{EventKind, KINDS, QualityLog, kinds_of};
use super::limits::{Limit, Limits};
use super::rapid::RapidChange;
use super::run::{Run, Verdict};
use super::voltage::{HalfCycleLevels, VoltageEvents};
use crate::profile::Profile;

const TEN_SECONDS_MS: u32 = 10_000;
const TEN_MINUTES_MS: u32 = 600_000;
/// The ticks of ten minutes and of two hours (s of UTC).
const TEN_MINUTES: u64 = 600;
const TWO_HOURS: u64 = 7200;

/// Where a first whole cycle has ended, however long it is: 25 ms [1/65536 sample].
const FIRST_CYCLE: u64 = 200 << 16;

/// Kinds of events that are made of whole intervals.
const RUNS: [EventKind; 5] = [
    EventKind::Undervoltage,
    EventKind::Overvoltage,
    EventKind::Frequency,
    EventKind::Unbalance,
    EventKind::Distortion,
];

/// A whole ten seconds of the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tick {
    /// UTC (s since 2000).
    pub(crate) utc: u64,
    pub(crate) moment: Moment,
    /// Index of the next sample.
    pub(crate) index: u64,
}

/// Power quality of one meter.
#[derive(Debug, Clone)]
pub(crate) struct Monitor {
    systems: usize,
    /// Declared voltage Udin (V).
    declared: u32,
    /// Nominal frequency (0.1 mHz).
    nominal: u32,
    kinds: u32,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) alarms: Alarms,
    voltage: VoltageEvents,
    rapid: RapidChange,
    grid: GridEvents,
    runs: [Run; RUNS.len()],
    pub(crate) aggregates: Aggregates,
    pub(crate) frequency: Aggregated<Option<u32>>,
    cycles: FrequencyCounter,
    /// Ten seconds that are over, their frequency not yet known: when they began, and whether they are flagged.
    ten_seconds: Option<(Option<Moment>, bool)>,
    /// Length of the last half cycle [1/65536 sample]; 0 before the first.
    half: u32,
    /// A dip, a swell or an interruption lasted since the last window, since the tick of ten seconds.
    disturbed: [bool; 2],
    /// An interruption lasted in the ten minutes that run.
    interrupted: bool,
    /// Ten minutes and ten seconds that run began at their ticks, and when.
    began: [Option<Moment>; 2],
    out: Outbox,
    /// A trigger that waits for its window, and one that has had it.
    #[cfg(feature = "defects")]
    late: [Option<Trigger>; 2],
    #[cfg(feature = "defects")]
    defects: crate::defects::Defects,
}

/// A voltage (mV) in 0.01 % of the declared one (V).
fn level(millivolt: u32, declared: u32) -> u16 {
    let level = (millivolt.saturating_mul(10) + declared / 2) / declared.max(1);
    u16::try_from(level).unwrap_or(u16::MAX)
}

impl Monitor {
    /// Of a meter of this type with this reference voltage (V), as delivered.
    pub(crate) fn new(profile: &Profile, declared: u32) -> Self {
        let kinds = kinds_of(profile);
        Self {
            systems: profile.systems as usize,
            declared,
            nominal: profile.product.reference_frequencies().first().copied().unwrap_or(50) * 10_000,
            kinds,
            limits: Limits::DELIVERED,
            counters: Counters::default(),
            alarms: Alarms::delivered(kinds),
            voltage: VoltageEvents::default(),
            rapid: RapidChange::NEW,
            grid: GridEvents::NONE,
            runs: Default::default(),
            aggregates: Aggregates::new(),
            frequency: Aggregated { values: None, flagged: true },
            cycles: FrequencyCounter::new(),
            ten_seconds: None,
            half: 0,
            disturbed: [true; 2],
            interrupted: false,
            began: [None; 2],
            out: Outbox::default(),
            #[cfg(feature = "defects")]
            late: [None; 2],
            #[cfg(feature = "defects")]
            defects: Default::default(),
        }
    }

    /// With planted faults.
    #[cfg(feature = "defects")]
    pub(crate) fn plant(&mut self, defects: crate::defects::Defects) {
        self.defects = defects;
    }

    /// The snapshot of this trigger is not taken before the next window.
    #[cfg(feature = "defects")]
    pub(crate) fn put_off(&mut self, trigger: Trigger) {
        self.late[0] = Some(trigger);
    }

    /// A trigger that was put off, with the values of its window.
    #[cfg(feature = "defects")]
    pub(crate) fn take_late(&mut self) -> Option<Trigger> {
        self.late[1].take()
    }

    /// The kinds of events that the meter knows.
    pub(crate) fn kinds(&self) -> u32 {
        self.kinds
    }

    fn knows(&self, kind: EventKind) -> bool {
        self.kinds & kind.bit() != 0
    }

    /// The limits by which events are found.
    fn in_force(&self) -> Limits {
        #[cfg(feature = "defects")]
        if self.defects.dip_hysteresis_missing {
            return self.limits.without_hysteresis();
        }
        self.limits
    }

    /// What the analysis found; the harmonics of a window are kept.
    pub(crate) fn found(&mut self, found: &Found<'_>, time: &Timeline<'_>, harmonics: &mut Harmonics) {
        match found {
            Found::HalfCycle(half) => self.half_cycle(half, time),
            Found::Window(window) => {
                match window.spectrum {
                    Some(spectrum) => {
                        let (voltages, currents) = harmonics.split_at_mut(3);
                        voltages.copy_from_slice(&spectrum.voltage);
                        currents.copy_from_slice(&spectrum.current);
                    }
                    None => *harmonics = NO_HARMONICS,
                }
                self.window(window, time);
            }
        }
    }

    fn half_cycle(&mut self, half: &HalfCycle, time: &Timeline<'_>) {
        if let Some(found) = self.cycles.add(half) {
            self.frequency(found);
        }
        // A cycle of which a part lay before power-up is none.
        if raw(half.end) < FIRST_CYCLE {
            return;
        }
        let levels = half.voltage_mv.map(|millivolt| level(millivolt, self.declared));
        let levels = &levels[..self.systems];
        let (lowest, highest) =
            levels.iter().fold((u16::MAX, 0), |(low, high), level| (low.min(*level), high.max(*level)));
        // The cycle began with the half cycle before this one; the first after power-up began with that.
        let before = core::mem::replace(&mut self.half, half.duration);
        let length = if before == 0 { raw(half.end) } else { u64::from(half.duration) + u64::from(before) };
        let half_length = half.duration;
        let half = HalfCycleLevels {
            levels,
            lowest,
            highest,
            begun: instant(raw(half.end).saturating_sub(length)),
            values: Values { voltage_mv: half.voltage_mv, current_ma: half.current_ma },
        };
        let limits = self.in_force();
        let within = lowest >= limits.of(Limit::Dip) && highest <= limits.of(Limit::Swell);
        if !within || !self.voltage.is_quiet() {
            self.disturbed = [true; 2];
            self.voltage.half_cycle(&half, &limits, self.kinds, time, &mut self.out);
            self.interrupted |= self.voltage.interruption.is_some();
        }
        if self.knows(EventKind::RapidChange) {
            let is_other = !within || !self.voltage.is_quiet();
            self.rapid.half_cycle(&half, half_length, &limits, is_other, time, &mut self.out);
        }
        self.count();
    }

    fn window(&mut self, window: &QualityWindow<'_>, time: &Timeline<'_>) {
        #[cfg(feature = "defects")]
        if let Some(trigger) = self.late[0].take() {
            let values = Values { voltage_mv: window.voltage_mv, current_ma: window.current_ma };
            self.late[1] = Some(Trigger { values, ..trigger });
        }
        let flagged = core::mem::take(&mut self.disturbed[0]) || !self.voltage.is_quiet();
        let unbalance = self.unbalance(window);
        self.aggregates.window(self.systems, window, unbalance, flagged);
        self.interrupted |= self.voltage.interruption.is_some();
        if self.knows(EventKind::LostNeutral) {
            let begun = instant(raw(window.end).saturating_sub(window.duration));
            let components = Components {
                begun,
                end: window.end,
                unbalance,
                positive: unbalance.map_or(0, |found| level(found.positive_mv, self.declared)),
                values: Values { voltage_mv: window.voltage_mv, current_ma: window.current_ma },
            };
            self.grid.window(&components, &self.limits, time, &mut self.out);
        }
        self.count();
    }

    fn unbalance(&self, window: &QualityWindow<'_>) -> Option<Unbalance> {
        #[cfg(feature = "defects")]
        if self.defects.unbalance_by_magnitude {
            return window.unbalance.map(|found| crate::defects::unbalance_by_magnitude(found, &window.voltage_mv));
        }
        window.unbalance
    }

    /// The clock shows a whole ten seconds.
    pub(crate) fn tick(&mut self, tick: &Tick) {
        let flagged = core::mem::take(&mut self.disturbed[1]) || !self.voltage.is_quiet();
        self.ten_seconds = Some((self.began[1].replace(tick.moment), flagged));
        self.cycles.tick(SampleInstant::new(tick.index, 0));
        if tick.utc.is_multiple_of(TEN_MINUTES) {
            self.ten_minutes(tick.moment);
        }
        if tick.utc.is_multiple_of(TWO_HOURS) {
            self.aggregates.two_hours();
        }
        self.count();
    }

    /// The frequency of ten seconds that are over (0.1 mHz), if they had one.
    fn frequency(&mut self, found: Option<u32>) {
        let Some((begun, flagged)) = self.ten_seconds.take() else { return };
        self.frequency = Aggregated { values: found, flagged: flagged || begun.is_none() };
        let Some(begun) = begun else { return };
        let verdict = found.filter(|_| !flagged).map_or(Verdict::Unknown, |value| self.frequency_verdict(value));
        let nominal = self.nominal / 10;
        let farther = |a: u32, b: u32| if b.abs_diff(nominal) > a.abs_diff(nominal) { b } else { a };
        self.interval(EventKind::Frequency, verdict, begun, TEN_SECONDS_MS, farther);
    }

    /// Of a frequency (0.1 mHz); the worst value is in mHz.
    fn frequency_verdict(&self, value: u32) -> Verdict {
        let distance = u64::from(value.abs_diff(self.nominal)) * 10_000;
        let limit = u64::from(self.limits.of(Limit::Frequency)) * u64::from(self.nominal);
        if distance > limit { Verdict::Beyond { phases: 0, worst: (value + 5) / 10 } } else { Verdict::Within }
    }

    fn ten_minutes(&mut self, now: Moment) {
        self.aggregates.ten_minutes();
        let interrupted = core::mem::take(&mut self.interrupted) || self.voltage.interruption.is_some();
        let Some(begun) = self.began[0].replace(now) else { return };
        let Aggregated { values, flagged } = self.aggregates.ten_minutes;
        let limit = |limit| u32::from(self.limits.of(limit));
        let (low, high) = (limit(Limit::Undervoltage), limit(Limit::Overvoltage));
        let (most_unbalance, most_distortion) = (limit(Limit::Unbalance), limit(Limit::Distortion));
        let levels = values.voltage.map(|value| value.map(|value| u32::from(level(value, self.declared))));
        let of = |known: bool, verdict: Verdict| if known { verdict } else { Verdict::Unknown };
        // A voltage that stays too low or too high is a dip or a swell all the time: their flag takes nothing from it.
        let levels = &levels[..self.systems];
        let under = of(!interrupted, Verdict::of(levels, |level| level < low, u32::min));
        let over = of(!interrupted, Verdict::of(levels, |level| level > high, u32::max));
        let negative = [values.negative.map(|value| (value + 5) / 10)];
        let unbalance = match of(!flagged, Verdict::of(&negative, |value| value > most_unbalance, u32::max)) {
            Verdict::Beyond { worst, .. } => Verdict::Beyond { phases: 0b111, worst },
            other => other,
        };
        let distortions = &values.thd[..self.systems];
        let distortion = of(!flagged, Verdict::of(distortions, |value| value > most_distortion, u32::max));
        for (kind, verdict, worse) in [
            (EventKind::Undervoltage, under, u32::min as fn(u32, u32) -> u32),
            (EventKind::Overvoltage, over, u32::max),
            (EventKind::Unbalance, unbalance, u32::max),
            (EventKind::Distortion, distortion, u32::max),
        ] {
            self.interval(kind, verdict, begun, TEN_MINUTES_MS, worse);
        }
    }

    fn interval(
        &mut self,
        kind: EventKind,
        verdict: Verdict,
        begun: Moment,
        length_ms: u32,
        worse: impl Fn(u32, u32) -> u32,
    ) {
        if !self.knows(kind) {
            return;
        }
        let run = RUNS.iter().position(|of| *of == kind).and_then(|n| self.runs.get_mut(n));
        if let Some(event) = run.and_then(|run| run.interval(kind, verdict, begun, length_ms, worse)) {
            self.out.put(Told::Ended(event));
        }
    }

    /// The clock was set: intervals that run are not whole, and what is made of intervals ends with the last that was.
    pub(crate) fn clock_set(&mut self) {
        for (run, kind) in self.runs.iter_mut().zip(RUNS) {
            if let Some(event) = run.end(kind) {
                self.out.put(Told::Ended(event));
            }
        }
        self.began = [None; 2];
        self.ten_seconds = self.ten_seconds.map(|(_, flagged)| (None, flagged));
        self.aggregates.cut();
        self.count();
    }

    /// What has been told since: events are counted, alarms raised.
    fn count(&mut self) {
        let Self { out, counters, alarms, .. } = self;
        out.uncounted(|told| match told {
            Told::Ended(event) => {
                counters.count(event);
                alarms.raise(event.kind);
            }
            // A conductor stays broken until somebody comes.
            Told::Began(trigger) if trigger.kind.log() == QualityLog::Grid => alarms.raise(trigger.kind),
            Told::Began(_) => {}
        });
        #[cfg(feature = "defects")]
        if self.defects.counter_saturates {
            self.counters.saturate(crate::defects::MOST_COUNTED);
        }
    }

    /// Something waits to be written down.
    #[inline]
    pub(crate) fn has_told(&self) -> bool {
        #[cfg(feature = "defects")]
        if self.late[1].is_some() {
            return true;
        }
        !self.out.is_empty()
    }

    /// What waits to be written down, in order.
    pub(crate) fn take_told(&mut self) -> impl Iterator<Item = Told> + use<> {
        self.out.take()
    }

    /// Whether values are flagged.
    pub(crate) fn is_flagged(&self, of: FlagOf) -> bool {
        match of {
            FlagOf::Window => self.aggregates.window.flagged,
            FlagOf::Short => self.aggregates.short.flagged,
            FlagOf::TenMinutes => self.aggregates.ten_minutes.flagged,
            FlagOf::TwoHours => self.aggregates.two_hours.flagged,
            FlagOf::TenSeconds => self.frequency.flagged,
        }
    }

    /// What lasts, by kind.
    fn open(&self) -> [Option<Open>; KINDS] {
        let mut open = [None; KINDS];
        let VoltageEvents { dip, swell, interruption, .. } = self.voltage;
        let voltage = [(EventKind::Dip, dip), (EventKind::Swell, swell), (EventKind::Interruption, interruption)];
        let runs = RUNS.into_iter().zip(self.runs.map(|run| run.open));
        voltage.into_iter().chain(runs).chain(self.grid.open()).for_each(|(kind, of)| open[kind.number()] = of);
        open
    }

    /// What outlives a power cut, at this sample.
    pub(crate) fn kept(&self, index: u64) -> KeptQuality {
        let at = SampleInstant::new(index, 0);
        let mut open = self.open();
        // What is made of intervals has lasted for those that are over.
        for kind in EventKind::ALL.into_iter().filter(|kind| !RUNS.contains(kind)) {
            let slot = &mut open[kind.number()];
            *slot = slot.map(|open| Open { before_ms: open.lasted_ms(at), ..open });
        }
        KeptQuality { limits: self.limits, counters: self.counters, alarms: self.alarms, open }
    }

    /// Goes on after a power cut of so many milliseconds, as far as the clock knows. Voltages are still away, or back: their
    /// events go on. Everything else ended with the supply, as nobody looked any more.
    pub(crate) fn restore(&mut self, kept: &KeptQuality, outage_ms: u64) {
        (self.limits, self.counters) = (kept.limits, kept.counters);
        // An image may be that of another type.
        let Alarms { register, filter } = kept.alarms;
        self.alarms = Alarms { register: register & self.kinds, filter: filter & self.kinds };
        let outage_ms = u32::try_from(outage_ms).unwrap_or(u32::MAX);
        let lasting = |kind: EventKind| kept.open[kind.number()].filter(|_| self.kinds & kind.bit() != 0);
        let on = |kind: EventKind| {
            lasting(kind).map(|open| Open {
                before_ms: open.before_ms.saturating_add(outage_ms),
                since: SampleInstant::default(),
                ..open
            })
        };
        self.voltage = VoltageEvents::lasting(on(EventKind::Dip), on(EventKind::Swell), on(EventKind::Interruption));
        for kind in EventKind::ALL {
            let ended = RUNS.contains(&kind) || kind.log() == QualityLog::Grid;
            if let Some(open) = kept.open[kind.number()].filter(|_| ended) {
                self.out.put(Told::Ended(open.of(kind, open.before_ms)));
            }
        }
        self.count();
    }
}

impl core::hash::Hash for Monitor {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        let Self { limits, counters, alarms, voltage, rapid, grid, runs, aggregates, frequency, cycles, .. } = self;
        (limits, counters, alarms, voltage, rapid, grid).hash(state);
        (runs, aggregates, frequency, cycles, self.ten_seconds, self.disturbed, self.began).hash(state);
    }
}
