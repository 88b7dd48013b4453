//! Collects characters until a line or a block is whole.

use super::block::{ACKNOWLEDGE, EOT, ETX, REFUSE, SOH, STX};

/// What was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collected {
    /// From `/`, or from the ACK of a selection, to the end of the line.
    Line,
    /// From SOH or STX to the block check character.
    Block,
    /// ACK or NAK alone.
    Single,
    /// It was longer than the place for it.
    TooLong,
}

#[derive(Debug, Clone)]
pub(crate) struct Collector<const N: usize> {
    characters: [u8; N],
    filled: usize,
    /// ETX or EOT was seen: the block check character comes next.
    ended: bool,
}

impl<const N: usize> Default for Collector<N> {
    fn default() -> Self {
        Self { characters: [0; N], filled: 0, ended: false }
    }
}

impl<const N: usize> Collector<N> {
    /// What stands here; after something was collected, until the next [`Self::clear`].
    pub(crate) fn characters(&self) -> &[u8] {
        self.characters.get(..self.filled).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        (self.filled, self.ended) = (0, false);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Takes one character. `selecting`: an ACK begins a line. What does not begin anything is skipped.
    pub(crate) fn push(&mut self, character: u8, selecting: bool) -> Option<Collected> {
        let character = character & 0x7F;
        let first = self.characters().first().copied();
        let in_block = matches!(first, Some(SOH | STX));
        // A line that begins anew: what was before was noise.
        if !in_block && (character == b'/' || (first.is_none() && character == ACKNOWLEDGE && selecting)) {
            self.clear();
        } else if first.is_none() && !matches!(character, SOH | STX | ACKNOWLEDGE | REFUSE) {
            return None;
        }
        let Some(place) = self.characters.get_mut(self.filled) else {
            self.clear();
            return Some(Collected::TooLong);
        };
        *place = character;
        self.filled += 1;
        match first {
            None if character == REFUSE || (character == ACKNOWLEDGE && !selecting) => Some(Collected::Single),
            None => None,
            Some(_) if self.ended => Some(Collected::Block),
            Some(_) if in_block => {
                self.ended = matches!(character, ETX | EOT);
                None
            }
            Some(_) => (character == b'\n').then_some(Collected::Line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn collect(text: &[u8], selecting: bool) -> Vec<(Collected, Vec<u8>)> {
        let mut collector = Collector::<32>::default();
        let mut found = Vec::new();
        for &character in text {
            if let Some(collected) = collector.push(character, selecting) {
                found.push((collected, collector.characters().to_vec()));
                collector.clear();
            }
        }
        found
    }

    #[test]
    fn lines_blocks_and_single_characters() {
        assert_eq!(collect(b"\0\0noise/x/?!\r\n", false), [(Collected::Line, b"/?!\r\n".to_vec())]);
        assert_eq!(collect(b"\x06052\r\n", true), [(Collected::Line, b"\x06052\r\n".to_vec())]);
        assert_eq!(collect(b"\x06\x15", false).len(), 2);
        // The block check character may be anything, ETX and line feed among them.
        for check in 0..=0x7F {
            let block = [STX, b'/', b'\n', ETX, check];
            assert_eq!(collect(&block, false), [(Collected::Block, block.to_vec())]);
        }
        assert_eq!(collect(&[STX; 33], false)[0].0, Collected::TooLong);
    }
}
