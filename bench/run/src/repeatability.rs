//! Repeatability: the experimental standard deviation of successive results at one load.

use meterbench_plan::{ResolvedStep, TestPoint};
use meterbench_record::Value;
use meterbench_standards::gum::{Budget, experimental_deviation};

use crate::accuracy::begin_point;
use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::error_points::{PointResult, measure};

/// The deviation of `readings` results at every point on every position.
pub(crate) async fn repeatability(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[TestPoint],
    readings: u64,
) -> Result<(), RunError> {
    for point in points {
        if !begin_point(bench, step, point, "repeatability")? {
            continue;
        }
        for (place, result) in measure(bench, point, readings).await? {
            let taken = Taken::new(step, "repeatability", "%", &point.load, point.limit.clone());
            match result {
                PointResult::Lost(text) => bench.lose(place, step.number, text)?,
                PointResult::Failed(text) | PointResult::Silent(text) => bench.record(place, taken.failed(text))?,
                PointResult::Readings(readings) => {
                    let percents: Vec<f64> = readings.iter().map(|r| r.percent).collect();
                    let deviation = experimental_deviation(&percents).unwrap_or(f64::NAN);
                    let fewest = readings.iter().map(|r| r.pulses).fold(f64::INFINITY, f64::min).max(1.0);
                    // The deviation of a deviation of n readings is s/sqrt(2(n-1)) (JCGM 100, E.4.3).
                    let of_itself = deviation / (2.0 * (percents.len() as f64 - 1.0)).sqrt();
                    let uncertainty = Budget::default()
                        .certificate("deviation from few readings", 2.0 * of_itself)
                        .rectangular("reference: pulse resolution", 100.0 / fewest)
                        .combine();
                    let (value, uncertainty) = (Value::Number(deviation), Some(uncertainty));
                    bench.record(place, Taken { value, readings: percents, uncertainty, ..taken })?;
                }
            }
        }
    }
    Ok(())
}
