//! How fast APDUs are read, written and ciphered on this host. Prints the figures; asserts nothing about them. With the
//! argument `octets` it prints what it would measure, in hexadecimal, for `.ci/protocol-speed`.

use std::hint::black_box;
use std::time::Instant;

use meterbench_iec62056::apdu::{Apdu, GetResponse, InvokeIdAndPriority};
use meterbench_iec62056::data::{Data, Sequence};
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::octets::{DecodeError, Writer};
use meterbench_iec62056::security::{Ciphered, Envelope, Gcm, Key, Protection, SecurityControl, SystemTitle};

const ROWS: usize = 96;
const ENCRYPTION_KEY: Key = Key([7; 16]);
const AUTHENTICATION_KEY: Key = Key([8; 16]);
const TITLE: SystemTitle = SystemTitle(*b"KAM00001");
/// So many octets of the response are ciphered at a time.
const CIPHERED: [usize; 3] = [3654, 128, 20];

/// One row of the profile: clock, status, four energies.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Row {
    clock: DateTime,
    status: u8,
    energies: [u32; 4],
}

fn rows() -> Vec<Row> {
    let row = |index: usize| Row {
        clock: DateTime::from_octets([
            0x07,
            0xEA,
            11,
            21,
            0xFF,
            (index / 4) as u8,
            (index % 4 * 15) as u8,
            0,
            0,
            0xFF,
            0xC4,
            0,
        ]),
        status: (index % 5) as u8,
        energies: [1_000_000, 2000, 50_000, 77].map(|base| base + index as u32 * 137),
    };
    (0..ROWS).map(row).collect()
}

fn encode(rows: &[Row], out: &mut [u8]) -> usize {
    let mut writer = Writer::new(out);
    GetResponse::begin_normal(&mut writer, InvokeIdAndPriority(0xC1));
    writer.array(rows.len());
    for row in rows {
        writer.structure(6);
        writer.date_time_octets(row.clock);
        writer.unsigned(row.status);
        row.energies.iter().for_each(|energy| writer.double_long_unsigned(*energy));
    }
    writer.finish().expect("room enough")
}

/// By a client that knows the columns.
fn decode_typed(octets: &[u8], rows: &mut Vec<Row>) -> Result<(), DecodeError> {
    rows.clear();
    let Apdu::GetResponse(GetResponse::Normal { result: Ok(data), .. }) = Apdu::decode(octets)? else { return Ok(()) };
    let mut reader = data.reader();
    for _ in 0..reader.array_of()? {
        reader.structure_of(6)?;
        let (clock, status) = (reader.date_time()?, reader.unsigned()?);
        let mut energies = [0; 4];
        for energy in &mut energies {
            *energy = reader.double_long_unsigned()?;
        }
        rows.push(Row { clock, status, energies });
    }
    Ok(())
}

/// By a client that takes what comes: the sum of every number and octet.
fn decode_values(octets: &[u8]) -> Result<u64, DecodeError> {
    fn sum(elements: Sequence<'_>) -> u64 {
        let each = |element| match element {
            Data::Array(elements) | Data::Structure(elements) => sum(elements),
            Data::DoubleLongUnsigned(value) => u64::from(value),
            Data::Unsigned(value) => u64::from(value),
            Data::OctetString(octets) => octets.len() as u64,
            _ => 0,
        };
        elements.iter().map(each).sum()
    }
    let Apdu::GetResponse(GetResponse::Normal { result: Ok(data), .. }) = Apdu::decode(octets)? else { return Ok(0) };
    Ok(data.value().sequence().map_or(0, sum))
}

/// The octets of the ciphered APDU in `out`.
fn seal(protection: &Protection, plain: &[u8], out: &mut [u8]) -> usize {
    protection.protect(&Envelope::Global, SecurityControl::BOTH, &TITLE, 1, plain, out).expect("room enough")
}

fn print_octets(apdu: &[u8], protection: &Protection) {
    let print = |what: &str, octets: &[u8]| {
        let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        println!("{what}: {digits}");
    };
    print("GET.response", apdu);
    print("encryption key", &ENCRYPTION_KEY.0);
    print("authentication key", &AUTHENTICATION_KEY.0);
    print("system title", &TITLE.0);
    let mut ciphered = vec![0; 4096];
    for octets in CIPHERED {
        let sealed = seal(protection, &apdu[..octets], &mut ciphered);
        print(&format!("{octets} octets, ciphered"), &ciphered[..sealed]);
    }
}

/// The best of several rounds, per second.
fn per_second(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 1000;
    let mut best = f64::INFINITY;
    for _ in 0..100 {
        let started = Instant::now();
        (0..CALLS).for_each(|_| work());
        best = best.min(started.elapsed().as_secs_f64() / f64::from(CALLS));
    }
    1.0 / best
}

fn main() {
    let rows = rows();
    let mut apdu = vec![0; 4096];
    let length = encode(&rows, &mut apdu);
    let apdu = &apdu[..length];
    assert_eq!(length, 3654);

    let mut read = Vec::with_capacity(ROWS);
    decode_typed(apdu, &mut read).expect("well-formed");
    assert_eq!(read, rows);

    let protection = Protection::new(0, &ENCRYPTION_KEY, &AUTHENTICATION_KEY);
    if std::env::args().any(|argument| argument == "octets") {
        return print_octets(apdu, &protection);
    }

    let say = |what: &str, rate: f64, octets: usize| {
        println!("{what}: {rate:.0} per second, {:.0} MB/s", rate * octets as f64 / 1e6);
    };
    let rate = per_second(|| decode_typed(black_box(apdu), &mut read).expect("well-formed"));
    say("GET.response of 96 rows, decoded by known columns", rate, length);
    let rate = per_second(|| _ = black_box(decode_values(black_box(apdu)).expect("well-formed")));
    say("GET.response of 96 rows, decoded value by value", rate, length);
    let rate = per_second(|| _ = black_box(Apdu::decode(black_box(apdu)).expect("well-formed")));
    say("GET.response of 96 rows, checked only", rate, length);
    let mut out = vec![0; 4096];
    let rate = per_second(|| _ = black_box(encode(black_box(&rows), &mut out)));
    say("GET.response of 96 rows, encoded", rate, length);

    let mut ciphered = vec![0; 4096];
    for octets in CIPHERED {
        let mut sealed = 0;
        let rate = per_second(|| sealed = seal(&protection, black_box(&apdu[..octets]), &mut ciphered));
        say(&format!("{octets} octets, authenticated and encrypted"), rate, octets);
        let rate = per_second(|| {
            let ciphered = Ciphered::decode(black_box(&ciphered[..sealed])).expect("well-formed");
            black_box(protection.unprotect(&ciphered, &TITLE, &mut out).expect("genuine"));
        });
        say(&format!("{octets} octets, opened"), rate, octets);
    }
    // What a long APDU is made of; the hash alone is that of one that is only authenticated.
    let (gcm, vector, text) = (Gcm::new(&ENCRYPTION_KEY), [1; 12], &apdu[..CIPHERED[0]]);
    let rate = per_second(|| _ = black_box(gcm.seal(&vector, &[black_box(text)], &[], &mut [])));
    say(&format!("{} octets, hashed alone", text.len()), rate, text.len());
    let rate = per_second(|| gcm.apply_key_stream(&vector, black_box(&mut out[..text.len()])));
    say(&format!("{} octets, key stream alone", text.len()), rate, text.len());
    let rate = per_second(|| _ = black_box(Protection::new(0, black_box(&ENCRYPTION_KEY), &AUTHENTICATION_KEY)));
    println!("keys expanded: {rate:.0} per second");
    println!(
        "memory of expanded keys: {} octets, of a decoded APDU: {} octets",
        size_of::<Protection>(),
        size_of::<Apdu<'_>>()
    );
}
