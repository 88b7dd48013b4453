//! How long it takes to read a full load profile, block by block, on this host. Prints the figures; asserts nothing about them.

use std::hint::black_box;
use std::time::Instant;

use meterbench_iec62056::acse::Conformance;
use meterbench_iec62056::apdu::{AttributeDescriptor, CaptureObject, RangeDescriptor, SelectiveAccess};
use meterbench_iec62056::data::{EncodedData, Sequence};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::server::{Agreed, LogicalDevice};
use meterbench_meter::{Memory, Meter, Product, Settings, TypeNumber};
use meterbench_metrology::CycleSums;

const BUFFER: AttributeDescriptor = AttributeDescriptor { class: 7, name: Obis([1, 0, 99, 1, 0, 255]), attribute: 2 };
/// Octets of a block.
const BLOCK: usize = 1000;
const READER: Agreed = Agreed {
    mechanism: meterbench_iec62056::acse::Mechanism::HIGH_GMAC,
    client: 2,
    client_title: [0; 8],
    conformance: Conformance::NONE,
    longest_received: 1024,
    longest_sent: 1024,
};

/// A meter whose memory of so many octets is full.
fn full(type_number: &str, octets: usize) -> Meter {
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    let memory = Memory::Static(Box::leak(vec![0; octets].into_boxed_slice()));
    let mut meter = Meter::new(&profile, &Settings::delivered()).unwrap().with_memory(memory);
    let quarter = CycleSums { samples: 8000 * 900, ..CycleSums::default() };
    (0..27_000).for_each(|_| meter.process_cycle(&quarter, |_| ()));
    meter
}

/// Reads everything in blocks; octets and seconds.
fn read(meter: &Meter, access: Option<SelectiveAccess<'_>>) -> (usize, f64) {
    let (moment, mut block) = (meter.moment(), [0; BLOCK]);
    let begun = Instant::now();
    let mut from = 0;
    loop {
        let mut writer = Writer::window(&mut block, from);
        meter.get(&READER, BUFFER, access, moment, &mut writer).unwrap();
        let total = writer.total();
        black_box(&block);
        from += BLOCK;
        if from >= total {
            return (total, begun.elapsed().as_secs_f64());
        }
    }
}

fn encoded(encode: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = vec![0; Writer::measure(&encode)];
    encode(&mut Writer::new(&mut octets));
    octets
}

fn main() {
    let bounds = [[0; 12], [0xFE; 12]].map(|bound| encoded(|writer| writer.octet_string_data(&bound)));
    let range = RangeDescriptor {
        restricting_object: CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 },
        from: EncodedData::new(&bounds[0]).unwrap(),
        to: EncodedData::new(&bounds[1]).unwrap(),
        selected_values: Sequence::from_octets(0, &[]).unwrap(),
    };
    let parameters = encoded(|writer| range.encode(writer));
    let all = SelectiveAccess { selector: 1, parameters: EncodedData::new(&parameters).unwrap() };
    println!("a full load profile in blocks of {BLOCK} octets, without ciphering");
    for (type_number, energies, octets) in [
        ("684-2-41D-1312AA70-1B14001", 4, 65_536),
        ("684-2-41D-1312AA70-1B14001", 4, Memory::length_for(Product::Omnia)),
        ("686-11-11B-N11-3001-001", 1, Memory::length_for(Product::Omnipower)),
    ] {
        let meter = full(type_number, octets);
        for (how, access) in [("whole", None), ("by time", Some(all))] {
            let (octets, seconds) = read(&meter, access);
            let rows = octets / (18 + 5 * energies);
            println!(
                "{type_number}, {how}: {rows} rows, {octets} octets in {:.2} ms, {:.0} ns a row",
                1e3 * seconds,
                1e9 * seconds / rows as f64
            );
        }
    }
}
