//! Power quality: every half cycle, every window of ten cycles.

mod aggregate;
mod analysis;
mod boundaries;
#[cfg(feature = "defects")]
mod defects;
mod folding;
mod frequency;
mod harmonics;
mod kernel;
mod lanes;
mod samples;
mod sums;
mod unbalance;
mod values;
mod windows;

pub use aggregate::{Aggregate, INTERVALS_IN_2_HOURS, Mean, MeanOf, WINDOWS_IN_150_CYCLES};
pub use analysis::Analysis;
#[cfg(feature = "defects")]
pub use defects::QualityDefects;
pub use frequency::FrequencyCounter;
pub use unbalance::symmetrical_components;
pub use values::{Found, HIGHEST_ORDER, HalfCycle, Phasor, QualityWindow, Spectrum, Unbalance};
