//! Samples become energy and impulses, in exact integers, and values of power quality.
//!
//! One or three measuring systems are sampled at 8 kS/s per channel. Each frame of samples goes through
//! [`Config::process`], which keeps everything that changes in a [`State`] and hands out an [`Impulse`] whenever
//! the energy of one impulse is complete. There is no heap, no clock and no IO: the stream of samples is the only time
//! the metrology knows. Energy, impulses and readings are integers; values of power quality are f32, of which only
//! `+ - * /` is used, in an order that is written down. So the same samples give the same digits on every processor.
//!
//! # What is computed, and when
//!
//! * **Active energy** is the sum of `u·i` over every sample, without gaps. It is booked once per *cycle* (between two
//!   positive-going zero crossings of the synchronising voltage) into A+ or A- by the sign of that cycle.
//! * **Reactive energy** is that of the fundamental (IEC 62053-24): a coherent detector at the measured frequency
//!   yields the phasors of U and I over a *window* of ten cycles. It is booked into the quadrant R1..R4 given by the
//!   signs of P and Q in the window.
//! * **Apparent energy** is `Urms·Irms` of the window, booked into E+ or E- by the sign of P.
//! * **Summation over systems**: active and reactive energy of the phases are added with their sign and the sum is
//!   booked (*net* or vectorial summation): `(A+) - (A-)` of the total equals the sum over the phases, exactly.
//!   Apparent energy is added arithmetically. `R+ = R1 + R2` and `R- = R3 + R4` hold by construction.
//! * **Impulses** are spread evenly over the following cycle, so that the ripple of single-phase power at twice the
//!   mains frequency does not shake them; each carries the sample index and 1/65536 of a sample.
//!
//! # Power quality
//!
//! [`Config::process_watched`] does the same beside an [`Analysis`], which looks at the same samples and changes nothing of
//! what they are counted as. It tells what it finds in order of time:
//!
//! * a [`HalfCycle`] at every zero crossing of the synchronising voltage in either direction, with the RMS values of the
//!   whole cycle that ends there: Urms(1/2) of IEC 61000-4-30. While that voltage is gone, half cycles go on with the last
//!   period; over a jump of the phase the last whole period is taken. All phases share these boundaries, where the standard
//!   has each channel cross zero by itself: a whole cycle has the same RMS value wherever it begins, but a dip of another phase
//!   is seen up to half a half cycle earlier or later than by its own crossings.
//! * a [`QualityWindow`] of ten cycles, at the same boundaries as the window of the readings, without gaps: RMS values, harmonics
//!   1 to 50 of every voltage and current as magnitude and angle ([`Spectrum`]: the 5 Hz lines at the multiples of the
//!   fundamental, IEC 61000-4-7, not subgroups), THD, and unbalance by symmetrical components.
//!
//! For harmonics the ten cycles are resampled to 128 points each by a kernel of eight samples whose known gain is taken back
//! for each order, added into one cycle, and transformed (`microfft`: plain f32 arithmetic, no function of a mathematical
//! library). Their length is measured by the angle of the fundamental, which the crossings of a distorted voltage are too coarse
//! for. The direct part is not in RMS values: it is followed over steady windows only, so that a dip which begins amid a
//! half cycle leaves nothing behind.
//!
//! [`Mean`] and [`MeanOf`] aggregate to 150 cycles, ten minutes and two hours; [`FrequencyCounter`] counts whole cycles over ten
//! seconds. [`Config::process_cycle_watched`] finds half cycles and windows in the sums of whole cycles, with order 1 alone.
//!
//! # Numerical error
//!
//! Measured by `tests/it/main.rs` against the analytic truth of the stimulus with an ideal, quantising front end (each
//! test prints its figure): active energy below 0.002 % from 0.5 A to 100 A at PF 1 and 0.5, below 0.02 % at 20 mA;
//! fundamental reactive energy below 0.01 %; frequency below 1 mHz; voltage and current below 0.05 %.
//!
//! Power quality (`tests/it/quality/`): Urms(1/2) of a steady sine below 0.003 % from 42.5 to 57.5 Hz, residual voltages of
//! rectangular dips below 0.003 % of Un; each single harmonic 2 to 50 of 1 %, magnitude and angle together, below 0.016 % of
//! itself from 42.7 to 57.5 Hz, and below 0.0003 % of the fundamental in every other order; 50 orders at once below 0.014 % of
//! each; THD below 0.01 points with noise; a line between the harmonics that fits the window below 0.001 % of itself, order 76 below
//! 1 % of itself; unbalance below 0.003 points; frequency of ten seconds below 0.1 mHz with noise
//! of 0.1 %.
//!
//! # Deliberately absent
//!
//! Harmonic subgroups, interharmonics, flicker and signalling voltages. Windows follow one another and are not begun anew at a
//! tick of the clock. Below 42.6 Hz a cycle is too long for the metrology: half cycles and the frequency of ten seconds are found
//! down to 42.5 Hz, windows are not clean there. Temperature compensation belongs to a calibration that knows the sensor.
#![no_std]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

mod config;
mod cycle;
mod energy;
mod impulse;
mod kept;
mod oscillator;
mod phase_delay;
mod quality;
mod readings;
mod scale;
mod state;
mod window;

pub use config::{Config, ConfigError, ImpulseQuantity, Impulses, MeterConstant, PhaseCalibration, Systems};
pub use cycle::{CycleSums, PhaseSums};
pub use energy::{Energy, Registers};
pub use impulse::{Impulse, SampleInstant};
pub use kept::Kept;
#[cfg(feature = "defects")]
pub use quality::QualityDefects;
pub use quality::{
    Aggregate, Analysis, Found, FrequencyCounter, HIGHEST_ORDER, HalfCycle, INTERVALS_IN_2_HOURS, Mean, MeanOf, Phasor,
    QualityWindow, Spectrum, Unbalance, WINDOWS_IN_150_CYCLES, symmetrical_components,
};
pub use readings::{PhaseReadings, PhaseSequence, Quadrant, Readings};
pub use scale::{AMPERE_FULL_SCALE, FULL_SCALE, SAMPLE_RATE, VOLT_FULL_SCALE};
pub use state::{Frame, State};
