//! The little BER that ACSE needs: definite lengths, one octet tags.

use super::names::{ApplicationContext, Mechanism};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// `2.16.756.5.8.1`, to be followed by the context.
const CONTEXT_NAME: [u8; 6] = [0x60, 0x85, 0x74, 0x05, 0x08, 0x01];
/// `2.16.756.5.8.2`, to be followed by the mechanism.
const MECHANISM_NAME: [u8; 6] = [0x60, 0x85, 0x74, 0x05, 0x08, 0x02];

pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const USER_INFORMATION: u8 = 0xBE;
/// The bit string that says that the authentication functional unit is used.
const AUTHENTICATION_UNIT: [u8; 2] = [0x07, 0x80];

/// Reads the APDU's tag and length; what follows must fill the length exactly.
pub(super) fn apdu(reader: &mut Reader<'_>, tag: u8) -> Result<(), DecodeError> {
    reader.expect_tag(tag)?;
    let length = reader.length()?;
    match reader.rest().len() {
        rest if rest < length => Err(reader.error(DecodeErrorKind::Truncated)),
        rest if rest > length => Err(reader.error(DecodeErrorKind::LeftOver)),
        _ => Ok(()),
    }
}

/// Hands each field's tag and content to `field`, with the place of the content.
pub(super) fn fields<'a>(
    reader: &mut Reader<'a>,
    mut field: impl FnMut(u8, Field<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !reader.is_empty() {
        let tag = reader.u8()?;
        let content = reader.octet_string()?;
        field(tag, Field { content, offset: reader.offset() - content.len() })?;
    }
    Ok(())
}

/// The content of one field and its place in the APDU.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    content: &'a [u8],
    offset: usize,
}

impl<'a> Field<'a> {
    fn read<T>(self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let mut reader = Reader::new(self.content);
        read(&mut reader)
            .and_then(|value| reader.finish().map(|()| value))
            .map_err(|error| DecodeError { offset: self.offset + error.offset, ..error })
    }

    /// An error at the first octet of the content.
    pub(super) const fn error(self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: self.offset, kind }
    }

    /// One value of this tag inside.
    pub(super) fn inner(self, tag: u8) -> Result<&'a [u8], DecodeError> {
        self.read(|reader| {
            reader.expect_tag(tag)?;
            reader.octet_string()
        })
    }

    /// The only octet of the content.
    pub(super) fn octet(self) -> Result<u8, DecodeError> {
        self.read(Reader::u8)
    }

    /// An integer of one octet inside.
    pub(super) fn integer(self) -> Result<u8, DecodeError> {
        self.read(|reader| {
            reader.expect_tag(INTEGER)?;
            reader.expect_tag(1)?;
            reader.u8()
        })
    }

    /// A choice whose alternative is a tag, with an integer inside.
    pub(super) fn chosen_integer(self) -> Result<(u8, u8), DecodeError> {
        self.read(|reader| {
            let alternative = reader.u8()?;
            reader.expect_tag(3)?;
            reader.expect_tag(INTEGER)?;
            reader.expect_tag(1)?;
            Ok((alternative, reader.u8()?))
        })
    }

    /// The context named inside; every other name is [`ApplicationContext::FOREIGN`].
    pub(super) fn context(self) -> Result<ApplicationContext, DecodeError> {
        Ok(match self.inner(OBJECT_IDENTIFIER)? {
            [prefix @ .., context] if *prefix == CONTEXT_NAME => ApplicationContext(*context),
            _ => ApplicationContext::FOREIGN,
        })
    }

    /// The mechanism named by this content; every other name is [`Mechanism::FOREIGN`].
    pub(super) fn mechanism(self) -> Mechanism {
        match self.content {
            [prefix @ .., mechanism] if *prefix == MECHANISM_NAME => Mechanism(*mechanism),
            _ => Mechanism::FOREIGN,
        }
    }

    /// Whether this bit string has the authentication functional unit set.
    pub(super) fn authentication_unit(self) -> bool {
        matches!(self.content, [_, first, ..] if first & 0x80 != 0)
    }
}

pub(super) fn put_context(writer: &mut Writer<'_>, context: ApplicationContext) {
    writer.nested(0xA1, |writer| {
        writer.nested(OBJECT_IDENTIFIER, |writer| {
            writer.put_array(&CONTEXT_NAME);
            writer.u8(context.0);
        });
    });
}

/// The three fields that say how one party authenticates itself.
pub(super) fn put_authentication(
    writer: &mut Writer<'_>,
    tags: [u8; 3],
    unit: bool,
    mechanism: Option<Mechanism>,
    value: Option<&[u8]>,
) {
    let [unit_tag, mechanism_tag, value_tag] = tags;
    if unit {
        writer.u8(unit_tag);
        writer.octet_string(&AUTHENTICATION_UNIT);
    }
    if let Some(mechanism) = mechanism {
        writer.nested(mechanism_tag, |writer| {
            writer.put_array(&MECHANISM_NAME);
            writer.u8(mechanism.0);
        });
    }
    if let Some(value) = value {
        put_wrapped(writer, value_tag, 0x80, value);
    }
}

/// A field with one primitive value inside.
pub(super) fn put_wrapped(writer: &mut Writer<'_>, tag: u8, inner: u8, octets: &[u8]) {
    writer.nested(tag, |writer| {
        writer.u8(inner);
        writer.octet_string(octets);
    });
}

pub(super) fn put_optional(writer: &mut Writer<'_>, tag: u8, inner: u8, octets: Option<&[u8]>) {
    if let Some(octets) = octets {
        put_wrapped(writer, tag, inner, octets);
    }
}
