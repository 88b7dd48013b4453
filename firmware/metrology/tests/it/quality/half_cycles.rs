//! Urms(1/2): what IEC 61000-4-30 asks of every half cycle.

use meterbench_metrology::{HalfCycle, Systems};

use super::signal::{Bench, Noise, Sines};

#[test]
fn a_steady_sine_is_within_100_ppm_at_every_frequency() {
    let mut worst = [0.0f64; 2];
    for hertz in [42.5, 43.7, 46.25, 47.5, 49.3, 50.0, 50.7, 52.5, 53.75, 57.5] {
        let mut bench = Bench::new(Systems::Three);
        bench.play(3.0, |t| Sines { ampere: 50.0, ..Sines::at(hertz) }.values(t));
        let steady = &bench.half_cycles[20..];
        assert!(steady.len() as f64 > 2.6 * 2.0 * hertz);
        for half in steady {
            let length = f64::from(half.duration) / 65_536.0 * 2.0 * hertz / 8000.0;
            assert!((length - 1.0).abs() < 1e-3, "{hertz} Hz: {half:?}");
            for n in 0..3 {
                worst[0] = worst[0].max((f64::from(half.voltage_mv[n]) / 230_000.0 - 1.0).abs());
                worst[1] = worst[1].max((f64::from(half.current_ma[n]) / 50_000.0 - 1.0).abs());
            }
        }
    }
    println!("Urms(1/2) from 42.5 to 57.5 Hz: worst error {:.4} %, I {:.4} %", 100.0 * worst[0], 100.0 * worst[1]);
    assert!(worst[0] < 1e-4 && worst[1] < 1e-4);
}

/// The first dip of L1 below 90 %, ended at 92 %: its duration (ms) and its residual voltage (%).
fn dip(half_cycles: &[HalfCycle]) -> Option<(f64, f64)> {
    let percent = |half: &HalfCycle| f64::from(half.voltage_mv[0]) / 2300.0;
    let start = half_cycles.iter().position(|half| percent(half) < 90.0)?;
    let length = half_cycles[start..].iter().position(|half| percent(half) >= 92.0)?;
    let of = &half_cycles[start..start + length];
    let lowest = of.iter().map(percent).fold(f64::INFINITY, f64::min);
    let samples = half_cycles[start + length].end.index() - of[0].end.index();
    Some((samples as f64 / 8.0, lowest))
}

#[test]
fn rectangular_dips_give_the_staircase_of_their_half_cycles() {
    // Residual voltage, then duration (ms) and lowest value (%) for dips of 10, 20, 40 and 100 ms between zero crossings.
    const NONE: Option<(f64, f64)> = None;
    let is = |ms: f64, percent: f64| Some((ms, percent));
    #[rustfmt::skip]
    let table = [
        (0.89, [NONE,            is(10.0, 89.0), is(30.0, 89.0), is( 90.0, 89.0)]),
        (0.85, [NONE,            is(10.0, 85.0), is(30.0, 85.0), is( 90.0, 85.0)]),
        (0.80, [NONE,            is(20.0, 80.0), is(40.0, 80.0), is(100.0, 80.0)]),
        (0.70, [is(20.0, 86.31), is(30.0, 70.0), is(50.0, 70.0), is(110.0, 70.0)]),
        (0.50, [is(20.0, 79.06), is(30.0, 50.0), is(50.0, 50.0), is(110.0, 50.0)]),
        (0.00, [is(20.0, 70.71), is(30.0,  0.0), is(50.0,  0.0), is(110.0,  0.0)]),
    ];
    let mut worst = 0.0f64;
    for (residual, row) in table {
        for (milliseconds, wanted) in [10.0, 20.0, 40.0, 100.0].into_iter().zip(row) {
            for point in [0.5, 0.51] {
                let mut bench = Bench::new(Systems::One);
                bench.play(1.0, |t| {
                    let dips = (point..point + milliseconds / 1000.0).contains(&(t + 1e-9));
                    Sines::at(50.0).values(t).map(|v| if dips { residual * v } else { v })
                });
                let got = dip(&bench.half_cycles[10..]);
                assert_eq!(got.is_some(), wanted.is_some(), "{residual} for {milliseconds} ms: {got:?}");
                let (Some(got), Some(wanted)) = (got, wanted) else { continue };
                assert!((got.0 - wanted.0).abs() < 0.3, "{residual} for {milliseconds} ms: {got:?}, not {wanted:?}");
                worst = worst.max((got.1 - wanted.1).abs());
            }
        }
    }
    println!("residual voltages of rectangular dips: off by at most {worst:.3} % of Un");
    assert!(worst < 0.02);
}

/// What the three phases have at most and at least, in percent.
fn range(half_cycles: &[HalfCycle]) -> (f64, f64) {
    let all = || half_cycles.iter().flat_map(|half| half.voltage_mv).map(|mv| f64::from(mv) / 2300.0);
    (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
}

#[test]
fn a_jump_of_the_phase_shakes_one_cycle_by_no_more_than_its_closed_form() {
    for jump in [-180.0, -90.0, -60.0, -45.0, -30.0, -15.0, 15.0, 30.0, 45.0, 60.0, 90.0f64] {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for hertz in [47.5, 50.0, 52.5] {
            for point in 0..8 {
                let at = 1.0 + f64::from(point) / 8.0 / hertz;
                let mut bench = Bench::new(Systems::Three);
                bench.play(2.0, |t| Sines { degrees: if t < at { 0.0 } else { jump }, ..Sines::at(hertz) }.values(t));
                let (least, most) = range(&bench.half_cycles[10..]);
                (low, high) = (low.min(least), high.max(most));
                // Two cycles later everything is regular again.
                let later = bench.half_cycles.iter().filter(|half| half.end.index() as f64 / 8000.0 > at + 2.0 / hertz);
                for half in later.clone().skip(1) {
                    let length = f64::from(half.duration) / 65_536.0 * 2.0 * hertz / 8000.0;
                    assert!((length - 1.0).abs() < 1e-3, "{jump} degrees at {hertz} Hz: {half:?}");
                }
                for half in later {
                    assert!(half.voltage_mv.iter().all(|mv| mv.abs_diff(230_000) < 115), "{jump}: {half:?}");
                }
            }
        }
        // A whole period with a jump of θ in it: the mean square is 1 ± sin(θ)/π at most.
        let most = jump.to_radians().sin().abs() / std::f64::consts::PI;
        let bounds = (100.0 * (1.0 - most).sqrt(), 100.0 * (1.0 + most).sqrt());
        println!(
            "jump of {jump} degrees: Urms(1/2) from {low:.1} to {high:.1} % of Un, closed form {:.1} to {:.1} %",
            bounds.0, bounds.1
        );
        assert!(low > bounds.0 - 0.5 && high < bounds.1 + 0.5);
    }
}

#[test]
fn harmonics_that_cross_zero_add_no_half_cycle() {
    let mut bench = Bench::new(Systems::Three);
    let mut noise = Noise(5);
    let drawn: Vec<f64> = (0..16_000).map(|_| noise.draw(1.0)).collect();
    bench.play(2.0, |t| {
        let sines = Sines::at(49.7);
        let angle = sines.angle(t);
        // Against the fundamental at its crossing: the voltage crosses zero three times there.
        let orders = [(3.0, 0.25), (5.0, 0.12), (23.0, 0.06), (49.0, 0.04)].map(|(n, share)| share * (n * angle).sin());
        let mut values = sines.values(t);
        values[0] -= 325.0 * orders.iter().sum::<f64>() + drawn[(t * 8000.0).round() as usize];
        values
    });
    let steady = &bench.half_cycles[20..];
    assert!((steady.len() as f64 - (2.0 * 2.0 * 49.7 - 20.0)).abs() < 3.0);
    let worst = steady
        .iter()
        .map(|half| (f64::from(half.duration) / 65_536.0 * 2.0 * 49.7 / 8000.0 - 1.0).abs())
        .fold(0.0, f64::max);
    println!("with 25 % of the third and more: half cycles differ by at most {:.2} %", 100.0 * worst);
    assert!(worst < 0.02);
    assert!(steady.iter().all(|half| half.voltage_mv[1].abs_diff(230_000) < 230), "another phase stays within 0.1 %");
}

#[test]
fn an_interruption_goes_on_in_half_cycles_of_the_last_period() {
    let mut worst = 0.0f64;
    for (hertz, from, to) in [(50.0, 1.0, 1.3), (49.3, 1.0034, 1.0521), (52.5, 1.007, 2.2), (47.5, 1.0051, 1.1049)] {
        let mut bench = Bench::new(Systems::Three);
        bench.play(3.0, |t| {
            let gone = (from..to).contains(&t);
            Sines::at(hertz).values(t).map(|v| if gone { 0.0 } else { v })
        });
        let seconds = |half: &HalfCycle| half.end.index() as f64 / 8000.0;
        for pair in bench.half_cycles.windows(2) {
            // They follow one another, and none is shorter than a half or longer than one and a half.
            let length = f64::from(pair[1].duration) / 65_536.0 * 2.0 * hertz / 8000.0;
            assert!(pair[1].end > pair[0].end && (0.45..1.55).contains(&length), "{hertz} Hz: {pair:?}");
        }
        let cycle = 1.0 / hertz;
        let within = |a: f64, b: f64| bench.half_cycles.iter().filter(move |h| (a..b).contains(&seconds(h)));
        let gone: Vec<_> = within(from + 1.1 * cycle, to).collect();
        assert!(gone.len() as f64 > (to - from - 1.1 * cycle) * 2.0 * hertz - 1.5);
        for half in &gone {
            let length = f64::from(half.duration) / 65_536.0 * 2.0 * hertz / 8000.0;
            assert!((length - 1.0).abs() < 2e-3, "{hertz} Hz: {half:?}");
            worst = worst.max(half.voltage_mv.iter().map(|&mv| f64::from(mv)).fold(0.0, f64::max) / 2300.0);
        }
        // Back again: two cycles later as if nothing had been.
        let back: Vec<_> = within(to + 2.0 * cycle, 3.0).collect();
        assert!(back.len() as f64 > (3.0 - to - 2.0 * cycle) * 2.0 * hertz - 2.5);
        for half in back {
            let turns = (half.end.index() as f64 + f64::from(half.end.fraction()) / 65_536.0) / 8000.0 * 2.0 * hertz;
            assert!((turns - turns.round()).abs() < 1e-3, "{hertz} Hz: {half:?}");
            assert!(half.voltage_mv.iter().all(|mv| mv.abs_diff(230_000) < 60), "{hertz} Hz: {half:?}");
        }
        let (_, most) = range(&bench.half_cycles[4..]);
        assert!(most < 100.5, "no swell: {most} %");
    }
    println!("interruptions: what is left is at most {worst:.3} % of Un");
    assert!(worst < 0.01);
}

#[test]
fn one_phase_gone_leaves_the_others_as_they_are() {
    // The synchronising phase is gone for long: the boundaries move on to another.
    for gone in [0, 1] {
        let mut bench = Bench::new(Systems::Three);
        bench.play(4.0, |t| {
            let mut values = Sines::at(49.6).values(t);
            if (1.003..2.5).contains(&t) {
                values[gone] = 0.0;
            }
            values
        });
        for half in &bench.half_cycles[10..] {
            for n in (0..3).filter(|&n| n != gone) {
                assert!(half.voltage_mv[n].abs_diff(230_000) < 230, "{half:?}");
            }
            let at = half.end.index() as f64 / 8000.0;
            if (1.03..2.5).contains(&at) {
                assert!(half.voltage_mv[gone] < 23, "0.01 % of Un: {half:?}");
            }
        }
        let last = bench.half_cycles.last().unwrap();
        assert!(last.voltage_mv.iter().all(|mv| mv.abs_diff(230_000) < 60));
    }
}

#[test]
fn a_direct_part_of_the_front_end_is_no_voltage_and_no_current() {
    let mut bench = Bench::new(Systems::Three);
    // 0.5 V and 50 mA beside the wave, for long; then no wave.
    bench.play(30.0, |t| {
        let level = if t < 29.0 { 1.0 } else { 0.0 };
        Sines { ampere: 0.02, ..Sines::at(49.6) }
            .values(t)
            .map(|v| level * v)
            .map(|v| v + if v.abs() > 1.0 { 0.0 } else { 0.05 })
    });
    let [running, gone] = [28.5, 29.5]
        .map(|at| *bench.half_cycles.iter().rev().find(|half| (half.end.index() as f64) < at * 8000.0).unwrap());
    println!("20 mA beside 50 mA of direct current read {} mA, none {} mA", running.current_ma[0], gone.current_ma[0]);
    assert!(running.current_ma.iter().all(|ma| ma.abs_diff(20) <= 1) && gone.current_ma.iter().all(|&ma| ma <= 1));
}
