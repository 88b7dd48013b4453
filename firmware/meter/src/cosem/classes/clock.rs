//! Class 8, clock: local time with its deviation and quality, the zone, daylight saving.

use meterbench_iec62056::apdu::{ActionResult, DataAccessResult};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::date_time::{ClockStatus, Date, DateTime, Deviation, NOT_SPECIFIED, Time};
use meterbench_iec62056::octets::{Reader, Writer};

use crate::clock::{Civil, Clock, DaylightSaving, RuleDay, Transition};

pub(super) fn get(clock: &Clock, attribute: u8, out: &mut Writer<'_>) {
    let (now, saving) = (clock.local(), clock.daylight_saving());
    match attribute {
        2 => out.date_time_octets(now.date_time()),
        3 => out.long(clock.zone()),
        4 => out.unsigned(now.status().0),
        5 => out.date_time_octets(pattern(&saving.begin)),
        6 => out.date_time_octets(pattern(&saving.end)),
        7 => out.integer(saving.deviation),
        8 => out.boolean(saving.enabled),
        // Its own crystal.
        _ => out.enumeration(1),
    }
}

pub(super) fn set(clock: &mut Clock, attribute: u8, value: EncodedData<'_>) -> DataAccessResult {
    let reader = &mut Reader::new(value.octets());
    let saving = *clock.daylight_saving();
    let done = match attribute {
        2 => reader.date_time().ok().and_then(|time| set_time(clock, &time)),
        3 => reader.long().ok().and_then(|zone| clock.set_zone(zone).ok()),
        5 | 6 => reader.date_time().ok().and_then(|rule| transition(&rule)).map(|rule| {
            let (begin, end) = if attribute == 5 { (rule, saving.end) } else { (saving.begin, rule) };
            clock.set_daylight_saving(DaylightSaving { begin, end, ..saving });
        }),
        7 => reader.integer().ok().filter(|minutes| (-120..=120).contains(minutes)).map(|deviation| {
            clock.set_daylight_saving(DaylightSaving { deviation, ..saving });
        }),
        _ => reader.boolean().ok().map(|enabled| clock.set_daylight_saving(DaylightSaving { enabled, ..saving })),
    };
    done.map_or(DataAccessResult::TYPE_UNMATCHED, |()| DataAccessResult::SUCCESS)
}

/// Methods 1 and 3 go to the nearest quarter and minute, 6 shifts; the others are not supported.
pub(super) fn act(clock: &mut Clock, method: u8, parameter: Option<EncodedData<'_>>) -> ActionResult {
    // The parameter of what needs none is `integer 0`.
    let plain = parameter.is_some_and(|value| Reader::new(value.octets()).integer() == Ok(0));
    let done = match method {
        1 if plain => nearest(clock, 900),
        3 if plain => nearest(clock, 60),
        1 | 3 => None,
        6 => parameter
            .and_then(|value| Reader::new(value.octets()).long().ok())
            .and_then(|seconds| clock.shift(seconds).ok()),
        _ => return ActionResult::OBJECT_UNAVAILABLE,
    };
    done.map_or(ActionResult::TYPE_UNMATCHED, |()| ActionResult::SUCCESS)
}

/// Goes to the nearest multiple of so many seconds.
fn nearest(clock: &mut Clock, seconds: u64) -> Option<()> {
    let standard = clock.standard_seconds();
    let wanted = (standard + seconds / 2) / seconds * seconds;
    clock.shift((wanted as i64 - standard as i64) as i16).ok()
}

fn set_time(clock: &mut Clock, time: &DateTime) -> Option<()> {
    clock.set_local(civil(time)?, time.deviation.minutes()).ok()
}

/// Date and time of day, with zero for a second that is not given; `None` without the rest.
pub(super) fn civil(time: &DateTime) -> Option<Civil> {
    let DateTime { date: Date { year, month, day_of_month: day, .. }, time: Time { hour, minute, second, .. }, .. } =
        *time;
    let second = if second == NOT_SPECIFIED { 0 } else { second };
    let civil = Civil { year, month, day, hour, minute, second };
    civil.seconds().map(|_| civil)
}

const LAST: u8 = 0xFE;
const LAST_BUT_ONE: u8 = 0xFD;

/// A rule as a date and time with wildcards.
fn pattern(rule: &Transition) -> DateTime {
    let day_of_month = match rule.day {
        RuleDay::From(day) => day,
        RuleDay::Last => LAST,
        RuleDay::LastButOne => LAST_BUT_ONE,
    };
    let day_of_week = rule.weekday.unwrap_or(NOT_SPECIFIED);
    DateTime {
        date: Date { year: 0xFFFF, month: rule.month, day_of_month, day_of_week },
        time: Time { hour: rule.hour, minute: rule.minute, second: 0, hundredths: 0 },
        deviation: Deviation::NOT_SPECIFIED,
        status: ClockStatus(0),
    }
}

fn transition(rule: &DateTime) -> Option<Transition> {
    let (date, time) = (rule.date, rule.time);
    let day = match date.day_of_month {
        LAST => RuleDay::Last,
        LAST_BUT_ONE => RuleDay::LastButOne,
        day @ 1..=31 => RuleDay::From(day),
        _ => return None,
    };
    let weekday = match date.day_of_week {
        NOT_SPECIFIED => None,
        weekday @ 1..=7 => Some(weekday),
        _ => return None,
    };
    let fits = (1..=12).contains(&date.month) && time.hour < 24 && time.minute < 60;
    fits.then_some(Transition { month: date.month, day, weekday, hour: time.hour, minute: time.minute })
}
