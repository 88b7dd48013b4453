//! What can go wrong between a firmware file and a chip: each with its place and its remedy.

use std::error::Error;

use probe_rs::architecture::arm::{ArmError, DapError};
use probe_rs::probe::DebugProbeError;

use crate::connection::Stage;

/// Why a meter was not flashed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("{file} cannot be read: {error}")]
    Unreadable { file: String, error: std::io::Error },
    #[error("{file} is no ELF file; give the ELF of the firmware, as the linker writes it")]
    NotElf { file: String },
    #[error("{file} is built for {found}, and the chip is a 32-bit Arm; build it for `thumbv7em-none-eabihf`")]
    NotArm { file: String, found: String },
    #[error("{file} has nothing to put into the flash; link it with the memory map of {chip}")]
    Empty { file: String, chip: String },
    #[error(
        "{file} puts {bytes} bytes at {address:#010x}, outside the flash of {chip} ({first:#010x} to {last:#010x}); \
         link it with the memory map of {chip}"
    )]
    OutsideFlash { file: String, chip: String, address: u64, bytes: u64, first: u64, last: u64 },

    #[error("there is no chip `{name}`; known are chips of the STM32F4 family, such as STM32F405RG{close}")]
    UnknownChip { name: String, close: String },
    #[error(
        "the identity of a {name} cannot be checked, so that another chip could be written to; \
         this version knows the STM32F4, such as STM32F405RG"
    )]
    NoIdentity { name: String },

    #[error(
        "no debug probe is connected{asked}; connect one by USB, and on Linux give your user access to it by a udev rule"
    )]
    NoProbe { asked: String },
    #[error("`{text}` is no probe; write VID:PID or VID:PID:SERIAL, such as `0483:374b:066DFF48`")]
    BadSelector { text: String },
    #[error("{} debug probes are connected and none is chosen; choose one:\n  {}", .found.len(), .found.join("\n  "))]
    SeveralProbes { found: Vec<String> },
    #[error("this user may not open the probe {probe}; add a udev rule for it, or your user to its group")]
    NotPermitted { probe: String },
    #[error("the probe {probe} cannot be opened ({detail}); close other programs that use it, or plug it in again")]
    NotOpened { probe: String, detail: String },

    #[error(
        "no chip answers the probe {probe}; check the cable and the supply of the board: with its voltage off a meter \
         needs another supply. A chip with read protection level 2 never answers again"
    )]
    NoAnswer { probe: String },
    #[error(
        "the probe {probe} reaches {found}, not {chip} ({expected}); another meter is in the position, or the chip is \
         named wrongly. Nothing was written"
    )]
    WrongChip { probe: String, chip: String, expected: String, found: String },
    #[error(
        "the chip at the probe {probe} has {found} KiB of flash, {chip} has {expected} KiB; name the chip that it is. \
         Nothing was written"
    )]
    WrongSize { probe: String, chip: String, expected: u64, found: u64 },
    #[error(
        "the chip at the probe {probe} is locked (read protection level 1); set it to level 0 with the tool of its \
         manufacturer, which erases everything in it, and flash again. Nothing was written"
    )]
    Locked { probe: String },

    #[error("{what} while {stage}{left}; {remedy}")]
    Lost { what: String, stage: Stage, left: &'static str, remedy: &'static str },
    #[error(
        "{address:#010x} reads {read:#04x} and was written {written:#04x}, {differ} of {bytes} bytes differ: the flash \
         does not hold what is written. The meter must not be used; flash it once more, and replace the chip if it fails again"
    )]
    Differs { address: u64, read: u8, written: u8, differ: u64, bytes: u64 },
}

impl ProbeError {
    /// The words of probe-rs in ours: who fell silent, during what, and what is left behind.
    pub(crate) fn lost(error: &(dyn Error + 'static), stage: Stage) -> Self {
        let left = match stage {
            Stage::Connect => ", nothing was written",
            Stage::Erase | Stage::Write => ": the firmware in the meter is not complete and must not be used",
            Stage::ReadBack => ": what was written is not proven and must not be used",
            Stage::Start => ": the firmware is complete, and has not been started",
            Stage::Log => ": the firmware is complete",
        };
        let silent = |error: &(dyn Error + 'static)| {
            matches!(error.downcast_ref(), Some(DapError::NoAcknowledge))
                || matches!(error.downcast_ref(), Some(ArmError::NoTargetResponse { .. }))
        };
        let unplugged = |error: &(dyn Error + 'static)| matches!(error.downcast_ref(), Some(DebugProbeError::Usb(_)));
        let (what, remedy) = if chain(error).any(unplugged) {
            ("the probe was unplugged".to_owned(), "plug it in and flash again")
        } else if chain(error).any(silent) {
            ("the chip fell silent".to_owned(), "check its supply and the cable, and flash again")
        } else {
            let words: Vec<String> = chain(error).map(|e| e.to_string().trim_end_matches('.').to_owned()).collect();
            (format!("the probe failed ({})", words.join(": ")), "flash again")
        };
        Self::Lost { what, stage, left, remedy }
    }

    /// Nothing was touched: a file or an argument is wrong.
    pub fn is_argument(&self) -> bool {
        use ProbeError as E;
        matches!(
            self,
            E::Unreadable { .. }
                | E::NotElf { .. }
                | E::NotArm { .. }
                | E::Empty { .. }
                | E::OutsideFlash { .. }
                | E::UnknownChip { .. }
                | E::NoIdentity { .. }
                | E::BadSelector { .. }
                | E::SeveralProbes { .. }
        )
    }
}

/// An error and its causes.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}
