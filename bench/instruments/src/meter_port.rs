//! A port of a meter: one client's association over the optical head or over a network, and what it asks.
//!
//! The codec is that of the firmware; published vectors and clients of others test it on its own. What a meter says is an
//! answer, also where it refuses; what nobody says is an error of the bench.

mod blocks;
mod carrier;
mod objects;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use meterbench_iec62056::acse::Mechanism;
use meterbench_iec62056::apdu::{
    ActionRequest, ActionResponse, ActionResult, Apdu, AttributeDescriptor, AttributeReference, DataAccessResult,
    GetRequest, GetResponse, InvokeIdAndPriority, MethodDescriptor, SelectiveAccess, SetRequest, SetResponse,
};
use meterbench_iec62056::client::{Client, ClientError, Credentials};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Writer};
use meterbench_iec62056::security::{Gcm, Key, ReceiveCounter, SecurityControl, SystemTitle};
use meterbench_link::{Endpoint, Tracer};

use carrier::{Carrier, CarrierError};

pub use carrier::LinkReport;
pub use objects::{AttributeRight, ListedObject, LoggedEvent, RegisterReading};

/// Which port of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// IEC 62056-21 mode E and HDLC.
    Optical,
    /// The wrapper of IEC 62056-47.
    Network,
}

impl PortKind {
    /// The word in plans.
    pub fn word(self) -> &'static str {
        match self {
            Self::Optical => "optical",
            Self::Network => "network",
        }
    }
}

/// How a client comes to a meter.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its role in words.
    pub role: String,
    /// Service access point.
    pub client: u16,
    /// How it proves who it is.
    pub mechanism: Mechanism,
    /// Global unicast encryption key and authentication key; none for who needs none.
    pub keys: Option<(Key, Key)>,
    /// Where anybody reads the least invocation counter that the meter takes from this client.
    pub counter: Option<Obis>,
}

/// Why a port gives nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PortError {
    /// There is no connection, or nothing comes back.
    #[error("{port} gives no answer: {why}")]
    Silent { port: String, why: String },
    /// The meter refuses, or what it says is not genuine.
    #[error("{port}: {source}")]
    Refused { port: String, source: ClientError },
    /// The meter takes no link.
    #[error("{port}: the meter does not take the link")]
    NoLink { port: String },
    /// The meter does not keep to the protocol.
    #[error("{port}: {what}")]
    Protocol { port: String, what: String },
    /// The meter gives no value.
    #[error("{port}: {what} is not given: {}", result_words(.result.0))]
    Denied { port: String, what: String, result: DataAccessResult },
}

impl PortError {
    /// What became of the conversation, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::Denied { .. } => "denied",
            Self::Refused { .. } | Self::NoLink { .. } | Self::Protocol { .. } => "broken",
        }
    }

    /// The meter has spoken: it is for the procedure to judge. All else is of the bench, or cannot be told apart from it.
    pub fn is_of_meter(&self) -> bool {
        !matches!(self, Self::Silent { .. })
    }
}

/// What a result code of GET, SET or ACTION says.
pub fn result_words(result: u8) -> String {
    let words = match DataAccessResult(result) {
        DataAccessResult::SUCCESS => "success",
        DataAccessResult::HARDWARE_FAULT => "hardware fault",
        DataAccessResult::TEMPORARY_FAILURE => "temporary failure",
        DataAccessResult::READ_WRITE_DENIED => "denied",
        DataAccessResult::OBJECT_UNDEFINED => "no such object",
        DataAccessResult::OBJECT_CLASS_INCONSISTENT => "another class",
        DataAccessResult::OBJECT_UNAVAILABLE => "unavailable",
        DataAccessResult::TYPE_UNMATCHED => "another type",
        DataAccessResult::SCOPE_OF_ACCESS_VIOLATED => "beyond the scope of access",
        DataAccessResult::OTHER_REASON => "another reason",
        other => return format!("result {}", other.0),
    };
    words.to_owned()
}

/// Octets of the longest request.
const LONGEST_REQUEST: usize = 1024;
/// A meter whose counters are nearer to their end than this is not talked to.
const COUNTERS_LEFT: u32 = 1_000_000;
/// Octets of the longest value that is read: a whole load profile is shorter.
const LONGEST_VALUE: usize = 4 << 20;
/// System title of the bench.
const TITLE: SystemTitle = SystemTitle(*b"MTB\0\0\0\0\x01");

/// The next invocation counter of each client of one meter, by service access point: every port of the meter counts in them.
#[derive(Debug, Clone, Default)]
pub struct Counters(Arc<Mutex<HashMap<u16, Counted>>>);

/// What is known of one client.
#[derive(Debug, Clone, Copy)]
struct Counted {
    next: u32,
    /// The meter has said that it takes `next`, since it started last.
    known: bool,
    /// Of the answers.
    received: ReceiveCounter,
}

impl Counters {
    fn change<T>(&self, client: u16, change: impl FnOnce(&mut Counted) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(client).or_insert(Counted { next: 0, known: false, received: ReceiveCounter::NEW }))
    }

    fn get(&self, client: u16) -> Counted {
        self.change(client, |counted| *counted)
    }

    /// What the meter says it takes; a number that was used is never used again.
    fn learn(&self, client: u16, least: u32) {
        self.change(client, |counted| (counted.next, counted.known) = (counted.next.max(least), true));
    }

    fn used(&self, client: &Client, by: u16) {
        self.change(by, |counted| (counted.next, counted.received) = (client.counter(), client.received()));
    }

    fn doubt(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(|counted| counted.known = false);
    }
}

/// Where a port is, and what it is called.
#[derive(Debug, Clone)]
pub struct PortAddress {
    /// For messages and transcripts: `the optical port (position 1)`.
    pub name: String,
    pub endpoint: Endpoint,
    pub kind: PortKind,
    /// Transcript of the octets, if one is kept.
    pub tracer: Option<Tracer>,
}

/// A port.
pub struct MeterPort {
    address: PortAddress,
    /// What challenges are made of.
    seed: [u8; 16],
    challenges: u64,
    carrier: Option<(u16, Carrier)>,
    client: Option<Client>,
    counters: Counters,
    /// General blocks taken at once, where they are asked for.
    general_window: Option<u8>,
    last_association: Vec<u8>,
    last_challenge: Vec<u8>,
}

impl MeterPort {
    /// Nothing is opened before the first association. Challenges are made of `seed`.
    pub fn new(address: PortAddress, seed: [u8; 16], counters: &Counters) -> Self {
        Self {
            address,
            seed,
            challenges: 0,
            carrier: None,
            client: None,
            counters: counters.clone(),
            general_window: None,
            last_association: Vec::new(),
            last_challenge: Vec::new(),
        }
    }

    /// Which port it is.
    pub fn kind(&self) -> PortKind {
        self.address.kind
    }

    /// Opens an association; one that stands is given up.
    pub async fn associate(&mut self, access: &Access) -> Result<(), PortError> {
        let credentials = self.credentials(access).await?;
        self.associate_with(credentials, access.client).await
    }

    /// How the bench would come, with a counter that the meter takes: for those who change something about it.
    pub async fn credentials(&mut self, access: &Access) -> Result<Credentials, PortError> {
        if access.keys.is_some() && !self.counters.get(access.client).known {
            self.learn_counter(access).await?;
        }
        Ok(Credentials {
            mechanism: access.mechanism,
            secret: self.challenge(),
            title: if access.keys.is_some() { TITLE } else { SystemTitle([0; 8]) },
            keys: access.keys.clone(),
            counter: self.counters.get(access.client).next,
            general: false,
            dedicated: None,
        })
    }

    /// Opens an association as these credentials say.
    pub async fn associate_with(&mut self, credentials: Credentials, client: u16) -> Result<(), PortError> {
        self.client = None;
        self.attach(client).await?;
        let mut associating = Client::new(credentials).after(self.counters.get(client).received);
        if let Some(window) = self.general_window {
            associating = associating.with_general_blocks(window);
        }
        let done = self.handshake(&mut associating).await;
        self.counters.used(&associating, client);
        self.last_challenge = associating.server_challenge().to_vec();
        done?;
        self.client = Some(associating);
        Ok(())
    }

    async fn handshake(&mut self, client: &mut Client) -> Result<(), PortError> {
        let mut out = [0; LONGEST_REQUEST];
        let length = client.associate(&mut out).map_err(|source| self.refused(source))?;
        out[..length].clone_into(&mut self.last_association);
        let answer = self.exchange(&out[..length]).await?;
        if client.associated(&answer).map_err(|source| self.refused(source))? {
            let length = client.reply(&mut out).map_err(|source| self.refused(source))?;
            let answer = self.exchange(&out[..length]).await?;
            client.replied(&answer).map_err(|source| self.refused(source))?;
        }
        Ok(())
    }

    /// Connects without an association, as the client of this service access point.
    pub async fn attach(&mut self, client: u16) -> Result<(), PortError> {
        if self.carrier.as_ref().is_some_and(|(as_client, _)| *as_client == client) {
            return Ok(());
        }
        self.close().await;
        let opened = Carrier::open(&self.address, client).await;
        self.carrier = Some((client, opened.map_err(|error| self.carried(error))?));
        Ok(())
    }

    /// Ends association and connection.
    pub async fn close(&mut self) {
        self.client = None;
        if let Some((_, carrier)) = self.carrier.take() {
            carrier.close().await;
        }
    }

    /// Gives the association back; the connection stays.
    pub async fn release(&mut self) -> Result<(), PortError> {
        let Some(mut client) = self.client.take() else { return Ok(()) };
        let mut out = [0; LONGEST_REQUEST];
        let length = client.release(&mut out).map_err(|source| self.refused(source))?;
        self.remember(&client);
        let answer = self.exchange(&out[..length]).await?;
        match Apdu::decode(&answer) {
            Ok(Apdu::ReleaseResponse(_)) => Ok(()),
            _ => Err(self.protocol("the association is not given back")),
        }
    }

    /// The meter was without power: nothing stands, and the counters it takes may have gone on. Those of its answers go on too.
    pub fn forget(&mut self) {
        (self.carrier, self.client) = (None, None);
        self.counters.doubt();
    }

    /// Sends an APDU as it is, over the connection that stands; the answer as it is. What is not answered breaks the connection.
    pub async fn exchange(&mut self, apdu: &[u8]) -> Result<Vec<u8>, PortError> {
        let exchanged = self.carrier()?.exchange(apdu).await;
        self.still_carried(exchanged)
    }

    fn carrier(&mut self) -> Result<&mut Carrier, PortError> {
        match &mut self.carrier {
            Some((_, carrier)) => Ok(carrier),
            None => {
                let port = self.address.name.clone();
                Err(PortError::Silent { port, why: "there is no connection".to_owned() })
            }
        }
    }

    /// What a connection did; one that fails is given up.
    fn still_carried<T>(&mut self, done: Result<T, CarrierError>) -> Result<T, PortError> {
        done.map_err(|error| {
            (self.carrier, self.client) = (None, None);
            self.carried(error)
        })
    }

    /// Writes octets on the line of the connection that stands, whatever they mean.
    pub async fn write_raw(&mut self, octets: &[u8]) -> Result<(), PortError> {
        let written = self.carrier()?.write(octets).await;
        written.map_err(|error| self.carried(error.into()))
    }

    /// The first APDU of the association that was asked for last.
    pub fn last_association(&self) -> &[u8] {
        &self.last_association
    }

    /// The challenge of the meter in the association that was asked for last.
    pub fn last_challenge(&self) -> &[u8] {
        &self.last_challenge
    }

    /// What the HDLC link that stands was like.
    pub fn link_report(&self) -> Option<LinkReport> {
        self.carrier.as_ref().and_then(|(_, carrier)| carrier.report())
    }

    /// GET: the encoded value, or why the meter gives none.
    pub async fn get(
        &mut self,
        attribute: AttributeDescriptor,
    ) -> Result<Result<Vec<u8>, DataAccessResult>, PortError> {
        self.get_part(attribute, None).await
    }

    /// GET of a part of an attribute.
    pub async fn get_part(
        &mut self,
        attribute: AttributeDescriptor,
        access: Option<SelectiveAccess<'_>>,
    ) -> Result<Result<Vec<u8>, DataAccessResult>, PortError> {
        let invoke = self.next_invoke()?;
        let reference = AttributeReference { attribute, access };
        let mut answer = self.ask(|out| GetRequest::Normal { invoke, reference }.encode(out)).await?;
        let mut value = Vec::new();
        let mut expected = 1;
        loop {
            let response = match Apdu::decode(&answer) {
                Ok(Apdu::GetResponse(response)) if response.invoke() == invoke => response,
                other => return Err(self.unexpected(other.err())),
            };
            match response {
                GetResponse::Normal { result, .. } if expected == 1 => {
                    return Ok(result.map(|value| value.octets().to_vec()));
                }
                GetResponse::WithDataBlock { result: Err(result), .. } => return Ok(Err(result)),
                GetResponse::WithDataBlock { last, number, result: Ok(raw), .. } if number == expected => {
                    value.extend_from_slice(raw);
                    if value.len() > LONGEST_VALUE || raw.is_empty() && !last {
                        return Err(self.protocol("an answer without an end"));
                    }
                    if last {
                        return match EncodedData::new(&value) {
                            Ok(_) => Ok(Ok(value)),
                            Err(error) => Err(self.protocol(&format!(
                                "the {number} blocks of an answer, {} octets, are no value: {error}",
                                value.len()
                            ))),
                        };
                    }
                    expected = number.wrapping_add(1);
                    answer = self.ask(|out| GetRequest::Next { invoke, number }.encode(out)).await?;
                }
                _ => return Err(self.unexpected(None)),
            }
        }
    }

    /// SET of an encoded value.
    pub async fn set(&mut self, attribute: AttributeDescriptor, value: &[u8]) -> Result<DataAccessResult, PortError> {
        let value = EncodedData::new(value).map_err(|error| self.protocol(&format!("no value: {error}")))?;
        let invoke = self.next_invoke()?;
        let reference = AttributeReference::from(attribute);
        let answer = self.ask(|out| SetRequest::Normal { invoke, reference, value }.encode(out)).await?;
        match Apdu::decode(&answer) {
            Ok(Apdu::SetResponse(SetResponse::Normal { invoke: of, result })) if of == invoke => Ok(result),
            other => Err(self.unexpected(other.err())),
        }
    }

    /// ACTION with an encoded parameter.
    pub async fn act(&mut self, method: MethodDescriptor, parameter: Option<&[u8]>) -> Result<ActionResult, PortError> {
        let parameter = parameter.map(EncodedData::new).transpose();
        let parameter = parameter.map_err(|error| self.protocol(&format!("no value: {error}")))?;
        let invoke = self.next_invoke()?;
        let answer = self.ask(|out| ActionRequest::Normal { invoke, method, parameter }.encode(out)).await?;
        match Apdu::decode(&answer) {
            Ok(Apdu::ActionResponse(ActionResponse::Normal { invoke: of, outcome })) if of == invoke => {
                Ok(outcome.result)
            }
            other => Err(self.unexpected(other.err())),
        }
    }

    /// Protects a request in this way; it is not sent.
    pub fn protect(
        &mut self,
        control: SecurityControl,
        request: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Vec<u8>, PortError> {
        let Some(mut client) = self.client.take() else { return Err(self.silent("there is no association")) };
        let mut plain = vec![0; LONGEST_REQUEST];
        let mut writer = Writer::new(&mut plain);
        request(&mut writer);
        let sealed = writer.finish().map_err(ClientError::from).and_then(|length| {
            let mut sent = vec![0; LONGEST_REQUEST + 64];
            let length = client.request_as(control, &plain[..length], &mut sent)?;
            sent.truncate(length);
            Ok(sent)
        });
        self.remember(&client);
        self.client = Some(client);
        sealed.map_err(|source| self.refused(source))
    }

    /// Opens an answer of the association that stands.
    pub fn open(&mut self, answer: &[u8]) -> Result<Vec<u8>, PortError> {
        let Some(mut client) = self.client.take() else { return Err(self.silent("there is no association")) };
        let mut plain = vec![0; answer.len()];
        let opened = client.open(answer, &mut plain).map(<[u8]>::to_vec);
        self.remember(&client);
        self.client = Some(client);
        opened.map_err(|source| self.refused(source))
    }

    async fn ask(&mut self, request: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>, PortError> {
        let sent = self.protect(SecurityControl::BOTH, request)?;
        let blocks = self.client.as_ref().and_then(|client| client.general_exchange(sent.len()));
        let answer = match blocks {
            Some(blocks) => self.exchange_in_blocks(blocks, &sent).await?,
            None => self.exchange(&sent).await?,
        };
        self.open(&answer)
    }

    fn next_invoke(&mut self) -> Result<InvokeIdAndPriority, PortError> {
        match &mut self.client {
            Some(client) => Ok(client.next_invoke()),
            None => Err(self.silent("there is no association")),
        }
    }

    /// The next counter of a client: anybody may read it.
    async fn learn_counter(&mut self, access: &Access) -> Result<(), PortError> {
        const PUBLIC: u16 = 16;
        let Some(name) = access.counter else { return Ok(()) };
        self.associate_with(Credentials::public(), PUBLIC).await?;
        let attribute = AttributeDescriptor { class: 1, name, attribute: 2 };
        let what = format!("the counter of {} ({name})", access.role);
        let value = self.value(attribute, None, &what).await?;
        let counter = EncodedData::new(&value).ok().and_then(|v| v.value().integer());
        let counter = counter.and_then(|counter| u32::try_from(counter).ok());
        let counter = counter.ok_or_else(|| self.protocol(&format!("{what} is no counter")))?;
        if counter > u32::MAX - COUNTERS_LEFT {
            return Err(self.protocol(&format!("{what} is {counter}: it is nearly used up")));
        }
        self.counters.learn(access.client, counter);
        self.close().await;
        Ok(())
    }

    /// GET of a value, or a part of it, that must be given; `what` is for the message where it is not.
    pub async fn value(
        &mut self,
        attribute: AttributeDescriptor,
        access: Option<SelectiveAccess<'_>>,
        what: &str,
    ) -> Result<Vec<u8>, PortError> {
        let given = self.get_part(attribute, access).await?;
        given.map_err(|result| PortError::Denied { port: self.address.name.clone(), what: what.to_owned(), result })
    }

    fn remember(&mut self, client: &Client) {
        if let Some((as_client, _)) = &self.carrier {
            self.counters.used(client, *as_client);
        }
    }

    /// Never the same twice in a run; an emulated bench says the same in every run with its seed.
    fn challenge(&mut self) -> [u8; 16] {
        self.challenges += 1;
        let (mut vector, mut challenge) = ([0; 12], [0; 16]);
        vector[3] = self.address.kind as u8;
        vector[4..].copy_from_slice(&self.challenges.to_be_bytes());
        Gcm::new(&Key(self.seed)).apply_key_stream(&vector, &mut challenge);
        challenge
    }

    fn carried(&self, error: CarrierError) -> PortError {
        let port = self.address.name.clone();
        match error {
            CarrierError::Io(error) => PortError::Silent { port, why: error.to_string() },
            CarrierError::Silent(why) => PortError::Silent { port, why },
            CarrierError::Refused => PortError::NoLink { port },
            CarrierError::Protocol(what) => PortError::Protocol { port, what },
        }
    }

    /// Nobody speaks here, and why.
    pub fn silent(&self, why: &str) -> PortError {
        PortError::Silent { port: self.address.name.clone(), why: why.to_owned() }
    }

    fn refused(&self, source: ClientError) -> PortError {
        PortError::Refused { port: self.address.name.clone(), source }
    }

    /// The meter does not keep to the protocol, and how.
    pub fn protocol(&self, what: &str) -> PortError {
        PortError::Protocol { port: self.address.name.clone(), what: what.to_owned() }
    }

    fn unexpected(&self, error: Option<DecodeError>) -> PortError {
        match error {
            Some(error) => self.protocol(&format!("the answer cannot be read: {error}")),
            None => self.protocol("the answer is not that of the request"),
        }
    }
}
