//! Meters in QEMU: the digits are those of the native run, and a process that dies is a broken bench.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meterbench::assemble::{Changes, Equipped};
use meterbench::execute::Prepared;
use meterbench::rehearsal::{Rehearsal, prepare, rehearse};
use meterbench_emulator::{BodyConfig, BodyDisturbance, Qemu, Spoil};
use meterbench_record::{Measurement, Outcome};
use rayon::prelude::*;
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Impulses gated, registers read, impulses that must not come.
const SHORT: &str = "
plan: Short
standard: EN 50470-3:2006
steps:
  - warm-up: { voltage: Un, current: Itr, for: 5 s }
  - accuracy: { at: [{ current: Imax }], readings: 2 }
  - wait: { for: 3 s, expect: [{ impulses: led, count: at least 1 }] }
  - meter-constant
  - no-load: { voltage: 1.15 Un }
";

/// What gates impulses, shortest.
const GATED: &str = "
plan: Gated
standard: EN 50470-3:2006
steps:
  - accuracy: { at: [{ current: Imax }], readings: 2, limit: 5 % }
  - wait: { for: 1 s, expect: [{ impulses: led, count: at least 1 }] }
";

/// What passes because no impulse comes.
const NO_LOAD: &str = "
plan: No load
standard: EN 50470-3:2006
steps:
  - no-load: { voltage: 1.15 Un }
";

fn qemu() -> Qemu {
    let ours = Qemu::default();
    Qemu { image: Path::new(ROOT).join(&ours.image), ..ours }
}

fn disturbed(block: u32, spoil: Spoil) -> BodyConfig {
    BodyConfig::Qemu(Qemu { disturb: Some(BodyDisturbance { block, spoil }), ..qemu() })
}

fn ready(plan: &str, bench: &str) -> (Prepared, Equipped) {
    prepare(plan, bench, &Changes::default()).unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn run(plan: &Prepared, bench: &Equipped, body: BodyConfig) -> Rehearsal {
    let mut bench = bench.clone();
    bench.config.body = body;
    rehearse(plan, &bench, None).expect("the bench can be built")
}

/// A run whose body broke: an error in words, the outputs off, and nothing measured that an undisturbed run does not measure.
fn assert_is_of_the_bench(broken: &Rehearsal, whole: &[Measurement], at: &str) {
    assert_eq!(broken.outcome, Outcome::Error, "{at}");
    let failure = broken.failure.as_ref().unwrap_or_else(|| panic!("{at}: no words"));
    assert!(failure.text.starts_with("position 1: the body of the meter, in QEMU, "), "{at}: {}", failure.text);
    let measured = &broken.record.measurements;
    assert!(measured.len() <= whole.len() && *measured == whole[..measured.len()], "{at}");
    assert_ne!(broken.source_log.last_output(), Some("on"), "{at}");
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn three_positions_in_qemu_measure_what_they_measure_here() {
    for (plan, bench) in [(crate::EVERY_STEP, "emulated-3ph"), (SHORT, "emulated-3ph-three-positions")] {
        let (plan, bench) = ready(plan, bench);
        let here = run(&plan, &bench, BodyConfig::Native);
        let there = run(&plan, &bench, BodyConfig::Qemu(qemu()));
        assert_eq!((here.outcome, there.outcome), (Outcome::Pass, Outcome::Pass));
        assert!(!here.record.measurements.is_empty());
        assert_eq!(here.record.measurements, there.record.measurements);
        assert_eq!(here.record.engine, there.record.engine);
    }
}

/// Kills the process at random blocks of a plan, before this one, so many times.
fn kill(plan: &str, times: u64, seed: u64, mut beyond: u32) {
    let (plan, mut bench) = ready(plan, "emulated-3ph");
    // Nothing is soaked: the blocks are those of the plan.
    (bench.file.chamber, bench.config.chamber) = (None, false);
    let whole = run(&plan, &bench, BodyConfig::Native);
    assert_eq!(whole.outcome, Outcome::Pass);
    let killed = |block: u32| run(&plan, &bench, disturbed(block, Spoil::Killed));
    // Within the blocks the run has: a process killed after the last is not missed.
    let mut within = 1;
    while beyond - within > 1 {
        let middle = within.midpoint(beyond);
        match killed(middle).outcome {
            Outcome::Pass => beyond = middle,
            _ => within = middle,
        }
    }
    let started = Instant::now();
    let runs: Vec<(usize, Duration)> = (0..times)
        .into_par_iter()
        .map(|n| {
            // SplitMix64.
            let mut z = (seed + n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let block = 1 + ((z ^ (z >> 31)) % u64::from(within)) as u32;
            let began = Instant::now();
            let broken = killed(block);
            let at = format!("block {block}");
            assert_is_of_the_bench(&broken, &whole.record.measurements, &at);
            let text = broken.failure.map(|failure| failure.text).unwrap_or_default();
            // What was handed over may have been answered before the end came.
            let told = |block: u32| text.contains(&format!("was killed by signal 9 at block {block};"));
            assert!(told(block) || told(block + 1), "{at}: {text}");
            (broken.record.measurements.len(), began.elapsed())
        })
        .collect();
    let (seconds, measured) = (started.elapsed().as_secs_f64(), runs.iter().map(|run| run.0).sum::<usize>());
    let longest = runs.iter().map(|run| run.1).max().unwrap_or_default();
    println!(
        "{times} times killed within {within} blocks, in {seconds:.0} s: {measured} of {} measurements before the end, the longest run {longest:?}",
        times as usize * whole.record.measurements.len()
    );
    assert!(longest < Duration::from_secs(60), "{longest:?}");
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn a_process_killed_at_any_of_1000_blocks_is_a_broken_bench() {
    kill(GATED, 960, 0, 1 << 10);
    kill(NO_LOAD, 40, 10_000, 3000);
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn a_process_that_stands_still_or_talks_nonsense_is_a_broken_bench() {
    let (plan, mut bench) = ready(SHORT, "emulated-3ph-three-positions");
    let whole = run(&plan, &bench, BodyConfig::Native);
    for block in [1, 40, 333] {
        for (spoil, words) in [(Spoil::Dead, "did not answer within 1 s"), (Spoil::Garbage, "no answer: the message")] {
            let disturb = Some(BodyDisturbance { block, spoil });
            bench.config.body = BodyConfig::Qemu(Qemu { disturb, patience: Duration::from_secs(1), ..qemu() });
            let broken = rehearse(&plan, &bench, None).expect("the bench can be built");
            assert_is_of_the_bench(&broken, &whole.record.measurements, words);
            let text = broken.failure.map(|failure| failure.text).unwrap_or_default();
            assert!(text.contains(words) && text.contains(&format!("at block {block};")), "{text}");
        }
    }
}

/// The processes that a process has started.
fn children(parent: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn the_program_ends_with_3_when_its_process_is_killed_from_outside() {
    let plan = "test-plans/mid/class-b-direct-connected.yaml";
    for after in [50, 700, 1500] {
        let out = TempDir::new().expect("a directory");
        let program = Command::new(env!("CARGO_BIN_EXE_meterbench"))
            .args(["run", plan, "--bench", "fixtures/benches/qemu.yaml", "--quiet", "--out"])
            .arg(out.path())
            .current_dir(ROOT)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        let child = loop {
            match children(program.id())[..] {
                [child] => break child,
                _ => assert!(Instant::now() < deadline, "no process was started"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        std::thread::sleep(Duration::from_millis(after));
        assert!(Command::new("kill").args(["-9", &child.to_string()]).status().expect("kill").success());
        let killed = Instant::now();
        let output = program.wait_with_output().expect("it ends");
        let text = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
        assert!(text.contains("was killed by signal 9 at block"), "{text}");
    }
}

#[test]
fn a_bench_without_an_image_is_refused_before_anything_runs() {
    let directory = TempDir::new().expect("a directory");
    let bench = std::fs::read_to_string(PathBuf::from(ROOT).join("fixtures/benches/qemu.yaml")).expect("the bench");
    let bench = bench.replace("body: qemu", "body: qemu, image: nowhere/qemu-f405");
    std::fs::write(directory.path().join("bench.yaml"), bench).expect("a file");
    let plan = Path::new(ROOT).join("test-plans/mid/class-b-direct-connected.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_meterbench"))
        .args(["run", plan.to_str().expect("a path"), "--bench", "bench.yaml"])
        .current_dir(directory.path())
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("nowhere/qemu-f405") && text.contains("cargo build --release --manifest-path"), "{text}");
    assert!(!directory.path().join("reports").exists(), "nothing was begun");
}
