//! The load profile: after a time at a load that stands, it has a row for every period, in step with the registers.

use std::time::Duration;

use meterbench_iec62056::apdu::{AttributeDescriptor, CaptureObject, RangeDescriptor, SelectiveAccess};
use meterbench_iec62056::data::{Data, EncodedData, Sequence};
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Reader, Writer};
use meterbench_instruments::PortError;
use meterbench_record::Value;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::{Finding, Talk, plan_limit};

const PROFILE: Obis = Obis([1, 0, 99, 1, 0, 255]);
const CLOCK: CaptureObject = CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 };
/// Bit of the status that says daylight saving; every other bit says that a row is not to be trusted.
const DAYLIGHT_SAVING: i128 = 0x08;
/// Increments of a load that stands agree within this, and a digit [%].
const EVEN_PERCENT: f64 = 1.0;

/// A row: UTC (1/100 s since 1970), status, energies in the order of the columns.
struct Row {
    at: i64,
    status: Option<i128>,
    energies: Vec<i128>,
}

/// Time and registers at one end.
struct End {
    time: DateTime,
    registers: Vec<i128>,
}

impl Talk<'_> {
    pub(super) async fn load_profile(&mut self, role: &str, seconds: f64) -> Result<(), PortError> {
        self.associate(role).await?;
        let began = Instant::now();
        let period = self.profile_period().await?;
        let columns = self.profile_columns().await?;
        let before = self.end(&columns).await?;
        self.port.close().await;
        sleep_until(began + Duration::from_secs_f64(seconds)).await;
        self.associate(role).await?;
        let after = self.end(&columns).await?;
        let rows = self.rows(&before.time, &after.time).await?;
        let utc = |end: &End| end.time.hundredths_since_1970().unwrap_or(0);
        let hundredths = 100 * i64::from(period.max(1));
        let expected = (utc(&after).div_euclid(hundredths) - utc(&before).div_euclid(hundredths)) as f64;
        let limit = plan_limit(Some(expected), Some(expected), "a row for every period");
        let value = Value::Integer(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let mut finding = Finding::figure("load profile", "rows", value, "1", limit);
        finding.raw.insert("period_s".into(), json!(period));
        finding.raw.insert("from".into(), json!(before.time.to_string()));
        finding.raw.insert("to".into(), json!(after.time.to_string()));
        self.find(finding);
        let stray = rows.iter().filter(|row| row.at.rem_euclid(hundredths) != 0).count();
        let found = if stray == 0 { "on the period".to_owned() } else { format!("{stray} rows beside it") };
        self.find(Finding::met("load profile", "times", stray == 0, &found, "on the period", None));
        let doubtful = rows.iter().find_map(|row| row.status.filter(|status| status & !DAYLIGHT_SAVING != 0));
        let found = doubtful.map_or("valid".to_owned(), |status| format!("status {status:#04x}"));
        self.find(Finding::met("load profile", "status", doubtful.is_none(), &found, "valid", None));
        for (place, column) in columns.iter().enumerate() {
            self.energy_column(column, place, &rows, (before.registers[place], after.registers[place]));
        }
        Ok(())
    }

    /// Rows stand between the registers before and after, and grow evenly.
    fn energy_column(&mut self, column: &CaptureObject, place: usize, rows: &[Row], (first, last): (i128, i128)) {
        let values: Vec<i128> = rows.iter().filter_map(|row| row.energies.get(place).copied()).collect();
        let course = || std::iter::once(first).chain(values.iter().copied()).chain([last]);
        let ordered = course().zip(course().skip(1)).all(|(one, next)| one <= next) && values.len() == rows.len();
        let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let mean = steps.iter().sum::<f64>() / steps.len().max(1) as f64;
        let even = steps.iter().all(|step| (step - mean).abs() <= 1.0 + mean * EVEN_PERCENT / 100.0);
        let found = match (ordered, even) {
            (true, true) => "in step with the register",
            (false, _) => "not between the register before and after",
            (true, false) => "periods of a load that stands differ",
        };
        let note = format!("register {first} to {last}, rows {values:?}");
        let note = (note.len() < 400).then_some(note);
        let subject = format!("load profile, {}", column.name);
        self.find(Finding::met(&subject, "energy", ordered && even, found, "in step with the register", note));
    }

    async fn profile_period(&mut self) -> Result<u32, PortError> {
        let value = self.profile(4, None).await?;
        let period = EncodedData::new(&value).ok().and_then(|value| value.value().integer());
        period.and_then(|period| u32::try_from(period).ok()).ok_or_else(|| self.port.protocol("no capture period"))
    }

    /// The columns of energies.
    async fn profile_columns(&mut self) -> Result<Vec<CaptureObject>, PortError> {
        let octets = self.profile(3, None).await?;
        let read = |reader: &mut Reader<'_>| -> Result<Vec<CaptureObject>, DecodeError> {
            (0..reader.array_of()?).map(|_| CaptureObject::decode(reader)).collect()
        };
        let columns = read(&mut Reader::new(&octets));
        let columns =
            columns.map_err(|error| self.port.protocol(&format!("capture objects cannot be read: {error}")))?;
        Ok(columns.into_iter().filter(|column| column.class == 3).collect())
    }

    async fn end(&mut self, columns: &[CaptureObject]) -> Result<End, PortError> {
        let time = self.port.clock().await?;
        let mut registers = Vec::new();
        for column in columns {
            registers.push(self.port.register(column.class, column.name).await?.digits);
        }
        Ok(End { time, registers })
    }

    /// Rows between two times.
    async fn rows(&mut self, from: &DateTime, to: &DateTime) -> Result<Vec<Row>, PortError> {
        let (mut first, mut last, mut octets) = ([0; 16], [0; 16], [0; 128]);
        let (from, to) = (from.to_octets(), to.to_octets());
        let bounds = EncodedData::encode_into(&Data::OctetString(&from), &mut first)
            .zip(EncodedData::encode_into(&Data::OctetString(&to), &mut last))
            .zip(Sequence::from_octets(0, &[]).ok());
        let Some(((from, to), selected_values)) = bounds else { return Ok(Vec::new()) };
        let mut writer = Writer::new(&mut octets);
        RangeDescriptor { restricting_object: CLOCK, from, to, selected_values }.encode(&mut writer);
        let length = writer.finish().unwrap_or(0);
        let access = EncodedData::new(&octets[..length]).ok();
        let access = access.map(|parameters| SelectiveAccess { selector: RangeDescriptor::SELECTOR, parameters });
        let value = self.profile(2, access).await?;
        let rows = rows_of(&mut Reader::new(&value));
        rows.map_err(|error| self.port.protocol(&format!("the rows cannot be read: {error}")))
    }

    async fn profile(&mut self, attribute: i8, access: Option<SelectiveAccess<'_>>) -> Result<Vec<u8>, PortError> {
        let descriptor = AttributeDescriptor { class: 7, name: PROFILE, attribute };
        self.port.value(descriptor, access, &format!("the load profile, attribute {attribute}")).await
    }
}

/// Clock first, then the status, then energies.
fn rows_of(reader: &mut Reader<'_>) -> Result<Vec<Row>, DecodeError> {
    let mut rows = Vec::new();
    for _ in 0..reader.array_of()? {
        let Data::Structure(fields) = reader.data()? else { continue };
        let mut fields = fields.iter();
        let at = fields.next().and_then(|field| field.date_time()).and_then(DateTime::hundredths_since_1970);
        let mut rest: Vec<i128> = fields.filter_map(|field| field.integer()).collect();
        let status = (!rest.is_empty()).then(|| rest.remove(0));
        rows.push(Row { at: at.unwrap_or(-1), status, energies: rest });
    }
    Ok(rows)
}
