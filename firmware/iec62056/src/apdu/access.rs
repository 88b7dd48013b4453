use super::{
    ActionResult, AttributeDescriptor, DataAccessResult, Item, List, LongInvokeIdAndPriority, MethodDescriptor,
    SelectiveAccess,
};
use crate::data::EncodedData;
use crate::date_time::DateTime;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// What one entry of an ACCESS request does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AccessSpecification<'a> {
    /// Reads an attribute.
    Get(AttributeDescriptor),
    /// Writes an attribute.
    Set(AttributeDescriptor),
    /// Invokes a method.
    Action(MethodDescriptor),
    /// Reads a part of an attribute.
    GetWithSelection(AttributeDescriptor, SelectiveAccess<'a>),
    /// Writes a part of an attribute.
    SetWithSelection(AttributeDescriptor, SelectiveAccess<'a>),
}

impl<'a> Item<'a> for AccessSpecification<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Get(Item::decode(reader)?),
            2 => Self::Set(Item::decode(reader)?),
            3 => Self::Action(Item::decode(reader)?),
            4 => Self::GetWithSelection(Item::decode(reader)?, SelectiveAccess::decode(reader)?),
            5 => Self::SetWithSelection(Item::decode(reader)?, SelectiveAccess::decode(reader)?),
            other => return Err(reader.error_behind(DecodeErrorKind::Choice(other))),
        })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(match self {
            Self::Get(_) => 1,
            Self::Set(_) => 2,
            Self::Action(_) => 3,
            Self::GetWithSelection(..) => 4,
            Self::SetWithSelection(..) => 5,
        });
        match self {
            Self::Get(attribute) | Self::Set(attribute) => attribute.encode(writer),
            Self::Action(method) => method.encode(writer),
            Self::GetWithSelection(attribute, access) | Self::SetWithSelection(attribute, access) => {
                attribute.encode(writer);
                access.encode(writer);
            }
        }
    }
}

/// What became of one entry of an ACCESS request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessResult {
    /// Of reading.
    Get(DataAccessResult),
    /// Of writing.
    Set(DataAccessResult),
    /// Of a method.
    Action(ActionResult),
}

impl Item<'_> for AccessResult {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Get(DataAccessResult::decode(reader)?),
            2 => Self::Set(DataAccessResult::decode(reader)?),
            3 => Self::Action(ActionResult::decode(reader)?),
            other => return Err(reader.error_behind(DecodeErrorKind::Choice(other))),
        })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.put_array(&match self {
            Self::Get(result) => [1, result.0],
            Self::Set(result) => [2, result.0],
            Self::Action(result) => [3, result.0],
        });
    }
}

fn put_head(writer: &mut Writer<'_>, tag: u8, invoke: LongInvokeIdAndPriority, time: Option<DateTime>) {
    writer.u8(tag);
    writer.u32(invoke.0);
    match time {
        Some(time) => writer.octet_string(&time.to_octets()),
        None => writer.u8(0),
    }
}

/// access-request: reads, writes and methods in one APDU, each with its data (null-data where it has none).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccessRequest<'a> {
    /// Echoed in the response.
    pub invoke: LongInvokeIdAndPriority,
    /// When it was sent.
    pub time: Option<DateTime>,
    /// What is to be done.
    pub specifications: List<'a, AccessSpecification<'a>>,
    /// The data of each.
    pub data: List<'a, EncodedData<'a>>,
}

impl<'a> AccessRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xD9;

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            invoke: LongInvokeIdAndPriority(reader.u32()?),
            time: DateTime::decode_optional(reader)?,
            specifications: List::decode(reader)?,
            data: List::decode(reader)?,
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        put_head(writer, Self::TAG, self.invoke, self.time);
        self.specifications.encode(writer);
        self.data.encode(writer);
    }
}

/// access-response: the data of each entry and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccessResponse<'a> {
    /// That of the request.
    pub invoke: LongInvokeIdAndPriority,
    /// When it was sent.
    pub time: Option<DateTime>,
    /// What was to be done, when the request wanted it said again.
    pub specifications: Option<List<'a, AccessSpecification<'a>>>,
    /// The data of each.
    pub data: List<'a, EncodedData<'a>>,
    /// What became of each.
    pub results: List<'a, AccessResult>,
}

impl<'a> AccessResponse<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xDA;

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            invoke: LongInvokeIdAndPriority(reader.u32()?),
            time: DateTime::decode_optional(reader)?,
            specifications: if reader.present()? { Some(List::decode(reader)?) } else { None },
            data: List::decode(reader)?,
            results: List::decode(reader)?,
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        put_head(writer, Self::TAG, self.invoke, self.time);
        writer.flag(self.specifications.is_some());
        if let Some(specifications) = &self.specifications {
            specifications.encode(writer);
        }
        self.data.encode(writer);
        self.results.encode(writer);
    }
}
