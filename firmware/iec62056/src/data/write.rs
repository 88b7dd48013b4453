//! Writing values, each with its tag.

use super::{BitString, CompactArray, Data, EncodedData, tag};
use crate::date_time::DateTime;
use crate::obis::Obis;
use crate::octets::Writer;

macro_rules! scalars {
    ($($name:ident $tag:ident $type:ty;)*) => {$(
        #[doc = concat!("A value of this type, `", stringify!($type), "`.")]
        #[inline]
        pub fn $name(&mut self, value: $type) {
            self.put_tagged(tag::$tag, &value.to_be_bytes());
        }
    )*};
}

impl Writer<'_> {
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

    /// Null-data.
    #[inline]
    pub fn null_data(&mut self) {
        self.u8(tag::NULL_DATA);
    }

    /// A boolean.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.put_array(&[tag::BOOLEAN, u8::from(value)]);
    }

    /// The head of an array of so many elements, which follow.
    #[inline]
    pub fn array(&mut self, count: usize) {
        self.sequence(tag::ARRAY, count);
    }

    /// The head of a structure of so many elements, which follow.
    #[inline]
    pub fn structure(&mut self, count: usize) {
        self.sequence(tag::STRUCTURE, count);
    }

    #[inline]
    fn sequence(&mut self, type_tag: u8, count: usize) {
        if count < 0x80 {
            self.put_array(&[type_tag, count as u8]);
        } else {
            self.u8(type_tag);
            self.length(count);
        }
    }

    /// An octet string.
    #[inline]
    pub fn octet_string_data(&mut self, octets: &[u8]) {
        self.sequence(tag::OCTET_STRING, octets.len());
        self.put(octets);
    }

    /// A visible string.
    pub fn visible_string_data(&mut self, text: &[u8]) {
        self.sequence(tag::VISIBLE_STRING, text.len());
        self.put(text);
    }

    /// A UTF-8 string.
    pub fn utf8_string_data(&mut self, text: &str) {
        self.sequence(tag::UTF8_STRING, text.len());
        self.put(text.as_bytes());
    }

    /// A bit string.
    pub fn bit_string_data(&mut self, bits: BitString<'_>) {
        self.sequence(tag::BIT_STRING, bits.bits());
        self.put(bits.octets());
    }

    /// A compact array.
    pub fn compact_array(&mut self, array: &CompactArray<'_>) {
        self.u8(tag::COMPACT_ARRAY);
        self.put(array.description());
        self.octet_string(array.contents());
    }

    /// A logical name: an octet string of six.
    #[inline]
    pub fn logical_name(&mut self, name: Obis) {
        let [a, b, c, d, e, f] = name.0;
        self.put_array(&[tag::OCTET_STRING, 6, a, b, c, d, e, f]);
    }

    /// Date and time as an octet string of twelve, the form of most attributes.
    #[inline]
    pub fn date_time_octets(&mut self, date_time: DateTime) {
        let mut piece = [tag::OCTET_STRING, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        piece[2..].copy_from_slice(&date_time.to_octets());
        self.put_array(&piece);
    }

    /// A value that is already encoded.
    #[inline]
    pub fn encoded(&mut self, data: EncodedData<'_>) {
        self.put(data.octets());
    }

    /// Any value.
    #[inline]
    pub fn data(&mut self, data: &Data<'_>) {
        match *data {
            Data::NullData | Data::DontCare => self.u8(data.tag()),
            Data::Array(sequence) | Data::Structure(sequence) => {
                self.sequence(data.tag(), sequence.len());
                self.put(sequence.octets());
            }
            Data::Boolean(value) => self.boolean(value),
            Data::BitString(bits) => self.bit_string_data(bits),
            Data::OctetString(octets) | Data::VisibleString(octets) | Data::Utf8String(octets) => {
                self.sequence(data.tag(), octets.len());
                self.put(octets);
            }
            Data::CompactArray(array) => self.compact_array(&array),
            Data::Bcd(value) | Data::Unsigned(value) | Data::Enum(value) | Data::DeltaUnsigned(value) => {
                self.put_array(&[data.tag(), value]);
            }
            Data::Integer(value) | Data::DeltaInteger(value) => self.put_tagged(data.tag(), &value.to_be_bytes()),
            Data::Long(value) | Data::DeltaLong(value) => self.put_tagged(data.tag(), &value.to_be_bytes()),
            Data::LongUnsigned(value) | Data::DeltaLongUnsigned(value) => {
                self.put_tagged(data.tag(), &value.to_be_bytes());
            }
            Data::DoubleLong(value) | Data::DeltaDoubleLong(value) => self.put_tagged(data.tag(), &value.to_be_bytes()),
            Data::DoubleLongUnsigned(value) | Data::DeltaDoubleLongUnsigned(value) => {
                self.put_tagged(data.tag(), &value.to_be_bytes());
            }
            Data::Long64(value) => self.long64(value),
            Data::Long64Unsigned(value) => self.long64_unsigned(value),
            Data::Float32(value) => self.float32(value),
            Data::Float64(value) => self.float64(value),
            Data::DateTime(value) => self.put_tagged(tag::DATE_TIME, &value.to_octets()),
            Data::Date(value) => self.put_tagged(tag::DATE, &value.to_octets()),
            Data::Time(value) => self.put_tagged(tag::TIME, &value.to_octets()),
        }
    }
}
