//! What a channel carries beside its steady sine: harmonics, an interharmonic, a change of its amplitude to and fro.
//!
//! Everything is a share of the fundamental of the same channel, so that a dip or a ramp scales the whole wave.

use std::f64::consts::TAU;

/// The highest order a wave may have.
pub(crate) const HIGHEST_ORDER: u16 = 100;

/// A component at a whole multiple of the fundamental.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Harmonic {
    /// 0 for the direct part, else 2 to 100.
    pub(crate) order: u16,
    /// RMS value against that of the fundamental; the value itself at order 0.
    pub(crate) share: f64,
    /// Its own angle where the fundamental of its channel crosses zero upwards (deg): `sin(order·θ + angle)`. Nothing at order 0.
    pub(crate) angle_deg: f64,
}

/// A component at any frequency; it crosses zero upwards where the wave begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interharmonic {
    /// Its frequency (Hz).
    pub(crate) hertz: f64,
    /// RMS value against that of the fundamental.
    pub(crate) share: f64,
}

/// How an amplitude moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// To and fro as a sine.
    Sine,
    /// To and fro in steps.
    Rectangle,
}

/// A change of the amplitude of the whole channel: its wave is multiplied by `1 + depth/2·m(t)`.
///
/// `m` begins its first period where the fundamental of the channel crosses zero upwards for the first time, and is locked to it:
/// bursts of whole cycles switch at zero crossings. A rectangle is high for the first `duty` of its period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Modulation {
    pub(crate) shape: Shape,
    /// How often (Hz).
    pub(crate) hertz: f64,
    /// From the lowest to the highest amplitude, against that without modulation; 2 for bursts.
    pub(crate) depth: f64,
    /// Share of the period in which a rectangle is high.
    pub(crate) duty: f64,
}

impl Modulation {
    /// What the wave is multiplied by, so many turns of the modulation after its first period began.
    pub(crate) fn factor(&self, turns: f64) -> f64 {
        let half = self.depth / 2.0;
        let within = turns - turns.floor();
        match self.shape {
            Shape::Sine => 1.0 + half * (within * TAU).sin(),
            Shape::Rectangle if within < self.duty => 1.0 + half,
            Shape::Rectangle => 1.0 - half,
        }
    }

    /// The mean of that, and the mean of its square.
    pub(crate) fn means(&self) -> (f64, f64) {
        let half = self.depth / 2.0;
        match self.shape {
            Shape::Sine => (1.0, 1.0 + half * half / 2.0),
            Shape::Rectangle => {
                let (high, low) = (1.0 + half, 1.0 - half);
                let of = |h: f64, l: f64| self.duty * h + (1.0 - self.duty) * l;
                (of(high, low), of(high * high, low * low))
            }
        }
    }
}

/// What one channel carries beside its fundamental.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Distortion {
    pub(crate) harmonics: Vec<Harmonic>,
    pub(crate) interharmonic: Option<Interharmonic>,
    pub(crate) modulation: Option<Modulation>,
}

impl Distortion {
    /// RMS value of the channel against that of its fundamental without modulation.
    pub(crate) fn rms(&self) -> f64 {
        let shares = self.harmonics.iter().map(|h| h.share).chain(self.interharmonic.map(|i| i.share));
        let square: f64 = 1.0 + shares.map(|share| share * share).sum::<f64>();
        let modulated = self.modulation.map_or(1.0, |m| m.means().1);
        (square * modulated).sqrt()
    }

    /// The direct part against the RMS value of the fundamental.
    pub(crate) fn direct(&self) -> f64 {
        let mean = self.modulation.map_or(1.0, |m| m.means().0);
        self.harmonics.iter().filter(|h| h.order == 0).map(|h| h.share).sum::<f64>() * mean
    }
}

/// What the six channels of a source carry.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Wave {
    pub(crate) voltage: [Distortion; 3],
    pub(crate) current: [Distortion; 3],
}

impl Wave {
    /// U1..U3, I1..I3 by place.
    pub(crate) fn channel(&self, place: usize) -> &Distortion {
        if place < 3 { &self.voltage[place] } else { &self.current[place - 3] }
    }
}
