//! OBIS codes: the six value groups that name everything a meter measures or holds.
//! Source: IEC 62056-6-1 for the groups, IEC 62056-21 for the letters of the readout.

use core::fmt;
use core::str::FromStr;

/// An OBIS code, the logical name of an object.
///
/// ```
/// use meterbench_iec62056::obis::Obis;
/// let energy: Obis = "1.8.0".parse().unwrap();
/// assert_eq!(energy, Obis([1, 0, 1, 8, 0, 255]));
/// assert_eq!(energy.to_string(), "1-0:1.8.0*255");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obis(pub [u8; 6]);

/// Text that is no OBIS code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an OBIS code cannot be read at character {offset}; the forms are 1-0:1.8.0*255, 1-0:1.8.0, 1.8.0, 1.8 and 1.0.1.8.0.255"
)]
pub struct ObisError {
    /// Place of the character that does not fit.
    pub offset: usize,
}

impl Obis {
    /// The current association of the logical device.
    pub const CURRENT_ASSOCIATION: Self = Self([0, 0, 40, 0, 0, 255]);
    /// The clock.
    pub const CLOCK: Self = Self([0, 0, 1, 0, 0, 255]);
    /// The logical device name.
    pub const LOGICAL_DEVICE_NAME: Self = Self([0, 0, 42, 0, 0, 255]);

    /// The medium: 0 abstract, 1 electricity.
    pub const fn a(self) -> u8 {
        self.0[0]
    }

    /// The channel.
    pub const fn b(self) -> u8 {
        self.0[1]
    }

    /// The physical quantity, or the abstract object.
    pub const fn c(self) -> u8 {
        self.0[2]
    }

    /// How the quantity is processed.
    pub const fn d(self) -> u8 {
        self.0[3]
    }

    /// The tariff, or the harmonic.
    pub const fn e(self) -> u8 {
        self.0[4]
    }

    /// The billing period; 255 the current value.
    pub const fn f(self) -> u8 {
        self.0[5]
    }
}

impl fmt::Display for Obis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a}-{b}:{c}.{d}.{e}*{f}")
    }
}

/// Value groups of the form `C.D`: the rest of a code that leaves out A, B, E and F is 1, 0, 0 and 255.
const SHORT: [u8; 6] = [1, 0, 0, 0, 0, 255];

impl FromStr for Obis {
    type Err = ObisError;

    /// Reads the full form, the forms without A-B, E or F, and six groups with points. `&` before F means the same as
    /// `*`; C, F, L and P are the letters of the readout for 96, 97, 98 and 99.
    fn from_str(text: &str) -> Result<Self, ObisError> {
        let octets = text.as_bytes();
        let mut groups = [0_u8; 6];
        let mut separators = [0_u8; 6];
        let (mut count, mut at) = (0, 0);
        loop {
            let refused = ObisError { offset: at };
            let (value, next) = group(octets, at).ok_or(refused)?;
            *groups.get_mut(count).ok_or(refused)? = value;
            count += 1;
            let Some(&separator) = octets.get(next) else { break };
            let slot = separators.get_mut(count - 1).filter(|_| matches!(separator, b'-' | b':' | b'.' | b'*' | b'&'));
            *slot.ok_or(ObisError { offset: next })? = separator;
            at = next + 1;
        }
        let refused = ObisError { offset: text.len() };
        let code = match (&groups, separators.map(|separator| if separator == b'&' { b'*' } else { separator })) {
            (&[a, b, c, d, e, f], [b'-', b':', b'.', b'.', b'*' | b'.', 0]) => [a, b, c, d, e, f],
            (&[a, b, c, d, e, f], [b'.', b'.', b'.', b'.', b'.', 0]) => [a, b, c, d, e, f],
            (&[a, b, c, d, e, _], [b'-', b':', b'.', b'.', 0, 0]) => [a, b, c, d, e, 255],
            (&[c, d, e, f, ..], [b'.', b'.', b'*', 0, ..]) => [SHORT[0], SHORT[1], c, d, e, f],
            (&[c, d, e, ..], [b'.', b'.', 0, ..]) => [SHORT[0], SHORT[1], c, d, e, SHORT[5]],
            (&[c, d, ..], [b'.', 0, ..]) => [SHORT[0], SHORT[1], c, d, SHORT[4], SHORT[5]],
            _ => return Err(refused),
        };
        Ok(Self(code))
    }
}

/// One value group from `at` on, and the place behind it.
fn group(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let letter = match text.get(at)? {
        b'C' => Some(96),
        b'F' => Some(97),
        b'L' => Some(98),
        b'P' => Some(99),
        _ => None,
    };
    if let Some(value) = letter {
        return Some((value, at + 1));
    }
    let digits = text.get(at..)?.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let end = at + digits;
    let value = core::str::from_utf8(text.get(at..end)?).ok()?.parse().ok()?;
    Some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn every_form_is_read() {
        for (text, code) in [
            ("1-0:1.8.0*255", [1, 0, 1, 8, 0, 255]),
            ("1-0:1.8.0.255", [1, 0, 1, 8, 0, 255]),
            ("0.0.43.1.0.255", [0, 0, 43, 1, 0, 255]),
            ("0-0:96.1.0", [0, 0, 96, 1, 0, 255]),
            ("1-0:1.8.1*01", [1, 0, 1, 8, 1, 1]),
            ("1.8.1&12", [1, 0, 1, 8, 1, 12]),
            ("2.8.0", [1, 0, 2, 8, 0, 255]),
            ("C.1.0", [1, 0, 96, 1, 0, 255]),
            ("F.F", [1, 0, 97, 97, 0, 255]),
        ] {
            assert_eq!(text.parse(), Ok(Obis(code)), "{text}");
        }
    }

    #[test]
    fn all_codes_survive_their_text() {
        for value in 0..=u8::MAX {
            let code = Obis([value, value ^ 1, value ^ 2, value ^ 3, value ^ 4, value]);
            assert_eq!(code.to_string().parse(), Ok(code));
        }
    }

    #[test]
    fn what_is_no_code_is_refused_at_its_place() {
        for (text, offset) in [
            ("", 0),
            ("1", 1),
            ("1-0:1.8", 7),
            ("256.8.0", 0),
            ("1-0:1.8.0*", 10),
            ("1.2.3.4.5", 9),
            ("1.2.3.4.5.6.7", 12),
            ("1 8", 1),
            ("é.1", 0),
        ] {
            assert_eq!(text.parse::<Obis>(), Err(ObisError { offset }), "{text}");
        }
    }
}
