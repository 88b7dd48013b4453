//! How a serial line is set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use tokio_serial::{DataBits, Parity, StopBits};

/// Rate and characters of a serial line; every character begins with one start bit. Written `300 Bd 7E1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSetting {
    /// Bits per second.
    pub baud: u32,
    pub data_bits: DataBits,
    pub parity: Parity,
    pub stop_bits: StopBits,
}

impl LineSetting {
    /// Seven bits, even parity, one stop bit: the characters of IEC 62056-21.
    pub const fn seven_even(baud: u32) -> Self {
        Self { baud, data_bits: DataBits::Seven, parity: Parity::Even, stop_bits: StopBits::One }
    }

    /// Eight bits, no parity, one stop bit: HDLC, and most instruments.
    pub const fn eight_none(baud: u32) -> Self {
        Self { baud, data_bits: DataBits::Eight, parity: Parity::None, stop_bits: StopBits::One }
    }

    /// How long one character takes on the line, from its start bit to its last stop bit.
    pub fn character_time(&self) -> Duration {
        let parity = u32::from(self.parity != Parity::None);
        let bits = 1 + u32::from(u8::from(self.data_bits)) + parity + u32::from(u8::from(self.stop_bits));
        Duration::from_secs(1) * bits / self.baud.max(1)
    }

    /// This rate with characters as written: `7E1`, `8N1`; `None` where nothing is written so.
    pub fn with_format(self, format: &str) -> Option<Self> {
        let &[data, parity, stop] = format.as_bytes() else { return None };
        Some(Self {
            baud: self.baud,
            data_bits: DataBits::try_from(data.checked_sub(b'0')?).ok()?,
            parity: match parity {
                b'N' => Parity::None,
                b'E' => Parity::Even,
                b'O' => Parity::Odd,
                _ => return None,
            },
            stop_bits: StopBits::try_from(stop.checked_sub(b'0')?).ok()?,
        })
    }
}

impl fmt::Display for LineSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} Bd {}{parity}{}", self.baud, u8::from(self.data_bits), u8::from(self.stop_bits))
    }
}

/// Whether what is sent into a line comes back from it, as most optical heads return the light they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Off,
    On,
    /// Learnt from the first octets sent.
    Auto,
}

impl FromStr for Echo {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            "auto" => Ok(Self::Auto),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_lasts_as_long_as_its_bits() {
        assert_eq!(LineSetting::seven_even(300).character_time(), Duration::from_nanos(33_333_333));
        assert_eq!(LineSetting::eight_none(9600).character_time(), Duration::from_nanos(1_041_666));
        let eleven = LineSetting::eight_none(1100).with_format("8E1").unwrap();
        assert_eq!(eleven.character_time(), Duration::from_millis(10));
    }

    #[test]
    fn a_format_is_read_as_it_is_written() {
        for format in ["7E1", "8N1", "7O2", "8E1", "5N2"] {
            let line = LineSetting::eight_none(2400).with_format(format).unwrap();
            assert_eq!(line.to_string(), format!("2400 Bd {format}"));
        }
        for nonsense in ["", "8N", "9N1", "8X1", "8N3", "8N1 ", "Ñ1", "/E1"] {
            assert_eq!(LineSetting::eight_none(2400).with_format(nonsense), None, "{nonsense}");
        }
    }
}
