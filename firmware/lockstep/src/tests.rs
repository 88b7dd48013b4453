use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use meterbench_meter::cosem::{Identity, RoleKeys};
use meterbench_meter::port::{Baud, Format, Line, OpticalPort, Port, PortAction, Standing};
use meterbench_meter::{Configuration, Image, Meter, Outage, Settings, TypeNumber, WorkArea, Workspace};
use meterbench_metrology::{CycleSums, Frame, ImpulseQuantity, PhaseCalibration, PhaseSums};

use super::*;

const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";
const OMNIPOWER: &str = "686-11-11B-N14-3001-001";
/// With the readout in plain (Z18).
const CODES: &str = "41002-00101011-0000000100-000000001000-0000011000-30001031";

/// 64 bits from a state, xorshift.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn request(write: impl FnOnce(RequestWriter<'_>) -> RequestWriter<'_>) -> Vec<u8> {
    let mut buffer = vec![0; LONGEST_REQUEST];
    let length = write(RequestWriter::new(&mut buffer, 77)).finish().expect("it fits");
    buffer.truncate(length);
    buffer
}

fn ask(served: &mut Served, request: &[u8]) -> Vec<AnswerPart<'static>> {
    let mut buffer = vec![0; LONGEST_ANSWER];
    let length = served.answer(request, &mut buffer);
    let answer = Answer::read(buffer[..length].to_vec().leak()).expect("an answer");
    answer.parts().collect::<Result<_, _>>().expect("sound sections")
}

fn status(parts: &[AnswerPart<'_>]) -> Status {
    match parts.last() {
        Some(AnswerPart::Status(status)) => *status,
        other => panic!("{other:?}"),
    }
}

/// 50 Hz, 230 V and 100 A in three phases, every count an integer.
fn wave(from: u64, count: usize) -> Vec<Frame> {
    let at = |n: u64, third: f64, peak: f64| {
        let turn = std::f64::consts::TAU * ((n % 160) as f64 / 160.0 - third / 3.0);
        (peak * turn.cos()) as i32
    };
    let frame = |n| Frame {
        voltage: [0.0, 1.0, 2.0].map(|third| at(n, third, 4_548_000.0)),
        current: [0.0, 1.0, 2.0].map(|third| at(n, third, 5_931_000.0)),
    };
    (from..from + count as u64).map(frame).collect()
}

fn configured() -> Served {
    let mut served = Served::new();
    let parts = ask(&mut served, &request(|r| r.configure(THREE_PHASE, &Settings::delivered())));
    assert!(matches!(parts[..], [AnswerPart::Status(Status { index: 0, taken: 0, .. })]), "{parts:?}");
    served
}

#[test]
fn every_setting_passes_the_wire() {
    let settings = Settings {
        reference_voltage: 240,
        quantity: ImpulseQuantity::Reactive,
        pulse_width_ms: 41,
        starting_power_mw: Some(0),
        calibration: [PhaseCalibration { power_offset: -5, current_delay: -300, ..PhaseCalibration::default() }; 3],
        ..Settings::delivered()
    };
    let bytes = request(|r| r.configure(THREE_PHASE, &settings));
    let parts: Vec<_> = Request::read(&bytes).unwrap().parts().collect();
    let [Ok(RequestPart::Configure { type_number: THREE_PHASE, settings: read })] = parts[..] else {
        panic!("{parts:?}")
    };
    assert_eq!(read, settings);
}

/// A meter with keys of its own for every role.
fn identity() -> Identity {
    let keys = |n: u8| RoleKeys { encryption: [n; 16], authentication: [n + 1; 16], master: [n + 2; 16] };
    let passwords = [None, Some([50; 16]), Some([51; 16])];
    Identity { serial: 99_999_999, keys: [10, 20, 30].map(keys), passwords, seed: [40; 16] }
}

#[test]
fn who_a_meter_is_and_what_comes_over_its_ports_passes_the_wire() {
    let configuration: Configuration = CODES.parse().unwrap();
    let octets = [0x7E; MOST_OCTETS];
    let bytes = request(|r| {
        let named = r.identity(&identity(), OMNIPOWER).configuration(&configuration);
        Port::ALL.into_iter().fold(named, |r, port| r.open(port).octets(port, &octets))
    });
    let mut parts = Request::read(&bytes).unwrap().parts().map(Result::unwrap);
    let Some(RequestPart::Identity { identity: read, type_number: OMNIPOWER }) = parts.next() else { panic!() };
    assert_eq!(read, identity());
    let Some(RequestPart::Configuration(read)) = parts.next() else { panic!() };
    assert_eq!(read, configuration);
    for port in Port::ALL {
        assert!(matches!(parts.next(), Some(RequestPart::Open(read)) if read == port));
        assert!(matches!(parts.next(), Some(RequestPart::Octets(read, same)) if read == port && same == octets));
    }
    assert!(parts.next().is_none());
    for wrong in [request(|r| r.octets(Port::Optical, &[0; MOST_OCTETS + 1])), {
        request(|r| r.identity(&Identity { serial: 100_000_000, ..identity() }, OMNIPOWER))
    }] {
        assert!(Request::read(&wrong).unwrap().parts().any(|part| part.is_err()));
    }
}

#[test]
fn samples_and_cycles_pass_the_wire() {
    let edge = Frame { voltage: [-(1 << 23), (1 << 23) - 1, 0], current: [-1, 1, 4_548_000] };
    let mut frames = wave(3, 799);
    frames.push(edge);
    let bytes = request(|r| r.samples(u64::MAX, true, &frames));
    assert!(bytes.len() <= LONGEST_REQUEST);
    let Some(Ok(RequestPart::Samples(samples))) = Request::read(&bytes).unwrap().parts().next() else { panic!() };
    assert_eq!((samples.first, samples.until_window), (u64::MAX, true));
    assert!(samples.frames().eq(frames));

    let phase = PhaseSums { ui: -7, uu: 1 << 50, ii: 9, u_cos: -(1 << 55), u_sin: 4, i_cos: 5, i_sin: -6 };
    let cycle = CycleSums { samples: 160, crossing: 65_536, phases: [phase; 3] };
    let bytes = request(|r| r.cycles(5, &[cycle; 10], &[edge, Frame::default()]));
    let Some(Ok(RequestPart::Cycles(cycles))) = Request::read(&bytes).unwrap().parts().next() else { panic!() };
    assert_eq!((cycles.first, cycles.last), (5, [edge, Frame::default()]));
    assert!(cycles.cycles().eq([cycle; 10]));
}

#[test]
fn a_served_meter_does_what_a_meter_does() {
    let mut served = configured();
    let profile = *THREE_PHASE.parse::<TypeNumber>().unwrap().profile();
    let mut meter = Meter::new(&profile, &Settings::delivered()).unwrap();
    let (mut impulses, mut seen) = (Vec::new(), Vec::new());
    let mut hash = Hash::default();
    hash.state(&meter);
    for block in 0..40 {
        let frames = wave(block * 800, 800);
        meter.process(&frames, |meterbench_meter::Action::Impulse(impulse)| {
            hash.impulse(&impulse);
            impulses.push(impulse);
        });
        hash.state(&meter);
        let parts = ask(&mut served, &request(|r| r.samples(block * 800, false, &frames)));
        seen.extend(parts.iter().filter_map(|part| match part {
            AnswerPart::Impulse(impulse) => Some(*impulse),
            _ => None,
        }));
        let status = status(&parts);
        assert_eq!((status.index, status.taken, status.hash), ((block + 1) * 800, 800, hash.value()));
    }
    assert!(impulses.len() > 40);
    assert_eq!(impulses, seen);
    assert_eq!(meter.registers(), served.meter().unwrap().registers());
    let parts = ask(&mut served, &request(|r| r.display([1, 8, 0]).display([9, 9, 9])));
    assert_eq!(parts[..2], [AnswerPart::Display(meter.display([1, 8, 0])), AnswerPart::Display(None)]);
}

#[test]
fn one_more_dip_in_a_counter_shows_in_the_hash() {
    let image = {
        let mut served = configured();
        match ask(&mut served, &request(|r| r.trim(0).keep()))[0] {
            AnswerPart::Image(image) => image.to_vec(),
            ref other => panic!("{other:?}"),
        }
    };
    let hash = |dips: u8| {
        let area = Box::leak(Box::new(WorkArea::new()));
        let mut served = Served::new().with_workspace(Workspace::Static(area));
        ask(&mut served, &request(|r| r.configure(THREE_PHASE, &Settings::delivered())));
        let mut image = image.clone();
        // The counters stand behind thirteen limits.
        image[Image::SIZE_OF_VERSION_2 + 26] = dips;
        ask(&mut served, &request(|r| r.restore(&image, Outage::Unknown)));
        status(&ask(&mut served, &request(|r| r.samples(0, false, &wave(0, 800))))).hash
    };
    assert_eq!(hash(0), hash(0));
    assert_ne!(hash(0), hash(1));
}

/// A meter of this identity and configuration, served.
fn named() -> Served {
    let configuration: Configuration = CODES.parse().unwrap();
    let settings = Settings::delivered().configured(&configuration);
    let mut served = Served::new();
    let make =
        request(|r| r.configure(OMNIPOWER, &settings).identity(&identity(), OMNIPOWER).configuration(&configuration));
    assert!(matches!(ask(&mut served, &make)[..], [AnswerPart::Status(_)]));
    served
}

#[test]
fn the_optical_head_of_a_served_meter_says_what_that_of_a_meter_says_and_when() {
    let configuration: Configuration = CODES.parse().unwrap();
    let profile = *OMNIPOWER.parse::<TypeNumber>().unwrap().profile();
    let mut meter = Meter::new(&profile, &Settings::delivered().configured(&configuration))
        .unwrap()
        .with_identity(&identity(), OMNIPOWER)
        .with_configuration(&configuration);
    let mut head = OpticalPort::new(&meter);
    let mut served = named();
    assert!(matches!(ask(&mut served, &request(|r| r.open(Port::Optical)))[..], [AnswerPart::Status(_)]));
    let (mut said, mut switched) = (Vec::new(), Vec::new());
    let (mut first, mut hash) = (0, 0);
    let told = [(0, &b"/?!\r\n"[..]), (300, b"\x06050\r\n"), (900, &[])];
    for (from, octets) in told {
        for ms in from..from + 300 {
            let octets = if ms == from { octets } else { &[] };
            let mut expected = Vec::new();
            let mut keep = |action: PortAction<'_>| expected.push(std::format!("{action:?}"));
            head.receive(&mut meter, octets, &mut keep);
            head.tick(&mut meter, &mut keep);
            let due = head.due_in(&meter).map(|ms| u32::try_from(ms).unwrap());
            let parts = ask(&mut served, &request(|r| r.octets(Port::Optical, octets)));
            let [port @ .., AnswerPart::Standing(standing), AnswerPart::Status(status)] = &parts[..] else {
                panic!("{parts:?}")
            };
            assert_eq!(*standing, Standing { due_in_ms: due, closed: false }, "after {ms} ms");
            let found: Vec<_> = port
                .iter()
                .map(|part| match part {
                    AnswerPart::Port(action) => *action,
                    other => panic!("{other:?}"),
                })
                .collect();
            let words: Vec<_> = found.iter().map(|action| std::format!("{action:?}")).collect();
            assert_eq!(words, expected, "after {ms} ms");
            for action in found {
                match action {
                    PortAction::Transmit(octets) => said.extend_from_slice(octets),
                    PortAction::Switch(line) => switched.push(line),
                }
            }
            // What a port says stands in the hash; the meter's state moves it too.
            assert_ne!(status.hash, hash);
            hash = status.hash;
            meter.process(&[Frame::default(); 8], |_| ());
            ask(&mut served, &request(|r| r.samples(first, false, &[Frame::default(); 8])));
            first += 8;
        }
    }
    assert!(said.starts_with(b"/KAm5\\2MB\r\n\x020-0:96.1.0(99999999)\r\n"), "{said:?}");
    assert_eq!(switched, [Line { baud: Baud::B9600, format: Format::SevenEven }]);
}

#[test]
fn a_port_nobody_opened_is_closed_and_what_is_no_wrapper_closes_it() {
    let mut served = named();
    let closed = |served: &mut Served, port, octets: &[u8]| match ask(served, &request(|r| r.octets(port, octets)))[..]
    {
        [AnswerPart::Standing(standing), AnswerPart::Status(_)] => standing.closed,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(Port::ALL.map(|port| closed(&mut served, port, b"")), [true; 3]);
    ask(&mut served, &request(|r| r.open(Port::FirstNetwork).open(Port::SecondNetwork)));
    assert!(closed(&mut served, Port::FirstNetwork, b"GET / HTTP/1.1\r\n"));
    assert!(closed(&mut served, Port::FirstNetwork, b"") && !closed(&mut served, Port::SecondNetwork, b"\0\x01"));
}

#[test]
fn a_block_can_end_where_a_window_begins() {
    let mut served = configured();
    let mut first = 0;
    let mut starts = 0;
    while first < 16_000 {
        let taken = status(&ask(&mut served, &request(|r| r.samples(first, true, &wave(first, 800)))));
        assert!(taken.taken == 800 || taken.at_window_start);
        starts += u32::from(taken.at_window_start);
        first += u64::from(taken.taken);
        assert_eq!(taken.index, first);
    }
    assert!((8..=10).contains(&starts), "{starts}");
}

#[test]
fn what_cannot_be_done_is_refused_in_words() {
    let refused = |served: &mut Served, bytes: &[u8]| match ask(served, bytes)[..] {
        [AnswerPart::Refused(refusal), AnswerPart::Status(_)] => refusal,
        ref other => panic!("{other:?}"),
    };
    let mut nobody = Served::new();
    assert_eq!(refused(&mut nobody, &request(|r| r.display([1, 8, 0]))), Refusal::NotConfigured);
    let delivered = Settings::delivered();
    assert_eq!(refused(&mut nobody, &request(|r| r.configure("684", &delivered))), Refusal::Type);
    let wrong = Settings { reference_voltage: 120, ..delivered };
    assert_eq!(refused(&mut nobody, &request(|r| r.configure(THREE_PHASE, &wrong))), Refusal::Settings);
    let mut served = configured();
    assert_eq!(refused(&mut served, &request(|r| r.samples(1, false, &wave(1, 2)))), Refusal::OutOfStep);
    let mut import_only = Served::new();
    ask(&mut import_only, &request(|r| r.configure("686-11-11B-N11-3001-001", &delivered)));
    assert_eq!(refused(&mut import_only, &request(|r| r.output(ImpulseQuantity::Reactive))), Refusal::Output);
    assert_eq!(refused(&mut served, b"no request at all"), Refusal::NotUnderstood);
    let mut unknown = request(|r| r.display([1, 8, 0]));
    unknown[HEADER] = 99;
    assert_eq!(refused(&mut served, &unknown), Refusal::NotUnderstood);
}

#[test]
fn what_does_not_fit_is_told() {
    let mut small = [0; 40];
    assert_eq!(RequestWriter::new(&mut small, 1).samples(0, false, &wave(0, 3)).finish(), None);
    let long = "1".repeat(LONGEST_TYPE_NUMBER + 1);
    let bytes = request(|r| r.configure(&long, &Settings::delivered()));
    assert!(Request::read(&bytes).unwrap().parts().any(|part| part.is_err()));
    let mut served = configured();
    let bytes = request(|r| r.samples(0, false, &wave(0, 800)));
    let mut answer = [0; 60];
    let length = served.answer(&bytes, &mut answer);
    assert!(Answer::read(&answer[..length]).is_ok());
}

/// A link is asked for by the public client.
const SNRM: &[u8] = &[0x7E, 0xA0, 7, 3, 0x21, 0x93, 0x0F, 0x01, 0x7E];
/// The wrapper, and an association without authentication.
const AARQ: &[u8] = b"\0\x01\0\x10\0\x01\0\x1F\x60\x1D\xA1\x09\x06\x07\x60\x85\x74\x05\x08\x01\x01\xBE\x10\x04\x0E\x01\0\0\0\x06\x5F\x1F\x04\0\0\x10\x1D\xFF\xFF";

/// Bytes that differ a little from sound ones, and bytes that are nothing at all.
#[test]
fn no_bytes_make_a_body_panic() {
    let cycle = CycleSums { samples: 160, crossing: 3, phases: [PhaseSums { uu: 1 << 52, ..PhaseSums::default() }; 3] };
    let sound = [
        request(|r| r.configure(THREE_PHASE, &Settings::delivered())),
        request(|r| r.samples(0, false, &wave(0, 200))),
        request(|r| r.samples(0, true, &wave(0, 200))),
        request(|r| r.cycles(0, &[cycle; 10], &[Frame::default(); 2])),
        request(|r| r.output(ImpulseQuantity::Reactive).display([3, 8, 0])),
        request(|r| r.identity(&identity(), THREE_PHASE).configuration(&CODES.parse().unwrap())),
        request(|r| r.open(Port::Optical).octets(Port::Optical, b"/?!\r\n").octets(Port::Optical, SNRM)),
        request(|r| r.open(Port::FirstNetwork).octets(Port::FirstNetwork, AARQ)),
    ];
    let mut state = 0x0123_4567_89ab_cdef;
    let mut answer = vec![0; LONGEST_ANSWER];
    let (mut done, mut refused) = (0, 0);
    for round in 0..30_000u32 {
        let mut served = configured();
        let mut bytes = sound[random(&mut state) as usize % sound.len()].clone();
        match round % 4 {
            // Random content under a sound header.
            0 => bytes.iter_mut().skip(HEADER + 3 + 8).for_each(|byte| *byte = random(&mut state) as u8),
            1 => bytes.truncate(random(&mut state) as usize % bytes.len()),
            2 => bytes = (0..random(&mut state) % 64).map(|_| random(&mut state) as u8).collect(),
            _ => {}
        }
        for _ in 0..random(&mut state) % 4 {
            let at = random(&mut state) as usize % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random(&mut state) as u8;
            }
        }
        // Twice: the second time the meter is no longer new.
        for _ in 0..2 {
            let length = served.answer(&bytes, &mut answer);
            let parts: Vec<_> = Answer::read(&answer[..length]).unwrap().parts().map(Result::unwrap).collect();
            if parts.iter().any(|part| matches!(part, AnswerPart::Refused(_))) {
                refused += 1;
            } else {
                done += 1;
            }
            // And the bench, that reads an answer of which something is wrong.
            let at = random(&mut state) as usize % length;
            answer[at] = random(&mut state) as u8;
            if let Ok(answer) = Answer::read(&answer[..length]) {
                answer.parts().for_each(drop);
            }
        }
    }
    assert!(done > 2000 && refused > 2000, "{done} done, {refused} refused");
}

#[test]
fn versions_and_lengths_are_checked_with_their_place() {
    let sound = request(|r| r.display([1, 8, 0]));
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        match Request::read(&bytes) {
            Err(error) => error,
            Ok(request) => request.parts().find_map(Result::err).unwrap(),
        }
    };
    assert_eq!(error(&|b| b[7] = b'1'), WireError::Version { found: u32::from_le_bytes(*b"MBL1") });
    assert_eq!(error(&|b| b.push(0)), WireError::Length { found: sound.len() + 1, said: sound.len() });
    assert_eq!(error(&|b| b.truncate(5)), WireError::Short { offset: 5 });
    assert_eq!(error(&|b| b[HEADER] = 200), WireError::Tag { offset: HEADER, tag: 200 });
    assert_eq!(error(&|b| b[HEADER + 1] = 2), WireError::Value { offset: HEADER });
    assert_eq!(error(&|b| b[HEADER + 1] = 4), WireError::Short { offset: sound.len() });
    assert_eq!((message_length(&sound), message_length(&sound[..3])), (Some(sound.len()), None));
}

fn keep(request: RequestWriter<'_>) -> RequestWriter<'_> {
    request.keep()
}

#[test]
fn a_power_cut_is_an_image_and_a_meter_made_anew() {
    let mut served = configured();
    ask(&mut served, &request(|r| r.identity(&identity(), THREE_PHASE)));
    ask(&mut served, &request(|r| r.samples(0, false, &wave(0, 800))));
    ask(&mut served, &request(|r| r.samples(800, false, &wave(800, 800))));
    let kept = |served: &mut Served| match ask(served, &request(keep))[0] {
        AnswerPart::Image(image) => image,
        other => panic!("{other:?}"),
    };
    let image = kept(&mut served);
    let registers = served.meter().unwrap().registers();
    assert_ne!(registers.active_import.quanta(), 0);
    for (outage, changes) in [
        (Outage::Bridged { ms: 0 }, false),
        (Outage::Bridged { ms: 1000 }, true),
        (Outage::Lost, true),
        (Outage::Unknown, false),
    ] {
        let again = request(|r| {
            r.configure(THREE_PHASE, &Settings::delivered()).identity(&identity(), THREE_PHASE).restore(image, outage)
        });
        ask(&mut served, &again);
        let meter = served.meter().unwrap();
        assert_eq!((meter.sample_index(), meter.registers()), (0, registers));
        assert_eq!(kept(&mut served) != image, changes, "{outage:?}");
    }
    let refused = ask(&mut served, &request(|r| r.restore(&image[1..], Outage::Lost)));
    assert!(matches!(refused[0], AnswerPart::Refused(Refusal::Image)), "{refused:?}");
}
