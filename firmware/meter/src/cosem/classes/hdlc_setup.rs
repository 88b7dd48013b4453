//! Class 23, IEC HDLC setup.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::Device;

pub(super) fn get(device: &Device, attribute: u8, out: &mut Writer<'_>) {
    let ports = &device.ports;
    match attribute {
        2 => out.enumeration(5),
        3 | 4 => out.unsigned(ports.window),
        5 | 6 => out.long_unsigned(ports.information),
        7 => out.long_unsigned(ports.between_octets_ms),
        8 => out.long_unsigned(ports.inactivity_s),
        _ => out.long_unsigned(ports.address),
    }
}

pub(super) fn set(device: &mut Device, attribute: u8, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(chosen) = Reader::new(value.octets()).long_unsigned() else { return DataAccessResult::TYPE_UNMATCHED };
    match (attribute, chosen) {
        (7, 20..=6000) => device.ports.between_octets_ms = chosen,
        (8, 0..=3600) => device.ports.inactivity_s = chosen,
        _ => return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED,
    }
    DataAccessResult::SUCCESS
}
