//! How long a plan takes in bench time, before it runs.

use meterbench_plan::{Action, ResolvedPlan, ResolvedStep, TestPoint};
use meterbench_record::Nameplate;

/// Applying a load: switching, read-back, settling (s).
const APPLY: f64 = 11.0;

/// Bench time of the whole plan (s).
pub fn expected_seconds(plan: &ResolvedPlan, plate: &Nameplate) -> f64 {
    plan.steps.iter().map(|step| step_seconds(step, plate)).sum()
}

fn step_seconds(step: &ResolvedStep, plate: &Nameplate) -> f64 {
    match &step.action {
        Action::WarmUp { seconds, .. } => APPLY + seconds,
        Action::Apply { .. } => APPLY,
        Action::Wait { seconds, .. } => *seconds,
        Action::Prompt { .. } => 0.0,
        Action::Accuracy { points, readings } | Action::Repeatability { points, readings } => {
            points.iter().map(|point| point_seconds(point, *readings, plate)).sum()
        }
        Action::Starting { rule, points } => points.len() as f64 * (APPLY + 2.5 * rule.tau_seconds),
        Action::NoLoad { rule, points } => points.len() as f64 * (APPLY + rule.seconds),
        Action::MeterConstant { load, limit } => {
            let percent = limit.as_ref().and_then(|l| l.high).unwrap_or(0.2);
            3.0 * APPLY + 500.0 / percent * 3600.0 / load.active_watt().abs().max(1.0)
        }
    }
}

fn point_seconds(point: &TestPoint, readings: u64, plate: &Nameplate) -> f64 {
    let interval = plate.seconds_per_impulse(point.load.active_watt());
    if !interval.is_finite() {
        return APPLY;
    }
    let readings = if interval > 60.0 { readings.max(3) } else { readings };
    APPLY + readings as f64 * (point.impulses as f64 + 0.5) * interval
}
