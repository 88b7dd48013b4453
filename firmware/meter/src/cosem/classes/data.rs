//! Class 1, data: who the device is.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::octets::Writer;
use meterbench_metrology::ImpulseQuantity;

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

/// What the test output and S0 count.
pub(super) fn test_output(meter: &Meter, out: &mut Writer<'_>) {
    out.enumeration(u8::from(meter.output() == ImpulseQuantity::Reactive));
}

/// Lets them count kWh (0) or kvarh (1), where the type registers it.
pub(super) fn set_test_output(meter: &mut Meter, value: EncodedData<'_>) -> DataAccessResult {
    let quantity = match value.value() {
        Data::Enum(0) => ImpulseQuantity::Active,
        Data::Enum(1) => ImpulseQuantity::Reactive,
        _ => return DataAccessResult::TYPE_UNMATCHED,
    };
    match meter.select_output(quantity) {
        Ok(()) => DataAccessResult::SUCCESS,
        Err(_) => DataAccessResult::OTHER_REASON,
    }
}
