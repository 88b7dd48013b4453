use core::fmt;

use crate::data::EncodedData;
use crate::octets::{DecodeError, Reader, Writer};

/// Something that stands in a list of a service.
pub trait Item<'a>: Copy {
    /// Reads one.
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;
    /// Writes one.
    fn encode(&self, writer: &mut Writer<'_>);
}

/// A list, either as it came or of items to send.
#[derive(Clone, Copy)]
pub struct List<'a, T>(Source<'a, T>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    /// Checked item by item when it was read.
    Encoded {
        count: usize,
        octets: &'a [u8],
    },
    Items(&'a [T]),
}

impl<'a, T: Item<'a>> List<'a, T> {
    /// A list of items to send.
    pub const fn new(items: &'a [T]) -> Self {
        Self(Source::Items(items))
    }

    /// The number of items.
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Encoded { count, .. } => count,
            Source::Items(items) => items.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items one by one.
    pub const fn iter(&self) -> Items<'a, T> {
        Items(match self.0 {
            Source::Encoded { count, octets } => Source::Encoded { count, octets },
            Source::Items(items) => Source::Items(items),
        })
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.length()?;
        let start = reader.offset();
        for _ in 0..count {
            T::decode(reader)?;
        }
        Ok(Self(Source::Encoded { count, octets: reader.since(start) }))
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) {
        writer.length(self.len());
        match self.0 {
            Source::Encoded { octets, .. } => writer.put(octets),
            Source::Items(items) => items.iter().for_each(|item| item.encode(writer)),
        }
    }
}

/// Iterator over a [`List`].
#[derive(Clone)]
pub struct Items<'a, T>(Source<'a, T>);

impl<'a, T: Item<'a>> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            Source::Encoded { count, octets } => {
                *count = count.checked_sub(1)?;
                let mut reader = Reader::new(octets);
                // Each item was read once when the list was.
                let item = T::decode(&mut reader).ok()?;
                *octets = reader.rest();
                Some(item)
            }
            Source::Items(items) => {
                let (first, rest) = items.split_first()?;
                *items = rest;
                Some(*first)
            }
        }
    }
}

impl<'a, T: Item<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

impl<'a, T: Item<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<'a, T: Item<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Item<'a> for EncodedData<'a> {
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        EncodedData::decode(reader)
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        writer.encoded(*self);
    }
}
