//! What a source is asked to put out beside a steady sine, and what follows from it in closed form.
//!
//! Pure: no IO, no runtime. A driver turns a [`Waveform`] and a [`VoltageEvent`] into the commands of its instrument; the record
//! keeps what was [`Played`]; reports and exports draw it again from there.
#![warn(missing_docs)]

mod named;
mod played;
mod waveform;

pub use named::{HIGHEST, NamedWave, Shaped, on_and_off};
pub use played::{Played, Sine, Sines};
pub use waveform::{Distortion, Harmonic, Interharmonic, Modulation, ModulationShape, VoltageEvent, Waveform};
