//! Stimuli in closed form, quantised, and what the analysis finds in them.

use std::f64::consts::{SQRT_2, TAU};

use meterbench_metrology::{
    AMPERE_FULL_SCALE, Analysis, Config, FULL_SCALE, Found, Frame, HalfCycle, SAMPLE_RATE, SampleInstant, Spectrum,
    State, Systems, Unbalance, VOLT_FULL_SCALE,
};

/// A window as it was told, with a spectrum of its own.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) end: SampleInstant,
    pub(crate) duration: u64,
    pub(crate) clean: bool,
    pub(crate) voltage_mv: [u32; 3],
    pub(crate) current_ma: [u32; 3],
    pub(crate) spectrum: Option<Box<Spectrum>>,
    pub(crate) thd_voltage: [u16; 3],
    pub(crate) thd_current: [u16; 3],
    pub(crate) unbalance: Option<Unbalance>,
}

/// A meter under an analysis, and everything it has told.
pub(crate) struct Bench {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) analysis: Box<Analysis>,
    pub(crate) half_cycles: Vec<HalfCycle>,
    pub(crate) windows: Vec<Window>,
}

impl Bench {
    pub(crate) fn new(systems: Systems) -> Self {
        Self {
            config: crate::config(systems),
            state: State::default(),
            analysis: Box::default(),
            half_cycles: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// Plays volts and amperes as functions of time [s since power-up] for so long.
    pub(crate) fn play(&mut self, seconds: f64, wave: impl Fn(f64) -> [f64; 6]) {
        let samples = (seconds * f64::from(SAMPLE_RATE)).round() as u64;
        for _ in 0..samples {
            let frame = frame(wave(self.state.sample_index() as f64 / f64::from(SAMPLE_RATE)));
            let (halves, windows) = (&mut self.half_cycles, &mut self.windows);
            let _ = self
                .config
                .process_watched(&mut self.state, &mut self.analysis, &frame, |found| keep(found, halves, windows));
        }
    }
}

pub(crate) fn keep(found: Found<'_>, half_cycles: &mut Vec<HalfCycle>, windows: &mut Vec<Window>) {
    match found {
        Found::HalfCycle(half) => half_cycles.push(*half),
        Found::Window(w) => windows.push(Window {
            end: w.end,
            duration: w.duration,
            clean: w.clean,
            voltage_mv: w.voltage_mv,
            current_ma: w.current_ma,
            spectrum: w.spectrum.map(|s| Box::new(s.clone())),
            thd_voltage: w.thd_voltage,
            thd_current: w.thd_current,
            unbalance: w.unbalance,
        }),
    }
}

/// Volts L1..L3, amperes L1..L3 as samples.
pub(crate) fn frame(values: [f64; 6]) -> Frame {
    let counts = |value: f64, full_scale: u32| {
        let counts = (value * f64::from(FULL_SCALE) / f64::from(full_scale)).round() as i32;
        counts.clamp(-FULL_SCALE, FULL_SCALE - 1)
    };
    Frame {
        voltage: [0, 1, 2].map(|n| counts(values[n], VOLT_FULL_SCALE)),
        current: [3, 4, 5].map(|n| counts(values[n], AMPERE_FULL_SCALE)),
    }
}

/// A symmetrical load: RMS values, frequency, angle of L1 at zero (deg), lag of the current (deg).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sines {
    pub(crate) volt: f64,
    pub(crate) ampere: f64,
    pub(crate) hertz: f64,
    pub(crate) degrees: f64,
    pub(crate) lag: f64,
}

impl Sines {
    pub(crate) const fn at(hertz: f64) -> Self {
        Self { volt: 230.0, ampere: 10.0, hertz, degrees: 0.0, lag: 40.0 }
    }

    pub(crate) fn angle(&self, seconds: f64) -> f64 {
        TAU * self.hertz * seconds + self.degrees.to_radians()
    }

    pub(crate) fn values(&self, seconds: f64) -> [f64; 6] {
        let wave = |rms: f64, phase: f64, lag: f64| {
            SQRT_2 * rms * (self.angle(seconds) - TAU * phase / 3.0 - lag.to_radians()).sin()
        };
        let (u, i) = (|n| wave(self.volt, n, 0.0), |n| wave(self.ampere, n, self.lag));
        [u(0.0), u(1.0), u(2.0), i(0.0), i(1.0), i(2.0)]
    }
}

/// Noise without a mean, within ± the argument, the same in every run.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn draw(&mut self, peak: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0) * peak
    }
}
