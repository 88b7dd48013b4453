//! What the analysis of every cycle finds.

use core::ops::{Add, Mul};

use super::lanes::sqrt;
use crate::impulse::SampleInstant;

/// The highest harmonic order.
pub const HIGHEST_ORDER: usize = 50;

/// A half cycle of mains that has ended, with the RMS values of the whole cycle that ends with it: Urms(1/2) of IEC 61000-4-30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct HalfCycle {
    /// Its end: a zero crossing of the synchronising voltage, or where one would be while there is none.
    pub end: SampleInstant,
    /// Its length [1/65536 sample].
    pub duration: u32,
    /// RMS voltage of the cycle (mV).
    pub voltage_mv: [u32; 3],
    /// RMS current of the cycle (mA).
    pub current_ma: [u32; 3],
}

/// A sine as a phasor: RMS value times cosine and sine of its angle where the fundamental of the synchronising voltage crosses
/// zero upwards, next to the start of the window. `re` of order 1 is the part in phase with that voltage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Phasor {
    /// In phase (V or A, RMS).
    pub re: f32,
    /// A quarter turn ahead.
    pub im: f32,
}

impl Phasor {
    pub(crate) const ZERO: Self = Self { re: 0.0, im: 0.0 };

    /// RMS value of the sine.
    pub fn magnitude(self) -> f32 {
        sqrt(self.re * self.re + self.im * self.im)
    }
}

impl Add for Phasor {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

/// Turns by the angle of the other, and scales by its length.
impl Mul for Phasor {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

/// Harmonics of every channel over one window of ten cycles, by order from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Of the voltages; order 1 stands at place 0.
    pub voltage: [[Phasor; HIGHEST_ORDER]; 3],
    /// Of the currents.
    pub current: [[Phasor; HIGHEST_ORDER]; 3],
}

impl Spectrum {
    /// Nothing left; in place.
    pub(crate) fn clear(&mut self) {
        for orders in self.voltage.iter_mut().chain(&mut self.current) {
            orders.fill(Phasor::ZERO);
        }
    }

    pub(crate) const fn new() -> Self {
        Self { voltage: [[Phasor::ZERO; HIGHEST_ORDER]; 3], current: [[Phasor::ZERO; HIGHEST_ORDER]; 3] }
    }
}

/// Total harmonic distortion of orders 2 to `highest` against the fundamental [0.01 %]; zero without a fundamental of `least`.
pub(crate) fn distortion(orders: &[Phasor; HIGHEST_ORDER], highest: usize, least: f32) -> u16 {
    let square = |p: &Phasor| p.re * p.re + p.im * p.im;
    let fundamental = orders[0].magnitude();
    let harmonics: f32 = orders[1..highest].iter().map(square).fold(0.0, |sum, of| sum + of);
    if fundamental < least { 0 } else { (sqrt(harmonics) / fundamental * 10_000.0 + 0.5) as u16 }
}

/// Symmetrical components of the voltages' fundamentals (IEC 61000-4-30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Unbalance {
    /// Negative against positive sequence, u2 [0.001 %].
    pub negative: u32,
    /// Zero against positive sequence, u0 [0.001 %].
    pub zero: u32,
    /// Positive sequence (mV).
    pub positive_mv: u32,
}

/// What the analysis of the samples has found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found<'a> {
    /// A half cycle has ended.
    HalfCycle(&'a HalfCycle),
    /// A window of ten cycles has ended.
    Window(&'a QualityWindow<'a>),
}

/// A window of ten cycles that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityWindow<'a> {
    /// Its end.
    pub end: SampleInstant,
    /// Its length [1/65536 sample].
    pub duration: u64,
    /// It began and ended with a zero crossing, and so did every cycle in between; it is ten cycles long to 0.4 %.
    pub clean: bool,
    /// RMS voltage (mV).
    pub voltage_mv: [u32; 3],
    /// RMS current (mA).
    pub current_ma: [u32; 3],
    /// Harmonics; `None` where the window is not clean, or was not seen sample by sample and had no sine.
    pub spectrum: Option<&'a Spectrum>,
    /// THD of the voltages, orders 2 to 50 against the fundamental [0.01 %].
    pub thd_voltage: [u16; 3],
    /// THD of the currents.
    pub thd_current: [u16; 3],
    /// Unbalance; `None` on a single-phase meter and without a positive sequence.
    pub unbalance: Option<Unbalance>,
}
