//! Class 64, security setup: suite 0, the policy, the system titles; keys come wrapped.

use meterbench_iec62056::apdu::{ActionResult, DataAccessResult};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::roles::Role;
use super::super::{Caller, Device};
use crate::meter::Meter;

/// Everything authenticated and encrypted: the only policy of this meter but on its customer port.
const POLICY: u8 = 3;

pub(super) fn get(meter: &Meter, caller: Caller, role: Role, attribute: u8, out: &mut Writer<'_>) {
    match attribute {
        2 => out.enumeration(POLICY),
        3 => out.enumeration(0),
        // Of the client of this role; none is known but that of the association.
        4 if caller.role == role => out.octet_string_data(&caller.association.client_title),
        4 => out.octet_string_data(&[]),
        _ => out.octet_string_data(&meter.device().system_title()),
    }
}

/// The policy can be written as it is: there is no weaker one.
pub(super) fn set(_: &mut Device, _: Role, value: EncodedData<'_>) -> DataAccessResult {
    match Reader::new(value.octets()).enumeration() {
        Ok(POLICY) => DataAccessResult::SUCCESS,
        Ok(_) => DataAccessResult::SCOPE_OF_ACCESS_VIOLATED,
        Err(_) => DataAccessResult::TYPE_UNMATCHED,
    }
}

/// Method 1 activates a policy, 2 transfers keys wrapped under the master key of the role: all of them, or none.
pub(super) fn act(device: &mut Device, role: Role, method: u8, parameter: Option<EncodedData<'_>>) -> ActionResult {
    let Some(parameter) = parameter else { return ActionResult::TYPE_UNMATCHED };
    let mut reader = Reader::new(parameter.octets());
    match method {
        1 => match reader.enumeration() {
            Ok(POLICY) => ActionResult::SUCCESS,
            Ok(_) => ActionResult::SCOPE_OF_ACCESS_VIOLATED,
            Err(_) => ActionResult::TYPE_UNMATCHED,
        },
        _ => {
            let mut wanted = [None; 3];
            let Ok(count) = reader.array_of() else { return ActionResult::TYPE_UNMATCHED };
            for _ in 0..count {
                let read =
                    reader.structure_of(2).and_then(|()| Ok((reader.enumeration()?, reader.octet_string_data()?)));
                let Ok((which, wrapped)) = read else { return ActionResult::TYPE_UNMATCHED };
                let place = match which {
                    0 => 0, // global unicast encryption key
                    2 => 1, // authentication key
                    3 => 2, // master key
                    _ => return ActionResult::OBJECT_UNAVAILABLE,
                };
                let Some(key) = device.unwrap(role, wrapped) else { return ActionResult::OTHER_REASON };
                if wanted[place].is_some() {
                    return ActionResult::SCOPE_OF_ACCESS_VIOLATED;
                }
                wanted[place] = Some(key);
            }
            device.change_keys(role, wanted);
            ActionResult::SUCCESS
        }
    }
}
