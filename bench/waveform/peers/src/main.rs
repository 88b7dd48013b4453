//! The power quality chain of the meter beside the crate metrology_insight, on one signal.
//!
//! `signal FILE` writes the signal: 20 s of three voltages and three currents, f32, little endian, frame by frame. `time FILE` reads it and
//! prints how many times real time each side is, by the time on the processor of a second of runs, and a few figures that each found. What is
//! read is converted before the clock starts.

use std::fs;
use std::time::Duration;

use meterbench_metrology::{
    AMPERE_FULL_SCALE, Analysis, Config, FULL_SCALE, Found, Frame, ImpulseQuantity, Impulses, MeterConstant,
    SAMPLE_RATE, State, Systems, VOLT_FULL_SCALE,
};
use meterbench_waveform::{Distortion, Harmonic, Played, Sine, Sines, Waveform};
use metrology_insight::types::{MetrologyInsight, MetrologyInsightConfig};

const SECONDS: usize = 20;
/// A side runs until it has taken so much of the processor.
const MEASURED: Duration = Duration::from_secs(1);
/// Samples of a cycle; metrology_insight takes whole cycles.
const CYCLE: usize = SAMPLE_RATE as usize / 50;

/// 50 Hz, L2 at 90 %, every order from 2 to 50.
fn stimulus() -> Played {
    let sine = |rms: f64, lag_deg: f64| Sine { rms, lag_deg };
    let harmonic =
        |order: u16| Harmonic { order, percent: 0.2 + 8.0 / f64::from(order), angle_deg: 37.0 * f64::from(order) };
    let distortion = Distortion { harmonics: (2..=50).map(harmonic).collect(), ..Default::default() };
    let sines = Sines {
        hertz: 50.0,
        voltage: [sine(230.0, 0.0), sine(207.0, 120.0), sine(230.0, 240.0)],
        current: [30.0, 150.0, 270.0].map(|lag| sine(5.0, lag)),
    };
    let each = || [0, 1, 2].map(|_| distortion.clone());
    let waveform = Waveform { voltage: each(), current: each() };
    Played { step: 1, words: String::new(), from_ns: 0, to_ns: 0, sines, waveform, event: None }
}

fn write(file: &str) {
    // The wave repeats every cycle: one is computed.
    let waves = stimulus().waves();
    let cycle: Vec<u8> =
        waves.samples(0, CYCLE, SAMPLE_RATE).flatten().flat_map(|value| (value as f32).to_le_bytes()).collect();
    fs::write(file, cycle.repeat(50 * SECONDS)).expect("the signal is written");
}

/// Time this thread has spent on a processor: what others do on the machine does not count.
fn on_processor() -> Duration {
    let said = fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux that counts the time of threads");
    let nanoseconds = said.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a time"))
}

/// What a side found: RMS of L1 (V), its 49th harmonic [%], u2 [%].
struct Figures {
    rms: f64,
    order_49: f64,
    negative: f64,
}

fn ours(frames: &[Frame]) -> Figures {
    let constant = MeterConstant::new(1000).expect("not zero");
    let impulses = Impulses { quantity: ImpulseQuantity::Active, constant, width: Impulses::WIDTH_30_MS };
    let config = Config::new(Systems::Three, &Default::default(), 2300, 79_350, impulses).expect("valid");
    let (mut state, mut analysis) = (State::default(), Box::new(Analysis::new()));
    let mut figures = Figures { rms: 0.0, order_49: 0.0, negative: 0.0 };
    for frame in frames {
        let _ = config.process_watched(&mut state, &mut analysis, frame, |found| {
            let Found::Window(window) = found else { return };
            let Some(spectrum) = window.spectrum else { return };
            let rms = |order: usize| {
                let phasor = spectrum.voltage[0][order - 1];
                f64::from(phasor.re).hypot(f64::from(phasor.im))
            };
            let negative = window.unbalance.map_or(0, |u| u.negative);
            figures = Figures {
                rms: f64::from(window.voltage_mv[0]) / 1e3,
                order_49: 100.0 * rms(49) / rms(1),
                negative: f64::from(negative) / 1e3,
            };
        });
    }
    figures
}

/// Fed as its own test `sim_realtime` feeds it: a cycle of every phase, then one call.
fn theirs(channels: &[Vec<f32>; 6]) -> Figures {
    let mut insight = MetrologyInsight::new(MetrologyInsightConfig {
        adc_samples_seconds: SAMPLE_RATE as f32,
        adc_samples_per_cycle: CYCLE as f64,
        avg_sec: CYCLE as f32 / SAMPLE_RATE as f32,
        nominal_freq: 50.0,
        ..MetrologyInsightConfig::default()
    });
    for cycle in 0..channels[0].len() / CYCLE {
        let range = cycle * CYCLE..(cycle + 1) * CYCLE;
        for phase in 0..3 {
            let of = &mut insight.socket.phases[phase];
            of.voltage.real_wave[..CYCLE].copy_from_slice(&channels[phase][range.clone()]);
            of.voltage.real_wave_len = CYCLE;
            of.current.real_wave[..CYCLE].copy_from_slice(&channels[3 + phase][range.clone()]);
            of.current.real_wave_len = CYCLE;
        }
        insight.process_and_update_metrics(3);
        for phase in 0..3 {
            let of = &mut insight.socket.phases[phase];
            of.voltage.clear_samples();
            of.current.clear_samples();
        }
    }
    let voltage = &insight.socket.phases[0].voltage;
    Figures {
        rms: f64::from(voltage.rms),
        order_49: f64::from(voltage.harmonics[48]),
        negative: f64::from(insight.socket.unbalance_metrics.u2_neg_ratio_pct),
    }
}

fn time(file: &str) {
    let octets = fs::read(file).expect("the signal is there");
    let values: Vec<f32> = octets.as_chunks::<4>().0.iter().map(|octets| f32::from_le_bytes(*octets)).collect();
    let counts = |value: f32, scale: u32| (f64::from(value) / f64::from(scale) * f64::from(FULL_SCALE)).round() as i32;
    let frames: Vec<Frame> = values
        .as_chunks::<6>()
        .0
        .iter()
        .map(|frame| Frame {
            voltage: [0, 1, 2].map(|n| counts(frame[n], VOLT_FULL_SCALE)),
            current: [3, 4, 5].map(|n| counts(frame[n], AMPERE_FULL_SCALE)),
        })
        .collect();
    let channels: [Vec<f32>; 6] =
        std::array::from_fn(|n| values.as_chunks::<6>().0.iter().map(|frame| frame[n]).collect());
    let seconds = frames.len() as f64 / f64::from(SAMPLE_RATE);
    for (name, run) in
        [("meterbench", &(|| ours(&frames)) as &dyn Fn() -> Figures), ("metrology_insight", &|| theirs(&channels))]
    {
        // The scheduler counts in ticks: they must not weigh.
        let (started, mut runs) = (on_processor(), 0);
        let (took, figures) = loop {
            let figures = run();
            runs += 1;
            let took = on_processor() - started;
            if took > MEASURED {
                break (took.as_secs_f64() / f64::from(runs), figures);
            }
        };
        let Figures { rms, order_49, negative } = figures;
        println!("{name} {:.1} {rms:.4} {order_49:.4} {negative:.4}", seconds / took);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["signal", file] => write(file),
        ["time", file] => time(file),
        _ => eprintln!("meterbench-peers signal FILE, or time FILE"),
    }
}
