//! Class 19, IEC local port setup: how the optical port begins.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::Device;

/// 9600 Bd, the fastest the optical port does.
const FASTEST: u8 = 5;

pub(super) fn get(device: &Device, attribute: u8, out: &mut Writer<'_>) {
    match attribute {
        // IEC 62056-21 begins.
        2 => out.enumeration(0),
        // At 300 Bd.
        3 => out.enumeration(0),
        4 => out.enumeration(device.ports.proposed_baud),
        5 => out.enumeration(u8::from(!device.ports.quick)),
        // No address but that of everybody, no password.
        _ => out.octet_string_data(&[]),
    }
}

pub(super) fn set(device: &mut Device, attribute: u8, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(chosen) = Reader::new(value.octets()).enumeration() else { return DataAccessResult::TYPE_UNMATCHED };
    match (attribute, chosen) {
        (4, 0..=FASTEST) => device.ports.proposed_baud = chosen,
        (5, 0 | 1) => device.ports.quick = chosen == 0,
        _ => return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED,
    }
    DataAccessResult::SUCCESS
}
