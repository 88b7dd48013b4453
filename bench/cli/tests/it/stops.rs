//! A stop request at every step leaves every output off.

use std::time::Duration;

use meterbench::rehearsal::{prepare, rehearse};
use meterbench_record::{Event, Outcome};

use crate::{EVERY_STEP, changes, run};

#[test]
fn a_stop_at_every_step_in_turn_leaves_the_outputs_off() {
    let whole = run(EVERY_STEP, "emulated-3ph", &changes(&[]));
    assert_eq!(whole.outcome, Outcome::Pass, "{:?}", whole.record.notes);
    assert_eq!(whole.source_log.last_output(), Some("off"));
    let mut moments: Vec<u64> = whole
        .lines
        .iter()
        .filter(|l| matches!(l.event, Event::StepStarted(_) | Event::PointStarted { .. } | Event::Measured { .. }))
        // While the source switches, while it settles, in the middle of what follows.
        .flat_map(|l| [l.bench_ns, l.bench_ns + 400_000_000, l.bench_ns + 13_000_000_000])
        .collect();
    moments.dedup();
    let ends = |l: &&meterbench_record::JournalLine| matches!(l.event, Event::StepEnded(_));
    let last_step = whole.lines.iter().rev().find(ends).map_or(0, |l| l.bench_ns);
    assert!(moments.len() > 40, "{}", moments.len());
    let (plan, bench) = prepare(EVERY_STEP, "emulated-3ph", &changes(&[])).expect("sound");
    for at in moments {
        let ran = rehearse(&plan, &bench, Some(Duration::from_nanos(at))).expect("the bench can be built");
        if ran.outcome == Outcome::Pass {
            assert!(at >= last_step, "the run ended before the stop at {at} ns");
            continue;
        }
        assert_eq!(ran.outcome, Outcome::Interrupted, "at {at} ns");
        assert_ne!(ran.source_log.last_output(), Some("on"), "at {at} ns: {:?}", ran.source_log.lines());
        assert!(ran.record.outputs.contains("voltage off"), "at {at} ns: {}", ran.record.outputs);
        assert_eq!(ran.record.outcome, Some(Outcome::Interrupted));
    }
}
