//! A broken instrument is an error of the bench, said in a sentence; never a verdict, never a hang.

use meterbench::assemble::Changes;
use meterbench::rehearsal::{prepare, rehearse};
use meterbench_plan::Disturbance;
use meterbench_record::{Outcome, Verdict};
use rstest::rstest;

use crate::EVERY_STEP;

#[rstest]
#[case::dead("dead", "did not answer")]
#[case::slow("slow", "did not answer")]
#[case::half_a_line("half-line", "did not answer")]
#[case::garbage("garbage", "answered")]
#[case::cut("cut", "")]
fn a_broken_instrument_ends_the_run_with_a_sentence(#[case] kind: &str, #[case] sentence: &str) {
    for instrument in ["source", "reference"] {
        // From the first command on, while identifying, while applying, while measuring.
        for after in [0, 1, 3, 6, 9, 15, 30, 60] {
            let (plan, mut bench) = prepare(EVERY_STEP, "emulated-3ph", &Changes::default()).expect("sound");
            bench.file.emulation.disturb =
                vec![Disturbance { instrument: instrument.into(), kind: kind.into(), after }];
            let ran = rehearse(&plan, &bench, None).expect("the bench can be built");
            let at = format!("{instrument} {kind} after {after}");
            assert_eq!(ran.outcome, Outcome::Error, "{at}");
            let failure = ran.failure.expect("a failure in words");
            assert!(failure.text.starts_with(&format!("the {instrument} (zera-")), "{at}: {}", failure.text);
            assert!(failure.text.contains(sentence), "{at}: {}", failure.text);
            assert!(!failure.during.is_empty() && !failure.outputs.is_empty(), "{at}");
            assert!(ran.record.measurements.iter().all(|m| m.verdict != Some(Verdict::Fail)), "{at}");
            // Whatever can still be told to switch off was told so.
            if kind != "cut" || instrument == "reference" {
                assert_ne!(ran.source_log.last_output(), Some("on"), "{at}");
            }
        }
    }
}

#[test]
fn impulses_that_do_not_arrive_lose_their_position_and_no_other() {
    for step in ["{ accuracy: { at: [{ current: 10 Itr }] } }", "starting", "meter-constant"] {
        let plan = format!("{{ plan: One, standard: \"EN 50470-3:2006\", steps: [{step}] }}");
        let (plan, mut bench) = prepare(&plan, "emulated-3ph-three-positions", &Changes::default()).expect("sound");
        // The head of position 1 looks elsewhere: its impulses arrive at a calculator nobody asks.
        bench.config.meters[0].1.calculator = 4;
        let ran = rehearse(&plan, &bench, None).expect("the bench can be built");
        assert_eq!(ran.outcome, Outcome::Error, "{step}");
        assert!(ran.record.positions_lost[&1].contains("do not reach the error calculator"), "{step}");
        assert!(ran.record.measurements.iter().all(|m| m.position != 1 && m.verdict != Some(Verdict::Fail)), "{step}");
        assert!(ran.record.positions_counts.len() == 2, "{step}: the others went on");
    }
}

#[test]
fn a_stop_that_cannot_switch_off_says_so() {
    let plan = "{ plan: Apply, steps: [{ apply: { current: 5 A } }, { wait: { for: 1 h } }] }";
    let (plan, mut bench) = prepare(plan, "emulated-3ph", &Changes::default()).expect("sound");
    bench.file.emulation.disturb = vec![Disturbance { instrument: "source".into(), kind: "dead".into(), after: 8 }];
    let ran = rehearse(&plan, &bench, Some(std::time::Duration::from_secs(180))).expect("the bench can be built");
    assert_eq!(ran.outcome, Outcome::Interrupted);
    assert!(ran.failure.is_some_and(|f| f.outputs.contains("UNKNOWN") && f.outputs.contains("by hand")));
}

#[test]
fn an_output_that_cannot_be_confirmed_off_is_never_a_good_end() {
    let plan = "{ plan: Apply, steps: [{ apply: { current: 5 A } }] }";
    let (plan, mut bench) = prepare(plan, "emulated-3ph", &Changes::default()).expect("sound");
    // AAV SSM, then SFR SUP SIP SUI SSM AME: the next command is the one that switches off.
    bench.file.emulation.disturb = vec![Disturbance { instrument: "source".into(), kind: "dead".into(), after: 8 }];
    let ran = rehearse(&plan, &bench, None).expect("the bench can be built");
    assert_eq!(ran.outcome, Outcome::Error);
    assert!(ran.record.outputs.contains("UNKNOWN"), "{}", ran.record.outputs);
}
