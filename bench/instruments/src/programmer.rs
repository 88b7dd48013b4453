//! Firmware into a meter, and the proof that a probe may touch it.
//!
//! The circuits of a meter stand at the potential of the mains. A probe that is not isolated would connect them with
//! the machine at the other end of its cable, and the people there. So nobody opens a probe without a [`Clearance`].

use std::path::Path;

use async_trait::async_trait;

use crate::roles::{InstrumentError, Readback};

/// Below this a voltage (V) counts as off.
pub const OFF_VOLT: f64 = 1.0;

/// Why a probe may touch a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clearance(Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Isolated,
    ReadBack,
    Operator,
}

impl Clearance {
    /// Somebody who knows the cabling declared the probe as isolated.
    pub fn isolated() -> Self {
        Self(Reason::Isolated)
    }

    /// The source says by its own measurement that its voltages are off; else what it says.
    pub fn read_back(seen: &Readback) -> Result<Self, String> {
        if seen.volt.iter().all(|volt| volt.abs() < OFF_VOLT) {
            return Ok(Self(Reason::ReadBack));
        }
        let shown: Vec<String> = (1..).zip(seen.volt).map(|(n, volt)| format!("U{n} {volt:.1} V")).collect();
        Err(shown.join(", "))
    }

    /// An operator says that the meter is dead.
    pub fn operator() -> Self {
        Self(Reason::Operator)
    }

    /// For the record.
    pub fn words(self) -> &'static str {
        match self.0 {
            Reason::Isolated => "the probe is declared as isolated",
            Reason::ReadBack => "voltage off (read back)",
            Reason::Operator => "voltage off (said by the operator)",
        }
    }
}

/// Firmware that stands in a meter, read back byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flashed {
    /// The probe by its name, VID:PID and serial number.
    pub probe: String,
    /// The chip by its name and identity.
    pub chip: String,
    /// SHA-256 of the image.
    pub sha256: String,
    /// Bytes of it in the flash.
    pub bytes: u64,
}

/// A debug probe at one position.
#[async_trait]
pub trait Programmer: Send {
    /// The probe is isolated: it may touch a meter under voltage.
    fn isolated(&self) -> bool;

    /// Refuses an image that is not for this chip; nothing is touched for it.
    fn check(&self, image: &Path) -> Result<(), InstrumentError>;

    /// Erases, writes and reads back the image, and starts it.
    async fn flash(&mut self, image: &Path, clearance: Clearance) -> Result<Flashed, InstrumentError>;

    /// The next line of the log of the firmware that was flashed; `None` when there will be none.
    async fn log_line(&mut self) -> Option<String>;

    /// Lets go of the chip, which goes on.
    async fn release(&mut self);
}
