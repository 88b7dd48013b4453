//! Plans over the ports of the meters: sound meters pass them, each planted defect fails the plan that looks for it, and a
//! cut cable is no verdict.

use meterbench_record::{Measurement, Outcome, Value, Verdict};
use rstest::rstest;

use crate::{changes, run};

/// A plan of the repository.
fn plan(name: &str) -> String {
    let file = format!("{}/../../test-plans/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn failing(measurements: &[Measurement]) -> Vec<String> {
    let failed = measurements.iter().filter(|m| m.verdict != Some(Verdict::Pass));
    failed.map(|m| format!("{}: {:?} {:?}", m.id, m.value, m.note)).collect()
}

#[rstest]
fn a_sound_meter_passes(
    #[values(
        "protocol/readout",
        "protocol/registers",
        "protocol/load-profile",
        "protocol/clock",
        "security/attacks",
        "security/access-rights"
    )]
    name: &str,
    #[values("omnia-3ph", "omnia-1ph", "omnipower-1ph-import-only", "omnipower-1ph-60hz")] meter: &str,
) {
    let changes = meterbench::assemble::Changes { meter: Some(meter.to_owned()), ..changes(&[]) };
    let ran = run(&plan(name), "emulated-3ph", &changes);
    assert_eq!(ran.outcome, Outcome::Pass, "{meter}: {:?}", failing(&ran.record.measurements));
}

#[test]
fn a_sound_clock_passes() {
    let ran = run(&plan("protocol/clock"), "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass, "{:?}", failing(&ran.record.measurements));
}

#[rstest]
#[case("rights-hole", "security/access-rights", "reader-0-0-1.0.0-255/access-rights")]
#[case("rights-hole", "security/attacks", "a-reader-sets-the-zone")]
#[case("legal-write", "security/access-rights", "management-1-0-1.8.0-255/access-rights")]
#[case("legal-write", "security/attacks", "management-sets-the-energy-register")]
#[case("wrong-scaler", "protocol/registers", "register-error")]
#[case("window-ignored", "protocol/readout", "frames-in-a-row")]
#[case("blocks-truncated", "protocol/readout", "hdlc-link/conversation/protocol")]
#[case("dst-ignored", "protocol/clock", "forward-in-march/clock/daylight-saving")]
fn a_defect_fails_the_plan_that_looks_for_it(#[case] fault: &str, #[case] name: &str, #[case] at: &str) {
    let ran = run(&plan(name), "emulated-3ph", &changes(&[fault]));
    assert_eq!(ran.outcome, Outcome::Fail, "{fault}");
    let failed: Vec<&Measurement> =
        ran.record.measurements.iter().filter(|m| m.verdict == Some(Verdict::Fail)).collect();
    assert!(failed.iter().any(|m| m.id.contains(at)), "{fault}: {:?}", failing(&ran.record.measurements));
}

#[test]
fn every_cell_of_the_matrix_is_tried_once() {
    let ran = run(&plan("security/access-rights"), "emulated-3ph", &changes(&[]));
    let tried: u64 = ran.record.measurements.iter().filter_map(|m| m.raw["tried"].as_u64()).sum();
    let roles = ["public", "management", "reader", "installer"];
    let objects = |role: &str| ran.record.measurements.iter().filter(|m| m.raw["role"] == role).count();
    assert!(roles.map(objects).iter().all(|count| *count == objects("public")), "each role, each object");
    assert!(objects("public") >= 67 && tried >= 2000, "{tried} requests");
    // One letter for reading and one for writing of each attribute, one for each method: as many as were tried.
    let letters = |m: &Measurement| {
        m.raw["cells"].as_str().unwrap().chars().filter(|c| matches!(c, 'r' | 'w' | 'x' | '-')).count() as u64
    };
    assert_eq!(ran.record.measurements.iter().map(letters).sum::<u64>(), tried);
}

#[rstest]
fn a_port_that_breaks_loses_the_position_and_fails_no_meter(
    #[values("optical", "network")] port: &str,
    #[values("dead", "cut", "garbage", "half-line")] kind: &str,
    #[values(0, 7, 60)] after: u32,
) {
    let bench = include_str!("../../../../fixtures/benches/emulated-3ph.yaml");
    let disturbed = format!("{}\n", bench.trim_end())
        .replace("emulation: {", &format!("emulation: {{ disturb: {{ {port}: {{ kind: {kind}, after: {after} }} }},"));
    assert_ne!(disturbed.trim_end(), bench.trim_end(), "the bench of the fixture has an `emulation` in one line");
    let file = std::env::temp_dir().join(format!("meterbench-port-{}-{port}-{kind}-{after}.yaml", std::process::id()));
    std::fs::write(&file, disturbed).unwrap();
    let ran = run(&plan("security/attacks"), file.to_str().unwrap(), &changes(&[]));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ran.outcome, Outcome::Error, "{port} {kind} after {after}: {:?}", failing(&ran.record.measurements));
    assert!(ran.record.positions_lost.contains_key(&1), "{port} {kind} after {after}");
    let failed = ran.record.measurements.iter().filter(|m| m.verdict == Some(Verdict::Fail)).count();
    assert_eq!(failed, 0, "{port} {kind} after {after}: {:?}", failing(&ran.record.measurements));
}

#[test]
fn a_public_client_that_must_not_write_is_refused_and_logged() {
    let plan = "
plan: Public
steps:
  - write: { as: public, object: clock, attribute: 3, value: long 0, expect: [{ access: refused }] }
  - act: { as: public, port: network, object: clock, method: 6, parameter: long 60, expect: [{ access: refused }] }
";
    let ran = run(plan, "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass, "{:?}", failing(&ran.record.measurements));
}

#[test]
fn rows_of_less_than_two_periods_decide_nothing() {
    let plan = "{ plan: Rows, steps: [load-profile: { for: 10 min }] }";
    let ran = run(plan, "emulated-3ph", &changes(&[]));
    let rows = ran.record.measurements.iter().find(|m| m.quantity == "rows").unwrap();
    assert_eq!(rows.verdict, Some(Verdict::Inconclusive));
    assert_eq!(ran.outcome, Outcome::Undecided, "{:?}", failing(&ran.record.measurements));
}

/// A row that the meter itself doubts is no fault of the meter: the plan has set its clock, or cut its supply.
#[rstest]
#[case("load-profile: { for: 1 h }", "status 0x02")]
#[case(
    "clock: { set: \"2026-06-15 09:58:00 UTC\", for: 5 min, limit: 1 s }, replay: { off: 10 s }, load-profile: { for: 1 h }",
    "status 0x88"
)]
fn rows_that_the_meter_doubts_decide_nothing(#[case] steps: &str, #[case] status: &str) {
    let steps = steps.replace("}, ", "} - ");
    let steps: String = steps.split(" - ").map(|step| format!("  - {step}\n")).collect();
    let ran = run(&format!("plan: Rows\nsteps:\n{steps}"), "emulated-3ph", &changes(&[]));
    let doubted = ran.record.measurements.iter().find(|m| m.quantity == "status").unwrap();
    assert_eq!(doubted.value, Value::State(status.into()));
    assert_eq!(ran.outcome, Outcome::Undecided, "{:?}", failing(&ran.record.measurements));
}

/// Counters, links and clocks of a meter whose supply went by a load of the plan are those of one that started anew.
#[test]
fn a_meter_that_was_without_supply_is_spoken_to_again() {
    let read = |name: &str, port: &str| {
        format!("  - read: {{ name: {name}, port: {port}, expect: [{{ register: voltage-l1, value: Un ± 1 % }}] }}\n")
    };
    let cut = |name: &str, to: &str| {
        format!(
            "  - apply: {{ name: {name}, voltage: {to}, current: 0 A }}\n  - wait: {{ name: {name} wait, for: 10 s }}\n  - apply: \
             {{ name: {name} over, voltage: Un, current: 5 A }}\n"
        )
    };
    let plan = [
        "plan: Cuts\nsteps:\n".to_owned(),
        read("One", "optical"),
        read("Two", "network"),
        cut("Nothing", "0 Un"),
        read("Three", "optical"),
        read("Four", "network"),
        cut("Little", "0.35 Un"),
        "  - wrong-key: { as: reader }\n".to_owned(),
        read("Five", "optical"),
    ];
    let ran = run(&plan.concat(), "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass, "{:?}", failing(&ran.record.measurements));
}

#[test]
fn objects_by_their_codes_have_the_class_of_the_standard() {
    let plan = "
plan: Codes
steps:
  - write: { as: management, object: \"0-0:25.0.0\", attribute: 6, value: long-unsigned 60, expect: [{ access: granted }] }
  - write: { name: Reader, as: reader, object: \"0-0:25.0.0\", attribute: 6, value: long-unsigned 60, expect: [{ access: refused }] }
  - act: { as: reader, object: \"0-0:10.0.1\", method: 1, parameter: long-unsigned 1, expect: [{ access: refused }] }
";
    let ran = run(plan, "emulated-3ph", &changes(&[]));
    assert_eq!(ran.outcome, Outcome::Pass, "{:?}", failing(&ran.record.measurements));
}

/// The bench's own end of a real line: sign-on at 300 Bd, the change to 9600 Bd, the echo of the head taken away.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_bench_reads_a_meter_over_a_serial_line_that_takes_its_time() {
    use std::time::{Duration, Instant};

    use meterbench_emulator::{Head, Laboratory, roles};
    use meterbench_iec62056::acse::Mechanism;
    use meterbench_iec62056::obis::Obis;
    use meterbench_iec62056::security::Key;
    use meterbench_instruments::{Access, Counters, MeterPort, PortAddress, PortKind};

    let equipped = meterbench::assemble::equip("emulated-3ph", &changes(&[])).expect("a bench");
    let laboratory = Laboratory::start(&equipped.config).expect("a laboratory");
    laboratory.put_voltage_on(230.0, 50.0);
    let (tell, told) = tokio::sync::oneshot::channel();
    let head = Head { baud_timing: true, echo: true };
    let serving = tokio::spawn(laboratory.clone().serve_pty(1, head, move |path| tell.send(path.to_owned()).unwrap()));
    let endpoint = format!("serial://{}?baud=300&format=7E1&echo=on", told.await.unwrap()).parse().unwrap();
    let address = PortAddress { name: "the head".into(), endpoint, kind: PortKind::Optical, tracer: None };
    let mut port = MeterPort::new(address, [7; 16], &Counters::default());
    let reader = roles("1001").into_iter().find(|access| access.role == "reader").unwrap();
    let reader = Access {
        role: reader.role.to_owned(),
        client: reader.client,
        mechanism: Mechanism::HIGH_GMAC,
        keys: reader.keys.map(|(encryption, authentication)| (Key(encryption), Key(authentication))),
        counter: Some(Obis([0, 0, 43, 1, reader.number, 255])),
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    port.associate(&reader).await.expect("an association");
    let voltage = port.register(3, Obis([1, 0, 32, 7, 0, 255])).await.expect("a voltage").value();
    // Two sign-ons of 28 characters at 300 Bd, ten bits each.
    assert!(began.elapsed() >= Duration::from_millis(1800), "{:?}", began.elapsed());
    assert!((voltage - 230.0).abs() < 1.0, "{voltage} V");
    port.close().await;
    serving.abort();
}
