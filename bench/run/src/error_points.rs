//! Percentage errors of all positions at one load point.

use std::time::Duration;

use meterbench_instruments::{CalculatorState, ErrorReading};
use meterbench_plan::TestPoint;
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::error::RunError;

/// An impulse must come within this many expected intervals.
const FIRST_WITHIN: f64 = 1.5;
/// The whole measurement must end within this many times its expected duration: a meter on one of three phases needs three.
const ALL_WITHIN: f64 = 3.5;
/// Time for an edge to become an answer.
const SLACK: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(250);
/// The calculator's own arithmetic and ours may differ by the rounding of its reference pulses.
const ARITHMETIC_PERCENT: f64 = 0.005;

/// What one position gave.
pub(crate) enum PointResult {
    /// One reading per repetition.
    Readings(Vec<ErrorReading>),
    /// The meter failed: why, in words.
    Failed(String),
    /// The bench lost the position: why, in words.
    Lost(String),
}

/// Applies the load, waits until it stands, gates every position's error calculator on the meter's own impulses.
pub(crate) async fn measure(
    bench: &mut Bench,
    point: &TestPoint,
    readings: u64,
) -> Result<Vec<(usize, PointResult)>, RunError> {
    bench.apply(&point.load).await?;
    let interval = bench.plate().seconds_per_impulse(point.load.active_watt());
    let mut pending: Vec<(usize, Vec<ErrorReading>)> = bench.active().into_iter().map(|n| (n, Vec::new())).collect();
    let mut results = Vec::new();
    // An interval of a minute gives few impulses in any sensible time: three single ones then stand for the reading.
    let readings = if interval > 60.0 { readings.max(3) } else { readings };
    for _ in 0..readings {
        let places: Vec<usize> = pending.iter().map(|(n, _)| *n).collect();
        let outcomes = one_reading(bench, &places, point.impulses, interval).await?;
        let mut going_on = Vec::new();
        for ((place, mut taken), outcome) in pending.into_iter().zip(outcomes) {
            match outcome {
                Ok(reading) => {
                    taken.push(reading);
                    going_on.push((place, taken));
                }
                Err(result) => results.push((place, result)),
            }
        }
        pending = going_on;
    }
    results.extend(pending.into_iter().map(|(place, taken)| (place, PointResult::Readings(taken))));
    results.sort_by_key(|(place, _)| *place);
    Ok(results)
}

/// One reading of every place; a place without one says why.
async fn one_reading(
    bench: &mut Bench,
    places: &[usize],
    impulses: u64,
    interval: f64,
) -> Result<Vec<Result<ErrorReading, PointResult>>, RunError> {
    let mut displays = Vec::new();
    for &place in places {
        let (input, constant) = calculator(bench, place);
        displays.push(bench.places[place].display.read().await?.watt_hours);
        bench.reference.start(&input, constant, impulses).await?;
    }
    let started = Instant::now();
    let first_until = started + Duration::from_secs_f64(FIRST_WITHIN * interval) + SLACK;
    let expected = Duration::from_secs_f64((impulses as f64 + 0.5) * interval);
    let all_until = started + expected.mul_f64(ALL_WITHIN) + SLACK;
    let mut outcomes: Vec<Option<Result<ErrorReading, PointResult>>> = places.iter().map(|_| None).collect();
    // Nothing can be complete before the impulses that are counted have had time to come.
    sleep(
        Duration::from_secs_f64(impulses as f64 * interval * 0.9).min(Duration::from_secs_f64(FIRST_WITHIN * interval)),
    )
    .await;
    while outcomes.iter().any(Option::is_none) {
        for (outcome, (&place, &display)) in outcomes.iter_mut().zip(places.iter().zip(&displays)) {
            if outcome.is_some() {
                continue;
            }
            let (input, _) = calculator(bench, place);
            *outcome = match bench.reference.state(&input).await? {
                CalculatorState::Ready => Some(Ok(take(bench, place, &input).await?)),
                CalculatorState::Armed if Instant::now() >= first_until => {
                    bench.reference.stop(&input).await?;
                    Some(Err(without_impulse(bench, place, display).await?))
                }
                CalculatorState::Counting if Instant::now() >= all_until => {
                    let edges = bench.reference.edges(&input).await?;
                    bench.reference.stop(&input).await?;
                    let text = format!(
                        "only {} of {impulses} intervals in {ALL_WITHIN} times the expected time",
                        edges.saturating_sub(1)
                    );
                    Some(Err(PointResult::Failed(text)))
                }
                CalculatorState::Aborted | CalculatorState::Idle => {
                    return Err(RunError::Aborted { position: bench.places[place].id });
                }
                CalculatorState::Armed | CalculatorState::Counting => None,
            };
        }
        if outcomes.iter().any(Option::is_none) {
            sleep(POLL).await;
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

fn calculator(bench: &Bench, place: usize) -> (String, u32) {
    let place = &bench.places[place];
    (place.calculator.clone(), place.nameplate.constant_per_kwh)
}

/// Takes the result and checks the instrument's arithmetic against its own counts.
async fn take(bench: &mut Bench, place: usize, input: &str) -> Result<ErrorReading, RunError> {
    let reading = bench.reference.reading(input).await?;
    let position = &bench.places[place];
    let registered = reading.impulses as f64 * position.nameplate.watt_hours_per_impulse();
    let computed = 100.0 * (registered - reading.reference_wh) / reading.reference_wh;
    let allowed = ARITHMETIC_PERCENT + 200.0 / reading.pulses.max(1.0);
    if !computed.is_finite() || (computed - reading.percent).abs() > allowed {
        return Err(RunError::Arithmetic { position: position.id, instrument: reading.percent, computed });
    }
    Ok(ErrorReading { percent: computed, ..reading })
}

/// No impulse came. The register is the evidence: if it moved, the meter works and the bench does not see its impulses.
async fn without_impulse(bench: &mut Bench, place: usize, before: f64) -> Result<PointResult, RunError> {
    let after = bench.places[place].display.read().await?;
    let moved = after.watt_hours - before;
    let waited = format!("no impulse within {FIRST_WITHIN} expected intervals");
    if moved >= after.resolution_wh {
        return Ok(PointResult::Lost(format!(
            "{waited}, and the register moved by {moved} Wh: the meter registers, its impulses do not reach the error calculator"
        )));
    }
    Ok(PointResult::Failed(format!("{waited}, and the register did not move")))
}
