//! An emulated STM32F405 on an emulated probe, for tests of everything above the wire.
//!
//! probe-rs talks to it as to any probe: it reads and writes registers of the debug port. What stands in the flash at
//! the end comes only from what the wire wrote and from what the core made of it: probe-rs loads its flash algorithm
//! into the RAM, the core executes it, and the flash obeys its controller. Time in the chip passes with transfers.
//!
//! Deliberately absent: interrupts, timers, the analogue side, and the instructions of Thumb-2.

mod chip;
mod debug_port;
pub mod firmware;
mod flash_memory;
mod memory;
mod thumb;
mod usb;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use probe_rs::probe::list::Lister;

use crate::probes::Probes;
use chip::Chip;
use debug_port::{Answer, DebugPort};

pub use flash_memory::{FLASH, StuckBit};

/// Identity of an STM32F405, as DBGMCU_IDCODE says it.
pub const STM32F405: u32 = 0x1007_6413;
/// Identity of an STM32F42x.
pub const STM32F427: u32 = 0x2003_6419;

/// What happens to the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The chip loses its supply: nobody answers any more.
    Power,
    /// The USB cable of the probe is pulled.
    Usb,
}

#[derive(Debug)]
struct Wire {
    port: DebugPort,
    powered: bool,
    plugged: bool,
    transfers: u64,
    /// What happens at this transfer.
    cut: Option<(u64, Cut)>,
}

/// A board with the chip on it; clones are the same board.
#[derive(Debug, Clone)]
pub struct Board(Arc<Mutex<Wire>>);

impl Board {
    /// A powered board with a chip of this identity, its flash full of old firmware.
    pub fn new(identity: u32) -> Self {
        let port = DebugPort::new(Chip::new(identity));
        Self(Arc::new(Mutex::new(Wire { port, powered: true, plugged: true, transfers: 0, cut: None })))
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the read protection of the chip.
    pub fn protect(self) -> Self {
        self.wire().port.chip.memory.flash.protect();
        self
    }

    /// Takes the supply away.
    pub fn unpowered(self) -> Self {
        self.wire().powered = false;
        self
    }

    /// A chip with less flash than its type has (KiB).
    pub fn with_flash(self, kib: u16) -> Self {
        self.wire().port.chip.memory.flash_kib = kib;
        self
    }

    /// Wears a cell out.
    pub fn with_stuck(self, stuck: StuckBit) -> Self {
        self.wire().port.chip.memory.flash.stuck = Some(stuck);
        self
    }

    /// Something happens to the cable after so many more transfers.
    pub fn cut_after(&self, transfers: u64, cut: Cut) {
        let mut wire = self.wire();
        wire.cut = Some((wire.transfers + transfers, cut));
    }

    /// Transfers on the wire so far.
    pub fn transfers(&self) -> u64 {
        self.wire().transfers
    }

    /// The cells of the flash themselves.
    pub fn flash(&self) -> Vec<u8> {
        self.wire().port.chip.memory.flash.cells().to_vec()
    }

    /// Sectors that have been erased so far.
    pub fn erased_sectors(&self) -> u32 {
        self.wire().port.chip.memory.flash.erased_sectors
    }
}

impl Wire {
    /// Counts a transfer; whether probe and chip still have each other.
    fn transfer(&mut self) {
        self.transfers += 1;
        match self.cut {
            Some((at, Cut::Power)) if self.transfers >= at => self.powered = false,
            Some((at, Cut::Usb)) if self.transfers >= at => self.plugged = false,
            _ => {}
        }
    }

    fn read(&mut self, access_port: bool, register: u8) -> Answer {
        self.transfer();
        if self.powered { self.port.read(access_port, register) } else { Answer::Nothing }
    }

    fn write(&mut self, access_port: bool, register: u8, value: u32) -> Answer {
        self.transfer();
        if self.powered { self.port.write(access_port, register, value) } else { Answer::Nothing }
    }
}

/// Probes on the USB of this machine: each with its serial number and the board behind it.
pub fn probes(boards: &[(&str, &Board)]) -> Probes {
    probes_seen(boards, || {})
}

/// The same; `look` is called whenever somebody looks for a probe.
pub fn probes_seen(boards: &[(&str, &Board)], look: impl Fn() + Send + Sync + 'static) -> Probes {
    let plugged: Vec<(String, Board)> = boards.iter().map(|(serial, b)| ((*serial).to_owned(), (*b).clone())).collect();
    Probes::with(move || {
        look();
        Lister::with_lister(Box::new(usb::Usb(plugged.clone())))
    })
}
