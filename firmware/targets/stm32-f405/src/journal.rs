//! Registers in an EEPROM: a ring of records, each with a sequence number and a check sum.
//!
//! A record lies in a slot of its own, so that writing one never touches another. The newest whole record counts. A write that
//! a power cut broke off leaves a record that is not whole; the one before it stands. The slot of a broken write is used again.
//! Slots were half as long once: where no record of today is whole, the newest of those counts, and is not written over first.
//!
//! Sans-IO: [`Journal::recover`] asks for bytes, [`Journal::record`] says which bytes belong where.

use crc::{CRC_32_ISO_HDLC, Crc};
use meterbench_meter::{Image, ImageError};

/// Bytes of a page of the EEPROM, written at once.
pub const PAGE: usize = 256;
/// Bytes of a slot: four pages.
pub const SLOT: usize = 4 * PAGE;

const SEQUENCE: usize = 4;
const CHECK: usize = 4;
const SUM: usize = SLOT - CHECK;
/// Bytes of a slot while images had version 1.
const SLOT_OF_VERSION_1: usize = 2 * PAGE;
/// A record counts as not whole when it was read so often: a disturbance on the bus must not cost one.
const READS: usize = 3;
/// As a slot reads that was never written.
const ERASED: u32 = u32::MAX;

const CHECK_SUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

const _: () = assert!(SEQUENCE + Image::SIZE <= SUM, "an image fits a slot");
const _: () =
    assert!(SEQUENCE + Image::SIZE_OF_VERSION_1 <= SLOT_OF_VERSION_1 - CHECK, "and one of version 1 fitted its own");

/// Why the registers of before are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError<E> {
    /// The memory does not answer.
    #[error("the journal cannot be read")]
    Memory(E),
    /// The newest whole record is of another firmware. Going on would hide its registers.
    #[error("record {sequence} of the journal is whole, but not of this firmware")]
    Foreign {
        /// Its number.
        sequence: u32,
        /// What is wrong with it.
        cause: ImageError,
    },
}

/// A record and where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// First byte in the memory; a multiple of [`SLOT`].
    pub address: u32,
    /// What to write.
    pub bytes: [u8; SLOT],
}

/// Where the next record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal {
    slots: u32,
    next: u32,
}

impl Journal {
    /// Finds the newest whole record in a memory of so many slots (at least 2) by `read` (address, bytes to fill).
    ///
    /// Reads four bytes of every slot and one whole record; again, and three times the record, for each that is not whole.
    pub fn recover<E>(
        slots: u32,
        mut read: impl FnMut(u32, &mut [u8]) -> Result<(), E>,
    ) -> Result<(Self, Option<Image>), RecoverError<E>> {
        if let Some((sequence, image)) = newest_whole::<SLOT, E>(slots, &mut read)? {
            return Ok((Self { slots, next: sequence + 1 }, Some(image)));
        }
        let shorter = slots * (SLOT / SLOT_OF_VERSION_1) as u32;
        let Some((sequence, image)) = newest_whole::<SLOT_OF_VERSION_1, E>(shorter, &mut read)? else {
            return Ok((Self { slots, next: 0 }, None));
        };
        // The first record of today goes into the slot behind the one where that record lies.
        let slot = sequence % shorter * SLOT_OF_VERSION_1 as u32 / SLOT as u32;
        Ok((Self { slots, next: sequence / slots * slots + slots + slot + 1 }, Some(image)))
    }

    /// The next record. [`Journal::written`] follows when all its bytes lie in the memory; without it the same slot is used again.
    pub fn record(&self, image: &Image) -> Record {
        let mut bytes = [0; SLOT];
        bytes[..SEQUENCE].copy_from_slice(&self.next.to_le_bytes());
        bytes[SEQUENCE..SEQUENCE + Image::SIZE].copy_from_slice(&image.to_bytes());
        let sum = CHECK_SUM.checksum(&bytes[..SUM]);
        bytes[SUM..].copy_from_slice(&sum.to_le_bytes());
        Record { address: address(self.slots, self.next), bytes }
    }

    /// The record lies in the memory.
    pub fn written(&mut self) {
        // 2³² records are 540 years at one in four seconds.
        self.next = self.next.saturating_add(1).min(ERASED - 1);
    }
}

fn address(slots: u32, sequence: u32) -> u32 {
    sequence % slots * SLOT as u32
}

/// The newest whole record of slots of this length, and its number.
fn newest_whole<const LENGTH: usize, E>(
    slots: u32,
    read: &mut impl FnMut(u32, &mut [u8]) -> Result<(), E>,
) -> Result<Option<(u32, Image)>, RecoverError<E>> {
    let mut below = ERASED;
    while let Some(sequence) = newest(slots, LENGTH, below, read).map_err(RecoverError::Memory)? {
        for _ in 0..READS {
            let mut bytes = [0; LENGTH];
            read(sequence % slots * LENGTH as u32, &mut bytes).map_err(RecoverError::Memory)?;
            if let Some(image) = image(sequence, &bytes) {
                let image = image.map_err(|cause| RecoverError::Foreign { sequence, cause })?;
                return Ok(Some((sequence, image)));
            }
        }
        below = sequence;
    }
    Ok(None)
}

/// The largest sequence number below a bound that stands in the slot where it belongs.
fn newest<E>(
    slots: u32,
    length: usize,
    below: u32,
    read: &mut impl FnMut(u32, &mut [u8]) -> Result<(), E>,
) -> Result<Option<u32>, E> {
    let mut newest = None;
    for slot in 0..slots {
        let mut bytes = [0; SEQUENCE];
        read(slot * length as u32, &mut bytes)?;
        let sequence = u32::from_le_bytes(bytes);
        if sequence < below && sequence % slots == slot {
            newest = newest.max(Some(sequence));
        }
    }
    Ok(newest)
}

/// The image in a slot; `None` when the record is not whole.
fn image(sequence: u32, bytes: &[u8]) -> Option<Result<Image, ImageError>> {
    let (content, sum) = bytes.split_last_chunk::<CHECK>()?;
    let (number, image) = content.split_first_chunk::<SEQUENCE>()?;
    let whole = *sum == CHECK_SUM.checksum(content).to_le_bytes() && *number == sequence.to_le_bytes();
    whole.then(|| Image::from_bytes(image))
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use meterbench_meter::{Meter, Settings, TypeNumber};
    use meterbench_metrology::Frame;

    use super::*;

    const SLOTS: u32 = 5;

    /// An EEPROM as it is delivered.
    fn erased() -> Vec<u8> {
        vec![0xFF; SLOTS as usize * SLOT]
    }

    fn recover(memory: &[u8]) -> (Journal, Option<Image>) {
        Journal::recover(SLOTS, |at, bytes: &mut [u8]| {
            bytes.copy_from_slice(&memory[at as usize..][..bytes.len()]);
            Ok::<_, ()>(())
        })
        .unwrap()
    }

    fn write(memory: &mut [u8], journal: &mut Journal, image: &Image) {
        let record = journal.record(image);
        memory[record.address as usize..][..SLOT].copy_from_slice(&record.bytes);
        journal.written();
    }

    /// Images of a meter under load, all different.
    fn images(count: usize) -> Vec<Image> {
        let profile = "684-2-41D-1312AA70-1B14001".parse::<TypeNumber>().unwrap();
        let mut meter = Meter::new(profile.profile(), &Settings::delivered()).unwrap();
        let wave = |n: usize| (std::f64::consts::TAU * n as f64 / 160.0).sin();
        let load: [Frame; 160] = core::array::from_fn(|n| Frame {
            voltage: [(4_548_000.0 * wave(n)) as i32; 3],
            current: [(3_163_000.0 * wave(n + 10)) as i32; 3],
        });
        let mut next = || {
            (0..11).for_each(|_| meter.process(&load, |_| ()));
            meter.persist()
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn a_new_memory_is_empty_and_the_newest_record_counts() {
        let mut memory = erased();
        let (mut journal, image) = recover(&memory);
        assert_eq!(image, None);
        for image in images(3 * SLOTS as usize) {
            write(&mut memory, &mut journal, &image);
            assert_eq!(recover(&memory), (journal, Some(image)));
        }
    }

    /// What a page may hold after its write was cut: only some bytes new, the next one anything, or all of it anything.
    fn torn(before: &[u8], after: &[u8], cut: usize) -> Vec<Vec<u8>> {
        let prefix = [&after[..cut], &before[cut..]].concat();
        let mut torn = vec![prefix.clone()];
        for garbage in [0x00, 0x5A, 0xFF] {
            let mut bytes = prefix.clone();
            bytes[cut] = garbage;
            torn.push(bytes);
            let mut bytes = prefix.clone();
            let page = cut / PAGE * PAGE;
            bytes[page..page + PAGE].fill(garbage);
            torn.push(bytes);
        }
        torn
    }

    #[test]
    fn a_power_cut_at_every_byte_costs_one_record_and_gives_no_wrong_value() {
        let images = images(2 * SLOTS as usize + 3);
        // Into an erased slot, into the last slot, and over old records.
        for written in [0, 1, SLOTS as usize - 1, SLOTS as usize, 2 * SLOTS as usize + 1] {
            let mut memory = erased();
            let (mut journal, _) = recover(&memory);
            for image in &images[..written] {
                write(&mut memory, &mut journal, image);
            }
            let before = written.checked_sub(1).map(|n| images[n]);
            let (record, next) = (journal.record(&images[written]), &images[written]);
            let slot = record.address as usize..record.address as usize + SLOT;
            let old = memory[slot.clone()].to_vec();
            for cut in 0..SLOT {
                for bytes in torn(&old, &record.bytes, cut) {
                    let whole = bytes == record.bytes;
                    memory[slot.clone()].copy_from_slice(&bytes);
                    let (mut again, image) = recover(&memory);
                    assert_eq!(image, if whole { Some(*next) } else { before }, "{written} written, cut at {cut}");
                    // The next record takes the slot of the broken one and is found.
                    let mut repaired = memory.clone();
                    write(&mut repaired, &mut again, &images[written + 1]);
                    assert_eq!(recover(&repaired).1, Some(images[written + 1]), "{written} written, cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn a_second_cut_in_the_same_slot_costs_nothing_more() {
        let images = images(4);
        let mut memory = erased();
        let (mut journal, _) = recover(&memory);
        write(&mut memory, &mut journal, &images[0]);
        for (cut, image) in [(17, &images[1]), (300, &images[2]), (1023, &images[3])] {
            let record = journal.record(image);
            memory[record.address as usize..][..cut].copy_from_slice(&record.bytes[..cut]);
            let (again, image) = recover(&memory);
            assert_eq!((again, image), (journal, Some(images[0])));
        }
    }

    #[test]
    fn any_flipped_bit_costs_that_record_only() {
        let images = images(2);
        let mut memory = erased();
        let (mut journal, _) = recover(&memory);
        images.iter().for_each(|image| write(&mut memory, &mut journal, image));
        for bit in 0..SLOT * 8 {
            let mut bad = memory.clone();
            bad[SLOT + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(recover(&bad).1, Some(images[0]), "bit {bit}");
        }
    }

    #[test]
    fn a_record_of_another_firmware_is_not_passed_over() {
        let mut memory = erased();
        let (mut journal, _) = recover(&memory);
        let image = images(1)[0];
        write(&mut memory, &mut journal, &image);
        memory[SEQUENCE] = 9;
        let sum = CHECK_SUM.checksum(&memory[..SUM]).to_le_bytes();
        memory[SUM..SLOT].copy_from_slice(&sum);
        let refused = Journal::recover(SLOTS, |at, bytes: &mut [u8]| {
            bytes.copy_from_slice(&memory[at as usize..][..bytes.len()]);
            Ok::<_, ()>(())
        });
        assert_eq!(refused, Err(RecoverError::Foreign { sequence: 0, cause: ImageError::Version { found: 9 } }));
    }

    /// As the firmware of version 1 laid a record out.
    fn write_version_1(memory: &mut [u8], sequence: u32, image: &Image) -> usize {
        let at = sequence as usize % (2 * SLOTS as usize) * SLOT_OF_VERSION_1;
        let slot = &mut memory[at..at + SLOT_OF_VERSION_1];
        slot.fill(0);
        slot[..SEQUENCE].copy_from_slice(&sequence.to_le_bytes());
        slot[SEQUENCE..][..Image::SIZE_OF_VERSION_1].copy_from_slice(&image.to_bytes()[..Image::SIZE_OF_VERSION_1]);
        slot[SEQUENCE] = 1;
        let sum = CHECK_SUM.checksum(&slot[..SLOT_OF_VERSION_1 - CHECK]);
        slot[SLOT_OF_VERSION_1 - CHECK..].copy_from_slice(&sum.to_le_bytes());
        at
    }

    #[test]
    fn records_of_version_1_are_found_and_not_written_over_first() {
        let images = images(4);
        for newest in 0..40 {
            let mut memory = erased();
            let mut at = 0;
            for sequence in 0..=newest {
                at = write_version_1(&mut memory, sequence, &images[sequence as usize % 3]);
            }
            let found = |memory: &[u8]| recover(memory).1.map(|image| image.to_bytes()[1..501].to_vec());
            let registers = |image: &Image| Some(image.to_bytes()[1..501].to_vec());
            assert_eq!(found(&memory), registers(&images[newest as usize % 3]), "{newest}");
            // A cut in the first record of today costs nothing, and the whole one counts.
            let (mut journal, _) = recover(&memory);
            let record = journal.record(&images[3]);
            let slot = record.address as usize..record.address as usize + SLOT;
            assert!(!slot.contains(&at), "{newest}");
            memory[slot.start..slot.start + 700].copy_from_slice(&record.bytes[..700]);
            assert_eq!(found(&memory), registers(&images[newest as usize % 3]), "{newest}");
            write(&mut memory, &mut journal, &images[3]);
            assert_eq!(recover(&memory), (journal, Some(images[3])), "{newest}");
        }
    }

    #[test]
    fn a_disturbed_read_costs_no_record() {
        let images = images(2);
        let mut memory = erased();
        let (mut journal, _) = recover(&memory);
        images.iter().for_each(|image| write(&mut memory, &mut journal, image));
        let mut disturbed = 0;
        let found = Journal::recover(SLOTS, |at, bytes: &mut [u8]| {
            bytes.copy_from_slice(&memory[at as usize..][..bytes.len()]);
            if bytes.len() == SLOT && disturbed < 2 {
                bytes[100] ^= 4;
                disturbed += 1;
            }
            Ok::<_, ()>(())
        });
        assert_eq!(found, Ok((journal, Some(images[1]))));
    }

    #[test]
    fn a_memory_that_does_not_answer_is_no_empty_memory() {
        assert_eq!(Journal::recover(SLOTS, |_, _| Err("no answer")), Err(RecoverError::Memory("no answer")));
    }
}
