//! The image of a meter that its shell keeps through power cuts: bytes of fixed length, with a version, without a check sum.
//!
//! A shell adds what its memory needs: an order of images and a check sum. Nothing here is a unit of storage.

use meterbench_iec62056::octets::{DecodeError, Reader, Writer};
use meterbench_metrology::{Energy, ImpulseQuantity, Kept, MeterConstant, Registers};

use crate::cosem::KeptDevice;
use crate::quality::kept::KeptQuality;

/// What [`crate::Meter::persist`] hands out and [`crate::Meter::restore`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    pub(crate) kept: Kept,
    pub(crate) quantity: ImpulseQuantity,
    pub(crate) constant: MeterConstant,
    /// Clock, counters and keys; version 1 has none.
    pub(crate) device: Option<KeptDevice>,
    /// Power quality; versions 1 and 2 have none.
    pub(crate) quality: Option<KeptQuality>,
}

/// Why bytes are no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Written by a firmware that lays the image out otherwise.
    #[error("the image of the registers has version {found}, this firmware reads versions 1 to 3")]
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
    /// Fewer or more bytes than this version has.
    #[error("an image of version {version} has {expected} bytes, this one has {found}")]
    Length {
        /// Version of the image.
        version: u8,
        /// Bytes of that version.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A clock, port, counter or limit that no meter can have.
    #[error("the image holds no clock, ports, counters and limits: {0}")]
    Device(#[from] DecodeError),
}

/// Registers alone.
const REGISTERS_ALONE: u8 = 1;
/// Registers, clock, set-up of the ports, counters, changed keys.
const WITHOUT_QUALITY: u8 = 2;
/// All of that, and power quality: limits, counters, alarms, events that last.
const VERSION: u8 = 3;
/// Bytes before the first energy.
const HEAD: usize = 6;
/// Bytes of one energy, least significant first: 2¹²⁰ quanta are 73 GWh, a hundred years at 79 kW.
const ENERGY: usize = 15;
/// Registers of the total or of one phase.
const REGISTERS: usize = 8;

impl Image {
    /// Length of version 1 (bytes): version, output, constant, then 33 energies.
    pub const SIZE_OF_VERSION_1: usize = HEAD + ENERGY * (1 + 4 * REGISTERS);
    /// Length of version 2 (bytes): as version 1, then clock, set-up of the ports, counters, keys.
    pub const SIZE_OF_VERSION_2: usize = Self::SIZE_OF_VERSION_1 + KeptDevice::SIZE;
    /// Length (bytes): as version 2, then power quality.
    pub const SIZE: usize = Self::SIZE_OF_VERSION_2 + KeptQuality::SIZE;

    /// Where the counters of requests stand, of management, reader and installer (eight bytes each).
    pub const RECEIVED: [usize; 3] = {
        let first = Self::SIZE_OF_VERSION_2 - 3 * KeptDevice::ROLE;
        [first, first + KeptDevice::ROLE, first + 2 * KeptDevice::ROLE]
    };

    /// The bytes to keep: of the version in which the image was read, or of the newest.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (registers, device) = bytes.split_at_mut(Self::SIZE_OF_VERSION_1);
        let (head, energies) = registers.split_at_mut(HEAD);
        head[0] = match (self.device, self.quality) {
            (None, _) => REGISTERS_ALONE,
            (Some(_), None) => WITHOUT_QUALITY,
            (Some(_), Some(_)) => VERSION,
        };
        head[1] = u8::from(self.quantity == ImpulseQuantity::Reactive);
        head[2..].copy_from_slice(&self.constant.get().to_le_bytes());
        let registers = core::iter::once(&self.kept.total).chain(&self.kept.phases).flat_map(energies_of);
        let all = core::iter::once(self.kept.collected).chain(registers);
        for (field, quanta) in energies.chunks_exact_mut(ENERGY).zip(all) {
            field.copy_from_slice(&quanta.to_le_bytes()[..ENERGY]);
        }
        if let Some(kept) = &self.device {
            let mut writer = Writer::new(device);
            kept.write(&mut writer);
            self.quality.iter().for_each(|quality| quality.write(&mut writer));
        }
        bytes
    }

    /// The image that begins these bytes. Whether they are what was written is for the check sum of the shell to say.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let version = bytes.first().copied().unwrap_or(0);
        let expected = match version {
            REGISTERS_ALONE => Self::SIZE_OF_VERSION_1,
            WITHOUT_QUALITY => Self::SIZE_OF_VERSION_2,
            VERSION => Self::SIZE,
            found => return Err(ImageError::Version { found }),
        };
        let length = ImageError::Length { version, expected, found: bytes.len() };
        let (registers, device) = bytes.get(..expected).ok_or(length)?.split_at(Self::SIZE_OF_VERSION_1);
        let (head, energies) = registers.split_at(HEAD);
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
        let mut rest = Reader::new(device);
        let device = (version >= WITHOUT_QUALITY).then(|| KeptDevice::read(&mut rest)).transpose()?;
        let quality = device.as_ref().filter(|_| version == VERSION);
        let quality = quality.map(|device| KeptQuality::read(&mut rest, device.clock())).transpose()?;
        Ok(Self { kept, quantity, constant, device, quality })
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

    use meterbench_iec62056::octets::DecodeErrorKind;

    use super::*;

    /// Every register another number, up to the largest; version 1.
    fn registers() -> Image {
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
        let constant = MeterConstant::new(1000).unwrap();
        Image { kept, quantity: ImpulseQuantity::Reactive, constant, device: None, quality: None }
    }

    /// As version 3: limits as delivered, every counter another number, a dip and an interruption that last.
    fn image() -> Image {
        use crate::quality::counters::{Alarms, Counters};
        use crate::quality::event::{Moment, Open};
        use crate::quality::limits::Limits;
        let device = device();
        let open = |seconds: u64, phases| Open {
            begun: Moment {
                hundredths: 37,
                ..Moment::of(&device.device.unwrap().clock().showing(849_268_700 + seconds))
            },
            before_ms: 0x0102_0304,
            since: meterbench_metrology::SampleInstant::default(),
            phases,
            extreme: 4321,
        };
        let mut lasting = [None; 11];
        (lasting[0], lasting[2]) = (Some(open(1, 3)), Some(open(2, 7)));
        let counters =
            Counters { kinds: core::array::from_fn(|n| 1000 + n as u32), sags: [1, 2, 3], swells: [4, 5, u32::MAX] };
        let alarms = Alarms { register: 5, filter: 0x7FF };
        let quality = KeptQuality { limits: Limits::DELIVERED, counters, alarms, open: lasting };
        Image { quality: Some(quality), ..device }
    }

    /// As version 2: a clock of noon of 2026-11-21 UTC, and beside the rules of daylight saving every byte another number.
    fn device() -> Image {
        let noon = 849_268_800_u64 * 8000;
        let mut bytes = std::vec::Vec::from(noon.to_le_bytes());
        bytes.extend([0xc4, 0xff, 1, 1, 60, 3, 1, 0, 7, 2, 0, 10, 0, 31, 0, 3, 59]);
        bytes.extend((0..KeptDevice::SIZE - bytes.len()).map(|n| n as u8));
        bytes[26] = 1;
        for role in 0..3 {
            bytes[Image::RECEIVED[role] - Image::SIZE_OF_VERSION_1 + 4..][..4].fill(0);
        }
        let kept = KeptDevice::read(&mut Reader::new(&bytes)).unwrap();
        Image { device: Some(kept), ..registers() }
    }

    #[test]
    fn bytes_give_the_image_back() {
        assert_eq!((Image::SIZE_OF_VERSION_1, Image::SIZE_OF_VERSION_2, Image::SIZE), (501, 728, 997));
        assert_eq!(Image::from_bytes(&image().to_bytes()), Ok(image()));
        assert_eq!(Image::from_bytes(&device().to_bytes()), Ok(device()));
        assert_eq!(Image::from_bytes(&device().to_bytes()[..728]), Ok(device()));
        // Of version 1, with and without something behind it.
        let bytes = registers().to_bytes();
        assert_eq!(Image::from_bytes(&bytes), Ok(registers()));
        assert_eq!(Image::from_bytes(&bytes[..501]), Ok(registers()));
    }

    #[test]
    fn the_layout_stands() {
        let bytes = image().to_bytes();
        assert_eq!(bytes[..6], [3, 1, 0xe8, 3, 0, 0]);
        assert_eq!(bytes[6..21], [[0xff; 15]].concat());
        assert_eq!(bytes[21..24], [0xfc, 0xff, 0xff]);
        assert_eq!(bytes[486..489], [0xbf, 0xfb, 0xff]);
        // Zone, quality, daylight saving and its rules, set-up of the ports, challenges.
        assert_eq!(bytes[509..526], [0xc4, 0xff, 1, 1, 60, 3, 1, 0, 7, 2, 0, 10, 0, 31, 0, 3, 59]);
        assert_eq!(bytes[526..536], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(Image::RECEIVED, [536, 600, 664]);
        assert_eq!(bytes[600..616], [74, 75, 76, 77, 0, 0, 0, 0, 82, 83, 84, 85, 86, 87, 88, 89]);
        assert_eq!(bytes[727], 201);
        // Limits, counters, alarms, which events last, and the first of them.
        assert_eq!(bytes[728..732], [0x28, 0x23, 0xf8, 0x2a]);
        assert_eq!(bytes[754..758], [0xe8, 3, 0, 0]);
        assert_eq!(bytes[818..832], [0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0xff, 7, 0, 0, 5, 0]);
        let hundredths = (849_268_701u64 * 100 + 37).to_le_bytes();
        assert_eq!(bytes[832..838], hundredths[..6]);
        assert_eq!(bytes[838..847], [4, 3, 2, 1, 0xe1, 0x10, 0, 0, 3]);
        assert_eq!(bytes[847..862], [0; 15]);
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let refused = |at: usize, value: u8| {
            let mut bytes = image().to_bytes();
            bytes[at] = value;
            Image::from_bytes(&bytes).unwrap_err()
        };
        assert_eq!(refused(0, 4), ImageError::Version { found: 4 });
        assert_eq!(
            refused(0, 0xff).to_string(),
            "the image of the registers has version 255, this firmware reads versions 1 to 3"
        );
        assert_eq!(refused(1, 7), ImageError::Quantity { found: 7 });
        let mut bytes = image().to_bytes();
        bytes[2..6].fill(0);
        assert_eq!(Image::from_bytes(&bytes), Err(ImageError::Constant));
        let short = Image::from_bytes(&image().to_bytes()[..996]);
        assert_eq!(short, Err(ImageError::Length { version: 3, expected: 997, found: 996 }));
        // A time beyond 2255, a zone, a quality, a month, a kind of day, a weekday, an hour, a minute, a counter, a limit.
        for (at, value) in [
            (508, 1),
            (510, 0x7f),
            (511, 3),
            (514, 13),
            (515, 3),
            (517, 8),
            (518, 24),
            (519, 60),
            (541, 1),
            (729, 0xff),
        ] {
            let refused = refused(at, value);
            assert!(
                matches!(refused, ImageError::Device(DecodeError { kind: DecodeErrorKind::Value, .. })),
                "{at}: {refused}"
            );
        }
    }
}
