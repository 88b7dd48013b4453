//! Bytes to integers and back, bounded on both sides.

/// Marks the wire and its version: `MBL` and a digit that changes with every change of the wire.
pub const VERSION: u32 = u32::from_le_bytes(*b"MBL3");

/// Bytes of a message before its sections: length, version, number.
pub const HEADER: usize = 12;

/// Bytes that are no message of this wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end too early.
    #[error("the message ends at byte {offset}, within a field")]
    Short {
        /// Where (bytes).
        offset: usize,
    },
    /// Another version of the wire, or something else.
    #[error("the message begins with version {found:#010x}, expected {VERSION:#010x}")]
    Version {
        /// What stands there.
        found: u32,
    },
    /// The length in the header is not that of the message.
    #[error("the message is {found} bytes long, its header says {said}")]
    Length {
        /// Bytes of the message.
        found: usize,
        /// Bytes by the header.
        said: usize,
    },
    /// A section nobody knows.
    #[error("byte {offset} begins a section of unknown tag {tag}")]
    Tag {
        /// Where (bytes).
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A value outside its range, or a section of the wrong length.
    #[error("the section at byte {offset} holds a value out of range")]
    Value {
        /// Where the section begins (bytes).
        offset: usize,
    },
}

/// Bytes of the whole message that begins with these, as soon as four of them are there.
pub fn message_length(begin: &[u8]) -> Option<usize> {
    let length: [u8; 4] = begin.get(..4)?.try_into().ok()?;
    (u32::from_le_bytes(length) as usize).checked_add(4)
}

/// Reads fields from the front; every method is `None` when the bytes end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    /// Zero or one.
    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A text behind its length, at most so long (bytes).
    pub(crate) fn text(&mut self, longest: usize) -> Option<&'a str> {
        let length = usize::from(self.u8()?);
        core::str::from_utf8(self.take(length)?).ok().filter(|_| length <= longest)
    }

    /// The number and the sections of a message.
    pub(crate) fn message(bytes: &'a [u8]) -> Result<(u32, Sections<'a>), WireError> {
        let mut header = Self::new(bytes);
        let mut field = || header.u32().ok_or(WireError::Short { offset: bytes.len() });
        let (said, found, number) = (field()?, field()?, field()?);
        if found != VERSION {
            return Err(WireError::Version { found });
        }
        let said = (said as usize).saturating_add(4);
        if said != bytes.len() {
            return Err(WireError::Length { found: bytes.len(), said });
        }
        Ok((number, Sections { message: bytes, offset: HEADER }))
    }
}

/// The sections of a message in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sections<'a> {
    message: &'a [u8],
    offset: usize,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'a> {
    /// Where it begins in the message (bytes).
    pub(crate) offset: usize,
    pub(crate) tag: u8,
    pub(crate) content: Bytes<'a>,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Bytes::new(self.message.get(self.offset..)?);
        if bytes.rest().is_empty() {
            return None;
        }
        let offset = self.offset;
        let mut section = || {
            let tag = bytes.u8()?;
            let length = usize::from(bytes.u16()?);
            Some(Section { offset, tag, content: Bytes::new(bytes.take(length)?) })
        };
        let section = section().ok_or(WireError::Short { offset: self.message.len() });
        // After an error there is nothing to go on from.
        self.offset = self.message.len() - section.map_or(0, |_| bytes.rest().len());
        Some(section)
    }
}

/// Writes a message; what does not fit is left out and told by [`Writer::finish`].
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
    fits: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(buffer: &'a mut [u8], number: u32) -> Self {
        let mut writer = Self { buffer, at: 0, fits: true };
        writer.bytes(&0u32.to_le_bytes());
        writer.bytes(&VERSION.to_le_bytes());
        writer.bytes(&number.to_le_bytes());
        writer
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        match self.buffer.get_mut(self.at..end) {
            Some(space) if self.fits => {
                space.copy_from_slice(bytes);
                self.at = end;
            }
            _ => self.fits = false,
        }
    }

    /// Writes one section; left out as a whole if it does not fit.
    pub(crate) fn section(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        let begin = self.at;
        self.bytes(&[tag, 0, 0]);
        content(self);
        let length = u16::try_from((self.at - begin).saturating_sub(3));
        match (self.fits, length) {
            (true, Ok(length)) => self.buffer[begin + 1..begin + 3].copy_from_slice(&length.to_le_bytes()),
            _ => (self.at, self.fits) = (begin, false),
        }
    }

    /// Writes a text and its length before it (bytes, at most 255).
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(&[u8::try_from(text.len()).unwrap_or(u8::MAX)]);
        self.bytes(text.as_bytes());
    }

    /// Bytes that are still free.
    pub(crate) fn free(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// Bytes of the message; `None` if something did not fit.
    pub(crate) fn finish(self) -> Option<usize> {
        let length = u32::try_from(self.at.checked_sub(4)?).ok()?;
        self.buffer.get_mut(..4)?.copy_from_slice(&length.to_le_bytes());
        self.fits.then_some(self.at)
    }
}

impl core::fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}
