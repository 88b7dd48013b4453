//! Cycles as sums and cycles as samples take turns.

use meterbench_metrology::{CycleSums, Found, Systems};

use super::signal::{Bench, Sines, frame, keep};
use super::windows::sums;

/// Whole cycles of 50 Hz as sums, from the begin of a window.
fn cycles(bench: &mut Bench, sines: &Sines, count: u32) {
    for _ in 0..count {
        let begin = bench.state.sample_index();
        // A crossing lies at a whole sample, which the metrology sees one later.
        let samples = (160 - (begin - 1) % 160 + 1) as u32;
        let samples = if samples > 120 { samples } else { samples + 160 };
        let cycle = CycleSums { samples, crossing: 65_536, phases: sums(sines, begin, samples) };
        let (halves, windows) = (&mut bench.half_cycles, &mut bench.windows);
        let found = |found: Found<'_>| {
            keep(found, halves, windows);
        };
        bench.config.process_cycle_watched(&mut bench.state, &mut bench.analysis, &cycle, |_| (), found);
    }
}

fn samples(bench: &mut Bench, sines: &Sines, seconds: f64) {
    bench.play(seconds, |t| sines.values(t));
    while !bench.state.at_window_start() {
        bench.play(1.0 / 8000.0, |t| sines.values(t));
    }
}

#[test]
fn the_first_cycle_as_sums_stands_beside_the_samples_before_it() {
    let full = Sines::at(50.0);
    let low = Sines { volt: 0.7 * full.volt, ..full };
    let mut bench = Bench::new(Systems::Three);
    samples(&mut bench, &full, 1.0);
    cycles(&mut bench, &full, 20);
    let [before, last] = [2, 1].map(|n| frame(full.values((bench.state.sample_index() - n) as f64 / 8000.0)));
    bench.state.resume(&before, &last);
    samples(&mut bench, &low, 0.5);
    let told = bench.half_cycles.len();
    cycles(&mut bench, &low, 20);
    assert!(bench.half_cycles.len() >= told + 40);
    for half in &bench.half_cycles[told..] {
        // A mean with a cycle of full voltage would be 198 V; a sample too much at the ends is half a volt.
        assert!(half.voltage_mv.iter().all(|mv| mv.abs_diff(161_000) < 1000), "{half:?}");
    }
}
