//! Request, identification, selection of an option (IEC 62056-21).

use super::baud::Baud;
use super::block::ACKNOWLEDGE;
use super::{ReadoutError, join};

const END: &[u8] = b"\r\n";

fn unexpected(offset: usize, expected: &'static str) -> ReadoutError {
    ReadoutError::Unexpected { offset, expected }
}

/// `/?address!`: whoever is meant shall identify itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The device address, at most 32 characters. Empty: whoever hears it.
    pub address: &'a [u8],
}

impl<'a> Request<'a> {
    const LONGEST_ADDRESS: usize = 32;
    /// The most characters of a request.
    pub const LONGEST: usize = 2 + Self::LONGEST_ADDRESS + 1 + 2;

    /// Reads a request with its end of line.
    pub fn decode(line: &'a [u8]) -> Result<Self, ReadoutError> {
        let address = line.strip_prefix(b"/?").ok_or(unexpected(0, "/?"))?;
        let address = address.strip_suffix(b"!\r\n").ok_or(unexpected(line.len().saturating_sub(3), "! CR LF"))?;
        if address.len() > Self::LONGEST_ADDRESS {
            return Err(ReadoutError::TooLong { offset: 2, what: "an address", most: Self::LONGEST_ADDRESS });
        }
        match address.iter().position(|character| !character.is_ascii_alphanumeric() && *character != b' ') {
            Some(at) => Err(unexpected(2 + at, "a digit, a letter or a space")),
            None => Ok(Self { address }),
        }
    }

    /// Writes the request; returns the number of characters.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ReadoutError> {
        join(out, &[b"/?", self.address, b"!", END])
    }

    /// Whether a meter with this address is meant. Leading zeros do not count.
    pub fn means(&self, own: &[u8]) -> bool {
        fn significant(address: &[u8]) -> &[u8] {
            let zeros = address.iter().take_while(|&&character| character == b'0').count();
            address.get(zeros..).unwrap_or_default()
        }
        self.address.is_empty() || significant(self.address) == significant(own)
    }
}

/// What follows the identification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The data follow at once, at the initial rate.
    A,
    /// The data follow at once, at this rate.
    B(Baud),
    /// The tester selects option and rate, up to this one.
    C(Baud),
    /// As C, and HDLC can be selected.
    E(Baud),
}

/// `/XXXZ\W...`: the identification of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identification<'a> {
    /// FLAG identification of the manufacturer; a small third letter promises a reaction within 20 ms.
    pub manufacturer: [u8; 3],
    /// The character for the rate.
    pub rate: u8,
    /// The character of the enhanced capability, after a backslash; `2` is HDLC.
    pub enhanced: Option<u8>,
    /// The identification proper, at most 16 characters.
    pub text: &'a [u8],
}

impl<'a> Identification<'a> {
    const LONGEST_TEXT: usize = 16;
    /// The most characters of an identification.
    pub const LONGEST: usize = 5 + 2 + Self::LONGEST_TEXT + 2;

    /// Reads an identification with its end of line.
    pub fn decode(line: &'a [u8]) -> Result<Self, ReadoutError> {
        let body = line.strip_suffix(END).ok_or(unexpected(line.len().saturating_sub(2), "CR LF"))?;
        let [b'/', a, b, c, rate, rest @ ..] = body else { return Err(unexpected(0, "/XXXZ")) };
        let manufacturer = [*a, *b, *c];
        if let Some(at) = manufacturer.iter().position(|letter| !letter.is_ascii_alphabetic()) {
            return Err(unexpected(1 + at, "a letter of the manufacturer"));
        }
        let (enhanced, text) = match rest {
            [b'\\', enhanced, text @ ..] => (Some(*enhanced), text),
            text => (None, text),
        };
        let offset = body.len() - text.len();
        if text.len() > Self::LONGEST_TEXT {
            return Err(ReadoutError::TooLong { offset, what: "an identification", most: Self::LONGEST_TEXT });
        }
        let printable = |character: &u8| matches!(character, 0x20..0x7F) && !matches!(character, b'/' | b'!');
        match text.iter().position(|character| !printable(character)) {
            Some(at) => Err(unexpected(offset + at, "a printable character other than / and !")),
            None if !printable(rate) => Err(unexpected(4, "the character of a rate")),
            None => Ok(Self { manufacturer, rate: *rate, enhanced, text }),
        }
    }

    /// Writes the identification; returns the number of characters.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, ReadoutError> {
        let enhanced = self.enhanced.map(|character| [b'\\', character]);
        let enhanced = enhanced.as_ref().map_or(&[][..], |enhanced| &enhanced[..]);
        join(out, &[b"/", &self.manufacturer, &[self.rate], enhanced, self.text, END])
    }

    /// What follows; `None` for a reserved rate.
    pub fn mode(&self) -> Option<Mode> {
        match self.rate {
            b'0'..=b'9' => {
                let baud = Baud::from_digit(self.rate)?;
                Some(if self.enhanced == Some(b'2') { Mode::E(baud) } else { Mode::C(baud) })
            }
            b'A'..=b'I' => Baud::from_letter(self.rate).map(Mode::B),
            _ => Some(Mode::A),
        }
    }

    /// The shortest reaction time of both ends, in ms.
    pub fn reaction_ms(&self) -> u64 {
        if self.manufacturer[2].is_ascii_lowercase() { 20 } else { 200 }
    }
}

/// `ACK V Z Y`: protocol, rate and option that the tester selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSelect {
    /// V: `0` normal, `1` secondary, `2` HDLC.
    pub protocol: u8,
    /// Z: the rate.
    pub rate: u8,
    /// Y: `0` data, `1` programming, `2` binary, `6` to `9` of the manufacturer.
    pub option: u8,
}

impl OptionSelect {
    /// Reads the selection with its end of line.
    pub fn decode(line: &[u8]) -> Result<Self, ReadoutError> {
        match *line {
            [ACKNOWLEDGE, protocol, rate, option, b'\r', b'\n'] => {
                match [protocol, rate, option].iter().position(|character| !character.is_ascii_digit()) {
                    Some(at) => Err(unexpected(1 + at, "a digit")),
                    None => Ok(Self { protocol, rate, option }),
                }
            }
            _ => Err(unexpected(0, "ACK V Z Y CR LF")),
        }
    }

    /// Writes the selection.
    pub const fn encode(&self) -> [u8; 6] {
        [ACKNOWLEDGE, self.protocol, self.rate, self.option, b'\r', b'\n']
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        for address in [&b""[..], b"12345678", b"00000000000000000000000000000007"] {
            let mut out = [0; Request::LONGEST];
            let length = Request { address }.encode(&mut out).unwrap();
            assert_eq!(Request::decode(&out[..length]), Ok(Request { address }));
        }
        assert!(Request::decode(b"/?1(2!\r\n").is_err() && Request::decode(b"/?1!\n").is_err());
        assert!(Request { address: b"" }.means(b"7") && Request { address: b"007" }.means(b"7"));
        assert!(Request { address: b"7" }.means(b"0007") && !Request { address: b"17" }.means(b"7"));
    }

    #[test]
    fn identifications() {
        let line = b"/KAM5\\2OMNIA\r\n";
        let identification = Identification::decode(line).unwrap();
        assert_eq!((identification.enhanced, identification.text), (Some(b'2'), &b"OMNIA"[..]));
        assert_eq!((identification.mode(), identification.reaction_ms()), (Some(Mode::E(Baud::B9600)), 200));
        let mut out = [0; Identification::LONGEST];
        let length = identification.encode(&mut out).unwrap();
        assert_eq!(&out[..length], line);
        let mode = |line| Identification::decode(line).unwrap().mode();
        assert_eq!(mode(b"/KAM4X\r\n"), Some(Mode::C(Baud::B4800)));
        assert_eq!(mode(b"/KAm@X\r\n"), Some(Mode::A));
        assert_eq!(mode(b"/KAMEX\r\n"), Some(Mode::B(Baud::B9600)));
        assert_eq!(mode(b"/KAM9X\r\n"), None);
        for wrong in [&b"/?!\r\n"[..], b"/KAM5X\n", b"/KAM5a/b\r\n", b"/KAM512345678901234567\r\n", b"/K1M5\r\n"] {
            assert!(Identification::decode(wrong).is_err());
        }
    }

    #[test]
    fn selections() {
        let hdlc = OptionSelect { protocol: b'2', rate: b'5', option: b'2' };
        assert_eq!(hdlc.encode(), *b"\x06252\r\n");
        assert_eq!(OptionSelect::decode(b"\x06252\r\n"), Ok(hdlc));
        assert!(OptionSelect::decode(b"\x06x52\r\n").is_err() && OptionSelect::decode(b"\x06252\n").is_err());
    }
}
