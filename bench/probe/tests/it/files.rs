//! Firmware files.

use std::fs;
use std::path::PathBuf;

use meterbench_probe::emulated::FLASH;
use meterbench_probe::emulated::firmware::{ARM, elf, image};
use tempfile::TempDir;

/// A directory with files in it.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The firmware of a meter that says this.
    pub(crate) fn firmware(&self, log: &str, bytes: usize) -> (PathBuf, Vec<u8>) {
        let image = image(log, bytes);
        (self.with("meter.elf", &elf(ARM, FLASH, &image)), image)
    }

    /// Without the directory, which is another one every time.
    pub(crate) fn strip(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}
