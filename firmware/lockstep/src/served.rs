//! The service of requests: the same code in an emulated processor and beside the bench.

use meterbench_meter::port::Connections;
use meterbench_meter::{Action, Image, Memory, Meter, TypeNumber};
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
            let type_number: TypeNumber = type_number.parse().map_err(|_| Refusal::Type)?;
            let meter = Meter::new(type_number.profile(), settings).map_err(|_| Refusal::Settings)?;
            // A meter that is configured again has started again: what stands in its memory stays.
            let memory = self.meter.as_mut().map_or(core::mem::take(&mut self.memory), Meter::take_memory);
            self.meter = Some(meter.with_memory(memory));
            (self.hash, self.connections) = (Hash::default(), Connections::default());
            return Ok(());
        }
        if let RequestPart::Identity { identity, type_number } = &part {
            let meter = self.meter.take().ok_or(Refusal::NotConfigured)?;
            self.meter = Some(meter.with_identity(identity, type_number));
            return Ok(());
        }
        if let RequestPart::Configuration(configuration) = &part {
            let meter = self.meter.take().ok_or(Refusal::NotConfigured)?;
            self.meter = Some(meter.with_configuration(configuration));
            return Ok(());
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
            RequestPart::Keep => writer.image(&meter.persist().to_bytes()),
            RequestPart::Restore(image, outage) => {
                meter.restore(&Image::from_bytes(image).map_err(|_| Refusal::Image)?, outage);
            }
            RequestPart::Trim(ppb) => meter.trim_clock(ppb),
            RequestPart::Configure { .. } | RequestPart::Identity { .. } | RequestPart::Configuration(_) => {}
        }
        Ok(())
    }
}

fn in_step(meter: &Meter, first: u64) -> Result<(), Refusal> {
    if meter.sample_index() == first { Ok(()) } else { Err(Refusal::OutOfStep) }
}

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
