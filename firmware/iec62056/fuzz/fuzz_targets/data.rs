//! Any octets as one value: read to its leaves, written again, compact arrays expanded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::octets::Writer;

fn walk(data: &Data<'_>, depth: usize) {
    assert!(depth <= meterbench_iec62056::data::MAXIMUM_DEPTH);
    match data {
        Data::Array(sequence) | Data::Structure(sequence) => {
            assert_eq!(sequence.iter().count(), sequence.len());
            sequence.iter().for_each(|element| walk(&element, depth + 1));
        }
        Data::CompactArray(array) => array.expand(&mut Writer::new(&mut [0; 256])),
        scalar => assert!(Writer::measure(|writer| writer.data(scalar)) > 0),
    }
}

fuzz_target!(|octets: &[u8]| {
    if let Ok(data) = EncodedData::new(octets) {
        walk(&data.value(), 0);
    }
});
