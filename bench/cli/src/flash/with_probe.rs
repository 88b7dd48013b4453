//! Who may touch which meter, and then the probe.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use meterbench_instruments::{Clearance, InstrumentError, SourceLimits, open_source, terminator};
use meterbench_link::{Endpoint, Session, SessionOptions};
use meterbench_plan::{Address, BenchFile, BenchKind, PositionEntry, ProbeEntry};
use meterbench_probe::{Connection, Image, KnownChip, ProbeError, Probes};

use crate::arguments::FlashArguments;
use crate::catalogue::{self, Refusal};
use crate::diagnostics;
use crate::stop;

/// Longest wait for an answer of the source.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why a meter was not flashed.
#[derive(Debug)]
pub enum Failure {
    /// Nothing was touched: a file or an argument is wrong, or the voltage is on.
    Refused(Refusal),
    /// Probe, chip or source failed.
    Broken(String),
}

impl Failure {
    /// Prints it; the exit code.
    pub fn tell(&self) -> u8 {
        match self {
            Self::Refused(refusal) => diagnostics::refuse(refusal),
            Self::Broken(text) => {
                complain!("error: {text}");
                3
            }
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ProbeError> for Failure {
    fn from(error: ProbeError) -> Self {
        if error.is_argument() {
            Self::Refused(Refusal::Words(error.to_string()))
        } else {
            Self::Broken(error.to_string())
        }
    }
}

/// Flashes over one of these probes; `print` gets the lines for people.
pub fn flash_over(arguments: &FlashArguments, probes: &Probes, print: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let print = RefCell::new(print);
    let (bench, probe) = match &arguments.bench {
        Some(name) => {
            let (bench, position) = position(name, arguments.position)?;
            let probe = position.probe.clone();
            (Some((bench, position.id)), probe.unwrap_or_else(|| given(arguments)))
        }
        None => (None, given(arguments)),
    };
    let chip = KnownChip::named(&probe.chip)?;
    let image = Image::read(&arguments.image, &chip)?;
    let clearance = match &bench {
        _ if probe.isolated => Clearance::isolated(),
        Some((bench, position)) => ask_source(bench, *position)?,
        None if arguments.voltage_off => Clearance::operator(),
        None => return Err(Failure::Refused(Refusal::Words(NO_CLEARANCE.to_owned()))),
    };
    let mut connection = Connection::open(probes, probe.usb.as_deref(), &chip, clearance)?;
    (print.borrow_mut())(format!("{}\n{}\n{}", connection.chip, connection.probe, clearance.words()));
    let file = arguments.image.display();
    connection.flash(&image, &|stage| (print.borrow_mut())(format!("  {stage}")))?;
    let (bytes, sha256) = (image.bytes(), &image.sha256);
    (print.borrow_mut())(format!("FLASHED   {bytes} bytes of {file}, read back   SHA-256 {sha256}"));
    if arguments.log == 0 {
        return Ok(());
    }
    let (end, mut lines) = (Instant::now() + Duration::from_secs(arguments.log.into()), 0);
    connection.follow(&image, |line| {
        if let Some(line) = line {
            lines += 1;
            (print.borrow_mut())(format!("log       {line}"));
        }
        if Instant::now() < end && !stop::is_requested() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if lines == 0 {
        (print.borrow_mut())(format!(
            "log       nothing in {} s: a firmware says something over RTT, channel 0",
            arguments.log
        ));
    }
    Ok(())
}

const NO_CLEARANCE: &str = "nothing says that the probe may touch the meter: give `--isolated` if the probe is galvanically \
isolated, `--voltage-off` if you have made sure that the meter is without voltage, or `--bench FILE`, whose source is asked";

/// What the command line says of the probe.
fn given(arguments: &FlashArguments) -> ProbeEntry {
    ProbeEntry {
        chip: arguments.chip.clone().unwrap_or_default(),
        usb: arguments.probe.clone(),
        isolated: arguments.isolated,
    }
}

/// The position of a real bench that is meant.
fn position(name: &str, wanted: Option<u32>) -> Result<(BenchFile, PositionEntry), Refusal> {
    let bench = catalogue::bench(name)?;
    if bench.kind == BenchKind::Emulated {
        return Err(Refusal::Words(format!(
            "{name} is an emulated bench: its meters run in this program or in QEMU and have no chip; name a real bench, or \
             a chip with `--chip`"
        )));
    }
    let with_probe: Vec<&PositionEntry> = bench.positions.iter().filter(|p| p.probe.is_some()).collect();
    let found = match wanted {
        Some(id) => with_probe.iter().find(|position| position.id == id).copied(),
        None if with_probe.len() > 1 => {
            let ids: Vec<String> = with_probe.iter().map(|position| position.id.to_string()).collect();
            let text = format!("positions {} of {name} have a probe; choose one with `--position`", ids.join(", "));
            return Err(Refusal::Words(text));
        }
        None => with_probe.first().copied(),
    };
    let Some(position) = found.cloned() else {
        let which = wanted.map_or("no position".to_owned(), |id| format!("position {id}"));
        let has = if wanted.is_some() { "has no probe" } else { "has a probe" };
        return Err(Refusal::Words(format!(
            "{which} of {name} {has}; add `probe: {{ chip: STM32F405RG, isolated: true }}` to the position"
        )));
    };
    Ok((bench, position))
}

/// Asks the source of the bench, and tells it nothing.
fn ask_source(bench: &BenchFile, position: u32) -> Result<Clearance, Failure> {
    let broken = |text: String| Failure::Broken(format!("{text}; so the voltage is not known to be off"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| broken(format!("no runtime: {error}")))?;
    let seen = runtime.block_on(async {
        let (entry, Address::Tcp(address)) = (&bench.source, &bench.source.address) else { return Ok(None) };
        let instrument = format!("the source ({} at {})", entry.model, entry.address);
        let terminator = terminator(&entry.model).unwrap_or(b'\n');
        let options = SessionOptions { instrument, terminator, timeout: TIMEOUT, tracer: None };
        let session = Session::new(Endpoint::Tcp(address.clone()), options);
        let (volt, ampere) = entry.limits.unwrap_or((0.0, 0.0));
        match open_source(&entry.model, session, SourceLimits { volt, ampere }) {
            Some(mut source) => source.read_back().await.map(Some),
            None => Ok(None),
        }
    });
    let seen = seen.map_err(|error: InstrumentError| broken(error.to_string()))?;
    let seen = seen.ok_or_else(|| broken("the source of this bench cannot be asked".to_owned()))?;
    Clearance::read_back(&seen).map_err(|read| {
        Failure::Refused(Refusal::Words(format!(
            "the voltage is on ({read}) and the probe of position {position} is not declared as isolated; switch the source \
             off, or declare `isolated: true` if the probe is galvanically isolated. Nothing was touched"
        )))
    })
}
