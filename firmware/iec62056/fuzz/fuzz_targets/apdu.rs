//! Any octets as an APDU: what is read is written, and is canonical then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meterbench_iec62056::apdu::{Apdu, EntryDescriptor, GetRequest, RangeDescriptor};
use meterbench_iec62056::octets::Writer;

fn encoded(apdu: &Apdu<'_>) -> Vec<u8> {
    let mut octets = vec![0; Writer::measure(|writer| apdu.encode(writer))];
    let mut writer = Writer::new(&mut octets);
    apdu.encode(&mut writer);
    writer.finish().expect("as long as it was measured");
    octets
}

fuzz_target!(|octets: &[u8]| {
    let Ok(apdu) = Apdu::decode(octets) else { return };
    let canonical = encoded(&apdu);
    let again = Apdu::decode(&canonical).expect("what is written is read");
    assert_eq!(encoded(&again), canonical);
    if let Apdu::GetRequest(GetRequest::Normal { reference, .. }) = apdu
        && let Some(access) = reference.access
    {
        _ = EntryDescriptor::decode(access.parameters);
        _ = RangeDescriptor::decode(access.parameters).map(|range| range.columns().count());
    }
});
