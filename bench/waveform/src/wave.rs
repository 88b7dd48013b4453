//! One wave in closed form: spectral lines, and the levels they go through.
//!
//! Between two edges (begin and end of an event, steps of a rectangular modulation) a wave is a finite sum of sines, and everything
//! asked of it has a primitive: mean squares and Fourier coefficients over any window are exact, up to the rounding of f64.

use std::f64::consts::{FRAC_PI_2, SQRT_2, TAU};

use crate::waveform::{Distortion, Modulation, ModulationShape, VoltageEvent};

/// A sine at any frequency: `peak · sin(2π·hertz·t + angle)`. A direct part has 0 Hz and a quarter turn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    hertz: f64,
    peak: f64,
    /// At 0 s (rad).
    angle: f64,
    /// By how much an event that jumps by one radian moves it: its order, or 1 where it has none.
    order: f64,
}

/// A stretch in which nothing jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    from: f64,
    to: f64,
    /// All lines are multiplied by this.
    gain: f64,
    /// The fundamental is ahead by this (rad).
    jump: f64,
}

/// A voltage event on this wave, from 0 s.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    share: f64,
    seconds: f64,
    jump: f64,
}

/// A part in phase with the sine and one a quarter turn ahead, as RMS values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Phasor {
    /// In phase.
    pub re: f64,
    /// A quarter turn ahead.
    pub im: f64,
}

impl Phasor {
    /// From an RMS value and the angle by which it is ahead (deg).
    pub fn polar(rms: f64, ahead_deg: f64) -> Self {
        let (sin, cos) = ahead_deg.to_radians().sin_cos();
        Self { re: rms * cos, im: rms * sin }
    }

    /// RMS value.
    pub fn rms(self) -> f64 {
        self.re.hypot(self.im)
    }

    /// By how much it is ahead (deg), above -180 and up to 180.
    pub fn ahead_deg(self) -> f64 {
        self.im.atan2(self.re).to_degrees()
    }
}

/// One wave of one channel. Its time begins with the event, or with what is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    hertz: f64,
    /// Where the fundamental stands at 0 s, in turns.
    turns: f64,
    /// RMS value of the fundamental.
    fundamental: f64,
    lines: Vec<Line>,
    modulation: Option<Modulation>,
    step: Option<Step>,
    /// Every line is a multiple of the fundamental: all cycles of one level are equal.
    periodic: bool,
}

impl Wave {
    /// A fundamental with its distortion, `turns` of a turn after its zero crossing upwards at 0 s.
    pub fn new(hertz: f64, rms: f64, turns: f64, distortion: &Distortion) -> Self {
        let of = |percent: f64| rms * percent / 100.0;
        let mut lines = vec![Line { hertz, peak: SQRT_2 * rms, angle: TAU * turns, order: 1.0 }];
        for harmonic in &distortion.harmonics {
            let order = f64::from(harmonic.order);
            lines.push(if harmonic.order == 0 {
                Line { hertz: 0.0, peak: of(harmonic.percent), angle: FRAC_PI_2, order: 0.0 }
            } else {
                let angle = TAU * (order * turns).fract() + harmonic.angle_deg.to_radians();
                Line { hertz: order * hertz, peak: SQRT_2 * of(harmonic.percent), angle, order }
            });
        }
        if let Some(other) = &distortion.interharmonic {
            lines.push(Line { hertz: other.hertz, peak: SQRT_2 * of(other.percent), angle: 0.0, order: 1.0 });
        }
        let mut periodic = distortion.interharmonic.is_none();
        let modulation = distortion.modulation.filter(|m| m.percent != 0.0 && m.hertz > 0.0);
        if let Some(Modulation { shape: ModulationShape::Sine, hertz, percent }) = modulation {
            lines = lines.into_iter().flat_map(|line| modulated(line, hertz, percent / 200.0)).collect();
        }
        periodic &= modulation.is_none();
        lines.retain(|line| line.peak != 0.0);
        Self { hertz, turns: turns.rem_euclid(1.0), fundamental: rms, lines, modulation, step: None, periodic }
    }

    /// The same with an event at 0 s.
    pub fn with_event(mut self, event: &VoltageEvent) -> Self {
        let jump = event.phase_jump_deg.to_radians();
        self.step = Some(Step { share: event.share, seconds: event.seconds, jump });
        self
    }

    /// Frequency of the fundamental (Hz).
    pub fn hertz(&self) -> f64 {
        self.hertz
    }

    /// RMS value of the fundamental before and after an event.
    pub fn fundamental(&self) -> f64 {
        self.fundamental
    }

    /// Nothing is put out.
    pub fn is_silent(&self) -> bool {
        self.lines.is_empty()
    }

    /// Value at this moment (s); at an edge the one after it.
    pub fn at(&self, seconds: f64) -> f64 {
        let piece = self.piece_at(seconds);
        let sum: f64 = self.lines.iter().map(|line| line.at(seconds, piece.jump)).sum();
        piece.gain * sum
    }

    /// RMS value from one moment to another (s).
    pub fn rms(&self, from: f64, to: f64) -> f64 {
        if to <= from {
            return 0.0;
        }
        let over = |piece: &Piece| piece.gain.powi(2) * self.square(piece);
        (self.pieces(from, to).iter().map(over).sum::<f64>() / (to - from)).max(0.0).sqrt()
    }

    /// RMS value of a whole cycle before the event, where every cycle is the same; else over ten of them.
    pub fn steady_rms(&self) -> f64 {
        if self.periodic {
            return self.level_rms();
        }
        // Up to the event, which stands at 0 s.
        let end = -self.turns / self.hertz;
        self.rms(end - 10.0 / self.hertz, end)
    }

    /// Fourier coefficient at a frequency over a window (s), as RMS value; the angle is that of a sine at the window's begin.
    pub fn component(&self, hertz: f64, from: f64, to: f64) -> Phasor {
        let mut sum = Phasor::default();
        for piece in self.pieces(from, to) {
            for line in &self.lines {
                let add = line.correlation(hertz, &piece, from);
                sum.re += piece.gain * add.re;
                sum.im += piece.gain * add.im;
            }
        }
        // The mean of a direct part is its value; of a sine, half its peak.
        let scale = if hertz == 0.0 { 1.0 } else { SQRT_2 } / (to - from);
        Phasor { re: scale * sum.re, im: scale * sum.im }
    }

    /// When the fundamental crosses zero for the n-th time, counted from the last crossing upwards at or before 0 s, as if no
    /// event ever moved it: during an interruption nothing crosses zero.
    pub fn zero_crossing(&self, n: i64) -> f64 {
        (n as f64 / 2.0 - self.turns) / self.hertz
    }

    /// The first zero crossing at or after this moment (s).
    pub fn crossing_after(&self, seconds: f64) -> i64 {
        // A rounding of f64 makes no crossing of its own.
        ((seconds * self.hertz + self.turns) * 2.0 - 1e-7).ceil() as i64
    }

    /// RMS value of the cycle that begins with the n-th zero crossing: Urms(1/2) of IEC 61000-4-30.
    pub fn cycle_rms(&self, n: i64) -> f64 {
        let (from, to) = (self.zero_crossing(n), self.zero_crossing(n + 2));
        if self.periodic {
            let inside = |edge: f64| from < edge - 1e-12 && edge + 1e-12 < to;
            match self.step {
                Some(step) if inside(0.0) || inside(step.seconds) => {}
                step => {
                    let middle = 0.5 * (from + to);
                    let during = step.filter(|step| (0.0..step.seconds).contains(&middle));
                    return self.level_rms() * during.map_or(1.0, |step| step.share);
                }
            }
        }
        self.rms(from, to)
    }

    /// RMS value of all lines, without an event.
    fn level_rms(&self) -> f64 {
        let square = |line: &Line| if line.hertz == 0.0 { line.peak.powi(2) } else { line.peak.powi(2) / 2.0 };
        self.lines.iter().map(square).sum::<f64>().sqrt()
    }

    fn piece_at(&self, seconds: f64) -> Piece {
        let mut piece = Piece { from: seconds, to: seconds, gain: 1.0, jump: 0.0 };
        if let Some(step) = self.step.filter(|step| (0.0..step.seconds).contains(&seconds)) {
            piece.gain = step.share;
            piece.jump = step.jump;
        }
        if let Some(Modulation { shape: ModulationShape::Rectangle, hertz, percent }) = self.modulation {
            let sign = if (seconds * hertz).rem_euclid(1.0) < 0.5 { 1.0 } else { -1.0 };
            piece.gain *= 1.0 + sign * percent / 200.0;
        }
        piece
    }

    /// Cuts a stretch at every edge within it.
    fn pieces(&self, from: f64, to: f64) -> Vec<Piece> {
        let mut edges = vec![from];
        if let Some(step) = self.step {
            edges.extend([0.0, step.seconds]);
        }
        if let Some(Modulation { shape: ModulationShape::Rectangle, hertz, .. }) = self.modulation {
            let (first, last) = ((from * hertz * 2.0).ceil() as i64, (to * hertz * 2.0).floor() as i64);
            edges.extend((first..=last).map(|n| n as f64 / (2.0 * hertz)));
        }
        edges.retain(|&edge| (from..to).contains(&edge));
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let ends = edges.iter().skip(1).copied().chain([to]);
        let whole = edges.iter().copied().zip(ends).filter(|(from, to)| to > from);
        whole.map(|(from, to)| Piece { from, to, ..self.piece_at(0.5 * (from + to)) }).collect()
    }

    /// Integral of the square over a piece, before its gain.
    fn square(&self, piece: &Piece) -> f64 {
        let mut sum = 0.0;
        for (n, a) in self.lines.iter().enumerate() {
            for (m, b) in self.lines[..=n].iter().enumerate() {
                let times = if n == m { 0.5 } else { 1.0 };
                let (x, y) = (a.angle + a.order * piece.jump, b.angle + b.order * piece.jump);
                let both = cosine(a.hertz - b.hertz, x - y, piece) - cosine(a.hertz + b.hertz, x + y, piece);
                sum += times * a.peak * b.peak * both;
            }
        }
        sum
    }
}

impl Line {
    fn at(&self, seconds: f64, jump: f64) -> f64 {
        self.peak * (TAU * (self.hertz * seconds).fract() + self.angle + self.order * jump).sin()
    }

    /// Integrals of this line against sine and cosine of a frequency that begins at `origin`.
    fn correlation(&self, hertz: f64, piece: &Piece, origin: f64) -> Phasor {
        let (angle, back) = (self.angle + self.order * piece.jump, TAU * hertz * origin);
        let quarter = |hertz: f64, angle: f64| cosine(hertz, angle - FRAC_PI_2, piece);
        if hertz == 0.0 {
            return Phasor { re: self.peak * quarter(self.hertz, angle), im: 0.0 };
        }
        let (down, up) = (self.hertz - hertz, self.hertz + hertz);
        let re = cosine(down, angle + back, piece) - cosine(up, angle - back, piece);
        let im = quarter(down, angle + back) + quarter(up, angle - back);
        Phasor { re: 0.5 * self.peak * re, im: 0.5 * self.peak * im }
    }
}

/// A line and the two beside it that a sinusoidal modulation makes: `1 + depth · sin(2π·hertz·t)`.
fn modulated(line: Line, hertz: f64, depth: f64) -> [Line; 3] {
    let side = |hertz: f64, angle: f64| Line { hertz, peak: 0.5 * depth * line.peak, angle, order: line.order };
    [line, side(line.hertz - hertz, line.angle + FRAC_PI_2), side(line.hertz + hertz, line.angle - FRAC_PI_2)]
}

/// Integral of `cos(2π·hertz·t + angle)` over a piece.
fn cosine(hertz: f64, angle: f64, piece: &Piece) -> f64 {
    let (length, middle) = (piece.to - piece.from, 0.5 * (piece.from + piece.to));
    let half = TAU * hertz * length / 2.0;
    let sinc = if half.abs() < 1e-9 { 1.0 } else { half.sin() / half };
    length * sinc * (TAU * (hertz * middle).fract() + angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::{Harmonic, Interharmonic};

    fn harmonic(order: u16, percent: f64, angle_deg: f64) -> Harmonic {
        Harmonic { order, percent, angle_deg }
    }

    /// Everything a wave can carry at once.
    fn rich(shape: ModulationShape) -> Wave {
        let distortion = Distortion {
            harmonics: vec![harmonic(0, 1.0, 0.0), harmonic(2, 3.0, 40.0), harmonic(5, 6.0, 180.0)],
            interharmonic: Some(Interharmonic { hertz: 182.5, percent: 2.0 }),
            modulation: Some(Modulation { shape, hertz: 8.8, percent: 10.0 }),
        };
        let event = VoltageEvent {
            phases: [true; 3],
            share: 0.4,
            seconds: 0.0333,
            point_on_wave_deg: 0.0,
            phase_jump_deg: 30.0,
        };
        Wave::new(50.2, 230.0, 0.13, &distortion).with_event(&event)
    }

    /// The primitives against the mean of a million samples: the rest is the error of the midpoint rule at the edges.
    #[test]
    fn integrals_in_closed_form_are_those_of_the_samples() {
        for shape in [ModulationShape::Sine, ModulationShape::Rectangle] {
            let wave = rich(shape);
            for (from, to) in [(-0.013, 0.021), (0.001, 0.0211), (-0.2, 0.3)] {
                let count = 1_000_000;
                let step = (to - from) / f64::from(count);
                let (mut square, mut re, mut im) = (0.0, 0.0, 0.0);
                for n in 0..count {
                    let t = from + (f64::from(n) + 0.5) * step;
                    let (u, (sin, cos)) = (wave.at(t), (TAU * 251.0 * (t - from)).sin_cos());
                    square += u * u;
                    re += SQRT_2 * u * sin;
                    im += SQRT_2 * u * cos;
                }
                let n = f64::from(count);
                assert!((wave.rms(from, to) - (square / n).sqrt()).abs() < 1e-3, "{shape:?} {from} {to}");
                let c = wave.component(251.0, from, to);
                assert!((c.re - re / n).abs() < 1e-3 && (c.im - im / n).abs() < 1e-3, "{c:?} {} {}", re / n, im / n);
            }
        }
    }

    #[test]
    fn a_component_has_the_angle_of_a_sine_at_the_begin_of_its_window() {
        let wave =
            Wave::new(50.0, 230.0, 0.0, &Distortion { harmonics: vec![harmonic(5, 6.0, 30.0)], ..Default::default() });
        let fifth = wave.component(250.0, -0.04, 0.16);
        assert!((fifth.rms() - 13.8).abs() < 1e-9 && (fifth.ahead_deg() - 30.0).abs() < 1e-6, "{fifth:?}");
        assert!(wave.component(0.0, -0.04, 0.16).rms() < 1e-9 && wave.component(350.0, -0.04, 0.16).rms() < 1e-9);
    }

    #[test]
    fn equal_cycles_are_computed_once_and_agree_with_the_integral() {
        let distortion =
            Distortion { harmonics: vec![harmonic(0, 1.0, 0.0), harmonic(2, 3.0, 40.0)], ..Default::default() };
        let event =
            VoltageEvent { phases: [true; 3], share: 0.4, seconds: 0.05, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 };
        let wave = Wave::new(50.0, 230.0, 0.25, &distortion).with_event(&event);
        for n in -4..12 {
            let integral = wave.rms(wave.zero_crossing(n), wave.zero_crossing(n + 2));
            assert!((wave.cycle_rms(n) - integral).abs() < 1e-9, "{n}: {} {integral}", wave.cycle_rms(n));
        }
        assert!((wave.steady_rms() - 230.0 * (1.0f64 + 1e-4 + 9e-4).sqrt()).abs() < 1e-9);
    }
}
