use std::future::Future;
use std::path::Path;

use super::*;
use crate::{BodyConfig, BodyDisturbance, Engine, LaboratoryConfig, MeterConfig, Qemu, SourceModel, Spoil};

fn config(body: BodyConfig) -> LaboratoryConfig {
    let meter = MeterConfig {
        type_number: "684-2-41D-1312AA70-1B14001".into(),
        configuration: None,
        serial: "1001".into(),
        un_volt: 230,
        fn_hertz: 50,
        constant: 1000,
        calculator: 1,
        faults: Vec::new(),
    };
    LaboratoryConfig {
        seed: 7,
        source: SourceModel::default(),
        meters: vec![(1, meter)],
        reference_uncertainty_percent: 0.02,
        ambient_c: 23.0,
        isolation: (0.0, 0.0),
        chamber: false,
        engine: Engine::Auto,
        body,
    }
}

fn on_bench_time<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(test)
}

/// A laboratory whose meter has had power for a second.
async fn powered(body: BodyConfig) -> Laboratory {
    let laboratory = Laboratory::start(&config(body)).unwrap();
    laboratory.put_voltage_on(230.0, 50.0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    laboratory
}

async fn call(laboratory: &Laboratory, kind: PortKind) -> Box<dyn Stream> {
    laboratory.endpoint(&kind.endpoint(1)).unwrap().connect().await.unwrap()
}

/// The identification, or nothing where the connection is closed.
async fn sign_on(stream: &mut Box<dyn Stream>) -> Vec<u8> {
    // A closed one may say so with an error already.
    let _ = stream.write_all(b"/?!\r\n").await;
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n") {
        match stream.read_u8().await {
            Ok(octet) => said.push(octet),
            Err(_) => return said,
        }
    }
    said
}

async fn is_closed(stream: &mut Box<dyn Stream>) -> bool {
    let second = tokio::time::timeout(Duration::from_secs(1), stream.read_u8());
    matches!(second.await, Ok(Err(_)))
}

#[test]
fn a_new_caller_takes_the_optical_head_over() {
    on_bench_time(async {
        let laboratory = powered(BodyConfig::Native).await;
        let mut first = call(&laboratory, PortKind::Optical).await;
        assert_eq!(sign_on(&mut first).await, b"/KAm5\\2MB\r\n");
        let mut second = call(&laboratory, PortKind::Optical).await;
        assert!(is_closed(&mut first).await);
        // The head begins anew: an option that belongs to the sign-on of the first says nothing to it.
        second.write_all(b"\x06252\r\n").await.unwrap();
        assert!(!is_closed(&mut second).await);
        assert_eq!(sign_on(&mut second).await, b"/KAm5\\2MB\r\n");
    });
}

#[test]
fn a_meter_has_two_connections_over_the_network() {
    on_bench_time(async {
        let laboratory = powered(BodyConfig::Native).await;
        let mut calls = Vec::new();
        for _ in 0..3 {
            let mut stream = call(&laboratory, PortKind::Network).await;
            let closed = is_closed(&mut stream).await;
            calls.push((stream, closed));
        }
        assert_eq!(calls.iter().map(|(_, closed)| *closed).collect::<Vec<_>>(), [false, false, true]);
        // One that hangs up makes room.
        calls.remove(0);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!is_closed(&mut call(&laboratory, PortKind::Network).await).await);
    });
}

#[test]
fn without_power_a_port_says_nothing_and_the_head_begins_anew_after_it() {
    on_bench_time(async {
        let laboratory = Laboratory::start(&config(BodyConfig::Native)).unwrap();
        let mut head = call(&laboratory, PortKind::Optical).await;
        let mut network = call(&laboratory, PortKind::Network).await;
        head.write_all(b"/?!\r\n").await.unwrap();
        assert!(!is_closed(&mut head).await && !is_closed(&mut network).await);
        laboratory.put_voltage_on(230.0, 50.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(sign_on(&mut head).await, b"/KAm5\\2MB\r\n");
        // In the middle of a conversation the power goes for two seconds.
        head.write_all(b"/?!\r\n").await.unwrap();
        let _ = laboratory.handle("source", 0, "SUIAAAAAAAAA");
        tokio::time::sleep(Duration::from_secs(2)).await;
        laboratory.put_voltage_on(230.0, 50.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(is_closed(&mut network).await, "the meter knows nothing of that connection any more");
        let mut left = [0; 64];
        let _ = tokio::time::timeout(Duration::from_millis(1), head.read(&mut left)).await;
        assert_eq!(sign_on(&mut head).await, b"/KAm5\\2MB\r\n");
    });
}

fn qemu(disturb: Option<BodyDisturbance>) -> BodyConfig {
    let ours = Qemu::default();
    let image = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(&ours.image);
    BodyConfig::Qemu(Qemu { image, disturb, ..ours })
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn a_meter_in_qemu_is_spoken_to_and_closes_its_ports_when_it_dies() {
    let said = |body: BodyConfig| {
        on_bench_time(async move {
            let laboratory = powered(body).await;
            assert_eq!(laboratory.meters_with_ports(), [1]);
            let mut network = call(&laboratory, PortKind::Network).await;
            let mut head = call(&laboratory, PortKind::Optical).await;
            let said = sign_on(&mut head).await;
            let closed = [is_closed(&mut head).await, is_closed(&mut network).await];
            assert_eq!(laboratory.failure().is_some(), closed[0]);
            (said, laboratory.bench_ns(), closed)
        })
    };
    let native = said(BodyConfig::Native);
    assert_eq!((&native.0[..], native.2), (&b"/KAm5\\2MB\r\n"[..], [false; 2]));
    assert_eq!(said(qemu(None)), native);
    let (said, _, closed) = said(qemu(Some(BodyDisturbance { block: 4, spoil: Spoil::Killed })));
    assert_eq!((&said[..], closed), (&b""[..], [true; 2]));
}
