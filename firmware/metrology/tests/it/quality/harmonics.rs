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
