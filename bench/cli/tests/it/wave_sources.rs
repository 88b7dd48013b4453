//! Sources of any wave, from the driver over the wire into the world: events at their instant, safe ends at every moment.

use std::time::Duration;

use meterbench::assemble::{self, Changes, Connected};
use meterbench::rehearsal::{prepare, rehearse};
use meterbench_emulator::Laboratory;
use meterbench_instruments::{AcSource, InstrumentError, Readback, Setting, Wave};
use meterbench_plan::Disturbance;
use meterbench_record::{Outcome, Verdict};
use meterbench_waveform::{Harmonic, Modulation, ModulationShape, VoltageEvent, Waveform};
use rstest::rstest;
use tokio::time::{Instant, sleep};

use crate::{EVERY_STEP, beyond_bench, changes, run};

const BENCHES: [&str; 2] = ["emulated-3ph-waves", "emulated-3ph-ametek"];
/// What both of them can do: voltages alone.
const VOLTAGES: &str = "
plan: Voltages alone
standard: EN 50470-3:2006
meter: { class: B, phases: 3 }
steps:
  - apply: { voltage: Un, current: 0 A }
  - wait: { for: 10 s }
  - apply: { voltage: 0.9 Un, current: 0 A }
  - no-load: { voltage: 1.15 Un }
";

/// A bench in bench time, and what is done with it.
fn on_a_bench<T>(bench: &str, work: impl AsyncFnOnce(Connected, Laboratory) -> T) -> T {
    let (_, equipped) = prepare(VOLTAGES, bench, &Changes::default()).expect("sound");
    let runtime = meterbench::execute::emulated_runtime().expect("a runtime");
    runtime.block_on(async {
        let laboratory = Laboratory::start(&equipped.config).expect("sound");
        let connected = assemble::connect(&equipped, &laboratory, None).expect("connected");
        work(connected, laboratory).await
    })
}

fn voltages(volt: f64) -> Setting {
    let wave = |lag_deg: f64| Some(Wave { rms: volt, lag_deg });
    Setting { hertz: 50.0, voltage: [wave(0.0), wave(120.0), wave(240.0)], current: [None; 3] }
}

fn dip(phases: [bool; 3], seconds: f64) -> VoltageEvent {
    VoltageEvent { phases, share: 0.4, seconds, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 }
}

/// Looks at the source every millisecond over a connection of its own.
async fn watch(source: Box<dyn AcSource>, seconds: f64) -> Vec<(Duration, Readback)> {
    let (mut source, began) = (source, Instant::now());
    let mut seen = Vec::new();
    while began.elapsed().as_secs_f64() < seconds {
        seen.push((began.elapsed(), source.read_back().await.expect("an answer")));
        sleep(Duration::from_millis(1)).await;
    }
    seen
}

#[rstest]
#[case::fluke_6105a(BENCHES[0])]
#[case::ametek_mx(BENCHES[1])]
fn an_event_stands_for_its_time_on_its_phases(#[case] bench: &str) {
    for phases in [[true; 3], [false, true, false], [true, false, true]] {
        let seen = on_a_bench(bench, async |connected: Connected, _| {
            let mut source = connected.instruments.source;
            source.identify().await.expect("known");
            source.apply(&voltages(230.0)).await.expect("applied");
            sleep(Duration::from_millis(1003)).await;
            let watched = tokio::spawn(watch(source.fresh(), 0.5));
            source.waves().expect("makes waves").play(&dip(phases, 0.2)).await.expect("played");
            watched.await.expect("watched")
        });
        for (n, struck) in phases.into_iter().enumerate() {
            let low: Vec<Duration> = seen.iter().filter(|(_, r)| r.volt[n] < 100.0).map(|(at, _)| *at).collect();
            if !struck {
                assert!(low.is_empty() && seen.iter().all(|(_, r)| (r.volt[n] - 230.0).abs() < 1.0), "L{}", n + 1);
                continue;
            }
            let lasted = *low.last().expect("it dipped") - low[0];
            // Seen to a millisecond at either end.
            assert!((lasted.as_secs_f64() - 0.2).abs() < 0.0025, "L{}: {lasted:?}", n + 1);
            assert!(low[0] < Duration::from_millis(22), "within a period: {:?}", low[0]);
            assert!((seen.last().expect("seen").1.volt[n] - 230.0).abs() < 1.0, "what stood before stands again");
        }
        let begins = |n: usize| seen.iter().find(|(_, r)| r.volt[n] < 100.0).map(|(at, _)| *at);
        let first: Vec<Duration> = (0..3).filter(|&n| phases[n]).filter_map(begins).collect();
        assert!(first.windows(2).all(|pair| pair[0] == pair[1]), "at one instant: {first:?}");
    }
}

#[rstest]
#[case::fluke_6105a(BENCHES[0])]
#[case::ametek_mx(BENCHES[1])]
fn a_wave_is_made_and_a_plain_setting_is_without_it(#[case] bench: &str) {
    let mut waveform = Waveform::default();
    for distortion in &mut waveform.voltage {
        distortion.harmonics = vec![
            Harmonic { order: 5, percent: 20.0, angle_deg: 0.0 },
            Harmonic { order: 7, percent: 10.0, angle_deg: 180.0 },
        ];
    }
    let [plain, distorted, again] = on_a_bench(bench, async |connected: Connected, _| {
        let mut source = connected.instruments.source;
        let mut seen = [Readback::default(); 3];
        source.apply(&voltages(230.0)).await.expect("applied");
        seen[0] = source.read_back().await.expect("an answer");
        let waves = source.waves().expect("makes waves");
        waves.apply_waveform(&voltages(230.0), &waveform).await.expect("applied");
        seen[1] = source.read_back().await.expect("an answer");
        source.apply(&voltages(230.0)).await.expect("applied");
        seen[2] = source.read_back().await.expect("an answer");
        seen
    });
    for n in 0..3 {
        // The fundamental stays, 20 % and 10 % come to it: the root of 1.05.
        assert!((distorted.volt[n] / plain.volt[n] - 1.05f64.sqrt()).abs() < 1e-4, "{distorted:?}");
        assert!((again.volt[n] - plain.volt[n]).abs() < 1e-3);
    }
}

#[test]
fn currents_have_their_waves_on_the_6105a() {
    let bursts = Modulation { shape: ModulationShape::Rectangle, hertz: 12.5, percent: 200.0 };
    let mut waveform = Waveform::default();
    waveform.current[0].harmonics = vec![Harmonic { order: 5, percent: 40.0, angle_deg: 0.0 }];
    waveform.current[1].modulation = Some(bursts);
    let wave = |rms: f64, lag_deg: f64| Some(Wave { rms, lag_deg });
    let setting = Setting { current: [wave(25.0, 0.0), wave(10.0, 120.0), None], ..voltages(230.0) };
    let seen = on_a_bench(BENCHES[0], async |connected: Connected, _| {
        let mut source = connected.instruments.source;
        source.waves().expect("makes waves").apply_waveform(&setting, &waveform).await.expect("applied");
        source.read_back().await.expect("an answer")
    });
    assert!((seen.ampere[0] - 25.0 * 1.16f64.sqrt()).abs() < 0.01, "{seen:?}");
    // Twice the current for half of the time.
    assert!((seen.ampere[1] - 10.0 * 2f64.sqrt()).abs() < 0.01 && seen.ampere[2] == 0.0, "{seen:?}");
}

#[rstest]
#[case::fluke_6105a(BENCHES[0])]
#[case::ametek_mx(BENCHES[1])]
fn an_event_that_is_broken_off_is_switched_off_and_stays_off(#[case] bench: &str) {
    // Before it begins, in the middle of it, when it ends.
    for broken_off_ms in [0, 3, 15, 100, 205, 230, 400] {
        let log = on_a_bench(bench, async |connected: Connected, laboratory: Laboratory| {
            let mut source = connected.instruments.source;
            source.apply(&voltages(230.0)).await.expect("applied");
            let fresh = source.fresh();
            let playing = tokio::spawn(async move {
                let _ = source.waves().expect("makes waves").play(&dip([true; 3], 0.2)).await;
                std::future::pending::<()>().await;
            });
            sleep(Duration::from_millis(broken_off_ms)).await;
            playing.abort();
            let mut fresh = fresh;
            fresh.off().await.expect("off");
            sleep(Duration::from_secs(60)).await;
            let seen = fresh.read_back().await.expect("an answer");
            assert_eq!((seen.volt, seen.ampere), ([0.0; 3], [0.0; 3]), "after {broken_off_ms} ms");
            laboratory.log("source").expect("a log")
        });
        assert_eq!(log.last_output(), Some("off"), "after {broken_off_ms} ms");
    }
}

#[test]
fn a_driver_inherits_nothing() {
    on_a_bench(BENCHES[0], async |connected: Connected, _| {
        let mut source = connected.instruments.source;
        source.apply(&voltages(230.0)).await.expect("applied");
        // Another driver finds the source on: it begins with everything off.
        let mut other = source.fresh();
        let one = Setting { voltage: [voltages(200.0).voltage[0], None, None], ..voltages(200.0) };
        other.apply(&one).await.expect("applied");
        let seen = other.read_back().await.expect("an answer");
        assert!((seen.volt[0] - 200.0).abs() < 0.1 && seen.volt[1..] == [0.0, 0.0], "{seen:?}");
        let refused = other.waves().expect("makes waves").play(&dip([true; 3], 0.2)).await;
        assert!(matches!(refused, Err(InstrumentError::CannotMake { .. })), "L2 has no voltage");
    });
}

#[rstest]
#[case::dead("dead", "did not answer")]
#[case::slow("slow", "did not answer")]
#[case::half_a_line("half-line", "did not answer")]
#[case::garbage("garbage", "answered")]
#[case::cut("cut", "")]
fn a_broken_source_ends_the_run_with_a_sentence_and_off(#[case] kind: &str, #[case] sentence: &str) {
    for (bench, plan, last) in [(BENCHES[0], EVERY_STEP, 300), (BENCHES[0], VOLTAGES, 80), (BENCHES[1], VOLTAGES, 70)] {
        // While identifying, while the state is made known, while applying, while it stands.
        for after in [0, 1, 3, 6, 12, 20, 35, 50, last] {
            let (plan, mut bench_file) = prepare(plan, bench, &Changes::default()).expect("sound");
            bench_file.file.emulation.disturb =
                vec![Disturbance { instrument: "source".into(), kind: kind.into(), after }];
            let ran = rehearse(&plan, &bench_file, None).expect("the bench can be built");
            let at = format!("{bench} {kind} after {after}");
            assert_eq!(ran.outcome, Outcome::Error, "{at}");
            let failure = ran.failure.expect("a failure in words");
            assert!(failure.text.starts_with("the source ("), "{at}: {}", failure.text);
            assert!(failure.text.contains(sentence), "{at}: {}", failure.text);
            assert!(ran.record.measurements.iter().all(|m| m.verdict != Some(Verdict::Fail)), "{at}");
            // Whatever can still be told to switch off was told so.
            if kind != "cut" {
                assert_ne!(ran.source_log.last_output(), Some("on"), "{at}: {:?}", ran.source_log.lines());
            }
        }
    }
}

#[rstest]
#[case::fluke_6105a(BENCHES[0], EVERY_STEP)]
#[case::ametek_mx(BENCHES[1], VOLTAGES)]
fn a_stop_at_any_moment_leaves_the_outputs_off(#[case] bench: &str, #[case] text: &str) {
    let whole = run(text, bench, &changes(&[]));
    assert_eq!(whole.outcome, Outcome::Pass, "{:?}", whole.record.notes);
    assert_eq!(whole.source_log.last_output(), Some("off"));
    let (plan, bench) = prepare(text, bench, &changes(&[])).expect("sound");
    // Every tenth of a second while the source switches for the first time, then now and then.
    let early = (0..40).map(|n| n * 100);
    let later = [5_000, 12_000, 20_500, 33_000, 47_300, 90_000];
    for at_ms in early.chain(later) {
        let ran = rehearse(&plan, &bench, Some(Duration::from_millis(at_ms))).expect("the bench can be built");
        assert_eq!(ran.outcome, Outcome::Interrupted, "at {at_ms} ms");
        assert_ne!(ran.source_log.last_output(), Some("on"), "at {at_ms} ms: {:?}", ran.source_log.lines());
        assert!(ran.record.outputs.contains("voltage off"), "at {at_ms} ms: {}", ran.record.outputs);
    }
}

#[test]
fn what_a_source_cannot_make_is_refused_before_anything_is_energised() {
    let words = |plan: &str, bench: &str, meter: Option<&str>| {
        let changes = Changes { meter: meter.map(str::to_owned), ..Changes::default() };
        beyond_bench(plan, bench, &changes)
    };
    let text = words(EVERY_STEP, BENCHES[1], None);
    assert!(text.contains("cannot make a current: it is a source of voltages alone"), "{text}");
    let text = words(EVERY_STEP, BENCHES[0], Some("omnia-3ph"));
    assert!(text.contains("is not asked for 100 A: the limit of this bench is 0.01 A to 80 A"), "{text}");
    assert!(prepare(EVERY_STEP, BENCHES[0], &Changes::default()).is_ok(), "its own meter ends at 80 A");
}
