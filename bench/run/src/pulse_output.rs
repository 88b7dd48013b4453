//! Pulse output (S0): how long its pulses are on and off, and that it gives as many as the LED gives and the register counts.
//!
//! From standstill to standstill, like the dial test: every pulse that began has ended, and all three counted the same energy.
//! The time on is judged by the data sheet: its tolerance reaches below the least time of IEC 62053-31.

use std::time::Duration;

use meterbench_instruments::Pulses;
use meterbench_plan::{PulsePoint, ResolvedStep};
use meterbench_record::{Certainty, EnergyKind, Event, Feature, Limit, LoadPoint, Uncertainty, Value};
use meterbench_standards::PulseOutput;
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};
use tokio::time::sleep;

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence::{self, Register};
use crate::impulse_counts as impulses;

/// Pulses, or last digits of the register if they are coarser, that a load lasts for; and its least time.
pub(crate) const QUANTA: f64 = 100.0;
pub(crate) const LEAST: Duration = Duration::from_secs(30);
/// How well the counter on S0 knows the instant of an edge (ms).
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
        for place in bench.active().into_iter().filter(|&place| !has_output(bench, place)).collect::<Vec<_>>() {
            let none = Taken { not_observable: true, ..Taken::new(step, "pulse-width", "ms", load, None) };
            bench.record(place, Taken { note: Some("this variant has no pulse output".to_owned()), ..none })?;
        }
        if !bench.active().into_iter().any(|place| has_output(bench, place)) {
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
    /// Energy by the register, in impulses.
    register: f64,
    /// Energy of an impulse (Wh).
    weight: f64,
    /// What cutting off at one impulse and one last digit can do (impulses).
    cut: f64,
}

async fn one_load(bench: &mut Bench, step: &ResolvedStep, point: &PulsePoint) -> Result<(), RunError> {
    let load = &point.load;
    bench.remove_current(load).await?;
    bench.reference.set_ranges(load.volt, load.ampere).await?;
    let places = impulses::start(bench, load.energy).await?;
    let mut before: Vec<(usize, Register)> = Vec::new();
    for &place in &places {
        if !has_output(bench, place) {
            continue;
        }
        match begin(bench, place, load).await {
            Ok(reading) => before.push((place, reading)),
            Err(text) => bench.lose(place, step.number, text)?,
        }
    }
    if !before.is_empty() {
        let quantum = bench.plate().watt_hours_per_impulse();
        let coarsest = before.iter().map(|(_, r)| r.resolution_wh).fold(quantum, f64::max);
        bench.apply(load).await?;
        let full = Duration::try_from_secs_f64(QUANTA * coarsest * 3600.0 / load.power()).unwrap_or(Duration::MAX / 8);
        sleep(full.max(LEAST)).await;
        bench.remove_current(load).await?;
    }
    for (place, before) in &before {
        let led = impulses::count(bench, *place).await?;
        match end(bench, *place, load, before, led).await {
            Ok(counts) => judge(bench, step, point, *place, &counts)?,
            Err(text) => bench.lose(*place, step.number, text)?,
        }
    }
    impulses::stop(bench, &places).await
}

/// Reads the register, and counts the pulses of S0 from now on.
async fn begin(bench: &mut Bench, place: usize, load: &LoadPoint) -> Result<Register, String> {
    let reset = bench.places[place].s0.reset_pulses().await;
    reset.map_err(|error| format!("its pulses cannot be counted: {error}"))?;
    evidence::read(bench, place, load).await
}

async fn end(bench: &mut Bench, place: usize, load: &LoadPoint, before: &Register, led: u64) -> Result<Counts, String> {
    let s0 = bench.places[place].s0.pulses().await;
    let s0 = s0.map_err(|error| format!("its pulses cannot be read: {error}"))?;
    let after = evidence::read(bench, place, load).await?;
    let weight = bench.places[place].nameplate.watt_hours_per_impulse();
    let register = (after.watt_hours - before.watt_hours) / weight;
    Ok(Counts { led, s0, register, weight, cut: 1.0 + after.resolution_wh / weight })
}

fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    point: &PulsePoint,
    place: usize,
    counts: &Counts,
) -> Result<(), RunError> {
    let mut raw = Map::new();
    raw.insert("s0".into(), json!(counts.s0.count));
    raw.insert("led".into(), json!(counts.led));
    raw.insert("register".into(), json!(counts.register));
    let taken = |quantity, unit, limit: Option<Limit>| Taken {
        raw: raw.clone(),
        ..Taken::new(step, quantity, unit, &point.load, limit)
    };
    let width = taken("pulse-width", "ms", Some(point.width.clone()));
    match counts.witness() {
        Witness::Nothing => {
            return bench.record(place, width.failed("no impulse, no pulse, and the register stands".to_owned()));
        }
        Witness::LedLost(text) => return bench.lose(place, step.number, text),
        Witness::S0Silent => {
            let why =
                format!("no pulse on S0 while the LED gave {}: the output, or the wire from it, is dead", counts.led);
            return bench.record(place, width.unsettled(Some(&why)));
        }
        Witness::All => {}
    }
    let plate = &bench.places[place].nameplate;
    let nominal = plate.pulse_width_ms;
    let (serial, rule) = (bench.places[place].id, PulseOutput::iec62053_31());
    match counts.s0.on_ms {
        None => bench.record(place, width.failed("S0 switched on and did not switch off again".to_owned()))?,
        Some(on) => {
            let worst = if (on.0 - nominal).abs() >= (on.1 - nominal).abs() { on.0 } else { on.1 };
            bench.record(place, width.timed(worst, on))?;
            let least = rule.shortest_pulse_ms();
            if on.0 < least {
                let told = format!(
                    "position {serial}, {}: a pulse of {:.2} ms is shorter than the {least} ms of {}; it is judged by the data sheet",
                    point.load,
                    on.0,
                    rule.citation()
                );
                bench.recorder.note(Some(step.number), told)?;
            }
        }
    }
    let note = point.pause.is_none().then(|| no_room(bench, point));
    let pause = Taken { note, ..taken("shortest-pause", "ms", point.pause.clone()) };
    match counts.s0.off_ms {
        None => bench.record(place, pause.unsettled(Some(&"one pulse alone has no pause".to_owned())))?,
        Some(off) => bench.record(place, pause.timed(off.0, off))?,
    }
    let s0 = counts.s0.count as f64;
    for (quantity, difference, limit) in [
        ("s0-against-led", s0 - counts.led as f64, as_many()),
        ("s0-against-register", s0 - counts.register, within(counts.cut)),
    ] {
        bench.record(place, Taken { value: Value::Number(difference), ..taken(quantity, "1", Some(limit)) })?;
    }
    Ok(())
}

/// Whom to believe of three witnesses of one energy.
enum Witness {
    /// The meter gives nothing at all.
    Nothing,
    /// The LED alone says otherwise: its impulses do not arrive.
    LedLost(String),
    /// S0 alone is silent: output and wire cannot be told apart.
    S0Silent,
    All,
}

impl Counts {
    fn witness(&self) -> Witness {
        let (led, s0) = (self.led as f64, self.s0.count as f64);
        if led <= 1.0 && s0 <= 1.0 && self.register < evidence::LOST_AFTER {
            return Witness::Nothing;
        }
        let agree = (s0 - self.register).abs() <= self.cut;
        let led_behind = led + evidence::LOST_AFTER <= self.register;
        if led_behind && (agree || self.s0.count == 0) {
            return Witness::LedLost(evidence::impulses_lost(self.register * self.weight, self.led));
        }
        if self.s0.count == 0 { Witness::S0Silent } else { Witness::All }
    }
}

fn has_output(bench: &Bench, place: usize) -> bool {
    bench.places[place].nameplate.has.contains(&Feature::PulseOutput)
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
    Budget::default().rectangular("S0 counter: first edge", EDGE_MS).rectangular("second edge", EDGE_MS).combine()
}

fn no_room(bench: &Bench, point: &PulsePoint) -> String {
    let (rule, plate) = (PulseOutput::iec62053_31(), bench.plate());
    let least = rule.pause_limit().low.unwrap_or(0.0);
    let (kilo, unit) = match point.load.energy {
        EnergyKind::Active => ("kW", "kWh"),
        EnergyKind::Reactive => ("kvar", "kvarh"),
    };
    let most = 3600.0 / (plate.pulse_width_ms + least) * plate.watt_hours_per_impulse();
    format!(
        "not limited: from about {most:.0} {kilo} on, {} imp/{unit} of {} ms cannot leave the {least} ms of {}",
        plate.constant_per_kwh,
        plate.pulse_width_ms,
        rule.citation()
    )
}

fn as_many() -> Limit {
    count_limit(0.0, "S0 synchronous with the LED: as many pulses", "data sheet")
}

fn within(cut: f64) -> Limit {
    count_limit(cut, "one pulse and one last digit of the register", "resolution")
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
