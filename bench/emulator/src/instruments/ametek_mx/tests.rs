use meterbench_metrology::SAMPLE_RATE;

use super::*;
use crate::reference::Reference;
use crate::world::Engine;

fn world() -> World {
    World::new(Reference::drawn(1, 0.02), Vec::new(), 23.0, Engine::Auto)
}

fn ask(source: &mut AmetekMx, world: &mut World, line: &str) -> String {
    source.receive(0, line, world).text
}

/// Tells a line and sees that nothing is wrong with it.
fn tell(source: &mut AmetekMx, world: &mut World, line: &str) {
    assert_eq!(ask(source, world, line), "", "{line}");
    assert_eq!(ask(source, world, "SYST:ERR?"), "0,\"No error\"", "{line}");
}

fn energised() -> (AmetekMx, World) {
    let (mut source, mut world) = (AmetekMx::new(1), world());
    for line in [
        "VOLT:RANG 300;:FREQ 50",
        "INST:COUP NONE;:INST:NSEL 2;:PHAS -120",
        "INST:NSEL 3;:PHAS 120",
        "OUTP 1",
        "INST:COUP ALL",
        "VOLT 230",
    ] {
        tell(&mut source, &mut world, line);
    }
    world.advance(1_000_000_000, |_| false);
    (source, world)
}

/// The RMS voltage of a phase at a moment (s).
fn volt(world: &World, phase: usize, at: f64) -> f64 {
    world.source.output_at((at * f64::from(SAMPLE_RATE)) as u64).voltage[phase].rms
}

#[test]
fn voltages_stand_where_they_are_told() {
    let (mut source, mut world) = energised();
    let output = world.output();
    for (n, lag) in [0.0, 120.0, -120.0].into_iter().enumerate() {
        assert!((output.voltage[n].rms / 230.0 - 1.0).abs() < 2e-3);
        assert!((output.voltage[n].lag_deg - lag).abs() < 0.3, "{lag}");
    }
    assert!(!output.is_reversed());
    let read: f64 = ask(&mut source, &mut world, "MEAS:VOLT:AC?").parse().unwrap();
    assert!((read - 230.0).abs() < 0.5);
    assert_eq!(ask(&mut source, &mut world, "MEAS:FREQ?;:OUTP?;:VOLT? MAX"), "50.0000;1;300.0000");
    tell(&mut source, &mut world, "OUTP OFF");
    assert!(!world.output().is_energised());
}

#[test]
fn a_list_begins_at_its_angle_and_lasts_its_dwell() {
    let (mut source, mut world) = energised();
    for line in [
        "INST:COUP NONE;:INST:NSEL 2",
        "VOLT:MODE LIST;:LIST:VOLT 92,230;DWEL 0.2,0.01;COUN 1;STEP AUTO",
        "TRIG:SYNC:SOUR PHAS;PHAS 90",
        "TRIG:TRAN:SOUR BUS;:INIT",
    ] {
        tell(&mut source, &mut world, line);
    }
    assert_eq!(ask(&mut source, &mut world, "TRIG:STAT?"), "WTRIG");
    tell(&mut source, &mut world, "*TRG");
    let segments = world.source.segments();
    let (dip, after) = (&segments[segments.len() - 3], &segments[segments.len() - 2]);
    assert!((after.from - dip.from - 0.2 * f64::from(SAMPLE_RATE)).abs() < 1e-6);
    // L1 stands at its peak when it begins; what goes down is L2 alone.
    let angle = dip.angle_at(dip.from).to_degrees() - dip.output.voltage[0].lag_deg + 90.0;
    assert!((angle.rem_euclid(360.0) - 90.0).abs() < 1e-6, "{angle}");
    assert!((volt(&world, 1, 1.1) - 92.0).abs() < 0.2 && volt(&world, 0, 1.1) > 229.0);
    assert!(matches!(ask(&mut source, &mut world, "TRIG:STAT?").as_str(), "ARM" | "BUSY"));
    world.advance(1_300_000_000, |_| false);
    assert_eq!(ask(&mut source, &mut world, "TRIG:STAT?"), "IDLE");
    assert!(world.output().voltage[1].rms > 229.0);
}

#[test]
fn an_abort_ends_a_list() {
    let (mut source, mut world) = energised();
    tell(&mut source, &mut world, "VOLT:MODE LIST;:LIST:VOLT 0;DWEL 60;:INIT");
    world.advance(1_500_000_000, |_| false);
    assert!(!world.output().is_energised());
    tell(&mut source, &mut world, "ABOR");
    assert!(world.output().is_energised() && ask(&mut source, &mut world, "TRIG:STAT?") == "IDLE");
    tell(&mut source, &mut world, "INIT;:OUTP 0");
    assert!((0..100).all(|second| volt(&world, 0, f64::from(second) + 1.6) == 0.0), "nothing comes back by itself");
}

#[test]
fn a_table_is_a_wave_of_the_voltage_that_is_set() {
    let (mut source, mut world) = energised();
    let at = |n: usize| n as f64 / 1024.0 * std::f64::consts::TAU;
    let values: Vec<String> = (0..1024).map(|n| format!("{:.5}", at(n).sin() + 0.1 * (5.0 * at(n)).sin())).collect();
    tell(&mut source, &mut world, "TRAC:DEF FIFTH");
    tell(&mut source, &mut world, &format!("TRAC FIFTH,{}", values.join(",")));
    tell(&mut source, &mut world, "FUNC FIFTH");
    let [fifth] = world.output().distortion(2).unwrap().harmonics[..] else { panic!() };
    assert!((fifth.share - 0.1).abs() < 1e-4 && fifth.order == 5);
    assert!((world.output().voltage_rms(0) / 230.0 - 1.0).abs() < 2e-3, "scaled to what is set");
    assert!(ask(&mut source, &mut world, "TRAC:CAT?").contains("\"FIFTH\""));
    let read: f64 = ask(&mut source, &mut world, "MEAS:VOLT:HARM? 5").parse().unwrap();
    assert!((read - 22.9).abs() < 0.1, "{read}");
    tell(&mut source, &mut world, "FUNC SIN");
    assert!(world.output().wave.is_none());
}

#[test]
fn what_it_does_not_take_stands_in_the_queue_and_changes_nothing() {
    let (mut source, mut world) = energised();
    let before = world.output().clone();
    for (line, error) in [
        ("VOLT 301", -222),
        ("VOLT nan", -104),
        ("VOLT", -109),
        ("VOLT 1,2", -108),
        ("FREQ 5", -222),
        ("PHAS 400", -222),
        ("FUNC NONE", -224),
        ("FUNC", -109),
        ("VOLT:MODE STEP", -224),
        ("LIST:DWEL 0.0001", -222),
        ("LIST:DWEL inf", -104),
        ("LIST:VOLT 1,,2", -102),
        ("LIST:COUN 3e8", -222),
        ("INST:NSEL 4", -222),
        ("INST:NSEL 0", -222),
        ("TRAC SIN,1", -224),
        ("TRAC:DEF 1A", -224),
        ("TRAC:DEF", -109),
        ("TRAC:DEL NONE", -224),
        ("TRAC NONE,1,2", -109),
        ("MEAS:CURR?", -113),
        ("MEAS:VOLT:HARM? 51", -222),
        ("CURR 5", -113),
        ("*NO", -113),
        ("\u{e4}", -102),
        ("TRIG:SYNC:PHAS 1e9", -222),
    ] {
        assert_eq!(ask(&mut source, &mut world, line), "", "{line}");
        let said = ask(&mut source, &mut world, "SYST:ERR?");
        assert!(said.starts_with(&format!("{error},")), "{line}: {said}");
    }
    assert_eq!(world.output(), &before);
    for lists in ["LIST:VOLT 1,2,3;DWEL 1,2", "LIST:DWEL 1;COUN 2E8"] {
        tell(&mut source, &mut world, &format!("VOLT:MODE LIST;:{lists}"));
        ask(&mut source, &mut world, "INIT");
        assert!(ask(&mut source, &mut world, "SYST:ERR?").starts_with("-22"), "{lists}");
    }
    assert_eq!(world.output(), &before);
    ask(&mut source, &mut world, &format!("LIST:VOLT {}1", "1,".repeat(40)));
    assert!(ask(&mut source, &mut world, "SYST:ERR?").starts_with("-223"));
}

#[test]
fn no_line_of_any_bytes_is_too_much() {
    let (mut source, mut world) = energised();
    let words = [
        "INST", ":NSEL ", "2", ";", ":VOLT", ":MODE ", "LIST", ":", "DWEL ", "0.1", ",", "1e300", "INIT", "*TRG",
        "TRAC", ":DEF A", " A", "FUNC ", "?", "TRIG", ":SYNC", ":PHAS ", "-90", "OUTP ", "0",
    ];
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut line = String::new();
        for _ in 0..state % 11 {
            state = crate::noise::mix(state);
            line.push_str(words[(state % words.len() as u64) as usize]);
        }
        state = crate::noise::mix(state);
        ask(&mut source, &mut world, &line);
    }
    ask(&mut source, &mut world, "*CLS");
    tell(&mut source, &mut world, "OUTP 0");
    assert!(!world.output().is_energised());
}
