//! Semihosting: what a program asks of the machine that emulates it, by a breakpoint with a number.
//!
//! Source: Arm, Semihosting for AArch32 and AArch64 (operations 0x01, 0x04, 0x05, 0x06, 0x20).

use core::arch::asm;
use core::fmt::{self, Write};

const OPEN: usize = 0x01;
const WRITE_TEXT: usize = 0x04;
const WRITE: usize = 0x05;
const READ: usize = 0x06;
const EXIT: usize = 0x20;

/// Mode of [`File::open`]: binary, for reading.
pub const FOR_READING: usize = 1;
/// Mode of [`File::open`]: binary, for writing.
pub const FOR_WRITING: usize = 5;

/// The program ends as it wishes.
const APPLICATION_EXIT: usize = 0x2_0026;

/// Carries out an operation.
///
/// # Safety
///
/// `argument` must be what the operation takes: a pointer to its block of arguments, whose own pointers are valid for the
/// lengths beside them.
unsafe fn call(operation: usize, argument: *const usize) -> usize {
    let result;
    // SAFETY: the host reads and writes the memory that the arguments name and returns in r0; the caller answers for it.
    unsafe {
        asm!("bkpt 0xab", inout("r0") operation => result, in("r1") argument, options(nostack, preserves_flags));
    }
    result
}

/// A file of the host.
#[derive(Debug)]
pub struct File(usize);

impl File {
    /// Opens a file by its path, ended by a zero byte; `None` if the host cannot.
    pub fn open(path: &core::ffi::CStr, mode: usize) -> Option<Self> {
        let arguments = [path.as_ptr() as usize, mode, path.to_bytes().len()];
        // SAFETY: the path and its length.
        let handle = unsafe { call(OPEN, arguments.as_ptr()) };
        (handle != usize::MAX).then_some(Self(handle))
    }

    /// Waits for bytes and takes what is there; zero at the end.
    pub fn read(&mut self, space: &mut [u8]) -> usize {
        let arguments = [self.0, space.as_mut_ptr() as usize, space.len()];
        // SAFETY: the space is borrowed exclusively and as long as said.
        let left = unsafe { call(READ, arguments.as_ptr()) };
        space.len().saturating_sub(left)
    }

    /// Writes all of it; false if the other end is gone.
    #[must_use]
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let arguments = [self.0, rest.as_ptr() as usize, rest.len()];
            // SAFETY: the bytes are borrowed and as long as said.
            let left = unsafe { call(WRITE, arguments.as_ptr()) };
            if left >= rest.len() {
                return false;
            }
            rest = &rest[rest.len() - left..];
        }
        true
    }
}

/// A line to the host's standard error, cut at 200 bytes.
pub fn say(words: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; 202], at: 0 };
    // What does not fit is left out.
    let _ = line.write_fmt(words);
    line.bytes[line.at] = b'\n';
    // SAFETY: the text ends with a zero byte: `at` is at most 200.
    unsafe { call(WRITE_TEXT, line.bytes.as_ptr().cast()) };
}

struct Line {
    bytes: [u8; 202],
    at: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes().filter(|byte| *byte != 0).take(200 - self.at) {
            self.bytes[self.at] = byte;
            self.at += 1;
        }
        Ok(())
    }
}

/// Ends the emulator with this status.
pub fn exit(status: u32) -> ! {
    let arguments = [APPLICATION_EXIT, status as usize];
    loop {
        // SAFETY: reason and status.
        unsafe { call(EXIT, arguments.as_ptr()) };
    }
}
