//! The bench as a whole: plan to record on the emulated bench, in memory, and the program itself.

mod broken_benches;
mod broken_plans;
mod explain;
mod faults;
#[cfg(feature = "probe")]
mod flash;
mod influences;
mod play;
mod ports;
mod power_quality;
mod program;
mod pulses;
mod qemu;
mod records;
mod reports;
mod resume;
mod stops;
mod wave_sources;
mod waves;

use meterbench::assemble::Changes;
use meterbench::catalogue::Refusal;
use meterbench::rehearsal::{Rehearsal, prepare, rehearse};

/// Every kind of step, short.
const EVERY_STEP: &str = "
plan: Every kind of step
standard: EN 50470-3:2006
meter: { class: B, phases: 3 }
steps:
  - warm-up: { voltage: Un, current: Itr, for: 20 s }
  - accuracy:
      name: Balanced
      at: [{ current: [10 Itr, Imax], power-factor: [1, 0.5 ind] }]
  - repeatability: { at: [{ current: Imax }], readings: 3 }
  - apply: { current: 5 A }
  - wait: { for: 10 s, expect: [{ impulses: led, count: at least 5 }] }
  - prompt: { text: Look at the display }
  - group:
      name: Export
      steps:
        - accuracy: { at: [{ current: 10 Itr, direction: export }] }
  - influence: { vary: { temperature: 30 °C }, soak: 2 h, at: [{ current: 10 Itr }], limit: 5 %, readings: 1 }
  - meter-constant
  - pulse-output: { at: [{ current: Imax }] }
  - starting
  - no-load: { voltage: 1.15 Un }
";

fn changes(faults: &[&str]) -> Changes {
    Changes { faults: faults.iter().map(|f| (*f).to_owned()).collect(), ..Changes::default() }
}

/// What of a plan a bench refuses, a line for each finding, each with a remedy.
fn beyond_bench(plan: &str, bench: &str, changes: &Changes) -> String {
    match prepare(plan, bench, changes) {
        Err(Refusal::Findings(_, findings)) => {
            assert!(findings.iter().all(|f| f.code == "beyond-bench" && !f.label.is_empty()), "{findings:?}");
            findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n")
        }
        other => panic!("not refused by the bench: {:?}", other.err()),
    }
}

/// Runs a plan to its end.
fn run(plan: &str, bench: &str, changes: &Changes) -> Rehearsal {
    let (plan, bench) = match prepare(plan, bench, changes) {
        Ok(ready) => ready,
        Err(refusal) => panic!("{refusal:?}"),
    };
    rehearse(&plan, &bench, None).expect("the bench can be built")
}
