//! The meter: a type number of the OMNIA or OMNIPOWER decoded into a [`Profile`], a [`Meter`] that takes samples and
//! returns actions, a [`Display`] that shows its registers.
//!
//! The meter is sans-IO. Its shell hands it blocks of samples with [`Meter::process`] and carries out every [`Action`]
//! before it hands over the next block; the stream of samples is the meter's clock.
//!
//! What outlives a power cut is an [`Image`]: the shell keeps one from time to time, when the supply falls, and after a call of
//! a port whenever [`Meter::due_image`] gives one, before anything leaves that port.
//!
//! Power quality needs room for the samples of a window, which the shell hands in as a [`Workspace`]: the meter finds events of the
//! voltage and of the grid, counts them, and writes them down.
//!
//! [`port`] speaks to the outside, [`cosem`] says what is shown to whom.
//!
//! # Deliberately absent
//!
//! A second load profile, debiting and analysis loggers, tariffs, supply control switch, last gasp. The profile says which of
//! them this variant *has*, so that the bench can tell *not observable* from *failed*; the code comes with its own work.
#![no_std]
#![warn(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(all(feature = "defects", target_os = "none"))]
compile_error!("planted faults are for emulated meters: an image is built without the feature `defects`");

mod clock;
mod configuration;
pub mod cosem;
#[cfg(feature = "defects")]
pub mod defects;
mod demand;
mod display;
mod events;
mod image;
mod load_profile;
mod memory;
mod meter;
pub mod port;
mod profile;
mod quality;
mod records;
mod ring;
mod type_number;

pub use clock::{Civil, Clock, ClockError, DAY, DaylightSaving, LocalTime, Outage, Quality, RuleDay, Transition};
pub use configuration::{AllowedValues, Configuration, ConfigurationError};
pub use display::{Display, DisplayFormat, Unit};
pub use image::{Image, ImageError};
pub use memory::{Memory, WorkArea, Workspace};
pub use meter::{Action, Meter, MeterError, Settings};
pub use profile::{
    ActiveClass, Backup, Breaker, Energies, Flex, Han, Housing, Product, Profile, ReactiveClass, Variant,
};
pub use type_number::{TypeNumber, TypeNumberError};
