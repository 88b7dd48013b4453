//! The reference standard's view of the world: true energy, seen with its own errors. It never sees a meter.

use meterbench_metrology::{SAMPLE_RATE, SampleInstant};

use crate::noise::Draw;
use crate::source::{OrderPower, Output, Segment, SourceLog};

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

    /// Active power as this instrument measures it (W), on average; `phases` are the connected systems.
    pub(crate) fn watt(&self, segment: &Segment, range: usize, phases: std::ops::Range<usize>) -> f64 {
        let of = |n: usize| self.power(&segment.output, n, false) * segment.mean_swing(n);
        phases.map(of).sum::<f64>() * self.factor(range)
    }

    /// Active (W) or reactive (var) power of one phase, without modulation, seen with the angle error of this instrument.
    ///
    /// Active power is that of every order and of interharmonics; reactive power that of the fundamental (IEC 62053-24).
    fn power(&self, output: &Output, phase: usize, reactive: bool) -> f64 {
        let seen = |power: &OrderPower| {
            let (sin, cos) = (self.phase * f64::from(power.order)).sin_cos();
            if reactive { power.var * cos - power.watt * sin } else { power.watt * cos + power.var * sin }
        };
        let orders = output.powers(phase);
        match reactive {
            true => orders.first().map_or(0.0, seen),
            false => orders.iter().map(seen).sum::<f64>() + output.interharmonic_watt(phase),
        }
    }

    /// Voltage or current as this instrument measures it.
    pub(crate) fn rms(&self, value: f64, channel: usize) -> f64 {
        value * (1.0 + self.gain / 2.0 + self.draw.rectangular("channel", channel as u64, RANGE_PERCENT / 200.0))
    }

    /// Active (Wh) or reactive (varh) energy between two instants, signed.
    ///
    /// What a wave does is in it as [`Segment::swung`] says; the ripple of one phase within a cycle is not.
    pub(crate) fn energy(
        &self,
        source: &SourceLog,
        (range, phases, reactive): (usize, usize, bool),
        from: SampleInstant,
        to: SampleInstant,
    ) -> f64 {
        let samples = |at: SampleInstant| at.index() as f64 + f64::from(at.fraction()) / 65_536.0;
        let (begin, end) = (samples(from), samples(to));
        let factor = self.factor(range);
        let mut joule = 0.0;
        let segments = source.segments();
        for (n, segment) in segments.iter().enumerate().skip(source.index_at(begin)) {
            let start = begin.max(segment.from);
            let stop = segments.get(n + 1).map_or(end, |next| end.min(next.from));
            if start >= end {
                break;
            }
            let power = |n: usize| self.power(&segment.output, n, reactive);
            joule += if segment.output.wave.is_none() {
                (0..phases).map(power).sum::<f64>() * factor * (stop - start) / f64::from(SAMPLE_RATE)
            } else {
                let swung = |n: usize| power(n) * segment.swung(n, start, stop);
                (0..phases).map(swung).sum::<f64>() * factor / f64::from(SAMPLE_RATE)
            };
        }
        let seconds = ((end - begin) / f64::from(SAMPLE_RATE)).max(1e-3);
        let scatter = self.draw.normal("scatter", from.nanoseconds() ^ to.nanoseconds().rotate_left(32), SCATTER);
        joule / 3600.0 * (1.0 + scatter / seconds.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::wave::{Modulation, Shape};
    use crate::source::{Distortion, Harmonic, Phasor, Wave};

    #[test]
    fn energy_is_integrated_over_every_change() {
        let mut source = SourceLog::default();
        let mut output = Output { hertz: 50.0, ..Output::default() };
        output.voltage[0] = Phasor { rms: 230.0, lag_deg: 0.0 };
        output.current[0] = Phasor { rms: 10.0, lag_deg: 0.0 };
        source.set(8000, output.clone());
        output.current[0].rms = 20.0;
        source.set(16_000, output);
        let reference = Reference::drawn(3, 0.0);
        let wh =
            reference.energy(&source, (0, 3, false), SampleInstant::new(4000, 0), SampleInstant::new(20_000, 32_768));
        // one second of 2300 W and half a second and half a sample of 4600 W
        let truth = (2300.0 + 4600.0 * (4000.5 / 8000.0)) / 3600.0;
        assert!((wh / truth - 1.0).abs() < 2e-4, "{wh} {truth}");
    }

    /// One phase, with a wave that its power is that of.
    fn carrying(voltage: Distortion, current: Distortion) -> SourceLog {
        let mut output = Output { hertz: 50.0, ..Output::default() };
        output.voltage[0] = Phasor { rms: 230.0, lag_deg: 0.0 };
        output.current[0] = Phasor { rms: 10.0, lag_deg: 0.0 };
        let mut wave = Wave::default();
        (wave.voltage[0], wave.current[0]) = (voltage, current);
        let mut source = SourceLog::default();
        source.set(0, Output { wave: Some(Arc::new(wave)), ..output });
        source
    }

    fn gate(source: &SourceLog, from: f64, to: f64) -> f64 {
        let instant = |at: f64| SampleInstant::new(at as u64, (at.fract() * 65_536.0) as u16);
        let reference = Reference { draw: Draw::of(3, "reference"), gain: 0.0, phase: 2e-3 };
        let factor = reference.factor(0);
        reference.energy(source, (0, 3, false), instant(from), instant(to)) / factor * 3600.0
    }

    #[test]
    fn harmonics_and_bursts_are_counted_as_they_come() {
        let fifth = |share| {
            let harmonics = vec![Harmonic { order: 5, share, angle_deg: 0.0 }];
            Distortion { harmonics, ..Distortion::default() }
        };
        let modulation = Modulation { shape: Shape::Rectangle, hertz: 12.5, depth: 2.0, duty: 0.5 };
        let bursts = Distortion { modulation: Some(modulation), ..Distortion::default() };
        let waves = [carrying(fifth(0.1), fifth(0.4)), carrying(Distortion::default(), bursts)];
        // L1 crosses zero upwards three quarters of a cycle after sample 0: the first burst begins at 120.
        let (begin, cycle) = (120.0, 160.0);
        for (name, wave, from, to, joule) in [
            ("5th harmonic, 2.5 s", 0, 0.0, 125.0, 2300.0 * 1.04 * 2.5),
            ("one burst", 1, 0.0, 2.0, 184.0),
            ("one pause", 1, 2.0, 4.0, 0.0),
            ("half a burst and half a pause", 1, 1.0, 3.0, 92.0),
            ("ten bursts and half of one", 1, 0.0, 41.0, 1932.0),
        ] {
            let found = gate(&waves[wave], begin + from * cycle, begin + to * cycle);
            println!("reference, {name}: {found:.4} J of {joule:.4} J");
            // 2 mrad of angle error are 2e-6 of power, those of the fifth 5e-5 of a 26th; its scatter is 5e-6 in a second.
            assert!((found - joule).abs() < 1e-4 * joule + 1e-6, "{name}: {found} {joule}");
        }
        let mean = Reference { draw: Draw::of(3, ""), gain: 0.0, phase: 0.0 };
        let watt = mean.watt(waves[1].segments().last().unwrap(), 0, 0..3) / mean.factor(0);
        assert!((watt - 2300.0).abs() < 1e-6, "twice the amplitude, half the time: {watt}");
    }
}
