//! Any octets as an APDU of the association: what is read is written, and reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meterbench_iec62056::acse::{
    AssociationRequest, AssociationResponse, ConfirmedServiceError, InitiateRequest, InitiateResponse, ReleaseRequest,
    ReleaseResponse,
};
use meterbench_iec62056::octets::Writer;

macro_rules! round_trip {
    ($octets:ident $($apdu:ident)*) => {$(
        if let Ok(apdu) = $apdu::decode($octets) {
            let mut out = vec![0; 2 * $octets.len() + 64];
            let mut writer = Writer::new(&mut out);
            apdu.encode(&mut writer);
            let length = writer.finish().expect("no longer than it came");
            assert_eq!($apdu::decode(&out[..length]), Ok(apdu));
        }
    )*};
}

fuzz_target!(|octets: &[u8]| {
    round_trip!(octets AssociationResponse ReleaseRequest ReleaseResponse InitiateRequest InitiateResponse ConfirmedServiceError);
    round_trip!(octets AssociationRequest);
});
