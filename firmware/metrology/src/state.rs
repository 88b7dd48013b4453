//! The sample path: what happens at every sample, at every cycle and at every window of ten cycles.

use crate::config::{Config, ImpulseQuantity};
use crate::cycle::{CycleSums, PhaseSums};
use crate::energy::Registers;
use crate::impulse::{Impulse, ImpulseGenerator, SampleInstant};
use crate::kept::Kept;
use crate::oscillator::Oscillator;
use crate::phase_delay::DelayLine;
use crate::readings::{PhaseReadings, PhaseSequence, Quadrant, Readings};
use crate::scale::{GAIN_BITS, SAMPLE_RATE};
use crate::window::{WindowSums, milliwatt, power_factor};

/// One sample of every channel [counts of a 24-bit converter]. Unused systems are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frame {
    /// Voltages L1..L3.
    pub voltage: [i32; 3],
    /// Currents L1..L3, import positive.
    pub current: [i32; 3],
}

/// A cycle is never shorter (71 Hz) ...
const SHORTEST_CYCLE: u32 = 112;
/// ... nor longer (42.6 Hz): without a zero crossing the cycle ends here.
const LONGEST_CYCLE: u32 = 188;
const CYCLES_PER_WINDOW: u32 = 10;
/// Voltage that can carry the synchronisation (mV).
const SYNC_VOLTAGE_MV: u32 = 20_000;
/// Its peak (counts).
const SYNC_PEAK: i32 = 395_000;
/// Samples per cycle at the nominal frequency, Q16. 60 Hz finds itself within one window.
const NOMINAL_PERIOD: i64 = (SAMPLE_RATE as i64 / 50) << 16;

/// Everything that changes while samples flow. Two processors that were given the same samples have equal states, to the bit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    index: u64,
    channels: [Channel; 3],
    cycle: Cycle,
    window: Window,
    oscillator: Oscillator,
    /// Samples per cycle, Q16, as measured in the last clean window.
    period: i64,
    generator: ImpulseGenerator,
    /// Samples over which the generator's step was spread.
    spread: u32,
    phases: [Registers; 3],
    total: Registers,
    readings: Readings,
}

/// Sample-rate state of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
struct Channel {
    voltage_delay: i32,
    current_delay: DelayLine,
    voltage_dc: DcTracker,
    current_dc: DcTracker,
    /// Σ u·i of the running cycle [count²·samples].
    ui: i64,
    sums: WindowSums,
}

/// Mean of a channel over past windows, taken off each sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
struct DcTracker {
    level_q8: i64,
    counts: i32,
}

impl DcTracker {
    /// Moves an eighth of the way towards the mean that is left, once per window.
    fn update(&mut self, sum: i64, samples: u32) {
        self.level_q8 += (sum << 8) / i64::from(samples.max(1)) / 8;
        self.counts = ((self.level_q8 + 128) >> 8) as i32;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
struct Cycle {
    samples: u32,
    /// Phase whose voltage gives the zero crossings.
    sync: usize,
    last_voltage: i32,
    /// Lowest voltage of this cycle (counts).
    lowest: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
struct Window {
    samples: u32,
    cycles: u32,
    /// Instant of the zero crossing that began the window [1/65536 sample]; `None` after a timed-out cycle.
    began: Option<u64>,
}

/// A cycle has ended, with a crossing or because it was too long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndOfCycle {
    pub(crate) crossing: Option<u64>,
}

/// What the end of a window tells the analysis.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EndedWindow {
    /// Its end, two samples after the crossing that ended it [1/65536 sample].
    pub(crate) end: u64,
    /// Its length [1/65536 sample].
    pub(crate) duration: u64,
    /// Every cycle in it ended with a crossing.
    pub(crate) clean: bool,
    /// Phase whose voltage gave the crossings.
    pub(crate) sync: usize,
    /// Samples of a cycle by which the detector turned, Q16.
    pub(crate) period: i64,
    /// Samples that belong to it.
    pub(crate) samples: u32,
    /// Sums of these samples by phase.
    pub(crate) phases: [PhaseSums; 3],
}

impl Default for State {
    fn default() -> Self {
        Self {
            index: 0,
            channels: [Channel::default(); 3],
            cycle: Cycle::default(),
            window: Window::default(),
            oscillator: Oscillator::with_period(NOMINAL_PERIOD),
            period: NOMINAL_PERIOD,
            generator: ImpulseGenerator::default(),
            spread: 0,
            phases: [Registers::default(); 3],
            total: Registers::default(),
            readings: Readings::default(),
        }
    }
}

impl State {
    /// What must outlive a power cut.
    pub fn kept(&self) -> Kept {
        Kept { total: self.total, phases: self.phases, collected: self.generator.collected() }
    }

    /// The state at power-up with what was kept. The first impulse comes as soon as its energy is complete, counted from
    /// the impulse before the cut.
    pub fn with_kept(kept: &Kept) -> Self {
        Self {
            total: kept.total,
            phases: kept.phases,
            generator: ImpulseGenerator::with_collected(kept.collected),
            ..Self::default()
        }
    }

    /// Number of frames taken so far: the metrology's clock.
    pub fn sample_index(&self) -> u64 {
        self.index
    }

    /// Registers of one phase, counted from 0.
    pub fn phase(&self, phase: usize) -> &Registers {
        &self.phases[phase]
    }

    /// Registers of the total (0) or of a phase (1 to 3), to be written.
    #[cfg(feature = "defects")]
    pub fn registers_mut(&mut self, phase: u8) -> &mut Registers {
        match phase {
            0 => &mut self.total,
            n => &mut self.phases[usize::from(n) - 1],
        }
    }

    /// Registers of the total.
    pub fn total(&self) -> &Registers {
        &self.total
    }

    /// Values of the last complete window.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// A window has just ended with a clean zero crossing, and nothing of the next one has been taken.
    pub fn at_window_start(&self) -> bool {
        self.window.samples == 0 && self.cycle.samples == 0 && self.window.began.is_some()
    }

    /// The phase whose voltage gives the zero crossings, counted from 0.
    pub fn synchronised_by(&self) -> usize {
        self.cycle.sync
    }

    /// Cycles of the window under way that have ended.
    pub(crate) fn cycles(&self) -> u32 {
        self.window.cycles
    }

    /// What the detector has of the synchronising voltage in the window under way: Σ u·cos and Σ u·sin.
    pub(crate) fn detected(&self) -> (i64, i64) {
        let sums = &self.channels[self.cycle.sync].sums;
        (sums.u_cos, sums.u_sin)
    }

    /// The energy that was collecting towards an impulse is of another kind now.
    pub(crate) fn forget_collected(&mut self) {
        self.generator = ImpulseGenerator::default();
    }

    pub(crate) fn give_impulses(&mut self, samples: u32, act: impl FnMut(SampleInstant)) {
        self.generator.advance_by(self.index, self.spread, samples, act);
    }

    pub(crate) fn add_cycle(&mut self, cycle: &CycleSums) {
        for (channel, phase) in self.channels.iter_mut().zip(&cycle.phases) {
            channel.ui += phase.ui;
            let sums = &mut channel.sums;
            sums.uu += phase.uu;
            sums.ii += phase.ii;
            sums.u_cos += phase.u_cos;
            sums.u_sin += phase.u_sin;
            sums.i_cos += phase.i_cos;
            sums.i_sin += phase.i_sin;
        }
        self.index += u64::from(cycle.samples);
        self.cycle.samples += cycle.samples;
        self.window.samples += cycle.samples;
    }

    pub(crate) fn refill(&mut self, last_but_one: &Frame, last: &Frame) {
        for (n, channel) in self.channels.iter_mut().enumerate() {
            channel.voltage_delay = last.voltage[n];
            channel.current_delay.refill(last_but_one.current[n], last.current[n]);
        }
        let sync = self.cycle.sync;
        self.cycle.last_voltage = last.voltage[sync] - self.channels[sync].voltage_dc.counts;
    }
}

impl Config {
    /// Takes one frame; hands out an impulse if this sample completed one.
    pub fn process(&self, state: &mut State, frame: &Frame) -> Option<Impulse> {
        let (impulse, cycle) = self.take(state, frame, |_, _, _| ());
        if let Some(end) = cycle {
            self.end_cycle(state, end.crossing);
        }
        impulse
    }

    /// Takes one frame; says whether a cycle has ended with it. `seen` is shown voltage and current of each phase, delayed alike,
    /// with their direct part.
    #[inline]
    pub(crate) fn take(
        &self,
        state: &mut State,
        frame: &Frame,
        mut seen: impl FnMut(usize, i32, i32),
    ) -> (Option<Impulse>, Option<EndOfCycle>) {
        let (cos, sin) = state.oscillator.advance();
        for (n, ((channel, phase), (&u, &i))) in state
            .channels
            .iter_mut()
            .zip(&self.phases)
            .zip(frame.voltage.iter().zip(&frame.current))
            .take(self.systems)
            .enumerate()
        {
            let voltage = core::mem::replace(&mut channel.voltage_delay, u);
            let current = phase.delay.process(&mut channel.current_delay, i);
            seen(n, voltage, current);
            let (voltage, current) = (voltage - channel.voltage_dc.counts, current - channel.current_dc.counts);
            channel.take(i64::from(voltage), i64::from(current), cos, sin);
        }
        let rise = state.generator.advance(state.index, state.spread);
        state.index += 1;
        state.cycle.samples += 1;
        state.window.samples += 1;
        let end = find_end_of_cycle(state);
        (rise.map(|rise| Impulse { rise, fall: rise.plus_samples(self.impulses.width) }), end)
    }

    /// Books the active energy of the cycle and spreads it over the next one.
    pub(crate) fn end_cycle(&self, state: &mut State, crossing: Option<u64>) -> Option<EndedWindow> {
        let samples = core::mem::take(&mut state.cycle.samples);
        state.cycle.lowest = 0;
        let least = self.starting_power * i128::from(samples);
        let mut total = 0;
        for ((channel, phase), registers) in
            state.channels.iter_mut().zip(&self.phases).zip(&mut state.phases).take(self.systems)
        {
            let offset = phase.power_offset * i128::from(samples);
            let energy = i128::from(core::mem::take(&mut channel.ui)) * phase.power_gain - offset;
            if energy.abs() >= least {
                registers.book_active(energy);
                channel.sums.active += energy;
                total += energy;
            }
        }
        state.total.book_active(total);
        let active = self.impulses.quantity == ImpulseQuantity::Active;
        if active {
            let counted = if self.import_only { total.max(0) } else { total };
            state.generator.book(counted.unsigned_abs(), self.impulses.constant, samples);
            state.spread = samples;
        }
        state.window.cycles += 1;
        if crossing.is_none() {
            state.window.began = None;
        }
        (state.window.cycles >= CYCLES_PER_WINDOW).then(|| self.end_window(state, crossing))
    }

    /// Books reactive and apparent energy of ten cycles, renews the readings, retunes the detector.
    fn end_window(&self, state: &mut State, crossing: Option<u64>) -> EndedWindow {
        let samples = state.window.samples;
        let clean = state.window.began.zip(crossing).map(|(from, to)| to - from);
        let period = state.period;
        if let Some(duration) = clean {
            state.period = duration as i64 / i64::from(CYCLES_PER_WINDOW);
        }
        let duration = clean.unwrap_or(u64::from(samples) << 16);
        let mut ended = EndedWindow {
            end: crossing.unwrap_or(state.index << 16),
            duration,
            clean: clean.is_some(),
            sync: state.cycle.sync,
            period,
            samples,
            ..EndedWindow::default()
        };
        let mut readings = Readings {
            frequency_mhz: clean.map(|d| (u64::from(CYCLES_PER_WINDOW * SAMPLE_RATE) * 1000 * 65_536 / d) as u32),
            phase_sequence: phase_sequence(&state.channels, self.systems, samples),
            ..Readings::default()
        };
        let least = self.starting_power * i128::from(samples);
        let (mut reactive_total, mut active_total, mut apparent_total) = (0i128, 0i128, 0u128);
        for (n, channel) in state.channels.iter_mut().enumerate().take(self.systems) {
            let (phase, sums) = (&self.phases[n], core::mem::take(&mut channel.sums));
            let reactive = Some(sums.reactive(samples, phase)).filter(|q| q.abs() >= least).unwrap_or(0);
            let apparent = Some(sums.apparent(phase)).filter(|&s| s >= least.unsigned_abs()).unwrap_or(0);
            state.phases[n].book_reactive(Quadrant::of(sums.active, reactive), reactive);
            state.phases[n].book_apparent(sums.active >= 0, apparent);
            ended.phases[n] = sums.of_samples();
            active_total += sums.active;
            reactive_total += reactive;
            apparent_total += apparent;
            readings.phases[n] = PhaseReadings {
                voltage_mv: sums.rms_millivolt(duration, phase),
                current_ma: sums.rms_milliampere(duration, phase),
                ..powers(sums.active, reactive, apparent, duration)
            };
            channel.voltage_dc.update(sums.u, samples);
            channel.current_dc.update(sums.i, samples);
        }
        state.total.book_reactive(Quadrant::of(active_total, reactive_total), reactive_total);
        state.total.book_apparent(active_total >= 0, apparent_total);
        readings.total = powers(active_total, reactive_total, apparent_total, duration);
        if self.impulses.quantity == ImpulseQuantity::Reactive {
            state.generator.book(reactive_total.unsigned_abs(), self.impulses.constant, samples);
            state.spread = samples;
        }
        let sync = readings.phases.iter().position(|p| p.voltage_mv >= SYNC_VOLTAGE_MV).unwrap_or(0);
        let moved = sync != state.cycle.sync;
        if moved {
            state.cycle = Cycle { sync, ..Cycle::default() };
        }
        state.readings = readings;
        state.oscillator = Oscillator::with_period(state.period);
        state.window = Window { began: crossing.filter(|_| !moved), ..Window::default() };
        ended
    }
}

#[inline]
fn find_end_of_cycle(state: &mut State) -> Option<EndOfCycle> {
    let sync = &state.channels[state.cycle.sync];
    let voltage = sync.voltage_delay - sync.voltage_dc.counts;
    let before = core::mem::replace(&mut state.cycle.last_voltage, voltage);
    state.cycle.lowest = state.cycle.lowest.min(voltage);
    if state.cycle.samples < SHORTEST_CYCLE {
        return None;
    }
    // Noise on a dead channel crosses zero too: a cycle of mains has gone well below it before.
    if before < 0 && voltage >= 0 && state.cycle.lowest < -SYNC_PEAK {
        let fraction = (i64::from(-before) << 16) / i64::from(voltage - before);
        Some(EndOfCycle { crossing: Some((state.index << 16) + fraction as u64) })
    } else {
        (state.cycle.samples >= LONGEST_CYCLE).then_some(EndOfCycle { crossing: None })
    }
}

impl Channel {
    fn take(&mut self, u: i64, i: i64, cos: i64, sin: i64) {
        self.ui += u * i;
        let sums = &mut self.sums;
        sums.u += u;
        sums.i += i;
        sums.uu += u * u;
        sums.ii += i * i;
        sums.u_cos += u * cos;
        sums.u_sin += u * sin;
        sums.i_cos += i * cos;
        sums.i_sin += i * sin;
    }
}

fn powers(active: i128, reactive: i128, apparent: u128, duration: u64) -> PhaseReadings {
    let mut readings = PhaseReadings {
        active_mw: milliwatt(active, duration),
        reactive_mvar: milliwatt(reactive, duration),
        apparent_mva: milliwatt(apparent as i128, duration),
        quadrant: Quadrant::of(active, reactive),
        ..PhaseReadings::default()
    };
    readings.power_factor = power_factor(&readings);
    readings
}

/// Forward when L2 lags L1 by less than half a turn: the imaginary part of `conj(L1)·L2` is then negative.
fn phase_sequence(channels: &[Channel; 3], systems: usize, samples: u32) -> Option<PhaseSequence> {
    let [l1, l2, l3] = channels.each_ref().map(|c| &c.sums);
    // 20 V rms in counts² summed over the window
    let present = |s: &WindowSums| s.uu / i64::from(samples.max(1)) > 78_000_000_000;
    if systems < 3 || ![l1, l2, l3].into_iter().all(present) {
        return None;
    }
    // The detector yields û·(cos a, -sin a); with phasors (c, -s) the cross product is c1·(-s2) - (-s1)·c2.
    let cross = i128::from(l1.u_sin) * i128::from(l2.u_cos) - i128::from(l1.u_cos) * i128::from(l2.u_sin);
    Some(if cross < 0 { PhaseSequence::Forward } else { PhaseSequence::Reversed })
}

const _: () = assert!(GAIN_BITS == 30, "the energy quantum is defined with 30 fraction bits");
