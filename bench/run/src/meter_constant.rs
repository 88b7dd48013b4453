//! Meter constant (dial test): impulses against the register the display shows.
//!
//! From standstill to standstill, so that neither the reading of a display nor the reading of a counter costs time at
//! load. The energy is chosen by the resolution of the register: its last digit is 1/2500 of it at a limit of 0.2 %.

use std::time::Duration;

use meterbench_instruments::Energy;
use meterbench_plan::ResolvedStep;
use meterbench_record::{Event, Limit, LoadPoint, Value};
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::bench::Taken;
use crate::error::RunError;
use crate::impulse_counts as impulses;

/// The register must move by this many of its last digits, times the limit in percent.
const DIGITS_TIMES_LIMIT: f64 = 500.0;
const ASSUMED_LIMIT_PERCENT: f64 = 0.2;

pub(crate) async fn meter_constant(
    bench: &mut Bench,
    step: &ResolvedStep,
    load: &LoadPoint,
    limit: Option<&Limit>,
) -> Result<(), RunError> {
    bench.say(format!("{} \"{}\", {load}", step.word, step.name));
    bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
    bench.remove_current(load).await?;
    // Ranges are set before anything counts: a change of range would abort it.
    bench.reference.set_ranges(load.volt, load.ampere).await?;
    let places = impulses::start(bench).await?;
    let before = read_displays(bench, &places).await?;
    let resolution = before.iter().map(|(_, r)| *r).fold(0.0, f64::max);
    let percent = limit.and_then(|l| l.high).unwrap_or(ASSUMED_LIMIT_PERCENT);
    let reference = run_dial(bench, load, resolution * DIGITS_TIMES_LIMIT / percent).await?;
    let after = read_displays(bench, &places).await?;
    for ((&place, (before, _)), (after, resolution)) in places.iter().zip(before).zip(after) {
        let count = impulses::count(bench, place).await?;
        let per_impulse = bench.places[place].nameplate.watt_hours_per_impulse();
        let by_impulses = count as f64 * per_impulse;
        let by_register = after - before;
        let stands = by_register <= 0.0;
        let error = 100.0 * (by_impulses - by_register) / by_register;
        // Two truncated readings of the register, one impulse more or less.
        let uncertainty = Budget::default()
            .rectangular("register: last digit, twice", 100.0 * resolution / by_register / 2f64.sqrt())
            .rectangular("impulses: one more or less", 100.0 * per_impulse / by_register / 2.0)
            .combine();
        let mut raw = Map::new();
        raw.insert("impulses".into(), json!(count));
        raw.insert("register_wh".into(), json!(by_register));
        raw.insert("reference_uwh".into(), json!((reference.watt_hours * 1e6).round() as i64));
        let taken = Taken {
            step: step.number,
            step_id: &step.id,
            quantity: "impulses-against-register",
            unit: "%",
            load,
            value: if stands { Value::None } else { Value::Number(error) },
            readings: Vec::new(),
            raw,
            uncertainty: (!stands).then_some(uncertainty),
            limit: limit.cloned(),
            note: stands.then(|| "the register did not move".to_owned()),
            failed: stands,
        };
        bench.record(place, taken)?;
    }
    impulses::stop(bench, &places).await
}

async fn read_displays(bench: &mut Bench, places: &[usize]) -> Result<Vec<(f64, f64)>, RunError> {
    let mut shown = Vec::new();
    for &place in places {
        let reading = bench.places[place].display.read().await?;
        shown.push((reading.watt_hours, reading.resolution_wh));
    }
    Ok(shown)
}

/// Load on until the reference has counted this energy, load off.
async fn run_dial(bench: &mut Bench, load: &LoadPoint, watt_hours: f64) -> Result<Energy, RunError> {
    bench.reference.start_energy().await?;
    bench.apply(load).await?;
    let full = Duration::from_secs_f64(watt_hours * 3600.0 / load.active_watt().abs());
    let until = Instant::now() + full * 2;
    while bench.reference.energy().await?.watt_hours < watt_hours && Instant::now() < until {
        sleep((full / 20).max(Duration::from_secs(1))).await;
    }
    let energy = bench.reference.stop_energy().await?;
    bench.remove_current(load).await?;
    Ok(energy)
}
