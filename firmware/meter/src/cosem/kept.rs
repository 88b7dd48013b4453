//! What outlives a power cut beside the registers: the clock, the set-up of the ports, counters, and keys that were changed.
//!
//! A shell need not write an image for every request. The counters in an image lie [`RESERVE`] ahead of those in use, and
//! [`Device::needs_keeping`] says when they have caught up; the shell then keeps an image before anything leaves a port.
//! So a number of this meter that anybody has seen is never used again, and a request whose answer anybody has seen is
//! never accepted again. A request that a cut overtook before its image was kept left nothing behind: image and effect
//! are one write, so if it comes again, it is carried out for the first time. What a client changes is kept at once.

use meterbench_iec62056::octets::{DecodeError, DecodeErrorKind, Reader, Writer};
use meterbench_iec62056::security::ReceiveCounter;

use super::{Device, RoleKeys};
use crate::clock::Clock;

/// Numbers that a counter in an image lies ahead: what a power cut costs of 2³², and how many requests cost one write.
pub(crate) const RESERVE: u32 = 100;
/// A counter of which every number is used up.
const USED_UP: u64 = 1 << 32;

/// What an image holds beside the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptDevice {
    clock: Clock,
    ports: KeptPorts,
    counters: Counters,
    roles: [KeptKeys; 3],
}

/// What clients write of the set-up of the ports, see [`super::Ports`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeptPorts {
    proposed_baud: u8,
    quick: bool,
    between_octets_ms: u16,
    inactivity_s: u16,
}

/// The least numbers that are new, of every role and of the challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    /// Of requests; up to [`USED_UP`].
    received: [u64; 3],
    /// Of answers.
    sent: [u32; 3],
    challenges: u32,
}

/// Keys of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeptKeys {
    /// How often they were changed.
    generation: u32,
    /// Zeros while they are those of delivery, which no image shows.
    keys: RoleKeys,
}

impl Counters {
    /// Of a meter that has never spoken.
    pub(super) const NONE: Self = Self { received: [0; 3], sent: [0; 3], challenges: 0 };

    /// What an image says of these, if the one before said `reserved`: numbers that were reserved still serve.
    fn ahead_of(self, reserved: &Self) -> Self {
        let [received, sent] = [self.received, self.sent.map(u64::from)];
        let ahead = |used: u64, reserved: u64| if used <= reserved { reserved } else { used + u64::from(RESERVE) };
        let sent = core::array::from_fn(|n| ahead(sent[n], reserved.sent[n].into()));
        // The last number stays to be used.
        let last = USED_UP - 1;
        Self {
            received: core::array::from_fn(|n| {
                if received[n] == USED_UP { USED_UP } else { ahead(received[n], reserved.received[n]).min(last) }
            }),
            sent: sent.map(|n: u64| n.min(last) as u32),
            challenges: ahead(self.challenges.into(), reserved.challenges.into()).min(last) as u32,
        }
    }
}

impl Device {
    fn counters(&self) -> Counters {
        Counters {
            received: self.received.map(|counter| counter.stored().map_or(USED_UP, u64::from)),
            sent: self.sent,
            challenges: self.challenges,
        }
    }

    /// What an image made now holds.
    pub(crate) fn kept(&self) -> KeptDevice {
        let ports = &self.ports;
        let keys = |n: usize| KeptKeys {
            generation: self.generations[n],
            keys: if self.generations[n] == 0 { super::NO_KEYS } else { self.identity.keys[n] },
        };
        KeptDevice {
            clock: self.clock,
            ports: KeptPorts {
                proposed_baud: ports.proposed_baud,
                quick: ports.quick,
                between_octets_ms: ports.between_octets_ms,
                inactivity_s: ports.inactivity_s,
            },
            counters: self.counters().ahead_of(&self.reserved),
            roles: [0, 1, 2].map(keys),
        }
    }

    /// An image must be kept before anything leaves a port: counters reached those that are kept, or a client changed something.
    pub(crate) fn needs_keeping(&self) -> bool {
        self.changed || self.counters().ahead_of(&self.reserved) != self.reserved
    }

    /// An image made now is kept.
    pub(crate) fn keep(&mut self) {
        self.changed = false;
        self.reserved = self.counters().ahead_of(&self.reserved);
    }

    /// Goes on with what an image holds; the clock with its own trim.
    pub(crate) fn restore(&mut self, kept: &KeptDevice) {
        self.clock.restore(&kept.clock);
        let KeptPorts { proposed_baud, quick, between_octets_ms, inactivity_s } = kept.ports;
        self.ports = super::Ports { proposed_baud, quick, between_octets_ms, inactivity_s, ..self.ports };
        let Counters { received, sent, challenges } = kept.counters;
        self.received = received.map(|n| ReceiveCounter::from_storage(u32::try_from(n).ok()));
        (self.sent, self.challenges, self.reserved) = (sent, challenges, kept.counters);
        for (n, role) in kept.roles.iter().enumerate() {
            self.generations[n] = role.generation;
            if role.generation > 0 {
                self.identity.keys[n] = role.keys;
            }
        }
    }
}

impl KeptDevice {
    /// The clock as it stood.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Bytes: clock, set-up of the ports, challenges; then of each role counter of requests and of answers, generation, keys.
    pub(crate) const SIZE: usize = Clock::KEPT + 6 + 4 + 3 * Self::ROLE;
    /// Bytes of each role.
    pub(crate) const ROLE: usize = 8 + 4 + 4 + 3 * 16;

    /// Writes the bytes, numbers least significant byte first.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        self.clock.write(out);
        out.put_array(&[self.ports.proposed_baud, u8::from(self.ports.quick)]);
        out.put_array(&self.ports.between_octets_ms.to_le_bytes());
        out.put_array(&self.ports.inactivity_s.to_le_bytes());
        out.put_array(&self.counters.challenges.to_le_bytes());
        for (n, KeptKeys { generation, keys }) in self.roles.iter().enumerate() {
            out.put_array(&self.counters.received[n].to_le_bytes());
            out.put_array(&self.counters.sent[n].to_le_bytes());
            out.put_array(&generation.to_le_bytes());
            [keys.encryption, keys.authentication, keys.master].iter().for_each(|key| out.put_array(key));
        }
    }

    /// Reads them.
    pub(crate) fn read(bytes: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let clock = Clock::read(bytes)?;
        let [proposed_baud, quick] = *bytes.array()?;
        let ports = KeptPorts {
            proposed_baud,
            quick: quick != 0,
            between_octets_ms: u16::from_le_bytes(*bytes.array()?),
            inactivity_s: u16::from_le_bytes(*bytes.array()?),
        };
        let mut counters = Counters { challenges: u32::from_le_bytes(*bytes.array()?), ..Counters::NONE };
        let mut roles = [KeptKeys { generation: 0, keys: super::NO_KEYS }; 3];
        for (n, role) in roles.iter_mut().enumerate() {
            counters.received[n] = u64::from_le_bytes(*bytes.array()?);
            if counters.received[n] > USED_UP {
                return Err(bytes.error_behind(DecodeErrorKind::Value));
            }
            counters.sent[n] = u32::from_le_bytes(*bytes.array()?);
            let generation = u32::from_le_bytes(*bytes.array()?);
            let [encryption, authentication, master] = [*bytes.array()?, *bytes.array()?, *bytes.array()?];
            *role = KeptKeys { generation, keys: RoleKeys { encryption, authentication, master } };
        }
        Ok(Self { clock, ports, counters, roles })
    }
}
