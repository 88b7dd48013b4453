//! The analysis of power quality against the closed form of the stimulus.

#[cfg(feature = "defects")]
mod defects;
mod digits;
mod frequency;
mod half_cycles;
mod harmonics;
mod signal;
mod unchanged;
mod windows;
