//! The chip: core, memories, and the debug registers by which a debugger holds the core.
//!
//! Source: ARMv7-M Architecture Reference Manual, debug.

use super::memory::{BusFault, Memory};
use super::thumb::{Core, PC, SP, Stop};

const DHCSR: u32 = 0xe000_edf0;
const DCRSR: u32 = 0xe000_edf4;
const DCRDR: u32 = 0xe000_edf8;
const DEMCR: u32 = 0xe000_edfc;
const DFSR: u32 = 0xe000_ed30;
const AIRCR: u32 = 0xe000_ed0c;

/// Why the core halted, in DFSR.
const HALTED: u32 = 1;
const BREAKPOINT: u32 = 1 << 1;
const VECTOR_CATCH: u32 = 1 << 3;

/// Instructions that pass between two transfers on the wire.
const PER_TRANSFER: u32 = 400;

/// A microcontroller of the kind STM32F405.
#[derive(Debug)]
pub(super) struct Chip {
    core: Core,
    pub(super) memory: Memory,
    /// Bits of DHCSR that a debugger writes: debug enabled, halt, step, mask.
    debug: u32,
    halted: bool,
    locked_up: bool,
    was_reset: bool,
    reasons: u32,
    catch: u32,
    transfer: u32,
}

impl Chip {
    pub(super) fn new(identity: u32) -> Self {
        Self {
            core: Core::default(),
            memory: Memory::new(identity),
            debug: 0,
            halted: false,
            locked_up: true,
            was_reset: true,
            reasons: 0,
            catch: 0,
            transfer: 0,
        }
    }

    fn debugged(&self) -> bool {
        self.debug & 1 == 1
    }

    /// The core begins at the reset vector, unless a debugger catches it there.
    pub(super) fn reset(&mut self) {
        self.memory.reset();
        let vector = |memory: &mut Memory, at| memory.read(at, 4).unwrap_or(u32::MAX);
        self.core = Core::default();
        self.core.r[SP] = vector(&mut self.memory, 0) & !3;
        self.core.r[PC] = vector(&mut self.memory, 4) & !1;
        (self.was_reset, self.locked_up, self.halted) = (true, false, false);
        self.debug &= 1;
        if self.debugged() && self.catch & 1 == 1 {
            self.halt(VECTOR_CATCH);
        }
    }

    fn halt(&mut self, reason: u32) {
        self.halted = true;
        self.reasons |= reason;
    }

    /// Lets the core run while the next transfer comes over the wire.
    pub(super) fn pass(&mut self) {
        for _ in 0..PER_TRANSFER {
            self.memory.flash.tick();
            if self.halted || self.locked_up {
                continue;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        match self.core.step(&mut self.memory) {
            Ok(()) => {}
            Err(Stop::Breakpoint) if self.debugged() => self.halt(BREAKPOINT),
            Err(_) => self.locked_up = true,
        }
    }

    /// A read by the debugger.
    pub(super) fn read(&mut self, address: u32, size: u32) -> Result<u32, BusFault> {
        Ok(match address & !3 {
            DHCSR => {
                let bit = |set: bool, place: u32| u32::from(set) << place;
                let reset = std::mem::take(&mut self.was_reset);
                self.debug | bit(true, 16) | bit(self.halted, 17) | bit(self.locked_up, 19) | bit(reset, 25)
            }
            DCRDR => self.transfer,
            DEMCR => self.catch,
            DFSR => self.reasons,
            AIRCR => 0xfa05_0000,
            _ => return self.memory.read(address, size),
        })
    }

    /// A write by the debugger.
    pub(super) fn write(&mut self, address: u32, size: u32, value: u32) -> Result<(), BusFault> {
        match address & !3 {
            DHCSR if value >> 16 == 0xa05f => self.control(value & 0xf),
            DHCSR => {}
            DCRSR => self.move_register(value),
            DCRDR => self.transfer = value,
            DEMCR => self.catch = value,
            DFSR => self.reasons &= !value,
            AIRCR if value >> 16 == 0x05fa && value >> 2 & 1 == 1 => self.reset(),
            AIRCR => {}
            _ => return self.memory.write(address, size, value),
        }
        Ok(())
    }

    fn control(&mut self, debug: u32) {
        self.debug = debug;
        if !self.debugged() {
            self.halted = false;
        } else if debug >> 1 & 1 == 1 {
            if !self.halted {
                self.halt(HALTED);
            }
            self.locked_up = false;
        } else if debug >> 2 & 1 == 1 {
            self.halted = false;
            self.step();
            if !self.locked_up {
                self.halt(if self.halted { 0 } else { HALTED });
            }
        } else {
            self.halted = false;
        }
    }

    /// Between the core's registers and DCRDR, while it is halted.
    fn move_register(&mut self, selection: u32) {
        if !self.halted {
            return;
        }
        let into_core = selection >> 16 & 1 == 1;
        match ((selection & 0x7f) as usize, into_core) {
            (n @ 0..16, true) => self.core.r[n] = if n == PC { self.transfer & !1 } else { self.transfer },
            (n @ 0..16, false) => self.transfer = self.core.r[n],
            (16, true) => self.core.set_status(self.transfer),
            (16, false) => self.transfer = self.core.status(),
            (17, true) => self.core.r[SP] = self.transfer,
            (17, false) => self.transfer = self.core.r[SP],
            (_, true) => {}
            (_, false) => self.transfer = 0,
        }
    }
}
