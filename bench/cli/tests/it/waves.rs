//! Waves in place of sines, and a current that is switched.

use meterbench::catalogue::Refusal;
use meterbench_record::{Measurement, Outcome, Verdict};

use crate::{changes, prepare, run};

fn plan(standard: &str, steps: &str) -> String {
    format!("plan: t\nstandard: {standard}\nsteps:\n  - {steps}\n")
}

fn shifts(run: &meterbench::rehearsal::Rehearsal) -> Vec<&Measurement> {
    run.record.measurements.iter().filter(|m| m.quantity == "error-shift").collect()
}

#[test]
fn a_source_of_sines_refuses_a_wave_before_anything_is_energised() {
    let plan = plan("EN 50470-3:2006", "influence: { vary: fifth-harmonic }");
    let Err(Refusal::Words(words)) = prepare(&plan, "emulated-3ph", &changes(&[])) else { panic!("it is not refused") };
    assert!(words.contains("emulated-3ph-waves") && words.contains("fifth-harmonic"), "{words}");
}

#[test]
fn a_slow_source_switches_what_it_can_and_says_what_it_cannot() {
    let steps = "influence: { vary: fast-load-variation, for: 10 min }";
    let ran = run(&plan("EN 50470-3:2022", steps), "emulated-3ph", &changes(&[]));
    let shifts = shifts(&ran);
    let at: Vec<String> = shifts.iter().map(|m| m.at.to_string()).collect();
    assert_eq!(at[0], "Iref 1 switched 10 s on 10 s off");
    let (value, expanded) =
        (shifts[0].value.number().expect("a shift"), shifts[0].uncertainty.as_ref().expect("U").expanded);
    println!("shift {value:+.4} %, U {expanded:.4} %");
    // A linear meter does not shift: what is seen lies within the remainder of an impulse in 287 Wh.
    assert!(value.abs() < 0.35 && value.abs() < 1.5 * expanded, "{value} {expanded}");
    assert!(!shifts[0].decides && shifts[0].verdict == Some(Verdict::Pass), "a limit of low certainty advises");
    for unseen in &shifts[1..] {
        assert_eq!(unseen.verdict, Some(Verdict::NotObservable), "{}", unseen.at);
        assert!(unseen.note.as_ref().is_some_and(|note| note.contains("0.8 s")), "{:?}", unseen.note);
    }
    assert_eq!(ran.outcome, Outcome::Undecided);
}
