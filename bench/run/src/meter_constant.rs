//! Meter constant (dial test): impulses against the register, read over the optical port.
//!
//! From standstill to standstill, so that neither the reading of a register nor the reading of a counter costs time at
//! load. The energy is chosen by the coarser of register digit and impulse: it is 1/2500 of it at a limit of 0.2 %.

use std::time::Duration;

use meterbench_instruments::Energy;
use meterbench_plan::ResolvedStep;
use meterbench_record::{EnergyKind, Event, Limit, LoadPoint, Value};
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence::{self, Register};
use crate::impulse_counts as impulses;

/// The register must move by this many of its last digits, times the limit in percent.
pub(crate) const DIGITS_TIMES_LIMIT: f64 = 500.0;
pub(crate) const ASSUMED_LIMIT_PERCENT: f64 = 0.2;
/// A reference that saw less than this share of the energy had no load.
const LEAST_SHARE: f64 = 0.9;

pub(crate) async fn meter_constant(
    bench: &mut Bench,
    step: &ResolvedStep,
    load: &LoadPoint,
    limit: Option<&Limit>,
) -> Result<(), RunError> {
    if let Some(why) = bench.not_applicable(load) {
        return bench.record_not_applicable(step, "impulses-against-register", "%", load, why);
    }
    bench.say(format!("{} \"{}\", {load}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
    bench.remove_current(load).await?;
    // Ranges are set before anything counts: a change of range would abort it.
    bench.reference.set_ranges(load.volt, load.ampere).await?;
    let places = impulses::start(bench, load.energy).await?;
    let mut before: Vec<(usize, Register)> = Vec::new();
    for place in places {
        match evidence::read(bench, place, load).await {
            Ok(reading) => match evidence::useless(&reading) {
                None => before.push((place, reading)),
                Some(why) => {
                    bench.record(
                        place,
                        Taken::new(step, "impulses-against-register", "%", load, limit.cloned()).failed(why),
                    )?;
                }
            },
            Err(text) => bench.lose(place, step.number, text)?,
        }
    }
    let coarsest = before.iter().map(|(_, r)| r.resolution_wh).fold(bench.plate().watt_hours_per_impulse(), f64::max);
    let percent = limit.and_then(|l| l.high).unwrap_or(ASSUMED_LIMIT_PERCENT);
    let reference = run_dial(bench, load, coarsest * DIGITS_TIMES_LIMIT / percent).await?;
    for (place, before) in &before {
        let count = impulses::count(bench, *place).await?;
        match evidence::read(bench, *place, load).await {
            Ok(after) => judge(bench, step, load, limit, *place, (before, &after), count, &reference)?,
            Err(text) => bench.lose(*place, step.number, text)?,
        }
    }
    let places: Vec<usize> = before.iter().map(|(place, _)| *place).collect();
    impulses::stop(bench, &places).await
}

#[expect(clippy::too_many_arguments, reason = "the counts of one position, taken together once")]
fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    load: &LoadPoint,
    limit: Option<&Limit>,
    place: usize,
    (before, after): (&Register, &Register),
    count: u64,
    reference: &Energy,
) -> Result<(), RunError> {
    let weight = bench.places[place].nameplate.watt_hours_per_impulse();
    let (by_impulses, by_register) = (count as f64 * weight, after.watt_hours - before.watt_hours);
    if count <= 1 && by_register >= evidence::LOST_AFTER * weight {
        return bench.lose(place, step.number, evidence::impulses_lost(by_register, count));
    }
    let mut raw = Map::new();
    raw.insert("impulses".into(), json!(count));
    raw.insert("register_wh".into(), json!(by_register));
    raw.insert("reference_uwh".into(), json!((reference.watt_hours * 1e6).round() as i64));
    let taken = Taken { raw, ..Taken::new(step, "impulses-against-register", "%", load, limit.cloned()) };
    if by_register <= 0.0 {
        return bench.record(place, taken.failed("the register did not move".to_owned()));
    }
    // Both are cut off twice, at the beginning and at the end: triangular, half-width over the square root of six.
    let cut = |quantum: f64| 100.0 * quantum / by_register / 2f64.sqrt();
    let uncertainty = Budget::default()
        .rectangular("register: last digit, twice", cut(after.resolution_wh))
        .rectangular("impulses: one more or less", cut(weight))
        .combine();
    let value = Value::Number(100.0 * (by_impulses - by_register) / by_register);
    bench.record(place, Taken { value, uncertainty: Some(uncertainty), ..taken })
}

/// Load on until the reference has counted this energy, load off.
pub(crate) async fn run_dial(bench: &mut Bench, load: &LoadPoint, watt_hours: f64) -> Result<Energy, RunError> {
    bench.reference.start_energy(load.energy == EnergyKind::Reactive).await?;
    bench.apply(load).await?;
    let full = Duration::try_from_secs_f64(watt_hours * 3600.0 / load.power()).unwrap_or(Duration::MAX / 8);
    let until = Instant::now() + full * 2;
    while bench.reference.energy().await?.watt_hours < watt_hours && Instant::now() < until {
        sleep((full / 20).max(Duration::from_secs(1))).await;
    }
    // What the meter registers while the current goes down, the reference counts too.
    bench.remove_current(load).await?;
    let energy = bench.reference.stop_energy().await?;
    if energy.watt_hours < LEAST_SHARE * watt_hours {
        return Err(RunError::NoEnergy { counted: energy.watt_hours, wanted: watt_hours });
    }
    Ok(energy)
}
