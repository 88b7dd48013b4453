//! The wire's end in the chip: a serial wire debug port with one memory access port (ADIv5).
//!
//! Every transfer that a probe makes comes in here as one register access of a port, as it stands on the wire.

use super::chip::Chip;

const PORT_IDENTITY: u32 = 0x2ba0_1477;
const ACCESS_PORT_IDENTITY: u32 = 0x2477_0011;
/// Bits of CTRL/STAT: the sticky error; requests for power, and their acknowledgements one place above.
const STICKY_ERROR: u32 = 1 << 5;
const POWER_REQUESTS: u32 = 1 << 28 | 1 << 30;

/// How the chip answers a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Ok(u32),
    /// An earlier access failed, or this one did.
    Fault,
    /// Nobody drives the line.
    Nothing,
}

/// Debug port, access port, and the chip behind them.
#[derive(Debug)]
pub(super) struct DebugPort {
    pub(super) chip: Chip,
    /// A line reset has been seen since power came.
    connected: bool,
    control: u32,
    select: u32,
    transfer_control: u32,
    address: u32,
}

impl DebugPort {
    pub(super) fn new(chip: Chip) -> Self {
        Self { chip, connected: false, control: 0, select: 0, transfer_control: 0x4300_0042, address: 0 }
    }

    /// Bits on the data line while the clock runs: fifty ones in a row reset it.
    pub(super) fn sequence(&mut self, length: u8, bits: u64) {
        if length >= 50 && bits.trailing_ones() >= 50 {
            self.connected = true;
            self.select = 0;
        }
    }

    pub(super) fn read(&mut self, access_port: bool, register: u8) -> Answer {
        if !self.connected {
            return Answer::Nothing;
        }
        if access_port {
            return self.access(register, None);
        }
        Answer::Ok(match register & 0xc {
            0 => PORT_IDENTITY,
            4 if self.select & 0xf == 0 => self.control | (self.control & POWER_REQUESTS) << 1,
            _ => 0,
        })
    }

    pub(super) fn write(&mut self, access_port: bool, register: u8, value: u32) -> Answer {
        if !self.connected {
            return Answer::Nothing;
        }
        if access_port {
            return self.access(register, Some(value));
        }
        match register & 0xc {
            0 if value >> 2 & 1 == 1 => self.control &= !STICKY_ERROR,
            4 if self.select & 0xf == 0 => self.control = self.control & STICKY_ERROR | value & POWER_REQUESTS,
            8 => self.select = value,
            _ => {}
        }
        Answer::Ok(0)
    }

    /// Reads or writes a register of the selected access port; only number 0 exists.
    fn access(&mut self, register: u8, value: Option<u32>) -> Answer {
        self.chip.pass();
        if self.control & STICKY_ERROR != 0 || self.control & POWER_REQUESTS != POWER_REQUESTS {
            return Answer::Fault;
        }
        if self.select >> 24 != 0 {
            return Answer::Ok(0);
        }
        let register = self.select & 0xf0 | u32::from(register & 0xc);
        match (register, value) {
            (0x00, Some(value)) => self.transfer_control = value,
            (0x00, None) => return Answer::Ok(self.transfer_control | 0x40),
            (0x04, Some(value)) => self.address = value,
            (0x04, None) => return Answer::Ok(self.address),
            (0x0c, value) => {
                let answer = self.memory(self.address, value);
                if answer != Answer::Fault {
                    self.advance();
                }
                return answer;
            }
            (0x10..=0x1c, value) => return self.memory(self.address & !0xf | register & 0xc, value),
            (0xfc, None) => return Answer::Ok(ACCESS_PORT_IDENTITY),
            (0xf8, None) => return Answer::Ok(0xe00f_f003),
            _ => {}
        }
        Answer::Ok(0)
    }

    fn size(&self) -> u32 {
        1 << (self.transfer_control & 7).min(2)
    }

    /// One access on the bus of the chip; bytes stand in their own lanes.
    fn memory(&mut self, address: u32, value: Option<u32>) -> Answer {
        let lane = 8 * (address & 3);
        let result = match value {
            Some(value) => self.chip.write(address, self.size(), value >> lane).map(|()| 0),
            None => self.chip.read(address, self.size()).map(|value| value << lane),
        };
        match result {
            Ok(value) => Answer::Ok(value),
            Err(_) => {
                self.control |= STICKY_ERROR;
                Answer::Fault
            }
        }
    }

    /// The address goes on within its block of 1 KiB, and begins there anew.
    fn advance(&mut self) {
        if self.transfer_control >> 4 & 3 == 1 {
            let next = self.address.wrapping_add(self.size());
            self.address = self.address & !0x3ff | next & 0x3ff;
        }
    }
}
