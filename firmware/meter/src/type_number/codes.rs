//! The codes of a type number, one character each, and the tables that give them a meaning.

use core::fmt;

use super::TypeNumberError;

/// What stands before X1.
const PREFIX: [u8; 2] = *b"68";

/// Characters of a number with so many codes.
pub(super) const fn length(codes: usize) -> usize {
    PREFIX.len() + codes
}

/// The characters that count.
pub(super) fn characters(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|b| !matches!(b, b'-' | b' '))
}

/// The codes of one number, X1 at index 0.
pub(super) struct Codes<const N: usize>([u8; N]);

impl<const N: usize> Codes<N> {
    /// The caller has counted the characters.
    pub(super) fn read(text: &str) -> Result<Self, TypeNumberError> {
        if !characters(text).take(PREFIX.len()).eq(PREFIX) {
            return Err(TypeNumberError::Prefix);
        }
        let mut codes = [0; N];
        for (code, byte) in codes.iter_mut().zip(characters(text).skip(PREFIX.len())) {
            *code = byte;
        }
        Ok(Self(codes))
    }

    /// The meaning of position X`n`, out of a table of (code, meaning).
    pub(super) fn decode<T: Copy>(
        &self,
        n: u8,
        allowed: &'static str,
        table: &[(u8, T)],
    ) -> Result<T, TypeNumberError> {
        let code = self.0[usize::from(n) - 1];
        table.iter().find_map(|&(known, meaning)| (known == code).then_some(meaning)).ok_or(TypeNumberError::Code {
            position: n,
            found: char::from(code),
            allowed,
        })
    }

    /// The meaning of a pair of positions that begins at X`n`.
    pub(super) fn decode_pair<T: Copy>(
        &self,
        n: u8,
        allowed: &'static str,
        table: &[(&[u8; 2], T)],
    ) -> Result<T, TypeNumberError> {
        let at = usize::from(n) - 1;
        let pair = [self.0[at], self.0[at + 1]];
        if let Some(&(_, meaning)) = table.iter().find(|(known, _)| **known == pair) {
            return Ok(meaning);
        }
        // Name the character that spoils it: the first if no code begins with it, else the second.
        let second = u8::from(table.iter().any(|(known, _)| known[0] == pair[0]));
        Err(TypeNumberError::Code { position: n + second, found: char::from(pair[usize::from(second)]), allowed })
    }

    /// The country code that begins at X`n`.
    pub(super) fn country(&self, n: u8) -> Result<[u8; 3], TypeNumberError> {
        let at = usize::from(n) - 1;
        let country = [self.0[at], self.0[at + 1], self.0[at + 2]];
        match (n..).zip(country).find(|(_, code)| !code.is_ascii_alphanumeric()) {
            Some((position, code)) => Err(TypeNumberError::Code {
                position,
                found: char::from(code),
                allowed: "a letter or a digit of the country code",
            }),
            None => Ok(country),
        }
    }
}

/// The code of a meaning; a decoded profile holds no meaning without one.
pub(super) fn code<T: PartialEq>(table: &[(u8, T)], meaning: &T) -> u8 {
    table.iter().find(|(_, known)| known == meaning).map_or(b'?', |(code, _)| *code)
}

/// The pair of codes of a meaning.
pub(super) fn pair<T: PartialEq>(table: &[(&[u8; 2], T)], meaning: &T) -> [u8; 2] {
    table.iter().find(|(_, known)| known == meaning).map_or(*b"??", |(code, _)| **code)
}

/// Prints a number with a dash behind each position of `dashes`.
pub(super) fn print(f: &mut fmt::Formatter<'_>, codes: &[u8], dashes: &[u8]) -> fmt::Result {
    f.write_str("68")?;
    for (position, code) in (1u8..).zip(codes) {
        write!(f, "{}", char::from(*code))?;
        if dashes.contains(&position) {
            f.write_str("-")?;
        }
    }
    Ok(())
}
