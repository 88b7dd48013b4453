use super::ber::{self, OCTET_STRING, USER_INFORMATION};
use super::names::ReleaseReason;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

macro_rules! release {
    ($name:ident $tag:literal $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a> {
            /// The reason, when it is said.
            pub reason: Option<ReleaseReason>,
            /// An xDLMS initiate APDU; with a ciphered context it proves who speaks.
            pub user_information: Option<&'a [u8]>,
        }

        impl<'a> $name<'a> {
            /// The tag of the APDU.
            pub const TAG: u8 = $tag;

            /// Normal, with nothing else.
            pub const NORMAL: Self = Self { reason: Some(ReleaseReason::NORMAL), user_information: None };

            /// Reads an APDU.
            pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
                let (reason, user_information) = decode(octets, Self::TAG)?;
                Ok(Self { reason, user_information })
            }

            /// Writes the APDU.
            pub fn encode(&self, writer: &mut Writer<'_>) {
                encode(writer, Self::TAG, self.reason, self.user_information);
            }
        }
    };
}

release!(ReleaseRequest 0x62 "RLRQ: a client releases its association.");
release!(ReleaseResponse 0x63 "RLRE: the server's answer to a release.");

fn decode(octets: &[u8], tag: u8) -> Result<(Option<ReleaseReason>, Option<&[u8]>), DecodeError> {
    let mut reader = Reader::new(octets);
    ber::apdu(&mut reader, tag)?;
    let (mut reason, mut user_information) = (None, None);
    ber::fields(&mut reader, |tag, field| {
        match tag {
            0x80 => reason = Some(ReleaseReason(field.octet()?)),
            USER_INFORMATION => user_information = Some(field.inner(OCTET_STRING)?),
            other => return Err(field.error(DecodeErrorKind::Tag(other))),
        }
        Ok(())
    })?;
    Ok((reason, user_information))
}

fn encode(writer: &mut Writer<'_>, tag: u8, reason: Option<ReleaseReason>, user_information: Option<&[u8]>) {
    writer.nested(tag, |writer| {
        if let Some(reason) = reason {
            writer.put_array(&[0x80, 1, reason.0]);
        }
        ber::put_optional(writer, USER_INFORMATION, OCTET_STRING, user_information);
    });
}
