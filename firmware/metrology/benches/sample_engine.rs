//! How many meter-seconds the sample path computes per second of one core. Prints the figure; asserts nothing.

use std::time::Instant;

use meterbench_metrology::{Config, Frame, ImpulseQuantity, Impulses, MeterConstant, SAMPLE_RATE, State, Systems};

fn main() {
    let impulses = Impulses {
        quantity: ImpulseQuantity::Active,
        constant: MeterConstant::new(1000).expect("not zero"),
        width: Impulses::WIDTH_30_MS,
    };
    for systems in [Systems::One, Systems::Three] {
        let config = Config::new(systems, &Default::default(), 2300, 79_350, impulses).expect("valid");
        // One second of 50 Hz, 230 V, 20 A: the synthesis is not part of the figure.
        let frames: Vec<Frame> = (0..SAMPLE_RATE)
            .map(|n| {
                let wave = |phase: usize| (std::f64::consts::TAU * (f64::from(n) / 160.0 - phase as f64 / 3.0)).sin();
                Frame {
                    voltage: [0, 1, 2].map(|p| (wave(p) * 4_548_000.0) as i32),
                    current: [0, 1, 2].map(|p| (wave(p) * 1_186_000.0) as i32),
                }
            })
            .collect();
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let (mut state, mut impulses) = (State::default(), 0u32);
            let started = Instant::now();
            for _ in 0..100 {
                for frame in &frames {
                    impulses += u32::from(config.process(&mut state, frame).is_some());
                }
            }
            assert!(impulses > 10);
            best = best.min(started.elapsed().as_secs_f64() / 100.0);
        }
        println!(
            "metrology alone, {systems:?}: {:.0} x real time, {:.1} ns per frame",
            1.0 / best,
            best * 1e9 / 8000.0
        );
    }
}
