use super::{AttributeReference, DataAccessResult, DataBlock, InvokeIdAndPriority, Item, List};
use crate::data::EncodedData;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// SET.request.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their types say")]
pub enum SetRequest<'a> {
    /// One attribute.
    Normal { invoke: InvokeIdAndPriority, reference: AttributeReference<'a>, value: EncodedData<'a> },
    /// One attribute, the value in blocks, this being the first.
    WithFirstDataBlock { invoke: InvokeIdAndPriority, reference: AttributeReference<'a>, block: DataBlock<'a> },
    /// The following blocks.
    WithDataBlock { invoke: InvokeIdAndPriority, block: DataBlock<'a> },
    /// Several attributes.
    WithList {
        invoke: InvokeIdAndPriority,
        references: List<'a, AttributeReference<'a>>,
        values: List<'a, EncodedData<'a>>,
    },
    /// Several attributes, the list of values in blocks, this being the first.
    WithListAndFirstDataBlock {
        invoke: InvokeIdAndPriority,
        references: List<'a, AttributeReference<'a>>,
        block: DataBlock<'a>,
    },
}

impl<'a> SetRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC1;

    /// Echoed in the response.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. }
            | Self::WithFirstDataBlock { invoke, .. }
            | Self::WithDataBlock { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::WithListAndFirstDataBlock { invoke, .. } => *invoke,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal {
                invoke,
                reference: AttributeReference::decode(reader)?,
                value: EncodedData::decode(reader)?,
            },
            2 => Self::WithFirstDataBlock {
                invoke,
                reference: AttributeReference::decode(reader)?,
                block: DataBlock::decode(reader)?,
            },
            3 => Self::WithDataBlock { invoke, block: DataBlock::decode(reader)? },
            4 => Self::WithList { invoke, references: List::decode(reader)?, values: List::decode(reader)? },
            5 => Self::WithListAndFirstDataBlock {
                invoke,
                references: List::decode(reader)?,
                block: DataBlock::decode(reader)?,
            },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, reference, value } => {
                writer.put_array(&[Self::TAG, 1, invoke.0]);
                reference.encode(writer);
                writer.encoded(*value);
            }
            Self::WithFirstDataBlock { invoke, reference, block } => {
                writer.put_array(&[Self::TAG, 2, invoke.0]);
                reference.encode(writer);
                block.encode(writer);
            }
            Self::WithDataBlock { invoke, block } => {
                writer.put_array(&[Self::TAG, 3, invoke.0]);
                block.encode(writer);
            }
            Self::WithList { invoke, references, values } => {
                writer.put_array(&[Self::TAG, 4, invoke.0]);
                references.encode(writer);
                values.encode(writer);
            }
            Self::WithListAndFirstDataBlock { invoke, references, block } => {
                writer.put_array(&[Self::TAG, 5, invoke.0]);
                references.encode(writer);
                block.encode(writer);
            }
        }
    }
}

/// SET.response.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their types say")]
pub enum SetResponse<'a> {
    /// Of one attribute.
    Normal { invoke: InvokeIdAndPriority, result: DataAccessResult },
    /// A block was taken.
    DataBlock { invoke: InvokeIdAndPriority, number: u32 },
    /// The last block was taken, or the transfer ends here.
    LastDataBlock { invoke: InvokeIdAndPriority, result: DataAccessResult, number: u32 },
    /// The last block of a list was taken, or the transfer ends here.
    LastDataBlockWithList { invoke: InvokeIdAndPriority, results: List<'a, DataAccessResult>, number: u32 },
    /// Of several attributes.
    WithList { invoke: InvokeIdAndPriority, results: List<'a, DataAccessResult> },
}

impl<'a> SetResponse<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC5;

    /// That of the request.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. }
            | Self::DataBlock { invoke, .. }
            | Self::LastDataBlock { invoke, .. }
            | Self::LastDataBlockWithList { invoke, .. }
            | Self::WithList { invoke, .. } => *invoke,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal { invoke, result: DataAccessResult::decode(reader)? },
            2 => Self::DataBlock { invoke, number: reader.u32()? },
            3 => Self::LastDataBlock { invoke, result: DataAccessResult::decode(reader)?, number: reader.u32()? },
            4 => Self::LastDataBlockWithList { invoke, results: List::decode(reader)?, number: reader.u32()? },
            5 => Self::WithList { invoke, results: List::decode(reader)? },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, result } => writer.put_array(&[Self::TAG, 1, invoke.0, result.0]),
            Self::DataBlock { invoke, number } => {
                writer.put_array(&[Self::TAG, 2, invoke.0]);
                writer.u32(*number);
            }
            Self::LastDataBlock { invoke, result, number } => {
                writer.put_array(&[Self::TAG, 3, invoke.0, result.0]);
                writer.u32(*number);
            }
            Self::LastDataBlockWithList { invoke, results, number } => {
                writer.put_array(&[Self::TAG, 4, invoke.0]);
                results.encode(writer);
                writer.u32(*number);
            }
            Self::WithList { invoke, results } => {
                writer.put_array(&[Self::TAG, 5, invoke.0]);
                results.encode(writer);
            }
        }
    }
}
