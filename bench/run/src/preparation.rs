//! Steps that prepare: warm-up, apply, wait, prompt.

use std::time::Duration;

use meterbench_plan::{Expectation, ResolvedStep};
use meterbench_record::{Certainty, Event, Limit, LoadPoint, Value};
use tokio::time::sleep;

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::impulse_counts as impulses;

pub(crate) async fn warm_up(
    bench: &mut Bench,
    step: &ResolvedStep,
    load: &LoadPoint,
    seconds: f64,
) -> Result<(), RunError> {
    apply(bench, step, load).await?;
    sleep(Duration::from_secs_f64(seconds)).await;
    Ok(())
}

pub(crate) async fn apply(bench: &mut Bench, step: &ResolvedStep, load: &LoadPoint) -> Result<(), RunError> {
    bench.say(format!("{} \"{}\", {load}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
    bench.apply(load).await
}

/// Lets time pass; counts impulses if the plan expects some.
pub(crate) async fn wait(
    bench: &mut Bench,
    step: &ResolvedStep,
    seconds: f64,
    expect: &[Expectation],
) -> Result<(), RunError> {
    bench.say(format!("{} \"{}\"", step.word, step.name));
    if expect.is_empty() {
        sleep(Duration::from_secs_f64(seconds)).await;
        return Ok(());
    }
    let load = bench.standing.clone().unwrap_or_else(|| unloaded(bench));
    let places = impulses::start(bench, load.energy).await?;
    sleep(Duration::from_secs_f64(seconds)).await;
    for &place in &places {
        let count = impulses::count(bench, place).await?;
        for expectation in expect {
            let limit = Limit {
                low: expectation.count.low,
                high: expectation.count.high,
                source: "plan".into(),
                row: format!("impulses within {seconds} s"),
                certainty: Certainty::Verified,
                binding: None,
            };
            let taken = Taken::new(step, "impulses", "1", &load, Some(limit));
            bench.record(place, Taken { value: Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)), ..taken })?;
        }
    }
    impulses::stop(bench, &places).await
}

/// Nothing has been applied yet: everything off.
fn unloaded(bench: &Bench) -> LoadPoint {
    use meterbench_record::{Direction, EnergyKind, Phases, PowerFactor};
    LoadPoint {
        voltage: "0 V".into(),
        current: "0 A".into(),
        volt: 0.0,
        ampere: 0.0,
        power_factor: PowerFactor::UNITY,
        frequency_hz: bench.plate().fn_hertz,
        phases: Phases::all(bench.plate().systems),
        direction: Direction::Import,
        energy: EnergyKind::Active,
        temperature_c: 23.0,
        frequency: None,
        temperature: None,
        reversed_sequence: false,
        interrupted: None,
        wave: None,
        switched: None,
    }
}

/// An emulated bench has no operator: what would be asked is noted.
pub(crate) fn prompt(bench: &mut Bench, step: &ResolvedStep, text: &str) -> Result<(), RunError> {
    bench.recorder.note(Some(step.number), format!("operator (nobody on an emulated bench): {text}"))
}
