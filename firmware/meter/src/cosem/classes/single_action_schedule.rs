//! Class 22, single action schedule: when a billing period ends.

use meterbench_iec62056::date_time::{Date, Time};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::script_table::END_OF_BILLING;
use crate::meter::Meter;

const SCRIPTS: Obis = Obis([0, 0, 10, 0, 1, 255]);
const MIDNIGHT: Time = Time { hour: 0, minute: 0, second: 0, hundredths: 0 };
/// One time with wildcards in its date, and several.
const ONE: u8 = 1;
const SEVERAL: u8 = 3;

pub(super) fn get(meter: &Meter, attribute: u8, out: &mut Writer<'_>) {
    let billing = meter.records().billing();
    let months = billing.months().count();
    match attribute {
        2 => {
            out.structure(2);
            out.logical_name(SCRIPTS);
            out.long_unsigned(END_OF_BILLING);
        }
        3 => out.enumeration(if months == 12 { ONE } else { SEVERAL }),
        // Every month is one date with a wildcard.
        _ if months == 12 => {
            out.array(1);
            time(Date { day_of_month: billing.day, ..Date::NOT_SPECIFIED }, out);
        }
        _ => {
            out.array(months);
            for month in billing.months() {
                time(Date { month, day_of_month: billing.day, ..Date::NOT_SPECIFIED }, out);
            }
        }
    }
}

fn time(date: Date, out: &mut Writer<'_>) {
    out.structure(2);
    out.octet_string_data(&MIDNIGHT.to_octets());
    out.octet_string_data(&date.to_octets());
}
