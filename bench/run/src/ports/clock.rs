//! The clock: set, left alone for a time, and compared with bench time; daylight saving by the rule of the European Union.

use std::time::Duration;

use meterbench_iec62056::apdu::{AttributeDescriptor, DataAccessResult};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::date_time::{ClockStatus, DateTime, Deviation, NOT_SPECIFIED};
use meterbench_iec62056::obis::Obis;
use meterbench_instruments::{PortError, result_words};
use meterbench_plan::ClockTest;
use meterbench_record::Value;
use meterbench_standards::gum::Budget;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::{Finding, Talk, plan_limit};

const DAY: i64 = 86_400;

/// A reading of the clock: UTC (s since 1970) at a moment of bench time, and half of the time the reading took (s).
struct Reading {
    utc: f64,
    at: Instant,
    half_width: f64,
    shown: DateTime,
}

impl Talk<'_> {
    pub(super) async fn clock(&mut self, test: &ClockTest) -> Result<(), PortError> {
        self.associate("management").await?;
        let start = match test.set {
            Some(utc) => match self.set_clock(utc).await? {
                Some(start) => start,
                None => return Ok(()),
            },
            None => self.read_clock().await?,
        };
        self.port.close().await;
        sleep_until(start.at + Duration::from_secs_f64(test.seconds)).await;
        self.associate("management").await?;
        let zone = self.zone().await?;
        let now = self.read_clock().await?;
        let expected = start.utc + (now.at - start.at).as_secs_f64();
        let limit = plan_limit(Some(-test.limit), Some(test.limit), "deviation of the clock");
        let value = Value::Number(now.utc - expected);
        let mut finding = Finding::figure("clock", "clock-deviation", value, "s", limit);
        let digit = last_digit(&now.shown);
        finding.uncertainty = Some(
            Budget::default()
                .rectangular("reading: time it took", now.half_width + start.half_width)
                .rectangular("clock: last digit", 2.0 * digit)
                .combine(),
        );
        finding.raw.insert("shown".into(), json!(now.shown.to_string()));
        finding.raw.insert("seconds".into(), json!((now.at - start.at).as_secs_f64()));
        self.find(finding);
        self.daylight_saving(test, zone, expected, &now.shown);
        Ok(())
    }

    /// Local time is standard time, or an hour more; deviation and status say the same.
    fn daylight_saving(&mut self, test: &ClockTest, zone: i16, utc: f64, shown: &DateTime) {
        let saving = test.daylight_saving && is_summer(utc as i64);
        let expected = zone - if saving { 60 } else { 0 };
        let said = (shown.deviation.minutes(), shown.status.contains(ClockStatus::DAYLIGHT_SAVING_ACTIVE));
        let words = |deviation: Option<i16>, saving: bool| {
            let of = if saving { "daylight saving time" } else { "standard time" };
            deviation.map_or(format!("{of}, no deviation"), |minutes| format!("{of}, deviation {minutes} min"))
        };
        let met = said == (Some(expected), saving);
        let (found, wanted) = (words(said.0, said.1), words(Some(expected), saving));
        self.find(Finding::met("clock", "daylight-saving", met, &found, &wanted, Some(format!("shown {shown}"))));
    }

    /// Sets UTC; `None` where the meter does not take it, which was found then.
    async fn set_clock(&mut self, utc: i64) -> Result<Option<Reading>, PortError> {
        let time = DateTime::from_hundredths_since_1970(100 * utc, Deviation(0), ClockStatus(0));
        let time = time.map(DateTime::to_octets).unwrap_or_default();
        let mut octets = [0; 16];
        let value = EncodedData::encode_into(&Data::OctetString(&time), &mut octets);
        let value = value.map(|value| value.octets().to_vec()).unwrap_or_default();
        let began = Instant::now();
        let result = self.port.set(AttributeDescriptor { class: 8, name: Obis::CLOCK, attribute: 2 }, &value).await?;
        if result != DataAccessResult::SUCCESS {
            self.find(Finding::met("clock", "access", false, &result_words(result.0), "success", None));
            return Ok(None);
        }
        let half = began.elapsed() / 2;
        let reading = self.read_clock().await?;
        let valid = reading.shown.status.0 & (ClockStatus::INVALID_VALUE.0 | ClockStatus::DOUBTFUL_VALUE.0) == 0;
        let found = format!("status {:#04x}", reading.shown.status.0);
        self.find(Finding::met("clock", "quality", valid, &found, "valid", None));
        Ok(Some(Reading { utc: utc as f64, at: began + half, half_width: half.as_secs_f64(), ..reading }))
    }

    async fn read_clock(&mut self) -> Result<Reading, PortError> {
        let began = Instant::now();
        let shown = self.port.clock().await?;
        let half = began.elapsed() / 2;
        let at = shown.hundredths_since_1970().ok_or_else(|| self.port.protocol("the clock has no date"))?;
        // A clock without hundredths stands anywhere in its second.
        let utc = at as f64 / 100.0 + last_digit(&shown);
        Ok(Reading { utc, at: began + half, half_width: half.as_secs_f64(), shown })
    }

    /// Minutes from standard time to UTC.
    async fn zone(&mut self) -> Result<i16, PortError> {
        let zone = self.port.get(AttributeDescriptor { class: 8, name: Obis::CLOCK, attribute: 3 }).await?;
        let minutes = zone.ok().and_then(|value| EncodedData::new(&value).ok().and_then(|v| v.value().integer()));
        Ok(minutes.and_then(|minutes| i16::try_from(minutes).ok()).unwrap_or(0))
    }
}

/// Half of the last digit (s).
fn last_digit(shown: &DateTime) -> f64 {
    if shown.time.hundredths == NOT_SPECIFIED { 0.5 } else { 0.005 }
}

/// From the last Sunday of March to the last Sunday of October, each at 01:00 UTC (Directive 2000/84/EC).
fn is_summer(utc: i64) -> bool {
    let last_sunday = |year: i64, month: i64| {
        // Days of the civil calendar since 1970, of the last day of a month of 31 days.
        let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + 30 - 719_468;
        // 1970-01-01 was a Thursday.
        days - (days + 4).rem_euclid(7)
    };
    let year = 1970 + utc.div_euclid(DAY) * 400 / 146_097;
    // A year boundary may be off by one day: neither is near a change.
    let change = |month| last_sunday(year, month) * DAY + 3600;
    (change(3)..change(10)).contains(&utc)
}

#[cfg(test)]
mod tests {
    use super::is_summer;

    #[test]
    fn summer_begins_and_ends_on_last_sundays() {
        // 2026-03-29 01:00 UTC, 2026-10-25 01:00 UTC; 2027-03-28, 2000-10-29.
        for (change, to_summer) in
            [(1_774_746_000, true), (1_792_890_000, false), (1_806_195_600, true), (972_781_200, false)]
        {
            assert_eq!((is_summer(change - 1), is_summer(change)), (!to_summer, to_summer), "{change}");
        }
        assert!(!is_summer(1_767_225_600) && !is_summer(1_767_225_599), "the turn of the year");
    }
}
