//! The register test (dial test) over the optical port: what an energy register gains against the energy of the reference,
//! from standstill to standstill.

use meterbench_instruments::Energy;
use meterbench_plan::{RegisterPoint, ResolvedStep};
use meterbench_record::{EnergyKind, Event, Value};
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};

use crate::bench::{Bench, Taken};
use crate::error::RunError;
use crate::evidence::{self, Register};
use crate::meter_constant::{ASSUMED_LIMIT_PERCENT, DIGITS_TIMES_LIMIT, run_dial};

pub(crate) async fn register_test(
    bench: &mut Bench,
    step: &ResolvedStep,
    points: &[RegisterPoint],
) -> Result<(), RunError> {
    for point in points {
        let load = &point.load;
        if let Some(why) = bench.not_applicable(load) {
            bench.record_not_applicable(step, "register-error", "%", load, why)?;
            continue;
        }
        bench.say(format!("{} \"{}\", {load}", step.word, step.name));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: load.to_string() })?;
        bench.remove_current(load).await?;
        // Ranges are set before anything counts: a change of range would abort it.
        bench.reference.set_ranges(load.volt, load.ampere).await?;
        let mut before = Vec::new();
        for place in bench.active() {
            match evidence::read(bench, place, load).await {
                Ok(register) => match evidence::useless(&register) {
                    None => before.push((place, register)),
                    Some(why) => {
                        bench.record(
                            place,
                            Taken::new(step, "register-error", "%", load, point.limit.clone()).failed(why),
                        )?;
                    }
                },
                Err(text) => bench.lose(place, step.number, text)?,
            }
        }
        if before.is_empty() {
            continue;
        }
        let percent = point.limit.as_ref().and_then(|limit| limit.high).unwrap_or(ASSUMED_LIMIT_PERCENT);
        let coarsest = before.iter().map(|(_, register)| register.resolution_wh).fold(1.0, f64::max);
        let reference = run_dial(bench, load, coarsest * DIGITS_TIMES_LIMIT / percent).await?;
        for (place, before) in before {
            match evidence::read(bench, place, load).await {
                Ok(after) => judge(bench, step, point, place, (&before, &after), &reference)?,
                Err(text) => bench.lose(place, step.number, text)?,
            }
        }
    }
    Ok(())
}

fn judge(
    bench: &mut Bench,
    step: &ResolvedStep,
    point: &RegisterPoint,
    place: usize,
    (before, after): (&Register, &Register),
    reference: &Energy,
) -> Result<(), RunError> {
    let gained = after.watt_hours - before.watt_hours;
    let mut raw = Map::new();
    raw.insert("register_wh".into(), json!(gained));
    raw.insert("reference_uwh".into(), json!((reference.watt_hours * 1e6).round() as i64));
    raw.insert("scaler".into(), json!(after.scaler));
    let taken = Taken { raw, ..Taken::new(step, "register-error", "%", &point.load, point.limit.clone()) };
    let unit = if point.load.energy == EnergyKind::Reactive { 32 } else { 30 };
    if after.unit != unit {
        return bench.record(place, taken.failed(format!("the register says unit {}, expected {unit}", after.unit)));
    }
    if gained <= 0.0 {
        return bench.record(place, taken.failed("the register did not move".to_owned()));
    }
    let (specification, calibrations) = (bench.reference.specification(), bench.calibrations);
    let angle = 100.0 * point.load.angle_sensitivity();
    let uncertainty = Budget::default()
        .certificate("reference: calibration", calibrations.reference_percent)
        .rectangular("reference: drift since calibration", specification.drift_percent)
        .rectangular("reference: range and load", specification.range_percent)
        .rectangular("reference: phase angle", angle * specification.phase_rad)
        .rectangular("isolation of the position: ratio", calibrations.isolation_percent)
        .rectangular("isolation of the position: angle", angle * calibrations.isolation_rad)
        // Cut off twice, at the beginning and at the end: triangular, half-width over the square root of six.
        .rectangular("register: last digit, twice", 100.0 * after.resolution_wh / reference.watt_hours / 2f64.sqrt())
        .combine();
    let value = Value::Number(100.0 * (gained - reference.watt_hours) / reference.watt_hours);
    bench.record(place, Taken { value, uncertainty: Some(uncertainty), ..taken })
}
