//! Broken files and what is found in them: `fixtures/broken-plans/*.yaml` begin with `# expect: CODE LINE:COLUMN` lines.
//!
//! Every finding is expected and every expectation is found, in order.

use std::fs;
use std::path::{Path, PathBuf};

use meterbench::check::check_source;
use meterbench::diagnostics::render;
use meterbench_plan::Source;

fn fixtures() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/broken-plans");
    let mut files: Vec<PathBuf> = fs::read_dir(directory).expect("the fixtures").flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

fn expected(text: &str) -> Vec<String> {
    text.lines().map_while(|line| line.strip_prefix("# expect: ")).map(str::to_owned).collect()
}

#[test]
fn every_broken_file_is_refused_with_its_findings() {
    let files = fixtures();
    assert!(files.len() >= 30, "{} fixtures", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("text");
        let source = Source::new(path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), text);
        let findings = check_source(&source, &path).err().unwrap_or_default();
        let found: Vec<String> = findings
            .iter()
            .map(|f| {
                let (line, column) = source.place(f.span.start);
                format!("{} {line}:{column}", f.code)
            })
            .collect();
        for finding in &findings {
            let shown = render(&source, finding);
            assert!(shown.contains("-->") && !finding.message.is_empty(), "{shown}");
            assert!(!finding.label.is_empty() || finding.help.is_some(), "no remedy: {shown}");
        }
        if found != expected(&source.text) || found.is_empty() {
            let shown: String = findings.iter().map(|f| render(&source, f)).collect();
            wrong.push(format!("{}: expected {:?}, found {found:?}\n{shown}", source.name, expected(&source.text)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every part of a stimulus, once.
const STIMULI: &str = "
plan: Stimuli
steps:
  - play:
      dip: { phases: L1, to: 0.4 Un, for: 200 ms, point-on-wave: 90 deg, phase-jump: -30 deg, times: 3, every: 5 s }
      wave: { voltage: { harmonics: { 5: 6 %, 7 to 9: 5 % 180 deg }, interharmonic: { frequency: 255 Hz, share: 1 % } }, phases: L1+L2 }
      unbalance: { negative: 3 %, angle: 30 deg }
      for: 2 s
      expect:
        - { event: voltage-dip, phases: L1, count: 3, residual: 0.4 Un ± 0.2 %, duration: 210 ms ± 20 ms }
        - { reading: voltage-harmonic-l1, order: 2 to 50, value: at most 1 %, angle: 0 deg ± 1 deg }
        - { snapshot: voltage-dip, register: 1-0:32.7.0, value: 0.8 Un to Un }
  - play: { name: N0, grid: { lost-mv-phase: L1, transformer: Dyn, u2: 60 % }, for: 1 s, expect: [{ counter: lost-mv-phase, count: at most 1 }] }
  - play: { name: N1, grid: { lost-neutral: [2, 1, 1], neutral: 4 }, for: 1 s, expect: [{ event: other, count: 0 }] }
  - play: { name: N2, course: [{ voltage: 0.9 Un, for: 1 s }], expect: [{ reading: thd-voltage-l1, flagged: true }] }
  - play: { name: N3, ramp: { frequency: 49 Hz, over: 1 s, back: 1 s }, for: 1 s, expect: [{ event: frequency }] }
";

#[test]
fn no_prefix_or_mutation_of_a_stimulus_panics() {
    mutate(STIMULI);
}

#[test]
fn no_prefix_or_mutation_of_a_plan_panics() {
    let plan = include_str!("../../../../test-plans/mid/class-b-direct-connected.yaml");
    mutate(&plan.replace("three-phase", "drei-phasig °C ±"));
}

fn mutate(plan: &str) {
    let path = Path::new("plan.yaml");
    let check = |text: String| {
        let source = Source::new("plan.yaml", text);
        for finding in check_source(&source, path).err().unwrap_or_default() {
            let _ = render(&source, &finding);
        }
    };
    let ends: Vec<usize> = plan.char_indices().map(|(n, _)| n).collect();
    for end in ends.iter().step_by(3) {
        check(plan[..*end].to_owned());
    }
    // Each character replaced by one that YAML or a quantity cares about.
    for (n, start) in ends.iter().enumerate().step_by(2) {
        let end = ends.get(n + 1).copied().unwrap_or(plan.len());
        let odd = ["{", "]", ":", "\t", "°", "-", "'", "\"", "&a ", "*a ", "0", "\n", "#"][n % 13];
        check(format!("{}{odd}{}", &plan[..*start], &plan[end..]));
    }
}
