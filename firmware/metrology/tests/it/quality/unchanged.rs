//! The analysis looks on: what the meter counts is the same with it and without it.

use meterbench_metrology::{Analysis, FULL_SCALE, Frame, Impulse, State, Systems};

use super::signal::{Noise, Sines, frame};

/// Load, distortion, a dip, an interruption, a jump of the phase: everything that could make a difference.
fn frames() -> Vec<Frame> {
    let mut noise = Noise(7);
    (0..40_000u32)
        .map(|n| {
            let seconds = f64::from(n) / 8000.0;
            let sines = Sines { degrees: if n > 20_000 { 50.0 } else { 0.0 }, ..Sines::at(49.3) };
            let level = match n {
                9_000..9_700 => 0.4,
                25_000..29_000 => 0.0,
                _ => 1.0,
            };
            let fifth = 30.0 * (5.0 * sines.angle(seconds)).sin();
            let mut values = sines.values(seconds).map(|v| level * v);
            values.iter_mut().for_each(|v| *v += 0.1 * level * fifth + noise.draw(0.05));
            frame(values)
        })
        .collect()
}

#[test]
fn what_is_counted_is_the_same_with_the_analysis() {
    for systems in [Systems::One, Systems::Three] {
        let config = crate::config(systems);
        let (mut plain, mut watched, mut analysis) = (State::default(), State::default(), Box::new(Analysis::new()));
        let (mut halves, mut windows) = (0, 0);
        for frame in frames() {
            let impulse: Option<Impulse> = config.process(&mut plain, &frame);
            let same = config.process_watched(&mut watched, &mut analysis, &frame, |found| match found {
                meterbench_metrology::Found::HalfCycle(_) => halves += 1,
                meterbench_metrology::Found::Window(_) => windows += 1,
            });
            assert_eq!(impulse, same);
            assert_eq!(plain, watched);
        }
        println!("{systems:?}: {halves} half cycles, {windows} windows, every state and impulse the same");
        assert!(halves > 480 && windows > 20);
    }
}

#[test]
fn any_sample_value_is_survived_by_the_analysis() {
    let config = crate::config(Systems::Three);
    let extremes = [i32::from(i16::MIN), FULL_SCALE - 1, -FULL_SCALE, 0, 1];
    let (mut state, mut analysis) = (State::default(), Box::new(Analysis::new()));
    let mut last = 0;
    for n in 0..200_000usize {
        let value = |k: usize| match n / 20_000 {
            // The fastest that there is, too small to be mains and as large as can be.
            0 => [300_000, -300_000][n % 2],
            1 => [FULL_SCALE - 1, -FULL_SCALE][n % 2],
            2 => FULL_SCALE - 1,
            _ => extremes[(n * 7 + k * n / 3) % extremes.len()],
        };
        let frame = Frame { voltage: [value(1), value(2), value(3)], current: [value(4), value(5), value(6)] };
        let _ = config.process_watched(&mut state, &mut analysis, &frame, |found| {
            let end = match found {
                meterbench_metrology::Found::HalfCycle(half) => half.end.index(),
                meterbench_metrology::Found::Window(window) => window.end.index(),
            };
            last = last.max(end);
        });
        assert!(n as u64 - last < 600, "something is told all the time");
    }
    // Another meter's samples, from its power-up on.
    let mut state = State::default();
    for frame in frames() {
        let _ = config.process_watched(&mut state, &mut analysis, &frame, |_| ());
    }
}

#[test]
fn the_analysis_fits_beside_the_meter() {
    let size = size_of::<Analysis>();
    println!("Analysis: {size} bytes, {:.1} KiB; State {} bytes", size as f64 / 1024.0, size_of::<State>());
    assert!(size < 55 * 1024, "an STM32F405 has 192 KiB, of which the records take 64 and the stack 12");
}
