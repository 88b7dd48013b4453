//! What every profile generic (class 7) does: its buffer is read whole, by a range of times, or by entries and columns.
//!
//! All rows of a buffer have one length, so a block of a long answer costs what its own rows cost, wherever they stand.

use core::ops::Range;

use meterbench_iec62056::apdu::{CaptureObject, DataAccessResult, EntryDescriptor, RangeDescriptor, SelectiveAccess};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::clock::civil;
use crate::clock::{Clock, ClockError};

/// The column of the time.
pub(super) const CLOCK: CaptureObject = CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 };
/// No column decides the order of rows.
pub(super) const UNSORTED: CaptureObject = CaptureObject { class: 0, name: Obis([0; 6]), attribute: 0, data_index: 0 };
/// Sort method: the oldest row goes first.
pub(super) const FIRST_IN_FIRST_OUT: u8 = 1;

/// Most columns of a table, and of an answer.
const MOST_COLUMNS: usize = 32;

/// A buffer: rows by number, fields of fixed length.
pub(super) trait Table {
    /// Columns.
    fn columns(&self) -> usize;
    /// What stands in a column.
    fn column(&self, place: usize) -> CaptureObject;
    /// Octets of a field of a column, its tag among them.
    fn width(&self, place: usize) -> usize;
    /// Numbers of the rows, the oldest first.
    fn rows(&self) -> Range<u32>;
    /// Rows from this number on stand in the order of their times.
    fn sorted_from(&self) -> u32;
    /// Time of a row (s of UTC since 2000).
    fn utc(&self, row: u32) -> Option<u64>;
    /// Writes the fields of a row; false where it has gone.
    fn put(&self, row: u32, columns: &Columns, out: &mut Writer<'_>) -> bool;
}

/// The columns of an answer, in its order.
pub(super) struct Columns {
    places: [u8; MOST_COLUMNS],
    count: usize,
}

impl Columns {
    fn of(range: Range<usize>) -> Self {
        let mut columns = Self { places: [0; MOST_COLUMNS], count: 0 };
        range.for_each(|place| columns.push(place));
        columns
    }

    fn push(&mut self, place: usize) {
        if let Some(free) = self.places.get_mut(self.count) {
            (*free, self.count) = (place as u8, self.count + 1);
        }
    }

    /// Places in the table.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.places.iter().take(self.count).map(|place| usize::from(*place))
    }
}

/// Every row with every column.
pub(super) fn whole(table: &impl Table, out: &mut Writer<'_>) {
    put(table, core::iter::once(table.rows()), &Columns::of(0..table.columns()), out);
}

/// What is captured.
pub(super) fn capture_objects(table: &impl Table, out: &mut Writer<'_>) {
    out.array(table.columns());
    (0..table.columns()).for_each(|place| table.column(place).encode(out));
}

/// The rows and columns that a selector asks for; nothing found is an empty array.
pub(super) fn in_part(
    table: &impl Table,
    clock: &Clock,
    access: SelectiveAccess<'_>,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    match access.selector {
        RangeDescriptor::SELECTOR => {
            let range = RangeDescriptor::decode(access.parameters).map_err(|_| DataAccessResult::TYPE_UNMATCHED)?;
            by_range(table, clock, &range, out)
        }
        EntryDescriptor::SELECTOR => {
            let entries = EntryDescriptor::decode(access.parameters).map_err(|_| DataAccessResult::TYPE_UNMATCHED)?;
            by_entry(table, &entries, out)
        }
        _ => Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED),
    }
}

fn by_range(
    table: &impl Table,
    clock: &Clock,
    range: &RangeDescriptor<'_>,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    // Times alone restrict.
    if range.restricting_object != CLOCK {
        return Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    }
    let bound = |value| utc(clock, value).ok_or(DataAccessResult::TYPE_UNMATCHED);
    let (from, to) = (bound(range.from)?, bound(range.to)?);
    let mut columns = Columns::of(0..0);
    for wanted in range.columns() {
        let place = (0..table.columns()).find(|place| table.column(*place) == wanted);
        columns.push(place.ok_or(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED)?);
    }
    if columns.count != range.selected_values.len() {
        return Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    }
    if columns.count == 0 {
        columns = Columns::of(0..table.columns());
    }
    let rows = table.rows();
    let sorted = table.sorted_from().clamp(rows.start, rows.end);
    let within = move |row: &u32| table.utc(*row).is_some_and(|utc| (from..=to).contains(&utc));
    let first = partition(sorted..rows.end, |row| table.utc(row).is_some_and(|utc| utc < from));
    let end = partition(sorted..rows.end, |row| table.utc(row).is_some_and(|utc| utc <= to));
    let before = (rows.start..sorted).filter(within).map(|row| row..row + 1);
    put(table, before.chain(core::iter::once(first..end.max(first))), &columns, out);
    Ok(())
}

fn by_entry(table: &impl Table, entries: &EntryDescriptor, out: &mut Writer<'_>) -> Result<(), DataAccessResult> {
    let rows = table.rows();
    // Numbers from 1, both ends included, 0 for the last one there is.
    let range = |from: u32, to: u32, count: u32| {
        let from = from.checked_sub(1).ok_or(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED)?;
        let end = if to == 0 { count } else { to.min(count) };
        Ok(from.min(end)..end)
    };
    let columns = table.columns() as u32;
    let (first, last) = (u32::from(entries.from_selected_value), u32::from(entries.to_selected_value));
    if first.max(last) > columns {
        return Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    }
    let (wanted, chosen) =
        (range(entries.from_entry, entries.to_entry, rows.len() as u32)?, range(first, last, columns)?);
    let columns = Columns::of(chosen.start as usize..chosen.end as usize);
    put(table, core::iter::once(rows.start + wanted.start..rows.start + wanted.end), &columns, out);
    Ok(())
}

/// The array of rows; ends early where one has gone.
fn put(table: &impl Table, runs: impl Iterator<Item = Range<u32>> + Clone, columns: &Columns, out: &mut Writer<'_>) {
    out.array(runs.clone().map(|run| run.len()).sum());
    // Columns are few: the head of a structure is two octets.
    let length = 2 + columns.places().map(|place| table.width(place)).sum::<usize>();
    for run in runs {
        let wanted = out.wanted(length, run.len());
        out.skip(length * wanted.start);
        for row in wanted.clone() {
            out.structure(columns.count);
            if !table.put(run.start + row as u32, columns, out) {
                return;
            }
        }
        out.skip(length * (run.len() - wanted.end));
    }
}

/// The first number for which it does not hold, where it holds for all before and for none from there on.
fn partition(mut rows: Range<u32>, holds: impl Fn(u32) -> bool) -> u32 {
    while !rows.is_empty() {
        let middle = rows.start + (rows.end - rows.start) / 2;
        if holds(middle) { rows.start = middle + 1 } else { rows.end = middle }
    }
    rows.start
}

/// A bound of a range (s of UTC since 2000): local time, by the clock's own zone where it names none.
fn utc(clock: &Clock, value: EncodedData<'_>) -> Option<u64> {
    let time = match value.value() {
        Data::OctetString(octets) => DateTime::from_slice(octets)?,
        Data::DateTime(time) => time,
        _ => return None,
    };
    // Times that the clock never shows lie before or behind all rows.
    match time.date.year {
        ..2000 => Some(0),
        2256..=0xFFFE => Some(u64::MAX),
        _ => match clock.utc_of(civil(&time)?, time.deviation.minutes()) {
            Err(ClockError::Date) => Some(0),
            found => found.ok(),
        },
    }
}
