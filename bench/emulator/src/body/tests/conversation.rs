//! One conversation with each body: what its ports say, and at which sample, must be the same.

use meterbench_iec62056::acse::Mechanism;
use meterbench_iec62056::apdu::{Apdu, AttributeDescriptor, GetRequest, GetResponse};
use meterbench_iec62056::client::{Client, Credentials};
use meterbench_iec62056::hdlc::{Address, Client as Link, ClientEvent, ClientSettings, Expect, ParametersForm};
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{Key, SystemTitle};
use meterbench_iec62056::wrapper::Wpdu;
use meterbench_meter::cosem::Role;
use meterbench_meter::port::{Baud, Format, Line};

use super::*;

/// Samples of a millisecond.
const STEP: u64 = 8;

/// What a port said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Octets(Vec<u8>),
    Switch(Line),
    Standing(Standing),
}

/// The other end of a port: octets to it, and what it said, with the sample of each.
struct Talk<'b> {
    body: &'b mut Body,
    port: Port,
    sample: u64,
    said: Vec<(u64, Said)>,
    heard: Vec<u8>,
}

impl<'b> Talk<'b> {
    fn open(body: &'b mut Body, port: Port, sample: u64) -> Self {
        body.open_port(port).unwrap();
        Self { body, port, sample, said: Vec::new(), heard: Vec::new() }
    }

    fn milliseconds(&self) -> u64 {
        self.sample / STEP
    }

    fn give(&mut self, octets: &[u8]) {
        let Self { body, port, sample, said, heard } = self;
        let act = |action: PortAction<'_>| {
            said.push((
                *sample,
                match action {
                    PortAction::Transmit(octets) => {
                        heard.extend_from_slice(octets);
                        Said::Octets(octets.to_vec())
                    }
                    PortAction::Switch(line) => Said::Switch(line),
                },
            ));
        };
        let standing = body.speak(*port, octets, act).unwrap();
        said.push((*sample, Said::Standing(standing)));
    }

    /// A millisecond of 50 Hz, 230 V and 10 A.
    fn pass(&mut self) {
        let at = |n: u64, peak: f64| (peak * (std::f64::consts::TAU * n as f64 / 160.0).cos()) as i32;
        let frame = |n| Frame { voltage: [at(n, 4_548_000.0); 3], current: [at(n, 593_100.0); 3] };
        let frames: Vec<Frame> = (self.sample..self.sample + STEP).map(frame).collect();
        self.body.process(&frames, |_| ()).unwrap();
        self.sample += STEP;
        self.give(&[]);
    }

    /// What comes within a second, up to this end.
    fn hear(&mut self, end: &[u8]) -> Vec<u8> {
        for _ in 0..1000 {
            if self.heard.ends_with(end) {
                break;
            }
            self.pass();
        }
        std::mem::take(&mut self.heard)
    }

    /// From 300 Bd to HDLC at 9600 Bd.
    fn sign_on(&mut self) {
        self.give(b"/?!\r\n");
        assert_eq!(self.hear(b"\r\n"), b"/KAm5\\2MB\r\n");
        self.give(b"\x06252\r\n");
        assert_eq!(self.hear(b"\r\n"), b"\x06252\r\n");
    }
}

/// A client behind HDLC.
struct Head<'t, 'b> {
    talk: &'t mut Talk<'b>,
    link: Link<300, 2048>,
    client: Client,
}

impl<'t, 'b> Head<'t, 'b> {
    /// Signs on, connects and associates.
    fn associate(talk: &'t mut Talk<'b>, role: Role, credentials: Credentials) -> Self {
        talk.sign_on();
        let settings = ClientSettings {
            address: Address::one(role.client()).unwrap(),
            server: Address::two(1, 17).unwrap(),
            proposal: None,
            form: ParametersForm::default(),
            inter_octet_ms: 500,
            response_ms: 1000,
            poll_pause_ms: 0,
            answer_ms: 5000,
            retries: 0,
        };
        let mut head = Self { talk, link: Link::new(settings).unwrap(), client: Client::new(credentials) };
        head.link.connect(head.talk.milliseconds());
        assert_eq!(head.answer(), None);
        assert!(head.link.is_connected());
        let mut out = [0; 512];
        let length = head.client.associate(&mut out).unwrap();
        let answer = head.exchange(&out[..length]);
        if head.client.associated(&answer).unwrap() {
            let length = head.client.reply(&mut out).unwrap();
            let answer = head.exchange(&out[..length]);
            head.client.replied(&answer).unwrap();
        }
        head
    }

    fn exchange(&mut self, apdu: &[u8]) -> Vec<u8> {
        self.link.send(apdu, Expect::Answer, self.talk.milliseconds()).unwrap();
        self.answer().expect("an answer")
    }

    /// Lets both ends talk until the client has a message, or an event of its link.
    fn answer(&mut self) -> Option<Vec<u8>> {
        for _ in 0..5000 {
            while let Some(frame) = self.link.poll_transmit(self.talk.milliseconds()).map(<[u8]>::to_vec) {
                self.talk.give(&frame);
            }
            let octets = std::mem::take(&mut self.talk.heard);
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let taken = self.link.receive(rest, self.talk.milliseconds());
                rest = &rest[taken..];
                match self.link.poll_event() {
                    Some(ClientEvent::Message(octets)) => return Some(octets.to_vec()),
                    Some(_) => return None,
                    None => {}
                }
            }
            self.talk.pass();
        }
        panic!("nobody says anything");
    }

    fn ask(&mut self, request: GetRequest<'_>) -> Vec<u8> {
        let mut plain = [0; 512];
        let mut writer = Writer::new(&mut plain);
        request.encode(&mut writer);
        let length = writer.finish().unwrap();
        let mut out = [0; 1024];
        let length = self.client.request(&plain[..length], &mut out).unwrap();
        let answer = self.exchange(&out[..length]);
        let mut opened = [0; 1024];
        self.client.open(&answer, &mut opened).unwrap().to_vec()
    }

    /// The value of an attribute, and in how many blocks it came.
    fn get(&mut self, class: u16, name: &str, attribute: i8) -> (Vec<u8>, u32) {
        let attribute = AttributeDescriptor { class, name: name.parse().unwrap(), attribute };
        let (mut whole, mut blocks) = (Vec::new(), 0);
        let invoke = self.client.next_invoke();
        let mut answer = self.ask(GetRequest::Normal { invoke, reference: attribute.into() });
        loop {
            blocks += 1;
            match Apdu::decode(&answer).unwrap() {
                Apdu::GetResponse(GetResponse::Normal { result, .. }) => {
                    return (result.unwrap().octets().to_vec(), blocks);
                }
                Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, .. }) => {
                    whole.extend_from_slice(result.unwrap());
                    if last {
                        return (whole, blocks);
                    }
                    let invoke = self.client.next_invoke();
                    answer = self.ask(GetRequest::Next { invoke, number });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn disconnect(mut self) {
        self.link.disconnect(self.talk.milliseconds()).unwrap();
        assert_eq!(self.answer(), None);
        assert!(!self.link.is_connected());
    }
}

/// The public client over mode E, then a reader with HLS5 and the whole object list, then the public client over the network.
fn converse(mut body: Body) -> Vec<(u64, Said)> {
    let mut talk = Talk::open(&mut body, Port::Optical, 0);
    let mut public = Head::associate(&mut talk, Role::Public, Credentials::public());
    let (counter, _) = public.get(1, "0-0:43.1.3", 2);
    assert_eq!(counter, [6, 0, 0, 0, 0]);
    public.disconnect();
    let keys = test_identity("1001").keys[1];
    let credentials = Credentials {
        mechanism: Mechanism::HIGH_GMAC,
        secret: [0x5A; 16],
        title: SystemTitle(*b"MBB\0\0\0\0\x01"),
        keys: Some((Key(keys.encryption), Key(keys.authentication))),
        counter: 0,
        general: false,
        dedicated: None,
    };
    let mut reader = Head::associate(&mut talk, Role::Reader, credentials);
    let (list, blocks) = reader.get(15, "0-0:40.0.0", 2);
    assert!(list[0] == 1 && list.len() > 3000 && blocks >= 4, "{blocks} blocks, {} octets", list.len());
    let (volt, _) = reader.get(3, "1-0:32.7.0", 2);
    assert_ne!(volt[1..], [0; 4], "{volt:?}");
    reader.disconnect();
    let Talk { sample, mut said, .. } = talk;
    let network = Talk::open(&mut body, Port::SecondNetwork, sample);
    said.extend(ask_over_network(network));
    said
}

fn ask_over_network(mut talk: Talk<'_>) -> Vec<(u64, Said)> {
    let mut client = Client::new(Credentials::public());
    let (mut apdu, mut sent) = ([0; 256], [0; 300]);
    let length = client.associate(&mut apdu).unwrap();
    let length = Wpdu { source: 16, destination: 1, data: &apdu[..length] }.encode(&mut sent).unwrap();
    talk.give(&sent[..length]);
    assert!(!client.associated(Wpdu::decode_datagram(&talk.heard).unwrap().data).unwrap());
    // What is no wrapper closes the connection.
    talk.give(b"GET / HTTP/1.1\r\n");
    assert_eq!(
        talk.said.last().map(|(_, said)| said),
        Some(&Said::Standing(Standing { closed: true, due_in_ms: None }))
    );
    talk.said
}

fn is_the_same(native: &[(u64, Said)], other: &[(u64, Said)]) {
    for (n, (native, other)) in native.iter().zip(other).enumerate() {
        assert_eq!(native, other, "the {n}th that was said");
    }
    assert_eq!(native.len(), other.len());
    let switches: Vec<Line> = native
        .iter()
        .filter_map(|(_, said)| match said {
            Said::Switch(line) => Some(*line),
            _ => None,
        })
        .collect();
    let fast = Line { baud: Baud::B9600, format: Format::EightNone };
    assert_eq!(switches, [fast, Line::INITIAL, fast, Line::INITIAL]);
}

fn native() -> Vec<(u64, Said)> {
    converse(Body::native(&make(THREE_PHASE), &Settings::delivered()).unwrap())
}

#[test]
fn the_ports_of_a_body_behind_the_wire_say_what_those_of_a_body_here_say() {
    let near = Near::body(THREE_PHASE, &Settings::delivered(), u32::MAX, |_, _| ()).unwrap();
    is_the_same(&native(), &converse(near));
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn the_ports_of_a_body_in_qemu_say_what_those_of_a_body_here_say() {
    let compared = Arc::new(Mutex::new(Compared::default()));
    let both =
        Both { native: Served::new(), process: qemu().start().unwrap(), lost_in: None, compared: compared.clone() };
    let body = LockStep::configure(Box::new(both), &make(THREE_PHASE), &Settings::delivered()).unwrap();
    converse(Body::LockStep(Box::new(body)));
    let Compared { blocks, first_difference, .. } = *compared.lock().unwrap();
    assert_eq!(first_difference, None);
    let alone = Body::new(&BodyConfig::Qemu(qemu()), &make(THREE_PHASE), &Settings::delivered()).unwrap();
    let (native, alone) = (native(), converse(alone));
    is_the_same(&native, &alone);
    let octets: usize =
        native.iter().map(|(_, said)| if let Said::Octets(octets) = said { octets.len() } else { 0 }).sum();
    println!("{octets} octets over the ports, the same at the same samples; {blocks} exchanges equal");
}
