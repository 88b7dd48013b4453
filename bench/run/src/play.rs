//! A stimulus of the source, and what the meters say of it: the load stands, every meter is looked at, the stimulus is played,
//! what must pass passes, and every meter is looked at again.
//!
//! What a meter says is judged, also where it breaks the protocol; one that does not answer loses its position. What it does
//! not have is said, by its nameplate or its object list, and where no meter has anything of it nothing is played.

mod figures;
mod judge;
mod log;
mod look;
mod stimulus;

use std::time::Duration;

use meterbench_instruments::PortError;
use meterbench_plan::{PlayTest, ResolvedStep};
use meterbench_record::{Event, Value};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use crate::bench::{Bench, Taken};
use crate::error::RunError;

use judge::Story;
use look::Look;

pub(crate) use stimulus::check;

/// A stimulus that begins with an interval of the meter's clock begins so long after it (s).
const INTO_INTERVAL: f64 = 0.1;

/// Every meter can be looked at within this, before an interval of the clock begins.
const READY: Duration = Duration::from_secs(60);
/// What stood for a time is over so long after the load stands again (s).
const SETTLED_SECONDS: f64 = 3.0;

pub(crate) async fn play(bench: &mut Bench, step: &ResolvedStep, test: &PlayTest) -> Result<(), RunError> {
    bench.say(format!("{} \"{}\", {}", step.word, step.name, stimulus::words(test)));
    bench.recorder.emit(Event::PointStarted { step: step.number, at: stimulus::words(test) })?;
    bench.apply(&test.load).await?;
    let active = bench.active();
    let mut watched = watch(bench, step, test, &active).await?;
    judge::record_missing(bench, step, test, &watched)?;
    watched.retain(|(_, look)| look.sees.iter().any(Result::is_ok));
    if watched.is_empty() {
        return Ok(());
    }
    if let Some(interval) = test.aligned_seconds {
        let begin = next_interval(&watched[0].1, interval);
        if begin.saturating_duration_since(Instant::now()) > 2 * READY {
            // What happens while it is waited for is not of the stimulus.
            sleep_until(begin - READY).await;
            let places: Vec<usize> = watched.iter().map(|(place, _)| *place).collect();
            watched = watch(bench, step, test, &places).await?;
            if watched.is_empty() {
                return Ok(());
            }
        }
        sleep_until(begin).await;
    }
    let began = stimulus::begin(bench, step, test).await?;
    let mut stories: Vec<(usize, Story)> = watched
        .into_iter()
        .map(|(place, before)| (place, Story { before, readings: Vec::new(), began: began.clone() }))
        .collect();
    // What stands is read before it is taken away.
    let stands = !test.stages.is_empty();
    if stands {
        stories = read(bench, step, test, stories).await?;
    }
    stimulus::end(bench, test).await?;
    let settled = if stands { SETTLED_SECONDS } else { 0.0 };
    sleep(Duration::from_secs_f64(test.after_seconds.max(settled))).await;
    if !stands {
        stories = read(bench, step, test, stories).await?;
    }
    for (place, story) in stories {
        match look::after(bench, place, test, &story.before).await {
            Ok(after) => judge::judge(bench, step, test, place, &story, &after)?,
            Err(error) => gone(bench, step, test, place, &error)?,
        }
    }
    Ok(())
}

/// Looks at every meter; those that give nothing are gone.
async fn watch(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PlayTest,
    places: &[usize],
) -> Result<Vec<(usize, Look)>, RunError> {
    let mut watched = Vec::new();
    for &place in places {
        match look::before(bench, place, test).await {
            Ok(look) => watched.push((place, look)),
            Err(error) => gone(bench, step, test, place, &error)?,
        }
    }
    Ok(watched)
}

/// What is to be read at every position; those that give nothing are gone.
async fn read(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PlayTest,
    stories: Vec<(usize, Story)>,
) -> Result<Vec<(usize, Story)>, RunError> {
    let mut all = Vec::new();
    for (place, story) in stories {
        match look::readings(bench, place, test, &story.before).await {
            Ok(readings) => all.push((place, Story { readings, ..story })),
            Err(error) => gone(bench, step, test, place, &error)?,
        }
    }
    Ok(all)
}

/// The begin of the next interval of a meter's clock, far enough away to be ready for it.
fn next_interval(look: &Look, interval: f64) -> Instant {
    let ahead = look.clock.at.elapsed().as_secs_f64() + 1.0;
    let utc = look.clock.utc + ahead;
    let wait = ahead + interval - utc.rem_euclid(interval) + INTO_INTERVAL;
    look.clock.at + Duration::from_secs_f64(wait)
}

/// A meter that spoke and broke the protocol fails; one that is silent loses its position.
fn gone(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PlayTest,
    place: usize,
    error: &PortError,
) -> Result<(), RunError> {
    if !error.is_of_meter() {
        return bench.lose(place, step.number, error.to_string());
    }
    let mut raw = serde_json::Map::new();
    raw.insert("expected".into(), json!("kept"));
    let taken = Taken::new(step, "protocol", "", &test.load, None);
    let (value, note) = (Value::State(error.word().into()), Some(error.to_string()));
    bench.record(place, Taken { subject: Some("conversation".into()), value, met: Some(false), note, raw, ..taken })
}

/// How many measurements a test makes at each position.
pub(crate) fn measurements(test: &PlayTest) -> usize {
    test.expect.iter().map(meterbench_plan::PlayExpectation::measurements).sum()
}

/// Bench time of a test (s), where the line carries octets in no time.
pub(crate) fn seconds(test: &PlayTest) -> f64 {
    /// Sign-on, association and what is read, twice or three times.
    const LOOKS: f64 = 1.0;
    let aligned = test.aligned_seconds.map_or(0.0, |interval| interval / 2.0);
    LOOKS + aligned + test.seconds() + test.after_seconds
}
