//! The client's side of an association: asks for it, proves who it is, protects what it asks and opens the answers.
//!
//! One APDU at a time, and no IO: what a call writes is sent, what comes back goes into the next call.

use crate::acse::{
    ApplicationContext, AssociationRequest, AssociationResponse, Conformance, Diagnostic, InitiateRequest,
    InitiateResponse, Mechanism, ReleaseRequest, UserDiagnostic,
};
use crate::apdu::transfer::GeneralExchange;
use crate::apdu::{
    ActionRequest, ActionResponse, ActionResult, Apdu, ExceptionResponse, GeneralBlock, InvokeIdAndPriority,
    MethodDescriptor,
};
use crate::data::{Data, EncodedData};
use crate::obis::Obis;
use crate::octets::{DecodeError, EncodeError, Reader, Writer};
use crate::security::{
    AUTHENTICATION_LENGTH, Ciphered, Envelope, Key, Protection, ReceiveCounter, SecurityControl, SecurityError,
    SystemTitle, challenges_differ,
};

/// How a client comes.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// How it proves who it is.
    pub mechanism: Mechanism,
    /// Password of the low mechanism; the challenge of the high one.
    pub secret: [u8; 16],
    /// System title of the client.
    pub title: SystemTitle,
    /// Keys; none for a client that speaks plain.
    pub keys: Option<(Key, Key)>,
    /// The next invocation counter.
    pub counter: u32,
    /// Protects with general-glo-ciphering (general-ded-ciphering) instead of the tags of each service.
    pub general: bool,
    /// A key for this association alone: requests are protected with it.
    pub dedicated: Option<Key>,
}

impl Credentials {
    /// A client without authentication and keys.
    pub fn public() -> Self {
        Self {
            mechanism: Mechanism::LOWEST,
            secret: [0; 16],
            title: SystemTitle([0; 8]),
            keys: None,
            counter: 0,
            general: false,
            dedicated: None,
        }
    }
}

/// Why the client cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// What came is no APDU.
    #[error("the answer cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// It does not fit.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It cannot be opened or protected.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The association was refused.
    #[error("the association is refused: {}", refused(.0))]
    Refused(Diagnostic),
    /// An exception instead of an answer.
    #[error("{}", exception(.0))]
    Exception(ExceptionResponse),
    /// An answer that answers something else.
    #[error("the answer is not that of the request")]
    Unexpected,
    /// The server did not prove who it is.
    #[error("the server did not prove who it is")]
    ServerNotGenuine,
    /// An answer that was given before.
    #[error("the answer came before: its invocation counter is not new")]
    Replayed,
    /// The proof was not accepted.
    #[error("the server did not accept who this client is (result {})", .0.0)]
    NotAccepted(ActionResult),
}

fn refused(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic {
        Diagnostic::User(UserDiagnostic::AUTHENTICATION_FAILURE) => "authentication failed",
        Diagnostic::User(UserDiagnostic::CONTEXT_NOT_SUPPORTED) => "the application context is not supported",
        Diagnostic::User(UserDiagnostic::MECHANISM_NOT_RECOGNISED) => "the mechanism is not recognised",
        Diagnostic::User(UserDiagnostic::MECHANISM_REQUIRED) => "authentication is required",
        Diagnostic::User(UserDiagnostic::CALLING_AP_TITLE_NOT_RECOGNISED) => "the system title is not recognised",
        _ => "without a reason",
    }
}

fn exception(exception: &ExceptionResponse) -> &'static str {
    match (exception.service.0, exception.expected_counter) {
        (6, _) => "the meter refuses the invocation counter: it came before",
        (5, _) => "the meter cannot decipher the request: another key, or not genuine",
        (4, _) => "the answer is longer than the client takes",
        (2, _) => "the meter refuses the request: it does not offer it, or not unprotected",
        _ => "the meter refuses the request: there is no association for it",
    }
}

/// A client of one association.
#[derive(Debug)]
pub struct Client {
    credentials: Credentials,
    protection: Option<Protection>,
    /// Keys, own counter and the server's under the dedicated key.
    dedicated: Option<(Protection, u32, ReceiveCounter)>,
    server_title: SystemTitle,
    server_challenge: ([u8; 64], usize),
    /// Counters of the server in this association.
    received: ReceiveCounter,
    conformance: Conformance,
    longest_sent: u16,
    /// Blocks the client takes at once, where it wants general blocks.
    general_window: Option<u8>,
    invoke: u8,
}

/// What a client proposes.
const PROPOSED: Conformance = Conformance::GENERAL_PROTECTION
    .union(Conformance::BLOCK_TRANSFER_WITH_GET)
    .union(Conformance::BLOCK_TRANSFER_WITH_SET)
    .union(Conformance::BLOCK_TRANSFER_WITH_ACTION)
    .union(Conformance::MULTIPLE_REFERENCES)
    .union(Conformance::GET)
    .union(Conformance::SET)
    .union(Conformance::SELECTIVE_ACCESS)
    .union(Conformance::ACTION);
/// Longest APDU the client takes.
const LONGEST: u16 = 1024;

impl Client {
    /// A client that has not asked yet.
    pub fn new(credentials: Credentials) -> Self {
        let protection = credentials
            .keys
            .as_ref()
            .map(|(encryption, authentication)| Protection::new(0, encryption, authentication));
        let dedicated = protection.as_ref().zip(credentials.dedicated.as_ref());
        let dedicated = dedicated.map(|(keys, key)| (keys.dedicated(key), 0, ReceiveCounter::NEW));
        Self {
            protection,
            dedicated,
            credentials,
            server_title: SystemTitle([0; 8]),
            server_challenge: ([0; 64], 0),
            received: ReceiveCounter::NEW,
            conformance: Conformance::NONE,
            longest_sent: LONGEST,
            general_window: None,
            invoke: 0,
        }
    }

    /// Takes no answer that is not newer than those of an association before.
    #[must_use]
    pub fn after(mut self, received: ReceiveCounter) -> Self {
        self.received = received;
        self
    }

    /// Proposes general block transfer, and takes so many blocks at once.
    #[must_use]
    pub fn with_general_blocks(mut self, window: u8) -> Self {
        self.general_window = Some(window);
        self
    }

    fn proposed(&self) -> Conformance {
        match self.general_window {
            Some(_) => PROPOSED.union(Conformance::GENERAL_BLOCK_TRANSFER),
            None => PROPOSED,
        }
    }

    /// An exchange in general blocks, of a protected request of so many octets; `None` where both sides have not agreed on them,
    /// and where the request has more blocks than there are numbers.
    pub fn general_exchange(&self, request: usize) -> Option<GeneralExchange> {
        let window = self.general_window.filter(|_| self.conformance.contains(Conformance::GENERAL_BLOCK_TRANSFER))?;
        let block = usize::from(self.longest_sent.min(LONGEST)).saturating_sub(GeneralBlock::OVERHEAD);
        GeneralExchange::new(request, block, window).ok()
    }

    /// The counters of the server, for [`Client::after`].
    pub fn received(&self) -> ReceiveCounter {
        self.received
    }

    /// The server's challenge; empty before it came.
    pub fn server_challenge(&self) -> &[u8] {
        self.server_challenge.0.get(..self.server_challenge.1).unwrap_or_default()
    }

    /// The next invocation counter: what must be kept for the next association.
    pub fn counter(&self) -> u32 {
        self.credentials.counter
    }

    /// What both can do.
    pub fn conformance(&self) -> Conformance {
        self.conformance
    }

    /// Longest APDU the server takes (octets).
    pub fn longest_sent(&self) -> u16 {
        self.longest_sent
    }

    /// The next invoke id, confirmed.
    pub fn next_invoke(&mut self) -> InvokeIdAndPriority {
        self.invoke = (self.invoke + 1) & 0x0F;
        InvokeIdAndPriority::confirmed(self.invoke, true)
    }

    /// Asks for an association.
    pub fn associate(&mut self, out: &mut [u8]) -> Result<usize, ClientError> {
        let mut plain = [0; 64];
        let mut writer = Writer::new(&mut plain);
        let dedicated_key = self.credentials.dedicated.as_ref().map(|key| &key.0[..]);
        InitiateRequest { dedicated_key, ..InitiateRequest::new(self.proposed(), LONGEST) }.encode(&mut writer);
        let length = writer.finish()?;
        let mut protected = [0; 128];
        let (context, information) = if self.protection.is_some() {
            // In an association request the initiate request has its own tag, whatever comes after it.
            let length = self.seal(&Envelope::Global, SecurityControl::BOTH, &plain[..length], &mut protected)?;
            (ApplicationContext::LOGICAL_NAMES_CIPHERED, &protected[..length])
        } else {
            (ApplicationContext::LOGICAL_NAMES, &plain[..length])
        };
        let mut request = AssociationRequest::new(context, information);
        let Credentials { mechanism, secret, title, .. } = &self.credentials;
        if self.protection.is_some() {
            request = request.with_system_title(&title.0);
        }
        if *mechanism != Mechanism::LOWEST {
            request = request.with_authentication(*mechanism, secret);
        }
        let mut writer = Writer::new(out);
        request.encode(&mut writer);
        Ok(writer.finish()?)
    }

    /// Takes the answer; true where the server's challenge is to be answered.
    pub fn associated(&mut self, answer: &[u8]) -> Result<bool, ClientError> {
        let response = match Apdu::decode(answer)? {
            Apdu::AssociationResponse(response) => response,
            Apdu::ExceptionResponse(exception) => return Err(ClientError::Exception(exception)),
            _ => return Err(ClientError::Unexpected),
        };
        if response.result.0 != 0 {
            return Err(ClientError::Refused(response.diagnostic));
        }
        if let Some(title) = response.responding_ap_title.and_then(SystemTitle::from_slice) {
            self.server_title = title;
        }
        let mut plain = [0; 128];
        let information = response.user_information.ok_or(ClientError::Unexpected)?;
        let initiate = match Apdu::decode(information)? {
            Apdu::InitiateResponse(initiate) if self.protection.is_none() => initiate,
            Apdu::Ciphered(ciphered) => InitiateResponse::decode(self.unseal(&ciphered, &mut plain)?)?,
            _ => return Err(ClientError::Unexpected),
        };
        self.conformance = initiate.conformance;
        self.longest_sent = if initiate.maximum_pdu == 0 { LONGEST } else { initiate.maximum_pdu };
        if !self.credentials.mechanism.is_high() {
            return Ok(false);
        }
        self.keep_challenge(&response)?;
        Ok(true)
    }

    fn keep_challenge(&mut self, response: &AssociationResponse<'_>) -> Result<(), ClientError> {
        let challenge = response.authentication_value.ok_or(ClientError::Unexpected)?;
        // A challenge sent back would be answered with the proof that was asked for, and so would one under an own title.
        let own = self.server_title == self.credentials.title;
        if own || !challenges_differ(&self.credentials.secret, challenge) {
            return Err(ClientError::ServerNotGenuine);
        }
        self.server_challenge.0[..challenge.len()].copy_from_slice(challenge);
        self.server_challenge.1 = challenge.len();
        Ok(())
    }

    /// Answers the server's challenge.
    pub fn reply(&mut self, out: &mut [u8]) -> Result<usize, ClientError> {
        let counter = self.take_counter();
        let (challenge, length) = self.server_challenge;
        let keys = self.protection.as_ref().ok_or(ClientError::Unexpected)?;
        let proof = keys.authenticate(&self.credentials.title, counter, &challenge[..length]);
        let mut value = [0; AUTHENTICATION_LENGTH + 2];
        let parameter = EncodedData::encode_into(&Data::OctetString(&proof), &mut value);
        let method = MethodDescriptor { class: 15, name: Obis::CURRENT_ASSOCIATION, method: 1 };
        let request = ActionRequest::Normal { invoke: self.next_invoke(), method, parameter };
        let mut plain = [0; 64];
        let mut writer = Writer::new(&mut plain);
        request.encode(&mut writer);
        let length = writer.finish()?;
        self.request(&plain[..length], out)
    }

    /// Takes the server's proof.
    pub fn replied(&mut self, answer: &[u8]) -> Result<(), ClientError> {
        let mut plain = [0; 128];
        let opened = self.open(answer, &mut plain)?;
        let Apdu::ActionResponse(ActionResponse::Normal { outcome, .. }) = Apdu::decode(opened)? else {
            return Err(ClientError::Unexpected);
        };
        if !outcome.result.is_success() {
            return Err(ClientError::NotAccepted(outcome.result));
        }
        let proof = match outcome.returned {
            Some(Ok(value)) => Reader::new(value.octets()).octet_string_data()?,
            _ => return Err(ClientError::ServerNotGenuine),
        };
        let keys = self.protection.as_ref().ok_or(ClientError::Unexpected)?;
        let verified = keys.verify(&self.server_title, proof, &self.credentials.secret);
        verified.map(|_| ()).map_err(|_| ClientError::ServerNotGenuine)
    }

    /// Protects a plain request as the association demands.
    pub fn request(&mut self, plain: &[u8], out: &mut [u8]) -> Result<usize, ClientError> {
        self.request_as(SecurityControl::BOTH, plain, out)
    }

    /// Protects a plain request otherwise than the association demands: what a server must refuse.
    pub fn request_as(&mut self, control: SecurityControl, plain: &[u8], out: &mut [u8]) -> Result<usize, ClientError> {
        if self.protection.is_none() {
            let capacity = out.len();
            let place = out.get_mut(..plain.len()).ok_or(EncodeError::Full { needed: plain.len(), capacity })?;
            place.copy_from_slice(plain);
            return Ok(plain.len());
        }
        let title = self.credentials.title;
        let envelope = match (self.credentials.general, self.dedicated.is_some()) {
            (false, false) => Envelope::Global,
            (true, false) => Envelope::GeneralGlobal(&title.0),
            (false, true) => Envelope::Dedicated,
            (true, true) => Envelope::GeneralDedicated(&title.0),
        };
        self.seal(&envelope, control, plain, out)
    }

    /// Opens an answer; an exception is an error.
    pub fn open<'o>(&mut self, answer: &'o [u8], plain: &'o mut [u8]) -> Result<&'o [u8], ClientError> {
        match Apdu::decode(answer)? {
            Apdu::ExceptionResponse(exception) => Err(ClientError::Exception(exception)),
            Apdu::Ciphered(ciphered) => self.unseal(&ciphered, plain),
            _ if self.protection.is_some() => Err(ClientError::Unexpected),
            _ => Ok(answer),
        }
    }

    /// Gives the association back.
    pub fn release(&mut self, out: &mut [u8]) -> Result<usize, ClientError> {
        let mut plain = [0; 64];
        let mut writer = Writer::new(&mut plain);
        InitiateRequest::new(self.proposed(), LONGEST).encode(&mut writer);
        let length = writer.finish()?;
        let mut protected = [0; 128];
        let information = if self.protection.is_some() {
            let length = self.seal(&Envelope::Global, SecurityControl::BOTH, &plain[..length], &mut protected)?;
            Some(&protected[..length])
        } else {
            None
        };
        let mut writer = Writer::new(out);
        ReleaseRequest { user_information: information, ..ReleaseRequest::NORMAL }.encode(&mut writer);
        Ok(writer.finish()?)
    }

    fn take_counter(&mut self) -> u32 {
        let counter = self.credentials.counter;
        self.credentials.counter = counter.saturating_add(1);
        counter
    }

    fn seal(
        &mut self,
        envelope: &Envelope<'_>,
        control: SecurityControl,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ClientError> {
        let title = self.credentials.title;
        if let (Envelope::Dedicated | Envelope::GeneralDedicated(_), Some((keys, next, _))) =
            (envelope, &mut self.dedicated)
        {
            let counter = *next;
            *next = counter.saturating_add(1);
            return Ok(keys.protect(envelope, control, &title, counter, plain, out)?);
        }
        let counter = self.take_counter();
        let keys = self.protection.as_ref().ok_or(ClientError::Unexpected)?;
        Ok(keys.protect(envelope, control, &title, counter, plain, out)?)
    }

    fn unseal<'o>(&mut self, ciphered: &Ciphered<'_>, plain: &'o mut [u8]) -> Result<&'o [u8], ClientError> {
        let (keys, received) = match &mut self.dedicated {
            Some((keys, _, received)) if ciphered.is_dedicated() => (&*keys, received),
            _ if ciphered.is_dedicated() => return Err(ClientError::Unexpected),
            _ => (self.protection.as_ref().ok_or(ClientError::Unexpected)?, &mut self.received),
        };
        let accepted = received.check(ciphered.protected().counter).map_err(|_| ClientError::Replayed)?;
        let opened = keys.unprotect(ciphered, &self.server_title, plain)?;
        // An answer that anybody could have written is none.
        if !opened.control.is_authenticated() {
            return Err(ClientError::ServerNotGenuine);
        }
        received.accept(accepted);
        Ok(opened.plain)
    }
}
