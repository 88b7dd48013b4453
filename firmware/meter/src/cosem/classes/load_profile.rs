//! Class 7, profile generic, as load profile: time, status and energies at whole periods of the clock.

use core::ops::Range;

use meterbench_iec62056::apdu::{ActionResult, CaptureObject, DataAccessResult, SelectiveAccess};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Reader, Writer};

use super::super::objects;
use super::profile_generic::{self, CLOCK, Columns, FIRST_IN_FIRST_OUT, Table, UNSORTED};
use crate::load_profile::{LoadProfile, MOST_CHANNELS};
use crate::memory::Memory;
use crate::meter::Meter;

/// Status of a row.
const STATUS: CaptureObject =
    CaptureObject { class: 1, name: Obis([0, 0, 96, 10, 1, 255]), attribute: 2, data_index: 0 };
/// Columns in front of the energies.
const HEAD: usize = 2;

/// The rows that existed at a moment.
struct Rows<'a> {
    load: &'a LoadProfile,
    memory: &'a Memory,
    moment: u32,
}

impl<'a> Rows<'a> {
    fn of(meter: &'a Meter, moment: u32) -> Self {
        let records = meter.records();
        Self { load: &records.load, memory: &records.memory, moment }
    }
}

impl Table for Rows<'_> {
    fn columns(&self) -> usize {
        HEAD + self.load.capture().channels().len()
    }

    fn column(&self, place: usize) -> CaptureObject {
        match place {
            0 => CLOCK,
            1 => STATUS,
            _ => energy(self.load.capture().channels().get(place - HEAD).copied().unwrap_or(0)),
        }
    }

    fn width(&self, place: usize) -> usize {
        match place {
            0 => 14,
            1 => 2,
            _ => 5,
        }
    }

    fn rows(&self) -> Range<u32> {
        self.load.rows_before(self.moment)
    }

    fn sorted_from(&self) -> u32 {
        self.load.sorted_from()
    }

    /// A row that has gone since was not younger than the oldest that is left.
    fn utc(&self, row: u32) -> Option<u64> {
        self.load.row(self.memory, row.max(self.load.rows().start)).map(|row| row.utc())
    }

    fn put(&self, row: u32, columns: &Columns, out: &mut Writer<'_>) -> bool {
        let Some(row) = self.load.row(self.memory, row) else { return false };
        for place in columns.places() {
            match place {
                0 => out.date_time_octets(row.stamp().date_time()),
                1 => out.unsigned(row.status()),
                _ => out.double_long_unsigned(row.value(place - HEAD)),
            }
        }
        true
    }
}

/// The register of an energy by its group C.
fn energy(c: u8) -> CaptureObject {
    CaptureObject { class: 3, name: objects::energy_register(c), attribute: 2, data_index: 0 }
}

pub(super) fn get(meter: &Meter, attribute: u8, moment: u32, out: &mut Writer<'_>) {
    let (table, load) = (Rows::of(meter, moment), &meter.records().load);
    match attribute {
        2 => profile_generic::whole(&table, out),
        3 => profile_generic::capture_objects(&table, out),
        4 => out.double_long_unsigned(load.capture().period_s()),
        5 => out.enumeration(FIRST_IN_FIRST_OUT),
        6 => UNSORTED.encode(out),
        7 => out.double_long_unsigned(load.rows().len() as u32),
        _ => out.double_long_unsigned(load.capacity()),
    }
}

pub(super) fn get_in_part(
    meter: &Meter,
    access: SelectiveAccess<'_>,
    moment: u32,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    profile_generic::in_part(&Rows::of(meter, moment), &meter.device().clock, access, out)
}

/// Status of the newest row; 0 before the first.
pub(super) fn status(meter: &Meter, out: &mut Writer<'_>) {
    let records = meter.records();
    let newest = records.load.rows().next_back().and_then(|number| records.load.row(&records.memory, number));
    out.unsigned(newest.map_or(0, |row| row.status()));
}

/// Attribute 3 says what is captured, 4 how often (s); either clears the buffer where it changes something.
pub(super) fn set(meter: &mut Meter, attribute: u8, value: EncodedData<'_>) -> DataAccessResult {
    let capture = *meter.records().load.capture();
    let wanted = if attribute == 3 {
        let Ok(list) = value.read(energies) else { return DataAccessResult::TYPE_UNMATCHED };
        let known = |c: &u8| objects::find(meter.profile(), objects::energy_register(*c)).is_some();
        let channels = list.as_ref().and_then(|(channels, count)| channels.get(..*count));
        let channels = channels.filter(|channels| channels.iter().all(known));
        channels.and_then(|channels| capture.with_channels(channels)).filter(|c| c.holds_verified(meter.profile()))
    } else {
        let Ok(seconds) = Reader::new(value.octets()).double_long_unsigned() else {
            return DataAccessResult::TYPE_UNMATCHED;
        };
        capture.with_period_s(seconds)
    };
    let Some(wanted) = wanted else { return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED };
    let now = meter.stamp();
    meter.records_mut().set_capture(now, wanted);
    DataAccessResult::SUCCESS
}

/// Energies of a list of capture objects, behind time and status; `None` where something else stands there.
fn energies(reader: &mut Reader<'_>) -> Result<Option<([u8; MOST_CHANNELS], usize)>, DecodeError> {
    let count = reader.array_of()?;
    let (mut channels, mut fits) = ([0; MOST_CHANNELS], (HEAD..=HEAD + MOST_CHANNELS).contains(&count));
    for place in 0..count {
        let object = CaptureObject::decode(reader)?;
        let c = object.name.c();
        match place.checked_sub(HEAD) {
            None => fits &= object == if place == 0 { CLOCK } else { STATUS },
            Some(channel) => {
                fits &= object == energy(c);
                if let Some(channel) = channels.get_mut(channel) {
                    *channel = c;
                }
            }
        }
    }
    Ok(fits.then_some((channels, count.saturating_sub(HEAD))))
}

/// Method 1 clears the buffer; rows are captured by the clock alone.
pub(super) fn act(meter: &mut Meter, method: u8, parameter: Option<EncodedData<'_>>) -> ActionResult {
    if method != 1 {
        return ActionResult::OBJECT_UNAVAILABLE;
    }
    if parameter.is_none_or(|value| value.value() != Data::Integer(0)) {
        return ActionResult::TYPE_UNMATCHED;
    }
    let now = meter.stamp();
    meter.records_mut().clear_load(now);
    ActionResult::SUCCESS
}
