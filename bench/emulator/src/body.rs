//! The body of a meter: where its firmware runs.
//!
//! `Native` is the firmware compiled into this program. `LockStep` is the same firmware elsewhere, asked over the wire of
//! `firmware/lockstep`: it waits for each block and does not age while it waits. Both are given the same samples and give
//! the same digits.

pub(crate) mod lock_step;
pub(crate) mod qemu;
#[cfg(test)]
mod tests;

use meterbench_lockstep::process_until_window;
use meterbench_meter::cosem::Identity;
use meterbench_meter::defects::Defects;
use meterbench_meter::{Action, Configuration, Display, Meter, MeterError, Profile, Settings};
use meterbench_metrology::{CycleSums, Frame, ImpulseQuantity};

pub use lock_step::{BodyFailure, Trouble};
pub use qemu::{BodyDisturbance, Qemu, QemuUnusable, Spoil};

use lock_step::LockStep;

/// Where the firmware of the meters runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyConfig {
    /// In this program.
    #[default]
    Native,
    /// On an emulated processor, one process per meter.
    Qemu(Qemu),
}

impl BodyConfig {
    /// Of the meter at this place, counted from 0: what goes wrong goes wrong with the first.
    pub(crate) fn at(&self, place: usize) -> Self {
        match self {
            Self::Qemu(qemu) if place > 0 => Self::Qemu(Qemu { disturb: None, ..qemu.clone() }),
            other => other.clone(),
        }
    }
}

/// Why a body does not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// The meter refuses; nothing is broken.
    #[error(transparent)]
    Meter(#[from] MeterError),
    /// There is no emulator or no image.
    #[error(transparent)]
    Unusable(#[from] QemuUnusable),
    /// The body broke.
    #[error(transparent)]
    Failed(#[from] BodyFailure),
}

/// The firmware of one meter.
#[derive(Debug)]
pub(crate) enum Body {
    Native(Box<Meter>),
    LockStep(Box<LockStep>),
}

impl Body {
    /// In this program.
    pub(crate) fn native(profile: &Profile, settings: &Settings) -> Result<Self, BodyError> {
        Ok(Self::Native(Box::new(Meter::new(profile, settings)?)))
    }

    /// With a serial number and keys; a body elsewhere has its own.
    #[must_use]
    pub(crate) fn with_identity(self, identity: &Identity, type_number: &str) -> Self {
        match self {
            Self::Native(meter) => Self::Native(Box::new(meter.with_identity(identity, type_number))),
            other @ Self::LockStep(_) => other,
        }
    }

    /// With the clock and the ports of a software configuration.
    #[must_use]
    pub(crate) fn with_configuration(self, configuration: &Configuration) -> Self {
        match self {
            Self::Native(meter) => Self::Native(Box::new(meter.with_configuration(configuration))),
            other @ Self::LockStep(_) => other,
        }
    }

    /// With planted faults; a body elsewhere has none, and the laboratory refuses them there.
    #[must_use]
    pub(crate) fn with_defects(self, defects: Defects) -> Self {
        match self {
            Self::Native(meter) => Self::Native(Box::new(meter.with_defects(defects))),
            other @ Self::LockStep(_) => other,
        }
    }

    /// The meter, where it lives in this program.
    pub(crate) fn meter_mut(&mut self) -> Option<&mut Meter> {
        match self {
            Self::Native(meter) => Some(meter),
            Self::LockStep(_) => None,
        }
    }

    /// In a process of its own.
    pub(crate) fn in_qemu(qemu: &Qemu, type_number: &str, settings: &Settings) -> Result<Self, BodyError> {
        let link = Box::new(qemu.start()?);
        Ok(Self::LockStep(Box::new(LockStep::configure(link, type_number, settings)?)))
    }

    /// Takes a block of samples; hands every action to `act` in the order of its instant.
    pub(crate) fn process(&mut self, frames: &[Frame], act: impl FnMut(Action)) -> Result<(), BodyError> {
        match self {
            Self::Native(meter) => meter.process(frames, act),
            Self::LockStep(body) => drop(body.samples(frames, false, act)?),
        }
        Ok(())
    }

    /// Takes samples up to the next start of a window; how many.
    pub(crate) fn process_until_window(
        &mut self,
        frames: &[Frame],
        act: impl FnMut(Action),
    ) -> Result<usize, BodyError> {
        match self {
            Self::Native(meter) => Ok(process_until_window(meter, frames, act)),
            Self::LockStep(body) => Ok(body.samples(frames, true, act)?),
        }
    }

    /// Takes a window as cycles, and the two frames before the next sample.
    pub(crate) fn process_window(
        &mut self,
        cycles: &[CycleSums],
        last: &[Frame; 2],
        mut act: impl FnMut(Action),
    ) -> Result<(), BodyError> {
        match self {
            Self::Native(meter) => {
                cycles.iter().for_each(|cycle| meter.process_cycle(cycle, &mut act));
                meter.resume(&last[0], &last[1]);
            }
            Self::LockStep(body) => body.cycles(cycles, last, act)?,
        }
        Ok(())
    }

    /// The phase that gives the zero crossings, if a window begins with the next sample.
    pub(crate) fn window_start(&self) -> Option<usize> {
        match self {
            Self::Native(meter) => meter.state().at_window_start().then(|| meter.state().synchronised_by()),
            Self::LockStep(body) => body.window_start(),
        }
    }

    /// Lets the test output count kWh or kvarh.
    pub(crate) fn select_output(&mut self, quantity: ImpulseQuantity) -> Result<(), BodyError> {
        match self {
            Self::Native(meter) => Ok(meter.select_output(quantity)?),
            Self::LockStep(body) => body.select_output(quantity),
        }
    }

    /// What the display shows of this item.
    pub(crate) fn display(&mut self, obis: [u8; 3]) -> Result<Option<Display>, BodyError> {
        match self {
            Self::Native(meter) => Ok(meter.display(obis)),
            Self::LockStep(body) => Ok(body.display(obis)?),
        }
    }
}
