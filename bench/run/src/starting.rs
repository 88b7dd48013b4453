//! Starting: at Ist the meter starts and goes on registering.
//!
//! EN 50470-3:2006 and IEC 62053-21:2003 state no time; common practice (OIML R46) lets each impulse take 1.5 times
//! the expected interval. Three impulses are awaited: one may hold old energy, the second shows that the meter started,
//! the third that it goes on.

use std::time::Duration;

use meterbench_plan::ResolvedStep;
use meterbench_record::{Event, LoadPoint, Value};
use meterbench_standards::Starting;
use meterbench_standards::gum::Budget;
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence::{self, Register};
use crate::impulse_counts as impulses;

const POLL: Duration = Duration::from_secs(1);
const QUANTITIES: [&str; 3] = ["first-impulse", "second-impulse", "third-impulse"];

pub(crate) async fn starting(
    bench: &mut Bench,
    step: &ResolvedStep,
    rule: &Starting,
    points: &[LoadPoint],
) -> Result<(), RunError> {
    for load in points {
        if let Some(why) = bench.not_applicable(load) {
            bench.record_not_applicable(step, QUANTITIES[0], "s", load, why)?;
            continue;
        }
        bench.say(format!("{} \"{}\", {load}", step.word, step.name));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
        bench.apply(load).await?;
        let mut before = Vec::new();
        for place in bench.active() {
            before.push(evidence::read(bench, place, load).await);
        }
        let times = impulse_times(bench, load, rule).await?;
        for ((place, times), before) in times.into_iter().zip(before) {
            if times.len() < QUANTITIES.len()
                && let Some(text) = lost(bench, place, load, times.len(), before).await
            {
                bench.lose(place, step.number, text)?;
                continue;
            }
            for (n, quantity) in QUANTITIES.into_iter().enumerate() {
                let time = times.get(n).copied();
                if n > times.len() {
                    break; // nothing follows an impulse that never came
                }
                let taken = Taken::new(step, quantity, "s", load, Some(rule.limit.clone()));
                let taken = match time {
                    None => taken.failed(format!("no impulse within {:.0} s", rule.longest_seconds)),
                    Some(time) => {
                        let uncertainty = Budget::default().rectangular("polling", POLL.as_secs_f64()).combine();
                        Taken { value: Value::Number(time), uncertainty: Some(uncertainty), ..taken }
                    }
                };
                bench.record(place, taken)?;
            }
        }
    }
    Ok(())
}

/// Fewer impulses than awaited: the register tells a meter that stands from impulses that do not arrive.
async fn lost(
    bench: &mut Bench,
    place: usize,
    load: &LoadPoint,
    seen: usize,
    before: Result<Register, String>,
) -> Option<String> {
    let read = match before {
        Ok(before) => evidence::read(bench, place, load).await.map(|after| after.watt_hours - before.watt_hours),
        Err(text) => Err(text),
    };
    let weight = bench.places[place].nameplate.watt_hours_per_impulse();
    match read {
        Err(text) => Some(text),
        Ok(moved) if moved >= (seen as f64 + evidence::LOST_AFTER) * weight => {
            Some(evidence::impulses_lost(moved, seen as u64))
        }
        Ok(_) => None,
    }
}

/// Times between start and impulses of every position (s), until each gave three or took too long over one.
async fn impulse_times(
    bench: &mut Bench,
    load: &LoadPoint,
    rule: &Starting,
) -> Result<Vec<(usize, Vec<f64>)>, RunError> {
    let places = impulses::start(bench, load.energy).await?;
    let began = Instant::now();
    let mut seen: Vec<(usize, Vec<f64>)> = places.iter().map(|&place| (place, Vec::new())).collect();
    loop {
        sleep(POLL).await;
        let now = began.elapsed().as_secs_f64();
        let mut waiting = false;
        for (place, times) in &mut seen {
            let count = usize::try_from(impulses::count(bench, *place).await?).unwrap_or(usize::MAX);
            while times.len() < count.min(QUANTITIES.len()) {
                times.push(now);
            }
            let last = times.last().copied().unwrap_or(0.0);
            waiting |= times.len() < QUANTITIES.len() && now - last <= rule.longest_seconds;
        }
        if !waiting {
            break;
        }
    }
    impulses::stop(bench, &places).await?;
    // From instants to the time each impulse took.
    for (_, times) in &mut seen {
        let instants = times.clone();
        for n in 1..times.len() {
            times[n] = instants[n] - instants[n - 1];
        }
    }
    Ok(seen)
}
