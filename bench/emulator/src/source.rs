//! What stands at the terminals: phasors per phase, constant over segments of time.

use std::f64::consts::TAU;

use meterbench_metrology::SAMPLE_RATE;

/// A sine: RMS value and the angle by which it lags the common zero (deg).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Phasor {
    pub rms: f64,
    pub lag_deg: f64,
}

impl Phasor {
    /// Cosine and sine parts.
    pub(crate) fn parts(self) -> (f64, f64) {
        let (sin, cos) = self.lag_deg.to_radians().sin_cos();
        (self.rms * cos, self.rms * sin)
    }

    fn between(self, other: Self, share: f64) -> Self {
        if self.rms == 0.0 {
            return Self { rms: other.rms * share, ..other };
        }
        if other.rms == 0.0 {
            return Self { rms: self.rms * (1.0 - share), ..self };
        }
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        let (x, y) = (a + (c - a) * share, b + (d - b) * share);
        Self { rms: x.hypot(y), lag_deg: y.atan2(x).to_degrees() }
    }
}

/// The output of a source, as it stands at every position's terminals (phantom load: voltages in parallel, currents in
/// series).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Output {
    pub hertz: f64,
    pub voltage: [Phasor; 3],
    pub current: [Phasor; 3],
}

impl Output {
    /// Active power of one phase (W).
    pub(crate) fn active_watt(&self, phase: usize) -> f64 {
        let (u, i) = (self.voltage[phase], self.current[phase]);
        u.rms * i.rms * (i.lag_deg - u.lag_deg).to_radians().cos()
    }

    /// Reactive power of one phase (var), inductive positive.
    pub(crate) fn reactive_var(&self, phase: usize) -> f64 {
        let (u, i) = (self.voltage[phase], self.current[phase]);
        u.rms * i.rms * (i.lag_deg - u.lag_deg).to_radians().sin()
    }

    /// The voltages stand in the order L1-L3-L2.
    pub(crate) fn is_reversed(&self) -> bool {
        let after = |from: Phasor, to: Phasor| (to.lag_deg - from.lag_deg).rem_euclid(360.0);
        let [l1, l2, l3] = self.voltage;
        [l1, l2, l3].iter().all(|v| v.rms > 0.0) && after(l1, l2) > after(l1, l3)
    }

    /// Something dangerous is on.
    pub(crate) fn is_energised(&self) -> bool {
        self.voltage.iter().chain(&self.current).any(|p| p.rms > 0.0)
    }

    fn between(&self, other: &Self, share: f64) -> Self {
        let mut now = *other;
        for phase in 0..3 {
            now.voltage[phase] = self.voltage[phase].between(other.voltage[phase], share);
            now.current[phase] = self.current[phase].between(other.current[phase], share);
        }
        now
    }
}

/// A stretch of time with one constant output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segment {
    /// First sample.
    pub(crate) from: u64,
    /// Turns of the common angle at that sample: the phase runs on through a change of frequency.
    pub(crate) turns: f64,
    pub(crate) output: Output,
}

impl Segment {
    /// Angle of the common zero at a sample (rad).
    pub(crate) fn angle(&self, sample: u64) -> f64 {
        self.angle_at(sample as f64)
    }

    /// The same between samples.
    pub(crate) fn angle_at(&self, sample: f64) -> f64 {
        let turns = self.turns + (sample - self.from as f64) / f64::from(SAMPLE_RATE) * self.output.hertz;
        (turns - turns.floor()) * TAU
    }
}

/// Steps of a ramp, 50 ms each: an amplifier takes half a second from one set-point to the next.
const RAMP_STEPS: u64 = 10;
const RAMP_STEP_SAMPLES: u64 = SAMPLE_RATE as u64 / 20;

/// Everything the source has put out and will put out by the commands it was given.
#[derive(Debug, Clone)]
pub(crate) struct SourceLog {
    segments: Vec<Segment>,
}

impl Default for SourceLog {
    fn default() -> Self {
        let output = Output { hertz: 50.0, ..Output::default() };
        Self { segments: vec![Segment { from: 0, turns: 0.0, output }] }
    }
}

impl SourceLog {
    /// Index of the segment at a sample.
    pub(crate) fn index_at(&self, sample: u64) -> usize {
        self.segments.partition_point(|s| s.from <= sample).saturating_sub(1)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The output at a sample.
    pub(crate) fn output_at(&self, sample: u64) -> &Output {
        &self.segments[self.index_at(sample)].output
    }

    /// Ramps to a new output from this sample on; whatever was planned after it is dropped.
    pub(crate) fn ramp_to(&mut self, sample: u64, target: &Output) {
        let from = *self.output_at(sample);
        for step in 1..=RAMP_STEPS {
            let at = sample + (step - 1) * RAMP_STEP_SAMPLES;
            self.set(at, from.between(target, step as f64 / RAMP_STEPS as f64));
        }
    }

    /// Switches at this sample.
    pub(crate) fn set(&mut self, sample: u64, output: Output) {
        let index = self.index_at(sample);
        let turns = self.segments[index].angle(sample) / TAU;
        self.segments.truncate(index + usize::from(self.segments[index].from < sample));
        self.segments.push(Segment { from: sample, turns, output });
    }

    /// Forgets what lies before this sample; the segment that holds it stays.
    pub(crate) fn forget_before(&mut self, sample: u64) {
        let index = self.index_at(sample);
        self.segments.drain(..index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Output {
        let mut output = Output { hertz: 50.0, ..Output::default() };
        for phase in 0..3 {
            let lag = 120.0 * phase as f64;
            output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
            output.current[phase] = Phasor { rms: 5.0, lag_deg: lag + 60.0 };
        }
        output
    }

    #[test]
    fn a_ramp_reaches_its_target_after_half_a_second() {
        let mut log = SourceLog::default();
        log.ramp_to(8000, &full());
        assert!(!log.output_at(7999).is_energised());
        assert!((log.output_at(8000).voltage[0].rms - 23.0).abs() < 1e-9);
        let end = log.output_at(8000 + 3600);
        assert!((0..3).all(|p| (end.active_watt(p) - 575.0).abs() < 1e-6), "{end:?}");
    }

    #[test]
    fn the_phase_runs_on_through_a_change_of_frequency() {
        let mut log = SourceLog::default();
        log.set(100, full());
        log.set(333, Output { hertz: 51.0, ..full() });
        let segments = log.segments();
        let (before, after) = (segments[segments.len() - 2], segments[segments.len() - 1]);
        assert!((before.angle(333) - after.angle(333)).abs() < 1e-9);
    }

    #[test]
    fn a_new_command_drops_what_was_planned() {
        let mut log = SourceLog::default();
        log.ramp_to(0, &full());
        log.set(900, Output { hertz: 50.0, ..Output::default() });
        assert!(!log.output_at(100_000).is_energised());
    }
}
