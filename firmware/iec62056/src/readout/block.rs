//! Messages of data, commands of the programming mode, and their block check character (IEC 62056-21).

use super::{ReadoutError, join};

pub(crate) const SOH: u8 = 0x01;
pub(crate) const STX: u8 = 0x02;
pub(crate) const ETX: u8 = 0x03;
pub(crate) const EOT: u8 = 0x04;
/// ACK: accepted, or the next partial block may come. It also begins the selection of an option.
pub const ACKNOWLEDGE: u8 = 0x06;
/// NAK: refused; the last message is to be repeated.
pub const REFUSE: u8 = 0x15;

/// The exclusive or of these characters, seven bits each: everything after the first SOH or STX, up to and with ETX or EOT.
pub fn block_check(characters: &[u8]) -> u8 {
    characters.iter().fold(0, |sum, character| sum ^ character & 0x7F)
}

/// Where the first character stands that is neither printable nor the end of a line.
pub(crate) fn no_text(data: &[u8]) -> Option<usize> {
    data.iter().position(|character| !matches!(character, b'\r' | b'\n' | 0x20..0x7F))
}

/// A block with its check character: a command, or data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Letter and digit of a command: `R1`, `W1`, `P1`, `B0`. None before plain data.
    pub command: Option<(u8, u8)>,
    /// What stands between STX and ETX; a command such as the break has none.
    pub data: Option<&'a [u8]>,
    /// A partial block, ended by EOT: more follow.
    pub more: bool,
}

impl<'a> Block<'a> {
    /// The complete sign-off, B0.
    pub const BREAK: Block<'static> = Block { command: Some((b'B', b'0')), data: None, more: false };

    /// Plain data.
    pub const fn data(data: &'a [u8]) -> Self {
        Self { command: None, data: Some(data), more: false }
    }

    /// A command with data.
    pub const fn command(letter: u8, digit: u8, data: &'a [u8]) -> Self {
        Self { command: Some((letter, digit)), data: Some(data), more: false }
    }

    /// Reads a whole block, from SOH or STX to the block check character.
    pub fn decode(characters: &'a [u8]) -> Result<Self, ReadoutError> {
        let unexpected = |offset, expected| ReadoutError::Unexpected { offset, expected };
        let last = characters.len().saturating_sub(1);
        let (checked, found) = match characters {
            [SOH | STX, checked @ .., found] => (checked, *found),
            _ => return Err(unexpected(0, "SOH or STX")),
        };
        let more = match checked.last() {
            Some(&ETX) => false,
            Some(&EOT) => true,
            _ => return Err(unexpected(last.saturating_sub(1), "ETX or EOT")),
        };
        let expected = block_check(checked);
        if found & 0x7F != expected {
            return Err(ReadoutError::BlockCheck { found, expected });
        }
        let content = checked.get(..checked.len() - 1).unwrap_or_default();
        let is_data = |data: &[u8]| !data.iter().any(|&character| matches!(character, SOH | STX | ETX | EOT));
        let block = match (characters.first(), content) {
            (Some(&STX), data) => Self { command: None, data: Some(data), more },
            (_, &[letter, digit]) => Self { command: Some((letter, digit)), data: None, more },
            (_, &[letter, digit, STX, ref data @ ..]) => {
                Self { command: Some((letter, digit)), data: Some(data), more }
            }
            _ => return Err(unexpected(3, "STX or ETX")),
        };
        match block.command {
            Some((letter, digit)) if !letter.is_ascii_uppercase() || !digit.is_ascii_digit() => {
                Err(unexpected(1, "a letter and a digit"))
            }
            _ if !block.data.is_none_or(is_data) => Err(unexpected(last, "the only end of the data")),
            _ => Ok(block),
        }
    }

    /// What stands before the data.
    pub(crate) fn head(&self) -> ([u8; 4], usize) {
        match (self.command, self.data) {
            (None, _) => ([STX, 0, 0, 0], 1),
            (Some((letter, digit)), None) => ([SOH, letter, digit, 0], 3),
            (Some((letter, digit)), Some(_)) => ([SOH, letter, digit, STX], 4),
        }
    }

    /// What ends the block: ETX or EOT, and the block check character.
    pub(crate) fn tail(&self) -> [u8; 2] {
        let end = if self.more { EOT } else { ETX };
        let (head, length) = self.head();
        let head = head.get(1..length).unwrap_or_default();
        [end, block_check(head) ^ block_check(self.data.unwrap_or_default()) ^ end]
    }

    /// Writes the block; returns the number of characters.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ReadoutError> {
        let (head, length) = self.head();
        join(out, &[head.get(..length).unwrap_or_default(), self.data.unwrap_or_default(), &self.tail()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_a_round_trip() {
        for block in [
            Block::BREAK,
            Block::data(b""),
            Block::data(b"(12345678)"),
            Block::command(b'R', b'1', b"1.8.0()"),
            Block { more: true, ..Block::command(b'W', b'3', b"C.1(00") },
            Block { more: true, ..Block::data(b"1.8.0(") },
        ] {
            let mut out = [0; 40];
            let length = block.encode(&mut out).unwrap();
            assert_eq!(Block::decode(&out[..length]), Ok(block));
            for at in 0..length {
                for bit in 0..7 {
                    out[at] ^= 1 << bit;
                    assert!(Block::decode(&out[..length]) != Ok(block), "character {at}");
                    out[at] ^= 1 << bit;
                }
            }
        }
    }

    #[test]
    fn what_is_no_block_is_refused_with_its_place() {
        let unexpected = |offset, expected| Err(ReadoutError::Unexpected { offset, expected });
        assert_eq!(Block::decode(b""), unexpected(0, "SOH or STX"));
        assert_eq!(Block::decode(&[STX, b'a', b'b', b'c']), unexpected(2, "ETX or EOT"));
        assert_eq!(
            Block::decode(&[SOH, b'B', b'0', ETX, 0x70]),
            Err(ReadoutError::BlockCheck { found: 0x70, expected: 0x71 })
        );
        assert_eq!(Block::decode(&[SOH, b'B', ETX, b'B' ^ ETX]), unexpected(3, "STX or ETX"));
    }
}
