//! Runs a plan so that its end is safe, however it comes.

use std::future::Future;
use std::sync::PoisonError;

use meterbench_plan::{Action, InfluenceTest, ResolvedPlan, ResolvedStep};
use meterbench_record::{Event, Outcome, StepInfo, StepReport};
use meterbench_standards::Influence;
use tokio::task::JoinError;

use crate::bench::Bench;
use crate::error::RunError;
use crate::recorder::Recorder;
use crate::{
    accuracy, climate, composite, flash, influence, interruptions, meter_constant, no_load, play, ports, preparation,
    pulse_output, register_test, repeatability, self_heating, starting,
};

/// How a run ended, apart from its verdicts.
#[derive(Debug)]
pub struct Ended {
    /// `None` when the plan ran to its end and no position was lost: the verdicts decide then.
    pub outcome: Option<Outcome>,
    /// What is known of the outputs.
    pub outputs: String,
    /// The recorder, to say the last word.
    pub recorder: Recorder,
    /// What broke, and during what.
    pub failure: Option<(String, String)>,
}

/// Runs the plan on the bench until it ends or `stop` completes; then switches everything off on connections of its own.
///
/// `first_step` is 1, or where a run that broke off goes on: what was warmed up and applied before it is so again. A run
/// that ends in a panic loses its recorder and another one of the same run goes on.
pub async fn supervise(bench: Bench, plan: ResolvedPlan, first_step: u32, stop: impl Future<Output = ()>) -> Ended {
    let (safety, during) = (bench.safety.clone(), bench.during.clone());
    let spare = bench.recorder.again();
    let mut procedure = tokio::spawn(procedure(bench, plan, first_step));
    let mut interrupted = false;
    let finished = tokio::select! {
        biased;
        () = stop => { interrupted = true; None }
        result = &mut procedure => Some(result),
    };
    let finished = match finished {
        Some(result) => result,
        None => {
            procedure.abort();
            procedure.await
        }
    };
    let outputs = safety.run().await;
    let during = during.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (result, recorder) = match finished {
        Ok((result, recorder)) => (result.map_err(|e| e.to_string()), recorder),
        Err(error) => (Err(words(error)), None),
    };
    let mut recorder = recorder.unwrap_or(spare);
    let (outcome, failure) = match result {
        _ if interrupted => (Some(Outcome::Interrupted), None),
        Ok(lost) => (lost.then_some(Outcome::Error), None),
        Err(text) => (Some(Outcome::Error), Some((text, during))),
    };
    // Outputs that are not known to be off are never a good end, and are always told.
    let (outcome, failure) = match (outcome, failure) {
        (outcome, None) if !outputs.safe => {
            let text = "the outputs are not known to be off".to_owned();
            (outcome.or(Some(Outcome::Error)), Some((text, "the end of the run".to_owned())))
        }
        other => other,
    };
    let outputs = outputs.words;
    if let Some((text, during)) = &failure {
        let event = Event::BenchFailed { text: text.clone(), during: during.clone(), outputs: outputs.clone() };
        // A journal that is gone cannot be told so; the outcome says it.
        let _ = recorder.emit(event);
    }
    Ended { outcome, outputs, recorder, failure }
}

fn words(error: JoinError) -> String {
    if error.is_cancelled() {
        return "the procedure was cancelled".to_owned();
    }
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    format!("meterbench itself failed: {}", text.unwrap_or_else(|| "no message".to_owned()))
}

/// All steps in order. Yields whether a position was lost, and the recorder.
async fn procedure(
    mut bench: Bench,
    plan: ResolvedPlan,
    first_step: u32,
) -> (Result<bool, RunError>, Option<Recorder>) {
    let prepared = preconditions(&plan, first_step);
    // Limits hold at the reference temperature: a chamber is brought there before anything is judged.
    if bench.chamber.is_some()
        && let Err(error) = climate::reference(&mut bench).await
    {
        return (Err(error), Some(bench.recorder));
    }
    for step in plan.steps.iter().filter(|step| step.number >= first_step || prepared.contains(&step.number)) {
        if bench.active().is_empty() {
            let text =
                format!("no position is left: step {} \"{}\" and all after it were not run", step.number, step.name);
            if let Err(error) = bench.recorder.note(Some(step.number), text) {
                return (Err(error), Some(bench.recorder));
            }
            break;
        }
        if let Err(error) = run_step(&mut bench, step).await {
            return (Err(error), Some(bench.recorder));
        }
    }
    let lost = bench.places.iter().any(|place| place.lost);
    (Ok(lost), Some(bench.recorder))
}

/// The last warm-up and the last applied load before a step: a bench that broke off stands cold and dead.
fn preconditions(plan: &ResolvedPlan, first_step: u32) -> Vec<u32> {
    let before = || plan.steps.iter().rev().filter(|step| step.number < first_step);
    let warm_up = before().find(|step| matches!(step.action, Action::WarmUp { .. }));
    let apply = before().find(|step| matches!(step.action, Action::Apply { .. }));
    warm_up.into_iter().chain(apply).map(|step| step.number).collect()
}

async fn run_step(bench: &mut Bench, step: &ResolvedStep) -> Result<(), RunError> {
    bench.step = step.number;
    bench.say(format!("{} \"{}\"", step.word, step.name));
    bench.recorder.emit(Event::StepStarted(step_info(step)))?;
    match &step.action {
        Action::WarmUp { load, seconds } => preparation::warm_up(bench, step, load, *seconds).await?,
        Action::Apply { load } => preparation::apply(bench, step, load).await?,
        Action::Wait { seconds, expect } => preparation::wait(bench, step, *seconds, expect).await?,
        Action::Flash { image, log_seconds, .. } => flash::flash(bench, step, image, *log_seconds).await?,
        Action::Prompt { text } => preparation::prompt(bench, step, text)?,
        Action::Accuracy { points, readings, both_ways: false } => {
            accuracy::accuracy(bench, step, points, *readings).await?;
        }
        Action::Accuracy { points, readings, both_ways: true } => {
            accuracy::both_ways(bench, step, points, *readings).await?;
        }
        Action::Influence(test) => influence::influence(bench, step, test).await?,
        Action::SelfHeating { points, warm_up_seconds } => {
            self_heating::self_heating(bench, step, points, *warm_up_seconds).await?;
        }
        Action::Composite { points } => composite::composite(bench, step, points)?,
        Action::Interrupt(test) => interruptions::interrupt(bench, step, test).await?,
        Action::NotApplicable { quantity, unit, load, why } => {
            bench.record_not_applicable(step, quantity, unit, load, why)?;
        }
        Action::Repeatability { points, readings } => {
            repeatability::repeatability(bench, step, points, *readings).await?;
        }
        Action::Starting { rule, points } => starting::starting(bench, step, rule, points).await?,
        Action::NoLoad { points } => no_load::no_load(bench, step, points).await?,
        Action::MeterConstant { load, limit } => {
            meter_constant::meter_constant(bench, step, load, limit.as_ref()).await?;
        }
        Action::PulseOutput { points } => pulse_output::pulse_output(bench, step, points).await?,
        Action::RegisterTest { points } => register_test::register_test(bench, step, points).await?,
        Action::Play(test) => play::play(bench, step, test).await?,
        Action::Port { test, load } => ports::port_test(bench, step, test, load).await?,
    }
    bench.recorder.emit(Event::StepEnded(StepReport { step: step.number }))
}

/// What a step will measure per position.
pub fn step_info(step: &ResolvedStep) -> StepInfo {
    let points = match &step.action {
        Action::Accuracy { points, .. } | Action::Repeatability { points, .. } => points.len(),
        Action::Influence(test) => influence_points(test),
        Action::SelfHeating { points, .. } => points.len(),
        Action::Composite { points } => points.len(),
        Action::Interrupt(test) => test.dips.len() + 1,
        Action::NotApplicable { .. } => 1,
        Action::Starting { points, .. } => 3 * points.len(),
        Action::NoLoad { points, .. } => points.len(),
        Action::MeterConstant { .. } => 1,
        Action::PulseOutput { points } => 4 * points.len(),
        Action::RegisterTest { points } => points.len(),
        Action::Port { test, .. } => ports::findings(test),
        Action::Play(test) => play::measurements(test),
        Action::Wait { expect, .. } => expect.len(),
        Action::WarmUp { .. } | Action::Apply { .. } | Action::Prompt { .. } | Action::Flash { .. } => 0,
    };
    StepInfo {
        step: step.number,
        kind: step.word.to_owned(),
        name: step.name.clone(),
        points: u32::try_from(points).unwrap_or(u32::MAX),
    }
}

/// Errors at reference conditions, errors and shifts away from them, changes per kelvin.
fn influence_points(test: &InfluenceTest) -> usize {
    let varied: usize = test.variations.iter().map(|v| v.points.len()).sum();
    let neighbours = if test.influence == Influence::Temperature { test.variations.len() * test.base.len() } else { 0 };
    test.base.len() + 2 * varied + neighbours
}
