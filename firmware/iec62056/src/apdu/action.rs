use super::{ActionResult, DataBlock, GetResult, InvokeIdAndPriority, Item, List, MethodDescriptor};
use crate::data::EncodedData;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// ACTION.request.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their types say")]
pub enum ActionRequest<'a> {
    /// One method.
    Normal { invoke: InvokeIdAndPriority, method: MethodDescriptor, parameter: Option<EncodedData<'a>> },
    /// The next block of the answer; the number is that of the block just received.
    NextBlock { invoke: InvokeIdAndPriority, number: u32 },
    /// Several methods.
    WithList { invoke: InvokeIdAndPriority, methods: List<'a, MethodDescriptor>, parameters: List<'a, EncodedData<'a>> },
    /// One method, the parameter in blocks, this being the first.
    WithFirstBlock { invoke: InvokeIdAndPriority, method: MethodDescriptor, block: DataBlock<'a> },
    /// Several methods, the list of parameters in blocks, this being the first.
    WithListAndFirstBlock { invoke: InvokeIdAndPriority, methods: List<'a, MethodDescriptor>, block: DataBlock<'a> },
    /// The following blocks.
    WithBlock { invoke: InvokeIdAndPriority, block: DataBlock<'a> },
}

impl<'a> ActionRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC3;

    /// Echoed in the response.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. }
            | Self::NextBlock { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::WithFirstBlock { invoke, .. }
            | Self::WithListAndFirstBlock { invoke, .. }
            | Self::WithBlock { invoke, .. } => *invoke,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal {
                invoke,
                method: MethodDescriptor::decode(reader)?,
                parameter: if reader.present()? { Some(EncodedData::decode(reader)?) } else { None },
            },
            2 => Self::NextBlock { invoke, number: reader.u32()? },
            3 => Self::WithList { invoke, methods: List::decode(reader)?, parameters: List::decode(reader)? },
            4 => Self::WithFirstBlock {
                invoke,
                method: MethodDescriptor::decode(reader)?,
                block: DataBlock::decode(reader)?,
            },
            5 => Self::WithListAndFirstBlock {
                invoke,
                methods: List::decode(reader)?,
                block: DataBlock::decode(reader)?,
            },
            6 => Self::WithBlock { invoke, block: DataBlock::decode(reader)? },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, method, parameter } => {
                writer.put_array(&[Self::TAG, 1, invoke.0]);
                method.encode(writer);
                writer.flag(parameter.is_some());
                if let Some(parameter) = parameter {
                    writer.encoded(*parameter);
                }
            }
            Self::NextBlock { invoke, number } => {
                writer.put_array(&[Self::TAG, 2, invoke.0]);
                writer.u32(*number);
            }
            Self::WithList { invoke, methods, parameters } => {
                writer.put_array(&[Self::TAG, 3, invoke.0]);
                methods.encode(writer);
                parameters.encode(writer);
            }
            Self::WithFirstBlock { invoke, method, block } => {
                writer.put_array(&[Self::TAG, 4, invoke.0]);
                method.encode(writer);
                block.encode(writer);
            }
            Self::WithListAndFirstBlock { invoke, methods, block } => {
                writer.put_array(&[Self::TAG, 5, invoke.0]);
                methods.encode(writer);
                block.encode(writer);
            }
            Self::WithBlock { invoke, block } => {
                writer.put_array(&[Self::TAG, 6, invoke.0]);
                block.encode(writer);
            }
        }
    }
}

/// What became of a method, and what it returned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActionOutcome<'a> {
    /// Success, or why not.
    pub result: ActionResult,
    /// What the method returned.
    pub returned: Option<GetResult<'a>>,
}

impl<'a> From<ActionResult> for ActionOutcome<'a> {
    fn from(result: ActionResult) -> Self {
        Self { result, returned: None }
    }
}

impl<'a> Item<'a> for ActionOutcome<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            result: ActionResult::decode(reader)?,
            returned: if reader.present()? { Some(GetResult::decode(reader)?) } else { None },
        })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        self.result.encode(writer);
        writer.flag(self.returned.is_some());
        if let Some(returned) = &self.returned {
            returned.encode(writer);
        }
    }
}

/// ACTION.response.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their types say")]
pub enum ActionResponse<'a> {
    /// Of one method.
    Normal { invoke: InvokeIdAndPriority, outcome: ActionOutcome<'a> },
    /// A block of the answer.
    WithBlock { invoke: InvokeIdAndPriority, block: DataBlock<'a> },
    /// Of several methods.
    WithList { invoke: InvokeIdAndPriority, outcomes: List<'a, ActionOutcome<'a>> },
    /// A block of the parameter was taken.
    NextBlock { invoke: InvokeIdAndPriority, number: u32 },
}

impl<'a> ActionResponse<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC7;

    /// That of the request.
    pub const fn invoke(&self) -> InvokeIdAndPriority {
        match self {
            Self::Normal { invoke, .. }
            | Self::WithBlock { invoke, .. }
            | Self::WithList { invoke, .. }
            | Self::NextBlock { invoke, .. } => *invoke,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let choice = reader.u8()?;
        let unknown = reader.error_behind(DecodeErrorKind::Choice(choice));
        let invoke = InvokeIdAndPriority(reader.u8()?);
        Ok(match choice {
            1 => Self::Normal { invoke, outcome: ActionOutcome::decode(reader)? },
            2 => Self::WithBlock { invoke, block: DataBlock::decode(reader)? },
            3 => Self::WithList { invoke, outcomes: List::decode(reader)? },
            4 => Self::NextBlock { invoke, number: reader.u32()? },
            _ => return Err(unknown),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Normal { invoke, outcome } => {
                writer.put_array(&[Self::TAG, 1, invoke.0]);
                outcome.encode(writer);
            }
            Self::WithBlock { invoke, block } => {
                writer.put_array(&[Self::TAG, 2, invoke.0]);
                block.encode(writer);
            }
            Self::WithList { invoke, outcomes } => {
                writer.put_array(&[Self::TAG, 3, invoke.0]);
                outcomes.encode(writer);
            }
            Self::NextBlock { invoke, number } => {
                writer.put_array(&[Self::TAG, 4, invoke.0]);
                writer.u32(*number);
            }
        }
    }
}
