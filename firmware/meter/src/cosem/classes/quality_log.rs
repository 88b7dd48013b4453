//! Class 7, profile generic, as logger of power quality or of the grid: when an event began, what it was, how long and how bad.

use core::ops::Range;

use meterbench_iec62056::apdu::{CaptureObject, DataAccessResult, SelectiveAccess};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::profile_generic::{self, CLOCK, Columns, FIRST_IN_FIRST_OUT, Table, UNSORTED};
use crate::memory::Memory;
use crate::meter::Meter;
use crate::quality::event::{Event, Moment};
use crate::quality::kind::QualityLog;
use crate::quality::log::EventRing;

/// Group E of the code of the last event; the whole of the last event stands 128 higher.
const fn e_of(log: QualityLog) -> u8 {
    match log {
        QualityLog::Quality => 4,
        QualityLog::Grid => 5,
    }
}

/// A log as a table: begin, code, phases, duration, worst value.
struct Rows<'a> {
    log: QualityLog,
    ring: &'a EventRing,
    memory: &'a Memory,
}

impl<'a> Rows<'a> {
    fn of(meter: &'a Meter, log: QualityLog) -> Self {
        let records = meter.records();
        Self { log, ring: records.quality_log(log), memory: &records.memory }
    }
}

impl Table for Rows<'_> {
    fn columns(&self) -> usize {
        5
    }

    fn column(&self, place: usize) -> CaptureObject {
        let e = e_of(self.log);
        let of =
            |e, data_index| CaptureObject { class: 1, name: Obis([0, 0, 96, 11, e, 255]), attribute: 2, data_index };
        match place {
            0 => CLOCK,
            1 => of(e, 0),
            _ => of(e + 128, place as u16),
        }
    }

    fn width(&self, place: usize) -> usize {
        match place {
            0 => 14,
            1 | 2 => 2,
            _ => 5,
        }
    }

    fn rows(&self) -> Range<u32> {
        self.ring.rows()
    }

    /// Rows stand in the order in which their events ended.
    fn sorted_from(&self) -> u32 {
        self.rows().end
    }

    fn utc(&self, row: u32) -> Option<u64> {
        self.ring.row(self.memory, row).map(|event| event.begun.stamp.utc)
    }

    fn put(&self, row: u32, columns: &Columns, out: &mut Writer<'_>) -> bool {
        let Some(event) = self.ring.row(self.memory, row) else { return false };
        columns.places().for_each(|place| field(&event, place, out));
        true
    }
}

/// A moment to a hundredth of a second.
pub(super) fn date_time(at: &Moment, out: &mut Writer<'_>) {
    let mut time = at.stamp.date_time();
    time.time.hundredths = at.hundredths;
    out.date_time_octets(time);
}

fn field(event: &Event, place: usize, out: &mut Writer<'_>) {
    match place {
        0 => date_time(&event.begun, out),
        1 => out.unsigned(event.kind.code()),
        2 => out.unsigned(event.phases),
        3 => out.double_long_unsigned(event.duration_ms),
        _ => out.double_long(i32::try_from(event.extreme).unwrap_or(i32::MAX)),
    }
}

pub(super) fn get(meter: &Meter, log: QualityLog, attribute: u8, out: &mut Writer<'_>) {
    let table = Rows::of(meter, log);
    match attribute {
        2 => profile_generic::whole(&table, out),
        3 => profile_generic::capture_objects(&table, out),
        // When something is over, in the order in which it is.
        4 => out.double_long_unsigned(0),
        5 => out.enumeration(FIRST_IN_FIRST_OUT),
        6 => UNSORTED.encode(out),
        7 => out.double_long_unsigned(table.rows().len() as u32),
        _ => out.double_long_unsigned(table.ring.capacity()),
    }
}

pub(super) fn get_in_part(
    meter: &Meter,
    log: QualityLog,
    access: SelectiveAccess<'_>,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    profile_generic::in_part(&Rows::of(meter, log), &meter.device().clock, access, out)
}

/// Code of the last event; 0 before the first.
pub(super) fn last_code(meter: &Meter, log: QualityLog, out: &mut Writer<'_>) {
    let table = Rows::of(meter, log);
    out.unsigned(table.ring.newest(table.memory).map_or(0, |event| event.kind.code()));
}

/// The last event: code, phases, duration, worst value; null-data before the first.
pub(super) fn last(meter: &Meter, log: QualityLog, out: &mut Writer<'_>) {
    let table = Rows::of(meter, log);
    match table.ring.newest(table.memory) {
        Some(event) => {
            out.structure(4);
            (1..5).for_each(|place| field(&event, place, out));
        }
        None => out.null_data(),
    }
}
