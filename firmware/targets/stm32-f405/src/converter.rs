//! ADS131M06 and ADS131M08: commands, settings and the frame of a sample.
//!
//! A frame is one word of 24 bits for command and response, one per channel, one for the check sum (data sheet SBAS949A and
//! SBAS950B, "SPI communication frames"). Words are sent most significant byte first; what has 16 bits stands left in its word.
//! The check sum is CRC-16 with polynomial 0x1021 and seed 0xFFFF over every word before it.
//!
//! Channels 0 to 2 are the voltages L1 to L3, channels 3 to 5 the currents L1 to L3, import positive.

use crc::{CRC_16_IBM_3740, Crc};
use meterbench_metrology::Frame;

/// Bytes of a word.
pub const WORD: usize = 3;
/// Channels of an ADS131M06.
pub const CHANNELS_M06: usize = 6;
/// Channels of an ADS131M08.
pub const CHANNELS_M08: usize = 8;

/// Length of a frame (bytes) of a converter with so many channels.
pub const fn frame_length(channels: usize) -> usize {
    (channels + 2) * WORD
}

/// Command words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command(u16);

impl Command {
    /// Nothing; the next frame answers with the status.
    pub const NULL: Self = Self(0x0000);
    /// All registers as at power-up; works in a frame of full length only.
    pub const RESET: Self = Self(0x0011);
    /// From now on only `NULL`, `RREG` and `UNLOCK` count.
    pub const LOCK: Self = Self(0x0555);

    /// Reads one register; its content is the response in the next frame.
    pub const fn read(register: Register) -> Self {
        Self(0xA000 | (register as u16) << 7)
    }

    /// Writes one register with the word that follows.
    pub const fn write(register: Register) -> Self {
        Self(0x6000 | (register as u16) << 7)
    }

    /// Puts the command, and the value that follows it, at the start of a frame.
    pub fn put(self, value: u16, frame: &mut [u8]) {
        frame.fill(0);
        for (word, value) in frame.chunks_exact_mut(WORD).zip([self.0, value]) {
            word[..2].copy_from_slice(&value.to_be_bytes());
        }
    }
}

/// Registers this firmware uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Number of channels in bits 11 to 8.
    Id = 0x00,
    /// Check sums, word length, data ready.
    Mode = 0x02,
    /// Channels, oversampling, power.
    Clock = 0x03,
    /// Gains of channels 0 to 3.
    Gain1 = 0x04,
    /// Gains of channels 4 to 7.
    Gain2 = 0x05,
}

/// What is written after a reset, and read back.
///
/// * `Mode`: words of 24 bits, check sum CCITT, time-out of a frame that stays incomplete, data ready of the slowest channel
///   as a level; the flag of a reset is cleared, so that a frame tells of the next one.
/// * `Clock`: channels 0 to 5, crystal of 8.192 MHz, oversampling 512 = 8000 samples per second, high resolution.
/// * `Gain1`, `Gain2`: gain 1 on all channels, full scale ±1.2 V.
pub const SETTINGS: [(Register, u16); 4] =
    [(Register::Mode, 0x0110), (Register::Clock, 0x3F0A), (Register::Gain1, 0), (Register::Gain2, 0)];

/// Response word of a frame.
pub fn response(frame: &[u8]) -> u16 {
    frame.first_chunk().map_or(0, |word| u16::from_be_bytes(*word))
}

/// Channels that the content of [`Register::Id`] tells; `None` for another converter.
pub const fn channels(id: u16) -> Option<usize> {
    match id >> 8 {
        0x26 => Some(CHANNELS_M06),
        0x28 => Some(CHANNELS_M08),
        _ => None,
    }
}

/// Why a frame is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the number of bytes of a converter with six or eight channels.
    #[error("a frame of {bytes} bytes is neither of an ADS131M06 (24) nor of an ADS131M08 (30)")]
    Length {
        /// Bytes given.
        bytes: usize,
    },
    /// The bytes are not those the converter sent.
    #[error("the check sum of a converter frame is {found:#06x}, computed {computed:#06x}: check the wiring of SPI2")]
    CheckSum {
        /// As received.
        found: u16,
        /// Of the bytes received.
        computed: u16,
    },
    /// The converter has lost its settings or its step.
    #[error("the converter says status {status:#06x} instead of 0x81xx: it was reset, and must be set up again")]
    Status {
        /// Status word received.
        status: u16,
    },
}

/// Upper half of the status in running order: locked, no reset, words of 24 bits. A resynchronisation (0x4000) is no fault: the
/// captures show what time it took.
const RUNNING: u16 = 0x8100;
const RUNNING_MASK: u16 = 0xBF00;

const CHECK_SUM: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);

/// The sample in a frame, if it is whole and the converter in order. The frame before must have carried [`Command::NULL`].
pub fn decode(frame: &[u8]) -> Result<Frame, FrameError> {
    let bytes = frame.len();
    if bytes != frame_length(CHANNELS_M06) && bytes != frame_length(CHANNELS_M08) {
        return Err(FrameError::Length { bytes });
    }
    let (content, sum) = frame.split_at(bytes - WORD);
    let (found, computed) = (response(sum), CHECK_SUM.checksum(content));
    if found != computed {
        return Err(FrameError::CheckSum { found, computed });
    }
    let status = response(content);
    if status & RUNNING_MASK != RUNNING {
        return Err(FrameError::Status { status });
    }
    let channel = |n: usize| {
        let at = (1 + n) * WORD;
        i32::from_be_bytes([content[at], content[at + 1], content[at + 2], 0]) >> 8
    };
    Ok(Frame { voltage: [channel(0), channel(1), channel(2)], current: [channel(3), channel(4), channel(5)] })
}

/// Samples in a row that may be mended (1 ms).
pub const MENDED: u32 = 8;
/// Missing samples in a row after which the converter must be set up again (100 ms).
pub const GIVEN_UP: u32 = 800;

/// Fills the place of samples that did not arrive whole, so that sample time goes on.
///
/// The last whole sample stands for up to [`MENDED`] samples; after that zero does, because energy that nobody measured is not
/// registered. After [`GIVEN_UP`] samples sample time stops for good: the shell resets the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mender {
    last: Frame,
    missing: u32,
}

impl Mender {
    /// Takes a whole sample, and hands it on.
    pub fn whole(&mut self, frame: Frame) -> Frame {
        if !self.has_given_up() {
            *self = Self { last: frame, missing: 0 };
        }
        frame
    }

    /// A sample to stand for one that is missing.
    pub fn missing(&mut self) -> Frame {
        self.missing = self.missing.saturating_add(1);
        if self.missing <= MENDED { self.last } else { Frame::default() }
    }

    /// Too many samples are missing in a row.
    pub fn has_given_up(&self) -> bool {
        self.missing > GIVEN_UP
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn frame(status: u16, channels: &[i32]) -> Vec<u8> {
        let mut bytes = Vec::from([(status >> 8) as u8, status as u8, 0]);
        for channel in channels {
            bytes.extend(&channel.to_be_bytes()[1..]);
        }
        let sum = CHECK_SUM.checksum(&bytes);
        bytes.extend([(sum >> 8) as u8, sum as u8, 0]);
        bytes
    }

    const SAMPLE: [i32; 6] = [8_388_607, -8_388_608, 0, -1, 1, 123_456];

    #[test]
    fn the_check_sum_is_the_one_of_the_data_sheet() {
        // Check value of CRC-16 with polynomial 0x1021 and seed 0xFFFF, not reflected.
        assert_eq!(CHECK_SUM.checksum(b"123456789"), 0x29B1);
    }

    #[test]
    fn both_converters_give_the_same_sample() {
        let expected = Frame { voltage: [8_388_607, -8_388_608, 0], current: [-1, 1, 123_456] };
        assert_eq!(decode(&frame(0x813F, &SAMPLE)), Ok(expected));
        let eight = [&SAMPLE[..], &[5, 6]].concat();
        assert_eq!(decode(&frame(0x813F, &eight)), Ok(expected));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let good = frame(0x813F, &SAMPLE);
        for bit in 0..(good.len() - 1) * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&bad), Err(FrameError::CheckSum { .. })), "bit {bit}");
        }
    }

    #[test]
    fn a_dead_line_is_no_sample() {
        for level in [0x00, 0xFF] {
            assert!(matches!(decode(&[level; 30]), Err(FrameError::CheckSum { .. })), "{level:#x}");
        }
        assert_eq!(decode(&[0; 27]), Err(FrameError::Length { bytes: 27 }));
    }

    #[test]
    fn a_converter_that_was_reset_is_noticed() {
        assert!(decode(&frame(0xC13F, &SAMPLE)).is_ok());
        for status in [0x0500, 0x0100, 0x9100, 0x8500] {
            assert_eq!(decode(&frame(status, &SAMPLE)), Err(FrameError::Status { status }));
        }
    }

    #[test]
    fn energy_that_nobody_measured_is_not_registered() {
        let frame = Frame { voltage: [1; 3], current: [2; 3] };
        let mut mender = Mender::default();
        for _ in 0..3 {
            assert_eq!(mender.whole(frame), frame);
            assert!((0..MENDED).all(|_| mender.missing() == frame));
            assert!((MENDED..GIVEN_UP).all(|_| mender.missing() == Frame::default()));
            assert!(!mender.has_given_up());
        }
        assert_eq!(mender.missing(), Frame::default());
        assert!(mender.has_given_up());
        mender.whole(frame);
        assert!(mender.has_given_up());
    }

    #[test]
    fn commands_are_those_of_the_data_sheet() {
        let mut frame = [0xEE; 24];
        Command::write(Register::Clock).put(0x3F0A, &mut frame);
        assert_eq!(frame[..7], [0x61, 0x80, 0, 0x3F, 0x0A, 0, 0]);
        Command::read(Register::Id).put(0, &mut frame);
        assert_eq!(frame[..6], [0xA0, 0, 0, 0, 0, 0]);
        assert_eq!((channels(0x2801), channels(0x2600), channels(0x2400), channels(0)), (Some(8), Some(6), None, None));
        assert_eq!((frame_length(6), frame_length(8)), (24, 30));
    }
}
