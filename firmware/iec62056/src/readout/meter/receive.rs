//! What the meter does with a character, a line, a block.

use super::super::baud::{Baud, Format, Line};
use super::super::block::{ACKNOWLEDGE, Block, REFUSE};
use super::super::collector::Collected;
use super::super::reply::LONGEST_PAUSE_MS;
use super::super::sign_on::{Identification, Mode, OptionSelect, Request};
use super::{Meter, State, Then, Want};

impl<const N: usize> Meter<'_, N> {
    /// Takes characters from the line up to the end of one message; returns how many. Call it again with the rest after
    /// [`Self::poll`] is drained. What comes while the meter itself has something to say is not heard.
    #[must_use = "characters that were not taken must be given again"]
    pub fn receive(&mut self, characters: &[u8], now_ms: u64) -> usize {
        self.tick(now_ms);
        if now_ms.saturating_sub(self.last_character_ms) > LONGEST_PAUSE_MS {
            self.collector.clear();
        }
        if !characters.is_empty() {
            self.last_character_ms = now_ms;
        }
        for (at, &character) in characters.iter().enumerate() {
            if self.outgoing.is_pending()
                || matches!(self.state, State::Preparing | State::Replying { .. } | State::Hdlc)
            {
                return characters.len();
            }
            let selecting = matches!(self.state, State::Identified(_));
            if let Some(collected) = self.collector.push(character, selecting) {
                self.take(collected, now_ms);
                self.collector.clear();
                return at + 1;
            }
        }
        // Within a message, and within the programming mode, every character keeps the meter waiting.
        let longer = match self.state {
            State::Identified(until) => Some((LONGEST_PAUSE_MS, until, State::Identified as fn(u64) -> State)),
            State::Sent(until) => Some((LONGEST_PAUSE_MS, until, State::Sent as fn(u64) -> State)),
            State::Programming(until) => {
                Some((u64::from(self.settings.inactivity_ms), until, State::Programming as fn(u64) -> State))
            }
            _ => None,
        };
        if let Some((pause, until, state)) = longer
            && !self.collector.is_empty()
            && !characters.is_empty()
        {
            self.state = state(until.max(now_ms.saturating_add(pause)));
        }
        characters.len()
    }

    fn take(&mut self, collected: Collected, now_ms: u64) {
        self.reply_at_ms = now_ms.saturating_add(self.identification().reaction_ms());
        let first = self.collector.characters().first().copied();
        match (self.state, collected) {
            (State::Identified(_), Collected::Line) if first == Some(ACKNOWLEDGE) => {
                let selected = OptionSelect::decode(self.collector.characters());
                self.select(selected.ok(), now_ms);
            }
            (State::Idle | State::Identified(_), Collected::Line) => self.take_request(),
            (State::Sent(_), Collected::Line) if self.line == Line::INITIAL => self.take_request(),
            (State::Sent(_), Collected::Single) if first == Some(REFUSE) => {
                self.outgoing.repeat(self.reply_at_ms);
                self.then = Then::AwaitRepetition;
            }
            (State::Sent(_), Collected::Single) => self.finish(),
            (State::Programming(_), Collected::Single) => match (first, self.partial) {
                (Some(REFUSE), _) if self.outgoing.length() > 0 => {
                    self.outgoing.repeat(self.reply_at_ms);
                    self.then = Then::Program;
                }
                (Some(ACKNOWLEDGE), Some(_)) => self.send_block(self.reply_at_ms),
                _ => {}
            },
            (State::Programming(_), Collected::Block | Collected::TooLong) => self.take_block(collected),
            _ => {}
        }
    }

    fn take_request(&mut self) {
        let Ok(request) = Request::decode(self.collector.characters()) else { return };
        if !request.means(self.settings.address) {
            return;
        }
        let mut line = [0; Identification::LONGEST];
        let Ok(length) = self.identification().encode(&mut line) else { return };
        self.outgoing.short(line.get(..length).unwrap_or_default(), self.reply_at_ms);
        self.state = State::Idle;
        self.then = match self.settings.mode {
            Mode::A | Mode::B(_) => Then::Readout,
            Mode::C(_) | Mode::E(_) => Then::AwaitOption,
        };
    }

    /// Does what the tester selected; what it cannot have, or said unclearly, becomes a readout at 300 Bd.
    fn select(&mut self, selected: Option<OptionSelect>, now_ms: u64) {
        let (highest, hdlc) = match self.settings.mode {
            Mode::C(baud) => (baud, false),
            Mode::E(baud) => (baud, true),
            Mode::A | Mode::B(_) => (Baud::B300, false),
        };
        let rate = |select: &OptionSelect| Baud::from_digit(select.rate).filter(|&baud| baud <= highest);
        let selected = selected.and_then(|select| Some((select, rate(&select)?)));
        match selected {
            Some((OptionSelect { protocol: b'0', option: list @ (b'0' | b'6'..=b'9'), .. }, baud)) => {
                self.begin_readout(baud, list, now_ms);
            }
            Some((OptionSelect { protocol: b'0', option: b'1', .. }, baud)) if self.settings.programming.is_some() => {
                self.set(Line { baud, format: Format::SevenEven });
                let operand = self.settings.programming.unwrap_or_default();
                if self.keep(operand).is_ok() {
                    let block = Block::command(b'P', b'0', operand);
                    self.outgoing.block(&block, (0, operand.len()), self.reply_at_ms);
                }
                self.then = Then::Program;
            }
            Some((select @ OptionSelect { protocol: b'2', option: b'2', .. }, baud)) if hdlc => {
                // The selection comes back at the initial rate, then both ends change over.
                self.outgoing.short(&select.encode(), self.reply_at_ms);
                self.then = Then::Hdlc(Line { baud, format: Format::EightNone });
            }
            _ => self.begin_readout(Baud::B300, b'0', now_ms),
        }
    }

    fn set(&mut self, line: Line) {
        self.switch = (self.line != line).then_some(line);
    }

    pub(super) fn begin_readout(&mut self, baud: Baud, list: u8, now_ms: u64) {
        self.set(Line { baud, format: Format::SevenEven });
        self.reply_at_ms = now_ms.saturating_add(self.identification().reaction_ms());
        (self.state, self.want) = (State::Preparing, Some(Want::Readout(list)));
    }

    fn take_block(&mut self, collected: Collected) {
        let block = Block::decode(self.collector.characters()).ok().filter(|_| collected == Collected::Block);
        self.partial = None;
        let Some(block) = block else {
            return self.say(REFUSE);
        };
        let command = match (block.command, self.assembling) {
            (Some((b'B', _)), _) => {
                self.finish();
                self.want = Some(Want::SignedOff);
                return;
            }
            // A partial block that goes on may repeat the command or leave it out.
            (Some(command), before) => {
                if before != Some(command) {
                    self.text_length = 0;
                }
                command
            }
            (None, Some(command)) => command,
            (None, None) => return self.say(REFUSE),
        };
        if self.assembling.is_none() {
            self.text_length = 0;
        }
        let data = block.data.unwrap_or_default();
        let Some(place) = self.text.get_mut(self.text_length..self.text_length + data.len()) else {
            self.assembling = None;
            return self.say(REFUSE);
        };
        place.copy_from_slice(data);
        self.text_length += data.len();
        if block.more {
            self.assembling = Some(command);
            return self.say(ACKNOWLEDGE);
        }
        self.assembling = None;
        let (letter, digit) = command;
        self.state = State::Replying { partial: letter == b'R' && matches!(digit, b'3' | b'4') };
        self.want = Some(Want::Command(letter, digit));
    }

    fn say(&mut self, character: u8) {
        self.outgoing.short(&[character], self.reply_at_ms);
        self.then = Then::Program;
    }
}
