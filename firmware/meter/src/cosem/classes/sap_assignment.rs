//! Class 17, SAP assignment: the one logical device behind the ports.

use meterbench_iec62056::octets::Writer;

use super::data::logical_device_name;
use crate::meter::Meter;

/// Service access point of the management logical device.
const MANAGEMENT: u16 = 1;

pub(super) fn get(meter: &Meter, out: &mut Writer<'_>) {
    out.array(1);
    out.structure(2);
    out.long_unsigned(MANAGEMENT);
    out.octet_string_data(logical_device_name(meter).bytes());
}
