//! Speed of the emulated laboratory. Prints the figures; asserts nothing. `cargo bench -p meterbench-emulator --bench world -- waves`
//! runs a part: `sines`, `waves`, `round-trips`.

use std::time::{Duration, Instant};

use meterbench_emulator::{BodyConfig, Engine, Laboratory, LaboratoryConfig, MeterConfig, SourceModel};
use meterbench_link::{Session, SessionOptions};

fn config(positions: u32, engine: Engine, source: SourceModel) -> LaboratoryConfig {
    let meter = |n: u32| MeterConfig {
        type_number: "684-2-41D-1312AA70-1B14001".into(),
        configuration: None,
        serial: format!("{}", 1000 + n),
        un_volt: 230,
        fn_hertz: 50,
        constant: 1000,
        calculator: n as usize,
        faults: Vec::new(),
    };
    LaboratoryConfig {
        seed: 7,
        source,
        meters: (1..=positions).map(|n| (n, meter(n))).collect(),
        reference_uncertainty_percent: 0.02,
        ambient_c: 23.0,
        isolation: (0.0, 0.0),
        chamber: false,
        engine,
        body: BodyConfig::Native,
    }
}

fn session(laboratory: &Laboratory, instrument: &str) -> Session {
    let options = SessionOptions {
        instrument: instrument.into(),
        terminator: laboratory.terminator(instrument).expect("it exists"),
        timeout: Duration::from_secs(30),
        tracer: None,
    };
    Session::new(laboratory.endpoint(instrument).expect("it exists"), options)
}

/// 230 V and 20 A of 50 Hz by the commands of an MT786.
async fn sines(source: &mut Session) {
    for command in [
        "SFR50.00",
        "SUPAER230.000000.00S230.000120.00T230.000240.00",
        "SIPAAR020.000000.00S020.000120.00T020.000240.00",
        "SUIEEEPPPAAA",
    ] {
        source.query(command).await.expect("the source answers");
    }
}

/// 230 V and 20 A of 49.3 Hz with every order up to 50 on six channels, by the commands of a 6105A.
async fn waves(source: &mut Session) {
    let mut commands = vec!["SOUR:FREQ 49.3".to_owned()];
    for (phase, angle) in [(1, 0), (2, -120), (3, 120)] {
        for (channel, range, rms, angle) in [("VOLT", "0,360", 230.0, angle), ("CURR", "8,80", 20.0, 0)] {
            let channel = format!("SOUR:PHAS{phase}:{channel}");
            commands.push(format!("{channel}:RANG {range};MHAR:HARM1 {rms},{angle};STAT ON"));
            let orders = (2..=50).map(|n| format!("HARM{n} {},{}", rms * 0.01, n * n * 7 % 360 - 180));
            commands.extend(orders.map(|order| format!("{channel}:MHAR:{order}")));
            commands.push(format!("{channel}:STAT ON"));
        }
    }
    commands.push("OUTP:STAT ON".to_owned());
    for command in commands {
        source.send(&command).await.expect("the source takes it");
    }
    let said = source.query("*OPC?;:SYST:ERR?").await.expect("the source answers");
    assert_eq!(said, "1;0,\"No error\"");
}

/// Time that this thread has had a core to itself (s), so that what else runs on the machine counts less; time that passed where the
/// system does not tell.
fn core_seconds(started: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| started.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// Bench seconds per second of this machine; of one core where one is enough.
async fn speed(laboratory: &Laboratory, bench_seconds: u64, one_core: bool) -> f64 {
    let started = Instant::now();
    let seconds = || if one_core { core_seconds(started) } else { started.elapsed().as_secs_f64() };
    let begun = seconds();
    for _ in 0..bench_seconds / 10 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        laboratory.observe(|_| ());
    }
    bench_seconds as f64 / (seconds() - begun)
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("runtime");
    let wanted = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    let wants = |word: &str| wanted.as_ref().is_none_or(|wanted| wanted == word);
    runtime.block_on(async {
        if wants("sines") {
            steady().await;
        }
        if wants("waves") {
            distorted().await;
        }
        if wants("round-trips") {
            round_trips().await;
        }
    });
}

async fn steady() {
    for (positions, engine, name) in [
        (1, Engine::Samples, "by samples"),
        (3, Engine::Samples, "by samples"),
        (10, Engine::Samples, "by samples"),
        (1, Engine::Auto, "by cycles"),
        (48, Engine::Auto, "by cycles"),
    ] {
        let laboratory = Laboratory::start(&config(positions, engine, SourceModel::Mt786)).expect("valid");
        sines(&mut session(&laboratory, "source")).await;
        let bench_seconds = if engine == Engine::Auto { 20_000 } else { 1200 / u64::from(positions) };
        let speed = speed(&laboratory, bench_seconds, positions == 1).await;
        println!("{positions:>2} three-phase positions, noise on, {name}: {speed:.0} x real time");
    }
}

/// Power quality in full: every window has harmonics.
async fn distorted() {
    for positions in [1, 3] {
        let laboratory = Laboratory::start(&config(positions, Engine::Auto, SourceModel::Fluke6105a)).expect("valid");
        waves(&mut session(&laboratory, "source")).await;
        let mut best: f64 = 0.0;
        for _ in 0..10 {
            best = best.max(speed(&laboratory, 300, positions == 1).await);
        }
        println!(
            "{positions:>2} three-phase positions, noise on, 49.3 Hz, 49 harmonics on six channels: {best:.0} x real time"
        );
    }
}

async fn round_trips() {
    let laboratory = Laboratory::start(&config(1, Engine::Samples, SourceModel::Mt786)).expect("valid");
    let mut reference = session(&laboratory, "reference");
    reference.query("*IDN?").await.expect("the reference answers");
    let started = Instant::now();
    for _ in 0..1000 {
        reference.query("*IDN?").await.expect("the reference answers");
    }
    println!("1000 round trips in process: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
}
