//! Firmware into the meters, one position after the other.
//!
//! A probe that is not isolated touches a meter only after the source has been switched off and has said so by its own
//! measurement. The voltage stays off then; the next step that needs it applies it. A position that cannot be flashed is
//! lost, and the others go on.

use std::path::Path;
use std::time::Duration;

use meterbench_instruments::{Clearance, Flashed};
use meterbench_plan::ResolvedStep;
use meterbench_record::{Event, Firmware, LogLine};
use tokio::time::{Instant, timeout_at};

use crate::bench::Bench;
use crate::error::RunError;

/// Lines of one log that are kept.
const MOST_LINES: usize = 10_000;

pub(crate) async fn flash(
    bench: &mut Bench,
    step: &ResolvedStep,
    image: &str,
    log_seconds: f64,
) -> Result<(), RunError> {
    for place in bench.active() {
        let position = bench.places[place].id;
        bench.say(format!("{} \"{}\", position {position}", step.word, step.name));
        let isolated = programmer(bench, place)?.isolated();
        let clearance = if isolated { Clearance::isolated() } else { bench.switch_off().await? };
        match programmer(bench, place)?.flash(Path::new(image), clearance).await {
            Ok(flashed) => {
                bench.recorder.emit(Event::Flashed(words(step, position, image, flashed, clearance)))?;
                listen(bench, step, place, log_seconds).await?;
            }
            Err(error) => bench.lose(place, step.number, error.to_string())?,
        }
        programmer(bench, place)?.release().await;
    }
    bench.meters_have_started();
    Ok(())
}

fn programmer(bench: &mut Bench, place: usize) -> Result<&mut dyn meterbench_instruments::Programmer, RunError> {
    let place = &mut bench.places[place];
    match &mut place.programmer {
        Some(programmer) => Ok(programmer.as_mut()),
        None => Err(RunError::NoProbe { position: place.id }),
    }
}

/// Keeps what the firmware says for so long.
async fn listen(bench: &mut Bench, step: &ResolvedStep, place: usize, seconds: f64) -> Result<(), RunError> {
    let (end, position) = (Instant::now() + Duration::from_secs_f64(seconds), bench.places[place].id);
    for _ in 0..MOST_LINES {
        let Ok(Some(text)) = timeout_at(end, programmer(bench, place)?.log_line()).await else { return Ok(()) };
        bench.recorder.emit(Event::Logged(LogLine { step: step.number, position, text }))?;
    }
    bench.recorder.note(Some(step.number), format!("position {position}: its log is cut after {MOST_LINES} lines"))
}

fn words(step: &ResolvedStep, position: u32, image: &str, flashed: Flashed, clearance: Clearance) -> Firmware {
    let Flashed { probe, chip, sha256, bytes } = flashed;
    let (image, clearance) = (image.to_owned(), clearance.words().to_owned());
    Firmware { step: step.number, position, image, sha256, bytes, probe, chip, clearance }
}
