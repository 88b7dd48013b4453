//! Writes known waves as COMTRADE into a directory, and `truth.json` with what follows from them in closed form: for programs of others
//! that measure power quality. `cargo run -p meterbench-waveform --example stimuli DIRECTORY`

use std::fs;
use std::path::Path;

use meterbench_waveform::{
    Distortion, Encoding, Flicker, Harmonic, Head, Interharmonic, Lamp, Modulation, ModulationShape, Moment, Played,
    Sine, Sines, Stretch, Thresholds, VoltageEvent, Waveform, Waves, comtrade, sequences,
};
use serde_json::{Value, json};

const UDIN: f64 = 230.0;
/// Samples a second where harmonics are looked at by programs whose filters droop.
const FAST: u32 = 25_600;
const USUAL: u32 = 12_800;
const FLICKER: u32 = 10_000;
/// What a flickermeter needs before the interval that counts, and the interval (s).
const SETTLING_S: f64 = 60.0;
const INTERVAL_S: f64 = 120.0;

/// A wave to be written.
struct Stimulus {
    name: &'static str,
    played: Played,
    rate: u32,
    stretch: Stretch,
    encodings: &'static [Encoding],
    flicker: bool,
}

fn sines(hertz: f64, volts: [f64; 3], lags: [f64; 3]) -> Sines {
    let sine = |rms: f64, lag_deg: f64| Sine { rms, lag_deg };
    Sines {
        hertz,
        voltage: [0, 1, 2].map(|n| sine(volts[n], lags[n])),
        current: [0, 1, 2].map(|n| sine(5.0, lags[n] + 30.0)),
    }
}

fn played(sines: Sines) -> Played {
    Played { step: 1, words: String::new(), from_ns: 0, to_ns: 0, sines, waveform: Waveform::default(), event: None }
}

fn steady(name: &'static str, played: Played, rate: u32, seconds: f64) -> Stimulus {
    let stretch = Stretch { part: None, from_s: 0.0, to_s: seconds };
    Stimulus { name, played, rate, stretch, encodings: &[Encoding::Float32], flicker: false }
}

fn distorted(mut played: Played, orders: &[(u16, f64)], interharmonic: Option<(f64, f64)>) -> Played {
    let harmonic = |&(order, percent): &(u16, f64)| Harmonic { order, percent, angle_deg: 37.0 * f64::from(order) };
    let interharmonic = interharmonic.map(|(hertz, percent)| Interharmonic { hertz, percent });
    let distortion = Distortion { harmonics: orders.iter().map(harmonic).collect(), interharmonic, modulation: None };
    played.waveform.voltage = [0, 1, 2].map(|_| distortion.clone());
    played.waveform.current = [0, 1, 2].map(|_| distortion.clone());
    played
}

/// An event on L1, with an undisturbed wave in phase with it as L2: whoever looks for zero crossings finds them there.
fn event(name: &'static str, share: f64, seconds: f64, point_on_wave_deg: f64) -> Stimulus {
    let mut played = played(sines(50.0, [UDIN; 3], [0.0, 0.0, 240.0]));
    let phases = [true, false, false];
    played.event = Some(VoltageEvent { phases, share, seconds, point_on_wave_deg, phase_jump_deg: 0.0 });
    let stretch = Stretch { part: None, from_s: -1.0, to_s: seconds + 1.0 };
    Stimulus { name, played, rate: USUAL, stretch, encodings: &[Encoding::Float32], flicker: false }
}

fn flicker(name: &'static str, shape: ModulationShape, hertz: f64, percent: f64) -> Stimulus {
    let mut played = played(sines(50.0, [UDIN, 0.0, 0.0], [0.0; 3]));
    played.sines.current = [Sine::default(); 3];
    played.waveform.voltage[0].modulation = Some(Modulation { shape, hertz, percent });
    let stretch = Stretch { part: None, from_s: 0.0, to_s: SETTLING_S + INTERVAL_S };
    Stimulus { name, played, rate: FLICKER, stretch, encodings: &[Encoding::Float32], flicker: true }
}

fn stimuli() -> Vec<Stimulus> {
    let straight = [0.0, 120.0, 240.0];
    let at = |hertz| played(sines(hertz, [UDIN, 0.9 * UDIN, UDIN], straight));
    let low: Vec<(u16, f64)> = vec![(3, 5.0), (5, 6.0), (7, 5.0), (9, 1.5), (11, 3.5), (13, 3.0)];
    let all: Vec<(u16, f64)> = (2..=50).map(|order| (order, 0.2 + 8.0 / f64::from(order))).collect();
    let high: Vec<(u16, f64)> = (41..=50).map(|order| (order, 1.0)).collect();
    let balanced = |hertz| played(sines(hertz, [UDIN; 3], straight));
    let mut dip = event("dip-50-30", 0.50, 0.030, 0.0);
    dip.encodings = &[Encoding::Ascii, Encoding::Binary32, Encoding::Float32];
    let mut angles = at(50.0);
    angles.sines = sines(50.0, [UDIN; 3], [0.0, 122.0, 242.0]);
    vec![
        steady("unbalanced-50", distorted(at(50.0), &low, None), FAST, 3.0),
        steady("unbalanced-49", distorted(at(49.0), &low, None), FAST, 3.0),
        steady("unbalanced-51.3", distorted(at(51.3), &low, None), FAST, 3.0),
        steady("angles", angles, FAST, 3.0),
        steady("all-orders", distorted(balanced(50.0), &all, None), USUAL, 0.4),
        steady("high-orders", distorted(balanced(50.0), &high, Some((260.0, 1.0))), USUAL, 0.4),
        event("dip-89-200", 0.89, 0.200, 0.0),
        event("dip-85-40", 0.85, 0.040, 0.0),
        event("dip-80-100", 0.80, 0.100, 0.0),
        event("dip-70-20", 0.70, 0.020, 0.0),
        event("dip-40-500", 0.40, 0.500, 180.0),
        dip,
        event("swell-115-100", 1.15, 0.100, 0.0),
        event("swell-130-40", 1.30, 0.040, 180.0),
        flicker("flicker-110", ModulationShape::Rectangle, 110.0 / 120.0, 0.722),
        flicker("flicker-1620", ModulationShape::Rectangle, 1620.0 / 120.0, 0.407),
        flicker("flicker-sine", ModulationShape::Sine, 8.8, 0.250),
    ]
}

fn truth(stimulus: &Stimulus, waves: &Waves) -> Value {
    let channels: Vec<Value> = waves
        .channels()
        .filter(|wave| !wave.is_silent())
        .map(|wave| {
            let spectrum = wave.spectrum(0);
            let orders = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..=50).map(of).collect() };
            json!({
                "rms": wave.rms(wave.zero_crossing(0), wave.zero_crossing(20)),
                "subgroups": orders(&|order| spectrum.subgroup(order)),
                "interharmonic_subgroups": orders(&|order| spectrum.interharmonic_subgroup(order)),
                "thds_49": spectrum.thds(49),
                "thd_40": spectrum.thd(40),
            })
        })
        .collect();
    let played = &stimulus.played;
    let unbalance = sequences(&played.sines.voltage).map(|s| [s.negative_percent, s.zero_percent]);
    let events: Vec<Value> = waves
        .expected_events(1, UDIN, &Thresholds::default(), -0.5, stimulus.stretch.to_s)
        .iter()
        .map(|event| json!({ "kind": event.kind, "extreme": event.extreme * UDIN, "seconds": event.seconds }))
        .collect();
    let flicker = stimulus.flicker.then(|| {
        let Flicker { pinst_max, pst } =
            waves.voltage[0].flicker(Lamp::V230, SETTLING_S, INTERVAL_S, SETTLING_S, stimulus.rate);
        json!({ "pinst_max": pinst_max, "pst": pst, "from_s": SETTLING_S })
    });
    let (first, samples) = stimulus.stretch.samples(stimulus.rate);
    let names: Vec<&str> = stimulus.encodings.iter().map(|encoding| encoding.word()).collect();
    json!({
        "name": stimulus.name, "encodings": names, "rate": stimulus.rate, "first": first, "samples": samples,
        "hertz": played.sines.hertz, "event": played.event.is_some(), "channels": channels, "unbalance": unbalance,
        "events": if played.event.is_some() { events } else { Vec::new() }, "flicker": flicker, "udin": UDIN,
    })
}

fn main() {
    let directory = std::env::args().nth(1).expect("a directory");
    let directory = Path::new(&directory);
    fs::create_dir_all(directory).expect("the directory can be made");
    let first = Moment { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 0, microsecond: 0 };
    let mut truths = Vec::new();
    for stimulus in stimuli() {
        let waves = stimulus.played.waves();
        let event_s = stimulus.played.event.map(|event| event.seconds);
        let (station, device) = ("meterbench".into(), stimulus.name.into());
        let head = Head { station, device, first, trigger: first, offset_minutes: 0, rate: stimulus.rate };
        for encoding in stimulus.encodings {
            let files = comtrade(&waves, event_s, &stimulus.stretch, &head, *encoding);
            let path = directory.join(format!("{}.{}", stimulus.name, encoding.word()));
            fs::write(format!("{}.cfg", path.display()), files.cfg).expect("a configuration is written");
            fs::write(format!("{}.dat", path.display()), files.dat).expect("data are written");
        }
        truths.push(truth(&stimulus, &waves));
    }
    let text = serde_json::to_string_pretty(&truths).expect("figures");
    fs::write(directory.join("truth.json"), text).expect("the truth is written");
    println!("{} stimuli in {}", truths.len(), directory.display());
}
