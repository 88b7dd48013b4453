//! Windows of ten cycles, from samples and from sums.

use std::f64::consts::TAU;

use meterbench_metrology::{CycleSums, Frame, PhaseSums, Phasor, Systems};

use super::signal::{Bench, Noise, Sines, frame, keep};

/// Seconds of an instant.
fn seconds(at: meterbench_metrology::SampleInstant) -> f64 {
    (at.index() as f64 + f64::from(at.fraction()) / 65_536.0) / 8000.0
}

#[test]
fn windows_follow_without_gaps_and_stand_where_the_voltage_crosses_zero() {
    let mut worst = 0.0f64;
    for hertz in [47.5, 49.3, 50.0, 52.5] {
        let (mut bench, mut noise) = (Bench::new(Systems::Three), Noise(3));
        let values: Vec<[f64; 6]> =
            (0..24_000).map(|n| Sines::at(hertz).values(f64::from(n) / 8000.0).map(|v| v + noise.draw(0.02))).collect();
        bench.play(3.0, |t| values[(t * 8000.0).round() as usize]);
        let windows = &bench.windows[2..];
        assert!(windows.len() > 11);
        for pair in windows.windows(2) {
            assert!(pair[0].clean && pair[0].spectrum.is_some());
            let between = (seconds(pair[1].end) - seconds(pair[0].end)) * 8000.0;
            assert!((between - pair[1].duration as f64 / 65_536.0).abs() < 1e-6, "{pair:?}");
            assert_eq!((pair[1].voltage_mv, pair[1].current_ma), {
                let of = |mv: u32, near: u32| if mv.abs_diff(near) <= near / 5000 + 1 { mv } else { 0 };
                (pair[1].voltage_mv.map(|v| of(v, 230_000)), pair[1].current_ma.map(|i| of(i, 10_000)))
            });
            let turns = seconds(pair[0].end) * hertz;
            worst = worst.max((turns - turns.round()).abs() / hertz);
        }
        // In order of time, half cycles and windows alike, and a window ends where a half cycle ends.
        assert!(bench.half_cycles.windows(2).all(|pair| pair[0].end < pair[1].end));
        let near = |w: f64| bench.half_cycles.iter().any(|h| (seconds(h.end) - w).abs() < 1e-8);
        assert!(windows.iter().all(|w| near(seconds(w.end))));
    }
    println!("the end of a window is off by at most {:.2} us", worst * 1e6);
    assert!(worst < 2e-6);
}

#[test]
fn everything_is_told_in_order_of_time() {
    let (mut last, mut told) = (0.0, 0);
    let mut bench = Bench::new(Systems::Three);
    for n in 0..48_000u64 {
        let t = n as f64 / 8000.0;
        let level = if (1.03..1.5).contains(&t) || (3.0..3.051).contains(&t) { 0.0 } else { 1.0 };
        let sines = Sines { degrees: if t > 4.0 { 70.0 } else { 0.0 }, ..Sines::at(49.3) };
        let frame = frame(sines.values(t).map(|v| level * v));
        let _ = bench.config.process_watched(&mut bench.state, &mut bench.analysis, &frame, |found| {
            let end = match found {
                meterbench_metrology::Found::HalfCycle(half) => seconds(half.end),
                meterbench_metrology::Found::Window(window) => seconds(window.end),
            };
            assert!(end >= last && end <= t && t - end < 0.02, "at {t} s: {end} s after {last} s");
            (last, told) = (end, told + 1);
        });
    }
    assert!(told > 600);
}

/// What the sample path would sum over a cycle.
fn sums(sines: &Sines, begin: u64, samples: u32) -> [PhaseSums; 3] {
    let mut phases = [PhaseSums::default(); 3];
    for n in 0..u64::from(samples) {
        // The metrology is one sample late.
        let seconds = (begin + n - 1) as f64 / 8000.0;
        let frame: Frame = frame(sines.values(seconds));
        let (sin, cos) = (TAU * sines.hertz * seconds).sin_cos();
        let (cos, sin) = ((cos * f64::from(1 << 22)) as i64, (sin * f64::from(1 << 22)) as i64);
        for (p, phase) in phases.iter_mut().enumerate() {
            let (u, i) = (i64::from(frame.voltage[p]), i64::from(frame.current[p]));
            phase.ui += u * i;
            phase.uu += u * u;
            phase.ii += i * i;
            phase.u_cos += u * cos;
            phase.u_sin += u * sin;
            phase.i_cos += i * cos;
            phase.i_sin += i * sin;
        }
    }
    phases
}

#[test]
fn cycles_as_sums_tell_the_same_as_their_samples() {
    for hertz in [50.0, 49.3, 50.7] {
        let sines = Sines::at(hertz);
        let mut bench = Bench::new(Systems::Three);
        bench.play(1.0, |t| sines.values(t));
        while !bench.state.at_window_start() {
            bench.play(1.0 / 8000.0, |t| sines.values(t));
        }
        let mut plain = bench.state.clone();
        for _ in 0..30 {
            let begin = bench.state.sample_index();
            // Where the crossing at or after the next but one frame lies.
            let seen = (begin - 1) as f64 * hertz / 8000.0;
            let end = ((seen + 0.5 * hertz / 8000.0).floor() + 1.0) * 8000.0 / hertz;
            let first_above = end.ceil();
            let samples = (first_above as u64 + 1 - begin) as u32;
            let crossing = ((end - (first_above - 1.0)) * 65_536.0) as u32;
            let cycle = CycleSums { samples, crossing, phases: sums(&sines, begin, samples) };
            let (halves, windows) = (&mut bench.half_cycles, &mut bench.windows);
            bench.config.process_cycle(&mut plain, &cycle, |_| ());
            bench.config.process_cycle_watched(
                &mut bench.state,
                &mut bench.analysis,
                &cycle,
                |_| (),
                |found| {
                    keep(found, halves, windows);
                },
            );
        }
        assert_eq!(plain, bench.state, "what is counted is the same with the analysis");
        let [before, last] = [2, 1].map(|n| frame(sines.values((bench.state.sample_index() - n) as f64 / 8000.0)));
        bench.state.resume(&before, &last);
        bench.play(1.0, |t| sines.values(t));
        let (mut worst, mut apart) = (0.0f64, 0.0f64);
        for pair in bench.half_cycles[4..].windows(2) {
            apart = apart.max(((seconds(pair[1].end) - seconds(pair[0].end)) * 2.0 * hertz - 1.0).abs());
            for n in 0..3 {
                worst = worst.max((f64::from(pair[1].voltage_mv[n]) / 230_000.0 - 1.0).abs());
            }
        }
        // The window that follows the sums was not seen from before its beginning: its points come from nine cycles.
        let resumed =
            bench.windows.iter().filter(|w| w.spectrum.as_ref().is_some_and(|s| s.voltage[0][2] != Phasor::default()));
        for window in resumed {
            let spectrum = window.spectrum.as_ref().unwrap();
            let leak = spectrum.voltage.iter().flat_map(|u| &u[1..]).map(|p| p.magnitude()).fold(0.0, f32::max);
            assert!(leak < 230.0 * 2e-5 && spectrum.voltage[0][0].re > 229.99, "{leak} V beside the fundamental");
        }
        println!(
            "{hertz} Hz: half cycles as sums off by {:.4} %, their length by {:.4} %",
            100.0 * worst,
            100.0 * apart
        );
        assert!(worst < 1e-3 && apart < 2e-3);
        let told: Vec<_> = bench.windows[2..]
            .iter()
            .filter_map(|w| w.spectrum.as_ref().map(|s| (w, s.voltage[1][0], s.current[0][0])))
            .collect();
        assert_eq!(told.len(), bench.windows.len() - 2);
        for (window, second, current) in told {
            assert!(window.voltage_mv.iter().all(|v| v.abs_diff(230_000) < 115), "{window:?}");
            // L2 lags by 120 degrees, the current by 40.
            let off = (f64::from(second.re) - 230.0 * (-120f64).to_radians().cos())
                .hypot(f64::from(second.im) - 230.0 * (-120f64).to_radians().sin());
            let off_current = (f64::from(current.re) - 10.0 * 40f64.to_radians().cos())
                .hypot(f64::from(current.im) + 10.0 * 40f64.to_radians().sin());
            assert!(off < 0.1 && off_current < 0.01, "{hertz} Hz: {second:?} {current:?}");
            let unbalance = window.unbalance.unwrap();
            assert!(unbalance.negative < 20 && unbalance.zero < 20 && unbalance.positive_mv.abs_diff(230_000) < 115);
        }
    }
}

#[test]
fn a_window_that_a_vanishing_voltage_cuts_short_is_not_clean() {
    let (mut cut, mut worst) = (0, 0.0f32);
    for step in 0..64 {
        // Over a third of a cycle before and behind the end of a window.
        let gone = 1.0 + (f64::from(step) - 32.0) / 96.0 / 50.0;
        let mut bench = Bench::new(Systems::Three);
        bench.play(1.6, |t| Sines::at(50.0).values(t).map(|v| if t < gone { v } else { 0.0 }));
        for window in &bench.windows[2..] {
            cut += u32::from(!window.clean && (seconds(window.end) - gone).abs() < 0.01);
            let Some(spectrum) = window.spectrum.as_ref() else { continue };
            assert!(seconds(window.end) < gone + 0.002, "{gone} s: {window:?}");
            let harmonics = spectrum.voltage.iter().flat_map(|u| &u[1..]).map(|p| p.magnitude()).fold(0.0, f32::max);
            worst = worst.max(harmonics / 2.3);
        }
    }
    println!("{cut} windows cut short; in those that count, up to {worst:.2} % of what is not there");
    assert!(cut > 10 && worst < 1.0);
}
