use super::{AttributeDescriptor, Item, LongInvokeIdAndPriority};
use crate::data::EncodedData;
use crate::date_time::DateTime;
use crate::octets::{DecodeError, Reader, Writer};

/// EventNotification: the server says an attribute unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventNotification<'a> {
    /// When it happened. The inner `None` is an octet string of length zero.
    pub time: Option<Option<DateTime>>,
    /// The attribute.
    pub attribute: AttributeDescriptor,
    /// Its value.
    pub value: EncodedData<'a>,
}

fn put_time(writer: &mut Writer<'_>, time: Option<DateTime>) {
    match time {
        Some(time) => writer.octet_string(&time.to_octets()),
        None => writer.u8(0),
    }
}

impl<'a> EventNotification<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xC2;

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            time: if reader.present()? { Some(DateTime::decode_optional(reader)?) } else { None },
            attribute: AttributeDescriptor::decode(reader)?,
            value: EncodedData::decode(reader)?,
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(Self::TAG);
        writer.flag(self.time.is_some());
        if let Some(time) = self.time {
            put_time(writer, time);
        }
        self.attribute.encode(writer);
        writer.encoded(self.value);
    }
}

/// DataNotification: what a server pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataNotification<'a> {
    /// The number of the push.
    pub invoke: LongInvokeIdAndPriority,
    /// When it was pushed.
    pub time: Option<DateTime>,
    /// What is pushed.
    pub body: EncodedData<'a>,
}

impl<'a> DataNotification<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x0F;

    /// Writes what stands before the body: the body follows.
    pub fn begin(writer: &mut Writer<'_>, invoke: LongInvokeIdAndPriority, time: Option<DateTime>) {
        writer.u8(Self::TAG);
        writer.u32(invoke.0);
        put_time(writer, time);
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            invoke: LongInvokeIdAndPriority(reader.u32()?),
            time: DateTime::decode_optional(reader)?,
            body: EncodedData::decode(reader)?,
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        Self::begin(writer, self.invoke, self.time);
        writer.encoded(self.body);
    }
}
