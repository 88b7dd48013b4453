//! Octets that mean anything never make a machine panic, hang or write what is no frame.

use meterbench_iec62056::hdlc::{Delimiter, Frame, Parameters};
use meterbench_iec62056::readout::{Block, DataSets, Identification, OptionSelect, Request};
use meterbench_iec62056::wrapper::Wpdu;

use super::drive;
use super::random::Random;

/// Drives a machine with so many streams of up to 600 octets. Much must come of it, or nothing is tested.
fn streams(count: u64, drive: fn(&[u8]) -> usize) {
    let mut total = 0;
    for seed in 0..count {
        let mut random = Random(seed);
        let length = 1 + random.below(600);
        let mut octets = random.octets(length);
        if seed % 2 == 0 {
            // Small numbers choose small things more often.
            octets.iter_mut().for_each(|octet| *octet = if random.once_in(2) { *octet & 0x17 } else { *octet });
        }
        total += drive(&octets);
    }
    println!("{total} frames, messages and events came of {count} streams");
    assert!(total as u64 > count);
}

#[test]
fn a_server_survives_any_frames() {
    streams(60_000, drive::hdlc_server);
}

#[test]
fn a_server_survives_any_blocks() {
    streams(20_000, super::drive_server::general_blocks);
}

#[test]
fn a_client_survives_any_frames() {
    streams(60_000, drive::hdlc_client);
}

#[test]
fn a_reassembler_survives_any_stream() {
    streams(60_000, drive::wrapper);
}

#[test]
fn a_meter_survives_any_characters() {
    streams(60_000, drive::readout_meter);
}

#[test]
fn a_tester_survives_any_characters() {
    streams(60_000, drive::readout_tester);
}

#[test]
fn two_million_mutated_messages_are_read_or_refused() {
    let hdlc: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/frames/hdlc.json")).expect("valid JSON");
    let mut seeds: Vec<Vec<u8>> = (hdlc["vectors"].as_array().expect("a list").iter())
        .map(|vector| super::vectors::octets(&vector["data"]["frame"]))
        .collect();
    seeds.extend([
        b"\x01R1\x021.8.0()\x03Z".to_vec(),
        b"1.8.0(0001*kWh)(2)\r\n0.0.0(1)\r\n!\r\n".to_vec(),
        b"/KAM5\\2OMNIA\r\n".to_vec(),
        b"/?00123!\r\n".to_vec(),
        b"\x06052\r\n".to_vec(),
        vec![0, 1, 0, 16, 0, 1, 0, 5, 0x62, 3, 0x80, 1, 0],
        vec![0x81, 0x80, 0x12, 5, 1, 0x9A, 6, 1, 0x9A, 7, 4, 0, 0, 0, 1, 8, 4, 0, 0, 0, 1],
    ]);
    let mut random = Random(2);
    let mut delimiter = Delimiter::<300>::default();
    let (mut frames, mut found) = (0, 0);
    for _ in 0..2_000_000 {
        let mut octets = seeds[random.below(seeds.len())].clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(octets.len().max(1));
            match random.below(4) {
                0 => octets.truncate(at),
                1 => octets.insert(at, random.next() as u8),
                _ if octets.is_empty() => {}
                2 => drop(octets.remove(at)),
                _ => octets[at] ^= 1 << random.below(8),
            }
        }
        frames += u32::from(Frame::decode(&octets).is_ok());
        let _ = Frame::decode_content(&octets);
        let mut rest = &octets[..];
        while !rest.is_empty() {
            rest = &rest[delimiter.push(rest)..];
            found += u32::from(delimiter.frame().is_some());
        }
        let _ = (Parameters::decode(&octets), Wpdu::decode_datagram(&octets), Block::decode(&octets));
        let _ = (Identification::decode(&octets), Request::decode(&octets), OptionSelect::decode(&octets));
        let _ = DataSets::new(&octets).count();
    }
    println!("of two million, {frames} still were frames; {found} were found in the stream");
}
