//! Fixtures, hexadecimal and pseudo-random numbers.

use std::path::Path;

use meterbench_iec62056::octets::Writer;

/// One vector of `fixtures/frames`.
pub(crate) struct Vector {
    pub(crate) id: String,
    data: serde_json::Value,
}

impl Vector {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.data[field].as_str().unwrap_or_else(|| panic!("{} has no {field}", self.id))
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        !self.data[field].is_null()
    }

    pub(crate) fn octets(&self, field: &str) -> Vec<u8> {
        hex(self.text(field))
    }

    pub(crate) fn array<const N: usize>(&self, field: &str) -> [u8; N] {
        self.octets(field).try_into().unwrap_or_else(|_| panic!("{} {field} has another length", self.id))
    }
}

/// The vectors of one file; each must name its source and licence.
pub(crate) fn vectors(file: &str) -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frames").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: serde_json::Value = serde_json::from_str(&text).expect("the fixture is JSON");
    let rows = json["vectors"].as_array().expect("vectors").iter();
    rows.map(|row| {
        let id = row["id"].as_str().expect("id").to_owned();
        for field in ["source", "licence"] {
            assert!(row[field].as_str().is_some_and(|text| !text.is_empty()), "{id} names no {field}");
        }
        Vector { id, data: row["data"].clone() }
    })
    .collect()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("a hexadecimal digit") as u8;
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// All octets that `encode` writes.
pub(crate) fn encoded(encode: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = vec![0; Writer::measure(&encode)];
    let mut writer = Writer::new(&mut octets);
    encode(&mut writer);
    writer.finish().expect("as long as it was measured");
    octets
}

/// SplitMix64: a seed gives the same numbers on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}
