use std::sync::Arc;

use super::*;
use crate::source::wave::{Distortion, Interharmonic, Wave};
use crate::source::{Phasor, SourceLog};

fn segment(hertz: f64, lag: f64, voltage: Distortion, current: Distortion) -> Segment {
    let mut output = Output { hertz, ..Output::default() };
    output.voltage[0] = Phasor { rms: 230.0, lag_deg: 12.0 };
    output.current[0] = Phasor { rms: 10.0, lag_deg: 12.0 + lag };
    let mut wave = Wave::default();
    (wave.voltage[0], wave.current[0]) = (voltage, current);
    output.wave = Some(Arc::new(wave));
    let mut log = SourceLog::default();
    log.set(777, output);
    log.segments().last().unwrap().clone()
}

fn harmonics(all: &[(u16, f64, f64)]) -> Vec<Harmonic> {
    all.iter().map(|&(order, share, angle_deg)| Harmonic { order, share, angle_deg }).collect()
}

/// ∫ u·i over a stretch, by the midpoints of 64 parts of every sample.
fn integrated(segment: &Segment, from: f64, samples: u32) -> f64 {
    let parts = 64;
    let sum: f64 = (0..samples * parts)
        .map(|n| {
            let at = from + (f64::from(n) + 0.5) / f64::from(parts);
            segment.value(0, at) * segment.value(3, at)
        })
        .sum();
    sum / f64::from(parts) / f64::from(SAMPLE_RATE)
}

#[test]
fn energy_is_the_integral_of_voltage_times_current() {
    let distorted = |all: &[(u16, f64, f64)]| Distortion { harmonics: harmonics(all), ..Distortion::default() };
    let modulated = |shape, hertz, depth, duty| Distortion {
        modulation: Some(Modulation { shape, hertz, depth, duty }),
        ..Distortion::default()
    };
    let inter =
        |share| Distortion { interharmonic: Some(Interharmonic { hertz: 175.0, share }), ..Distortion::default() };
    // A half-wave: the direct part, the fundamental and even orders; phase-fired at 90 degrees; bursts of two cycles in four.
    let half_wave: Vec<_> = std::iter::once((0, 2.0 * 2f64.sqrt() / PI, 0.0))
        .chain((1..=50).map(|n| {
            let order = 2 * n;
            let share = 2.0 * 2.0 / PI / (f64::from(order) * f64::from(order) - 1.0);
            (order, share, -90.0)
        }))
        .collect();
    let cases = [
        ("5th harmonic", 0.0, distorted(&[(5, 0.1, 0.0)]), distorted(&[(5, 0.4, 0.0)])),
        (
            "quadriform",
            0.0,
            distorted(&[(3, 0.038, 180.0), (5, 0.024, 180.0)]),
            distorted(&[(3, 0.3, 0.0), (5, 0.18, 0.0)]),
        ),
        ("half-wave", 0.0, Distortion::default(), distorted(&half_wave)),
        ("direct part in both", 0.0, distorted(&[(0, 0.01, 0.0)]), distorted(&[(0, 0.3, 0.0)])),
        ("harmonics at an angle", 60.0, distorted(&[(7, 0.2, 33.0)]), distorted(&[(7, 0.3, 80.0)])),
        ("bursts", 0.0, Distortion::default(), modulated(Shape::Rectangle, 12.5, 2.0, 0.5)),
        ("bursts of one in four", 0.0, Distortion::default(), modulated(Shape::Rectangle, 12.5, 2.0, 0.25)),
        ("flicker", 0.0, modulated(Shape::Sine, 12.5, 0.2, 0.5), modulated(Shape::Sine, 12.5, 0.3, 0.5)),
        (
            "flicker and bursts",
            0.0,
            modulated(Shape::Sine, 6.25, 0.2, 0.5),
            modulated(Shape::Rectangle, 12.5, 2.0, 0.5),
        ),
        ("interharmonics", 0.0, inter(0.1), inter(0.2)),
    ];
    for (name, lag, u, i) in cases {
        let segment = segment(50.0, lag, u, i);
        // Four periods of every case: 32 cycles. The direct part of the half-wave has no power here.
        let from = segment.modulated_from(3);
        let (closed, found) = (segment.joule(0, from, from + 5120.0), integrated(&segment, from, 5120));
        let percent = 100.0 * (closed - found) / found;
        let mean = segment.mean_swing(0) * segment.output.carried_watt(0) * 0.64;
        println!("{name}: {closed:.4} J, {percent:+.1e} % from the integral");
        assert!(percent.abs() < 1e-6, "{name}: {closed} {found}");
        assert!((mean / closed - 1.0).abs() < 1e-9, "{name}: {mean} {closed}");
    }
}

#[test]
fn energy_of_a_part_of_a_burst_is_that_part() {
    let bursts = Modulation { shape: Shape::Rectangle, hertz: 12.5, depth: 2.0, duty: 0.5 };
    let current = Distortion { modulation: Some(bursts), ..Distortion::default() };
    let segment = segment(50.0, 0.0, Distortion::default(), current);
    let from = segment.modulated_from(3);
    // 2300 W twice, for two cycles of four: 4600 W over 40 ms = 184 J.
    for (begin, end, joule) in [
        (0.0, 320.0, 184.0),
        (320.0, 640.0, 0.0),
        (160.0, 480.0, 92.0),
        (80.0, 640.0 * 1000.0 + 80.0, 184_000.0),
        (80.0, 640.0 * 1000.0 + 400.0, 184_000.0 + 138.0),
    ] {
        let found = segment.joule(0, from + begin, from + end);
        assert!((found - joule).abs() < 1e-6 * joule.max(1.0), "{begin} to {end}: {found} J");
    }
}

#[test]
fn a_gate_that_cuts_a_cycle_is_off_by_the_ripple_alone() {
    let segment = segment(50.0, 0.0, Distortion::default(), Distortion::default());
    let mut worst: f64 = 0.0;
    for cut in 0..20 {
        let from = 1000.0 + 8.0 * f64::from(cut);
        let difference = segment.joule(0, from, from + 40.0) - integrated(&segment, from, 40);
        worst = worst.max(difference.abs());
    }
    // S/(4πf) at each end.
    let bound = 2.0 * 2300.0 / (4.0 * PI * 50.0);
    println!("a gate of a quarter cycle: at most {worst:.3} J off, ripple {bound:.3} J");
    assert!(worst < bound && worst > bound / 2.0);
}
