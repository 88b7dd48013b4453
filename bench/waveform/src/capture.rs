//! Which stretches of what was played are kept sample by sample: an event with ten cycles on either side, thirty cycles of a steady wave.

use crate::played::Played;
use crate::waves::Waves;

/// Cycles kept before and after an event.
pub const MARGIN_CYCLES: f64 = 10.0;
/// An event up to here is kept whole (s).
pub const LONGEST_EVENT_S: f64 = 3.0;
/// Of a longer one so much is kept after its begin and before its end (s).
pub const PART_S: f64 = 1.0;
/// Of a wave without event so many cycles are kept: three windows of ten.
pub const STEADY_CYCLES: f64 = 30.0;

/// A stretch of time, from the begin of the event or of the playing.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// What it shows, where it is not everything: `begin`, `end`.
    pub part: Option<&'static str>,
    /// Begin (s).
    pub from_s: f64,
    /// End (s).
    pub to_s: f64,
}

impl Stretch {
    /// The sample it begins with at this rate (1/s), and how many it has.
    pub fn samples(&self, rate: u32) -> (i64, usize) {
        let rate = f64::from(rate);
        let (first, end) = ((self.from_s * rate).ceil(), (self.to_s * rate).floor());
        (first as i64, (end - first + 1.0).max(0.0) as usize)
    }
}

impl Played {
    /// How long it was played (s).
    pub fn seconds(&self) -> f64 {
        self.to_ns.saturating_sub(self.from_ns) as f64 / 1e9
    }

    /// What is kept of it: everything on request.
    pub fn stretches(&self, whole: bool) -> Vec<Stretch> {
        let margin = if self.sines.hertz > 0.0 { MARGIN_CYCLES / self.sines.hertz } else { 0.2 };
        let stretch = |part, from_s, to_s| Stretch { part, from_s, to_s };
        match &self.event {
            Some(event) if whole || event.seconds <= LONGEST_EVENT_S => {
                vec![stretch(None, -margin, event.seconds + margin)]
            }
            Some(event) => vec![
                stretch(Some("begin"), -margin, PART_S),
                stretch(Some("end"), event.seconds - PART_S, event.seconds + margin),
            ],
            None if whole => vec![stretch(None, 0.0, self.seconds())],
            None => vec![stretch(None, 0.0, self.seconds().min(self.steady_s()))],
        }
    }

    /// Thirty cycles, or two periods of a slow modulation (s).
    fn steady_s(&self) -> f64 {
        let waves = self.waveform.voltage.iter().chain(&self.waveform.current);
        let slowest = waves.filter_map(|wave| wave.modulation).map(|m| m.hertz).filter(|&hertz| hertz > 0.0);
        let cycles = if self.sines.hertz > 0.0 { STEADY_CYCLES / self.sines.hertz } else { 0.6 };
        slowest.map(|hertz| 2.0 / hertz).fold(cycles, f64::max).min(LONGEST_EVENT_S)
    }

    /// What [`Played::stretches`] leaves out, in words; nothing where everything is kept.
    pub fn cut_words(&self) -> Option<String> {
        match &self.event {
            Some(event) if event.seconds <= LONGEST_EVENT_S => None,
            Some(event) => Some(format!(
                "kept: {MARGIN_CYCLES} cycles before the event, its first and last {PART_S} s, {MARGIN_CYCLES} cycles after; cut: {:.3} s between",
                event.seconds - 2.0 * PART_S
            )),
            None => {
                let (kept, all) = (self.steady_s(), self.seconds());
                (all > kept).then(|| format!("kept: the first {kept:.3} s of {all:.1} s; the rest goes on alike"))
            }
        }
    }
}

impl Waves {
    /// Samples of a stretch at this rate (1/s).
    pub fn stretch(&self, stretch: &Stretch, rate: u32) -> impl Iterator<Item = [f64; 6]> {
        let (first, count) = stretch.samples(rate);
        self.samples(first, count, rate)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Modulation, ModulationShape, Sines, VoltageEvent};

    use super::*;

    fn played(event_s: Option<f64>, seconds: f64) -> Played {
        let event = event_s.map(|seconds| VoltageEvent {
            phases: [true; 3],
            share: 0.4,
            seconds,
            point_on_wave_deg: 0.0,
            phase_jump_deg: 0.0,
        });
        let sines = Sines { hertz: 50.0, ..Default::default() };
        let to_ns = (seconds * 1e9) as u64;
        Played { step: 1, words: String::new(), from_ns: 0, to_ns, sines, waveform: Default::default(), event }
    }

    #[test]
    fn a_short_event_is_whole_and_of_a_long_one_both_ends_are_kept() {
        let short = played(Some(0.2), 0.2);
        assert_eq!(short.stretches(false), [Stretch { part: None, from_s: -0.2, to_s: 0.4 }]);
        assert_eq!((short.cut_words(), short.stretches(false)[0].samples(12_800)), (None, (-2560, 7681)));
        let long = played(Some(60.0), 60.0);
        let parts: Vec<(f64, f64)> = long.stretches(false).iter().map(|s| (s.from_s, s.to_s)).collect();
        assert_eq!(parts, [(-0.2, 1.0), (59.0, 60.2)]);
        assert!(long.cut_words().is_some_and(|words| words.contains("58.000 s between")), "{:?}", long.cut_words());
        assert_eq!(long.stretches(true).len(), 1);
    }

    #[test]
    fn a_steady_wave_is_kept_for_thirty_cycles_or_two_periods_of_its_modulation() {
        let mut steady = played(None, 600.0);
        assert_eq!(steady.stretches(false)[0].to_s, 0.6);
        let slow = Modulation { shape: ModulationShape::Rectangle, hertz: 0.9, percent: 1.0 };
        steady.waveform.voltage[0].modulation = Some(slow);
        assert!((steady.stretches(false)[0].to_s - 2.0 / 0.9).abs() < 1e-9);
        assert!(steady.cut_words().is_some() && played(None, 0.5).cut_words().is_none());
        assert_eq!(steady.stretches(true)[0].to_s, 600.0);
    }
}
