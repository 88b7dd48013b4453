//! Plans that flash: every meter they would touch has a probe, and every image fits, before anything is energised.

use std::ops::Range;
use std::path::Path;

use meterbench_instruments::Programmer;
use meterbench_plan::{Action, Finding, PositionEntry, ResolvedPlan, Severity, Source};

use crate::catalogue::Refusal;

/// How to build what this program was built without.
#[cfg(not(feature = "probe"))]
pub(crate) const WITHOUT: &str =
    "this meterbench was built without probes; build it with them: `cargo run --release --features probe -- ";

/// The probe of a position.
#[cfg(feature = "probe")]
pub fn programmer(entry: &PositionEntry) -> Option<Box<dyn Programmer>> {
    let meterbench_plan::ProbeEntry { chip, usb, isolated } = entry.probe.clone()?;
    let title = format!("the probe (position {})", entry.id);
    let probe = meterbench_probe::ProbeEntry { chip, selector: usb, isolated };
    Some(Box::new(meterbench_probe::ProbeProgrammer::new(title, probe, meterbench_probe::Probes::usb())))
}

/// This program was built without probes.
#[cfg(not(feature = "probe"))]
pub fn programmer(_: &PositionEntry) -> Option<Box<dyn Programmer>> {
    None
}

/// Waits until no meter is being written to any more; the outputs are off by then.
pub fn settle() {
    #[cfg(feature = "probe")]
    meterbench_probe::settle();
}

/// Refuses a plan that flashes what this bench cannot.
pub fn check(plan: &ResolvedPlan, positions: &[PositionEntry], source: &Source) -> Result<(), Refusal> {
    let mut findings = Vec::new();
    for step in &plan.steps {
        let Action::Flash { image, span, .. } = &step.action else { continue };
        for position in positions.iter().filter(|position| !position.skip) {
            findings.extend(check_one(position, image, span));
        }
    }
    findings.dedup();
    if findings.is_empty() { Ok(()) } else { Err(Refusal::Findings(source.clone(), findings)) }
}

fn check_one(position: &PositionEntry, image: &str, span: &Range<usize>) -> Option<Finding> {
    let finding = |code, message, label: &str, help: &str| {
        let help = (!help.is_empty()).then(|| help.to_owned());
        Some(Finding { code, severity: Severity::Error, message, span: span.clone(), label: label.to_owned(), help })
    };
    if position.probe.is_none() {
        return finding(
            "no-probe",
            format!("position {} has no probe, and `flash` puts firmware into every meter that is tested", position.id),
            "remove the step, or choose positions with `--position`",
            "on a real bench a position declares its probe: `probe: { chip: STM32F405RG, isolated: true }`; the meters of \
             an emulated bench run in this program or in QEMU",
        );
    }
    #[cfg(not(feature = "probe"))]
    if position.probe.is_some() {
        return finding("no-probe", format!("{WITHOUT}run ...`"), "this step needs a probe", "");
    }
    let refused = programmer(position)?.check(Path::new(image)).err()?;
    finding("bad-image", refused.to_string(), "this image", "")
}

#[cfg(test)]
mod tests {
    use meterbench_plan::ProbeEntry;

    use super::*;
    use crate::assemble::Changes;
    use crate::{assemble, diagnostics, rehearsal};

    const PLAN: &str = "plan: Flash first
steps:
  - flash: { image: nowhere/meter.elf, log: 2 s }
  - apply: { current: 5 A }
";

    fn refused(positions: &[PositionEntry]) -> String {
        let equipped = assemble::equip("emulated-3ph", &Changes::default()).unwrap();
        let source = Source::new("plan.yaml", PLAN);
        let plan = meterbench_plan::PlanFile::read(&source).unwrap();
        let plan = plan.resolve(&equipped.positions[0].meter, 23.0).unwrap();
        match check(&plan, positions, &source) {
            Err(Refusal::Findings(source, findings)) => diagnostics::render(&source, &findings[0]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bench_without_a_probe_refuses_the_plan_before_anything_is_energised() {
        let refusal = rehearsal::prepare(PLAN, "emulated-3ph", &Changes::default()).unwrap_err();
        let Refusal::Findings(source, findings) = refusal else { panic!("{refusal:?}") };
        assert_eq!(
            diagnostics::render(&source, &findings[0]),
            "error[no-probe]: position 1 has no probe, and `flash` puts firmware into every meter that is tested
  --> plan.yaml:3:21
3 |   - flash: { image: nowhere/meter.elf, log: 2 s }
  |                     ^^^^^^^^^^^^^^^^^ remove the step, or choose positions with `--position`
   help: on a real bench a position declares its probe: `probe: { chip: STM32F405RG, isolated: true }`; the meters of an \
             emulated bench run in this program or in QEMU
"
        );
    }

    #[test]
    fn an_image_or_a_program_that_cannot_flash_is_found_before_anything_is_energised() {
        let mut positions = assemble::equip("emulated-3ph", &Changes::default()).unwrap().file.positions;
        positions[0].probe = Some(ProbeEntry { chip: "STM32F405RG".into(), usb: None, isolated: true });
        let first = refused(&positions).lines().next().unwrap_or_default().to_owned();
        #[cfg(feature = "probe")]
        let wanted = "error[bad-image]: the probe (position 1): nowhere/meter.elf cannot be read: No such file or directory (os error 2)";
        #[cfg(not(feature = "probe"))]
        let wanted = "error[no-probe]: this meterbench was built without probes; build it with them: `cargo run --release --features probe -- run ...`";
        assert_eq!(first, wanted);
    }
}
