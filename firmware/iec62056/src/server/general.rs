//! Requests and answers in general blocks.
//!
//! A request is put together where long values are kept, and is no longer than one that comes whole. An answer is made anew for
//! each block, through a window, and protected on the way: what was protected once is never protected again otherwise.

use super::{LONGEST_APDU, LogicalDevice, RECEIVE_WINDOW, Server, encoded, exception, services};
use crate::acse::Conformance;
use crate::apdu::transfer::{DueBlock, GeneralBlockReceiver, GeneralBlockSender, GeneralProgress};
use crate::apdu::{Apdu, GeneralBlock, GetRequest, GetResponse, ServiceError, StateError};
use crate::octets::Writer;
use crate::security::{Changed, Ciphered, Envelope, Sealing, SecurityControl};

/// What comes or goes in general blocks.
#[derive(Debug)]
pub(super) struct General {
    receiver: GeneralBlockReceiver,
    wanted: Wanted,
    /// The answer of the request that is being served, where it is to be given in general blocks.
    long: Option<Whole>,
    sending: Option<Sending>,
}

/// How the request that is being served is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// In one, or in the blocks of its service.
    Otherwise,
    /// In general blocks where it is long and blocks of the service were not agreed on.
    IfLong,
    /// In general blocks, as it came.
    InKind {
        /// Blocks the client takes at once.
        window: u8,
        /// The last block of the request.
        heard: u16,
        tail: Tail,
    },
}

/// The last octets of a request: of one that was authenticated, its tag.
type Tail = [u8; 12];

/// An answer before it is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole {
    tag: u8,
    length: usize,
    /// It stands in the place for long values; else it is made again of its request.
    kept: bool,
}

/// An answer on its way.
#[derive(Debug)]
struct Sending {
    whole: Whole,
    sender: GeneralBlockSender,
    sealed: Option<Sealed>,
    /// The last block of the client.
    heard: u16,
    /// The client misses blocks that only acknowledged, and takes no piece behind them before it hears of them.
    misses: bool,
    /// Of the request, where it came in general blocks.
    tail: Option<Tail>,
}

/// How far the protection of an answer is.
#[derive(Debug)]
struct Sealed {
    /// The key is the dedicated one.
    dedicated: bool,
    /// Up to the last block that was sent for the first time.
    sent: Sealing,
    /// Up to the last block that was acknowledged.
    acknowledged: Sealing,
}

impl General {
    pub(super) const fn new() -> Self {
        Self { receiver: GeneralBlockReceiver::new(), wanted: Wanted::Otherwise, long: None, sending: None }
    }

    /// Another request comes: what was under way is given up.
    pub(super) fn interrupt(&mut self, agreed: bool) {
        let wanted = if agreed { Wanted::IfLong } else { Wanted::Otherwise };
        *self = Self { wanted, ..Self::new() };
    }

    /// Whether the request is to be answered in general blocks, however short the answer.
    pub(super) const fn is_wanted(&self) -> bool {
        matches!(self.wanted, Wanted::InKind { .. })
    }

    /// Whether an answer that is too long may be given in general blocks.
    pub(super) const fn is_possible(&self) -> bool {
        !matches!(self.wanted, Wanted::Otherwise)
    }

    /// The answer is to be given in general blocks.
    pub(super) fn answer_with(&mut self, length: usize, kept: bool) {
        self.long = Some(Whole { tag: GetResponse::TAG, length, kept });
    }

    /// Whether the answer is to be made again of its request.
    pub(super) fn needs_request(&self) -> bool {
        self.long.is_some_and(|whole| !whole.kept)
    }

    /// There is no answer after all.
    pub(super) fn forget_answer(&mut self) {
        self.long = None;
    }
}

impl Server {
    pub(super) fn take_general_block<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        apdu: &[u8],
        out: &mut [u8],
    ) -> usize {
        if !self.offers(Conformance::GENERAL_BLOCK_TRANSFER) {
            return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED, out);
        }
        let Ok(Apdu::GeneralBlock(block)) = Apdu::decode(apdu) else {
            return exception(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON, out);
        };
        // Recalled: who gives a transfer up says so with block 0.
        if block.number == 0 {
            self.general.interrupt(true);
            return 0;
        }
        if let Some(sending) = &self.general.sending {
            if !sending.is_over_with(&block) {
                return self.acknowledge_general(device, &block, out);
            }
            self.general.interrupt(true);
        }
        let idle = self.general.receiver.acknowledged() == 0;
        if idle && block.is_acknowledgement() {
            return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OPERATION_NOT_POSSIBLE, out);
        }
        // A first block that is another than the one that came begins another request.
        if idle || block.number == 1 && !self.value.starts_with(block.data) {
            self.general.interrupt(true);
            self.sender.interrupt();
            self.receiver.interrupt();
            (self.kept, self.target) = (None, None);
        }
        let progress = self.general.receiver.accept(&block, &mut self.value[..LONGEST_APDU]);
        match progress {
            Ok(GeneralProgress::Wait) => 0,
            Ok(GeneralProgress::Acknowledge) => {
                let block = self.general.receiver.acknowledgement(0, false, RECEIVE_WINDOW);
                encoded(out, |writer| block.encode(writer))
            }
            Ok(GeneralProgress::Complete { length }) => self.serve_general(device, &block, length, out),
            Err(_) => {
                self.general.interrupt(true);
                exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out)
            }
        }
    }

    /// The request is whole.
    fn serve_general<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        last: &GeneralBlock<'_>,
        length: usize,
        out: &mut [u8],
    ) -> usize {
        let mut request = [0; LONGEST_APDU];
        let request = &mut request[..length];
        request.copy_from_slice(&self.value[..length]);
        let tail = request.last_chunk().copied().unwrap_or_default();
        self.general.wanted = Wanted::InKind { window: last.window, heard: last.number, tail };
        let length = match request.first() {
            // An association is opened and released otherwise.
            Some(tag) if *tag != 0x62 => self.answer_whole(device, *tag, request, out),
            _ => exception(StateError::SERVICE_UNKNOWN, ServiceError::SERVICE_NOT_SUPPORTED, out),
        };
        self.general.receiver = GeneralBlockReceiver::new();
        length
    }

    /// The answer that is to be given in general blocks, if it is; `answer` is the one that was written.
    pub(super) fn general_answer(&mut self, answer: &[u8]) -> Option<Whole> {
        let long = self.general.long.take();
        if long.is_some() || !self.general.is_wanted() {
            return long;
        }
        self.value.get_mut(..answer.len())?.copy_from_slice(answer);
        Some(Whole { tag: *answer.first()?, length: answer.len(), kept: true })
    }

    /// Gives the first block of an answer.
    pub(super) fn begin_general<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        request: Option<(&Ciphered<'_>, SecurityControl)>,
        whole: Whole,
        out: &mut [u8],
    ) -> usize {
        let sealed = match request {
            None => None,
            Some((ciphered, control)) => {
                let (title, dedicated) = (device.system_title(), ciphered.is_dedicated());
                let Ok(counter) = self.take_counter(device, dedicated) else { return given_up(out) };
                let (Some(keys), Some(admission)) = (self.keys(dedicated), self.admission) else { return 0 };
                let control = admission.policy.response_control(control.suite(), control);
                let envelope = Envelope::answering(ciphered, &title);
                match keys.seal(&envelope, control, &title, counter, (whole.tag, whole.length)) {
                    Ok(sent) => Some(Sealed { dedicated, sent, acknowledged: sent }),
                    Err(_) => return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out),
                }
            }
        };
        let total = sealed.as_ref().map_or(whole.length, |sealed| sealed.sent.total());
        let block = usize::from(self.agreed.longest_sent).min(out.len()).saturating_sub(GeneralBlock::OVERHEAD);
        // What the client takes at once it says in its blocks; where it sent none, one.
        let (window, heard, tail) = match self.general.wanted {
            Wanted::InKind { window, heard, tail } => (window, heard, Some(tail)),
            Wanted::Otherwise | Wanted::IfLong => (1, 0, None),
        };
        let before = self.general.receiver.answers();
        let Ok(sender) = GeneralBlockSender::behind(before, total, block, window) else {
            return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out);
        };
        self.general.sending = Some(Sending { whole, sender, sealed, heard, misses: false, tail });
        self.give_general_block(device, out)
    }

    /// The block that may be sent now; none where it is the client's turn.
    pub(super) fn give_general_block<D: LogicalDevice>(&mut self, device: &D, out: &mut [u8]) -> usize {
        let Some(mut sending) = self.general.sending.take() else { return 0 };
        if core::mem::take(&mut sending.misses) {
            let (number, acknowledged) = (sending.sender.before(), sending.heard);
            let window = RECEIVE_WINDOW;
            let block = GeneralBlock { last: false, streaming: true, window, number, acknowledged, data: &[] };
            self.general.sending = Some(sending);
            return encoded(out, |writer| block.encode(writer));
        }
        let length = match sending.sender.due() {
            None => 0,
            Some(due) => match self.general_block(device, &mut sending, due, out) {
                Ok(length) => length,
                // What cannot be said any more as it was is given up.
                Err(Changed) => return given_up(out),
            },
        };
        self.general.sending = Some(sending);
        length
    }

    fn general_block<D: LogicalDevice>(
        &self,
        device: &D,
        sending: &mut Sending,
        due: DueBlock,
        out: &mut [u8],
    ) -> Result<usize, Changed> {
        if due.again {
            self.prove(device, sending, out)?;
        }
        let DueBlock { number, offset, length, last, streaming, .. } = due;
        let block =
            GeneralBlock { last, streaming, window: RECEIVE_WINDOW, number, acknowledged: sending.heard, data: &[] };
        let head = encoded(out, |writer| block.encode_head(writer, length));
        let piece = out.get_mut(head..).and_then(|out| out.get_mut(..length)).ok_or(Changed)?;
        let produce = |writer: &mut Writer<'_>| self.produce(device, sending.whole, writer);
        match &mut sending.sealed {
            Some(sealed) => {
                let keys = self.keys(sealed.dedicated).ok_or(Changed)?;
                sealed.sent.piece(keys, offset, piece, produce)?;
            }
            None => {
                let mut writer = Writer::window(piece, offset);
                produce(&mut writer);
                if writer.total() != sending.whole.length {
                    return Err(Changed);
                }
            }
        }
        Ok(head + length)
    }

    /// Makes everything again that was sent and is not acknowledged: it must be what it was, octet for octet, before any of it
    /// goes out again under the counter it went out with.
    fn prove<D: LogicalDevice>(&self, device: &D, sending: &Sending, out: &mut [u8]) -> Result<(), Changed> {
        let Some(sealed) = &sending.sealed else { return Ok(()) };
        let again = self.sealed_behind(device, sending.whole, sealed, sending.sender.unacknowledged(), out)?;
        if again == sealed.sent { Ok(()) } else { Err(Changed) }
    }

    /// How far the protection is behind these blocks, the first of which follows the last that was acknowledged.
    fn sealed_behind<D: LogicalDevice>(
        &self,
        device: &D,
        whole: Whole,
        sealed: &Sealed,
        blocks: impl Iterator<Item = (usize, usize)>,
        out: &mut [u8],
    ) -> Result<Sealing, Changed> {
        let keys = self.keys(sealed.dedicated).ok_or(Changed)?;
        let mut behind = sealed.acknowledged;
        for (offset, length) in blocks {
            let piece = out.get_mut(..length).ok_or(Changed)?;
            behind.piece(keys, offset, piece, |writer| self.produce(device, whole, writer))?;
        }
        Ok(behind)
    }

    /// Writes the whole answer.
    fn produce<D: LogicalDevice>(&self, device: &D, whole: Whole, writer: &mut Writer<'_>) {
        if whole.kept {
            writer.put(self.value.get(..whole.length).unwrap_or_default());
        } else if let Ok(Apdu::GetRequest(GetRequest::Normal { invoke, reference })) =
            Apdu::decode(&self.long_request[..self.long_length])
        {
            GetResponse::begin_normal(writer, invoke);
            services::value(device, &self.agreed, &reference, self.moment, writer);
        }
    }

    /// The client says how far the answer has come.
    fn acknowledge_general<D: LogicalDevice>(&mut self, device: &D, block: &GeneralBlock<'_>, out: &mut [u8]) -> usize {
        let Some(mut sending) = self.general.sending.take() else { return 0 };
        let before = sending.sender;
        // More of a request that was whole.
        if !block.is_acknowledgement() && block.number > sending.heard {
            return given_up(out);
        }
        let Ok(counted) = sending.sender.acknowledge(block.acknowledged, block.window) else { return given_up(out) };
        sending.heard = sending.heard.max(block.number);
        sending.misses = block.acknowledged < before.before();
        let Some(blocks) = counted else {
            self.general.sending = Some(sending);
            return 0;
        };
        if let Some(sealed) = &mut sending.sealed {
            if before.unacknowledged().count() == usize::from(blocks) {
                sealed.acknowledged = sealed.sent;
            } else {
                let acknowledged = before.unacknowledged().take(blocks.into());
                match self.sealed_behind(device, sending.whole, sealed, acknowledged, out) {
                    Ok(behind) => sealed.acknowledged = behind,
                    Err(Changed) => return given_up(out),
                }
            }
        }
        self.general.sending = Some(sending);
        self.give_general_block(device, out)
    }
}

/// The transfer is over before its end.
fn given_up(out: &mut [u8]) -> usize {
    exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OTHER_REASON, out)
}

impl Sending {
    /// Whether this block begins another request, and is no answer to this one, nor the request of this one once more.
    fn is_over_with(&self, block: &GeneralBlock<'_>) -> bool {
        let repeated = self.sealed.is_some() && block.last && self.tail.is_some_and(|tail| block.data.ends_with(&tail));
        block.number == 1 && !block.is_acknowledgement() && !repeated
    }
}
