//! Planted faults, each beside a meter without it: what a client, a readout and the display see.

use meterbench_iec62056::hdlc::Expect;
use meterbench_meter::defects::Defects;

use super::ports::{Head, configuration, reads_the_name};
use super::*;

fn open(role: Role, defects: Defects) -> Line {
    let mut line = Line::new(THREE_PHASE, role, credentials(role, false));
    line.meter = line.meter.with_defects(defects);
    line.associate().unwrap();
    line
}

/// Twenty seconds at 230 V and 17 A per phase, the current behind the voltage by so many degrees.
fn load(meter: &mut Meter, lag_degrees: f64) {
    let wave = |n: usize, lag: f64| (std::f64::consts::TAU * n as f64 / 160.0 - lag.to_radians()).sin();
    let cycle: [Frame; 160] = std::array::from_fn(|n| Frame {
        voltage: [(4_548_000.0 * wave(n, 0.0)) as i32; 3],
        current: [(1_000_000.0 * wave(n, lag_degrees)) as i32; 3],
    });
    for _ in 0..1000 {
        meter.process(&cycle, |_| ());
    }
}

/// Registers 1.8.0 to 4.8.0 (Wh, varh) after a load, as the client reads them; the display shows the same.
fn registers(defects: Defects, lag_degrees: f64) -> [u32; 4] {
    let mut line = open(Role::Reader, defects);
    load(&mut line.meter, lag_degrees);
    [1, 2, 3, 4].map(|c| {
        let octets = line.get(3, &format!("1-0:{c}.8.0"), 2).unwrap();
        let read = Reader::new(&octets).double_long_unsigned().unwrap();
        assert_eq!(line.meter.display([c, 8, 0]).unwrap().digits, u64::from(read));
        read
    })
}

#[test]
fn a_register_misses_one_impulse_in_so_many() {
    let whole = registers(Defects::default(), 0.0)[0];
    assert!(whole > 50, "{whole} Wh");
    // 1000 imp/kWh: an impulse is a watt-hour.
    assert_eq!(registers(Defects { register_loss: 4, ..Defects::default() }, 0.0)[0], whole - whole / 4);
}

#[test]
fn a_register_drops_energy_at_every_impulse() {
    let whole = registers(Defects::default(), 0.0)[0];
    let shown = registers(Defects { rounding_loss_uwh: 500_000, ..Defects::default() }, 0.0)[0];
    assert!(shown.abs_diff(whole / 2) <= 1, "{shown} of {whole} Wh");
}

#[test]
fn a_share_of_export_is_booked_as_import() {
    let [import, export, ..] = registers(Defects::default(), 180.0);
    assert!(import == 0 && export > 50, "{import} and {export} Wh");
    let [wrong_import, wrong_export, ..] =
        registers(Defects { wrong_direction_ppm: 100_000, ..Defects::default() }, 180.0);
    assert!(wrong_import.abs_diff(export / 10) <= 1, "{wrong_import} of {export} Wh");
    assert!((wrong_import + wrong_export).abs_diff(export) <= 1, "what is misbooked is not lost");
}

#[test]
fn a_share_of_inductive_energy_is_booked_as_capacitive() {
    let [.., inductive, capacitive] = registers(Defects::default(), 60.0);
    assert!(inductive > 50 && capacitive == 0, "{inductive} and {capacitive} varh");
    let [.., wrong_inductive, wrong_capacitive] =
        registers(Defects { reactive_sign_ppm: 100_000, ..Defects::default() }, 60.0);
    assert!(wrong_capacitive.abs_diff(inductive / 10) <= 1, "{wrong_capacitive} of {inductive} varh");
    assert!((wrong_inductive + wrong_capacitive).abs_diff(inductive) <= 1, "what is misbooked is not lost");
}

#[test]
fn the_plain_readout_shows_the_wrong_register_too() {
    let type_number = "686-11-11B-N14-3001-001";
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    let configuration = configuration("02", "001", "0");
    let readout = |defects: Defects| {
        let mut meter = Meter::new(&profile, &Settings::delivered().configured(&configuration))
            .unwrap()
            .with_identity(&identity(4711), type_number)
            .with_configuration(&configuration)
            .with_defects(defects);
        load(&mut meter, 0.0);
        let shown =
            format!("1-0:1.8.0({}*kWh)", meter.display([1, 8, 0]).unwrap().to_string().split(';').nth(1).unwrap());
        let mut head = Head::of(meter, 16);
        head.give(b"/?!\r\n");
        head.said(1500);
        head.give(b"\x06050\r\n");
        let said = String::from_utf8(head.said(3000)).unwrap();
        assert!(said.contains(&shown), "{shown} in {said}");
        shown
    };
    assert!(readout(Defects::default()) > readout(Defects { register_loss: 2, ..Defects::default() }));
}

const NOON_OF_NOVEMBER: [u8; 12] = [0x07, 0xEA, 11, 21, 0xFF, 12, 0, 0, 0xFF, 0x80, 0, 0];

#[test]
fn a_reader_does_what_management_may() {
    let may = |defects: Defects| {
        let mut line = open(Role::Reader, defects);
        let list = objects(&line.get(15, "0-0:40.0.0", 2).unwrap());
        let (.., clock, _) = list.iter().find(|(class, ..)| *class == 8).unwrap();
        let written = line.set(8, "0-0:1.0.0", 2, &Data::OctetString(&NOON_OF_NOVEMBER)).is_success();
        assert_eq!(clock[1] & 2 == 2, written, "the list says what is done");
        let hour = line.get(8, "0-0:1.0.0", 2).unwrap()[7];
        (written, hour, line.get(23, "0-0:22.0.0", 7).is_ok(), line.get(64, "0-0:43.0.2", 2).is_ok())
    };
    assert_eq!(may(Defects::default()), (false, 1, false, false));
    assert_eq!(may(Defects { rights_hole: true, ..Defects::default() }), (true, 12, true, true));
}

#[test]
fn the_scaler_is_one_too_high_and_the_value_is_not() {
    let read = |defects: Defects| {
        let mut line = open(Role::Reader, defects);
        load(&mut line.meter, 0.0);
        ["1-0:1.8.0", "1-0:21.8.0"].map(|name| (line.get(3, name, 2).unwrap(), line.get(3, name, 3).unwrap()))
    };
    let (sound, wrong) = (read(Defects::default()), read(Defects { wrong_scaler: true, ..Defects::default() }));
    for (sound, wrong) in sound.into_iter().zip(wrong) {
        assert_eq!(sound.0, wrong.0);
        assert_eq!((sound.1, wrong.1), (vec![2, 2, 15, 0, 22, 30], vec![2, 2, 15, 1, 22, 30]));
    }
}

/// Frames in octets from the line, each with its flags.
fn frames(octets: &[u8]) -> usize {
    let mut rest = octets;
    let mut frames = 0;
    while let [0x7E, high, low, ..] = rest {
        rest = &rest[usize::from(high & 7) * 256 + usize::from(*low) + 2..];
        frames += 1;
    }
    assert!(rest.is_empty());
    frames
}

#[test]
fn all_frames_of_an_answer_come_at_once() {
    let at_once = |defects: Defects| {
        let mut head = Head::of(meter(THREE_PHASE).with_defects(defects), 16);
        reads_the_name(&mut head);
        let list = [0xC0, 1, 0xC1, 0, 15, 0, 0, 40, 0, 0, 255, 2, 0];
        let now = head.now();
        head.link.send(&list, Expect::Answer, now).unwrap();
        let frame = head.link.poll_transmit(now).unwrap().to_vec();
        head.give(&frame);
        let at_once = frames(&head.to_client);
        assert_eq!(
            head.answer().map(|answer| answer.len()),
            Some(LONGEST_APDU),
            "a client that takes what comes has it all"
        );
        let now = head.now();
        head.link.send(&list, Expect::Answer, now).unwrap();
        assert!(head.answer().is_some(), "the link goes on");
        at_once
    };
    assert_eq!(at_once(Defects::default()), 1, "the window that was agreed on");
    // 1024 octets of a block and 3 of the link in frames of 128.
    assert_eq!(at_once(Defects { window_ignored: true, ..Defects::default() }), 9);
}

#[test]
fn the_last_block_is_missing() {
    let list = |defects: Defects| open(Role::Reader, defects).get(15, "0-0:40.0.0", 2).unwrap();
    let (sound, wrong) = (list(Defects::default()), list(Defects { blocks_truncated: true, ..Defects::default() }));
    assert!(EncodedData::new(&sound).is_ok());
    assert!(sound.starts_with(&wrong) && EncodedData::new(&wrong).is_err());
    let missing = sound.len() - wrong.len();
    assert!((1..1024).contains(&missing), "{missing} of {} octets", sound.len());
    // An answer that fits is whole.
    let mut line = open(Role::Reader, Defects { blocks_truncated: true, ..Defects::default() });
    assert_eq!(line.get(1, "0-0:96.1.0", 2).unwrap()[2..], *b"10000001");
}

#[test]
fn the_clock_stays_on_standard_time() {
    // Noon of 1 July 2026 in Central Europe, two hours ahead of UTC.
    let july = [0x07, 0xEA, 7, 1, 0xFF, 12, 0, 0, 0xFF, 0xFF, 0x88, 0];
    let read = |defects: Defects, set: &[u8; 12]| {
        let mut line = open(Role::Installer, defects);
        assert!(line.set(8, "0-0:1.0.0", 2, &Data::OctetString(set)).is_success());
        assert_eq!(line.get(8, "0-0:1.0.0", 8).unwrap(), [3, 1], "the setup says daylight saving");
        let now = line.get(8, "0-0:1.0.0", 2).unwrap();
        (now[7], [now[11], now[12]], now[13])
    };
    let wrong = Defects { dst_ignored: true, ..Defects::default() };
    assert_eq!(read(Defects::default(), &july), (12, [0xFF, 0x88], 0x80));
    assert_eq!(read(wrong, &july), (11, [0xFF, 0xC4], 0));
    assert_eq!(read(Defects::default(), &NOON_OF_NOVEMBER), read(wrong, &NOON_OF_NOVEMBER), "winter is right");
}

#[test]
fn management_sets_legal_data() {
    let mut sound = open(Role::Management, Defects::default());
    assert_eq!(sound.set(3, "1-0:1.8.0", 2, &Data::DoubleLongUnsigned(7)), DataAccessResult::READ_WRITE_DENIED);
    assert_eq!(sound.act(3, "1-0:1.8.0", 1, &[15, 0]), ActionResult::READ_WRITE_DENIED);

    let wrong = Defects { legal_write: true, ..Defects::default() };
    let mut line = open(Role::Management, wrong);
    load(&mut line.meter, 60.0);
    for name in ["1-0:1.8.0", "1-0:3.8.0", "1-0:21.8.0", "1-0:9.8.0"] {
        let read = |line: &mut Line| Reader::new(&line.get(3, name, 2).unwrap()).double_long_unsigned().unwrap();
        assert!(read(&mut line) > 5, "{name}");
        assert!(line.set(3, name, 2, &Data::DoubleLongUnsigned(1234)).is_success());
        assert_eq!(read(&mut line), 1234, "{name}");
        assert_eq!(line.set(3, name, 2, &Data::Float64(1.0)), DataAccessResult::TYPE_UNMATCHED);
        assert_eq!(line.act(3, name, 1, &[15, 0]), ActionResult::SUCCESS);
        assert_eq!(read(&mut line), 0, "{name}");
    }
    assert_eq!(line.meter.display([1, 8, 0]).unwrap().digits, 0);
    assert_eq!(line.meter.persist().to_bytes()[21..36], [0; 15], "what is kept is wrong as well");
    let mut reader = open(Role::Reader, wrong);
    assert_eq!(reader.set(3, "1-0:1.8.0", 2, &Data::DoubleLongUnsigned(7)), DataAccessResult::READ_WRITE_DENIED);
}
