//! Class 4, extended register: the maximum of the demand, and when it was.

use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::octets::Writer;

use super::super::objects::Object;
use super::register::power;
use crate::meter::Meter;

pub(super) fn get(meter: &Meter, object: &Object, quantity: u8, attribute: u8, out: &mut Writer<'_>) {
    let maximum = meter.records().demand.maximum(usize::from(quantity));
    match attribute {
        2 => out.double_long_unsigned(maximum.power),
        3 => power(object, out),
        // Periods that are not whole make no maximum: there is nothing to say of one.
        4 => out.unsigned(0),
        _ => out.date_time_octets(maximum.at.map_or(DateTime::NOT_SPECIFIED, |at| at.date_time())),
    }
}
