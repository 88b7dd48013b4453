use super::{MAXIMUM_DEPTH, skip, tag};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Octets a type description may have.
const MAXIMUM_DESCRIPTION: usize = 256;
/// Octets of description that cost nothing, and those that each octet of an element pays for. Every element is walked
/// along the description, so this bounds the work by the octets that were sent.
const FREE_DESCRIPTION: usize = 16;
const DESCRIPTION_PER_OCTET: usize = 8;

/// An array whose elements have one type, said once in front of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactArray<'a> {
    description: &'a [u8],
    contents: &'a [u8],
}

impl<'a> CompactArray<'a> {
    /// Joins a type description and the elements, checking each element against the description.
    pub fn new(description: &'a [u8], contents: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(description);
        check_description(&mut reader)?;
        reader.finish()?;
        walk(description, contents, &mut Writer::new(&mut []))?;
        Ok(Self { description, contents })
    }

    /// Reads description and contents behind the tag.
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        check_description(reader)?;
        let description = reader.since(start);
        let contents = reader.octet_string()?;
        let base = reader.offset() - contents.len();
        walk(description, contents, &mut Writer::new(&mut []))
            .map_err(|error| DecodeError { offset: base + error.offset, ..error })?;
        Ok(Self { description, contents })
    }

    /// The type description as on the wire.
    pub const fn description(&self) -> &'a [u8] {
        self.description
    }

    /// The elements as on the wire, without tags.
    pub const fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// The number of elements. They are walked to be counted.
    pub fn len(&self) -> usize {
        // Walked once when this was made; nothing refuses it now.
        walk(self.description, self.contents, &mut Writer::new(&mut [])).unwrap_or(0)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }

    /// Writes the ordinary array of the same elements, each with its tag.
    pub fn expand(&self, writer: &mut Writer<'_>) {
        writer.u8(tag::ARRAY);
        writer.length(self.len());
        _ = walk(self.description, self.contents, writer);
    }
}

/// Reads a description; refuses what could say elements without octets.
fn check_description(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let start = reader.offset();
    let width = minimum_width(reader, 0)?;
    let length = reader.offset() - start;
    let paid = width.saturating_mul(DESCRIPTION_PER_OCTET).saturating_add(FREE_DESCRIPTION);
    if width == 0 || length > MAXIMUM_DESCRIPTION.min(paid) {
        return Err(DecodeError { offset: start, kind: DecodeErrorKind::Value });
    }
    Ok(())
}

/// The fewest octets an element of this description takes.
fn minimum_width(reader: &mut Reader<'_>, depth: usize) -> Result<usize, DecodeError> {
    if depth > MAXIMUM_DEPTH {
        return Err(reader.error(DecodeErrorKind::Depth));
    }
    match reader.u8()? {
        tag::ARRAY => {
            let count = usize::from(reader.u16()?);
            let start = reader.offset();
            match minimum_width(reader, depth + 1)? {
                0 if count > 0 => Err(DecodeError { offset: start, kind: DecodeErrorKind::Value }),
                width => Ok(width.saturating_mul(count)),
            }
        }
        tag::STRUCTURE => {
            let fields = reader.length()?;
            let mut width = 0_usize;
            for _ in 0..fields {
                width = width.saturating_add(minimum_width(reader, depth + 1)?);
            }
            Ok(width)
        }
        string if skip::is_string(string) => Ok(1),
        scalar => skip::fixed_width(scalar).ok_or_else(|| reader.error_behind(DecodeErrorKind::Tag(scalar))),
    }
}

/// Writes every element with its tags; returns their number.
fn walk(description: &[u8], contents: &[u8], writer: &mut Writer<'_>) -> Result<usize, DecodeError> {
    let mut reader = Reader::new(contents);
    let mut count = 0;
    while !reader.is_empty() {
        element(&mut Reader::new(description), &mut reader, writer)?;
        count += 1;
    }
    Ok(count)
}

/// Writes one element. The description was checked, so its depth is bounded and every element takes octets.
fn element(
    description: &mut Reader<'_>,
    contents: &mut Reader<'_>,
    writer: &mut Writer<'_>,
) -> Result<(), DecodeError> {
    let type_tag = description.u8()?;
    match type_tag {
        tag::ARRAY => {
            let count = description.u16()?;
            writer.array(usize::from(count));
            let item = *description;
            if count == 0 {
                minimum_width(description, 0)?;
            }
            for _ in 0..count {
                *description = item;
                element(description, contents, writer)?;
            }
        }
        tag::STRUCTURE => {
            let fields = description.length()?;
            writer.structure(fields);
            for _ in 0..fields {
                element(description, contents, writer)?;
            }
        }
        _ => {
            let start = contents.offset();
            match skip::fixed_width(type_tag) {
                Some(width) => _ = contents.take(width)?,
                None if type_tag == tag::BIT_STRING => _ = super::bit_string(contents)?,
                None => _ = contents.octet_string()?,
            }
            writer.u8(type_tag);
            writer.put(contents.since(start));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Data, EncodedData};

    #[test]
    fn a_compact_array_expands_to_the_array() {
        let octets = [0x13, 0x02, 0x02, 0x11, 0x09, 0x08, 1, 2, 0xAA, 0xBB, 3, 1, 0xCC, 4];
        let Err(error) = EncodedData::new(&octets) else { panic!("the last element ends early") };
        assert_eq!((error.offset, error.kind), (14, DecodeErrorKind::Truncated));

        let octets = [0x13, 0x02, 0x02, 0x11, 0x09, 0x07, 1, 2, 0xAA, 0xBB, 3, 1, 0xCC];
        let Data::CompactArray(compact) = EncodedData::new(&octets).unwrap().value() else { panic!("compact array") };
        assert_eq!(compact.len(), 2);
        let mut out = [0; 32];
        let mut writer = Writer::new(&mut out);
        compact.expand(&mut writer);
        let length = writer.finish().unwrap();
        assert_eq!(out[..length], [1, 2, 2, 2, 0x11, 1, 9, 2, 0xAA, 0xBB, 2, 2, 0x11, 3, 9, 1, 0xCC]);
    }

    #[test]
    fn elements_without_octets_are_refused() {
        for description in
            [&[0x00][..], &[0x02, 0x00], &[0x01, 0xFF, 0xFF, 0x00], &[0x02, 2, 0x11, 0x01, 0xFF, 0xFF, 0]]
        {
            assert!(CompactArray::new(description, &[1]).is_err(), "{description:?}");
        }
        let empty_array = CompactArray::new(&[0x02, 2, 0x11, 0x01, 0, 0, 0x11], &[7, 8]).unwrap();
        assert_eq!(empty_array.len(), 2);
    }

    #[test]
    fn a_long_description_of_short_elements_is_refused() {
        let mut description = [0_u8; 103];
        description[..3].copy_from_slice(&[2, 101, 0x11]);
        assert_eq!(CompactArray::new(&description, &[1]).unwrap_err().kind, DecodeErrorKind::Value);
        description[2..].fill(0x11);
        assert_eq!(CompactArray::new(&description, &[1; 101]).unwrap().len(), 1);
    }

    #[test]
    fn a_deep_description_is_refused() {
        let mut description = [1_u8; 120];
        for level in description.chunks_mut(3) {
            level.copy_from_slice(&[1, 0, 1]);
        }
        assert_eq!(CompactArray::new(&description, &[1]).unwrap_err().kind, DecodeErrorKind::Depth);
    }
}
