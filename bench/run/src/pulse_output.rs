//! Pulse output (S0): how long its pulses are on and off, and that it gives as many as the LED gives and the register counts.
//!
//! From standstill to standstill, like the dial test: every pulse that began has ended, and all three counted the same energy.
//! The time on is judged by the data sheet: its tolerance reaches below the least time of IEC 62053-31.

use std::time::Duration;

use meterbench_instruments::{DisplayReading, Pulses};
use meterbench_plan::{PulsePoint, ResolvedStep};
use meterbench_record::{Certainty, Event, Limit, Uncertainty, Value};
use meterbench_standards::PulseOutput;
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};
use tokio::time::sleep;

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence;
use crate::impulse_counts as impulses;

/// Pulses, or last digits of the register if they are coarser, that a load lasts for; and its least time.
pub(crate) const QUANTA: f64 = 100.0;
pub(crate) const LEAST: Duration = Duration::from_secs(30);
/// How well the reading head knows the instant of an edge (ms).
const EDGE_MS: f64 = 0.005;

pub(crate) async fn pulse_output(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[PulsePoint],
) -> Result<(), RunError> {
    for point in points {
        let load = &point.load;
        if let Some(why) = bench.not_applicable(load) {
            bench.record_not_applicable(step, "pulse-width", "ms", load, why)?;
            continue;
        }
        bench.say(format!("{} \"{}\", {load}", step.word, step.name));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
        one_load(bench, step, point).await?;
    }
    Ok(())
}

/// What three witnesses counted at one position.
struct Counts {
    led: u64,
    s0: Pulses,
    /// Energy by the register (Wh), and its last digit.
    register_wh: f64,
    digit_wh: f64,
}

async fn one_load(bench: &mut Bench, step: &ResolvedStep, point: &PulsePoint) -> Result<(), RunError> {
    let load = &point.load;
    bench.remove_current(load).await?;
    bench.reference.set_ranges(load.volt, load.ampere).await?;
    let mut before: Vec<(usize, DisplayReading)> = Vec::new();
    for place in impulses::start(bench, load.energy).await? {
        match evidence::read(bench, place, load).await {
            Ok(reading) => before.push((place, reading)),
            Err(text) => bench.lose(place, step.number, text)?,
        }
    }
    for (place, _) in &before {
        bench.places[*place].display.reset_pulses().await?;
    }
    let coarsest = before.iter().map(|(_, r)| r.resolution_wh).fold(bench.plate().watt_hours_per_impulse(), f64::max);
    bench.apply(load).await?;
    let full = Duration::try_from_secs_f64(QUANTA * coarsest * 3600.0 / load.power()).unwrap_or(Duration::MAX / 8);
    sleep(full.max(LEAST)).await;
    bench.remove_current(load).await?;
    for (place, before) in &before {
        let led = impulses::count(bench, *place).await?;
        let s0 = bench.places[*place].display.pulses().await?;
        match evidence::read(bench, *place, load).await {
            Ok(after) => {
                let register_wh = after.watt_hours - before.watt_hours;
                judge(bench, step, point, *place, &Counts { led, s0, register_wh, digit_wh: after.resolution_wh })?;
            }
            Err(text) => bench.lose(*place, step.number, text)?,
        }
    }
    let places: Vec<usize> = before.iter().map(|(place, _)| *place).collect();
    impulses::stop(bench, &places).await
}

fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    point: &PulsePoint,
    place: usize,
    counts: &Counts,
) -> Result<(), RunError> {
    let weight = bench.places[place].nameplate.watt_hours_per_impulse();
    if counts.led <= 1 && counts.register_wh >= evidence::LOST_AFTER * weight {
        return bench.lose(place, step.number, evidence::impulses_lost(counts.register_wh, counts.led));
    }
    let mut raw = Map::new();
    raw.insert("s0".into(), json!(counts.s0.count));
    raw.insert("led".into(), json!(counts.led));
    raw.insert("register_wh".into(), json!(counts.register_wh));
    let taken = |quantity, unit, limit: Option<Limit>| Taken {
        raw: raw.clone(),
        ..Taken::new(step, quantity, unit, &point.load, limit)
    };
    let (on, off) = (counts.s0.on_ms, counts.s0.off_ms);
    let width = taken("pulse-width", "ms", Some(point.width.clone()));
    let (Some(on), Some(off)) = (on, off) else {
        let seen = if counts.s0.count == 0 { "no pulse" } else { "one pulse alone" };
        let why = format!("{seen} on S0 while the LED gave {}: the output, or the wire from it, is dead", counts.led);
        return bench.record(place, width.unsettled(Some(&why)));
    };
    let nominal = bench.places[place].nameplate.pulse_width_ms;
    let worst = if (on.0 - nominal).abs() >= (on.1 - nominal).abs() { on.0 } else { on.1 };
    bench.record(place, Taken { note: too_short(on.0), ..width }.timed(worst, on))?;
    let note = point.pause.is_none().then(|| no_room(bench));
    bench.record(place, Taken { note, ..taken("shortest-pause", "ms", point.pause.clone()) }.timed(off.0, off))?;
    let as_many = count_limit(0.0, "pulse output synchronous with the LED", "data sheet");
    let s0 = counts.s0.count as f64;
    let number = |value: f64| Value::Number(value);
    bench.record(
        place,
        Taken { value: number(s0 - counts.led as f64), ..taken("s0-against-led", "1", Some(as_many)) },
    )?;
    // Both counts are cut off at their quantum.
    let cut = count_limit(1.0 + counts.digit_wh / weight, "one pulse and one last digit of the register", "count");
    let value = number(s0 - counts.register_wh / weight);
    bench.record(place, Taken { value, ..taken("s0-against-register", "1", Some(cut)) })
}

impl Taken<'_> {
    /// The value that counts, between the shortest and the longest (ms).
    fn timed(self, value: f64, (shortest, longest): (f64, f64)) -> Self {
        let mut raw = self.raw;
        raw.insert("shortest_ms".into(), json!(shortest));
        raw.insert("longest_ms".into(), json!(longest));
        Self { raw, value: Value::Number(value), uncertainty: Some(edges()), ..self }
    }
}

fn edges() -> Uncertainty {
    Budget::default().rectangular("reading head: first edge", EDGE_MS).rectangular("second edge", EDGE_MS).combine()
}

fn too_short(shortest: f64) -> Option<String> {
    let rule = PulseOutput::iec62053_31();
    let least = rule.shortest_pulse_ms();
    (shortest < least).then(|| format!("{} asks for at least {least} ms", rule.citation()))
}

fn no_room(bench: &Bench) -> String {
    let (rule, plate) = (PulseOutput::iec62053_31(), bench.plate());
    let least = rule.pause_limit().low.unwrap_or(0.0);
    let kilowatt = 3600.0 / (plate.pulse_width_ms + least) * plate.watt_hours_per_impulse();
    format!(
        "not limited: above {kilowatt:.0} kW, {} imp/kWh of {} ms leave less than the {least} ms of {}",
        plate.constant_per_kwh,
        plate.pulse_width_ms,
        rule.citation()
    )
}

fn count_limit(most: f64, row: &str, source: &str) -> Limit {
    Limit {
        low: Some(0.0 - most),
        high: Some(most),
        source: source.to_owned(),
        row: row.to_owned(),
        certainty: Certainty::Verified,
        binding: None,
    }
}
