//! The meter's clock: time that counts the metrology's samples, its place on Earth, daylight saving, and how far it is trusted.
//!
//! Samples are its beat while there is power; the crystal of a real-time clock, which a reserve keeps running without, is the measure. How
//! much faster that one runs is the [trim](Clock::set_trim_ppb), which the shell finds by counting both.

mod civil;
mod kept;

pub use civil::{Civil, DAY};
pub use kept::Outage;

use meterbench_iec62056::date_time::{ClockStatus, DateTime, Deviation, days_in_month};
use meterbench_metrology::SAMPLE_RATE;

const PER_SECOND: u64 = SAMPLE_RATE as u64;
/// Seconds between two ticks: minutes, and what is measured over ten seconds, are cut by them.
const TICK: u64 = 10;
const PER_TICK: u64 = TICK * PER_SECOND;
const BILLION: i64 = 1_000_000_000;

/// A day of the year at which the clock is moved, as a rule that holds every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// 1 to 12.
    pub month: u8,
    /// Which day of the month.
    pub day: RuleDay,
    /// 1 for Monday to 7 for Sunday; `None` for the day whatever it is.
    pub weekday: Option<u8>,
    /// Hour and minute by the clock as it stands before it is moved.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
}

/// A day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleDay {
    /// This day, or with a weekday the first such weekday from it on.
    From(u8),
    /// The last one.
    Last,
    /// The last but one.
    LastButOne,
}

impl Transition {
    /// When the clock is moved in a year (s of that clock since 2000).
    fn at(&self, year: u16) -> u64 {
        let length = days_in_month(year, self.month.clamp(1, 12));
        let seconds = |day: u8| {
            let civil = Civil { year, month: self.month, day, hour: self.hour, minute: self.minute, second: 0 };
            civil.seconds().unwrap_or(0)
        };
        // Days from a day on to the weekday of the rule.
        let until = |day: u8, weekday: u8| {
            let found = Civil { year, month: self.month.clamp(1, 12), day, ..Civil::EPOCH }.weekday();
            (weekday + 7 - found) % 7
        };
        let day = match (self.day, self.weekday) {
            (RuleDay::From(day), None) => day.clamp(1, length),
            (RuleDay::From(day), Some(weekday)) => {
                let day = day.clamp(1, length);
                let found = day + until(day, weekday);
                if found > length { found - 7 } else { found }
            }
            (RuleDay::Last, None) => length,
            (RuleDay::LastButOne, None) => length - 1,
            (RuleDay::Last, Some(weekday)) => length - 6 + until(length - 6, weekday),
            (RuleDay::LastButOne, Some(weekday)) => length - 13 + until(length - 13, weekday),
        };
        seconds(day)
    }
}

/// Daylight saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaylightSaving {
    /// Whether the rule is followed.
    pub enabled: bool,
    /// The clock goes forward, by standard time.
    pub begin: Transition,
    /// The clock goes back, by daylight time.
    pub end: Transition,
    /// How far it is moved (minutes).
    pub deviation: i8,
}

impl DaylightSaving {
    /// The rule of the European Union for Central Europe: last Sundays of March (2:00) and October (3:00), one hour.
    pub const EUROPE: Self = Self {
        enabled: true,
        begin: Transition { month: 3, day: RuleDay::Last, weekday: Some(7), hour: 2, minute: 0 },
        end: Transition { month: 10, day: RuleDay::Last, weekday: Some(7), hour: 3, minute: 0 },
        deviation: 60,
    };
}

/// How far the time can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// Set, and kept since.
    Valid,
    /// Set, but it may have stood still in between.
    Doubtful,
    /// Never set since it lost its supply.
    Invalid,
}

/// Local time, with what one must know to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// As the clock shows it.
    pub civil: Civil,
    /// Hundredths of the second.
    pub hundredths: u8,
    /// What must be added to come to UTC (minutes): -60 for Central European Time.
    pub deviation: i16,
    /// Daylight saving is in force.
    pub daylight_saving: bool,
    /// How far it can be trusted.
    pub quality: Quality,
}

impl LocalTime {
    /// What the clock says of itself.
    pub(crate) fn status(&self) -> ClockStatus {
        let quality = match self.quality {
            Quality::Valid => ClockStatus::GOOD,
            Quality::Doubtful => ClockStatus::DOUBTFUL_VALUE,
            Quality::Invalid => ClockStatus::INVALID_VALUE,
        };
        let saving = if self.daylight_saving { ClockStatus::DAYLIGHT_SAVING_ACTIVE } else { ClockStatus::GOOD };
        ClockStatus(quality.0 | saving.0)
    }

    /// Local time on the wire.
    pub(crate) fn date_time(&self) -> DateTime {
        let deviation = Deviation(self.deviation);
        DateTime { deviation, status: self.status(), ..self.civil.date_time(self.hundredths) }
    }
}

/// A setting of the clock that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The date does not exist, or lies before 2000 or after 2255.
    #[error("the clock shows 2000 to 2255, and days that exist")]
    Date,
    /// Clocks are set by this much only (s).
    #[error("a time is shifted by at most 900 s")]
    Shift,
    /// No such zone.
    #[error("a zone lies within 12 h of UTC (14 h to the east)")]
    Zone,
}

/// Minutes from local time to UTC, from the farthest east to the farthest west.
const ZONES: core::ops::RangeInclusive<i16> = -840..=720;

/// The clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Samples since 2000-01-01 00:00 UTC.
    now: u64,
    /// 1e-9 sample that the trim has not yet moved.
    residue: i64,
    /// Samples to take until the next whole ten seconds are shown.
    to_tick: u64,
    trim_ppb: i32,
    /// What must be added to standard time to come to UTC (minutes).
    zone: i16,
    daylight: DaylightSaving,
    quality: Quality,
    #[cfg(feature = "defects")]
    daylight_ignored: bool,
}

impl Clock {
    /// As it starts without supply before: the first second it can show, and not to be trusted.
    pub fn cold(zone: i16, daylight: DaylightSaving) -> Self {
        Self {
            now: 0,
            residue: 0,
            to_tick: PER_TICK,
            trim_ppb: 0,
            zone,
            daylight,
            quality: Quality::Invalid,
            #[cfg(feature = "defects")]
            daylight_ignored: false,
        }
    }

    /// Stays on standard time, whatever its rule says.
    #[cfg(feature = "defects")]
    pub(crate) fn ignore_daylight_saving(&mut self, ignored: bool) {
        self.daylight_ignored = ignored;
    }

    /// Samples to take until the clock shows the next whole ten seconds, at least one: zones are whole minutes, so that every
    /// whole minute is one everywhere.
    pub fn samples_to_tick(&self) -> u64 {
        self.to_tick
    }

    /// Counts anew what is left of ten seconds.
    fn aim(&mut self) {
        let left = i128::from(PER_TICK - self.now % PER_TICK) * i128::from(BILLION) - i128::from(self.residue);
        let pace = i128::from((BILLION + i64::from(self.trim_ppb)).max(1));
        self.to_tick = u64::try_from((left + pace - 1) / pace).unwrap_or(1).max(1);
    }

    /// Goes on by so many samples.
    pub fn advance(&mut self, samples: u64) {
        self.now += samples;
        // Six days at once, at any trim.
        let moved = self.residue.saturating_add((samples as i64).saturating_mul(self.trim_ppb.into()));
        if !(0..BILLION).contains(&moved) {
            self.now = self.now.saturating_add_signed(moved.div_euclid(BILLION));
        }
        self.residue = moved.rem_euclid(BILLION);
        match self.to_tick.checked_sub(samples) {
            Some(left) if left > 0 => self.to_tick = left,
            _ => self.aim(),
        }
    }

    /// What the clock shows so many samples later, or earlier.
    pub(crate) fn moved(&self, samples: i64) -> Self {
        Self { now: self.now.saturating_add_signed(samples), ..*self }
    }

    /// What the clock shows, or showed, at a time (s of UTC since 2000).
    pub(crate) fn showing(&self, utc: u64) -> Self {
        Self { now: utc.saturating_mul(PER_SECOND), ..*self }
    }

    /// Seconds of UTC since 2000.
    pub fn utc_seconds(&self) -> u64 {
        self.now / PER_SECOND
    }

    /// Seconds of standard time since 2000: what periods are cut by, so that daylight saving moves none.
    pub fn standard_seconds(&self) -> u64 {
        self.local_seconds(0)
    }

    fn local_seconds(&self, saving: i64) -> u64 {
        self.utc_seconds().saturating_add_signed(saving - 60 * i64::from(self.zone))
    }

    /// Seconds that daylight saving adds now.
    fn saving(&self) -> i64 {
        #[cfg(feature = "defects")]
        if self.daylight_ignored {
            return 0;
        }
        if !self.daylight.enabled {
            return 0;
        }
        let by = 60 * i64::from(self.daylight.deviation);
        let standard = self.standard_seconds();
        let year = Civil::from_seconds(standard).year;
        let (begin, end) = (self.daylight.begin.at(year), self.daylight.end.at(year).saturating_add_signed(-by));
        // South of the equator summer spans the turn of the year.
        let summer =
            if begin < end { standard >= begin && standard < end } else { standard >= begin || standard < end };
        if summer { by } else { 0 }
    }

    /// What the clock shows.
    pub fn local(&self) -> LocalTime {
        let saving = self.saving();
        LocalTime {
            civil: Civil::from_seconds(self.local_seconds(saving)),
            hundredths: (self.now % PER_SECOND * 100 / PER_SECOND) as u8,
            deviation: self.zone - (saving / 60) as i16,
            daylight_saving: saving != 0,
            quality: self.quality,
        }
    }

    /// Sets it to UTC (s since 2000); it can be trusted from now on.
    pub fn set_utc(&mut self, seconds: u64) -> Result<(), ClockError> {
        if Civil::from_seconds(seconds).seconds() != Some(seconds) {
            return Err(ClockError::Date);
        }
        (self.now, self.residue, self.quality) = (seconds * PER_SECOND, 0, Quality::Valid);
        self.aim();
        Ok(())
    }

    /// Sets it to a local time with the deviation that goes with it; without one, the deviation is the clock's own.
    pub fn set_local(&mut self, civil: Civil, deviation: Option<i16>) -> Result<(), ClockError> {
        let utc = self.utc_of(civil, deviation)?;
        let before = *self;
        self.set_utc(utc)?;
        // The hour that daylight saving leaves out.
        if deviation.is_none() && self.local().civil != civil {
            *self = before;
            return Err(ClockError::Date);
        }
        Ok(())
    }

    /// UTC (s since 2000) of a local time; of an hour that comes twice the first is meant, unless the deviation tells.
    pub fn utc_of(&self, civil: Civil, deviation: Option<i16>) -> Result<u64, ClockError> {
        if deviation.is_some_and(|minutes| !ZONES.contains(&minutes)) {
            return Err(ClockError::Zone);
        }
        let local = civil.seconds().ok_or(ClockError::Date)?;
        let minutes = i64::from(deviation.unwrap_or(self.zone));
        let utc = local.checked_add_signed(60 * minutes).ok_or(ClockError::Date)?;
        let summer = utc.saturating_add_signed(-60 * i64::from(self.daylight.deviation));
        let saved = deviation.is_none() && Self { now: summer * PER_SECOND, ..*self }.saving() != 0;
        Ok(if saved { summer } else { utc })
    }

    /// Moves it by at most a quarter of an hour (s).
    pub fn shift(&mut self, seconds: i16) -> Result<(), ClockError> {
        if !(-900..=900).contains(&seconds) {
            return Err(ClockError::Shift);
        }
        self.now = self.now.saturating_add_signed(i64::from(seconds) * PER_SECOND as i64);
        self.aim();
        Ok(())
    }

    /// The supply was gone for longer than a reserve lasted: the time stood still.
    pub fn doubt(&mut self) {
        if self.quality == Quality::Valid {
            self.quality = Quality::Doubtful;
        }
    }

    /// How far it can be trusted.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// What must be added to standard time to come to UTC (minutes).
    pub fn zone(&self) -> i16 {
        self.zone
    }

    /// Moves the meter on the map; the instant stays.
    pub fn set_zone(&mut self, minutes: i16) -> Result<(), ClockError> {
        if !ZONES.contains(&minutes) {
            return Err(ClockError::Zone);
        }
        self.zone = minutes;
        Ok(())
    }

    /// The rule of daylight saving.
    pub fn daylight_saving(&self) -> &DaylightSaving {
        &self.daylight
    }

    /// Another rule; the instant stays.
    pub fn set_daylight_saving(&mut self, rule: DaylightSaving) {
        self.daylight = rule;
    }

    /// How much faster the clock runs than its samples say (1e-9).
    pub fn set_trim_ppb(&mut self, ppb: i32) {
        self.trim_ppb = ppb;
        self.aim();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn central_europe() -> Clock {
        Clock::cold(-60, DaylightSaving::EUROPE)
    }

    fn at(year: u16, month: u8, day: u8, hour: u8, minute: u8) -> Civil {
        Civil { year, month, day, hour, minute, second: 0 }
    }

    fn set(clock: &mut Clock, utc: Civil) {
        clock.set_utc(utc.seconds().unwrap()).unwrap();
    }

    #[test]
    fn a_cold_clock_is_not_trusted_until_it_is_set() {
        let mut clock = central_europe();
        assert_eq!(clock.local().quality, Quality::Invalid);
        set(&mut clock, at(2026, 11, 21, 12, 0));
        assert_eq!((clock.local().civil, clock.local().quality), (at(2026, 11, 21, 13, 0), Quality::Valid));
        clock.doubt();
        assert_eq!(clock.quality(), Quality::Doubtful);
    }

    #[test]
    fn the_hours_of_both_transitions_are_those_of_the_law() {
        // 2026: 29 March and 25 October, both at 1:00 UTC.
        let mut clock = central_europe();
        for (before, after, utc, deviation) in [
            (at(2026, 3, 29, 1, 59), at(2026, 3, 29, 3, 0), at(2026, 3, 29, 0, 59), -120),
            (at(2026, 10, 25, 2, 59), at(2026, 10, 25, 2, 0), at(2026, 10, 25, 0, 59), -60),
        ] {
            set(&mut clock, utc);
            assert_eq!(clock.local().civil, before);
            clock.advance(60 * PER_SECOND);
            assert_eq!((clock.local().civil, clock.local().deviation), (after, deviation));
        }
    }

    #[test]
    fn a_day_of_transition_has_23_or_25_hours_and_no_period_is_moved() {
        for (day, hours) in [(at(2026, 3, 29, 0, 0), 23), (at(2026, 10, 25, 0, 0), 25), (at(2026, 7, 1, 0, 0), 24)] {
            let mut clock = central_europe();
            clock.set_local(day, None).unwrap();
            let (mut counted, mut standard) = (0, clock.standard_seconds());
            while clock.local().civil.day == day.day {
                clock.advance(3600 * PER_SECOND);
                counted += 1;
                assert_eq!(clock.standard_seconds(), standard + 3600);
                standard += 3600;
            }
            assert_eq!(counted, hours, "{day:?}");
        }
    }

    #[test]
    fn the_last_sunday_of_every_year_is_found() {
        for year in 2000..2255 {
            for rule in [DaylightSaving::EUROPE.begin, DaylightSaving::EUROPE.end] {
                let found = Civil::from_seconds(rule.at(year));
                assert_eq!((found.weekday(), found.month, found.hour), (7, rule.month, rule.hour));
                assert!(found.day > days_in_month(year, rule.month) - 7, "{found:?}");
            }
        }
    }

    #[test]
    fn south_of_the_equator_summer_spans_the_turn_of_the_year() {
        let first_sunday = |month| Transition { month, day: RuleDay::From(1), weekday: Some(7), hour: 2, minute: 0 };
        let (begin, end) = (first_sunday(10), Transition { hour: 3, ..first_sunday(4) });
        let mut clock = Clock::cold(-600, DaylightSaving { enabled: true, begin, end, deviation: 60 });
        for (month, saving) in [(1, true), (3, true), (5, false), (9, false), (11, true)] {
            set(&mut clock, at(2026, month, 15, 0, 0));
            assert_eq!(clock.local().daylight_saving, saving, "month {month}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_first_and_one_left_out_is_refused() {
        let mut clock = central_europe();
        clock.set_local(at(2026, 10, 25, 2, 30), None).unwrap();
        assert!(clock.local().daylight_saving);
        clock.set_local(at(2026, 10, 25, 2, 30), Some(-60)).unwrap();
        assert!(!clock.local().daylight_saving);
        let before = clock;
        assert_eq!(clock.set_local(at(2026, 3, 29, 2, 30), None), Err(ClockError::Date));
        assert_eq!(clock, before);
    }

    #[test]
    fn a_trim_moves_by_its_share_and_loses_nothing() {
        let mut clock = central_europe();
        set(&mut clock, at(2026, 1, 1, 0, 0));
        let begun = clock.utc_seconds();
        clock.set_trim_ppb(-5_000);
        for _ in 0..30 * 86_400 {
            clock.advance(PER_SECOND);
        }
        // 5 ppm of 30 days are 12.96 s.
        assert_eq!(clock.now, (begun + 30 * 86_400) * PER_SECOND - 103_680);
    }

    #[test]
    fn a_tick_is_met_to_the_sample_however_the_way_is_cut() {
        for trim in [0, -5_000, 7_300, 90_000_000] {
            let mut clock = central_europe();
            clock.set_trim_ppb(trim);
            clock.shift(37).unwrap();
            for cut in [1, 7, 1000, u64::MAX] {
                let mut left = clock.samples_to_tick();
                let mut before = clock;
                before.advance(left - 1);
                assert_ne!(before.utc_seconds() % TICK, 0, "trim {trim}");
                while left > 0 {
                    assert_eq!(clock.samples_to_tick(), left);
                    clock.advance(left.min(cut));
                    left -= left.min(cut);
                }
                assert_eq!((clock.utc_seconds() % TICK, clock.local().hundredths), (0, 0), "trim {trim}");
            }
        }
    }

    #[test]
    fn settings_beyond_reason_are_refused() {
        let mut clock = central_europe();
        assert_eq!(clock.shift(901), Err(ClockError::Shift));
        assert_eq!(clock.set_zone(721), Err(ClockError::Zone));
        assert_eq!(clock.set_utc(u64::MAX), Err(ClockError::Date));
        assert_eq!(clock.set_local(at(2026, 2, 30, 0, 0), None), Err(ClockError::Date));
        assert_eq!(clock.shift(-900), Ok(()));
    }
}
