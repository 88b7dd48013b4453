//! The role of a programmer, filled by a probe: probe-rs blocks, so it gets a thread.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use meterbench_instruments::{Clearance, Flashed, InstrumentError, Programmer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::connection::Connection;
use crate::error::ProbeError;
use crate::image::Image;
use crate::known_chip::KnownChip;
use crate::probes::Probes;

/// Threads that hold a chip.
static AT_WORK: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

fn keep(thread: JoinHandle<()>) {
    let mut threads = AT_WORK.lock().unwrap_or_else(PoisonError::into_inner);
    threads.retain(|thread| !thread.is_finished());
    threads.push(thread);
}

/// Waits until no chip is being written to any more. A run that was broken off has nobody left who waits, and a program
/// that ends in the middle leaves half a firmware in the meter.
pub fn settle() {
    let threads = std::mem::take(&mut *AT_WORK.lock().unwrap_or_else(PoisonError::into_inner));
    // A thread that failed has told its programmer so.
    threads.into_iter().for_each(|thread| _ = thread.join());
}

/// What a bench says of the probe at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeEntry {
    /// Chip of the meter, such as STM32F405RG.
    pub chip: String,
    /// VID:PID or VID:PID:SERIAL; without one there must be a single probe.
    pub selector: Option<String>,
    /// It may touch a meter under voltage.
    pub isolated: bool,
}

/// A probe at a position. It must not be used on a paused clock: nobody there waits for a thread.
#[derive(Debug)]
pub struct ProbeProgrammer {
    /// For messages: `the probe (position 2)`.
    title: String,
    entry: ProbeEntry,
    probes: Probes,
    running: Option<Running>,
}

/// A thread that holds a chip.
#[derive(Debug)]
struct Running {
    lines: UnboundedReceiver<String>,
    released: oneshot::Receiver<()>,
}

impl ProbeProgrammer {
    pub fn new(title: impl Into<String>, entry: ProbeEntry, probes: Probes) -> Self {
        Self { title: title.into(), entry, probes, running: None }
    }

    fn error(&self, what: &dyn ToString) -> InstrumentError {
        InstrumentError::Flash { instrument: self.title.clone(), what: what.to_string() }
    }
}

#[async_trait]
impl Programmer for ProbeProgrammer {
    fn isolated(&self) -> bool {
        self.entry.isolated
    }

    fn check(&self, image: &Path) -> Result<(), InstrumentError> {
        let checked = KnownChip::named(&self.entry.chip).and_then(|chip| Image::read(image, &chip));
        checked.map(|_| ()).map_err(|error| self.error(&error))
    }

    async fn flash(&mut self, image: &Path, clearance: Clearance) -> Result<Flashed, InstrumentError> {
        self.release().await;
        let (done, flashed) = oneshot::channel();
        let (told, lines) = unbounded_channel();
        let (gone, released) = oneshot::channel();
        let (entry, probes, image) = (self.entry.clone(), self.probes.clone(), image.to_owned());
        let work = move || {
            hold(&entry, &probes, &image, clearance, done, &told);
            let _ = gone.send(());
        };
        let thread = thread::Builder::new().name("probe".into()).spawn(work).map_err(|error| self.error(&error))?;
        keep(thread);
        let result = flashed.await.map_err(|_| self.error(&"the thread of the probe has failed"))?;
        self.running = Some(Running { lines, released });
        result.map_err(|error| self.error(&error))
    }

    async fn log_line(&mut self) -> Option<String> {
        self.running.as_mut()?.lines.recv().await
    }

    async fn release(&mut self) {
        if let Some(Running { lines, released }) = self.running.take() {
            drop(lines);
            // The sender is dropped with the thread.
            let _ = released.await;
        }
    }
}

/// Flashes, says how it went, and reads the log for as long as somebody listens.
fn hold(
    entry: &ProbeEntry,
    probes: &Probes,
    image: &Path,
    clearance: Clearance,
    done: oneshot::Sender<Result<Flashed, ProbeError>>,
    lines: &UnboundedSender<String>,
) {
    let flash = || {
        let chip = KnownChip::named(&entry.chip)?;
        let image = Image::read(image, &chip)?;
        let mut connection = Connection::open(probes, entry.selector.as_deref(), &chip, clearance)?;
        connection.flash(&image, &|_| {})?;
        Ok((connection, image))
    };
    let (mut connection, image) = match flash() {
        Ok(flashed) => flashed,
        Err(error) => {
            let _ = done.send(Err(error));
            return;
        }
    };
    let flashed = Flashed {
        probe: connection.probe.clone(),
        chip: connection.chip.clone(),
        sha256: image.sha256.clone(),
        bytes: image.bytes(),
    };
    let _ = done.send(Ok(flashed));
    let followed = connection.follow(&image, |line| match line {
        Some(line) => lines.send(line).map_or(ControlFlow::Break(()), ControlFlow::Continue),
        None if lines.is_closed() => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    });
    if let Err(error) = followed {
        let _ = lines.send(format!("(end of the log: {error})"));
    }
}
