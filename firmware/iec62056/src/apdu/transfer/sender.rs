use super::splitter::Splitter;
use crate::apdu::{ActionOutcome, ActionResponse, ActionResult, DataAccessResult, GetResponse, InvokeIdAndPriority};
use crate::octets::{EncodeError, Writer};

/// Which response is sent, and what its content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// GET.response of one attribute; the content is the value.
    Get,
    /// GET.response with list; the content is the list, its count included.
    GetWithList,
    /// ACTION.response of one method; the content is result, presence flag and what was returned. What the blocks of
    /// an ACTION carry is recalled, and sources differ.
    Action,
}

impl Answer {
    /// Octets of a block's APDU besides the length of the piece and the piece.
    const fn block_head(self) -> usize {
        match self {
            Self::Get | Self::GetWithList => 9,
            Self::Action => 8,
        }
    }

    pub(crate) fn put_undivided_head(self, writer: &mut Writer<'_>, invoke: InvokeIdAndPriority) {
        match self {
            Self::Get => GetResponse::begin_normal(writer, invoke),
            Self::GetWithList => writer.put_array(&[GetResponse::TAG, 3, invoke.0]),
            Self::Action => writer.put_array(&[ActionResponse::TAG, 1, invoke.0]),
        }
    }
}

/// The server's side of an answer in blocks.
///
/// `out` of every call is as long as the longest APDU the client takes, less what ciphering adds; every call returns the
/// number of octets to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockSender {
    state: State,
    /// The last block is left out.
    #[cfg(feature = "defects")]
    truncates: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Idle,
    Sending(Answer, Splitter),
    /// Another request came in between.
    Aborted,
}

impl BlockSender {
    /// Nothing to send.
    pub const fn new() -> Self {
        Self {
            state: State::Idle,
            #[cfg(feature = "defects")]
            truncates: false,
        }
    }

    /// Leaves the last block of every answer out.
    #[cfg(feature = "defects")]
    pub(crate) fn truncate(&mut self, truncates: bool) {
        self.truncates = truncates;
    }

    /// Whether the client is to ask for more.
    pub const fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending(..))
    }

    /// Another request came: what was being sent is given up, and the client will hear so if it asks for more.
    pub fn interrupt(&mut self) {
        if self.is_sending() {
            self.state = State::Aborted;
        }
    }

    /// Answers in one APDU where that fits, else with the first block.
    pub fn start(
        &mut self,
        answer: Answer,
        invoke: InvokeIdAndPriority,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<usize, EncodeError> {
        self.state = State::Idle;
        let mut writer = Writer::new(out);
        answer.put_undivided_head(&mut writer, invoke);
        let head = writer.total();
        produce(&mut writer);
        let total = writer.total().saturating_sub(head);
        writer.finish().or_else(|_| self.block(answer, invoke, Splitter::new(total), out, produce))
    }

    /// Answers a request for the next block. `produce` must write what it wrote before.
    pub fn next(
        &mut self,
        asked: Answer,
        invoke: InvokeIdAndPriority,
        number: u32,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<usize, EncodeError> {
        match core::mem::take(&mut self.state) {
            State::Sending(answer, splitter) if splitter.number == number && same_service(answer, asked) => {
                self.block(answer, invoke, splitter, out, produce)
            }
            State::Sending(..) => refuse(asked, invoke, number, DataAccessResult::DATA_BLOCK_NUMBER_INVALID, out),
            State::Aborted => refuse(asked, invoke, number, DataAccessResult::LONG_GET_ABORTED, out),
            State::Idle => refuse(asked, invoke, number, DataAccessResult::NO_LONG_GET_IN_PROGRESS, out),
        }
    }

    fn block(
        &mut self,
        answer: Answer,
        invoke: InvokeIdAndPriority,
        mut splitter: Splitter,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<usize, EncodeError> {
        let capacity = out.len();
        let full = EncodeError::Full { needed: answer.block_head() + 2, capacity };
        let room = capacity.checked_sub(answer.block_head() + 1).filter(|room| *room > 0).ok_or(full)?;
        // The length of the piece takes octets of its own.
        let room = room.saturating_sub(match room.min(splitter.total - splitter.offset) {
            ..0x80 => 0,
            0x80..=0x100 => 1,
            0x101..=0x1_0001 => 2,
            _ => 4,
        });
        let length = room.min(splitter.total - splitter.offset);
        let head = answer.block_head() + Writer::measure(|writer| writer.length(length));
        let space = out.get_mut(head..).and_then(|out| out.get_mut(..length)).ok_or(full)?;
        let Some(block) = splitter.next(space, produce) else {
            return refuse(answer, invoke, splitter.number, DataAccessResult::DATA_BLOCK_UNAVAILABLE, out);
        };
        let (last, number) = (block.last, block.number);
        #[cfg(feature = "defects")]
        let last = last || (self.truncates && splitter.total - splitter.offset <= length);
        let mut writer = Writer::new(out);
        match answer {
            Answer::Get | Answer::GetWithList => {
                writer.put_array(&[GetResponse::TAG, 2, invoke.0, u8::from(last)]);
                writer.u32(number);
                writer.u8(0);
            }
            Answer::Action => {
                writer.put_array(&[ActionResponse::TAG, 2, invoke.0, u8::from(last)]);
                writer.u32(number);
            }
        }
        writer.length(length);
        self.state = if last { State::Idle } else { State::Sending(answer, splitter) };
        writer.finish().map(|head| head + length)
    }
}

const fn same_service(one: Answer, other: Answer) -> bool {
    matches!(one, Answer::Action) == matches!(other, Answer::Action)
}

/// The answer that ends a transfer, under the number that was asked for.
fn refuse(
    answer: Answer,
    invoke: InvokeIdAndPriority,
    number: u32,
    result: DataAccessResult,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let mut writer = Writer::new(out);
    match answer {
        Answer::Get | Answer::GetWithList => {
            GetResponse::WithDataBlock { invoke, last: true, number, result: Err(result) }.encode(&mut writer);
        }
        Answer::Action => {
            let result = match result {
                DataAccessResult::NO_LONG_GET_IN_PROGRESS => ActionResult::NO_LONG_ACTION_IN_PROGRESS,
                DataAccessResult::DATA_BLOCK_UNAVAILABLE => ActionResult::DATA_BLOCK_UNAVAILABLE,
                _ => ActionResult::LONG_ACTION_ABORTED,
            };
            ActionResponse::Normal { invoke, outcome: ActionOutcome::from(result) }.encode(&mut writer);
        }
    }
    writer.finish()
}
