//! A body in QEMU: one process per meter, asked over its standard input and output.
//!
//! All of it is synchronous: the world computes while it holds the thread, and nothing in the paused runtime may wait for
//! a process. A process that does not answer in time is killed. One whose meterbench is killed ends with its pipes, unless its
//! firmware hangs.

use std::collections::VecDeque;
use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meterbench_lockstep::{LONGEST_ANSWER, WireError, message_length};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::lock_step::{Link, Trouble};

/// The emulator.
const PROGRAM: &str = "qemu-system-arm";
/// The command that builds the image.
pub(crate) const BUILD: &str = "cargo build --release --manifest-path firmware/targets/Cargo.toml --target thumbv7em-none-eabihf -p meterbench-qemu-f405";
/// Where that command leaves it, seen from the root of the repository.
const IMAGE: &str = "firmware/targets/target/thumbv7em-none-eabihf/release/qemu-f405";
/// Bytes kept of what a body writes for people.
const WORDS: usize = 4096;

/// Meters in QEMU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qemu {
    /// The firmware, an ELF file for the STM32F405.
    pub image: PathBuf,
    /// How long a block may take, on the wall.
    pub patience: Duration,
    /// Something goes wrong with the first meter, for tests of the bench itself.
    pub disturb: Option<BodyDisturbance>,
}

impl Default for Qemu {
    fn default() -> Self {
        Self { image: IMAGE.into(), patience: Duration::from_secs(10), disturb: None }
    }
}

/// What goes wrong with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDisturbance {
    /// With this block.
    pub block: u32,
    pub spoil: Spoil,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoil {
    /// The process is killed: before an even block is handed over, after an odd one was.
    Killed,
    /// The block never arrives.
    Dead,
    /// The answer is overwritten.
    Garbage,
}

/// There is nothing to run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QemuUnusable {
    /// The emulator is not installed.
    #[error(
        "`body: qemu` needs `{PROGRAM}`, which is not in PATH: install it (on Debian `apt-get install qemu-system-arm`), or write `body: native`"
    )]
    NoProgram,
    /// The image is not there.
    #[error("`body: qemu` needs the image of the firmware, and {} cannot be read ({why}): build it with `{BUILD}`", .image.display())]
    NoImage {
        /// Where it was looked for.
        image: PathBuf,
        /// Why it cannot be read.
        why: String,
    },
    /// It is something else.
    #[error("`body: qemu` needs the image of the firmware, and {} is no ELF file for ARM: build it with `{BUILD}`", .image.display())]
    Foreign {
        /// What was given.
        image: PathBuf,
    },
    /// The process cannot be started.
    #[error("`{PROGRAM}` cannot be started: {0}")]
    Start(String),
}

impl Qemu {
    /// Whether emulator and image are there. Nothing is started.
    pub(crate) fn check(&self) -> Result<(), QemuUnusable> {
        let unreadable = |error: io::Error| QemuUnusable::NoImage { image: self.image.clone(), why: error.to_string() };
        let foreign = || QemuUnusable::Foreign { image: self.image.clone() };
        // Asked before it is opened: a pipe would wait for its writer.
        if !std::fs::metadata(&self.image).map_err(unreadable)?.is_file() {
            return Err(foreign());
        }
        let mut head = [0; 20];
        let mut file = File::open(&self.image).map_err(unreadable)?;
        file.read_exact(&mut head).map_err(|_| foreign())?;
        // ELF, 32 bits, least significant octet first, for ARM.
        if head[..6] != *b"\x7fELF\x01\x01" || head[18..] != [40, 0] {
            return Err(foreign());
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let is_there = env::split_paths(&path).any(|directory| directory.join(PROGRAM).is_file());
        if is_there { Ok(()) } else { Err(QemuUnusable::NoProgram) }
    }

    /// Starts a process that waits for its first request.
    pub(crate) fn start(&self) -> Result<Process, QemuUnusable> {
        self.check()?;
        Process::start(&self.image, self.patience, self.disturb).map_err(|error| QemuUnusable::Start(error.to_string()))
    }
}

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    words: Option<JoinHandle<String>>,
    patience: Duration,
    disturb: Option<BodyDisturbance>,
    block: u32,
}

impl Process {
    fn start(image: &Path, patience: Duration, disturb: Option<BodyDisturbance>) -> io::Result<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["-machine", "netduinoplus2", "-nodefaults", "-no-user-config", "-display", "none"])
            .args(["-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(image.canonicalize()?)
            .current_dir("/")
            // An interrupt from the keyboard is for the bench, which then switches off and ends the process.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::from(ErrorKind::BrokenPipe);
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        rustix::io::ioctl_fionbio(&input, true)?;
        let words = thread::Builder::new().name("words of QEMU".into()).spawn(move || last_words(errors))?;
        Ok(Self { child, input, output, words: Some(words), patience, disturb, block: 0 })
    }

    fn send(&mut self, request: &[u8], deadline: Instant) -> Result<(), Trouble> {
        let mut rest = request;
        while !rest.is_empty() {
            match self.input.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !ready(self.input.as_fd(), PollFlags::OUT, deadline)? {
                        return Err(self.silent());
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(Trouble::Ended(self.status())),
                Err(error) => return Err(Trouble::System(error.kind())),
            }
        }
        Ok(())
    }

    fn receive(&mut self, answer: &mut Vec<u8>, deadline: Instant) -> Result<(), Trouble> {
        let mut there = 0;
        answer.resize(LONGEST_ANSWER, 0);
        loop {
            let said = message_length(&answer[..there]);
            if let Some(said) = said.filter(|&said| said > answer.len() || said < there) {
                return Err(WireError::Length { found: there, said }.into());
            }
            if said == Some(there) {
                answer.truncate(there);
                return Ok(());
            }
            if !ready(self.output.as_fd(), PollFlags::IN, deadline)? {
                return Err(self.silent());
            }
            match self.output.read(&mut answer[there..]) {
                Ok(0) => return Err(Trouble::Ended(self.status())),
                Ok(read) => there += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::System(error.kind())),
            }
        }
    }

    fn silent(&mut self) -> Trouble {
        self.end();
        Trouble::Silent { seconds: self.patience.as_secs() }
    }

    /// How a process ended that has closed its end: it does so shortly before it is gone.
    fn status(&mut self) -> Option<ExitStatus> {
        for _ in 0..1000 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn end(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn spoil(&mut self, when: Spoil) -> bool {
        self.disturb.is_some_and(|disturb| disturb.block == self.block && disturb.spoil == when)
    }
}

impl Link for Process {
    fn exchange(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<(), Trouble> {
        let deadline = Instant::now() + self.patience;
        let killed = self.spoil(Spoil::Killed);
        if killed && self.block.is_multiple_of(2) {
            let _ = self.child.kill();
        }
        if !self.spoil(Spoil::Dead) {
            self.send(request, deadline)?;
        }
        if killed {
            let _ = self.child.kill();
        }
        self.receive(answer, deadline)?;
        if self.spoil(Spoil::Garbage) {
            answer.fill(0x55);
        }
        self.block = self.block.wrapping_add(1);
        Ok(())
    }

    fn last_line(&mut self) -> Option<String> {
        self.end();
        let words = self.words.take()?.join().ok()?;
        words.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        if let Some(words) = self.words.take() {
            let _ = words.join();
        }
    }
}

/// Waits until a file is ready; false at the deadline.
fn ready(file: BorrowedFd<'_>, wanted: PollFlags, deadline: Instant) -> Result<bool, Trouble> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut [PollFd::from_borrowed_fd(file, wanted)], Some(&left)) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Trouble::System(io::Error::from(error).kind())),
        }
    }
}

/// Reads to the end and keeps the last of it.
fn last_words(mut errors: ChildStderr) -> String {
    let mut kept = VecDeque::with_capacity(WORDS);
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = errors.read(&mut chunk) {
        kept.extend(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(WORDS));
    }
    String::from_utf8_lossy(kept.make_contiguous()).into_owned()
}
