//! Rows of the logs of power quality and grid events.

use meterbench_iec62056::data::Data;
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Reader;
use meterbench_plan::{Condition, EventKind};
use meterbench_record::Phases;
use serde_json::{Value, json};

/// The log of power quality events, and that of the grid.
pub(super) const QUALITY: Obis = Obis([0, 0, 99, 98, 4, 255]);
pub(super) const GRID: Obis = Obis([0, 0, 99, 98, 5, 255]);

/// A row, as the meter wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Begin by the clock of the meter.
    pub(super) begin: DateTime,
    pub(super) code: u8,
    /// Bit 0 for L1.
    pub(super) phases: u8,
    pub(super) duration_ms: u32,
    /// In the digits of its kind.
    pub(super) extreme: i32,
}

impl Row {
    /// `L1+L3`, or what else the bits say.
    pub(super) fn phases_words(&self) -> String {
        let on = [0, 1, 2].map(|n| self.phases & 1 << n != 0);
        match Phases::new(on) {
            Some(phases) if self.phases < 8 => phases.to_string(),
            _ => format!("phases {:#010b}", self.phases),
        }
    }

    /// For the record. `begin_ns`: bench time of the begin, by the clock of the meter.
    pub(super) fn json(&self, begin_ns: u64) -> Value {
        json!({
            "begin": self.begin.to_string(),
            "begin_ns": begin_ns,
            "code": self.code,
            "phases": self.phases_words(),
            "duration_ms": self.duration_ms,
            "extreme": self.extreme,
        })
    }
}

/// Reads the buffer of a log; none where a row has another form.
pub(super) fn rows(octets: &[u8]) -> Option<Vec<Row>> {
    let mut reader = Reader::new(octets);
    let mut rows = Vec::new();
    for _ in 0..reader.array_of().ok()? {
        let Data::Structure(fields) = reader.data().ok()? else { return None };
        let fields: Vec<Data<'_>> = fields.iter().collect();
        let integer = |place: usize| fields.get(place).and_then(Data::integer);
        rows.push(Row {
            begin: fields.first().and_then(Data::date_time)?,
            code: u8::try_from(integer(1)?).ok()?,
            phases: u8::try_from(integer(2)?).ok()?,
            duration_ms: u32::try_from(integer(3)?).ok()?,
            extreme: i32::try_from(integer(4)?).ok()?,
        });
    }
    reader.finish().ok().map(|()| rows)
}

/// Rows that were not there before: the oldest may have been pushed out meanwhile.
pub(super) fn new_rows<'a, T: PartialEq>(before: &[T], after: &'a [T]) -> &'a [T] {
    let kept = (0..=before.len()).map(|out| &before[out..]).find(|kept| after.starts_with(kept));
    &after[kept.map_or(0, <[T]>::len)..]
}

/// `3`, `at most 1`
pub(super) fn counted(count: Condition) -> String {
    match (count.low, count.high) {
        (Some(low), Some(high)) if low == high => format!("{low}"),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (None, Some(high)) => format!("at most {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, None) => "any number".to_owned(),
    }
}

/// The first rows in words.
pub(super) fn listed(rows: &[Row]) -> String {
    const MOST: usize = 5;
    let one = |row: &Row| {
        let kind = EventKind::ALL.into_iter().find(|kind| kind.code() == row.code);
        let (word, extreme) = match kind {
            Some(kind) => {
                (kind.word().to_owned(), format!("{} {}", f64::from(row.extreme) / kind.digits(), kind.unit()))
            }
            None => (format!("code {}", row.code), row.extreme.to_string()),
        };
        format!("{word} at {} on {} for {} ms, {extreme}", row.begin, row.phases_words(), row.duration_ms)
    };
    let mut words: Vec<String> = rows.iter().take(MOST).map(one).collect();
    if rows.len() > MOST {
        words.push(format!("{} more", rows.len() - MOST));
    }
    if words.is_empty() { "none".to_owned() } else { format!("{}: {}", rows.len(), words.join("; ")) }
}

#[cfg(test)]
mod tests {
    use meterbench_iec62056::date_time::{ClockStatus, Deviation};

    use super::*;

    fn row(code: u8) -> Row {
        let begin = DateTime::from_hundredths_since_1970(0, Deviation(0), ClockStatus(0)).unwrap();
        Row { begin, code, phases: 1, duration_ms: 0, extreme: 0 }
    }

    #[test]
    fn new_rows_are_those_behind_what_was_known() {
        let [a, b, c, d] = [128, 129, 130, 131].map(row);
        assert_eq!(new_rows(&[], &[a]), [a]);
        assert_eq!(new_rows(&[a, b], &[a, b]), []);
        assert_eq!(new_rows(&[a, b], &[a, b, c, d]), [c, d]);
        assert_eq!(new_rows(&[a, b], &[b, c]), [c], "the oldest was pushed out");
        assert_eq!(new_rows(&[a, b], &[c]), [c], "nothing is left of it");
        assert_eq!(new_rows(&[a, a], &[a, a, a]), [a]);
    }

    #[test]
    fn phases_are_bits() {
        assert_eq!(Row { phases: 5, ..row(1) }.phases_words(), "L1+L3");
        assert_eq!(Row { phases: 7, ..row(1) }.phases_words(), "L123");
        assert_eq!(Row { phases: 0, ..row(1) }.phases_words(), "phases 0b00000000");
        assert_eq!(Row { phases: 9, ..row(1) }.phases_words(), "phases 0b00001001");
    }
}
