//! Speed of the emulated laboratory. Prints the figures; asserts nothing.

use std::time::{Duration, Instant};

use meterbench_emulator::{BodyConfig, Engine, Laboratory, LaboratoryConfig, MeterConfig, SourceModel};
use meterbench_link::{Session, SessionOptions};

fn config(positions: u32, engine: Engine) -> LaboratoryConfig {
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
        source: SourceModel::default(),
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

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        for (positions, engine, name) in [
            (1, Engine::Samples, "by samples"),
            (3, Engine::Samples, "by samples"),
            (10, Engine::Samples, "by samples"),
            (1, Engine::Auto, "by cycles"),
            (48, Engine::Auto, "by cycles"),
        ] {
            let laboratory = Laboratory::start(&config(positions, engine)).expect("valid");
            let mut source = session(&laboratory, "source");
            for command in [
                "SFR50.00",
                "SUPAER230.000000.00S230.000120.00T230.000240.00",
                "SIPAAR020.000000.00S020.000120.00T020.000240.00",
                "SUIEEEPPPAAA",
            ] {
                source.query(command).await.expect("the source answers");
            }
            let bench_seconds = if engine == Engine::Auto { 20_000 } else { 1200 / u64::from(positions) };
            let started = Instant::now();
            for _ in 0..bench_seconds / 10 {
                tokio::time::sleep(Duration::from_secs(10)).await;
                laboratory.observe(|_| ());
            }
            let speed = bench_seconds as f64 / started.elapsed().as_secs_f64();
            println!("{positions:>2} three-phase positions, noise on, {name}: {speed:.0} x real time");
        }
        let laboratory = Laboratory::start(&config(1, Engine::Samples)).expect("valid");
        let mut reference = session(&laboratory, "reference");
        reference.query("*IDN?").await.expect("the reference answers");
        let started = Instant::now();
        for _ in 0..1000 {
            reference.query("*IDN?").await.expect("the reference answers");
        }
        println!("1000 round trips in process: {:.2} ms", started.elapsed().as_secs_f64() * 1e3);
    });
}
