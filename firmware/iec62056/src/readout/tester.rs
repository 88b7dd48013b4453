//! The tester's side of the optical head: modes A, B, C and E (IEC 62056-21).

mod receive;

use super::baud::{Baud, Line};
use super::block::Block;
use super::collector::Collector;
use super::reply::{LONGEST_PAUSE_MS, Outgoing};
use super::sign_on::{Identification, OptionSelect, Request};
use super::{ReadoutError, block};

/// What the tester is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The data of a list: `0` is the standard one, `6` to `9` are the manufacturer's.
    Readout {
        /// The option to select.
        list: u8,
    },
    /// The programming mode.
    Programming,
    /// HDLC over the optical head: mode E.
    Hdlc,
}

/// Whom a tester asks, and with how much patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TesterSettings<'a> {
    /// The device address, at most 32 characters; empty for whoever hears it.
    pub address: &'a [u8],
    /// What it is after.
    pub goal: Goal,
    /// The highest rate it can do.
    pub baud: Baud,
    /// How long the first character of a response may take after the last of the request has left, in ms: 1500 and what
    /// the line adds.
    pub response_ms: u32,
    /// How often a damaged block is asked for again, and a refused command sent again.
    pub retries: u8,
}

/// What the shell around the tester must do, and what it learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TesterAction<'a> {
    /// Send these characters.
    Transmit(&'a [u8]),
    /// Set the line, once everything handed out before has left.
    Switch(Line),
    /// Who answered.
    Identified(Identification<'a>),
    /// The data of a readout, without what stands around them. The conversation is over.
    Data(&'a [u8]),
    /// The programming mode is entered; the meter asks for the password with this operand.
    Operand(&'a [u8]),
    /// ACK to a command.
    Acknowledged,
    /// NAK to a command, and to all its repetitions.
    Refused,
    /// Data in reply to a command. With `more` a partial block, and the next one comes by itself.
    Answer {
        /// What stands between STX and its end.
        data: &'a [u8],
        /// Whether more follows.
        more: bool,
    },
    /// The meter, or the tester itself, ended the programming mode.
    SignedOff,
    /// The line now carries HDLC; `confirmed` when the meter repeated the selection as it should.
    Hdlc {
        /// Whether the meter repeated the selection.
        confirmed: bool,
    },
    /// The conversation ended without its goal. Before the next one the line must be silent for 1500 ms.
    Failed(TesterFailure),
}

/// Why a conversation ended without its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TesterFailure {
    /// Silence.
    #[error("the meter did not respond")]
    NoResponse,
    /// The meter does not offer what the tester is after.
    #[error("the meter does not offer what was asked for")]
    NotOffered,
    /// A block was damaged, and so were all its repetitions.
    #[error("the block is damaged: {0}")]
    Damaged(ReadoutError),
    /// A message was longer than the place for it.
    #[error("the message has more than {room} characters")]
    TooLong {
        /// Characters there is room for.
        room: usize,
    },
    /// Something that has no place here.
    #[error("the meter broke the protocol")]
    Protocol,
}

/// Why a command cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The programming mode is not entered, or a command is under way.
    #[error("no command can be sent now")]
    NotReady,
    /// Longer than the place for it.
    #[error("the command has more than {room} characters")]
    TooLong {
        /// Characters there is room for.
        room: usize,
    },
    /// A character that would be taken for the end of the command, or for none at all.
    #[error("character {offset} cannot stand in data")]
    Character {
        /// Where it stands.
        offset: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// The request is out.
    Requested,
    /// The selection goes out.
    Selecting(Baud),
    /// The selection of HDLC is out, the meter shall repeat it.
    Confirming(Baud),
    Reading,
    AwaitingOperand,
    /// Programming mode, no command under way.
    Ready,
    Replying,
    SigningOff,
    Hdlc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    Data,
    Operand,
    Acknowledged,
    Refused,
    Answer(bool),
    SignedOff,
    Hdlc(bool),
    Failed(TesterFailure),
}

/// A tester: messages of up to `N` characters each way.
#[derive(Debug, Clone)]
pub struct Tester<'a, const N: usize> {
    settings: TesterSettings<'a>,
    state: State,
    line: Line,
    switch: Option<Line>,
    collector: Collector<N>,
    /// What stands in the collector was told, or is about to be.
    collected: bool,
    text: [u8; N],
    outgoing: Outgoing,
    /// Whether what was sent has been settled: the state after it is entered.
    settled: bool,
    selection: [u8; 6],
    reaction_ms: u64,
    until_ms: u64,
    tries: u8,
    /// How much of what was sent came back so far.
    echo: Option<usize>,
    /// Whether the head sends everything back. Learned from the request, which no meter repeats.
    head_echoes: Option<bool>,
    identified: bool,
    notice: Option<Notice>,
}

impl<'a, const N: usize> Tester<'a, N> {
    /// A tester that waits for [`Self::start`]. The error says what is wrong with the address.
    pub fn new(settings: TesterSettings<'a>) -> Result<Self, ReadoutError> {
        let mut request = [0; Request::LONGEST];
        let length = Request { address: settings.address }.encode(&mut request)?;
        Request::decode(request.get(..length).unwrap_or_default())?;
        Ok(Self {
            settings,
            state: State::Idle,
            line: Line::INITIAL,
            switch: None,
            collector: Collector::default(),
            collected: false,
            text: [0; N],
            outgoing: Outgoing::default(),
            settled: true,
            selection: [0; 6],
            reaction_ms: 0,
            until_ms: 0,
            tries: 0,
            echo: None,
            head_echoes: None,
            identified: false,
            notice: None,
        })
    }

    /// Begins a conversation, whatever was before.
    pub fn start(&mut self, now_ms: u64) {
        let mut request = [0; Request::LONGEST];
        let length = Request { address: self.settings.address }.encode(&mut request).unwrap_or(0);
        self.end();
        (self.identified, self.notice, self.head_echoes, self.state) = (false, None, None, State::Requested);
        self.outgoing.short(request.get(..length).unwrap_or_default(), now_ms);
        self.sending();
    }

    /// Sends a command of the programming mode.
    pub fn command(&mut self, letter: u8, digit: u8, data: &[u8], now_ms: u64) -> Result<(), CommandError> {
        if self.state != State::Ready || self.notice.is_some() {
            return Err(CommandError::NotReady);
        }
        if let Some(offset) = block::no_text(data) {
            return Err(CommandError::Character { offset });
        }
        let place = self.text.get_mut(..data.len()).ok_or(CommandError::TooLong { room: N })?;
        place.copy_from_slice(data);
        let at = now_ms.saturating_add(self.reaction_ms);
        self.outgoing.block(&Block::command(letter, digit, data), (0, data.len()), at);
        (self.state, self.tries) = (State::Replying, 0);
        self.sending();
        Ok(())
    }

    /// Ends the programming mode with B0.
    pub fn sign_off(&mut self, now_ms: u64) -> Result<(), CommandError> {
        if self.state != State::Ready {
            return Err(CommandError::NotReady);
        }
        self.outgoing.block(&Block::BREAK, (0, 0), now_ms.saturating_add(self.reaction_ms));
        self.state = State::SigningOff;
        self.sending();
        Ok(())
    }

    /// What must be done, one after the other, until nothing is left.
    pub fn poll(&mut self, now_ms: u64) -> Option<TesterAction<'_>> {
        self.settle(now_ms);
        if let Some(line) = self.switch.take() {
            self.line = line;
            return Some(TesterAction::Switch(line));
        }
        if core::mem::take(&mut self.identified)
            && let Ok(identification) = Identification::decode(self.collector.characters())
        {
            return Some(TesterAction::Identified(identification));
        }
        if let Some(notice) = self.notice.take() {
            return Some(self.tell(notice));
        }
        self.outgoing.next(&self.text, now_ms).map(TesterAction::Transmit)
    }

    fn tell(&self, notice: Notice) -> TesterAction<'_> {
        let characters = self.collector.characters();
        let data = || Block::decode(characters).ok().and_then(|block| block.data).unwrap_or_default();
        match notice {
            Notice::Data => {
                let data = data();
                TesterAction::Data(data.strip_suffix(b"!\r\n").unwrap_or(data))
            }
            Notice::Operand => TesterAction::Operand(data()),
            Notice::Acknowledged => TesterAction::Acknowledged,
            Notice::Refused => TesterAction::Refused,
            Notice::Answer(more) => TesterAction::Answer { data: data(), more },
            Notice::SignedOff => TesterAction::SignedOff,
            Notice::Hdlc(confirmed) => TesterAction::Hdlc { confirmed },
            Notice::Failed(why) => TesterAction::Failed(why),
        }
    }

    /// The moment at which [`Self::poll`] or [`Self::tick`] has something to do, if nothing comes before it.
    pub fn deadline(&self) -> Option<u64> {
        self.outgoing.due().or(match self.state {
            State::Idle | State::Ready | State::Selecting(_) | State::SigningOff | State::Hdlc => None,
            State::Requested | State::Confirming(_) | State::Reading | State::AwaitingOperand | State::Replying => {
                Some(self.until_ms)
            }
        })
    }

    /// Lets time pass: a response that does not come is not waited for.
    pub fn tick(&mut self, now_ms: u64) {
        self.settle(now_ms);
        if self.outgoing.is_pending() || self.deadline().is_none_or(|at| now_ms < at) {
            return;
        }
        match self.state {
            // Not every meter repeats the selection: whether it changed over will show.
            State::Confirming(baud) => self.hand_over(baud, false),
            _ => self.fail(TesterFailure::NoResponse),
        }
    }

    /// Whether the head sends everything back; unknown before the first answer.
    pub fn head_echoes(&self) -> Option<bool> {
        self.head_echoes
    }

    fn sending(&mut self) {
        self.settled = false;
        self.echo = (self.head_echoes != Some(false)).then_some(0);
        self.collector.clear();
        self.collected = false;
    }

    /// Does what is to be done when everything is handed out.
    fn settle(&mut self, now_ms: u64) {
        if self.outgoing.is_pending() || self.settled {
            return;
        }
        self.settled = true;
        let left = now_ms.saturating_add(self.line.baud.duration_ms(self.outgoing.length()));
        // The echo of slow characters takes as long as they do.
        self.until_ms = left.saturating_add(u64::from(self.settings.response_ms));
        match self.state {
            State::Selecting(baud) => match self.settings.goal {
                Goal::Hdlc => self.state = State::Confirming(baud),
                Goal::Readout { .. } => self.change_over(baud, State::Reading),
                Goal::Programming => self.change_over(baud, State::AwaitingOperand),
            },
            State::SigningOff => {
                self.end();
                self.notice = Some(Notice::SignedOff);
            }
            _ => {}
        }
    }

    fn end(&mut self) {
        (self.state, self.tries, self.echo) = (State::Idle, 0, None);
        self.outgoing = Outgoing::default();
        self.settled = true;
        self.switch = (self.line != Line::INITIAL).then_some(Line::INITIAL);
    }

    fn fail(&mut self, why: TesterFailure) {
        self.end();
        self.notice = Some(Notice::Failed(why));
    }
}
