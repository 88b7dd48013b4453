//! Power quality: every half cycle, every window of ten cycles.

mod values;

pub use values::{Found, HIGHEST_ORDER, HalfCycle, Phasor, QualityWindow, Spectrum, Unbalance};
