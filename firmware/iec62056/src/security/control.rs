use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The octet that says how an APDU is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecurityControl(pub u8);

impl SecurityControl {
    /// Suite 0, authenticated.
    pub const AUTHENTICATED: Self = Self(0x10);
    /// Suite 0, encrypted.
    pub const ENCRYPTED: Self = Self(0x20);
    /// Suite 0, authenticated and encrypted.
    pub const BOTH: Self = Self(0x30);

    /// The suite.
    pub const fn suite(self) -> u8 {
        self.0 & 0x0F
    }

    /// Whether a tag follows.
    pub const fn is_authenticated(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Whether the text is encrypted.
    pub const fn is_encrypted(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Whether the key is the broadcast key, not the unicast key.
    pub const fn is_broadcast(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Whether the text is compressed.
    pub const fn is_compressed(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// At least as much protection as both: an answer is protected no less than its request.
    #[must_use]
    pub const fn at_least(self, other: Self) -> Self {
        Self(self.0 | (other.0 & 0x30))
    }
}

/// Who sent an APDU: eight octets, three letters of the manufacturer first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SystemTitle(pub [u8; 8]);

impl SystemTitle {
    /// Octets of a title.
    pub const LENGTH: usize = 8;

    /// The title these octets are.
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }
}

impl fmt::Display for SystemTitle {
    /// `KAM` and hexadecimal digits, or digits alone.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = match self.0 {
            [a, b, c, ..] if [a, b, c].iter().all(u8::is_ascii_alphanumeric) => 3,
            _ => 0,
        };
        for (index, octet) in self.0.iter().enumerate() {
            if index < letters {
                write!(formatter, "{}", char::from(*octet))?;
            } else {
                write!(formatter, "{octet:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SystemTitle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SystemTitle({self})")
    }
}

/// A key of 128 bits. It does not show itself and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// Octets of a key.
    pub const LENGTH: usize = 16;

    /// The key these octets are.
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(kept secret)")
    }
}
