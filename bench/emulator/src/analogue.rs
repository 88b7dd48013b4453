//! The analogue front end of one meter: what lies between its terminals and its converter.
//!
//! Every effect is linear in the components of a wave, so that the error it causes can be stated in closed form; noise and
//! quantisation come on top, sample by sample. Default magnitudes are those of shunt meters with commercial parts.
//!
//! Steady sines come from six turning phasors ([`sampler`]). A wave with harmonics comes from a table of one period of the
//! fundamental ([`table`]), made once for every output; an interharmonic and a change of the amplitude are added sample by sample
//! ([`fluctuation`]).

use meterbench_metrology::{AMPERE_FULL_SCALE, FULL_SCALE, VOLT_FULL_SCALE};

use crate::air::Air;
use crate::source::SourceLog;

mod converter;
pub(crate) mod dwell;
mod fluctuation;
mod front_end;
mod sampler;
mod table;
mod thermal;

pub(crate) use converter::Converter;
pub(crate) use front_end::FrontEnd;
pub(crate) use sampler::Sampler;
pub(crate) use thermal::Thermal;

/// Counts of the converter per volt and per ampere, for U1..U3, I1..I3.
const COUNTS: [f64; 6] = {
    let (u, i) = (FULL_SCALE as f64 / VOLT_FULL_SCALE as f64, FULL_SCALE as f64 / AMPERE_FULL_SCALE as f64);
    [u, u, u, i, i, i]
};

/// What stands around a meter: at its terminals and in the air.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) source: &'a SourceLog,
    pub(crate) air: &'a Air,
}

#[cfg(test)]
mod tests;
