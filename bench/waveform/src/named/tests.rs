use super::*;

const HALF: NamedWave = NamedWave::HalfWave;
const FIRED: NamedWave = NamedWave::PhaseFired { equal_power: false };
const FIRED_EQUAL: NamedWave = NamedWave::PhaseFired { equal_power: true };
const BURST: NamedWave = NamedWave::BurstFired { equal_power: false };
const BURST_EQUAL: NamedWave = NamedWave::BurstFired { equal_power: true };

/// The current by its components, of a sine of amplitude one, at the angle of the sine (rad); without modulation.
fn current(wave: NamedWave, turn: f64) -> f64 {
    let shaped = wave.current(50.0);
    let own = turn - shaped.lag_deg.to_radians();
    let beside = shaped.distortion.harmonics.iter().map(|h| match h.order {
        // Its RMS value is its value.
        0 => h.percent / 100.0 / SQRT_2,
        n => h.percent / 100.0 * (f64::from(n) * own + h.angle_deg.to_radians()).sin(),
    });
    shaped.fundamental * (own.sin() + beside.sum::<f64>())
}

fn voltage(wave: NamedWave, turn: f64) -> f64 {
    let beside = wave.voltage().harmonics;
    turn.sin()
        + beside
            .iter()
            .map(|h| h.percent / 100.0 * (f64::from(h.order) * turn + h.angle_deg.to_radians()).sin())
            .sum::<f64>()
}

const STEPS: u32 = 4096;

/// Mean over a cycle.
fn mean(of: impl Fn(f64) -> f64) -> f64 {
    (0..STEPS).map(|n| of(f64::from(n) / f64::from(STEPS) * 2.0 * PI)).sum::<f64>() / f64::from(STEPS)
}

#[test]
fn the_series_draw_the_shapes() {
    // Far from the edges; the half-wave has none, and away from its corners little is left beyond order 48.
    for degrees in [10.0f64, 45.0, 60.0, 80.0, 100.0, 135.0, 170.0, 200.0, 250.0, 290.0, 340.0] {
        let turn = degrees.to_radians();
        let sine = turn.sin();
        let half = 2.0 * sine.max(0.0);
        assert!((current(HALF, turn) - half).abs() < 0.007, "{degrees}: {}", current(HALF, turn));
        let passes = degrees.rem_euclid(180.0) > 90.0;
        let fired = if passes { sine } else { 0.0 };
        // A jump leaves ripples of about 1/(π·100·distance).
        assert!((current(FIRED, turn) - fired).abs() < 0.03, "{degrees}: {}", current(FIRED, turn));
        assert!((current(FIRED_EQUAL, turn) - 2.0 * fired).abs() < 0.06);
    }
}

#[test]
fn components_have_the_rms_value_of_the_shape() {
    for wave in NamedWave::ALL {
        let shaped = wave.current(50.0);
        let by_components = shaped.fundamental * rms(&shaped.distortion.harmonics);
        // On and off at 50 %: the mean square is twice that of the mean amplitude.
        let by_components = by_components * if shaped.distortion.modulation.is_some() { SQRT_2 } else { 1.0 };
        // The tail of the phase-fired series beyond order 100 holds 0.2 % of the RMS value, that of the others less than 1e-5.
        let tolerance = if matches!(wave, NamedWave::PhaseFired { .. }) { 2.1e-3 } else { 1e-5 };
        let off = by_components / wave.current_rms() - 1.0;
        assert!(off.abs() < tolerance && off <= 1e-12, "{wave}: {by_components} {}", wave.current_rms());
    }
}

#[test]
fn powers_are_those_of_the_integral() {
    for wave in NamedWave::ALL {
        for lag in [0.0, 30.0, 60.0, -36.87] {
            let shaped = wave.current(50.0);
            let integral = 2.0 * mean(|turn| voltage(wave, turn) * current(wave, turn - f64::to_radians(lag)));
            let active = wave.active(lag);
            assert!((active - integral).abs() < 1e-9, "{wave} {lag}: {active} {integral}");
            let quadrature = 2.0 * mean(|turn| -turn.cos() * current(wave, turn - f64::to_radians(lag)));
            assert!((wave.reactive(lag) - quadrature).abs() < 1e-9, "{wave} {lag} {shaped:?}");
            // A delay of a milliradian of the fundamental, by difference.
            let step = 1e-3f64.to_degrees();
            let slope = (wave.active(lag - step) - wave.active(lag + step)) / 2e-3 / active;
            let sensitivity = wave.delay_sensitivity(lag);
            assert!(
                (slope - sensitivity).abs() < 1e-3 * (1.0 + sensitivity.abs()),
                "{wave} {lag}: {slope} {sensitivity}"
            );
        }
    }
}

#[test]
fn golden_figures_of_the_standards() {
    let close = |value: f64, golden: f64, tolerance: f64| {
        assert!((value - golden).abs() <= tolerance, "{value}, expected {golden}");
    };
    // Powers in multiples of the fundamental's, exact to the last printed digit.
    close(NamedWave::FifthHarmonic.active(0.0), 1.04, 1e-12);
    close(NamedWave::Quadriform.active(0.0), 0.9806, 1e-12);
    close(NamedWave::Peaked.active(0.0), 0.9806, 1e-12);
    close(HALF.active(0.0), 1.0, 1e-12);
    close(FIRED.active(0.0), 0.5, 1e-12);
    close(FIRED_EQUAL.active(0.0), 1.0, 1e-12);
    close(BURST.active(0.0), 0.5, 1e-12);
    close(BURST_EQUAL.active(0.0), 1.0, 1e-12);
    // RMS values and peaks, rounded to the digits given.
    close(NamedWave::FifthHarmonic.current_rms(), 1.0770, 5e-5);
    close(NamedWave::FifthHarmonic.current_peak(), 1.400, 5e-4);
    close(NamedWave::FifthHarmonic.voltage_rms(), 1.005, 5e-4);
    close(NamedWave::FifthHarmonic.voltage_peak(), 1.100, 5e-4);
    close(NamedWave::Quadriform.current_rms(), 1.0736, 5e-5);
    close(NamedWave::Quadriform.current_peak(), 0.9275, 5e-4);
    close(NamedWave::Quadriform.voltage_peak(), 1.033, 5e-4);
    close(NamedWave::Peaked.current_peak(), 1.760, 5e-4);
    close(NamedWave::Peaked.voltage_peak(), 0.9551, 5e-4);
    // Half-wave of a sine of Imax = 100 A: the load point has 50 A.
    close(50.0 * HALF.current_rms(), 70.71, 5e-3);
    close(50.0 * SQRT_2 * HALF.current_peak(), 141.4, 5e-2);
    close(50.0 * HALF.direct(), 45.02, 5e-3);
    let second = HALF.current(50.0).distortion.harmonics.into_iter().find(|h| h.order == 2).expect("a second harmonic");
    close(50.0 * second.percent / 100.0, 21.22, 5e-3);
    // Phase-fired 2.5 A: what is left of it.
    close(2.5 * FIRED.current_rms(), 1.768, 5e-4);
    close(2.5 * FIRED.current(50.0).fundamental, 1.482, 5e-4);
    close(FIRED.current(50.0).lag_deg, 32.48, 5e-3);
    close(FIRED.delay_sensitivity(0.0), 2.0 / PI, 1e-12);
    // Burst-fired: 80 ms at 50 Hz.
    close(BURST.burst_seconds(50.0).expect("a burst"), 0.08, 1e-12);
    close(BURST.current(50.0).distortion.modulation.expect("a modulation").hertz, 12.5, 1e-12);
    close(NamedWave::FifthHarmonic.harmonic_share(0.0), 0.04 / 1.04, 1e-12);
}

#[test]
fn every_wave_survives_a_round_trip_by_its_words() {
    for wave in NamedWave::ALL {
        let json = serde_json::to_string(&wave).expect("words");
        assert_eq!(serde_json::from_str::<NamedWave>(&json).expect("a wave"), wave);
        assert!(wave.to_string().starts_with(wave.name()));
    }
    assert!(serde_json::from_str::<NamedWave>("\"sawtooth\"").is_err());
}

#[test]
fn the_peak_of_a_half_wave_is_not_exceeded_on_the_way_to_it() {
    let harmonics = HALF.current(50.0).distortion.harmonics;
    let highest = |of: &[Harmonic]| {
        let at = |n: u32| {
            let turn = f64::from(n) / f64::from(STEPS) * 2.0 * PI;
            let beside = of.iter().map(|h| match h.order {
                0 => h.percent / 100.0 / SQRT_2,
                n => h.percent / 100.0 * (f64::from(n) * turn + h.angle_deg.to_radians()).sin(),
            });
            (turn.sin() + beside.sum::<f64>()).abs()
        };
        (0..STEPS).map(at).fold(0.0, f64::max)
    };
    for told in 0..=harmonics.len() {
        assert!(highest(&harmonics[..told]) <= HALF.current_peak(), "after {told} components");
    }
    assert!(highest(&harmonics) > 0.999 * HALF.current_peak());
}

#[test]
fn only_what_is_on_is_distorted() {
    let waveform = NamedWave::FifthHarmonic.waveform(50.0, [true, true, false], [true, false, false]);
    assert_eq!(waveform.voltage.clone().map(|d| d.harmonics.len()), [1, 1, 0]);
    assert_eq!(waveform.current.map(|d| d.harmonics.len()), [1, 0, 0]);
    assert!(!waveform.voltage[0].is_none());
}
