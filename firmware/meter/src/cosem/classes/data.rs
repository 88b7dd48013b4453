//! Class 1, data: who the device is.

use core::fmt::Write as _;

use meterbench_iec62056::octets::Writer;

use super::super::objects::Item;
use crate::meter::Meter;

/// Letters of a short text.
pub(super) struct Text {
    letters: [u8; 40],
    length: usize,
}

impl Text {
    pub(super) fn of(arguments: core::fmt::Arguments<'_>) -> Self {
        let mut text = Self { letters: [0; 40], length: 0 };
        // What does not fit is cut off.
        let _ = text.write_fmt(arguments);
        text
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

impl core::fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> core::fmt::Result {
        for &byte in more.as_bytes() {
            let place = self.letters.get_mut(self.length).ok_or(core::fmt::Error)?;
            *place = byte;
            self.length += 1;
        }
        Ok(())
    }
}

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
