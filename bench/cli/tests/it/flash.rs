//! `flash` and the plan step, over emulated probes on emulated chips, with the source of an emulated bench on TCP.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use meterbench::arguments::{self, Arguments};
use meterbench::assemble::{self, Changes, calibrations};
use meterbench::flash::{Failure, flash_over};
use meterbench_emulator::Laboratory;
use meterbench_instruments::{Setting, SourceLimits, Wave, open_source};
use meterbench_link::{Endpoint, Session, SessionOptions};
use meterbench_plan::{PlanFile, Source};
use meterbench_probe::emulated::firmware::{ARM, elf, image};
use meterbench_probe::emulated::{Board, FLASH, STM32F405, probes, probes_seen};
use meterbench_probe::{ProbeEntry, ProbeProgrammer, Probes};
use meterbench_record::{Event, JournalLine};
use meterbench_run::{Bench, Recorder, supervise};
use tempfile::TempDir;

const LOG: &str = "boot: meter 0.1\nboot: 3 phases\n";

/// A directory with a firmware in it.
fn firmware() -> (TempDir, Vec<u8>) {
    let (directory, image) = (TempDir::new().expect("a directory"), image(LOG, 20_000));
    std::fs::write(directory.path().join("meter.elf"), elf(ARM, FLASH, &image)).expect("written");
    (directory, image)
}

/// `meterbench flash` with these words, in this directory.
fn flash(directory: &Path, words: &[&str], probes: &Probes) -> Result<Vec<String>, (u8, String)> {
    let image = directory.join("meter.elf").display().to_string();
    let given = ["meterbench", "flash", &image].into_iter().chain(words.iter().copied());
    let Ok(Arguments { command: arguments::Command::Flash(arguments) }) = Arguments::try_parse_from(given) else {
        panic!("{words:?}")
    };
    let mut told = Vec::new();
    let strip = |text: String| text.replace(&format!("{}/", directory.display()), "");
    match flash_over(&arguments, probes, &mut |text| told.push(strip(text))) {
        Ok(()) => Ok(told),
        Err(Failure::Broken(text)) => Err((3, strip(text))),
        Err(Failure::Refused(meterbench::catalogue::Refusal::Words(text))) => Err((2, strip(text))),
        Err(other) => panic!("{other:?}"),
    }
}

const CHIP: [&str; 2] = ["--chip", "STM32F405RG"];

#[test]
fn a_meter_is_flashed_and_its_log_is_shown() {
    let (directory, image) = firmware();
    let board = Board::new(STM32F405);
    let words = [&CHIP[..], &["--voltage-off", "--log", "1"]].concat();
    let told = flash(directory.path(), &words, &probes(&[("A7", &board)])).expect("flashed").join("\n");
    let sha256 = told.split("SHA-256 ").nth(1).and_then(|rest| rest.get(..64)).expect("a digest");
    assert_eq!(
        told,
        format!(
            "STM32F405RG (identity 0x10076413, 1024 KiB)
Emulated CMSIS-DAP (0d28:0204:A7)
voltage off (said by the operator)
  erasing
  writing
  reading back
  starting the firmware
FLASHED   20000 bytes of meter.elf, read back   SHA-256 {sha256}
log       boot: meter 0.1
log       boot: 3 phases"
        )
    );
    assert_eq!(board.flash()[..image.len()], image);
}

#[test]
fn without_a_word_on_the_voltage_nothing_is_touched() {
    let (directory, _) = firmware();
    let board = Board::new(STM32F405);
    assert_eq!(
        flash(directory.path(), &CHIP, &probes(&[("A7", &board)])),
        Err((
            2,
            "nothing says that the probe may touch the meter: give `--isolated` if the probe is galvanically isolated, \
             `--voltage-off` if you have made sure that the meter is without voltage, or `--bench FILE`, whose source is \
             asked"
                .to_owned()
        ))
    );
    assert_eq!(board.transfers(), 0);
}

/// A real bench whose source is at this address.
fn real_bench(directory: &Path, source: &str, probe: &str) {
    let bench = include_str!("../../../../fixtures/benches/emulated-3ph.yaml");
    let bench = bench.replace("kind: emulated", "kind: real").replacen(
        "address: emulated",
        &format!("address: \"tcp://{source}\""),
        1,
    );
    let bench = bench.replace("address: emulated", "address: \"tcp://127.0.0.1:9\"");
    let positions = format!(
        "positions:\n  - {{ id: 1, meter: omnia-3ph, serial: \"1001\", impulses: reference/EC1, probe: {probe} }}\n"
    );
    let kept: Vec<&str> = bench.lines().take_while(|line| !line.starts_with("positions:")).collect();
    std::fs::write(directory.join("bench.yaml"), kept.join("\n") + "\n" + &positions).expect("written");
}

/// The source of an emulated bench on TCP, in real time; switched on or not.
fn source_on_tcp(on: bool) -> String {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let equipped = assemble::equip("emulated-3ph", &Changes::default()).expect("sound");
            let laboratory = Laboratory::start(&equipped.config).expect("a laboratory");
            let (told, address) = tokio::sync::oneshot::channel();
            let mut told = Some(told);
            let started = move |address: std::net::SocketAddr| {
                let _ = told.take().map(|told| told.send(address.to_string()));
            };
            tokio::spawn(laboratory.clone().serve_tcp("source".into(), "127.0.0.1:0".into(), started));
            let address = address.await.expect("an address");
            if on {
                let options = SessionOptions {
                    instrument: "the source".into(),
                    terminator: b'\r',
                    timeout: Duration::from_secs(5),
                    tracer: None,
                };
                let session = Session::new(Endpoint::Tcp(address.clone()), options);
                let limits = SourceLimits { volt: 280.0, ampere: 120.0 };
                let mut source = open_source("zera-mt786", session, limits).expect("a driver");
                let wave = |lag_deg| Some(Wave { rms: 230.0, lag_deg });
                let setting =
                    Setting { hertz: 50.0, voltage: [wave(0.0), wave(120.0), wave(240.0)], current: [None; 3] };
                source.apply(&setting).await.expect("applied");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            sender.send(address).expect("somebody waits");
            laboratory.heart(Duration::from_millis(200)).await;
        });
    });
    receiver.recv().expect("a source")
}

const BENCH: [&str; 2] = ["--bench", "bench.yaml"];
const BARE: &str = "{ chip: STM32F405RG }";

/// `--bench` with the whole path.
fn with_bench(directory: &Path, probes: &Probes) -> Result<Vec<String>, (u8, String)> {
    let bench = directory.join(BENCH[1]).display().to_string();
    flash(directory, &[BENCH[0], &bench], probes)
}

#[test]
fn a_source_that_is_on_keeps_a_bare_probe_away_and_one_that_is_off_lets_it() {
    let (directory, image) = firmware();
    let board = Board::new(STM32F405);
    real_bench(directory.path(), &source_on_tcp(true), BARE);
    let (code, text) = with_bench(directory.path(), &probes(&[("A7", &board)])).expect_err("refused");
    assert_eq!(code, 2);
    assert_eq!(
        text.replace(|c: char| c.is_ascii_digit(), "9"),
        "the voltage is on (U9 999.9 V, U9 999.9 V, U9 999.9 V) and the probe of position 9 is not declared as isolated; \
         switch the source off, or declare `isolated: true` if the probe is galvanically isolated. Nothing was touched"
    );
    assert_eq!(board.transfers(), 0);

    let isolated = Board::new(STM32F405);
    real_bench(directory.path(), "127.0.0.1:9", "{ chip: STM32F405RG, isolated: true }");
    let told = with_bench(directory.path(), &probes(&[("A7", &isolated)])).expect("flashed");
    assert!(told[0].ends_with("the probe is declared as isolated"), "{told:?}");

    real_bench(directory.path(), &source_on_tcp(false), BARE);
    let told = with_bench(directory.path(), &probes(&[("A7", &board)])).expect("flashed");
    assert!(told[0].ends_with("voltage off (read back)"), "{told:?}");
    assert_eq!(board.flash()[..image.len()], image);
}

#[test]
fn a_source_that_cannot_be_asked_keeps_a_bare_probe_away() {
    let (directory, _) = firmware();
    let board = Board::new(STM32F405);
    // Nobody listens here: the port has just been given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").to_string();
    real_bench(directory.path(), &free, BARE);
    let (code, text) = with_bench(directory.path(), &probes(&[("A7", &board)])).expect_err("refused");
    assert_eq!(code, 3);
    assert_eq!(
        text.replace(&free, "HOST:PORT"),
        "the source (zera-mt786 at tcp://HOST:PORT) cannot be reached: Connection refused (os error 111); so the voltage is \
         not known to be off"
    );
    assert_eq!(board.transfers(), 0);
}

#[test]
fn benches_that_do_not_say_which_meter() {
    let (directory, _) = firmware();
    let none = probes(&[]);
    let said = |words: &[&str]| flash(directory.path(), words, &none).expect_err("refused");
    assert_eq!(
        said(&["--bench", "emulated-3ph"]),
        (
            2,
            "emulated-3ph is an emulated bench: its meters run in this program or in QEMU and have no chip; name a real \
             bench, or a chip with `--chip`"
                .to_owned()
        )
    );
    real_bench(directory.path(), "127.0.0.1:9", BARE);
    let bench = directory.path().join("bench.yaml").display().to_string();
    assert_eq!(
        said(&["--bench", &bench, "--position", "2"]),
        (
            2,
            "position 2 of bench.yaml has no probe; add `probe: { chip: STM32F405RG, isolated: true }` to the position"
                .to_owned()
        )
    );
}

#[test]
fn the_program_says_that_no_probe_is_there() {
    let (directory, _) = firmware();
    let words = ["flash", "meter.elf", "--chip", "STM32F405RG", "--voltage-off", "--probe", "ffff:ffff:none"];
    let program = Command::new(env!("CARGO_BIN_EXE_meterbench")).args(words).current_dir(directory.path()).output();
    let output = program.expect("the program starts");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: no debug probe is connected that is `ffff:ffff:none`; connect one by USB, and on Linux give your user \
         access to it by a udev rule\n"
    );
}

/// Runs a plan on the instruments of an emulated bench in real time, with a probe at its position.
fn run(plan: &str, isolated: bool, board: &Board) -> (Vec<JournalLine>, Option<String>, Vec<Option<String>>) {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let (lines, receiver) = sync_channel(1024);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let failure = runtime.block_on(async {
        let equipped = assemble::equip("emulated-3ph", &Changes::default()).expect("sound");
        let laboratory = Laboratory::start(&equipped.config).expect("a laboratory");
        let heart = laboratory.clone();
        tokio::spawn(async move { heart.heart(Duration::from_millis(200)).await });
        let mut connected = assemble::connect(&equipped, &laboratory, None).expect("connected");
        // A chamber would prove its temperature for a minute, and a minute is a minute here.
        connected.instruments.chamber = None;
        let (source, looked) = (laboratory.clone(), seen.clone());
        let probes = probes_seen(&[("A7", board)], move || {
            let log = source.log("source").expect("the log");
            looked.lock().expect("alone").push(log.last_output().map(str::to_owned));
        });
        let entry = ProbeEntry { chip: "STM32F405RG".into(), selector: None, isolated };
        let programmer = ProbeProgrammer::new("the probe (position 1)", entry, probes);
        connected.places[0].programmer = Some(Box::new(programmer));
        let recorder = Recorder::new(lines, laboratory.epoch());
        let plan = PlanFile::read(&Source::new("plan.yaml", plan)).expect("sound");
        let plan = plan.resolve(&equipped.positions[0].meter, 23.0).expect("resolved");
        let calibrations = calibrations(&equipped.file);
        let bench =
            Bench::new(connected.instruments, calibrations, connected.places, recorder, plan.decision_rule, Vec::new());
        supervise(bench, plan, 1, std::future::pending()).await.failure.map(|(text, _)| text)
    });
    let seen = std::mem::take(&mut *seen.lock().expect("alone"));
    (receiver.try_iter().collect(), failure, seen)
}

/// Firmware into a meter under load: what the source put out when the probe was opened, and why it was allowed.
fn flashed_under_load(isolated: bool) -> (Vec<Option<String>>, String) {
    let (directory, image) = firmware();
    let file = directory.path().join("meter.elf").display().to_string();
    let plan = format!(
        "{{ plan: P, steps: [{{ apply: {{ current: 5 A }} }}, {{ flash: {{ image: \"{file}\", log: 1 s }} }}] }}"
    );
    let board = Board::new(STM32F405);
    let (lines, failure, seen) = run(&plan, isolated, &board);
    assert_eq!(failure, None);
    assert_eq!(board.flash()[..image.len()], image);
    let (mut firmware, mut log) = (Vec::new(), Vec::new());
    for line in lines {
        match line.event {
            Event::Flashed(flashed) => firmware.push(flashed),
            Event::Logged(line) => log.push(line.text),
            _ => {}
        }
    }
    assert_eq!(log, ["boot: meter 0.1", "boot: 3 phases"]);
    assert_eq!((firmware.len(), firmware[0].bytes), (1, 20_000));
    (seen, firmware.remove(0).clearance)
}

#[test]
fn the_step_switches_off_before_a_bare_probe_is_opened() {
    let (seen, clearance) = flashed_under_load(false);
    assert_eq!((seen, clearance.as_str()), (vec![Some("off".to_owned())], "voltage off (read back)"));
}

#[test]
fn the_step_leaves_the_voltage_on_for_an_isolated_probe() {
    let (seen, clearance) = flashed_under_load(true);
    assert_eq!((seen, clearance.as_str()), (vec![Some("on".to_owned())], "the probe is declared as isolated"));
}

#[test]
fn a_chip_that_cannot_be_flashed_loses_its_position() {
    let (directory, _) = firmware();
    let file = directory.path().join("meter.elf").display().to_string();
    let board = Board::new(STM32F405).protect();
    let (lines, failure, _) =
        run(&format!("{{ plan: P, steps: [{{ flash: {{ image: \"{file}\" }} }}] }}"), false, &board);
    assert_eq!(failure, None);
    let lost = lines.iter().find_map(|line| match &line.event {
        Event::PositionLost { text, .. } => Some(text),
        _ => None,
    });
    assert!(
        lost.is_some_and(|text| text
            .starts_with("the probe (position 1): the chip at the probe Emulated CMSIS-DAP (0d28:0204:A7) is locked")),
        "{lost:?}"
    );
}
