//! What the meter writes down with the time: load profile, demand, events, snapshots of the grid. It outlives a power cut where
//! the memory does.
//!
//! | octets from | rows |
//! |---|---|
//! | 0 | what the load profile captures, two of them |
//! | 60 | maxima of the demand, four of them |
//! | 516 | standard events |
//! | 1092 | security events |
//! | 2048 | events of power quality, 64 of them |
//! | 3968 | events of the grid, 32 of them |
//! | 4928 | what a snapshot captures, two of them |
//! | 5156 | snapshots, 12 of them |
//! | 6656 | load profile, up to the end |

use meterbench_iec62056::date_time::ClockStatus;
use meterbench_metrology::Energy;

use crate::clock::Clock;
use crate::configuration::Configuration;
use crate::demand::{self, Demand};
use crate::events::{EventLog, Log, SecurityEvent, StandardEvent};
use crate::load_profile::{self, Capture, LoadProfile, status};
use crate::memory::Memory;
use crate::profile::{Product, Profile};
use crate::quality::event::{Event, Trigger};
use crate::quality::kind::QualityLog;
use crate::quality::log::EventRing;
use crate::quality::snapshot::{self, MOST_REGISTERS, Setup, Snapshots};
use crate::ring::{Ring, Stamp};

const SETUPS: usize = 0;
const MAXIMA: usize = SETUPS + 2 * Ring::row_length(3);
const STANDARD: usize = MAXIMA + 4 * Ring::row_length(demand::VALUES);
const SECURITY: usize = STANDARD + EventLog::OCTETS;
const QUALITY: usize = 2048;
const GRID: usize = QUALITY + EventRing::octets(QUALITY_ROWS);
const SNAPSHOTS: usize = GRID + EventRing::octets(GRID_ROWS);
const LOAD: usize = 6656;
const _: () = assert!(SECURITY + EventLog::OCTETS <= QUALITY && SNAPSHOTS + snapshot::OCTETS <= LOAD);

/// Events of power quality that are remembered.
const QUALITY_ROWS: usize = 64;
/// Events of the grid that are remembered.
const GRID_ROWS: usize = 32;

/// A register shows nine digits, as the display does.
pub(crate) const CAPACITY: u64 = 1_000_000_000;

impl Memory {
    /// Octets with which a product has the depth of its data sheet.
    pub const fn length_for(product: Product) -> usize {
        LOAD + load_profile::octets(product)
    }
}

/// When a billing period ends: at midnight of a day of some months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BillingEnd {
    /// 1 to 27.
    pub(crate) day: u8,
    /// Months between two ends; 0 for never.
    pub(crate) every: u8,
    /// The first of these months in a year.
    pub(crate) first: u8,
}

impl BillingEnd {
    /// As delivered: the first of every month.
    pub(crate) const MONTHLY: Self = Self { day: 1, every: 1, first: 1 };

    /// Months of the year with an end.
    pub(crate) fn months(&self) -> impl Iterator<Item = u8> + use<> {
        let Self { every, first, .. } = *self;
        (1..=12).filter(move |month| every > 0 && month % every == first % every)
    }
}

/// What a meter writes down where nobody chose otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Defaults {
    capture: Capture,
    /// Period of the demand (s).
    demand_s: u32,
    billing: BillingEnd,
}

impl Defaults {
    /// As a meter of this type is delivered.
    pub(crate) fn delivered(profile: &Profile) -> Self {
        Self { capture: Capture::delivered(profile), demand_s: 900, billing: BillingEnd::MONTHLY }
    }

    /// As a software configuration says.
    pub(crate) fn configured(profile: &Profile, configuration: &Configuration) -> Self {
        let (delivered, demand_s) = (Capture::delivered(profile), configuration.integration_period_s());
        let channels = delivered.with_channels(configuration.load_profile_energies()).unwrap_or(delivered);
        Self {
            capture: channels.with_period_s(demand_s).unwrap_or(channels),
            demand_s,
            billing: configuration.billing_end(),
        }
    }
}

/// Load profile, demand and events of one meter.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) memory: Memory,
    pub(crate) load: LoadProfile,
    pub(crate) demand: Demand,
    standard: EventLog,
    security: EventLog,
    quality: EventRing,
    grid: EventRing,
    pub(crate) snapshots: Snapshots,
    pub(crate) defaults: Defaults,
    setups: Ring,
    maxima: Ring,
    /// Daylight saving was in force at the last whole minute.
    saving: Option<bool>,
}

impl Records {
    /// With what stands in memory.
    pub(crate) fn new(profile: &Profile, memory: Memory, defaults: Defaults) -> Self {
        let octets = memory.octets();
        let setups = Ring::new(octets, SETUPS, MAXIMA - SETUPS, 3, 1).recovered(octets);
        let maxima = Ring::new(octets, MAXIMA, STANDARD - MAXIMA, demand::VALUES, 2).recovered(octets);
        let chosen =
            setups.newest(octets).map(|row| core::array::from_fn(|n| row.value(n))).and_then(Capture::of_words);
        let capture = chosen.filter(|capture| capture.holds_verified(profile)).unwrap_or(defaults.capture);
        let mut demand = Demand::new(defaults.demand_s);
        if let Some(row) = maxima.newest(octets) {
            demand.recover(row);
        }
        Self {
            load: LoadProfile::new(profile, capture, &memory, LOAD),
            demand,
            standard: EventLog::new(&memory, STANDARD, 3),
            security: EventLog::new(&memory, SECURITY, 4),
            quality: EventRing::new(&memory, QUALITY, QUALITY_ROWS, QualityLog::Quality),
            grid: EventRing::new(&memory, GRID, GRID_ROWS, QualityLog::Grid),
            snapshots: Snapshots::new(profile, &memory, SNAPSHOTS),
            defaults,
            setups,
            maxima,
            saving: None,
            memory,
        }
    }

    /// One of the event logs.
    pub(crate) fn log(&self, log: Log) -> &EventLog {
        match log {
            Log::Standard => &self.standard,
            Log::Security => &self.security,
        }
    }

    /// The log of power quality, or of the grid.
    pub(crate) fn quality_log(&self, log: QualityLog) -> &EventRing {
        match log {
            QualityLog::Quality => &self.quality,
            QualityLog::Grid => &self.grid,
        }
    }

    /// Writes an event of power quality or of the grid down.
    pub(crate) fn tell_quality(&mut self, event: &Event) {
        let log = match event.kind.log() {
            QualityLog::Quality => &mut self.quality,
            QualityLog::Grid => &mut self.grid,
        };
        log.push(&mut self.memory, event);
    }

    /// Keeps a snapshot of the registers that are captured, with their values in order.
    pub(crate) fn take_snapshot(&mut self, trigger: &Trigger, values: &[u32; MOST_REGISTERS]) {
        self.snapshots.push(&mut self.memory, trigger.at, trigger.kind, values);
    }

    /// Snapshots capture something else from now on.
    pub(crate) fn set_snapshot(&mut self, profile: &Profile, now: Stamp, setup: Setup) {
        if self.snapshots.set_setup(profile, &mut self.memory, now, setup) {
            self.tell(now, StandardEvent::ParametersChanged);
        }
    }

    /// When billing periods end.
    pub(crate) fn billing(&self) -> BillingEnd {
        self.defaults.billing
    }

    /// The clock shows a whole minute.
    pub(crate) fn minute(&mut self, clock: &Clock, energy: impl Fn(u8) -> Energy) {
        let (local, standard) = (clock.local(), clock.standard_seconds());
        let now = Stamp::of(&local);
        if self.saving.replace(local.daylight_saving).is_some_and(|before| before != local.daylight_saving) {
            self.tell(now, StandardEvent::DaylightSaving);
        }
        self.load.minute(&mut self.memory, now, standard, |c| (energy(c).watt_hours() % CAPACITY) as u32);
        let mut changed = self.demand.minute(now, standard, energy);
        let civil = local.civil;
        let midnight = (civil.hour, civil.minute) == (0, 0) && civil.day == self.billing().day;
        if midnight && self.billing().months().any(|month| month == civil.month) {
            self.demand.end_billing();
            changed = true;
        }
        if changed {
            self.maxima.push(self.memory.octets_mut(), now, 0, self.demand.values());
        }
    }

    /// Writes a standard event down.
    pub(crate) fn tell(&mut self, at: Stamp, event: StandardEvent) {
        self.standard.push(&mut self.memory, at, event as u8);
    }

    /// Writes an event about security down.
    pub(crate) fn tell_security(&mut self, at: Stamp, event: SecurityEvent) {
        self.security.push_once_a_minute(&mut self.memory, at, event as u8);
    }

    /// Somebody set the clock.
    pub(crate) fn clock_set(&mut self, before: Stamp, clock: &Clock, energy: impl Fn(u8) -> Energy) {
        let now = Stamp::of(&clock.local());
        self.saving = Some(clock.local().daylight_saving);
        self.tell(before, StandardEvent::ClockBefore);
        self.tell(now, StandardEvent::ClockAfter);
        self.load.mark(status::CLOCK_ADJUSTED);
        self.demand.begin(now, energy);
    }

    /// The supply is back; it was gone from `stood` on, as far as the clock knows.
    pub(crate) fn power_up(&mut self, stood: Stamp, clock: &Clock, energy: impl Fn(u8) -> Energy) {
        let now = Stamp::of(&clock.local());
        self.tell(stood, StandardEvent::PowerDown);
        self.tell(now, StandardEvent::PowerUp);
        if now.status.contains(ClockStatus::INVALID_VALUE) {
            self.tell(now, StandardEvent::ClockInvalid);
        }
        self.load.mark(status::POWER_DOWN);
        self.demand.begin(now, energy);
    }

    /// The load profile captures something else from now on.
    pub(crate) fn set_capture(&mut self, now: Stamp, capture: Capture) {
        if capture == *self.load.capture() {
            return;
        }
        self.load.set_capture(&mut self.memory, capture);
        self.setups.push(self.memory.octets_mut(), now, 0, capture.words().into_iter());
        self.tell(now, StandardEvent::ParametersChanged);
        self.tell(now, StandardEvent::LoadProfileCleared);
    }

    /// Every row of the load profile goes.
    pub(crate) fn clear_load(&mut self, now: Stamp) {
        self.load.clear(&mut self.memory);
        self.tell(now, StandardEvent::LoadProfileCleared);
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn billing_periods_end_in_the_months_of_their_interval() {
        let months = |every, first| BillingEnd { day: 1, every, first }.months().collect::<Vec<_>>();
        assert_eq!(months(1, 1), (1..=12).collect::<Vec<_>>());
        assert_eq!(months(2, 2), [2, 4, 6, 8, 10, 12]);
        assert_eq!(months(3, 3), [3, 6, 9, 12]);
        assert_eq!(months(6, 4), [4, 10]);
        assert_eq!((months(12, 12), months(12, 5)), (std::vec![12], std::vec![5]));
        assert_eq!(months(0, 1), []);
    }
}
