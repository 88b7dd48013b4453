//! Planted faults: the right plan fails them where the true error exceeds the limit, and passes where it does not.

use meterbench::assemble::equip;
use meterbench::catalogue::Refusal;
use meterbench_record::{Measurement, Outcome, Verdict};
use rstest::rstest;

use crate::{changes, run};

const CURVE: &str = "
plan: Error curve
standard: EN 50470-3:2006
steps:
  - accuracy:
      at:
        - { current: [Imin, Imax] }
        - { current: [Itr, 10 Itr], power-factor: [1, 0.5 ind, 0.8 cap] }
";
const ONE_PHASE: &str = "
plan: One phase loaded
standard: EN 50470-3:2006
steps:
  - accuracy: { at: [{ phases: [L1, L2, L3], current: 10 Itr }] }
";
const NO_LOAD: &str = "{ plan: No load, standard: \"EN 50470-3:2006\", steps: [no-load] }";
const STARTING: &str = "{ plan: Starting, standard: \"EN 50470-3:2006\", steps: [starting] }";
const CONSTANT: &str = "{ plan: Constant, standard: \"EN 50470-3:2006\", steps: [meter-constant] }";

fn failures(measurements: &[Measurement]) -> usize {
    measurements.iter().filter(|m| m.decides && m.verdict == Some(Verdict::Fail)).count()
}

/// Where the world's own error lies outside the limit by more than U it fails, inside by more than U it passes.
fn verdicts_follow_the_truth(plan: &str, fault: &str) -> usize {
    let ran = run(plan, "emulated-3ph", &changes(&[fault]));
    for m in &ran.record.measurements {
        let truth = ran.true_percent(m).expect("the truth was noted");
        let limit = m.limit.as_ref().and_then(|l| l.high).expect("every point has a limit");
        let expanded = m.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
        let wanted = match truth.abs() {
            t if t > limit + expanded => Verdict::Fail,
            t if t < limit - 2.0 * expanded => Verdict::Pass,
            _ => continue,
        };
        assert_eq!(m.verdict, Some(wanted), "{fault}, {}: true {truth:+.3} %, {:?}, limit {limit}", m.at, m.value);
    }
    let failed = failures(&ran.record.measurements);
    assert_eq!(ran.outcome, if failed > 0 { Outcome::Fail } else { Outcome::Pass }, "{fault}");
    failed
}

#[rstest]
#[case::gain_fails("gain=1.25%", 7)]
#[case::gain_passes("gain=0.5%", 0)]
#[case::phase_error_fails("phase-error=40 min-of-arc", 2)]
#[case::phase_error_passes("phase-error=10 min-of-arc", 0)]
#[case::offset_power_fails("offset-power=6 W", 4)]
#[case::offset_power_passes("offset-power=0.5 W", 0)]
#[case::noise_passes("noise=3", 0)]
fn an_error_beyond_the_limit_fails_and_one_within_passes(#[case] fault: &str, #[case] failing: usize) {
    assert_eq!(verdicts_follow_the_truth(CURVE, fault), failing, "{fault}");
}

#[test]
fn a_lost_phase_fails_everywhere_and_at_its_own_phase_by_evidence() {
    assert_eq!(verdicts_follow_the_truth(CURVE, "lost-phase=100"), 8);
    let ran = run(ONE_PHASE, "emulated-3ph", &changes(&["lost-phase=100"]));
    let verdicts: Vec<_> = ran.record.measurements.iter().map(|m| m.verdict.clone()).collect();
    assert_eq!(verdicts, [Some(Verdict::Fail), Some(Verdict::Pass), Some(Verdict::Pass)]);
    let note = ran.record.measurements[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("no impulse within 1.5") && note.contains("register did not move"), "{note}");
}

#[rstest]
#[case("creep=20 W", Outcome::Fail)]
#[case("creep=3 W", Outcome::Pass)]
fn creep_fails_no_load_where_it_makes_more_than_one_impulse(#[case] fault: &str, #[case] outcome: Outcome) {
    let ran = run(NO_LOAD, "emulated-3ph", &changes(&[fault]));
    assert_eq!(ran.outcome, outcome, "{:?}", ran.record.measurements);
}

#[rstest]
#[case("dropped-impulses=200", Outcome::Fail)]
#[case("dropped-impulses=2000", Outcome::Pass)]
#[case("wrong-constant=800", Outcome::Fail)]
#[case("wrong-constant=400", Outcome::Fail)]
#[case("register-loss=200", Outcome::Fail)]
#[case("register-loss=2000", Outcome::Pass)]
#[case("rounding-loss=0.02 Wh", Outcome::Fail)]
fn impulses_that_do_not_match_the_register_fail_the_dial_test(#[case] fault: &str, #[case] outcome: Outcome) {
    let ran = run(CONSTANT, "emulated-3ph", &changes(&[fault]));
    assert_eq!(ran.outcome, outcome, "{:?}", ran.record.measurements[0].value);
}

#[test]
fn a_meter_that_does_not_start_fails() {
    // 20 mA on each phase at a negative offset of 9 W leaves less than the starting power.
    let ran = run(STARTING, "emulated-3ph", &changes(&["offset-power=-9 W"]));
    assert_eq!(ran.outcome, Outcome::Fail);
    assert!(ran.record.measurements[0].note.as_deref().is_some_and(|n| n.contains("no impulse within")));
    assert_eq!(run(STARTING, "emulated-3ph", &changes(&[])).outcome, Outcome::Pass);
}

#[test]
fn a_fault_at_one_position_fails_that_position_alone() {
    let ran = run(CURVE, "emulated-3ph-three-positions", &changes(&["gain=1.25%@2"]));
    let failing: Vec<u32> = ran.record.positions_counts.iter().filter(|(_, c)| c.fail > 0).map(|(p, _)| *p).collect();
    assert_eq!(failing, [2]);
    assert!(ran.record.positions_counts.values().all(|c| c.pass + c.fail == 8));
    assert_eq!(ran.outcome, Outcome::Fail);
}

#[test]
fn a_meter_with_a_much_lower_constant_fails_and_is_not_taken_for_a_broken_bench() {
    for fault in ["wrong-constant=400", "wrong-constant=600"] {
        let ran = run(CURVE, "emulated-3ph", &changes(&[fault]));
        assert_eq!(ran.outcome, Outcome::Fail, "{fault}: {:?}", ran.record.notes);
    }
}

/// A head that sees almost no impulse, or a meter that gives almost none: while its register goes on that is no verdict.
#[test]
fn a_meter_whose_register_goes_on_without_impulses_is_lost_at_every_load() {
    let plan = "plan: Curve\nstandard: EN 50470-3:2006\nsteps:\n  - accuracy: { at: [{ current: [Imin, Itr, 10 Itr] }], readings: 1 }\n";
    for seed in 1..=5 {
        let changes = meterbench::assemble::Changes { seed: Some(seed), ..changes(&["wrong-constant=10 imp/kWh"]) };
        let ran = run(plan, "emulated-3ph", &changes);
        let failed = ran.record.measurements.iter().filter(|m| m.verdict == Some(Verdict::Fail)).count();
        assert_eq!((ran.outcome, failed), (Outcome::Error, 0), "seed {seed}: {:?}", ran.record.notes);
    }
}

#[test]
fn a_noisy_meter_shows_in_its_repeatability() {
    let plan = "
plan: Repeatability
standard: EN 50470-3:2006
steps:
  - repeatability: { at: [{ current: Itr }], readings: 5 }
";
    let deviation = |fault: &[&str]| {
        let ran = run(plan, "emulated-3ph", &changes(fault));
        ran.record.measurements[0].value.number().expect("a deviation")
    };
    let (quiet, noisy) = (deviation(&[]), deviation(&["noise=30"]));
    assert!(noisy > 5.0 * quiet, "{quiet} {noisy}");
}

/// Why a bench with a fault cannot be equipped.
fn refused(bench: &str, fault: &str) -> String {
    match equip(bench, &changes(&[fault])) {
        Err(Refusal::Words(text)) => text,
        other => panic!("{fault}: {other:?}"),
    }
}

#[test]
fn a_fault_of_the_firmware_is_refused_where_the_firmware_is_an_image() {
    let qemu = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/benches/qemu.yaml");
    for fault in ["register-loss", "rights-hole", "dst-ignored"] {
        assert_eq!(
            refused(qemu, fault),
            format!(
                "position 1: fault `{fault}` is planted in the firmware, and an image has none: write `body: native`"
            )
        );
    }
}

#[test]
fn what_is_there_or_not_has_no_other_severity() {
    let faults = ["rights-hole", "wrong-scaler", "window-ignored", "blocks-truncated", "dst-ignored", "legal-write"];
    for fault in faults {
        assert!(equip("emulated-3ph", &changes(&[fault])).is_ok(), "{fault}");
        for severity in ["0", "2", "0.5"] {
            let said = refused("emulated-3ph", &format!("{fault}={severity}"));
            assert_eq!(said, format!("fault `{fault}`: it is there or not: leave the severity out, or write 1"));
        }
    }
}
