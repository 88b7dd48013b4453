//! How fast APDUs are read, written and ciphered on this host. Prints the figures; asserts nothing about them.

use std::hint::black_box;
use std::time::Instant;

use meterbench_iec62056::apdu::{Apdu, GetResponse, InvokeIdAndPriority};
use meterbench_iec62056::data::Data;
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::octets::{DecodeError, Writer};
use meterbench_iec62056::security::{Ciphered, Envelope, Key, Protection, SecurityControl, SystemTitle};

const ROWS: usize = 96;

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
    fn sum(data: &Data<'_>) -> u64 {
        match data {
            Data::Array(sequence) | Data::Structure(sequence) => sequence.iter().map(|element| sum(&element)).sum(),
            Data::DoubleLongUnsigned(value) => u64::from(*value),
            Data::Unsigned(value) => u64::from(*value),
            Data::OctetString(octets) => octets.len() as u64,
            _ => 0,
        }
    }
    let Apdu::GetResponse(GetResponse::Normal { result: Ok(data), .. }) = Apdu::decode(octets)? else { return Ok(0) };
    Ok(sum(&data.value()))
}

/// The best of several rounds, per second.
fn per_second(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 100;
    let mut best = f64::INFINITY;
    for _ in 0..400 {
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

    let say = |what: &str, rate: f64, octets: usize, wanted: Option<f64>| {
        let megabytes = rate * octets as f64 / 1e6;
        let wanted = wanted.map(|wanted| format!(" (wanted: {wanted:.0} per second)")).unwrap_or_default();
        println!("{what}: {rate:.0} per second, {megabytes:.0} MB/s{wanted}");
    };
    let rate = per_second(|| decode_typed(black_box(apdu), &mut read).expect("well-formed"));
    say("GET.response of 96 rows, decoded by known columns", rate, length, Some(130_000.0));
    let rate = per_second(|| _ = black_box(decode_values(black_box(apdu)).expect("well-formed")));
    say("GET.response of 96 rows, decoded value by value", rate, length, Some(130_000.0));
    let rate = per_second(|| _ = black_box(Apdu::decode(black_box(apdu)).expect("well-formed")));
    say("GET.response of 96 rows, checked only", rate, length, Some(130_000.0));
    let mut out = vec![0; 4096];
    let rate = per_second(|| _ = black_box(encode(black_box(&rows), &mut out)));
    say("GET.response of 96 rows, encoded", rate, length, Some(312_000.0));

    let protection = Protection::new(0, &Key([7; 16]), &Key([8; 16]));
    let title = SystemTitle(*b"KAM00001");
    let mut ciphered = vec![0; 4096];
    for (octets, wanted) in [(length, Some(95_000.0)), (128, None), (20, None)] {
        let plain = &apdu[..octets];
        let mut sealed = 0;
        let rate = per_second(|| {
            let control = SecurityControl::BOTH;
            sealed = protection
                .protect(&Envelope::Global, control, &title, 1, black_box(plain), &mut ciphered)
                .expect("room");
        });
        say(&format!("{octets} octets, authenticated and encrypted"), rate, octets, wanted);
        let rate = per_second(|| {
            let ciphered = Ciphered::decode(black_box(&ciphered[..sealed])).expect("well-formed");
            black_box(protection.unprotect(&ciphered, &title, &mut out).expect("genuine"));
        });
        say(&format!("{octets} octets, opened"), rate, octets, wanted);
    }
    let rate = per_second(|| _ = black_box(Protection::new(0, black_box(&Key([7; 16])), &Key([8; 16]))));
    println!("keys expanded: {rate:.0} per second");
    println!(
        "memory of expanded keys: {} octets, of a decoded APDU: {} octets",
        size_of::<Protection>(),
        size_of::<Apdu<'_>>()
    );
}
