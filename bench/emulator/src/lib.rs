//! The emulated laboratory.
//!
//! One electrical [`World`](world::World): the source's output, the analogue front end and the meter of every position,
//! and what the reference standard sees. It is *lazy*: it moves in one place, up to bench time and never past it, called
//! by every emulated instrument before it answers. Impulses carry their instant as data.
//!
//! Instruments stand behind the wire ([`Laboratory::endpoint`]) and speak their real protocols. None of them invents a
//! reading: whatever they answer is computed from the world. The reference reads the world and never a meter.

mod air;
mod analogue;
mod body;
mod faults;
mod instruments;
mod laboratory;
mod noise;
mod outputs;
mod ports;
mod position;
#[cfg(target_os = "linux")]
mod pty;
mod reference;
mod source;
mod source_model;
mod tcp;
pub mod world;

pub use body::{BodyConfig, BodyDisturbance, BodyError, BodyFailure, Qemu, QemuUnusable, Spoil, Trouble};
pub use faults::{Fault, FaultError, FaultKind};
pub use laboratory::{
    InstrumentLog, Laboratory, LaboratoryConfig, LaboratoryError, LogLine, MeterConfig, TypeError, TypeWords,
    describe_type,
};
pub use ports::{PortKind, RoleAccess, roles};
pub use position::TrueError;
#[cfg(target_os = "linux")]
pub use pty::Head;
pub use source_model::SourceModel;
pub use world::{Engine, EngineSeconds};
