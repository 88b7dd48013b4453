//! Class 7, profile generic, as an event logger: rows of time and code, written when something happens.

use core::ops::Range;

use meterbench_iec62056::apdu::{CaptureObject, DataAccessResult, SelectiveAccess};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::profile_generic::{self, CLOCK, Columns, FIRST_IN_FIRST_OUT, Table, UNSORTED};
use crate::events::{EventLog, Log};
use crate::meter::Meter;

/// A log as a table: time and code.
struct Rows<'a>(&'a EventLog, Log);

impl Table for Rows<'_> {
    fn columns(&self) -> usize {
        2
    }

    fn column(&self, place: usize) -> CaptureObject {
        let code = Obis([0, 0, 96, 11, self.1 as u8, 255]);
        if place == 0 { CLOCK } else { CaptureObject { class: 1, name: code, attribute: 2, data_index: 0 } }
    }

    fn width(&self, place: usize) -> usize {
        if place == 0 { 14 } else { 2 }
    }

    fn rows(&self) -> Range<u32> {
        0..self.0.len() as u32
    }

    fn sorted_from(&self) -> u32 {
        self.rows().end
    }

    fn utc(&self, row: u32) -> Option<u64> {
        self.0.row(row as usize).map(|(at, _)| at.utc)
    }

    fn put(&self, row: u32, columns: &Columns, out: &mut Writer<'_>) -> bool {
        let Some((at, code)) = self.0.row(row as usize) else { return false };
        for place in columns.places() {
            if place == 0 { out.date_time_octets(at.date_time()) } else { out.unsigned(code) }
        }
        true
    }
}

pub(super) fn get(meter: &Meter, log: Log, attribute: u8, out: &mut Writer<'_>) {
    let table = Rows(meter.records().log(log), log);
    match attribute {
        2 => profile_generic::whole(&table, out),
        3 => profile_generic::capture_objects(&table, out),
        // When something happens, in the order in which it does.
        4 => out.double_long_unsigned(0),
        5 => out.enumeration(FIRST_IN_FIRST_OUT),
        6 => UNSORTED.encode(out),
        7 => out.double_long_unsigned(table.rows().end),
        _ => out.double_long_unsigned(EventLog::CAPACITY as u32),
    }
}

pub(super) fn get_in_part(
    meter: &Meter,
    log: Log,
    access: SelectiveAccess<'_>,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    profile_generic::in_part(&Rows(meter.records().log(log), log), &meter.device().clock, access, out)
}

/// Code of the last event; 0 before the first.
pub(super) fn last(meter: &Meter, log: Log, out: &mut Writer<'_>) {
    out.unsigned(meter.records().log(log).rows().last().map_or(0, |(_, code)| code));
}
