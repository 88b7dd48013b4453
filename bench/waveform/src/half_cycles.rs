//! Urms(1/2) by the reference method: the RMS value of one cycle, beginning with a zero crossing of the channel's fundamental, anew
//! every half cycle (IEC 61000-4-30). The oracle an event is held against.

use crate::wave::Wave;

/// One value of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfCycle {
    /// Begin of its cycle (s).
    pub begin_s: f64,
    /// End of its cycle (s), when the value is known.
    pub end_s: f64,
    /// RMS value of the cycle.
    pub rms: f64,
}

impl Wave {
    /// Every value whose cycle ends within this time (s).
    pub fn half_cycles(&self, from: f64, to: f64) -> impl Iterator<Item = HalfCycle> {
        let first = self.crossing_after(from) - 2;
        let cycle = move |n: i64| HalfCycle {
            begin_s: self.zero_crossing(n),
            end_s: self.zero_crossing(n + 2),
            rms: self.cycle_rms(n),
        };
        (first..).map(cycle).take_while(move |half| half.end_s <= to + 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use crate::waveform::{Distortion, VoltageEvent};

    use super::*;

    /// The staircase of a rectangular dip between two zero crossings: the first and the last value mix both levels.
    #[test]
    fn the_first_and_last_value_of_a_dip_mix_both_levels() {
        let event =
            VoltageEvent { phases: [true; 3], share: 0.7, seconds: 0.04, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 };
        let wave = Wave::new(50.0, 100.0, 0.0, &Distortion::default()).with_event(&event);
        let series: Vec<HalfCycle> = wave.half_cycles(-0.01, 0.07).collect();
        let mixed = 100.0 * ((1.0f64 + 0.49) / 2.0).sqrt();
        // Ends at -10, 0, 10 ms and so on.
        let expected = [100.0, 100.0, mixed, 70.0, 70.0, 70.0, mixed, 100.0, 100.0];
        assert_eq!(series.len(), expected.len(), "{series:?}");
        for (half, expected) in series.iter().zip(expected) {
            assert!((half.rms - expected).abs() < 1e-9, "{half:?} {expected}");
            assert!((half.end_s - half.begin_s - 0.02).abs() < 1e-12);
        }
        assert!((mixed - 86.313).abs() < 1e-3);
    }
}
