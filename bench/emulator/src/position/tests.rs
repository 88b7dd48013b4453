use meterbench_iec62056::acse::Conformance;
use meterbench_iec62056::apdu::AttributeDescriptor;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::server::{Agreed, LogicalDevice};
use meterbench_meter::TypeNumber;

use super::*;
use crate::air::Air;
use crate::faults::FaultKind;
use crate::noise::Draw;
use crate::source::{Phasor, SourceLog};

fn three_phase() -> Profile {
    *"684-2-41D-1312AA70-1B14001".parse::<TypeNumber>().unwrap().profile()
}

fn balanced(volt: f64, ampere: f64, lag: f64, hertz: f64) -> Output {
    let mut output = Output { hertz, ..Output::default() };
    for phase in 0..3 {
        let angle = 120.0 * phase as f64;
        output.voltage[phase] = Phasor { rms: volt, lag_deg: angle };
        output.current[phase] = Phasor { rms: ampere, lag_deg: angle + lag };
    }
    output
}

fn all(position: &mut Position, source: &SourceLog, air: &Air, to: u64, pace: Pace) {
    assert!(!position.advance(Around { source, air }, to, pace, u64::MAX / 2));
}

#[test]
fn with_an_ideal_front_end_the_register_is_the_energy_of_the_source() {
    for (ampere, lag, bound) in [(0.5, 0.0, 0.002), (100.0, 60.0, 0.002), (0.02, 0.0, 0.02)] {
        let output = balanced(230.0, ampere, lag, 50.0);
        let (mut source, air) = (SourceLog::default(), Air::new(23.0));
        source.set(0, output);
        let settings = Settings::delivered();
        let mut position = Position::new(&three_phase(), &settings, FrontEnd::ideal(), &[], 0, 23.0).unwrap();
        all(&mut position, &source, &air, 8000, Pace::Samples);
        let before = position.meter().registers().active_import.quanta();
        all(&mut position, &source, &air, 8000 * 21, Pace::Samples);
        let quanta = position.meter().registers().active_import.quanta() - before;
        let watt_hours = quanta as f64 / (240u128 << 76) as f64;
        let truth = (0..3).map(|n| output.active_watt(n)).sum::<f64>() * 20.0 / 3600.0;
        let error = 100.0 * (watt_hours - truth) / truth;
        println!("world and firmware at {ampere} A, lag {lag} deg: {error:+.5} %");
        assert!(error.abs() < bound, "{ampere} A, {lag} deg: {error}");
    }
}

#[test]
fn a_fault_of_the_register_leaves_the_impulses_alone() {
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, balanced(230.0, 50.0, 0.0, 50.0));
    let run = |faults: &[Fault]| {
        let settings = Settings::delivered();
        let mut position = Position::new(&three_phase(), &settings, FrontEnd::ideal(), faults, 0, 23.0).unwrap();
        all(&mut position, &source, &air, 8000 * 60, Pace::Dwell);
        (position.display([1, 8, 0]).unwrap().digits, position.take_edges().len())
    };
    let fault = Fault::new(FaultKind::RegisterLoss, 10.0).unwrap();
    let ((sound, impulses), (wrong, as_many)) = (run(&[]), run(&[fault]));
    assert!(sound > 500, "{sound} Wh");
    assert_eq!((wrong, as_many), (sound - sound / 10, impulses));
}

/// A random course of loads: from and output.
fn course(draw: Draw) -> (SourceLog, u64) {
    let mut source = SourceLog::default();
    let mut at = 0;
    for n in 0..12u64 {
        let volt = 200.0 + 60.0 * draw.uniform("volt", n);
        let ampere = 10f64.powf(-0.5 + 2.5 * draw.uniform("ampere", n));
        let lag = 360.0 * draw.uniform("lag", n);
        let hertz = 48.0 + 4.0 * draw.uniform("hertz", n);
        source.ramp_to(at, &balanced(volt, ampere, lag, hertz));
        at += 8000 * (5 + (60.0 * draw.uniform("length", n)) as u64);
    }
    (source, at)
}

#[test]
fn both_engines_agree_to_one_ppm_and_event_for_event() {
    for seed in 0..4 {
        let (source, end) = course(Draw::of(seed, "course"));
        let mut air = Air::new(23.0);
        air.move_to(end / 3, 55.0);
        let mut front_end = FrontEnd::drawn(seed, "1001", (230.0, 50.0));
        for channel in &mut front_end.channels {
            (channel.voltage_noise, channel.current_noise) = (0.0, 0.0);
        }
        let body = || {
            let settings = Settings::delivered();
            Position::new(&three_phase(), &settings, front_end.clone(), &[], 0, 23.0).unwrap()
        };
        let (mut samples, mut dwell) = (body(), body());
        all(&mut samples, &source, &air, end, Pace::Samples);
        // Dwell in uneven pieces, then the rest by samples.
        (1..=37u64).for_each(|n| all(&mut dwell, &source, &air, end * n / 37, Pace::Dwell));
        all(&mut dwell, &source, &air, end, Pace::Samples);
        let (one, other) = (samples.meter().registers(), dwell.meter().registers());
        let registers = [
            ("A+", one.active_import, other.active_import),
            ("A-", one.active_export, other.active_export),
            ("R+", one.reactive_import(), other.reactive_import()),
            ("R-", one.reactive_export(), other.reactive_export()),
        ];
        for (name, one, other) in registers {
            let (one, other) = (one.quanta() as f64, other.quanta() as f64);
            let total = samples.meter().registers().apparent_import.quanta()
                + samples.meter().registers().apparent_export.quanta();
            let total = total as f64;
            let ppm = 1e6 * (other - one) / total;
            println!("course {seed}, {name}: {ppm:+.3} ppm");
            assert!(ppm.abs() < 1.0, "course {seed}, {name}: {ppm}");
        }
        let (one, other) = (samples.take_edges(), dwell.take_edges());
        assert_eq!(one.len(), other.len(), "course {seed}");
        let apart = one.iter().zip(&other).map(|(a, b)| a.nanoseconds().abs_diff(b.nanoseconds())).max();
        println!("course {seed}: {} impulses, at most {} µs apart", one.len(), apart.unwrap_or(0) / 1000);
        // A tenth of a ppm of the energy so far is milliseconds at a light load; one mains period is the jitter allowed.
        assert!(apart.unwrap_or(0) < 5_000_000, "course {seed}: {apart:?} ns");
        assert!((samples.case_c() - dwell.case_c()).abs() < 1e-9);
        assert!(dwell.taken().1 > dwell.taken().0, "most of it in windows: {:?}", dwell.taken());
    }
}

/// The load profile of the meter, with a period of five minutes.
fn every_five_minutes(position: &mut Position) {
    let period = [6, 0, 0, 1, 0x2C];
    let attribute = AttributeDescriptor { attribute: 4, ..BUFFER };
    let Body::Native(meter, _) = &mut position.body else { panic!("the meter is elsewhere") };
    assert!(meter.set(&MANAGEMENT, attribute, EncodedData::new(&period).unwrap()).is_success());
}

fn rows(position: &Position) -> Vec<u8> {
    let meter = position.meter();
    let mut octets = vec![0; 1000];
    let mut writer = Writer::new(&mut octets);
    meter.get(&MANAGEMENT, BUFFER, None, meter.moment(), &mut writer).unwrap();
    let length = writer.finish().unwrap();
    octets.truncate(length);
    octets
}

const BUFFER: AttributeDescriptor = AttributeDescriptor { class: 7, name: Obis([1, 0, 99, 1, 0, 255]), attribute: 2 };
const MANAGEMENT: Agreed = Agreed {
    client: 1,
    client_title: [0; 8],
    conformance: Conformance::NONE,
    longest_received: 1024,
    longest_sent: 1024,
};

#[test]
fn both_engines_capture_the_same_rows() {
    let (source, _) = course(Draw::of(3, "course"));
    let (air, end) = (Air::new(23.0), 8000 * 60 * 16);
    let run = |pace| {
        let settings = Settings::delivered();
        let mut position = Position::new(&three_phase(), &settings, FrontEnd::ideal(), &[], 0, 23.0).unwrap();
        every_five_minutes(&mut position);
        (1..=23).for_each(|n| all(&mut position, &source, &air, end * n / 23, pace));
        all(&mut position, &source, &air, end, Pace::Samples);
        assert_eq!(position.taken().1 > position.taken().0, pace == Pace::Dwell, "{:?}", position.taken());
        rows(&position)
    };
    let (samples, dwell) = (run(Pace::Samples), run(Pace::Dwell));
    assert_eq!(samples[..2], [1, 3], "three rows");
    assert_eq!(samples, dwell);
    assert_ne!(samples[20..25], [6, 0, 0, 0, 0], "with energy in them");
}

#[test]
fn how_a_dwell_is_cut_changes_no_bit() {
    let (source, end) = course(Draw::of(9, "course"));
    let air = Air::new(23.0);
    let run = |pieces: u64| {
        let front_end = FrontEnd::drawn(9, "1001", (230.0, 50.0));
        let mut position = Position::new(&three_phase(), &Settings::delivered(), front_end, &[], 5, 23.0).unwrap();
        (1..=pieces).for_each(|n| all(&mut position, &source, &air, end * n / pieces, Pace::Dwell));
        all(&mut position, &source, &air, end, Pace::Samples);
        (position.meter().registers(), position.take_edges())
    };
    assert_eq!(run(1), run(61));
}

#[test]
fn a_fast_clock_registers_more() {
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, balanced(230.0, 10.0, 0.0, 50.0));
    let energy = |clock: f64| {
        let front_end = FrontEnd { clock, ..FrontEnd::ideal() };
        let mut position = Position::new(&three_phase(), &Settings::delivered(), front_end, &[], 0, 23.0).unwrap();
        all(&mut position, &source, &air, 8000 * 60, Pace::Samples);
        position.meter().registers().active_import.quanta() as f64
    };
    let percent = 100.0 * (energy(1.01) / energy(1.0) - 1.0);
    assert!((percent - 1.0).abs() < 0.05, "{percent}");
}
