//! The metrology against the analytic truth of the stimulus.
//!
//! The front end here is ideal but quantises; every figure printed is the numerical error of the metrology itself.

mod quality;

use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::{
    AMPERE_FULL_SCALE, Config, ConfigError, FULL_SCALE, Frame, Impulse, ImpulseQuantity, Impulses, MeterConstant,
    PhaseCalibration, PhaseSequence, Quadrant, SAMPLE_RATE, State, Systems, VOLT_FULL_SCALE,
};

/// A steady symmetrical load: the analytic truth of every test.
#[derive(Clone, Copy)]
struct Load {
    volt: f64,
    ampere: f64,
    /// Current lags by this angle (deg); positive = inductive.
    lag_deg: f64,
    hertz: f64,
    systems: Systems,
}

impl Load {
    const fn three_phase(ampere: f64, lag_deg: f64) -> Self {
        Self { volt: 230.0, ampere, lag_deg, hertz: 50.0, systems: Systems::Three }
    }

    fn phases(&self) -> f64 {
        self.systems as u8 as f64
    }

    fn active_w(&self) -> f64 {
        self.phases() * self.volt * self.ampere * self.lag_deg.to_radians().cos()
    }

    fn reactive_var(&self) -> f64 {
        self.phases() * self.volt * self.ampere * self.lag_deg.to_radians().sin()
    }

    fn frame(&self, index: u64) -> Frame {
        let turn = self.hertz * index as f64 / f64::from(SAMPLE_RATE);
        let wave = |rms: f64, lag_deg: f64, full_scale: u32| {
            let value = SQRT_2 * rms * (TAU * turn - lag_deg.to_radians()).sin();
            (value * f64::from(FULL_SCALE) / f64::from(full_scale)).round() as i32
        };
        let mut frame = Frame::default();
        for phase in 0..3 {
            let shift = 120.0 * phase as f64;
            frame.voltage[phase] = wave(self.volt, shift, VOLT_FULL_SCALE);
            frame.current[phase] = wave(self.ampere, shift + self.lag_deg, AMPERE_FULL_SCALE);
        }
        frame
    }
}

fn config_with(systems: Systems, quantity: ImpulseQuantity, calibration: &[PhaseCalibration; 3]) -> Config {
    let impulses = Impulses { quantity, constant: MeterConstant::new(1000).unwrap(), width: Impulses::WIDTH_30_MS };
    Config::new(systems, calibration, 2300, 79_350, impulses).unwrap()
}

fn config(systems: Systems) -> Config {
    config_with(systems, ImpulseQuantity::Active, &Default::default())
}

fn run(config: &Config, state: &mut State, load: &Load, seconds: f64, mut sink: impl FnMut(Impulse)) {
    for _ in 0..(seconds * f64::from(SAMPLE_RATE)) as u64 {
        let frame = load.frame(state.sample_index());
        if let Some(impulse) = config.process(state, &frame) {
            sink(impulse);
        }
    }
}

/// Energy that `read` gained over `seconds` after one second of settling (Wh).
fn gained(config: &Config, load: &Load, seconds: f64, read: impl Fn(&State) -> u128) -> f64 {
    let mut state = State::default();
    run(config, &mut state, load, 1.0, |_| ());
    let before = read(&state);
    run(config, &mut state, load, seconds, |_| ());
    (read(&state) as i128 - before as i128) as f64 / (240u128 << 76) as f64
}

fn error_percent(measured: f64, truth: f64) -> f64 {
    100.0 * (measured - truth) / truth
}

#[test]
fn active_energy_is_within_20_ppm_from_itr_to_imax() {
    let mut worst = 0.0f64;
    for systems in [Systems::One, Systems::Three] {
        for hertz in [50.0, 49.0, 51.0] {
            for ampere in [0.5, 5.0, 50.0, 100.0] {
                for lag_deg in [0.0, 60.0, -36.87, 180.0] {
                    let load = Load { volt: 230.0, ampere, lag_deg, hertz, systems };
                    // Off nominal a window of whole cycles is not a whole number of samples: let the ends average out.
                    let seconds = if hertz == 50.0 { 4.0 } else { 20.0 };
                    let wh = gained(&config(systems), &load, seconds, |s| {
                        let t = s.total();
                        t.active_import.quanta().wrapping_sub(t.active_export.quanta())
                    });
                    let error = error_percent(wh, load.active_w() * seconds / 3600.0);
                    if hertz == 50.0 {
                        worst = worst.max(error.abs());
                    }
                    let bound = if hertz == 50.0 { 0.002 } else { 0.11 / seconds };
                    assert!(error.abs() < bound, "{ampere} A, {lag_deg} deg, {hertz} Hz: {error:+.5} %");
                }
            }
        }
    }
    println!("active energy, 0.5 A to 100 A, 50 Hz: worst error {worst:.5} %");
}

#[test]
fn active_energy_at_the_starting_current_is_within_200_ppm() {
    for systems in [Systems::One, Systems::Three] {
        let load = Load { systems, ..Load::three_phase(0.020, 0.0) };
        let wh = gained(&config(systems), &load, 20.0, |s| s.total().active_import.quanta());
        let error = error_percent(wh, load.active_w() * 20.0 / 3600.0);
        println!("active energy at 20 mA: {error:+.5} %");
        assert!(error.abs() < 0.02);
    }
}

#[test]
fn fundamental_reactive_energy_is_within_100_ppm() {
    let mut worst = 0.0f64;
    for hertz in [50.0, 49.0, 51.0, 47.5, 52.5] {
        for ampere in [0.5, 5.0, 100.0] {
            for lag_deg in [90.0, 30.0, -30.0, 150.0, -90.0] {
                let load = Load { hertz, ..Load::three_phase(ampere, lag_deg) };
                let signed =
                    |s: &State| s.total().reactive_import().quanta().wrapping_sub(s.total().reactive_export().quanta());
                let windows = (20.0 * hertz / 10.0_f64).round();
                let varh = gained(&config(Systems::Three), &load, windows * 10.0 / hertz, signed);
                // Booked once per window: compare over the windows that ended in the interval.
                let truth = load.reactive_var() * windows * 10.0 / hertz / 3600.0;
                let error = error_percent(varh, truth);
                let per_window = 100.0 / windows;
                // The cut may fall on either side of one window, no further.
                let error = error - (error / per_window).round().clamp(-1.0, 1.0) * per_window;
                worst = worst.max(error.abs());
                assert!(error.abs() < 0.01, "{ampere} A, {lag_deg} deg, {hertz} Hz: {error:+.5} %");
            }
        }
    }
    println!("fundamental reactive energy, 47.5 to 52.5 Hz: worst error {worst:.5} %");
}

#[test]
fn harmonics_do_not_enter_reactive_energy() {
    let (config, load) = (config(Systems::Three), Load::three_phase(10.0, 90.0));
    let mut state = State::default();
    let mut before = 0;
    for n in 0..41_000 {
        let mut frame = load.frame(n);
        for phase in 0..3 {
            let fifth = (TAU * 5.0 * (50.0 * n as f64 / 8000.0 - phase as f64 / 3.0)).sin();
            frame.voltage[phase] += (0.1 * SQRT_2 * 230.0 * fifth * f64::from(FULL_SCALE) / 600.0) as i32;
            frame.current[phase] += (0.4 * SQRT_2 * 10.0 * fifth * f64::from(FULL_SCALE) / 200.0) as i32;
        }
        let _ = config.process(&mut state, &frame);
        if n == 9000 {
            before = state.total().reactive_import().quanta();
        }
    }
    let varh = (state.total().reactive_import().quanta() - before) as f64 / (240u128 << 76) as f64;
    let error = error_percent(varh, load.reactive_var() * 4.0 / 3600.0);
    println!("reactive energy with a fifth harmonic in U and I: {error:+.5} %");
    assert!(error.abs() < 0.01);
}

#[test]
fn only_the_proper_registers_advance_over_a_full_circle() {
    let config = config(Systems::Three);
    for degrees in (0..360).step_by(15) {
        let load = Load::three_phase(5.0, f64::from(degrees));
        let mut state = State::default();
        run(&config, &mut state, &load, 2.0, |_| ());
        let settled = *state.total();
        run(&config, &mut state, &load, 2.0, |_| ());
        let moved = |now: u128, then: u128| (now - then) as f64 / (240u128 << 76) as f64;
        let now = state.total();
        let (active, reactive) = (load.active_w() * 2.0 / 3600.0, load.reactive_var() * 2.0 / 3600.0);
        let close = |got: f64, wanted: f64| (got - wanted.max(0.0)).abs() < 2e-4;
        assert!(close(moved(now.active_import.quanta(), settled.active_import.quanta()), active), "{degrees}: A+");
        assert!(close(moved(now.active_export.quanta(), settled.active_export.quanta()), -active), "{degrees}: A-");
        let quadrant = match degrees {
            0..=90 => Quadrant::Q1,
            91..=180 => Quadrant::Q2,
            181..=269 => Quadrant::Q3,
            _ => Quadrant::Q4,
        };
        for (n, (now, then)) in now.reactive.iter().zip(settled.reactive).enumerate() {
            let wanted = if n == quadrant as usize { reactive.abs() } else { 0.0 };
            // On the axes the sign of the vanishing power is the sign of noise: only the sum is certain there.
            if degrees % 90 != 0 {
                assert!(close(moved(now.quanta(), then.quanta()), wanted), "{degrees}: R{}", n + 1);
            }
        }
    }
}

#[test]
fn sums_over_phases_and_quadrants_are_exact() {
    let config = config(Systems::Three);
    let mut state = State::default();
    for (n, lag) in [10.0, 200.0, -75.0, 100.0].into_iter().enumerate() {
        let load = Load { hertz: 49.3 + n as f64, ..Load::three_phase(7.0, lag) };
        run(&config, &mut state, &load, 1.7, |_| ());
    }
    let net = |r: &meterbench_metrology::Registers| r.active_import.quanta() as i128 - r.active_export.quanta() as i128;
    assert_eq!(net(state.total()), (0..3).map(|p| net(state.phase(p))).sum::<i128>());
    let t = state.total();
    let net_reactive = |r: &meterbench_metrology::Registers| {
        r.reactive_import().quanta() as i128 - r.reactive_export().quanta() as i128
    };
    assert_eq!(net_reactive(t), (0..3).map(|p| net_reactive(state.phase(p))).sum::<i128>());
    assert_eq!(
        t.apparent_import.quanta() + t.apparent_export.quanta(),
        (0..3).map(|p| state.phase(p).apparent_import.quanta() + state.phase(p).apparent_export.quanta()).sum::<u128>()
    );
}

#[test]
fn impulses_stand_apart_at_the_highest_power() {
    let load = Load { volt: 264.5, ..Load::three_phase(100.0, 0.0) };
    let config = config(Systems::Three);
    let (mut state, mut rises) = (State::default(), Vec::new());
    run(&config, &mut state, &load, 10.0, |impulse| {
        assert_eq!(impulse.fall.nanoseconds() - impulse.rise.nanoseconds(), 30_000_000);
        rises.push(impulse.rise);
    });
    let period_ns = 3600.0 / load.active_w() * 1e9;
    let worst = rises[20..]
        .windows(2)
        .map(|pair| ((pair[1].nanoseconds() - pair[0].nanoseconds()) as f64 - period_ns).abs())
        .fold(0.0, f64::max);
    println!("impulses every {:.3} ms, off by at most {:.0} ns", period_ns / 1e6, worst);
    assert!((period_ns / 1e6 - 45.37).abs() < 0.01 && worst < 2_000.0);
}

#[test]
fn single_phase_ripple_does_not_shake_the_impulses() {
    let load = Load { systems: Systems::One, ..Load::three_phase(100.0, 0.0) };
    let (mut state, mut rises) = (State::default(), Vec::new());
    run(&config(Systems::One), &mut state, &load, 10.0, |impulse| rises.push(impulse.rise.nanoseconds()));
    let period_ns = 3600.0 / load.active_w() * 1e9;
    let worst = rises[5..].windows(2).map(|p| ((p[1] - p[0]) as f64 - period_ns).abs()).fold(0.0, f64::max);
    assert!(worst < 5_000.0, "{worst} ns");
}

#[test]
fn an_import_only_meter_counts_import_and_not_export() {
    let config = config(Systems::One).import_only();
    for (lag_deg, counts) in [(0.0, true), (180.0, false)] {
        let load = Load { systems: Systems::One, ..Load::three_phase(100.0, lag_deg) };
        let (mut state, mut impulses) = (State::default(), 0u64);
        run(&config, &mut state, &load, 10.0, |_| impulses += 1);
        let registered = if counts { state.total().active_import } else { state.total().active_export };
        assert!(registered.watt_hours() > 60, "{registered:?}");
        assert_eq!(impulses, if counts { registered.watt_hours() } else { 0 });
    }
}

#[test]
fn impulses_and_register_agree() {
    let load = Load::three_phase(100.0, 60.0);
    let (mut state, mut impulses) = (State::default(), 0u64);
    run(&config(Systems::Three), &mut state, &load, 30.0, |_| impulses += 1);
    assert!(state.total().active_import.watt_hours().abs_diff(impulses) <= 1);
}

#[test]
fn reactive_impulses_follow_reactive_energy() {
    let load = Load::three_phase(50.0, 30.0);
    let config = config_with(Systems::Three, ImpulseQuantity::Reactive, &Default::default());
    let (mut state, mut impulses) = (State::default(), 0u64);
    run(&config, &mut state, &load, 30.0, |_| impulses += 1);
    assert!(state.total().reactive_import().watt_hours().abs_diff(impulses) <= 1, "{impulses}");
}

#[test]
fn below_the_starting_power_nothing_is_registered() {
    let load = Load::three_phase(0.009, 0.0);
    let (mut state, mut impulses) = (State::default(), 0);
    run(&config(Systems::Three), &mut state, &load, 5.0, |_| impulses += 1);
    assert_eq!((impulses, state.total().active_import.quanta()), (0, 0));
}

#[test]
fn readings_match_the_stimulus() {
    let load = Load { hertz: 50.3, ..Load::three_phase(10.0, 60.0) };
    let mut state = State::default();
    run(&config(Systems::Three), &mut state, &load, 3.0, |_| ());
    let readings = state.readings();
    assert!(readings.frequency_mhz.unwrap().abs_diff(50_300) <= 1);
    assert_eq!(readings.phase_sequence, Some(PhaseSequence::Forward));
    for phase in &readings.phases {
        assert!(phase.voltage_mv.abs_diff(230_000) < 115, "{phase:?}");
        assert!(phase.current_ma.abs_diff(10_000) < 5, "{phase:?}");
        assert!((phase.power_factor - 5000).abs() < 8 && phase.quadrant == Quadrant::Q1, "{phase:?}");
    }
    assert!((readings.total.active_mw - 3_450_000).abs() < 1500, "{:?}", readings.total);
}

#[test]
fn swapped_phases_show_in_the_sequence() {
    let (config, load) = (config(Systems::Three), Load::three_phase(1.0, 0.0));
    let mut state = State::default();
    for n in 0..16_000 {
        let mut frame = load.frame(n);
        frame.voltage.swap(1, 2);
        let _ = config.process(&mut state, &frame);
    }
    assert_eq!(state.readings().phase_sequence, Some(PhaseSequence::Reversed));
}

#[test]
fn calibration_corrects_gain_and_phase() {
    // The current channel reads 1 % low and leads by 20 minutes of arc (0.1294 samples at 50 Hz): both trimmed out.
    let lead_deg = 20.0 / 60.0;
    let samples = lead_deg / 360.0 * f64::from(SAMPLE_RATE) / 50.0;
    let trim = PhaseCalibration {
        current_gain: (f64::from(PhaseCalibration::UNITY) / 0.99) as i32,
        current_delay: (samples * 65_536.0).round() as i16,
        ..PhaseCalibration::default()
    };
    let config = config_with(Systems::Three, ImpulseQuantity::Active, &[trim; 3]);
    let truth = Load::three_phase(5.0, 60.0);
    let seen = Load { ampere: 5.0 * 0.99, lag_deg: 60.0 - lead_deg, ..truth };
    let wh = gained(&config, &seen, 10.0, |s| s.total().active_import.quanta());
    let error = error_percent(wh, truth.active_w() * 10.0 / 3600.0);
    println!("after trimming gain and phase: {error:+.5} %");
    assert!(error.abs() < 0.002);
}

#[test]
fn calibration_takes_a_power_offset_off() {
    // 2 W per phase of coupling at 50 W per phase: 4 % without, nothing with the trim.
    let load = Load::three_phase(50.0 / 230.0, 0.0);
    let seen = Load { ampere: 52.0 / 230.0, ..load };
    let counts_per_watt = f64::from(FULL_SCALE) / 600.0 * f64::from(FULL_SCALE) / 200.0;
    let trim = PhaseCalibration { power_offset: (2.0 * counts_per_watt) as i32, ..PhaseCalibration::default() };
    let error = |calibration: [PhaseCalibration; 3]| {
        let config = config_with(Systems::Three, ImpulseQuantity::Active, &calibration);
        let wh = gained(&config, &seen, 10.0, |s| s.total().active_import.quanta());
        error_percent(wh, load.active_w() * 10.0 / 3600.0)
    };
    assert!((error(Default::default()) - 4.0).abs() < 0.01);
    let trimmed = error([trim; 3]);
    println!("after trimming a power offset: {trimmed:+.5} %");
    assert!(trimmed.abs() < 0.002);
}

#[test]
fn direct_current_does_not_count() {
    let (config, load) = (config(Systems::One), Load { systems: Systems::One, ..Load::three_phase(5.0, 0.0) });
    let mut state = State::default();
    let mut before = 0;
    for n in 0..60 * u64::from(SAMPLE_RATE) {
        let mut frame = load.frame(n);
        // 10 A and 20 V of direct current: 17 % of the power, were it counted.
        frame.current[0] += 419_430;
        frame.voltage[0] += 279_620;
        let _ = config.process(&mut state, &frame);
        if n == 40 * u64::from(SAMPLE_RATE) {
            before = state.total().active_import.quanta();
        }
    }
    let wh = (state.total().active_import.quanta() - before) as f64 / (240u128 << 76) as f64;
    let error = error_percent(wh, load.active_w() * (20.0 - 1.0 / 8000.0) / 3600.0);
    assert!(error.abs() < 0.12, "{error}: at most one cycle may be booked on the other side of the cut");
}

#[test]
fn noise_on_a_dead_input_is_no_mains() {
    let config = config(Systems::Three);
    let mut state = State::default();
    let mut noise = 1u32;
    for _ in 0..8000 {
        let mut draw = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 22) as i32 - 512
        };
        let frame = Frame { voltage: [draw(), draw(), draw()], current: [draw(), draw(), draw()] };
        let _ = config.process(&mut state, &frame);
        assert_eq!(state.readings().frequency_mhz, None);
    }
}

#[test]
fn losing_the_synchronising_phase_costs_no_reactive_energy_on_the_others() {
    let (config, load) = (config(Systems::Three), Load::three_phase(10.0, 60.0));
    let mut state = State::default();
    let mut before = 0;
    for n in 0..80_000 {
        let mut frame = load.frame(n);
        if n >= 24_777 {
            frame.voltage[0] = if n % 7 == 0 { 200 } else { -180 };
        }
        let _ = config.process(&mut state, &frame);
        if n == 16_800 {
            before = state.phase(1).reactive_import().quanta();
        }
    }
    let varh = (state.phase(1).reactive_import().quanta() - before) as f64 / (240u128 << 76) as f64;
    let truth = load.reactive_var() / 3.0 * f64::from(80_000 - 16_800) / 8000.0 / 3600.0;
    let windows = error_percent(varh, truth) / (100.0 * 1600.0 / f64::from(80_000 - 16_800));
    assert!(windows.abs() < 1.01, "{windows} windows of reactive energy are missing");
}

#[test]
fn impulses_that_would_merge_are_refused() {
    let impulses =
        |k, width| Impulses { quantity: ImpulseQuantity::Active, constant: MeterConstant::new(k).unwrap(), width };
    let calibration = Default::default();
    let refused = Config::new(Systems::Three, &calibration, 2300, 79_350, impulses(1000, 640)).unwrap_err();
    assert_eq!(refused, ConfigError::ImpulsesMerge { power_w: 79_350, period_ms: 45, width_ms: 80 });
    assert!(Config::new(Systems::Three, &calibration, 2300, 79_350, impulses(1000, 240)).is_ok());
}

#[test]
fn any_sample_value_is_survived() {
    let config = config(Systems::Three);
    let mut state = State::default();
    let extremes = [i32::from(i16::MIN), FULL_SCALE - 1, -FULL_SCALE, 0, 1];
    for n in 0..40_000usize {
        let value = |k: usize| extremes[(n * 7 + k * n / 3) % extremes.len()];
        let frame = Frame { voltage: [value(1), value(2), value(3)], current: [value(4), value(5), value(6)] };
        let _ = config.process(&mut state, &frame);
    }
}

#[test]
fn a_power_cut_costs_less_than_one_cycle_and_no_impulse() {
    let config = config(Systems::Three);
    let load = Load::three_phase(90.0, 30.0);
    let (mut state, mut impulses, mut seconds) = (State::default(), 0u128, 0.0);
    for cut in 0..40 {
        // Each stretch ends somewhere else within its cycle and within its window.
        let stretch = 0.7 + 0.003_125 * f64::from(cut);
        run(&config, &mut state, &load, stretch, |_| impulses += 1);
        seconds += stretch;
        let kept = state.kept();
        state = State::with_kept(&kept);
        assert_eq!((state.kept(), state.sample_index()), (kept, 0));
        let booked = kept.total.active_import.quanta() * 1000;
        assert_eq!(booked, impulses * (1000 * (240u128 << 76)) + kept.collected, "cut {cut}");
        let phases = kept.phases.iter().map(|p| p.active_import.quanta()).sum::<u128>();
        assert_eq!(phases, kept.total.active_import.quanta(), "cut {cut}");
        let booked_s = kept.total.active_import.microwatt_hours() as f64 * 0.0036 / load.active_w();
        let lost_s = (seconds - booked_s) / f64::from(cut + 1);
        assert!((0.0..0.0235).contains(&lost_s), "cut {cut}: {lost_s} s lost with each cut");
    }
    assert!(impulses > 400);
}
