use crate::octets::{DecodeError, Reader, Writer};

/// A block of general block transfer: a piece of any APDU, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralBlock<'a> {
    /// Whether it is the last piece of the APDU.
    pub last: bool,
    /// Whether more blocks follow before an answer is wanted.
    pub streaming: bool,
    /// Blocks the sender of this block can take before it must answer; six bits.
    pub window: u8,
    /// The number of this block, from 1.
    pub number: u16,
    /// The last block that arrived from the other side without a gap.
    pub acknowledged: u16,
    /// The piece.
    pub data: &'a [u8],
}

impl<'a> GeneralBlock<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xE0;
    /// Octets besides the piece, when its length takes three.
    pub const OVERHEAD: usize = 9;

    /// Whether this is a block without a piece: it acknowledges, and its number says nothing of the APDU.
    pub const fn is_acknowledgement(&self) -> bool {
        self.data.is_empty()
    }

    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let control = reader.u8()?;
        Ok(Self {
            last: control & 0x80 != 0,
            streaming: control & 0x40 != 0,
            window: control & 0x3F,
            number: reader.u16()?,
            acknowledged: reader.u16()?,
            data: reader.octet_string()?,
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        self.encode_head(writer, self.data.len());
        writer.put(self.data);
    }

    /// Writes what stands before a piece of so many octets.
    pub(crate) fn encode_head(&self, writer: &mut Writer<'_>, length: usize) {
        let control = u8::from(self.last) << 7 | u8::from(self.streaming) << 6 | (self.window & 0x3F);
        writer.put_array(&[Self::TAG, control]);
        writer.u16(self.number);
        writer.u16(self.acknowledged);
        writer.length(length);
    }
}
