use super::*;
use crate::reference::Reference;
use crate::world::Engine;

fn world() -> World {
    World::new(Reference::drawn(1, 0.02), Vec::new(), 23.0, Engine::Auto)
}

fn ask(source: &mut Fluke6105a, world: &mut World, line: &str) -> String {
    source.receive(0, line, world).text
}

/// Tells a line and sees that nothing is wrong with it.
fn tell(source: &mut Fluke6105a, world: &mut World, line: &str) {
    assert_eq!(ask(source, world, line), "", "{line}");
    assert_eq!(ask(source, world, "SYST:ERR?"), "0,\"No error\"", "{line}");
}

fn refused(source: &mut Fluke6105a, world: &mut World, line: &str, error: i32) {
    assert_eq!(ask(source, world, line), "", "{line}");
    let said = ask(source, world, "SYST:ERR?");
    assert!(said.starts_with(&format!("{error},")), "{line}: {said}");
}

/// 230 V and 5 A at 60 degrees on three phases, after two seconds.
fn energised() -> (Fluke6105a, World) {
    let (mut source, mut world) = (Fluke6105a::new(1), world());
    for (n, angle) in [(1, 0), (2, -120), (3, 120)] {
        tell(&mut source, &mut world, &format!("SOUR:PHAS{n}:VOLT:RANG 0,360;MHAR:HARM1 230,{angle};STAT ON"));
        tell(&mut source, &mut world, &format!("SOUR:PHAS{n}:CURR:RANG 0.5,5;MHAR:HARM1 5,-60;STAT ON"));
        tell(&mut source, &mut world, &format!("SOUR:PHAS{n}:VOLT:STAT ON;:SOUR:PHAS{n}:CURR:STAT ON"));
    }
    assert!(!world.output().is_energised(), "set-points alone put nothing out");
    tell(&mut source, &mut world, "SOUR:FREQ 50;:OUTP:STAT ON");
    world.advance(2_000_000_000, |_| false);
    (source, world)
}

#[test]
fn a_load_point_stands_within_the_data_sheet() {
    let (mut source, mut world) = energised();
    let output = world.output();
    for phase in 0..3 {
        assert!((output.voltage[phase].rms / 230.0 - 1.0).abs() < 7e-5);
        assert!((output.current[phase].rms / 5.0 - 1.0).abs() < 7e-5);
        // Each current lags the voltage of its own phase.
        assert!((output.active_watt(phase) / 575.0 - 1.0).abs() < 5e-4 && output.reactive_var(phase) > 900.0);
    }
    assert!(!output.is_reversed() && output.wave.is_none());
    let read: f64 = ask(&mut source, &mut world, "SOUR:PHAS2:VOLT:AMPL?").parse().unwrap();
    assert!((read - 230.0).abs() < 1e-4, "it regulates by its own converter: {read}");
    assert_eq!(ask(&mut source, &mut world, "SOUR:PHAS3:CURR:RANG?"), "5.0E-1,5.0E0");
    assert_eq!(ask(&mut source, &mut world, "OUTP:STAT?;:SOUR:PHAS4:FITT?;:SOUR:PHAS2:MOD?"), "1;0;\"6106A\"");
    tell(&mut source, &mut world, "OUTP:STAT OFF");
    assert!(!world.output().is_energised());
    assert_eq!(ask(&mut source, &mut world, "SOUR:PHAS2:VOLT:AMPL?"), "0.0E0");
}

#[test]
fn done_is_said_when_it_stands() {
    let (mut source, mut world) = energised();
    assert_eq!(source.receive(0, "*OPC?", &mut world).after, Duration::ZERO);
    tell(&mut source, &mut world, "SOUR:PHAS1:VOLT:MHAR:HARM1 200,0");
    assert_eq!(source.receive(0, "*OPC?", &mut world).after, Duration::from_millis(800));
}

#[test]
fn harmonics_interharmonic_and_direct_part_are_shares_of_the_fundamental() {
    let (mut source, mut world) = energised();
    tell(&mut source, &mut world, "SOUR:PHAS1:CURR:STAT OFF;RANG 1,10;STAT ON");
    world.advance(4_000_000_000, |_| false);
    assert!(world.output().current[0].rms > 4.9, "5 A stand on the 10 A range");
    tell(&mut source, &mut world, "SOUR:PHAS2:VOLT:MHAR:HARM5 23,180;HARM0 2.3,0");
    tell(&mut source, &mut world, "SOUR:PHAS2:VOLT:IHAR:SIGN1 2.3,182.5;STAT ON");
    let carried = world.source.standing().distortion(1).unwrap().clone();
    let [direct, fifth] = carried.harmonics[..] else { panic!("{carried:?}") };
    assert!(direct.order == 0 && (direct.share - 0.01).abs() < 1e-9);
    assert!(fifth.order == 5 && (fifth.share - 0.1).abs() < 1e-9 && fifth.angle_deg == 180.0);
    assert!(carried.interharmonic.is_some_and(|tone| tone.hertz == 182.5 && (tone.share - 0.01).abs() < 1e-9));
    let all = ask(&mut source, &mut world, "SOUR:PHAS2:VOLT:MHAR:ALL? AMPL");
    assert_eq!(all, "2.3E2,0.0E0,0.0E0,0.0E0,2.3E1");
    assert_eq!(ask(&mut source, &mut world, "SOUR:PHAS2:VOLT:MHAR:HARM5? PANG"), "1.8E2");
    // Half of everything keeps the shape.
    tell(&mut source, &mut world, "SOUR:PHAS2:VOLT:MHAR:AMPL 100");
    let halved = world.source.standing().distortion(1).unwrap().harmonics[1];
    assert!((halved.share - 0.1).abs() < 1e-9);
    tell(&mut source, &mut world, "SOUR:PHAS2:VOLT:MHAR:CLE;:SOUR:PHAS2:VOLT:IHAR:STAT OFF");
    assert!(world.source.standing().wave.is_none());
}

#[test]
fn flicker_and_bursts_move_the_whole_wave() {
    let (mut source, mut world) = energised();
    tell(
        &mut source,
        &mut world,
        "SOUR:PHAS1:VOLT:FLIC:FREQ:UNIT CPM;:SOUR:PHAS1:VOLT:FLIC:FREQ 39;DEPT 0.894;SHAP SQU;STAT ON",
    );
    let moved = world.source.standing().distortion(0).unwrap().modulation.unwrap();
    assert!((moved.hertz - 0.325).abs() < 1e-12 && (moved.depth - 0.008_94).abs() < 1e-12);
    refused(&mut source, &mut world, "SOUR:PHAS1:CURR:FHAR:STAT ON", -300);
    for line in [
        "STAT OFF",
        "RANG 1,10",
        "STAT ON",
        "MHAR:HARM1 10,-60",
        "FHAR:FLUC1 ON",
        "FHAR:MOD 100,12.5",
        "FHAR:SHAP SQU",
        "FHAR:STAT ON",
    ] {
        tell(&mut source, &mut world, &format!("SOUR:PHAS1:CURR:{line}"));
    }
    // From 10 A to nothing is 5 A, to and fro by all of it.
    let standing = world.source.standing();
    let burst = standing.distortion(3).unwrap().modulation.unwrap();
    assert!((standing.current[0].rms - 5.0).abs() < 1e-3 && (burst.depth - 2.0).abs() < 1e-12);
    refused(&mut source, &mut world, "SOUR:PHAS1:CURR:FLIC:STAT ON", -221);
}

/// Segments of a dip that was armed on these phases for the angles they have when L1 stands at this one.
fn dipped(phases: &[usize], angle: f64) -> (World, f64) {
    let (mut source, mut world) = energised();
    // An odd moment: nothing stands at a zero crossing.
    world.advance(2_013_375_000, |_| false);
    for &n in phases {
        let own = (angle - 120.0 * n as f64 + 180.0).rem_euclid(360.0) - 180.0;
        let head = format!("SOUR:PHAS{}:VOLT:DIP", n + 1);
        tell(&mut source, &mut world, &format!("{head}:ENV 40,0.0001,0.1999,0.0001,0;TRIG:INP EONE;HOLD PHAS,{own}"));
        tell(&mut source, &mut world, &format!("{head}:STAT ON"));
    }
    let now = world.next_sample() as f64;
    tell(&mut source, &mut world, "OUTP:DIP:TRIG");
    (world, now)
}

#[test]
fn three_phases_dip_at_one_instant_and_for_as_long() {
    for angle in [0.0, 90.0, 215.0] {
        let (world, now) = dipped(&[0, 1, 2], angle);
        let segments = world.source.segments();
        let (during, after) = (&segments[segments.len() - 2], &segments[segments.len() - 1]);
        assert!((after.from - during.from - 0.2 * 8000.0).abs() < 0.3, "one dip of 200 ms");
        let stood = during.angle_at(during.from).to_degrees() - during.output.voltage[0].lag_deg + 90.0;
        // Half of the shortest ramp is 0.9 degrees.
        let off = (stood - angle + 180.0).rem_euclid(360.0) - 180.0;
        assert!((off - 0.9).abs() < 0.6, "{angle}: {off}");
        assert!(during.from >= now && during.from - now <= 161.0);
        assert!((0..3).all(|n| (during.output.voltage[n].rms / 92.0 - 1.0).abs() < 1e-4));
        assert!((0..3).all(|n| (after.output.voltage[n].rms / 230.0 - 1.0).abs() < 1e-4));
    }
}

#[test]
fn one_phase_dips_and_the_others_stand() {
    let (world, _) = dipped(&[1], 90.0);
    let segments = world.source.segments();
    let during = &segments[segments.len() - 2].output;
    assert!(
        (during.voltage[1].rms - 92.0).abs() < 0.1 && during.voltage[0].rms > 229.0 && during.voltage[2].rms > 229.0
    );
    assert!(during.current.iter().all(|current| current.rms > 4.9));
}

#[test]
fn a_slow_ramp_has_steps_and_a_dip_switched_off_is_over() {
    let (mut source, mut world) = energised();
    tell(&mut source, &mut world, "SOUR:PHAS1:VOLT:DIP:ENV 0,0.02,10,0.02,0;STAT ON;:OUTP:DIP:TRIG");
    world.advance(2_010_000_000, |_| false);
    let half = world.output().voltage[0].rms / 230.0;
    assert!((half - 0.5).abs() < 0.1, "{half}");
    world.advance(3_000_000_000, |_| false);
    assert_eq!(world.output().voltage[0].rms, 0.0);
    tell(&mut source, &mut world, "SOUR:PHAS1:VOLT:DIP:STAT OFF");
    assert!(world.output().voltage[0].rms > 229.0);
    tell(&mut source, &mut world, "SOUR:PHAS1:VOLT:DIP:STAT ON;:OUTP:DIP:TRIG");
    tell(&mut source, &mut world, "OUTP:STAT OFF");
    world.advance(60_000_000_000, |_| false);
    assert!(!world.output().is_energised(), "nothing comes back by itself");
}

#[test]
fn what_it_does_not_take_stands_in_the_queue_and_changes_nothing() {
    let (mut source, mut world) = energised();
    let before = world.output().clone();
    for (line, error) in [
        ("SOUR:PHAS5:VOLT:STAT ON", -114),
        ("SOUR:PHAS0:VOLT:STAT ON", -114),
        ("SOUR:PHAS4:VOLT:STAT ON", -221),
        ("SOUR:PHAS1:VOLT:MHAR:HARM1 361,0", -222),
        ("SOUR:PHAS1:VOLT:MHAR:HARM101 1,0", -114),
        ("SOUR:PHAS1:VOLT:MHAR:HARM0 1,90", -222),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3 109,0", -222),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3 1", -109),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3 1,2,3", -108),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3 x,0", -104),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3 nan,0", -104),
        ("SOUR:PHAS1:VOLT:MHAR:HARM3? BOTH", -224),
        ("SOUR:PHAS1:VOLT:RANG 0,650", -221),
        ("SOUR:PHAS1:VOLT:RANG 0,1009", -222),
        ("SOUR:PHAS1:CURR:RANG 8,80.1", -222),
        ("SOUR:PHAS1:CURR:RANG -1,5", -222),
        ("SOUR:PHAS1:CURR:MHAR:HARM1 5.1,0", -222),
        ("SOUR:PHAS1:CURR:DIP:STAT ON", -113),
        ("SOUR:PHAS1:VOLT:DIP:ENV 141,0.0001,1,0.0001,0", -222),
        ("SOUR:PHAS1:VOLT:DIP:ENV 40,0.0001,61,0.0001,0", -222),
        ("SOUR:PHAS1:VOLT:DIP:TRIG:INP FREE", -224),
        ("SOUR:PHAS1:VOLT:DIP:TRIG:HOLD PHAS,181", -222),
        ("SOUR:PHAS1:VOLT:DIP:TRIG:HOLD", -109),
        ("OUTP:DIP:TRIG", -221),
        ("SOUR:PHAS1:VOLT:FLIC:DEPT 31", -222),
        ("SOUR:PHAS1:VOLT:IHAR:SIGN2 1,100", -114),
        ("SOUR:PHAS1:VOLT:IHAR:SIGN1 1,10", -222),
        ("SOUR:FREQ 1000", -222),
        ("UNIT:MHAR:VOLT PRMS", -224),
        ("OUTP:STAT MAYBE", -224),
        ("SOUR:PHAS1:VOLT", -113),
        ("SOUR:PHAS1", -113),
        ("SOUR", -113),
        ("*NO?", -113),
        ("S\u{d6}UR:FREQ 50", -102),
    ] {
        refused(&mut source, &mut world, line, error);
    }
    assert_eq!(world.source.standing(), &before);
    assert!(ask(&mut source, &mut world, "*IDN?").starts_with("FLUKE,6105A,"));
}

#[test]
fn no_line_of_any_bytes_is_too_much() {
    let (mut source, mut world) = energised();
    let words =
        ["SOUR", "PHAS2", ":VOLT", ":MHAR:", "HARM", "5", ";", "?", " ", ",", "1e300", "-0", "*", "ON", "DIP", ":ENV"];
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut line = String::new();
        for _ in 0..state % 9 {
            state = crate::noise::mix(state);
            line.push_str(words[(state % words.len() as u64) as usize]);
        }
        state = crate::noise::mix(state);
        ask(&mut source, &mut world, &line);
    }
    ask(&mut source, &mut world, "*CLS");
    tell(&mut source, &mut world, "OUTP:STAT OFF");
    assert!(!world.output().is_energised());
}
