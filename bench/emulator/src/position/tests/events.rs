//! Events of the source as the meter on the bench writes them down.

use meterbench_iec62056::octets::Reader;

use super::waves::{carrying, distorted, fifth_harmonic};
use super::*;
use crate::source::{Distortion, Event};

/// Code, phases, duration (ms) and worst value of the rows of a log.
fn rows_of(position: &Position, log: [u8; 6]) -> Vec<(u8, u8, u32, i32)> {
    let attribute = AttributeDescriptor { class: 7, name: Obis(log), attribute: 2 };
    let octets = read(position, attribute);
    let mut reader = Reader::new(&octets);
    let rows = reader.array_of().unwrap();
    let row = |_| {
        reader.structure_of(5).unwrap();
        reader.date_time().unwrap();
        let (code, phases) = (reader.unsigned().unwrap(), reader.unsigned().unwrap());
        (code, phases, reader.double_long_unsigned().unwrap(), reader.double_long().unwrap())
    };
    (0..rows).map(row).collect()
}

fn read(position: &Position, attribute: AttributeDescriptor) -> Vec<u8> {
    let (meter, mut octets) = (position.meter(), vec![0; 4000]);
    let mut writer = Writer::new(&mut octets);
    meter.get(&MANAGEMENT, attribute, None, meter.moment(), &mut writer).unwrap();
    let length = writer.finish().unwrap();
    octets.truncate(length);
    octets
}

fn counted(position: &Position, kind: u8) -> u32 {
    let counter = Obis([0, 0, 96, 15, 128 + kind, 255]);
    let octets = read(position, AttributeDescriptor { class: 1, name: counter, attribute: 2 });
    Reader::new(&octets).double_long_unsigned().unwrap()
}

const QUALITY_LOG: [u8; 6] = [0, 0, 99, 98, 4, 255];

/// A position on this output, two seconds in, on which an event is played and ridden out.
fn played(front_end: FrontEnd, output: &Output, event: &Event, pace: Pace) -> Position {
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, output.clone());
    let mut position = ideal(front_end, &[]);
    all(&mut position, &source, &air, 16_000, pace);
    let span = source.play(16_000, event);
    // A rapid change is known a second later.
    let end = span.end as u64 + 20_000;
    all(&mut position, &source, &air, end, pace);
    all(&mut position, &source, &air, end, Pace::Samples);
    position
}

#[test]
fn a_dip_is_written_down_with_its_phases_its_time_and_what_was_left() {
    let drawn = || FrontEnd::drawn(11, "1001", (230.0, 50.0));
    let (mut time, mut left): (u32, u32) = (0, 0);
    for (phases, bits) in [([true, false, false], 1), ([false, true, true], 6), ([true; 3], 7)] {
        for (share, seconds) in [(0.85, 0.2), (0.7, 0.5), (0.41, 0.1), (0.2, 1.0)] {
            for degrees in [0.0, 45.0, 90.0, 233.0] {
                // Below 40 % on all phases the meter lives on what it has stored, for half a second.
                if bits == 7 && share < 0.4 && seconds > 0.45 {
                    continue;
                }
                let event = Event { phases, share, seconds, point_on_wave_deg: degrees, phase_jump_deg: 0.0 };
                for output in [balanced(230.0, 5.0, 0.0, 50.0), fifth_harmonic(5.0)] {
                    let position = played(drawn(), &output, &event, Pace::Dwell);
                    let rows = rows_of(&position, QUALITY_LOG);
                    let [(128, found, ms, extreme)] = rows[..] else { panic!("{event:?}: {rows:?}") };
                    assert_eq!((found, counted(&position, 0)), (bits, 1), "{event:?}");
                    let wanted = (seconds * 1000.0) as u32;
                    time = time.max(ms.abs_diff(wanted));
                    let carried = output.wave.as_ref().map_or(1.0, |wave| wave.voltage[0].rms());
                    left = left.max(extreme.abs_diff((share * carried * 1e4).round() as i32));
                    // One cycle either way by half-cycle values; 0.2 % of Udin.
                    assert!(ms.abs_diff(wanted) <= 20, "{event:?}: {rows:?}");
                }
            }
        }
    }
    println!("dips: at most {time} ms and {:.2} % of Udin off", f64::from(left) / 100.0);
    assert!(left <= 20, "{left}");
}

#[test]
fn what_is_no_event_is_none_and_both_paces_write_the_same() {
    let event = |share, seconds| Event {
        phases: [true, false, false],
        share,
        seconds,
        point_on_wave_deg: 0.0,
        phase_jump_deg: 0.0,
    };
    // 97 % is no change, 91 % no dip, 109 % no swell; a step of 9 % is rapid.
    for (share, seconds, dips, swells, rapid) in
        [(0.97, 5.0, 0, 0, 0), (0.91, 5.0, 0, 0, 2), (1.09, 5.0, 0, 0, 2), (0.5, 5.0, 1, 0, 0), (1.15, 5.0, 0, 1, 0)]
    {
        let run = |pace| {
            let output = balanced(230.0, 5.0, 0.0, 50.0);
            let position = played(FrontEnd::ideal(), &output, &event(share, seconds), pace);
            let counts = [0, 1, 6].map(|kind| counted(&position, kind));
            (counts, rows_of(&position, QUALITY_LOG))
        };
        let ((counts, samples), (_, dwell)) = (run(Pace::Samples), run(Pace::Dwell));
        assert_eq!(counts, [dips, swells, rapid], "{share}: {samples:?}");
        let brief = |rows: &[(u8, u8, u32, i32)]| rows.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>();
        assert_eq!(brief(&samples), brief(&dwell), "{share}");
        for (one, other) in samples.iter().zip(&dwell) {
            assert!(one.2.abs_diff(other.2) <= 10 && one.3.abs_diff(other.3) <= 5, "{samples:?} {dwell:?}");
        }
    }
}

#[test]
fn an_interruption_within_the_hold_up_is_written_when_it_ends_and_beyond_it_after_power_up() {
    for (seconds, restarts) in [(0.3, false), (3.0, true)] {
        let event = Event { phases: [true; 3], share: 0.0, seconds, point_on_wave_deg: 90.0, phase_jump_deg: 0.0 };
        let (mut source, air) = (SourceLog::default(), Air::new(23.0));
        source.set(0, balanced(230.0, 5.0, 0.0, 50.0));
        let mut position = ideal(FrontEnd::ideal(), &[]);
        all(&mut position, &source, &air, 16_000, Pace::Samples);
        position.set_clock(86_400 * 9000);
        source.play(16_000, &event);
        let end = 16_000 + (8000.0 * (seconds + 3.0)) as u64;
        all(&mut position, &source, &air, end, Pace::Samples);
        assert_eq!(position.meter().sample_index() < end, restarts);
        let rows = rows_of(&position, QUALITY_LOG);
        println!("interruption of {seconds} s: {rows:?}");
        let ms = rows.iter().find(|row| row.0 == 130).map(|row| row.2).expect("an interruption");
        assert!(ms.abs_diff((seconds * 1000.0) as u32) <= 30, "{seconds}: {rows:?}");
        assert_eq!(counted(&position, 2), 1);
    }
}

#[test]
fn harmonics_are_read_as_they_are_played() {
    let voltage = distorted(&[(3, 0.05, 0.0), (5, 0.06, 180.0), (49, 0.01, 33.0)]);
    let output = carrying(&balanced(230.0, 5.0, 0.0, 49.3), &voltage, &Distortion::default());
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, output);
    let mut position = ideal(FrontEnd::drawn(11, "1001", (230.0, 50.0)), &[]);
    all(&mut position, &source, &air, 24_000, Pace::Dwell);
    // The whole spectrum of U1: magnitude (mV) and angle (0.01 deg) by order.
    let octets = read(&position, AttributeDescriptor { class: 1, name: Obis([1, 0, 32, 128, 0, 255]), attribute: 2 });
    let mut reader = Reader::new(&octets);
    let orders: Vec<(f64, f64)> = (0..reader.array_of().unwrap())
        .map(|_| {
            reader.structure_of(2).unwrap();
            let volt = f64::from(reader.double_long_unsigned().unwrap()) / 1000.0;
            (volt, f64::from(reader.long().unwrap()) / 100.0)
        })
        .collect();
    assert_eq!(orders.len(), 50);
    for (order, share, angle) in [(3, 0.05, 0.0), (5, 0.06, 180.0), (49, 0.01, 33.0)] {
        let ((found, at), truth) = (orders[order - 1], 230.0 * share);
        let off = (at - angle + 180.0).rem_euclid(360.0) - 180.0;
        println!("harmonic {order}: {found:.3} V of {truth:.3} V, {off:+.2} deg off");
        // The equaliser leaves 0.2 % at order 50, noise 20 mV over 800 bins.
        assert!((found - truth).abs() < 0.005 * truth + 0.003 && off.abs() < 0.5, "{order}: {found} {at}");
    }
}
