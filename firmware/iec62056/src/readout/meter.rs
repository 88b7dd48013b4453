//! The meter's side of the optical head: modes A, C and E (IEC 62056-21).

mod receive;

use super::ReadoutError;
use super::baud::Line;
use super::block::{ACKNOWLEDGE, Block, ETX, REFUSE, STX, block_check, no_text};
use super::collector::Collector;
use super::reply::{LONGEST_PAUSE_MS, Outgoing};
use super::sign_on::{Identification, Mode};

/// What a meter says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterSettings<'a> {
    /// FLAG identification; a small third letter promises, and gives, a reaction within 20 ms.
    pub manufacturer: [u8; 3],
    /// The identification proper, at most 16 characters.
    pub text: &'a [u8],
    /// The device address.
    pub address: &'a [u8],
    /// A, C or E; the rate is the highest one offered. B is treated as A.
    pub mode: Mode,
    /// Whether the programming mode can be selected, and the operand with which it asks for the password.
    pub programming: Option<&'a [u8]>,
    /// Characters of a partial block; longer answers to R3 and R4 are cut.
    pub partial_block: usize,
    /// Silence after which the programming mode ends, in ms.
    pub inactivity_ms: u32,
}

/// What the shell around the meter must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterAction<'a> {
    /// Send these characters.
    Transmit(&'a [u8]),
    /// Set the line, once everything handed out before has left.
    Switch(Line),
    /// The line now carries HDLC. When that has ended, call [`Meter::restart`].
    Hdlc,
    /// Give the data of this list with [`Meter::readout`]: `0` is the standard one, `6` to `9` are the manufacturer's.
    Readout {
        /// The option the tester selected.
        list: u8,
    },
    /// A command of the programming mode. Reply with [`Meter::acknowledge`], [`Meter::refuse`], [`Meter::answer`] or
    /// [`Meter::break_off`].
    Command {
        /// P, R, W or E.
        letter: u8,
        /// Its digit.
        digit: u8,
        /// Its data, put together from partial blocks.
        data: &'a [u8],
    },
    /// The programming mode ended: by the tester, by silence or by the meter itself.
    SignedOff,
}

/// Why a reply cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Nobody waits for one.
    #[error("nobody waits for a reply")]
    NotExpected,
    /// Longer than the place for it.
    #[error("the reply has more than {room} characters")]
    TooLong {
        /// Characters there is room for.
        room: usize,
    },
    /// A character that would be taken for the end of the message, or for none at all.
    #[error("character {offset} cannot stand in data")]
    Character {
        /// Where it stands.
        offset: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// The identification is out, the tester may select until this moment.
    Identified(u64),
    /// The upper layer prepares the data.
    Preparing,
    /// The data are out; they can be asked for again until this moment.
    Sent(u64),
    /// The programming mode, until this moment of silence.
    Programming(u64),
    /// The upper layer prepares the reply to a command.
    Replying {
        /// Whether the answer may be cut into partial blocks.
        partial: bool,
    },
    Hdlc,
}

/// What happens when everything is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    AwaitOption,
    Readout,
    AwaitRepetition,
    Program,
    Hdlc(Line),
    /// The programming mode ends.
    SignOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Readout(u8),
    Command(u8, u8),
    Hdlc,
    SignedOff,
}

/// A meter: messages of up to `N` characters each way.
#[derive(Debug, Clone)]
pub struct Meter<'a, const N: usize> {
    settings: MeterSettings<'a>,
    state: State,
    line: Line,
    switch: Option<Line>,
    collector: Collector<N>,
    last_character_ms: u64,
    /// The data of a command, or of what answers it.
    text: [u8; N],
    text_length: usize,
    /// A command of which partial blocks came and more are to come.
    assembling: Option<(u8, u8)>,
    /// From where in the text the next partial block goes out.
    partial: Option<usize>,
    outgoing: Outgoing,
    reply_at_ms: u64,
    then: Then,
    want: Option<Want>,
}

impl<'a, const N: usize> Meter<'a, N> {
    /// A meter at 300 Bd that waits for a request. The error says what is wrong with its identification.
    pub fn new(settings: MeterSettings<'a>) -> Result<Self, ReadoutError> {
        let meter = Self {
            settings,
            state: State::Idle,
            line: Line::INITIAL,
            switch: None,
            collector: Collector::default(),
            last_character_ms: 0,
            text: [0; N],
            text_length: 0,
            assembling: None,
            partial: None,
            outgoing: Outgoing::default(),
            reply_at_ms: 0,
            then: Then::Nothing,
            want: None,
        };
        let mut line = [0; Identification::LONGEST];
        let length = meter.identification().encode(&mut line)?;
        Identification::decode(line.get(..length).unwrap_or_default())?;
        Ok(meter)
    }

    /// What the meter says when it is asked who it is.
    pub fn identification(&self) -> Identification<'a> {
        let MeterSettings { manufacturer, text, mode, .. } = self.settings;
        let (rate, enhanced) = match mode {
            Mode::A | Mode::B(_) => (b'@', None),
            Mode::C(baud) => (baud.digit(), None),
            Mode::E(baud) => (baud.digit(), Some(b'2')),
        };
        Identification { manufacturer, rate, enhanced, text }
    }

    /// What must be done, one after the other, until nothing is left.
    pub fn poll(&mut self, now_ms: u64) -> Option<MeterAction<'_>> {
        self.settle(now_ms);
        if let Some(line) = self.switch.take() {
            self.line = line;
            return Some(MeterAction::Switch(line));
        }
        if self.outgoing.is_pending() {
            return self.outgoing.next(&self.text, now_ms).map(MeterAction::Transmit);
        }
        Some(match self.want.take()? {
            Want::Readout(list) => MeterAction::Readout { list },
            Want::Hdlc => MeterAction::Hdlc,
            Want::SignedOff => MeterAction::SignedOff,
            Want::Command(letter, digit) => {
                MeterAction::Command { letter, digit, data: self.text.get(..self.text_length).unwrap_or_default() }
            }
        })
    }

    /// Gives the data of a readout: data sets in lines, without what stands around them.
    pub fn readout(&mut self, data: &[u8]) -> Result<(), ReplyError> {
        if self.state != State::Preparing {
            return Err(ReplyError::NotExpected);
        }
        self.keep(data)?;
        let end = [b'!', b'\r', b'\n', ETX];
        let tail = [end[0], end[1], end[2], end[3], block_check(data) ^ block_check(&end)];
        self.outgoing.load(&[STX], (0, data.len()), &tail, self.reply_at_ms);
        self.then = Then::AwaitRepetition;
        Ok(())
    }

    /// Replies ACK to a command.
    pub fn acknowledge(&mut self) -> Result<(), ReplyError> {
        self.reply(|meter| meter.outgoing.short(&[ACKNOWLEDGE], meter.reply_at_ms))
    }

    /// Replies NAK to a command.
    pub fn refuse(&mut self) -> Result<(), ReplyError> {
        self.reply(|meter| meter.outgoing.short(&[REFUSE], meter.reply_at_ms))
    }

    /// Replies with data, an error message such as `(ER01)` among them. Answers to R3 and R4 go out in partial blocks.
    pub fn answer(&mut self, data: &[u8]) -> Result<(), ReplyError> {
        let State::Replying { partial } = self.state else { return Err(ReplyError::NotExpected) };
        self.keep(data)?;
        self.partial = (partial && data.len() > self.settings.partial_block).then_some(0);
        self.reply(|meter| meter.send_block(meter.reply_at_ms))
    }

    /// Ends the programming mode: the password was wrong.
    pub fn break_off(&mut self) -> Result<(), ReplyError> {
        self.reply(|meter| {
            meter.outgoing.block(&Block::BREAK, (0, 0), meter.reply_at_ms);
            meter.then = Then::SignOff;
        })
    }

    /// Starts anew at 300 Bd, after HDLC or whenever the shell wants.
    pub fn restart(&mut self) {
        self.outgoing = Outgoing::default();
        (self.then, self.want) = (Then::Nothing, None);
        self.finish();
    }

    /// The moment at which [`Self::poll`] or [`Self::tick`] has something to do, if nothing comes before it.
    pub fn deadline(&self) -> Option<u64> {
        self.outgoing.due().or(match self.state {
            State::Identified(until) | State::Sent(until) | State::Programming(until) => Some(until),
            State::Idle | State::Preparing | State::Replying { .. } | State::Hdlc => None,
        })
    }

    /// Lets time pass: what the tester did not do in time is not waited for.
    pub fn tick(&mut self, now_ms: u64) {
        self.settle(now_ms);
        if self.outgoing.is_pending() {
            return;
        }
        match self.state {
            State::Identified(until) if now_ms >= until => self.begin_readout(Line::INITIAL.baud, b'0', now_ms),
            State::Sent(until) if now_ms >= until => self.finish(),
            State::Programming(until) if now_ms >= until => {
                self.finish();
                self.want = Some(Want::SignedOff);
            }
            _ => {}
        }
    }

    fn keep(&mut self, data: &[u8]) -> Result<(), ReplyError> {
        if let Some(offset) = no_text(data) {
            return Err(ReplyError::Character { offset });
        }
        let place = self.text.get_mut(..data.len()).ok_or(ReplyError::TooLong { room: N })?;
        place.copy_from_slice(data);
        self.text_length = data.len();
        Ok(())
    }

    fn reply(&mut self, load: impl FnOnce(&mut Self)) -> Result<(), ReplyError> {
        if !matches!(self.state, State::Replying { .. }) {
            return Err(ReplyError::NotExpected);
        }
        self.then = Then::Program;
        load(self);
        Ok(())
    }

    /// Sends the text, or its next partial block.
    fn send_block(&mut self, not_before_ms: u64) {
        let from = self.partial.unwrap_or(0).min(self.text_length);
        let longest = self.partial.map_or(self.text_length, |_| self.settings.partial_block.max(1));
        let to = self.text_length.min(from + longest);
        let more = to < self.text_length;
        let block = Block { more, ..Block::data(self.text.get(from..to).unwrap_or_default()) };
        self.outgoing.block(&block, (from, to), not_before_ms);
        self.partial = more.then_some(to);
        self.then = Then::Program;
    }

    /// Does what was to be done when everything is handed out.
    fn settle(&mut self, now_ms: u64) {
        if self.outgoing.is_pending() || self.switch.is_some() {
            return;
        }
        let left = now_ms.saturating_add(self.line.baud.duration_ms(self.outgoing.length()));
        match core::mem::replace(&mut self.then, Then::Nothing) {
            Then::Nothing => {}
            Then::AwaitOption => self.state = State::Identified(left.saturating_add(LONGEST_PAUSE_MS)),
            Then::Readout => self.begin_readout(Line::INITIAL.baud, b'0', left),
            Then::AwaitRepetition => self.state = State::Sent(left.saturating_add(LONGEST_PAUSE_MS)),
            Then::Program => {
                self.state = State::Programming(left.saturating_add(u64::from(self.settings.inactivity_ms)));
            }
            Then::Hdlc(line) => {
                (self.switch, self.state, self.want) = (Some(line), State::Hdlc, Some(Want::Hdlc));
            }
            Then::SignOff => {
                self.finish();
                self.want = Some(Want::SignedOff);
            }
        }
    }

    fn finish(&mut self) {
        (self.state, self.assembling, self.partial) = (State::Idle, None, None);
        self.collector.clear();
        self.switch = (self.line != Line::INITIAL).then_some(Line::INITIAL);
    }
}
