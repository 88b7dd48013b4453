//! The flash of the chip and its controller: sectors are erased to ones, programming only clears bits, and nothing moves
//! before the key has been given.
//!
//! Source: ST RM0090, embedded Flash memory interface.

use super::memory::BusFault;

/// Where the flash begins.
pub const FLASH: u32 = 0x0800_0000;
/// Its size.
pub(super) const FLASH_BYTES: usize = 1024 * 1024;

const KEY: [u32; 2] = [0x4567_0123, 0xcdef_89ab];
const BUSY: u32 = 1 << 16;
const WRITE_PROTECTED: u32 = 1 << 4;
const WRONG_PARALLELISM: u32 = 1 << 6;
const WRONG_SEQUENCE: u32 = 1 << 7;
const PROGRAM: u32 = 1;
const SECTOR_ERASE: u32 = 1 << 1;
const MASS_ERASE: u32 = 1 << 2;
const START: u32 = 1 << 16;
const LOCK: u32 = 1 << 31;
/// Read protection off.
const OPEN: u32 = 0xaa;
/// Instructions that the controller stays busy, where the chip takes 16 µs and a second.
const BUSY_PROGRAM: u32 = 3;
const BUSY_ERASE: u32 = 400;

/// A cell that does not change any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StuckBit {
    pub address: u32,
    pub bit: u8,
    pub value: bool,
}

/// Cells and controller.
#[derive(Debug)]
pub(super) struct FlashMemory {
    cells: Vec<u8>,
    pub(super) stuck: Option<StuckBit>,
    /// Byte of the option bytes; anything but 0xaa protects.
    protection: u32,
    control: u32,
    status: u32,
    /// Words of the key given so far; `None` after a wrong one, until the next reset.
    keys: Option<usize>,
    busy: u32,
    pub(super) erased_sectors: u32,
}

impl FlashMemory {
    pub(super) fn new(contents: u8) -> Self {
        Self {
            cells: vec![contents; FLASH_BYTES],
            stuck: None,
            protection: OPEN,
            control: LOCK,
            status: 0,
            keys: Some(0),
            busy: 0,
            erased_sectors: 0,
        }
    }

    /// Protects against reading (level 1).
    pub(super) fn protect(&mut self) {
        self.protection = 0x55;
    }

    pub(super) fn reset(&mut self) {
        (self.control, self.status, self.keys, self.busy) = (LOCK, 0, Some(0), 0);
    }

    /// What stands in the cells, whoever may read it.
    pub(super) fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// Time passes by one instruction.
    pub(super) fn tick(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// A protected flash answers nobody while a debugger is connected.
    pub(super) fn read(&self, offset: usize) -> Result<u8, BusFault> {
        if self.protection != OPEN {
            return Err(BusFault);
        }
        self.cells.get(offset).copied().ok_or(BusFault)
    }

    /// Programs bytes: only where the controller was told to, and only from one to zero.
    pub(super) fn program(&mut self, offset: usize, bytes: &[u8]) {
        let parallelism = 1usize << (self.control >> 8 & 3);
        if self.control & (LOCK | PROGRAM) != PROGRAM || self.busy > 0 {
            self.status |= WRONG_SEQUENCE;
        } else if self.protection != OPEN {
            self.status |= WRITE_PROTECTED;
        } else if bytes.len() != parallelism {
            self.status |= WRONG_PARALLELISM;
        } else if let Some(cells) = self.cells.get_mut(offset..offset + bytes.len()) {
            cells.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell &= byte);
            self.busy = BUSY_PROGRAM;
            self.hold_stuck();
        }
    }

    pub(super) fn read_register(&self, offset: u32) -> u32 {
        match offset {
            0x0c => self.status | if self.busy > 0 { BUSY } else { 0 },
            0x10 => self.control,
            0x14 => 0x0fff_00ed | self.protection << 8,
            _ => 0,
        }
    }

    pub(super) fn write_register(&mut self, offset: u32, value: u32) {
        match offset {
            0x04 => self.key(value),
            0x0c => self.status &= !value,
            0x10 if self.control & LOCK == 0 && self.busy == 0 => {
                self.control = value & !START;
                if value & START != 0 {
                    self.erase();
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, value: u32) {
        self.keys = match self.keys {
            Some(given) if KEY[given] == value => Some(given + 1),
            _ => None,
        };
        if self.keys == Some(KEY.len()) {
            self.control &= !LOCK;
            self.keys = Some(0);
        }
    }

    fn erase(&mut self) {
        let range = if self.control & MASS_ERASE != 0 {
            0..FLASH_BYTES
        } else if self.control & SECTOR_ERASE != 0 {
            sector(self.control >> 3 & 0xf)
        } else {
            self.status |= WRONG_SEQUENCE;
            return;
        };
        if self.protection != OPEN {
            self.status |= WRITE_PROTECTED;
            return;
        }
        self.cells[range].fill(0xff);
        self.erased_sectors += 1;
        self.busy = BUSY_ERASE;
        self.hold_stuck();
    }

    fn hold_stuck(&mut self) {
        let Some(StuckBit { address, bit, value }) = self.stuck else { return };
        if let Some(cell) = self.cells.get_mut(address.wrapping_sub(FLASH) as usize) {
            *cell = if value { *cell | 1 << bit } else { *cell & !(1 << bit) };
        }
    }
}

/// Four of 16 KiB, one of 64 KiB, seven of 128 KiB.
fn sector(number: u32) -> std::ops::Range<usize> {
    const KIB: usize = 1024;
    match number as usize {
        n @ 0..=3 => n * 16 * KIB..(n + 1) * 16 * KIB,
        4 => 64 * KIB..128 * KIB,
        n @ 5..=11 => (n - 4) * 128 * KIB..(n - 3) * 128 * KIB,
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u32 = 0x04;
    const STATUS: u32 = 0x0c;
    const CONTROL: u32 = 0x10;
    const BY_WORD: u32 = 2 << 8;

    fn unlocked() -> FlashMemory {
        let mut flash = FlashMemory::new(0x5a);
        KEY.iter().for_each(|key| flash.write_register(KEYS, *key));
        flash
    }

    fn wait(flash: &mut FlashMemory) {
        while flash.read_register(STATUS) & BUSY != 0 {
            flash.tick();
        }
    }

    #[test]
    fn programming_only_clears_bits_and_erasing_sets_a_whole_sector() {
        let mut flash = unlocked();
        flash.write_register(CONTROL, PROGRAM | BY_WORD);
        flash.program(16, &[0xf0; 4]);
        assert_eq!(flash.cells()[15..21], [0x5a, 0x50, 0x50, 0x50, 0x50, 0x5a]);
        wait(&mut flash);
        flash.write_register(CONTROL, SECTOR_ERASE | 1 << 3 | START);
        wait(&mut flash);
        assert_eq!(flash.cells().iter().position(|cell| *cell == 0xff), Some(16 * 1024));
        assert_eq!(flash.cells().iter().rposition(|cell| *cell == 0xff), Some(32 * 1024 - 1));
    }

    #[test]
    fn nothing_moves_without_the_key_or_after_a_wrong_one() {
        let mut flash = FlashMemory::new(0x5a);
        for keys in [&[][..], &[KEY[0]], &[KEY[1], KEY[0]], &[KEY[0], 7, KEY[0], KEY[1]]] {
            flash.reset();
            keys.iter().for_each(|key| flash.write_register(KEYS, *key));
            flash.write_register(CONTROL, PROGRAM | BY_WORD);
            flash.program(0, &[0; 4]);
            flash.write_register(CONTROL, MASS_ERASE | START);
            assert!(flash.cells().iter().all(|cell| *cell == 0x5a), "{keys:x?}");
            assert_eq!(flash.read_register(STATUS), WRONG_SEQUENCE);
            assert_eq!(flash.read_register(CONTROL), LOCK);
        }
    }

    #[test]
    fn an_access_that_comes_too_early_or_in_the_wrong_size_is_an_error_of_its_own() {
        let mut flash = unlocked();
        flash.write_register(CONTROL, PROGRAM | BY_WORD);
        flash.program(0, &[0; 2]);
        assert_eq!(flash.read_register(STATUS), WRONG_PARALLELISM);
        flash.program(0, &[0; 4]);
        flash.program(4, &[0; 4]);
        assert_eq!(flash.read_register(STATUS), BUSY | WRONG_PARALLELISM | WRONG_SEQUENCE);
        assert_eq!(flash.cells()[..5], [0, 0, 0, 0, 0x5a]);
        wait(&mut flash);
        flash.write_register(STATUS, WRONG_SEQUENCE);
        assert_eq!(flash.read_register(STATUS), WRONG_PARALLELISM);
    }

    #[test]
    fn a_protected_flash_gives_nothing_away_and_takes_nothing() {
        let mut flash = unlocked();
        flash.protect();
        assert_eq!(flash.read(0), Err(BusFault));
        flash.write_register(CONTROL, SECTOR_ERASE | START);
        flash.write_register(CONTROL, PROGRAM | BY_WORD);
        flash.program(0, &[0; 4]);
        assert_eq!(flash.read_register(STATUS), WRITE_PROTECTED);
        assert!(flash.cells().iter().all(|cell| *cell == 0x5a));
    }
}
