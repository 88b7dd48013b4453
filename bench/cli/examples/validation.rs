//! Does the right plan find every fault? For each fault of the catalogue one severity that must fail, at the points where it
//! must, and a smaller one that must pass. Writes the table to `reports/validation/faults.md`.
//!
//! `cargo run --release -p meterbench --example validation` fails when the bench says otherwise.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use meterbench::assemble::Changes;
use meterbench::catalogue;
use meterbench::rehearsal::{prepare, rehearse};
use meterbench_plan::{PlanFile, Source};
use meterbench_record::{Measurement, Outcome, Verdict};

/// One fault and the plan that finds it.
struct Case {
    fault: &'static str,
    fails: &'static str,
    passes: &'static str,
    meter: &'static str,
    standard: &'static str,
    steps: &'static str,
    /// Every failing measurement has one of these words in its identifier, and each word has a failing one.
    at: &'static [&'static str],
}

const CURVE: &str =
    "accuracy: { name: Load, at: [{ current: Imin }, { current: [Itr, 10 Itr, Imax], power-factor: [1, 0.5 ind] }] }";
/// Every wave: a fault is found by its own, and by no other.
const WAVES: &str = "test-plans/mid/class-b-waveforms.yaml";
const EN: &str = "EN 50470-3:2006";
const NONE: &str = "";
/// A fault that is there or not, and the meter without it.
const THERE: &str = "";
const SOUND: &str = "sound";

#[rustfmt::skip]
const CASES: [Case; 35] = [
    Case { fault: "gain",                  fails: "1.25 %",       passes: "0.5 %",       meter: "omnia-3ph", standard: EN, at: &["itr", "imax"], steps: CURVE },
    Case { fault: "phase-error",           fails: "40 min-of-arc",passes: "5 min-of-arc",meter: "omnia-3ph", standard: EN, at: &["0.5-ind"], steps: CURVE },
    Case { fault: "offset-power",          fails: "6 W",          passes: "0.5 W",       meter: "omnia-3ph", standard: EN, at: &["imin", "itr"], steps: CURVE },
    Case { fault: "lost-phase",            fails: "100 %",        passes: "1 %",         meter: "omnia-3ph", standard: EN, at: &["imin", "itr", "imax"], steps: CURVE },
    Case { fault: "wrong-constant",        fails: "900 imp/kWh",  passes: "1002 imp/kWh",meter: "omnia-3ph", standard: EN, at: &["imin", "itr", "imax"], steps: CURVE },
    Case { fault: "clock-error",           fails: "12000 ppm",    passes: "500 ppm",     meter: "omnia-3ph", standard: EN, at: &["itr", "imax"], steps: CURVE },
    Case { fault: "noise",                 fails: "300",          passes: "3",           meter: "omnia-3ph", standard: EN, at: &["repeatability"], steps: "repeatability: { at: [{ current: Itr }], readings: 10 }" },
    Case { fault: "creep",                 fails: "12 W",         passes: "2 W",         meter: "omnia-3ph", standard: EN, at: &["no-load"], steps: "no-load" },
    Case { fault: "dropped-impulses",      fails: "200",          passes: "2000",        meter: "omnia-3ph", standard: EN, at: &["impulses-against-register"], steps: "meter-constant" },
    Case { fault: "register-loss",         fails: "200",          passes: "2000",        meter: "omnia-3ph", standard: EN, at: &["impulses-against-register"], steps: "meter-constant" },
    Case { fault: "rounding-loss",         fails: "0.02 Wh",      passes: "0.001 Wh",    meter: "omnia-3ph", standard: EN, at: &["impulses-against-register"], steps: "meter-constant" },
    Case { fault: "pulse-width",           fails: "20 ms",        passes: "29 ms",       meter: "omnia-3ph", standard: EN, at: &["pulse-width"], steps: "pulse-output" },
    Case { fault: "s0-loss",               fails: "50",           passes: "2000",        meter: "omnia-3ph", standard: EN, at: &["s0-against-led", "s0-against-register"], steps: "pulse-output" },
    Case { fault: "wrong-direction",       fails: "1 %",          passes: "0.05 %",      meter: "omnia-3ph", standard: EN, at: &["export"], steps: "meter-constant: { at: [{ current: Imax, direction: export }] }" },
    Case { fault: "reactive-sign",         fails: "1 %",          passes: "0.05 %",      meter: "omnia-3ph", standard: "IEC 62053-24:2020", at: &["reactive"], steps: "meter-constant: { limit: 0.2 % }" },
    Case { fault: "voltage-coefficient",   fails: "1.2 %",        passes: "0.3 %",       meter: "omnia-3ph", standard: EN, at: &["0.9-un", "1.1-un"], steps: "influence: { vary: voltage }" },
    Case { fault: "frequency-coefficient", fails: "1 %",          passes: "0.2 %",       meter: "omnia-3ph", standard: EN, at: &["49-hz", "51-hz"], steps: "influence: { vary: frequency }" },
    Case { fault: "shunt-tcr",             fails: "900 ppm/K",    passes: "200 ppm/K",   meter: "omnia-3ph", standard: EN, at: &["temperature-coefficient"], steps: "influence: { vary: { temperature: [5 °C, 40 °C] }, at: [{ current: 10 Itr }] }" },
    Case { fault: "self-heating",          fails: "1.5 %",        passes: "0.3 %",       meter: "omnia-3ph", standard: EN, at: &["error-shift"], steps: "self-heating: { at: [{ current: Imax }] }" },
    Case { fault: "rights-hole",           fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["reader-"], steps: "test-plans/security/access-rights.yaml" },
    Case { fault: "legal-write",           fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["management-"], steps: "test-plans/security/access-rights.yaml" },
    Case { fault: "wrong-scaler",          fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["register-error"], steps: "test-plans/protocol/registers.yaml" },
    Case { fault: "window-ignored",        fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["frames-in-a-row"], steps: "test-plans/protocol/readout.yaml" },
    Case { fault: "blocks-truncated",      fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["hdlc-link/conversation"], steps: "test-plans/protocol/readout.yaml" },
    Case { fault: "dst-ignored",           fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["forward-in-march/clock/daylight-saving"], steps: "test-plans/protocol/clock.yaml" },
    Case { fault: "counter-forgotten",     fails: THERE,          passes: SOUND,         meter: "omnia-3ph", standard: NONE, at: &["replay-after-a-power-cut"], steps: "test-plans/security/attacks.yaml" },
    Case { fault: "dc-sensitive",          fails: "8 %",          passes: "1 %",         meter: "omnia-3ph-80a", standard: EN, at: &["dc-and-even-harmonics/error-shift"], steps: WAVES },
    Case { fault: "alias",                 fails: "40 %",         passes: "5 %",         meter: "omnia-3ph-80a", standard: EN, at: &["fifth-harmonic/error-shift"], steps: WAVES },
    Case { fault: "no-dip-hysteresis",     fails: THERE,          passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["within-its-hysteresis"], steps: "test-plans/power-quality/dips-and-swells.yaml" },
    Case { fault: "counter-saturates",     fails: THERE,          passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["every-dip-is-counted/counter-of"], steps: "test-plans/power-quality/dips-and-swells.yaml" },
    Case { fault: "unbalance-by-magnitude", fails: THERE,         passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["unbalance-negative", "unbalance-zero", "ten-minutes-of"], steps: "test-plans/power-quality/unbalance.yaml" },
    Case { fault: "snapshot-late",         fails: THERE,          passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["voltage-l1/snapshot"], steps: "test-plans/power-quality/snapshot.yaml" },
    Case { fault: "short-window",          fails: THERE,          passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["an-interharmonic-beside-order-5"], steps: "test-plans/power-quality/harmonics.yaml" },
    Case { fault: "thd-to-40",             fails: THERE,          passes: SOUND,         meter: "omnia-3ph-80a", standard: NONE, at: &["thd-voltage-l1"], steps: "test-plans/power-quality/harmonics.yaml" },
    Case { fault: "phase-sequence",        fails: "2 %",          passes: "0.5 %",       meter: "omnia-3ph", standard: EN, at: &["l1-l3-l2"], steps: "influence: { vary: phase-sequence }" },
];

/// What a plan says of a meter with this fault: outcome, failing identifiers, worst value in words.
fn tested(case: &Case, severity: &str) -> Result<(Outcome, Vec<Measurement>, usize), String> {
    let plan = if case.steps.ends_with(".yaml") {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(case.steps);
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?
    } else {
        format!("plan: Validation\nstandard: {}\nsteps:\n  - {}\n", case.standard, case.steps)
    };
    let changes = Changes {
        faults: match severity {
            SOUND => Vec::new(),
            THERE => vec![case.fault.to_owned()],
            _ => vec![format!("{}={severity}", case.fault)],
        },
        meter: Some(case.meter.to_owned()),
        ..Changes::default()
    };
    let waves = PlanFile::read(&Source::new("plan.yaml", plan.as_str())).is_ok_and(|plan| plan.needs_waves());
    let bench = if waves { "emulated-3ph-waves" } else { "emulated-3ph" };
    let (prepared, equipped) = prepare(&plan, bench, &changes).map_err(|e| format!("{e:?}"))?;
    let ran = rehearse(&prepared, &equipped, None)?;
    if ran.outcome == Outcome::Error {
        return Err(format!("{}={severity} breaks the bench: {}", case.fault, ran.record.notes.join("; ")));
    }
    let failed = |m: &Measurement| m.verdict == Some(Verdict::Fail) && m.decides;
    let judged = ran.record.measurements.iter().filter(|m| m.verdict.is_some()).count();
    let failing = ran.record.measurements.into_iter().filter(failed).collect();
    Ok((ran.outcome, failing, judged))
}

/// The line of the table, or what is wrong.
fn line(case: &Case) -> Result<String, String> {
    let (outcome, failing, judged) = tested(case, case.fails)?;
    if outcome != Outcome::Fail {
        return Err(format!("{}={} does not fail: {outcome:?}", case.fault, case.fails));
    }
    if let Some(stray) = failing.iter().find(|m| !case.at.iter().any(|word| m.id.contains(word))) {
        return Err(format!("{}={} fails at {}, where it should not", case.fault, case.fails, stray.id));
    }
    if let Some(missed) = case.at.iter().find(|word| !failing.iter().any(|m| m.id.contains(*word))) {
        return Err(format!("{}={} fails nowhere at {missed}", case.fault, case.fails));
    }
    let (small, left, _) = tested(case, case.passes)?;
    if small != Outcome::Pass || !left.is_empty() {
        return Err(format!("{}={} does not pass: {small:?}", case.fault, case.passes));
    }
    let step = case.steps.split(':').next().unwrap_or(case.steps);
    let step = if case.standard == NONE { step.to_owned() } else { format!("{step}, {}", case.standard) };
    let severity = if case.fails == THERE { "there" } else { case.fails };
    let worst = failing.first().map_or(String::new(), |m| format!("`{}`: {}", m.id, meterbench::words::value(m)));
    Ok(format!(
        "| {} | {severity} | FAIL, {} of {judged} | {worst} | {} | PASS | {step} |",
        case.fault,
        failing.len(),
        case.passes,
    ))
}

fn main() -> ExitCode {
    let mut table = String::from(
        "# Every fault is found\n\n\
         Each fault of the catalogue at a severity that must fail, at the points where it must and nowhere else, and at a smaller\n\
         one that must pass; a fault that is there or not stands against the sound meter. Made by `cargo run --release -p meterbench --example validation` on the emulated bench, seed 7.\n\n\
         | fault | severity | verdict, points judged | for example | smaller | verdict | step, standard |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut wrong = 0;
    for case in &CASES {
        match line(case) {
            Ok(line) => {
                println!("{line}");
                let _ = writeln!(table, "{line}");
            }
            Err(text) => {
                println!("WRONG  {text}");
                wrong += 1;
            }
        }
    }
    let known = catalogue::FAULTS.iter().map(|(name, _)| *name);
    for missing in known.filter(|name| !CASES.iter().any(|case| case.fault == *name)) {
        println!("WRONG  {missing} is in the catalogue and not in this table");
        wrong += 1;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/validation/faults.md");
    let written = file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, table));
    if let Err(error) = written {
        println!("WRONG  {} cannot be written: {error}", file.display());
        wrong += 1;
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
