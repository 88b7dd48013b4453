//! What a planted fault changes, and what it leaves alone.

use std::f64::consts::SQRT_2;

use meterbench_metrology::{QualityDefects, Systems};

use super::signal::{Bench, Sines, Window};

fn windows(defects: QualityDefects, wave: impl Fn(f64) -> [f64; 6]) -> Vec<Window> {
    let mut bench = Bench::new(Systems::Three);
    bench.analysis.plant(defects);
    bench.play(4.0, wave);
    bench.windows.split_off(3)
}

/// Percent of the fundamental of L1 that stands in order 5, lowest and highest.
fn fifth(windows: &[Window]) -> (f64, f64) {
    let of = |w: &Window| f64::from(w.spectrum.as_ref().unwrap().voltage[0][4].magnitude()) / 2.3;
    windows.iter().map(of).fold((f64::INFINITY, 0.0), |(low, high), p| (low.min(p), high.max(p)))
}

#[test]
fn a_short_window_reads_steady_waves_right_and_lets_in_what_lies_between() {
    let short = QualityDefects { short_window: true, ..QualityDefects::default() };
    let steady = |t: f64| {
        let sines = Sines::at(49.8);
        let mut values = sines.values(t);
        values[0] += SQRT_2 * 2.3 * 6.0 * (5.0 * sines.angle(t)).sin();
        values
    };
    let (low, high) = fifth(&windows(short, steady));
    assert!(low > 5.997 && high < 6.003, "{low} to {high} %");
    // 5 Hz above order 5.
    let between = |t: f64| {
        let sines = Sines::at(49.8);
        let mut values = sines.values(t);
        values[0] += SQRT_2 * 2.3 * 5.0 * (5.1 * sines.angle(t)).sin();
        values
    };
    let (whole, short_of_it) = (fifth(&windows(QualityDefects::default(), between)), fifth(&windows(short, between)));
    println!("5 % at order 5.1: order 5 reads up to {:.4} %, with a short window {:.3} %", whole.1, short_of_it.1);
    // The line moves the crossings too, and the window with them.
    assert!(whole.1 < 0.03 && short_of_it.1 > 0.5);
}

#[test]
fn distortion_to_order_40_misses_the_last_ten() {
    let wave = |t: f64| {
        let sines = Sines::at(50.2);
        let mut values = sines.values(t);
        values[0] +=
            (41..=50u32).map(|n| SQRT_2 * 2.3 * (f64::from(n) * sines.angle(t) + f64::from(n * n)).sin()).sum::<f64>();
        values
    };
    let faulty = QualityDefects { thd_to_40: true, ..QualityDefects::default() };
    for (defects, wanted) in [(QualityDefects::default(), 316), (faulty, 0)] {
        let got = windows(defects, wave).pop().unwrap();
        assert!(got.thd_voltage[0].abs_diff(wanted) <= 1, "{:?}", got.thd_voltage);
        assert!(got.spectrum.unwrap().voltage[0][49].magnitude() > 2.29, "the order itself is there");
    }
}
