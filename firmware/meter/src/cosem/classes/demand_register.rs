//! Class 5, demand register: mean power of the period that runs and of the one before.

use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::octets::Writer;

use super::super::energy_of;
use super::super::objects::Object;
use super::register::power;
use crate::demand::QUANTITIES;
use crate::meter::Meter;
use crate::ring::Stamp;

/// The last period was whole.
const WHOLE: u8 = 0;
/// The supply was gone or the clock was set within the last period.
const NOT_WHOLE: u8 = 1;

pub(super) fn get(meter: &Meter, object: &Object, quantity: u8, attribute: u8, out: &mut Writer<'_>) {
    let (demand, place) = (&meter.records().demand, usize::from(quantity));
    let time = |stamp: Option<Stamp>| stamp.map_or(DateTime::NOT_SPECIFIED, |stamp| stamp.date_time());
    match attribute {
        2 => out.double_long_unsigned(demand.power(place, energy_of(&meter.all_registers(), QUANTITIES[place]))),
        3 => out.double_long_unsigned(demand.last().map_or(0, |last| last.power[place])),
        4 => power(object, out),
        5 => out.unsigned(if demand.last().is_some_and(|last| last.whole) { WHOLE } else { NOT_WHOLE }),
        6 => out.date_time_octets(time(demand.last().map(|last| last.at))),
        7 => out.date_time_octets(time(demand.began_at())),
        8 => out.double_long_unsigned(demand.period_s()),
        // One period makes a mean.
        _ => out.long_unsigned(1),
    }
}
