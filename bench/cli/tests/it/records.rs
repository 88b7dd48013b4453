//! Records: equal for equal inputs, whole, replayable.

use meterbench_record::Outcome;

use crate::{EVERY_STEP, changes, run};

#[test]
fn equal_inputs_give_equal_records_on_any_number_of_cores() {
    let record = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let ran = pool.install(|| run(EVERY_STEP, "emulated-3ph-three-positions", &changes(&["noise=2@3"])));
        let mut record = serde_json::to_value(&ran.record).expect("json");
        record.as_object_mut().expect("an object").remove("run");
        record.to_string()
    };
    let first = record(2);
    assert!(first == record(2), "two runs differ");
    assert!(first == record(1), "one core and two differ");
}

#[test]
fn another_seed_gives_another_record() {
    let plan = "{ plan: One, standard: \"EN 50470-3:2006\", steps: [{ accuracy: { at: [{ current: Imax }] } }] }";
    let digest = |seed| {
        let changes = meterbench::assemble::Changes { seed: Some(seed), ..changes(&[]) };
        run(plan, "emulated-3ph", &changes).record.digest
    };
    assert_ne!(digest(1), digest(2));
    assert_eq!(digest(1), digest(1));
}

#[test]
fn identifiers_are_words_and_unique() {
    let ran = run(EVERY_STEP, "emulated-3ph", &changes(&[]));
    let mut ids: Vec<&str> = ran.record.measurements.iter().map(|m| m.id.as_str()).collect();
    assert!(ids.contains(&"balanced/l123/10-itr/0.5-ind/import/percentage-error"), "{ids:#?}");
    assert!(ids.contains(&"export-accuracy/l123/10-itr/1/export/percentage-error"), "{ids:#?}");
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn a_run_without_limits_decides_nothing() {
    let plan = "{ plan: None, steps: [{ accuracy: { at: [{ current: Imax }], limit: none } }] }";
    let ran = run(plan, "emulated-3ph", &changes(&[]));
    assert_eq!((ran.outcome, ran.record.counts.unlimited), (Outcome::Undecided, 1));
    let nothing = "{ plan: Nothing, steps: [{ wait: { for: 1 s } }] }";
    assert_eq!(run(nothing, "emulated-3ph", &changes(&[])).outcome, Outcome::Undecided);
}

#[test]
fn an_undecided_position_is_not_covered_by_its_neighbours() {
    // The second position's starting takes longer than the tight candidate allows: it does not decide.
    let plan = "{ plan: Starting, standard: \"EN 50470-3:2006\", steps: [starting] }";
    let ran = run(plan, "emulated-3ph-three-positions", &changes(&["gain=-45%@2"]));
    assert!(ran.record.positions_counts[&1].pass == 3 && ran.record.positions_counts[&2].advisory > 0);
    assert_eq!(ran.record.positions_counts[&2].fail, 0);
    let all_advisory = ran.record.positions_counts[&2].pass == 0;
    assert_eq!(ran.outcome == Outcome::Undecided, all_advisory, "{:?}", ran.record.positions_counts);
}

#[test]
fn the_dial_test_runs_in_both_directions() {
    let plan = "
plan: Dial
standard: EN 50470-3:2006
steps:
  - meter-constant: { at: [{ current: Imax }] }
  - meter-constant: { name: Export, at: [{ current: Imax, direction: export }] }
";
    let ran = run(plan, "emulated-3ph", &changes(&[]));
    assert_eq!((ran.outcome, ran.record.counts.pass), (Outcome::Pass, 2), "{:?}", ran.record.measurements);
}

#[test]
fn the_journal_of_a_killed_run_still_folds() {
    use std::io::Cursor;
    let ran = run(EVERY_STEP, "emulated-3ph", &changes(&[]));
    let mut journal = Vec::new();
    for line in &ran.lines {
        serde_json::to_writer(&mut journal, line).expect("json");
        journal.push(b'\n');
    }
    for cut in [journal.len() - 3, journal.len() / 2, journal.len() / 3] {
        let record = meterbench_record::Record::fold(Cursor::new(&journal[..cut])).expect("what is there folds");
        assert!(record.outcome.is_none() && record.outputs.contains("has not ended"), "cut at {cut}");
    }
}
