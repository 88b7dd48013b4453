//! Power quality: events of the voltage and of the grid, what they are counted and written down as, and the values that are
//! aggregated over intervals (EN 50160 by the methods of IEC 61000-4-30).
//!
//! The monitor takes what the analysis of the samples finds and the ticks of the clock, in integers of 0.01 % of the declared
//! voltage. Each room says which conventions are this meter's.

pub(crate) mod aggregates;
pub(crate) mod angle;
pub(crate) mod counters;
pub(crate) mod event;
mod grid;
pub(crate) mod kept;
pub(crate) mod kind;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod monitor;
mod rapid;
mod run;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;
mod voltage;
