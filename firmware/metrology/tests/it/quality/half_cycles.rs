//! Urms(1/2): what IEC 61000-4-30 asks of every half cycle.

use meterbench_metrology::Systems;

use super::signal::{Bench, Sines};

#[test]
fn a_steady_sine_is_within_100_ppm_at_every_frequency() {
    let mut worst = [0.0f64; 2];
    for hertz in [42.5, 43.7, 46.25, 47.5, 49.3, 50.0, 50.7, 52.5, 53.75, 57.5] {
        let mut bench = Bench::new(Systems::Three);
        bench.play(3.0, |t| Sines::at(hertz).values(t));
        let steady = &bench.half_cycles[20..];
        assert!(steady.len() as f64 > 2.6 * 2.0 * hertz);
        for half in steady {
            let length = f64::from(half.duration) / 65_536.0 * 2.0 * hertz / 8000.0;
            assert!((length - 1.0).abs() < 1e-3, "{hertz} Hz: {half:?}");
            for n in 0..3 {
                worst[0] = worst[0].max((f64::from(half.voltage_mv[n]) / 230_000.0 - 1.0).abs());
                worst[1] = worst[1].max((f64::from(half.current_ma[n]) / 10_000.0 - 1.0).abs());
            }
        }
    }
    println!("Urms(1/2) from 42.5 to 57.5 Hz: worst error {:.4} %, I {:.4} %", 100.0 * worst[0], 100.0 * worst[1]);
    assert!(worst[0] < 1e-4 && worst[1] < 2e-4);
}
