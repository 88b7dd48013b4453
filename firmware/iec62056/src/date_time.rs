//! Date and time as the meter says them: every field may be a wildcard, the deviation runs from local time to UTC.
//! Source: IEC 62056-6-2, formats for date and time notation.

use core::fmt;

use crate::octets::{DecodeError, DecodeErrorKind, Reader};

/// A field that is not specified.
pub const NOT_SPECIFIED: u8 = 0xFF;

/// Year, month and days; all octets as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Date {
    /// The year; FFFFh not specified.
    pub year: u16,
    /// The month, 1 to 12; FDh daylight saving ends, FEh it begins, FFh not specified.
    pub month: u8,
    /// The day, 1 to 31; FDh the second last of the month, FEh the last, FFh not specified.
    pub day_of_month: u8,
    /// 1 Monday to 7 Sunday; FFh not specified.
    pub day_of_week: u8,
}

/// Hour to hundredths; all octets as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    /// 0 to 23; FFh not specified.
    pub hour: u8,
    /// 0 to 59; FFh not specified.
    pub minute: u8,
    /// 0 to 59; FFh not specified.
    pub second: u8,
    /// 0 to 99; FFh not specified.
    pub hundredths: u8,
}

/// Minutes from local time to UTC: −60 in Central European winter. 8000h: not specified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deviation(pub i16);

/// How far the clock is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClockStatus(pub u8);

/// Date, time, deviation and status: twelve octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// The time of day.
    pub time: Time,
    /// From local time to UTC.
    pub deviation: Deviation,
    /// The clock's opinion of itself.
    pub status: ClockStatus,
}

impl Deviation {
    /// Not specified.
    pub const NOT_SPECIFIED: Self = Self(i16::MIN);

    /// Minutes to add to local time to get UTC.
    pub fn minutes(self) -> Option<i16> {
        (self != Self::NOT_SPECIFIED).then_some(self.0)
    }
}

impl ClockStatus {
    /// Nothing to say against the clock.
    pub const GOOD: Self = Self(0);
    /// Not specified.
    pub const NOT_SPECIFIED: Self = Self(NOT_SPECIFIED);
    /// The time could not be recovered after an incident.
    pub const INVALID_VALUE: Self = Self(1);
    /// The time was recovered, its value is not certain.
    pub const DOUBTFUL_VALUE: Self = Self(1 << 1);
    /// Another source of time than the configured one.
    pub const DIFFERENT_CLOCK_BASE: Self = Self(1 << 2);
    /// This status itself is not to be believed.
    pub const INVALID_CLOCK_STATUS: Self = Self(1 << 3);
    /// Daylight saving is active, and in the deviation.
    pub const DAYLIGHT_SAVING_ACTIVE: Self = Self(1 << 7);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Days from 1970-01-01 to this day of the Gregorian calendar.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last; an era of 400 years has 146 097 days.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Days of a month of a year of the Gregorian calendar.
pub const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// Octets on the wire.
    pub const LENGTH: usize = 5;
    /// Every field a wildcard.
    pub const NOT_SPECIFIED: Self = Self { year: 0xFFFF, month: 0xFF, day_of_month: 0xFF, day_of_week: 0xFF };

    /// The octets as they stand; nothing is refused.
    #[inline]
    pub const fn from_octets([y1, y2, month, day_of_month, day_of_week]: [u8; 5]) -> Self {
        Self { year: u16::from_be_bytes([y1, y2]), month, day_of_month, day_of_week }
    }

    /// The octets on the wire.
    #[inline]
    pub const fn to_octets(self) -> [u8; 5] {
        let [y1, y2] = self.year.to_be_bytes();
        [y1, y2, self.month, self.day_of_month, self.day_of_week]
    }

    /// Whether every field is one of the allowed values or wildcards, and the day exists.
    pub fn is_valid(self) -> bool {
        let days = if self.year == 0xFFFF && self.month == 2 { 29 } else { days_in_month(self.year, self.month) };
        matches!(self.month, 1..=12 | 0xFD..=0xFF)
            && (matches!(self.day_of_month, 0xFD..=0xFF) || (1..=days).contains(&self.day_of_month))
            && matches!(self.day_of_week, 1..=7 | NOT_SPECIFIED)
    }

    /// Days since 1970-01-01, when year, month and day are all given.
    pub fn days_since_1970(self) -> Option<i64> {
        let given = self.year != 0xFFFF && self.month <= 12 && self.day_of_month <= 31 && self.is_valid();
        given.then(|| days_since_1970(self.year.into(), self.month.into(), self.day_of_month.into()))
    }

    /// The day so many days after 1970-01-01; `None` outside the years 0 to 65534.
    pub fn from_days_since_1970(days: i64) -> Option<Self> {
        let shifted = days.checked_add(719_468)?;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year =
            u16::try_from(year_of_era + era * 400 + i64::from(month <= 2)).ok().filter(|year| *year != 0xFFFF)?;
        // 1970-01-01 was a Thursday.
        let day_of_week = (days + 3).rem_euclid(7) + 1;
        Some(Self { year, month: month as u8, day_of_month: day_of_month as u8, day_of_week: day_of_week as u8 })
    }
}

impl Time {
    /// Octets on the wire.
    pub const LENGTH: usize = 4;
    /// Every field a wildcard.
    pub const NOT_SPECIFIED: Self = Self { hour: 0xFF, minute: 0xFF, second: 0xFF, hundredths: 0xFF };

    /// The octets as they stand; nothing is refused.
    #[inline]
    pub const fn from_octets([hour, minute, second, hundredths]: [u8; 4]) -> Self {
        Self { hour, minute, second, hundredths }
    }

    /// The octets on the wire.
    #[inline]
    pub const fn to_octets(self) -> [u8; 4] {
        [self.hour, self.minute, self.second, self.hundredths]
    }

    /// Whether every field is in its range or a wildcard.
    pub fn is_valid(self) -> bool {
        matches!(self.hour, 0..=23 | NOT_SPECIFIED)
            && matches!(self.minute, 0..=59 | NOT_SPECIFIED)
            && matches!(self.second, 0..=59 | NOT_SPECIFIED)
            && matches!(self.hundredths, 0..=99 | NOT_SPECIFIED)
    }

    /// Hundredths of a second since midnight; a second or hundredth that is not specified counts as zero.
    pub fn hundredths_since_midnight(self) -> Option<u32> {
        let or_zero = |field: u8| if field == NOT_SPECIFIED { 0 } else { u32::from(field) };
        let given = self.is_valid() && self.hour != NOT_SPECIFIED && self.minute != NOT_SPECIFIED;
        let seconds = u32::from(self.hour) * 3600 + u32::from(self.minute) * 60 + or_zero(self.second);
        given.then(|| seconds * 100 + or_zero(self.hundredths))
    }
}

impl DateTime {
    /// Octets on the wire.
    pub const LENGTH: usize = 12;
    /// Nothing specified.
    pub const NOT_SPECIFIED: Self = Self {
        date: Date::NOT_SPECIFIED,
        time: Time::NOT_SPECIFIED,
        deviation: Deviation::NOT_SPECIFIED,
        status: ClockStatus::NOT_SPECIFIED,
    };

    /// The octets as they stand; nothing is refused, so that everything survives a round trip.
    #[inline]
    pub const fn from_octets(octets: [u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, status] = octets;
        Self {
            date: Date::from_octets([a, b, c, d, e]),
            time: Time::from_octets([f, g, h, i]),
            deviation: Deviation(i16::from_be_bytes([j, k])),
            status: ClockStatus(status),
        }
    }

    /// The octets on the wire.
    #[inline]
    pub const fn to_octets(self) -> [u8; 12] {
        let [a, b, c, d, e] = self.date.to_octets();
        let [f, g, h, i] = self.time.to_octets();
        let [j, k] = self.deviation.0.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, self.status.0]
    }

    /// From the content of an octet string.
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self::from_octets)
    }

    /// Whether every field is in its range or a wildcard; the deviation within ±720 minutes.
    pub fn is_valid(self) -> bool {
        self.date.is_valid()
            && self.time.is_valid()
            && self.deviation.minutes().is_none_or(|minutes| (-720..=720).contains(&minutes))
    }

    /// Hundredths of a second since 1970-01-01 UTC, when day, hour, minute and deviation are given.
    pub fn hundredths_since_1970(self) -> Option<i64> {
        let days = self.date.days_since_1970()?;
        let time = i64::from(self.time.hundredths_since_midnight()?);
        let deviation = i64::from(self.deviation.minutes()?);
        Some(days * 8_640_000 + time + deviation * 6000)
    }

    /// The local time of this instant. Hundredths are always given, the day of the week too.
    pub fn from_hundredths_since_1970(instant: i64, deviation: Deviation, status: ClockStatus) -> Option<Self> {
        let local = instant.checked_sub(i64::from(deviation.minutes()?) * 6000)?;
        let of_day = local.rem_euclid(8_640_000);
        let time = Time {
            hour: (of_day / 360_000) as u8,
            minute: (of_day / 6000 % 60) as u8,
            second: (of_day / 100 % 60) as u8,
            hundredths: (of_day % 100) as u8,
        };
        Some(Self { date: Date::from_days_since_1970(local.div_euclid(8_640_000))?, time, deviation, status })
    }

    /// An octet string of none or twelve octets, as the services carry it.
    pub(crate) fn decode_optional(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let octets = reader.octet_string()?;
        match Self::from_slice(octets) {
            None if octets.is_empty() => Ok(None),
            None => Err(reader.error_behind(DecodeErrorKind::Value)),
            date_time => Ok(date_time),
        }
    }
}

impl fmt::Display for DateTime {
    /// `2020-01-06 00:03:00.00 -060`, the last number being minutes to UTC; `*` for what is not specified.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = |formatter: &mut fmt::Formatter<'_>, value: u8, before: &str| match value {
            NOT_SPECIFIED => write!(formatter, "{before}*"),
            value => write!(formatter, "{before}{value:02}"),
        };
        match self.date.year {
            0xFFFF => formatter.write_str("*")?,
            year => write!(formatter, "{year:04}")?,
        }
        field(formatter, self.date.month, "-")?;
        field(formatter, self.date.day_of_month, "-")?;
        field(formatter, self.time.hour, " ")?;
        field(formatter, self.time.minute, ":")?;
        field(formatter, self.time.second, ":")?;
        field(formatter, self.time.hundredths, ".")?;
        match self.deviation.minutes() {
            Some(minutes) => write!(formatter, " {minutes:+04}"),
            None => formatter.write_str(" *"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_day_of_eight_centuries_comes_back() {
        for days in -146_097..146_097 {
            let date = Date::from_days_since_1970(days).unwrap();
            assert!(date.is_valid(), "{date:?}");
            assert_eq!(date.days_since_1970(), Some(days));
        }
        assert_eq!(Date::from_days_since_1970(0).unwrap().to_octets(), [0x07, 0xB2, 1, 1, 4]);
        assert_eq!(Date::from_days_since_1970(i64::MAX), None);
    }

    #[test]
    fn an_instant_survives_its_local_time() {
        for (instant, minutes) in [(0, 0), (157_784_220_042, -60), (-1, 720), (410_244_480_099, -720)] {
            let local = DateTime::from_hundredths_since_1970(instant, Deviation(minutes), ClockStatus::GOOD).unwrap();
            assert!(local.is_valid());
            assert_eq!(local.hundredths_since_1970(), Some(instant));
        }
    }

    #[test]
    fn wildcards_are_valid_and_name_no_instant() {
        assert!(DateTime::NOT_SPECIFIED.is_valid());
        assert_eq!(DateTime::NOT_SPECIFIED.hundredths_since_1970(), None);
        assert_eq!(DateTime::NOT_SPECIFIED.to_string(), "*-*-* *:*:*.* *");
        let last_sunday = Date { year: 0xFFFF, month: 0xFE, day_of_month: 0xFE, day_of_week: 7 };
        assert!(last_sunday.is_valid() && last_sunday.days_since_1970().is_none());
        assert!(!Date { year: 2023, month: 2, day_of_month: 29, day_of_week: 0xFF }.is_valid());
    }

    #[test]
    fn all_octets_survive() {
        for value in 0..=u8::MAX {
            assert_eq!(DateTime::from_octets([value; 12]).to_octets(), [value; 12]);
        }
    }
}
