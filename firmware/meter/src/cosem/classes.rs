//! The interface classes (IEC 62056-6-2), one file each: which attributes and methods an object has, and what they do.

use meterbench_iec62056::apdu::{ActionResult, DataAccessResult, SelectiveAccess};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::Writer;

use super::Caller;
use super::objects::{DemandOf, Kind, Object, QualityKind};
use crate::events::StandardEvent;
use crate::meter::Meter;

mod association;
mod clock;
mod data;
mod demand_register;
mod event_log;
mod extended_register;
mod hdlc_setup;
mod load_profile;
mod local_port;
mod profile_generic;
mod quality;
mod quality_log;
mod register;
mod sap_assignment;
mod script_table;
mod security_setup;
mod single_action_schedule;
mod snapshot;
mod tcp_udp_setup;

pub(crate) use register::snapshot_value;

/// What can be written and called of a class.
pub(crate) struct Class {
    /// Attributes, the logical name among them.
    pub(crate) attributes: u8,
    /// Attributes that can be written by who may.
    pub(crate) writable: &'static [u8],
    /// Methods.
    pub(crate) methods: u8,
}

const fn class(attributes: u8, writable: &'static [u8], methods: u8) -> Class {
    Class { attributes, writable, methods }
}

/// What an object's class offers.
pub(crate) fn of(object: &Object) -> Class {
    match object.kind {
        Kind::Data(_) | Kind::Counter(_) | Kind::LastEvent(_) | Kind::ProfileStatus => class(2, &[], 0),
        Kind::TestOutput => class(2, &[2], 0),
        // A log is not reset.
        Kind::EventLog(_) => class(8, &[], 0),
        Kind::LoadProfile => class(8, &[3, 4], 2),
        // Demand is made of legal registers: the end of a billing period alone resets a maximum.
        Kind::Demand(DemandOf::LastAverage | DemandOf::CumulatedMaximum, _) => class(3, &[], 1),
        Kind::Demand(DemandOf::Maximum, _) => class(5, &[], 1),
        Kind::Demand(DemandOf::Register, _) => class(9, &[], 2),
        Kind::BillingScript => class(2, &[], 1),
        Kind::BillingEnd => class(4, &[], 0),
        Kind::TcpUdp => class(6, &[6], 0),
        // Legal registers have no reset, and values of this moment nothing to reset.
        Kind::Energy(..) | Kind::Reading(..) => class(3, &[], 0),
        Kind::Clock => class(9, &[2, 3, 5, 6, 7, 8], 6),
        Kind::Association(_) => class(9, &[], 1),
        Kind::SapAssignment => class(2, &[], 0),
        Kind::LocalPort => class(9, &[4, 5], 0),
        Kind::Hdlc => class(9, &[7, 8], 0),
        Kind::Security(_) => class(5, &[2], 2),
        Kind::Quality(kind) => match kind {
            QualityKind::Value(_) => class(3, &[], 0),
            QualityKind::Limit(_) => class(3, &[2], 0),
            QualityKind::AlarmRegister | QualityKind::AlarmFilter => class(2, &[2], 0),
            QualityKind::Log(_) => class(8, &[], 0),
            QualityKind::Snapshot => class(8, &[3], 0),
            _ => class(2, &[], 0),
        },
    }
}

/// Writes the value of an attribute. Whether it may be read was asked before.
pub(crate) fn get(
    meter: &Meter,
    caller: Caller,
    object: &Object,
    attribute: u8,
    moment: u32,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    if attribute == 1 {
        out.logical_name(object.name);
        return Ok(());
    }
    match object.kind {
        Kind::Data(item) => data::get(meter, item, out),
        Kind::Counter(role) => out.double_long_unsigned(meter.device().received_counter(role)),
        Kind::Energy(energy, phase) => register::energy(meter, object, (energy, phase), attribute, out),
        Kind::Reading(reading, phase) => return register::reading(meter, (reading, phase), attribute, out),
        Kind::Clock => clock::get(&meter.device().clock, attribute, out),
        Kind::Association(role) => association::get(meter, caller, role.unwrap_or(caller.role), attribute, out),
        Kind::SapAssignment => sap_assignment::get(meter, out),
        Kind::LocalPort => local_port::get(meter.device(), attribute, out),
        Kind::EventLog(log) => event_log::get(meter, log, attribute, out),
        Kind::LastEvent(log) => event_log::last(meter, log, out),
        Kind::LoadProfile => load_profile::get(meter, attribute, moment, out),
        Kind::ProfileStatus => load_profile::status(meter, out),
        Kind::TestOutput => data::test_output(meter, out),
        Kind::Demand(DemandOf::Register, quantity) => demand_register::get(meter, object, quantity, attribute, out),
        Kind::Demand(DemandOf::Maximum, quantity) => extended_register::get(meter, object, quantity, attribute, out),
        Kind::Demand(demand, quantity) => register::demand(meter, object, (demand, quantity), attribute, out),
        Kind::BillingScript => script_table::get(meter, out),
        Kind::BillingEnd => single_action_schedule::get(meter, attribute, out),
        Kind::TcpUdp => tcp_udp_setup::get(meter.device(), attribute, out),
        Kind::Hdlc => hdlc_setup::get(meter.device(), attribute, out),
        Kind::Security(role) => security_setup::get(meter, caller, role, attribute, out),
        Kind::Quality(kind) => match kind {
            QualityKind::Value(value) => register::quality(meter, value, attribute, out),
            QualityKind::Limit(limit) => register::limit(meter, limit, attribute, out),
            QualityKind::Log(log) => quality_log::get(meter, log, attribute, out),
            QualityKind::Snapshot => snapshot::get(meter, attribute, out),
            other => quality::get(meter, other, out),
        },
    }
    Ok(())
}

/// Writes a part of an object's second attribute. Whether it may be read was asked before.
pub(crate) fn get_in_part(
    meter: &Meter,
    object: &Object,
    access: SelectiveAccess<'_>,
    moment: u32,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    match object.kind {
        Kind::EventLog(log) => event_log::get_in_part(meter, log, access, out),
        Kind::LoadProfile => load_profile::get_in_part(meter, access, moment, out),
        Kind::Quality(QualityKind::Log(log)) => quality_log::get_in_part(meter, log, access, out),
        Kind::Quality(QualityKind::Snapshot) => snapshot::get_in_part(meter, access, out),
        // Nothing else is read in part.
        _ => Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED),
    }
}

/// Takes the value of an attribute. Whether it may be written was asked before.
pub(crate) fn set(meter: &mut Meter, object: &Object, attribute: u8, value: EncodedData<'_>) -> DataAccessResult {
    #[cfg(feature = "defects")]
    if let Kind::Energy(_, phase) = object.kind {
        return crate::defects::write_energy(meter, object.name.c() - 20 * phase, phase, value);
    }
    let before = meter.stamp();
    let device = meter.device_mut();
    match object.kind {
        Kind::Clock => {
            let result = clock::set(&mut device.clock, attribute, value);
            if result.is_success() && matches!(attribute, 2 | 3) {
                meter.clock_was_set(before);
            } else if result.is_success() {
                meter.records_mut().tell(before, StandardEvent::ParametersChanged);
            }
            result
        }
        Kind::LoadProfile => load_profile::set(meter, attribute, value),
        Kind::TestOutput => data::set_test_output(meter, value),
        Kind::TcpUdp => tcp_udp_setup::set(device, value),
        Kind::LocalPort => local_port::set(device, attribute, value),
        Kind::Hdlc => hdlc_setup::set(device, attribute, value),
        Kind::Security(role) => security_setup::set(device, role, value),
        Kind::Quality(QualityKind::Limit(limit)) => register::set_limit(meter, limit, value),
        Kind::Quality(QualityKind::Snapshot) => snapshot::set(meter, value),
        Kind::Quality(kind) => quality::set(meter, kind, value),
        _ => DataAccessResult::READ_WRITE_DENIED,
    }
}

/// Calls a method. Whether it may be called was asked before.
pub(crate) fn act(meter: &mut Meter, object: &Object, method: u8, parameter: Option<EncodedData<'_>>) -> ActionResult {
    #[cfg(feature = "defects")]
    if let Kind::Energy(_, phase) = object.kind {
        return crate::defects::reset_energy(meter, object.name.c() - 20 * phase, phase);
    }
    let before = meter.stamp();
    let device = meter.device_mut();
    match object.kind {
        Kind::Clock => {
            let result = clock::act(&mut device.clock, method, parameter);
            if result.is_success() {
                meter.clock_was_set(before);
            }
            result
        }
        Kind::LoadProfile => load_profile::act(meter, method, parameter),
        Kind::Security(role) => security_setup::act(device, role, method, parameter),
        _ => ActionResult::READ_WRITE_DENIED,
    }
}
