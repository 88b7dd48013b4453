use crate::apdu::DataBlock;
use crate::octets::Writer;

/// Cuts one encoding into numbered blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Splitter {
    pub(super) total: usize,
    pub(super) offset: usize,
    /// The block sent last; 0 before the first.
    pub(super) number: u32,
}

impl Splitter {
    pub(super) const fn new(total: usize) -> Self {
        Self { total, offset: 0, number: 0 }
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.number > 0 && self.offset >= self.total
    }

    /// Fills `space` with the next block. `None` when the encoding changed since the last one, or there is no space.
    pub(super) fn next<'b>(&mut self, space: &'b mut [u8], produce: impl Fn(&mut Writer<'_>)) -> Option<DataBlock<'b>> {
        let length = (self.total - self.offset).min(space.len());
        if length == 0 && self.offset < self.total {
            return None;
        }
        let space = space.get_mut(..length)?;
        let mut writer = Writer::window(space, self.offset);
        produce(&mut writer);
        if writer.total() != self.total {
            return None;
        }
        self.number = self.number.checked_add(1)?;
        self.offset += length;
        Some(DataBlock { last: self.offset >= self.total, number: self.number, raw: space })
    }
}

/// The client's side of SET and ACTION in blocks: one block, one acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockUpload {
    splitter: Splitter,
    acknowledged: u32,
}

/// Why an upload cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The server acknowledged another block than the one sent.
    #[error("block {sent} was sent, block {acknowledged} was acknowledged")]
    Acknowledgement {
        /// The block sent.
        sent: u32,
        /// The block acknowledged.
        acknowledged: u32,
    },
}

impl BlockUpload {
    /// Begins to send what `produce` writes.
    pub fn new(produce: impl Fn(&mut Writer<'_>)) -> Self {
        Self { splitter: Splitter::new(Writer::measure(produce)), acknowledged: 0 }
    }

    /// The next block, as long as `space`. `None` while an acknowledgement is due, after the last block, and when the
    /// encoding changed its length.
    pub fn next<'b>(&mut self, space: &'b mut [u8], produce: impl Fn(&mut Writer<'_>)) -> Option<DataBlock<'b>> {
        let due = self.acknowledged == self.splitter.number && !self.splitter.is_finished();
        if due { self.splitter.next(space, produce) } else { None }
    }

    /// The server took a block.
    pub fn acknowledge(&mut self, number: u32) -> Result<(), UploadError> {
        if number != self.splitter.number {
            return Err(UploadError::Acknowledgement { sent: self.splitter.number, acknowledged: number });
        }
        self.acknowledged = number;
        Ok(())
    }

    /// Whether the last block was sent.
    pub const fn is_finished(&self) -> bool {
        self.splitter.is_finished()
    }
}
