//! What the server does with a frame, and what it says when it may speak.

use super::super::address::{Address, AddressLength, Reach};
use super::super::control::Control;
use super::super::frame::Frame;
use super::super::message::Kind;
use super::super::parameters::{Parameters, ParametersForm};
use super::super::transfer::{Order, Transfer};
use super::super::{LLC_TO_CLIENT, LLC_TO_SERVER};
use super::{AnswerError, Disconnection, ServerEvent, ServerSettings};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Disconnected,
    Connected,
    /// A frame was rejected: only SNRM or DISC help. What the FRMR said stands here.
    Rejecting([u8; 3]),
}

/// Who may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The client has not polled, or was answered.
    Client,
    /// The client polled with the last segment of a message: the upper layer prepares the answer.
    UpperLayer,
    /// The client polled and gets an answer now.
    Server,
}

/// A response without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    /// UA with what was negotiated.
    Connected(ParametersForm),
    /// UA to DISC.
    Released,
    DisconnectedMode,
    Reject([u8; 3]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Connected,
    Disconnected(Disconnection),
}

/// What an FRMR complains of, in its third octet.
mod complaint {
    pub(super) const CONTROL: u8 = 1;
    pub(super) const INFORMATION: u8 = 2;
    pub(super) const TOO_LONG: u8 = 4;
    pub(super) const NUMBER: u8 = 8;
}

/// A response that waits to be sent, to whom, and as whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    reply: Reply,
    to: Address,
    from: Address,
}

#[derive(Debug, Clone)]
pub(super) struct Link<const MESSAGE: usize> {
    state: State,
    turn: Turn,
    transfer: Transfer<MESSAGE>,
    /// The client of the link, and the form in which it addresses this server.
    client: Address,
    own: Address,
    waiting: Option<Waiting>,
    push_to: Address,
    change: Option<Change>,
    message: Option<Kind>,
    unnumbered_from: Address,
    last_frame_ms: u64,
}

impl<const MESSAGE: usize> Link<MESSAGE> {
    pub(super) fn new(own: Address) -> Self {
        Self {
            state: State::Disconnected,
            turn: Turn::Client,
            transfer: Transfer::new(LLC_TO_CLIENT, LLC_TO_SERVER),
            client: Address::PUBLIC_CLIENT,
            own,
            waiting: None,
            push_to: Address::PUBLIC_CLIENT,
            change: None,
            message: None,
            unnumbered_from: Address::PUBLIC_CLIENT,
            last_frame_ms: 0,
        }
    }

    #[cfg(feature = "defects")]
    pub(super) fn ignore_window(&mut self, ignored: bool) {
        self.transfer.window_ignored = ignored;
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state != State::Disconnected
    }

    pub(super) fn last_frame_ms(&self) -> u64 {
        self.last_frame_ms
    }

    pub(super) fn poll_event(&mut self) -> Option<ServerEvent<'_>> {
        if let Some(change) = self.change.take() {
            return Some(match change {
                Change::Connected => {
                    ServerEvent::Connected { client: self.client, parameters: self.transfer.parameters }
                }
                Change::Disconnected(why) => ServerEvent::Disconnected(why),
            });
        }
        let kind = self.message.take()?;
        Some(match (self.transfer.incoming.take(), kind) {
            (Ok(octets), Kind::Numbered) => ServerEvent::Message { client: self.client, octets },
            (Ok(octets), Kind::Unnumbered) => ServerEvent::Unnumbered { client: self.unnumbered_from, octets },
            (Err(why), _) => {
                if self.turn == Turn::UpperLayer {
                    self.turn = Turn::Server;
                }
                ServerEvent::Discarded(why)
            }
        })
    }

    pub(super) fn answer(&mut self, message: &[u8]) -> Result<(), AnswerError> {
        if self.state != State::Connected {
            return Err(AnswerError::NotConnected);
        }
        self.load(message, Kind::Numbered)?;
        self.no_answer();
        Ok(())
    }

    pub(super) fn no_answer(&mut self) {
        if self.turn == Turn::UpperLayer {
            self.turn = Turn::Server;
        }
    }

    pub(super) fn is_waited_for(&self) -> bool {
        let polled = self.state == State::Connected && self.turn == Turn::Server && self.waiting.is_none();
        polled && self.transfer.outgoing.kind().is_none()
    }

    pub(super) fn push(&mut self, client: Address, message: &[u8]) -> Result<(), AnswerError> {
        self.load(message, Kind::Unnumbered)?;
        self.push_to = client;
        Ok(())
    }

    fn load(&mut self, message: &[u8], kind: Kind) -> Result<(), AnswerError> {
        if self.transfer.outgoing.kind().is_some() {
            return Err(AnswerError::Busy);
        }
        let loaded = self.transfer.outgoing.load(message, kind);
        if loaded { Ok(()) } else { Err(AnswerError::TooLong { room: MESSAGE }) }
    }

    fn restart(&mut self, state: State, parameters: Parameters, change: Change) {
        (self.state, self.turn, self.message, self.change) = (state, Turn::Client, None, Some(change));
        self.transfer.restart(parameters);
    }

    pub(super) fn disconnect(&mut self, why: Disconnection) {
        self.restart(State::Disconnected, Parameters::default(), Change::Disconnected(why));
    }

    pub(super) fn take(&mut self, settings: &ServerSettings, frame: &Frame<'_>, now_ms: u64) {
        let client = frame.source;
        if client.length() != AddressLength::One
            || !client.is_valid_source()
            || settings.client.is_some_and(|only| only != client)
        {
            return;
        }
        let reach = frame.destination.reach(settings.address, settings.calling);
        if let Control::UnnumberedInformation { poll } = frame.control {
            if reach != Reach::Other && !(poll && reach == Reach::Everyone) {
                self.take_unnumbered(frame);
            }
            return;
        }
        if matches!(reach, Reach::Other | Reach::Everyone) {
            return;
        }
        let from = frame.destination.answered_as(settings.address);
        let ours = self.is_connected() && client == self.client;
        if ours {
            self.last_frame_ms = now_ms;
        }
        let reply = match frame.control {
            Control::SetNormalResponseMode { .. } => match Parameters::decode(frame.information) {
                Ok((proposed, form)) if ours || !self.is_connected() => {
                    (self.client, self.own, self.last_frame_ms) = (client, from, now_ms);
                    let parameters = settings.parameters.negotiated_with(&proposed);
                    self.restart(State::Connected, parameters, Change::Connected);
                    Some(Reply::Connected(form))
                }
                _ => Some(Reply::DisconnectedMode),
            },
            Control::Disconnect { .. } if ours => {
                self.disconnect(Disconnection::Peer);
                Some(Reply::Released)
            }
            Control::Disconnect { .. } => Some(Reply::DisconnectedMode),
            // Responses have no business here: an echo of our own, or a stranger.
            Control::UnnumberedAcknowledge { .. }
            | Control::DisconnectedMode { .. }
            | Control::FrameReject { .. }
            | Control::UnnumberedInformation { .. } => None,
            control if !ours => control.poll().then_some(Reply::DisconnectedMode),
            control => self.take_in_connection(frame).filter(|_| control.poll()),
        };
        if let Some(reply) = reply {
            self.waiting = Some(Waiting { reply, to: client, from });
        }
    }

    fn take_unnumbered(&mut self, frame: &Frame<'_>) {
        if self.message.is_some() || self.transfer.incoming.is_taken(Kind::Unnumbered) {
            return;
        }
        self.unnumbered_from = frame.source;
        if self.transfer.incoming.append(Kind::Unnumbered, frame.information, frame.segmented) {
            self.message = Some(Kind::Unnumbered);
        }
    }

    fn take_in_connection(&mut self, frame: &Frame<'_>) -> Option<Reply> {
        if self.state == State::Connected
            && let Err(complaint) = self.take_numbered(frame)
        {
            // The control field, both own numbers, and the complaint.
            let numbers = (self.transfer.receive & 7) << 5 | (self.transfer.send & 7) << 1;
            self.state = State::Rejecting([frame.control.octet(), numbers, complaint]);
            self.turn = Turn::Client;
        }
        match self.state {
            State::Rejecting(said) => Some(Reply::Reject(said)),
            State::Connected | State::Disconnected => None,
        }
    }

    /// I, RR and RNR. The error is what an FRMR complains of.
    fn take_numbered(&mut self, frame: &Frame<'_>) -> Result<(), u8> {
        let (number, receive, poll) = match frame.control {
            Control::Information { send, receive, poll } => (Some(send), receive, poll),
            Control::ReceiveReady { receive, poll } | Control::ReceiveNotReady { receive, poll } => {
                (None, receive, poll)
            }
            _ => return Err(complaint::CONTROL),
        };
        let longest = usize::from(self.transfer.parameters.information_receive);
        match number {
            None if !frame.information.is_empty() => return Err(complaint::CONTROL | complaint::INFORMATION),
            Some(_) if frame.information.len() > longest => return Err(complaint::TOO_LONG),
            _ => {}
        }
        self.transfer.acknowledge(receive).map_err(|_| complaint::NUMBER)?;
        self.transfer.peer_busy = matches!(frame.control, Control::ReceiveNotReady { .. });
        if poll {
            // What the client had not acknowledged when it polled did not arrive.
            self.transfer.rewind();
        }
        let order = number.map(|number| self.transfer.order(number));
        let mut complete = false;
        if order == Some(Order::Next) && !self.transfer.incoming.is_taken(Kind::Numbered) {
            complete = self.transfer.accept(frame);
            if complete {
                // What was left of the answer before is of no use to the client any more.
                self.transfer.abandon();
                self.message = Some(Kind::Numbered);
            }
        }
        if poll {
            // A client that asks how things stand is told at once; one that repeats itself waits for the answer.
            let waits = complete || (self.turn == Turn::UpperLayer && order == Some(Order::Duplicate));
            self.turn = if waits { Turn::UpperLayer } else { Turn::Server };
        }
        Ok(())
    }

    /// Writes the next frame; returns its length.
    pub(super) fn transmit(&mut self, settings: &ServerSettings, line: &mut [u8]) -> Option<usize> {
        if let Some(Waiting { reply, to, from }) = self.waiting.take() {
            return self.transmit_reply(reply, to, from, line);
        }
        if self.transfer.outgoing.kind() == Some(Kind::Unnumbered) {
            return self.transmit_unnumbered(settings.address, line);
        }
        if self.turn != Turn::Server || self.state != State::Connected {
            return None;
        }
        let frame = Frame::bare(self.client, self.own, Control::UnnumberedAcknowledge { poll: true });
        if let Some(numbered) = self.transfer.next() {
            if numbered.control.poll() {
                self.turn = Turn::Client;
            }
            let frame = Frame { segmented: numbered.segment.more, control: numbered.control, ..frame };
            return frame.encode_pieces(numbered.segment.control, numbered.segment.message, line).ok();
        }
        self.turn = Turn::Client;
        let receive = self.transfer.receive;
        let control = if self.transfer.incoming.is_taken(Kind::Numbered) {
            Control::ReceiveNotReady { receive, poll: true }
        } else {
            Control::ReceiveReady { receive, poll: true }
        };
        Frame { control, ..frame }.encode(line).ok()
    }

    fn transmit_reply(&self, reply: Reply, to: Address, from: Address, line: &mut [u8]) -> Option<usize> {
        let (parameters, length) = match reply {
            Reply::Connected(form) => self.transfer.parameters.encode(form),
            _ => ([0; Parameters::LONGEST], 0),
        };
        let (control, information) = match &reply {
            Reply::Connected(_) => (Control::UnnumberedAcknowledge { poll: true }, parameters.get(..length)?),
            Reply::Released => (Control::UnnumberedAcknowledge { poll: true }, &[][..]),
            Reply::DisconnectedMode => (Control::DisconnectedMode { poll: true }, &[][..]),
            Reply::Reject(said) => (Control::FrameReject { poll: true }, &said[..]),
        };
        Frame { information, ..Frame::bare(to, from, control) }.encode(line).ok()
    }

    fn transmit_unnumbered(&mut self, own: Address, line: &mut [u8]) -> Option<usize> {
        let longest = usize::from(self.transfer.parameters.information_transmit);
        let room = line.len().saturating_sub(super::super::FRAME_OVERHEAD);
        let segment = self.transfer.outgoing.next(longest.min(room))?;
        let control = Control::UnnumberedInformation { poll: false };
        let frame = Frame { segmented: segment.more, ..Frame::bare(self.push_to, own, control) };
        let length = frame.encode_pieces(segment.control, segment.message, line).ok();
        if !segment.more {
            self.transfer.outgoing.clear();
        }
        length
    }
}
