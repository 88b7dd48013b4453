//! Class 1, data: who the device is.

use meterbench_iec62056::octets::Writer;

use super::super::Text;
use super::super::objects::Item;
use crate::meter::Meter;

pub(super) fn get(meter: &Meter, item: Item, out: &mut Writer<'_>) {
    let serial = meter.device().serial();
    match item {
        Item::LogicalDeviceName => out.octet_string_data(logical_device_name(meter).bytes()),
        Item::SerialNumber => out.octet_string_data(Text::of(format_args!("{serial:08}")).bytes()),
        Item::TypeNumber => out.octet_string_data(meter.device().type_number()),
        Item::Firmware => out.octet_string_data(env!("CARGO_PKG_VERSION").as_bytes()),
    }
}

/// FLAG letters, kind of product, serial number: sixteen letters.
pub(super) fn logical_device_name(meter: &Meter) -> Text {
    let systems = meter.profile().systems as u8;
    Text::of(format_args!("KAM{systems}MB{:010}", meter.device().serial()))
}
