//! Drives a server with blocks, whole requests and octets that mean anything. Shared by the tests with seeds and by a fuzz
//! target.

use std::collections::HashMap;

use meterbench_iec62056::acse::{ApplicationContext, AssociationRequest, InitiateRequest};
use meterbench_iec62056::apdu::{Apdu, AttributeReference, GeneralBlock, GetRequest, InvokeIdAndPriority};
use meterbench_iec62056::client::Client;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::server::{LONGEST_APDU, Server};

use super::device::{CONFORMANCE, Device, GENERAL_ONLY, KEYED, PLAIN, array, credentials, memory};

fn encoded(encode: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = vec![0; Writer::measure(&encode)];
    encode(&mut Writer::new(&mut octets));
    octets
}

struct Session {
    device: Device,
    server: Server,
    client: u16,
    keys: Option<Client>,
    longest: usize,
    /// What was said under a number, since the last request.
    said: HashMap<u16, Vec<u8>>,
    answers: usize,
}

impl Session {
    fn exchange(&mut self, apdu: &[u8]) -> Vec<u8> {
        let mut out = [0; LONGEST_APDU];
        let length = self.server.answer(&mut self.device, self.client, apdu, &mut out);
        out[..length].to_vec()
    }

    fn open(client: u16, longest: u16, rows: usize, general: bool) -> Self {
        let mut session = Self {
            device: Device::new(rows),
            server: Server::new(),
            client,
            keys: None,
            longest: longest.into(),
            said: HashMap::new(),
            answers: 0,
        };
        if client == KEYED {
            let mut keys = Client::new(credentials(client, general, None)).with_general_blocks(3);
            let mut out = [0; 512];
            let length = keys.associate(&mut out).expect("room");
            assert!(keys.associated(&session.exchange(&out[..length])).expect("admitted"));
            let length = keys.reply(&mut out).expect("room");
            keys.replied(&session.exchange(&out[..length])).expect("proved");
            (session.keys, session.longest) = (Some(keys), LONGEST_APDU);
        } else {
            let initiate = encoded(|writer| InitiateRequest::new(CONFORMANCE, longest).encode(writer));
            let request = AssociationRequest::new(ApplicationContext::LOGICAL_NAMES, &initiate);
            session.exchange(&encoded(|writer| request.encode(writer)));
        }
        assert!(session.server.association().is_some());
        session
    }

    /// An APDU and all that comes of it.
    fn say(&mut self, apdu: &[u8]) {
        // Another request may be answered with other blocks of the same numbers.
        if !matches!(Apdu::decode(apdu), Ok(Apdu::GeneralBlock(block)) if block.is_acknowledgement()) {
            self.said.clear();
        }
        let mut out = [0; LONGEST_APDU];
        let mut length = self.server.answer(&mut self.device, self.client, apdu, &mut out);
        let mut burst = 0;
        while length > 0 {
            burst += 1;
            assert!(burst <= 64, "a window ends");
            assert!(length <= self.longest, "{length} octets, {} agreed on", self.longest);
            if let Apdu::GeneralBlock(block) = Apdu::decode(&out[..length]).expect("an APDU") {
                let before = self.said.entry(block.number).or_insert_with(|| block.data.to_vec());
                assert_eq!(before, block.data, "a block is never said otherwise");
            }
            self.answers += 1;
            length = self.server.go_on(&self.device, &mut out);
        }
    }

    fn request(&mut self, choice: u8) -> Vec<u8> {
        let attribute = if choice & 1 == 0 { array() } else { memory() };
        let invoke = InvokeIdAndPriority::confirmed(choice & 15, false);
        let reference = AttributeReference::from(attribute);
        let plain = encoded(|writer| GetRequest::Normal { invoke, reference }.encode(writer));
        let Some(keys) = &mut self.keys else { return plain };
        let mut protected = [0; 128];
        let length = keys.request(&plain, &mut protected).expect("room");
        protected[..length].to_vec()
    }
}

/// Returns how many answers came.
pub(crate) fn general_blocks(octets: &[u8]) -> usize {
    let mut input = octets.iter().copied();
    let mut next = move || input.next();
    let (kind, rows, longest) = (next().unwrap_or(0), next().unwrap_or(0), next().unwrap_or(0));
    let client = [PLAIN, KEYED, GENERAL_ONLY, KEYED][usize::from(kind & 3)];
    // The longest answers are made again for each block, others are kept.
    let rows = usize::from(rows) * if kind & 4 == 0 { 1 } else { 8 };
    let mut session = Session::open(client, 64 + u16::from(longest), rows, kind & 8 != 0);
    let mut request = session.request(kind);
    while let Some(choice) = next() {
        let (a, b, c) = (next().unwrap_or(0), next().unwrap_or(0), next().unwrap_or(0));
        match choice & 7 {
            0 => request = session.request(a),
            1 => {
                let whole = request.clone();
                session.say(&whole);
            }
            2 => {
                let raw: Vec<u8> = [choice >> 3 | 0xC0, a, b, c].into_iter().chain(request.iter().copied()).collect();
                session.say(&raw);
            }
            _ => {
                let small =
                    |octet: u8| if octet & 0xC0 == 0xC0 { u16::from(octet) << 8 } else { u16::from(octet & 0x0F) };
                let from = usize::from(b >> 4) * 4;
                let to = request.len().saturating_sub(usize::from(choice >> 5) * 7);
                let data = if choice & 4 == 0 { request.get(from..to).unwrap_or_default() } else { &[] };
                let block = GeneralBlock {
                    last: choice & 0x08 != 0,
                    streaming: choice & 0x10 != 0,
                    window: c & 0x3F,
                    number: small(a),
                    acknowledged: small(b),
                    data,
                };
                let apdu = encoded(|writer| block.encode(writer));
                session.say(&apdu);
            }
        }
    }
    session.answers
}
