//! Every published frame of these protocols, read and written again.

use meterbench_iec62056::hdlc::{self, Address, Frame, Parameters};
use meterbench_iec62056::readout::Block;
use meterbench_iec62056::wrapper::{Reassembler, Wpdu};
use serde_json::Value;

fn vectors(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).expect("valid JSON");
    file["vectors"].as_array().expect("a list").clone()
}

pub(crate) fn octets(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("a string");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn address(value: &Value) -> Address {
    let seven: Vec<u8> =
        value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number") as u8).collect();
    let mut on_line: Vec<u8> = seven.iter().map(|n| n << 1).collect();
    *on_line.last_mut().expect("not empty") |= 1;
    let (address, taken) = Address::decode(&on_line).expect("an address");
    assert_eq!(taken, on_line.len());
    address
}

#[test]
fn every_hdlc_frame() {
    let vectors = vectors(include_str!("../../../../fixtures/frames/hdlc.json"));
    for vector in &vectors {
        let (id, data) = (&vector["id"], &vector["data"]);
        let line = octets(&data["frame"]);
        let (frame, taken) = Frame::decode(&line).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(taken, line.len(), "{id}");
        assert_eq!(frame.destination, address(&data["dst"]), "{id}");
        assert_eq!(frame.source, address(&data["src"]), "{id}");
        assert_eq!([frame.control.octet()], octets(&data["control"])[..], "{id}");
        assert_eq!(Some(frame.segmented), data["segmented"].as_bool(), "{id}");
        assert_eq!(frame.information, octets(&data["info"]), "{id}");
        let mut again = [0; 2100];
        let length = frame.encode(&mut again).expect("short enough");
        assert_eq!(&again[..length], line, "{id}");
        let mut delimiter = hdlc::Delimiter::<2100>::default();
        assert_eq!(delimiter.push(&line), line.len(), "{id}");
        assert_eq!(delimiter.frame(), Some(frame), "{id}");
        if matches!(frame.control, hdlc::Control::UnnumberedAcknowledge { .. }) {
            let (parameters, form) = Parameters::decode(frame.information).expect("parameters");
            if !frame.information.is_empty() {
                let (written, length) = parameters.encode(form);
                assert_eq!(&written[..length], frame.information, "{id}");
            }
        }
    }
    assert_eq!(vectors.len(), 10);
}

#[test]
fn every_wrapper_message() {
    let vectors = vectors(include_str!("../../../../fixtures/frames/wrapper.json"));
    for vector in &vectors {
        let (id, line) = (&vector["id"], octets(&vector["data"]["wpdu"]));
        let message = Wpdu::decode_datagram(&line).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((message.source, message.destination), (16, 1), "{id}");
        let mut again = [0; 100];
        let length = message.encode(&mut again).expect("short enough");
        assert_eq!(&again[..length], line, "{id}");
        let mut reassembler = Reassembler::<100>::default();
        assert_eq!(reassembler.push(&line), Ok(line.len()), "{id}");
        assert_eq!(reassembler.message(), Some(message), "{id}");
    }
    assert_eq!(vectors.len(), 1);
}

#[test]
fn every_readout_message() {
    let vectors = vectors(include_str!("../../../../fixtures/frames/iec62056-21.json"));
    let expected = [("iec21-break", Block::BREAK), ("iec21-r1", Block::command(b'R', b'1', b"1.8.0()"))];
    for (vector, (id, block)) in vectors.iter().zip(expected) {
        let line = octets(&vector["data"]["message"]);
        assert_eq!((vector["id"].as_str(), Block::decode(&line)), (Some(id), Ok(block)));
        let mut again = [0; 40];
        let length = block.encode(&mut again).expect("short enough");
        assert_eq!(&again[..length], line, "{id}");
    }
    assert_eq!(vectors.len(), 2);
}

#[test]
fn a_published_conversation_is_had_to_the_octet() {
    let vectors = vectors(include_str!("../../../../fixtures/frames/hdlc.json"));
    let line = |id: &str| {
        let vector = vectors.iter().find(|vector| vector["id"] == id).expect("it is there");
        octets(&vector["data"]["frame"])
    };
    let server = hdlc::ServerSettings {
        address: Address::two(1, 17).expect("in range"),
        client: None,
        parameters: Parameters::symmetric(154, 1),
        inter_octet_ms: 25,
        inactivity_ms: 0,
        calling: false,
    };
    let mut server = hdlc::Server::<200, 200>::new(server).expect("settings that work");
    let (connect, request, response) = (line("hdlc-snrm-1"), line("hdlc-i-aarq"), line("hdlc-i-aare"));
    assert_eq!(server.receive(&connect, 0), connect.len());
    assert!(matches!(server.poll_event(), Some(hdlc::ServerEvent::Connected { .. })));
    // Only here the meter of the conversation does otherwise: it offers 154 octets to a client that proposed nothing.
    let accepted = server.poll_transmit().expect("UA");
    assert_eq!(Frame::decode(accepted).expect("right").0.control.octet(), 0x73);
    assert_eq!(server.receive(&request, 0), request.len());
    assert!(matches!(server.poll_event(), Some(hdlc::ServerEvent::Message { octets: [0x60, ..], .. })));
    let (answer, _) = Frame::decode(&response).expect("right");
    server.answer(&answer.information[3..]).expect("expected");
    assert_eq!(server.poll_transmit(), Some(&response[..]));
    assert_eq!(server.poll_transmit(), None);
}
