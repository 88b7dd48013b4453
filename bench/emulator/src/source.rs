//! What stands at the terminals: phasors per phase and the wave they carry, constant over segments of time.

use std::sync::Arc;

mod energy;
#[cfg(test)]
mod event;
pub(crate) mod log;
pub(crate) mod wave;

pub(crate) use energy::OrderPower;
#[cfg(test)]
pub(crate) use event::Event;
pub(crate) use log::{Segment, SourceLog, Span};
pub(crate) use wave::{Distortion, Harmonic, Wave};

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

    /// A harmonic of this fundamental: `rms·√2·cos(order·angle - lag)` at every angle of the common zero. What stands at order 0 is
    /// its value.
    pub(crate) fn harmonic(self, harmonic: &Harmonic) -> Self {
        let order = f64::from(harmonic.order);
        if harmonic.order == 0 {
            return Self { rms: self.rms * harmonic.share, lag_deg: 0.0 };
        }
        let lag_deg = order * self.lag_deg - (order - 1.0) * 90.0 - harmonic.angle_deg;
        Self { rms: self.rms * harmonic.share, lag_deg }
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
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Output {
    pub hertz: f64,
    /// Fundamentals.
    pub voltage: [Phasor; 3],
    pub current: [Phasor; 3],
    /// What they carry; steady sines without it.
    pub wave: Option<Arc<Wave>>,
}

impl Output {
    /// Active power of the fundamentals of one phase (W).
    pub(crate) fn active_watt(&self, phase: usize) -> f64 {
        let (u, i) = (self.voltage[phase], self.current[phase]);
        u.rms * i.rms * (i.lag_deg - u.lag_deg).to_radians().cos()
    }

    /// Reactive power of the fundamentals of one phase (var), inductive positive.
    pub(crate) fn reactive_var(&self, phase: usize) -> f64 {
        let (u, i) = (self.voltage[phase], self.current[phase]);
        u.rms * i.rms * (i.lag_deg - u.lag_deg).to_radians().sin()
    }

    /// RMS voltage of one phase with all it carries (V).
    pub(crate) fn voltage_rms(&self, phase: usize) -> f64 {
        self.voltage[phase].rms * self.wave.as_ref().map_or(1.0, |wave| wave.voltage[phase].rms())
    }

    /// RMS current of one phase with all it carries (A).
    pub(crate) fn current_rms(&self, phase: usize) -> f64 {
        self.current[phase].rms * self.wave.as_ref().map_or(1.0, |wave| wave.current[phase].rms())
    }

    /// Direct part of the current of one phase (A).
    pub(crate) fn direct_current(&self, phase: usize) -> f64 {
        self.current[phase].rms * self.wave.as_ref().map_or(0.0, |wave| wave.current[phase].direct())
    }

    /// The fundamental of a channel by its place: U1..U3, I1..I3.
    pub(crate) fn channel(&self, place: usize) -> Phasor {
        if place < 3 { self.voltage[place] } else { self.current[place - 3] }
    }

    /// What that channel carries.
    pub(crate) fn distortion(&self, place: usize) -> Option<&Distortion> {
        self.wave.as_ref().map(|wave| wave.channel(place))
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
        let mut now = other.clone();
        for phase in 0..3 {
            now.voltage[phase] = self.voltage[phase].between(other.voltage[phase], share);
            now.current[phase] = self.current[phase].between(other.current[phase], share);
        }
        now
    }
}
