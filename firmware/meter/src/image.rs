//! The image of a meter that its shell keeps through power cuts: bytes of fixed length, with a version, without a check sum.
//!
//! A shell adds what its memory needs: an order of images and a check sum. Nothing here is a unit of storage.

use meterbench_metrology::{Energy, ImpulseQuantity, Kept, MeterConstant, Registers};

/// What [`crate::Meter::persist`] hands out and [`crate::Meter::restore`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    pub(crate) kept: Kept,
    pub(crate) quantity: ImpulseQuantity,
    pub(crate) constant: MeterConstant,
}

/// Why bytes are no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Written by a firmware that lays the image out otherwise.
    #[error("the image of the registers has version {found}, this firmware reads version 1")]
    Version {
        /// Version of the image.
        found: u8,
    },
    /// No such energy.
    #[error("the image says that the outputs count energy {found}; 0 is active and 1 is reactive energy")]
    Quantity {
        /// Code found.
        found: u8,
    },
    /// A meter constant of zero.
    #[error("the image says that the meter constant is 0 imp/kWh")]
    Constant,
}

const VERSION: u8 = 1;
/// Bytes of one energy, least significant first: 2¹²⁰ quanta are 73 GWh, a hundred years at 79 kW.
const ENERGY: usize = 15;
/// Registers of the total or of one phase.
const REGISTERS: usize = 8;

impl Image {
    /// Length (bytes): version, output, constant, then 33 energies.
    pub const SIZE: usize = 1 + 1 + 4 + ENERGY * (1 + 4 * REGISTERS);

    /// The bytes to keep.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (head, energies) = bytes.split_at_mut(6);
        head[0] = VERSION;
        head[1] = u8::from(self.quantity == ImpulseQuantity::Reactive);
        head[2..].copy_from_slice(&self.constant.get().to_le_bytes());
        let registers = core::iter::once(&self.kept.total).chain(&self.kept.phases).flat_map(energies_of);
        let all = core::iter::once(self.kept.collected).chain(registers);
        for (field, quanta) in energies.chunks_exact_mut(ENERGY).zip(all) {
            field.copy_from_slice(&quanta.to_le_bytes()[..ENERGY]);
        }
        bytes
    }

    /// The image in these bytes. Whether they are what was written is for the check sum of the shell to say.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Result<Self, ImageError> {
        let (head, energies) = bytes.split_at(6);
        if head[0] != VERSION {
            return Err(ImageError::Version { found: head[0] });
        }
        let quantity = match head[1] {
            0 => ImpulseQuantity::Active,
            1 => ImpulseQuantity::Reactive,
            found => return Err(ImageError::Quantity { found }),
        };
        let constant = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
        let constant = MeterConstant::new(constant).ok_or(ImageError::Constant)?;
        let mut all = energies.chunks_exact(ENERGY).map(|field| {
            let mut quanta = [0; 16];
            quanta[..ENERGY].copy_from_slice(field);
            u128::from_le_bytes(quanta)
        });
        let mut next = || all.next().unwrap_or(0);
        let collected = next();
        let kept = Kept {
            total: registers_of(&mut next),
            phases: core::array::from_fn(|_| registers_of(&mut next)),
            collected,
        };
        Ok(Self { kept, quantity, constant })
    }
}

fn energies_of(registers: &Registers) -> [u128; REGISTERS] {
    let [r1, r2, r3, r4] = registers.reactive;
    [
        registers.active_import,
        registers.active_export,
        r1,
        r2,
        r3,
        r4,
        registers.apparent_import,
        registers.apparent_export,
    ]
    .map(Energy::quanta)
}

fn registers_of(mut next: impl FnMut() -> u128) -> Registers {
    let mut energy = || Energy::from_quanta(next());
    Registers {
        active_import: energy(),
        active_export: energy(),
        reactive: core::array::from_fn(|_| energy()),
        apparent_import: energy(),
        apparent_export: energy(),
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    /// Every field another number, up to the largest.
    fn image() -> Image {
        let mut n = 0u128;
        let mut next = || {
            n += 1;
            (1 << 120) - n * n
        };
        let collected = next();
        let kept = Kept {
            total: registers_of(&mut next),
            phases: core::array::from_fn(|_| registers_of(&mut next)),
            collected,
        };
        Image { kept, quantity: ImpulseQuantity::Reactive, constant: MeterConstant::new(1000).unwrap() }
    }

    #[test]
    fn bytes_give_the_image_back() {
        let image = image();
        assert_eq!(Image::SIZE, 501);
        assert_eq!(Image::from_bytes(&image.to_bytes()), Ok(image));
    }

    #[test]
    fn the_layout_stands() {
        let bytes = image().to_bytes();
        assert_eq!(bytes[..6], [1, 1, 0xe8, 3, 0, 0]);
        assert_eq!(bytes[6..21], [[0xff; 15]].concat());
        assert_eq!(bytes[21..24], [0xfc, 0xff, 0xff]);
        assert_eq!(bytes[486..489], [0xbf, 0xfb, 0xff]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let refused = |at: usize, value: u8| {
            let mut bytes = image().to_bytes();
            bytes[at] = value;
            Image::from_bytes(&bytes).unwrap_err()
        };
        assert_eq!(refused(0, 2), ImageError::Version { found: 2 });
        assert_eq!(
            refused(0, 0xff).to_string(),
            "the image of the registers has version 255, this firmware reads version 1"
        );
        assert_eq!(refused(1, 7), ImageError::Quantity { found: 7 });
        let mut bytes = image().to_bytes();
        bytes[2..6].fill(0);
        assert_eq!(Image::from_bytes(&bytes), Err(ImageError::Constant));
    }
}
