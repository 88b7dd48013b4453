//! Any octets as a ciphered APDU: nothing authenticated is opened, and what is opened fits the buffer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meterbench_iec62056::security::{Ciphered, Key, Protection, SystemTitle, unwrap_key};

fuzz_target!(|octets: &[u8]| {
    let protection = Protection::new(0, &Key([0x5A; 16]), &Key([0xA5; 16]));
    let title = SystemTitle(*b"KAM00001");
    let mut out = [0; 512];
    if let Ok(ciphered) = Ciphered::decode(octets)
        && let Ok(opened) = protection.unprotect(&ciphered, &title, &mut out)
    {
        assert!(!opened.control.is_authenticated(), "a tag was guessed");
    }
    assert!(protection.verify(&title, octets, b"a challenge").is_err());
    assert!(unwrap_key(&Key([1; 16]), octets).is_err());
});
