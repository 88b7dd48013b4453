//! What power quality costs a meter on this host: by samples and by cycles, beside a meter without it. Prints the figures; asserts
//! nothing about them.

use std::hint::black_box;
use std::time::Instant;

use meterbench_meter::{Meter, Settings, TypeNumber, Workspace};
use meterbench_metrology::{CycleSums, Frame, PhaseSums};

const SAMPLES: usize = 160;

fn meter(type_number: &str, watched: bool) -> Meter {
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    let meter = Meter::new(&profile, &Settings::delivered()).unwrap();
    let workspace = if watched { Workspace::Static(Box::leak(Box::default())) } else { Workspace::Absent };
    meter.with_workspace(workspace)
}

/// 50 Hz, 230 V and 53 A.
fn cycle() -> [Frame; SAMPLES] {
    let wave = |n: usize, turn: f64, peak: f64| {
        (peak * (std::f64::consts::TAU * (n as f64 / SAMPLES as f64 - turn)).sin()).round() as i32
    };
    std::array::from_fn(|n| Frame {
        voltage: [0.0, 1.0, 2.0].map(|third| wave(n, third / 3.0, 4_548_000.0)),
        current: [0.0, 1.0, 2.0].map(|third| wave(n, third / 3.0, 3_163_000.0)),
    })
}

/// The same as sums.
fn sums() -> CycleSums {
    let frames = cycle();
    let mut cycle = CycleSums { samples: SAMPLES as u32, crossing: 65_536, ..CycleSums::default() };
    for (n, phase) in cycle.phases.iter_mut().enumerate() {
        for (place, frame) in frames.iter().enumerate() {
            let (u, i) = (i64::from(frame.voltage[n]), i64::from(frame.current[n]));
            let angle = std::f64::consts::TAU * place as f64 / SAMPLES as f64;
            let (cos, sin) = ((angle.cos() * 4_194_304.0) as i64, (angle.sin() * 4_194_304.0) as i64);
            *phase = PhaseSums {
                ui: phase.ui + u * i,
                uu: phase.uu + u * u,
                ii: phase.ii + i * i,
                u_cos: phase.u_cos + u * cos,
                u_sin: phase.u_sin + u * sin,
                i_cos: phase.i_cos + i * cos,
                i_sin: phase.i_sin + i * sin,
            };
        }
    }
    cycle
}

/// Seconds of a run of so many cycles of mains, and how many times faster than real time that is.
fn report(name: &str, cycles: u32, run: impl FnOnce()) {
    let begun = Instant::now();
    run();
    let seconds = begun.elapsed().as_secs_f64();
    let each = 1e9 * seconds / f64::from(cycles);
    println!("{name}: {each:.0} ns a cycle, {:.0} times real time", f64::from(cycles) / 50.0 / seconds);
}

fn main() {
    let (frames, sums) = (cycle(), sums());
    for (name, type_number) in
        [("three phases", "684-2-41D-1312AA70-1B14001"), ("one phase", "686-11-11B-N14-3001-001")]
    {
        for (how, watched) in [("without", false), ("with", true)] {
            let mut by_samples = meter(type_number, watched);
            report(&format!("{name}, samples, {how} power quality"), 5_000, || {
                (0..5_000).for_each(|_| by_samples.process(black_box(&frames), |impulse| _ = black_box(impulse)));
            });
            let mut by_cycles = meter(type_number, watched);
            (0..40).for_each(|_| by_cycles.process(&frames, |_| ()));
            report(&format!("{name}, cycles, {how} power quality"), 1_000_000, || {
                (0..1_000_000)
                    .for_each(|_| by_cycles.process_cycle(black_box(&sums), |impulse| _ = black_box(impulse)));
            });
        }
    }
}
