//! What a source is asked to put out beside a steady sine, and what follows from it in closed form.
//!
//! Pure: no IO, no runtime. A driver turns a [`Waveform`] and a [`VoltageEvent`] into the commands of its instrument; the record
//! keeps what was [`Played`]; reports and exports draw it again from there.
#![warn(missing_docs)]

mod network;
mod played;
mod waveform;

pub use network::{
    BALANCED_LAG_DEG, Component, Sequences, Transformer, lost_mv_phase, lost_neutral, sequences, unbalanced,
};
pub use played::{Played, Sine, Sines};
pub use waveform::{Distortion, Harmonic, Interharmonic, Modulation, ModulationShape, VoltageEvent, Waveform};
