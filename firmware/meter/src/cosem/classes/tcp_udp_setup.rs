//! Class 41, TCP-UDP setup: the port behind which the wrapper speaks.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::Device;

/// Port of DLMS/COSEM, as registered.
const PORT: u16 = 4059;
/// Octets of a segment that every network carries.
const SEGMENT: u16 = 576;
const CONNECTIONS: u8 = 1;

pub(super) fn get(device: &Device, attribute: u8, out: &mut Writer<'_>) {
    match attribute {
        2 => out.long_unsigned(PORT),
        // The address is set up by the module that speaks to the network: no object of this device.
        3 => out.octet_string_data(&[0; 6]),
        4 => out.long_unsigned(SEGMENT),
        5 => out.unsigned(CONNECTIONS),
        _ => out.long_unsigned(device.ports.network_inactivity_s),
    }
}

/// The time after which a connection that says nothing is closed (s); 0 for never.
pub(super) fn set(device: &mut Device, value: EncodedData<'_>) -> DataAccessResult {
    match Reader::new(value.octets()).long_unsigned() {
        Ok(seconds) => device.ports.network_inactivity_s = seconds,
        Err(_) => return DataAccessResult::TYPE_UNMATCHED,
    }
    DataAccessResult::SUCCESS
}
