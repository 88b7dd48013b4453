//! Turns YAML into checked points.
//!
//! A file is read into a tree whose every node knows its bytes (`yaml.rs`), lowered by hand into typed values
//! ([`PlanFile`], [`BenchFile`], [`MeterFile`], [`FaultFile`]) and, for a plan, resolved against the nameplate of the
//! meter into load points with limits ([`PlanFile::resolve`]). Every step collects [`Finding`]s instead of stopping at
//! the first: a file is reported with all its mistakes at once, each with its place and a remedy.
//!
//! YAML is known to this crate and to the limit tables of `meterbench-standards`; nothing else of the bench sees it.

mod bench_file;
mod condition;
mod event_kind;
mod fault_file;
mod fields;
mod finding;
mod meter_file;
mod object;
mod plan_file;
mod play_test;
mod port_test;
mod quantity;
mod resolve;
mod step;
mod yaml;

pub use bench_file::{
    Address, BenchFile, BenchKind, BodyEntry, Calibration, Disturbance, Emulation, InstrumentEntry, Isolation, Models,
    PositionEntry, ProbeEntry,
};
pub use condition::Condition;
pub use event_kind::EventKind;
pub use fault_file::{FaultFile, FaultWords};
pub use finding::{Finding, Severity, Source};
pub use meter_file::MeterFile;
pub use object::{DlmsValue, OBJECTS, ObjectName, ObjectPattern};
pub use plan_file::{PlanFile, Requirement};
pub use play_test::{Bounds, EventExpectation, EventSeries, Observable, PlayExpectation, PlayTest, Stage};
pub use port_test::{
    Answer, ClockTest, Port, PortCheck, PortTest, READ_UNITS, ROLES, ReadExpectation, ReadValue, RightsRule,
};
pub use resolve::{
    Action, CompositePoint, DipTest, Expectation, HeatingPoint, InfluenceTest, PulsePoint, RegisterPoint, ResolvedPlan,
    ResolvedStep, SUPPLY_UN, TestPoint, Variation, VariedPoint,
};
pub use step::{RESERVED_STEPS, STEPS};

/// What a file is, by its first key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Plan,
    Bench,
    Meter,
    Fault,
}

/// Reads only far enough to know what a file is.
pub fn file_kind(source: &Source) -> Result<FileKind, Vec<Finding>> {
    let mut findings = Vec::new();
    let kind = yaml::parse(source, &mut findings).and_then(|root| fields::file_kind(&root, &mut findings));
    kind.ok_or(findings)
}
