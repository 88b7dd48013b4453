//! The rules of the link, frame by frame.

use meterbench_iec62056::hdlc::*;

const FRAME: usize = 200;
const MESSAGE: usize = 600;
const CLIENT: Address = Address::PUBLIC_CLIENT;

fn own() -> Address {
    Address::two(1, 17).unwrap()
}

fn server(parameters: Parameters) -> Server<FRAME, MESSAGE> {
    let settings = ServerSettings {
        address: own(),
        client: None,
        parameters,
        inter_octet_ms: 25,
        inactivity_ms: 120_000,
        calling: false,
    };
    Server::new(settings).unwrap()
}

fn client(retries: u8) -> Client<FRAME, MESSAGE> {
    let settings = ClientSettings {
        address: CLIENT,
        server: own(),
        proposal: Some(Parameters::symmetric(100, 3)),
        form: ParametersForm::ByValue,
        inter_octet_ms: 25,
        response_ms: 500,
        poll_pause_ms: 100,
        answer_ms: 5000,
        retries,
    };
    Client::new(settings).unwrap()
}

fn encoded(to: Address, from: Address, octet: u8, information: &[u8]) -> Vec<u8> {
    let mut line = [0; 2100];
    let frame = Frame { information, ..Frame::bare(to, from, Control::from_octet(octet)) };
    let length = frame.encode(&mut line).unwrap();
    line[..length].to_vec()
}

/// Gives the server a frame; the control fields and information of its response.
fn exchange(server: &mut Server<FRAME, MESSAGE>, octet: u8, information: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let line = encoded(own(), CLIENT, octet, information);
    assert_eq!(server.receive(&line, 0), line.len());
    responses(server)
}

fn responses(server: &mut Server<FRAME, MESSAGE>) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(line) = server.poll_transmit() {
        let (frame, _) = Frame::decode(line).unwrap();
        found.push((frame.control.octet(), frame.information.to_vec()));
    }
    found
}

fn controls(server: &mut Server<FRAME, MESSAGE>, octet: u8, information: &[u8]) -> Vec<u8> {
    exchange(server, octet, information).into_iter().map(|(control, _)| control).collect()
}

const SILENCE: [u8; 0] = [];
const SNRM: u8 = 0x93;
const DISC: u8 = 0x53;
const UA: u8 = 0x73;
const DM: u8 = 0x1F;
const FRMR: u8 = 0x97;
const ASK: [u8; 4] = [0xE6, 0xE6, 0x00, 0x42];
const ANSWER: [u8; 4] = [0xE6, 0xE7, 0x00, 0x43];

fn connected(parameters: Parameters) -> Server<FRAME, MESSAGE> {
    let mut server = server(parameters);
    let (said, length) = Parameters::symmetric(100, 7).encode(ParametersForm::ByValue);
    assert_eq!(controls(&mut server, SNRM, &said[..length]), [UA]);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Connected { client: CLIENT, .. })));
    server
}

#[test]
fn a_disconnected_server_says_so() {
    let mut server = server(Parameters::default());
    // I, RR, RNR, an unknown command; without the poll bit nothing is said.
    for octet in [0x10, 0x11, 0x15, 0x19, DISC] {
        assert_eq!(controls(&mut server, octet, &[]), [DM], "{octet:#04x}");
    }
    assert_eq!(controls(&mut server, 0x00, &ASK), SILENCE);
    assert_eq!(controls(&mut server, SNRM, &[0x81, 0x80, 3, 9, 1, 1]), [DM], "an unknown parameter");
    assert_eq!(server.poll_event(), None);
}

#[test]
fn parameters_are_negotiated_and_told() {
    let mut server = server(Parameters::symmetric(154, 1));
    let said = exchange(&mut server, SNRM, &[]);
    let (parameters, _) = Parameters::decode(&said[0].1).unwrap();
    assert_eq!(parameters, Parameters::symmetric(128, 1), "nothing proposed is 128 and 1");
    let (two, length) = Parameters::symmetric(150, 7).encode(ParametersForm::TwoOctets);
    let said = exchange(&mut server, SNRM, &two[..length]);
    assert_eq!(Parameters::decode(&said[0].1).unwrap(), (Parameters::symmetric(150, 1), ParametersForm::TwoOctets));
}

#[test]
fn a_message_is_answered_once_however_often_it_is_sent() {
    let mut server = connected(Parameters::default());
    assert_eq!(controls(&mut server, 0x10, &ASK), SILENCE, "the answer is being prepared");
    assert_eq!(server.poll_event(), Some(ServerEvent::Message { client: CLIENT, octets: &[0x42] }));
    assert_eq!(controls(&mut server, 0x10, &ASK), SILENCE, "sent again blindly: still being prepared");
    assert_eq!(controls(&mut server, 0x11, &[]), [0x31], "asked how things stand: the message is here");
    assert_eq!(controls(&mut server, 0x10, &ASK), [0x31]);
    server.answer(&[0x43]).unwrap();
    assert_eq!(exchange(&mut server, 0x11, &[]), [(0x30, ANSWER.to_vec())]);
    assert_eq!(exchange(&mut server, 0x10, &ASK), [(0x30, ANSWER.to_vec())], "the answer was lost, and is repeated");
    assert_eq!(server.poll_event(), None, "and nobody is asked twice");
    assert_eq!(server.answer(&[0x44]), Err(AnswerError::Busy));
    assert_eq!(controls(&mut server, 0x31, &[]), [0x31], "acknowledged");
    assert_eq!(controls(&mut server, 0x32, &ASK), SILENCE);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Message { .. })));
    server.no_answer();
    assert_eq!(responses(&mut server), [(0x51, vec![])], "no answer is an acknowledgement");
}

#[test]
fn a_server_whose_message_nobody_takes_is_not_ready() {
    let mut server = connected(Parameters::default());
    assert_eq!(controls(&mut server, 0x10, &ASK), SILENCE);
    assert_eq!(controls(&mut server, 0x11, &[]), [0x35], "RNR");
    assert_eq!(controls(&mut server, 0x12, &ASK), [0x35]);
    assert!(server.poll_event().is_some());
    assert_eq!(controls(&mut server, 0x11, &[]), [0x31], "RR");
}

#[test]
fn a_gap_is_answered_with_the_number_expected() {
    let mut server = connected(Parameters::symmetric(100, 3));
    assert_eq!(controls(&mut server, 0x12, &ASK), [0x11]);
    assert_eq!(controls(&mut server, 0x02, &ASK), SILENCE, "without a poll nothing is said");
    assert_eq!(server.poll_event(), None);
}

#[test]
fn a_client_that_is_not_ready_gets_no_information() {
    let mut server = connected(Parameters::default());
    assert_eq!(controls(&mut server, 0x10, &ASK), SILENCE);
    assert!(server.poll_event().is_some());
    assert_eq!(controls(&mut server, 0x15, &[]), [0x31]);
    server.answer(&[0x43]).unwrap();
    assert_eq!(controls(&mut server, 0x15, &[]), [0x31]);
    assert_eq!(controls(&mut server, 0x11, &[]), [0x30]);
}

#[test]
fn what_breaks_the_rules_is_rejected_until_the_link_is_set_up_anew() {
    let cases: [(u8, &[u8], u8); 4] =
        [(0x19, &[], 0x01), (0x11, &[1], 0x03), (0x10, &[0; 129], 0x04), (0x71, &[], 0x08)];
    for (octet, information, complaint) in cases {
        let mut server = connected(Parameters::symmetric(100, 1));
        let rejected = [(FRMR, vec![octet, 0, complaint])];
        assert_eq!(exchange(&mut server, octet, information), rejected);
        assert_eq!(exchange(&mut server, 0x10, &ASK), rejected, "still");
        assert_eq!(controls(&mut server, SNRM, &[]), [UA]);
        assert_eq!(controls(&mut server, 0x10, &ASK), SILENCE);
        server.poll_event();
        assert!(matches!(server.poll_event(), Some(ServerEvent::Message { .. })));
    }
}

#[test]
fn another_client_is_refused_while_one_is_connected() {
    let mut server = connected(Parameters::default());
    for octet in [SNRM, DISC, 0x11] {
        let line = encoded(own(), Address::MANAGEMENT_CLIENT, octet, &[]);
        assert_eq!(server.receive(&line, 0), line.len());
        let answer = server.poll_transmit().unwrap();
        let (frame, _) = Frame::decode(answer).unwrap();
        assert_eq!((frame.destination, frame.control.octet()), (Address::MANAGEMENT_CLIENT, DM));
    }
    assert!(server.is_connected());
    assert_eq!(controls(&mut server, DISC, &[]), [UA]);
    assert_eq!(server.poll_event(), Some(ServerEvent::Disconnected(Disconnection::Peer)));
}

#[test]
fn whom_frames_reach() {
    let mut server = connected(Parameters::default());
    let to = |upper, lower| Address::two(upper, lower).unwrap();
    let all = to(0x7F, 0x7F);
    for (destination, source, octet) in [
        (to(1, 18), CLIENT, 0x11),
        (all, CLIENT, 0x10),
        (all, CLIENT, 0x13),
        (own(), Address::ALL_CLIENTS, 0x11),
        (own(), own(), 0x11),
        (Address::four(1, 18).unwrap(), CLIENT, 0x11),
    ] {
        let line = encoded(destination, source, octet, &ASK);
        assert_eq!(server.receive(&line, 0), line.len());
        assert_eq!(server.poll_transmit(), None, "{destination:?} {octet:#04x}");
        assert_eq!(server.poll_event(), None, "{destination:?} {octet:#04x}");
    }
    let line = encoded(all, CLIENT, 0x03, &ASK);
    assert_eq!(server.receive(&line, 0), line.len());
    assert_eq!(server.poll_event(), Some(ServerEvent::Unnumbered { client: CLIENT, octets: &[0x42] }));
    // By its upper address alone and in four octets the server is meant too, and answers in the same form.
    for address in [Address::one(1).unwrap(), Address::four(1, 17).unwrap()] {
        let line = encoded(address, CLIENT, SNRM, &[]);
        assert_eq!(server.receive(&line, 0), line.len());
        assert_eq!(Frame::decode(server.poll_transmit().unwrap()).unwrap().0.source, address);
    }
}

#[test]
fn silence_ends_a_frame_and_a_link() {
    let mut server = connected(Parameters::default());
    assert_eq!(server.deadline(), Some(120_000));
    let line = encoded(own(), CLIENT, 0x11, &[]);
    assert_eq!(server.receive(&line[..5], 100), 5);
    assert_eq!(server.deadline(), Some(125));
    assert_eq!(server.receive(&line[5..], 125), line.len() - 5);
    assert_eq!(server.poll_transmit(), None, "the frame was given up");
    assert_eq!(server.receive(&line, 200), line.len());
    assert!(server.poll_transmit().is_some());
    server.tick(120_199);
    assert_eq!(server.poll_event(), None);
    server.tick(120_200);
    assert_eq!(server.poll_event(), Some(ServerEvent::Disconnected(Disconnection::Inactivity)));
    assert_eq!(server.deadline(), None);
}

#[test]
fn a_push_needs_no_link() {
    let (mut server, mut client) = (server(Parameters::default()), client(3));
    let message: Vec<u8> = (0..400u16).map(|n| n as u8).collect();
    server.push(CLIENT, &message).unwrap();
    let mut frames = 0;
    while let Some(line) = server.poll_transmit() {
        frames += 1;
        assert_eq!(client.receive(line, 0), line.len());
    }
    assert_eq!(frames, 4);
    assert_eq!(client.poll_event(), Some(ClientEvent::Unnumbered { server: own(), octets: &message }));
    client.send_unnumbered(&message).unwrap();
    while let Some(line) = client.poll_transmit(0) {
        assert_eq!(server.receive(line, 0), line.len());
    }
    assert_eq!(server.poll_event(), Some(ServerEvent::Unnumbered { client: CLIENT, octets: &message }));
}

#[test]
fn a_message_that_cannot_be_kept_is_acknowledged_and_told() {
    let mut server = connected(Parameters::symmetric(100, 1));
    assert_eq!(controls(&mut server, 0x10, &[1, 2, 3, 4]), SILENCE);
    assert_eq!(server.poll_event(), Some(ServerEvent::Discarded(Discarded::LogicalLinkControl)));
    assert_eq!(responses(&mut server), [(0x31, vec![])]);
}

fn sent(client: &mut Client<FRAME, MESSAGE>, now_ms: u64) -> Vec<u8> {
    let mut found = Vec::new();
    while let Some(line) = client.poll_transmit(now_ms) {
        found.push(Frame::decode(line).unwrap().0.control.octet());
    }
    found
}

fn respond(client: &mut Client<FRAME, MESSAGE>, octet: u8, information: &[u8], now_ms: u64) {
    let line = encoded(CLIENT, own(), octet, information);
    assert_eq!(client.receive(&line, now_ms), line.len());
}

#[test]
fn a_client_without_a_response_asks_and_does_not_repeat_itself() {
    let mut client = client(2);
    client.connect(0);
    assert_eq!(sent(&mut client, 0), [SNRM]);
    // The echo of the optical head is no answer.
    let echo = encoded(own(), CLIENT, SNRM, &[]);
    assert_eq!(client.receive(&echo, 0), echo.len());
    assert_eq!(client.poll_event(), None);
    assert_eq!(client.deadline(), Some(500));
    client.tick(500);
    assert_eq!(sent(&mut client, 500), [SNRM]);
    respond(&mut client, UA, &[], 600);
    assert_eq!(client.poll_event(), Some(ClientEvent::Connected(Parameters::symmetric(100, 1))));
    client.send(&[0x42], Expect::Answer, 1000).unwrap();
    assert_eq!(client.send(&[0x42], Expect::Answer, 1000), Err(ClientError::Busy));
    assert_eq!(sent(&mut client, 1000), [0x10]);
    client.tick(1500);
    assert_eq!(sent(&mut client, 1500), [0x11], "RR, not I");
    respond(&mut client, 0x11, &[], 1600);
    assert_eq!(sent(&mut client, 1600), [0x10], "the server has nothing: now it is sent again");
    respond(&mut client, 0x31, &[], 1700);
    assert_eq!((sent(&mut client, 1700), client.deadline()), (vec![], Some(1800)), "it is being prepared");
    client.tick(1800);
    assert_eq!(sent(&mut client, 1800), [0x11]);
    respond(&mut client, 0x30, &ANSWER, 1900);
    assert_eq!(client.poll_event(), Some(ClientEvent::Message(&[0x43])));
    client.send(&[0x44], Expect::Acknowledgement, 2000).unwrap();
    assert_eq!(sent(&mut client, 2000), [0x32]);
    respond(&mut client, 0x51, &[], 2100);
    assert_eq!(client.poll_event(), Some(ClientEvent::Acknowledged));
    client.disconnect(2200).unwrap();
    assert_eq!(sent(&mut client, 2200), [DISC]);
    respond(&mut client, UA, &[], 2300);
    assert_eq!(client.poll_event(), Some(ClientEvent::Disconnected));
    assert_eq!(client.deadline(), None);
}

#[test]
fn a_client_gives_up_for_a_reason() {
    let connected = || {
        let mut client = client(2);
        client.connect(0);
        assert_eq!(sent(&mut client, 0), [SNRM]);
        respond(&mut client, UA, &[], 0);
        assert!(matches!(client.poll_event(), Some(ClientEvent::Connected(_))));
        client.send(&[0x42], Expect::Answer, 0).unwrap();
        assert_eq!(sent(&mut client, 0), [0x10]);
        client
    };
    for (octet, information, why) in [
        (DM, &[][..], Failure::Refused),
        (FRMR, &[0x10, 0, 4], Failure::Rejected { control: 0x10, complaint: 4 }),
        (0x71, &[], Failure::Protocol),
    ] {
        let mut client = connected();
        respond(&mut client, octet, information, 1);
        assert_eq!(client.poll_event(), Some(ClientEvent::Failed(why)));
        assert!(!client.is_connected());
    }
    let mut client = connected();
    let mut frames = 0;
    while let Some(at) = client.deadline() {
        client.tick(at);
        frames += sent(&mut client, at).len();
    }
    assert_eq!((frames, client.poll_event()), (2, Some(ClientEvent::Failed(Failure::NoResponse))));
    // A server that is alive and never has an answer.
    let mut client = connected();
    let mut at = 0;
    while client.is_connected() {
        respond(&mut client, 0x31, &[], at);
        at = client.deadline().unwrap();
        client.tick(at);
        sent(&mut client, at);
    }
    assert_eq!((at, client.poll_event()), (5000, Some(ClientEvent::Failed(Failure::NoAnswer))));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let settings = ServerSettings {
        address: own(),
        client: None,
        parameters: Parameters::symmetric(190, 1),
        inter_octet_ms: 0,
        inactivity_ms: 0,
        calling: false,
    };
    let refused = |settings| Server::<FRAME, 1>::new(settings).err();
    assert_eq!(refused(settings), Some(SettingsError::Room { needed: 204, room: 200 }));
    let zero = Parameters { window_transmit: 0, ..Parameters::default() };
    assert_eq!(refused(ServerSettings { parameters: zero, ..settings }), Some(SettingsError::Parameters));
    let all = Address::two(1, 0x7F).unwrap();
    assert_eq!(refused(ServerSettings { address: all, ..settings }), Some(SettingsError::Address));
    assert_eq!(refused(ServerSettings { client: Some(own()), ..settings }), Some(SettingsError::ClientAddress));
}
