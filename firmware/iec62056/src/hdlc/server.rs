//! The meter's end of the link: disconnected (NDM) or connected (NRM), and it speaks when it is polled (IEC 62056-46).

mod link;

use super::address::{Address, AddressLength};
use super::delimiter::Delimiter;
use super::event::{Discarded, SettingsError};
use super::parameters::Parameters;
use link::Link;

/// What one server is and can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSettings {
    /// Its own address.
    pub address: Address,
    /// The one client it serves, or whichever connects.
    pub client: Option<Address>,
    /// The most it can send and receive; the client may ask for less.
    pub parameters: Parameters,
    /// Silence within a frame after which the frame is given up, in ms. Zero: never.
    pub inter_octet_ms: u32,
    /// Silence after which a connected server disconnects, in ms. Zero: never.
    pub inactivity_ms: u32,
    /// Whether this server placed the call, and so answers to CALLING.
    pub calling: bool,
}

/// Why the link ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnection {
    /// The client said DISC.
    Peer,
    /// No frame came for too long.
    Inactivity,
}

/// What the upper layer must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent<'a> {
    /// A client connected, maybe anew: whatever was associated before is gone.
    Connected {
        /// Who.
        client: Address,
        /// What both ends can do, seen from the server.
        parameters: Parameters,
    },
    /// A whole message. Answer it with [`Server::answer`], or say that there is no answer with [`Server::no_answer`].
    Message {
        /// From whom.
        client: Address,
        /// Without the logical link control octets.
        octets: &'a [u8],
    },
    /// A whole unnumbered message, which needs no link and has no answer at this layer.
    Unnumbered {
        /// From whom.
        client: Address,
        /// Without the logical link control octets.
        octets: &'a [u8],
    },
    /// A message was received and could not be kept. It is acknowledged and has no answer.
    Discarded(Discarded),
    /// The link ended.
    Disconnected(Disconnection),
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No client is connected.
    #[error("no client is connected")]
    NotConnected,
    /// The message before is still under way.
    #[error("the message before is not acknowledged")]
    Busy,
    /// Longer than the place for it.
    #[error("the message has more than {room} octets")]
    TooLong {
        /// Octets there is room for.
        room: usize,
    },
}

/// A server: frames of up to `FRAME` octets with their flags, messages of up to `MESSAGE` octets each way.
#[derive(Debug, Clone)]
pub struct Server<const FRAME: usize, const MESSAGE: usize> {
    settings: ServerSettings,
    delimiter: Delimiter<FRAME>,
    link: Link<MESSAGE>,
    line: [u8; FRAME],
    last_octet_ms: u64,
}

impl<const FRAME: usize, const MESSAGE: usize> Server<FRAME, MESSAGE> {
    /// A disconnected server.
    pub fn new(settings: ServerSettings) -> Result<Self, SettingsError> {
        let own = settings.address;
        if !own.is_valid_source() || own.is_calling() {
            return Err(SettingsError::Address);
        }
        if settings.client.is_some_and(|client| client.length() != AddressLength::One || !client.is_valid_source()) {
            return Err(SettingsError::ClientAddress);
        }
        settings.parameters.check_room(FRAME)?;
        Ok(Self { settings, delimiter: Delimiter::default(), link: Link::new(own), line: [0; FRAME], last_octet_ms: 0 })
    }

    /// Sends all frames of an answer at once, whatever window is agreed on.
    #[cfg(feature = "defects")]
    #[must_use]
    pub fn with_window_ignored(mut self, ignored: bool) -> Self {
        self.link.ignore_window(ignored);
        self
    }

    /// Takes octets from the line up to the end of one frame; returns how many. Call it again with the rest after
    /// [`Self::poll_event`] and [`Self::poll_transmit`] are drained.
    #[must_use = "octets that were not taken must be given again"]
    pub fn receive(&mut self, octets: &[u8], now_ms: u64) -> usize {
        self.tick(now_ms);
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
    pub fn poll_event(&mut self) -> Option<ServerEvent<'_>> {
        self.link.poll_event()
    }

    /// Gives the answer to a message; it goes out when the client has polled for it.
    pub fn answer(&mut self, message: &[u8]) -> Result<(), AnswerError> {
        self.link.answer(message)
    }

    /// Says that a message has no answer: the client gets an acknowledgement.
    pub fn no_answer(&mut self) {
        self.link.no_answer();
    }

    /// Whether the client waits for a word and there is none: another answer may be given, behind the one it has taken.
    pub fn is_waited_for(&self) -> bool {
        self.link.is_waited_for()
    }

    /// Sends a message nobody asked for, in UI frames. It needs no link and nobody acknowledges it.
    pub fn push(&mut self, client: Address, message: &[u8]) -> Result<(), AnswerError> {
        self.link.push(client, message)
    }

    /// The next frame for the line.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        let length = self.link.transmit(&self.settings, &mut self.line)?;
        self.line.get(..length)
    }

    /// The moment at which [`Self::tick`] must be called, if nothing comes before it.
    pub fn deadline(&self) -> Option<u64> {
        let within_frame = self.delimiter.is_within_frame();
        let octet = after(self.last_octet_ms, self.settings.inter_octet_ms).filter(|_| within_frame);
        let connected = self.link.is_connected();
        let inactivity = after(self.link.last_frame_ms(), self.settings.inactivity_ms).filter(|_| connected);
        [octet, inactivity].into_iter().flatten().min()
    }

    /// Lets time pass: a frame that stopped is given up, a link without frames ends.
    pub fn tick(&mut self, now_ms: u64) {
        let octet = after(self.last_octet_ms, self.settings.inter_octet_ms);
        if self.delimiter.is_within_frame() && octet.is_some_and(|at| now_ms >= at) {
            // A frame that a damaged one had swallowed may stand here, whole.
            let _ = self.delimiter.push(&[]);
            if let Some(frame) = self.delimiter.frame() {
                self.link.take(&self.settings, &frame, now_ms);
            }
            self.delimiter.reset();
        }
        let inactivity = after(self.link.last_frame_ms(), self.settings.inactivity_ms);
        if self.link.is_connected() && inactivity.is_some_and(|at| now_ms >= at) {
            self.link.disconnect(Disconnection::Inactivity);
        }
    }

    /// Whether a client is connected.
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// How often something that began like a frame was given up.
    pub fn discarded_frames(&self) -> u32 {
        self.delimiter.discarded()
    }
}

pub(in crate::hdlc) fn after(start_ms: u64, delay_ms: u32) -> Option<u64> {
    (delay_ms > 0).then(|| start_ms.saturating_add(u64::from(delay_ms)))
}
