//! What carries APDUs to a meter: HDLC behind the sign-on of the optical head, or the wrapper behind a network.

use std::io;
use std::time::Duration;

use meterbench_iec62056::hdlc::{
    Address, Client as Link, ClientEvent, ClientSettings, Expect, Failure, Parameters, ParametersForm,
};
use meterbench_iec62056::readout::{Baud, Format, Goal, Line, Tester, TesterAction, TesterSettings};
use meterbench_iec62056::wrapper::{HEADER, Reassembler, Wpdu};
use meterbench_link::{LineSetting, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::{PortAddress, PortKind};

/// Octets of an APDU either way, with what stands before it.
const MESSAGE: usize = 2048;
/// Octets of information in an HDLC frame that the bench takes.
const INFORMATION: u16 = 512;
const FRAME: usize = INFORMATION as usize + 20;
/// The management logical device: upper HDLC address, wrapper port.
const MANAGEMENT: u16 = 1;
/// Lower HDLC address of a meter as delivered.
const METER: u16 = 17;
/// Longest wait for an answer in which nothing new comes.
const ANSWER_MS: u32 = 10_000;
/// Longest time for sign-on and link, and for a whole exchange, whatever comes meanwhile.
const OPENING: Duration = Duration::from_secs(60);
const EXCHANGE: Duration = Duration::from_secs(60);

/// Why nothing is carried.
#[derive(Debug, thiserror::Error)]
pub(super) enum CarrierError {
    /// There is no connection: the bench.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing comes back: the bench or the meter.
    #[error("{0}")]
    Silent(String),
    /// The meter answers and will not.
    #[error("the meter does not take the link")]
    Refused,
    /// The meter answers otherwise than the protocol says. What cannot be told from a disturbed line is silence.
    #[error("{0}")]
    Protocol(String),
}

fn endless() -> CarrierError {
    CarrierError::Silent("an answer does not come to its end".into())
}

impl From<Failure> for CarrierError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoResponse | Failure::NoAnswer => Self::Silent(failure.to_string()),
            Failure::Refused => Self::Refused,
            Failure::Rejected { .. } | Failure::Protocol => Self::Protocol(failure.to_string()),
        }
    }
}

/// What the link of a connection was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkReport {
    /// What both ends agreed on, seen from the bench.
    pub agreed: Parameters,
    /// Most frames with information that came in a row before the bench answered them.
    pub longest_burst: u8,
}

/// One connection.
pub(super) struct Carrier {
    stream: Box<dyn Stream>,
    epoch: Instant,
    /// Octets that came and are not taken yet.
    received: Vec<u8>,
    /// Octets that came since something was last asked for.
    heard: usize,
    kind: Kind,
}

enum Kind {
    Optical(Box<Link<FRAME, MESSAGE>>, Parameters),
    Network(Box<Reassembler<MESSAGE>>, u16),
}

impl Carrier {
    /// Opens a connection for the client of this service access point.
    pub(super) async fn open(address: &PortAddress, client: u16) -> Result<Self, CarrierError> {
        let opened = timeout(OPENING, Self::open_whenever(address, client)).await;
        opened.unwrap_or_else(|_| Err(CarrierError::Silent("the port does not come to an end of opening".into())))
    }

    async fn open_whenever(address: &PortAddress, client: u16) -> Result<Self, CarrierError> {
        let stream = address.endpoint.connect().await?;
        let stream: Box<dyn Stream> = match &address.tracer {
            Some(tracer) => Box::new(tracer.octets(&address.name, stream)),
            None => stream,
        };
        let kind = match address.kind {
            PortKind::Network => Kind::Network(Box::default(), client),
            PortKind::Optical => Kind::Optical(Box::new(link(client)?), Parameters::default()),
        };
        let mut carrier = Self { stream, epoch: Instant::now(), received: Vec::new(), heard: 0, kind };
        if matches!(carrier.kind, Kind::Optical(..)) {
            carrier.sign_on().await.map_err(|error| carrier.told(error))?;
            carrier.heard = 0;
            carrier.connect().await.map_err(|error| carrier.told(error))?;
        }
        Ok(carrier)
    }

    /// Sends an APDU and waits for the one in return.
    pub(super) async fn exchange(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CarrierError> {
        self.heard = 0;
        let answer = timeout(EXCHANGE, self.exchange_whenever(apdu)).await;
        answer.unwrap_or_else(|_| Err(endless())).map_err(|error| self.told(error))
    }

    async fn exchange_whenever(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CarrierError> {
        let now = self.now_ms();
        match &mut self.kind {
            Kind::Network(_, client) => {
                let client = *client;
                self.exchange_wrapped(client, apdu).await
            }
            Kind::Optical(link, _) => {
                let begun = link.send(apdu, Expect::Answer, now);
                begun.map_err(|why| CarrierError::Protocol(why.to_string()))?;
                self.pump(message).await
            }
        }
    }

    /// Sends an APDU that has no answer.
    pub(super) async fn tell(&mut self, apdu: &[u8]) -> Result<(), CarrierError> {
        let told = timeout(EXCHANGE, self.tell_whenever(apdu)).await;
        told.unwrap_or_else(|_| Err(CarrierError::Silent("what is sent is not acknowledged".into())))
    }

    async fn tell_whenever(&mut self, apdu: &[u8]) -> Result<(), CarrierError> {
        let now = self.now_ms();
        match &mut self.kind {
            Kind::Network(_, client) => {
                let client = *client;
                self.send_wrapped(client, apdu).await
            }
            Kind::Optical(link, _) => {
                let begun = link.send(apdu, Expect::Acknowledgement, now);
                begun.map_err(|why| CarrierError::Protocol(why.to_string()))?;
                self.pump(|event| matches!(event, ClientEvent::Acknowledged).then_some(Ok(()))).await
            }
        }
    }

    /// Waits for an APDU behind the one that came.
    pub(super) async fn more(&mut self) -> Result<Vec<u8>, CarrierError> {
        self.heard = 0;
        let more = timeout(EXCHANGE, self.more_whenever()).await;
        more.unwrap_or_else(|_| Err(endless())).map_err(|error| self.told(error))
    }

    async fn more_whenever(&mut self) -> Result<Vec<u8>, CarrierError> {
        let now = self.now_ms();
        match &mut self.kind {
            Kind::Network(_, client) => {
                let client = *client;
                self.wrapped_answer_in_time(client).await
            }
            Kind::Optical(link, _) => {
                link.expect_more(now).map_err(|why| CarrierError::Protocol(why.to_string()))?;
                self.pump(message).await
            }
        }
    }

    /// Ends the connection; a meter that does not say goodbye is left all the same.
    pub(super) async fn close(mut self) {
        let now = self.now_ms();
        if let Kind::Optical(link, _) = &mut self.kind
            && link.disconnect(now).is_ok()
        {
            let gone = |event: ClientEvent<'_>| matches!(event, ClientEvent::Disconnected).then_some(Ok(()));
            let _ = self.pump(gone).await;
        }
    }

    /// What the link was like; `None` where there is none.
    pub(super) fn report(&self) -> Option<LinkReport> {
        match &self.kind {
            Kind::Optical(link, agreed) => Some(LinkReport { agreed: *agreed, longest_burst: link.longest_burst() }),
            Kind::Network(..) => None,
        }
    }

    /// A line that gives nothing and one that gives what is no answer are two things to look for.
    fn told(&self, error: CarrierError) -> CarrierError {
        match error {
            CarrierError::Silent(why) if self.heard > 0 => {
                CarrierError::Silent(format!("{why}; {} octets came and no answer in them", self.heard))
            }
            other => other,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
    }

    /// Takes what comes until a moment of the carrier's clock; false when it is over.
    async fn read_until(&mut self, until_ms: u64) -> Result<bool, CarrierError> {
        let mut chunk = [0; 2048];
        tokio::select! {
            biased;
            read = self.stream.read(&mut chunk) => match read? {
                0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed").into()),
                length => {
                    self.received.extend_from_slice(&chunk[..length]);
                    self.heard += length;
                    Ok(true)
                }
            },
            () = sleep_until(self.epoch + Duration::from_millis(until_ms)) => Ok(false),
        }
    }

    /// IEC 62056-21, mode E: at 300 Bd the meter says who it is, then the line carries HDLC.
    async fn sign_on(&mut self) -> Result<(), CarrierError> {
        let settings =
            TesterSettings { address: b"", goal: Goal::Hdlc, baud: Baud::B9600, response_ms: 2000, retries: 2 };
        let mut tester: Tester<'_, 256> =
            Tester::new(settings).map_err(|why| CarrierError::Protocol(why.to_string()))?;
        self.stream.set_line(setting(Line::INITIAL))?;
        tester.start(self.now_ms());
        loop {
            let now = self.now_ms();
            match tester.poll(now) {
                Some(TesterAction::Transmit(octets)) => {
                    self.stream.write_all(octets).await?;
                    self.stream.flush().await?;
                    continue;
                }
                Some(TesterAction::Switch(line)) => {
                    self.stream.set_line(setting(line))?;
                    continue;
                }
                Some(TesterAction::Hdlc { .. }) => return Ok(()),
                Some(TesterAction::Failed(why)) => return Err(CarrierError::Silent(why.to_string())),
                Some(_) => continue,
                None => {}
            }
            if !self.received.is_empty() {
                let taken = tester.receive(&self.received, now);
                self.received.drain(..taken);
            } else if !self.read_until(tester.deadline().unwrap_or(now + 1)).await? {
                tester.tick(self.now_ms());
            }
        }
    }

    async fn connect(&mut self) -> Result<(), CarrierError> {
        let now = self.now_ms();
        let Kind::Optical(link, _) = &mut self.kind else { return Ok(()) };
        link.connect(now);
        let parameters = self
            .pump(|event| match event {
                ClientEvent::Connected(parameters) => Some(Ok(parameters)),
                _ => None,
            })
            .await?;
        if let Kind::Optical(_, agreed) = &mut self.kind {
            *agreed = parameters;
        }
        Ok(())
    }

    /// Lets the link work until `done` has what it waits for.
    async fn pump<T>(
        &mut self,
        mut done: impl FnMut(ClientEvent<'_>) -> Option<Result<T, CarrierError>>,
    ) -> Result<T, CarrierError> {
        loop {
            let now = self.now_ms();
            let Kind::Optical(link, _) = &mut self.kind else {
                return Err(CarrierError::Protocol("there is no link".into()));
            };
            while let Some(event) = link.poll_event() {
                if let ClientEvent::Failed(why) = event {
                    return Err(why.into());
                }
                if let Some(result) = done(event) {
                    return result;
                }
            }
            if let Some(frame) = link.poll_transmit(now) {
                self.stream.write_all(frame).await?;
                self.stream.flush().await?;
            } else if !self.received.is_empty() {
                let taken = link.receive(&self.received, now);
                self.received.drain(..taken.max(1));
            } else {
                let until = link.deadline().unwrap_or(now + u64::from(ANSWER_MS));
                if !self.read_until(until).await? {
                    let now = self.now_ms();
                    if let Kind::Optical(link, _) = &mut self.kind {
                        link.tick(now);
                    }
                }
            }
        }
    }

    async fn exchange_wrapped(&mut self, client: u16, apdu: &[u8]) -> Result<Vec<u8>, CarrierError> {
        self.send_wrapped(client, apdu).await?;
        self.wrapped_answer_in_time(client).await
    }

    async fn send_wrapped(&mut self, client: u16, apdu: &[u8]) -> Result<(), CarrierError> {
        let mut out = vec![0; HEADER + apdu.len()];
        let wpdu = Wpdu { source: client, destination: MANAGEMENT, data: apdu };
        wpdu.encode(&mut out).map_err(|why| CarrierError::Protocol(why.to_string()))?;
        Ok(self.write(&out).await?)
    }

    async fn wrapped_answer_in_time(&mut self, client: u16) -> Result<Vec<u8>, CarrierError> {
        let answer = timeout(Duration::from_millis(ANSWER_MS.into()), self.wrapped_answer(client));
        answer.await.unwrap_or_else(|_| Err(CarrierError::Silent("the meter gave no answer in time".into())))
    }

    async fn wrapped_answer(&mut self, client: u16) -> Result<Vec<u8>, CarrierError> {
        loop {
            while !self.received.is_empty() {
                let Kind::Network(reassembler, _) = &mut self.kind else { break };
                let taken = reassembler
                    .push(&self.received)
                    .map_err(|why| CarrierError::Silent(format!("what comes is no wrapper: {why}")))?;
                self.received.drain(..taken);
                if let Some(message) = reassembler.message()
                    && message.source == MANAGEMENT
                    && message.destination == client
                {
                    return Ok(message.data.to_vec());
                }
            }
            self.read_until(u64::MAX / 4).await?;
        }
    }
}

/// A message that came over a link, or why none can come.
fn message(event: ClientEvent<'_>) -> Option<Result<Vec<u8>, CarrierError>> {
    match event {
        ClientEvent::Message(octets) => Some(Ok(octets.to_vec())),
        ClientEvent::Discarded(why) => Some(Err(CarrierError::Protocol(format!("a message cannot be kept: {why:?}")))),
        ClientEvent::Disconnected => Some(Err(CarrierError::Refused)),
        _ => None,
    }
}

fn setting(line: Line) -> LineSetting {
    let baud = line.baud.bits_per_second();
    match line.format {
        Format::SevenEven => LineSetting::seven_even(baud),
        Format::EightNone => LineSetting::eight_none(baud),
    }
}

fn link(client: u16) -> Result<Link<FRAME, MESSAGE>, CarrierError> {
    let address = |made: Result<Address, _>| {
        made.map_err(|_| CarrierError::Protocol(format!("client {client} has no HDLC address")))
    };
    let settings = ClientSettings {
        address: address(Address::one(client))?,
        server: address(Address::two(MANAGEMENT, METER))?,
        proposal: Some(Parameters::symmetric(INFORMATION, 7)),
        form: ParametersForm::default(),
        inter_octet_ms: 500,
        // A window of seven frames of 128 octets takes a second at 9600 Bd.
        response_ms: 2500,
        poll_pause_ms: 100,
        answer_ms: ANSWER_MS,
        retries: 3,
    };
    Link::new(settings).map_err(|why| CarrierError::Protocol(why.to_string()))
}
