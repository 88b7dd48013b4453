//! Days and seconds as people write them: the proleptic Gregorian calendar.

use meterbench_iec62056::date_time::{ClockStatus, Date, DateTime, Deviation, Time, days_in_month};

/// A date and a time of day, without a place on Earth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// Year, 2000 to 2255.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

/// Seconds of a day.
pub const DAY: u64 = 86_400;
const FIRST_YEAR: u16 = 2000;
const LAST_YEAR: u16 = 2255;

impl Civil {
    /// When counting begins: 2000-01-01 00:00.
    pub const EPOCH: Self = Self { year: FIRST_YEAR, month: 1, day: 1, hour: 0, minute: 0, second: 0 };

    /// From the seconds since [`Self::EPOCH`]; the end of the last year where they lie beyond it.
    pub fn from_seconds(seconds: u64) -> Self {
        let seconds =
            seconds.min(Self { year: LAST_YEAR, month: 12, day: 31, hour: 23, minute: 59, second: 59 }.count());
        let (mut days, rest) = ((seconds / DAY) as u32, seconds % DAY);
        let mut year = FIRST_YEAR;
        while days >= days_of_year(year) {
            days -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while days >= u32::from(days_in_month(year, month)) {
            days -= u32::from(days_in_month(year, month));
            month += 1;
        }
        let (hour, minute, second) = ((rest / 3600) as u8, (rest / 60 % 60) as u8, (rest % 60) as u8);
        Self { year, month, day: days as u8 + 1, hour, minute, second }
    }

    /// Seconds since [`Self::EPOCH`]; `None` for a date or time that does not exist.
    pub fn seconds(&self) -> Option<u64> {
        let exists = (FIRST_YEAR..=LAST_YEAR).contains(&self.year)
            && (1..=12).contains(&self.month)
            && self.day >= 1
            && self.day <= days_in_month(self.year, self.month)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60;
        exists.then(|| self.count())
    }

    fn count(&self) -> u64 {
        let years: u32 = (FIRST_YEAR..self.year).map(days_of_year).sum();
        let months: u32 = (1..self.month).map(|month| u32::from(days_in_month(self.year, month))).sum();
        let days = u64::from(years + months) + u64::from(self.day) - 1;
        days * DAY + u64::from(self.hour) * 3600 + u64::from(self.minute) * 60 + u64::from(self.second)
    }

    /// On the wire, of an unknown place.
    pub(crate) fn date_time(&self, hundredths: u8) -> DateTime {
        let Self { year, month, day, hour, minute, second } = *self;
        DateTime {
            date: Date { year, month, day_of_month: day, day_of_week: self.weekday() },
            time: Time { hour, minute, second, hundredths },
            deviation: Deviation::NOT_SPECIFIED,
            status: ClockStatus::GOOD,
        }
    }

    /// Day of the week, 1 for Monday to 7 for Sunday.
    pub fn weekday(&self) -> u8 {
        // 2000-01-01 was a Saturday.
        ((self.count() / DAY + 5) % 7) as u8 + 1
    }
}

fn days_of_year(year: u16) -> u32 {
    337 + u32::from(days_in_month(year, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_the_next_of_the_one_before() {
        let mut before = Civil::EPOCH;
        assert_eq!((before.seconds(), before.weekday()), (Some(0), 6));
        for day in 1..93_000 {
            let today = Civil::from_seconds(day * DAY + 86_399);
            assert_eq!(today.seconds(), Some(day * DAY + 86_399));
            assert_eq!(today.weekday(), before.weekday() % 7 + 1);
            assert!(today > before);
            before = today;
        }
        assert_eq!(before.year, 2254);
    }

    #[test]
    fn known_days_fall_on_their_weekdays() {
        for (year, month, day, weekday) in [(2000, 2, 29, 2), (2026, 11, 21, 6), (2100, 3, 1, 1), (2024, 2, 29, 4)] {
            assert_eq!(Civil { year, month, day, ..Civil::EPOCH }.weekday(), weekday, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn what_does_not_exist_has_no_seconds() {
        for (year, month, day, hour) in
            [(2025, 2, 29, 0), (2026, 13, 1, 0), (2026, 0, 1, 0), (1999, 1, 1, 0), (2026, 1, 1, 24)]
        {
            assert_eq!(Civil { year, month, day, hour, minute: 0, second: 0 }.seconds(), None);
        }
        assert_eq!(Civil::from_seconds(u64::MAX).year, 2255);
    }
}
