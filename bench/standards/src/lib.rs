//! Judges a measurement.
//!
//! [`Standard`] holds the limits of one standard and edition, read from the data files beside this crate; [`gum`] makes
//! an uncertainty of a budget; [`DecisionRule`] makes a verdict of value, uncertainty and limit. Pure: no clock, no IO.
//!
//! Limits are chosen by the *nominal* load point, never by the measured current, so that a point at Itr has the limit
//! of Itr even when the source stands at 0.4998 A.

mod cell;
mod data;
mod decision;
pub mod gum;
mod influence;
mod pulse_output;
mod standard;
mod tables;

pub use cell::{Cell, Current, Symbol};
pub use data::{DataError, Influence, InterruptionRow, Judged, Span};
pub use decision::{DecisionRule, Judgement};
pub use influence::InfluenceLimit;
pub use pulse_output::PulseOutput;
pub use standard::{Dips, Load, NoLimit, NoLoad, REFERENCE_C, Standard, StandardPoint, Starting};
