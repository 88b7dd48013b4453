//! How long a plan takes in bench time, before it runs.

use crate::play;
use crate::ports;
use crate::pulse_output::{LEAST, QUANTA};
use meterbench_plan::{Action, InfluenceTest, ResolvedPlan, ResolvedStep, TestPoint};
use meterbench_record::{Limit, LoadPoint, Nameplate};
use meterbench_standards::{Influence, InterruptionRow, REFERENCE_C};

/// Applying a load: switching, read-back, settling (s).
const APPLY: f64 = 10.8;
/// Firmware of some hundred kilobytes over a probe: erasing, writing, reading back (s).
const FLASH: f64 = 30.0;
/// How fast a chamber moves its air [K/s]; what it needs to stand (s).
const CHAMBER: f64 = 3.0 / 60.0;
const CHAMBER_STANDS: f64 = 20.0;
/// The proof that meters stand at a temperature they have (s); the time constant of a meter that must come to it (s).
const STANDING: f64 = 60.0;
const METER: f64 = 1200.0;
/// A meter without current is watched this long after a dip (s).
const OBSERVED: f64 = 60.0;
/// A meter at constant power, watched every quarter of a second (s).
const WATCHED: f64 = 0.125;
/// Self-heating at Imax stands after the least time (s).
const HEATING: f64 = 3600.0;

/// Bench time of the whole plan (s), on a bench with or without a chamber.
pub fn expected_seconds(plan: &ResolvedPlan, plate: &Nameplate, chamber: bool) -> f64 {
    let settled = if chamber { STANDING } else { 0.0 };
    settled + plan.steps.iter().map(|step| step_seconds(step, plate)).sum::<f64>()
}

/// Bench time of one step (s).
pub fn step_seconds(step: &ResolvedStep, plate: &Nameplate) -> f64 {
    match &step.action {
        Action::WarmUp { seconds, .. } => APPLY + seconds,
        Action::Apply { .. } => APPLY,
        Action::Wait { seconds, .. } => *seconds,
        Action::Flash { log_seconds, .. } => FLASH + log_seconds,
        Action::Prompt { .. } | Action::Composite { .. } | Action::NotApplicable { .. } => 0.0,
        Action::Accuracy { points, readings, both_ways } => {
            let once: f64 = points.iter().map(|point| point_seconds(point, *readings, plate)).sum();
            if *both_ways { 2.0 * once } else { once }
        }
        Action::Repeatability { points, readings } => points.iter().map(|p| point_seconds(p, *readings, plate)).sum(),
        Action::Influence(test) => influence_seconds(test, plate),
        Action::Interrupt(test) => {
            let dips = test.dips.iter().filter(|dip| dip.seconds >= 1.0);
            let one = |dip: &InterruptionRow| f64::from(dip.times) * (dip.seconds + 1.6) + OBSERVED;
            APPLY + dips.map(one).sum::<f64>() + point_seconds(&test.after, 1, plate)
        }
        Action::SelfHeating { points, warm_up_seconds } => {
            let one = |point: &TestPoint| 2.0 * APPLY + warm_up_seconds + HEATING + reading_seconds(point, plate);
            points.iter().map(|heating| one(&heating.point)).sum()
        }
        Action::Starting { rule, points } => {
            let applicable = points.iter().filter(|load| plate.export || !is_export(load)).count() as f64;
            applicable * (APPLY + 2.5 * rule.tau_seconds + WATCHED)
        }
        Action::NoLoad { points } => points.iter().map(|(_, rule)| APPLY + rule.seconds).sum(),
        Action::MeterConstant { load, limit } => dial_seconds(load, limit.as_ref(), plate),
        Action::RegisterTest { points } => points.iter().map(|p| dial_seconds(&p.load, p.limit.as_ref(), plate)).sum(),
        Action::Port { test, .. } => APPLY + ports::seconds(test),
        // The load stands already, as a rule.
        Action::Play(test) => play::seconds(test),
        Action::PulseOutput { points } => {
            let digit = plate.watt_hours_per_impulse().max(1.0);
            let full = |load: &LoadPoint| QUANTA * digit * 3600.0 / load.power().max(1.0);
            // Between two points the voltage stays.
            APPLY + points.iter().map(|p| 2.0 * APPLY + full(&p.load).max(LEAST.as_secs_f64())).sum::<f64>()
        }
    }
}

/// From standstill to standstill over so many digits of the register (s).
fn dial_seconds(load: &LoadPoint, limit: Option<&Limit>, plate: &Nameplate) -> f64 {
    let percent = limit.and_then(|l| l.high).unwrap_or(0.2);
    let full = 500.0 / percent * plate.watt_hours_per_impulse().max(1.0) * 3600.0 / load.power().max(1.0);
    3.0 * APPLY + full
}

fn is_export(load: &LoadPoint) -> bool {
    load.direction == meterbench_record::Direction::Export
}

/// One load point with its readings (s).
pub fn point_seconds(point: &TestPoint, readings: u64, plate: &Nameplate) -> f64 {
    let interval = plate.seconds_per_impulse(point.load.power());
    if !interval.is_finite() || is_export(&point.load) && !plate.export {
        return 0.0;
    }
    let readings = if interval > 60.0 { readings.max(3) } else { readings } as f64;
    // The first impulse comes after half an interval on average; a further reading begins just after an impulse, and waits
    // for the next one.
    let intervals = readings * point.impulses as f64 + 0.5 + (readings - 1.0);
    APPLY + intervals * interval + WATCHED
}

/// One reading alone, at a load that stands (s).
fn reading_seconds(point: &TestPoint, plate: &Nameplate) -> f64 {
    (point.impulses as f64 + 0.5) * plate.seconds_per_impulse(point.load.power()) + WATCHED
}

fn influence_seconds(test: &InfluenceTest, plate: &Nameplate) -> f64 {
    let base: f64 = test.base.iter().map(|point| point_seconds(point, test.readings, plate)).sum();
    let varied = test.variations.iter().flat_map(|v| &v.points).map(|varied| {
        if varied.load.switched.is_some() {
            return 2.0 * APPLY + test.switched_seconds;
        }
        let point = TestPoint { load: varied.load.clone(), limit: None, impulses: varied.impulses };
        point_seconds(&point, test.readings, plate)
    });
    let measured = base + varied.sum::<f64>();
    if test.influence != Influence::Temperature {
        return measured;
    }
    let stops = || test.variations.iter().map(|v| v.value);
    let way: f64 = std::iter::once(REFERENCE_C)
        .chain(stops())
        .zip(stops().chain([REFERENCE_C]))
        .map(|(from, to)| (to - from).abs() / CHAMBER + CHAMBER_STANDS)
        .sum();
    // The way back has no soak: it takes until the meters stand, to half a kelvin.
    let last = stops().next_back().map_or(0.0, |celsius| (celsius - REFERENCE_C).abs());
    let back = STANDING + METER * (last / 0.5).max(1.0).ln();
    measured + way + back + (test.variations.len() + 1) as f64 * (APPLY + test.soak_seconds)
}
