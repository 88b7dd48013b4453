use super::*;
use crate::source::Phasor;
use crate::source::wave::{Distortion, Interharmonic, Modulation, Shape, Wave};

fn full() -> Output {
    let mut output = Output { hertz: 50.0, ..Output::default() };
    for phase in 0..3 {
        let lag = 120.0 * phase as f64;
        output.voltage[phase] = Phasor { rms: 230.0, lag_deg: lag };
        output.current[phase] = Phasor { rms: 5.0, lag_deg: lag + 60.0 };
    }
    output
}

#[test]
fn a_ramp_reaches_its_target_after_half_a_second() {
    let mut log = SourceLog::default();
    log.ramp_to(8000, &full());
    assert!(!log.output_at(7999).is_energised());
    assert!((log.output_at(8000).voltage[0].rms - 23.0).abs() < 1e-9);
    let end = log.output_at(8000 + 3600);
    assert!((0..3).all(|p| (end.active_watt(p) - 575.0).abs() < 1e-6), "{end:?}");
}

/// Amplifiers with errors make figures whose sums do not come out even: what stands after a ramp is what was asked for.
#[test]
fn a_ramp_ends_at_its_target_to_the_last_bit() {
    let (mut log, mut target) = (SourceLog::default(), full());
    for step in 0..50u64 {
        target.voltage[0].rms = 230.0 * (1.0 + 1e-5 * f64::from(step as u32).sin());
        target.current[1].rms = 0.1 + 0.7 * step as f64;
        log.ramp_to(8000 * step, &target);
        assert_eq!(log.standing(), &target, "{step}");
    }
}

#[test]
fn the_phase_runs_on_through_a_change_of_frequency() {
    let mut log = SourceLog::default();
    log.set(100, full());
    log.set(333, Output { hertz: 51.0, ..full() });
    let segments = log.segments();
    let (before, after) = (&segments[segments.len() - 2], &segments[segments.len() - 1]);
    assert!((before.angle_at(333.0) - after.angle_at(333.0)).abs() < 1e-9);
}

#[test]
fn a_new_command_drops_what_was_planned() {
    let mut log = SourceLog::default();
    log.ramp_to(0, &full());
    log.set(900, Output { hertz: 50.0, ..Output::default() });
    assert!(!log.output_at(100_000).is_energised());
}

fn dip(point_on_wave_deg: f64) -> Event {
    Event { phases: [true, false, false], share: 0.4, seconds: 0.2, point_on_wave_deg, phase_jump_deg: 30.0 }
}

#[test]
fn an_event_begins_at_its_point_on_wave_and_lasts_its_time() {
    let mut worst: f64 = 0.0;
    for hertz in [49.3, 50.0, 51.7] {
        for degrees in [0.0, 45.0, 90.0, 180.0, 271.3, 359.9] {
            let mut log = SourceLog::default();
            log.set(0, Output { hertz, voltage: [Phasor { rms: 230.0, lag_deg: 17.0 }; 3], ..full() });
            let before = log.standing().clone();
            let span = log.play(123_457, &dip(degrees));
            assert!((0.0..8000.0 / hertz + 1e-6).contains(&(span.begin - 123_457.0)), "the next time");
            assert!((span.end - span.begin - 1600.0).abs() < 1e-6);
            let standing = &log.segments()[0];
            // sin θ of the fundamental of L1, from its value and that a quarter turn ahead.
            let (here, ahead) = (standing.value(0, span.begin), standing.value(0, span.begin + 2000.0 / hertz));
            let found = here.atan2(ahead).to_degrees();
            worst = worst.max(((found - degrees + 180.0).rem_euclid(360.0) - 180.0).abs());
            let during = log.output_at(span.begin as u64 + 1);
            assert!((during.voltage[0].rms - 92.0).abs() < 1e-9 && during.voltage[0].lag_deg == -13.0);
            assert_eq!(during.voltage[1..], before.voltage[1..]);
            assert_eq!(*log.output_at(span.end as u64 + 1), before);
        }
    }
    println!("point on wave: at most {worst:.2e} deg off");
    assert!(worst < 0.01, "{worst}");
}

#[test]
fn an_event_within_an_event_ends_it_and_stands_on_what_stood_before() {
    let mut log = SourceLog::default();
    log.set(0, full());
    log.play(8000, &dip(0.0));
    let span = log.play(8500, &dip(90.0));
    assert_eq!(*log.output_at(8501), full(), "until L1 passes the second point on wave");
    assert!((log.output_at(span.begin as u64 + 1).voltage[0].rms - 92.0).abs() < 1e-9, "not 40 % of 40 %");
    log.set(8700, Output { hertz: 50.0, ..Output::default() });
    assert!(!log.output_at(20_000).is_energised(), "a later command drops the rest");
}

#[test]
fn a_wave_runs_on_through_an_event_and_begins_anew_with_another() {
    let modulation = Modulation { shape: Shape::Sine, hertz: 8.8, depth: 0.2, duty: 0.5 };
    let inter = Interharmonic { hertz: 182.5, share: 0.1 };
    let distortion = Distortion { interharmonic: Some(inter), modulation: Some(modulation), ..Distortion::default() };
    let wave = Arc::new(Wave { voltage: [0, 1, 2].map(|_| distortion.clone()), ..Wave::default() });
    let mut log = SourceLog::default();
    log.set(800, Output { wave: Some(wave), ..full() });
    let alone = log.clone();
    let span = log.play(9000, &dip(37.0));
    let long_after = span.end + 12_345.6;
    let value = |log: &SourceLog| log.segments()[log.index_at(long_after)].value(2, long_after);
    assert!((value(&log) - value(&alone)).abs() < 1e-6, "{} {}", value(&log), value(&alone));
    log.set(100_000, Output { wave: Some(Arc::new(Wave::default())), ..full() });
    assert_eq!(log.segments().last().map(|s| s.begun), Some(100_000.0));
}

#[test]
fn bursts_of_whole_cycles_switch_at_zero_crossings() {
    let bursts = Modulation { shape: Shape::Rectangle, hertz: 12.5, depth: 2.0, duty: 0.5 };
    let distortion = Distortion { modulation: Some(bursts), ..Distortion::default() };
    let wave = Arc::new(Wave { current: [0, 1, 2].map(|_| distortion.clone()), ..Wave::default() });
    let mut log = SourceLog::default();
    log.set(333, Output { wave: Some(wave), ..full() });
    let segment = log.segments().last().unwrap();
    for phase in 0..3 {
        let from = segment.modulated_from(3 + phase);
        assert!((0.0..160.0).contains(&(from - 333.0)));
        // Two cycles at twice the amplitude, two without.
        for k in 0..8 {
            let at = from + 80.0 * f64::from(k) + 40.0;
            let expected = if k < 4 { 2.0 * SQRT_2 * 5.0 } else { 0.0 };
            assert!((segment.value(3 + phase, at).abs() - expected).abs() < 1e-6, "L{} {k}", phase + 1);
        }
        assert!(segment.value(3 + phase, from + 0.01) > 0.0 && segment.value(3 + phase, from).abs() < 1e-6);
    }
}
