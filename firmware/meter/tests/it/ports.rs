//! The ports: sign-on and HDLC on the optical head, the wrapper behind the network.

use meterbench_iec62056::hdlc::{Address, Client as Link, ClientEvent, ClientSettings, Expect, ParametersForm};
use meterbench_iec62056::readout::{Baud, Format};
use meterbench_iec62056::wrapper::Wpdu;
use meterbench_meter::Configuration;
use meterbench_meter::port::{NetworkPort, OpticalPort, PortAction};

use super::*;

/// A client's link to an optical port, octet by octet, on the meter's own time.
pub(super) struct Head {
    pub(super) meter: Meter,
    port: OpticalPort,
    pub(super) link: Link<300, 2048>,
    pub(super) to_client: Vec<u8>,
    switched: Vec<(Baud, Format)>,
}

impl Head {
    fn new(client: u16) -> Self {
        Self::of(meter(THREE_PHASE), client)
    }

    pub(super) fn of(meter: Meter, client: u16) -> Self {
        Self::addressed(meter, client, Address::two(1, 17).unwrap())
    }

    /// Of a client that writes the address of the meter so.
    fn addressed(meter: Meter, client: u16, server: Address) -> Self {
        let settings = ClientSettings {
            address: Address::one(client).unwrap(),
            server,
            proposal: None,
            form: ParametersForm::default(),
            inter_octet_ms: 500,
            response_ms: 1000,
            poll_pause_ms: 0,
            answer_ms: 5000,
            retries: 3,
        };
        let port = OpticalPort::new(&meter);
        Self { meter, port, link: Link::new(settings).unwrap(), to_client: Vec::new(), switched: Vec::new() }
    }

    pub(super) fn now(&self) -> u64 {
        self.meter.sample_index() / 8
    }

    /// Octets to the meter, and what it says at once.
    pub(super) fn give(&mut self, octets: &[u8]) {
        let Self { meter, port, to_client, switched, .. } = self;
        port.receive(meter, octets, |action| match action {
            PortAction::Transmit(octets) => to_client.extend_from_slice(octets),
            PortAction::Switch(line) => switched.push((line.baud, line.format)),
        });
    }

    /// A millisecond of the meter's time.
    fn pass(&mut self) {
        self.meter.process(&[Frame::default(); 8], |_| ());
        let Self { meter, port, to_client, switched, .. } = self;
        port.tick(meter, |action| match action {
            PortAction::Transmit(octets) => to_client.extend_from_slice(octets),
            PortAction::Switch(line) => switched.push((line.baud, line.format)),
        });
    }

    pub(super) fn said(&mut self, milliseconds: u64) -> Vec<u8> {
        for _ in 0..milliseconds {
            self.pass();
        }
        std::mem::take(&mut self.to_client)
    }

    /// Lets both ends talk until the client has a message, or an event of its link.
    pub(super) fn answer(&mut self) -> Option<Vec<u8>> {
        for _ in 0..10_000 {
            let now = self.now();
            while let Some(frame) = self.link.poll_transmit(now).map(<[u8]>::to_vec) {
                self.give(&frame);
            }
            let octets = std::mem::take(&mut self.to_client);
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let taken = self.link.receive(rest, now);
                rest = &rest[taken..];
                match self.link.poll_event() {
                    Some(ClientEvent::Message(octets)) => return Some(octets.to_vec()),
                    Some(_) => return None,
                    None => {}
                }
            }
            self.pass();
        }
        panic!("nobody says anything");
    }
}

pub(super) fn reads_the_name(head: &mut Head) {
    let now = head.now();
    head.link.connect(now);
    assert_eq!(head.answer(), None);
    assert!(head.link.is_connected());
    let mut client = Client::new(Credentials::public());
    let mut out = [0; 512];
    let length = client.associate(&mut out).unwrap();
    let now = head.now();
    head.link.send(&out[..length], Expect::Answer, now).unwrap();
    assert!(!client.associated(&head.answer().unwrap()).unwrap());
    let request = [0xC0, 1, 0xC1, 0, 1, 0, 0, 42, 0, 0, 255, 2, 0];
    let now = head.now();
    head.link.send(&request, Expect::Answer, now).unwrap();
    let answer = head.answer().unwrap();
    assert_eq!(answer, [&[0xC4, 1, 0xC1, 0, 9, 16][..], b"KAM3MB0010000001"].concat());
}

#[test]
fn a_flag_opens_hdlc_at_once_in_every_form_of_the_address() {
    for server in [Address::one(1), Address::two(1, 17), Address::four(1, 17)] {
        reads_the_name(&mut Head::addressed(meter(THREE_PHASE), 16, server.unwrap()));
    }
}

#[test]
fn mode_e_signs_on_at_300_and_hands_over_to_hdlc_at_9600() {
    let mut head = Head::new(16);
    head.give(b"/?!\r\n");
    assert_eq!(head.said(1500), b"/KAm5\\2MB\r\n");
    head.give(b"\x06252\r\n");
    while head.to_client.is_empty() {
        head.pass();
    }
    assert_eq!(head.said(0), b"\x06252\r\n", "the option comes back at the old rate");
    assert_eq!(head.switched, [(Baud::B9600, Format::EightNone)]);
    reads_the_name(&mut head);
    // After DISC the head begins anew.
    let now = head.now();
    head.link.disconnect(now).unwrap();
    assert_eq!(head.answer(), None);
    assert_eq!(head.switched[1..], [(Baud::B300, Format::SevenEven)]);
    head.give(b"/?!\r\n");
    assert_eq!(head.said(1500), b"/KAm5\\2MB\r\n");
}

#[test]
fn nothing_is_read_out_in_plain() {
    let mut head = Head::new(16);
    head.give(b"/?!\r\n");
    head.said(1500);
    head.give(b"\x06050\r\n");
    let said = head.said(5000);
    assert!(!said.windows(4).any(|four| four == b"1.8."), "{said:?}");
}

#[test]
fn the_wrapper_carries_an_association_and_what_is_none_closes_it() {
    let (mut meter, mut port) = (meter(THREE_PHASE), NetworkPort::default());
    let mut client = Client::new(Credentials::public());
    let mut apdu = [0; 256];
    let length = client.associate(&mut apdu).unwrap();
    let mut sent = [0; 300];
    let wpdu = Wpdu { source: 16, destination: 1, data: &apdu[..length] };
    let length = wpdu.encode(&mut sent).unwrap();
    let mut said = Vec::new();
    // In two pieces, as a network may deliver them.
    assert!(port.receive(&mut meter, &sent[..5], |octets| said.extend_from_slice(octets)));
    assert!(port.receive(&mut meter, &sent[5..length], |octets| said.extend_from_slice(octets)));
    let answer = Wpdu::decode_datagram(&said).unwrap();
    assert_eq!((answer.source, answer.destination), (1, 16));
    assert!(!client.associated(answer.data).unwrap());
    assert!(!port.receive(&mut meter, b"GET / HTTP/1.1\r\n", |_| ()));
}

#[test]
fn a_stray_flag_does_not_keep_the_head_for_ever() {
    let mut head = Head::new(16);
    head.give(&[0x7E]);
    head.give(b"/?!\r\n");
    assert_eq!(head.said(1500), b"");
    head.said(31_000);
    assert_eq!(head.switched, [], "the line never left 300 Bd");
    head.give(b"/?!\r\n");
    assert_eq!(head.said(1500), b"/KAm5\\2MB\r\n");
}

/// The software configuration of a fixture, with code Z11 (digits 20 and 21), Z18 (39 to 41) and Z28 (51) as given.
pub(crate) fn configuration(z11: &str, z18: &str, z28: &str) -> Configuration {
    let text = "41002-00101011-0000000100-000000001000-0000001000-30001031".replace('-', "");
    format!("{}{z11}{}{z18}{}{z28}{}", &text[..19], &text[21..38], &text[41..50], &text[51..]).parse().unwrap()
}

#[test]
fn an_omnipower_that_is_configured_so_reads_out_in_plain() {
    let type_number = "686-11-11B-N14-3001-001";
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    for (z18, plain) in [("000", false), ("001", true)] {
        let configuration = configuration("02", z18, "0");
        let settings = Settings::delivered().configured(&configuration);
        let meter = Meter::new(&profile, &settings)
            .unwrap()
            .with_identity(&identity(4711), type_number)
            .with_configuration(&configuration);
        let mut head = Head::of(meter, 16);
        head.give(b"/?!\r\n");
        head.said(1500);
        head.give(b"\x06050\r\n");
        let said = String::from_utf8(head.said(3000)).unwrap();
        assert!(said.starts_with('\x02') && said.contains("!\r\n\x03"), "{said:?}");
        assert_eq!(said.contains("1-0:1.8.0(000000.000*kWh)"), plain, "{said:?}");
        assert_eq!(said.contains("0-0:96.1.0(00004711)"), plain, "{said:?}");
    }
}

#[test]
fn the_configuration_says_where_on_the_map_the_meter_stands() {
    let type_number = "686-11-11B-N14-3001-001";
    let mut line = Line::new(type_number, Role::Reader, credentials(Role::Reader, false));
    line.meter = meter(type_number).with_configuration(&configuration("05", "000", "0"));
    line.associate().unwrap();
    assert_eq!(line.get(8, "0-0:1.0.0", 3).unwrap(), [16, 0xFE, 0xD4], "five hours east are -300 min");
}
