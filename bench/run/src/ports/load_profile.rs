//! The load profile: after a time at a load that stands, it has a row for every period, in step with the registers.

use std::time::Duration;

use meterbench_iec62056::apdu::{AttributeDescriptor, CaptureObject, RangeDescriptor, SelectiveAccess};
use meterbench_iec62056::data::{Data, EncodedData, Sequence};
use meterbench_iec62056::date_time::{ClockStatus, DateTime, Deviation};
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
/// The bits, for who reads a verdict.
const STATUS_BITS: &str =
    "0x02 clock never set, 0x04 clock may have stood still, 0x20 clock set within the period, 0x80 supply failed";
/// General blocks that are taken at once.
const GENERAL_WINDOW: u8 = 7;
/// Increments of a load that stands agree within this, and a digit [%].
const EVEN_PERCENT: f64 = 1.0;

/// Places of the columns that are looked at.
struct Columns {
    status: Option<usize>,
    energies: Vec<(usize, CaptureObject)>,
}

/// A row: UTC (1/100 s since 1970), status, energies in the order of the columns.
struct Row {
    at: i64,
    status: Option<i128>,
    energies: Vec<Option<i128>>,
}

/// UTC of the meter (1/100 s since 1970), bench time and registers at one end.
struct End {
    utc: i64,
    at: Instant,
    registers: Vec<i128>,
}

impl Talk<'_> {
    /// With the rows in general blocks, or in those of GET.
    pub(super) async fn load_profile(&mut self, role: &str, seconds: f64, general: bool) -> Result<(), PortError> {
        self.port.ask_for_general_blocks(general.then_some(GENERAL_WINDOW));
        let done = self.look_at_load_profile(role, seconds, general).await;
        self.port.ask_for_general_blocks(None);
        done
    }

    async fn look_at_load_profile(&mut self, role: &str, seconds: f64, general: bool) -> Result<(), PortError> {
        self.associate(role).await?;
        if general {
            let agreed = self.port.speaks_in_general_blocks();
            let found = if agreed { "agreed on" } else { "not agreed on" };
            self.find(Finding::met("general block transfer", "conformance", agreed, found, "agreed on", None));
        }
        let began = Instant::now();
        let period = self.profile_period().await?;
        let columns = self.profile_columns().await?;
        // The registers first: a row of this moment is not below them.
        let registers = self.registers(&columns).await?;
        let before = End { utc: self.utc().await?, at: Instant::now(), registers };
        self.port.close().await;
        sleep_until(began + Duration::from_secs_f64(seconds)).await;
        self.associate(role).await?;
        let (utc, at) = (self.utc().await?, Instant::now());
        let after = End { utc, at, registers: self.registers(&columns).await? };
        let rows = self.rows(before.utc, after.utc, &columns).await?;
        let hundredths = 100 * i64::from(period.max(1));
        // By bench time: a clock that stands makes no rows, and none are missed by it.
        let passed = (after.at - before.at).as_secs_f64();
        let end = before.utc + (100.0 * passed) as i64;
        let whole = |from: i64, to: i64| to.div_euclid(hundredths) - from.div_euclid(hundredths);
        let expected = whole(before.utc, end) as f64;
        let limit = plan_limit(Some(expected), Some(expected), "a row for every period");
        let value = Value::Integer(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let mut finding = Finding::figure("load profile", "rows", value, "1", limit);
        finding.raw.insert("period_s".into(), json!(period));
        finding.raw.insert("seconds".into(), json!(passed));
        let short = expected < 2.0;
        if short {
            finding.unsettled = true;
            finding.note = Some("fewer than two whole periods passed: a longer `for` is needed".to_owned());
        }
        self.find(finding);
        // The clock may stand beside bench time by a second: a period that ends there is in doubt by one row.
        let off = (after.utc - end).abs();
        let found = format!("{:.2} s off", off as f64 / 100.0);
        self.find(Finding::met("load profile", "clock", off <= 200, &found, "within 2 s of bench time", None));
        let stray = rows.iter().filter(|row| row.at.rem_euclid(hundredths) != 0).count();
        let found = if stray == 0 { "on the period".to_owned() } else { format!("{stray} rows beside it") };
        self.find(Finding::met("load profile", "times", stray == 0, &found, "on the period", None));
        let doubtful = rows.iter().find_map(|row| row.status.filter(|status| status & !DAYLIGHT_SAVING != 0));
        let found = doubtful.map_or("valid".to_owned(), |status| format!("status {status:#04x}"));
        let note =
            doubtful.map(|_| format!("the meter itself says that these rows are not to be trusted: {STATUS_BITS}"));
        let status = Finding::met("load profile", "status", doubtful.is_none(), &found, "valid", note);
        self.find(Finding { unsettled: doubtful.is_some(), ..status });
        let periods = passed / f64::from(period.max(1));
        for (place, column) in columns.energies.iter().enumerate() {
            let ends = (before.registers[place], after.registers[place]);
            let energy = energy_column(&column.1, place, &rows, ends, periods);
            self.find(Finding { unsettled: short || doubtful.is_some(), ..energy });
        }
        Ok(())
    }

    async fn profile_period(&mut self) -> Result<u32, PortError> {
        let value = self.profile(4, None).await?;
        let period = EncodedData::new(&value).ok().and_then(|value| value.value().integer());
        period.and_then(|period| u32::try_from(period).ok()).ok_or_else(|| self.port.protocol("no capture period"))
    }

    async fn profile_columns(&mut self) -> Result<Columns, PortError> {
        let octets = self.profile(3, None).await?;
        let read = |reader: &mut Reader<'_>| -> Result<Vec<CaptureObject>, DecodeError> {
            (0..reader.array_of()?).map(|_| CaptureObject::decode(reader)).collect()
        };
        let objects = read(&mut Reader::new(&octets));
        let objects =
            objects.map_err(|error| self.port.protocol(&format!("capture objects cannot be read: {error}")))?;
        let energies =
            objects.iter().copied().enumerate().filter(|(_, object)| object.class == 3 && object.name.d() == 8);
        let status = objects.iter().position(|object| object.class == 1 && object.name.c() == 96);
        if objects.first() != Some(&CLOCK) {
            return Err(self.port.protocol("the load profile does not begin with the clock"));
        }
        Ok(Columns { status, energies: energies.collect() })
    }

    /// UTC of the meter's clock (1/100 s since 1970).
    async fn utc(&mut self) -> Result<i64, PortError> {
        let time = self.port.clock().await?;
        time.hundredths_since_1970().ok_or_else(|| self.port.protocol("the clock has no date"))
    }

    async fn registers(&mut self, columns: &Columns) -> Result<Vec<i128>, PortError> {
        let mut registers = Vec::new();
        for (_, column) in &columns.energies {
            registers.push(self.port.register(column.class, column.name).await?.digits);
        }
        Ok(registers)
    }

    /// Rows after a time, and up to another (1/100 s since 1970).
    async fn rows(&mut self, from: i64, to: i64, columns: &Columns) -> Result<Vec<Row>, PortError> {
        let (mut first, mut last, mut octets) = ([0; 16], [0; 16], [0; 128]);
        let octets_of = |utc: i64| {
            let time = DateTime::from_hundredths_since_1970(utc, Deviation(0), ClockStatus(0));
            time.map(DateTime::to_octets).unwrap_or_default()
        };
        // Both bounds are included.
        let (from, to) = (octets_of(from + 1), octets_of(to));
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
        let rows = rows_of(&mut Reader::new(&value), columns);
        rows.map_err(|error| self.port.protocol(&format!("the rows cannot be read: {error}")))
    }

    async fn profile(&mut self, attribute: i8, access: Option<SelectiveAccess<'_>>) -> Result<Vec<u8>, PortError> {
        let descriptor = AttributeDescriptor { class: 7, name: PROFILE, attribute };
        self.port.value(descriptor, access, &format!("the load profile, attribute {attribute}")).await
    }
}

/// Rows stand between the registers before and after, and grow as the register does.
fn energy_column(
    column: &CaptureObject,
    place: usize,
    rows: &[Row],
    (first, last): (i128, i128),
    periods: f64,
) -> Finding {
    let values: Vec<i128> = rows.iter().filter_map(|row| row.energies.get(place).copied().flatten()).collect();
    let course = || std::iter::once(first).chain(values.iter().copied()).chain([last]);
    let ordered = course().zip(course().skip(1)).all(|(one, next)| one <= next) && values.len() == rows.len();
    let steps: Vec<f64> = values.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    // What the register gains in a period of a load that stands.
    let gain = (last - first) as f64 / periods.max(1e-9);
    let even = steps.iter().all(|step| (step - gain).abs() <= 2.0 + gain * EVEN_PERCENT / 100.0);
    let found = match (ordered, even) {
        _ if values.is_empty() => "no rows",
        (true, true) => "in step with the register",
        (false, _) => "not between the register before and after",
        (true, false) => "periods of a load that stands differ from the register's gain",
    };
    let note = format!("register {first} to {last}, rows {values:?}");
    let note = (note.len() < 400).then_some(note);
    let subject = format!("load profile, {}", column.name);
    let met = ordered && even && !values.is_empty();
    Finding::met(&subject, "energy", met, found, "in step with the register", note)
}

fn rows_of(reader: &mut Reader<'_>, columns: &Columns) -> Result<Vec<Row>, DecodeError> {
    let mut rows = Vec::new();
    for _ in 0..reader.array_of()? {
        let Data::Structure(fields) = reader.data()? else { continue };
        let fields: Vec<Data<'_>> = fields.iter().collect();
        let at = fields.first().and_then(Data::date_time).and_then(DateTime::hundredths_since_1970);
        let integer = |place: usize| fields.get(place).and_then(Data::integer);
        rows.push(Row {
            at: at.unwrap_or(-1),
            status: columns.status.and_then(integer),
            energies: columns.energies.iter().map(|(place, _)| integer(*place)).collect(),
        });
    }
    Ok(rows)
}
