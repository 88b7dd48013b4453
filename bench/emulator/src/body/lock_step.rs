//! A body at the other end of a wire: requests out, answers in, and the checks that both ends are in step.

use std::fmt;
use std::process::ExitStatus;

use meterbench_lockstep::{
    Answer, AnswerPart, LONGEST_ANSWER, LONGEST_REQUEST, Refusal, RequestWriter, Status, WireError,
};
use meterbench_meter::port::{Port, PortAction, Standing};
use meterbench_meter::{Action, Outage, Settings};
use meterbench_metrology::{CycleSums, Frame};

use super::Make;

/// Carries requests to a body and its answers back.
pub(crate) trait Link: fmt::Debug + Send {
    /// Hands over one request and waits for its answer.
    fn exchange(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<(), Trouble>;

    /// The last line the body wrote for people, once it has gone wrong.
    fn last_line(&mut self) -> Option<String> {
        None
    }
}

/// What goes wrong between a bench and a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The process is gone.
    #[error("{}", ended(.0.as_ref()))]
    Ended(Option<ExitStatus>),
    /// No answer came.
    #[error("did not answer within {seconds} s and was killed")]
    Silent {
        /// How long it was waited for (s).
        seconds: u64,
    },
    /// The operating system refuses.
    #[error("cannot be reached: {0}")]
    System(std::io::ErrorKind),
    /// The answer is none.
    #[error("gave bytes that are no answer: {0}")]
    Wire(#[from] WireError),
    /// The answer is that of another request, or has no end.
    #[error("gave an answer to something else")]
    OtherAnswer,
    /// The body refuses what a meter must do.
    #[error("refused the block: {0}")]
    Refused(Refusal),
    /// Samples were lost or counted twice.
    #[error("stands at sample {found}, expected {expected}")]
    OutOfStep {
        /// Where the bench is (samples).
        expected: u64,
        /// Where the body is (samples).
        found: u64,
    },
}

fn ended(status: Option<&ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("ended with status {code}"),
        Some((None, Some(signal))) => format!("was killed by signal {signal}"),
        _ => "closed its end".to_owned(),
    }
}

/// A body that broke: what happened, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyFailure {
    pub trouble: Trouble,
    /// Number of the block it was asked to take, counted from 1.
    pub block: u32,
    /// The last line it wrote for people.
    pub last_line: Option<String>,
}

impl std::error::Error for BodyFailure {}

impl fmt::Display for BodyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body of the meter, in QEMU, {} at block {}", self.trouble, self.block)?;
        if let Some(line) = &self.last_line {
            write!(f, "; its last line is `{line}`")?;
        }
        match self.trouble {
            Trouble::Ended(_) | Trouble::Silent { .. } | Trouble::System(_) => {
                f.write_str("; start the run again, and look after memory and load of this machine if it comes back")
            }
            _ => write!(
                f,
                "; bench and image may be of different versions: build it again with `{}`",
                super::qemu::BUILD
            ),
        }
    }
}

/// A body in lock step.
#[derive(Debug)]
pub(crate) struct LockStep {
    link: Box<dyn Link>,
    number: u32,
    status: Status,
    request: Vec<u8>,
    answer: Vec<u8>,
    make: Make,
    settings: Settings,
}

impl LockStep {
    /// Configures the meter at the other end: block 0.
    pub(crate) fn configure(link: Box<dyn Link>, make: &Make, settings: &Settings) -> Result<Self, BodyFailure> {
        let mut body = Self {
            link,
            number: 0,
            status: Status::default(),
            request: vec![0; LONGEST_REQUEST],
            answer: Vec::with_capacity(LONGEST_ANSWER),
            make: make.clone(),
            settings: *settings,
        };
        let asked = body.ask(|request| made(request, make, settings), |_| ())?;
        body.done(asked)?;
        Ok(body)
    }

    /// See [`super::Body::keep`].
    pub(crate) fn keep(&mut self) -> Result<Vec<u8>, BodyFailure> {
        let mut image = Vec::new();
        let asked = self.ask(keep, |part| {
            if let AnswerPart::Image(bytes) = part {
                image = bytes.to_vec();
            }
        })?;
        self.done(asked)?;
        Ok(image)
    }

    /// See [`super::Body::restart`].
    pub(crate) fn restart(&mut self, image: &[u8], outage: Outage) -> Result<(), BodyFailure> {
        let (make, settings) = (self.make.clone(), self.settings);
        let asked = self.ask(|request| made(request, &make, &settings).restore(image, outage), |_| ())?;
        self.done(asked)?;
        self.stands_at(0)
    }

    /// See [`super::Body::trim`].
    pub(crate) fn trim(&mut self, ppb: i32) -> Result<(), BodyFailure> {
        let asked = self.ask(|request| request.trim(ppb), |_| ())?;
        self.done(asked)
    }

    /// See [`super::Body::process`].
    pub(crate) fn samples(
        &mut self,
        frames: &[Frame],
        until_window: bool,
        mut act: impl FnMut(Action),
    ) -> Result<usize, BodyFailure> {
        let first = self.status.index;
        let asked = self.ask(|request| request.samples(first, until_window, frames), |part| give(part, &mut act))?;
        self.done(asked)?;
        let taken = self.status.taken as usize;
        let all = taken == frames.len() || until_window && taken < frames.len() && self.status.at_window_start;
        self.stands_at(first + taken as u64)?;
        // Frames left over where no window begins are lost samples.
        if all { Ok(taken) } else { self.stands_at(first + frames.len() as u64).map(|()| taken) }
    }

    /// See [`super::Body::process_window`].
    pub(crate) fn cycles(
        &mut self,
        cycles: &[CycleSums],
        last: &[Frame; 2],
        mut act: impl FnMut(Action),
    ) -> Result<(), BodyFailure> {
        let first = self.status.index;
        let samples: u64 = cycles.iter().map(|cycle| u64::from(cycle.samples)).sum();
        let asked = self.ask(|request| request.cycles(first, cycles, last), |part| give(part, &mut act))?;
        self.done(asked)?;
        self.stands_at(first + samples)
    }

    pub(crate) fn window_start(&self) -> Option<usize> {
        self.status.at_window_start.then_some(usize::from(self.status.synchronised_by))
    }

    #[cfg(test)]
    pub(crate) fn select_output(
        &mut self,
        quantity: meterbench_metrology::ImpulseQuantity,
    ) -> Result<(), super::BodyError> {
        match self.ask(|request| request.output(quantity), |_| ())? {
            Some(Refusal::Output) => Err(meterbench_meter::MeterError::NoReactiveEnergy.into()),
            asked => Ok(self.done(asked)?),
        }
    }

    #[cfg(test)]
    pub(crate) fn display(&mut self, obis: [u8; 3]) -> Result<Option<meterbench_meter::Display>, BodyFailure> {
        let mut shown = None;
        let asked = self.ask(
            |request| request.display(obis),
            |part| {
                if let AnswerPart::Display(display) = part {
                    shown = display;
                }
            },
        )?;
        self.done(asked)?;
        Ok(shown)
    }

    pub(crate) fn open_port(&mut self, port: Port) -> Result<(), BodyFailure> {
        let asked = self.ask(|request| request.open(port), |_| ())?;
        self.done(asked)
    }

    /// See [`super::Body::speak`]; as many octets as a request holds.
    pub(crate) fn speak(
        &mut self,
        port: Port,
        octets: &[u8],
        mut act: impl FnMut(PortAction<'_>),
    ) -> Result<Standing, BodyFailure> {
        let mut standing = None;
        let asked = self.ask(
            |request| request.octets(port, octets),
            |part| match part {
                AnswerPart::Port(action) => act(action),
                AnswerPart::Standing(now) => standing = Some(now),
                _ => {}
            },
        )?;
        self.done(asked)?;
        standing.ok_or_else(|| self.failed(Trouble::OtherAnswer))
    }

    fn done(&mut self, asked: Option<Refusal>) -> Result<(), BodyFailure> {
        asked.map_or(Ok(()), |refusal| Err(self.failed(Trouble::Refused(refusal))))
    }

    fn stands_at(&mut self, expected: u64) -> Result<(), BodyFailure> {
        let found = self.status.index;
        if found == expected { Ok(()) } else { Err(self.failed(Trouble::OutOfStep { expected, found })) }
    }

    fn failed(&mut self, trouble: Trouble) -> BodyFailure {
        BodyFailure { trouble, block: self.number.wrapping_sub(1), last_line: self.link.last_line() }
    }

    /// One exchange; what the body refused, if it did.
    fn ask(
        &mut self,
        write: impl FnOnce(RequestWriter<'_>) -> RequestWriter<'_>,
        part: impl FnMut(AnswerPart<'_>),
    ) -> Result<Option<Refusal>, BodyFailure> {
        self.exchange(write, part).map_err(|trouble| self.failed(trouble))
    }

    fn exchange(
        &mut self,
        write: impl FnOnce(RequestWriter<'_>) -> RequestWriter<'_>,
        mut part: impl FnMut(AnswerPart<'_>),
    ) -> Result<Option<Refusal>, Trouble> {
        let number = self.number;
        self.number = number.wrapping_add(1);
        let length = write(RequestWriter::new(&mut self.request, number)).finish();
        let request = &self.request[..length.ok_or(Trouble::OtherAnswer)?];
        self.answer.clear();
        self.link.exchange(request, &mut self.answer)?;
        let answer = Answer::read(&self.answer)?;
        if answer.number != number {
            return Err(Trouble::OtherAnswer);
        }
        let (mut refused, mut status) = (None, None);
        for found in answer.parts() {
            match found? {
                AnswerPart::Refused(refusal) => refused = refused.or(Some(refusal)),
                AnswerPart::Status(now) => status = Some(now),
                other => part(other),
            }
        }
        self.status = status.ok_or(Trouble::OtherAnswer)?;
        Ok(refused)
    }
}

fn keep(request: RequestWriter<'_>) -> RequestWriter<'_> {
    request.keep()
}

/// Asks for a meter just made.
fn made<'a>(request: RequestWriter<'a>, make: &Make, settings: &Settings) -> RequestWriter<'a> {
    let Make { type_number, identity, configuration, .. } = make;
    let named = request.configure(type_number, settings).identity(identity, type_number);
    configuration.iter().fold(named, RequestWriter::configuration)
}

fn give(part: AnswerPart<'_>, act: &mut impl FnMut(Action)) {
    if let AnswerPart::Impulse(impulse) = part {
        act(Action::Impulse(impulse));
    }
}
