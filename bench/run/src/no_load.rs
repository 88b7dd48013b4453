//! No-load condition: voltage on, current circuit open, at most so many impulses in the time of the edition.
//!
//! No impulse is a pass only if the register agrees: a register that moved without impulses loses the position.

use std::time::Duration;

use meterbench_plan::ResolvedStep;
use meterbench_record::{Event, LoadPoint, Value};
use meterbench_standards::NoLoad;
use serde_json::{Map, json};
use tokio::time::sleep;

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence;
use crate::impulse_counts as impulses;

pub(crate) async fn no_load(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[(LoadPoint, NoLoad)],
) -> Result<(), RunError> {
    for (load, rule) in points {
        bench.say(format!("{} \"{}\", {}", step.word, step.name, load.voltage));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: load.voltage.clone() })?;
        bench.apply(load).await?;
        let places = impulses::start(bench, load.energy).await?;
        let mut before = Vec::new();
        for &place in &places {
            before.push(evidence::read(bench, place, load).await);
        }
        sleep(Duration::from_secs_f64(rule.seconds)).await;
        for (&place, before) in places.iter().zip(before) {
            let count = impulses::count(bench, place).await?;
            let after = evidence::read(bench, place, load).await;
            let weight = bench.places[place].nameplate.watt_hours_per_impulse();
            let (before, after) = match (before, after) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(text), _) | (_, Err(text)) => {
                    bench.lose(place, step.number, text)?;
                    continue;
                }
            };
            let moved = after.watt_hours - before.watt_hours;
            // One impulse and one digit may fall on either side of the cuts.
            if moved > (count as f64 + 1.0) * weight + after.resolution_wh {
                bench.lose(place, step.number, evidence::impulses_lost(moved, count))?;
                continue;
            }
            let mut raw = Map::new();
            raw.insert("seconds".into(), json!(rule.seconds));
            raw.insert("register_wh".into(), json!(moved));
            let taken = Taken::new(step, "impulses", "1", load, Some(rule.limit.clone()));
            bench.record(
                place,
                Taken { value: Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)), raw, ..taken },
            )?;
        }
        impulses::stop(bench, &places).await?;
    }
    Ok(())
}
