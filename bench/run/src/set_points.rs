//! Every set-point of a plan against the limits of source and chamber, before anything is energised.

use meterbench_instruments::{AcSource, Chamber};
use meterbench_plan::{Action, ResolvedPlan, ResolvedStep};
use meterbench_record::LoadPoint;
use meterbench_standards::{Influence, REFERENCE_C};

use crate::error::RunError;
use crate::play;
use crate::waves;

/// A step that asks for what this bench must not do.
#[derive(Debug, thiserror::Error)]
#[error("step \"{step}\"{at}: {error}")]
pub struct Refused {
    pub step: String,
    /// The point in words, with a comma before it.
    at: String,
    error: Box<RunError>,
}

/// Refuses a plan that would ask an instrument for what this bench must not do; says in which step.
pub fn check_set_points(
    source: &mut dyn AcSource,
    chamber: Option<&dyn Chamber>,
    plan: &ResolvedPlan,
    systems: u8,
) -> Result<(), Refused> {
    for step in &plan.steps {
        for load in loads(step) {
            let refused =
                |error: RunError| Refused { step: step.name.clone(), at: format!(", {load}"), error: error.into() };
            waves::check(source, load, systems).map_err(refused)?;
        }
        if let Action::Play(test) = &step.action {
            play::check(source, test, systems).map_err(|error| Refused {
                step: step.name.clone(),
                at: String::new(),
                error: error.into(),
            })?;
        }
        for celsius in temperatures(step) {
            let refused = |error: RunError| Refused { step: step.name.clone(), at: String::new(), error: error.into() };
            let chamber = chamber.ok_or_else(|| refused(RunError::NoChamber { asked: celsius }))?;
            chamber.check(celsius).map_err(|error| refused(error.into()))?;
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
        Action::Influence(test) => {
            let varied = test.variations.iter().flat_map(|v| &v.points).map(|p| &p.load);
            test.base.iter().map(|p| &p.load).chain(varied).collect()
        }
        Action::Interrupt(test) => vec![&test.load, &test.after.load],
        Action::SelfHeating { points, .. } => points.iter().map(|p| &p.point.load).collect(),
        Action::Starting { points, .. } => points.iter().collect(),
        Action::PulseOutput { points } => points.iter().map(|p| &p.load).collect(),
        Action::RegisterTest { points } => points.iter().map(|p| &p.load).collect(),
        Action::Port { load, .. } => vec![load],
        Action::Play(test) => vec![&test.load],
        Action::NoLoad { points, .. } => points.iter().map(|(load, _)| load).collect(),
        Action::Wait { .. }
        | Action::Prompt { .. }
        | Action::Flash { .. }
        | Action::Composite { .. }
        | Action::NotApplicable { .. } => Vec::new(),
    }
}

fn temperatures(step: &ResolvedStep) -> Vec<f64> {
    match &step.action {
        Action::Influence(test) if test.influence == Influence::Temperature => {
            test.variations.iter().map(|v| v.value).chain([REFERENCE_C]).collect()
        }
        _ => Vec::new(),
    }
}
