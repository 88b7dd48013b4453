//! Self-heating: from standstill to Imax, the error at once and again until it stands.
//!
//! Voltage alone first, then Imax: the error is taken at once and every five minutes for at least an hour, until it has
//! changed by no more than 0.2 % in twenty minutes (IEC 62053-21, EN 50470-3).

use std::time::Duration;

use meterbench_instruments::ErrorReading;
use meterbench_plan::{HeatingPoint, ResolvedStep};
use meterbench_record::Value;
use meterbench_standards::Influence;
use tokio::time::{Instant, sleep_until};

use crate::accuracy::{begin_point, mean, uncertainty};
use crate::bench::{Bench, Taken};
use crate::budget;
use crate::error::RunError;
use crate::error_points::{PointResult, measure};

const EVERY: Duration = Duration::from_secs(300);
const AT_LEAST: Duration = Duration::from_secs(3600);
const AT_MOST: Duration = Duration::from_secs(3 * 3600);
/// The error stands when it changed by no more than this [%] over so many intervals: 20 minutes.
const STANDS_PERCENT: f64 = 0.2;
const STANDS_OVER: usize = 4;

/// What one position gave over time.
struct Course {
    place: usize,
    readings: Vec<ErrorReading>,
    ended: Option<PointResult>,
}

impl Course {
    fn stands(&self) -> bool {
        let last = self.readings.iter().rev().take(STANDS_OVER + 1).map(|r| r.percent);
        let (low, high) = last.fold((f64::MAX, f64::MIN), |(low, high), e| (low.min(e), high.max(e)));
        self.ended.is_some() || self.readings.len() > STANDS_OVER && high - low <= STANDS_PERCENT
    }
}

pub(crate) async fn self_heating(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[HeatingPoint],
    warm_up_seconds: f64,
) -> Result<(), RunError> {
    for HeatingPoint { point, limit } in points {
        if !begin_point(bench, step, point, "error-shift")? {
            continue;
        }
        bench.remove_current(&point.load).await?;
        tokio::time::sleep(Duration::from_secs_f64(warm_up_seconds)).await;
        let begin = |place| Course { place, readings: Vec::new(), ended: None };
        let mut courses: Vec<Course> = bench.active().into_iter().map(begin).collect();
        let began = Instant::now();
        let mut next = began;
        loop {
            for (place, result) in measure(bench, point, 1).await? {
                let Some(course) = courses.iter_mut().find(|c| c.place == place && c.ended.is_none()) else { continue };
                match result {
                    PointResult::Readings(mut readings) => course.readings.append(&mut readings),
                    other => course.ended = Some(other),
                }
            }
            let elapsed = began.elapsed();
            if elapsed >= AT_MOST || elapsed >= AT_LEAST && courses.iter().all(Course::stands) {
                break;
            }
            next += EVERY;
            sleep_until(next).await;
        }
        for course in courses {
            let stood = course.stands();
            let taken = Taken::new(step, "error-shift", "%", &point.load, limit.clone());
            match course.ended {
                Some(PointResult::Lost(text)) => bench.lose(course.place, step.number, text)?,
                Some(PointResult::Failed(text) | PointResult::Silent(text)) => {
                    bench.record(course.place, taken.failed(text))?;
                }
                _ => record(bench, course.place, taken, &course.readings, stood)?,
            }
        }
    }
    Ok(())
}

/// The largest change against the first error, with its sign.
fn record(
    bench: &mut Bench,
    place: usize,
    taken: Taken<'_>,
    readings: &[ErrorReading],
    stood: bool,
) -> Result<(), RunError> {
    let Some(first) = readings.first() else { return Ok(()) };
    let farthest = readings.iter().max_by(|a, b| {
        let change = |r: &ErrorReading| (r.percent - first.percent).abs();
        change(a).total_cmp(&change(b))
    });
    let farthest = *farthest.unwrap_or(first);
    let [before, after] = [*first, farthest].map(|reading| uncertainty(bench, &taken, &[reading]));
    let scatter = scatter(&readings.iter().map(|r| r.percent).collect::<Vec<_>>());
    let specification = bench.reference.specification();
    let errors = (&before, &after);
    let uncertainty = budget::shift(errors, specification, Influence::SelfHeating, scatter);
    let value = Value::Number(mean(&[farthest]) - first.percent);
    let readings = readings.iter().map(|r| r.percent).collect();
    let still = "the error still moves by more than 0.2 % in 20 minutes after three hours".to_owned();
    let taken = taken.unsettled(Some(&still).filter(|_| !stood));
    bench.record(place, Taken { value, readings, uncertainty: Some(uncertainty), ..taken })
}

/// Scatter of single readings about their course, as a bound: from the differences of neighbours in the second half, where the
/// error stands.
fn scatter(percents: &[f64]) -> f64 {
    let plateau = &percents[percents.len() / 2..];
    let squares: f64 = plateau.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let deviation = (squares / 2.0 / (plateau.len().max(2) - 1) as f64).sqrt();
    // Two readings enter, each with this deviation; the budget takes the half-width of a rectangle.
    deviation * 6f64.sqrt()
}
