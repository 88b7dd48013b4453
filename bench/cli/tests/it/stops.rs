//! A stop request at every step, and a bug in a driver, leave every output off.

use std::time::Duration;

use meterbench::assemble;
use meterbench::rehearsal::{prepare, rehearse};
use meterbench_emulator::Laboratory;
use meterbench_instruments::{AcSource, InstrumentError, Readback, Setting};
use meterbench_record::{Event, Outcome};
use meterbench_run::{Bench, Recorder, Shared, supervise};

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

/// A driver with a bug: it panics at its second read-back.
struct Buggy {
    inner: Box<dyn AcSource>,
    read_backs: u32,
}

#[async_trait::async_trait]
impl AcSource for Buggy {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        self.inner.identify().await
    }
    fn slowness(&self) -> Duration {
        self.inner.slowness()
    }
    fn check(&self, setting: &Setting) -> Result<(), InstrumentError> {
        self.inner.check(setting)
    }
    async fn apply(&mut self, setting: &Setting) -> Result<(), InstrumentError> {
        self.inner.apply(setting).await
    }
    async fn read_back(&mut self) -> Result<Readback, InstrumentError> {
        self.read_backs += 1;
        assert!(self.read_backs < 2, "the planted bug");
        self.inner.read_back().await
    }
    async fn off(&mut self) -> Result<(), InstrumentError> {
        self.inner.off().await
    }
    fn fresh(&self) -> Box<dyn AcSource> {
        self.inner.fresh()
    }
}

#[test]
fn a_panic_in_the_procedure_leaves_the_outputs_off_and_the_journal_whole() {
    let plan = "{ plan: Two loads, steps: [{ apply: { current: 5 A } }, { apply: { current: 6 A } }] }";
    let (plan, bench_file) = prepare(plan, "emulated-3ph", &changes(&[])).expect("sound");
    let runtime = meterbench::execute::emulated_runtime().expect("a runtime");
    let (sender, receiver) = std::sync::mpsc::sync_channel(1024);
    let (ended, log) = runtime.block_on(async {
        let laboratory = Laboratory::start(&bench_file.config).expect("sound");
        let connected = assemble::connect(&bench_file, &laboratory, None).expect("connected");
        let recorder = Recorder::new(sender.clone(), laboratory.epoch());
        let source = Box::new(Buggy { inner: connected.instruments.source, read_backs: 0 });
        let rule = plan.plan.decision_rule;
        let instruments = Shared { source, ..connected.instruments };
        let calibrations = assemble::calibrations(&bench_file.file);
        let bench = Bench::new(instruments, calibrations, connected.places, recorder, rule, Vec::new());
        let ended = supervise(bench, plan.plan.clone(), 1, std::future::pending()).await;
        (ended, laboratory.log("source").expect("a log"))
    });
    drop(sender);
    assert_eq!(ended.outcome, Some(Outcome::Error));
    assert!(ended.failure.as_ref().is_some_and(|(text, _)| text.contains("the planted bug")));
    assert!(ended.outputs.starts_with("voltage off (read back)"), "{}", ended.outputs);
    assert_eq!(log.last_output(), Some("off"));
    assert!(log.lines().iter().any(|l| l.text == "output on"), "it was on before");
    drop(ended);
    let numbers: Vec<u64> = receiver.into_iter().map(|line| line.seq).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
}
