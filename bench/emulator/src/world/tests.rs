use std::sync::Arc;

use meterbench_meter::{Settings, TypeNumber};

use super::*;
use crate::analogue::FrontEnd;
use crate::source::wave::{Interharmonic, Modulation, Shape, Wave};
use crate::source::{Distortion, Event, Harmonic, Phasor};

fn load() -> Output {
    let mut output = Output { hertz: 49.7, ..Output::default() };
    for phase in 0..3 {
        let lag = 120.0 * phase as f64;
        output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
        output.current[phase] = Phasor { rms: 10.0, lag_deg: lag + 30.0 };
    }
    output
}

fn wave() -> Wave {
    let harmonics = vec![
        Harmonic { order: 5, share: 0.06, angle_deg: 0.0 },
        Harmonic { order: 7, share: 0.05, angle_deg: 180.0 },
        Harmonic { order: 43, share: 0.01, angle_deg: 77.0 },
    ];
    let modulation = Modulation { shape: Shape::Sine, hertz: 8.8, depth: 0.02, duty: 0.5 };
    let inter = Interharmonic { hertz: 182.5, share: 0.01 };
    let distortion = Distortion { harmonics, interharmonic: Some(inter), modulation: Some(modulation) };
    Wave { voltage: [0, 1, 2].map(|_| distortion.clone()), current: [0, 1, 2].map(|_| distortion.clone()) }
}

fn bench(seed: u64) -> World {
    let profile = *"684-2-41D-1312AA70-1B14001".parse::<TypeNumber>().unwrap().profile();
    let position = |n: u64| {
        let front_end = FrontEnd::drawn(seed, &n.to_string(), (230.0, 50.0));
        Position::new(&profile, &Settings::delivered(), front_end, &[], seed ^ n, 23.0).unwrap()
    };
    World::new(Reference::drawn(seed, 0.02), (0..3).map(position).collect(), 23.0, Engine::Auto)
}

type Command<'a> = &'a dyn Fn(&mut World);

/// A minute of sines, a wave, and events on both, in steps of this many samples.
fn run(seed: u64, step: u64) -> Vec<(u64, u64, Vec<meterbench_metrology::SampleInstant>)> {
    const END: u64 = 8000 * 60;
    let mut world = bench(seed);
    let dip = |share| Event { phases: [true; 3], share, seconds: 0.2, point_on_wave_deg: 77.0, phase_jump_deg: 15.0 };
    let commands: [(u64, Command<'_>); 5] = [
        (0, &|world| world.source.ramp_to(0, &load())),
        (96_000, &|world| {
            world.source.play(96_000, &dip(0.4));
        }),
        (200_000, &|world| world.source.set(200_000, Output { wave: Some(Arc::new(wave())), ..load() })),
        (248_000, &|world| {
            world.source.play(248_000, &dip(0.7));
        }),
        (400_000, &|world| world.source.set(400_000, load())),
    ];
    let mut now = 0;
    for (n, (at, command)) in commands.iter().enumerate() {
        while now < *at {
            now = (now + step).min(*at);
            world.advance(now * SAMPLE_NS, |_| false);
        }
        command(&mut world);
        let end = commands.get(n + 1).map_or(END, |(next, _)| *next);
        while now < end {
            now = (now + step).min(end);
            world.advance(now * SAMPLE_NS, |_| false);
        }
    }
    (0..3)
        .map(|place| {
            let position = world.look_at(place).unwrap();
            let registered = position.meter().registers().active_import.quanta() as u64;
            (registered, position.meter().sample_index(), position.take_edges())
        })
        .collect()
}

#[test]
fn waves_and_events_are_the_same_to_the_bit_on_one_core_and_on_more() {
    // Steps of 100 samples are taken one position after the other, steps of 10 s by all cores.
    for seed in 0..2 {
        let (serial, parallel) = (run(seed, 100), run(seed, 80_000));
        assert!(serial.iter().all(|(_, _, edges)| edges.len() > 50));
        assert!(serial == parallel, "seed {seed}");
    }
    assert!(run(0, 80_000) != run(1, 80_000));
}
