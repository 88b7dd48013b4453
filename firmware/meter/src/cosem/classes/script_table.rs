//! Class 9, script table: what the end of a billing period does. It runs by the schedule alone.

use meterbench_iec62056::octets::Writer;

use super::super::objects;
use crate::demand::QUANTITIES;
use crate::meter::Meter;

/// Number of the one script.
pub(super) const END_OF_BILLING: u16 = 1;
/// A method is called.
const CALL: u8 = 2;
const RESET: i8 = 1;

pub(super) fn get(meter: &Meter, out: &mut Writer<'_>) {
    let maxima =
        || QUANTITIES.map(objects::maximum).into_iter().filter_map(|name| objects::find(meter.profile(), name));
    out.array(1);
    out.structure(2);
    out.long_unsigned(END_OF_BILLING);
    out.array(maxima().count());
    for maximum in maxima() {
        out.structure(5);
        out.enumeration(CALL);
        out.long_unsigned(maximum.class().0);
        out.logical_name(maximum.name);
        out.integer(RESET);
        out.integer(0);
    }
}
