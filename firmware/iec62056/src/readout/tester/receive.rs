//! What the tester does with a character, a line, a block; and with its own echo.

use super::super::baud::{Baud, Format, Line};
use super::super::collector::Collected;
use super::super::sign_on::Mode;
use super::block::{ACKNOWLEDGE, REFUSE};
use super::{Block, Goal, Identification, LONGEST_PAUSE_MS, Notice, OptionSelect, State, Tester, TesterFailure};

impl<const N: usize> Tester<'_, N> {
    /// Takes characters from the line up to the end of one message; returns how many. Call it again with the rest after
    /// [`Self::poll`] is drained.
    #[must_use = "characters that were not taken must be given again"]
    pub fn receive(&mut self, characters: &[u8], now_ms: u64) -> usize {
        self.tick(now_ms);
        if matches!(self.state, State::Hdlc) {
            return characters.len();
        }
        for (at, &character) in characters.iter().enumerate() {
            if self.take_character(character & 0x7F, now_ms) {
                return at + 1;
            }
        }
        characters.len()
    }

    /// Takes one character, or leaves it out as an echo. Whether something became whole.
    fn take_character(&mut self, character: u8, now_ms: u64) -> bool {
        let Some(matched) = self.echo else { return self.collect(character, now_ms) };
        if self.outgoing.character(&self.text, matched).map(|sent| sent & 0x7F) == Some(character) {
            self.echo = Some(matched + 1);
            self.until_ms = self.until_ms.max(now_ms.saturating_add(u64::from(self.settings.response_ms)));
            if matched + 1 == self.outgoing.length() {
                (self.echo, self.head_echoes) = (None, Some(true));
            }
            return false;
        }
        // It only looked like an echo: what was held back is the beginning of an answer.
        self.echo = None;
        self.head_echoes.get_or_insert(false);
        let mut whole = false;
        for held in 0..matched {
            let held = self.outgoing.character(&self.text, held).unwrap_or_default();
            whole |= self.collect(held & 0x7F, now_ms);
        }
        self.collect(character, now_ms) || whole
    }

    fn collect(&mut self, character: u8, now_ms: u64) -> bool {
        if matches!(self.state, State::Idle | State::Ready | State::Hdlc) || self.outgoing.is_pending() {
            return false;
        }
        if self.collected {
            self.collector.clear();
            self.collected = false;
        }
        let collected = self.collector.push(character, matches!(self.state, State::Confirming(_)));
        if !self.collector.is_empty() {
            self.until_ms = self.until_ms.max(now_ms.saturating_add(LONGEST_PAUSE_MS));
        }
        let Some(collected) = collected else { return false };
        self.collected = true;
        self.take(collected, now_ms);
        true
    }

    fn take(&mut self, collected: Collected, now_ms: u64) {
        let too_long = TesterFailure::TooLong { room: N };
        match (self.state, collected) {
            (State::Requested, Collected::Line) => self.take_identification(now_ms),
            (State::Confirming(baud), Collected::Line) if self.collector.characters() == self.selection => {
                self.hand_over(baud, true);
            }
            // It begins a readout: it did not understand, or does not offer HDLC.
            (State::Confirming(_), Collected::Block | Collected::TooLong) => self.fail(TesterFailure::NotOffered),
            (_, Collected::TooLong) => self.fail(too_long),
            (State::Replying, Collected::Single) => self.take_single(now_ms),
            (State::Reading | State::AwaitingOperand | State::Replying, Collected::Block) => self.take_block(now_ms),
            _ => {}
        }
    }

    fn take_identification(&mut self, now_ms: u64) {
        // A line that is none may be a damaged echo: the answer may still come.
        let Ok(identification) = Identification::decode(self.collector.characters()) else { return };
        self.head_echoes.get_or_insert(false);
        self.echo = None;
        self.reaction_ms = identification.reaction_ms();
        self.identified = true;
        let reading = matches!(self.settings.goal, Goal::Readout { .. });
        match identification.mode() {
            Some(Mode::A) if reading => self.await_data(now_ms),
            Some(Mode::B(baud)) if reading => {
                self.await_data(now_ms);
                self.change_over(baud, State::Reading);
            }
            Some(Mode::E(baud)) => self.select(baud, now_ms),
            Some(Mode::C(baud)) if self.settings.goal != Goal::Hdlc => self.select(baud, now_ms),
            _ => self.fail(TesterFailure::NotOffered),
        }
    }

    fn await_data(&mut self, now_ms: u64) {
        self.state = State::Reading;
        self.until_ms = now_ms.saturating_add(u64::from(self.settings.response_ms));
    }

    fn select(&mut self, offered: Baud, now_ms: u64) {
        let baud = offered.min(self.settings.baud);
        let (protocol, option) = match self.settings.goal {
            Goal::Readout { list } => (b'0', list),
            Goal::Programming => (b'0', b'1'),
            Goal::Hdlc => (b'2', b'2'),
        };
        self.selection = OptionSelect { protocol, rate: baud.digit(), option }.encode();
        self.outgoing.short(&self.selection, now_ms.saturating_add(self.reaction_ms));
        // The identification is still to be told: it stays in the collector.
        self.settled = false;
        self.echo = (self.head_echoes != Some(false)).then_some(0);
        self.state = State::Selecting(baud);
    }

    pub(super) fn change_over(&mut self, baud: Baud, state: State) {
        let line = Line { baud, format: Format::SevenEven };
        (self.switch, self.state) = ((line != self.line).then_some(line), state);
    }

    pub(super) fn hand_over(&mut self, baud: Baud, confirmed: bool) {
        self.change_over(baud, State::Hdlc);
        self.switch = Some(Line { baud, format: Format::EightNone });
        self.notice = Some(Notice::Hdlc(confirmed));
    }

    fn take_block(&mut self, now_ms: u64) {
        let block = match Block::decode(self.collector.characters()) {
            Ok(block) => block,
            Err(_) if self.tries < self.settings.retries => {
                self.tries += 1;
                self.outgoing.short(&[REFUSE], now_ms.saturating_add(self.reaction_ms));
                return self.sending();
            }
            Err(error) => return self.fail(TesterFailure::Damaged(error)),
        };
        let (command, data, more) = (block.command, block.data.is_some(), block.more);
        self.tries = 0;
        match (self.state, command) {
            (State::Reading, None) if data => {
                self.end();
                self.notice = Some(Notice::Data);
            }
            (State::AwaitingOperand, Some((b'P', b'0'))) => {
                (self.state, self.notice) = (State::Ready, Some(Notice::Operand));
            }
            (State::Replying | State::AwaitingOperand, Some((b'B', _))) => {
                self.end();
                self.notice = Some(Notice::SignedOff);
            }
            (State::Replying, None) => {
                self.notice = Some(Notice::Answer(more));
                if more {
                    self.outgoing.short(&[ACKNOWLEDGE], now_ms.saturating_add(self.reaction_ms));
                    // The answer is still to be told: it stays in the collector.
                    self.settled = false;
                    self.echo = (self.head_echoes != Some(false)).then_some(0);
                } else {
                    self.state = State::Ready;
                }
            }
            _ => self.fail(TesterFailure::Protocol),
        }
    }

    fn take_single(&mut self, now_ms: u64) {
        if self.collector.characters() == [ACKNOWLEDGE] {
            (self.state, self.notice) = (State::Ready, Some(Notice::Acknowledged));
        } else if self.tries < self.settings.retries {
            self.tries += 1;
            self.outgoing.repeat(now_ms.saturating_add(self.reaction_ms));
            self.sending();
        } else {
            (self.state, self.notice) = (State::Ready, Some(Notice::Refused));
        }
    }
}
