//! The memory map of the chip, as core and debugger see it alike.

use std::collections::HashMap;

use super::flash_memory::{FLASH, FLASH_BYTES, FlashMemory};

/// Nothing answers at this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BusFault;

const SRAM: u32 = 0x2000_0000;
const SRAM_BYTES: usize = 128 * 1024;
const CORE_COUPLED: u32 = 0x1000_0000;
const CORE_COUPLED_BYTES: usize = 64 * 1024;
const FLASH_REGISTERS: u32 = 0x4002_3c00;
const WATCHDOG: u32 = 0x4000_3000;
const FLASH_SIZE: u32 = 0x1fff_7a20;
const DEVICE_IDENTITY: u32 = 0xe004_2000;

/// Memories and peripherals.
#[derive(Debug)]
pub(super) struct Memory {
    sram: Vec<u8>,
    core_coupled: Vec<u8>,
    pub(super) flash: FlashMemory,
    /// What DBGMCU_IDCODE says.
    pub(super) identity: u32,
    /// What the size register in the system memory says (KiB).
    pub(super) flash_kib: u16,
    /// Registers of the private peripheral bus that only keep what is written.
    kept: HashMap<u32, u32>,
}

impl Memory {
    pub(super) fn new(identity: u32) -> Self {
        // What a core shows of itself: CPUID, floating point, six breakpoints.
        let kept = HashMap::from([(0xe000_ed00, 0x410f_c241), (0xe000_ef40, 0x1011_0021), (0xe000_2000, 0x260)]);
        Self {
            // RAM holds whatever it powers up with.
            sram: vec![0xa5; SRAM_BYTES],
            core_coupled: vec![0xa5; CORE_COUPLED_BYTES],
            flash: FlashMemory::new(0x5a),
            identity,
            flash_kib: 1024,
            kept,
        }
    }

    pub(super) fn reset(&mut self) {
        self.flash.reset();
    }

    /// Reads one, two or four bytes, aligned or not, least significant first.
    pub(super) fn read(&mut self, address: u32, size: u32) -> Result<u32, BusFault> {
        if is_register(address) {
            return self.read_register(address & !3).map(|word| cut(word >> (8 * (address & 3)), size));
        }
        let mut value = 0;
        for n in 0..size {
            value |= u32::from(self.byte(address.wrapping_add(n))?) << (8 * n);
        }
        Ok(value)
    }

    fn byte(&mut self, address: u32) -> Result<u8, BusFault> {
        if let Some(offset) = flash_offset(address) {
            return self.flash.read(offset);
        }
        if let Some(n) = address.checked_sub(FLASH_SIZE).filter(|n| *n < 4) {
            return Ok((u32::from(self.flash_kib) << 16).to_le_bytes()[n as usize]);
        }
        self.ram(address).map(|byte| *byte)
    }

    fn ram(&mut self, address: u32) -> Result<&mut u8, BusFault> {
        let within = |base: u32| address.checked_sub(base).map(|offset| offset as usize);
        if let Some(byte) = within(SRAM).and_then(|offset| self.sram.get_mut(offset)) {
            return Ok(byte);
        }
        within(CORE_COUPLED).and_then(|offset| self.core_coupled.get_mut(offset)).ok_or(BusFault)
    }

    /// Writes one, two or four bytes.
    pub(super) fn write(&mut self, address: u32, size: u32, value: u32) -> Result<(), BusFault> {
        if is_register(address) {
            return self.write_register(address & !3, value);
        }
        let bytes = &value.to_le_bytes()[..size as usize];
        if let Some(offset) = flash_offset(address) {
            self.flash.program(offset, bytes);
            return Ok(());
        }
        for (n, byte) in bytes.iter().enumerate() {
            *self.ram(address.wrapping_add(n as u32))? = *byte;
        }
        Ok(())
    }

    fn read_register(&mut self, address: u32) -> Result<u32, BusFault> {
        match address {
            DEVICE_IDENTITY => Ok(self.identity),
            0xe000_0000.. => Ok(self.kept.get(&address).copied().unwrap_or(0)),
            WATCHDOG..0x4000_3400 => Ok(0),
            FLASH_REGISTERS..0x4002_4000 => Ok(self.flash.read_register(address - FLASH_REGISTERS)),
            _ => Err(BusFault),
        }
    }

    fn write_register(&mut self, address: u32, value: u32) -> Result<(), BusFault> {
        match address {
            0xe000_2000 => {}
            0xe000_0000.. => _ = self.kept.insert(address, value),
            WATCHDOG..0x4000_3400 => {}
            FLASH_REGISTERS..0x4002_4000 => self.flash.write_register(address - FLASH_REGISTERS, value),
            _ => return Err(BusFault),
        }
        Ok(())
    }
}

fn is_register(address: u32) -> bool {
    address >= 0x4000_0000
}

/// The flash, also where it is mapped to for booting.
fn flash_offset(address: u32) -> Option<usize> {
    let offset = address.checked_sub(FLASH).unwrap_or(address) as usize;
    (offset < FLASH_BYTES).then_some(offset)
}

fn cut(word: u32, size: u32) -> u32 {
    if size == 4 { word } else { word & ((1 << (8 * size)) - 1) }
}
