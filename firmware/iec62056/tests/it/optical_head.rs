//! A meter and a tester over an optical head that takes its time, may echo, and may damage characters.

use std::collections::VecDeque;

use meterbench_iec62056::readout::*;

use super::random::Random;

/// What waits to leave one end.
enum Item {
    Character(u8),
    Set(Line),
}

/// The port of one end: how it is set, and what it has to send.
struct Port {
    line: Line,
    waiting: VecDeque<Item>,
    free_at_us: u64,
}

impl Port {
    fn new() -> Self {
        Self { line: Line::INITIAL, waiting: VecDeque::new(), free_at_us: 0 }
    }

    /// The next character that has left by now, and how the line was set for it.
    fn step(&mut self, now_us: u64) -> Option<(u8, Line)> {
        while now_us >= self.free_at_us {
            match self.waiting.pop_front()? {
                Item::Set(line) => self.line = line,
                Item::Character(character) => {
                    self.free_at_us = now_us + 10_000_000 / u64::from(self.line.baud.bits_per_second());
                    return Some((character, self.line));
                }
            }
        }
        None
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Identified(String),
    Data(String),
    Operand(String),
    Acknowledged,
    Refused,
    Answer(String),
    SignedOff,
    Hdlc(bool),
    Failed(TesterFailure),
}

const DATA: &[u8] = b"1-0:1.8.0(000123.45*kWh)\r\n1-0:2.8.0(000000.67*kWh)\r\n0.0.0(12345678)\r\n";
const PROFILE: &[u8] = b"P.01(0)(1)(2)(3)(4)(5)(6)(7)(8)(9)(10)(11)(12)(13)(14)(15)(16)(17)(18)(19)(20)(21)(22)";

struct Bench<'a> {
    meter: Meter<'a, 256>,
    tester: Tester<'a, 256>,
    meter_port: Port,
    tester_port: Port,
    echo: bool,
    /// A character is damaged, or lost, once in so many.
    damaged: usize,
    lost: usize,
    random: Random,
    said: Vec<Said>,
    commands: Vec<(u8, u8, Vec<u8>)>,
    meter_signed_off: u32,
    hdlc: bool,
}

fn meter(mode: Mode) -> MeterSettings<'static> {
    MeterSettings {
        manufacturer: *b"KAM",
        text: b"OMNIA",
        address: b"00012345",
        mode,
        programming: Some(b"(87654321)"),
        partial_block: 30,
        inactivity_ms: 60_000,
    }
}

fn tester(goal: Goal, baud: Baud) -> TesterSettings<'static> {
    TesterSettings { address: b"12345", goal, baud, response_ms: 2000, retries: 3 }
}

impl<'a> Bench<'a> {
    fn new(meter: MeterSettings<'a>, tester: TesterSettings<'a>, echo: bool) -> Self {
        Self {
            meter: Meter::new(meter).unwrap(),
            tester: Tester::new(tester).unwrap(),
            meter_port: Port::new(),
            tester_port: Port::new(),
            echo,
            damaged: 0,
            lost: 0,
            random: Random(1),
            said: Vec::new(),
            commands: Vec::new(),
            meter_signed_off: 0,
            hdlc: false,
        }
    }

    fn run_meter(&mut self, now_ms: u64) {
        self.meter.tick(now_ms);
        while let Some(action) = self.meter.poll(now_ms) {
            let reply = match action {
                MeterAction::Transmit(characters) => {
                    self.meter_port.waiting.extend(characters.iter().map(|&character| Item::Character(character)));
                    continue;
                }
                MeterAction::Switch(line) => {
                    self.meter_port.waiting.push_back(Item::Set(line));
                    continue;
                }
                MeterAction::Hdlc => {
                    self.hdlc = true;
                    continue;
                }
                MeterAction::SignedOff => {
                    self.meter_signed_off += 1;
                    continue;
                }
                MeterAction::Readout { .. } => Ok(DATA.to_vec()),
                MeterAction::Command { letter, digit, data } => {
                    self.commands.push((letter, digit, data.to_vec()));
                    match (letter, digit) {
                        (b'P', _) if data != b"(secret)" => Err(None),
                        (b'R', b'3') => Ok(PROFILE.to_vec()),
                        (b'R', _) => Ok(b"(ER01)".to_vec()),
                        (b'E', _) => Err(Some(REFUSE)),
                        _ => Err(Some(ACKNOWLEDGE)),
                    }
                }
            };
            match reply {
                Ok(data) if self.meter.readout(&data).is_ok() => {}
                Ok(data) => self.meter.answer(&data).unwrap(),
                Err(Some(REFUSE)) => self.meter.refuse().unwrap(),
                Err(Some(_)) => self.meter.acknowledge().unwrap(),
                Err(None) => self.meter.break_off().unwrap(),
            }
        }
    }

    fn run_tester(&mut self, now_ms: u64) {
        self.tester.tick(now_ms);
        let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
        while let Some(action) = self.tester.poll(now_ms) {
            self.said.push(match action {
                TesterAction::Transmit(characters) => {
                    self.tester_port.waiting.extend(characters.iter().map(|&character| Item::Character(character)));
                    continue;
                }
                TesterAction::Switch(line) => {
                    self.tester_port.waiting.push_back(Item::Set(line));
                    continue;
                }
                TesterAction::Identified(identification) => Said::Identified(text(identification.text)),
                TesterAction::Data(data) => Said::Data(text(data)),
                TesterAction::Operand(data) => Said::Operand(text(data)),
                TesterAction::Acknowledged => Said::Acknowledged,
                TesterAction::Refused => Said::Refused,
                TesterAction::Answer { data, .. } => Said::Answer(text(data)),
                TesterAction::SignedOff => Said::SignedOff,
                TesterAction::Hdlc { confirmed } => Said::Hdlc(confirmed),
                TesterAction::Failed(why) => Said::Failed(why),
            });
        }
    }

    /// What becomes of a character; with wrong settings, nothing sensible.
    fn arriving(&mut self, character: u8, sent: Line, received: Line) -> Option<u8> {
        if self.random.once_in(self.lost) {
            return None;
        }
        let garbage = sent != received || self.random.once_in(self.damaged);
        Some(if garbage { self.random.next() as u8 } else { character })
    }

    /// Runs until so many things were said, or nothing happens any more. Returns how long it took [ms].
    fn run(&mut self, from_ms: u64, said: usize) -> u64 {
        let mut now_us = from_ms * 1000;
        while self.said.len() < said && now_us < (from_ms + 200_000) * 1000 {
            let now_ms = now_us / 1000;
            self.run_tester(now_ms);
            self.run_meter(now_ms);
            if let Some((character, line)) = self.tester_port.step(now_us) {
                if let Some(character) = self.arriving(character, line, self.meter_port.line) {
                    assert_eq!(self.meter.receive(&[character], now_ms), 1);
                }
                if self.echo {
                    assert_eq!(self.tester.receive(&[character], now_ms), 1);
                }
            }
            self.run_meter(now_ms);
            self.run_tester(now_ms);
            if let Some((character, line)) = self.meter_port.step(now_us)
                && let Some(character) = self.arriving(character, line, self.tester_port.line)
            {
                assert_eq!(self.tester.receive(&[character], now_ms), 1);
            }
            self.run_tester(now_ms);
            if self.said.len() >= said {
                break;
            }
            // On to the next moment at which anything can happen.
            let leaves = [&self.meter_port, &self.tester_port].into_iter().filter(|port| !port.waiting.is_empty());
            let due = [self.meter.deadline(), self.tester.deadline()].into_iter().flatten().map(|at| at * 1000);
            let Some(next) = leaves.map(|port| port.free_at_us).chain(due).min() else { break };
            now_us = next.max(now_us + 500);
        }
        now_us / 1000
    }
}

#[test]
fn a_readout_in_modes_a_and_c() {
    for echo in [false, true] {
        for (mode, most, expected) in [
            (Mode::A, Baud::B9600, Baud::B300),
            (Mode::C(Baud::B9600), Baud::B9600, Baud::B9600),
            (Mode::C(Baud::B2400), Baud::B19200, Baud::B2400),
            (Mode::E(Baud::B9600), Baud::B300, Baud::B300),
            (Mode::C(Baud::B19200), Baud::B19200, Baud::B19200),
        ] {
            let mut bench = Bench::new(meter(mode), tester(Goal::Readout { list: b'0' }, most), echo);
            bench.tester.start(0);
            let took_ms = bench.run(0, 2);
            let data = String::from_utf8(DATA.to_vec()).unwrap();
            assert_eq!(bench.said, [Said::Identified("OMNIA".into()), Said::Data(data)], "{mode:?}, echo {echo}");
            assert_eq!(bench.tester.head_echoes(), Some(echo));
            let fastest = expected.duration_ms(DATA.len());
            assert!(took_ms > fastest && took_ms < fastest + 3000, "{mode:?}: {took_ms} ms");
            // Another conversation, after the silence the standard wants.
            bench.said.clear();
            bench.run(took_ms, 1);
            assert_eq!((bench.meter_port.line, bench.tester_port.line), (Line::INITIAL, Line::INITIAL));
            bench.tester.start(took_ms + 200_000);
            bench.run(took_ms + 200_000, 2);
            assert_eq!(bench.said.len(), 2);
        }
    }
}

#[test]
fn mode_e_hands_both_ends_over_at_the_same_rate() {
    for echo in [false, true] {
        for most in [Baud::B300, Baud::B4800, Baud::B19200] {
            let mut bench = Bench::new(meter(Mode::E(Baud::B9600)), tester(Goal::Hdlc, most), echo);
            bench.tester.start(0);
            let at = bench.run(0, 2);
            assert_eq!(bench.said, [Said::Identified("OMNIA".into()), Said::Hdlc(true)], "echo {echo}");
            bench.run(at, 3);
            assert!(bench.hdlc);
            let line = Line { baud: most.min(Baud::B9600), format: Format::EightNone };
            assert_eq!((bench.meter_port.line, bench.tester_port.line), (line, line));
            bench.meter.restart();
            bench.run_meter(at + 1000);
            bench.run(at + 1000, 3);
            assert_eq!(bench.meter_port.line, Line::INITIAL);
        }
    }
}

#[test]
fn the_line_is_switched_as_soon_as_the_confirmation_is_handed_out() {
    let mut meter = Meter::<64>::new(meter(Mode::E(Baud::B9600))).unwrap();
    let _ = meter.receive(b"/?!\r\n", 0);
    assert!(matches!(meter.poll(200), Some(MeterAction::Transmit(b"/KAM5\\2OMNIA\r\n"))));
    assert_eq!(meter.poll(200), None);
    let _ = meter.receive(b"\x06252\r\n", 1000);
    let due = meter.deadline().unwrap();
    assert_eq!(meter.poll(due), Some(MeterAction::Transmit(b"\x06252\r\n")));
    let switched = Line { baud: Baud::B9600, format: Format::EightNone };
    assert_eq!(meter.poll(due), Some(MeterAction::Switch(switched)));
    assert_eq!(meter.poll(due), Some(MeterAction::Hdlc));
}

#[test]
fn a_meter_without_hdlc_says_so() {
    let mut bench = Bench::new(meter(Mode::C(Baud::B9600)), tester(Goal::Hdlc, Baud::B9600), false);
    bench.tester.start(0);
    bench.run(0, 2);
    assert_eq!(bench.said, [Said::Identified("OMNIA".into()), Said::Failed(TesterFailure::NotOffered)]);
}

#[test]
fn the_programming_mode() {
    for echo in [false, true] {
        let mut bench = Bench::new(meter(Mode::C(Baud::B4800)), tester(Goal::Programming, Baud::B9600), echo);
        bench.tester.start(0);
        let mut now_ms = bench.run(0, 2);
        assert_eq!(bench.said[1], Said::Operand("(87654321)".into()));
        bench.said.clear();
        let partial: Vec<_> = PROFILE.chunks(30).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect();
        for (letter, digit, data, replies) in [
            (b'P', b'1', &b"(secret)"[..], vec![Said::Acknowledged]),
            (b'R', b'1', b"9.9()", vec![Said::Answer("(ER01)".into())]),
            (b'W', b'1', b"C.1(1234)", vec![Said::Acknowledged]),
            (b'R', b'3', b"P.01()", partial.into_iter().map(Said::Answer).collect()),
            (b'E', b'2', b"0()", vec![Said::Refused]),
        ] {
            bench.tester.command(letter, digit, data, now_ms).unwrap();
            now_ms = bench.run(now_ms, replies.len());
            assert_eq!(bench.said, replies, "echo {echo}");
            assert_eq!(bench.commands.last(), Some(&(letter, digit, data.to_vec())));
            bench.said.clear();
        }
        bench.tester.sign_off(now_ms).unwrap();
        now_ms = bench.run(now_ms, 1);
        assert_eq!(bench.said, [Said::SignedOff]);
        bench.run(now_ms, 2);
        assert_eq!((bench.meter_signed_off, bench.meter_port.line), (1, Line::INITIAL));
    }
}

#[test]
fn a_wrong_password_and_silence_end_the_programming_mode() {
    let mut bench = Bench::new(meter(Mode::C(Baud::B4800)), tester(Goal::Programming, Baud::B9600), false);
    bench.tester.start(0);
    let now_ms = bench.run(0, 2);
    bench.tester.command(b'P', b'1', b"(guess)", now_ms).unwrap();
    bench.run(now_ms, 3);
    assert_eq!(bench.said.last(), Some(&Said::SignedOff));
    assert_eq!(bench.meter_signed_off, 1);

    let mut bench = Bench::new(meter(Mode::C(Baud::B4800)), tester(Goal::Programming, Baud::B9600), false);
    bench.tester.start(0);
    let now_ms = bench.run(0, 2);
    assert!(bench.meter.deadline().is_some_and(|at| at > now_ms + 59_000 && at < now_ms + 62_000));
    bench.run(now_ms, 3);
    assert_eq!((bench.meter_signed_off, bench.meter_port.line), (1, Line::INITIAL));
}

#[test]
fn without_a_selection_the_data_come_at_300_baud() {
    let mut bench = Bench::new(meter(Mode::E(Baud::B9600)), tester(Goal::Hdlc, Baud::B9600), false);
    for selection in [&b""[..], b"\x06\x30\x30\x30\r\n", b"\x06050\r", b"\x060@0\r\n", b"\x06096\r\n", b"\x06262\r\n"] {
        let mut heard = Vec::new();
        let start_ms = 1_000_000;
        bench.meter.restart();
        assert_eq!(bench.meter.receive(b"/?!\r\n", start_ms), 5);
        for now_ms in start_ms..start_ms + 20_000 {
            bench.meter.tick(now_ms);
            while let Some(action) = bench.meter.poll(now_ms) {
                match action {
                    MeterAction::Transmit(characters) => heard.extend_from_slice(characters),
                    MeterAction::Readout { list: b'0' } => bench.meter.readout(DATA).unwrap(),
                    action => panic!("{action:?}"),
                }
            }
            if now_ms == start_ms + 300 {
                assert_eq!(heard, b"/KAM5\\2OMNIA\r\n");
                heard.clear();
                assert_eq!(bench.meter.receive(selection, now_ms), selection.len());
            }
        }
        let block = Block::decode(&heard).unwrap();
        assert_eq!(block.data.unwrap(), [DATA, b"!\r\n"].concat(), "{selection:?}");
    }
    assert_eq!(bench.meter.receive(b"/?99!\r\n", 2_000_000), 7);
    assert_eq!((bench.meter.deadline(), bench.meter.poll(3_000_000)), (None, None), "somebody else is meant");
}

#[test]
fn on_a_bad_head_the_right_data_arrive_or_a_clean_error() {
    for (damaged, lost, least) in [(300, 0, 100), (0, 300, 100), (60, 60, 5)] {
        let (mut right, mut failures) = (0, Vec::new());
        for seed in 0..200 {
            let goal = Goal::Readout { list: b'0' };
            let mut bench = Bench::new(meter(Mode::C(Baud::B9600)), tester(goal, Baud::B9600), seed % 2 == 0);
            (bench.random, bench.damaged, bench.lost) = (Random(seed), damaged, lost);
            bench.tester.start(0);
            let now_ms = bench.run(0, 2);
            bench.run(now_ms, bench.said.len() + 1);
            match bench.said.last() {
                // A block check character of seven bits lets some damage through, such as two equal characters lost.
                Some(Said::Data(data)) => right += usize::from(data.as_bytes() == DATA),
                Some(Said::Failed(why)) => failures.push(*why),
                other => panic!("seed {seed}: {other:?}"),
            }
            assert_eq!((bench.meter_port.line, bench.tester_port.line), (Line::INITIAL, Line::INITIAL));
        }
        println!("damaged 1/{damaged}, lost 1/{lost}: {right} of 200 right, {} clean failures", failures.len());
        assert!(right >= least && right + failures.len() > 190);
    }
}
