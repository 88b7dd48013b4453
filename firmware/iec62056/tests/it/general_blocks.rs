//! Requests and answers in general blocks, between a server and a client, over links that lose, double and swap blocks, and to a
//! client that keeps to no rule.

mod hostile;
mod transfers;

use std::collections::VecDeque;

use meterbench_iec62056::acse::{ApplicationContext, AssociationRequest, AssociationResponse, InitiateRequest};
use meterbench_iec62056::apdu::transfer::{GeneralBlockReceiver, GeneralExchange, GeneralProgress};
use meterbench_iec62056::apdu::{
    ActionRequest, ActionResponse, Apdu, AttributeDescriptor, AttributeReference, DataAccessResult, ExceptionResponse,
    GeneralBlock, GetRequest, GetResponse, InvokeIdAndPriority, List, MethodDescriptor, ServiceError, SetRequest,
    SetResponse, StateError,
};
use meterbench_iec62056::client::{Client, ClientError};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::security::{Ciphered, Key};
use meterbench_iec62056::server::{LONGEST_APDU, Notice, Server};

use crate::common::{Random, encoded, vectors};
use crate::device::{CONFORMANCE, Device, GENERAL_ONLY, KEYED, PLAIN, array, credentials, memory};

const INVOKE: InvokeIdAndPriority = InvokeIdAndPriority::confirmed(1, true);
const NOT_POSSIBLE: ExceptionResponse =
    ExceptionResponse::new(StateError::SERVICE_NOT_ALLOWED, ServiceError::OPERATION_NOT_POSSIBLE);

/// A device, its server, and what a client says to it.
struct Ends {
    device: Device,
    server: Server,
    client: u16,
}

impl Ends {
    fn new(client: u16, rows: usize) -> Self {
        Self { device: Device::new(rows), server: Server::new(), client }
    }

    /// All that comes of one APDU.
    fn say(&mut self, apdu: &[u8]) -> Vec<Vec<u8>> {
        let mut out = [0; LONGEST_APDU];
        let mut answers = Vec::new();
        let mut length = self.server.answer(&mut self.device, self.client, apdu, &mut out);
        while length > 0 {
            answers.push(out[..length].to_vec());
            assert!(answers.len() <= 63, "a window ends");
            length = self.server.go_on(&self.device, &mut out);
        }
        answers
    }

    fn say_block(&mut self, block: &GeneralBlock<'_>) -> Vec<Vec<u8>> {
        self.say(&encoded(|writer| block.encode(writer)))
    }

    /// The one answer.
    fn ask(&mut self, apdu: &[u8]) -> Vec<u8> {
        let mut answers = self.say(apdu);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    /// A plain association of a client that takes APDUs of so many octets.
    fn associate_plain(&mut self, longest: u16) {
        let initiate = encoded(|writer| InitiateRequest::new(CONFORMANCE, longest).encode(writer));
        let request = AssociationRequest::new(ApplicationContext::LOGICAL_NAMES, &initiate);
        let answer = self.ask(&encoded(|writer| request.encode(writer)));
        assert_eq!(AssociationResponse::decode(&answer).unwrap().result.0, 0);
    }

    fn associate(&mut self, client: &mut Client) {
        let mut out = [0; 512];
        let length = client.associate(&mut out).unwrap();
        if client.associated(&self.ask(&out[..length])).unwrap() {
            let length = client.reply(&mut out).unwrap();
            client.replied(&self.ask(&out[..length])).unwrap();
        }
    }

    /// An exchange over a link that treats every block like this; the answer, or nothing after so many silences.
    fn exchange(&mut self, mut exchange: GeneralExchange, request: &[u8], link: &mut Link) -> Option<Vec<u8>> {
        let (mut space, mut whole) = (vec![0; LONGEST_APDU], vec![0; 300_000]);
        // Of an exchange before nothing is under way any more.
        link.for_client.clear();
        link.for_server.clear();
        for _ in 0..2000 {
            while let Some(block) = exchange.next(request, &mut space).unwrap() {
                link.carry_to_server(encoded(|writer| block.encode(writer)));
            }
            let mut silent = true;
            while let Some(apdu) = link.for_server.pop_front() {
                self.say(&apdu).into_iter().for_each(|answer| link.carry_to_client(answer));
            }
            while let Some(apdu) = link.for_client.pop_front() {
                let Ok(Apdu::GeneralBlock(block)) = Apdu::decode(&apdu) else {
                    panic!("no block: {:?}", Apdu::decode(&apdu));
                };
                silent = false;
                if let Some(length) = exchange
                    .accept(&block, &mut whole)
                    .unwrap_or_else(|error| panic!("{error}: {block:?} {exchange:?}"))
                {
                    whole.truncate(length);
                    return Some(whole);
                }
            }
            if silent {
                link.silences += 1;
                exchange.ask_again();
            }
        }
        None
    }
}

/// What is under way each way, and what becomes of it: one block in so many is lost, doubled, swapped with the next.
#[derive(Default)]
struct Link {
    for_server: VecDeque<Vec<u8>>,
    for_client: VecDeque<Vec<u8>>,
    random: Option<Random>,
    lost: usize,
    doubled: usize,
    swapped: usize,
    silences: usize,
    trouble: usize,
}

impl Link {
    fn bad(seed: u64, lost: usize, doubled: usize, swapped: usize) -> Self {
        Self { random: Some(Random(seed)), lost, doubled, swapped, ..Self::default() }
    }

    fn once_in(&mut self, times: usize) -> bool {
        let hit = times > 0 && self.random.as_mut().is_some_and(|random| random.below(times) == 0);
        self.trouble += usize::from(hit);
        hit
    }

    fn times(&mut self) -> usize {
        let (lost, doubled) = (self.once_in(self.lost), self.once_in(self.doubled));
        if lost { 0 } else { 1 + usize::from(doubled) }
    }

    fn carry_to_server(&mut self, apdu: Vec<u8>) {
        let times = self.times();
        self.for_server.extend(std::iter::repeat_n(apdu, times));
        if self.once_in(self.swapped) && self.for_server.len() > 1 {
            let last = self.for_server.len() - 1;
            self.for_server.swap(last - 1, last);
        }
    }

    fn carry_to_client(&mut self, apdu: Vec<u8>) {
        let times = self.times();
        self.for_client.extend(std::iter::repeat_n(apdu, times));
        if self.once_in(self.swapped) && self.for_client.len() > 1 {
            let last = self.for_client.len() - 1;
            self.for_client.swap(last - 1, last);
        }
    }
}

fn get(attribute: AttributeDescriptor) -> Vec<u8> {
    let reference = AttributeReference::from(attribute);
    encoded(|writer| GetRequest::Normal { invoke: INVOKE, reference }.encode(writer))
}

fn set(octets: &[u8]) -> Vec<u8> {
    let mut space = vec![0; octets.len() + 8];
    let value = EncodedData::encode_into(&Data::OctetString(octets), &mut space).unwrap();
    let reference = AttributeReference::from(memory());
    encoded(|writer| SetRequest::Normal { invoke: INVOKE, reference, value }.encode(writer))
}

/// The array of an answer has so many rows, in order, with this salt.
fn assert_rows(apdu: &[u8], rows: usize, salt: u8) {
    let Apdu::GetResponse(GetResponse::Normal { result, invoke }) = Apdu::decode(apdu).unwrap() else {
        panic!("GET.response")
    };
    assert_eq!(invoke, INVOKE);
    let expected = (0..rows).map(|row| Some(row as i128 + (i128::from(salt) << 24)));
    assert!(result.unwrap().value().sequence().unwrap().iter().map(|row| row.integer()).eq(expected));
}

fn exception(apdu: &[u8]) -> ExceptionResponse {
    match Apdu::decode(apdu).unwrap() {
        Apdu::ExceptionResponse(exception) => exception,
        other => panic!("{other:?}"),
    }
}

fn block(apdu: &[u8]) -> GeneralBlock<'_> {
    match Apdu::decode(apdu).unwrap() {
        Apdu::GeneralBlock(block) => block,
        other => panic!("{other:?}"),
    }
}

/// Clients with keys, in every form of ciphering.
fn keyed() -> Vec<Client> {
    let mut clients = Vec::new();
    for general in [false, true] {
        for dedicated in [None, Some(Key([0x77; 16]))] {
            clients.push(Client::new(credentials(KEYED, general, dedicated)).with_general_blocks(6));
        }
    }
    clients
}

/// A protected request in general blocks, and the plain answer.
fn ask_protected(ends: &mut Ends, client: &mut Client, plain: &[u8], link: &mut Link) -> Vec<u8> {
    let mut request = vec![0; plain.len() + 64];
    let length = client.request(plain, &mut request).unwrap();
    let exchange = client.general_exchange(length).expect("agreed on");
    let answer = ends.exchange(exchange, &request[..length], link).expect("an answer");
    let mut opened = vec![0; answer.len()];
    client.open(&answer, &mut opened).unwrap().to_vec()
}

/// An acknowledgement of a client that has said `number - 1` blocks.
fn acknowledgement(number: u16, acknowledged: u16, window: u8) -> GeneralBlock<'static> {
    GeneralBlock { last: true, streaming: false, window, number, acknowledged, data: &[] }
}

fn whole_request(request: &[u8], window: u8) -> GeneralBlock<'_> {
    GeneralBlock { last: true, streaming: false, window, number: 1, acknowledged: 0, data: request }
}
