//! Class 7, profile generic, as snapshots of the grid: time, code of the event, and registers as they stood when it began.

use core::ops::Range;

use meterbench_iec62056::apdu::{CaptureObject, DataAccessResult, SelectiveAccess};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Reader, Writer};

use super::super::objects;
use super::profile_generic::{self, CLOCK, Columns, FIRST_IN_FIRST_OUT, Table, UNSORTED};
use super::quality_log::date_time;
use super::register::{Number, number_of};
use crate::memory::Memory;
use crate::meter::Meter;
use crate::quality::snapshot::{Register, Setup, Snapshots};

/// Code of the event.
const CODE: CaptureObject = CaptureObject { class: 1, name: Obis([0, 0, 96, 11, 4, 255]), attribute: 2, data_index: 0 };
/// Columns in front of the registers.
const HEAD: usize = 2;

struct Rows<'a> {
    snapshots: &'a Snapshots,
    memory: &'a Memory,
}

impl<'a> Rows<'a> {
    fn of(meter: &'a Meter) -> Self {
        let records = meter.records();
        Self { snapshots: &records.snapshots, memory: &records.memory }
    }

    fn register(&self, place: usize) -> Register {
        self.snapshots.setup().registers().get(place - HEAD).copied().unwrap_or_default()
    }

    fn number(&self, place: usize) -> Number {
        let object = self.snapshots.objects().get(place - HEAD).and_then(Option::as_ref);
        object.map_or(Number::DoubleLongUnsigned, number_of)
    }
}

impl Table for Rows<'_> {
    fn columns(&self) -> usize {
        HEAD + self.snapshots.setup().registers().len()
    }

    fn column(&self, place: usize) -> CaptureObject {
        match place {
            0 => CLOCK,
            1 => CODE,
            _ => column(self.register(place)),
        }
    }

    fn width(&self, place: usize) -> usize {
        match place {
            0 => 14,
            1 => 2,
            _ => self.number(place).width(),
        }
    }

    fn rows(&self) -> Range<u32> {
        self.snapshots.rows()
    }

    fn sorted_from(&self) -> u32 {
        self.rows().end
    }

    fn utc(&self, row: u32) -> Option<u64> {
        self.snapshots.row(self.memory, row).map(|row| row.at().stamp.utc)
    }

    fn put(&self, row: u32, columns: &Columns, out: &mut Writer<'_>) -> bool {
        let Some(row) = self.snapshots.row(self.memory, row) else { return false };
        for place in columns.places() {
            match place {
                0 => date_time(&row.at(), out),
                1 => out.unsigned(row.code()),
                _ => self.number(place).put(row.value(place - HEAD), out),
            }
        }
        true
    }
}

fn column([c, d, e]: Register) -> CaptureObject {
    CaptureObject { class: 3, name: Obis([1, 0, c, d, e, 255]), attribute: 2, data_index: 0 }
}

pub(super) fn get(meter: &Meter, attribute: u8, out: &mut Writer<'_>) {
    let table = Rows::of(meter);
    match attribute {
        2 => profile_generic::whole(&table, out),
        3 => profile_generic::capture_objects(&table, out),
        // When something begins, in the order in which it does.
        4 => out.double_long_unsigned(0),
        5 => out.enumeration(FIRST_IN_FIRST_OUT),
        6 => UNSORTED.encode(out),
        7 => out.double_long_unsigned(table.rows().len() as u32),
        _ => out.double_long_unsigned(table.snapshots.capacity()),
    }
}

pub(super) fn get_in_part(
    meter: &Meter,
    access: SelectiveAccess<'_>,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    profile_generic::in_part(&Rows::of(meter), &meter.device().clock, access, out)
}

/// Attribute 3 says what is captured behind time and code: up to 24 registers of this meter, none twice. A choice that changes
/// something clears the buffer.
pub(super) fn set(meter: &mut Meter, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(list) = value.read(|reader| registers(meter, reader)) else { return DataAccessResult::TYPE_UNMATCHED };
    let Some(setup) = list else { return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED };
    let (now, profile) = (meter.stamp(), *meter.profile());
    meter.records_mut().set_snapshot(&profile, now, setup);
    DataAccessResult::SUCCESS
}

/// Registers of a list of capture objects, behind time and code; `None` where something else stands there, or too much.
fn registers(meter: &Meter, reader: &mut Reader<'_>) -> Result<Option<Setup>, DecodeError> {
    let count = reader.array_of()?;
    let mut setup = Some(Setup::NONE).filter(|_| count >= HEAD);
    for place in 0..count {
        let object = CaptureObject::decode(reader)?;
        setup = match place {
            0 => setup.filter(|_| object == CLOCK),
            1 => setup.filter(|_| object == CODE),
            _ => {
                let [_, _, c, d, e, _] = object.name.0;
                let is_register =
                    object == column([c, d, e]) && objects::register(meter.profile(), [c, d, e]).is_some();
                setup.filter(|_| is_register).and_then(|setup| setup.with([c, d, e]))
            }
        };
    }
    Ok(setup)
}
