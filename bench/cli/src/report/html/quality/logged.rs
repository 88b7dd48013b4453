//! Rows of the logs of the meters, as the measurements of a step keep them.

use meterbench_record::{Measurement, PositionInfo, Record};
use serde_json::Value;

/// Code of the first kind of event.
pub(super) const FIRST_CODE: u8 = 128;

/// Words, and the unit and the digits of the extreme, by kind.
const KINDS: [(&str, &str, f64); 11] = [
    ("voltage dip", "%", 100.0),
    ("voltage swell", "%", 100.0),
    ("interruption", "%", 100.0),
    ("undervoltage", "%", 100.0),
    ("overvoltage", "%", 100.0),
    ("frequency", "Hz", 1000.0),
    ("rapid voltage change", "%", 100.0),
    ("unbalance", "%", 100.0),
    ("THDU", "%", 100.0),
    ("lost neutral", "%", 100.0),
    ("lost MV phase", "%", 100.0),
];

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Logged {
    pub(super) step: u32,
    pub(super) position: u32,
    pub(super) attempt: u32,
    /// By the clock of the meter, as it wrote it.
    pub(super) begin: String,
    /// The same in bench time.
    pub(super) begin_ns: u64,
    pub(super) code: u8,
    pub(super) phases: String,
    pub(super) duration_ms: f64,
    /// In the unit of its kind.
    pub(super) extreme: f64,
}

impl Logged {
    fn read(m: &Measurement, row: &Value) -> Option<Self> {
        let code = u8::try_from(row["code"].as_u64()?).ok()?;
        let digits = kind(code).map_or(1.0, |(_, _, digits)| digits);
        Some(Self {
            step: m.step,
            position: m.position,
            attempt: m.attempt,
            begin: row["begin"].as_str().unwrap_or_default().to_owned(),
            begin_ns: row["begin_ns"].as_u64()?,
            code,
            phases: row["phases"].as_str().unwrap_or_default().to_owned(),
            duration_ms: row["duration_ms"].as_f64()?,
            extreme: row["extreme"].as_f64()? / digits,
        })
    }

    /// Dip, swell or interruption: it has a voltage and a time.
    pub(super) fn is_voltage_event(&self) -> bool {
        (FIRST_CODE..FIRST_CODE + 3).contains(&self.code)
    }

    /// `voltage dip`
    pub(super) fn kind(&self) -> String {
        kind(self.code).map_or_else(|| format!("code {}", self.code), |(words, ..)| words.to_owned())
    }

    /// `40.03 %`
    pub(super) fn extreme_words(&self) -> String {
        match kind(self.code) {
            Some((_, "Hz", _)) => format!("{:.3} Hz", self.extreme),
            Some((_, unit, _)) => format!("{:.2} {unit}", self.extreme),
            None => self.extreme.to_string(),
        }
    }

    /// `meter 1001 logged unbalance on L123, 600000 ms, 2.10 %`
    pub(super) fn short_words(&self, tested: &[&PositionInfo]) -> String {
        let by = meter(self.position, tested);
        let (kind, extreme) = (self.kind(), self.extreme_words());
        format!("{by} logged {kind} on {}, {:.0} ms, {extreme}", self.phases, self.duration_ms)
    }

    /// All of it.
    pub(super) fn words(&self, tested: &[&PositionInfo]) -> String {
        format!(
            "step {}, {}: {} at {} on {}, {:.0} ms, {}",
            self.step,
            meter(self.position, tested),
            self.kind(),
            self.begin,
            self.phases,
            self.duration_ms,
            self.extreme_words()
        )
    }
}

fn kind(code: u8) -> Option<(&'static str, &'static str, f64)> {
    KINDS.get(usize::from(code.checked_sub(FIRST_CODE)?)).copied()
}

/// `meter 1001`
pub(super) fn meter(position: u32, tested: &[&PositionInfo]) -> String {
    let serial = tested.iter().find(|info| info.id == position).map_or("", |info| info.serial.as_str());
    format!("meter {serial}")
}

/// Every row once, by begin: several measurements of a step keep the same rows.
pub(super) fn logged(record: &Record) -> Vec<Logged> {
    let mut rows: Vec<Logged> = Vec::new();
    for m in &record.measurements {
        let Some(Value::Array(events)) = m.raw.get("events") else { continue };
        for row in events.iter().filter_map(|row| Logged::read(m, row)) {
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows.sort_by_key(|row| (row.begin_ns, row.position, row.code));
    rows
}
