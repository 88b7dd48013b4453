//! Harmonics by magnitude and angle, THD, against the closed form.

use std::f64::consts::SQRT_2;

use meterbench_metrology::{HIGHEST_ORDER, Phasor, Spectrum, Systems};

use super::signal::{Bench, Noise, Sines, Window};

/// An order with its share of the fundamental (%) and its angle (deg).
type Tone = (usize, f64, f64);

/// Sines with the same harmonics in every voltage and current, each by the angle of its own fundamental.
fn distorted(sines: &Sines, tones: &[Tone], seconds: f64) -> [f64; 6] {
    let mut values = sines.values(seconds);
    for (n, value) in values.iter_mut().enumerate() {
        let (rms, lag) = if n < 3 { (sines.volt, 0.0) } else { (sines.ampere, sines.lag) };
        let angle = sines.angle(seconds) - (120.0 * (n % 3) as f64 + lag).to_radians();
        for &(order, percent, degrees) in tones {
            *value += SQRT_2 * rms * percent / 100.0 * (order as f64 * angle + degrees.to_radians()).sin();
        }
    }
    values
}

/// The last of the first windows of a steady wave.
fn window(sines: &Sines, windows: usize, wave: impl Fn(f64) -> [f64; 6]) -> Window {
    let mut bench = Bench::new(Systems::Three);
    bench.play((windows as f64 + 0.2) * 10.0 / sines.hertz, wave);
    bench.windows.pop().filter(|w| w.clean).expect("a clean window")
}

fn of(spectrum: &Spectrum, channel: usize) -> &[Phasor; HIGHEST_ORDER] {
    if channel < 3 { &spectrum.voltage[channel] } else { &spectrum.current[channel - 3] }
}

/// What one channel's order must be, with the angle at the zero crossing of L1.
fn truth(sines: &Sines, channel: usize, (order, percent, degrees): Tone) -> (f64, f64) {
    let (rms, lag) = if channel < 3 { (sines.volt, 0.0) } else { (sines.ampere, sines.lag) };
    let angle = (degrees - order as f64 * (120.0 * (channel % 3) as f64 + lag)).to_radians();
    (rms * percent / 100.0 * angle.cos(), rms * percent / 100.0 * angle.sin())
}

#[test]
fn every_harmonic_at_one_percent_is_within_500_ppm_of_itself() {
    for hertz in [42.7, 47.5, 49.3, 50.0, 50.7, 52.5, 57.5] {
        let sines = Sines::at(hertz);
        let (mut worst, mut leaks) = ((0, 0.0f64), 0.0f64);
        for order in 2..=HIGHEST_ORDER {
            let tone = (order, 1.0, 30.0);
            let window = window(&sines, 3, |t| distorted(&sines, &[tone], t));
            let spectrum = window.spectrum.unwrap();
            for channel in 0..6 {
                let orders = of(&spectrum, channel);
                let got = orders[order - 1];
                let (re, im) = truth(&sines, channel, tone);
                let error = (f64::from(got.re) - re).hypot(f64::from(got.im) - im) / re.hypot(im);
                if error > worst.1 {
                    worst = (order, error);
                }
                let rms = if channel < 3 { 230.0 } else { 10.0 };
                let others = (2..=HIGHEST_ORDER).filter(|&n| n != order);
                leaks = others.map(|n| f64::from(orders[n - 1].magnitude()) / rms).fold(leaks, f64::max);
            }
        }
        println!(
            "{hertz} Hz: each of h2..h50 at 1 %, worst error by magnitude and angle {:.4} % of it (h{}), in other orders up to {:.5} % of the fundamental",
            100.0 * worst.1,
            worst.0,
            100.0 * leaks
        );
        assert!(worst.1 < 5e-4 && leaks < 1e-5);
    }
}

/// Percentages of the fundamental; angles from a fixed rule.
fn set(of: &[(usize, f64)]) -> Vec<Tone> {
    of.iter().map(|&(order, percent)| (order, percent, (order * order * 37 % 360) as f64)).collect()
}

#[test]
fn distortion_of_known_sets_is_within_a_hundredth_of_a_percent() {
    let en50160: &[(usize, f64)] = &[
        (2, 2.0),
        (3, 5.0),
        (4, 1.0),
        (5, 6.0),
        (6, 0.5),
        (7, 5.0),
        (9, 1.5),
        (11, 3.5),
        (13, 3.0),
        (15, 0.5),
        (17, 2.0),
        (19, 1.5),
        (21, 0.5),
        (23, 1.5),
        (25, 1.5),
    ];
    let highest: Vec<(usize, f64)> = (41..=50).map(|order| (order, 1.0)).collect();
    let quadriform: &[(usize, f64)] = &[(3, 30.0), (5, 18.0), (7, 14.0), (11, 9.0), (13, 5.0)];
    let all: Vec<(usize, f64)> = (2..=50).map(|order| (order, 2.0)).collect();
    let mut worst = 0.0f64;
    for hertz in [47.5, 49.3, 50.0, 52.5] {
        for (name, of) in [("EN 50160", en50160), ("41 to 50", &highest), ("quadriform", quadriform), ("all", &all)] {
            let (sines, tones) = (Sines { degrees: 33.0, ..Sines::at(hertz) }, set(of));
            let mut noise = Noise(9);
            let drawn: Vec<[f64; 6]> =
                (0..16_000).map(|_| [0.03, 0.03, 0.03, 0.002, 0.002, 0.002].map(|p| noise.draw(p))).collect();
            let window = window(&sines, 4, |t| {
                let (values, noise) = (distorted(&sines, &tones, t), drawn[(t * 8000.0).round() as usize]);
                std::array::from_fn(|n| values[n] + noise[n])
            });
            let truth = of.iter().map(|(_, percent)| percent * percent).sum::<f64>().sqrt();
            for got in window.thd_voltage.into_iter().chain(window.thd_current) {
                worst = worst.max((f64::from(got) / 100.0 - truth).abs());
                assert!(
                    (f64::from(got) / 100.0 - truth).abs() < 0.011,
                    "{name} at {hertz} Hz: {got}, not {truth:.3} %"
                );
            }
            // And the whole voltage, harmonics in it.
            let rms = 230.0 * (1.0 + truth * truth / 10_000.0).sqrt();
            for got in window.voltage_mv {
                assert!(
                    (f64::from(got) / 1000.0 / rms - 1.0).abs() < 3e-4,
                    "{name} at {hertz} Hz: {got} mV, not {rms:.3} V"
                );
            }
        }
    }
    println!("THD of four sets, with noise: off by at most {worst:.4} points");
}

#[test]
fn fifty_orders_at_once_are_each_within_500_ppm() {
    let mut worst = 0.0f64;
    for hertz in [47.5, 49.3, 50.0, 52.5] {
        let sines = Sines { degrees: 77.0, ..Sines::at(hertz) };
        let tones = set(&(2..=50).map(|order| (order, 1.0)).collect::<Vec<_>>());
        let window = window(&sines, 4, |t| distorted(&sines, &tones, t));
        let spectrum = window.spectrum.unwrap();
        for channel in 0..6 {
            for &tone in &tones {
                let (got, (re, im)) = (of(&spectrum, channel)[tone.0 - 1], truth(&sines, channel, tone));
                worst = worst.max((f64::from(got.re) - re).hypot(f64::from(got.im) - im) / re.hypot(im));
            }
        }
    }
    println!("50 orders at once, magnitude and angle: off by at most {:.4} % of each", 100.0 * worst);
    assert!(worst < 5e-4);
}

#[test]
fn what_lies_between_the_harmonics_and_above_them_stays_out() {
    // An order between, one that flickers at 5 Hz, and those above 50 (%), and what of them may stand in any order (%).
    for (order, percent, most) in
        [(7.5, 1.0, 0.001), (3.7, 1.0, 0.001), (55.0, 1.0, 0.001), (63.0, 1.0, 0.01), (76.0, 1.0, 0.02)]
    {
        for hertz in [49.3, 50.0, 50.7] {
            let sines = Sines::at(hertz);
            let window = window(&sines, 3, |t| {
                let mut values = sines.values(t);
                values[1] += SQRT_2 * 2.3 * percent * (order * sines.angle(t) + 1.0).sin();
                values
            });
            let orders = &window.spectrum.unwrap().voltage[1];
            let leak = orders[1..].iter().map(|p| f64::from(p.magnitude()) / 2.3).fold(0.0, f64::max);
            println!("order {order} at {percent} %, {hertz} Hz: up to {leak:.5} % in orders 2 to 50");
            assert!(leak < most);
        }
    }
}

#[test]
fn an_order_modulated_at_five_hertz_is_its_carrier() {
    let mut bench = Bench::new(Systems::One);
    bench.play(4.0, |t| {
        let sines = Sines::at(50.0);
        let mut values = sines.values(t);
        if (5.0 * t).fract() < 0.5 {
            values[0] += SQRT_2 * 230.0 * 0.06 * (5.0 * sines.angle(t)).sin();
        }
        values
    });
    let fifths =
        bench.windows[3..].iter().map(|w| f64::from(w.spectrum.as_ref().unwrap().voltage[0][4].magnitude()) / 2.3);
    let (low, high) = fifths.fold((f64::INFINITY, 0.0f64), |(low, high), p| (low.min(p), high.max(p)));
    println!("order 5 of 6 %, on and off at 5 Hz: {low:.4} to {high:.4} %, carrier 3 %");
    assert!(low > 2.998 && high < 3.002, "ten cycles, no more and no less");
}

#[test]
fn unbalance_of_the_sets_in_closed_form() {
    // Percent and degrees of L1, L2, L3; u2 and u0 (%).
    #[rustfmt::skip]
    let rows = [
        ([(100.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 0.0, 0.0),
        ([(95.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 1.6949, 1.6949),
        ([(94.1176, 0.0), (100.0, -120.0), (100.0, 120.0)], 2.0, 2.0),
        ([(73.0, 0.0), (80.0, -120.0), (87.0, 120.0)], 5.0518, 5.0518),
        ([(100.0, 0.0), (115.7895, -120.0), (100.0, 120.0)], 5.0, 5.0),
        ([(100.0, 0.0), (100.0, -122.0), (100.0, 118.0)], 1.1637, 1.1637),
        ([(102.0, 0.0), (99.015, -121.0), (99.015, 121.0)], 2.0, 0.0),
        ([(102.0, 0.0), (99.015, -119.0), (99.015, 119.0)], 0.0, 2.0),
        // A broken neutral, and a phase of medium voltage gone.
        ([(75.0, 0.0), (114.5644, -130.8934), (114.5644, 130.8934)], 0.0, 25.0),
        ([(0.0, 0.0), (100.0, -120.0), (100.0, 120.0)], 50.0, 50.0),
    ];
    let mut worst = 0.0f64;
    for hertz in [49.3, 50.0] {
        for (of, negative, zero) in rows {
            let mut bench = Bench::new(Systems::Three);
            bench.play(1.3, |t| {
                let sines = Sines::at(hertz);
                let mut values = [0.0; 6];
                for (value, (percent, degrees)) in values.iter_mut().zip(of) {
                    let angle: f64 = sines.angle(t) + f64::to_radians(degrees);
                    // Distortion is no unbalance.
                    *value = SQRT_2 * 2.3 * percent * (angle.sin() + 0.05 * (5.0 * sines.angle(t)).sin());
                }
                values
            });
            let got = bench.windows.last().and_then(|w| w.unbalance).unwrap();
            for (got, wanted) in [(got.negative, negative), (got.zero, zero)] {
                worst = worst.max((f64::from(got) / 1000.0 - wanted).abs());
            }
        }
    }
    println!("unbalance u2 and u0 of ten sets: off by at most {worst:.4} points");
    assert!(worst < 0.003, "the sets have four digits, and angles of whole degrees");
}

#[test]
fn a_single_phase_meter_has_harmonics_and_no_unbalance() {
    let sines = Sines { degrees: 15.0, ..Sines::at(49.3) };
    let tones = set(&[(3, 5.0), (50, 1.0)]);
    let mut bench = Bench::new(Systems::One);
    bench.play(1.3, |t| distorted(&sines, &tones, t));
    let window = bench.windows.pop().unwrap();
    let spectrum = window.spectrum.unwrap();
    for channel in [0, 3] {
        for &tone in &tones {
            let (got, (re, im)) = (of(&spectrum, channel)[tone.0 - 1], truth(&sines, channel, tone));
            assert!((f64::from(got.re) - re).hypot(f64::from(got.im) - im) < 5e-4 * re.hypot(im));
        }
    }
    assert_eq!((window.unbalance, window.voltage_mv[1], spectrum.voltage[1][0].magnitude()), (None, 0, 0.0));
}

#[test]
fn a_frequency_that_changes_smears_no_more_than_its_change() {
    // 1 Hz/s: within a window the frequency moves by 0.4 %.
    let mut bench = Bench::new(Systems::Three);
    let (mut worst, mut fifth) = (0.0f64, 0.0f64);
    bench.play(4.0, |t| {
        let turns = 49.0 * t + if t > 1.0 { 0.5 * (t - 1.0).powi(2) } else { 0.0 };
        let sines = Sines { hertz: turns / t.max(1e-9), ..Sines::at(0.0) };
        distorted(&sines, &[(5, 5.0, 0.0)], t)
    });
    for window in &bench.windows[4..] {
        let spectrum = window.spectrum.as_ref().unwrap();
        for voltage in &spectrum.voltage {
            worst = worst.max((f64::from(voltage[0].magnitude()) / 230.0 - 1.0).abs());
            fifth = fifth.max((f64::from(voltage[4].magnitude()) / 11.5 - 1.0).abs());
        }
    }
    println!("at 1 Hz/s: the fundamental is off by {:.3} %, the fifth by {:.3} %", 100.0 * worst, 100.0 * fifth);
    assert!(worst < 1e-3 && fifth < 2e-2);
}
