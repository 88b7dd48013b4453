//! A firmware image: the bytes that an ELF file puts into the flash.

use std::path::Path;

use object::elf::PT_LOAD;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Architecture, Object};
use probe_rs::rtt::find_rtt_control_block_in_raw_file;
use sha2::{Digest, Sha256};

use crate::error::ProbeError;
use crate::known_chip::KnownChip;

type Elf = object::elf::FileHeader32<object::LittleEndian>;

/// Bytes by address, checked against a chip.
#[derive(Debug, Clone)]
pub struct Image {
    pub(crate) segments: Vec<(u64, Vec<u8>)>,
    /// Where the firmware keeps the control block of its log, if it says so.
    pub(crate) log: Option<u64>,
    /// It logs by frames of defmt, and not in plain text.
    pub(crate) defmt: bool,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl Image {
    /// Reads an ELF file for this chip.
    pub fn read(path: &Path, chip: &KnownChip) -> Result<Self, ProbeError> {
        let file = path.display().to_string();
        // Asked before it is opened: a pipe would wait for its writer.
        let regular = std::fs::metadata(path).and_then(|about| {
            let refused = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no regular file");
            about.is_file().then_some(()).ok_or_else(refused)
        });
        let bytes = match regular.and_then(|()| std::fs::read(path)) {
            Ok(bytes) => bytes,
            Err(error) => return Err(ProbeError::Unreadable { file, error }),
        };
        let not_elf = || ProbeError::NotElf { file: file.clone() };
        let found = object::File::parse(&*bytes).map_err(|_| not_elf())?;
        if found.architecture() != Architecture::Arm || found.is_64() || !found.is_little_endian() {
            return Err(ProbeError::NotArm { file, found: format!("{:?}", found.architecture()).to_lowercase() });
        }
        let segments = segments(&bytes).ok_or_else(not_elf)?;
        if segments.is_empty() {
            return Err(ProbeError::Empty { file, chip: chip.name.clone() });
        }
        for (address, data) in &segments {
            let end = address + data.len() as u64;
            if *address < chip.flash.start || end > chip.flash.end {
                return Err(ProbeError::OutsideFlash {
                    file,
                    chip: chip.name.clone(),
                    address: *address,
                    bytes: data.len() as u64,
                    first: chip.flash.start,
                    last: chip.flash.end - 1,
                });
            }
        }
        let defmt = found.section_by_name(".defmt").is_some();
        let log = find_rtt_control_block_in_raw_file(&bytes).ok().flatten();
        let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self { segments, log, defmt, sha256 })
    }

    /// Bytes in the flash.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, data)| data.len() as u64).sum()
    }
}

/// What the loader of the chip would load, at the addresses where it is stored.
fn segments(bytes: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let mut segments = Vec::new();
    for segment in header.program_headers(endian, bytes).ok()? {
        if segment.p_type(endian) != PT_LOAD || segment.p_filesz(endian) == 0 {
            continue;
        }
        let data = segment.data(endian, bytes).ok()?;
        segments.push((u64::from(segment.p_paddr(endian)), data.to_vec()));
    }
    Some(segments)
}
