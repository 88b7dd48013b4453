//! What a source is asked to put out beside a steady sine, and what follows from it in closed form.
//!
//! Pure: no IO, no runtime. A driver turns a [`Waveform`] and a [`VoltageEvent`] into the commands of its instrument; the record
//! keeps what was [`Played`]; reports and exports draw it again from there, as [`Waves`].
#![warn(missing_docs)]

mod capture;
mod classes;
mod comtrade;
mod expected;
mod flicker;
mod half_cycles;
mod named;
mod network;
mod played;
mod spectrum;
mod wave;
mod waveform;
mod waves;

pub use capture::{LONGEST_EVENT_S, MARGIN_CYCLES, PART_S, STEADY_CYCLES, Stretch};
pub use classes::{
    DIP_COLUMNS_MS, DIP_ROWS, ITI_LOWER, ITI_UPPER, ItiRegion, LONG_INTERRUPTION_MS, SWELL_COLUMNS_MS, SWELL_ROWS,
    dip_cell, iti_region, swell_cell,
};
pub use comtrade::{Comtrade, Encoding, Head, Moment, comtrade};
pub use expected::{EventKind, ExpectedEvent, Thresholds};
pub use flicker::{Flicker, Flickermeter, Lamp, plt, pst};
pub use half_cycles::HalfCycle;
pub use named::{HIGHEST, NamedWave, Shaped, on_and_off};
pub use network::{
    BALANCED_LAG_DEG, Component, Sequences, Transformer, lost_mv_phase, lost_neutral, sequences, unbalanced,
};
pub use played::{Played, Sine, Sines};
pub use spectrum::{CYCLES, HIGHEST_ORDER, Spectrum};
pub use wave::{Phasor, Wave};
pub use waveform::{Distortion, Harmonic, Interharmonic, Modulation, ModulationShape, VoltageEvent, Waveform};
pub use waves::{CHANNELS, Waves};
