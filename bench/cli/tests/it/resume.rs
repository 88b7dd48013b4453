//! A killed run goes on and says what an undisturbed one says; a position is tested again; a changed run is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use meterbench::journal;
use tempfile::TempDir;

const PLAN: &str = "
plan: A plan with a composite error
standard: EN 50470-3:2006
meter: { class: B, phases: 3 }
steps:
  - warm-up: { for: 10 min }
  - accuracy: { at: [{ current: [10 Itr, Imax], power-factor: [1, 0.5 ind] }] }
  - influence: { name: Voltage, vary: voltage, at: [{ current: [10 Itr, Imax] }] }
  - influence: { name: Frequency, vary: frequency, at: [{ current: [10 Itr, Imax] }] }
  - influence: { name: Temperature, vary: { temperature: [5 °C, 30 °C] }, soak: 2 h, at: [{ current: [10 Itr, Imax] }] }
  - composite-error
  - no-load
";

fn meterbench(arguments: &[&str], out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meterbench"));
    command.args(arguments).arg("--out").arg(out).current_dir(out);
    command
}

fn write_plan(out: &Path) -> PathBuf {
    let plan = out.join("plan.yaml");
    std::fs::write(&plan, PLAN).expect("written");
    plan
}

fn runs(out: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(out).expect("the directory").flatten().map(|e| e.path());
    entries.filter(|path| path.join("events.jsonl").is_file()).collect()
}

/// What a record says, by identifier.
fn verdicts(run: &Path) -> (String, BTreeMap<String, (String, bool)>) {
    let text = std::fs::read_to_string(run.join("record.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let measurements = record["measurements"].as_array().expect("a list").iter();
    let one = |m: &serde_json::Value| {
        let key = format!("{}@{}", m["id"].as_str().expect("an id"), m["position"]);
        (key, (m["verdict"].to_string(), m["decides"].as_bool().expect("a flag")))
    };
    (record["outcome"].to_string(), measurements.map(one).collect())
}

/// Starts a run and kills it, without mercy, once its journal holds so many measurements.
fn killed_after(measurements: usize, out: &Path) -> PathBuf {
    let plan = write_plan(out);
    let mut child = meterbench(&["run", &plan.display().to_string(), "-q"], out).spawn().expect("it starts");
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let journal = runs(out).first().and_then(|run| std::fs::read_to_string(run.join("events.jsonl")).ok());
        let seen = journal.map_or(0, |text| text.matches("\"measured\"").count());
        if seen >= measurements {
            break;
        }
        assert!(Instant::now() < patience && child.try_wait().expect("a child").is_none(), "it was killed in mid-run");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    runs(out).remove(0)
}

#[test]
fn a_killed_run_goes_on_to_the_same_verdicts() {
    let undisturbed = TempDir::new().expect("a directory");
    let plan = write_plan(undisturbed.path());
    let output = meterbench(&["run", &plan.display().to_string(), "-q"], undisturbed.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let wanted = verdicts(&runs(undisturbed.path())[0]);
    for measurements in [3, 9, 16] {
        let out = TempDir::new().expect("a directory");
        let run = killed_after(measurements, out.path());
        assert!(!run.join("record.json").exists(), "it was in mid-run");
        let id = run.file_name().expect("a name").to_string_lossy().into_owned();
        let output = meterbench(&["run", "--resume", &id, "-q"], out.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(verdicts(&run), wanted, "killed after {measurements}");
        let journal = std::fs::read_to_string(run.join("events.jsonl")).expect("the journal");
        assert_eq!(journal.matches("run_resumed").count(), 1);
        assert!(journal.contains("\"attempt\":2"));
    }
}

#[test]
fn a_position_is_tested_again_and_the_first_attempt_is_kept() {
    let out = TempDir::new().expect("a directory");
    let plan = out.path().join("short.yaml");
    let text = "{ plan: Short, standard: 'EN 50470-3:2006', steps: [{ accuracy: { at: [{ current: Imax }] } }] }";
    std::fs::write(&plan, text).expect("written");
    let three = ["run", &plan.display().to_string(), "--bench", "emulated-3ph-three-positions", "-q"];
    assert_eq!(meterbench(&three, out.path()).output().expect("it runs").status.code(), Some(0));
    let run = runs(out.path()).remove(0);
    let id = run.file_name().expect("a name").to_string_lossy().into_owned();
    let nothing_left = meterbench(&["run", "--resume", &id], out.path()).output().expect("it runs");
    assert_eq!(nothing_left.status.code(), Some(2));
    let again = meterbench(&["run", "--resume", &id, "--position", "2", "-q"], out.path()).output().expect("it runs");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    let record = std::fs::read_to_string(run.join("record.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let attempts = |list: &str| -> Vec<(u64, u64)> {
        let all = record[list].as_array().expect("a list").iter();
        let mut all: Vec<_> =
            all.map(|m| (m["position"].as_u64().expect("n"), m["attempt"].as_u64().expect("n"))).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(attempts("measurements"), [(1, 1), (2, 2), (3, 1)]);
    assert_eq!(attempts("superseded"), [(2, 1)]);
}

#[test]
fn a_run_whose_plan_changed_does_not_go_on() {
    let out = TempDir::new().expect("a directory");
    let run = killed_after(3, out.path());
    std::fs::write(run.join("plan.yaml"), PLAN.replace("10 min", "11 min")).expect("written");
    let output = meterbench(&["run", "--resume", "latest"], out.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("its plan changed"));
}

#[test]
fn a_run_whose_certificate_changed_does_not_go_on() {
    let out = TempDir::new().expect("a directory");
    let plan = write_plan(out.path());
    let built_in = meterbench::catalogue::BENCHES.iter().find(|(name, _)| *name == "emulated-3ph").expect("built in");
    let bench = out.path().join("bench.yaml");
    std::fs::write(&bench, built_in.1).expect("written");
    let (plan, bench_name) = (plan.display().to_string(), bench.display().to_string());
    let output = meterbench(&["run", &plan, "--bench", &bench_name, "-q"], out.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    // The reference is calibrated better than it was: what was measured keeps the uncertainty it had.
    std::fs::write(&bench, built_in.1.replace("uncertainty: 0.02 %", "uncertainty: 0.01 %")).expect("written");
    let again = ["run", "--resume", "latest", "--position", "1"];
    let output = meterbench(&again, out.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("its bench (an instrument, a certificate"));
}

#[test]
fn a_run_in_progress_is_not_taken_over_and_one_without_its_last_word_gets_it() {
    let out = TempDir::new().expect("a directory");
    let plan = write_plan(out.path());
    let mut child = meterbench(&["run", &plan.display().to_string(), "-q"], out.path()).spawn().expect("it starts");
    while runs(out.path()).is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let meanwhile = meterbench(&["run", "--resume", "latest"], out.path()).output().expect("it runs");
    let running = child.try_wait().expect("a child").is_none();
    if running {
        assert_eq!(meanwhile.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&meanwhile.stderr).contains("is in progress"));
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let run = runs(out.path()).remove(0);
    let journal = std::fs::read_to_string(run.join("events.jsonl")).expect("the journal");
    let cut = journal.trim_end().rfind('\n').expect("lines") + 1;
    std::fs::write(run.join("events.jsonl"), &journal[..cut]).expect("written");
    let again = meterbench(&["run", "--resume", "latest", "-q"], out.path()).output().expect("it runs");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn of_two_that_go_on_at_once_one_is_refused() {
    let out = TempDir::new().expect("a directory");
    let run = killed_after(3, out.path());
    let file = run.join("events.jsonl");
    let first = journal::reopen(&file).expect("it opens").expect("nobody writes it");
    // What the first writes through is locked as well, after the first handle is gone.
    let writer = journal::go_on(&first).expect("it goes on");
    drop(first);
    assert!(journal::reopen(&file).expect("it opens").is_none());
    let second = meterbench(&["run", "--resume", "latest"], out.path()).output().expect("it runs");
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("is in progress"));
    drop(writer);
    let again = meterbench(&["run", "--resume", "latest", "-q"], out.path()).output().expect("it runs");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn a_run_killed_after_its_first_line_goes_on() {
    let out = TempDir::new().expect("a directory");
    let run = killed_after(3, out.path());
    let journal = std::fs::read_to_string(run.join("events.jsonl")).expect("the journal");
    let first = journal.find('\n').expect("a line") + 1;
    std::fs::write(run.join("events.jsonl"), &journal[..first]).expect("written");
    let again = meterbench(&["run", "--resume", "latest", "-q"], out.path()).output().expect("it runs");
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
}
