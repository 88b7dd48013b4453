//! Speed of meters in QEMU, and what the firmware costs on its processor. Prints the figures; needs `qemu-system-arm` and the
//! images, and says so where they are missing.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use meterbench_emulator::{BodyConfig, Engine, Laboratory, LaboratoryConfig, MeterConfig, Qemu, SourceModel};
use meterbench_link::{Session, SessionOptions};

fn config(positions: u32, engine: Engine, body: BodyConfig) -> LaboratoryConfig {
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
        body,
    }
}

/// Bench seconds per second on the wall.
async fn speed(config: &LaboratoryConfig, bench_seconds: u64) -> f64 {
    let laboratory = Laboratory::start(config).expect("valid");
    let options = SessionOptions {
        instrument: "source".into(),
        terminator: laboratory.terminator("source").expect("it exists"),
        timeout: Duration::from_secs(30),
        tracer: None,
    };
    let mut source = Session::new(laboratory.endpoint("source").expect("it exists"), options);
    for command in [
        "SFR50.00",
        "SUPAER230.000000.00S230.000120.00T230.000240.00",
        "SIPAAR020.000000.00S020.000120.00T020.000240.00",
        "SUIEEEPPPAAA",
    ] {
        source.query(command).await.expect("the source answers");
    }
    let started = Instant::now();
    for _ in 0..bench_seconds / 10 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        laboratory.observe(|_| ());
    }
    if let Some(failure) = laboratory.failure() {
        panic!("{failure}");
    }
    bench_seconds as f64 / started.elapsed().as_secs_f64()
}

fn main() -> ExitCode {
    let ours = Qemu::default();
    let image = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(&ours.image);
    let qemu = BodyConfig::Qemu(Qemu { image: image.clone(), ..ours });
    if let Err(missing) = Laboratory::verify(&config(1, Engine::Samples, qemu.clone())) {
        println!("meters in QEMU: {missing}");
        return ExitCode::SUCCESS;
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        for (positions, engine, seconds, name) in [
            (1, Engine::Samples, 300, "by samples"),
            (3, Engine::Samples, 100, "by samples"),
            (1, Engine::Auto, 3000, "by cycles"),
        ] {
            let native = speed(&config(positions, engine, BodyConfig::Native), seconds).await;
            let there = speed(&config(positions, engine, qemu.clone()), seconds).await;
            println!(
                "{positions} three-phase position(s), {name}: {there:.0} x real time in QEMU, {native:.0} x in this program"
            );
        }
    });
    // The emulator counts every instruction, so these figures are the same on every host.
    let cost = Command::new("qemu-system-arm")
        .args(["-machine", "netduinoplus2", "-nodefaults", "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-icount", "shift=0,sleep=off", "-kernel"])
        .arg(image.with_file_name("cost"))
        .status();
    match cost {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => {
            println!("cost on the processor: {other:?}");
            ExitCode::FAILURE
        }
    }
}
