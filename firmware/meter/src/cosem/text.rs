//! Short texts without a heap.

use core::fmt::Write as _;

/// Letters of a short text.
pub(crate) struct Text {
    letters: [u8; 40],
    length: usize,
}

impl Text {
    pub(crate) fn of(arguments: core::fmt::Arguments<'_>) -> Self {
        let mut text = Self { letters: [0; 40], length: 0 };
        // What does not fit is cut off.
        let _ = text.write_fmt(arguments);
        text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

impl core::fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> core::fmt::Result {
        for &byte in more.as_bytes() {
            let place = self.letters.get_mut(self.length).ok_or(core::fmt::Error)?;
            *place = byte;
            self.length += 1;
        }
        Ok(())
    }
}
