//! GET, SET and ACTION.

use super::{LONGEST_APDU, LONGEST_REQUEST, LogicalDevice, Server, State, Target, encoded, exception};
use crate::acse::Conformance;
use crate::apdu::transfer::{Answer, Progress, ReceiveError};
use crate::apdu::{
    ActionOutcome, ActionRequest, ActionResponse, ActionResult, Apdu, AttributeReference, DataAccessResult, DataBlock,
    ExceptionResponse, GetRequest, GetResponse, InvokeIdAndPriority, Item, List, MethodDescriptor, ServiceError,
    SetRequest, SetResponse, StateError,
};
use crate::data::{Data, EncodedData};
use crate::obis::Obis;
use crate::octets::{EncodeError, Reader, Writer};
use crate::security::AUTHENTICATION_LENGTH;

/// Class of the association.
const ASSOCIATION: u16 = 15;
/// Its method that answers a challenge.
const REPLY: i8 = 1;
/// Most attributes or methods in one request.
const MOST_REFERENCES: usize = 64;
/// Octets of a response with a list before its results.
const LIST_HEAD: usize = 4;

impl Server {
    /// A request that came plain.
    pub(super) fn serve_plain<D: LogicalDevice>(&mut self, device: &mut D, apdu: &[u8], out: &mut [u8]) -> usize {
        let length = self.serve(device, apdu, out);
        if out.first() == Some(&ExceptionResponse::TAG) && length > 0 {
            return length;
        }
        match self.general_answer(&out[..length]) {
            Some(whole) => self.begin_general(device, None, whole, out),
            None => length,
        }
    }

    /// Carries out a plain request; what it may not do the device says.
    pub(super) fn serve<D: LogicalDevice>(&mut self, device: &mut D, apdu: &[u8], out: &mut [u8]) -> usize {
        // In general blocks the whole may be longer than one APDU.
        let longest = if self.general.is_wanted() { LONGEST_APDU } else { self.agreed.longest_sent.into() };
        let longest = longest.min(out.len());
        let out = &mut out[..longest];
        let Ok(request) = Apdu::decode(apdu) else {
            return exception(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON, out);
        };
        let open = matches!(self.state, State::Open);
        let confirmed = match &request {
            Apdu::GetRequest(request) => request.invoke().is_confirmed(),
            Apdu::SetRequest(request) => request.invoke().is_confirmed(),
            Apdu::ActionRequest(request) => request.invoke().is_confirmed(),
            _ => true,
        };
        let length = match request {
            Apdu::GetRequest(request) if open && self.offers_get(&request) => self.get(device, &request, apdu, out),
            Apdu::SetRequest(request) if open && self.offers_set(&request) => self.set(device, &request, out),
            Apdu::ActionRequest(request) if open && self.offers_action(&request) => self.act(device, &request, out),
            Apdu::ActionRequest(request) if matches!(self.state, State::Challenged(..)) => {
                self.act(device, &request, out)
            }
            Apdu::SetRequest(_) | Apdu::ActionRequest(_) if open => {
                device.notice(self.agreed.client, super::Notice::NotOffered);
                exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED, out)
            }
            _ if open => exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED, out),
            _ => exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OPERATION_NOT_POSSIBLE, out),
        };
        // Who asks for no answer gets none.
        if !confirmed {
            self.general.forget_answer();
            return 0;
        }
        length
    }

    pub(super) fn offers(&self, wanted: Conformance) -> bool {
        self.agreed.conformance.contains(wanted)
    }

    fn offers_get(&self, request: &GetRequest<'_>) -> bool {
        let (wanted, in_part) = match request {
            GetRequest::Normal { reference, .. } => (Conformance::GET, reference.access.is_some()),
            GetRequest::Next { .. } => (Conformance::BLOCK_TRANSFER_WITH_GET, false),
            GetRequest::WithList { references, .. } => {
                (Conformance::MULTIPLE_REFERENCES, references.iter().any(|reference| reference.access.is_some()))
            }
        };
        self.offers(wanted.union(Conformance::GET)) && (!in_part || self.offers(Conformance::SELECTIVE_ACCESS))
    }

    fn offers_set(&self, request: &SetRequest<'_>) -> bool {
        self.offers(match request {
            SetRequest::Normal { .. } => Conformance::SET,
            SetRequest::WithList { .. } => Conformance::SET.union(Conformance::MULTIPLE_REFERENCES),
            _ => Conformance::SET.union(Conformance::BLOCK_TRANSFER_WITH_SET),
        })
    }

    fn offers_action(&self, request: &ActionRequest<'_>) -> bool {
        self.offers(match request {
            ActionRequest::Normal { .. } => Conformance::ACTION,
            ActionRequest::WithList { .. } => Conformance::ACTION.union(Conformance::MULTIPLE_REFERENCES),
            _ => Conformance::ACTION.union(Conformance::BLOCK_TRANSFER_WITH_ACTION),
        })
    }

    fn get<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        request: &GetRequest<'_>,
        apdu: &[u8],
        out: &mut [u8],
    ) -> usize {
        let (invoke, agreed) = (request.invoke(), self.agreed);
        if !matches!(request, GetRequest::Next { .. }) {
            self.receiver.interrupt();
            self.sender.interrupt();
            self.kept = None;
            self.moment = device.moment();
            // What may be asked for in blocks must be kept.
            self.long_length = if apdu.len() <= LONGEST_REQUEST { apdu.len() } else { 0 };
            self.long_request[..self.long_length].copy_from_slice(&apdu[..self.long_length]);
        }
        let (device, moment) = (&*device, self.moment);
        #[cfg(feature = "defects")]
        self.sender.truncate(device.truncates_blocks());
        let kept = if let GetRequest::Next { .. } = request { self.kept } else { None };
        if let Some(length) = kept {
            let GetRequest::Next { number, .. } = request else { return 0 };
            let value = &self.value;
            let done = self.sender.next(Answer::Get, invoke, *number, out, |writer| writer.put(&value[..length]));
            return done.unwrap_or(0);
        }
        let done = match request {
            GetRequest::Normal { reference, .. } => {
                if let Err(result) =
                    device.get(&agreed, reference.attribute, reference.access, moment, &mut Writer::new(&mut []))
                {
                    return failed(invoke, result, out);
                }
                self.start(Answer::Get, invoke, out, |writer| value(device, &agreed, reference, moment, writer))
            }
            GetRequest::WithList { references, .. } => {
                if references.len() > MOST_REFERENCES {
                    return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out);
                }
                let produce = |writer: &mut Writer<'_>| values(device, &agreed, references, moment, writer);
                // A list of values of this moment that cannot be kept would be torn.
                if Writer::measure(produce) + LIST_HEAD > self.value.len() {
                    return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out);
                }
                self.start(Answer::GetWithList, invoke, out, produce)
            }
            // What is too long to be kept is made again, as it was when the answer began.
            GetRequest::Next { number, .. } => match Apdu::decode(&self.long_request[..self.long_length]) {
                Ok(Apdu::GetRequest(GetRequest::Normal { reference, .. })) => {
                    let produce = |writer: &mut Writer<'_>| value(device, &agreed, &reference, moment, writer);
                    self.sender.next(Answer::Get, invoke, *number, out, produce)
                }
                _ => self.sender.next(Answer::Get, invoke, *number, out, |_| ()),
            },
        };
        // A request that cannot be kept cannot be answered in blocks.
        if (self.sender.is_sending() || self.general.needs_request()) && self.long_length == 0 {
            self.sender.interrupt();
            self.general.forget_answer();
            return failed(invoke, DataAccessResult::LONG_GET_ABORTED, out);
        }
        done.unwrap_or_else(|_| exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out))
    }

    /// Answers at once, or with the first block of an answer that is kept as it is now.
    fn start(
        &mut self,
        answer: Answer,
        invoke: InvokeIdAndPriority,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<usize, EncodeError> {
        let divided = self.offers(Conformance::BLOCK_TRANSFER_WITH_GET);
        if self.general.is_wanted() || (self.general.is_possible() && !divided) {
            return self.start_general(answer, invoke, out, produce);
        }
        let mut writer = Writer::new(&mut self.value);
        produce(&mut writer);
        self.kept = writer.finish().ok();
        let (value, sender) = (&self.value, &mut self.sender);
        match self.kept {
            Some(length) => sender.start(answer, invoke, out, |writer| writer.put(&value[..length])),
            None => sender.start(answer, invoke, out, produce),
        }
    }

    /// Answers at once where that is wanted and fits, else in general blocks.
    fn start_general(
        &mut self,
        answer: Answer,
        invoke: InvokeIdAndPriority,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<usize, EncodeError> {
        let mut writer = Writer::new(&mut self.value);
        answer.put_undivided_head(&mut writer, invoke);
        produce(&mut writer);
        let length = writer.total();
        let kept = writer.finish().is_ok();
        match (out.get_mut(..length), self.value.get(..length)) {
            (Some(out), Some(value)) if !self.general.is_wanted() => {
                out.copy_from_slice(value);
                Ok(length)
            }
            _ => {
                self.general.answer_with(length, kept);
                Ok(0)
            }
        }
    }

    fn set<D: LogicalDevice>(&mut self, device: &mut D, request: &SetRequest<'_>, out: &mut [u8]) -> usize {
        let (invoke, agreed) = (request.invoke(), self.agreed);
        self.sender.interrupt();
        self.kept = None;
        let write = |device: &mut D, reference: AttributeReference<'_>, value| match reference.access {
            // No attribute of a device is written in part.
            Some(_) => DataAccessResult::SCOPE_OF_ACCESS_VIOLATED,
            None => device.set(&agreed, reference.attribute, value),
        };
        match request {
            SetRequest::Normal { reference, value, .. } => {
                let response = SetResponse::Normal { invoke, result: write(device, *reference, *value) };
                encoded(out, |writer| response.encode(writer))
            }
            SetRequest::WithList { references, values, .. } => {
                if references.len() != values.len() {
                    return exception(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON, out);
                }
                // Nothing is done whose result could not be told.
                if references.len() > MOST_REFERENCES || out.len() < LIST_HEAD + references.len() {
                    return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out);
                }
                let mut writer = Writer::new(out);
                writer.put_array(&[SetResponse::TAG, 5, invoke.0]);
                writer.length(references.len());
                for (reference, value) in references.iter().zip(values.iter()) {
                    write(device, reference, value).encode(&mut writer);
                }
                writer.finish().unwrap_or(0)
            }
            SetRequest::WithFirstDataBlock { reference, block, .. } => {
                self.target = reference.access.is_none().then_some(Target::Attribute(reference.attribute));
                self.receiver.interrupt();
                self.take_set_block(device, invoke, block, true, out)
            }
            SetRequest::WithDataBlock { block, .. } => self.take_set_block(device, invoke, block, false, out),
            SetRequest::WithListAndFirstDataBlock { block, .. } => {
                let response = SetResponse::LastDataBlock {
                    invoke,
                    result: DataAccessResult::LONG_SET_ABORTED,
                    number: block.number,
                };
                encoded(out, |writer| response.encode(writer))
            }
        }
    }

    fn take_block(&mut self, block: &DataBlock<'_>, first: bool) -> Result<Progress, ReceiveError> {
        if first { self.receiver.first(block, &mut self.value) } else { self.receiver.next(block, &mut self.value) }
    }

    fn take_set_block<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        invoke: InvokeIdAndPriority,
        block: &DataBlock<'_>,
        first: bool,
        out: &mut [u8],
    ) -> usize {
        let progress = self.take_block(block, first);
        let response = match (progress, self.target) {
            (Ok(Progress::More { number }), Some(Target::Attribute(_))) => SetResponse::DataBlock { invoke, number },
            (Ok(Progress::Complete { length, number }), Some(Target::Attribute(attribute))) => {
                let result = match EncodedData::new(&self.value[..length]) {
                    Ok(value) => device.set(&self.agreed, attribute, value),
                    Err(_) => DataAccessResult::TYPE_UNMATCHED,
                };
                SetResponse::LastDataBlock { invoke, result, number }
            }
            (progress, _) => {
                self.receiver.interrupt();
                let result =
                    progress.err().map_or(DataAccessResult::NO_LONG_SET_IN_PROGRESS, ReceiveError::data_access_result);
                SetResponse::LastDataBlock { invoke, result, number: block.number }
            }
        };
        encoded(out, |writer| response.encode(writer))
    }

    fn act<D: LogicalDevice>(&mut self, device: &mut D, request: &ActionRequest<'_>, out: &mut [u8]) -> usize {
        let invoke = request.invoke();
        self.sender.interrupt();
        self.kept = None;
        match request {
            ActionRequest::Normal { method, parameter, .. } => {
                let mut returned = [0; AUTHENTICATION_LENGTH + 2];
                let (result, length) = self.call(device, *method, *parameter, &mut returned);
                let returned = EncodedData::new(&returned[..length]).ok().map(Ok);
                let response = ActionResponse::Normal { invoke, outcome: ActionOutcome { result, returned } };
                encoded(out, |writer| response.encode(writer))
            }
            ActionRequest::WithList { methods, parameters, .. } => {
                if methods.len() != parameters.len() {
                    return exception(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON, out);
                }
                if methods.len() > MOST_REFERENCES || out.len() < LIST_HEAD + 2 * methods.len() {
                    return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out);
                }
                let mut writer = Writer::new(out);
                writer.put_array(&[ActionResponse::TAG, 3, invoke.0]);
                writer.length(methods.len());
                for (method, parameter) in methods.iter().zip(parameters.iter()) {
                    // A challenge is answered alone.
                    let result = if matches!(self.state, State::Open) {
                        device.act(&self.agreed, method, Some(parameter))
                    } else {
                        ActionResult::READ_WRITE_DENIED
                    };
                    ActionOutcome::from(result).encode(&mut writer);
                }
                writer.finish().unwrap_or(0)
            }
            ActionRequest::WithFirstBlock { method, block, .. } => {
                self.target = Some(Target::Method(*method));
                self.take_action_block(device, invoke, block, true, out)
            }
            ActionRequest::WithBlock { block, .. } => self.take_action_block(device, invoke, block, false, out),
            // No method returns more than fits.
            ActionRequest::NextBlock { number, .. } => {
                let done = self.sender.next(Answer::Action, invoke, *number, out, |_| ());
                done.unwrap_or(0)
            }
            ActionRequest::WithListAndFirstBlock { .. } => {
                let outcome = ActionOutcome::from(ActionResult::LONG_ACTION_ABORTED);
                encoded(out, |writer| ActionResponse::Normal { invoke, outcome }.encode(writer))
            }
        }
    }

    fn take_action_block<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        invoke: InvokeIdAndPriority,
        block: &DataBlock<'_>,
        first: bool,
        out: &mut [u8],
    ) -> usize {
        let progress = self.take_block(block, first);
        let response = match (progress, self.target) {
            (Ok(Progress::More { number }), Some(Target::Method(_))) => ActionResponse::NextBlock { invoke, number },
            (Ok(Progress::Complete { length, .. }), Some(Target::Method(method)))
                if matches!(self.state, State::Open) =>
            {
                let result = match EncodedData::new(&self.value[..length]) {
                    Ok(value) => device.act(&self.agreed, method, Some(value)),
                    Err(_) => ActionResult::TYPE_UNMATCHED,
                };
                ActionResponse::Normal { invoke, outcome: result.into() }
            }
            (progress, _) => {
                self.receiver.interrupt();
                let result =
                    progress.err().map_or(ActionResult::NO_LONG_ACTION_IN_PROGRESS, ReceiveError::action_result);
                ActionResponse::Normal { invoke, outcome: result.into() }
            }
        };
        encoded(out, |writer| response.encode(writer))
    }

    /// Calls a method; what it returns, and its octets.
    fn call<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        method: MethodDescriptor,
        parameter: Option<EncodedData<'_>>,
        returned: &mut [u8],
    ) -> (ActionResult, usize) {
        let replies = method.class == ASSOCIATION && method.name == Obis::CURRENT_ASSOCIATION && method.method == REPLY;
        match (&self.state, replies) {
            (State::Challenged(..), true) => {
                let mut answer = [0; AUTHENTICATION_LENGTH];
                let reply = parameter.and_then(|value| match Data::decode(&mut Reader::new(value.octets())) {
                    Ok(Data::OctetString(octets)) => Some(octets),
                    _ => None,
                });
                let result = self.reply_to_challenge(device, reply.unwrap_or_default(), &mut answer);
                if !result.is_success() {
                    return (result, 0);
                }
                (result, encoded(returned, |writer| writer.octet_string_data(&answer)))
            }
            (State::Open, false) => (device.act(&self.agreed, method, parameter), 0),
            _ => (ActionResult::READ_WRITE_DENIED, 0),
        }
    }
}

fn failed(invoke: InvokeIdAndPriority, result: DataAccessResult, out: &mut [u8]) -> usize {
    encoded(out, |writer| GetResponse::Normal { invoke, result: Err(result) }.encode(writer))
}

/// The value of an attribute that was found readable.
pub(super) fn value<D: LogicalDevice>(
    device: &D,
    agreed: &super::Agreed,
    reference: &AttributeReference<'_>,
    moment: u32,
    writer: &mut Writer<'_>,
) {
    // It was asked just before and said what it says now.
    let _ = device.get(agreed, reference.attribute, reference.access, moment, writer);
}

/// The list of a response: count, then each value or why there is none.
fn values<'a, D: LogicalDevice>(
    device: &D,
    agreed: &super::Agreed,
    references: &List<'a, AttributeReference<'a>>,
    moment: u32,
    writer: &mut Writer<'_>,
) {
    writer.length(references.len());
    for reference in references.iter() {
        match device.get(agreed, reference.attribute, reference.access, moment, &mut Writer::new(&mut [])) {
            Ok(()) => {
                writer.u8(0);
                value(device, agreed, &reference, moment, writer);
            }
            Err(result) => writer.put_array(&[1, result.0]),
        }
    }
}
