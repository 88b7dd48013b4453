//! A message on its way out: fixed characters, a stretch of the text, and its end, after the reaction time.

use super::block::Block;
use super::sign_on::Request;

/// The longest pause between two characters of a message (t_a), and the longest reaction time (t_r) in ms.
pub(crate) const LONGEST_PAUSE_MS: u64 = 1500;

const HEAD: usize = Request::LONGEST;
const TAIL: usize = 5;

/// What is to be handed out, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Body,
    Tail,
    Done,
}

#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    head: [u8; HEAD],
    head_length: usize,
    /// From where to where in the text.
    body: (usize, usize),
    tail: [u8; TAIL],
    tail_length: usize,
    stage: Stage,
    not_before_ms: u64,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            head: [0; HEAD],
            head_length: 0,
            body: (0, 0),
            tail: [0; TAIL],
            tail_length: 0,
            stage: Stage::Done,
            not_before_ms: 0,
        }
    }
}

impl Outgoing {
    /// A short message without text.
    pub(crate) fn short(&mut self, characters: &[u8], not_before_ms: u64) {
        self.load(characters, (0, 0), &[], not_before_ms);
    }

    /// A block whose data stand from here to there in the text.
    pub(crate) fn block(&mut self, block: &Block<'_>, body: (usize, usize), not_before_ms: u64) {
        let (head, length) = block.head();
        self.load(head.get(..length).unwrap_or_default(), body, &block.tail(), not_before_ms);
    }

    pub(crate) fn load(&mut self, head: &[u8], body: (usize, usize), tail: &[u8], not_before_ms: u64) {
        self.head_length = head.len().min(HEAD);
        self.tail_length = tail.len().min(TAIL);
        self.head.iter_mut().zip(head).for_each(|(place, &character)| *place = character);
        self.tail.iter_mut().zip(tail).for_each(|(place, &character)| *place = character);
        self.body = body;
        self.repeat(not_before_ms);
    }

    /// Sends the same again.
    pub(crate) fn repeat(&mut self, not_before_ms: u64) {
        (self.stage, self.not_before_ms) = (Stage::Head, not_before_ms);
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.stage != Stage::Done
    }

    /// The moment from which it may be handed out.
    pub(crate) fn due(&self) -> Option<u64> {
        self.is_pending().then_some(self.not_before_ms)
    }

    /// Characters of the whole message.
    pub(crate) fn length(&self) -> usize {
        self.head_length + (self.body.1 - self.body.0) + self.tail_length
    }

    /// One character of the whole message.
    pub(crate) fn character(&self, text: &[u8], at: usize) -> Option<u8> {
        let body = text.get(self.body.0..self.body.1).unwrap_or_default();
        let (head, tail) = (self.head.get(..self.head_length)?, self.tail.get(..self.tail_length)?);
        let place = at.checked_sub(head.len());
        let found = match place {
            None => head.get(at),
            Some(place) if place < body.len() => body.get(place),
            Some(place) => tail.get(place - body.len()),
        };
        found.copied()
    }

    /// The next piece. Nothing is pending once the last one is handed out.
    pub(crate) fn next<'a>(&'a mut self, text: &'a [u8], now_ms: u64) -> Option<&'a [u8]> {
        if now_ms < self.not_before_ms {
            return None;
        }
        let piece = match self.stage {
            Stage::Head => self.head.get(..self.head_length),
            Stage::Body => text.get(self.body.0..self.body.1),
            Stage::Tail => self.tail.get(..self.tail_length),
            Stage::Done => None,
        };
        self.stage = match self.stage {
            Stage::Head if self.body.0 < self.body.1 => Stage::Body,
            Stage::Head | Stage::Body if self.tail_length > 0 => Stage::Tail,
            _ => Stage::Done,
        };
        piece
    }
}
