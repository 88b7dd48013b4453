//! The frequency of ten seconds.

use meterbench_metrology::{FrequencyCounter, HalfCycle, SampleInstant, Systems};

use super::signal::{Bench, Noise, Sines};

/// Ticks every ten seconds from the start, and what was told.
fn ten_seconds(half_cycles: &[HalfCycle]) -> Vec<Option<u32>> {
    let (mut counter, mut told, mut next) = (FrequencyCounter::new(), Vec::new(), 80_000);
    for half in half_cycles {
        if half.end.index() >= next {
            counter.tick(SampleInstant::new(next, 0));
            next += 80_000;
        }
        told.extend(counter.add(half));
    }
    told
}

#[test]
fn ten_seconds_with_noise_and_harmonics_are_within_a_tenth_of_a_millihertz() {
    let mut worst = 0.0f64;
    for hertz in [42.5, 46.25, 49.5, 49.97, 50.0, 50.05, 50.5, 52.0, 53.75, 57.5] {
        let (mut bench, noise) = (Bench::new(Systems::Three), std::cell::RefCell::new(Noise(11)));
        let sines = Sines::at(hertz);
        bench.play(30.5, |t| {
            // 0.1 % of noise, and harmonics that cross zero several times.
            let angle = sines.angle(t);
            let distortion = 325.0 * (0.05 * (5.0 * angle + 2.0).sin() + 0.03 * (23.0 * angle + 1.0).sin());
            let mut noise = noise.borrow_mut();
            let mut values = sines.values(t);
            values[..3].iter_mut().for_each(|v| *v += distortion + noise.draw(0.4));
            values
        });
        let told = ten_seconds(&bench.half_cycles);
        assert_eq!(told.len(), 3, "{hertz} Hz");
        for told in told {
            worst = worst.max((f64::from(told.unwrap()) / 10.0 - hertz * 1000.0).abs());
        }
    }
    println!("frequency of 10 s, 42.5 to 57.5 Hz, noise 0.1 %, harmonics: off by at most {worst:.2} mHz");
    assert!(worst < 0.15);
}

#[test]
fn a_step_is_the_mean_of_both_and_an_interruption_has_no_frequency() {
    let mut bench = Bench::new(Systems::Three);
    // 50 Hz, from 15 s on 49.8 Hz, with one phase; nothing from 32 s to 33 s.
    bench.play(41.0, |t| {
        let turns = if t < 15.0 { 50.0 * t } else { 750.0 + 49.8 * (t - 15.0) };
        let level = if (32.0..33.0).contains(&t) { 0.0 } else { 1.0 };
        Sines { hertz: turns / t.max(1e-9), ..Sines::at(0.0) }.values(t).map(|v| level * v)
    });
    let told = ten_seconds(&bench.half_cycles);
    assert_eq!(told[0], Some(500_000));
    assert!(told[1].unwrap().abs_diff(499_000) <= 110, "whole cycles alone: one of 500 may be missing: {:?}", told[1]);
    assert_eq!((told[2].unwrap().abs_diff(498_000) <= 1, told[3]), (true, None));
}
