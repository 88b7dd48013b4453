use super::{CompactArray, tag};
use crate::octets::{DecodeError, DecodeErrorKind, Reader};

/// How deep arrays and structures may be nested. The deepest attribute of the standard needs seven levels.
pub const MAXIMUM_DEPTH: usize = 16;

const STRING: u8 = 0x80;
const BITS: u8 = 0x81;
const SEQUENCE: u8 = 0x82;
const COMPACT: u8 = 0x83;
const UNKNOWN: u8 = 0xFF;

/// Octets behind each tag, or how to find their number.
const WIDTH: [u8; 256] = {
    let mut width = [UNKNOWN; 256];
    width[tag::NULL_DATA as usize] = 0;
    width[tag::ARRAY as usize] = SEQUENCE;
    width[tag::STRUCTURE as usize] = SEQUENCE;
    width[tag::BOOLEAN as usize] = 1;
    width[tag::BIT_STRING as usize] = BITS;
    width[tag::DOUBLE_LONG as usize] = 4;
    width[tag::DOUBLE_LONG_UNSIGNED as usize] = 4;
    width[tag::OCTET_STRING as usize] = STRING;
    width[tag::VISIBLE_STRING as usize] = STRING;
    width[tag::UTF8_STRING as usize] = STRING;
    width[tag::BCD as usize] = 1;
    width[tag::INTEGER as usize] = 1;
    width[tag::LONG as usize] = 2;
    width[tag::UNSIGNED as usize] = 1;
    width[tag::LONG_UNSIGNED as usize] = 2;
    width[tag::COMPACT_ARRAY as usize] = COMPACT;
    width[tag::LONG64 as usize] = 8;
    width[tag::LONG64_UNSIGNED as usize] = 8;
    width[tag::ENUM as usize] = 1;
    width[tag::FLOAT32 as usize] = 4;
    width[tag::FLOAT64 as usize] = 8;
    width[tag::DATE_TIME as usize] = 12;
    width[tag::DATE as usize] = 5;
    width[tag::TIME as usize] = 4;
    width[tag::DELTA_INTEGER as usize] = 1;
    width[tag::DELTA_LONG as usize] = 2;
    width[tag::DELTA_DOUBLE_LONG as usize] = 4;
    width[tag::DELTA_UNSIGNED as usize] = 1;
    width[tag::DELTA_LONG_UNSIGNED as usize] = 2;
    width[tag::DELTA_DOUBLE_LONG_UNSIGNED as usize] = 4;
    width[tag::DONT_CARE as usize] = 0;
    width
};

/// Steps over one value, checking its structure to the last octet.
pub fn skip(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    skip_elements(reader, 1, 0)
}

/// Steps over `count` values that lie `depth` levels deep.
///
/// Each element takes one octet at least, so no count makes it long.
#[inline]
pub(super) fn skip_elements(reader: &mut Reader<'_>, count: usize, depth: usize) -> Result<(), DecodeError> {
    match skip_plain(reader, count)? {
        0 => Ok(()),
        remaining => skip_nested(reader, remaining, depth),
    }
}

/// Steps over values up to the first that is neither of fixed width nor a string of octets; how many are left with it.
#[inline]
fn skip_plain(reader: &mut Reader<'_>, count: usize) -> Result<usize, DecodeError> {
    let mut remaining = count;
    while remaining > 0 {
        match reader.peek().map(|type_tag| WIDTH[usize::from(type_tag)]) {
            // The commonest widths have steps of their own: the processor foresees them, and waits for no table.
            Some(4) => _ = reader.array::<5>()?,
            Some(1) => _ = reader.array::<2>()?,
            Some(width @ ..STRING) => _ = reader.take(1 + usize::from(width))?,
            Some(STRING) => {
                reader.u8()?;
                reader.octet_string()?;
            }
            _ => break,
        }
        remaining -= 1;
    }
    Ok(remaining)
}

/// The same for elements that may be nested. The levels are counters on a small stack: no octets make it recurse.
fn skip_nested(reader: &mut Reader<'_>, count: usize, depth: usize) -> Result<(), DecodeError> {
    let mut levels = [0_usize; MAXIMUM_DEPTH + 1];
    let mut level = depth;
    let mut remaining = count;
    loop {
        remaining = skip_plain(reader, remaining)?;
        if remaining == 0 {
            if level == depth {
                return Ok(());
            }
            level -= 1;
            remaining = levels.get(level).copied().unwrap_or(0);
            continue;
        }
        remaining -= 1;
        let type_tag = reader.u8()?;
        match WIDTH[usize::from(type_tag)] {
            SEQUENCE => {
                if level >= MAXIMUM_DEPTH {
                    return Err(reader.error_behind(DecodeErrorKind::Depth));
                }
                let elements = reader.length()?;
                if let Some(slot) = levels.get_mut(level) {
                    *slot = remaining;
                }
                level += 1;
                remaining = elements;
            }
            BITS => _ = super::bit_string(reader)?,
            COMPACT => _ = CompactArray::decode(reader)?,
            _ => return Err(reader.error_behind(DecodeErrorKind::Tag(type_tag))),
        }
    }
}

/// Octets of a scalar of fixed width.
pub(super) fn fixed_width(type_tag: u8) -> Option<usize> {
    Some(WIDTH[usize::from(type_tag)]).filter(|width| *width < STRING).map(usize::from)
}

/// Whether the type is a string that says its length.
pub(super) fn is_string(type_tag: u8) -> bool {
    matches!(WIDTH[usize::from(type_tag)], STRING | BITS)
}
