//! Every set-point of a plan against the limits of the source, before anything is energised.

use meterbench_instruments::{AcSource, InstrumentError};
use meterbench_plan::{Action, ResolvedPlan, ResolvedStep};
use meterbench_record::LoadPoint;

use crate::bench::setting;

/// Refuses a plan that would ask the source for what this bench must not do; says in which step.
pub fn check_set_points(
    source: &dyn AcSource,
    plan: &ResolvedPlan,
    systems: u8,
) -> Result<(), (String, InstrumentError)> {
    for step in &plan.steps {
        for load in loads(step) {
            source.check(&setting(load, systems)).map_err(|error| (step.name.clone(), error))?;
        }
    }
    Ok(())
}

fn loads(step: &ResolvedStep) -> Vec<&LoadPoint> {
    match &step.action {
        Action::WarmUp { load, .. } | Action::Apply { load } | Action::MeterConstant { load, .. } => vec![load],
        Action::Accuracy { points, .. } | Action::Repeatability { points, .. } => {
            points.iter().map(|p| &p.load).collect()
        }
        Action::Starting { points, .. } => points.iter().collect(),
        Action::NoLoad { points, .. } => points.iter().map(|(load, _)| load).collect(),
        Action::Wait { .. } | Action::Prompt { .. } => Vec::new(),
    }
}
