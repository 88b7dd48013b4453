//! Influence quantities: the signed shift of the error against the error at reference conditions, at the same load.

use meterbench_instruments::ErrorReading;
use meterbench_plan::{InfluenceTest, ResolvedStep, TestPoint, Variation, VariedPoint};
use meterbench_record::{LoadPoint, Uncertainty, Value};
use meterbench_standards::{Influence, InfluenceLimit, Judged, REFERENCE_C};

use crate::accuracy::{begin_point, mean, record_error, uncertainty};
use crate::bench::{Bench, Taken};
use crate::budget;
use crate::climate;
use crate::error::RunError;
use crate::error_points::{PointResult, measure};
use crate::waves;

mod load_variation;

/// A source sets voltage, frequency and harmonics this well, as a share of the change (a tenth of the change is the usual step).
const SETTING_SHARE: f64 = 0.01;

/// The error of one position at one load.
#[derive(Debug, Clone)]
struct Known {
    place: usize,
    /// Place of the load in the base.
    base: usize,
    percent: f64,
    uncertainty: Uncertainty,
    /// The influence quantity had not settled.
    unsettled: Option<String>,
}

/// The errors at reference conditions, then at every value of the influence quantity.
pub(crate) async fn influence(bench: &mut Bench, step: &ResolvedStep, test: &InfluenceTest) -> Result<(), RunError> {
    let unsettled = settle(bench, step, test, REFERENCE_C).await?;
    let base = reference_errors(bench, step, test, unsettled.as_ref()).await?;
    if test.influence == Influence::FastLoadVariation {
        return load_variation::load_variations(bench, step, test, &base).await;
    }
    let mut at: Vec<(f64, Vec<Known>)> = Vec::new();
    for variation in &test.variations {
        let unsettled = settle(bench, step, test, variation.value).await?;
        let errors = varied_errors(bench, step, test, variation, &base, unsettled.as_ref()).await?;
        at.push((variation.value, errors));
    }
    if test.influence == Influence::Temperature {
        // What comes after is judged at the reference temperature again.
        climate::reference(bench).await?;
        at.push((REFERENCE_C, base));
        coefficients(bench, step, test, at)?;
    }
    Ok(())
}

/// Temperatures need a soak; the other quantities follow the source.
async fn settle(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &InfluenceTest,
    value: f64,
) -> Result<Option<String>, RunError> {
    if test.influence != Influence::Temperature {
        return Ok(None);
    }
    bench.say(format!("{} \"{}\", soak at {value} °C", step.word, step.name));
    if let Some(point) = test.base.first() {
        bench.remove_current(&point.load).await?;
    }
    climate::reach(bench, value, test.soak_seconds).await
}

async fn reference_errors(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &InfluenceTest,
    unsettled: Option<&String>,
) -> Result<Vec<Known>, RunError> {
    let mut known = Vec::new();
    for (base, point) in test.base.iter().enumerate() {
        if !begin_point(bench, step, point, "percentage-error")? {
            continue;
        }
        for (place, result) in measure(bench, point, test.readings).await? {
            let taken = Taken::new(step, "percentage-error", "%", &point.load, None).unsettled(unsettled);
            match result {
                PointResult::Lost(text) => bench.lose(place, step.number, text)?,
                PointResult::Failed(text) | PointResult::Silent(text) => bench.record(place, taken.failed(text))?,
                PointResult::Readings(readings) => {
                    known.push(of(bench, place, base, &taken, &readings));
                    record_error(bench, place, taken, &readings)?;
                }
            }
        }
    }
    Ok(known)
}

fn of(bench: &Bench, place: usize, base: usize, taken: &Taken<'_>, readings: &[ErrorReading]) -> Known {
    let unsettled = taken.note.clone().filter(|_| taken.unsettled);
    Known { place, base, percent: mean(readings), uncertainty: uncertainty(bench, taken, readings), unsettled }
}

async fn varied_errors(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &InfluenceTest,
    variation: &Variation,
    base: &[Known],
    unsettled: Option<&String>,
) -> Result<Vec<Known>, RunError> {
    let mut errors = Vec::new();
    for varied in &variation.points {
        let point = TestPoint { load: varied.load.clone(), limit: None, impulses: varied.impulses };
        if !begin_point(bench, step, &point, "error-shift")? {
            continue;
        }
        let from_ns = bench.recorder.bench_ns();
        let results = measure(bench, &point, test.readings).await?;
        waves::played(bench, &point.load, format!("{}: {}", step.name, point.load), from_ns)?;
        if may_stop(varied) {
            bench.meters_have_started();
        }
        for (place, result) in results {
            let limit = |of: Judged| varied.limit.as_ref().filter(|l| l.of == of).map(|l| l.limit.clone());
            let error = Taken::new(step, "percentage-error", "%", &point.load, limit(Judged::Error));
            let error = error.unsettled(unsettled);
            let shift = Taken::new(step, "error-shift", "%", &point.load, limit(Judged::Shift)).unsettled(unsettled);
            let before = base.iter().find(|known| known.place == place && known.base == varied.base);
            match result {
                // Neither an impulse nor a register: whether the meter stopped or its impulses were lost cannot be told.
                PointResult::Lost(text) if may_stop(varied) && bench.starves(&point.load) => {
                    bench.record(place, error.unsettled(Some(&text)))?;
                }
                PointResult::Lost(text) => bench.lose(place, step.number, text)?,
                // A meter may stop below the range of voltage; one that never went has not stopped.
                PointResult::Silent(text) if may_stop(varied) && before.is_some() => {
                    bench.record(place, Taken { value: Value::Number(-100.0), note: Some(text), ..error })?;
                }
                PointResult::Failed(text) | PointResult::Silent(text) => bench.record(place, shift.failed(text))?,
                PointResult::Readings(readings) => {
                    let now = of(bench, place, varied.base, &error, &readings);
                    record_error(bench, place, error, &readings)?;
                    record_shift(bench, place, shift, test.influence, before, &now)?;
                    errors.push(now);
                }
            }
        }
    }
    Ok(errors)
}

/// Below the range of voltage a meter may stop.
fn may_stop(varied: &VariedPoint) -> bool {
    let stops = |l: &InfluenceLimit| l.of == Judged::Error && l.limit.low.is_some_and(|low| low <= -100.0);
    varied.limit.as_ref().is_some_and(stops)
}

/// `e - e0`, with its sign.
fn record_shift(
    bench: &mut Bench,
    place: usize,
    shift: Taken<'_>,
    influence: Influence,
    before: Option<&Known>,
    now: &Known,
) -> Result<(), RunError> {
    let Some(before) = before else {
        return bench
            .record(place, shift.failed("it gave no error at reference conditions to compare with".to_owned()));
    };
    let value = now.percent - before.percent;
    let by_setting = match influence {
        Influence::Temperature => {
            let distance = (shift.load.temperature_c - REFERENCE_C).abs().max(1.0);
            value.abs() * temperature_bound(bench) / distance
        }
        Influence::Voltage | Influence::Frequency => value.abs() * SETTING_SHARE,
        wave if wave.is_wave() => value.abs() * SETTING_SHARE,
        _ => 0.0,
    };
    let specification = bench.reference.specification();
    let errors = (&before.uncertainty, &now.uncertainty);
    let uncertainty = budget::shift(errors, specification, influence, by_setting);
    let base_unsettled = before.unsettled.clone();
    let shift = if shift.unsettled { shift } else { shift.unsettled(base_unsettled.as_ref()) };
    bench.record(place, Taken { value: Value::Number(value), uncertainty: Some(uncertainty), ..shift })
}

/// How far the meters may be from the temperature they are said to have (K): the sensor, and what a soak leaves.
fn temperature_bound(bench: &Bench) -> f64 {
    bench.calibrations.chamber_kelvin + climate::METER_TOLERANCE_K
}

/// The change per kelvin between neighbouring temperatures.
fn coefficients(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &InfluenceTest,
    mut at: Vec<(f64, Vec<Known>)>,
) -> Result<(), RunError> {
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    let specification = bench.reference.specification();
    for pair in at.windows(2) {
        let ((low, colder), (high, warmer)) = (&pair[0], &pair[1]);
        let span = high - low;
        for before in colder {
            let same = |after: &&Known| after.place == before.place && after.base == before.base;
            let (Some(after), true) = (warmer.iter().find(same), span >= 1.0) else { continue };
            let load = LoadPoint {
                temperature_c: (low + high) / 2.0,
                temperature: Some(format!("{low} to {high} °C")),
                ..test.base[before.base].load.clone()
            };
            let limit = test.per_kelvin[before.base].clone();
            let taken = Taken::new(step, "temperature-coefficient", "%/K", &load, limit);
            let unsettled = before.unsettled.as_ref().or(after.unsettled.as_ref());
            let change = after.percent - before.percent;
            let by_setting = change.abs() * temperature_bound(bench) / span;
            let errors = (&before.uncertainty, &after.uncertainty);
            let mut uncertainty = budget::shift(errors, specification, test.influence, by_setting);
            uncertainty.expanded /= span;
            uncertainty.budget.iter_mut().for_each(|item| item.standard /= span);
            let (value, uncertainty) = (Value::Number(change / span), Some(uncertainty));
            bench.record(before.place, Taken { value, uncertainty, ..taken }.unsettled(unsettled))?;
        }
    }
    Ok(())
}
