use std::f64::consts::{PI, SQRT_2};
use std::sync::Arc;

use super::*;
use crate::source::wave::{Modulation, Shape};
use crate::source::{Distortion, Event, Harmonic, Wave};

pub(super) fn distorted(all: &[(u16, f64, f64)]) -> Distortion {
    let harmonics = all.iter().map(|&(order, share, angle_deg)| Harmonic { order, share, angle_deg }).collect();
    Distortion { harmonics, ..Distortion::default() }
}

pub(super) fn carrying(output: &Output, voltage: &Distortion, current: &Distortion) -> Output {
    let (voltage, current) = (voltage.clone(), current.clone());
    let wave = Wave { voltage: [0, 1, 2].map(|_| voltage.clone()), current: [0, 1, 2].map(|_| current.clone()) };
    Output { wave: Some(Arc::new(wave)), ..output.clone() }
}

/// 10 % in the voltage and 40 % in the current, in phase.
pub(super) fn fifth_harmonic(ampere: f64) -> Output {
    carrying(&balanced(230.0, ampere, 0.0, 50.0), &distorted(&[(5, 0.1, 0.0)]), &distorted(&[(5, 0.4, 0.0)]))
}

/// One half of every cycle of a sine of this RMS value; the fundamental has half of it.
fn half_wave(sine: f64) -> Output {
    let even = (1..=50u16).map(|n| {
        let order = 2 * n;
        (order, 4.0 / PI / (f64::from(order).powi(2) - 1.0), -90.0)
    });
    let all: Vec<_> = std::iter::once((0, 2.0 * SQRT_2 / PI, 0.0)).chain(even).collect();
    carrying(&balanced(230.0, sine / 2.0, 0.0, 50.0), &Distortion::default(), &distorted(&all))
}

/// Two cycles on, two off.
fn bursts(ampere: f64) -> Output {
    let modulation = Modulation { shape: Shape::Rectangle, hertz: 12.5, depth: 2.0, duty: 0.5 };
    let current = Distortion { modulation: Some(modulation), ..Distortion::default() };
    carrying(&balanced(230.0, ampere, 0.0, 50.0), &Distortion::default(), &current)
}

/// A sine that is off for the first quarter of every half cycle, of the orders up to 99: by its Fourier integral.
fn phase_fired(ampere: f64) -> Output {
    let part = |n: f64, shape: fn(f64, f64) -> f64| {
        let steps = 20_000;
        let sum: f64 = (0..steps)
            .map(|k| {
                let angle = PI / 2.0 + (f64::from(k) + 0.5) / f64::from(steps) * PI / 2.0;
                angle.sin() * shape(n, angle)
            })
            .sum();
        2.0 / PI * sum * PI / 2.0 / f64::from(steps)
    };
    let component = |n: f64| {
        let (sin, cos) = (part(n, |n, a| (n * a).sin()), part(n, |n, a| (n * a).cos()));
        (sin.hypot(cos), cos.atan2(sin).to_degrees())
    };
    let (one, angle) = component(1.0);
    let odd: Vec<_> = (1..=49u16)
        .map(|k| {
            let order = 2 * k + 1;
            let (amplitude, own) = component(f64::from(order));
            // Its angle where its fundamental, not the sine that was cut, crosses zero.
            (order, amplitude / one, own - f64::from(order) * angle)
        })
        .collect();
    carrying(&balanced(230.0, ampere, -angle, 50.0), &Distortion::default(), &distorted(&odd))
}

/// The error of the active energy over twenty seconds against the closed form [%].
fn error_of(output: &Output, front_end: FrontEnd, faults: &[Fault]) -> f64 {
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, output.clone());
    let mut position = ideal(front_end, faults);
    all(&mut position, &source, &air, 8000, Pace::Dwell);
    let registered = |position: &Position| position.meter().registers().active_import.quanta();
    let (before, begun) = (registered(&position), position.meter().sample_index());
    all(&mut position, &source, &air, 8000 * 21, Pace::Dwell);
    assert_eq!(position.taken().1, 0, "a wave takes samples");
    assert_eq!(position.meter().sample_index() - begun, 160_000);
    let watt_hours = (registered(&position) - before) as f64 / (240u128 << 76) as f64;
    let segment = source.segments().last().unwrap();
    let truth = (0..3).map(|n| segment.joule(n, 8000.0, 168_000.0)).sum::<f64>() / 3600.0;
    100.0 * (watt_hours / truth - 1.0)
}

#[test]
fn with_an_ideal_front_end_the_register_is_the_energy_of_the_wave() {
    for (name, output, bound) in [
        ("5th harmonic", fifth_harmonic(50.0), 0.001),
        ("half-wave", half_wave(100.0), 0.001),
        ("phase-fired", phase_fired(5.0), 0.001),
        ("bursts", bursts(2.5), 0.001),
    ] {
        let error = error_of(&output, FrontEnd::ideal(), &[]);
        println!("world and firmware, {name}: {error:+.5} %");
        assert!(error.abs() < bound, "{name}: {error}");
    }
}

#[test]
fn what_the_world_knows_of_the_error_is_what_the_register_shows() {
    let mut drawn = FrontEnd::drawn(3, "1001", (230.0, 50.0));
    // Cycles are booked whole: with a clock of its own the register would end with another one.
    drawn.clock = 1.0;
    for channel in &mut drawn.channels {
        (channel.voltage_noise, channel.current_noise) = (0.0, 0.0);
        channel.current_converter.residue = -0.3;
    }
    let sensitive = Fault::new(FaultKind::DcSensitive, 10.0).unwrap();
    for (name, output, faults) in
        [("5th harmonic", fifth_harmonic(5.0), [].as_slice()), ("half-wave", half_wave(100.0), &[sensitive])]
    {
        // The shunts are cold: the truth is taken at the temperatures of the end, which heating moves by little in 20 s.
        let position = ideal(drawn.clone(), faults);
        let (known, found) = (position.true_error(&output).percent, error_of(&output, drawn.clone(), faults));
        println!("{name}: known {known:+.4} %, registered {found:+.4} %");
        assert!((known - found).abs() < 0.004, "{name}: {known} {found}");
    }
}

#[test]
fn faults_of_waves_show_in_waves_alone() {
    let fault = |kind, severity| [Fault::new(kind, severity).unwrap()];
    let sine = balanced(230.0, 50.0, 0.0, 50.0);
    let alone = |output: &Output, faults: &[Fault]| ideal(FrontEnd::ideal(), faults).true_error(output).percent;
    let (alias, sensitive) = (fault(FaultKind::Alias, 40.0), fault(FaultKind::DcSensitive, 10.0));
    assert!(alone(&sine, &alias).abs() < 1e-9 && alone(&sine, &sensitive).abs() < 1e-9);
    // 40 % of the fifth harmonic and the cosine of 24.3 degrees of 4 % of the power in 104.
    let error = error_of(&fifth_harmonic(50.0), FrontEnd::ideal(), &alias);
    println!("alias 40 %, 5th harmonic: {error:+.3} %");
    assert!((error + 1.744).abs() < 0.01, "{error}");
    let error = error_of(&half_wave(100.0), FrontEnd::ideal(), &sensitive);
    println!("dc-sensitive 10 %, half-wave: {error:+.3} %");
    assert!((error + 10.0).abs() < 0.01, "{error}");
    assert!(alone(&fifth_harmonic(50.0), &sensitive).abs() < 1e-9);
}

fn dip(phases: [bool; 3], share: f64, seconds: f64) -> Event {
    Event { phases, share, seconds, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 }
}

#[test]
fn a_dip_is_ridden_through_and_an_interruption_beyond_the_hold_up_is_not() {
    for (phases, share, seconds, restarts) in [
        ([true; 3], 0.0, 0.2, false),
        ([true; 3], 0.0, 0.4999, false),
        ([true; 3], 0.0, 0.5002, true),
        ([true; 3], 0.41, 60.0, false),
        ([true; 3], 0.04, 1.0, true),
        ([true, true, false], 0.0, 60.0, false),
    ] {
        for wave in [false, true] {
            let output = if wave { fifth_harmonic(10.0) } else { balanced(230.0, 10.0, 0.0, 50.0) };
            let (mut source, air) = (SourceLog::default(), Air::new(23.0));
            source.set(0, output);
            let span = source.play(40_000, &dip(phases, share, seconds));
            let mut position = ideal(FrontEnd::ideal(), &[]);
            let end = 8000 * 70;
            all(&mut position, &source, &air, end, Pace::Dwell);
            all(&mut position, &source, &air, end, Pace::Samples);
            let begun = if restarts { span.end.ceil() as u64 } else { 0 };
            assert_eq!(position.meter().sample_index(), end - begun, "{phases:?} {share} {seconds} s, wave {wave}");
        }
    }
}

#[test]
fn how_a_run_over_waves_and_events_is_cut_changes_no_bit() {
    let air = Air::new(23.0);
    let played = [
        (150_000, Some(dip([true, false, false], 0.4, 0.2))),
        (250_000, Some(dip([true; 3], 1.15, 10.0))),
        (400_000, None),
        (450_000, Some(dip([true; 3], 0.0, 0.3))),
        (500_000, Some(dip([true; 3], 0.0, 3.0))),
    ];
    let end = 800_000;
    let run = |pieces: u64, pace| {
        let mut source = SourceLog::default();
        source.set(0, balanced(230.0, 20.0, 30.0, 50.0));
        let mut position = ideal(FrontEnd::drawn(9, "1001", (230.0, 50.0)), &[]);
        let mut commands = played.iter().peekable();
        for n in 1..=pieces {
            let to = end * n / pieces;
            while let Some((at, event)) = commands.next_if(|(at, _)| *at <= to) {
                all(&mut position, &source, &air, *at, pace);
                match event {
                    Some(event) => drop(source.play(*at, event)),
                    None => source.set(*at, fifth_harmonic(20.0)),
                }
            }
            all(&mut position, &source, &air, to, pace);
        }
        all(&mut position, &source, &air, end, Pace::Samples);
        (position.body.keep().unwrap(), position.take_edges(), position.taken())
    };
    for pace in [Pace::Dwell, Pace::Samples] {
        let (one, other) = (run(1, pace), run(97, pace));
        assert!(one == other, "{pace:?}: {:?} {:?}", one.2, other.2);
        assert_eq!(one.2.1 > 0, pace == Pace::Dwell, "{:?}", one.2);
    }
}
