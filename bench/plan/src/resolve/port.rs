//! A test over a port meets a meter: Un becomes volts, and what cannot be asked of it is told before it is.

use meterbench_record::LoadPoint;

use super::{Action, ResolvedStep, Resolver, SUPPLY_UN};
use crate::finding::Finding;
use crate::object::ObjectName;
use crate::port_test::{PortCheck, PortTest};
use crate::step::Step;

impl Resolver<'_> {
    pub(super) fn port(&self, step: &Step, test: &PortTest, before: &[ResolvedStep]) -> Option<Action> {
        self.check_supply(step, &self.standing_load(before))?;
        let mut test = Box::new(test.clone());
        match &mut test.check {
            PortCheck::Read { expect, .. } => {
                expect.iter().for_each(|expectation| self.check_phase(step, &expectation.object));
                for expectation in expect {
                    let value = expectation.value.clone();
                    expectation.value = value.resolved(self.plate.un_volt, self.plate.fn_hertz);
                }
            }
            PortCheck::Write { object, .. } | PortCheck::Act { object, .. } => self.check_phase(step, object),
            _ => {}
        }
        let load = LoadPoint { current: "0 A".into(), ampere: 0.0, ..self.reference_conditions() };
        Some(Action::Port { test, load })
    }

    /// A meter without supply answers nobody, and its silence would be the bench's.
    pub(super) fn check_supply(&self, step: &Step, load: &LoadPoint) -> Option<()> {
        if load.volt >= SUPPLY_UN * self.plate.un_volt {
            return Some(());
        }
        let message = format!("{} V stand, at which the meters may be without supply: nothing can be read", load.volt);
        let finding = Finding::error("out-of-range", &step.span, message);
        self.findings.push(finding.label(format!("apply at least {SUPPLY_UN} Un before this step")));
        None
    }

    /// Objects of L2 and L3 are on meters of three phases.
    fn check_phase(&self, step: &Step, object: &ObjectName) {
        if self.plate.systems == 1 && object.is_of_other_phases() {
            let message = format!("`{}` is of L2 or L3, and meter {} has 1 phase", object.words, self.plate.name);
            self.findings.push(Finding::error("meter-mismatch", &step.span, message).label("not on this meter"));
        }
    }
}
