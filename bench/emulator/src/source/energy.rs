//! Power and energy of an output in closed form.
//!
//! Energy is the integral of the mean power of a cycle, as a reference standard integrates it, and as a meter spreads it: what `u·i` of
//! one phase swings within a cycle, at most `S/(4πf)` at each end of a gate, is left out. A change of the amplitude is in it moment by
//! moment, exactly. Interharmonics count where voltage and current have one of the same frequency; their beats with harmonics have no
//! mean and are left out: at most `U·I/(2π·Δf)` over any gate.

use std::f64::consts::{PI, TAU};

use meterbench_metrology::SAMPLE_RATE;

use super::wave::{Modulation, Shape};
use super::{Harmonic, Output, Segment};

/// Power of one order: active (W) and reactive (var), inductive positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OrderPower {
    pub(crate) order: u16,
    pub(crate) watt: f64,
    pub(crate) var: f64,
}

impl Output {
    /// Power of every order that voltage and current of a phase have both; amplitudes as without modulation.
    pub(crate) fn powers(&self, phase: usize) -> Vec<OrderPower> {
        let fundamental = OrderPower { order: 1, watt: self.active_watt(phase), var: self.reactive_var(phase) };
        let mut powers = vec![fundamental];
        let Some(wave) = &self.wave else { return powers };
        let of_order = |u: &Harmonic, i: &Harmonic| {
            let (voltage, current) = (self.voltage[phase].harmonic(u), self.current[phase].harmonic(i));
            let (sin, cos) = (current.lag_deg - voltage.lag_deg).to_radians().sin_cos();
            let apparent = voltage.rms * current.rms;
            OrderPower { order: u.order, watt: apparent * cos, var: apparent * sin }
        };
        for u in &wave.voltage[phase].harmonics {
            let same = wave.current[phase].harmonics.iter().filter(|i| i.order == u.order);
            powers.extend(same.map(|i| of_order(u, i)));
        }
        powers
    }

    /// Active power of the interharmonics of a phase (W): both begin with the wave.
    pub(crate) fn interharmonic_watt(&self, phase: usize) -> f64 {
        let Some(wave) = &self.wave else { return 0.0 };
        match (wave.voltage[phase].interharmonic, wave.current[phase].interharmonic) {
            (Some(u), Some(i)) if u.hertz == i.hertz => {
                self.voltage[phase].rms * u.share * self.current[phase].rms * i.share
            }
            _ => 0.0,
        }
    }

    /// Active power of a phase with all it carries (W); amplitudes as without modulation.
    pub(crate) fn carried_watt(&self, phase: usize) -> f64 {
        let orders: f64 = self.powers(phase).iter().map(|power| power.watt).sum();
        orders + self.interharmonic_watt(phase)
    }
}

/// A modulation with its place in time (samples).
#[derive(Debug, Clone, Copy)]
struct Swing {
    modulation: Modulation,
    from: f64,
    period: f64,
}

impl Swing {
    /// What it makes of the amplitude of a rectangle; the middle of a sine.
    fn level(&self, sample: f64) -> f64 {
        match self.modulation.shape {
            Shape::Sine => 1.0,
            Shape::Rectangle => self.modulation.factor((sample - self.from) / self.period),
        }
    }

    /// When a rectangle switches next.
    fn next_switch(&self, sample: f64) -> f64 {
        /// A switch so near is behind (samples).
        const BEHIND: f64 = 1e-6;
        if self.modulation.shape == Shape::Sine {
            return f64::INFINITY;
        }
        let period = ((sample - self.from) / self.period).floor();
        let switches = [period + self.modulation.duty, period + 1.0, period + 1.0 + self.modulation.duty];
        let moments = switches.map(|turns| self.from + turns * self.period);
        moments.into_iter().find(|&moment| moment > sample + BEHIND).unwrap_or(f64::INFINITY)
    }

    /// Amplitude of a sine, its turn per sample and its angle at sample 0 (rad).
    fn sine(&self) -> Option<(f64, f64, f64)> {
        let turn = TAU / self.period;
        (self.modulation.shape == Shape::Sine).then_some((self.modulation.depth / 2.0, turn, -self.from * turn))
    }
}

/// ∫ sin(turn·t + angle) dt
fn integral_of_sine(turn: f64, angle: f64, from: f64, to: f64) -> f64 {
    if turn == 0.0 {
        return (to - from) * angle.sin();
    }
    ((turn * from + angle).cos() - (turn * to + angle).cos()) / turn
}

/// ∫ of the product of the factors of sines, from and to (samples).
fn integral_of_sines(swings: &[Swing], from: f64, to: f64) -> f64 {
    let sines: Vec<_> = swings.iter().filter_map(Swing::sine).collect();
    let alone: f64 = sines.iter().map(|&(a, turn, angle)| a * integral_of_sine(turn, angle, from, to)).sum();
    let both = match sines[..] {
        // sin a·sin b = (cos(a - b) - cos(a + b))/2, and a cosine is a sine a quarter turn ahead.
        [(a, turn_a, angle_a), (b, turn_b, angle_b)] => {
            let part = |turn, angle| a * b / 2.0 * integral_of_sine(turn, angle + PI / 2.0, from, to);
            part(turn_a - turn_b, angle_a - angle_b) - part(turn_a + turn_b, angle_a + angle_b)
        }
        _ => 0.0,
    };
    to - from + alone + both
}

/// ∫ of the product of all factors, switch by switch.
fn integral(swings: &[Swing], from: f64, to: f64) -> f64 {
    let (mut sum, mut at) = (0.0, from);
    while at < to {
        let next = swings.iter().map(|swing| swing.next_switch(at)).fold(to, f64::min);
        let level: f64 = swings.iter().map(|swing| swing.level((at + next) / 2.0)).product();
        sum += level * integral_of_sines(swings, at, next);
        at = next;
    }
    sum
}

impl Segment {
    fn swings(&self, phase: usize) -> Vec<Swing> {
        let of = |place: usize| {
            let modulation = self.output.distortion(place)?.modulation?;
            let period = f64::from(SAMPLE_RATE) / modulation.hertz;
            Some(Swing { modulation, from: self.modulated_from(place), period })
        };
        [phase, phase + 3].into_iter().filter_map(of).collect()
    }

    /// ∫ of what the power of a phase is multiplied by, over a stretch of this segment: from and to (samples).
    pub(crate) fn swung(&self, phase: usize, from: f64, to: f64) -> f64 {
        let swings = self.swings(phase);
        let Some(period) = swings.first().map(|swing| swing.period) else { return to - from };
        let whole = ((to - from) / period).floor();
        if whole < 2.0 || swings.iter().any(|swing| swing.period != period) {
            return integral(&swings, from, to);
        }
        whole * integral(&swings, from, from + period) + integral(&swings, from + whole * period, to)
    }

    /// What the power of a phase is multiplied by on average.
    pub(crate) fn mean_swing(&self, phase: usize) -> f64 {
        let swings = self.swings(phase);
        match swings[..] {
            [] => 1.0,
            [one, ref others @ ..] if others.iter().all(|other| other.period == one.period) => {
                integral(&swings, one.from, one.from + one.period) / one.period
            }
            _ => swings.iter().map(|swing| swing.modulation.means().0).product(),
        }
    }

    #[cfg(test)]
    /// Energy of a phase with all it carries (J) over a stretch of this segment: from and to (samples).
    pub(crate) fn joule(&self, phase: usize, from: f64, to: f64) -> f64 {
        self.output.carried_watt(phase) * self.swung(phase, from, to) / f64::from(SAMPLE_RATE)
    }
}

#[cfg(test)]
mod tests;
