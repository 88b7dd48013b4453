//! The program itself: exit codes, files, signals.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const CLASS_B: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test-plans/mid/class-b-direct-connected.yaml");

fn meterbench(arguments: &[&str], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meterbench"));
    command.args(arguments);
    if arguments[0] == "run" {
        command.arg("--out").arg(out);
    }
    command.current_dir(out).output().expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn only_run(out: &Path) -> std::path::PathBuf {
    let mut runs: Vec<_> = std::fs::read_dir(out).expect("the directory").flatten().map(|e| e.path()).collect();
    runs.retain(|path| path.is_dir());
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

#[test]
fn the_shipped_plan_passes_and_leaves_its_files() {
    let out = TempDir::new().expect("a directory");
    let output = meterbench(&["run", CLASS_B], out.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let run = only_run(out.path());
    for file in
        ["events.jsonl", "record.json", "report.html", "junit.xml", "points.csv", "wire.log", "instrument-source.log"]
    {
        assert!(run.join(file).metadata().is_ok_and(|m| m.len() > 100), "{file}");
    }
    let html = std::fs::read_to_string(run.join("report.html")).expect("the report");
    assert!(html.contains("E-2026-114") && html.contains("2027-03-31") && html.contains("<svg"));
    assert!(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"), "self-contained");
    let source = std::fs::read_to_string(run.join("instrument-source.log")).expect("the log");
    let last = source.lines().rev().find(|l| l.contains("output")).expect("an output state");
    assert!(last.ends_with("output off"), "{last}");
}

#[test]
fn a_report_made_again_is_the_same() {
    let out = TempDir::new().expect("a directory");
    meterbench(&["run", CLASS_B, "--quiet"], out.path());
    let run = only_run(out.path());
    let before = std::fs::read(run.join("report.html")).expect("the report");
    let output = meterbench(&["report", &run.display().to_string()], out.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(before == std::fs::read(run.join("report.html")).expect("the report"));
}

#[test]
fn wrong_arguments_end_with_two_and_a_sentence() {
    let out = TempDir::new().expect("a directory");
    for (arguments, sentence) in [
        (&["run", CLASS_B, "--meter", "omnia-9ph"][..], "there is no meter `omnia-9ph`"),
        (&["run", CLASS_B, "--meter", "omnia-1ph"][..], "error[meter-mismatch]"),
        (&["run", CLASS_B, "--fault", "gian=1%"][..], "there is no fault `gian`"),
        (&["run", CLASS_B, "--fault", "gain=1 kg"][..], "is no severity of fault `gain`"),
        (&["run", CLASS_B, "--fault", "gain=1%@7"][..], "no position 7"),
        (&["run", CLASS_B, "--position", "4"][..], "the bench has no position 4"),
        (&["run", "nowhere.yaml"][..], "nowhere.yaml cannot be read"),
        (&["report", "nowhere"][..], "there is no run `nowhere`"),
    ] {
        let output = meterbench(arguments, out.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(sentence), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn a_real_bench_is_refused_in_one_sentence() {
    let out = TempDir::new().expect("a directory");
    let bench = include_str!("../../../../fixtures/benches/emulated-3ph.yaml");
    let real = bench
        .replace("kind: emulated", "kind: real")
        .replace("address: emulated", "address: tcp://10.0.0.5:5025")
        .lines()
        .filter(|l| !l.starts_with("emulation"))
        .collect::<Vec<_>>()
        .join("\n");
    std::fs::write(out.path().join("real.yaml"), real).expect("written");
    let output = meterbench(&["run", CLASS_B, "--bench", "real.yaml"], out.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("runs emulated benches only"), "{}", text(&output));
}

#[cfg(not(feature = "probe"))]
#[test]
fn flash_says_how_to_build_it() {
    let out = TempDir::new().expect("a directory");
    let output = meterbench(&["flash", "meter.elf", "--chip", "STM32F405RG", "--voltage-off"], out.path());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output),
        "error: this meterbench was built without probes; build it with them: `cargo run --release --features probe -- \
         flash meter.elf ...`\n"
    );
}

#[test]
fn a_signal_ends_with_130_and_outputs_off() {
    let out = TempDir::new().expect("a directory");
    // Long enough that the signal finds it at work: some 40 h of samples for three meters.
    let plan = "{ plan: Long, steps: [{ apply: { current: 5 A } }, { wait: { for: 900 h } }] }";
    std::fs::write(out.path().join("long.yaml"), plan).expect("written");
    for signal in ["INT", "TERM"] {
        let runs = out.path().join(signal);
        let mut child = Command::new(env!("CARGO_BIN_EXE_meterbench"))
            .args(["run", "long.yaml", "--bench", "emulated-3ph-three-positions", "--out"])
            .arg(&runs)
            .current_dir(out.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        let started = Instant::now();
        let journal = || {
            let run = std::fs::read_dir(&runs).ok()?.flatten().next()?.path();
            std::fs::read_to_string(run.join("events.jsonl")).ok().filter(|text| text.contains("\"kind\":\"wait\""))
        };
        while journal().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "the run never began");
            std::thread::yield_now();
        }
        let killed = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(killed.is_ok_and(|s| s.success()));
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(130), "{signal}");
        let log = std::fs::read_to_string(only_run(&runs).join("instrument-source.log")).expect("the log");
        let last = log.lines().rev().find(|l| l.contains("output")).expect("an output state");
        assert!(last.ends_with("output off"), "{signal}: {last}");
    }
}

#[test]
fn every_list_prints_and_speaks_json() {
    let out = TempDir::new().expect("a directory");
    for what in ["faults", "steps", "meters", "benches", "instruments", "standards"] {
        let human = meterbench(&["list", what], out.path());
        assert!(human.status.success() && human.stdout.len() > 50, "{what}");
        let json = meterbench(&["list", what, "--format", "json"], out.path());
        for line in String::from_utf8_lossy(&json.stdout).lines() {
            serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON");
        }
    }
}
