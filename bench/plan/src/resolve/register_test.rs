//! The register test: energy registers against the reference at each load.

use meterbench_record::{Limit, LoadPoint};

use super::{Action, Placed, Purpose, Resolver};
use crate::step::{Block, Step};

/// A load at which a register is compared with the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisterPoint {
    pub load: LoadPoint,
    pub limit: Option<Limit>,
}

impl Resolver<'_> {
    /// At Imax, import, where the plan names no points.
    pub(super) fn register_test(&self, step: &Step, at: Option<&[Block]>) -> Option<Action> {
        let imax = LoadPoint { current: "Imax".into(), ampere: self.plate.imax_ampere, ..self.reference_conditions() };
        let own = || vec![Placed { load: imax.clone(), span: step.span.clone() }];
        let placed: Vec<Placed> = match at {
            Some(blocks) => blocks.iter().flat_map(|block| self.expand(block)).collect(),
            None => own(),
        };
        self.check_duplicates(&placed);
        for point in &placed {
            self.check_power(&point.load, &point.span);
            self.check_starts(point);
        }
        let points = placed.iter().map(|point| {
            let limit = self.limit(step, point, Purpose::Error)?;
            Some(RegisterPoint { load: point.load.clone(), limit })
        });
        Some(Action::RegisterTest { points: points.collect::<Option<_>>()? })
    }
}
