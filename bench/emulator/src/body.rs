//! The body of a meter: where its firmware runs.
//!
//! `Native` is the firmware compiled into this program. `LockStep` is the same firmware elsewhere, asked over the wire of
//! `firmware/lockstep`: it waits for each block and does not age while it waits. Both are given the same samples and give
//! the same digits.

pub(crate) mod lock_step;
pub(crate) mod qemu;
#[cfg(test)]
mod tests;

use meterbench_lockstep::{MOST_OCTETS, process_until_window};
use meterbench_meter::cosem::Identity;
use meterbench_meter::defects::Defects;
use meterbench_meter::port::{Connections, Port, PortAction, Standing};
use meterbench_meter::{
    Action, Configuration, Image, ImageError, Memory, Meter, MeterError, Outage, Profile, Settings,
};
use meterbench_metrology::{CycleSums, Frame};

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
    /// What outlived the power cut is no image of this firmware.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// There is no emulator or no image.
    #[error(transparent)]
    Unusable(#[from] QemuUnusable),
    /// The body broke.
    #[error(transparent)]
    Failed(#[from] BodyFailure),
}

/// What a meter is made as, beside its settings.
#[derive(Debug, Clone)]
pub(crate) struct Make {
    pub(crate) type_number: String,
    /// Of that type number.
    pub(crate) profile: Profile,
    pub(crate) identity: Identity,
    pub(crate) configuration: Option<Configuration>,
}

/// The firmware of one meter, its ports included.
#[derive(Debug)]
pub(crate) enum Body {
    Native(Box<Native>),
    LockStep(Box<LockStep>),
}

/// The firmware in this program, and what it is made of each time it starts.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) meter: Meter,
    connections: Connections,
    make: Make,
    settings: Settings,
    defects: Defects,
}

/// A meter just made, with what stands in its memory.
fn made(make: &Make, settings: &Settings, memory: Memory) -> Result<Meter, MeterError> {
    let meter = Meter::new(&make.profile, settings)?.with_memory(memory);
    let meter = meter.with_identity(&make.identity, &make.type_number);
    Ok(make.configuration.iter().fold(meter, Meter::with_configuration))
}

impl Body {
    /// Where this configuration says.
    pub(crate) fn new(config: &BodyConfig, make: &Make, settings: &Settings) -> Result<Self, BodyError> {
        match config {
            BodyConfig::Native => Self::native(make, settings),
            BodyConfig::Qemu(qemu) => {
                let link = Box::new(qemu.start()?);
                Ok(Self::LockStep(Box::new(LockStep::configure(link, make, settings)?)))
            }
        }
    }

    /// In this program, with memory for the rows of the data sheet.
    pub(crate) fn native(make: &Make, settings: &Settings) -> Result<Self, BodyError> {
        let memory = vec![0; Memory::length_for(make.profile.product)].into_boxed_slice();
        let (meter, connections) = (made(make, settings, Memory::Owned(memory))?, Connections::default());
        Ok(Self::Native(Box::new(Native {
            meter,
            connections,
            make: make.clone(),
            settings: *settings,
            defects: Defects::default(),
        })))
    }

    /// What must outlive a power cut.
    pub(crate) fn keep(&mut self) -> Result<Vec<u8>, BodyError> {
        match self {
            Self::Native(native) => Ok(native.meter.persist().to_bytes().to_vec()),
            Self::LockStep(body) => Ok(body.keep()?),
        }
    }

    /// Starts anew with what outlived a power cut. Sample time begins at zero, and nobody is connected.
    pub(crate) fn restart(&mut self, image: &[u8], outage: Outage) -> Result<(), BodyError> {
        match self {
            Self::Native(native) => {
                let image = Image::from_bytes(image)?;
                let memory = native.meter.take_memory();
                native.meter = made(&native.make, &native.settings, memory)?.with_defects(native.defects);
                native.connections = Connections::default();
                native.meter.restore(&image, outage);
            }
            Self::LockStep(body) => body.restart(image, outage)?,
        }
        Ok(())
    }

    /// The crystal that keeps time is so much faster than the one that samples (1e-9).
    pub(crate) fn trim(&mut self, ppb: i32) -> Result<(), BodyError> {
        match self {
            Self::Native(native) => native.meter.trim_clock(ppb),
            Self::LockStep(body) => body.trim(ppb)?,
        }
        Ok(())
    }

    /// With planted faults; a body elsewhere has none, and the laboratory refuses them there.
    #[must_use]
    pub(crate) fn with_defects(self, defects: Defects) -> Self {
        match self {
            Self::Native(native) => {
                let meter = native.meter.with_defects(defects);
                Self::Native(Box::new(Native { meter, defects, ..*native }))
            }
            other @ Self::LockStep(_) => other,
        }
    }

    /// Takes a block of samples; hands every action to `act` in the order of its instant.
    pub(crate) fn process(&mut self, frames: &[Frame], act: impl FnMut(Action)) -> Result<(), BodyError> {
        match self {
            Self::Native(native) => native.meter.process(frames, act),
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
            Self::Native(native) => Ok(process_until_window(&mut native.meter, frames, act)),
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
            Self::Native(native) => {
                let meter = &mut native.meter;
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
            Self::Native(native) => {
                let state = native.meter.state();
                state.at_window_start().then(|| state.synchronised_by())
            }
            Self::LockStep(body) => body.window_start(),
        }
    }

    /// Lets the test output count kWh or kvarh.
    #[cfg(test)]
    pub(crate) fn select_output(&mut self, quantity: meterbench_metrology::ImpulseQuantity) -> Result<(), BodyError> {
        match self {
            Self::Native(native) => Ok(native.meter.select_output(quantity)?),
            Self::LockStep(body) => body.select_output(quantity),
        }
    }

    /// What the display shows of this item.
    #[cfg(test)]
    pub(crate) fn display(&mut self, obis: [u8; 3]) -> Result<Option<meterbench_meter::Display>, BodyError> {
        match self {
            Self::Native(native) => Ok(native.meter.display(obis)),
            Self::LockStep(body) => Ok(body.display(obis)?),
        }
    }
    /// A client connects to a port, which starts anew.
    pub(crate) fn open_port(&mut self, port: Port) -> Result<(), BodyError> {
        match self {
            Self::Native(native) => native.connections.open(&native.meter, port),
            Self::LockStep(body) => body.open_port(port)?,
        }
        Ok(())
    }

    /// Hands octets, or none, to a port and lets its time pass; hands what it says to `act`, in order.
    pub(crate) fn speak(
        &mut self,
        port: Port,
        octets: &[u8],
        mut act: impl FnMut(PortAction<'_>),
    ) -> Result<Standing, BodyError> {
        let mut standing = Standing::default();
        for piece in octets.chunks(MOST_OCTETS).chain(octets.is_empty().then_some(octets)) {
            standing = match self {
                Self::Native(native) => native.connections.receive(&mut native.meter, port, piece, &mut act),
                Self::LockStep(body) => body.speak(port, piece, &mut act)?,
            };
            if standing.closed {
                break;
            }
        }
        Ok(standing)
    }
}
