//! SHA-256 of what a run rests on: its plan, its bench, the image its meters run.

use meterbench_emulator::BodyConfig;
use meterbench_plan::BenchFile;
use sha2::{Digest, Sha256};

use crate::catalogue::Refusal;

/// Of these bytes, in hexadecimal digits.
pub fn of(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The image that meters in QEMU run: its file, and what it is.
pub fn image(body: &BodyConfig) -> Result<Option<String>, Refusal> {
    let BodyConfig::Qemu(qemu) = body else { return Ok(None) };
    let file = qemu.image.display();
    let bytes = std::fs::read(&qemu.image).map_err(|error| Refusal::Words(format!("{file}: {error}")))?;
    Ok(Some(format!("{file}, SHA-256 {}", of(bytes))))
}

/// Everything that could make the bench measure otherwise; not what was broken on purpose, nor which positions are skipped.
pub fn bench(file: &BenchFile, image: Option<&str>) -> String {
    let mut file = file.clone();
    file.emulation.disturb.clear();
    file.positions.iter_mut().for_each(|position| position.skip = false);
    of(format!("{file:?}{}", image.unwrap_or_default()))
}
