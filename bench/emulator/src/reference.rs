//! The reference standard's view of the world: true energy, seen with its own errors. It never sees a meter.

use meterbench_metrology::{SAMPLE_RATE, SampleInstant};

use crate::noise::Draw;
use crate::source::{Output, SourceLog};

/// Errors of one reference standard, drawn once from its serial number as its certificate allows them.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    draw: Draw,
    /// Relative error of power, all ranges.
    gain: f64,
    /// Phase error (rad).
    phase: f64,
}

/// Bounds the instrument keeps beside its certificate, as its driver states them too (data sheet of the class).
const DRIFT_PERCENT: f64 = 0.004;
const RANGE_PERCENT: f64 = 0.004;
const PHASE_RAD: f64 = 5e-5;
/// Scatter of one second of integration, relative.
const SCATTER: f64 = 5e-6;

impl Reference {
    /// `certificate_percent` is the expanded uncertainty (k = 2) on the certificate.
    pub(crate) fn drawn(seed: u64, certificate_percent: f64) -> Self {
        let draw = Draw::of(seed, "reference");
        let calibration = draw.normal("calibration", 0, certificate_percent / 2.0);
        let drift = draw.rectangular("drift", 0, DRIFT_PERCENT);
        Self { draw, gain: (calibration + drift) / 100.0, phase: draw.rectangular("phase", 0, PHASE_RAD) }
    }

    fn factor(&self, range: usize) -> f64 {
        1.0 + self.gain + self.draw.rectangular("range", range as u64, RANGE_PERCENT / 100.0)
    }

    /// Active power as this instrument measures it (W); `phases` are the connected systems.
    pub(crate) fn watt(&self, output: &Output, range: usize, phases: usize) -> f64 {
        self.power(output, range, phases, false)
    }

    /// Active (W) or reactive (var) power.
    fn power(&self, output: &Output, range: usize, phases: usize, reactive: bool) -> f64 {
        let (sin, cos) = self.phase.sin_cos();
        let of = |n: usize| {
            let (p, q) = (output.active_watt(n), output.reactive_var(n));
            if reactive { q * cos - p * sin } else { p * cos + q * sin }
        };
        (0..phases).map(of).sum::<f64>() * self.factor(range)
    }

    /// Voltage or current as this instrument measures it.
    pub(crate) fn rms(&self, value: f64, channel: usize) -> f64 {
        value * (1.0 + self.gain / 2.0 + self.draw.rectangular("channel", channel as u64, RANGE_PERCENT / 200.0))
    }

    /// Active (Wh) or reactive (varh) energy between two instants, signed.
    pub(crate) fn energy(
        &self,
        source: &SourceLog,
        (range, phases, reactive): (usize, usize, bool),
        from: SampleInstant,
        to: SampleInstant,
    ) -> f64 {
        let samples = |at: SampleInstant| at.index() as f64 + f64::from(at.fraction()) / 65_536.0;
        let (begin, end) = (samples(from), samples(to));
        let mut joule = 0.0;
        let segments = source.segments();
        for (n, segment) in segments.iter().enumerate().skip(source.index_at(from.index())) {
            let start = begin.max(segment.from as f64);
            let stop = segments.get(n + 1).map_or(end, |next| end.min(next.from as f64));
            if start >= end {
                break;
            }
            joule += self.power(&segment.output, range, phases, reactive) * (stop - start) / f64::from(SAMPLE_RATE);
        }
        let seconds = ((end - begin) / f64::from(SAMPLE_RATE)).max(1e-3);
        let scatter = self.draw.normal("scatter", from.nanoseconds() ^ to.nanoseconds().rotate_left(32), SCATTER);
        joule / 3600.0 * (1.0 + scatter / seconds.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Phasor;

    #[test]
    fn energy_is_integrated_over_every_change() {
        let mut source = SourceLog::default();
        let mut output = Output { hertz: 50.0, ..Output::default() };
        output.voltage[0] = Phasor { rms: 230.0, lag_deg: 0.0 };
        output.current[0] = Phasor { rms: 10.0, lag_deg: 0.0 };
        source.set(8000, output);
        output.current[0].rms = 20.0;
        source.set(16_000, output);
        let reference = Reference::drawn(3, 0.0);
        let wh =
            reference.energy(&source, (0, 3, false), SampleInstant::new(4000, 0), SampleInstant::new(20_000, 32_768));
        // one second of 2300 W and half a second and half a sample of 4600 W
        let truth = (2300.0 + 4600.0 * (4000.5 / 8000.0)) / 3600.0;
        assert!((wh / truth - 1.0).abs() < 2e-4, "{wh} {truth}");
    }
}
