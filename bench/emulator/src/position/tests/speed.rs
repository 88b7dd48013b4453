//! Where the time of the whole chain goes. Prints figures; asserts nothing:
//! `cargo test --release -p meterbench-emulator --lib -- --ignored speed --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use meterbench_metrology::{Analysis, Config, ImpulseQuantity, Impulses, MeterConstant, State, Systems};

use super::waves::{carrying, distorted};
use super::*;

/// What is wanted of a second of the meter (µs): 2000 x real time.
const WANTED: f64 = 500.0;

/// Best of some seconds (µs): `work` takes the second of this number.
fn best(mut work: impl FnMut(u64)) -> f64 {
    let seconds = (1..=40u64).map(|second| {
        let started = Instant::now();
        work(second);
        started.elapsed().as_secs_f64() * 1e6
    });
    seconds.fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "prints figures"]
fn speed_of_the_whole_chain_by_its_parts() {
    let orders: Vec<_> = (2..=50u16).map(|order| (order, 0.01, f64::from(order * order % 360))).collect();
    let carried = distorted(&orders);
    let output = carrying(&balanced(230.0, 20.0, 0.0, 49.3), &carried, &carried);
    let (mut source, air) = (SourceLog::default(), Air::new(23.0));
    source.set(0, output);
    let around = Around { source: &source, air: &air };
    let drawn = || FrontEnd::drawn(1, "1001", (230.0, 50.0));

    let (mut sampler, mut frames) = (Sampler::new(drawn(), 23.0, 99), Vec::with_capacity(BLOCK));
    let samples = best(|second| {
        while sampler.next_sample() < second * 8000 {
            frames.clear();
            sampler.fill(&mut frames, around, second * 8000);
            black_box(&frames);
        }
    });
    let (mut sampler, mut frames) = (Sampler::new(drawn(), 23.0, 99), Vec::new());
    while sampler.next_sample() < 41 * 8000 {
        sampler.fill(&mut frames, around, 41 * 8000);
    }
    let second = |second: u64| &frames[(second as usize - 1) * 8000..second as usize * 8000];
    let impulses = Impulses {
        quantity: ImpulseQuantity::Active,
        constant: MeterConstant::new(1000).expect("not zero"),
        width: Impulses::WIDTH_30_MS,
    };
    let config = Config::new(Systems::Three, &Default::default(), 2300, 79_350, impulses).expect("valid");
    let mut state = State::default();
    let metrology = best(|n| {
        for frame in second(n) {
            let _ = black_box(config.process(&mut state, frame));
        }
    });
    let (mut state, mut analysis) = (State::default(), Box::new(Analysis::new()));
    let watched = best(|n| {
        for frame in second(n) {
            let _ = black_box(config.process_watched(&mut state, &mut analysis, frame, |found| {
                black_box(found);
            }));
        }
    });
    let mut position = ideal(FrontEnd::ideal(), &[]);
    let meter =
        best(|n| second(n).chunks(BLOCK).for_each(|block| position.body.process(block, |_| ()).expect("sound")));
    let mut position = Position::new(&three_phase(), &Settings::delivered(), drawn(), &[], 99, 23.0).expect("valid");
    let whole = best(|n| all(&mut position, &source, &air, n * 8000, Pace::Samples));

    println!("three phases, noise, 49.3 Hz, 49 harmonics on six channels, µs per second of the meter:");
    for (name, took) in [
        ("samples", samples),
        ("metrology", metrology),
        ("analysis of power quality", watched - metrology),
        ("the meter around both", meter - watched),
        ("the position around all", whole - meter - samples),
    ] {
        println!("  {name:<26} {took:>6.0}  {:>3.0} %", 100.0 * took / whole);
    }
    println!("  {:<26} {whole:>6.0}  {:.0} x real time; wanted {WANTED:.0}", "whole chain", 1e6 / whole);
}
