//! The frame: format field, addresses, control, check sequences (IEC 62056-46, frame format type 3).

use super::address::{Address, AddressError};
use super::control::Control;
use super::crc;

/// Opens and closes a frame.
pub const FLAG: u8 = 0x7E;
/// The most octets a frame has beside its information: two flags, format, addresses of four and one octet, control, two
/// check sequences. With two addresses of four octets it would be three more, which no frame of this profile has.
pub const FRAME_OVERHEAD: usize = 2 + 2 + 4 + 1 + 1 + 2 + 2;

/// Format type 3: 1010 in the highest bits.
const FORMAT_TYPE: u8 = 0xA0;
const SEGMENTATION: u8 = 0x08;
const CHECK: usize = 2;
/// Format, two addresses of one octet, control, check sequence.
const SHORTEST: usize = 7;
const LONGEST: usize = 0x7FF;

/// One frame. The information borrows from wherever the octets stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// S: more segments of this message follow.
    pub segmented: bool,
    /// To whom.
    pub destination: Address,
    /// From whom.
    pub source: Address,
    /// What for.
    pub control: Control,
    /// The information field; empty when there is none.
    pub information: &'a [u8],
}

/// Why octets are no frame. Offsets count from the format field: the opening flag stands before offset 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The octets end before the frame does.
    #[error("the frame ends before octet {needed}")]
    Incomplete {
        /// How many octets are needed to say more.
        needed: usize,
    },
    /// Not format type 3.
    #[error("octet 0 is {found:#04x}, expected format type 3 (0xA.)")]
    Format {
        /// The octet that stands there.
        found: u8,
    },
    /// A length that no frame of this shape has.
    #[error("the length field says {announced}")]
    Length {
        /// What the length field says.
        announced: usize,
    },
    /// An address that does not end where one may.
    #[error("the address at octet {offset} has no valid length")]
    Address {
        /// Where the address starts.
        offset: usize,
    },
    /// The header check sequence is wrong.
    #[error("the header check sequence at octet {offset} is wrong")]
    HeaderCheck {
        /// Where it stands.
        offset: usize,
    },
    /// The frame check sequence is wrong.
    #[error("the frame check sequence at octet {offset} is wrong")]
    FrameCheck {
        /// Where it stands.
        offset: usize,
    },
    /// No flag where one must stand.
    #[error("octet {offset} is {found:#04x}, expected the flag 0x7e")]
    Flag {
        /// Where it should stand; the opening flag has the offset 0 too.
        offset: usize,
        /// The octet that stands there.
        found: u8,
    },
}

/// Why a frame cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Longer than the eleven bits of the length field can say.
    #[error("a frame of {octets} octets is longer than its length field can say")]
    TooLong {
        /// Octets between the flags.
        octets: usize,
    },
    /// The place for it is too small.
    #[error("the frame takes {needed} octets, there is room for {room}")]
    Room {
        /// Octets of the frame with its flags.
        needed: usize,
        /// Octets given.
        room: usize,
    },
}

/// Where the parts of a frame stand between its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Octets between the flags.
    pub(crate) length: usize,
    /// Octets before the first check sequence.
    pub(crate) header: usize,
    segmented: bool,
    destination: Address,
    source: Address,
    control: u8,
}

impl Layout {
    /// Reads the header. Checks nothing but its shape.
    pub(crate) fn read(octets: &[u8]) -> Result<Self, FrameError> {
        let &[first, second, ..] = octets else { return Err(FrameError::Incomplete { needed: 2 }) };
        if first & 0xF0 != FORMAT_TYPE {
            return Err(FrameError::Format { found: first });
        }
        let length = usize::from(first & 0x07) << 8 | usize::from(second);
        if length < SHORTEST {
            return Err(FrameError::Length { announced: length });
        }
        let address = |offset: usize| {
            Address::decode(octets.get(offset..).unwrap_or_default()).map_err(|error| match error {
                AddressError::Incomplete => FrameError::Incomplete { needed: octets.len() + 1 },
                AddressError::Length | AddressError::Range(_) => FrameError::Address { offset },
            })
        };
        let (destination, taken) = address(2)?;
        let (source, more) = address(2 + taken)?;
        let offset = 2 + taken + more;
        let &control = octets.get(offset).ok_or(FrameError::Incomplete { needed: offset + 1 })?;
        let header = offset + 1;
        // Without information one check sequence follows; with it, two and at least one octet between them.
        if length < header + CHECK || (header + CHECK < length && length <= header + 2 * CHECK) {
            return Err(FrameError::Length { announced: length });
        }
        Ok(Self { length, header, segmented: first & SEGMENTATION != 0, destination, source, control })
    }

    /// Whether the frame has an information field, and therefore a header check sequence.
    pub(crate) fn has_information(&self) -> bool {
        self.length > self.header + CHECK
    }

    /// Checks the header check sequence of a frame with information.
    pub(crate) fn check_header(&self, octets: &[u8]) -> Result<(), FrameError> {
        let end = self.header + CHECK;
        let header = octets.get(..end).ok_or(FrameError::Incomplete { needed: end })?;
        match crc::update(crc::START, header) {
            crc::RESIDUE => Ok(()),
            _ => Err(FrameError::HeaderCheck { offset: self.header }),
        }
    }

    /// Checks the frame check sequence; the header check sequence must have been found right.
    pub(crate) fn check_frame(&self, octets: &[u8]) -> Result<(), FrameError> {
        let (register, from) =
            if self.has_information() { (crc::RESIDUE, self.header + CHECK) } else { (crc::START, 0) };
        let rest = octets.get(from..self.length).ok_or(FrameError::Incomplete { needed: self.length })?;
        match crc::update(register, rest) {
            crc::RESIDUE => Ok(()),
            _ => Err(FrameError::FrameCheck { offset: self.length - CHECK }),
        }
    }

    /// The frame, its information borrowed from these octets.
    pub(crate) fn frame<'a>(&self, octets: &'a [u8]) -> Frame<'a> {
        let information = octets.get(self.header + CHECK..self.length - CHECK).unwrap_or_default();
        Frame {
            segmented: self.segmented,
            destination: self.destination,
            source: self.source,
            control: Control::from_octet(self.control),
            information,
        }
    }
}

impl<'a> Frame<'a> {
    /// A frame in one piece and without information.
    pub const fn bare(destination: Address, source: Address, control: Control) -> Self {
        Self { segmented: false, destination, source, control, information: &[] }
    }

    /// Reads one frame between its flags, which are not among the octets. Octets after the frame are left alone.
    pub fn decode_content(octets: &'a [u8]) -> Result<Self, FrameError> {
        let layout = Layout::read(octets)?;
        if layout.has_information() {
            layout.check_header(octets)?;
        }
        layout.check_frame(octets)?;
        Ok(layout.frame(octets))
    }

    /// Reads one frame with its flags and the number of octets it took.
    pub fn decode(octets: &'a [u8]) -> Result<(Self, usize), FrameError> {
        let content = match octets {
            [FLAG, content @ ..] => content,
            [found, ..] => return Err(FrameError::Flag { offset: 0, found: *found }),
            [] => return Err(FrameError::Incomplete { needed: 0 }),
        };
        let frame = Self::decode_content(content)?;
        let offset = usize::from(content[0] & 0x07) << 8 | usize::from(content[1]);
        match content.get(offset) {
            Some(&FLAG) => Ok((frame, offset + 2)),
            Some(&found) => Err(FrameError::Flag { offset, found }),
            None => Err(FrameError::Incomplete { needed: offset + 1 }),
        }
    }

    /// Writes the frame with both flags; returns the number of octets.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode_pieces(self.information, &[], out)
    }

    /// As [`Self::encode`], the information given in two pieces in place of the frame's own.
    pub(crate) fn encode_pieces(&self, one: &[u8], two: &[u8], out: &mut [u8]) -> Result<usize, EncodeError> {
        let (destination, source) = (self.destination.octets(), self.source.octets());
        let (to, from) = (self.destination.length().octets(), self.source.length().octets());
        let header = 2 + to + from + 1;
        let information = one.len() + two.len();
        let length = header + CHECK + if information == 0 { 0 } else { information + CHECK };
        if length > LONGEST {
            return Err(EncodeError::TooLong { octets: length });
        }
        let room = out.len();
        let out = out.get_mut(..length + 2).ok_or(EncodeError::Room { needed: length + 2, room })?;
        out[0] = FLAG;
        out[length + 1] = FLAG;
        let content = &mut out[1..=length];
        content[0] = FORMAT_TYPE | if self.segmented { SEGMENTATION } else { 0 } | (length >> 8) as u8;
        content[1] = length as u8;
        content[2..2 + to].copy_from_slice(&destination[..to]);
        content[2 + to..2 + to + from].copy_from_slice(&source[..from]);
        content[header - 1] = self.control.octet();
        let check = crc::check_sequence(&content[..header]);
        content[header..header + CHECK].copy_from_slice(&check.to_le_bytes());
        if information > 0 {
            let (start, middle) = (header + CHECK, header + CHECK + one.len());
            content[start..middle].copy_from_slice(one);
            content[middle..middle + two.len()].copy_from_slice(two);
            let check = !crc::update(crc::RESIDUE, &content[start..length - CHECK]);
            content[length - CHECK..].copy_from_slice(&check.to_le_bytes());
        }
        Ok(length + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(information: &[u8]) -> Frame<'_> {
        Frame {
            segmented: true,
            destination: Address::four(1, 17).unwrap(),
            source: Address::PUBLIC_CLIENT,
            control: Control::Information { send: 3, receive: 5, poll: true },
            information,
        }
    }

    #[test]
    fn every_length_survives_a_round_trip_up_to_the_longest() {
        let information = [FLAG; 2048];
        let mut line = [0; 2100];
        for length in 0..=2035 {
            let sent = frame(&information[..length]);
            let octets = sent.encode(&mut line).unwrap();
            assert!(octets <= length + FRAME_OVERHEAD);
            assert_eq!(Frame::decode(&line[..octets]), Ok((sent, octets)));
        }
        assert_eq!(frame(&information[..2036]).encode(&mut line), Err(EncodeError::TooLong { octets: 2048 }));
        assert_eq!(frame(&[1]).encode(&mut line[..14]), Err(EncodeError::Room { needed: 15, room: 14 }));
    }

    #[test]
    fn every_damaged_bit_is_seen() {
        let mut line = [0; 64];
        let octets = frame(b"some information").encode(&mut line).unwrap();
        for bit in 0..octets * 8 {
            line[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&line[..octets]).is_err(), "bit {bit}");
            line[bit / 8] ^= 1 << (bit % 8);
        }
        for short in 0..octets {
            assert!(Frame::decode(&line[..short]).is_err());
        }
    }
}
