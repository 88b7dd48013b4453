//! The pulse output: what its pulses must be like at each load.

use meterbench_record::{Certainty, Feature, Limit, LoadPoint};
use meterbench_standards::PulseOutput;

use super::{Action, Placed, Resolver};
use crate::step::{Block, Step};

/// A load at which the pulses of S0 are timed and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct PulsePoint {
    pub load: LoadPoint,
    /// Time a pulse is on (ms).
    pub width: Limit,
    /// Time between two pulses (ms); `None` where constant and width leave less than the standard asks for.
    pub pause: Option<Limit>,
}

/// Tolerance of the data sheets on the time a pulse is on.
const WIDTH_TOLERANCE: f64 = 0.1;

impl Resolver<'_> {
    /// At Iref and Imax where the plan names no points.
    pub(super) fn pulse_output(&self, step: &Step, at: Option<&[Block]>) -> Option<Action> {
        let reference = self.reference_conditions();
        if !self.plate.has.contains(&Feature::PulseOutput) {
            let why = "this variant has no pulse output".to_owned();
            return Some(Action::NotApplicable { quantity: "pulse-width", unit: "ms", load: reference, why });
        }
        let own = || {
            [("Iref", self.plate.iref_ampere), ("Imax", self.plate.imax_ampere)].map(|(current, ampere)| Placed {
                load: LoadPoint { current: current.into(), ampere, ..reference.clone() },
                span: step.span.clone(),
            })
        };
        let placed: Vec<Placed> =
            at.map_or_else(|| own().into(), |blocks| blocks.iter().flat_map(|block| self.expand(block)).collect());
        self.check_duplicates(&placed);
        placed.iter().for_each(|point| self.check_power(&point.load, &point.span));
        let points = placed.into_iter().map(|point| self.pulse_point(point.load)).collect();
        Some(Action::PulseOutput { points })
    }

    fn pulse_point(&self, load: LoadPoint) -> PulsePoint {
        let width_ms = self.plate.pulse_width_ms;
        let width = Limit {
            low: Some(width_ms * (1.0 - WIDTH_TOLERANCE)),
            high: Some(width_ms * (1.0 + WIDTH_TOLERANCE)),
            source: "data sheet".into(),
            row: format!("pulse of {width_ms} ms ± {} %", 100.0 * WIDTH_TOLERANCE),
            certainty: Certainty::Verified,
            binding: None,
        };
        let pause = PulseOutput::iec62053_31().pause_limit();
        let period_ms = 1000.0 * self.plate.seconds_per_impulse(load.power());
        let room = period_ms - width_ms >= pause.low.unwrap_or(0.0);
        PulsePoint { load, width, pause: room.then_some(pause) }
    }
}
