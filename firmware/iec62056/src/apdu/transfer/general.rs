use crate::apdu::GeneralBlock;
use crate::octets::Writer;

/// The widest window six bits can say.
pub const MAXIMUM_WINDOW: u8 = 63;

/// Why a general block transfer cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GeneralBlockError {
    /// The APDU takes more blocks than there are numbers, or a block has no room.
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
}

/// Sends an APDU in general blocks: as many at once as the other side's window allows, again from the first it misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralBlockSender {
    total: usize,
    block: usize,
    blocks: u16,
    sent: u16,
    acknowledged: u16,
    window: u8,
}

impl GeneralBlockSender {
    /// An APDU of `total` octets in blocks of `block` octets, to a side with this window.
    pub fn new(total: usize, block: usize, window: u8) -> Result<Self, GeneralBlockError> {
        let uncuttable = GeneralBlockError::Uncuttable { total, block };
        let blocks =
            total.max(1).checked_div(block).map(|full| full + usize::from(!total.max(1).is_multiple_of(block)));
        let blocks = blocks.and_then(|blocks| u16::try_from(blocks).ok()).ok_or(uncuttable)?;
        Ok(Self { total, block, blocks, sent: 0, acknowledged: 0, window: window.clamp(1, MAXIMUM_WINDOW) })
    }

    /// The next block that may be sent now, with this side's own window and acknowledgement. `None` while an
    /// acknowledgement is due, and when all is sent.
    pub fn next<'b>(
        &mut self,
        own_window: u8,
        own_acknowledged: u16,
        space: &'b mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<Option<GeneralBlock<'b>>, GeneralBlockError> {
        if self.sent >= self.blocks || self.sent - self.acknowledged >= u16::from(self.window) {
            return Ok(None);
        }
        let offset = usize::from(self.sent) * self.block;
        let length = (self.total - offset).min(self.block);
        let capacity = space.len();
        let space = space.get_mut(..length).ok_or(GeneralBlockError::TooLong { capacity })?;
        let mut writer = Writer::window(space, offset);
        produce(&mut writer);
        if writer.total() != self.total {
            return Err(GeneralBlockError::Changed);
        }
        self.sent += 1;
        let last = self.sent == self.blocks;
        let window_full = self.sent - self.acknowledged >= u16::from(self.window);
        Ok(Some(GeneralBlock {
            last,
            streaming: !last && !window_full,
            window: own_window.min(MAXIMUM_WINDOW),
            number: self.sent,
            acknowledged: own_acknowledged,
            data: space,
        }))
    }

    /// The other side took all blocks up to this one and has this window now. What it misses is sent again.
    pub fn acknowledge(&mut self, number: u16, window: u8) -> Result<(), GeneralBlockError> {
        if number > self.sent || number < self.acknowledged {
            return Err(GeneralBlockError::Acknowledgement { sent: self.sent, acknowledged: number });
        }
        self.acknowledged = number;
        self.sent = number;
        self.window = window.clamp(1, MAXIMUM_WINDOW);
        Ok(())
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

    /// Takes a block when it is the one due; blocks behind a gap and blocks that came before are dropped.
    pub fn accept(
        &mut self,
        block: &GeneralBlock<'_>,
        buffer: &mut [u8],
    ) -> Result<GeneralProgress, GeneralBlockError> {
        if Some(block.number) == self.taken.checked_add(1) {
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

    /// A block without data that says what was taken. The flags of it are recalled.
    pub fn acknowledgement(&mut self, own_window: u8) -> GeneralBlock<'static> {
        self.answers = self.answers.saturating_add(1);
        GeneralBlock {
            last: false,
            streaming: false,
            window: own_window.min(MAXIMUM_WINDOW),
            number: self.answers,
            acknowledged: self.taken,
            data: &[],
        }
    }
}
