use super::{DecodeError, DecodeErrorKind};

/// A place in octets, moving forward.
///
/// ```
/// use meterbench_iec62056::octets::Reader;
/// let mut reader = Reader::new(&[0x12, 0x01, 0x02]);
/// assert_eq!(reader.u8(), Ok(0x12));
/// assert_eq!(reader.u16(), Ok(0x0102));
/// assert_eq!(reader.u8().unwrap_err().offset, 3);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first octet.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// Place of the next octet.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// Octets not yet read.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    /// Whether every octet was read.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.at >= self.octets.len()
    }

    /// The octets read since `start`, a former [`offset`](Self::offset).
    #[inline]
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.octets.get(start..self.at).unwrap_or_default()
    }

    /// An error at the next octet.
    #[inline]
    pub const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: self.at, kind }
    }

    /// An error at the octet just read.
    #[inline]
    pub const fn error_behind(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: self.at.saturating_sub(1), kind }
    }

    /// The next octet, which stays.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// The next `N` octets.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        match self.octets.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(octets) => {
                self.at += N;
                Ok(octets)
            }
            None => Err(DecodeError { offset: self.octets.len(), kind: DecodeErrorKind::Truncated }),
        }
    }

    /// The next `length` octets.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        match self.octets.get(self.at..).and_then(|rest| rest.get(..length)) {
            Some(octets) => {
                self.at += length;
                Ok(octets)
            }
            None => Err(DecodeError { offset: self.octets.len(), kind: DecodeErrorKind::Truncated }),
        }
    }

    /// One octet.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|octets| octets[0])
    }

    /// Two octets, most significant first.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(|octets| u16::from_be_bytes(*octets))
    }

    /// Four octets, most significant first.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|octets| u32::from_be_bytes(*octets))
    }

    /// A length: one octet below 80h, otherwise the number of octets that follow, four at most.
    #[inline]
    pub fn length(&mut self) -> Result<usize, DecodeError> {
        match self.u8()? {
            short @ ..0x80 => Ok(usize::from(short)),
            long => self.long_length(long),
        }
    }

    fn long_length(&mut self, first: u8) -> Result<usize, DecodeError> {
        let octets = match first {
            0x81..=0x84 => self.take(usize::from(first & 0x7F))?,
            _ => return Err(self.error_behind(DecodeErrorKind::Length)),
        };
        let length = octets.iter().fold(0_u32, |length, octet| length << 8 | u32::from(*octet));
        usize::try_from(length).map_err(|_| self.error_behind(DecodeErrorKind::Length))
    }

    /// A length and as many octets.
    #[inline]
    pub fn octet_string(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.length()?;
        self.take(length)
    }

    /// A presence flag or boolean of A-XDR: 00 is false, all else true.
    #[inline]
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        self.u8().map(|octet| octet != 0)
    }

    /// A presence flag: 00 absent, 01 present, nothing else.
    pub fn present(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.error_behind(DecodeErrorKind::Choice(other))),
        }
    }

    /// Demands this octet next.
    pub fn expect_tag(&mut self, tag: u8) -> Result<(), DecodeError> {
        match self.u8()? {
            found if found == tag => Ok(()),
            found => Err(self.error_behind(DecodeErrorKind::Tag(found))),
        }
    }

    /// Demands that nothing is left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(DecodeErrorKind::LeftOver)) }
    }
}
