//! A client and a server from association to release, with high level security, every APDU ciphered.

use meterbench_iec62056::acse::{
    ApplicationContext, AssociationRequest, AssociationResponse, AssociationResult, Conformance, InitiateRequest,
    InitiateResponse, Mechanism, ReleaseRequest, UserDiagnostic,
};
use meterbench_iec62056::apdu::transfer::{Answer, BlockReceiver, BlockSender, Progress};
use meterbench_iec62056::apdu::{
    ActionOutcome, ActionRequest, ActionResponse, ActionResult, Apdu, AttributeDescriptor, DataBlock,
    ExceptionResponse, GetRequest, GetResponse, InvokeIdAndPriority, MethodDescriptor,
};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{
    Ciphered, CounterError, Direction, Envelope, Key, Protection, ReceiveCounter, SecurityControl, SecurityPolicy,
    SystemTitle, TransmitCounter, challenges_differ,
};

use crate::common::encoded;

const CLIENT: SystemTitle = SystemTitle(*b"HES\x00\x00\x00\x00\x01");
const SERVER: SystemTitle = SystemTitle(*b"KAM\x00\x00\x00\x00\x02");
const CLIENT_CHALLENGE: &[u8] = b"K56iVagY";
const SERVER_CHALLENGE: &[u8] = b"P6wRJ21F";
const INVOKE: InvokeIdAndPriority = InvokeIdAndPriority::confirmed(1, true);
const LONGEST: usize = 200;
const POLICY: SecurityPolicy = SecurityPolicy::Version0(3);

fn profile(writer: &mut Writer<'_>) {
    writer.array(200);
    (0..200).for_each(|row| writer.long_unsigned(row));
}

/// One end: its keys, its counter, the last counter of the other side.
struct End {
    title: SystemTitle,
    peer: SystemTitle,
    keys: Protection,
    transmit: TransmitCounter,
    receive: ReceiveCounter,
}

impl End {
    fn new(title: SystemTitle, peer: SystemTitle) -> Self {
        let mut transmit = TransmitCounter::from_storage(0, TransmitCounter::STEP);
        transmit.reserved(transmit.reservation_due().expect("nothing is reserved yet"));
        let keys = Protection::new(0, &Key([1; 16]), &Key([2; 16]));
        Self { title, peer, keys, transmit, receive: ReceiveCounter::NEW }
    }

    fn send(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = vec![0; plain.len() + 32];
        let (counter, control) = (self.transmit.take().expect("reserved"), SecurityControl::BOTH);
        let length = self.keys.protect(&Envelope::Global, control, &self.title, counter, plain, &mut out);
        out.truncate(length.expect("room for header and tag"));
        out
    }

    fn open(&mut self, octets: &[u8]) -> Result<Vec<u8>, CounterError> {
        let ciphered = Ciphered::decode(octets).expect("ciphered");
        let accepted = self.receive.check(ciphered.protected().counter)?;
        let mut out = vec![0; octets.len()];
        let opened = self.keys.unprotect(&ciphered, &self.peer, &mut out).expect("genuine");
        assert!(POLICY.requires(Direction::Request).is_met(Some(opened.control), false));
        self.receive.accept(accepted);
        Ok(opened.plain.to_vec())
    }
}

/// The server: answers plain requests; ciphering is around it.
#[derive(Default)]
struct Server {
    authenticated: bool,
    sender: BlockSender,
}

impl Server {
    fn answer(&mut self, end: &mut End, request: &[u8]) -> Vec<u8> {
        let mut out = vec![0; LONGEST];
        let length = match Apdu::decode(request).expect("a request") {
            Apdu::ActionRequest(ActionRequest::Normal { invoke, parameter, .. }) => {
                let proof = parameter.and_then(|parameter| parameter.value().octets()).expect("an octet string");
                let counter = end.keys.verify(&end.peer, proof, SERVER_CHALLENGE).expect("the client knows the key");
                end.receive.raise(counter);
                self.authenticated = true;
                let counter = end.transmit.take().expect("reserved");
                let proof = end.keys.authenticate(&end.title, counter, CLIENT_CHALLENGE);
                let mut space = [0; 32];
                let returned = EncodedData::encode_into(&Data::OctetString(&proof), &mut space).map(Ok);
                let outcome = ActionOutcome { result: ActionResult::SUCCESS, returned };
                let mut writer = Writer::new(&mut out);
                ActionResponse::Normal { invoke, outcome }.encode(&mut writer);
                writer.finish()
            }
            Apdu::GetRequest(GetRequest::Normal { invoke, .. }) if self.authenticated => {
                self.sender.start(Answer::Get, invoke, &mut out, profile)
            }
            Apdu::GetRequest(GetRequest::Next { invoke, number }) if self.authenticated => {
                self.sender.next(Answer::Get, invoke, number, &mut out, profile)
            }
            other => panic!("{other:?}"),
        };
        out.truncate(length.expect("room"));
        out
    }
}

fn exchange(client: &mut End, server_end: &mut End, server: &mut Server, request: &Apdu<'_>) -> Vec<u8> {
    let request = client.send(&encoded(|writer| request.encode(writer)));
    let plain = server_end.open(&request).expect("a new counter");
    let response = server.answer(server_end, &plain);
    let response = server_end.send(&response);

    // The same request again is answered with the counter that is expected.
    let Err(CounterError::Replayed { expected, .. }) = server_end.open(&request) else { panic!("replayed") };
    let exception = encoded(|writer| ExceptionResponse::counter_expected(expected).encode(writer));
    assert_eq!(exception[..3], [0xD8, 1, 6]);

    client.open(&response).expect("a new counter")
}

#[test]
fn a_profile_is_read_in_blocks_through_a_ciphered_association() {
    let (mut client, mut server_end, mut server) =
        (End::new(CLIENT, SERVER), End::new(SERVER, CLIENT), Server::default());

    // Pass 1: the client's challenge.
    let wanted = Conformance::GET | Conformance::BLOCK_TRANSFER_WITH_GET | Conformance::ACTION;
    let initiate = client.send(&encoded(|writer| InitiateRequest::new(wanted, 500).encode(writer)));
    let request = AssociationRequest::new(ApplicationContext::LOGICAL_NAMES_CIPHERED, &initiate)
        .with_system_title(&CLIENT.0)
        .with_authentication(Mechanism::HIGH_GMAC, CLIENT_CHALLENGE);
    let octets = encoded(|writer| request.encode(writer));
    let request = AssociationRequest::decode(&octets).unwrap();

    // Pass 2: the server's.
    assert!(challenges_differ(request.authentication_value.unwrap(), SERVER_CHALLENGE));
    let initiate = server_end.open(request.user_information.unwrap()).unwrap();
    let own = wanted | Conformance::SET;
    let agreed = InitiateRequest::decode(&initiate).unwrap().negotiate(own, LONGEST as u16).unwrap();
    let initiate = server_end.send(&encoded(|writer| agreed.encode(writer)));
    let response = AssociationResponse {
        responding_ap_title: Some(&SERVER.0),
        user_information: Some(&initiate),
        ..AssociationResponse::new(request.context, AssociationResult::ACCEPTED, UserDiagnostic::NULL)
    };
    let octets = encoded(|writer| response.with_challenge(Mechanism::HIGH_GMAC, SERVER_CHALLENGE).encode(writer));
    let response = AssociationResponse::decode(&octets).unwrap();
    let initiate = client.open(response.user_information.unwrap()).unwrap();
    assert_eq!(InitiateResponse::decode(&initiate).unwrap().conformance, wanted);

    // Passes 3 and 4: each proves that it knows the key.
    let counter = client.transmit.take().unwrap();
    let proof = client.keys.authenticate(&CLIENT, counter, response.authentication_value.unwrap());
    let mut space = [0; 32];
    let parameter = EncodedData::encode_into(&Data::OctetString(&proof), &mut space);
    let method = MethodDescriptor { class: 15, name: Obis::CURRENT_ASSOCIATION, method: 1 };
    let request = Apdu::ActionRequest(ActionRequest::Normal { invoke: INVOKE, method, parameter });
    // The counter of the proof is older than that of the APDU around it.
    let answer = exchange(&mut client, &mut server_end, &mut server, &request);
    let Apdu::ActionResponse(ActionResponse::Normal { outcome, .. }) = Apdu::decode(&answer).unwrap() else {
        panic!("ACTION.response")
    };
    let proof = outcome.returned.unwrap().unwrap().value().octets().unwrap();
    assert!(client.keys.verify(&SERVER, proof, CLIENT_CHALLENGE).is_ok());

    // A profile longer than an APDU.
    let attribute = AttributeDescriptor { class: 7, name: Obis([1, 0, 99, 1, 0, 255]), attribute: 2 };
    let mut request = Apdu::GetRequest(GetRequest::Normal { invoke: INVOKE, reference: attribute.into() });
    let (mut receiver, mut buffer) = (BlockReceiver::new(), [0; 1000]);
    let length = loop {
        let answer = exchange(&mut client, &mut server_end, &mut server, &request);
        let Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, .. }) = Apdu::decode(&answer).unwrap()
        else {
            panic!("a block")
        };
        let block = DataBlock { last, number, raw: result.unwrap() };
        let taken = if number == 1 { receiver.first(&block, &mut buffer) } else { receiver.next(&block, &mut buffer) };
        match taken.unwrap() {
            Progress::More { number } => request = Apdu::GetRequest(GetRequest::Next { invoke: INVOKE, number }),
            Progress::Complete { length, .. } => break length,
        }
    };
    let rows = EncodedData::new(&buffer[..length]).unwrap().value().sequence().unwrap();
    assert!(rows.iter().map(|row| row.integer()).eq((0..200).map(Some)));

    let initiate = client.send(&encoded(|writer| InitiateRequest::new(wanted, 500).encode(writer)));
    let release = ReleaseRequest { user_information: Some(&initiate), ..ReleaseRequest::NORMAL };
    let octets = encoded(|writer| release.encode(writer));
    let release = ReleaseRequest::decode(&octets).unwrap();
    assert!(server_end.open(release.user_information.unwrap()).is_ok());
}
