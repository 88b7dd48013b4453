use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::Frame;

use super::*;
use crate::source::{Output, Phasor};

fn source() -> SourceLog {
    let mut output = Output { hertz: 50.0, ..Output::default() };
    for phase in 0..3 {
        let lag = 120.0 * phase as f64;
        output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
        output.current[phase] = Phasor { rms: 5.0, lag_deg: lag + 60.0 };
    }
    let mut log = SourceLog::default();
    log.ramp_to(0, &output);
    log
}

fn samples(cuts: &[u64]) -> Vec<Frame> {
    let mut sampler = Sampler::new(FrontEnd::drawn(1, "1001", (230.0, 50.0)), 23.0, 99);
    let (source, air, mut frames) = (source(), Air::new(23.0), Vec::new());
    let around = Around { source: &source, air: &air };
    for &to in cuts {
        while sampler.next_sample() < to {
            sampler.fill(&mut frames, around, to);
        }
    }
    frames
}

#[test]
fn cutting_a_run_into_blocks_never_changes_a_bit() {
    let whole = samples(&[20_000]);
    let cut: Vec<u64> = (1..).map(|n| n * 37).take_while(|&n| n < 20_000).chain([20_000]).collect();
    assert_eq!(whole.len(), 20_000);
    assert!(whole == samples(&cut));
}

#[test]
fn samples_are_the_wave_they_describe() {
    let mut sampler = Sampler::new(FrontEnd::ideal(), 23.0, 0);
    let (source, air, mut frames) = (source(), Air::new(23.0), Vec::new());
    while sampler.next_sample() < 16_000 {
        sampler.fill(&mut frames, Around { source: &source, air: &air }, 16_000);
    }
    for (n, frame) in frames.iter().enumerate().skip(8000) {
        let angle = TAU * (n as f64 / 160.0).fract();
        for phase in 0..3 {
            let lag = TAU / 3.0 * phase as f64;
            let u = SQRT_2 * 230.0 * (angle - lag).cos() * COUNTS[0];
            let i = SQRT_2 * 5.0 * (angle - lag - TAU / 6.0).cos() * COUNTS[3];
            assert!((f64::from(frame.voltage[phase]) - u).abs() < 0.6, "{n} u{phase}");
            assert!((f64::from(frame.current[phase]) - i).abs() < 0.6, "{n} i{phase}");
        }
    }
}

mod speed;
mod waves;
