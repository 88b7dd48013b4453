//! The service of requests: the same code in an emulated processor and beside the bench.

use meterbench_meter::port::Connections;
use meterbench_meter::{Action, Image, Memory, Meter, Outage, Settings, TypeNumber, Workspace};
use meterbench_metrology::Frame;

use crate::answer::{AnswerWriter, Refusal, Status};
use crate::hash::Hash;
use crate::request::{Cycles, Request, RequestPart, Samples};

/// Frames decoded before the meter takes them.
const CHUNK: usize = 32;

/// A meter that is served by requests.
#[derive(Debug, Default)]
pub struct Served {
    meter: Option<Meter>,
    memory: Memory,
    workspace: Workspace,
    connections: Connections,
    hash: Hash,
}

impl Served {
    /// Without a meter: the first request configures one.
    pub fn new() -> Self {
        Self::default()
    }

    /// With memory for the rows of the meter.
    pub fn with_memory(memory: Memory) -> Self {
        Self { memory, ..Self::default() }
    }

    /// With room for the analysis of the meter's samples: without it the meter measures no power quality, unless it has a heap.
    #[must_use]
    pub fn with_workspace(self, workspace: Workspace) -> Self {
        Self { workspace, ..self }
    }

    /// The meter, once it is configured.
    pub fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// Carries out a request and writes the answer; its length (bytes). A request that is not understood is answered so.
    ///
    /// [`crate::LONGEST_ANSWER`] bytes hold any answer; zero only if not even a status fits.
    pub fn answer(&mut self, request: &[u8], answer: &mut [u8]) -> usize {
        let request = Request::read(request);
        let mut writer = AnswerWriter::new(answer, request.map_or(0, |request| request.number));
        let mut taken = 0;
        let done = request.map_err(|_| Refusal::NotUnderstood).and_then(|request| {
            request
                .parts()
                .try_for_each(|part| self.take(part.map_err(|_| Refusal::NotUnderstood)?, &mut taken, &mut writer))
        });
        if let Err(refusal) = done {
            writer.refused(refusal);
        }
        writer.finish(&self.status(taken))
    }

    fn status(&mut self, taken: u32) -> Status {
        let Some(meter) = &self.meter else { return Status::default() };
        self.hash.state(meter);
        Status {
            index: meter.sample_index(),
            taken,
            hash: self.hash.value(),
            at_window_start: meter.state().at_window_start(),
            synchronised_by: meter.state().synchronised_by() as u8,
        }
    }

    fn take(&mut self, part: RequestPart<'_>, taken: &mut u32, writer: &mut AnswerWriter<'_>) -> Result<(), Refusal> {
        if let RequestPart::Configure { type_number, settings } = &part {
            return self.configure(type_number, settings);
        }
        let Self { meter, connections, hash, .. } = self;
        let meter = meter.as_mut().ok_or(Refusal::NotConfigured)?;
        let mut act = |Action::Impulse(impulse)| {
            hash.impulse(&impulse);
            writer.impulse(&impulse);
        };
        match part {
            RequestPart::Samples(samples) => {
                in_step(meter, samples.first)?;
                *taken += take_samples(meter, &samples, &mut act);
            }
            RequestPart::Cycles(cycles) => {
                in_step(meter, cycles.first)?;
                take_cycles(meter, &cycles, &mut act);
            }
            RequestPart::Output(quantity) => meter.select_output(quantity).map_err(|_| Refusal::Output)?,
            RequestPart::Display(obis) => writer.display(meter.display(obis)),
            RequestPart::Open(port) => connections.open(meter, port),
            RequestPart::Octets(port, octets) => {
                let standing = connections.receive(meter, port, octets, |action| {
                    hash.port(&action);
                    writer.port(&action);
                });
                writer.standing(standing);
            }
            RequestPart::Keep => keep(meter, writer),
            RequestPart::Restore(image, outage) => restore(meter, image, outage)?,
            RequestPart::Trim(ppb) => meter.trim_clock(ppb),
            RequestPart::Identity { identity, type_number } => meter.identify(&identity, type_number),
            RequestPart::Configuration(configuration) => meter.configure(&configuration),
            RequestPart::Configure { .. } => {}
        }
        Ok(())
    }

    /// Makes a meter. One that is configured again has started again: what stands in its memory stays.
    fn configure(&mut self, type_number: &str, settings: &Settings) -> Result<(), Refusal> {
        self.make(type_number, settings)?;
        let Some(meter) = &mut self.meter else { return Ok(()) };
        meter.remember(core::mem::take(&mut self.memory));
        // A meter on a heap brings its own.
        if !matches!(self.workspace, Workspace::Absent) {
            meter.watch_in(core::mem::take(&mut self.workspace));
        }
        self.connections.close();
        self.hash = Hash::default();
        Ok(())
    }

    #[inline(never)]
    fn make(&mut self, type_number: &str, settings: &Settings) -> Result<(), Refusal> {
        let type_number: TypeNumber = type_number.parse().map_err(|_| Refusal::Type)?;
        let made = Meter::new(type_number.profile(), settings).map_err(|_| Refusal::Settings)?;
        if let Some(before) = self.meter.replace(made).as_mut() {
            (self.memory, self.workspace) = (before.take_memory(), before.take_workspace());
        }
        Ok(())
    }
}

fn in_step(meter: &Meter, first: u64) -> Result<(), Refusal> {
    if meter.sample_index() == first { Ok(()) } else { Err(Refusal::OutOfStep) }
}

// What needs much stack lies on it alone.

#[inline(never)]
fn keep(meter: &Meter, writer: &mut AnswerWriter<'_>) {
    writer.image(&meter.persist().to_bytes());
}

#[inline(never)]
fn restore(meter: &mut Meter, image: &[u8], outage: Outage) -> Result<(), Refusal> {
    meter.restore(&Image::from_bytes(image).map_err(|_| Refusal::Image)?, outage);
    Ok(())
}

#[inline(never)]
fn take_samples(meter: &mut Meter, samples: &Samples<'_>, act: &mut impl FnMut(Action)) -> u32 {
    let mut frames = samples.frames();
    let mut taken = 0;
    loop {
        let mut chunk = [Frame::default(); CHUNK];
        let count = chunk.iter_mut().zip(&mut frames).map(|(space, frame)| *space = frame).count();
        if count == 0 {
            return taken;
        }
        let chunk = &chunk[..count];
        if samples.until_window {
            let done = process_until_window(meter, chunk, &mut *act);
            taken += done as u32;
            if meter.state().at_window_start() {
                return taken;
            }
        } else {
            meter.process(chunk, &mut *act);
            taken += count as u32;
        }
    }
}

fn take_cycles(meter: &mut Meter, cycles: &Cycles<'_>, act: &mut impl FnMut(Action)) {
    for cycle in cycles.cycles() {
        meter.process_cycle(&cycle, &mut *act);
    }
    let [last_but_one, last] = &cycles.last;
    meter.resume(last_but_one, last);
}

/// Takes samples one by one and stops where the next window begins; how many it took.
pub fn process_until_window(meter: &mut Meter, frames: &[Frame], mut act: impl FnMut(Action)) -> usize {
    for (n, frame) in frames.iter().enumerate() {
        meter.process(core::slice::from_ref(frame), &mut act);
        if meter.state().at_window_start() {
            return n + 1;
        }
    }
    frames.len()
}
