use super::{Data, skip, skip::skip_elements, tag};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// The elements of an array or structure, checked and still encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence<'a> {
    count: usize,
    octets: &'a [u8],
}

impl<'a> Sequence<'a> {
    /// Reads the count and steps over the elements.
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.length()?;
        let start = reader.offset();
        skip_elements(reader, count, 1)?;
        Ok(Self { count, octets: reader.since(start) })
    }

    /// Elements that are already encoded, one after the other.
    pub fn from_octets(count: usize, octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        skip_elements(&mut reader, count, 1)?;
        reader.finish()?;
        Ok(Self { count, octets })
    }

    /// The number of elements.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The elements as on the wire.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The elements one by one.
    pub const fn iter(&self) -> Elements<'a> {
        Elements { remaining: self.count, reader: Reader::new(self.octets) }
    }

    /// A reader at the first element, for those who know the types.
    pub const fn reader(&self) -> Reader<'a> {
        Reader::new(self.octets)
    }
}

impl<'a> IntoIterator for Sequence<'a> {
    type Item = Data<'a>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Sequence<'a> {
    type Item = Data<'a>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

/// Iterator over the elements of a [`Sequence`].
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    remaining: usize,
    reader: Reader<'a>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Data<'a>;

    #[inline]
    fn next(&mut self) -> Option<Data<'a>> {
        self.remaining = self.remaining.checked_sub(1)?;
        // The elements were checked when the sequence was made.
        Data::decode(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

/// One value, checked to its last octet and still encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedData<'a>(&'a [u8]);

impl<'a> EncodedData<'a> {
    /// Null-data.
    pub const NULL: EncodedData<'static> = EncodedData(&[super::tag::NULL_DATA]);

    /// Checks that these octets are one value and nothing else.
    pub fn new(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let data = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(data)
    }

    /// Encodes one value into `out`. `None` when it does not fit.
    pub fn encode_into(data: &Data<'_>, out: &'a mut [u8]) -> Option<Self> {
        let mut writer = Writer::new(out);
        writer.data(data);
        let written = writer.finish().ok()?;
        out.get(..written).map(Self)
    }

    /// Reads one value.
    #[inline]
    pub fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        skip(reader)?;
        Ok(Self(reader.since(start)))
    }

    /// The octets.
    pub const fn octets(&self) -> &'a [u8] {
        self.0
    }

    /// A reader at the value, for those who know its type.
    pub const fn reader(&self) -> Reader<'a> {
        Reader::new(self.0)
    }

    /// The value.
    pub fn value(&self) -> Data<'a> {
        // Checked when this was made: nothing refuses it now, and a sequence ends where the octets end.
        let mut reader = self.reader();
        let sequence = |mut reader: Reader<'a>| Sequence { count: reader.length().unwrap_or(0), octets: reader.rest() };
        match reader.u8() {
            Ok(tag::ARRAY) => Data::Array(sequence(reader)),
            Ok(tag::STRUCTURE) => Data::Structure(sequence(reader)),
            Ok(scalar) => Data::decode_content(scalar, &mut reader).unwrap_or(Data::NullData),
            Err(_) => Data::NullData,
        }
    }

    /// What `read` makes of the value, when it takes all of it.
    pub fn read<T>(&self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        let mut reader = self.reader();
        let value = read(&mut reader)?;
        if reader.is_empty() { Ok(value) } else { Err(reader.error(DecodeErrorKind::LeftOver)) }
    }
}
