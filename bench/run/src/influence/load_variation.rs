//! Fast load current variation (IEC 62052-11:2020): the current is switched on and off for hours, and the energy of the whole
//! time compared, from standstill to standstill.

use std::time::Duration;

use meterbench_instruments::{Energy, Setting};
use meterbench_plan::{InfluenceTest, ResolvedStep, TestPoint, VariedPoint};
use meterbench_record::{EnergyKind, LoadPoint, Switched, Value};
use meterbench_standards::gum::Budget;
use meterbench_standards::{Influence, Judged};
use meterbench_waveform::{Distortion, Waveform, on_and_off};
use serde_json::{Map, json};
use tokio::time::{Instant, sleep_until};

use super::{Known, record_shift};
use crate::accuracy::begin_point;
use crate::bench::{Bench, SETTLING, Taken, setting};
use crate::budget;
use crate::error::RunError;
use crate::evidence::{self, Register};
use crate::impulse_counts as impulses;
use crate::waves;

/// A source is fast enough whose change takes no more than this share of the shorter time.
const FAST_ENOUGH: f64 = 0.1;
/// A modulation has equal times; what is called equal (s).
const EQUAL_SECONDS: f64 = 1e-6;
/// Bound of the time by which a reference misses an edge of the current (s).
const EDGE_SECONDS: f64 = 1e-3;

/// A reference that saw less than this share of the energy had no load.
const LEAST_SHARE: f64 = 0.5;

/// How the source switches.
enum Means {
    /// One set-point after the other.
    SetPoints,
    /// A modulation of its own.
    Modulation(Box<(Setting, Waveform)>),
}

pub(super) async fn load_variations(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &InfluenceTest,
    base: &[Known],
) -> Result<(), RunError> {
    for varied in test.variations.iter().flat_map(|variation| &variation.points) {
        let Some(switched) = varied.load.switched else { continue };
        let point = &test.base[varied.base];
        if let Some(why) = bench.not_applicable(&varied.load) {
            bench.record_not_applicable(step, "error-shift", "%", &varied.load, why)?;
            continue;
        }
        match means(bench, &point.load, switched) {
            Ok(means) => {
                whole(bench, step, varied, &point.load, (switched, test.switched_seconds, means), base).await?;
            }
            Err(why) => bench.record_not_applicable(step, "error-shift", "%", &varied.load, &why)?,
        }
    }
    Ok(())
}

/// How this source can switch the current so fast, or why it cannot.
fn means(bench: &mut Bench, load: &LoadPoint, switched: Switched) -> Result<Means, String> {
    let (slowness, shorter) = (bench.source.slowness().as_secs_f64(), switched.on_seconds.min(switched.off_seconds));
    if slowness <= FAST_ENOUGH * shorter {
        return Ok(Means::SetPoints);
    }
    let slow = format!("the source of this bench needs {slowness} s for a change, the current stands for {shorter} s");
    if (switched.on_seconds - switched.off_seconds).abs() > EQUAL_SECONDS {
        return Err(format!("{slow}, and a modulation has equal times on and off"));
    }
    let (setting, waveform) = modulated(load, switched, bench.plate().systems);
    match bench.source.waves() {
        None => Err(slow),
        Some(source) => match source.check_waveform(&setting, &waveform) {
            Ok(()) => Ok(Means::Modulation(Box::new((setting, waveform)))),
            Err(error) => Err(format!("{slow}, and {error}")),
        },
    }
}

/// The current swings between nothing and that of the load: half of it in the mean.
fn modulated(load: &LoadPoint, switched: Switched, systems: u8) -> (Setting, Waveform) {
    let mut setting = setting(load, systems);
    let modulation = Some(on_and_off(switched.period_seconds()));
    let swinging = Distortion { modulation, ..Distortion::default() };
    let mut waveform = Waveform::default();
    for (wave, distortion) in setting.current.iter_mut().zip(&mut waveform.current) {
        if let Some(wave) = wave {
            wave.rms /= 2.0;
            *distortion = swinging.clone();
        }
    }
    (setting, waveform)
}

/// What every position registers over the whole time, against the reference.
async fn whole(
    bench: &mut Bench,
    step: &ResolvedStep,
    varied: &VariedPoint,
    load: &LoadPoint,
    how: (Switched, f64, Means),
    base: &[Known],
) -> Result<(), RunError> {
    let point = TestPoint { load: varied.load.clone(), limit: None, impulses: varied.impulses };
    begin_point(bench, step, &point, "error-shift")?;
    bench.remove_current(load).await?;
    // Ranges are set before anything counts: a change of range would abort it.
    bench.reference.set_ranges(load.volt, load.ampere).await?;
    let places = impulses::start(bench, load.energy).await?;
    let mut before: Vec<(usize, Register)> = Vec::new();
    for place in places {
        match evidence::read(bench, place, load).await {
            Ok(register) => before.push((place, register)),
            Err(text) => bench.lose(place, step.number, text)?,
        }
    }
    let switched = how.0;
    bench.reference.start_energy(load.energy == EnergyKind::Reactive).await?;
    switch(bench, load, &point.load, how).await?;
    let energy = bench.reference.stop_energy().await?;
    let wanted = point.load.power() * energy.seconds / 3600.0;
    if energy.watt_hours < LEAST_SHARE * wanted {
        return Err(RunError::NoEnergy { counted: energy.watt_hours, wanted });
    }
    for (place, before) in &before {
        let count = impulses::count(bench, *place).await?;
        match evidence::read(bench, *place, load).await {
            Ok(after) => judge(bench, step, varied, *place, (before, &after), count, (&energy, switched), base)?,
            Err(text) => bench.lose(*place, step.number, text)?,
        }
    }
    let places: Vec<usize> = before.iter().map(|(place, _)| *place).collect();
    impulses::stop(bench, &places).await
}

/// Whole periods of current and none; ends without current.
async fn switch(
    bench: &mut Bench,
    load: &LoadPoint,
    switched_load: &LoadPoint,
    (switched, seconds, means): (Switched, f64, Means),
) -> Result<(), RunError> {
    let systems = bench.plate().systems;
    let (on, off) = (setting(load, systems), setting(&LoadPoint { ampere: 0.0, ..load.clone() }, systems));
    let periods = (seconds / switched.period_seconds()).round().max(1.0) as u32;
    let of = Duration::from_secs_f64;
    // What stands is neither of both loads while this goes on.
    bench.standing = None;
    let (from_ns, began) = (bench.recorder.bench_ns(), Instant::now());
    match means {
        Means::SetPoints => {
            for period in 0..periods {
                let turn = began + of(switched.period_seconds()) * period;
                sleep_until(turn).await;
                bench.source.apply(&on).await?;
                sleep_until(turn + of(switched.on_seconds)).await;
                bench.source.apply(&off).await?;
            }
            sleep_until(began + of(switched.period_seconds()) * periods).await;
        }
        Means::Modulation(both) => {
            let (setting, waveform) = *both;
            waves::put_out(bench.source.as_mut(), &setting, Some(&waveform)).await?;
            sleep_until(began + of(switched.period_seconds()) * periods).await;
            bench.source.apply(&off).await?;
            waves::written(bench, &setting, waveform, switched_load.to_string(), from_ns)?;
        }
    }
    // What the meter registers while the current goes down, the reference counts too.
    tokio::time::sleep(SETTLING).await;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the counts of one position, taken together once")]
fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    varied: &VariedPoint,
    place: usize,
    (before, after): (&Register, &Register),
    count: u64,
    (energy, switched): (&Energy, Switched),
    base: &[Known],
) -> Result<(), RunError> {
    let weight = bench.places[place].nameplate.watt_hours_per_impulse();
    let (by_impulses, by_register) = (count as f64 * weight, after.watt_hours - before.watt_hours);
    if count <= 1 && by_register >= evidence::LOST_AFTER * weight {
        return bench.lose(place, step.number, evidence::impulses_lost(by_register, count));
    }
    let limit = varied.limit.as_ref().filter(|l| l.of == Judged::Shift).map(|l| l.limit.clone());
    let shift = Taken::new(step, "error-shift", "%", &varied.load, limit);
    if count == 0 {
        return bench.record(place, shift.failed("it registered nothing".to_owned()));
    }
    let mut raw = Map::new();
    raw.insert("impulses".into(), json!(count));
    raw.insert("register_wh".into(), json!(by_register));
    raw.insert("reference_uwh".into(), json!((energy.watt_hours * 1e6).round() as i64));
    let percent = 100.0 * (by_impulses - energy.watt_hours) / energy.watt_hours;
    let edges = |budget: Budget| {
        // The remainder of an impulse is cut off at both ends: triangular, half-width over the square root of six.
        budget
            .rectangular("impulses: one more or less", 100.0 * weight / energy.watt_hours / 2f64.sqrt())
            .rectangular("reference: edges of the current", 100.0 * EDGE_SECONDS / switched.on_seconds)
    };
    let uncertainty = budget::whole_energy(
        &varied.load,
        energy,
        bench.calibrations,
        bench.reference.specification(),
        edges(Budget::default()),
    );
    let error = Taken::new(step, "percentage-error", "%", &varied.load, None);
    let value = Value::Number(percent);
    bench.record(place, Taken { value, raw, uncertainty: Some(uncertainty.clone()), ..error })?;
    let known = base.iter().find(|known| known.place == place && known.base == varied.base);
    let now = Known { place, base: varied.base, percent, uncertainty, unsettled: None };
    record_shift(bench, place, shift, Influence::FastLoadVariation, known, &now)
}
