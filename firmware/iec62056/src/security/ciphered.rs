use super::{SecurityControl, SystemTitle};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Octets of a tag: 96 bits.
pub(super) const TAG_LENGTH: usize = 12;

/// The service-specific tags. Those of the confirmed service error and of the initiate APDUs with the dedicated key are
/// recalled.
#[rustfmt::skip]
const SERVICES: [(u8, u8, u8); 10] = [
    // plain  global  dedicated
    (0x01,    0x21,   0x41), // initiate request
    (0x08,    0x28,   0x48), // initiate response
    (0x0E,    0x2E,   0x4E), // confirmed service error
    (0xC0,    0xC8,   0xD0), // GET.request
    (0xC1,    0xC9,   0xD1), // SET.request
    (0xC2,    0xCA,   0xD2), // event notification
    (0xC3,    0xCB,   0xD3), // ACTION.request
    (0xC4,    0xCC,   0xD4), // GET.response
    (0xC5,    0xCD,   0xD5), // SET.response
    (0xC7,    0xCF,   0xD7), // ACTION.response
];

/// The tag of the plain APDU behind a service-specific tag.
pub(super) fn plain_tag(tag: u8) -> Option<u8> {
    SERVICES.iter().find(|(_, global, dedicated)| tag == *global || tag == *dedicated).map(|(plain, ..)| *plain)
}

pub(super) fn global_tag(plain: u8) -> Option<u8> {
    SERVICES.iter().find(|(tag, ..)| *tag == plain).map(|(_, global, _)| *global)
}

pub(super) fn dedicated_tag(plain: u8) -> Option<u8> {
    SERVICES.iter().find(|(tag, ..)| *tag == plain).map(|(.., dedicated)| *dedicated)
}

fn is_dedicated(tag: u8) -> bool {
    SERVICES.iter().any(|(.., dedicated)| *dedicated == tag)
}

/// Security header, text and tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protected<'a> {
    /// How it is protected.
    pub control: SecurityControl,
    /// The invocation counter of the sender.
    pub counter: u32,
    /// The text, encrypted or not, and the tag where there is one.
    pub body: &'a [u8],
}

impl<'a> Protected<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let content = reader.octet_string()?;
        let base = reader.offset() - content.len();
        let mut inner = Reader::new(content);
        let shifted = |error: DecodeError| DecodeError { offset: base + error.offset, ..error };
        let control = SecurityControl(inner.u8().map_err(shifted)?);
        let counter = inner.u32().map_err(shifted)?;
        let body = inner.rest();
        if control.is_authenticated() && body.len() < TAG_LENGTH {
            return Err(reader.error(DecodeErrorKind::Truncated));
        }
        Ok(Self { control, counter, body })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.length(5 + self.body.len());
        writer.u8(self.control.0);
        writer.u32(self.counter);
        writer.put(self.body);
    }

    /// Text and tag.
    pub(super) fn text_and_tag(&self) -> (&'a [u8], &'a [u8]) {
        let tag = if self.control.is_authenticated() { TAG_LENGTH } else { 0 };
        self.body.split_at(self.body.len().saturating_sub(tag))
    }
}

/// The fields in front of general-ciphering and general-signing, each with its length octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GeneralHead<'a> {
    /// Which exchange this belongs to.
    pub transaction_id: &'a [u8],
    /// Who protected it.
    pub originator: &'a [u8],
    /// For whom.
    pub recipient: &'a [u8],
    /// When.
    pub date_time: &'a [u8],
    /// Anything else.
    pub other_information: &'a [u8],
}

impl<'a> GeneralHead<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            transaction_id: reader.octet_string()?,
            originator: reader.octet_string()?,
            recipient: reader.octet_string()?,
            date_time: reader.octet_string()?,
            other_information: reader.octet_string()?,
        })
    }

    pub(super) const fn fields(&self) -> [&'a [u8]; 5] {
        [self.transaction_id, self.originator, self.recipient, self.date_time, self.other_information]
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        self.fields().iter().for_each(|field| writer.octet_string(field));
    }

    /// The head of the answer: the same transaction, the other way.
    #[must_use]
    pub const fn answering(&self) -> Self {
        Self { originator: self.recipient, recipient: self.originator, date_time: &[], ..*self }
    }
}

/// Which key a general-ciphering APDU is protected with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyInformation<'a> {
    /// A key both have: 0 global unicast, 1 global broadcast.
    Identified(u8),
    /// A key sent along, wrapped with the key encryption key of this number.
    Wrapped(u8, &'a [u8]),
    /// A key agreed upon: parameters and ciphered key data. Not of suite 0.
    Agreed(&'a [u8], &'a [u8]),
}

impl<'a> KeyInformation<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            0 => Self::Identified(reader.u8()?),
            1 => Self::Wrapped(reader.u8()?, reader.octet_string()?),
            2 => Self::Agreed(reader.octet_string()?, reader.octet_string()?),
            other => return Err(reader.error_behind(DecodeErrorKind::Choice(other))),
        })
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Identified(key) => writer.put_array(&[0, *key]),
            Self::Wrapped(kek, key) => {
                writer.put_array(&[1, *kek]);
                writer.octet_string(key);
            }
            Self::Agreed(parameters, key) => {
                writer.u8(2);
                writer.octet_string(parameters);
                writer.octet_string(key);
            }
        }
    }
}

/// A ciphered APDU, taken apart but not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ciphered<'a> {
    /// Under a tag of the service; the sender is known from the association.
    Service {
        /// The tag.
        tag: u8,
        /// What is protected.
        protected: Protected<'a>,
    },
    /// general-glo-ciphering: with the global key.
    GeneralGlobal {
        /// The sender; may be empty.
        system_title: &'a [u8],
        /// What is protected.
        protected: Protected<'a>,
    },
    /// general-ded-ciphering: with the dedicated key.
    GeneralDedicated {
        /// The sender; may be empty.
        system_title: &'a [u8],
        /// What is protected.
        protected: Protected<'a>,
    },
    /// general-ciphering.
    General {
        /// Transaction, sender, receiver.
        head: GeneralHead<'a>,
        /// Which key.
        key: Option<KeyInformation<'a>>,
        /// What is protected.
        protected: Protected<'a>,
    },
}

impl<'a> Ciphered<'a> {
    /// The tag of general-glo-ciphering.
    pub const GENERAL_GLOBAL: u8 = 0xDB;
    /// The tag of general-ded-ciphering.
    pub const GENERAL_DEDICATED: u8 = 0xDC;
    /// The tag of general-ciphering.
    pub const GENERAL: u8 = 0xDD;

    /// Reads an APDU.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let ciphered = match reader.u8()? {
            Self::GENERAL_GLOBAL => {
                Self::GeneralGlobal { system_title: reader.octet_string()?, protected: Protected::decode(&mut reader)? }
            }
            Self::GENERAL_DEDICATED => Self::GeneralDedicated {
                system_title: reader.octet_string()?,
                protected: Protected::decode(&mut reader)?,
            },
            Self::GENERAL => Self::General {
                head: GeneralHead::decode(&mut reader)?,
                key: if reader.present()? { Some(KeyInformation::decode(&mut reader)?) } else { None },
                protected: Protected::decode(&mut reader)?,
            },
            tag if plain_tag(tag).is_some() => Self::Service { tag, protected: Protected::decode(&mut reader)? },
            tag => return Err(reader.error_behind(DecodeErrorKind::Tag(tag))),
        };
        reader.finish()?;
        Ok(ciphered)
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Service { tag, .. } => writer.u8(*tag),
            Self::GeneralGlobal { system_title, .. } => {
                writer.u8(Self::GENERAL_GLOBAL);
                writer.octet_string(system_title);
            }
            Self::GeneralDedicated { system_title, .. } => {
                writer.u8(Self::GENERAL_DEDICATED);
                writer.octet_string(system_title);
            }
            Self::General { head, key, .. } => {
                writer.u8(Self::GENERAL);
                head.encode(writer);
                writer.flag(key.is_some());
                if let Some(key) = key {
                    key.encode(writer);
                }
            }
        }
        self.protected().encode(writer);
    }

    /// What is protected.
    pub const fn protected(&self) -> &Protected<'a> {
        match self {
            Self::Service { protected, .. }
            | Self::GeneralGlobal { protected, .. }
            | Self::GeneralDedicated { protected, .. }
            | Self::General { protected, .. } => protected,
        }
    }

    /// Whether the key is the dedicated key of the association.
    pub fn is_dedicated(&self) -> bool {
        match self {
            Self::Service { tag, .. } => is_dedicated(*tag),
            Self::GeneralDedicated { .. } => true,
            Self::GeneralGlobal { .. } | Self::General { .. } => false,
        }
    }

    /// The sender, where the APDU says it.
    pub fn system_title(&self) -> Option<SystemTitle> {
        match self {
            Self::Service { .. } => None,
            Self::GeneralGlobal { system_title, .. } | Self::GeneralDedicated { system_title, .. } => {
                SystemTitle::from_slice(system_title)
            }
            Self::General { head, .. } => SystemTitle::from_slice(head.originator),
        }
    }
}
