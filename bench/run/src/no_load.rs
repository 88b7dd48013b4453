//! No-load condition: voltage on, current circuit open, at most so many impulses in the time of the edition.

use std::time::Duration;

use meterbench_plan::ResolvedStep;
use meterbench_record::{Event, Limit, LoadPoint, Value};
use meterbench_standards::NoLoad;
use serde_json::{Map, json};
use tokio::time::sleep;

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::impulse_counts as impulses;

pub(crate) async fn no_load(
    bench: &mut Bench,
    step: &ResolvedStep,
    rule: &NoLoad,
    points: &[(LoadPoint, Limit)],
) -> Result<(), RunError> {
    for (load, limit) in points {
        bench.say(format!("{} \"{}\", {}", step.word, step.name, load.voltage));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: load.voltage.clone() })?;
        bench.apply(load).await?;
        let places = impulses::start(bench).await?;
        sleep(Duration::from_secs_f64(rule.seconds)).await;
        for &place in &places {
            let count = impulses::count(bench, place).await?;
            let mut raw = Map::new();
            raw.insert("seconds".into(), json!(rule.seconds));
            let taken = Taken {
                step: step.number,
                step_id: &step.id,
                quantity: "impulses",
                unit: "1",
                load,
                value: Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
                readings: Vec::new(),
                raw,
                uncertainty: None,
                limit: Some(limit.clone()),
                note: None,
                failed: false,
            };
            bench.record(place, taken)?;
        }
        impulses::stop(bench, &places).await?;
    }
    Ok(())
}
