//! What the client does with a frame, with silence, and when it may speak.

use super::super::address::Address;
use super::super::control::Control;
use super::super::frame::{FRAME_OVERHEAD, Frame};
use super::super::message::Kind;
use super::super::parameters::Parameters;
use super::super::transfer::{Order, Transfer};
use super::super::{LLC_TO_CLIENT, LLC_TO_SERVER};
use super::{ClientError, ClientEvent, ClientSettings, Expect, Failure};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Disconnected,
    Connecting,
    Connected,
    Disconnecting,
}

/// Whose turn it is on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The client may send: a command, I frames if it has any.
    Client,
    /// The client asks how things stand (RR with P).
    Ask,
    /// The client asks so at this moment: the server has nothing yet.
    AskAt(u64),
    /// The server was polled.
    Server {
        /// The moment at which its response is overdue.
        until: u64,
        /// Whether it was asked how things stand: its response then says how, and not how they stood before.
        asked: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Connected,
    Acknowledged,
    Disconnected,
    Failed(Failure),
}

#[derive(Debug, Clone)]
pub(super) struct Link<const MESSAGE: usize> {
    state: State,
    turn: Turn,
    transfer: Transfer<MESSAGE>,
    /// What the message under way is to bring.
    expected: Option<Expect>,
    /// How often in a row nothing came of a frame.
    fruitless: u8,
    /// When something new arrived last, or the message was given.
    progress_ms: u64,
    /// The server, in the form in which it answers.
    server: Option<Address>,
    change: Option<Change>,
    message: Option<Kind>,
    unnumbered_from: Address,
    /// Frames with information since this end sent last, and the most of them so far.
    burst: (u8, u8),
}

impl<const MESSAGE: usize> Link<MESSAGE> {
    pub(super) fn new() -> Self {
        Self {
            state: State::Disconnected,
            turn: Turn::Client,
            transfer: Transfer::new(LLC_TO_SERVER, LLC_TO_CLIENT),
            expected: None,
            fruitless: 0,
            progress_ms: 0,
            server: None,
            change: None,
            message: None,
            unnumbered_from: Address::PUBLIC_CLIENT,
            burst: (0, 0),
        }
    }

    pub(super) fn longest_burst(&self) -> u8 {
        self.burst.1
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state == State::Connected
    }

    fn enter(&mut self, state: State, parameters: Parameters) {
        (self.state, self.turn, self.expected, self.fruitless) = (state, Turn::Client, None, 0);
        (self.change, self.message) = (None, None);
        self.transfer.restart(parameters);
    }

    fn end(&mut self, change: Change) {
        self.enter(State::Disconnected, Parameters::default());
        self.change = Some(change);
    }

    pub(super) fn connect(&mut self, now_ms: u64) {
        self.enter(State::Connecting, Parameters::default());
        (self.progress_ms, self.server, self.burst) = (now_ms, None, (0, 0));
    }

    pub(super) fn disconnect(&mut self, now_ms: u64) -> Result<(), ClientError> {
        if self.state == State::Disconnected {
            return Err(ClientError::NotConnected);
        }
        self.enter(State::Disconnecting, Parameters::default());
        self.progress_ms = now_ms;
        Ok(())
    }

    pub(super) fn send(&mut self, message: &[u8], expect: Expect, now_ms: u64) -> Result<(), ClientError> {
        if self.state != State::Connected {
            return Err(ClientError::NotConnected);
        }
        if self.expected.is_some() || self.message.is_some() || self.change == Some(Change::Acknowledged) {
            return Err(ClientError::Busy);
        }
        self.load(message, Kind::Numbered)?;
        self.transfer.incoming.clear();
        (self.expected, self.progress_ms, self.fruitless) = (Some(expect), now_ms, 0);
        Ok(())
    }

    pub(super) fn expect_more(&mut self, now_ms: u64) -> Result<(), ClientError> {
        if self.state != State::Connected {
            return Err(ClientError::NotConnected);
        }
        if self.expected.is_some() || self.message.is_some() || self.transfer.outgoing.kind().is_some() {
            return Err(ClientError::Busy);
        }
        self.transfer.incoming.clear();
        (self.expected, self.turn) = (Some(Expect::Answer), Turn::Ask);
        (self.progress_ms, self.fruitless) = (now_ms, 0);
        Ok(())
    }

    pub(super) fn send_unnumbered(&mut self, message: &[u8]) -> Result<(), ClientError> {
        self.load(message, Kind::Unnumbered)
    }

    fn load(&mut self, message: &[u8], kind: Kind) -> Result<(), ClientError> {
        if self.transfer.outgoing.kind().is_some() {
            return Err(ClientError::Busy);
        }
        let loaded = self.transfer.outgoing.load(message, kind);
        if loaded { Ok(()) } else { Err(ClientError::TooLong { room: MESSAGE }) }
    }

    pub(super) fn poll_event(&mut self) -> Option<ClientEvent<'_>> {
        if let Some(change) = self.change.take() {
            return Some(match change {
                Change::Connected => ClientEvent::Connected(self.transfer.parameters),
                Change::Acknowledged => ClientEvent::Acknowledged,
                Change::Disconnected => ClientEvent::Disconnected,
                Change::Failed(why) => ClientEvent::Failed(why),
            });
        }
        let kind = self.message.take()?;
        Some(match (self.transfer.incoming.take(), kind) {
            (Ok(octets), Kind::Numbered) => ClientEvent::Message(octets),
            (Ok(octets), Kind::Unnumbered) => ClientEvent::Unnumbered { server: self.unnumbered_from, octets },
            (Err(why), _) => ClientEvent::Discarded(why),
        })
    }

    pub(super) fn take(&mut self, settings: &ClientSettings, frame: &Frame<'_>, now_ms: u64) {
        let for_us = frame.destination == settings.address || frame.destination == Address::ALL_CLIENTS;
        if !for_us || !frame.source.is_valid_source() {
            return;
        }
        if matches!(frame.control, Control::UnnumberedInformation { .. }) {
            return self.take_unnumbered(frame);
        }
        // A server that was called by its role answers with the address it has.
        let expected = self.server.unwrap_or(settings.server);
        if frame.source != expected && !(self.server.is_none() && settings.server.is_calling()) {
            return;
        }
        match (self.state, frame.control) {
            (State::Connecting, Control::UnnumberedAcknowledge { .. }) => {
                let own = settings.proposal.unwrap_or_default();
                match Parameters::decode(frame.information) {
                    Ok((said, _)) => {
                        self.enter(State::Connected, own.negotiated_with(&said));
                        (self.server, self.change) = (Some(frame.source), Some(Change::Connected));
                    }
                    Err(_) => self.end(Change::Failed(Failure::Protocol)),
                }
            }
            (State::Connecting, Control::DisconnectedMode { .. }) => self.end(Change::Failed(Failure::Refused)),
            (State::Disconnecting, Control::UnnumberedAcknowledge { .. } | Control::DisconnectedMode { .. }) => {
                self.end(Change::Disconnected);
            }
            (State::Connected, Control::DisconnectedMode { .. }) => self.end(Change::Failed(Failure::Refused)),
            (State::Connected, Control::FrameReject { .. }) => {
                let said = |index: usize| frame.information.get(index).copied().unwrap_or_default();
                self.end(Change::Failed(Failure::Rejected { control: said(0), complaint: said(2) }));
            }
            (State::Connected, Control::Information { send, receive, poll }) => {
                self.burst.0 = self.burst.0.saturating_add(1);
                self.burst.1 = self.burst.1.max(self.burst.0);
                self.take_numbered(settings, frame, Some(send), receive, poll, now_ms);
            }
            (State::Connected, Control::ReceiveReady { receive, poll }) => {
                self.transfer.peer_busy = false;
                self.take_numbered(settings, frame, None, receive, poll, now_ms);
            }
            (State::Connected, Control::ReceiveNotReady { receive, poll }) => {
                self.transfer.peer_busy = true;
                self.take_numbered(settings, frame, None, receive, poll, now_ms);
            }
            _ => {}
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

    fn take_numbered(
        &mut self,
        settings: &ClientSettings,
        frame: &Frame<'_>,
        number: Option<u8>,
        receive: u8,
        last: bool,
        now_ms: u64,
    ) {
        let Ok(acknowledged) = self.transfer.acknowledge(receive) else {
            return self.end(Change::Failed(Failure::Protocol));
        };
        let order = number.map(|number| self.transfer.order(number));
        let mut progress = acknowledged;
        if order == Some(Order::Next)
            && !self.transfer.incoming.is_taken(Kind::Numbered)
            && frame.information.len() <= usize::from(self.transfer.parameters.information_receive)
        {
            progress = true;
            if self.transfer.accept(frame) {
                self.message = Some(Kind::Numbered);
                self.expected = None;
                self.transfer.abandon();
            }
        }
        if progress {
            (self.fruitless, self.progress_ms) = (0, now_ms);
        }
        if self.expected == Some(Expect::Acknowledgement) && self.transfer.outgoing.kind() != Some(Kind::Numbered) {
            (self.expected, self.change) = (None, Some(Change::Acknowledged));
        }
        // A frame that was here before answers a poll of before: the response to the last one is still to come.
        let Turn::Server { asked, .. } = self.turn else { return };
        if !last || order == Some(Order::Duplicate) {
            return;
        }
        let lost = self.transfer.outstanding() > 0 || order == Some(Order::Gap);
        self.transfer.rewind();
        let answering = self.expected == Some(Expect::Answer) && self.transfer.outgoing.kind() != Some(Kind::Numbered);
        let pause = Turn::AskAt(now_ms.saturating_add(u64::from(settings.poll_pause_ms.max(1))));
        let fruitless = lost && !progress;
        self.turn = if fruitless && !asked {
            // Frames were lost, or this response was late and repeated. Let the line fall silent, then ask.
            pause
        } else if order == Some(Order::Gap) || (answering && progress && order.is_some()) {
            Turn::Ask
        } else if answering || self.transfer.peer_busy {
            pause
        } else {
            Turn::Client
        };
        if fruitless {
            self.fruitless = self.fruitless.saturating_add(1);
            if self.fruitless > settings.retries {
                self.end(Change::Failed(Failure::NoResponse));
            }
        }
    }

    pub(super) fn deadline(&self, settings: &ClientSettings) -> Option<u64> {
        if self.state == State::Disconnected {
            return None;
        }
        let turn = match self.turn {
            Turn::Server { until: at, .. } | Turn::AskAt(at) => Some(at),
            Turn::Client | Turn::Ask => None,
        };
        let answer = super::super::server::after(self.progress_ms, settings.answer_ms);
        [turn, answer.filter(|_| self.expected.is_some())].into_iter().flatten().min()
    }

    pub(super) fn tick(&mut self, settings: &ClientSettings, now_ms: u64) {
        if self.deadline(settings).is_none_or(|at| now_ms < at) {
            return;
        }
        let answer = super::super::server::after(self.progress_ms, settings.answer_ms);
        if self.expected.is_some() && answer.is_some_and(|at| now_ms >= at) {
            let silent = self.fruitless > 0;
            return self.end(Change::Failed(if silent { Failure::NoResponse } else { Failure::NoAnswer }));
        }
        match (self.turn, self.state) {
            (Turn::AskAt(_), _) => self.turn = Turn::Ask,
            (Turn::Server { .. }, State::Disconnecting) if self.fruitless >= settings.retries => {
                self.end(Change::Disconnected);
            }
            (Turn::Server { .. }, _) if self.fruitless >= settings.retries => {
                self.end(Change::Failed(Failure::NoResponse));
            }
            (Turn::Server { .. }, state) => {
                self.fruitless += 1;
                // Whether the frame was lost or its response, nobody knows: ask, and never send it again blindly.
                self.turn = if state == State::Connected { Turn::Ask } else { Turn::Client };
            }
            (Turn::Client | Turn::Ask, _) => {}
        }
    }

    pub(super) fn transmit(&mut self, settings: &ClientSettings, now_ms: u64, line: &mut [u8]) -> Option<usize> {
        if self.transfer.outgoing.kind() == Some(Kind::Unnumbered) {
            return self.transmit_unnumbered(settings, line);
        }
        let length = self.transmit_next(settings, now_ms, line);
        if length.is_some() {
            self.burst.0 = 0;
        }
        length
    }

    fn transmit_next(&mut self, settings: &ClientSettings, now_ms: u64, line: &mut [u8]) -> Option<usize> {
        let server = self.server.unwrap_or(settings.server);
        let until = now_ms.saturating_add(u64::from(settings.response_ms));
        let polled = Turn::Server { until, asked: self.turn == Turn::Ask };
        let bare = |control| Frame::bare(server, settings.address, control);
        match (self.state, self.turn) {
            (State::Disconnected, _) | (_, Turn::Server { .. } | Turn::AskAt(_)) => None,
            (State::Connecting, _) => {
                self.turn = polled;
                let (octets, length) = settings.proposal.unwrap_or_default().encode(settings.form);
                let proposed = if settings.proposal.is_some() { length } else { 0 };
                let frame = bare(Control::SetNormalResponseMode { poll: true });
                Frame { information: octets.get(..proposed)?, ..frame }.encode(line).ok()
            }
            (State::Disconnecting, _) => {
                self.turn = polled;
                bare(Control::Disconnect { poll: true }).encode(line).ok()
            }
            (State::Connected, Turn::Ask) => {
                self.turn = polled;
                bare(Control::ReceiveReady { receive: self.transfer.receive, poll: true }).encode(line).ok()
            }
            (State::Connected, Turn::Client) => {
                let numbered = self.transfer.next()?;
                if numbered.control.poll() {
                    self.turn = polled;
                }
                let frame = Frame { segmented: numbered.segment.more, ..bare(numbered.control) };
                frame.encode_pieces(numbered.segment.control, numbered.segment.message, line).ok()
            }
        }
    }

    fn transmit_unnumbered(&mut self, settings: &ClientSettings, line: &mut [u8]) -> Option<usize> {
        let longest = usize::from(self.transfer.parameters.information_transmit);
        let segment = self.transfer.outgoing.next(longest.min(line.len().saturating_sub(FRAME_OVERHEAD)))?;
        let control = Control::UnnumberedInformation { poll: false };
        let frame = Frame { segmented: segment.more, ..Frame::bare(settings.server, settings.address, control) };
        let length = frame.encode_pieces(segment.control, segment.message, line).ok();
        if !segment.more {
            self.transfer.outgoing.clear();
        }
        length
    }
}
