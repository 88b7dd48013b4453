//! Drives each machine with octets that mean anything: what to feed, when, and what the layer above does meanwhile.
//! Shared by the tests with seeds and by the fuzz targets.

use meterbench_iec62056::hdlc::*;
use meterbench_iec62056::readout::*;
use meterbench_iec62056::wrapper::{HEADER, Reassembler, Wpdu};

/// Octets, zero when there are none left.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    /// As many octets as the next one says, or as are left.
    fn take(&mut self, most: usize) -> &'a [u8] {
        let length = usize::from(self.next()) % (most + 1);
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

const FRAME: usize = 90;
const MESSAGE: usize = 120;
/// More than any machine here says without being asked anew.
const ENOUGH: usize = 500;

fn own() -> Address {
    Address::two(1, 17).expect("in range")
}

/// A frame with right check sequences, and maybe with a damaged octet.
fn frame(input: &mut Input<'_>, to_server: bool, line: &mut [u8; 300]) -> usize {
    let choice = input.next();
    let server = match choice & 7 {
        0 => Address::one(1).expect("in range"),
        1 => Address::two(0x7F, 0x7F).expect("in range"),
        2 => Address::four(1, 17).expect("in range"),
        3 => Address::two(1, 0x7E).expect("in range"),
        _ => own(),
    };
    let client = if choice & 0x38 == 0 { Address::MANAGEMENT_CLIENT } else { Address::PUBLIC_CLIENT };
    let (destination, source) = if to_server { (server, client) } else { (client, server) };
    // Half of the control fields are those of an orderly conversation, half of the messages begin as they should.
    const ORDERLY: [u8; 16] =
        [0x93, 0x10, 0x11, 0x31, 0x32, 0x52, 0x54, 0x51, 0x74, 0x71, 0x30, 0x12, 0x00, 0x73, 0x53, 0x03];
    let (orderly, octet) = (input.next(), input.next());
    let octet = if orderly & 1 == 0 { ORDERLY[usize::from(octet) % ORDERLY.len()] } else { octet };
    let mut information = [0; 64];
    let start = if orderly & 2 == 0 { 3 } else { 0 };
    information[..3].copy_from_slice(if to_server { &LLC_TO_SERVER } else { &LLC_TO_CLIENT });
    let data = input.take(60);
    information[start..start + data.len()].copy_from_slice(data);
    let empty = matches!(octet & 0x0F, 0x01 | 0x05) && orderly & 4 == 0;
    let frame = Frame {
        segmented: choice & 0x80 != 0,
        information: if empty { &[] } else { &information[..start + data.len()] },
        ..Frame::bare(destination, source, Control::from_octet(octet))
    };
    let length = frame.encode(line).expect("fits");
    if choice & 0x40 != 0 && input.next() < 16 {
        line[usize::from(input.next()) % length] ^= input.next();
    }
    length
}

/// Returns how much came of it.
pub(crate) fn hdlc_server(octets: &[u8]) -> usize {
    let mut input = Input(octets);
    let configuration = input.next();
    let settings = ServerSettings {
        address: own(),
        client: (configuration & 1 != 0).then_some(Address::PUBLIC_CLIENT),
        parameters: Parameters::symmetric(40 + u16::from(configuration & 0x1F), 1 + (configuration >> 5) % 7),
        inter_octet_ms: 25,
        inactivity_ms: 2000,
        calling: configuration & 2 != 0,
    };
    let mut server = Server::<FRAME, MESSAGE>::new(settings).expect("settings that work");
    let (mut now_ms, mut total) = (0, 0);
    while !input.0.is_empty() {
        let mut line = [0; 300];
        let choice = input.next();
        let mut fed = match choice & 7 {
            0 => input.take(100),
            1 => {
                now_ms += u64::from(input.next()) * 16;
                server.tick(now_ms);
                &[]
            }
            2 => {
                let _ = server.answer(input.take(MESSAGE + 1));
                &[]
            }
            3 if choice & 0x38 == 0 => {
                let _ = server.push(Address::PUBLIC_CLIENT, input.take(MESSAGE));
                server.no_answer();
                &[]
            }
            4 if choice & 0x18 == 0 => &[0x7E, 0xA0, 0x08, 0x02, 0x23, 0x21, 0x93, 0xBD, 0x64, 0x7E],
            _ => {
                let length = frame(&mut input, true, &mut line);
                &line[..length]
            }
        };
        let drain = choice & 0xC0 != 0;
        loop {
            let taken = server.receive(fed, now_ms);
            assert!(taken <= fed.len() && (taken > 0 || fed.is_empty()), "it goes on");
            fed = &fed[taken..];
            if drain {
                while server.poll_event().is_some() {
                    total += 1;
                }
            }
            let mut said = 0;
            while let Some(line) = server.poll_transmit() {
                assert!(Frame::decode(line).is_ok_and(|(_, length)| length == line.len()));
                said += 1;
                assert!(said < ENOUGH, "it falls silent");
            }
            total += said;
            if fed.is_empty() {
                break;
            }
        }
        let _ = (server.deadline(), server.is_connected());
    }
    total
}

/// Returns how much came of it.
pub(crate) fn hdlc_client(octets: &[u8]) -> usize {
    let mut input = Input(octets);
    let configuration = input.next();
    let parameters = Parameters::symmetric(40 + u16::from(configuration & 0x1F), 1 + (configuration >> 5) % 7);
    let settings = ClientSettings {
        address: Address::PUBLIC_CLIENT,
        server: own(),
        proposal: (configuration & 1 != 0).then_some(parameters),
        form: ParametersForm::ByValue,
        inter_octet_ms: 25,
        response_ms: 300,
        poll_pause_ms: 50,
        answer_ms: 3000,
        retries: 3,
    };
    // Without a proposal 128 octets count.
    let mut client = Client::<160, MESSAGE>::new(settings).expect("settings that work");
    let (mut now_ms, mut total) = (0, 0);
    client.connect(now_ms);
    while !input.0.is_empty() {
        let mut line = [0; 300];
        let choice = input.next();
        let mut fed = match choice & 7 {
            0 => input.take(100),
            1 => {
                now_ms += u64::from(input.next()) * 4;
                client.tick(now_ms);
                &[]
            }
            2 => {
                let expect = if choice & 8 == 0 { Expect::Answer } else { Expect::Acknowledgement };
                let _ = client.send(input.take(MESSAGE + 1), expect, now_ms);
                &[]
            }
            3 if choice & 0x38 == 0 => {
                let _ = client.disconnect(now_ms);
                let _ = client.send_unnumbered(input.take(MESSAGE));
                &[]
            }
            3 if choice & 0x38 == 8 => {
                client.connect(now_ms);
                &[]
            }
            4 if choice & 0x18 == 0 => {
                let accepted = Control::UnnumberedAcknowledge { poll: true };
                let length = Frame::bare(Address::PUBLIC_CLIENT, own(), accepted).encode(&mut line).expect("fits");
                &line[..length]
            }
            _ => {
                let length = frame(&mut input, false, &mut line);
                &line[..length]
            }
        };
        let drain = choice & 0xC0 != 0;
        loop {
            let taken = client.receive(fed, now_ms);
            assert!(taken <= fed.len() && (taken > 0 || fed.is_empty()), "it goes on");
            fed = &fed[taken..];
            if drain {
                while client.poll_event().is_some() {
                    total += 1;
                }
            }
            let mut said = 0;
            while let Some(line) = client.poll_transmit(now_ms) {
                assert!(Frame::decode(line).is_ok_and(|(_, length)| length == line.len()));
                said += 1;
                assert!(said < ENOUGH, "it falls silent");
            }
            total += said;
            if fed.is_empty() {
                break;
            }
        }
        let _ = (client.deadline(), client.is_connected());
    }
    total
}

/// Returns how much came of it.
pub(crate) fn wrapper(octets: &[u8]) -> usize {
    let mut input = Input(octets);
    let mut reassembler = Reassembler::<64>::default();
    let mut total = 0;
    while !input.0.is_empty() {
        let mut message = [0; 100];
        let choice = input.next();
        let mut fed = if choice & 1 == 0 {
            input.take(80)
        } else {
            let data = input.take(70);
            let length = Wpdu { source: 16, destination: 1, data }.encode(&mut message).expect("fits");
            if choice & 0xF0 == 0 {
                message[usize::from(input.next()) % length] = input.next();
            }
            &message[..length]
        };
        if let Ok(datagram) = Wpdu::decode_datagram(fed) {
            let mut again = [0; 300];
            assert_eq!(datagram.encode(&mut again), Ok(fed.len()));
            assert_eq!(&again[..fed.len()], fed);
        }
        while !fed.is_empty() {
            match reassembler.push(fed) {
                Ok(taken) => {
                    assert!(taken > 0, "it goes on");
                    fed = &fed[taken..];
                }
                Err(_) => {
                    reassembler.reset();
                    break;
                }
            }
            assert!(reassembler.message().is_none_or(|message| message.data.len() + HEADER <= 72));
            total += usize::from(reassembler.message().is_some());
        }
    }
    total
}

/// Characters for either end: anything, lines that begin right, blocks with a right check character.
fn characters(input: &mut Input<'_>, message: &mut [u8; 100]) -> usize {
    let choice = input.next();
    const LINES: [&[u8]; 8] =
        [b"/?!\r\n", b"\x06052\r\n", b"\x06051\r\n", b"\x06252\r\n", b"/KAM5\\2X\r\n", b"/KAM@X\r\n", b"\x06", b"\x15"];
    let data = if choice & 1 == 0 { &[] } else { input.take(30) };
    let command = (choice & 0x10 != 0).then(|| (b"PRWEB"[usize::from(choice) % 5], b'0' + (choice >> 5)));
    let block = Block { command, data: Some(data), more: input.next() & 3 == 0 };
    let length = match choice & 3 {
        0 | 2 => {
            let line = LINES[usize::from(choice >> 2) % LINES.len()];
            message[..line.len()].copy_from_slice(line);
            line.len()
        }
        1 => {
            message[..data.len()].copy_from_slice(data);
            data.len()
        }
        _ => block.encode(message).expect("fits"),
    };
    if input.next() < 16 && length > 0 {
        message[usize::from(input.next()) % length] ^= input.next();
    }
    length
}

/// Returns how much came of it.
pub(crate) fn readout_meter(octets: &[u8]) -> usize {
    let mut input = Input(octets);
    let mode = match input.next() % 3 {
        0 => Mode::A,
        1 => Mode::C(Baud::B9600),
        _ => Mode::E(Baud::B19200),
    };
    let settings = MeterSettings {
        manufacturer: *b"KAm",
        text: b"X",
        address: b"1",
        mode,
        programming: Some(b"()"),
        partial_block: 7,
        inactivity_ms: 2000,
    };
    let mut meter = Meter::<64>::new(settings).expect("settings that work");
    let (mut now_ms, mut total) = (0, 0);
    while !input.0.is_empty() {
        now_ms += u64::from(input.next()) * 4;
        let mut message = [0; 100];
        let length = characters(&mut input, &mut message);
        let mut fed = &message[..length];
        if input.next() < 8 {
            meter.restart();
        }
        loop {
            let taken = meter.receive(fed, now_ms);
            assert!(taken <= fed.len() && (taken > 0 || fed.is_empty()), "it goes on");
            fed = &fed[taken..];
            let mut said = 0;
            // Waits out every reaction time.
            while let Some(wanted) = meter.poll(now_ms).map(|action| match action {
                MeterAction::Transmit(characters) => {
                    assert!(!characters.is_empty());
                    0
                }
                MeterAction::Switch(_) | MeterAction::SignedOff => 0,
                MeterAction::Readout { .. } => 1,
                MeterAction::Command { .. } => 2,
                MeterAction::Hdlc => 3,
            }) {
                let reply = input.next();
                let _ = match (wanted, reply % 5) {
                    (1, _) => meter.readout(input.take(65)),
                    (2, 0) => meter.acknowledge(),
                    (2, 1) => meter.refuse(),
                    (2, 2) => meter.break_off(),
                    (2, 3) => meter.answer(b"1.8.0(0123456789)(0123456789)"),
                    (2, _) => meter.answer(input.take(65)),
                    (3, 0) => {
                        meter.restart();
                        Ok(())
                    }
                    _ => Ok(()),
                };
                said += 1;
                assert!(said < ENOUGH, "it falls silent");
            }
            total += said;
            if let Some(at) = meter.deadline().filter(|&at| at < now_ms + 500) {
                now_ms = now_ms.max(at);
                meter.tick(now_ms);
            } else if fed.is_empty() {
                break;
            }
        }
    }
    total
}

/// Returns how much came of it.
pub(crate) fn readout_tester(octets: &[u8]) -> usize {
    let mut input = Input(octets);
    let goal = match input.next() % 3 {
        0 => Goal::Readout { list: b'0' },
        1 => Goal::Programming,
        _ => Goal::Hdlc,
    };
    let settings = TesterSettings { address: b"", goal, baud: Baud::B9600, response_ms: 2000, retries: 2 };
    let mut tester = Tester::<64>::new(settings).expect("settings that work");
    let (mut now_ms, mut total) = (0, 0);
    tester.start(now_ms);
    while !input.0.is_empty() {
        now_ms += u64::from(input.next()) * 4;
        let mut message = [0; 100];
        let length = characters(&mut input, &mut message);
        let mut fed = &message[..length];
        match input.next() & 0x1F {
            0 => tester.start(now_ms),
            1 => {
                let _ = tester.sign_off(now_ms);
            }
            2..=8 => {
                let _ = tester.command(b'R', b'1', input.take(65), now_ms);
            }
            _ => {}
        }
        let mut rounds = 0;
        loop {
            let taken = tester.receive(fed, now_ms);
            assert!(taken <= fed.len() && (taken > 0 || fed.is_empty()), "it goes on");
            fed = &fed[taken..];
            while let Some(action) = tester.poll(now_ms) {
                (rounds, total) = (rounds + 1, total + 1);
                assert!(rounds < ENOUGH, "it falls silent");
                if let TesterAction::Transmit(characters) = action {
                    assert!(!characters.is_empty());
                }
            }
            if let Some(at) = tester.deadline().filter(|&at| at < now_ms + 500) {
                now_ms = now_ms.max(at);
                tester.tick(now_ms);
                rounds += 1;
                assert!(rounds < ENOUGH, "it falls silent");
            } else if fed.is_empty() {
                break;
            }
        }
    }
    total
}
