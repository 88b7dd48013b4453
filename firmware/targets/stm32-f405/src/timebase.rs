//! Sample time against timer time.
//!
//! The converter runs on its own crystal, the timer on the processor's. Each falling edge of data ready is captured by the
//! timer itself, so that the two are compared without the delay of an interrupt, and the period of a sample is known in ticks
//! of the timer to 1/65536.
//!
//! # Delay and error of an edge
//!
//! An instant of sample time is put out [`LATENCY`] samples later than its sample was ready, always. What remains is rounding to
//! one tick, the jitter of one capture (one tick) and the error of the period over the distance foreseen: with crystals 100 ppm
//! apart, a rising edge is within two ticks after one second of running, a falling edge 30 ms later within five.

use meterbench_metrology::{SAMPLE_RATE, SampleInstant};

/// Samples of 125 µs between the instant of an edge and its output.
///
/// 3 ms. It must cover reading the frame (one sample) and the longest run of the metrology, at the end of a window of ten cycles:
/// 141 000 instructions counted by an emulator, at an assumed 1.3 cycles each 1.53 ms or 12.3 samples at 120 MHz. What is found
/// of harmonics is found piece by piece, with every sample.
pub const LATENCY: u32 = 24;

/// The period may differ by 1/512 from nominal; crystals differ by less than 1/5000.
const TOLERANCE: u32 = 512;
/// The period follows the captures with a time constant of 2^10 samples.
const SMOOTHING: u32 = 10;

/// Where sample time stands on a free-running timer of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timebase {
    /// Nominal ticks per sample, Q16.
    nominal: u32,
    /// Measured ticks per sample, Q16.
    period: u32,
    /// Capture of the newest sample; `None` before the first.
    captured: Option<u32>,
    /// Index of the newest sample.
    index: u64,
}

impl Timebase {
    /// A time base for a timer with this many ticks per second, at least 64 and at most 65 535 per sample.
    pub const fn new(ticks_per_second: u32) -> Self {
        let nominal = (((ticks_per_second as u64) << 16) / SAMPLE_RATE as u64) as u32;
        Self { nominal, period: nominal, captured: None, index: 0 }
    }

    /// Takes the capture of a data-ready edge; the number of samples that are due since the one before, normally 1.
    ///
    /// More than 1 says that edges or frames were lost, 0 that this edge came too early to be one: it is to be ignored.
    /// The first edge has index 0.
    pub fn sample(&mut self, captured: u32) -> u32 {
        let Some(before) = self.captured else {
            self.captured = Some(captured);
            return 1;
        };
        let elapsed = u64::from(captured.wrapping_sub(before)) << 16;
        let samples = (elapsed + u64::from(self.period / 2)) / u64::from(self.period);
        if samples == 0 {
            return 0;
        }
        if samples == 1 {
            self.follow(elapsed as i64);
        }
        self.captured = Some(captured);
        self.index += samples;
        samples as u32
    }

    fn follow(&mut self, elapsed: i64) {
        let (nominal, period) = (i64::from(self.nominal), i64::from(self.period));
        let off = nominal / i64::from(TOLERANCE);
        // A single edge that is far off is a disturbance and no crystal.
        if (elapsed - nominal).abs() <= off {
            self.period = (period + ((elapsed - period) >> SMOOTHING)) as u32;
        }
    }

    /// The tick at which an instant is to be put out, [`LATENCY`] samples after it.
    pub fn tick(&self, at: SampleInstant) -> u32 {
        let ahead = at.index().wrapping_sub(self.index).wrapping_add(u64::from(LATENCY)) << 16;
        let ahead = ahead.wrapping_add(u64::from(at.fraction())) as i64;
        let ticks = (i128::from(ahead) * i128::from(self.period) + (1 << 31)) >> 32;
        self.captured.unwrap_or(0).wrapping_add(ticks as u32)
    }

    /// Index of the newest sample.
    pub fn index(&self) -> u64 {
        self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKS_PER_SECOND: u32 = 60_000_000;

    /// Tick of a moment of sample time (samples), by crystals that are `ppm` apart.
    fn true_tick(samples: f64, ppm: f64) -> f64 {
        4_294_900_000.0 + samples * 7500.0 * (1.0 + ppm * 1e-6)
    }

    fn capture(n: u64, ppm: f64) -> u32 {
        true_tick(n as f64, ppm) as u64 as u32
    }

    #[test]
    fn edges_are_exact_to_a_few_ticks_with_any_crystal() {
        for ppm in [-100.0, -20.0, 0.0, 3.3, 100.0] {
            let mut timebase = Timebase::new(TICKS_PER_SECOND);
            let (mut rise, mut fall) = (0f64, 0f64);
            for n in 0..40_000 {
                assert_eq!(timebase.sample(capture(n, ppm)), 1);
                let fraction = (n * 40_503) as u16;
                let off = |plus: u32| {
                    let at = SampleInstant::new(n, fraction).plus_samples(plus);
                    let moment = (at.index() + u64::from(LATENCY)) as f64 + f64::from(fraction) / 65_536.0;
                    let tick = timebase.tick(at);
                    f64::from(tick.wrapping_sub(true_tick(moment, ppm) as u64 as u32) as i32).abs()
                };
                if n > 8000 {
                    (rise, fall) = (rise.max(off(0)), fall.max(off(240)));
                }
            }
            std::println!("{ppm} ppm: rise off by {rise}, fall by {fall} ticks of 16.7 ns at most");
            assert!(rise <= 2.0 && fall <= 5.0);
        }
    }

    #[test]
    fn lost_edges_are_counted_and_early_ones_ignored() {
        let mut timebase = Timebase::new(TICKS_PER_SECOND);
        let samples: std::vec::Vec<_> =
            [0, 1, 2, 5, 6].into_iter().map(|n| timebase.sample(capture(n, 50.0))).collect();
        assert_eq!(samples, [1, 1, 1, 3, 1]);
        assert_eq!(timebase.sample(capture(6, 50.0).wrapping_add(3000)), 0);
        assert_eq!((timebase.sample(capture(7, 50.0)), timebase.index()), (1, 7));
    }

    #[test]
    fn a_disturbed_edge_does_not_move_the_period() {
        let mut timebase = Timebase::new(TICKS_PER_SECOND);
        for n in 0..100 {
            timebase.sample(capture(n, 0.0).wrapping_add(if n == 50 { 700 } else { 0 }));
        }
        assert!(timebase.period.abs_diff(timebase.nominal) < 65_536);
    }
}
