use super::general::{GeneralBlockError, GeneralBlockReceiver, GeneralBlockSender, GeneralProgress, MAXIMUM_WINDOW};
use crate::apdu::GeneralBlock;

/// Blocks in a row that bring nothing new before an exchange is given up.
const PATIENCE: u8 = 100;

/// The client's side of one request and its answer in general blocks.
///
/// [`next`](Self::next) is sent until it has nothing more; what comes goes into [`accept`](Self::accept), until the answer is
/// whole. When nothing comes, [`ask_again`](Self::ask_again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralExchange {
    sender: GeneralBlockSender,
    receiver: GeneralBlockReceiver,
    window: u8,
    /// The server waits for a word.
    due: bool,
    fruitless: u8,
}

impl GeneralExchange {
    /// A request of so many octets in blocks of `block`; the client takes `window` blocks before it answers.
    pub fn new(request: usize, block: usize, window: u8) -> Result<Self, GeneralBlockError> {
        // How much the server takes at once it has still to say.
        let sender = GeneralBlockSender::new(request, block, 1)?;
        let window = window.clamp(1, MAXIMUM_WINDOW);
        Ok(Self { sender, receiver: GeneralBlockReceiver::new(), window, due: false, fruitless: 0 })
    }

    /// The next block to send; `None` while it is the server's turn.
    pub fn next<'b>(
        &mut self,
        request: &[u8],
        space: &'b mut [u8],
    ) -> Result<Option<GeneralBlock<'b>>, GeneralBlockError> {
        let next = self.sender.next(self.window, self.receiver.acknowledged(), space, |writer| writer.put(request))?;
        let due = core::mem::take(&mut self.due) && next.is_none() && self.sender.is_finished();
        let acknowledge = || self.receiver.acknowledgement(self.sender.last_number(), true, self.window);
        Ok(next.or_else(|| due.then(acknowledge)))
    }

    /// Takes a block of the server. The octets of the answer once it is whole: the first of `buffer`.
    pub fn accept(&mut self, block: &GeneralBlock<'_>, buffer: &mut [u8]) -> Result<Option<usize>, GeneralBlockError> {
        if block.number == 0 {
            return Err(GeneralBlockError::Aborted);
        }
        // Beyond the request stand the numbers of blocks that only acknowledged.
        let last = self.sender.last_number();
        let sent = last.saturating_add(self.receiver.answers());
        if block.acknowledged > sent {
            return Err(GeneralBlockError::Acknowledgement { sent, acknowledged: block.acknowledged });
        }
        let before = (self.sender, self.receiver);
        self.sender.acknowledge(block.acknowledged.min(last), block.window)?;
        if !block.is_acknowledgement() && !self.sender.is_finished() {
            return Err(GeneralBlockError::Order);
        }
        let progress = self.receiver.accept(block, buffer)?;
        self.fruitless = if before == (self.sender, self.receiver) { self.fruitless + 1 } else { 0 };
        if self.fruitless > PATIENCE {
            return Err(GeneralBlockError::Order);
        }
        match progress {
            GeneralProgress::Wait => Ok(None),
            GeneralProgress::Acknowledge => {
                self.due = true;
                Ok(None)
            }
            GeneralProgress::Complete { length } => Ok(Some(length)),
        }
    }

    /// Nothing came: the request goes out again from the first block that is missing, or the server is asked again for the first
    /// block that is.
    pub fn ask_again(&mut self) {
        self.sender.rewind();
        self.due = true;
    }

    /// Octets of the answer that came so far.
    pub const fn length(&self) -> usize {
        self.receiver.length()
    }

    /// Whether the whole request has gone out.
    pub const fn is_sent(&self) -> bool {
        self.sender.is_sent()
    }
}
