use core::ops::{BitAnd, BitOr};

/// What a party can do: 24 bits, bit 0 being the most significant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Conformance(pub [u8; 3]);

macro_rules! bits {
    ($($name:ident $bit:literal $doc:literal;)*) => {
        impl Conformance {
            $(#[doc = $doc] pub const $name: Self = Self::bit($bit);)*

            /// Every bit that has a name.
            pub const NAMED: &[(&str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }
    };
}

bits! {
    GENERAL_PROTECTION        1  "General ciphering and signing APDUs.";
    GENERAL_BLOCK_TRANSFER    2  "General block transfer.";
    READ                      3  "Read, of short names.";
    WRITE                     4  "Write, of short names.";
    UNCONFIRMED_WRITE         5  "Unconfirmed write, of short names.";
    DELTA_VALUE_ENCODING      6  "The delta types.";
    ATTRIBUTE_0_WITH_SET      8  "All attributes in one SET.";
    PRIORITY_MANAGEMENT       9  "High priority.";
    ATTRIBUTE_0_WITH_GET      10 "All attributes in one GET.";
    BLOCK_TRANSFER_WITH_GET   11 "Answers in blocks.";
    BLOCK_TRANSFER_WITH_SET   12 "SET in blocks.";
    BLOCK_TRANSFER_WITH_ACTION 13 "ACTION in blocks.";
    MULTIPLE_REFERENCES       14 "Lists.";
    INFORMATION_REPORT        15 "Information report, of short names.";
    DATA_NOTIFICATION         16 "Data notification.";
    ACCESS                    17 "ACCESS.";
    PARAMETERIZED_ACCESS      18 "Parameterized access, of short names.";
    GET                       19 "GET.";
    SET                       20 "SET.";
    SELECTIVE_ACCESS          21 "Selective access.";
    EVENT_NOTIFICATION        22 "Event notification.";
    ACTION                    23 "ACTION.";
}

impl Conformance {
    /// Nothing.
    pub const NONE: Self = Self([0; 3]);

    const fn bit(bit: u32) -> Self {
        let [_, a, b, c] = (0x80_0000_u32 >> bit).to_be_bytes();
        Self([a, b, c])
    }

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        a & x == x && b & y == y && c & z == z
    }

    /// The bits of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a | x, b | y, c | z])
    }

    /// The bits both have: what is negotiated.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a & x, b & y, c & z])
    }
}

impl BitOr for Conformance {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitAnd for Conformance {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_client_has_get_in_blocks() {
        assert_eq!(Conformance::GET | Conformance::BLOCK_TRANSFER_WITH_GET, Conformance([0x00, 0x10, 0x10]));
    }

    #[test]
    fn a_common_block_reads_as_its_names() {
        let block = Conformance([0x00, 0x7E, 0x1F]);
        let names = Conformance::NAMED.iter().filter(|(_, bit)| block.contains(*bit)).count();
        assert_eq!(names, 11);
        assert!(block.contains(Conformance::PRIORITY_MANAGEMENT | Conformance::GET | Conformance::ACTION));
        assert!(!block.contains(Conformance::DATA_NOTIFICATION));
    }
}
