use super::{Item, SelectiveAccess};
use crate::obis::Obis;
use crate::octets::{DecodeError, Reader, Writer};

/// Which request a response answers, and how it is to be treated. Echoed as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvokeIdAndPriority(pub u8);

impl InvokeIdAndPriority {
    /// A confirmed request; the identifier has four bits.
    pub const fn confirmed(id: u8, high_priority: bool) -> Self {
        Self((id & 0x0F) | 0x40 | (high_priority as u8) << 7)
    }

    /// The identifier.
    pub const fn id(self) -> u8 {
        self.0 & 0x0F
    }

    /// Whether a response is wanted.
    pub const fn is_confirmed(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Whether the request goes before others.
    pub const fn is_high_priority(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// The same in four octets: 24 bits of identifier, flags on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LongInvokeIdAndPriority(pub u32);

impl LongInvokeIdAndPriority {
    /// The identifier.
    pub const fn id(self) -> u32 {
        self.0 & 0x00FF_FFFF
    }

    /// Whether the response is to say the request again.
    pub const fn is_self_descriptive(self) -> bool {
        self.0 & 1 << 28 != 0
    }

    /// Whether the list ends at the first error.
    pub const fn breaks_on_error(self) -> bool {
        self.0 & 1 << 29 != 0
    }

    /// Whether a response is wanted.
    pub const fn is_confirmed(self) -> bool {
        self.0 & 1 << 30 != 0
    }

    /// Whether the request goes before others.
    pub const fn is_high_priority(self) -> bool {
        self.0 & 1 << 31 != 0
    }
}

macro_rules! codes {
    ($(#[$meta:meta])* $type:ident { $($name:ident $code:literal $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type(pub u8);

        impl $type {
            $(#[doc = $doc] pub const $name: Self = Self($code);)*

            /// Whether it is a success.
            pub const fn is_success(self) -> bool {
                self.0 == 0
            }
        }

        impl Item<'_> for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.u8().map(Self)
            }

            fn encode(&self, writer: &mut Writer<'_>) {
                writer.u8(self.0);
            }
        }
    };
}

codes! {
    /// What became of reading or writing an attribute.
    DataAccessResult {
        SUCCESS                    0 "Success.";
        HARDWARE_FAULT             1 "The hardware fails.";
        TEMPORARY_FAILURE          2 "Not now.";
        READ_WRITE_DENIED          3 "Not with these rights.";
        OBJECT_UNDEFINED           4 "No such object.";
        OBJECT_CLASS_INCONSISTENT  9 "The object is of another class.";
        OBJECT_UNAVAILABLE        11 "The object cannot be reached.";
        TYPE_UNMATCHED            12 "The value is of another type.";
        SCOPE_OF_ACCESS_VIOLATED  13 "Outside of what may be accessed.";
        DATA_BLOCK_UNAVAILABLE    14 "The block cannot be had.";
        LONG_GET_ABORTED          15 "The transfer in blocks was broken off.";
        NO_LONG_GET_IN_PROGRESS   16 "No transfer in blocks goes on.";
        LONG_SET_ABORTED          17 "The transfer in blocks was broken off.";
        NO_LONG_SET_IN_PROGRESS   18 "No transfer in blocks goes on.";
        DATA_BLOCK_NUMBER_INVALID 19 "Not the block that was due.";
        OTHER_REASON             250 "Another reason.";
    }
}

codes! {
    /// What became of a method.
    ActionResult {
        SUCCESS                    0 "Success.";
        HARDWARE_FAULT             1 "The hardware fails.";
        TEMPORARY_FAILURE          2 "Not now.";
        READ_WRITE_DENIED          3 "Not with these rights.";
        OBJECT_UNDEFINED           4 "No such object.";
        OBJECT_CLASS_INCONSISTENT  9 "The object is of another class.";
        OBJECT_UNAVAILABLE        11 "The object cannot be reached.";
        TYPE_UNMATCHED            12 "The parameter is of another type.";
        SCOPE_OF_ACCESS_VIOLATED  13 "Outside of what may be accessed.";
        DATA_BLOCK_UNAVAILABLE    14 "The block cannot be had.";
        LONG_ACTION_ABORTED       15 "The transfer in blocks was broken off.";
        NO_LONG_ACTION_IN_PROGRESS 16 "No transfer in blocks goes on.";
        OTHER_REASON             250 "Another reason.";
    }
}

/// An attribute of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttributeDescriptor {
    /// The interface class.
    pub class: u16,
    /// The logical name.
    pub name: Obis,
    /// The attribute; 0 all of them.
    pub attribute: i8,
}

/// A method of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MethodDescriptor {
    /// The interface class.
    pub class: u16,
    /// The logical name.
    pub name: Obis,
    /// The method.
    pub method: i8,
}

/// An attribute, or the part of it that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeReference<'a> {
    /// The attribute.
    pub attribute: AttributeDescriptor,
    /// Which part of it.
    pub access: Option<SelectiveAccess<'a>>,
}

impl<'a> From<AttributeDescriptor> for AttributeReference<'a> {
    fn from(attribute: AttributeDescriptor) -> Self {
        Self { attribute, access: None }
    }
}

fn descriptor(reader: &mut Reader<'_>) -> Result<(u16, Obis, i8), DecodeError> {
    let [c1, c2, a, b, c, d, e, f, index] = *reader.array()?;
    Ok((u16::from_be_bytes([c1, c2]), Obis([a, b, c, d, e, f]), index as i8))
}

fn put_descriptor(writer: &mut Writer<'_>, class: u16, name: Obis, index: i8) {
    writer.u16(class);
    writer.put_array(&name.0);
    writer.u8(index as u8);
}

impl Item<'_> for AttributeDescriptor {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        descriptor(reader).map(|(class, name, attribute)| Self { class, name, attribute })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        put_descriptor(writer, self.class, self.name, self.attribute);
    }
}

impl Item<'_> for MethodDescriptor {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        descriptor(reader).map(|(class, name, method)| Self { class, name, method })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        put_descriptor(writer, self.class, self.name, self.method);
    }
}

impl<'a> Item<'a> for AttributeReference<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let attribute = AttributeDescriptor::decode(reader)?;
        let access = if reader.present()? { Some(SelectiveAccess::decode(reader)?) } else { None };
        Ok(Self { attribute, access })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        self.attribute.encode(writer);
        writer.flag(self.access.is_some());
        if let Some(access) = &self.access {
            access.encode(writer);
        }
    }
}

/// A piece of something encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataBlock<'a> {
    /// Whether it is the last piece.
    pub last: bool,
    /// The number of the piece, from 1.
    pub number: u32,
    /// The piece.
    pub raw: &'a [u8],
}

impl<'a> Item<'a> for DataBlock<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self { last: reader.flag()?, number: reader.u32()?, raw: reader.octet_string()? })
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.flag(self.last);
        writer.u32(self.number);
        writer.octet_string(self.raw);
    }
}
