#![no_main]

#[allow(dead_code, reason = "each target drives one machine")]
#[path = "../../tests/it/drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    drive::readout_meter(octets);
});
