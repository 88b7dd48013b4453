//! Numbered transfer in both directions: sequence numbers, windows, acknowledgement (IEC 62056-46).

use super::control::Control;
use super::frame::Frame;
use super::message::{Incoming, Kind, Outgoing, Segment};
use super::parameters::Parameters;

/// What the number of an I frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The one expected.
    Next,
    /// One that was received before.
    Duplicate,
    /// One after the one expected: a frame between was lost.
    Gap,
}

/// An N(R) that acknowledges what was never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidNumber;

/// Both directions of one link.
#[derive(Debug, Clone)]
pub(crate) struct Transfer<const N: usize> {
    pub(crate) parameters: Parameters,
    pub(crate) outgoing: Outgoing<N>,
    pub(crate) incoming: Incoming<N>,
    /// The peer said RNR.
    pub(crate) peer_busy: bool,
    /// V(S).
    pub(crate) send: u8,
    /// V(R).
    pub(crate) receive: u8,
    /// The oldest number that is not acknowledged.
    oldest: u8,
    /// Frames from the oldest on that were ever sent: after a rewind they may still be acknowledged.
    ever_sent: u8,
    /// The window is ignored.
    #[cfg(feature = "defects")]
    pub(crate) window_ignored: bool,
}

/// One I frame to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered<'a> {
    pub(crate) segment: Segment<'a>,
    pub(crate) control: Control,
}

const fn modulo(number: u8) -> u8 {
    number & 7
}

impl<const N: usize> Transfer<N> {
    pub(crate) fn new(control_out: [u8; 3], control_in: [u8; 3]) -> Self {
        Self {
            parameters: Parameters::default(),
            outgoing: Outgoing::new(control_out),
            incoming: Incoming::new(control_in),
            peer_busy: false,
            send: 0,
            receive: 0,
            oldest: 0,
            ever_sent: 0,
            #[cfg(feature = "defects")]
            window_ignored: false,
        }
    }

    /// A new link: all numbers start at zero, nothing is under way.
    pub(crate) fn restart(&mut self, parameters: Parameters) {
        self.parameters = parameters;
        self.outgoing.clear();
        self.incoming.clear();
        (self.send, self.receive, self.oldest, self.ever_sent, self.peer_busy) = (0, 0, 0, 0, false);
    }

    /// Frames sent and not acknowledged.
    pub(crate) fn outstanding(&self) -> u8 {
        modulo(self.send.wrapping_sub(self.oldest))
    }

    /// Takes the N(R) of the peer; tells whether it acknowledged something new.
    pub(crate) fn acknowledge(&mut self, number: u8) -> Result<bool, InvalidNumber> {
        let frames = modulo(number.wrapping_sub(self.oldest));
        if frames > self.ever_sent {
            return Err(InvalidNumber);
        }
        if frames > self.outstanding() {
            self.send = modulo(number);
        }
        self.oldest = modulo(number);
        self.ever_sent -= frames;
        self.outgoing.confirm(usize::from(frames) * usize::from(self.parameters.information_transmit));
        Ok(frames > 0)
    }

    /// Goes back to the oldest frame that is not acknowledged.
    pub(crate) fn rewind(&mut self) {
        self.send = self.oldest;
        if self.outgoing.kind() == Some(Kind::Numbered) {
            self.outgoing.rewind();
        }
    }

    /// Gives up the message on its way out; its numbers are used again.
    pub(crate) fn abandon(&mut self) {
        self.rewind();
        self.ever_sent = 0;
        if self.outgoing.kind() == Some(Kind::Numbered) {
            self.outgoing.clear();
        }
    }

    /// Whether an I frame may go out.
    pub(crate) fn can_send(&self) -> bool {
        self.outgoing.has_unsent(Kind::Numbered) && self.outstanding() < self.window() && !self.peer_busy
    }

    /// Frames that may be outstanding.
    fn window(&self) -> u8 {
        #[cfg(feature = "defects")]
        if self.window_ignored {
            return u8::MAX;
        }
        self.parameters.window_transmit
    }

    /// The next I frame; its P/F bit is set when it is the last before the peer must speak.
    pub(crate) fn next(&mut self) -> Option<Numbered<'_>> {
        if !self.can_send() {
            return None;
        }
        let (number, window) = (self.send, self.window());
        let full = self.outstanding() + 1 >= window;
        let segment = self.outgoing.next(usize::from(self.parameters.information_transmit))?;
        self.send = modulo(number + 1);
        self.ever_sent = self.ever_sent.max(modulo(self.send.wrapping_sub(self.oldest)));
        let control = Control::Information { send: number, receive: self.receive, poll: full || !segment.more };
        Some(Numbered { segment, control })
    }

    /// Where the N(S) of a received frame stands.
    pub(crate) fn order(&self, number: u8) -> Order {
        match modulo(number.wrapping_sub(self.receive)) {
            0 => Order::Next,
            ahead if ahead < self.parameters.window_receive => Order::Gap,
            _ => Order::Duplicate,
        }
    }

    /// Takes the I frame that was expected; `true` when it ended a message.
    pub(crate) fn accept(&mut self, frame: &Frame<'_>) -> bool {
        self.receive = modulo(self.receive + 1);
        self.incoming.append(Kind::Numbered, frame.information, frame.segmented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round_and_only_what_was_sent_is_acknowledged() {
        let mut transfer = Transfer::<400>::new([0; 3], [0; 3]);
        transfer.restart(Parameters::symmetric(10, 7));
        assert!(transfer.outgoing.load(&[7; 297], Kind::Numbered));
        let mut polls = 0;
        while transfer.outgoing.kind().is_some() {
            let mut sent = 0;
            while let Some(frame) = transfer.next() {
                sent += 1;
                polls += u8::from(frame.control.poll());
            }
            assert_eq!(transfer.outstanding(), sent);
            for beyond in 1..8 - sent {
                assert_eq!(transfer.acknowledge(modulo(transfer.send + beyond)), Err(InvalidNumber));
            }
            assert_eq!(transfer.acknowledge(transfer.send), Ok(true));
        }
        assert_eq!((transfer.send, polls), (30 % 8, 5));
    }

    #[test]
    fn a_rewind_sends_what_was_not_acknowledged_again() {
        let mut transfer = Transfer::<400>::new([0; 3], [0; 3]);
        transfer.restart(Parameters::symmetric(10, 3));
        assert!(transfer.outgoing.load(&[7; 27], Kind::Numbered));
        for _ in 0..3 {
            assert!(transfer.next().is_some());
        }
        assert_eq!(transfer.acknowledge(1), Ok(true));
        transfer.rewind();
        let again = transfer.next().unwrap();
        assert_eq!(again.control, Control::Information { send: 1, receive: 0, poll: false });
        assert_eq!((again.segment.control.len(), again.segment.message.len()), (0, 10));
    }
}
