//! The server's side of an association: what a client asks is opened, checked, answered and protected again.
//!
//! One [`Server`] stands behind one connection (an HDLC link, a TCP connection) and has at most one association. What a
//! logical device shows to whom is the business of a [`LogicalDevice`]. Sans-IO: an APDU in, an APDU out.
//!
//! In this order: the invocation counter is checked, the APDU is opened, the counter is accepted, the request is carried
//! out. What is not protected as the policy of the client demands is refused before anything is looked at.
//!
//! A request that came in general blocks is answered in general blocks; any other in the blocks of its service, where client and
//! server have agreed on them. What is protected is protected as a whole, and cut into blocks then.
//!
//! # Deliberately absent
//!
//! Short names and ACCESS in the server, and general-ciphering with a key of its own:
//! the conformance block does not offer what needs them, and what comes nevertheless is refused. Values of a list in blocks
//! (SET and ACTION with list and first block) are refused too.

mod association;
mod ciphering;
mod general;
mod services;

use crate::acse::{Conformance, Mechanism};
use crate::apdu::transfer::{BlockReceiver, BlockSender};
use crate::apdu::{
    ActionResult, AttributeDescriptor, DataAccessResult, ExceptionResponse, GeneralBlock, MethodDescriptor,
    SelectiveAccess, ServiceError, StateError,
};
use crate::data::EncodedData;
use crate::octets::Writer;
use crate::security::{Accepted, CounterError, Protection, ReceiveCounter, SecurityPolicy, SystemTitle};

use general::General;

/// The longest APDU a server takes and gives (octets).
pub const LONGEST_APDU: usize = 1024;
/// General blocks a server takes at once.
const RECEIVE_WINDOW: u8 = 8;
/// Octets of the longest value that comes in blocks.
const LONGEST_VALUE: usize = 2048;
/// Octets of the longest request whose answer is given in blocks.
const LONGEST_REQUEST: usize = 256;

/// What the server and a client agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Service access point of the client.
    pub client: u16,
    /// System title of the client; zeros where it named none.
    pub client_title: [u8; 8],
    /// What both can do.
    pub conformance: Conformance,
    /// How the client proved who it is.
    pub mechanism: Mechanism,
    /// Longest APDU the server takes (octets).
    pub longest_received: u16,
    /// Longest APDU the client takes (octets).
    pub longest_sent: u16,
}

/// Where a connection comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// At the device itself: the optical head.
    Local,
    /// From afar.
    Network,
}

/// How a client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approach {
    /// Service access point of the client.
    pub client: u16,
    /// Where.
    pub interface: Interface,
    /// The mechanism it names.
    pub mechanism: Mechanism,
}

/// How a client must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// How it proves who it is.
    pub mechanism: Mechanism,
    /// What must be protected; nothing for a client without keys.
    pub policy: SecurityPolicy,
    /// What the server can do for it.
    pub conformance: Conformance,
}

/// Something the security log of a device should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// An association is open.
    Associated,
    /// A client could not prove who it is.
    AuthenticationFailed,
    /// An APDU was not genuine.
    NotGenuine,
    /// An invocation counter came again.
    Replayed,
    /// An APDU was protected less than the policy demands.
    NotProtected,
    /// A client wants to write or to call with a service that it was not offered.
    NotOffered,
}

/// What stands behind a server: objects, rights, keys and counters.
pub trait LogicalDevice {
    /// How a client that comes so must come; `None` for one that is not known.
    fn admission(&self, approach: &Approach) -> Option<Admission>;
    /// Whether this is the password of a client with low level security; to be found in constant time
    /// ([`password_matches`](crate::security::password_matches)).
    fn is_password(&self, client: u16, offered: &[u8]) -> bool;
    /// Moves when the keys of a client change: associations under the old ones end.
    fn key_generation(&self, client: u16) -> u32;
    /// The keys of a client.
    fn protection(&self, client: u16) -> Option<Protection>;
    /// Own system title.
    fn system_title(&self) -> SystemTitle;
    /// A challenge that nobody can foresee.
    fn challenge(&mut self) -> [u8; 16];
    /// Whether a counter of this client is new.
    fn check_counter(&self, client: u16, counter: u32) -> Result<Accepted, CounterError>;
    /// The counter belongs to a genuine APDU: it is persisted before the request is carried out.
    fn accept_counter(&mut self, client: u16, accepted: Accepted);
    /// A counter proved genuine in the answer to a challenge.
    fn raise_counter(&mut self, client: u16, counter: u32);
    /// The next counter of the server towards this client.
    fn next_counter(&mut self, client: u16) -> Result<u32, CounterError>;
    /// Where that stands of which long answers are made: kept while one is given in blocks.
    fn moment(&self) -> u32;
    /// Writes the value of an attribute as it was at a moment, or says why not. Asked twice in a row, the answer is the same;
    /// one that cannot be given any more ends early.
    fn get(
        &self,
        agreed: &Agreed,
        attribute: AttributeDescriptor,
        access: Option<SelectiveAccess<'_>>,
        moment: u32,
        out: &mut Writer<'_>,
    ) -> Result<(), DataAccessResult>;
    /// Takes the value of an attribute.
    fn set(&mut self, agreed: &Agreed, attribute: AttributeDescriptor, value: EncodedData<'_>) -> DataAccessResult;
    /// Calls a method.
    fn act(&mut self, agreed: &Agreed, method: MethodDescriptor, parameter: Option<EncodedData<'_>>) -> ActionResult;
    /// Something for the security log.
    fn notice(&mut self, client: u16, notice: Notice);
    /// Whether an answer in blocks ends one block early.
    #[cfg(feature = "defects")]
    fn truncates_blocks(&self) -> bool {
        false
    }
}

/// How far an association is.
#[derive(Debug)]
enum State {
    Closed,
    /// The client's challenge (and its length) and the server's: the client has still to prove who it is.
    Challenged([u8; 64], usize, [u8; 16]),
    Open,
}

/// The server of one connection.
#[derive(Debug)]
pub struct Server {
    interface: Interface,
    state: State,
    agreed: Agreed,
    admission: Option<Admission>,
    protection: Option<Protection>,
    /// The key that the client brought for this association alone.
    dedicated: Option<Dedicated>,
    /// Of the keys, when the association began.
    generation: u32,
    sender: BlockSender,
    /// What comes or goes in general blocks.
    general: General,
    /// Octets of the answer that is given in blocks and kept in `value`, so that its blocks are of one moment.
    kept: Option<usize>,
    /// When the answer that is given in blocks began.
    moment: u32,
    /// The request whose answer is given in blocks.
    long_request: [u8; LONGEST_REQUEST],
    long_length: usize,
    receiver: BlockReceiver,
    /// What the value that comes in blocks is for.
    target: Option<Target>,
    value: [u8; LONGEST_VALUE],
}

/// A dedicated key, with counters of its own that begin with it.
#[derive(Debug)]
struct Dedicated {
    protection: Protection,
    received: ReceiveCounter,
    /// The next counter of the server.
    next: u32,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Attribute(AttributeDescriptor),
    Method(MethodDescriptor),
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Of a connection from afar, without an association.
    pub const fn new() -> Self {
        Self::at(Interface::Network)
    }

    /// Of a connection that comes in there, without an association.
    pub const fn at(interface: Interface) -> Self {
        Self {
            interface,
            state: State::Closed,
            agreed: Agreed {
                client: 0,
                client_title: [0; 8],
                conformance: Conformance::NONE,
                mechanism: Mechanism::LOWEST,
                longest_received: LONGEST_APDU as u16,
                longest_sent: LONGEST_APDU as u16,
            },
            admission: None,
            protection: None,
            dedicated: None,
            generation: 0,
            sender: BlockSender::new(),
            general: General::new(),
            kept: None,
            moment: 0,
            long_request: [0; LONGEST_REQUEST],
            long_length: 0,
            receiver: BlockReceiver::new(),
            target: None,
            value: [0; LONGEST_VALUE],
        }
    }

    /// The association, once it is open.
    pub fn association(&self) -> Option<&Agreed> {
        matches!(self.state, State::Open).then_some(&self.agreed)
    }

    /// The connection is gone, and the association with it.
    pub fn disconnect(&mut self) {
        self.state = State::Closed;
        self.protection = None;
        self.dedicated = None;
        self.sender = BlockSender::new();
        self.general = General::new();
        self.kept = None;
        self.receiver.interrupt();
        self.target = None;
    }

    /// Answers an APDU of a client; the octets of the answer, none where none is due. [`Self::go_on`] has what follows it.
    pub fn answer<D: LogicalDevice>(&mut self, device: &mut D, client: u16, apdu: &[u8], out: &mut [u8]) -> usize {
        let room = out.len().min(LONGEST_APDU);
        let out = &mut out[..room];
        match apdu.first() {
            None => 0,
            // Another client on the same connection has no part in this association, and cannot end it.
            Some(tag) if client != self.agreed.client && (*tag != 0x60 || matches!(self.state, State::Open)) => {
                exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OPERATION_NOT_POSSIBLE, out)
            }
            Some(0x60) => self.associate(device, client, apdu, out),
            Some(_) if matches!(self.state, State::Closed) || self.generation != device.key_generation(client) => {
                self.disconnect();
                exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OPERATION_NOT_POSSIBLE, out)
            }
            Some(&GeneralBlock::TAG) => self.take_general_block(device, apdu, out),
            Some(tag) => {
                self.general.interrupt(self.offers(Conformance::GENERAL_BLOCK_TRANSFER));
                self.answer_whole(device, *tag, apdu, out)
            }
        }
    }

    /// The block that follows an answer, or the block before, without a word of the client: none where it is the client's turn.
    /// The shell asks after every answer, as long as there is one.
    pub fn go_on<D: LogicalDevice>(&mut self, device: &D, out: &mut [u8]) -> usize {
        let room = out.len().min(LONGEST_APDU);
        self.give_general_block(device, &mut out[..room])
    }

    /// Answers an APDU that is whole.
    fn answer_whole<D: LogicalDevice>(&mut self, device: &mut D, tag: u8, apdu: &[u8], out: &mut [u8]) -> usize {
        let client = self.agreed.client;
        match tag {
            0x62 => self.release(device, apdu, out),
            0xC0 | 0xC1 | 0xC3 if self.needs_protection() => {
                device.notice(client, Notice::NotProtected);
                exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED, out)
            }
            0xC0 | 0xC1 | 0xC3 => self.serve_plain(device, apdu, out),
            _ => self.open_and_serve(device, apdu, out),
        }
    }

    fn needs_protection(&self) -> bool {
        use crate::security::Direction::Request;
        self.admission.is_some_and(|admission| !admission.policy.requires(Request).is_met(None, true))
    }
}

fn exception(state: StateError, service: ServiceError, out: &mut [u8]) -> usize {
    encoded(out, |writer| ExceptionResponse::new(state, service).encode(writer))
}

/// Octets of what was written; none where it does not fit.
fn encoded(out: &mut [u8], encode: impl FnOnce(&mut Writer<'_>)) -> usize {
    let mut writer = Writer::new(out);
    encode(&mut writer);
    writer.finish().unwrap_or(0)
}
