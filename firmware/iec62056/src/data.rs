//! COSEM data: every value of an attribute or a parameter, in A-XDR.
//!
//! Three ways lead through the octets. [`Reader`] has a method for each type, for those who know what must come.
//! [`Data::decode`] takes what comes, without copying; sequences are iterated. [`EncodedData`] is one value that was
//! checked to its last octet and is carried on unopened.
//!
//! Source: IEC 62056-5-3 and -6-2; the delta types are recalled and marked so.

mod compact;
mod read;
mod sequence;
mod skip;
mod write;

pub use compact::CompactArray;
pub use sequence::{Elements, EncodedData, Sequence};
pub use skip::{MAXIMUM_DEPTH, skip};

use crate::date_time::{Date, DateTime, Time};
use crate::octets::{DecodeError, DecodeErrorKind, Reader};

/// The tags of the types.
#[allow(missing_docs, reason = "the names are those of the variants of `Data`")]
pub mod tag {
    pub const NULL_DATA: u8 = 0;
    pub const ARRAY: u8 = 1;
    pub const STRUCTURE: u8 = 2;
    pub const BOOLEAN: u8 = 3;
    pub const BIT_STRING: u8 = 4;
    pub const DOUBLE_LONG: u8 = 5;
    pub const DOUBLE_LONG_UNSIGNED: u8 = 6;
    pub const OCTET_STRING: u8 = 9;
    pub const VISIBLE_STRING: u8 = 10;
    pub const UTF8_STRING: u8 = 12;
    pub const BCD: u8 = 13;
    pub const INTEGER: u8 = 15;
    pub const LONG: u8 = 16;
    pub const UNSIGNED: u8 = 17;
    pub const LONG_UNSIGNED: u8 = 18;
    pub const COMPACT_ARRAY: u8 = 19;
    pub const LONG64: u8 = 20;
    pub const LONG64_UNSIGNED: u8 = 21;
    pub const ENUM: u8 = 22;
    pub const FLOAT32: u8 = 23;
    pub const FLOAT64: u8 = 24;
    pub const DATE_TIME: u8 = 25;
    pub const DATE: u8 = 26;
    pub const TIME: u8 = 27;
    pub const DELTA_INTEGER: u8 = 28;
    pub const DELTA_LONG: u8 = 29;
    pub const DELTA_DOUBLE_LONG: u8 = 30;
    pub const DELTA_UNSIGNED: u8 = 31;
    pub const DELTA_LONG_UNSIGNED: u8 = 32;
    pub const DELTA_DOUBLE_LONG_UNSIGNED: u8 = 33;
    pub const DONT_CARE: u8 = 255;
}

/// One value, borrowed from the octets it was read from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Data<'a> {
    /// Nothing; in a compressed profile: what the row before says.
    NullData,
    /// Values of one type.
    Array(Sequence<'a>),
    /// Values of several types.
    Structure(Sequence<'a>),
    /// True or false. On the wire every octet but 00 is true.
    Boolean(bool),
    /// Bits, the first in the most significant place.
    BitString(BitString<'a>),
    /// Four octets, signed.
    DoubleLong(i32),
    /// Four octets.
    DoubleLongUnsigned(u32),
    /// Octets.
    OctetString(&'a [u8]),
    /// ASCII; not checked here.
    VisibleString(&'a [u8]),
    /// UTF-8; not checked here.
    Utf8String(&'a [u8]),
    /// Binary coded decimal, one octet.
    Bcd(u8),
    /// One octet, signed.
    Integer(i8),
    /// Two octets, signed.
    Long(i16),
    /// One octet.
    Unsigned(u8),
    /// Two octets.
    LongUnsigned(u16),
    /// An array that says its type once.
    CompactArray(CompactArray<'a>),
    /// Eight octets, signed.
    Long64(i64),
    /// Eight octets.
    Long64Unsigned(u64),
    /// A choice of a list.
    Enum(u8),
    /// Four octets, floating point.
    Float32(f32),
    /// Eight octets, floating point.
    Float64(f64),
    /// Date and time.
    DateTime(DateTime),
    /// A date.
    Date(Date),
    /// A time.
    Time(Time),
    /// Difference to the row before, one octet, signed. Recalled.
    DeltaInteger(i8),
    /// Difference to the row before, two octets, signed. Recalled.
    DeltaLong(i16),
    /// Difference to the row before, four octets, signed. Recalled.
    DeltaDoubleLong(i32),
    /// Difference to the row before, one octet. Recalled.
    DeltaUnsigned(u8),
    /// Difference to the row before, two octets. Recalled.
    DeltaLongUnsigned(u16),
    /// Difference to the row before, four octets. Recalled.
    DeltaDoubleLongUnsigned(u32),
    /// Anything will do.
    DontCare,
}

/// Bits with their octets as on the wire; what the unused bits of the last octet say is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitString<'a> {
    bits: usize,
    octets: &'a [u8],
}

impl<'a> BitString<'a> {
    /// The first `bits` bits of these octets; `None` where there are too few or too many octets.
    pub fn new(bits: usize, octets: &'a [u8]) -> Option<Self> {
        (bits.div_ceil(8) == octets.len()).then_some(Self { bits, octets })
    }

    /// The number of bits.
    pub const fn bits(&self) -> usize {
        self.bits
    }

    /// The octets.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// One bit, the first being 0.
    pub fn bit(&self, index: usize) -> Option<bool> {
        let octet = self.octets.get(index / 8).filter(|_| index < self.bits)?;
        Some(octet & (0x80 >> (index % 8)) != 0)
    }
}

impl<'a> Data<'a> {
    /// Reads one value. An array or structure is checked to its end before it is returned.
    #[inline]
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let type_tag = reader.u8()?;
        Self::decode_content(type_tag, reader)
    }

    /// Reads the value behind its tag.
    #[inline]
    pub(crate) fn decode_content(type_tag: u8, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match type_tag {
            tag::NULL_DATA => Self::NullData,
            tag::ARRAY => Self::Array(Sequence::decode(reader)?),
            tag::STRUCTURE => Self::Structure(Sequence::decode(reader)?),
            tag::BOOLEAN => Self::Boolean(reader.flag()?),
            tag::BIT_STRING => Self::BitString(bit_string(reader)?),
            tag::DOUBLE_LONG => Self::DoubleLong(i32::from_be_bytes(*reader.array()?)),
            tag::DOUBLE_LONG_UNSIGNED => Self::DoubleLongUnsigned(reader.u32()?),
            tag::OCTET_STRING => Self::OctetString(reader.octet_string()?),
            tag::VISIBLE_STRING => Self::VisibleString(reader.octet_string()?),
            tag::UTF8_STRING => Self::Utf8String(reader.octet_string()?),
            tag::BCD => Self::Bcd(reader.u8()?),
            tag::INTEGER => Self::Integer(i8::from_be_bytes(*reader.array()?)),
            tag::LONG => Self::Long(i16::from_be_bytes(*reader.array()?)),
            tag::UNSIGNED => Self::Unsigned(reader.u8()?),
            tag::LONG_UNSIGNED => Self::LongUnsigned(reader.u16()?),
            tag::COMPACT_ARRAY => Self::CompactArray(CompactArray::decode(reader)?),
            tag::LONG64 => Self::Long64(i64::from_be_bytes(*reader.array()?)),
            tag::LONG64_UNSIGNED => Self::Long64Unsigned(u64::from_be_bytes(*reader.array()?)),
            tag::ENUM => Self::Enum(reader.u8()?),
            tag::FLOAT32 => Self::Float32(f32::from_be_bytes(*reader.array()?)),
            tag::FLOAT64 => Self::Float64(f64::from_be_bytes(*reader.array()?)),
            tag::DATE_TIME => Self::DateTime(DateTime::from_octets(*reader.array()?)),
            tag::DATE => Self::Date(Date::from_octets(*reader.array()?)),
            tag::TIME => Self::Time(Time::from_octets(*reader.array()?)),
            tag::DELTA_INTEGER => Self::DeltaInteger(i8::from_be_bytes(*reader.array()?)),
            tag::DELTA_LONG => Self::DeltaLong(i16::from_be_bytes(*reader.array()?)),
            tag::DELTA_DOUBLE_LONG => Self::DeltaDoubleLong(i32::from_be_bytes(*reader.array()?)),
            tag::DELTA_UNSIGNED => Self::DeltaUnsigned(reader.u8()?),
            tag::DELTA_LONG_UNSIGNED => Self::DeltaLongUnsigned(reader.u16()?),
            tag::DELTA_DOUBLE_LONG_UNSIGNED => Self::DeltaDoubleLongUnsigned(reader.u32()?),
            tag::DONT_CARE => Self::DontCare,
            other => return Err(reader.error_behind(DecodeErrorKind::Tag(other))),
        })
    }

    /// The tag of the type.
    pub const fn tag(&self) -> u8 {
        match self {
            Self::NullData => tag::NULL_DATA,
            Self::Array(_) => tag::ARRAY,
            Self::Structure(_) => tag::STRUCTURE,
            Self::Boolean(_) => tag::BOOLEAN,
            Self::BitString(_) => tag::BIT_STRING,
            Self::DoubleLong(_) => tag::DOUBLE_LONG,
            Self::DoubleLongUnsigned(_) => tag::DOUBLE_LONG_UNSIGNED,
            Self::OctetString(_) => tag::OCTET_STRING,
            Self::VisibleString(_) => tag::VISIBLE_STRING,
            Self::Utf8String(_) => tag::UTF8_STRING,
            Self::Bcd(_) => tag::BCD,
            Self::Integer(_) => tag::INTEGER,
            Self::Long(_) => tag::LONG,
            Self::Unsigned(_) => tag::UNSIGNED,
            Self::LongUnsigned(_) => tag::LONG_UNSIGNED,
            Self::CompactArray(_) => tag::COMPACT_ARRAY,
            Self::Long64(_) => tag::LONG64,
            Self::Long64Unsigned(_) => tag::LONG64_UNSIGNED,
            Self::Enum(_) => tag::ENUM,
            Self::Float32(_) => tag::FLOAT32,
            Self::Float64(_) => tag::FLOAT64,
            Self::DateTime(_) => tag::DATE_TIME,
            Self::Date(_) => tag::DATE,
            Self::Time(_) => tag::TIME,
            Self::DeltaInteger(_) => tag::DELTA_INTEGER,
            Self::DeltaLong(_) => tag::DELTA_LONG,
            Self::DeltaDoubleLong(_) => tag::DELTA_DOUBLE_LONG,
            Self::DeltaUnsigned(_) => tag::DELTA_UNSIGNED,
            Self::DeltaLongUnsigned(_) => tag::DELTA_LONG_UNSIGNED,
            Self::DeltaDoubleLongUnsigned(_) => tag::DELTA_DOUBLE_LONG_UNSIGNED,
            Self::DontCare => tag::DONT_CARE,
        }
    }

    /// Any integer type or enumeration as one signed type; `None` for all else.
    pub const fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::Integer(value) | Self::DeltaInteger(value) => value as i128,
            Self::Long(value) | Self::DeltaLong(value) => value as i128,
            Self::DoubleLong(value) | Self::DeltaDoubleLong(value) => value as i128,
            Self::Long64(value) => value as i128,
            Self::Unsigned(value) | Self::DeltaUnsigned(value) | Self::Enum(value) | Self::Bcd(value) => value as i128,
            Self::LongUnsigned(value) | Self::DeltaLongUnsigned(value) => value as i128,
            Self::DoubleLongUnsigned(value) | Self::DeltaDoubleLongUnsigned(value) => value as i128,
            Self::Long64Unsigned(value) => value as i128,
            _ => return None,
        })
    }

    /// The octets of any string of octets or characters.
    pub const fn octets(&self) -> Option<&'a [u8]> {
        match self {
            Self::OctetString(octets) | Self::VisibleString(octets) | Self::Utf8String(octets) => Some(octets),
            _ => None,
        }
    }

    /// The elements of an array or structure.
    pub const fn sequence(&self) -> Option<Sequence<'a>> {
        match self {
            Self::Array(sequence) | Self::Structure(sequence) => Some(*sequence),
            _ => None,
        }
    }

    /// Date and time, in their own type or in an octet string of twelve.
    pub fn date_time(&self) -> Option<DateTime> {
        match self {
            Self::DateTime(date_time) => Some(*date_time),
            Self::OctetString(octets) => DateTime::from_slice(octets),
            _ => None,
        }
    }
}

/// A bit string behind its tag: the number of bits, then the octets.
pub(crate) fn bit_string<'a>(reader: &mut Reader<'a>) -> Result<BitString<'a>, DecodeError> {
    let bits = reader.length()?;
    Ok(BitString { bits, octets: reader.take(bits.div_ceil(8))? })
}
