use super::{AttributeReference, DataAccessResult, InvokeIdAndPriority, Item, List};
use crate::data::EncodedData;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// A value, or why there is none.
pub type GetResult<'a> = Result<EncodedData<'a>, DataAccessResult>;

impl<'a> Item<'a> for GetResult<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => EncodedData::decode(reader).map(Ok),
            1 => DataAccessResult::decode(reader).map(Err),
            other => Err(reader.error_behind(DecodeErrorKind::Choice(other))),
        }
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Ok(data) => {
                writer.u8(0);
                writer.encoded(*data);
            }
            Err(result) => writer.put_array(&[1, result.0]),
        }
    }
}

/// GET.request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GetRequest<'a> {
    /// One attribute.
    Normal {
        /// Echoed in the response.
        invoke: InvokeIdAndPriority,
        /// What is read.
        reference: AttributeReference<'a>,
    },
    /// The next block of the answer.
    Next {
        /// Echoed in the response.
        invoke: InvokeIdAndPriority,
        /// The block just received.
        number: u32,
    },
    /// Several attributes.
    WithList {
        /// Echoed in the response.
        invoke: InvokeIdAndPriority,
        /// What is read.
        references: List<'a, AttributeReference<'a>>,
    },
}

impl<'a> GetRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC0;

    /// Echoed in the response.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. } | Self::Next { invoke, .. } | Self::WithList { invoke, .. } => *invoke,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal { invoke, reference: AttributeReference::decode(reader)? },
            2 => Self::Next { invoke, number: reader.u32()? },
            3 => Self::WithList { invoke, references: List::decode(reader)? },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, reference } => {
                writer.put_array(&[Self::TAG, 1, invoke.0]);
                reference.encode(writer);
            }
            Self::Next { invoke, number } => {
                writer.put_array(&[Self::TAG, 2, invoke.0]);
                writer.u32(*number);
            }
            Self::WithList { invoke, references } => {
                writer.put_array(&[Self::TAG, 3, invoke.0]);
                references.encode(writer);
            }
        }
    }
}

/// GET.response.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GetResponse<'a> {
    /// One value.
    Normal {
        /// That of the request.
        invoke: InvokeIdAndPriority,
        /// The value, or why there is none.
        result: GetResult<'a>,
    },
    /// A block of the answer.
    WithDataBlock {
        /// That of the request.
        invoke: InvokeIdAndPriority,
        /// Whether it is the last block.
        last: bool,
        /// The number of the block, from 1.
        number: u32,
        /// A piece of the encoded answer, or why the transfer ends.
        result: Result<&'a [u8], DataAccessResult>,
    },
    /// Several values, in the order of the request.
    WithList {
        /// That of the request.
        invoke: InvokeIdAndPriority,
        /// The values, or why there are none.
        results: List<'a, GetResult<'a>>,
    },
}

impl<'a> GetResponse<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC4;

    /// That of the request.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. } | Self::WithDataBlock { invoke, .. } | Self::WithList { invoke, .. } => *invoke,
        }
    }

    /// Writes what stands before the value of a normal response: the value follows.
    pub fn begin_normal(writer: &mut Writer<'_>, invoke: InvokeIdAndPriority) {
        writer.put_array(&[Self::TAG, 1, invoke.0, 0]);
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal { invoke, result: GetResult::decode(reader)? },
            2 => Self::WithDataBlock {
                invoke,
                last: reader.flag()?,
                number: reader.u32()?,
                result: match reader.u8()? {
                    0 => Ok(reader.octet_string()?),
                    1 => Err(DataAccessResult::decode(reader)?),
                    other => return Err(reader.error_behind(DecodeErrorKind::Choice(other))),
                },
            },
            3 => Self::WithList { invoke, results: List::decode(reader)? },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, result } => {
                writer.put_array(&[Self::TAG, 1, invoke.0]);
                result.encode(writer);
            }
            Self::WithDataBlock { invoke, last, number, result } => {
                writer.put_array(&[Self::TAG, 2, invoke.0, u8::from(*last)]);
                writer.u32(*number);
                match result {
                    Ok(raw) => {
                        writer.u8(0);
                        writer.octet_string(raw);
                    }
                    Err(result) => writer.put_array(&[1, result.0]),
                }
            }
            Self::WithList { invoke, results } => {
                writer.put_array(&[Self::TAG, 3, invoke.0]);
                results.encode(writer);
            }
        }
    }
}
