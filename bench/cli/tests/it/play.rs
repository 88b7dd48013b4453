//! `play`: stimuli of the source, what the meters say of them, and what becomes of a run that ends amid one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use meterbench::assemble::Changes;
use meterbench::catalogue::Refusal;
use meterbench::rehearsal::{Rehearsal, prepare, rehearse};
use meterbench_plan::Disturbance;
use meterbench_record::{Event, Measurement, Outcome, Value, Verdict};
use rstest::rstest;

use crate::{beyond_bench, changes, run};

const WAVES: &str = "emulated-3ph-waves";
/// A dip of each phase, three times, and a harmonic.
const PLAN: &str = "
plan: Stimuli
meter: { phases: 3, has: [power-quality] }
steps:
  - apply: { voltage: Un, current: 5 A }
  - play:
      name: Dips
      dip: { phases: L1, to: 0.4 Un, for: 200 ms, times: 3, every: 5 s }
      expect:
        - { event: voltage-dip, phases: L1, count: 3, residual: 0.4 Un ± 0.2 %, duration: 210 ms ± 20 ms, begin: 0 ms ± 100 ms }
        - { event: other, count: 0 }
        - { counter: voltage-dip, count: 3 }
        - { counter: voltage-dip, phases: L2, count: 0 }
  - play:
      name: Waves
      wave: { voltage: { harmonics: { 5: 6 %, 7: 5 % 180 deg } } }
      for: 3 s
      expect:
        - { reading: thd-voltage-l1, value: 7.81 % ± 0.1 % }
        - { reading: voltage-harmonic-l1, order: 5, value: 6 % ± 0.05 % }
  - play:
      name: Swells
      swell: { phases: L2, to: 1.12 Un, for: 200 ms, times: 2 }
      expect: [{ event: voltage-swell, phases: L2, count: 2 }]
";

/// The plan of the shipped ones with this name.
fn shipped(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../test-plans/power-quality/{name}.yaml"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn measured<'a>(ran: &'a Rehearsal, id: &str) -> &'a Measurement {
    let found = ran.record.measurements.iter().find(|m| m.id == id);
    found.unwrap_or_else(|| panic!("{id} is not among {:?}", ids(&ran.record.measurements)))
}

fn ids(measurements: &[Measurement]) -> Vec<&str> {
    measurements.iter().map(|m| m.id.as_str()).collect()
}

fn failed(ran: &Rehearsal) -> Vec<&str> {
    let failed = ran.record.measurements.iter().filter(|m| m.verdict == Some(Verdict::Fail) && m.decides);
    failed.map(|m| m.id.as_str()).collect()
}

#[test]
fn what_is_played_stands_in_the_record_beside_what_the_meter_wrote_down() {
    let ran = run(PLAN, WAVES, &changes(&[]));
    assert_eq!((ran.outcome, failed(&ran)), (Outcome::Pass, Vec::new()), "{:?}", ran.record.notes);
    let played = &ran.record.played;
    assert_eq!(played.iter().map(|p| p.step).collect::<Vec<_>>(), [2, 2, 2, 3, 4, 4]);
    let begins: Vec<f64> = played[..3].iter().map(|p| p.from_ns as f64 / 1e9).collect();
    assert!((begins[1] - begins[0] - 5.0).abs() < 0.01 && (begins[2] - begins[1] - 5.0).abs() < 0.01, "{begins:?}");
    let dip = played[0].event.expect("an event");
    assert!((dip.share - 0.4).abs() < 1e-12 && dip.phases == [true, false, false]);
    assert_eq!(played[3].waveform.voltage[2].harmonics.len(), 2);
    let residual = measured(&ran, "dips/voltage-dip/residual");
    assert_eq!(residual.readings.len(), 3);
    let rows = residual.raw["events"].as_array().expect("rows");
    assert_eq!(rows.len(), 3);
    for (row, played) in rows.iter().zip(played) {
        let of = |key: &str| row[key].clone();
        assert_eq!((of("code"), of("phases")), (128.into(), "L1".into()));
        assert_eq!((of("duration_ms"), of("extreme")), (210.into(), 4000.into()));
        // Clock of the meter against bench time: the hundredth of a row, and the way to the next zero crossing.
        let begin = row["begin_ns"].as_u64().expect("a moment").abs_diff(played.from_ns);
        assert!(begin < 40_000_000, "{begin} ns apart");
    }
    assert_eq!(ran.source_log.last_output(), Some("off"));
}

/// A plan catches a fault, and in what.
#[rstest]
#[case("no-dip-hysteresis", "dips-and-swells", "b-d3-one-dip-within-its-hysteresis/voltage-dip/event-count")]
#[case("counter-saturates", "dips-and-swells", "every-dip-is-counted/counter-of-voltage-dip/counter")]
#[case("unbalance-by-magnitude", "unbalance", "b-n4-zero-sequence-alone/unbalance-negative/reading")]
#[case("snapshot-late", "snapshot", "a-dip-as-delivered/snapshot-of-voltage-dip-voltage-l1/snapshot")]
#[case(
    "short-window",
    "harmonics",
    "an-interharmonic-beside-order-5-is-none-of-it/voltage-harmonic-l1-order-5/harmonic"
)]
#[case("thd-to-40", "harmonics", "thd-reaches-to-order-50/thd-voltage-l1/reading")]
#[case("alias", "harmonics", "harmonics-of-the-current-quadriform/thd-current-l1/reading")]
fn a_plan_finds_the_fault_it_is_for(#[case] fault: &str, #[case] plan: &str, #[case] id: &str) {
    let ran = run(&shipped(plan), WAVES, &changes(&[fault]));
    assert_eq!(ran.outcome, Outcome::Fail, "{fault}");
    assert!(failed(&ran).contains(&id), "{fault}: {:?}", failed(&ran));
}

#[rstest]
#[case("aggregation")]
#[case("dips-and-swells")]
#[case("frequency")]
#[case("grid-events")]
#[case("harmonics")]
#[case("interruptions")]
#[case("polyphase-dips")]
#[case("rapid-voltage-changes")]
#[case("snapshot")]
#[case("unbalance")]
fn a_healthy_meter_passes_every_plan(#[case] plan: &str) {
    let ran = run(&shipped(plan), WAVES, &changes(&[]));
    assert_eq!((ran.outcome, failed(&ran)), (Outcome::Pass, Vec::new()), "{:?}", ran.record.notes);
}

#[rstest]
#[case("omnia-1ph")]
#[case("omnipower-1ph")]
fn one_phase_is_supervised_as_far_as_it_goes(#[case] meter: &str) {
    let on = Changes { meter: Some(meter.to_owned()), ..changes(&[]) };
    let ran = run(&shipped("en50160-supervision"), WAVES, &on);
    assert_eq!((ran.outcome, failed(&ran)), (Outcome::Pass, Vec::new()), "{:?}", ran.record.notes);
    let unbalance = ran.record.measurements.iter().find(|m| m.step == 10).expect("a measurement");
    assert_eq!(unbalance.verdict, Some(Verdict::NotObservable));
}

#[test]
fn what_no_meter_has_is_not_played() {
    let plan = "plan: t\nsteps:\n  - play: { frequency: 51 Hz, for: 25 s, expect: [{ event: frequency, count: 1 }, \
                { counter: frequency, count: 1 }] }\n";
    let on = Changes { meter: Some("omnipower-1ph".to_owned()), ..changes(&[]) };
    let ran = run(plan, WAVES, &on);
    assert_eq!(ran.outcome, Outcome::Undecided);
    assert!(ran.record.measurements.iter().all(|m| m.verdict == Some(Verdict::NotObservable)));
    assert_eq!(ran.record.measurements.len(), 2);
    let asked = ran.source_log.lines().iter().any(|line| line.to_string().contains("FREQ 51"));
    assert!(ran.record.played.is_empty() && !asked);
}

#[test]
fn a_wrong_expectation_fails_in_words() {
    let plan = "plan: t\nsteps:\n  - play: { dip: { phases: L1, to: 0.7 Un, for: 200 ms }, expect: [{ event: voltage-dip, \
                phases: L2, count: 2, residual: 0.5 Un ± 1 % }, { event: voltage-swell, count: 1, magnitude: 1.2 Un ± 1 % }, \
                { event: rapid-voltage-change, count: at most 1, change: 0.1 Un ± 1 % }] }\n";
    let ran = run(plan, WAVES, &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Fail);
    let count = measured(&ran, "play/voltage-dip/event-count");
    let note = count.note.as_deref().unwrap_or_default();
    assert!(
        note.starts_with("expected 2 of voltage-dip, found 1: voltage-dip at ")
            && note.contains("on L1 for 210 ms, 70 %")
    );
    assert_eq!(measured(&ran, "play/voltage-dip/event-phases").value, Value::State("L1".into()));
    let none = measured(&ran, "play/voltage-swell/magnitude");
    assert_eq!((none.verdict.as_ref(), &none.value), (Some(&Verdict::Fail), &Value::None));
    // There need not be one: then nothing is said of it.
    assert_eq!(measured(&ran, "play/rapid-voltage-change/change").verdict, None);
    assert_eq!(failed(&ran).len(), 5, "{:?}", failed(&ran));
}

/// What is read after an event is read when it is over, and events of neighbouring steps are as near as the source can.
#[test]
fn steps_follow_each_other_as_closely_as_they_can() {
    let plan = "
plan: Neighbours
steps:
  - apply: { voltage: Un, current: 5 A }
  - play: { name: Dip, dip: { to: 0.5 Un, for: 2 s }, expect: [{ reading: voltage-l1, value: Un ± 1 % }] }
  - play: { name: Gone, port: network, dip: { to: 0 Un, for: 2 s }, expect: [{ reading: voltage-l1, value: Un ± 1 % }] }
  - apply: { name: More, voltage: Un, current: 10 A }
  - play: { name: A, dip: { phases: L1, to: 0.5 Un, for: 200 ms }, after: 0 s, expect: [{ event: voltage-dip, count: 1 }] }
  - play: { name: B, dip: { phases: L1, to: 0.5 Un, for: 200 ms }, after: 0 s, expect: [{ event: voltage-dip, count: 1 }] }
";
    let ran = run(plan, WAVES, &changes(&[]));
    assert_eq!((ran.outcome, failed(&ran)), (Outcome::Pass, Vec::new()), "{:?}", ran.record.notes);
}

#[test]
fn a_meter_that_does_not_answer_loses_its_position() {
    for (after, kind, why) in [
        (0, "dead", "did not respond"),
        (40, "dead", "gives no answer"),
        (0, "garbage", "octets came and no answer in them"),
    ] {
        let (plan, mut bench) = prepare(PLAN, WAVES, &changes(&[])).expect("sound");
        let disturbance = Disturbance { instrument: "optical".into(), kind: kind.into(), after };
        bench.file.emulation.disturb = vec![disturbance];
        let ran = rehearse(&plan, &bench, None).expect("the bench can be built");
        assert_eq!(ran.outcome, Outcome::Error, "after {after}");
        let lost = ran.record.positions_lost.get(&1).expect("the position is lost");
        assert!(lost.contains("optical port") && lost.contains(why), "{kind} after {after}: {lost}");
        assert!(failed(&ran).is_empty(), "silence is no verdict");
        assert_eq!(ran.source_log.last_output(), Some("off"));
    }
}

#[test]
fn every_position_is_judged_by_itself() {
    let one = meterbench::catalogue::BENCHES.iter().find(|(name, _)| *name == WAVES).expect("built in").1;
    let place = one.lines().find(|line| line.contains("id: 1")).expect("a position");
    let second = place.replace("id: 1", "id: 2").replace("1001", "1002").replace("EC1", "EC2");
    let second = second.replace("optical: emulated", "optical: emulated, faults: { counter-saturates: }");
    let third = place.replace("id: 1", "id: 3").replace("1001", "1003").replace("EC1", "EC3");
    let directory = tempfile::TempDir::new().expect("a directory");
    let bench = directory.path().join("three.yaml");
    std::fs::write(&bench, one.replace(place, &[place, &second, &third].join("\n"))).expect("written");
    let ran = run(&shipped("dips-and-swells"), &bench.to_string_lossy(), &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Fail);
    let failed_at = |position: u32| ran.record.positions_counts[&position].fail;
    assert_eq!([1, 2, 3].map(failed_at), [0, 2, 0]);
    assert_eq!(ran.record.measurements.len(), 3 * 83);
}

#[test]
fn a_stop_amid_a_stimulus_leaves_the_outputs_off() {
    let (plan, bench) = prepare(PLAN, WAVES, &changes(&[])).expect("sound");
    let whole = rehearse(&plan, &bench, None).expect("the bench can be built");
    let moments = whole.record.played.iter().flat_map(|p| [p.from_ns, (p.from_ns + p.to_ns) / 2, p.to_ns + 1_000_000]);
    for at in moments {
        let ran = rehearse(&plan, &bench, Some(Duration::from_nanos(at))).expect("the bench can be built");
        assert_eq!(ran.outcome, Outcome::Interrupted, "at {at} ns");
        assert_eq!(ran.source_log.last_output(), Some("off"), "at {at} ns");
        assert!(ran.record.outputs.contains("voltage off"), "at {at} ns: {}", ran.record.outputs);
    }
}

#[test]
fn a_source_of_sines_alone_is_not_asked_for_waves() {
    let plan =
        "plan: t\nsteps:\n  - play: { dip: { to: 0.4 Un, for: 200 ms }, expect: [{ event: voltage-dip, count: 1 }] }\n";
    let text = beyond_bench(plan, "emulated-3ph", &Changes::default());
    assert!(text.contains("makes sines only") && text.contains("`emulated-3ph-waves`"), "{text}");
}

#[rstest]
#[case("swell: { to: 1.3 Un, for: 1 s }, expect: [{ event: voltage-swell }]", "280 V")]
#[case("dip: { to: 0.4 Un, for: 1 s, phase-jump: 30 deg }, expect: [{ event: voltage-dip }]", "phase jump")]
#[case("course: [{ voltage: 0.8 Un, for: 500 ms }], expect: [{ event: voltage-dip }]", "0.8 s for a change")]
#[case("wave: { voltage: { harmonics: { 3: 60 % } } }, for: 1 s, expect: [{ event: voltage-dip }]", "harmonic 3")]
fn what_the_source_cannot_is_refused_before_anything_is_energised(#[case] play: &str, #[case] why: &str) {
    let plan = format!("plan: t\nsteps:\n  - play: {{ {play} }}\n");
    let text = beyond_bench(&plan, WAVES, &Changes::default());
    assert!(text.contains(why), "{text}");
}

#[test]
fn everything_the_source_cannot_is_told_at_once_and_in_its_place() {
    let plan = "plan: t\nsteps:\n  - play:\n      name: Jump\n      dip: { to: 0.4 Un, for: 61 s, phase-jump: 30 deg }\n      \
                expect: [{ event: voltage-dip }]\n  - play:\n      name: Swell\n      swell: { to: 1.3 Un, for: 1 s, times: 3, every: \
                1020 ms }\n      expect: [{ event: voltage-swell }]\n";
    let Err(Refusal::Findings(source, findings)) = prepare(plan, WAVES, &Changes::default()) else { panic!("refused") };
    let found: Vec<_> = findings.iter().map(|f| (source.place(f.span.start).0, f.label.as_str())).collect();
    let other = "change the step, or choose another bench with `--bench`";
    assert_eq!(found, [(3, other), (7, "stay within 280 V"), (7, "write `every: 1.1 s` or more")], "{findings:?}");
}

/// What a source is said to need between two events is what it needs: none begins late.
#[rstest]
#[case::fluke_6105a(WAVES, "0.3 s")]
#[case::ametek_mx("emulated-3ph-ametek", "0.3 s")]
fn events_as_dense_as_the_source_can_come_in_time(#[case] bench: &str, #[case] every: &str) {
    let plan = |every: &str| {
        format!(
            "plan: t\nmeter: {{ phases: 3 }}\nsteps:\n  - play:\n      dip: {{ phases: L1, to: 0.5 Un, for: 200 ms, \
             point-on-wave: 77 deg, times: 20, every: {every} }}\n      expect: [{{ event: voltage-dip, count: 20 }}]\n"
        )
    };
    let ran = run(&plan(every), bench, &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass, "{:?}", ran.record.notes);
    assert!(ran.record.notes.iter().all(|note| !note.contains("late")), "{:?}", ran.record.notes);
    let begins: Vec<u64> = ran.record.played.iter().map(|played| played.from_ns).collect();
    assert!(begins.windows(2).all(|pair| pair[1] - pair[0] == 300_000_000), "{begins:?}");
    assert!(beyond_bench(&plan("260 ms"), bench, &changes(&[])).contains("from one begin to the next"));
}

#[test]
fn a_source_that_turns_phases_plays_a_jump() {
    let plan = "plan: t\nmeter: { phases: 3 }\nsteps:\n  - play: { dip: { phases: L1, to: 0.5 Un, for: 200 ms, phase-jump: 30 deg, \
                times: 2 }, expect: [{ event: voltage-dip, phases: L1, count: 2, residual: 0.5 Un ± 0.3 %, duration: 210 ms ± 20 ms }] }\n";
    let ran = run(plan, "emulated-3ph-ametek", &changes(&[]));
    assert_eq!((ran.outcome, failed(&ran)), (Outcome::Pass, Vec::new()), "{:?}", ran.record.notes);
}

#[test]
fn without_a_bench_the_one_with_waves_is_taken_and_a_broken_run_goes_on() {
    let out = tempfile::TempDir::new().expect("a directory");
    let plan = out.path().join("plan.yaml");
    std::fs::write(&plan, PLAN).expect("written");
    let meterbench = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meterbench"));
        let output = command.args(arguments).arg("--out").arg(out.path()).current_dir(out.path()).output();
        output.expect("the program starts")
    };
    let ran = meterbench(&["run", "plan.yaml", "-q"]);
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let entries = std::fs::read_dir(out.path()).expect("the directory").flatten().map(|e| e.path());
    let run = entries.into_iter().find(|path| path.is_dir()).expect("a run");
    // The journal as it stands when the program is killed amid the second stimulus.
    let journal = run.join("events.jsonl");
    let text = std::fs::read_to_string(&journal).expect("the journal");
    let second = text.match_indices("\"played\"").nth(3).expect("a stimulus").0;
    std::fs::write(&journal, &text[..text[..second].rfind('\n').expect("a line") + 1]).expect("written");
    let again = meterbench(&["run", "--resume", &run.display().to_string(), "-q"]);
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    let lines = std::fs::read_to_string(&journal).expect("the journal");
    let events =
        lines.lines().map(|line| serde_json::from_str::<meterbench_record::JournalLine>(line).expect("a line"));
    let mut record: Option<meterbench_record::Record> = None;
    for line in events {
        match (&mut record, line.event) {
            (None, Event::RunStarted(start)) => record = Some(meterbench_record::Record::new(*start)),
            (Some(record), event) => record.apply(meterbench_record::JournalLine { event, ..line }),
            (None, other) => panic!("{other:?}"),
        }
    }
    let record = record.expect("a record");
    assert_eq!(record.decided(), Outcome::Pass);
    assert_eq!(record.played.iter().map(|p| p.step).collect::<Vec<_>>(), [2, 2, 2, 3, 4, 4], "each stimulus once");
    assert!(record.measurements.iter().all(|m| m.attempt == if m.step == 2 { 1 } else { 2 }));
}

/// Who changes a journal by hand is told so, whatever is left beside it.
#[test]
fn a_journal_that_was_changed_gives_no_report() {
    let out = tempfile::TempDir::new().expect("a directory");
    std::fs::write(out.path().join("plan.yaml"), PLAN).expect("written");
    let meterbench = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meterbench"));
        command.args(arguments).current_dir(out.path()).output().expect("the program starts")
    };
    meterbench(&["run", "plan.yaml", "-q", "--out", "runs"]);
    let run = std::fs::read_dir(out.path().join("runs")).expect("the runs").flatten().next().expect("a run").path();
    let journal = run.join("events.jsonl");
    let sound = std::fs::read_to_string(&journal).expect("the journal");
    let report = |text: &str| {
        std::fs::write(&journal, text).expect("written");
        for file in ["record.json", "record.json.before"] {
            let _ = std::fs::remove_file(run.join(file));
        }
        let output = meterbench(&["report", &run.display().to_string()]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(report(&sound).0, Some(0));
    // Whole texts of the journal, each once, and what is said of it.
    let count = sound.find("\"quantity\":\"event-count\"").expect("a count");
    let value = count + sound[count..].find("{\"integer\":3}").expect("three dips");
    let worse = format!("{}{{\"integer\":2}}{}", &sound[..value], &sound[value + "{\"integer\":3}".len()..]);
    let verdict = count + sound[count..].find("\"verdict\":\"pass\"").expect("a verdict");
    let gone = format!("{}\"verdict\":\"not-observable\"{}", &sound[..verdict], &sound[verdict + 16..]);
    for (text, why) in [
        (worse, "it has been changed"),
        (gone, "it has been changed"),
        (sound.replacen("\"hertz\":50.0", "\"hertz\":0.0", 1), "plays what no source plays: its frequency"),
        (sound.replacen("\"hertz\":50.0", "\"hertz\":1e9", 1), "its frequency"),
        (sound.replacen("\"hertz\":50.0", "\"hertz\":-5.0", 1), "its frequency"),
        (sound.replacen("\"seconds\":0.2", "\"seconds\":1e300", 1), "its voltage event"),
        (sound.replacen("\"order\":5", "\"order\":60000", 1), "its distortion"),
        (sound.replacen("\"guarded-acceptance\"", "\"kind-acceptance\"", 1), "decision rule `kind-acceptance`"),
    ] {
        assert_ne!(text, sound, "{why}");
        let (code, told) = report(&text);
        assert!(code == Some(2) && told.contains(why), "{why}: {code:?} {told}");
    }
}

/// Who sets counts and tolerances sees beside them what the method reads.
#[test]
fn explain_says_what_the_method_reads_and_what_is_expected() {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-plans/power-quality/polyphase-dips.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_meterbench")).arg("explain").arg(plan).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let line =
        |words: &str| text.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(line("by the method                        dip on L1 ").ends_with("79.06 %, 20 ms"));
    assert!(text.contains("by the method                        no event\n"), "half a cycle to 0.85 Un: {text}");
    assert!(
        line("expected                             voltage-dip ")
            .ends_with("3, on L1, residual 78.86 to 79.26 %, duration 0 to 40 ms")
    );
    assert!(text.lines().all(|line| line.trim_end() == line), "no blanks at the ends");
}
