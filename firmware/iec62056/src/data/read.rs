//! Reading values whose type is known: the reader demands the tag.

use super::{BitString, Data, bit_string, tag};
use crate::date_time::DateTime;
use crate::obis::Obis;
use crate::octets::{DecodeError, DecodeErrorKind, Reader};

macro_rules! scalars {
    ($($name:ident $tag:ident $type:ty;)*) => {$(
        #[doc = concat!("A value of this type, `", stringify!($type), "`.")]
        #[inline]
        pub fn $name(&mut self) -> Result<$type, DecodeError> {
            self.expect_type(tag::$tag)?;
            self.array().map(|octets| <$type>::from_be_bytes(*octets))
        }
    )*};
}

impl<'a> Reader<'a> {
    scalars! {
        integer INTEGER i8;
        long LONG i16;
        double_long DOUBLE_LONG i32;
        long64 LONG64 i64;
        unsigned UNSIGNED u8;
        long_unsigned LONG_UNSIGNED u16;
        double_long_unsigned DOUBLE_LONG_UNSIGNED u32;
        long64_unsigned LONG64_UNSIGNED u64;
        enumeration ENUM u8;
        float32 FLOAT32 f32;
        float64 FLOAT64 f64;
    }

    #[inline]
    fn expect_type(&mut self, type_tag: u8) -> Result<(), DecodeError> {
        match self.u8()? {
            found if found == type_tag => Ok(()),
            found => Err(self.error_behind(DecodeErrorKind::Type(found))),
        }
    }

    /// A boolean.
    #[inline]
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        self.expect_type(tag::BOOLEAN)?;
        self.flag()
    }

    /// The head of an array: how many elements follow.
    #[inline]
    pub fn array_of(&mut self) -> Result<usize, DecodeError> {
        self.expect_type(tag::ARRAY)?;
        self.length()
    }

    /// The head of a structure of `fields` elements.
    #[inline]
    pub fn structure_of(&mut self, fields: usize) -> Result<(), DecodeError> {
        self.expect_type(tag::STRUCTURE)?;
        match self.length()? {
            found if found == fields => Ok(()),
            _ => Err(self.error_behind(DecodeErrorKind::Value)),
        }
    }

    /// The content of an octet string.
    #[inline]
    pub fn octet_string_data(&mut self) -> Result<&'a [u8], DecodeError> {
        self.expect_type(tag::OCTET_STRING)?;
        self.octet_string()
    }

    /// The content of a visible string.
    #[inline]
    pub fn visible_string_data(&mut self) -> Result<&'a [u8], DecodeError> {
        self.expect_type(tag::VISIBLE_STRING)?;
        self.octet_string()
    }

    /// A bit string.
    pub fn bit_string_data(&mut self) -> Result<BitString<'a>, DecodeError> {
        self.expect_type(tag::BIT_STRING)?;
        bit_string(self)
    }

    /// An octet string of six: a logical name.
    pub fn logical_name(&mut self) -> Result<Obis, DecodeError> {
        let octets = self.octet_string_data()?;
        octets.try_into().map(Obis).map_err(|_| self.error_behind(DecodeErrorKind::Value))
    }

    /// Date and time, in their own type or in an octet string of twelve.
    #[inline]
    pub fn date_time(&mut self) -> Result<DateTime, DecodeError> {
        let octets = match self.u8()? {
            tag::DATE_TIME => self.take(DateTime::LENGTH)?,
            tag::OCTET_STRING => self.octet_string()?,
            found => return Err(self.error_behind(DecodeErrorKind::Type(found))),
        };
        DateTime::from_slice(octets).ok_or_else(|| self.error_behind(DecodeErrorKind::Value))
    }

    /// Whatever comes.
    #[inline]
    pub fn data(&mut self) -> Result<Data<'a>, DecodeError> {
        Data::decode(self)
    }
}
