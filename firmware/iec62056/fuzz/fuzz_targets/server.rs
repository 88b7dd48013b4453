//! A server, and a client that sends blocks, requests and anything else: answers fit, and no block is ever said otherwise.
#![no_main]

#[allow(dead_code, reason = "a part is for the tests")]
#[path = "../../tests/it/device.rs"]
mod device;
#[path = "../../tests/it/drive_server.rs"]
mod drive_server;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    drive_server::general_blocks(octets);
});
