//! The reader's end of the link: connects, sends, polls for answers, disconnects (IEC 62056-46).

mod link;

use super::address::{Address, AddressLength};
use super::delimiter::Delimiter;
use super::event::{Discarded, SettingsError};
use super::parameters::{Parameters, ParametersForm};
use link::Link;

/// Whom a client talks to, and with how much patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSettings {
    /// Its own address.
    pub address: Address,
    /// The server's address.
    pub server: Address,
    /// What it proposes to send and receive. `None` proposes nothing: SNRM goes without information.
    pub proposal: Option<Parameters>,
    /// How the lengths of the proposal are written.
    pub form: ParametersForm,
    /// Silence within a frame after which the frame is given up, in ms. Zero: never.
    pub inter_octet_ms: u32,
    /// How long a response may take after the frame that asks for it was handed out, in ms: the reaction of the server and
    /// the time both take on the line. A window of several long frames needs its share.
    pub response_ms: u32,
    /// How long the client waits before it asks again for an answer that is still being prepared, in ms.
    pub poll_pause_ms: u32,
    /// How long an answer may take with nothing new arriving, in ms.
    pub answer_ms: u32,
    /// How often in a row nothing may come of a frame before the client gives up.
    pub retries: u8,
}

/// What the upper layer must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEvent<'a> {
    /// The server accepted, with these parameters, seen from the client.
    Connected(Parameters),
    /// A whole message, without the logical link control octets.
    Message(&'a [u8]),
    /// A message without an answer was acknowledged.
    Acknowledged,
    /// A whole unnumbered message.
    Unnumbered {
        /// From whom.
        server: Address,
        /// Without the logical link control octets.
        octets: &'a [u8],
    },
    /// A message was received and could not be kept.
    Discarded(Discarded),
    /// The link ended as the client had asked.
    Disconnected,
    /// The link ended otherwise. Connect again.
    Failed(Failure),
}

/// Why a link ended unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No response to any of the retries.
    #[error("the server did not respond")]
    NoResponse,
    /// The server responds and has no answer.
    #[error("the server responds but gave no answer in time")]
    NoAnswer,
    /// DM: the server does not want to connect, or is disconnected.
    #[error("the server is disconnected")]
    Refused,
    /// FRMR.
    #[error("the server rejected a frame (control field {control:#04x}, complaint {complaint:#04x})")]
    Rejected {
        /// The control field of the rejected frame.
        control: u8,
        /// What the server complained of: bits W, X, Y, Z.
        complaint: u8,
    },
    /// UA with parameters that cannot be used, or a number that acknowledges what was never sent.
    #[error("the server broke the protocol")]
    Protocol,
}

/// Why something cannot be begun now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no link.
    #[error("the client is not connected")]
    NotConnected,
    /// Something else is under way.
    #[error("the client has not finished what it was asked before")]
    Busy,
    /// Longer than the place for it.
    #[error("the message has more than {room} octets")]
    TooLong {
        /// Octets there is room for.
        room: usize,
    },
}

/// What a message is to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A message in return.
    Answer,
    /// Its acknowledgement only.
    Acknowledgement,
}

/// A client: frames of up to `FRAME` octets with their flags, messages of up to `MESSAGE` octets each way.
#[derive(Debug, Clone)]
pub struct Client<const FRAME: usize, const MESSAGE: usize> {
    settings: ClientSettings,
    delimiter: Delimiter<FRAME>,
    link: Link<MESSAGE>,
    line: [u8; FRAME],
    last_octet_ms: u64,
}

impl<const FRAME: usize, const MESSAGE: usize> Client<FRAME, MESSAGE> {
    /// A client without a link.
    pub fn new(settings: ClientSettings) -> Result<Self, SettingsError> {
        if settings.address.length() != AddressLength::One || !settings.address.is_valid_source() {
            return Err(SettingsError::ClientAddress);
        }
        settings.proposal.unwrap_or_default().check_room(FRAME)?;
        let (delimiter, link) = (Delimiter::default(), Link::new());
        Ok(Self { settings, delimiter, link, line: [0; FRAME], last_octet_ms: 0 })
    }

    /// Connects, whatever was before.
    pub fn connect(&mut self, now_ms: u64) {
        self.link.connect(now_ms);
    }

    /// Sends a message over the link.
    pub fn send(&mut self, message: &[u8], expect: Expect, now_ms: u64) -> Result<(), ClientError> {
        self.link.send(message, expect, now_ms)
    }

    /// Asks for a message behind the one that came: the server has said that more follows.
    pub fn expect_more(&mut self, now_ms: u64) -> Result<(), ClientError> {
        self.link.expect_more(now_ms)
    }

    /// Sends a message in UI frames. It needs no link and nobody acknowledges it.
    pub fn send_unnumbered(&mut self, message: &[u8]) -> Result<(), ClientError> {
        self.link.send_unnumbered(message)
    }

    /// Disconnects. Whatever is under way is given up.
    pub fn disconnect(&mut self, now_ms: u64) -> Result<(), ClientError> {
        self.link.disconnect(now_ms)
    }

    /// Takes octets from the line up to the end of one frame; returns how many. Call it again with the rest after
    /// [`Self::poll_event`] and [`Self::poll_transmit`] are drained.
    #[must_use = "octets that were not taken must be given again"]
    pub fn receive(&mut self, octets: &[u8], now_ms: u64) -> usize {
        self.give_up_stopped_frame(now_ms);
        if !octets.is_empty() {
            self.last_octet_ms = now_ms;
        }
        let taken = self.delimiter.push(octets);
        if let Some(frame) = self.delimiter.frame() {
            self.link.take(&self.settings, &frame, now_ms);
        }
        taken
    }

    /// What happened, once each.
    pub fn poll_event(&mut self) -> Option<ClientEvent<'_>> {
        self.link.poll_event()
    }

    /// The next frame for the line. The time-out for its response starts now.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<&[u8]> {
        let length = self.link.transmit(&self.settings, now_ms, &mut self.line)?;
        self.line.get(..length)
    }

    /// The moment at which [`Self::tick`] must be called, if nothing comes before it.
    pub fn deadline(&self) -> Option<u64> {
        let octet = super::server::after(self.last_octet_ms, self.settings.inter_octet_ms);
        let octet = octet.filter(|_| self.delimiter.is_within_frame());
        [octet, self.link.deadline(&self.settings)].into_iter().flatten().min()
    }

    /// Lets time pass: a response that does not come is asked for, or given up.
    pub fn tick(&mut self, now_ms: u64) {
        self.give_up_stopped_frame(now_ms);
        self.link.tick(&self.settings, now_ms);
    }

    /// Whether there is a link.
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// Most frames with information that came in a row, without a frame of this end between them, since the link stands. More
    /// than the window that both agreed on, and the server does not keep to it.
    pub fn longest_burst(&self) -> u8 {
        self.link.longest_burst()
    }

    /// How often something that began like a frame was given up.
    pub fn discarded_frames(&self) -> u32 {
        self.delimiter.discarded()
    }

    fn give_up_stopped_frame(&mut self, now_ms: u64) {
        let octet = super::server::after(self.last_octet_ms, self.settings.inter_octet_ms);
        if self.delimiter.is_within_frame() && octet.is_some_and(|at| now_ms >= at) {
            // A frame that a damaged one had swallowed may stand here, whole.
            let _ = self.delimiter.push(&[]);
            if let Some(frame) = self.delimiter.frame() {
                self.link.take(&self.settings, &frame, now_ms);
            }
            self.delimiter.reset();
        }
    }
}
