//! Rates and the characters that stand for them (IEC 62056-21).

/// A rate of modes C and E.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Baud {
    /// 300 Bd, where every conversation begins.
    B300,
    /// 600 Bd.
    B600,
    /// 1200 Bd.
    B1200,
    /// 2400 Bd.
    B2400,
    /// 4800 Bd.
    B4800,
    /// 9600 Bd.
    B9600,
    /// 19200 Bd.
    B19200,
}

impl Baud {
    const ALL: [Self; 7] = [Self::B300, Self::B600, Self::B1200, Self::B2400, Self::B4800, Self::B9600, Self::B19200];

    /// The rate of a digit of modes C and E; 7 to 9 are reserved.
    pub fn from_digit(digit: u8) -> Option<Self> {
        Self::ALL.get(usize::from(digit.checked_sub(b'0')?)).copied()
    }

    /// The rate of a letter of mode B: A is 600 Bd.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.get(1 + usize::from(letter.checked_sub(b'A')?)).copied()
    }

    /// The digit of modes C and E.
    pub const fn digit(self) -> u8 {
        b'0' + self as u8
    }

    /// Bits per second.
    pub const fn bits_per_second(self) -> u32 {
        match self {
            Self::B19200 => 19_200,
            slower => 300 << slower as u32,
        }
    }

    /// How long so many characters of ten bits take, in ms, rounded up.
    pub const fn duration_ms(self, characters: usize) -> u64 {
        (characters as u64 * 10_000).div_ceil(self.bits_per_second() as u64)
    }
}

/// How a character stands on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 7E1: seven bits, even parity, one stop bit.
    SevenEven,
    /// 8N1: eight bits, no parity, one stop bit.
    EightNone,
}

/// How the line is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    /// Its rate.
    pub baud: Baud,
    /// Its characters.
    pub format: Format,
}

impl Line {
    /// 300 Bd, 7E1: where every conversation begins.
    pub const INITIAL: Self = Self { baud: Baud::B300, format: Format::SevenEven };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_rates() {
        let rates = [300, 600, 1200, 2400, 4800, 9600, 19_200];
        for (digit, rate) in (b'0'..).zip(rates) {
            let baud = Baud::from_digit(digit).unwrap();
            assert_eq!((baud.digit(), baud.bits_per_second()), (digit, rate));
        }
        assert_eq!((Baud::from_digit(b'7'), Baud::from_digit(b'/')), (None, None));
        assert_eq!((Baud::from_letter(b'A'), Baud::from_letter(b'G')), (Some(Baud::B600), None));
        assert_eq!(Baud::B300.duration_ms(6), 200);
    }
}
