//! The meter as a COSEM logical device: its objects, who may do what with them, its keys and counters.
//!
//! One file per interface class under `classes/`; the object list is one table in `objects.rs`, the rights of the roles one in
//! `roles.rs`. Sans-IO: what speaks to a port is [`crate::port`].

mod classes;
mod kept;
mod objects;
mod roles;
mod text;

use meterbench_iec62056::acse::{Conformance, Mechanism};
use meterbench_iec62056::apdu::{
    ActionResult, AttributeDescriptor, DataAccessResult, MethodDescriptor, SelectiveAccess,
};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{
    Accepted, CounterError, Gcm, Key, Protection, ReceiveCounter, SecurityPolicy, SystemTitle, password_matches,
    unwrap_key,
};
use meterbench_iec62056::server::{Admission, Agreed, Approach, Interface, LogicalDevice, Notice};

pub(crate) use classes::snapshot_value;
pub(crate) use kept::KeptDevice;
pub(crate) use objects::{Object, energy_of, register as snapshot_register};
pub(crate) use text::Text;

pub use roles::{Group, Rights, Role, rights};

use crate::clock::{Clock, DaylightSaving};
use crate::configuration::Configuration;
use crate::events::SecurityEvent;
use crate::meter::Meter;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    pub(crate) association: Agreed,
}

/// Keys of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleKeys {
    /// Global unicast encryption key.
    pub encryption: [u8; 16],
    /// Authentication key.
    pub authentication: [u8; 16],
    /// Master key: wraps the others.
    pub master: [u8; 16],
}

/// What is given to a meter when it is made: who it is, and the keys of its roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Serial number, eight digits at most.
    pub serial: u32,
    /// Keys of management, reader and installer.
    pub keys: [RoleKeys; 3],
    /// Passwords of the same roles, for low level security; `None` for a role that always needs its keys.
    pub passwords: [Option<[u8; 16]>; 3],
    /// What challenges are made of.
    pub seed: [u8; 16],
}

/// How the ports are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    /// Baud identification proposed on the optical port: 5 for 9600 Bd.
    pub(crate) proposed_baud: u8,
    /// Answers after 20 ms instead of 200 ms.
    pub(crate) quick: bool,
    /// Frames in a window of HDLC.
    pub(crate) window: u8,
    /// Octets of information in an HDLC frame.
    pub(crate) information: u16,
    pub(crate) between_octets_ms: u16,
    pub(crate) inactivity_s: u16,
    /// Time after which a silent connection over the network is closed (s); 0 for never.
    pub(crate) network_inactivity_s: u16,
    /// Lower HDLC address of the meter.
    pub(crate) address: u16,
    /// Reads out in plain, by modes A and C.
    pub(crate) plain_readout: bool,
    /// The optical port admits roles with a password, in plain.
    pub(crate) local_passwords: bool,
}

/// What the meter is to its clients.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) clock: Clock,
    pub(crate) ports: Ports,
    identity: Identity,
    /// Keys were given: without them nobody but the public client is admitted.
    keyed: bool,
    type_number: TypeText,
    received: [ReceiveCounter; 3],
    sent: [u32; 3],
    /// How often the keys of each role changed.
    generations: [u32; 3],
    challenges: u32,
    /// Counters of the image that was kept last.
    reserved: kept::Counters,
    /// A client changed what an image holds.
    changed: bool,
}

/// The type number as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TypeText {
    letters: [u8; 32],
    length: usize,
}

impl Device {
    /// Without an identity: a meter that has no keys yet.
    pub(crate) fn new(identity: Option<&Identity>) -> Self {
        Self {
            clock: Clock::cold(-60, DaylightSaving::EUROPE),
            ports: Ports {
                proposed_baud: 5,
                quick: true,
                window: 1,
                information: 128,
                between_octets_ms: 1000,
                inactivity_s: 120,
                network_inactivity_s: 180,
                address: 17,
                plain_readout: false,
                local_passwords: false,
            },
            identity: identity.copied().unwrap_or(NO_IDENTITY),
            keyed: identity.is_some(),
            type_number: TypeText { letters: [0; 32], length: 0 },
            received: [ReceiveCounter::NEW; 3],
            sent: [FIRST_COUNTER; 3],
            generations: [0; 3],
            challenges: 0,
            reserved: kept::Counters::NONE,
            changed: false,
        }
    }

    /// Zone, daylight saving, readout and encryption of a software configuration.
    pub(crate) fn configure(&mut self, configuration: &Configuration) {
        self.ports.plain_readout = configuration.plain_readout();
        self.ports.local_passwords = !configuration.local_encryption();
        let rule = DaylightSaving { enabled: configuration.daylight_saving(), ..DaylightSaving::EUROPE };
        self.clock = Clock::cold(configuration.zone_minutes(), rule);
    }

    pub(crate) fn serial(&self) -> u32 {
        self.identity.serial
    }

    pub(crate) fn type_number(&self) -> &[u8] {
        &self.type_number.letters[..self.type_number.length]
    }

    pub(crate) fn set_type_number(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let length = bytes.len().min(self.type_number.letters.len());
        self.type_number.letters[..length].copy_from_slice(&bytes[..length]);
        self.type_number.length = length;
    }

    /// FLAG letters, kind of device, serial number in 28 bits.
    pub(crate) fn system_title(&self) -> [u8; 8] {
        let [a, b, c, d] = (self.identity.serial & 0x0FFF_FFFF).to_be_bytes();
        [b'K', b'A', b'M', 0x65, a, b, c, d]
    }

    fn password(&self, role: Role) -> Option<&[u8; 16]> {
        self.identity.passwords[slot(role)?].as_ref()
    }

    /// The least counter that is accepted from a role.
    pub(crate) fn received_counter(&self, role: Role) -> u32 {
        slot(role).and_then(|n| self.received[n].stored()).unwrap_or(u32::MAX)
    }

    /// A key that came wrapped under the master key of a role.
    pub(crate) fn unwrap(&self, role: Role, wrapped: &[u8]) -> Option<[u8; 16]> {
        let master = Key(self.identity.keys[slot(role)?].master);
        unwrap_key(&master, wrapped).ok().map(|key| key.0)
    }

    /// Takes new keys (encryption, authentication, master). Counters go on: a key that comes back finds nothing to repeat.
    pub(crate) fn change_keys(&mut self, role: Role, [encryption, authentication, master]: [Option<[u8; 16]>; 3]) {
        let Some(n) = slot(role) else { return };
        let keys = &mut self.identity.keys[n];
        keys.encryption = encryption.unwrap_or(keys.encryption);
        keys.authentication = authentication.unwrap_or(keys.authentication);
        keys.master = master.unwrap_or(keys.master);
        self.generations[n] = self.generations[n].wrapping_add(1);
    }
}

const NO_IDENTITY: Identity = Identity { serial: 0, keys: [NO_KEYS; 3], passwords: [None; 3], seed: [0; 16] };
const NO_KEYS: RoleKeys = RoleKeys { encryption: [0; 16], authentication: [0; 16], master: [0; 16] };

/// The first counter of the meter under a new key: clients take zero for one they have seen.
const FIRST_COUNTER: u32 = 1;

/// Place of a role among those with keys.
fn slot(role: Role) -> Option<usize> {
    (role as usize).checked_sub(1)
}

const CONFORMANCE: Conformance = PLAIN_CONFORMANCE.union(Conformance::GENERAL_PROTECTION);
const PLAIN_CONFORMANCE: Conformance = Conformance::BLOCK_TRANSFER_WITH_GET
    .union(Conformance::BLOCK_TRANSFER_WITH_SET)
    .union(Conformance::BLOCK_TRANSFER_WITH_ACTION)
    .union(Conformance::GENERAL_BLOCK_TRANSFER)
    .union(Conformance::MULTIPLE_REFERENCES)
    .union(Conformance::PRIORITY_MANAGEMENT)
    .union(Conformance::SELECTIVE_ACCESS)
    .union(Conformance::GET)
    .union(Conformance::SET)
    .union(Conformance::ACTION);
const PUBLIC_CONFORMANCE: Conformance = Conformance::BLOCK_TRANSFER_WITH_GET.union(Conformance::GET);

impl Meter {
    /// The object, if it is of this class and this role may do that with it.
    fn object(
        &self,
        agreed: &Agreed,
        class: u16,
        name: meterbench_iec62056::obis::Obis,
    ) -> Result<(Caller, objects::Object), DataAccessResult> {
        let role = Role::of_client(agreed.client).ok_or(DataAccessResult::READ_WRITE_DENIED)?;
        let object = objects::find(self.profile(), name).ok_or(DataAccessResult::OBJECT_UNDEFINED)?;
        if object.class().0 != class {
            return Err(DataAccessResult::OBJECT_CLASS_INCONSISTENT);
        }
        Ok((Caller { role, association: *agreed }, object))
    }

    /// What the class of an object offers.
    fn class(&self, object: &objects::Object) -> classes::Class {
        #[cfg(feature = "defects")]
        if self.defects.legal_write && matches!(object.kind, objects::Kind::Energy(..)) {
            return classes::Class { attributes: 3, writable: &[2], methods: 1 };
        }
        classes::of(object)
    }

    /// The rights of a role in a group.
    fn rights(&self, role: Role, group: Group) -> Rights {
        #[cfg(feature = "defects")]
        return self.defects.rights(role, group);
        #[cfg(not(feature = "defects"))]
        rights(role, group)
    }

    /// Somebody tried to write or to call what the role may not.
    fn note_denied(&mut self) {
        let now = self.stamp();
        self.records_mut().tell_security(now, SecurityEvent::AccessDenied);
    }
}

impl LogicalDevice for Meter {
    fn admission(&self, approach: &Approach) -> Option<Admission> {
        let role = Role::of_client(approach.client).filter(|role| *role == Role::Public || self.device().keyed)?;
        let plain = SecurityPolicy::Version0(0);
        if role == Role::Public {
            return Some(Admission { mechanism: role.mechanism(), policy: plain, conformance: PUBLIC_CONFORMANCE });
        }
        let comes_local = approach.interface == Interface::Local && approach.mechanism == Mechanism::LOW;
        if comes_local && self.device().ports.local_passwords && self.device().password(role).is_some() {
            return Some(Admission { mechanism: Mechanism::LOW, policy: plain, conformance: PLAIN_CONFORMANCE });
        }
        let policy = SecurityPolicy::Version0(3);
        Some(Admission { mechanism: role.mechanism(), policy, conformance: CONFORMANCE })
    }

    fn is_password(&self, client: u16, offered: &[u8]) -> bool {
        let password = Role::of_client(client).and_then(|role| self.device().password(role));
        password.is_some_and(|password| password_matches(password, offered))
    }

    fn key_generation(&self, client: u16) -> u32 {
        Role::of_client(client).and_then(slot).map_or(0, |n| self.device().generations[n])
    }

    fn protection(&self, client: u16) -> Option<Protection> {
        let keys = &self.device().identity.keys[slot(Role::of_client(client)?)?];
        Some(Protection::new(0, &Key(keys.encryption), &Key(keys.authentication)))
    }

    fn system_title(&self) -> SystemTitle {
        SystemTitle(self.device().system_title())
    }

    fn challenge(&mut self) -> [u8; 16] {
        let device = self.device_mut();
        device.challenges = device.challenges.wrapping_add(1);
        let (mut vector, mut challenge) = ([0; 12], [0; 16]);
        vector[..4].copy_from_slice(&device.challenges.to_be_bytes());
        Gcm::new(&Key(device.identity.seed)).apply_key_stream(&vector, &mut challenge);
        challenge
    }

    fn check_counter(&self, client: u16, counter: u32) -> Result<Accepted, CounterError> {
        let place = Role::of_client(client).and_then(slot).ok_or(CounterError::Exhausted)?;
        self.device().received[place].check(counter)
    }

    fn accept_counter(&mut self, client: u16, accepted: Accepted) {
        if let Some(place) = Role::of_client(client).and_then(slot) {
            self.device_mut().received[place].accept(accepted);
        }
    }

    fn raise_counter(&mut self, client: u16, counter: u32) {
        if let Some(place) = Role::of_client(client).and_then(slot) {
            self.device_mut().received[place].raise(counter);
        }
    }

    fn next_counter(&mut self, client: u16) -> Result<u32, CounterError> {
        let place = Role::of_client(client).and_then(slot).ok_or(CounterError::Exhausted)?;
        let counter = &mut self.device_mut().sent[place];
        let next = counter.checked_add(1).ok_or(CounterError::Exhausted)?;
        Ok(core::mem::replace(counter, next))
    }

    fn moment(&self) -> u32 {
        self.records().load.rows().end
    }

    fn get(
        &self,
        agreed: &Agreed,
        attribute: AttributeDescriptor,
        access: Option<SelectiveAccess<'_>>,
        moment: u32,
        out: &mut Writer<'_>,
    ) -> Result<(), DataAccessResult> {
        let (caller, object) = self.object(agreed, attribute.class, attribute.name)?;
        let class = self.class(&object);
        let number = u8::try_from(attribute.attribute).ok().filter(|n| (1..=class.attributes).contains(n));
        let number = number.ok_or(DataAccessResult::OBJECT_UNDEFINED)?;
        if number != 1 && !self.rights(caller.role, object.group).read {
            return Err(DataAccessResult::READ_WRITE_DENIED);
        }
        match access {
            None => classes::get(self, caller, &object, number, moment, out),
            Some(access) if number == 2 => classes::get_in_part(self, &object, access, moment, out),
            Some(_) => Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED),
        }
    }

    fn set(&mut self, agreed: &Agreed, attribute: AttributeDescriptor, value: EncodedData<'_>) -> DataAccessResult {
        let (caller, object) = match self.object(agreed, attribute.class, attribute.name) {
            Ok(found) => found,
            Err(result) => return result,
        };
        let class = self.class(&object);
        // Who may not write learns nothing of what is there.
        if !self.rights(caller.role, object.group).write {
            self.note_denied();
            return DataAccessResult::READ_WRITE_DENIED;
        }
        let Some(number) = u8::try_from(attribute.attribute).ok().filter(|n| (1..=class.attributes).contains(n)) else {
            return DataAccessResult::OBJECT_UNDEFINED;
        };
        if !class.writable.contains(&number) {
            self.note_denied();
            return DataAccessResult::READ_WRITE_DENIED;
        }
        let result = classes::set(self, &object, number, value);
        self.device_mut().changed |= result.is_success();
        result
    }

    fn act(&mut self, agreed: &Agreed, method: MethodDescriptor, parameter: Option<EncodedData<'_>>) -> ActionResult {
        let (caller, object) = match self.object(agreed, method.class, method.name) {
            Ok(found) => found,
            Err(result) => return ActionResult(result.0),
        };
        let class = self.class(&object);
        if !self.rights(caller.role, object.group).act {
            self.note_denied();
            return ActionResult::READ_WRITE_DENIED;
        }
        let Some(number) = u8::try_from(method.method).ok().filter(|n| (1..=class.methods).contains(n)) else {
            return ActionResult::OBJECT_UNDEFINED;
        };
        let result = classes::act(self, &object, number, parameter);
        self.device_mut().changed |= result.is_success();
        result
    }

    fn notice(&mut self, _: u16, notice: Notice) {
        let event = match notice {
            Notice::Associated => return,
            Notice::AuthenticationFailed => SecurityEvent::AuthenticationFailed,
            Notice::NotGenuine | Notice::NotProtected => SecurityEvent::NotGenuine,
            Notice::Replayed => SecurityEvent::Replayed,
            Notice::NotOffered => SecurityEvent::AccessDenied,
        };
        let now = self.stamp();
        self.records_mut().tell_security(now, event);
    }

    #[cfg(feature = "defects")]
    fn truncates_blocks(&self) -> bool {
        self.defects.blocks_truncated
    }
}
