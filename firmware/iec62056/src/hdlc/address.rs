//! Addresses of clients and servers, those with a meaning of their own, and whom a frame reaches (IEC 62056-46).

/// How many octets an address takes on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressLength {
    /// A client, or a server by its upper address alone.
    One,
    /// Upper and lower address of a server, seven bits each.
    Two,
    /// Upper and lower address of a server, fourteen bits each.
    Four,
}

impl AddressLength {
    /// Octets on the line.
    pub const fn octets(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// All-station: every bit of one half set.
    const fn all(self) -> u16 {
        match self {
            Self::One | Self::Two => 0x7F,
            Self::Four => 0x3FFF,
        }
    }
}

/// Why octets or numbers are no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No octet ended the address.
    #[error("the address does not end within its octets")]
    Incomplete,
    /// Three octets, or more than four.
    #[error("the address has a length other than 1, 2 or 4 octets")]
    Length,
    /// A number that does not fit the bits of this length.
    #[error("address {0:#x} does not fit the address length")]
    Range(u16),
}

/// A data link address: of a client (one octet), or of a server (its logical device above, its physical device below).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    upper: u16,
    lower: u16,
    length: AddressLength,
}

/// Whom a destination address means, seen from one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This server and nobody else.
    Individual,
    /// This server as the device that placed the call.
    Calling,
    /// All stations, this server among them: it must not answer.
    Everyone,
    /// Somebody else, or nobody.
    Other,
}

impl Address {
    /// The public client.
    pub const PUBLIC_CLIENT: Self = Self { upper: 0x10, lower: 0, length: AddressLength::One };
    /// The client management process.
    pub const MANAGEMENT_CLIENT: Self = Self { upper: 0x01, lower: 0, length: AddressLength::One };
    /// All clients.
    pub const ALL_CLIENTS: Self = Self { upper: 0x7F, lower: 0, length: AddressLength::One };

    /// An address of one octet: a client, or a server's upper address.
    pub const fn one(address: u16) -> Result<Self, AddressError> {
        Self::checked(address, 0, AddressLength::One)
    }

    /// A server address of two octets.
    pub const fn two(upper: u16, lower: u16) -> Result<Self, AddressError> {
        Self::checked(upper, lower, AddressLength::Two)
    }

    /// A server address of four octets.
    pub const fn four(upper: u16, lower: u16) -> Result<Self, AddressError> {
        Self::checked(upper, lower, AddressLength::Four)
    }

    const fn checked(upper: u16, lower: u16, length: AddressLength) -> Result<Self, AddressError> {
        if upper > length.all() {
            return Err(AddressError::Range(upper));
        }
        if lower > length.all() {
            return Err(AddressError::Range(lower));
        }
        Ok(Self { upper, lower, length })
    }

    /// The client, or the server's upper address (logical device).
    pub const fn upper(self) -> u16 {
        self.upper
    }

    /// The server's lower address (physical device), if the address has one.
    pub const fn lower(self) -> Option<u16> {
        match self.length {
            AddressLength::One => None,
            AddressLength::Two | AddressLength::Four => Some(self.lower),
        }
    }

    /// Octets on the line.
    pub const fn length(self) -> AddressLength {
        self.length
    }

    /// Whether a half of the address says no-station.
    pub const fn is_no_station(self) -> bool {
        self.upper == 0 || matches!(self.lower(), Some(0))
    }

    /// Whether a half of the address says all-station.
    pub const fn is_all_station(self) -> bool {
        let all = self.length.all();
        self.upper == all || matches!(self.lower(), Some(lower) if lower == all)
    }

    /// Whether the lower half is the address of the device that placed the call.
    pub const fn is_calling(self) -> bool {
        matches!(self.lower(), Some(lower) if lower == self.length.all() - 1)
    }

    /// Whether a frame may carry this address as its source: never no-station, never all-station.
    pub const fn is_valid_source(self) -> bool {
        !self.is_no_station() && !self.is_all_station()
    }

    /// Whether this server address lies in a range the standard keeps: upper 02..=0F, lower 01..=0F.
    pub const fn is_reserved_server(self) -> bool {
        matches!(self.upper, 0x02..=0x0F) || matches!(self.lower(), Some(0x01..=0x0F))
    }

    /// Reads an address and the number of its octets.
    pub fn decode(octets: &[u8]) -> Result<(Self, usize), AddressError> {
        let seven = |octet: u8| u16::from(octet >> 1);
        match *octets {
            [a, ..] if a & 1 == 1 => Ok((Self { upper: seven(a), lower: 0, length: AddressLength::One }, 1)),
            [a, b, ..] if b & 1 == 1 => Ok((Self { upper: seven(a), lower: seven(b), length: AddressLength::Two }, 2)),
            [_, _, c, ..] if c & 1 == 1 => Err(AddressError::Length),
            [a, b, c, d, ..] if d & 1 == 1 => {
                let (upper, lower) = (seven(a) << 7 | seven(b), seven(c) << 7 | seven(d));
                Ok((Self { upper, lower, length: AddressLength::Four }, 4))
            }
            [_, _, _, _, ..] => Err(AddressError::Length),
            _ => Err(AddressError::Incomplete),
        }
    }

    /// The octets on the line; the first [`AddressLength::octets`] of the four count.
    pub const fn octets(self) -> [u8; 4] {
        const fn high(half: u16) -> u8 {
            (half >> 7 << 1) as u8
        }
        const fn low(half: u16) -> u8 {
            ((half & 0x7F) << 1) as u8
        }
        match self.length {
            AddressLength::One => [low(self.upper) | 1, 0, 0, 0],
            AddressLength::Two => [low(self.upper), low(self.lower) | 1, 0, 0],
            AddressLength::Four => [high(self.upper), low(self.upper), high(self.lower), low(self.lower) | 1],
        }
    }

    /// Whom this destination address means, seen from the server `own`; `calling` when that server placed the call.
    ///
    /// An address of another length than the server's own counts only where its halves can be carried over: upper
    /// alone for upper and lower (and back when lower is all-station), two octets widened to four, and of four octets
    /// all-station and the calling device. Beyond the standard, four octets are narrowed to two for an individual device
    /// too: many clients write every address in four.
    pub fn reach(self, own: Self, calling: bool) -> Reach {
        let Some(carried) = self.carried_to(own.length) else { return Reach::Other };
        if carried.upper == 0 || matches!(self.lower(), Some(0)) {
            return Reach::Other;
        }
        let all = own.length.all();
        let upper_all = carried.upper == all;
        if !upper_all && carried.upper != own.upper {
            return Reach::Other;
        }
        if self.is_calling() {
            return if calling && !upper_all { Reach::Calling } else { Reach::Other };
        }
        // An upper address alone leaves the lower one open: on its own line the server is meant.
        let lower_open = matches!((self.length, own.length), (AddressLength::One, _) | (_, AddressLength::One));
        let lower_all = !lower_open && carried.lower == all;
        match (upper_all, lower_all) {
            _ if !lower_open && !lower_all && carried.lower != own.lower => Reach::Other,
            (false, false) => Reach::Individual,
            _ => Reach::Everyone,
        }
    }

    fn carried_to(self, length: AddressLength) -> Option<Self> {
        use AddressLength::{Four, One, Two};
        let all = self.length.all();
        let upper = if self.upper == all { length.all() } else { self.upper };
        let lower = match self.lower {
            n if n == all => length.all(),
            n if n + 1 == all => length.all() - 1,
            n => n,
        };
        match (self.length, length) {
            (from, to) if from == to => Some(self),
            (One, Two) => Some(Self { lower: length.all(), length, ..self }),
            (Two, One) if self.lower == all => Some(Self { lower: 0, length, ..self }),
            (Two, Four) => Some(Self { upper, lower, length }),
            (Four, One) if self.upper == all || self.is_calling() => Self::one(upper).ok(),
            (Four, Two) if self.upper == all || self.is_calling() => Self::two(upper, lower).ok(),
            // What means nobody in particular in seven bits is a device in fourteen.
            (Four, Two) if self.upper < 0x7F && self.lower < 0x7E => Self::two(upper, lower).ok(),
            _ => None,
        }
    }

    /// The source a server puts into its answer to a frame addressed like this.
    pub(crate) fn answered_as(self, own: Self) -> Self {
        if self.is_valid_source() && !self.is_calling() { self } else { own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Address = Address { upper: 1, lower: 17, length: AddressLength::Two };

    #[test]
    fn every_address_survives_a_round_trip() {
        for upper in 0..=0x3FFF {
            for lower in [0, 1, 17, 0x7E, 0x7F, 0x80, 0x3FFE, 0x3FFF] {
                for address in [Address::one(upper), Address::two(upper, lower), Address::four(upper, lower)] {
                    let Ok(address) = address else { continue };
                    let octets = address.octets();
                    assert_eq!(Address::decode(&octets), Ok((address, address.length().octets())));
                }
            }
        }
        assert_eq!(Address::decode(&[2, 2, 3]), Err(AddressError::Length));
        assert_eq!(Address::decode(&[2, 2, 2, 2, 1]), Err(AddressError::Length));
        assert_eq!(Address::decode(&[2, 2]), Err(AddressError::Incomplete));
        assert_eq!(Address::two(0x80, 1), Err(AddressError::Range(0x80)));
    }

    #[test]
    #[rustfmt::skip]
    fn whom_an_address_reaches() {
        let one = |a| Address::one(a).unwrap();
        let two = |a, b| Address::two(a, b).unwrap();
        let four = |a, b| Address::four(a, b).unwrap();
        for (destination, own, expected) in [
            // of the server's own length
            (two(1, 17),            two(1, 17),  Reach::Individual),
            (two(1, 18),            two(1, 17),  Reach::Other),
            (two(2, 17),            two(1, 17),  Reach::Other),
            (two(1, 0x7F),          two(1, 17),  Reach::Everyone),
            (two(0x7F, 17),         two(1, 17),  Reach::Everyone),
            (two(0x7F, 0x7F),       two(1, 17),  Reach::Everyone),
            (two(0, 17),            two(1, 17),  Reach::Other),
            (two(1, 0),             two(1, 17),  Reach::Other),
            (one(0x7F),             one(1),      Reach::Everyone),
            // one and two octets
            (one(1),                two(1, 17),  Reach::Individual),
            (one(2),                two(1, 17),  Reach::Other),
            (one(0x7F),             two(1, 17),  Reach::Everyone),
            (two(1, 0x7F),          one(1),      Reach::Individual),
            (two(1, 17),            one(1),      Reach::Other),
            // widened to four
            (two(1, 17),            four(1, 17), Reach::Individual),
            (two(0x7F, 0x7F),       four(1, 17), Reach::Everyone),
            (one(1),                four(1, 17), Reach::Other),
            // narrowed from four: all-station and the server itself
            (four(1, 17),           two(1, 17),  Reach::Individual),
            (four(1, 18),           two(1, 17),  Reach::Other),
            (four(1, 0),            two(1, 17),  Reach::Other),
            (four(0x7F, 17),        two(1, 17),  Reach::Other),
            (four(1, 0x7F),         two(1, 17),  Reach::Other),
            (four(129, 17),         two(1, 17),  Reach::Other),
            (four(0x3FFF, 0x3FFF),  two(1, 17),  Reach::Everyone),
            (four(0x3FFF, 0x3FFF),  one(1),      Reach::Everyone),
            (four(1, 0x3FFF),       two(1, 17),  Reach::Other),
            // the calling device, which this server is not
            (two(1, 0x7E),          two(1, 17),  Reach::Other),
        ] {
            assert_eq!(destination.reach(own, false), expected, "{destination:?} at {own:?}");
        }
        for destination in [two(1, 0x7E), four(1, 0x3FFE)] {
            assert_eq!(destination.reach(TWO, true), Reach::Calling);
            assert_eq!(destination.answered_as(TWO), TWO);
        }
        assert_eq!(two(1, 0x7E).reach(four(1, 17), true), Reach::Calling);
        assert_eq!(four(1, 0x3FFE).reach(one(1), true), Reach::Calling);
    }

    #[test]
    fn sources_and_reserved_ranges() {
        assert!(!Address::ALL_CLIENTS.is_valid_source() && !Address::one(0).unwrap().is_valid_source());
        assert!(Address::PUBLIC_CLIENT.is_valid_source());
        assert!(Address::two(16, 1).unwrap().is_reserved_server() && !TWO.is_reserved_server());
    }
}
