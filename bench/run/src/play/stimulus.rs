//! What the source plays: stages that stand, ways between them, events on them; and what the record keeps of it.

use std::time::Duration;

use meterbench_instruments::{AcSource, Setting, Wave, WaveSource};
use meterbench_plan::{EventSeries, PlayTest, ResolvedStep, SUPPLY_UN, Stage};
use meterbench_record::Event;
use meterbench_waveform::{Played, Sine, Sines, VoltageEvent, Waveform};
use tokio::time::{Instant, sleep_until};

use crate::bench::{Bench, setting};
use crate::error::RunError;

/// A stage stands so long before the events on it begin.
const LEAD: Duration = Duration::from_secs(2);
/// A way from one voltage to another is gone in steps of this time, or as fast as the source can.
const STEP: Duration = Duration::from_millis(200);
/// An event of a series that begins later than this after its time is told.
const LATE: Duration = Duration::from_millis(50);
/// A meter without supply for longer than this may have started anew (s).
const SUPPLY_SECONDS: f64 = 0.1;

/// When the stimulus began, and each of its events (bench time).
#[derive(Debug, Clone)]
pub(super) struct Began {
    /// The first instant, and the same moment of bench time (ns).
    pub(super) at: Instant,
    pub(super) bench_ns: u64,
    /// Of every event; of the stimulus where there are none.
    pub(super) each: Vec<Instant>,
}

/// In words: `dip to 0.4 Un on L1 for 0.2 s, 3 times`.
pub(super) fn words(test: &PlayTest) -> String {
    let events = test.events.iter().map(|series| match series.times {
        1 => series.words.clone(),
        times => format!("{}, {times} times", series.words),
    });
    let words: Vec<String> = test.stages.iter().map(|stage| stage.words.clone()).chain(events).collect();
    words.join("; ")
}

/// What this source cannot make of it, or must not, beside its load; nothing is written for it.
pub(crate) fn check(source: &mut dyn AcSource, test: &PlayTest, systems: u8) -> Vec<RunError> {
    let load = setting(&test.load, systems);
    let slow = source.slowness().as_secs_f64();
    let Some(waves) = source.waves() else { return vec![RunError::NoWaves { asked: words(test) }] };
    let mut errors = Vec::new();
    for stage in &test.stages {
        if stage.seconds < slow {
            errors.push(RunError::TooFast { what: stage.words.clone(), asked: stage.seconds, slow });
        }
        errors.extend(waves.check_waveform(&stood(&load, stage), &stage.waveform).err().map(RunError::from));
    }
    if let Some(series) = &test.events {
        let standing = test.stages.last().map_or(load, |stage| stood(&load, stage));
        errors.extend(waves.check_event(&standing, &series.event).err().map(RunError::from));
        let pause = waves.pause(standing.hertz).as_secs_f64();
        // To the millisecond, and not up for the last bit.
        let least = ((series.event.seconds + pause) * 1e3 - 1e-6).ceil() / 1e3;
        if series.times > 1 && series.every_seconds < least {
            let (what, asked) = (series.words.clone(), series.every_seconds);
            errors.push(RunError::TooDense { what, asked, least });
        }
    }
    errors
}

/// Plays it; what stood last goes on standing.
pub(super) async fn begin(bench: &mut Bench, step: &ResolvedStep, test: &PlayTest) -> Result<Began, RunError> {
    let load = setting(&test.load, bench.plate().systems);
    prepare(bench, test).await?;
    let (at, bench_ns) = (Instant::now(), bench.recorder.bench_ns());
    let mut began = Began { at, bench_ns, each: Vec::new() };
    let mut standing = load;
    for stage in &test.stages {
        let from = bench.recorder.bench_ns();
        let begin = Instant::now();
        let target = stood(&load, stage);
        if stage.over_seconds > 0.0 {
            go(bench, &standing, &target, stage, begin).await?;
        }
        waves(bench)?.apply_waveform(&target, &stage.waveform).await?;
        standing = target;
        let until = begin + Duration::from_secs_f64(stage.over_seconds + stage.seconds);
        if let Some(series) = &test.events {
            sleep_until(begin + LEAD).await;
            began.each = play(bench, step, series, &target, &stage.waveform).await?;
        }
        sleep_until(until).await;
        emit(bench, step, stage.words.clone(), from, &target, &stage.waveform, None)?;
    }
    if let (Some(series), true) = (&test.events, test.stages.is_empty()) {
        began.each = play(bench, step, series, &load, &Waveform::default()).await?;
    }
    if began.each.is_empty() {
        began.each.push(began.at);
    }
    if supply_failed(bench, test) {
        bench.meters_have_started();
    }
    Ok(began)
}

/// The load stands again.
pub(super) async fn end(bench: &mut Bench, test: &PlayTest) -> Result<(), RunError> {
    let load = setting(&test.load, bench.plate().systems);
    if !test.stages.is_empty() {
        bench.source.apply(&load).await?;
    }
    bench.stands(&test.load, &load).await
}

/// Undo and ranges, before anything changes.
async fn prepare(bench: &mut Bench, test: &PlayTest) -> Result<(), RunError> {
    bench.safety.push(bench.source.as_ref());
    bench.standing = None;
    let highest = |volts: [Sine; 3]| volts.iter().map(|sine| sine.rms).fold(0.0, f64::max);
    let stages = test.stages.iter().filter_map(|stage| stage.voltage).map(highest);
    let events = test.events.iter().map(|series| test.load.volt * series.event.share);
    let volt = stages.chain(events).fold(test.load.volt, f64::max);
    if test.load.ampere > 0.0 && volt > test.load.volt {
        bench.reference.set_ranges(volt, test.load.ampere).await?;
    }
    Ok(())
}

/// From one setting to another, on a straight line in time.
async fn go(bench: &mut Bench, from: &Setting, to: &Setting, stage: &Stage, begin: Instant) -> Result<(), RunError> {
    let over = stage.over_seconds;
    loop {
        let next = begin.elapsed().as_secs_f64() + STEP.as_secs_f64();
        if next >= over {
            sleep_until(begin + Duration::from_secs_f64(over)).await;
            return Ok(());
        }
        let at = begin + Duration::from_secs_f64(next);
        waves(bench)?.apply_waveform(&between(from, to, next / over), &stage.waveform).await?;
        sleep_until(at).await;
    }
}

/// A share of the way from one setting to another.
fn between(from: &Setting, to: &Setting, share: f64) -> Setting {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    let wave = |a: Option<Wave>, b: Option<Wave>| match (a, b) {
        (Some(a), Some(b)) => Some(Wave { rms: mix(a.rms, b.rms), ..b }),
        (_, b) => b,
    };
    Setting {
        hertz: mix(from.hertz, to.hertz),
        voltage: [0, 1, 2].map(|n| wave(from.voltage[n], to.voltage[n])),
        current: to.current,
    }
}

/// Every event of a series, at its time; when each began.
async fn play(
    bench: &mut Bench,
    step: &ResolvedStep,
    series: &EventSeries,
    standing: &Setting,
    waveform: &Waveform,
) -> Result<Vec<Instant>, RunError> {
    let first = Instant::now();
    let mut each = Vec::new();
    let mut latest = Duration::ZERO;
    for n in 0..series.times {
        let due = first + Duration::from_secs_f64(n as f64 * series.every_seconds);
        sleep_until(due).await;
        latest = latest.max(due.elapsed());
        let from = bench.recorder.bench_ns();
        each.push(Instant::now());
        waves(bench)?.play(&series.event).await?;
        emit(bench, step, series.words.clone(), from, standing, waveform, Some(series.event))?;
    }
    if latest > LATE {
        let text = format!("the source was not ready in time: an event began {} ms late", latest.as_millis());
        bench.recorder.note(Some(step.number), text)?;
    }
    Ok(each)
}

fn waves(bench: &mut Bench) -> Result<&mut dyn WaveSource, RunError> {
    bench.source.waves().ok_or_else(|| RunError::NoWaves { asked: "waves".to_owned() })
}

/// The setting of the load with what a stage puts in its place.
fn stood(load: &Setting, stage: &Stage) -> Setting {
    let mut setting = *load;
    setting.hertz = stage.hertz.unwrap_or(load.hertz);
    if let Some(sines) = stage.voltage {
        for (wave, sine) in setting.voltage.iter_mut().zip(sines) {
            // A phase that the meter has not stays off.
            *wave = wave.and((sine.rms > 0.0).then_some(Wave { rms: sine.rms, lag_deg: sine.lag_deg }));
        }
    }
    setting
}

/// All phases of the meters were so low for so long that they may have started anew.
fn supply_failed(bench: &Bench, test: &PlayTest) -> bool {
    let un = bench.plate().un_volt;
    let phases = usize::from(bench.plate().systems);
    let low = |volts: [f64; 3]| volts[..phases].iter().all(|volt| *volt < SUPPLY_UN * un);
    let event = test.events.as_ref().is_some_and(|series| {
        let VoltageEvent { phases, share, seconds, .. } = series.event;
        low(phases.map(|on| if on { share * test.load.volt } else { test.load.volt })) && seconds > SUPPLY_SECONDS
    });
    let stage = |stage: &Stage| stage.voltage.is_some_and(|sines| low(sines.map(|sine| sine.rms)));
    event || test.stages.iter().any(stage)
}

fn emit(
    bench: &mut Bench,
    step: &ResolvedStep,
    words: String,
    from_ns: u64,
    setting: &Setting,
    waveform: &Waveform,
    event: Option<VoltageEvent>,
) -> Result<(), RunError> {
    let to_ns = bench.recorder.bench_ns();
    let sines = sines(setting);
    let played = Played { step: step.number, words, from_ns, to_ns, sines, waveform: waveform.clone(), event };
    bench.recorder.emit(Event::Played(Box::new(played)))
}

fn sines(setting: &Setting) -> Sines {
    let sine = |wave: Option<Wave>| wave.map_or_else(Sine::default, |w| Sine { rms: w.rms, lag_deg: w.lag_deg });
    Sines { hertz: setting.hertz, voltage: setting.voltage.map(sine), current: setting.current.map(sine) }
}
