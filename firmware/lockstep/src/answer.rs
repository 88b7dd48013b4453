//! What a body answers.

use meterbench_meter::Display;
use meterbench_meter::port::{PortAction, Standing};
use meterbench_metrology::{Impulse, SampleInstant};

use crate::bytes::{Bytes, Section, Sections, WireError, Writer};
use crate::settings::{
    read_format, read_line, read_optional, unit_code, unit_of, write_format, write_line, write_optional,
};

const IMPULSE: u8 = 129;
const DISPLAY: u8 = 130;
const REFUSED: u8 = 131;
const STATUS: u8 = 132;
const TRANSMIT: u8 = 133;
const SWITCH: u8 = 134;
const STANDING: u8 = 135;
const IMAGE: u8 = 136;

/// Bytes the status takes, its head included.
const STATUS_BYTES: usize = 3 + 8 + 4 + 8 + 1 + 1;

/// Why a body did not do what it was asked. What came before in the same request was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no request of this wire.
    #[error("the request is not understood")]
    NotUnderstood = 1,
    /// There is no meter yet.
    #[error("no meter has been configured")]
    NotConfigured = 2,
    /// The type number is unknown to this firmware.
    #[error("the type number is unknown to this firmware")]
    Type = 3,
    /// No meter can be made of these settings.
    #[error("no meter can be made of these settings")]
    Settings = 4,
    /// The index of the first sample is not that of the meter's next one.
    #[error("the block does not begin at the meter's next sample")]
    OutOfStep = 5,
    /// The meter does not register what its output shall count.
    #[error("this type does not register what its output shall count")]
    Output = 6,
    /// There were more events than an answer can hold.
    #[error("there were more events than an answer can hold")]
    TooManyEvents = 7,
    /// The bytes are no image of this firmware.
    #[error("the bytes are no image of this firmware")]
    Image = 8,
}

impl Refusal {
    fn of(code: u8) -> Option<Self> {
        use Refusal::{Image, NotConfigured, NotUnderstood, OutOfStep, Output, Settings, TooManyEvents, Type};
        [NotUnderstood, NotConfigured, Type, Settings, OutOfStep, Output, TooManyEvents, Image]
            .into_iter()
            .find(|refusal| *refusal as u8 == code)
    }
}

/// How a body stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Samples taken since power-up; zero without a meter.
    pub index: u64,
    /// Frames taken of this request.
    pub taken: u32,
    /// Running hash, see [`struct@crate::Hash`].
    pub hash: u64,
    /// A window has just ended with a clean zero crossing, and nothing of the next one has been taken.
    pub at_window_start: bool,
    /// The phase whose voltage gives the zero crossings, counted from 0.
    pub synchronised_by: u8,
}

/// One section of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerPart<'a> {
    /// An impulse on the outputs.
    Impulse(Impulse),
    /// The item of the display that was asked for; `None` for what its list does not hold.
    Display(Option<Display>),
    /// What the port that was given octets says.
    Port(PortAction<'a>),
    /// How its connection stands.
    Standing(Standing),
    /// What must outlive a power cut.
    Image(&'a [u8]),
    /// Something was not done.
    Refused(Refusal),
    /// How the body stands now: the last section of every answer.
    Status(Status),
}

/// An answer, its sections not yet decoded.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Number of the request.
    pub number: u32,
    sections: Sections<'a>,
}

impl<'a> Answer<'a> {
    /// Takes a whole message.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (number, sections) = Bytes::message(bytes)?;
        Ok(Self { number, sections })
    }

    /// The sections in order; nothing comes after an error.
    pub fn parts(self) -> impl Iterator<Item = Result<AnswerPart<'a>, WireError>> {
        self.sections.map(|section| {
            let section = section?;
            match section.tag {
                IMPULSE..=IMAGE => AnswerPart::read(&section).ok_or(WireError::Value { offset: section.offset }),
                tag => Err(WireError::Tag { offset: section.offset, tag }),
            }
        })
    }
}

impl<'a> AnswerPart<'a> {
    fn read(section: &Section<'a>) -> Option<Self> {
        let mut bytes = section.content;
        let part = match section.tag {
            IMPULSE => {
                let mut edge = || bytes.u64().map(|at| SampleInstant::new(at >> 16, at as u16));
                Self::Impulse(Impulse { rise: edge()?, fall: edge()? })
            }
            DISPLAY => Self::Display(read_display(&mut bytes)?),
            REFUSED => Self::Refused(Refusal::of(bytes.u8()?)?),
            TRANSMIT => Self::Port(PortAction::Transmit(bytes.take(bytes.rest().len())?)),
            SWITCH => Self::Port(PortAction::Switch(read_line(&mut bytes)?)),
            IMAGE => Self::Image(bytes.take(bytes.rest().len())?),
            STANDING => Self::Standing(Standing { closed: bytes.flag()?, due_in_ms: read_optional(&mut bytes)? }),
            _ => Self::Status(Status {
                index: bytes.u64()?,
                taken: bytes.u32()?,
                hash: bytes.u64()?,
                at_window_start: bytes.flag()?,
                synchronised_by: bytes.u8().filter(|phase| *phase < 3)?,
            }),
        };
        bytes.rest().is_empty().then_some(part)
    }
}

fn read_display(bytes: &mut Bytes<'_>) -> Option<Option<Display>> {
    if !bytes.flag()? {
        return Some(None);
    }
    let obis = [bytes.u8()?, bytes.u8()?, bytes.u8()?];
    let digits = bytes.u64()?;
    Some(Some(Display { obis, digits, format: read_format(bytes)?, unit: unit_of(bytes.u8()?)? }))
}

/// Writes an answer. Room for the status is always kept.
#[derive(Debug)]
pub(crate) struct AnswerWriter<'a> {
    writer: Writer<'a>,
    overflow: bool,
}

impl<'a> AnswerWriter<'a> {
    pub(crate) fn new(buffer: &'a mut [u8], number: u32) -> Self {
        Self { writer: Writer::new(buffer, number), overflow: false }
    }

    /// Writes a section with so many bytes of content, if it leaves room for a refusal and the status.
    fn section(&mut self, tag: u8, length: usize, content: impl FnOnce(&mut Writer<'a>)) {
        if self.writer.free() < 3 + length + 4 + STATUS_BYTES {
            self.overflow = true;
            return;
        }
        self.writer.section(tag, content);
    }

    pub(crate) fn impulse(&mut self, impulse: &Impulse) {
        self.section(IMPULSE, 16, |writer| {
            for edge in [impulse.rise, impulse.fall] {
                writer.bytes(&(edge.index() << 16 | u64::from(edge.fraction())).to_le_bytes());
            }
        });
    }

    pub(crate) fn display(&mut self, display: Option<Display>) {
        self.section(DISPLAY, 15, |writer| {
            writer.bytes(&[u8::from(display.is_some())]);
            if let Some(display) = display {
                writer.bytes(&display.obis);
                writer.bytes(&display.digits.to_le_bytes());
                write_format(writer, display.format);
                writer.bytes(&[unit_code(display.unit)]);
            }
        });
    }

    pub(crate) fn port(&mut self, action: &PortAction<'_>) {
        match action {
            PortAction::Transmit(octets) => self.section(TRANSMIT, octets.len(), |writer| writer.bytes(octets)),
            PortAction::Switch(line) => self.section(SWITCH, 2, |writer| write_line(writer, *line)),
        }
    }

    pub(crate) fn standing(&mut self, standing: Standing) {
        self.section(STANDING, 6, |writer| {
            writer.bytes(&[u8::from(standing.closed)]);
            write_optional(writer, standing.due_in_ms);
        });
    }

    pub(crate) fn image(&mut self, image: &[u8]) {
        self.section(IMAGE, image.len(), |writer| writer.bytes(image));
    }

    pub(crate) fn refused(&mut self, refusal: Refusal) {
        self.section(REFUSED, 1, |writer| writer.bytes(&[refusal as u8]));
    }

    /// The last section; bytes of the answer.
    pub(crate) fn finish(mut self, status: &Status) -> usize {
        if self.overflow {
            self.writer.section(REFUSED, |writer| writer.bytes(&[Refusal::TooManyEvents as u8]));
        }
        self.writer.section(STATUS, |writer| {
            writer.bytes(&status.index.to_le_bytes());
            writer.bytes(&status.taken.to_le_bytes());
            writer.bytes(&status.hash.to_le_bytes());
            writer.bytes(&[u8::from(status.at_window_start), status.synchronised_by]);
        });
        self.writer.finish().unwrap_or(0)
    }
}
