//! One probe on one chip: connect, prove who it is, erase, write, read back, start.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use meterbench_instruments::Clearance;
use probe_rs::flashing::{DownloadOptions, FlashProgress, ProgressEvent, ProgressOperation};
use probe_rs::{MemoryInterface, Permissions, Session};

use crate::error::ProbeError;
use crate::image::Image;
use crate::known_chip::{self, FLASH_SIZE, IDENTITY, KnownChip, OPTIONS, UNPROTECTED};
use crate::log;
use crate::probes::Probes;

/// How long a core may take to halt.
pub(crate) const HALT: Duration = Duration::from_millis(500);

/// What is being done with a chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connect,
    Erase,
    Write,
    ReadBack,
    Start,
    Log,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Erase => "erasing",
            Self::Write => "writing",
            Self::ReadBack => "reading back",
            Self::Start => "starting the firmware",
            Self::Log => "reading its log",
        })
    }
}

/// A chip that is what it should be, and can be written to.
pub struct Connection {
    pub(crate) session: Session,
    /// The probe by its name, VID:PID and serial number.
    pub probe: String,
    /// The chip by its name and identity.
    pub chip: String,
}

impl Connection {
    /// Connects to a chip and proves that it is of this kind and open. Nothing is written.
    pub fn open(probes: &Probes, selector: Option<&str>, chip: &KnownChip, _: Clearance) -> Result<Self, ProbeError> {
        let (opened, probe) = probes.open(selector)?;
        let lost = |error: &probe_rs::Error| match ProbeError::lost(error, Stage::Connect) {
            ProbeError::Lost { what, .. } if what == "the chip fell silent" => {
                ProbeError::NoAnswer { probe: probe.clone() }
            }
            other => other,
        };
        let mut session = opened.attach(chip.target.clone(), Permissions::new()).map_err(|error| lost(&error))?;
        let read = |session: &mut Session, address| session.core(0)?.read_word_32(address);
        let identity = read(&mut session, IDENTITY).map_err(|error| lost(&error))?;
        let kind = identity & 0xfff;
        if kind != chip.kind {
            return Err(ProbeError::WrongChip {
                probe,
                chip: chip.name.clone(),
                expected: known_chip::words(chip.kind),
                found: known_chip::words(kind),
            });
        }
        let options = read(&mut session, OPTIONS).map_err(|error| lost(&error))?;
        if options >> 8 & 0xff != UNPROTECTED {
            return Err(ProbeError::Locked { probe });
        }
        let found = u64::from(read(&mut session, FLASH_SIZE).map_err(|error| lost(&error))? >> 16);
        let expected = (chip.flash.end - chip.flash.start) / 1024;
        if found != expected {
            return Err(ProbeError::WrongSize { probe, chip: chip.name.clone(), expected, found });
        }
        let chip = format!("{} (identity {identity:#010x}, {found} KiB)", chip.name);
        Ok(Self { session, probe, chip })
    }

    /// Erases what the image needs, writes it, reads every byte back and starts it.
    pub fn flash(&mut self, image: &Image, tell: &dyn Fn(Stage)) -> Result<(), ProbeError> {
        self.write(image, tell)?;
        tell(Stage::ReadBack);
        self.read_back(image)?;
        tell(Stage::Start);
        self.start(image).map_err(|error| ProbeError::lost(&error, Stage::Start))
    }

    fn write(&mut self, image: &Image, tell: &dyn Fn(Stage)) -> Result<(), ProbeError> {
        let stage = Cell::new(Stage::Erase);
        let lost = |error: &probe_rs::flashing::FlashError| ProbeError::lost(error, stage.get());
        let mut loader = self.session.target().flash_loader();
        for (address, data) in &image.segments {
            loader.add_data(*address, data).map_err(|error| lost(&error))?;
        }
        let mut options = DownloadOptions::default();
        options.progress = FlashProgress::new(|event| {
            let next = match event {
                ProgressEvent::Started(ProgressOperation::Erase) => Stage::Erase,
                ProgressEvent::Started(ProgressOperation::Program) => Stage::Write,
                _ => return,
            };
            stage.set(next);
            tell(next);
        });
        loader.commit(&mut self.session, options).map_err(|error| lost(&error))
    }

    /// Every byte over the wire: an algorithm on the chip that compares could be wrong with the chip.
    fn read_back(&mut self, image: &Image) -> Result<(), ProbeError> {
        let (mut first, mut differ) = (None, 0);
        for (address, written) in &image.segments {
            let mut read = vec![0; written.len()];
            self.read(*address, &mut read).map_err(|error| ProbeError::lost(&error, Stage::ReadBack))?;
            for (n, (read, written)) in read.iter().zip(written).enumerate().filter(|(_, (r, w))| r != w) {
                differ += 1;
                first.get_or_insert((address + n as u64, *read, *written));
            }
        }
        match first {
            None => Ok(()),
            Some((address, read, written)) => {
                Err(ProbeError::Differs { address, read, written, differ, bytes: image.bytes() })
            }
        }
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), probe_rs::Error> {
        let mut core = self.session.core(0)?;
        // A reset empties the cache of the flash, which may still hold what stood there before.
        core.reset_and_halt(HALT)?;
        core.read(address, into)
    }

    /// Starts the firmware from its reset vector. An old log in the RAM must not pass for a new one.
    fn start(&mut self, image: &Image) -> Result<(), probe_rs::Error> {
        let mut core = self.session.core(0)?;
        core.reset_and_halt(HALT)?;
        log::forget(&mut core, image);
        core.reset()
    }
}
