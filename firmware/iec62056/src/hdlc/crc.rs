//! The check sequence of headers and frames: CRC-16/X-25 (ISO/IEC 13239), four octets at a time from four tables (2 KiB).

/// What an octet does to the register, followed by as many octets of zero as the index says.
const TABLES: [[u16; 256]; 4] = tables();

/// What the register holds after octets followed by their own check sequence, low octet first.
///
/// A header with its check sequence therefore always leaves this value: the check of the frame goes on from here.
pub(crate) const RESIDUE: u16 = 0xF0B8;
/// What the register starts with.
pub(crate) const START: u16 = 0xFFFF;

const fn tables() -> [[u16; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut index = 0;
    while index < 256 {
        let mut register = index as u16;
        let mut bit = 0;
        while bit < 8 * 4 {
            register = if register & 1 == 1 { register >> 1 ^ 0x8408 } else { register >> 1 };
            bit += 1;
            if bit % 8 == 0 {
                tables[bit / 8 - 1][index] = register;
            }
        }
        index += 1;
    }
    tables
}

/// The register after these octets.
pub(crate) fn update(register: u16, octets: &[u8]) -> u16 {
    let after = |zeros: usize, octet: u8| TABLES[zeros][usize::from(octet)];
    let (fours, rest) = octets.as_chunks::<4>();
    let register = fours.iter().fold(register, |register, &[a, b, c, d]| {
        let [low, high] = register.to_le_bytes();
        after(3, a ^ low) ^ after(2, b ^ high) ^ after(1, c) ^ after(0, d)
    });
    rest.iter().fold(register, |register, octet| {
        let [low, high] = register.to_le_bytes();
        u16::from(high) ^ after(0, low ^ octet)
    })
}

/// CRC-16/X-25 of these octets: the HCS of a header, the FCS of a frame. Sent low octet first.
pub fn check_sequence(octets: &[u8]) -> u16 {
    !update(START, octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(check_sequence(b"123456789"), 0x906E);
    }

    #[test]
    fn octets_with_their_check_sequence_leave_the_residue() {
        for length in 0..40u8 {
            let mut octets: std::vec::Vec<u8> = (0..length).map(|n| n.wrapping_mul(73)).collect();
            octets.extend(check_sequence(&octets).to_le_bytes());
            assert_eq!(update(START, &octets), RESIDUE);
        }
    }
}
