//! Class 15, association LN: who is connected, what was agreed, and every object with the rights of the role.

use meterbench_iec62056::acse::ApplicationContext;
use meterbench_iec62056::data::BitString;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use super::super::roles::Role;
use super::super::{Caller, objects};
use crate::meter::Meter;

/// DLMS names: joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8).
const NAMES: [u8; 5] = [0x60, 0x85, 0x74, 0x05, 0x08];
const DLMS_VERSION: u8 = 6;

pub(super) fn get(meter: &Meter, caller: Caller, role: Role, attribute: u8, out: &mut Writer<'_>) {
    let agreed = (caller.role == role).then_some(caller.association);
    let mechanism = agreed.map_or(role.mechanism(), |a| a.mechanism);
    match attribute {
        2 => object_list(meter, role, out),
        3 => {
            out.structure(2);
            out.integer(role.client() as i8);
            out.long_unsigned(1);
        }
        4 => {
            let context = if mechanism.is_high() {
                ApplicationContext::LOGICAL_NAMES_CIPHERED
            } else {
                ApplicationContext::LOGICAL_NAMES
            };
            name(1, context.0, out);
        }
        5 => {
            let conformance = agreed.map_or([0; 3], |a| a.conformance.0);
            let (receives, sends) = agreed.map_or((0, 0), |a| (a.longest_received, a.longest_sent));
            out.structure(6);
            if let Some(bits) = BitString::new(24, &conformance) {
                out.bit_string_data(bits);
            }
            out.long_unsigned(receives);
            out.long_unsigned(sends);
            out.unsigned(DLMS_VERSION);
            out.integer(0);
            out.octet_string_data(&[]);
        }
        6 => name(2, mechanism.0, out),
        // A secret is not read back.
        7 => out.octet_string_data(&[]),
        8 => out.enumeration(if agreed.is_some() { 2 } else { 0 }),
        _ => out.logical_name(security_setup(role)),
    }
}

/// The security setup of a role; the public client has none.
fn security_setup(role: Role) -> Obis {
    let e = if role == Role::Public { 0 } else { role.number() };
    Obis([0, 0, 43, 0, e, 255])
}

fn name(kind: u8, number: u8, out: &mut Writer<'_>) {
    let [a, b, c, d, e] = NAMES;
    out.octet_string_data(&[a, b, c, d, e, kind, number]);
}

/// Every object with the rights that a role has: 1 read, 2 write, 3 both, 0 none.
fn object_list(meter: &Meter, role: Role, out: &mut Writer<'_>) {
    let list = || objects::all(meter.profile());
    out.array(list().count());
    for object in list() {
        let (class, version) = object.class();
        let (offered, may) = (meter.class(&object), meter.rights(role, object.group));
        out.structure(4);
        out.long_unsigned(class);
        out.unsigned(version);
        out.logical_name(object.name);
        out.structure(2);
        out.array(usize::from(offered.attributes));
        for attribute in 1..=offered.attributes {
            let reads = may.read || attribute == 1;
            let writes = may.write && offered.writable.contains(&attribute);
            out.structure(3);
            out.integer(attribute as i8);
            out.enumeration(u8::from(reads) + 2 * u8::from(writes));
            out.null_data();
        }
        out.array(usize::from(offered.methods));
        for method in 1..=offered.methods {
            out.structure(2);
            out.integer(method as i8);
            out.enumeration(u8::from(may.act));
        }
    }
}
