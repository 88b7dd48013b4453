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
                PointResult::Failed(text) | PointResult::Silent(text) => bench.record(place, taken.failed(text))?,
                PointResult::Readings(readings) => record_error(bench, place, taken, &readings)?,
            }
        }
    }
    Ok(())
}

/// With rising, then with falling current.
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
            use PointResult::{Failed, Lost, Readings, Silent};
            match (up, down) {
                (Failed(text) | Silent(text), _) => bench.record(place, taken.failed(text))?,
                (Lost(text), _) => bench.lose(place, step.number, text)?,
                (Readings(_), None) => {} // lost in between, and told then
                (_, Some(Lost(text))) => bench.lose(place, step.number, text.clone())?,
                (_, Some(Failed(text) | Silent(text))) => bench.record(place, taken.failed(text.clone()))?,
                (Readings(up), Some(Readings(down))) => record_both(bench, place, taken, &up, down)?,
            }
        }
    }
    Ok(())
}

/// Records the mean of the magnitudes of both errors, with the sign of the larger: the signed mean, unless they differ in sign,
/// when a signed mean would hide what both say.
fn record_both(
    bench: &mut Bench,
    place: usize,
    taken: Taken<'_>,
    rising: &[ErrorReading],
    falling: &[ErrorReading],
) -> Result<(), RunError> {
    let (up, down) = (mean(rising), mean(falling));
    let larger = if up.abs() >= down.abs() { up } else { down };
    let kept = (up.abs() + down.abs()) / 2.0 * larger.signum();
    let note = format!("rising {up:+.4} %, falling {down:+.4} %");
    let single = percents(&[rising, falling].concat());
    // The scatter is that within each sweep; what lies between the sweeps is the meter's, and is shown.
    record_series(bench, place, Taken { note: Some(note), readings: single, ..taken }, kept, &[rising, falling])
}

pub(crate) fn mean(readings: &[ErrorReading]) -> f64 {
    gum::mean(&percents(readings)).unwrap_or(f64::NAN)
}

fn percents(readings: &[ErrorReading]) -> Vec<f64> {
    readings.iter().map(|r| r.percent).collect()
}

/// The mean of these readings with its uncertainty.
pub(crate) fn uncertainty(bench: &Bench, taken: &Taken<'_>, readings: &[ErrorReading]) -> Uncertainty {
    of_series(bench, taken, &[readings])
}

fn of_series(bench: &Bench, taken: &Taken<'_>, series: &[&[ErrorReading]]) -> Uncertainty {
    budget::percentage_error(taken.load, series, bench.calibrations, bench.reference.specification())
}

/// Records the mean of these readings as the percentage error.
pub(crate) fn record_error(
    bench: &mut Bench,
    place: usize,
    taken: Taken<'_>,
    readings: &[ErrorReading],
) -> Result<(), RunError> {
    let single = if readings.len() > 1 { percents(readings) } else { Vec::new() };
    record_series(bench, place, Taken { readings: single, ..taken }, mean(readings), &[readings])
}

/// Records a percentage error that was made of these series of readings.
fn record_series(
    bench: &mut Bench,
    place: usize,
    taken: Taken<'_>,
    percent: f64,
    series: &[&[ErrorReading]],
) -> Result<(), RunError> {
    let uncertainty = of_series(bench, &taken, series);
    let readings = || series.iter().copied().flatten();
    let micro: i64 = readings().map(|r| (r.reference_wh * 1e6).round() as i64).sum();
    let impulses: u64 = readings().map(|r| r.impulses).sum();
    let mut raw = Map::new();
    raw.insert("impulses".into(), json!(impulses));
    raw.insert("reference_uwh".into(), json!(micro));
    let value = Value::Number(percent);
    bench.record(place, Taken { value, raw, uncertainty: Some(uncertainty), ..taken })
}

/// Says which point comes; false if the meters of this bench cannot show it, which is recorded.
pub(crate) fn begin_point(
    bench: &mut Bench,
    step: &ResolvedStep,
    point: &TestPoint,
    quantity: &str,
) -> Result<bool, RunError> {
    if let Some(why) = bench.not_applicable(&point.load) {
        bench.record_not_applicable(step, quantity, "%", &point.load, why)?;
        return Ok(false);
    }
    let at = point.load.to_string();
    bench.say(format!("{} \"{}\", point {at}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at })?;
    Ok(true)
}
