//! Percentage errors of all positions at one load point.

use std::time::Duration;

use meterbench_instruments::{CalculatorState, ErrorReading};
use meterbench_plan::TestPoint;
use meterbench_record::LoadPoint;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bench::Bench;
use crate::error::RunError;
use crate::evidence;

/// An impulse must come within this many expected intervals, or the register is asked.
const FIRST_WITHIN: f64 = 1.5;
/// The whole measurement must end within this many times its expected duration: a meter on one of three phases needs three.
const ALL_WITHIN: f64 = 3.5;
/// Impulses have stopped when none came for this many intervals.
const STOPPED_AFTER: f64 = 5.0;
/// Time for an edge to become an answer.
const SLACK: Duration = Duration::from_secs(2);
/// Share of the expected time after which a calculator is asked again.
const ALMOST: f64 = 0.97;
const POLL: Duration = Duration::from_millis(250);
/// The calculator's own arithmetic and ours may differ by the rounding of its reference pulses.
const ARITHMETIC_PERCENT: f64 = 0.005;

/// What one position gave.
pub(crate) enum PointResult {
    /// One reading per repetition.
    Readings(Vec<ErrorReading>),
    /// The meter failed: why, in words.
    Failed(String),
    /// The meter stands still: no impulse, and its register does not move.
    Silent(String),
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
    bench.select_output(point.load.energy).await?;
    let interval = bench.plate().seconds_per_impulse(point.load.power());
    let mut pending: Vec<(usize, Vec<ErrorReading>)> = bench.active().into_iter().map(|n| (n, Vec::new())).collect();
    let mut results = Vec::new();
    // An interval of a minute gives few impulses in any sensible time: three single ones then stand for the reading.
    let readings = if interval > 60.0 { readings.max(3) } else { readings };
    for _ in 0..readings {
        let places: Vec<usize> = pending.iter().map(|(n, _)| *n).collect();
        let outcomes = one_reading(bench, &places, point, interval).await?;
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

/// One calculator on its way to a reading.
struct Gate {
    place: usize,
    input: String,
    /// Register before the start (Wh), or why it is not known.
    before: Result<f64, String>,
    edges: u64,
    /// When the last new edge was seen, and the first.
    last_edge: Instant,
    first_edge: Option<Instant>,
    outcome: Option<Result<ErrorReading, PointResult>>,
}

/// One reading of every place; a place without one says why.
async fn one_reading(
    bench: &mut Bench,
    places: &[usize],
    point: &TestPoint,
    interval: f64,
) -> Result<Vec<Result<ErrorReading, PointResult>>, RunError> {
    let mut gates = Vec::new();
    for &place in places {
        let before = evidence::read(bench, place, &point.load).await.map(|r| r.watt_hours);
        let input = bench.places[place].calculator.clone();
        let output = bench.meter_output(place);
        bench.reference.start(&input, output, point.impulses).await?;
        let now = Instant::now();
        gates.push(Gate { place, input, before, edges: 0, last_edge: now, first_edge: None, outcome: None });
    }
    let started = Instant::now();
    let first_until = started + seconds(FIRST_WITHIN * interval) + SLACK;
    let all_until = started + seconds((point.impulses as f64 + 0.5) * interval * ALL_WITHIN) + SLACK;
    // Nothing can be complete before the impulses that are counted have had time to come.
    sleep(seconds((point.impulses as f64 * 0.9).min(FIRST_WITHIN) * interval)).await;
    while gates.iter().any(|gate| gate.outcome.is_none()) {
        for gate in gates.iter_mut().filter(|gate| gate.outcome.is_none()) {
            gate.outcome = step(bench, gate, &point.load, (first_until, all_until), (point.impulses, interval)).await?;
        }
        let pending = || gates.iter().filter(|gate| gate.outcome.is_none());
        if pending().count() == 0 {
            break;
        }
        // Once every meter gives impulses there is nothing to see before the last of them is due.
        let due = started + seconds(point.impulses as f64 * ALMOST * interval);
        if pending().all(|gate| gate.edges > 0) && due > Instant::now() + POLL {
            sleep_until(due).await;
        } else {
            sleep(POLL).await;
        }
    }
    Ok(gates.into_iter().filter_map(|gate| gate.outcome).collect())
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 4)
}

/// Looks at one calculator once.
async fn step(
    bench: &mut Bench,
    gate: &mut Gate,
    load: &LoadPoint,
    (first_until, all_until): (Instant, Instant),
    (impulses, interval): (u64, f64),
) -> Result<Option<Result<ErrorReading, PointResult>>, RunError> {
    let (state, edges) = bench.reference.progress(&gate.input).await?;
    let now = Instant::now();
    if edges > gate.edges {
        gate.edges = edges;
        gate.last_edge = now;
        gate.first_edge.get_or_insert(now);
    }
    let ended = match state {
        CalculatorState::Ready => return Ok(Some(Ok(take(bench, gate.place, &gate.input).await?))),
        CalculatorState::Armed if now >= first_until => without_impulse(bench, gate, load, now >= all_until).await,
        CalculatorState::Counting if now >= all_until => Some(too_few(bench, gate, load, impulses, interval).await),
        CalculatorState::Aborted | CalculatorState::Idle => {
            return Err(RunError::Aborted { position: bench.places[gate.place].id });
        }
        CalculatorState::Armed | CalculatorState::Counting => None,
    };
    if ended.is_some() {
        bench.reference.stop(&gate.input).await?;
    }
    Ok(ended.map(Err))
}

/// How far the register moved since the start, without what the load brought while it was read (Wh); `None` where not a digit changed.
async fn moved(bench: &mut Bench, gate: &Gate, load: &LoadPoint) -> Result<Option<f64>, String> {
    let before = gate.before.clone()?;
    let after = evidence::read(bench, gate.place, load).await?;
    let moved = after.watt_hours - before;
    let meanwhile = load.power() * after.seconds / 3600.0;
    // Half a digit is above the rounding of a difference and below any digit.
    Ok((moved >= after.resolution_wh / 2.0).then_some((moved - meanwhile).max(0.0)))
}

/// No impulse came. A register that stands is a meter that failed; one that goes on without impulses, a bench that does
/// not see them. A little movement may be a slow meter: it gets its time.
async fn without_impulse(bench: &mut Bench, gate: &Gate, load: &LoadPoint, late: bool) -> Option<PointResult> {
    let weight = bench.places[gate.place].nameplate.watt_hours_per_impulse();
    let waited = format!("no impulse within {FIRST_WITHIN} expected intervals");
    match moved(bench, gate, load).await {
        Err(text) => Some(PointResult::Lost(format!("{waited}, and {text}"))),
        Ok(None) => Some(PointResult::Silent(format!("{waited}, and the register did not move"))),
        Ok(Some(moved)) if late || moved >= evidence::LOST_AFTER * weight => {
            Some(PointResult::Lost(evidence::impulses_lost(moved, 0)))
        }
        Ok(Some(_)) => None,
    }
}

/// Impulses began and did not become enough: a slow meter, or impulses that stopped reaching the bench.
async fn too_few(bench: &mut Bench, gate: &Gate, load: &LoadPoint, impulses: u64, interval: f64) -> PointResult {
    let weight = bench.places[gate.place].nameplate.watt_hours_per_impulse();
    let since_first = gate.first_edge.map_or(0.0, |first| (gate.last_edge - first).as_secs_f64());
    let seen_interval = since_first / (gate.edges.max(2) - 1) as f64;
    let stopped = gate.last_edge.elapsed().as_secs_f64() > STOPPED_AFTER * seen_interval.max(interval);
    let register = moved(bench, gate, load).await.map(Option::unwrap_or_default);
    let unseen =
        register.as_ref().is_ok_and(|moved| moved - gate.edges as f64 * weight >= evidence::LOST_AFTER * weight);
    let stopped = stopped || gate.edges == 1;
    match register {
        Ok(moved) if stopped && unseen => PointResult::Lost(evidence::impulses_lost(moved, gate.edges)),
        Err(text) if stopped => PointResult::Lost(format!("impulses stopped after {}, and {text}", gate.edges)),
        _ => PointResult::Failed(format!(
            "only {} of {impulses} intervals in {ALL_WITHIN} times the expected time",
            gate.edges.saturating_sub(1)
        )),
    }
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
