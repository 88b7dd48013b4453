//! Power quality: every half cycle, every window of ten cycles.

mod analysis;
mod boundaries;
mod lanes;
mod samples;
mod unbalance;
mod values;

pub use analysis::Analysis;
pub use values::{Found, HIGHEST_ORDER, HalfCycle, Phasor, QualityWindow, Spectrum, Unbalance};
