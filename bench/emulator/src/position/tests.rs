use meterbench_iec62056::acse::{Conformance, Mechanism};
use meterbench_iec62056::apdu::AttributeDescriptor;
use meterbench_iec62056::client::{Client, Credentials};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{Key, SystemTitle};
use meterbench_iec62056::server::{Agreed, LogicalDevice, Server};
use meterbench_meter::{Quality, TypeNumber};

use super::*;
use crate::air::Air;
use crate::faults::FaultKind;
use crate::noise::Draw;
use crate::source::{Phasor, SourceLog};

mod events;
mod speed;
mod waves;

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
        source.set(0, output.clone());
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
    let Body::Native(native) = &mut position.body else { panic!("the meter is elsewhere") };
    assert!(native.meter.set(&MANAGEMENT, attribute, EncodedData::new(&period).unwrap()).is_success());
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
    mechanism: Mechanism::HIGH_GMAC,
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

/// A load, and gaps in it: begin and length (samples).
fn with_gaps(gaps: &[(u64, u64)]) -> SourceLog {
    let (load, mut source) = (balanced(230.0, 10.0, 0.0, 50.0), SourceLog::default());
    source.set(800, load.clone());
    for &(begin, length) in gaps {
        source.set(begin, Output { hertz: 50.0, ..Output::default() });
        source.set(begin + length, load.clone());
    }
    source
}

fn ideal(front_end: FrontEnd, faults: &[Fault]) -> Position {
    Position::new(&three_phase(), &Settings::delivered(), front_end, faults, 0, 23.0).unwrap()
}

#[test]
fn a_meter_rides_through_half_a_second_and_starts_anew_after_more() {
    // Hold-up is half a second: 4000 samples.
    for (gap, restarts) in [(160, false), (3999, false), (4000, false), (4001, true), (8000, true)] {
        for pace in [Pace::Samples, Pace::Dwell] {
            let (source, air) = (with_gaps(&[(40_000, gap)]), Air::new(23.0));
            let mut position = ideal(FrontEnd::ideal(), &[]);
            all(&mut position, &source, &air, 80_000, pace);
            all(&mut position, &source, &air, 80_000, Pace::Samples);
            let begun = if restarts { 40_000 + gap } else { 800 };
            assert_eq!(position.meter().sample_index(), 80_000 - begun, "{gap}");
        }
    }
}

#[test]
fn an_interrupted_phase_feeds_no_meter_of_one_system_and_two_feed_one_of_three() {
    let mut output = balanced(230.0, 0.0, 0.0, 50.0);
    output.voltage[0].rms = 0.0;
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, output);
    let single = *"686-11-11B-N14-3001-001".parse::<TypeNumber>().unwrap().profile();
    for (profile, samples) in [(three_phase(), 8000), (single, 0)] {
        let mut position = Position::new(&profile, &Settings::delivered(), FrontEnd::ideal(), &[], 0, 23.0).unwrap();
        all(&mut position, &source, &air, 8000, Pace::Samples);
        assert_eq!(position.meter().sample_index(), samples);
        assert_eq!(position.display([1, 8, 0]).is_some(), samples > 0, "a display without power is dark");
    }
}

#[test]
fn registers_outlive_power_cuts_and_impulses_stay_right_on_bench_time() {
    // 6.9 kW give an impulse in 521.7 ms. Off for 2 s, 1 s three times with 50 ms between, 10 s.
    let gaps = [(400_000, 16_000), (800_000, 8000), (808_400, 8000), (816_800, 8000), (1_200_000, 80_000)];
    for pace in [Pace::Samples, Pace::Dwell] {
        let (source, air) = (with_gaps(&gaps), Air::new(23.0));
        let front_end = FrontEnd { clock: 1.0001, ..FrontEnd::ideal() };
        let mut position = ideal(front_end, &[]);
        all(&mut position, &source, &air, 1_600_000, pace);
        all(&mut position, &source, &air, 1_600_000, Pace::Samples);
        let edges = position.take_edges();
        assert!(edges.is_sorted());
        for pair in edges.windows(2) {
            let (from, to) = (pair[0].index(), pair[1].index());
            // Between two impulses the load stood for one impulse's time; the metrology settles for some periods after a start.
            let dark: u64 = gaps.iter().filter(|(begin, _)| (from..to).contains(begin)).map(|(_, length)| length).sum();
            let lit = to - from - dark;
            assert!((4172..4178).contains(&lit) || dark > 0 && (4172..5000).contains(&lit), "{from} {to}: {lit}");
            // No meter gives an impulse without voltage.
            assert!(gaps.iter().all(|(begin, length)| !(begin + 1..begin + length).contains(&from)), "{from}");
        }
        let registered = position.meter().registers().active_import.quanta() as f64 / (240u128 << 76) as f64;
        assert!((registered - edges.len() as f64).abs() < 1.0, "{registered} Wh, {} impulses", edges.len());
    }
}

#[test]
fn how_a_dwell_with_power_cuts_is_cut_changes_no_bit() {
    let gaps = [(100_003, 2000), (200_001, 16_007), (300_000, 500_000)];
    let (source, mut air) = (with_gaps(&gaps), Air::new(23.0));
    air.move_to(150_000, 40.0);
    let end = 1_000_000;
    let run = |pieces: u64| {
        let mut position = ideal(FrontEnd::drawn(9, "1001", (230.0, 50.0)), &[]);
        (1..=pieces).for_each(|n| all(&mut position, &source, &air, end * n / pieces, Pace::Dwell));
        all(&mut position, &source, &air, end, Pace::Samples);
        (position.body.keep().unwrap(), position.take_edges())
    };
    assert_eq!(run(1), run(61));
}

/// A request of the reader that was once accepted, after a power cut of two seconds.
fn replayed(faults: &[Fault]) -> Vec<u8> {
    let (source, air) = (with_gaps(&[(80_000, 16_000)]), Air::new(23.0));
    let mut position = ideal(FrontEnd::ideal(), faults);
    all(&mut position, &source, &air, 40_000, Pace::Samples);
    let keys = crate::ports::test_identity("1001").keys[1];
    let mut client = Client::new(Credentials {
        mechanism: Mechanism::HIGH_GMAC,
        secret: [0x5A; 16],
        title: SystemTitle(*b"MBB\0\0\0\0\x01"),
        keys: Some((Key(keys.encryption), Key(keys.authentication))),
        counter: 0,
        general: false,
        dedicated: None,
    });
    let mut request = [0; 512];
    let length = client.associate(&mut request).unwrap();
    let associate = |position: &mut Position| {
        let Body::Native(native) = &mut position.body else { panic!("the meter is elsewhere") };
        let mut answer = [0; 1024];
        let answered = Server::new().answer(&mut native.meter, 2, &request[..length], &mut answer);
        answer[..answered].to_vec()
    };
    assert!(client.associated(&associate(&mut position)).unwrap());
    all(&mut position, &source, &air, 120_000, Pace::Samples);
    associate(&mut position)
}

#[test]
fn a_meter_that_forgets_its_counters_takes_an_old_request_for_a_new_one() {
    // result: 0 accepted, 1 rejected.
    let result = |answer: &[u8]| {
        let at = answer.windows(4).position(|four| four == [0xA2, 3, 2, 1]).expect("a result");
        answer[at + 4]
    };
    assert_eq!(result(&replayed(&[])), 1);
    let fault = Fault::new(FaultKind::CounterForgotten, 1.0).unwrap();
    assert_eq!(result(&replayed(&[fault])), 0);
}

/// UTC of the meter (s since 2000), and how far it is trusted.
fn clock(position: &Position) -> (u64, Quality) {
    let clock = position.meter().clock();
    (clock.utc_seconds(), clock.quality())
}

#[test]
fn the_clock_runs_seven_days_without_power_and_no_longer() {
    const DAY: u64 = 86_400 * 8000;
    for (tenths, quality) in [(69, Quality::Valid), (71, Quality::Invalid)] {
        let away = DAY / 10 * tenths;
        let (source, air) = (with_gaps(&[(80_000, away)]), Air::new(23.0));
        // Two ppm fast; the crystal that samples is 20 ppm slow and keeps no time.
        let front_end = FrontEnd { clock: 1.0 - 20e-6, timekeeping: 2e-6, ..FrontEnd::ideal() };
        let mut position = ideal(front_end, &[]);
        all(&mut position, &source, &air, 8000, Pace::Samples);
        position.set_clock(0);
        all(&mut position, &source, &air, 80_000 + away + 80_000, Pace::Dwell);
        let (shown, found) = clock(&position);
        assert_eq!(found, quality);
        let passed = (away + 152_000) / 8000;
        match quality {
            // Two ppm of 6.9 days are 1.19 s.
            Quality::Valid => assert!(shown.abs_diff(passed + 1) <= 1, "{shown} for {passed}"),
            _ => assert!(shown < 11, "{shown}"),
        }
    }
}

#[test]
fn the_clock_follows_its_own_crystal_over_temperature() {
    // At -40 °C: -134.9 ppm of an hour are -486 ms; the crystal that samples says nothing.
    for (celsius, hundredths) in [(23.0, 0), (-40.0, -49)] {
        let (source, air) = (with_gaps(&[]), Air::new(celsius));
        let front_end = FrontEnd { clock: 1.0 + 50e-6, ..FrontEnd::ideal() };
        let mut position = Position::new(&three_phase(), &Settings::delivered(), front_end, &[], 0, celsius).unwrap();
        all(&mut position, &source, &air, 8000, Pace::Samples);
        position.set_clock(0);
        all(&mut position, &source, &air, 8000 * 3601, Pace::Dwell);
        all(&mut position, &source, &air, 8000 * 3601, Pace::Samples);
        let (clock, local) = (position.meter().clock(), position.meter().clock().local());
        let shown = clock.utc_seconds() as i64 * 100 + i64::from(local.hundredths);
        assert!((shown - 360_000 - hundredths).abs() <= 2, "{celsius} °C: {shown}");
    }
}
