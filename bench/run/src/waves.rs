//! Waves in place of sines: what the source is told, what the ranges must hold, what the reference may see otherwise than a meter.

use meterbench_instruments::{AcSource, Setting};
use meterbench_record::{Event, LoadPoint};
use meterbench_standards::gum::Budget;
use meterbench_waveform::{Distortion, NamedWave, Played, Sine, Sines, Waveform};

use crate::bench::{Bench, setting};
use crate::error::RunError;

/// Bound of what a reference makes of the power of harmonics against that of the fundamental [%].
const HARMONICS_PERCENT: f64 = 0.2;
/// Bound of what direct current does to a reference with compensated transformers [%]; one without them may be saturated by it.
const DIRECT_PERCENT: f64 = 0.05;

/// What this load carries beside its fundamentals; `None` for sines.
pub(crate) fn waveform(load: &LoadPoint, systems: u8) -> Option<Waveform> {
    let wave = load.wave?;
    let setting = setting(load, systems);
    Some(wave.waveform(load.frequency_hz, setting.voltage.map(|w| w.is_some()), setting.current.map(|w| w.is_some())))
}

/// Refuses what the source of this bench cannot put out, or must not; nothing is written for it.
pub(crate) fn check(source: &mut dyn AcSource, load: &LoadPoint, systems: u8) -> Result<(), RunError> {
    let setting = setting(load, systems);
    let Some(waveform) = waveform(load, systems) else { return Ok(source.check(&setting)?) };
    let Some(waves) = source.waves() else {
        let asked = load.wave.map(|wave| wave.to_string()).unwrap_or_default();
        return Err(RunError::NoWaves { asked });
    };
    Ok(waves.check_waveform(&setting, &waveform)?)
}

/// Puts out a load that was checked.
pub(crate) async fn put_out(
    source: &mut dyn AcSource,
    setting: &Setting,
    waveform: Option<&Waveform>,
) -> Result<(), RunError> {
    match (waveform, source.waves()) {
        (Some(waveform), Some(waves)) => waves.apply_waveform(setting, waveform).await?,
        _ => source.apply(setting).await?,
    }
    Ok(())
}

/// Voltage (V) and current (A) whose ranges hold RMS value and peak of a load: ranges are those of sines.
pub(crate) fn ranges(load: &LoadPoint) -> (f64, f64) {
    let (voltage, current) = load.wave.map_or((1.0, 1.0), |wave| {
        (wave.voltage_rms().max(wave.voltage_peak()), wave.current_rms().max(wave.current_peak()))
    });
    (load.volt * voltage, load.ampere * current)
}

/// What a channel's read-back may be, in multiples of the fundamental: sources say the RMS value of all components, of the
/// fundamental alone, or of the highest amplitude of a modulation.
pub(crate) fn read_back(distortion: &Distortion) -> (f64, f64) {
    let squares: f64 = distortion.harmonics.iter().map(|h| h.percent * h.percent / 1e4).sum();
    let highest = 1.0 + distortion.modulation.map_or(0.0, |m| m.percent / 200.0);
    (1.0, (1.0 + squares).sqrt() * highest)
}

/// Adds what a wave brings to the uncertainty of a percentage error over readings of at least this time (s).
pub(crate) fn budget(budget: Budget, load: &LoadPoint, shortest: f64) -> Budget {
    let Some(wave) = load.wave else { return budget };
    let (cos, sin) = load.cos_sin();
    let share = wave.harmonic_share(sin.atan2(cos).to_degrees());
    let mut budget = budget;
    if share != 0.0 {
        budget = budget.rectangular("reference: power of harmonics", share * HARMONICS_PERCENT);
    }
    if wave.direct() != 0.0 {
        budget = budget.rectangular("reference: direct current", DIRECT_PERCENT);
    }
    if let Some(seconds) = wave.burst_seconds(load.frequency_hz) {
        // Impulses fall into bursts: a reference that means over them counts up to half a burst more or less.
        budget = budget.rectangular("bursts cut at the ends of a reading", 100.0 * seconds / 2.0 / shortest);
    }
    budget
}

/// Writes down what the source played since `from_ns`.
pub(crate) fn played(bench: &mut Bench, load: &LoadPoint, words: String, from_ns: u64) -> Result<(), RunError> {
    let systems = bench.plate().systems;
    let Some(waveform) = waveform(load, systems) else { return Ok(()) };
    written(bench, &setting(load, systems), waveform, words, from_ns)
}

/// The same of a wave that is no load point's own.
pub(crate) fn written(
    bench: &mut Bench,
    setting: &Setting,
    waveform: Waveform,
    words: String,
    from_ns: u64,
) -> Result<(), RunError> {
    let sine = |w: Option<meterbench_instruments::Wave>| {
        w.map_or(Sine::default(), |w| Sine { rms: w.rms, lag_deg: w.lag_deg })
    };
    let sines = Sines { hertz: setting.hertz, voltage: setting.voltage.map(sine), current: setting.current.map(sine) };
    let (step, to_ns) = (bench.step, bench.recorder.bench_ns());
    let played = Played { step, words, from_ns, to_ns, sines, waveform, event: None };
    bench.recorder.emit(Event::Played(Box::new(played)))
}

/// What a current that this wave shapes is to its own sine: fundamental in multiples, and lag (deg).
pub(crate) fn fundamental(wave: Option<NamedWave>, hertz: f64) -> (f64, f64) {
    wave.map_or((1.0, 0.0), |wave| {
        let shaped = wave.current(hertz);
        (shaped.fundamental, shaped.lag_deg)
    })
}
