//! Bringing the meters to a temperature: the air first, then the meters, then the proof that they stand.

use std::time::Duration;

use meterbench_instruments::Climate;
use meterbench_standards::REFERENCE_C;
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::error::RunError;

/// Air and set-point agree within this (K).
const AIR_TOLERANCE_K: f64 = 0.5;
/// The meters have the temperature of the air within this (K) ...
pub(crate) const METER_TOLERANCE_K: f64 = 0.5;
/// ... and move by no more than this in ten minutes (K).
const DRIFT_K: f64 = 0.3;
const DRIFT_OVER: Duration = Duration::from_secs(600);
/// A chamber that needs longer than this is broken.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// How often a chamber is asked: its line is slow.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Brings the meters to the reference temperature and stays until they stand there.
pub(crate) async fn reference(bench: &mut Bench) -> Result<(), RunError> {
    let until = Instant::now() + LONGEST;
    bench.say(format!("chamber to {REFERENCE_C} °C"));
    while reach(bench, REFERENCE_C, 0.0).await?.is_some() {
        if Instant::now() >= until {
            let read = read(bench, REFERENCE_C).await?.specimen_c;
            return Err(RunError::NoClimate { asked: REFERENCE_C, read, hours: LONGEST.as_secs_f64() / 3600.0 });
        }
        sleep(DRIFT_OVER).await;
    }
    Ok(())
}

/// Sets the chamber, waits for its air, soaks. Says why the meters do not stand at this temperature, if they do not.
pub(crate) async fn reach(bench: &mut Bench, celsius: f64, soak_seconds: f64) -> Result<Option<String>, RunError> {
    let soak = Duration::from_secs_f64(soak_seconds);
    set(bench, celsius).await?;
    let until = Instant::now() + LONGEST;
    loop {
        let air = read(bench, celsius).await?.actual_c;
        if (air - celsius).abs() <= AIR_TOLERANCE_K {
            break;
        }
        if Instant::now() >= until {
            let hours = LONGEST.as_secs_f64() / 3600.0;
            return Err(RunError::NoClimate { asked: celsius, read: air, hours });
        }
        sleep(ASK_EVERY).await;
    }
    let watched = soak.min(DRIFT_OVER).max(ASK_EVERY);
    sleep(soak.saturating_sub(watched)).await;
    let before = read(bench, celsius).await?.specimen_c;
    sleep(watched).await;
    let after = read(bench, celsius).await?.specimen_c;
    let drift = (after - before) * DRIFT_OVER.as_secs_f64() / watched.as_secs_f64();
    let stands = drift.abs() <= DRIFT_K && (after - celsius).abs() <= METER_TOLERANCE_K;
    Ok((!stands).then(|| {
        format!(
            "the meters are at {after:.1} °C and move by {drift:+.1} K in ten minutes: a longer soak than {:.0} min is needed",
            soak_seconds / 60.0
        )
    }))
}

async fn set(bench: &mut Bench, celsius: f64) -> Result<(), RunError> {
    let chamber = bench.chamber.as_mut().ok_or(RunError::NoChamber { asked: celsius })?;
    bench.safety.push_chamber(chamber.as_ref());
    chamber.set(celsius).await?;
    Ok(())
}

async fn read(bench: &mut Bench, celsius: f64) -> Result<Climate, RunError> {
    let chamber = bench.chamber.as_mut().ok_or(RunError::NoChamber { asked: celsius })?;
    Ok(chamber.read().await?)
}
