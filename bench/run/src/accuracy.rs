//! Percentage error at load points (EN 50470-3 and IEC 62053-21, limits of error).

use meterbench_instruments::ErrorReading;
use meterbench_plan::{ResolvedStep, TestPoint};
use meterbench_record::{Event, Uncertainty, Value};
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
        if !begin_point(bench, step, point, "percentage-error")? {
            continue;
        }
        for (place, result) in measure(bench, point, readings).await? {
            let taken = Taken::new(step, "percentage-error", "%", &point.load, point.limit.clone());
            match result {
                PointResult::Lost(text) => bench.lose(place, step.number, text)?,
                PointResult::Failed(text) => bench.record(place, taken.failed(text))?,
                PointResult::Readings(readings) => record_error(bench, place, taken, &readings)?,
            }
        }
    }
    Ok(())
}

/// With rising, then with falling current: the error kept is the signed mean of both.
pub(crate) async fn both_ways(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[TestPoint],
    readings: u64,
) -> Result<(), RunError> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[a].load.ampere.total_cmp(&points[b].load.ampere));
    let mut rising: Vec<Vec<(usize, PointResult)>> = Vec::new();
    for &n in &order {
        let results = if begin_point(bench, step, &points[n], "percentage-error")? {
            measure(bench, &points[n], readings).await?
        } else {
            Vec::new()
        };
        rising.push(results);
    }
    for (&n, rising) in order.iter().zip(rising).rev() {
        let point = &points[n];
        if rising.is_empty() {
            continue;
        }
        begin_point(bench, step, point, "percentage-error")?;
        let falling = measure(bench, point, readings).await?;
        for (place, up) in rising {
            let taken = Taken::new(step, "percentage-error", "%", &point.load, point.limit.clone());
            let down = falling.iter().find(|(other, _)| *other == place).map(|(_, result)| result);
            match (up, down) {
                (_, None) => {} // lost in between, and told then
                (PointResult::Lost(text), _) => bench.lose(place, step.number, text)?,
                (_, Some(PointResult::Lost(text))) => bench.lose(place, step.number, text.clone())?,
                (PointResult::Failed(text), _) => bench.record(place, taken.failed(text))?,
                (_, Some(PointResult::Failed(text))) => bench.record(place, taken.failed(text.clone()))?,
                (PointResult::Readings(up), Some(PointResult::Readings(down))) => {
                    let note = format!("rising {:+.4} %, falling {:+.4} %", mean(&up), mean(down));
                    let both: Vec<ErrorReading> = up.iter().chain(down).copied().collect();
                    record_error(bench, place, Taken { note: Some(note), ..taken }, &both)?;
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn mean(readings: &[ErrorReading]) -> f64 {
    gum::mean(&percents(readings)).unwrap_or(f64::NAN)
}

fn percents(readings: &[ErrorReading]) -> Vec<f64> {
    readings.iter().map(|r| r.percent).collect()
}

/// The mean of these readings with its uncertainty.
pub(crate) fn uncertainty(bench: &Bench, taken: &Taken<'_>, readings: &[ErrorReading]) -> Uncertainty {
    budget::percentage_error(taken.load, readings, bench.calibrations, bench.reference.specification())
}

/// Records the mean of these readings as the percentage error.
pub(crate) fn record_error(
    bench: &mut Bench,
    place: usize,
    taken: Taken<'_>,
    readings: &[ErrorReading],
) -> Result<(), RunError> {
    let uncertainty = uncertainty(bench, &taken, readings);
    let micro: i64 = readings.iter().map(|r| (r.reference_wh * 1e6).round() as i64).sum();
    let impulses: u64 = readings.iter().map(|r| r.impulses).sum();
    let mut raw = Map::new();
    raw.insert("impulses".into(), json!(impulses));
    raw.insert("reference_uwh".into(), json!(micro));
    let single = if readings.len() > 1 { percents(readings) } else { Vec::new() };
    let value = Value::Number(mean(readings));
    bench.record(place, Taken { value, readings: single, raw, uncertainty: Some(uncertainty), ..taken })
}

/// Says which point comes; false if the meters of this bench cannot show it, which is recorded.
pub(crate) fn begin_point(
    bench: &mut Bench,
    step: &ResolvedStep,
    point: &TestPoint,
    quantity: &str,
) -> Result<bool, RunError> {
    if let Some(why) = bench.not_applicable(&point.load) {
        bench.record_not_applicable(step, quantity, &point.load, why)?;
        return Ok(false);
    }
    let at = point.load.to_string();
    bench.say(format!("{} \"{}\", point {at}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at })?;
    Ok(true)
}
