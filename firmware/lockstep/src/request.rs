//! What a bench asks of a body.

use core::fmt::Write as _;

use meterbench_meter::cosem::Identity;
use meterbench_meter::port::Port;
use meterbench_meter::{Configuration, Outage, Settings};
use meterbench_metrology::{CycleSums, Frame, ImpulseQuantity, PhaseSums};

use crate::bytes::{Bytes, Section, Sections, WireError, Writer};
use crate::settings::{
    port_of, quantity_code, quantity_of, read_identity, read_settings, write_identity, write_settings,
};

/// Frames of the longest block of samples: 100 ms.
pub const MOST_FRAMES: usize = 800;
/// Cycles of one request: a window.
pub const MOST_CYCLES: usize = 10;
/// Bytes of the longest type number.
pub const LONGEST_TYPE_NUMBER: usize = 64;
/// Most octets for a port in one request. An answer holds what they can make a meter say: a frame has eight octets at least, and is
/// answered by one APDU at most.
pub const MOST_OCTETS: usize = 64;

const CONFIGURE: u8 = 1;
const SAMPLES: u8 = 2;
const CYCLES: u8 = 3;
const OUTPUT: u8 = 4;
const DISPLAY: u8 = 5;
const IDENTITY: u8 = 6;
const CONFIGURATION: u8 = 7;
const OPEN: u8 = 8;
const OCTETS: u8 = 9;
const KEEP: u8 = 10;
const RESTORE: u8 = 11;
const TRIM: u8 = 12;

const FRAME_BYTES: usize = 18;
/// Samples of the longest cycle on the wire; the metrology ends one before.
const LONGEST_CYCLE: u32 = 400;
/// Largest count of a frame to go on from: beyond full scale, for the per-cycle engine does not clip.
const LARGEST_COUNT: u32 = 1 << 26;

/// Writes one request.
#[derive(Debug)]
pub struct RequestWriter<'a>(Writer<'a>);

impl<'a> RequestWriter<'a> {
    /// Begins a request of this number in a buffer; [`crate::LONGEST_REQUEST`] bytes hold any of one section.
    pub fn new(buffer: &'a mut [u8], number: u32) -> Self {
        Self(Writer::new(buffer, number))
    }

    /// A new meter of this type number and these settings, just powered up.
    #[must_use]
    pub fn configure(mut self, type_number: &str, settings: &Settings) -> Self {
        self.0.section(CONFIGURE, |writer| {
            writer.text(type_number);
            write_settings(writer, settings);
        });
        self
    }

    /// The meter just configured gets a serial number, keys, and its type number as printed.
    #[must_use]
    pub fn identity(mut self, identity: &Identity, type_number: &str) -> Self {
        self.0.section(IDENTITY, |writer| {
            writer.text(type_number);
            write_identity(writer, identity);
        });
        self
    }

    /// It gets the clock and the ports of a software configuration.
    #[must_use]
    pub fn configuration(mut self, configuration: &Configuration) -> Self {
        self.0.section(CONFIGURATION, |writer| {
            // What does not fit is told by `finish`.
            let _ = write!(writer, "{configuration}");
        });
        self
    }

    /// A block of samples, the first of this index; all of them, or up to the next start of a window. Counts are cut to 24
    /// bits, sign included.
    #[must_use]
    pub fn samples(mut self, first: u64, until_window: bool, frames: &[Frame]) -> Self {
        self.0.section(SAMPLES, |writer| {
            writer.bytes(&first.to_le_bytes());
            writer.bytes(&[u8::from(until_window)]);
            for frame in frames {
                let mut bytes = [0; FRAME_BYTES];
                for (three, count) in bytes.chunks_exact_mut(3).zip(frame.voltage.iter().chain(&frame.current)) {
                    three.copy_from_slice(&count.to_le_bytes()[..3]);
                }
                writer.bytes(&bytes);
            }
        });
        self
    }

    /// Cycles of mains as sums, the first sample of this index, and the two frames to go on from by samples.
    #[must_use]
    pub fn cycles(mut self, first: u64, cycles: &[CycleSums], last: &[Frame; 2]) -> Self {
        self.0.section(CYCLES, |writer| {
            writer.bytes(&first.to_le_bytes());
            for count in last.iter().flat_map(|frame| frame.voltage.iter().chain(&frame.current)) {
                writer.bytes(&count.to_le_bytes());
            }
            for cycle in cycles {
                writer.bytes(&cycle.samples.to_le_bytes());
                writer.bytes(&cycle.crossing.to_le_bytes());
                for p in &cycle.phases {
                    for sum in [p.ui, p.uu, p.ii, p.u_cos, p.u_sin, p.i_cos, p.i_sin] {
                        writer.bytes(&sum.to_le_bytes());
                    }
                }
            }
        });
        self
    }

    /// The test output and S0 count this energy from now on.
    #[must_use]
    pub fn output(mut self, quantity: ImpulseQuantity) -> Self {
        self.0.section(OUTPUT, |writer| writer.bytes(&[quantity_code(quantity)]));
        self
    }

    /// Asks for an item of the display (OBIS C.D.E).
    #[must_use]
    pub fn display(mut self, obis: [u8; 3]) -> Self {
        self.0.section(DISPLAY, |writer| writer.bytes(&obis));
        self
    }

    /// A client connects to a port, which starts anew.
    #[must_use]
    pub fn open(mut self, port: Port) -> Self {
        self.0.section(OPEN, |writer| writer.bytes(&[port as u8]));
        self
    }

    /// Octets for a port, [`MOST_OCTETS`] at most, or none: its time passes.
    #[must_use]
    pub fn octets(mut self, port: Port, octets: &[u8]) -> Self {
        self.0.section(OCTETS, |writer| {
            writer.bytes(&[port as u8]);
            writer.bytes(octets);
        });
        self
    }

    /// Asks for what must outlive a power cut.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.0.section(KEEP, |_| ());
        self
    }

    /// The meter just configured goes on with an image, as after power-up.
    #[must_use]
    pub fn restore(mut self, image: &[u8], outage: Outage) -> Self {
        self.0.section(RESTORE, |writer| {
            let (kind, ms) = match outage {
                Outage::Bridged { ms } => (0, ms),
                Outage::Lost => (1, 0),
                Outage::Unknown => (2, 0),
            };
            writer.bytes(&[kind]);
            writer.bytes(&ms.to_le_bytes());
            writer.bytes(image);
        });
        self
    }

    /// The crystal that keeps time is so much faster than the one that samples (1e-9).
    #[must_use]
    pub fn trim(mut self, ppb: i32) -> Self {
        self.0.section(TRIM, |writer| writer.bytes(&ppb.to_le_bytes()));
        self
    }

    /// Bytes of the request; `None` if it did not fit.
    pub fn finish(self) -> Option<usize> {
        self.0.finish()
    }
}

/// A request, its sections not yet decoded.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its number.
    pub number: u32,
    sections: Sections<'a>,
}

/// One section of a request.
#[derive(Debug, Clone, Copy)]
pub enum RequestPart<'a> {
    /// See [`RequestWriter::configure`].
    Configure {
        /// Type number.
        type_number: &'a str,
        /// Settings.
        settings: Settings,
    },
    /// See [`RequestWriter::samples`].
    Samples(Samples<'a>),
    /// See [`RequestWriter::cycles`].
    Cycles(Cycles<'a>),
    /// See [`RequestWriter::output`].
    Output(ImpulseQuantity),
    /// See [`RequestWriter::display`].
    Display([u8; 3]),
    /// See [`RequestWriter::identity`].
    Identity {
        /// Serial number and keys.
        identity: Identity,
        /// Type number as printed.
        type_number: &'a str,
    },
    /// See [`RequestWriter::configuration`].
    Configuration(Configuration),
    /// See [`RequestWriter::open`].
    Open(Port),
    /// See [`RequestWriter::octets`].
    Octets(Port, &'a [u8]),
    /// See [`RequestWriter::keep`].
    Keep,
    /// See [`RequestWriter::restore`].
    Restore(&'a [u8], Outage),
    /// See [`RequestWriter::trim`].
    Trim(i32),
}

impl<'a> Request<'a> {
    /// Takes a whole message.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (number, sections) = Bytes::message(bytes)?;
        Ok(Self { number, sections })
    }

    /// The sections in order; nothing comes after an error.
    pub fn parts(self) -> impl Iterator<Item = Result<RequestPart<'a>, WireError>> {
        self.sections.map(|section| {
            let section = section?;
            match section.tag {
                CONFIGURE..=TRIM => RequestPart::read(&section).ok_or(WireError::Value { offset: section.offset }),
                tag => Err(WireError::Tag { offset: section.offset, tag }),
            }
        })
    }
}

impl<'a> RequestPart<'a> {
    fn read(section: &Section<'a>) -> Option<Self> {
        let mut bytes = section.content;
        let part = match section.tag {
            CONFIGURE => {
                let type_number = bytes.text(LONGEST_TYPE_NUMBER)?;
                Self::Configure { type_number, settings: read_settings(&mut bytes)? }
            }
            SAMPLES => Self::Samples(Samples::read(&mut bytes)?),
            CYCLES => Self::Cycles(Cycles::read(&mut bytes)?),
            OUTPUT => Self::Output(quantity_of(bytes.u8()?)?),
            DISPLAY => Self::Display([bytes.u8()?, bytes.u8()?, bytes.u8()?]),
            IDENTITY => {
                let type_number = bytes.text(LONGEST_TYPE_NUMBER)?;
                Self::Identity { identity: read_identity(&mut bytes)?, type_number }
            }
            CONFIGURATION => {
                let text = bytes.take(bytes.rest().len())?;
                Self::Configuration(core::str::from_utf8(text).ok()?.parse().ok()?)
            }
            OPEN => Self::Open(port_of(bytes.u8()?)?),
            KEEP => Self::Keep,
            RESTORE => {
                let outage = match (bytes.u8()?, bytes.u64()?) {
                    (0, ms) => Outage::Bridged { ms },
                    (1, 0) => Outage::Lost,
                    (2, 0) => Outage::Unknown,
                    _ => return None,
                };
                Self::Restore(bytes.take(bytes.rest().len())?, outage)
            }
            TRIM => Self::Trim(bytes.i32()?),
            _ => {
                let port = port_of(bytes.u8()?)?;
                Self::Octets(port, bytes.take(bytes.rest().len()).filter(|octets| octets.len() <= MOST_OCTETS)?)
            }
        };
        bytes.rest().is_empty().then_some(part)
    }
}

/// A block of samples on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Index of the first sample.
    pub first: u64,
    /// Stop where the next window begins.
    pub until_window: bool,
    frames: &'a [u8],
}

impl<'a> Samples<'a> {
    fn read(bytes: &mut Bytes<'a>) -> Option<Self> {
        let (first, until_window) = (bytes.u64()?, bytes.flag()?);
        let frames = bytes.take(bytes.rest().len())?;
        let whole = frames.len().is_multiple_of(FRAME_BYTES) && frames.len() / FRAME_BYTES <= MOST_FRAMES;
        whole.then_some(Self { first, until_window, frames })
    }

    /// The frames in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + use<'a> {
        self.frames.chunks_exact(FRAME_BYTES).map(|bytes| {
            let count = |n: usize| i32::from_le_bytes([0, bytes[3 * n], bytes[3 * n + 1], bytes[3 * n + 2]]) >> 8;
            Frame { voltage: [count(0), count(1), count(2)], current: [count(3), count(4), count(5)] }
        })
    }
}

/// Cycles on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Cycles<'a> {
    /// Index of the first sample of the first cycle.
    pub first: u64,
    /// The two frames to go on from by samples.
    pub last: [Frame; 2],
    cycles: Bytes<'a>,
}

impl<'a> Cycles<'a> {
    fn read(bytes: &mut Bytes<'a>) -> Option<Self> {
        let first = bytes.u64()?;
        let mut last = [Frame::default(); 2];
        for count in last.iter_mut().flat_map(|frame| frame.voltage.iter_mut().chain(&mut frame.current)) {
            *count = bytes.i32().filter(|count| count.unsigned_abs() <= LARGEST_COUNT)?;
        }
        let cycles = *bytes;
        // All or nothing: no meter takes half a window.
        for _ in 0..MOST_CYCLES {
            if bytes.rest().is_empty() {
                break;
            }
            read_cycle(bytes)?;
        }
        Some(Self { first, last, cycles })
    }

    /// The cycles in order.
    pub fn cycles(&self) -> impl Iterator<Item = CycleSums> + use<'a> {
        let mut bytes = self.cycles;
        core::iter::from_fn(move || read_cycle(&mut bytes))
    }
}

/// One cycle. Sums are those of a converter of 27 bits at most, so that no window overflows.
fn read_cycle(bytes: &mut Bytes<'_>) -> Option<CycleSums> {
    let samples = bytes.u32().filter(|samples| (1..=LONGEST_CYCLE).contains(samples))?;
    let crossing = bytes.u32().filter(|crossing| *crossing <= 1 << 16)?;
    let largest = u64::from(samples) << 50;
    let mut sum = || bytes.i64().filter(|sum| sum.unsigned_abs() <= largest);
    let mut cycle = CycleSums { samples, crossing, ..CycleSums::default() };
    for phase in &mut cycle.phases {
        *phase = PhaseSums {
            ui: sum()?,
            uu: sum()?,
            ii: sum()?,
            u_cos: sum()?,
            u_sin: sum()?,
            i_cos: sum()?,
            i_sin: sum()?,
        };
    }
    Some(cycle)
}
