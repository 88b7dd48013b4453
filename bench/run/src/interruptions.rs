//! Voltage dips and short interruptions without current: the meter registers no more than the critical change, and works as
//! before (IEC 62052-11, MID Annex V).

use std::time::Duration;

use meterbench_plan::{DipTest, ResolvedStep};
use meterbench_record::{LoadPoint, Value};
use meterbench_standards::InterruptionRow;
use serde_json::{Map, json};
use tokio::time::sleep;

use crate::accuracy::{begin_point, record_error};
use crate::bench::{Bench, Taken, setting};
use crate::error::RunError;
use crate::error_points::{PointResult, measure};
use crate::evidence;
use crate::impulse_counts as impulses;

/// What a dip sets off in a meter shows within this.
const OBSERVED: Duration = Duration::from_secs(60);

pub(crate) async fn interrupt(bench: &mut Bench, step: &ResolvedStep, test: &DipTest) -> Result<(), RunError> {
    let mut performed = false;
    for dip in &test.dips {
        let at = dip_load(&test.load, dip);
        if Duration::from_secs_f64(dip.seconds) < bench.source.slowness() {
            let slow = bench.source.slowness().as_secs_f64();
            let why = format!("the source of this bench needs {slow} s for a change, this dip lasts {} s", dip.seconds);
            bench.record_not_applicable(step, "registered-energy", "Wh", &at, &why)?;
            continue;
        }
        bench.say(format!("{} \"{}\", {at}", step.word, step.name));
        bench.apply(&test.load).await?;
        let places = impulses::start(bench, test.load.energy).await?;
        let mut before = Vec::new();
        for &place in &places {
            before.push(evidence::read(bench, place, &test.load).await);
        }
        perform(bench, &test.load, &at, dip).await?;
        bench.meters_have_started();
        performed = true;
        sleep(OBSERVED).await;
        for (&place, before) in places.iter().zip(before) {
            let count = impulses::count(bench, place).await?;
            let after = evidence::read(bench, place, &test.load).await;
            let (before, after) = match (before, after) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(text), _) | (_, Err(text)) => {
                    bench.lose(place, step.number, text)?;
                    continue;
                }
            };
            let weight = bench.places[place].nameplate.watt_hours_per_impulse();
            let (by_impulses, by_register) = (count as f64 * weight, after.watt_hours - before.watt_hours);
            let mut raw = Map::new();
            raw.insert("impulses".into(), json!(count));
            raw.insert("register_wh".into(), json!(by_register));
            let taken = Taken::new(step, "registered-energy", "Wh", &at, Some(test.limit.clone()));
            // The larger counts; a register that fell has lost energy.
            let value = if by_register < 0.0 { f64::INFINITY } else { by_impulses.max(by_register) };
            let taken = if value.is_finite() {
                Taken { value: Value::Number(value), raw, ..taken }
            } else {
                Taken { raw, ..taken.failed("the register fell: it has lost energy".to_owned()) }
            };
            bench.record(place, taken)?;
        }
        impulses::stop(bench, &places).await?;
    }
    // Where nothing was interrupted, nothing is said.
    if performed { works_as_before(bench, step, test).await } else { Ok(()) }
}

/// The dip as a point of the record: voltage and duration in words.
fn dip_load(load: &LoadPoint, dip: &InterruptionRow) -> LoadPoint {
    let voltage = format!("{} Un for {} s, {} times", dip.to, dip.seconds, dip.times);
    LoadPoint { voltage, volt: load.volt * dip.to, ..load.clone() }
}

async fn perform(bench: &mut Bench, full: &LoadPoint, low: &LoadPoint, dip: &InterruptionRow) -> Result<(), RunError> {
    let systems = bench.plate().systems;
    let (full, low) = (setting(full, systems), setting(low, systems));
    let held = Duration::from_secs_f64(dip.seconds).saturating_sub(bench.source.slowness());
    for _ in 0..dip.times {
        bench.source.apply(&low).await?;
        sleep(held).await;
        bench.source.apply(&full).await?;
        sleep(Duration::from_secs_f64(dip.between)).await;
    }
    Ok(())
}

/// One error with load: the meter recovered without help.
async fn works_as_before(bench: &mut Bench, step: &ResolvedStep, test: &DipTest) -> Result<(), RunError> {
    if !begin_point(bench, step, &test.after, "percentage-error")? {
        return Ok(());
    }
    for (place, result) in measure(bench, &test.after, 1).await? {
        let taken = Taken::new(step, "percentage-error", "%", &test.after.load, test.after.limit.clone());
        match result {
            PointResult::Lost(text) => bench.lose(place, step.number, text)?,
            PointResult::Failed(text) | PointResult::Silent(text) => bench.record(place, taken.failed(text))?,
            PointResult::Readings(readings) => record_error(bench, place, taken, &readings)?,
        }
    }
    Ok(())
}
