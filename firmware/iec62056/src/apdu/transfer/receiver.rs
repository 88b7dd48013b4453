use crate::apdu::{ActionResult, DataAccessResult, DataBlock};

/// Puts blocks together: the server's side of SET and ACTION, the client's side of GET and ACTION.
///
/// The buffer is the caller's; the same one goes into every call of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockReceiver {
    /// The block due and the octets so far.
    receiving: Option<(u32, usize)>,
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// Acknowledge this block, or ask for the one behind it.
    More {
        /// The block just taken.
        number: u32,
    },
    /// The first octets of the buffer are the whole.
    Complete {
        /// Octets of the whole.
        length: usize,
        /// The block just taken.
        number: u32,
    },
}

/// Why a block was not taken. The transfer is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// No first block came before.
    #[error("no transfer in blocks goes on")]
    NotInProgress,
    /// Another block was due.
    #[error("block {found} came, block {due} was due")]
    NumberInvalid {
        /// The block due.
        due: u32,
        /// The block that came.
        found: u32,
    },
    /// The whole is longer than the buffer.
    #[error("the blocks are longer than the {capacity} octets there are for them")]
    TooLong {
        /// Octets of the buffer.
        capacity: usize,
    },
}

impl ReceiveError {
    /// What a server answers to SET.
    pub const fn data_access_result(self) -> DataAccessResult {
        match self {
            Self::NotInProgress => DataAccessResult::NO_LONG_SET_IN_PROGRESS,
            Self::NumberInvalid { .. } => DataAccessResult::DATA_BLOCK_NUMBER_INVALID,
            Self::TooLong { .. } => DataAccessResult::LONG_SET_ABORTED,
        }
    }

    /// What a server answers to ACTION.
    pub const fn action_result(self) -> ActionResult {
        match self {
            Self::NotInProgress => ActionResult::NO_LONG_ACTION_IN_PROGRESS,
            Self::NumberInvalid { .. } | Self::TooLong { .. } => ActionResult::LONG_ACTION_ABORTED,
        }
    }
}

impl BlockReceiver {
    /// Nothing received.
    pub const fn new() -> Self {
        Self { receiving: None }
    }

    /// Whether blocks are due.
    pub const fn is_receiving(&self) -> bool {
        self.receiving.is_some()
    }

    /// Gives up what was being received.
    pub fn interrupt(&mut self) {
        self.receiving = None;
    }

    /// Takes the first block; what was being received before is given up.
    pub fn first(&mut self, block: &DataBlock<'_>, buffer: &mut [u8]) -> Result<Progress, ReceiveError> {
        self.receiving = Some((1, 0));
        self.next(block, buffer)
    }

    /// Takes the block that is due.
    pub fn next(&mut self, block: &DataBlock<'_>, buffer: &mut [u8]) -> Result<Progress, ReceiveError> {
        let (due, length) = self.receiving.take().ok_or(ReceiveError::NotInProgress)?;
        let number = block.number;
        if number != due {
            return Err(ReceiveError::NumberInvalid { due, found: number });
        }
        let too_long = ReceiveError::TooLong { capacity: buffer.len() };
        let end = length.checked_add(block.raw.len()).ok_or(too_long)?;
        buffer.get_mut(length..end).ok_or(too_long)?.copy_from_slice(block.raw);
        if block.last {
            return Ok(Progress::Complete { length: end, number });
        }
        self.receiving = Some((due.checked_add(1).ok_or(too_long)?, end));
        Ok(Progress::More { number })
    }
}
