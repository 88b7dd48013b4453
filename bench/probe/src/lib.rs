//! Flashes the firmware of a meter over a debug probe and reads its log.
//!
//! The only place that knows probe-rs. Everything here blocks: `ProbeProgrammer` does it on a thread of its own. Nobody
//! opens a probe without a `Clearance` of the instruments, and nothing is written before the chip has
//! said who it is.
//!
//! Without the feature `probe` this crate is empty.
#![cfg(feature = "probe")]

mod connection;
pub mod emulated;
mod error;
mod image;
mod known_chip;
mod log;
mod probes;
mod programmer;

pub use connection::{Connection, Stage};
pub use error::ProbeError;
pub use image::Image;
pub use known_chip::KnownChip;
pub use probes::Probes;
pub use programmer::{ProbeEntry, ProbeProgrammer, settle};
