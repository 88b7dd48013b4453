//! General block transfer: any APDU, also a protected one, in numbered blocks, several at once where the other side lets them.
//!
//! Each side numbers the blocks it sends from 1 on through the whole exchange, blocks without a piece included, and says in
//! each how far the other's blocks have arrived without a gap. How those are numbered that only acknowledge, and their flags,
//! is recalled.

use crate::apdu::GeneralBlock;
use crate::octets::Writer;

/// The widest window six bits can say.
pub const MAXIMUM_WINDOW: u8 = 63;

/// Why a general block transfer cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GeneralBlockError {
    /// The APDU is none, or takes more blocks than there are numbers, or a block has no room.
    #[error("an APDU of {total} octets cannot be cut into blocks of {block}")]
    Uncuttable {
        /// Octets of the APDU.
        total: usize,
        /// Octets of a block.
        block: usize,
    },
    /// A block was acknowledged that was not sent.
    #[error("block {acknowledged} was acknowledged, {sent} were sent")]
    Acknowledgement {
        /// Blocks sent.
        sent: u16,
        /// The block acknowledged.
        acknowledged: u16,
    },
    /// The whole is longer than the buffer.
    #[error("the blocks are longer than the {capacity} octets there are for them")]
    TooLong {
        /// Octets of the buffer.
        capacity: usize,
    },
    /// The encoding changed its length while it was sent.
    #[error("what is sent changed while it was sent")]
    Changed,
    /// An answer before the request was whole, or nothing new again and again.
    #[error("the other side does not keep to the order of blocks")]
    Order,
    /// Block 0: the other side gives up.
    #[error("the other side gave the transfer up")]
    Aborted,
}

/// A block that may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueBlock {
    /// Its number.
    pub number: u16,
    /// Its place in the APDU.
    pub offset: usize,
    /// Its octets.
    pub length: usize,
    /// Whether it is the last.
    pub last: bool,
    /// Whether another may follow at once.
    pub streaming: bool,
    /// Whether it was sent before.
    pub again: bool,
}

/// Sends an APDU in general blocks: as many at once as the other side's window allows, again from the first it misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralBlockSender {
    total: usize,
    block: usize,
    blocks: u16,
    /// Blocks of this side that only acknowledged, before the first of these.
    before: u16,
    sent: u16,
    /// The last block that was ever sent: after a step back it may still be acknowledged.
    highest: u16,
    acknowledged: u16,
    window: u8,
}

impl GeneralBlockSender {
    /// An APDU of `total` octets in blocks of `block` octets, to a side with this window.
    pub fn new(total: usize, block: usize, window: u8) -> Result<Self, GeneralBlockError> {
        Self::behind(0, total, block, window)
    }

    /// The same after so many blocks that only acknowledged.
    pub fn behind(before: u16, total: usize, block: usize, window: u8) -> Result<Self, GeneralBlockError> {
        let uncuttable = GeneralBlockError::Uncuttable { total, block };
        // An APDU has a tag at least: a block without a piece is none of it.
        let blocks = total.checked_div(block).map(|full| full + usize::from(!total.is_multiple_of(block)));
        let blocks = blocks.and_then(|blocks| u16::try_from(blocks).ok()).filter(|blocks| *blocks > 0);
        let blocks = blocks.filter(|blocks| before.checked_add(*blocks).is_some()).ok_or(uncuttable)?;
        let window = window.clamp(1, MAXIMUM_WINDOW);
        Ok(Self { total, block, blocks, before, sent: 0, highest: 0, acknowledged: 0, window })
    }

    /// Octets of the APDU.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// Blocks of this side that only acknowledged, before the first of these.
    pub const fn before(&self) -> u16 {
        self.before
    }

    /// The number of the last block: what this side sends behind it begins at the next.
    pub const fn last_number(&self) -> u16 {
        self.before + self.blocks
    }

    /// The next block that may be sent now; it is taken for sent. `None` while an acknowledgement is due, and when all is sent.
    pub fn due(&mut self) -> Option<DueBlock> {
        let outstanding = self.sent - self.acknowledged;
        if self.sent >= self.blocks || outstanding >= u16::from(self.window) {
            return None;
        }
        let again = self.sent < self.highest;
        let (offset, length) = self.place(self.sent);
        self.sent += 1;
        self.highest = self.highest.max(self.sent);
        let last = self.sent == self.blocks;
        let streaming = !last && outstanding + 1 < u16::from(self.window);
        Some(DueBlock { number: self.before + self.sent, offset, length, last, streaming, again })
    }

    /// Place and octets of the block behind so many.
    fn place(&self, before: u16) -> (usize, usize) {
        let offset = usize::from(before) * self.block;
        (offset, self.total.saturating_sub(offset).min(self.block))
    }

    /// Place and octets of every block that was ever sent and is not acknowledged.
    pub fn unacknowledged(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let sender = *self;
        (self.acknowledged..self.highest).map(move |before| sender.place(before))
    }

    /// The next block, with this side's own window and acknowledgement; as [`Self::due`].
    pub fn next<'b>(
        &mut self,
        own_window: u8,
        own_acknowledged: u16,
        space: &'b mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<Option<GeneralBlock<'b>>, GeneralBlockError> {
        let Some(DueBlock { number, offset, length, last, streaming, .. }) = self.due() else { return Ok(None) };
        let capacity = space.len();
        let space = space.get_mut(..length).ok_or(GeneralBlockError::TooLong { capacity })?;
        let mut writer = Writer::window(space, offset);
        produce(&mut writer);
        if writer.total() != self.total {
            return Err(GeneralBlockError::Changed);
        }
        let window = own_window.min(MAXIMUM_WINDOW);
        Ok(Some(GeneralBlock { last, streaming, window, number, acknowledged: own_acknowledged, data: space }))
    }

    /// The other side took all blocks up to this one and has this window now. What it misses is sent again. Tells how many
    /// blocks are acknowledged by it. `None`: it says less than was said before; such a word was under way for long, or is
    /// doubled, and changes nothing.
    pub fn acknowledge(&mut self, number: u16, window: u8) -> Result<Option<u16>, GeneralBlockError> {
        let blocks = number.saturating_sub(self.before);
        if blocks > self.highest {
            return Err(GeneralBlockError::Acknowledgement { sent: self.before + self.highest, acknowledged: number });
        }
        let Some(new) = blocks.checked_sub(self.acknowledged) else { return Ok(None) };
        (self.acknowledged, self.sent) = (blocks, blocks);
        self.window = window.clamp(1, MAXIMUM_WINDOW);
        Ok(Some(new))
    }

    /// Nothing came: what is not acknowledged is sent again.
    pub fn rewind(&mut self) {
        self.sent = self.acknowledged;
    }

    /// Whether every block was sent once.
    pub const fn is_sent(&self) -> bool {
        self.highest == self.blocks
    }

    /// Whether every block was acknowledged.
    pub const fn is_finished(&self) -> bool {
        self.acknowledged == self.blocks
    }
}

/// Puts general blocks together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GeneralBlockReceiver {
    length: usize,
    /// The last block taken without a gap.
    taken: u16,
    /// Acknowledgements sent.
    answers: u16,
}

/// What a general block means for the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum GeneralProgress {
    /// More blocks follow unasked.
    Wait,
    /// Send an [`acknowledgement`](GeneralBlockReceiver::acknowledgement).
    Acknowledge,
    /// The first octets of the buffer are the APDU.
    Complete {
        /// Octets of the APDU.
        length: usize,
    },
}

impl GeneralBlockReceiver {
    /// Nothing received.
    pub const fn new() -> Self {
        Self { length: 0, taken: 0, answers: 0 }
    }

    /// The last block taken without a gap.
    pub const fn acknowledged(&self) -> u16 {
        self.taken
    }

    /// Octets taken.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Acknowledgements sent.
    pub const fn answers(&self) -> u16 {
        self.answers
    }

    /// Takes a block when it is the one due; blocks behind a gap and blocks that came before are dropped.
    pub fn accept(
        &mut self,
        block: &GeneralBlock<'_>,
        buffer: &mut [u8],
    ) -> Result<GeneralProgress, GeneralBlockError> {
        if block.is_acknowledgement() {
            // Before the first piece a lost block that only acknowledged is no gap.
            if self.length == 0 {
                self.taken = self.taken.max(block.number);
            }
        } else if Some(block.number) == self.taken.checked_add(1) {
            let too_long = GeneralBlockError::TooLong { capacity: buffer.len() };
            let end = self.length.checked_add(block.data.len()).ok_or(too_long)?;
            buffer.get_mut(self.length..end).ok_or(too_long)?.copy_from_slice(block.data);
            (self.length, self.taken) = (end, block.number);
            if block.last {
                return Ok(GeneralProgress::Complete { length: end });
            }
        }
        Ok(if block.streaming { GeneralProgress::Wait } else { GeneralProgress::Acknowledge })
    }

    /// A block without a piece that says what was taken. `before` are the blocks this side has sent with one, and `last` says
    /// whether it has nothing more to send.
    pub fn acknowledgement(&mut self, before: u16, last: bool, own_window: u8) -> GeneralBlock<'static> {
        self.answers = self.answers.saturating_add(1);
        GeneralBlock {
            last,
            streaming: false,
            window: own_window.min(MAXIMUM_WINDOW),
            number: before.saturating_add(self.answers),
            acknowledged: self.taken,
            data: &[],
        }
    }
}
