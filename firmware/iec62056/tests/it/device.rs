//! A logical device with one attribute of each kind that matters, for tests of a server and for its fuzz target.

use std::cell::Cell;

use meterbench_iec62056::acse::{Conformance, Mechanism};
use meterbench_iec62056::apdu::{
    ActionResult, AttributeDescriptor, DataAccessResult, MethodDescriptor, SelectiveAccess,
};
use meterbench_iec62056::client::Credentials;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{
    Accepted, CounterError, Key, Protection, ReceiveCounter, SecurityPolicy, SystemTitle,
};
use meterbench_iec62056::server::{Admission, Agreed, Approach, LogicalDevice, Notice};

/// Speaks plain, without a proof.
pub(crate) const PLAIN: u16 = 16;
/// Speaks plain, and takes general blocks alone.
pub(crate) const GENERAL_ONLY: u16 = 17;
/// Has keys.
pub(crate) const KEYED: u16 = 1;

const KEYS: [u8; 2] = [0x31, 0x32];

pub(crate) const CONFORMANCE: Conformance = Conformance::GENERAL_PROTECTION
    .union(Conformance::GENERAL_BLOCK_TRANSFER)
    .union(Conformance::BLOCK_TRANSFER_WITH_GET)
    .union(Conformance::BLOCK_TRANSFER_WITH_SET)
    .union(Conformance::MULTIPLE_REFERENCES)
    .union(Conformance::GET)
    .union(Conformance::SET)
    .union(Conformance::ACTION);

pub(crate) struct Device {
    /// Elements of the array: attribute 2 of class 7.
    pub(crate) rows: usize,
    /// What is added to each of them; a row changes when this does.
    pub(crate) salt: Cell<u8>,
    /// What was written last to attribute 2 of class 1.
    pub(crate) written: Vec<u8>,
    pub(crate) acted: usize,
    pub(crate) notices: Vec<Notice>,
    received: ReceiveCounter,
    pub(crate) sent: u32,
    challenges: u8,
}

impl Device {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            rows,
            salt: Cell::new(0),
            written: Vec::new(),
            acted: 0,
            notices: Vec::new(),
            received: ReceiveCounter::NEW,
            sent: 100,
            challenges: 0,
        }
    }

    fn array(&self, writer: &mut Writer<'_>) {
        writer.array(self.rows);
        for row in 0..self.rows {
            if writer.wants(5) {
                writer.double_long_unsigned((row as u32).wrapping_add(u32::from(self.salt.get()) << 24));
            } else {
                writer.skip(5);
            }
        }
    }
}

/// How a client comes to the device.
pub(crate) fn credentials(client: u16, general: bool, dedicated: Option<Key>) -> Credentials {
    if client != KEYED {
        return Credentials::public();
    }
    Credentials {
        mechanism: Mechanism::HIGH_GMAC,
        secret: [0x5A; 16],
        title: SystemTitle(*b"MBB\0\0\0\0\x01"),
        keys: Some((Key([KEYS[0]; 16]), Key([KEYS[1]; 16]))),
        counter: 0,
        general,
        dedicated,
    }
}

pub(crate) const fn array() -> AttributeDescriptor {
    AttributeDescriptor { class: 7, name: Obis([1, 0, 99, 1, 0, 255]), attribute: 2 }
}

pub(crate) const fn memory() -> AttributeDescriptor {
    AttributeDescriptor { class: 1, name: Obis([0, 0, 96, 1, 0, 255]), attribute: 2 }
}

impl LogicalDevice for Device {
    fn admission(&self, approach: &Approach) -> Option<Admission> {
        let (mechanism, policy) = match approach.client {
            PLAIN | GENERAL_ONLY => (Mechanism::LOWEST, SecurityPolicy::Version0(0)),
            KEYED => (Mechanism::HIGH_GMAC, SecurityPolicy::Version0(3)),
            _ => return None,
        };
        let general_only = Conformance::GENERAL_BLOCK_TRANSFER.union(Conformance::GET);
        let conformance = if approach.client == GENERAL_ONLY { general_only } else { CONFORMANCE };
        Some(Admission { mechanism, policy, conformance })
    }

    fn is_password(&self, _: u16, _: &[u8]) -> bool {
        false
    }

    fn key_generation(&self, _: u16) -> u32 {
        0
    }

    fn protection(&self, client: u16) -> Option<Protection> {
        (client == KEYED).then(|| Protection::new(0, &Key([KEYS[0]; 16]), &Key([KEYS[1]; 16])))
    }

    fn system_title(&self) -> SystemTitle {
        SystemTitle(*b"KAM\0\0\0\0\x02")
    }

    fn challenge(&mut self) -> [u8; 16] {
        self.challenges = self.challenges.wrapping_add(1);
        [self.challenges; 16]
    }

    fn check_counter(&self, _: u16, counter: u32) -> Result<Accepted, CounterError> {
        self.received.check(counter)
    }

    fn accept_counter(&mut self, _: u16, accepted: Accepted) {
        self.received.accept(accepted);
    }

    fn raise_counter(&mut self, _: u16, counter: u32) {
        self.received.raise(counter);
    }

    fn next_counter(&mut self, _: u16) -> Result<u32, CounterError> {
        self.sent += 1;
        Ok(self.sent)
    }

    fn moment(&self) -> u32 {
        0
    }

    fn get(
        &self,
        _: &Agreed,
        attribute: AttributeDescriptor,
        _: Option<SelectiveAccess<'_>>,
        _: u32,
        out: &mut Writer<'_>,
    ) -> Result<(), DataAccessResult> {
        match attribute {
            _ if attribute == array() => self.array(out),
            _ if attribute == memory() => out.octet_string_data(&self.written),
            _ => return Err(DataAccessResult::OBJECT_UNDEFINED),
        }
        Ok(())
    }

    fn set(&mut self, _: &Agreed, attribute: AttributeDescriptor, value: EncodedData<'_>) -> DataAccessResult {
        match value.value().octets() {
            _ if attribute != memory() => DataAccessResult::READ_WRITE_DENIED,
            None => DataAccessResult::TYPE_UNMATCHED,
            Some(octets) => {
                octets.clone_into(&mut self.written);
                DataAccessResult::SUCCESS
            }
        }
    }

    fn act(&mut self, _: &Agreed, _: MethodDescriptor, _: Option<EncodedData<'_>>) -> ActionResult {
        self.acted += 1;
        ActionResult::SUCCESS
    }

    fn notice(&mut self, _: u16, notice: Notice) {
        self.notices.push(notice);
    }
}
