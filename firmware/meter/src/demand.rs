//! Demand: the mean power of whole periods of the clock, made of the exact registers, and its maximum since the last end of
//! a billing period.
//!
//! A period in which the supply failed or the clock was set is not whole: its mean is shown, says so, and makes no maximum.

use meterbench_iec62056::date_time::ClockStatus;
use meterbench_metrology::Energy;

use crate::ring::{Row, Stamp};

/// Energies whose demand is known, by their group C.
pub(crate) const QUANTITIES: [u8; 6] = [1, 2, 3, 4, 9, 10];
/// Values of a row in memory: four of each quantity.
pub(crate) const VALUES: usize = 4 * QUANTITIES.len();

/// The highest mean of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Maximum {
    /// Mean power (0.1 W, var, VA).
    pub(crate) power: u32,
    /// End of the period that had it; `None` before the first.
    pub(crate) at: Option<Stamp>,
    /// All maxima of former billing periods together (0.1 W, var, VA).
    pub(crate) cumulated: u32,
}

/// A period that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) at: Stamp,
    pub(crate) whole: bool,
    /// Mean power by quantity (0.1 W, var, VA).
    pub(crate) power: [u32; QUANTITIES.len()],
}

/// The demand of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    period_s: u32,
    /// Registers at the beginning of the period that runs, and when that was; `None` before the first minute.
    began: [Energy; QUANTITIES.len()],
    began_at: Option<Stamp>,
    /// The period that runs began at its first second.
    whole: bool,
    last: Option<Ended>,
    maxima: [Maximum; QUANTITIES.len()],
}

impl Demand {
    /// With periods of so many seconds.
    pub(crate) fn new(period_s: u32) -> Self {
        Self {
            period_s,
            began: Default::default(),
            began_at: None,
            whole: false,
            last: None,
            maxima: Default::default(),
        }
    }

    /// Length of a period (s).
    pub(crate) fn period_s(&self) -> u32 {
        self.period_s
    }

    /// A whole minute of standard time (s); whether there is a new maximum.
    pub(crate) fn minute(&mut self, now: Stamp, standard_s: u64, energy: impl Fn(u8) -> Energy) -> bool {
        if !standard_s.is_multiple_of(u64::from(self.period_s)) {
            return false;
        }
        let ended = Ended { at: now, whole: self.whole, power: self.powers(&energy) };
        self.last = Some(ended);
        self.begin(now, energy);
        self.whole = true;
        let mut risen = false;
        for (maximum, power) in self.maxima.iter_mut().zip(ended.power) {
            if ended.whole && power > maximum.power {
                (maximum.power, maximum.at, risen) = (power, Some(now), true);
            }
        }
        risen
    }

    /// The period begins anew and is not whole: the supply was gone, or the clock was set.
    pub(crate) fn begin(&mut self, now: Stamp, energy: impl Fn(u8) -> Energy) {
        (self.began, self.began_at, self.whole) = (QUANTITIES.map(energy), Some(now), false);
    }

    /// Mean power by quantity as if the period that runs were over (0.1 W, var, VA).
    fn powers(&self, energy: impl Fn(u8) -> Energy) -> [u32; QUANTITIES.len()] {
        core::array::from_fn(|n| self.power(n, energy(QUANTITIES[n])))
    }

    /// Energy of the period that runs by its whole length (0.1 W, var, VA), rounded down.
    pub(crate) fn power(&self, quantity: usize, now: Energy) -> u32 {
        let began = self.began.get(quantity).copied().unwrap_or(now);
        let energy = Energy::from_quanta(now.quanta().saturating_sub(began.quanta()));
        // 1 µWh/s is 3.6 mW.
        let tenths = energy.microwatt_hours() * 36 / (1000 * u128::from(self.period_s));
        u32::try_from(tenths).unwrap_or(u32::MAX)
    }

    /// When the period that runs began.
    pub(crate) fn began_at(&self) -> Option<Stamp> {
        self.began_at
    }

    /// The last period that is over.
    pub(crate) fn last(&self) -> Option<&Ended> {
        self.last.as_ref()
    }

    /// The highest mean of a quantity.
    pub(crate) fn maximum(&self, quantity: usize) -> Maximum {
        self.maxima.get(quantity).copied().unwrap_or_default()
    }

    /// A billing period ends: maxima are added to those before, and begin at zero.
    pub(crate) fn end_billing(&mut self) {
        for Maximum { power, at, cumulated } in &mut self.maxima {
            *cumulated = cumulated.saturating_add(core::mem::take(power));
            *at = None;
        }
    }

    /// The maxima as values of a row in memory.
    pub(crate) fn values(&self) -> impl Iterator<Item = u32> {
        self.maxima.iter().flat_map(|maximum| {
            let stamp = maximum.at.unwrap_or(Stamp { utc: 0, deviation: 0, status: ClockStatus::GOOD });
            let [.., high, a, b, c, d] = stamp.utc.to_be_bytes();
            let [e, f] = stamp.deviation.to_be_bytes();
            let rest = u32::from_be_bytes([e, f, stamp.status.0, high]);
            [maximum.power, maximum.cumulated, u32::from_be_bytes([a, b, c, d]), rest]
        })
    }

    /// Takes the maxima of a row in memory.
    pub(crate) fn recover(&mut self, row: Row<'_>) {
        for (n, maximum) in self.maxima.iter_mut().enumerate() {
            let [power, cumulated, low, rest] = core::array::from_fn(|value| row.value(4 * n + value));
            let [e, f, status, high] = rest.to_be_bytes();
            let utc = u64::from(high) << 32 | u64::from(low);
            let stamp = Stamp { utc, deviation: i16::from_be_bytes([e, f]), status: ClockStatus(status) };
            *maximum = Maximum { power, at: (power > 0).then_some(stamp), cumulated };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Ring;

    const WATT_HOUR: u128 = 240 << 76;

    fn stamp(utc: u64) -> Stamp {
        Stamp { utc, deviation: -60, status: ClockStatus::GOOD }
    }

    /// Energy of so many watt-hours in every register.
    fn every(watt_hours: u128) -> impl Fn(u8) -> Energy {
        move |_| Energy::from_quanta(watt_hours * WATT_HOUR)
    }

    #[test]
    fn a_mean_is_the_energy_of_its_period_and_the_highest_stays() {
        let mut demand = Demand::new(900);
        demand.begin(stamp(840), every(5));
        // A minute with 1000 Wh is a period that is not whole.
        assert!(!demand.minute(stamp(900), 900, every(1005)));
        assert_eq!(demand.last().map(|last| (last.whole, last.power[0])), Some((false, 40_000)));
        let wh = [250, 500, 100, 500];
        let mut total = 1005;
        let mut risen = std::vec::Vec::new();
        for (n, wh) in wh.into_iter().enumerate() {
            assert_eq!(
                demand.power(0, every(total + wh)(1)),
                (wh * 40) as u32,
                "of the whole period, before it is over"
            );
            total += wh;
            let end = 900 * (n as u64 + 2);
            assert!(!demand.minute(stamp(end - 60), end - 60, every(total)));
            risen.push(demand.minute(stamp(end), end, every(total)));
        }
        assert_eq!(risen, [true, true, false, false], "the first of two equals counts");
        let maximum = demand.maximum(4);
        assert_eq!((maximum.power, maximum.at, maximum.cumulated), (20_000, Some(stamp(2700)), 0));
    }

    #[test]
    fn a_period_in_which_the_clock_was_set_makes_no_maximum() {
        let mut demand = Demand::new(900);
        demand.minute(stamp(900), 900, every(0));
        demand.begin(stamp(1500), every(100));
        assert!(!demand.minute(stamp(1800), 1800, every(900)));
        assert!(demand.minute(stamp(2700), 2700, every(1000)));
        assert_eq!(demand.maximum(0).power, 4000);
    }

    #[test]
    fn maxima_are_cumulated_and_come_back_from_memory() {
        let mut demand = Demand::new(900);
        demand.minute(stamp(900), 900, every(0));
        demand.minute(stamp(1800), 1800, every(1000));
        demand.end_billing();
        let far = ((1 << 32) / 900 + 1) * 900;
        demand.minute(stamp(far), far, every(1001));
        let mut memory = [0; Ring::row_length(VALUES)];
        let mut ring = Ring::new(&memory, 0, memory.len(), VALUES, 1);
        ring.push(&mut memory, stamp(far), 0, demand.values());
        let mut again = Demand::new(900);
        again.recover(ring.row(&memory, 0).unwrap());
        assert_eq!(again.maxima, demand.maxima);
        let maximum = again.maximum(5);
        assert_eq!((maximum.power, maximum.at.map(|at| at.utc), maximum.cumulated), (40, Some(far), 40_000));
    }
}
