use meterbench_link::{Echo, Endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::{BodyConfig, Engine, LaboratoryConfig, MeterConfig, SourceModel};

const REAL: Head = Head { baud_timing: true, echo: false };

/// The client's side of a pseudo-terminal, opened as any serial line is.
async fn dial(path: &str, baud: u32, echo: Echo) -> Box<dyn Stream> {
    let endpoint = Endpoint::Serial { device: path.into(), line: LineSetting::seven_even(baud), echo };
    endpoint.connect().await.expect("it opens")
}

/// What comes until nothing has come for so long.
async fn until_quiet(stream: &mut (impl Stream + ?Sized), quiet: Duration) -> Vec<u8> {
    let (mut got, mut octet) = (Vec::new(), [0; 1]);
    while let Ok(Ok(1)) = timeout(quiet, stream.read(&mut octet)).await {
        got.push(octet[0]);
    }
    got
}

/// A meter that says after the time of `wait` what it heard, then is set to another line.
fn repeat(mut pty: Pty, quiet: Duration) -> JoinHandle<(Pty, Vec<u8>)> {
    tokio::spawn(async move {
        let heard = until_quiet(&mut pty, quiet).await;
        pty.write_all(&heard).await.unwrap();
        pty.flush().await.unwrap();
        (pty, heard)
    })
}

const QUIET: Duration = Duration::from_millis(150);

#[test]
fn at_equal_rates_an_octet_is_itself_and_at_others_it_is_not() {
    let rates = [300, 600, 1200, 2400, 4800, 9600];
    for octet in 0..=u8::MAX {
        for rate in rates {
            assert_eq!(heard_as(octet, rate, rate), [octet]);
            // A receiver at 2 % beside the rate still samples inside the bits.
            assert_eq!(heard_as(octet, rate, rate * 102 / 100), [octet]);
            for other in rates.into_iter().filter(|&other| other != rate) {
                assert_ne!(heard_as(octet, rate, other), [octet], "{rate} Bd heard at {other} Bd");
            }
        }
        assert_eq!(heard_as(octet, 300, 9600), [], "the start bit is longer than a character");
        assert_eq!((heard_as(octet, 0, 300), heard_as(octet, 300, 0)), (vec![], vec![]), "nothing moves at 0 Bd");
    }
}

#[tokio::test]
async fn octets_take_their_time_both_ways() {
    let (pty, path) = Pty::open(REAL).unwrap();
    let meter = repeat(pty, QUIET);
    let mut client = dial(&path, 300, Echo::Off).await;
    let begin = Instant::now();
    client.write_all(b"/?!\r\n").await.unwrap();
    let mut got = [0; 5];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"/?!\r\n");
    // Five characters there, the meter's own wait, five characters back; each takes 33.3 ms.
    let least = Duration::from_micros(10 * 33_333) + QUIET;
    assert!(begin.elapsed() >= least, "{:?}", begin.elapsed());
    meter.await.unwrap();
}

#[tokio::test]
async fn without_the_timing_nothing_takes_time_and_no_rate_is_wrong() {
    let (pty, path) = Pty::open(Head::default()).unwrap();
    let meter = repeat(pty, QUIET);
    let mut client = dial(&path, 9600, Echo::Off).await;
    let begin = Instant::now();
    client.write_all(&[0x55; 200]).await.unwrap();
    let mut got = [0; 200];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(got, [0x55; 200]);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}: 200 characters take 13 s both ways", begin.elapsed());
    meter.await.unwrap();
}

#[tokio::test]
async fn what_is_sent_at_the_wrong_rate_is_not_heard_as_sent_either_way() {
    let (mut pty, path) = Pty::open(REAL).unwrap();
    let mut client = dial(&path, 9600, Echo::Off).await;
    client.write_all(b"/?!\r\n").await.unwrap();
    assert_ne!(until_quiet(&mut pty, QUIET).await, b"/?!\r\n", "the meter stands at 300 Bd");
    pty.write_all(b"/KAM").await.unwrap();
    pty.flush().await.unwrap();
    assert_ne!(until_quiet(&mut *client, QUIET).await, b"/KAM", "the client stands at 9600 Bd");
    pty.set_line(LineSetting::eight_none(9600)).unwrap();
    client.write_all(b"\x7E\xA0\xFF").await.unwrap();
    let (mut pty, heard) = repeat(pty, QUIET).await.unwrap();
    assert_eq!(heard, b"\x7E\xA0\xFF");
    assert_eq!(until_quiet(&mut *client, QUIET).await, b"\x7E\xA0\xFF");
    client.set_line(LineSetting::seven_even(300)).unwrap();
    client.write_all(b"/?!").await.unwrap();
    assert_eq!(until_quiet(&mut pty, QUIET).await, b"", "the meter stands at 9600 Bd");
}

#[tokio::test]
async fn a_head_returns_what_the_client_sends_and_the_client_takes_it_away() {
    for (echo, got) in [(Echo::Off, &b"/?!\r\n/?!\r\n"[..]), (Echo::Auto, b"/?!\r\n"), (Echo::On, b"/?!\r\n")] {
        let (pty, path) = Pty::open(Head { echo: true, ..REAL }).unwrap();
        let meter = repeat(pty, QUIET);
        let mut client = dial(&path, 300, echo).await;
        client.write_all(b"/?!\r\n").await.unwrap();
        assert_eq!(until_quiet(&mut *client, 4 * QUIET).await, got, "{echo:?}");
        meter.await.unwrap();
    }
}

/// A laboratory of one meter.
fn laboratory() -> Laboratory {
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
    let config = LaboratoryConfig {
        seed: 7,
        source: SourceModel::default(),
        meters: vec![(1, meter)],
        reference_uncertainty_percent: 0.02,
        ambient_c: 23.0,
        isolation: (0.0, 0.0),
        chamber: false,
        engine: Engine::Auto,
        body: BodyConfig::Native,
    };
    Laboratory::start(&config).expect("a valid configuration")
}

#[tokio::test]
async fn a_meter_signs_on_at_300_bd_and_speaks_hdlc_at_9600() {
    let laboratory = laboratory();
    laboratory.put_voltage_on(230.0, 50.0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (tell, told) = oneshot::channel();
    let started = |path: &str| tell.send(path.to_owned()).expect("somebody waits for the path");
    let head = Head { baud_timing: true, echo: true };
    let server = tokio::spawn(laboratory.serve_pty(1, head, started));
    let mut client = dial(&told.await.unwrap(), 300, Echo::Auto).await;
    let begin = Instant::now();
    client.write_all(b"/?!\r\n").await.unwrap();
    let mut identification = [0; 11];
    client.read_exact(&mut identification).await.unwrap();
    assert_eq!(&identification, b"/KAm5\\2MB\r\n");
    // 16 characters and the least reaction time of the small letter.
    let least = Duration::from_micros(16 * 33_333 + 20_000);
    assert!(begin.elapsed() >= least && begin.elapsed() < least + Duration::from_secs(3), "{:?}", begin.elapsed());

    client.write_all(b"\x06252\r\n").await.unwrap();
    client.flush().await.unwrap();
    let mut confirmation = [0; 6];
    client.read_exact(&mut confirmation).await.unwrap();
    assert_eq!(&confirmation, b"\x06252\r\n");
    client.set_line(LineSetting::eight_none(9600)).unwrap();
    // SNRM of client 16 to server 1/17, and the beginning of its UA.
    client.write_all(b"\x7E\xA0\x08\x02\x23\x21\x93\xBD\x64\x7E").await.unwrap();
    let mut answer = [0; 7];
    timeout(Duration::from_secs(2), client.read_exact(&mut answer)).await.expect("an answer").unwrap();
    assert_eq!((&answer[..2], &answer[3..]), (&b"\x7E\xA0"[..], &b"\x21\x02\x23\x73"[..]));
    server.abort();
}
