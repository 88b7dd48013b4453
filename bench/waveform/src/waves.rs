//! All channels of what was played.

use crate::played::{Played, Sine};
use crate::wave::Wave;
use crate::waveform::Distortion;

/// Names of the channels, in the order of the samples.
pub const CHANNELS: [&str; 6] = ["UL1", "UL2", "UL3", "IL1", "IL2", "IL3"];

/// Every channel in closed form. 0 s is where the event begins; without an event, where the playing began.
#[derive(Debug, Clone, PartialEq)]
pub struct Waves {
    /// Voltages L1 to L3 (V).
    pub voltage: [Wave; 3],
    /// Currents L1 to L3 (A).
    pub current: [Wave; 3],
}

impl Played {
    /// Everything that was put out, in closed form.
    ///
    /// An event begins where L1 stands at its point on the wave; without one, the common zero of all angles stands at 0 s. Modulations
    /// and interharmonics begin at 0 s.
    pub fn waves(&self) -> Waves {
        let origin = self.event.map_or(0.0, |event| event.point_on_wave_deg + self.sines.voltage[0].lag_deg);
        let wave = |sine: Sine, distortion: &Distortion| {
            Wave::new(self.sines.hertz, sine.rms, (origin - sine.lag_deg) / 360.0, distortion)
        };
        let voltage = std::array::from_fn(|n| {
            let wave = wave(self.sines.voltage[n], &self.waveform.voltage[n]);
            match &self.event {
                Some(event) if event.phases[n] => wave.with_event(event),
                _ => wave,
            }
        });
        let current = std::array::from_fn(|n| wave(self.sines.current[n], &self.waveform.current[n]));
        Waves { voltage, current }
    }
}

impl Waves {
    /// Every channel, voltages first.
    pub fn channels(&self) -> impl Iterator<Item = &Wave> {
        self.voltage.iter().chain(&self.current)
    }

    /// The n-th sample of every channel at this rate (1/s); sample 0 stands at 0 s. Counting is exact, whatever the length.
    pub fn sample(&self, n: i64, rate: u32) -> [f64; 6] {
        let seconds = n as f64 / f64::from(rate);
        std::array::from_fn(|channel| {
            let wave = if channel < 3 { &self.voltage[channel] } else { &self.current[channel - 3] };
            wave.at(seconds)
        })
    }

    /// Samples from the n-th on.
    pub fn samples(&self, from: i64, count: usize, rate: u32) -> impl Iterator<Item = [f64; 6]> {
        (from..from.saturating_add(count as i64)).map(move |n| self.sample(n, rate))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Played, Sine, Sines, VoltageEvent};

    #[test]
    fn an_event_begins_at_its_point_on_the_wave_of_l1() {
        let sine = |lag_deg| Sine { rms: 230.0, lag_deg };
        let played = Played {
            step: 1,
            words: String::new(),
            from_ns: 0,
            to_ns: 0,
            sines: Sines { hertz: 50.0, voltage: [sine(0.0), sine(120.0), sine(240.0)], ..Default::default() },
            waveform: Default::default(),
            event: Some(VoltageEvent {
                phases: [false, true, false],
                share: 0.5,
                seconds: 0.02,
                point_on_wave_deg: 90.0,
                phase_jump_deg: 0.0,
            }),
        };
        let waves = played.waves();
        let peak = 230.0 * std::f64::consts::SQRT_2;
        let [l1, l2, l3, ..] = waves.sample(0, 12_800);
        assert!((l1 - peak).abs() < 1e-9, "L1 at its peak: {l1}");
        assert!((l2 + 0.25 * peak).abs() < 1e-9 && (l3 + 0.5 * peak).abs() < 1e-9, "{l2} {l3}");
        let before = waves.sample(-1, 12_800);
        assert!((before[1] + 0.5 * peak).abs() < 10.0, "L2 stands whole before: {}", before[1]);
        assert_eq!(waves.samples(-2, 4, 12_800).nth(2), Some(waves.sample(0, 12_800)));
    }
}
