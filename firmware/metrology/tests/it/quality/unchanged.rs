//! The analysis looks on: what the meter counts is the same with it and without it.

use meterbench_metrology::{Analysis, Frame, Impulse, State, Systems};

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
