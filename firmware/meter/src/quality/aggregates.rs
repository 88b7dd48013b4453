//! Values over windows of ten cycles, 150 cycles, ten minutes and two hours, and which of them are flagged.
//!
//! Windows run freely; one belongs to the interval in which it is found. Fifteen in a row are 150 cycles. Intervals of ten
//! minutes and two hours begin at whole ones of UTC. A dip, a swell or an interruption flags every value of whose time a part
//! fell into it. An interval in which the meter started or its clock was set is not whole: it is flagged too.

use meterbench_metrology::{HIGHEST_ORDER, Mean, MeanOf, Phasor, QualityWindow, Unbalance, WINDOWS_IN_150_CYCLES};

/// The orders that have registers of their own.
pub(crate) const ORDERS: [u8; 7] = [2, 3, 5, 7, 9, 11, 13];
/// Voltages and currents of three phases.
pub(crate) const CHANNELS: usize = 6;

/// Harmonics of every channel over the last window, by order from 1.
pub(crate) type Harmonics = [[Phasor; HIGHEST_ORDER]; CHANNELS];

/// No sine at all.
pub(crate) const NO_HARMONICS: Harmonics = [[Phasor { re: 0.0, im: 0.0 }; HIGHEST_ORDER]; CHANNELS];

/// Values of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Values<T> {
    pub(crate) values: T,
    pub(crate) flagged: bool,
}

/// Bits of what is flagged, the first being 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagOf {
    Window = 0,
    Short = 1,
    TenMinutes = 2,
    TwoHours = 3,
    TenSeconds = 4,
}

/// Values of the last window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct WindowValues {
    /// Of the voltages and the currents (0.01 %).
    pub(crate) thd: [u16; CHANNELS],
    pub(crate) unbalance: Option<Unbalance>,
}

/// Means over ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct TenMinutes {
    /// Voltage (mV).
    pub(crate) voltage: [Option<u32>; 3],
    /// u2 (0.001 %).
    pub(crate) negative: Option<u32>,
    /// THD of the voltages and the currents (0.01 %).
    pub(crate) thd: [Option<u32>; CHANNELS],
    /// Of the voltages (mV) and the currents (0.1 mA), by place in [`ORDERS`].
    pub(crate) harmonics: [[Option<u32>; ORDERS.len()]; CHANNELS],
}

/// What is under way over ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct TenMinuteMeans {
    voltage: [Mean; 3],
    negative: Mean,
    thd: [Mean; CHANNELS],
    harmonics: [[Mean; ORDERS.len()]; CHANNELS],
    flagged: bool,
}

/// Everything that is aggregated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Aggregates {
    pub(crate) window: Values<WindowValues>,
    pub(crate) short: Values<[Option<u32>; 3]>,
    pub(crate) ten_minutes: Values<TenMinutes>,
    pub(crate) two_hours: Values<[Option<u32>; 3]>,
    shorts: [MeanOf<WINDOWS_IN_150_CYCLES>; 3],
    tens: TenMinuteMeans,
    twos: ([Mean; 3], bool),
}

/// RMS value of a sine on a channel: thousandths of a volt, or tenths of a thousandth of an ampere, rounded.
pub(crate) fn magnitude(phasor: Phasor, channel: usize) -> u32 {
    // Most of what comes as sums has no harmonics.
    if phasor == (Phasor { re: 0.0, im: 0.0 }) {
        return 0;
    }
    let per_unit = if channel < 3 { 1e3 } else { 1e4 };
    (phasor.magnitude() * per_unit + 0.5) as u32
}

/// The mean, where there is one; begins anew.
fn take(mean: &mut Mean) -> Option<u32> {
    mean.take().map(|aggregate| aggregate.value)
}

impl Aggregates {
    /// As the meter starts: no interval is whole.
    pub(crate) fn new() -> Self {
        let none = Values { values: [None; 3], flagged: true };
        Self {
            window: Values { values: WindowValues::default(), flagged: true },
            short: none,
            ten_minutes: Values { values: TenMinutes::default(), flagged: true },
            two_hours: none,
            shorts: Default::default(),
            tens: TenMinuteMeans { flagged: true, ..TenMinuteMeans::default() },
            twos: ([Mean::default(); 3], true),
        }
    }

    /// The clock was set: the intervals that run are not whole.
    pub(crate) fn cut(&mut self) {
        (self.tens.flagged, self.twos.1) = (true, true);
    }

    /// A window has ended of a meter with so many systems.
    pub(crate) fn window(
        &mut self,
        systems: usize,
        window: &QualityWindow<'_>,
        unbalance: Option<Unbalance>,
        flagged: bool,
    ) {
        let mut thd = [0; CHANNELS];
        thd[..3].copy_from_slice(&window.thd_voltage);
        thd[3..].copy_from_slice(&window.thd_current);
        self.window = Values { values: WindowValues { thd, unbalance }, flagged };
        let tens = &mut self.tens;
        tens.flagged |= flagged;
        for (n, voltage) in window.voltage_mv.iter().enumerate().take(systems) {
            if let Some(short) = self.shorts[n].add(*voltage, flagged) {
                self.short.values[n] = Some(short.value);
                self.short.flagged = short.flagged;
            }
            tens.voltage[n].add(*voltage, flagged);
        }
        if let Some(unbalance) = unbalance {
            tens.negative.add(unbalance.negative, flagged);
        }
        let Some(spectrum) = window.spectrum else { return };
        for (channel, orders) in spectrum.voltage.iter().chain(&spectrum.current).enumerate() {
            if channel % 3 < systems {
                tens.thd[channel].add(thd[channel].into(), flagged);
                harmonics(&mut tens.harmonics[channel], orders, channel);
            }
        }
    }

    /// Ten minutes of the clock are over.
    pub(crate) fn ten_minutes(&mut self) {
        let TenMinuteMeans { mut voltage, mut negative, mut thd, mut harmonics, flagged } =
            core::mem::take(&mut self.tens);
        let values = TenMinutes {
            voltage: voltage.each_mut().map(take),
            negative: take(&mut negative),
            thd: thd.each_mut().map(take),
            harmonics: harmonics.each_mut().map(|orders| orders.each_mut().map(take)),
        };
        self.ten_minutes = Values { values, flagged };
        for (mean, voltage) in self.twos.0.iter_mut().zip(values.voltage) {
            voltage.into_iter().for_each(|voltage| mean.add(voltage, flagged));
        }
        self.twos.1 |= flagged;
    }

    /// Two hours of the clock are over.
    pub(crate) fn two_hours(&mut self) {
        let (mut means, flagged) = core::mem::take(&mut self.twos);
        self.two_hours = Values { values: means.each_mut().map(take), flagged };
    }
}

fn harmonics(means: &mut [Mean; ORDERS.len()], orders: &[Phasor; HIGHEST_ORDER], channel: usize) {
    for (mean, order) in means.iter_mut().zip(ORDERS) {
        mean.add(magnitude(orders[usize::from(order) - 1], channel), false);
    }
}
