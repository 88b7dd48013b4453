//! Every set-point of a plan against the limits of source and chamber, before anything is energised.

use meterbench_instruments::{AcSource, Chamber};
use meterbench_plan::{Action, Finding, ResolvedPlan, ResolvedStep, Severity};
use meterbench_record::LoadPoint;
use meterbench_standards::{Influence, REFERENCE_C};

use crate::error::RunError;
use crate::play;
use crate::waves;

/// Everything in a plan that would ask an instrument for what this bench must not do, or cannot; each once in a step.
pub fn check_set_points(
    source: &mut dyn AcSource,
    chamber: Option<&dyn Chamber>,
    plan: &ResolvedPlan,
    systems: u8,
) -> Vec<Finding> {
    plan.steps.iter().flat_map(|step| check_step(source, chamber, step, systems)).collect()
}

fn check_step(
    source: &mut dyn AcSource,
    chamber: Option<&dyn Chamber>,
    step: &ResolvedStep,
    systems: u8,
) -> Vec<Finding> {
    let mut refused: Vec<(String, RunError)> = Vec::new();
    let mut refuse = |at: String, error: RunError| {
        if refused.iter().all(|(_, other)| other.to_string() != error.to_string()) {
            refused.push((at, error));
        }
    };
    for load in loads(step) {
        if let Err(error) = waves::check(source, load, systems) {
            refuse(format!(", {load}"), error);
        }
    }
    if let Action::Play(test) = &step.action {
        play::check(source, test, systems).into_iter().for_each(|error| refuse(String::new(), error));
    }
    for celsius in temperatures(step) {
        let checked = match chamber {
            None => Err(RunError::NoChamber { asked: celsius }),
            Some(chamber) => chamber.check(celsius).map_err(RunError::from),
        };
        if let Err(error) = checked {
            refuse(String::new(), error);
        }
    }
    let told = |(at, error): (String, RunError)| Finding {
        code: "beyond-bench",
        severity: Severity::Error,
        message: format!("step \"{}\"{at}: {error}", step.name),
        span: step.span.clone(),
        label: error.remedy(),
        help: None,
    };
    refused.into_iter().map(told).collect()
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
