//! How fast samples come, by kind of output. Prints figures; asserts nothing: `cargo test --release -- --ignored speed --nocapture`.

use std::time::Instant;

use super::waves::{every_order, fluctuating, output, playing};
use super::*;
use crate::source::wave::{Modulation, Shape};

#[test]
#[ignore = "prints figures"]
fn speed_of_samples() {
    let sines = Output { wave: None, ..fluctuating(49.3) };
    let mut flicker = every_order();
    let modulation = Modulation { shape: Shape::Sine, hertz: 8.8, depth: 0.1, duty: 0.5 };
    flicker.voltage.iter_mut().for_each(|voltage| voltage.modulation = Some(modulation));
    for (name, output) in [
        ("sines", sines),
        ("49 harmonics", output(49.3, every_order())),
        ("harmonics with flicker", output(49.3, flicker)),
        ("all there is", fluctuating(49.3)),
    ] {
        let (source, air) = (playing(output), Air::new(23.0));
        let mut sampler = Sampler::new(FrontEnd::drawn(1, "1001", (230.0, 50.0)), 23.0, 99);
        let mut frames = Vec::with_capacity(800);
        let mut best = f64::INFINITY;
        for second in 1..=60u64 {
            let started = Instant::now();
            while sampler.next_sample() < second * 8000 {
                frames.clear();
                sampler.fill(&mut frames, Around { source: &source, air: &air }, second * 8000);
                std::hint::black_box(&frames);
            }
            best = best.min(started.elapsed().as_secs_f64());
        }
        println!("samples of {name}: {:.1} ns each, {:.0} x real time", best / 8e-6, 1.0 / best);
    }

    let (front_end, wave) = (FrontEnd::drawn(1, "1001", (230.0, 50.0)), output(49.3, every_order()));
    let took = (0..20).map(|_| {
        let started = Instant::now();
        std::hint::black_box(table::Table::of(&front_end.spectrum(&wave)));
        started.elapsed().as_secs_f64() * 1e6
    });
    println!("a table: {:.0} µs", took.fold(f64::INFINITY, f64::min));
}
