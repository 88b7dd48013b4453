//! What the analysis of power quality costs: the whole chain beside the metrology alone, and its stages. Prints figures; asserts
//! nothing of them.

use std::f64::consts::{SQRT_2, TAU};
use std::hint::black_box;
use std::time::Instant;

use meterbench_metrology::{
    Analysis, Config, Found, Frame, ImpulseQuantity, Impulses, MeterConstant, SAMPLE_RATE, State, Systems,
};
use microfft::Complex32;

#[path = "../src/quality/folding.rs"]
#[allow(dead_code, reason = "a stage of the library by itself")]
mod folding;
#[path = "../src/quality/kernel.rs"]
#[allow(dead_code, unused_imports, reason = "a stage of the library by itself")]
mod kernel;
#[path = "../src/quality/lanes.rs"]
#[allow(dead_code, unused_imports, reason = "a stage of the library by itself")]
mod lanes;
#[path = "../src/quality/samples.rs"]
#[allow(dead_code, unused_imports, reason = "a stage of the library by itself")]
mod samples;

const HERTZ: f64 = 49.3;

/// Ten seconds off nominal with noise, and 50 orders on six channels; the synthesis is not part of any figure.
fn frames() -> Vec<Frame> {
    let mut noise = 1u64;
    (0..10 * SAMPLE_RATE)
        .map(|n| {
            let mut wave = |channel: usize, peak: f64| {
                let angle = TAU * (HERTZ * f64::from(n) / f64::from(SAMPLE_RATE) - (channel % 3) as f64 / 3.0);
                let orders: f64 =
                    (2..=50u32).map(|order| 0.01 * (f64::from(order) * angle + f64::from(order * order)).sin()).sum();
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let drawn = (noise >> 33) as f64 / (1u64 << 30) as f64 - 1.0;
                (peak * (angle.sin() + orders + 1e-4 * drawn)) as i32
            };
            let [u, i] = [230.0 * SQRT_2 / 600.0, 20.0 * SQRT_2 / 200.0].map(|part| part * f64::from(1 << 23));
            Frame { voltage: [0, 1, 2].map(|n| wave(n, u)), current: [3, 4, 5].map(|n| wave(n, i)) }
        })
        .collect()
}

/// Best of several: microseconds per second of the meter.
fn best(seconds: f64, mut work: impl FnMut()) -> f64 {
    let took = (0..15).map(|_| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64()
    });
    took.fold(f64::INFINITY, f64::min) * 1e6 / seconds
}

fn main() {
    let impulses = Impulses {
        quantity: ImpulseQuantity::Active,
        constant: MeterConstant::new(1000).expect("not zero"),
        width: Impulses::WIDTH_30_MS,
    };
    let frames = frames();
    println!(
        "power quality at {HERTZ} Hz with noise and 50 orders on six channels, microseconds per second of the meter:"
    );
    for systems in [Systems::One, Systems::Three] {
        let config = Config::new(systems, &Default::default(), 2300, 79_350, impulses).expect("valid");
        let alone = best(10.0, || {
            let mut state = State::default();
            for frame in &frames {
                black_box(config.process(&mut state, frame));
            }
        });
        let (mut analysis, mut windows) = (Box::new(Analysis::new()), 0u32);
        let whole = best(10.0, || {
            let mut state = State::default();
            for frame in &frames {
                let _ = black_box(config.process_watched(&mut state, &mut analysis, frame, |found| {
                    if let Found::Window(window) = found {
                        windows += u32::from(black_box(window).spectrum.is_some());
                    }
                }));
            }
        });
        assert!(windows > 15 * 40);
        println!(
            "{systems:?}: metrology alone {alone:.0} ({:.0} x real time), with the analysis {whole:.0} ({:.0} x): the analysis takes {:.0}",
            1e6 / alone,
            1e6 / whole,
            whole - alone
        );
    }
    stages(&frames);
}

/// The stages of three systems by themselves.
fn stages(frames: &[Frame]) {
    let mut ring = samples::Samples::new();
    let put = best(10.0, || {
        for frame in frames {
            for n in 0..3 {
                ring.put(n, frame.voltage[n], frame.current[n]);
            }
            ring.step();
        }
    });
    let (window, cycle) = ((10.0 * 8000.0 / HERTZ * 65_536.0) as u64, (8000.0 / HERTZ * 65_536.0) as u64);
    let end = (ring.next() << 16) - (10 << 16);
    let mut folded = [[Complex32::new(0.0, 0.0); folding::POINTS]; 3];
    let windows = (HERTZ * 10.0) as u32;
    let resample = best(f64::from(windows) / (HERTZ / 10.0), || {
        for _ in 0..windows {
            let folding = folding::Folding::new(end - window, window, folding::CYCLES);
            for n in 0..folding::POINTS {
                let points: [f32; 6] = folding.point(&ring, n);
                for (folded, &[u, i]) in folded.iter_mut().zip(points.as_chunks::<2>().0) {
                    folded[n] = Complex32::new(u, i);
                }
            }
            black_box(&folded);
        }
    });
    let transform = best(f64::from(windows) / (HERTZ / 10.0), || {
        for _ in 0..windows {
            for folded in black_box(&mut folded) {
                black_box(microfft::complex::cfft_128(folded));
            }
            folded[0][0] = Complex32::new(0.0, 0.0);
        }
    });
    let halves = (HERTZ * 20.0) as u32;
    let squares = best(f64::from(halves) / (HERTZ * 2.0), || {
        for _ in 0..halves {
            for channel in 0..6 {
                black_box(ring.squares(channel, black_box(0.5), end - cycle, end));
            }
        }
    });
    println!(
        "stages, three systems: samples into the ring {put:.0}, Urms(1/2) {squares:.0}, resampling and folding {resample:.0}, FFT {transform:.0}"
    );
}
