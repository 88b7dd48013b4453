//! The pulse output: what its pulses must be like at each load.

use meterbench_record::{Certainty, Limit, LoadPoint};
use meterbench_standards::PulseOutput;

use super::{Action, Placed, Resolver};
use crate::finding::Finding;
use crate::step::{Block, Step};

/// A load at which the pulses of S0 are timed and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct PulsePoint {
    pub load: LoadPoint,
    /// Time a pulse is on (ms).
    pub width: Limit,
    /// Time between two pulses (ms); `None` where constant and width may leave less than the standard asks for.
    pub pause: Option<Limit>,
}

/// Tolerance of the data sheets on the time a pulse is on.
const WIDTH_TOLERANCE: f64 = 0.1;
/// What a period between two pulses may shrink to: error of the meter within its class, of the source, jitter of a cycle.
const SHORTEST_PERIOD: f64 = 0.97;

impl Resolver<'_> {
    /// At Iref, 0.75 Imax and Imax where the plan names no points: the second has the shortest pauses that have a limit on
    /// three phases.
    pub(super) fn pulse_output(&self, step: &Step, at: Option<&[Block]>) -> Option<Action> {
        let (reference, imax) = (self.reference_conditions(), self.plate.imax_ampere);
        let own = || {
            [("Iref", self.plate.iref_ampere), ("0.75 Imax", 0.75 * imax), ("Imax", imax)].map(|(current, ampere)| {
                let load = LoadPoint { current: current.into(), ampere, ..reference.clone() };
                Placed { load, span: step.span.clone() }
            })
        };
        let placed: Vec<Placed> =
            at.map_or_else(|| own().into(), |blocks| blocks.iter().flat_map(|block| self.expand(block)).collect());
        self.check_duplicates(&placed);
        for point in &placed {
            self.check_power(&point.load, &point.span);
            self.check_starts(point);
        }
        let points = placed.into_iter().map(|point| self.pulse_point(point.load)).collect();
        Some(Action::PulseOutput { points })
    }

    /// Below the starting current a meter need not register.
    pub(super) fn check_starts(&self, point: &Placed) {
        let (ampere, least) = (point.load.ampere, self.plate.ist_ampere());
        if ampere > 0.0 && ampere < least {
            let message = format!("{ampere} A is below the starting current {least} A: nothing need be registered");
            let finding = Finding::error("out-of-range", &point.span, message);
            self.findings.push(finding.label("a current at which the meter registers"));
        }
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
        let room = SHORTEST_PERIOD * period_ms - (1.0 + WIDTH_TOLERANCE) * width_ms >= pause.low.unwrap_or(0.0);
        PulsePoint { load, width, pause: room.then_some(pause) }
    }
}
