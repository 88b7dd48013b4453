//! Millions of damaged APDUs: none panics, none runs long, none recurses deep, and what is accepted can be written.

use meterbench_iec62056::acse::{InitiateRequest, InitiateResponse};
use meterbench_iec62056::apdu::{Apdu, EntryDescriptor, GetRequest, RangeDescriptor};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{Key, Protection, SystemTitle};

use crate::common::{Random, encoded, vectors};
use crate::round_trips::{any_data, every_apdu};

/// Mutations of each test; together above two millions.
const ROUNDS: usize = 1_000_000;

fn damage(random: &mut Random, octets: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        let length = octets.len();
        match random.below(8) {
            0 => octets.truncate(random.below(length + 1)),
            1 => octets.insert(random.below(length + 1), random.next() as u8),
            2 if length > 0 => _ = octets.remove(random.below(length)),
            3 if length > 0 => {
                let at = random.below(length);
                octets[at] = [0x00, 0x01, 0x02, 0x13, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF][random.below(10)];
            }
            4 if length > 1 => {
                let (from, to) = (random.below(length), random.below(length));
                let piece = octets[from.min(to)..from.max(to)].to_vec();
                let at = random.below(length);
                octets.splice(at..at, piece.into_iter().take(40));
            }
            _ if length > 0 => {
                let bit = random.below(8 * length);
                octets[bit / 8] ^= 1 << (bit % 8);
            }
            _ => {}
        }
    }
    octets.truncate(4000);
}

/// Opens a value to its leaves; the depth is that of the octets.
fn walk(data: &Data<'_>, depth: usize) -> usize {
    assert!(depth <= meterbench_iec62056::data::MAXIMUM_DEPTH);
    match data {
        Data::Array(sequence) | Data::Structure(sequence) => {
            let leaves = sequence.iter().map(|element| walk(&element, depth + 1)).sum();
            assert_eq!(sequence.iter().count(), sequence.len(), "what was checked is read");
            leaves
        }
        Data::CompactArray(array) => {
            let mut out = [0; 512];
            let mut writer = Writer::new(&mut out);
            array.expand(&mut writer);
            1
        }
        _ => 1,
    }
}

fn seeds(random: &mut Random) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in ["acse.json", "xdlms.json", "security.json", "general-signing.json"] {
        seeds.extend(vectors(file).iter().filter(|vector| vector.has("apdu")).map(|vector| vector.octets("apdu")));
    }
    every_apdu(random, |apdu| seeds.push(encoded(|writer| apdu.encode(writer))));
    seeds.iter_mut().for_each(|seed| seed.truncate(300));
    seeds
}

#[test]
fn damaged_apdus_are_refused_or_read() {
    let mut random = Random(11);
    let mut accepted = 0;
    let mut out = vec![0; 8192];
    let mut seeds_now = seeds(&mut random);
    for round in 0..ROUNDS {
        if round % 50_000 == 0 {
            seeds_now = seeds(&mut random);
        }
        let mut octets = seeds_now[random.below(seeds_now.len())].clone();
        damage(&mut random, &mut octets);
        let Ok(apdu) = Apdu::decode(&octets) else { continue };
        accepted += 1;
        let mut writer = Writer::new(&mut out);
        apdu.encode(&mut writer);
        let length = writer.finish().unwrap();
        // What is written is canonical: read again it says the same, and is written the same.
        if round % 4 == 0 {
            let again = Apdu::decode(&out[..length]).unwrap_or_else(|error| panic!("{octets:02X?}: {error}"));
            assert_eq!(encoded(|writer| again.encode(writer)), out[..length], "{octets:02X?}");
        }
        match apdu {
            Apdu::AssociationRequest(request) => {
                _ = InitiateRequest::decode(request.user_information.unwrap_or_default());
            }
            Apdu::AssociationResponse(response) => {
                _ = InitiateResponse::decode(response.user_information.unwrap_or_default());
            }
            Apdu::GetRequest(GetRequest::Normal { reference, .. }) => {
                if let Some(access) = reference.access {
                    _ = EntryDescriptor::decode(access.parameters);
                    if let Ok(range) = RangeDescriptor::decode(access.parameters) {
                        assert_eq!(range.columns().count(), range.selected_values.len());
                    }
                }
            }
            _ => {}
        }
    }
    assert!(accepted > ROUNDS / 20, "{accepted} of {ROUNDS} were accepted: the mutations reach the inside");
}

#[test]
fn damaged_data_is_refused_or_read() {
    let mut random = Random(12);
    let mut accepted = 0;
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for round in 0..ROUNDS {
        if round % 20_000 == 0 {
            seeds = (0..100).map(|_| any_data(&mut random, 5)).collect();
            seeds.iter_mut().for_each(|seed| seed.truncate(200));
        }
        let mut octets = seeds[random.below(seeds.len())].clone();
        damage(&mut random, &mut octets);
        let Ok(data) = EncodedData::new(&octets) else { continue };
        accepted += 1;
        walk(&data.value(), 0);
    }
    assert!(accepted > ROUNDS / 20, "{accepted} of {ROUNDS} were accepted: the mutations reach the inside");
}

#[test]
fn random_octets_are_refused_or_read() {
    let mut random = Random(13);
    let tags = [
        0x01, 0x08, 0x0E, 0x0F, 0x60, 0x61, 0x62, 0x63, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7, 0xC8, 0xD8, 0xD9,
        0xDA, 0xDB, 0xDD, 0xDF, 0xE0, 0x21,
    ];
    for _ in 0..ROUNDS / 2 {
        let length = random.below(64);
        let mut octets = random.octets(length);
        if let Some(first) = octets.first_mut() {
            *first = tags[random.below(tags.len())];
        }
        if let Some(second) = octets.get_mut(1) {
            *second = random.below(7) as u8;
        }
        _ = Apdu::decode(&octets);
        _ = EncodedData::new(&octets).map(|data| walk(&data.value(), 0));
    }
}

#[test]
fn damaged_ciphered_apdus_are_not_opened() {
    let mut random = Random(14);
    let protection = Protection::new(0, &Key([7; 16]), &Key([8; 16]));
    let title = SystemTitle(*b"KAM00001");
    let seeds: Vec<Vec<u8>> = vectors("protection.json").iter().map(|vector| vector.octets("apdu")).collect();
    let mut out = [0; 4096];
    for _ in 0..ROUNDS / 10 {
        let mut octets = seeds[random.below(seeds.len())].clone();
        damage(&mut random, &mut octets);
        if let Ok(Apdu::Ciphered(ciphered)) = Apdu::decode(&octets) {
            let opened = protection.unprotect(&ciphered, &title, &mut out);
            assert!(opened.is_err() || !opened.is_ok_and(|opened| opened.control.is_authenticated()));
        }
    }
}
