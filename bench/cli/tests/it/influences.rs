//! Influence quantities: what a naive program gets wrong, and what must never pass.

use meterbench::rehearsal::Rehearsal;
use meterbench_record::{Measurement, Outcome, Verdict};

use crate::{changes, prepare, rehearse, run};

fn plan(steps: &str) -> String {
    format!("plan: t\nstandard: EN 50470-3:2006\nsteps:\n{steps}")
}

fn of<'a>(run: &'a Rehearsal, quantity: &str) -> Vec<&'a Measurement> {
    run.record.measurements.iter().filter(|m| m.quantity == quantity).collect()
}

fn number(measurement: &Measurement) -> f64 {
    measurement.value.number().expect("a number")
}

#[test]
fn a_shift_keeps_its_sign() {
    // From -0.5 % to +0.5 %: the magnitudes agree, the shift is 1 %.
    let steps = "  - influence: { vary: { voltage: [0.9 Un, 1.1 Un] }, at: [{ current: 10 Itr }] }\n";
    let ran = run(&plan(steps), "emulated-3ph", &changes(&["gain=-0.5", "voltage-coefficient=1"]));
    let shifts = of(&ran, "error-shift");
    assert!((number(shifts[0]) + 1.0).abs() < 0.03 && (number(shifts[1]) - 1.0).abs() < 0.03, "{shifts:?}");
    assert!(shifts.iter().all(|m| m.verdict == Some(Verdict::Fail)));
    assert_eq!(ran.outcome, Outcome::Fail);
}

#[test]
fn a_shift_is_taken_against_the_same_load() {
    // An offset makes the error at Itr differ from that at 10 Itr by 0.9 %; neither moves with the frequency.
    let steps = "  - influence: { vary: frequency, at: [{ current: [Itr, 10 Itr] }] }\n";
    let ran = run(&plan(steps), "emulated-3ph", &changes(&["offset-power=3.5"]));
    let errors: Vec<f64> = of(&ran, "percentage-error").iter().take(2).map(|m| number(m)).collect();
    assert!((errors[0] - errors[1]).abs() > 0.8, "{errors:?}");
    assert!(of(&ran, "error-shift").iter().all(|m| number(m).abs() < 0.03), "no shift of any");
    assert_eq!(ran.outcome, Outcome::Pass);
}

#[test]
fn a_meter_that_never_went_does_not_pass_below_its_range_of_voltage() {
    let steps = "  - influence: { name: Low, vary: { voltage: 0.5 Un }, at: [{ current: 10 Itr }] }
  - influence: { name: Warm, vary: { temperature: [5 °C, 30 °C] }, soak: 2 h, at: [{ current: 10 Itr }] }
";
    let dead = ["lost-phase=100"];
    let (plan, mut bench) = prepare(&plan(steps), "emulated-3ph", &changes(&dead)).expect("sound");
    bench.config.meters[0].1.type_number = "686-2-41D-1112AA70-1B14001".into();
    let ran = rehearse(&plan, &bench, None).expect("it runs");
    assert_eq!(ran.outcome, Outcome::Fail);
    let failed = |m: &&&Measurement| m.verdict == Some(Verdict::Fail);
    assert!(of(&ran, "percentage-error").iter().filter(failed).count() >= 2, "each base fails");
}

#[test]
fn a_soak_of_one_minute_is_inconclusive() {
    let steps = "  - influence: { vary: { temperature: [5 °C, 30 °C] }, soak: 1 min, at: [{ current: 10 Itr }] }\n";
    let ran = run(&plan(steps), "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Undecided);
    let shifts = of(&ran, "error-shift");
    assert!(shifts.iter().all(|m| m.verdict == Some(Verdict::Inconclusive)), "{shifts:?}");
    assert!(shifts[0].note.as_ref().is_some_and(|n| n.contains("longer soak")), "{:?}", shifts[0].note);
    let soaked = run(&plan(&steps.replace("1 min", "2 h")), "emulated-3ph", &changes(&[]));
    assert_eq!(soaked.outcome, Outcome::Pass);
}

#[test]
fn limits_hold_at_the_reference_temperature_whatever_stands_around_the_chamber() {
    let steps = "  - accuracy: { at: [{ current: 10 Itr }] }\n";
    for ambient in [23.0, 45.0] {
        let planted = changes(&["gain=-1.5", "shunt-tcr=600"]);
        let (plan, mut bench) = prepare(&plan(steps), "emulated-3ph", &planted).expect("sound");
        bench.config.ambient_c = ambient;
        let ran = rehearse(&plan, &bench, None).expect("it runs");
        assert_eq!(ran.outcome, Outcome::Fail, "{ambient} °C: {:?}", of(&ran, "percentage-error")[0].value);
    }
}

#[test]
fn what_follows_a_temperature_is_judged_at_the_reference_temperature() {
    let steps = "  - influence: { vary: { temperature: [70 °C] }, soak: 2 h, at: [{ current: 10 Itr }], limit: 10 % }
  - accuracy: { at: [{ current: 10 Itr }] }
";
    let ran = run(&plan(steps), "emulated-3ph", &changes(&["gain=-1.25", "shunt-tcr=600"]));
    let after = of(&ran, "percentage-error").pop().expect("measured");
    assert!(after.verdict == Some(Verdict::Fail) && number(after) < -1.0, "{:?}", after.value);
}

#[test]
fn opposite_errors_of_both_sweeps_do_not_cancel() {
    let steps = "  - accuracy: { sweep: rising-and-falling, readings: 20, at: [{ current: [Itr, Imax] }] }\n";
    let ran = run(&plan(steps), "emulated-3ph", &changes(&["self-heating=-4.6", "gain=1.1"]));
    let at_itr = of(&ran, "percentage-error").pop().expect("measured");
    assert!(number(at_itr).abs() > 0.9, "{:?} {:?}", at_itr.value, at_itr.note);
}

#[test]
fn a_composite_error_is_the_root_of_its_squares_and_fails_where_each_part_passes() {
    let steps = "  - accuracy: { at: [{ current: 10 Itr, power-factor: 0.5 ind }] }
  - influence: { name: U, vary: voltage, at: [{ current: 10 Itr, power-factor: 0.5 ind }] }
  - influence: { name: f, vary: frequency, at: [{ current: 10 Itr, power-factor: 0.5 ind }] }
  - influence: { name: T, vary: { temperature: [-10 °C, 40 °C] }, soak: 2 h, at: [{ current: 10 Itr, power-factor: 0.5 ind }] }
  - composite-error
";
    let planted = ["gain=0.9", "voltage-coefficient=0.95", "frequency-coefficient=0.63", "shunt-tcr=-670"];
    let ran = run(&plan(steps), "emulated-3ph", &changes(&planted));
    let parts = ran.record.measurements.iter().filter(|m| m.quantity != "composite-error");
    let failed: Vec<_> = parts.filter(|m| m.verdict == Some(Verdict::Fail)).collect();
    assert!(failed.is_empty(), "every part passes: {failed:?}");
    let composite = of(&ran, "composite-error")[0];
    let terms: f64 = ["intrinsic error", "temperature", "voltage", "frequency"]
        .iter()
        .map(|name| composite.raw[*name].as_f64().expect("a term").powi(2))
        .sum();
    println!("composite {:.3} % of 2.5 %", number(composite));
    assert!((number(composite) - terms.sqrt()).abs() < 1e-9);
    assert_eq!(composite.verdict, Some(Verdict::Fail));
}

#[test]
fn both_engines_give_the_same_verdicts() {
    let steps = "  - warm-up: { for: 30 min }
  - accuracy: { at: [{ current: [10 Itr, Imax], power-factor: [1, 0.5 ind] }] }
  - influence: { vary: interrupted }
  - wait: { for: 10 min, expect: [{ impulses: led, count: at least 5 }] }
";
    for faults in [&[][..], &["self-heating=6", "gain=1.2", "clock-error=-3000"]] {
        let verdicts = |engine| {
            let changes = meterbench::assemble::Changes { engine, ..changes(faults) };
            let ran = run(&plan(steps), "emulated-3ph", &changes);
            let all: Vec<_> = ran.record.measurements.iter().map(|m| (m.id.clone(), m.verdict.clone())).collect();
            let engine = ran.record.engine.expect("engine times");
            (ran.outcome, all, engine.cycles_s > engine.samples_s)
        };
        use meterbench::arguments::EngineChoice::{Auto, Samples};
        let (auto, samples) = (verdicts(Auto), verdicts(Samples));
        assert_eq!((&auto.0, &auto.1), (&samples.0, &samples.1), "{faults:?}");
        assert!(auto.2 && !samples.2);
    }
}
