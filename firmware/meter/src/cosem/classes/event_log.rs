//! Class 7, profile generic, as an event logger: rows of time and code, written when something happens.

use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::super::Device;
use super::clock::date_time;
use crate::events::EventLog;

const CODE: Obis = Obis([0, 0, 96, 11, 1, 255]);

pub(super) fn get(device: &Device, attribute: u8, out: &mut Writer<'_>) {
    let log = &device.security_log;
    match attribute {
        2 => {
            out.array(log.len());
            for (at, event) in log.rows() {
                out.structure(2);
                out.date_time_octets(date_time(&at));
                out.unsigned(event as u8);
            }
        }
        3 => {
            out.array(2);
            column(8, Obis::CLOCK, out);
            column(1, CODE, out);
        }
        // When something happens, in the order in which it does.
        4 => out.double_long_unsigned(0),
        5 => out.enumeration(1),
        6 => column(0, Obis([0; 6]), out),
        7 => out.double_long_unsigned(log.len() as u32),
        _ => out.double_long_unsigned(EventLog::CAPACITY as u32),
    }
}

/// Code of the last event; 0 before the first.
pub(super) fn last(device: &Device, out: &mut Writer<'_>) {
    out.unsigned(device.security_log.rows().last().map_or(0, |(_, event)| event as u8));
}

/// A captured attribute: its second.
fn column(class: u16, name: Obis, out: &mut Writer<'_>) {
    out.structure(4);
    out.long_unsigned(class);
    out.logical_name(name);
    out.integer(if class == 0 { 0 } else { 2 });
    out.long_unsigned(0);
}
