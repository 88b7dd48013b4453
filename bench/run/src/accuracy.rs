//! Percentage error at load points (EN 50470-3 and IEC 62053-21, limits of error).

use meterbench_plan::{ResolvedStep, TestPoint};
use meterbench_record::{Event, Value};
use meterbench_standards::gum;
use serde_json::{Map, json};

use crate::bench::{Bench, Taken};
use crate::budget;
use crate::error::RunError;
use crate::error_points::{PointResult, measure};

/// Every point on every position.
pub(crate) async fn accuracy(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[TestPoint],
    readings: u64,
) -> Result<(), RunError> {
    for point in points {
        begin_point(bench, step, point)?;
        for (place, result) in measure(bench, point, readings).await? {
            let taken = Taken::new(step, "percentage-error", "%", &point.load, point.limit.clone());
            match result {
                PointResult::Lost(text) => bench.lose(place, step.number, text)?,
                PointResult::Failed(text) => bench.record(place, taken.failed(text))?,
                PointResult::Readings(readings) => {
                    let percents: Vec<f64> = readings.iter().map(|r| r.percent).collect();
                    let mean = gum::mean(&percents).unwrap_or(f64::NAN);
                    let specification = bench.reference.specification();
                    let uncertainty =
                        budget::percentage_error(&point.load, &readings, bench.calibration, specification);
                    let microwatt_hours: i64 = readings.iter().map(|r| (r.reference_wh * 1e6).round() as i64).sum();
                    let impulses: u64 = readings.iter().map(|r| r.impulses).sum();
                    let mut raw = Map::new();
                    raw.insert("impulses".into(), json!(impulses));
                    raw.insert("reference_uwh".into(), json!(microwatt_hours));
                    let percents = if percents.len() > 1 { percents } else { Vec::new() };
                    let (value, uncertainty) = (Value::Number(mean), Some(uncertainty));
                    bench.record(place, Taken { value, readings: percents, raw, uncertainty, ..taken })?;
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn begin_point(bench: &mut Bench, step: &ResolvedStep, point: &TestPoint) -> Result<(), RunError> {
    let at = point.load.to_string();
    bench.say(format!("{} \"{}\", point {at}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at })
}
