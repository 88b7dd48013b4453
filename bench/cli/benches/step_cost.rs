//! What a trivial step costs: one measurement with a limit, journalled. Prints the figures; asserts nothing.

use std::fs;
use std::time::Instant;

use meterbench::journal;
use meterbench_plan::{PlanFile, Source};
use meterbench_record::{
    Certainty, Direction, EnergyKind, Event, Limit, LoadPoint, Measurement, Phases, PowerFactor, Value,
};
use meterbench_run::Recorder;
use meterbench_standards::DecisionRule;

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn measurement(step: u32, load: &LoadPoint, limit: &Limit, bench_ns: u64) -> Measurement {
    let judgement = DecisionRule::GuardedAcceptance.judge(0.31, 0.02, limit);
    Measurement {
        id: "trivial/l123/10-itr/1/import/percentage-error".into(),
        step,
        position: 1,
        attempt: 1,
        subject: None,
        quantity: "percentage-error".into(),
        at: load.clone(),
        value: Value::Number(0.31),
        unit: "%".into(),
        raw: serde_json::Map::new(),
        readings: Vec::new(),
        uncertainty: None,
        limit: Some(limit.clone()),
        verdict: Some(judgement.verdict),
        decides: judgement.decides,
        note: None,
        bench_ns,
    }
}

fn main() {
    const STEPS: u32 = 100_000;
    const WARM: u32 = 1000;
    let directory = std::env::temp_dir().join(format!("meterbench-step-cost-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a temporary directory");
    let load = LoadPoint {
        voltage: "1 Un".into(),
        current: "10 Itr".into(),
        volt: 230.0,
        ampere: 5.0,
        power_factor: PowerFactor::UNITY,
        frequency_hz: 50.0,
        phases: Phases::L123,
        direction: Direction::Import,
        energy: EnergyKind::Active,
        temperature_c: 23.0,
        frequency: None,
        temperature: None,
        reversed_sequence: false,
        interrupted: None,
        wave: None,
        switched: None,
    };
    let limit = Limit {
        low: Some(-1.0),
        high: Some(1.0),
        source: "plan".into(),
        row: "limit of the step".into(),
        certainty: Certainty::Verified,
        binding: None,
    };
    let runtime = meterbench::execute::emulated_runtime().expect("a runtime");
    runtime.block_on(async {
        let (lines, writer) =
            journal::start(journal::create(&journal::events_file(&directory)).expect("a file"), Vec::new())
                .expect("a journal");
        let mut recorder = Recorder::new(lines, tokio::time::Instant::now());
        let (mut before, mut started) = (0, Instant::now());
        for n in 0..STEPS {
            if n == WARM {
                (before, started) = (resident_kib(), Instant::now());
            }
            let measurement = Box::new(measurement(n, &load, &limit, recorder.bench_ns()));
            recorder.emit(Event::Measured { measurement }).expect("the journal is there");
        }
        drop(recorder);
        writer.join().expect("the writer").expect("the file");
        let each = started.elapsed().as_secs_f64() * 1e6 / f64::from(STEPS - WARM);
        let grown = resident_kib().saturating_sub(before);
        println!(
            "a measurement with a limit, journalled: {each:.2} us; memory grew by {grown} KiB over {STEPS} of them"
        );
    });
    fs::remove_dir_all(&directory).expect("the directory is ours");
    let source = Source::new("plan.yaml", include_str!("../../../test-plans/mid/class-b-direct-connected.yaml"));
    let started = Instant::now();
    for _ in 0..200 {
        PlanFile::read(&source).expect("a sound plan");
    }
    println!("reading the shipped plan: {:.3} ms", started.elapsed().as_secs_f64() * 1e3 / 200.0);
}
