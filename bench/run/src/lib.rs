//! Test procedures, one file per kind of test: async functions that read like the written procedure.
//!
//! A procedure works on all positions at once and emits [`Event`](meterbench_record::Event)s through its [`Recorder`].
//! It cannot know whether the bench is real: it sees roles of instruments and tokio's clock.
//!
//! [`supervise`] runs a plan so that its end is safe, however it comes: what energises pushes its undo on a stack at
//! once, and the undo runs on connections of its own after a normal end, a failed verdict, an error, a panic or a stop
//! request.

mod accuracy;
mod bench;
mod budget;
mod climate;
mod composite;
mod error;
mod error_points;
mod estimate;
mod evidence;
mod flash;
mod impulse_counts;
mod influence;
mod interruptions;
mod meter_constant;
mod no_load;
mod play;
mod ports;
mod preparation;
mod pulse_output;
mod recorder;
mod register_test;
mod repeatability;
mod safety;
mod self_heating;
mod set_points;
mod starting;
mod supervise;
mod waves;

pub use bench::{Bench, Calibrations, Place, Shared, UNSETTLED};
pub use error::RunError;
pub use estimate::{expected_seconds, point_seconds, step_seconds};
pub use recorder::Recorder;
pub use safety::SafetyStack;
pub use set_points::check_set_points;
pub use supervise::{Ended, step_info, supervise};
