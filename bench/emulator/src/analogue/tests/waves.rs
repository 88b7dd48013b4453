use std::f64::consts::{SQRT_2, TAU};
use std::sync::Arc;

use meterbench_metrology::Frame;

use super::*;
use crate::source::wave::{Interharmonic, Modulation, Shape};
use crate::source::{Distortion, Event, Harmonic, Output, Phasor, Segment, Wave};

fn distorted(harmonics: Vec<Harmonic>) -> Distortion {
    Distortion { harmonics, ..Distortion::default() }
}

/// Every order from 2 to 50, on every channel with another amplitude and another angle.
pub(super) fn every_order() -> Wave {
    let channel = |place: usize| {
        let harmonic = |order: u16| Harmonic {
            order,
            share: 0.01 + 0.001 * f64::from((order * 7 + place as u16 * 3) % 11),
            angle_deg: f64::from((order * 37 + place as u16 * 101) % 360),
        };
        distorted((2..=50).map(harmonic).collect())
    };
    Wave { voltage: [0, 1, 2].map(channel), current: [3, 4, 5].map(channel) }
}

pub(super) fn output(hertz: f64, wave: Wave) -> Output {
    let mut output = Output { hertz, wave: Some(Arc::new(wave)), ..Output::default() };
    for phase in 0..3 {
        let lag = 120.0 * phase as f64;
        output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
        output.current[phase] = Phasor { rms: 20.0, lag_deg: lag + 25.0 };
    }
    output
}

pub(super) fn playing(output: Output) -> SourceLog {
    let mut log = SourceLog::default();
    log.set(0, output);
    log
}

fn filled(front_end: FrontEnd, source: &SourceLog, seed: u64, cuts: &[u64]) -> Vec<Frame> {
    let (mut sampler, air, mut frames) = (Sampler::new(front_end, 23.0, seed), Air::new(23.0), Vec::new());
    for &to in cuts {
        while sampler.next_sample() < to {
            sampler.fill(&mut frames, Around { source, air: &air }, to);
        }
    }
    frames
}

fn codes(frame: &Frame) -> [f64; 6] {
    let ([u1, u2, u3], [i1, i2, i3]) = (frame.voltage, frame.current);
    [u1, u2, u3, i1, i2, i3].map(f64::from)
}

/// What a component of the samples is, as a phasor in V or A: they hold whole cycles.
fn component(frames: &[Frame], place: usize, cycles: f64) -> (f64, f64) {
    let step = TAU * cycles / frames.len() as f64;
    let (mut cos, mut sin) = (0.0, 0.0);
    for (n, frame) in frames.iter().enumerate() {
        let (s, c) = (step * n as f64).sin_cos();
        let value = codes(frame)[place];
        (cos, sin) = (cos + value * c, sin + value * s);
    }
    let scale = SQRT_2 / (frames.len() as f64 * COUNTS[place]);
    (cos * scale, sin * scale)
}

#[test]
fn harmonics_of_the_samples_are_those_of_the_wave() {
    let (mut worst, mut worst_angle): (f64, f64) = (0.0, 0.0);
    for (hertz, cycles) in [(49.3, 493.0), (52.5, 525.0)] {
        let output = output(hertz, every_order());
        let frames = filled(FrontEnd::ideal(), &playing(output.clone()), 0, &[80_000]);
        let wave = output.wave.as_ref().unwrap();
        for (place, counts) in COUNTS.into_iter().enumerate() {
            let square: f64 = frames.iter().map(|frame| (codes(frame)[place] / counts).powi(2)).sum();
            let (rms, truth) = ((square / 80_000.0).sqrt(), output.channel(place).rms * wave.channel(place).rms());
            assert!((rms / truth - 1.0).abs() < 2e-6, "place {place}: {rms} {truth}");
            for harmonic in &wave.channel(place).harmonics {
                let truth = output.channel(place).harmonic(harmonic);
                let (cos, sin) = component(&frames, place, cycles * f64::from(harmonic.order));
                let error = cos.hypot(sin) / truth.rms - 1.0;
                let angle = (sin.atan2(cos).to_degrees() - truth.lag_deg + 180.0).rem_euclid(360.0) - 180.0;
                (worst, worst_angle) = (worst.max(error.abs()), worst_angle.max(angle.abs()));
                // The decimation filter is 2e-5 down at order 50 of 52.5 Hz.
                assert!(
                    error.abs() < 3e-5 && angle.abs() < 0.001,
                    "{hertz} Hz, place {place}, {harmonic:?}: {error:e} {angle}"
                );
            }
        }
    }
    println!("orders 2 to 50: amplitude at most {worst:.1e} off, angle {worst_angle:.1e} deg");
}

#[test]
fn what_a_front_end_does_to_every_order_has_a_closed_form() {
    let mut front_end = FrontEnd::drawn(4, "1001", (230.0, 50.0));
    front_end.isolation = (1.002, 0.03);
    let (output, mut noiseless) = (output(50.0, every_order()), front_end.clone());
    for channel in &mut noiseless.channels {
        (channel.voltage_noise, channel.current_noise, channel.heating) = (0.0, 0.0, 0.0);
    }
    noiseless.clock = 1.0;
    let frames = filled(noiseless.clone(), &playing(output.clone()), 0, &[16_000]);
    let wave = output.wave.as_ref().unwrap();
    let mut worst: f64 = 0.0;
    for place in 0..6 {
        let channel = &noiseless.channels[place % 3];
        let gain = noiseless.gains(&output, &Thermal { case_c: 23.0, rise_k: [0.0; 3] })[place];
        for harmonic in &wave.channel(place).harmonics {
            let order = f64::from(harmonic.order);
            let wanted = output.channel(place).harmonic(harmonic);
            let (path, later, residue) = if place < 3 {
                (1.002, order * 0.03, channel.voltage_converter.residue)
            } else {
                (1.0, -order * channel.lead_rad.to_degrees(), channel.current_converter.residue)
            };
            let equalised = 1.0 + residue * (order / 50.0).powi(2);
            let truth = Phasor { rms: wanted.rms * path * gain * equalised, lag_deg: wanted.lag_deg + later }.parts();
            let (cos, sin) = component(&frames, place, 100.0 * order);
            let off = (cos - truth.0).hypot(sin - truth.1) / wanted.rms;
            worst = worst.max(off);
            // Left out of the closed form here: the filter, 4e-6 down, and the coupling from voltage, 2e-7 A/V.
            assert!(off < 2e-4, "place {place}, {harmonic:?}: {off:e}");
        }
    }
    println!("every order through a drawn front end: at most {worst:.1e} of a component from its closed form");
}

/// A wave with all there is.
pub(super) fn fluctuating(hertz: f64) -> Output {
    let mut wave = every_order();
    for place in 0..3 {
        let hertz = [13.7, 8.8, 25.0][place];
        wave.voltage[place].interharmonic = Some(Interharmonic { hertz: 182.5, share: 0.03 });
        wave.voltage[place].modulation = Some(Modulation { shape: Shape::Sine, hertz, depth: 0.1, duty: 0.5 });
        wave.current[place].interharmonic = Some(Interharmonic { hertz: 15.0, share: 0.05 });
        let rectangle = Modulation { shape: Shape::Rectangle, hertz: hertz / 2.0, depth: 1.0, duty: 0.3 };
        wave.current[place].modulation = Some(rectangle);
    }
    wave.current[1].harmonics.push(Harmonic { order: 0, share: 0.3, angle_deg: 0.0 });
    output(hertz, wave)
}

/// Samples against the momentary values of the source; how many counts off the worst is.
fn worst_sample(frames: &[Frame], source: &SourceLog, clock: f64) -> f64 {
    let segment_at = |moment: f64| -> &Segment { &source.segments()[source.index_at(moment + 1e-6)] };
    let mut worst: f64 = 0.0;
    for (n, frame) in frames.iter().enumerate() {
        let moment = n as f64 / clock;
        for (place, code) in codes(frame).into_iter().enumerate() {
            worst = worst.max((code - segment_at(moment).value(place, moment) * COUNTS[place]).abs());
        }
    }
    worst
}

#[test]
fn samples_of_a_fluctuating_wave_with_events_are_its_momentary_values() {
    for hertz in [49.3, 50.0] {
        let mut source = playing(fluctuating(hertz));
        let event = Event {
            phases: [true, true, false],
            share: 0.3,
            seconds: 0.0733,
            point_on_wave_deg: 90.0,
            phase_jump_deg: 20.0,
        };
        for n in 1..4 {
            // Planned one after the other, as the source's instrument does.
            let mut later = source.clone();
            later.play(n * 8000 + 17, &event);
            source = later;
        }
        let clock = 1.000_013;
        let frames = filled(FrontEnd { clock, ..FrontEnd::ideal() }, &source, 0, &[40_000]);
        let worst = worst_sample(&frames, &source, clock);
        println!("{hertz} Hz, fluctuating, three events: at most {worst:.2} counts off");
        // Half a count of quantisation; of components of 90 000 counts the filter takes up to 5e-6, the table up to 8e-7 each.
        assert!(worst < 2.0, "{hertz}: {worst}");
    }
}

#[test]
fn cutting_a_wave_with_events_into_blocks_never_changes_a_bit() {
    let mut source = playing(fluctuating(50.0));
    source.play(
        9000,
        &Event { phases: [true; 3], share: 0.0, seconds: 0.25, point_on_wave_deg: 37.0, phase_jump_deg: 0.0 },
    );
    let run = |seed: u64, cuts: &[u64]| filled(FrontEnd::drawn(seed, "1001", (230.0, 50.0)), &source, seed, cuts);
    let cut: Vec<u64> = (1..).map(|n| n * 37).take_while(|&n| n < 20_000).chain([20_000]).collect();
    let whole = run(5, &[20_000]);
    assert_eq!(whole.len(), 20_000);
    assert!(whole == run(5, &cut), "cut");
    assert!(whole == run(5, &[20_000]), "again");
    assert!(whole != run(6, &[20_000]), "another seed");
}

#[test]
fn an_event_changes_the_samples_at_its_moment() {
    // The last sample before the event, and the first of it, where it begins a tenth of a sample after or before a sample.
    let clean = playing(Output { wave: None, ..fluctuating(50.0) });
    let event = |degrees| Event {
        phases: [true; 3],
        share: 0.0,
        seconds: 0.1,
        point_on_wave_deg: degrees,
        phase_jump_deg: 0.0,
    };
    // L1 stands at 90 degrees at sample 0 and turns by 2.25 degrees a sample.
    for (degrees, first) in [(90.0 - 0.225, 8000), (90.0 + 0.225, 8001), (90.0, 8000)] {
        let mut source = clean.clone();
        let span = source.play(7900, &event(degrees));
        let frames = filled(FrontEnd::ideal(), &source, 0, &[8010]);
        let silent = frames.iter().skip(7900).position(|frame| frame.voltage == [0; 3]).unwrap() + 7900;
        assert_eq!(silent, first, "{degrees} deg: {span:?}");
    }
}

#[test]
fn a_saturated_transformer_loses_gain_by_the_direct_part_and_passes_none() {
    let direct = 2.0 * SQRT_2 / std::f64::consts::PI;
    let wave = |share| Wave {
        current: [0, 1, 2].map(|_| distorted(vec![Harmonic { order: 0, share, angle_deg: 0.0 }])),
        ..Wave::default()
    };
    let mut front_end = FrontEnd::ideal();
    for channel in &mut front_end.channels {
        channel.saturation = Some(-0.1 / (20.0 * direct));
    }
    let run = |share: f64| {
        let frames = filled(front_end.clone(), &playing(output(50.0, wave(share))), 0, &[8000]);
        let (cos, sin) = component(&frames, 3, 50.0);
        let mean: f64 = frames.iter().map(|frame| codes(frame)[3]).sum::<f64>() / 8000.0;
        (cos.hypot(sin), mean)
    };
    let ((alone, _), (half, _), (biased, mean)) = (run(0.0), run(direct / 2.0), run(direct));
    assert!((alone - 20.0).abs() < 1e-4 && (half - 19.0).abs() < 1e-4 && (biased - 18.0).abs() < 1e-4);
    assert!(mean.abs() < 1.0, "{mean}");
}

#[test]
fn without_its_filter_what_lies_above_half_the_sampling_rate_folds_back() {
    let wave = || Wave {
        current: [0, 1, 2].map(|_| distorted(vec![Harmonic { order: 97, share: 0.1, angle_deg: 0.0 }])),
        ..Wave::default()
    };
    let folded = |front_end: FrontEnd| {
        let frames = filled(front_end, &playing(output(50.0, wave())), 0, &[8000]);
        let (cos, sin) = component(&frames, 3, 63.0 * 50.0);
        cos.hypot(sin) / 2.0
    };
    let mut plain = FrontEnd::ideal();
    for channel in &mut plain.channels {
        channel.current_converter.plain = Some(Converter::corner_losing(0.4, 50.0));
    }
    // Order 97 comes back as order 63: 160 - 97.
    let (sound, faulty) = (folded(FrontEnd::ideal()), folded(plain));
    println!("order 97 as order 63: {sound:.5} of itself; without the filter {faulty:.5}");
    assert!(sound < 0.01 && faulty > 0.02, "{sound} {faulty}");
}
