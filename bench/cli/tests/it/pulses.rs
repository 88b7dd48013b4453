//! The pulse output: widths, pauses and three counts, as a plan sees them.

use meterbench::rehearsal::Rehearsal;
use meterbench_record::{Measurement, Outcome, Verdict};
use rstest::rstest;

use crate::{changes, run};

const PULSES: &str = "
plan: Pulse output
standard: EN 50470-3:2006
steps:
  - pulse-output: { at: [{ current: [80 A, Imax] }, { current: Imax, energy: reactive, power-factor: 0.5 ind }] }
";

fn of<'a>(ran: &'a Rehearsal, quantity: &str) -> Vec<&'a Measurement> {
    ran.record.measurements.iter().filter(|m| m.quantity == quantity).collect()
}

#[test]
fn at_the_highest_power_less_than_30_ms_remain_and_are_shown_without_a_limit() {
    let ran = run(PULSES, "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass);
    for width in of(&ran, "pulse-width") {
        assert_eq!(width.value.number(), Some(30.0), "{}", width.at);
    }
    let pauses = of(&ran, "shortest-pause");
    // 80 A is 55 kW, Imax is 69 kW, with sin φ 0.5 34.5 kvar: 65.2, 52.2 and 104.3 ms from one impulse to the next.
    for (pause, (period, limited)) in pauses.iter().zip([(65.2, true), (52.2, false), (104.3, true)]) {
        let ms = pause.value.number().unwrap();
        assert!((ms - (period - 30.0)).abs() < 1.0, "{}: {ms} ms", pause.at);
        assert_eq!(pause.limit.is_some(), limited, "{}", pause.at);
    }
    assert!(pauses[1].note.as_deref().is_some_and(|note| note.contains("about 60 kW")), "{:?}", pauses[1].note);
    assert!(of(&ran, "s0-against-led").iter().all(|m| m.value.number() == Some(0.0)));
}

#[rstest]
#[case("pulse-width=26 ms", "pulse-width", 3)]
#[case("pulse-width=36 ms", "shortest-pause", 1)]
#[case("s0-loss=50", "s0-against-led", 3)]
#[case("register-loss=20", "s0-against-register", 3)]
fn a_fault_of_the_output_fails_what_shows_it(#[case] fault: &str, #[case] quantity: &str, #[case] failing: usize) {
    let ran = run(PULSES, "emulated-3ph", &changes(&[fault]));
    assert_eq!(ran.outcome, Outcome::Fail);
    let failed = of(&ran, quantity).iter().filter(|m| m.verdict == Some(Verdict::Fail)).count();
    assert_eq!(failed, failing, "{fault}");
}

#[test]
fn a_dead_output_and_a_dead_wire_are_one_and_decide_nothing() {
    let ran = run(PULSES, "emulated-3ph", &changes(&["s0-loss=1"]));
    assert_eq!(ran.outcome, Outcome::Undecided);
    assert!(ran.record.measurements.iter().all(|m| m.note.as_deref().is_some_and(|n| n.starts_with("no pulse on S0"))));
}

#[test]
fn a_meter_that_gives_nothing_fails() {
    let plan = "{ plan: Pulses, steps: [pulse-output: { at: [{ current: Imax }] }] }";
    let ran = run(plan, "emulated-3ph", &changes(&["gain=-50 %", "offset-power=-1000 W", "lost-phase=100 %"]));
    assert_eq!(ran.outcome, Outcome::Fail, "{:?}", ran.record.notes);
}

#[test]
fn an_output_that_stays_on_fails() {
    let ran = run(PULSES, "emulated-3ph", &changes(&["pulse-width=1000 ms"]));
    assert_eq!(ran.outcome, Outcome::Fail);
    assert!(of(&ran, "pulse-width").iter().all(|m| m.verdict == Some(Verdict::Fail)));
}

#[test]
fn a_pause_near_its_limit_by_design_fails_no_meter() {
    // 87 A are 60 kW: 30 ms remain of a period that a meter in its class may shorten.
    let plan = "{ plan: Pulses, steps: [pulse-output: { at: [{ current: [86.8 A, 86.9 A, 84 A] }] }] }";
    for seed in 1..6 {
        let changes = meterbench::assemble::Changes { seed: Some(seed), ..changes(&[]) };
        assert_eq!(run(plan, "emulated-3ph", &changes).outcome, Outcome::Pass, "seed {seed}");
    }
}

#[test]
fn a_variant_without_the_output_cannot_show_it() {
    let meter = "meter: No flexible interface\ntype-number: 684-2-41D-13120070-1B14001\nclass: B\nreactive-class: 1\n\
                 phases: 3\nvoltage: 230 V\nfrequency: 50 Hz\ncurrent: 0.25-5(100) A\nconstant: 1000 imp/kWh\n\
                 has: [supply-control-switch, han, modem, voltage-quality, power-quality, grid-events, snapshot]\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bare.yaml");
    std::fs::write(&path, meter).unwrap();
    let bare = meterbench::assemble::Changes { meter: Some(path.to_string_lossy().into_owned()), ..changes(&[]) };
    let ran = run("{ plan: Pulses, steps: [pulse-output] }", "emulated-3ph", &bare);
    assert_eq!(ran.record.measurements.len(), 3);
    assert!(ran.record.measurements.iter().all(|m| m.verdict == Some(Verdict::NotObservable)));
    // Beside others it hides nothing of them.
    let bench =
        meterbench::catalogue::BENCHES.iter().find(|(name, _)| *name == "emulated-3ph-three-positions").unwrap();
    let mixed = bench.1.replacen("meter: omnia-3ph", &format!("meter: {}", path.display()), 1);
    let bench = directory.path().join("mixed.yaml");
    std::fs::write(&bench, mixed).unwrap();
    let plan = "{ plan: Pulses, steps: [pulse-output: { at: [{ current: Imax }] }] }";
    let ran = run(plan, &bench.to_string_lossy(), &changes(&["s0-loss=50@3"]));
    assert_eq!(ran.outcome, Outcome::Fail);
    let of_position = |id: u32| ran.record.measurements.iter().filter(|m| m.position == id).collect::<Vec<_>>();
    assert_eq!(of_position(1)[0].verdict, Some(Verdict::NotObservable));
    assert!(of_position(2).iter().all(|m| m.verdict != Some(Verdict::Fail)));
    assert!(of_position(3).iter().any(|m| m.verdict == Some(Verdict::Fail)));
}
