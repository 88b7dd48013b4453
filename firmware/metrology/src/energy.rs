//! Energy without loss: registers count quanta, and a quantum is what one sample can resolve.

use core::ops::AddAssign;

use crate::readings::Quadrant;
use crate::scale::QUANTA_PER_WATT_HOUR;

/// An energy that only grows.
///
/// Unit: quanta of 1/(240·2⁷⁶) Wh. The whole watt-hours and the exact remainder are two views of one integer;
/// 128 bits overflow after 1.9·10¹³ Wh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Energy(u128);

impl Energy {
    /// An energy of so many quanta of 1/(240·2⁷⁶) Wh.
    pub const fn from_quanta(quanta: u128) -> Self {
        Self(quanta)
    }

    /// The exact register content [quanta of 1/(240·2⁷⁶) Wh].
    pub const fn quanta(self) -> u128 {
        self.0
    }

    /// Whole watt-hours (varh, VAh), rounded down, as a meter shows them.
    pub const fn watt_hours(self) -> u64 {
        (self.0 / QUANTA_PER_WATT_HOUR) as u64
    }

    /// Energy (µWh), rounded down.
    pub const fn microwatt_hours(self) -> u128 {
        // The product would overflow above 10¹³ Wh, so the whole part and the remainder are scaled apart.
        let whole = self.0 / QUANTA_PER_WATT_HOUR;
        let remainder = self.0 % QUANTA_PER_WATT_HOUR;
        whole * 1_000_000 + remainder * 1_000_000 / QUANTA_PER_WATT_HOUR
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// The energy registers of one phase, or of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Registers {
    /// A+, active energy import (OBIS 1.8.0).
    pub active_import: Energy,
    /// A-, active energy export (OBIS 2.8.0).
    pub active_export: Energy,
    /// R1..R4, fundamental reactive energy by quadrant (OBIS 5.8.0 to 8.8.0).
    pub reactive: [Energy; 4],
    /// E+, apparent energy while active power is imported (OBIS 9.8.0).
    pub apparent_import: Energy,
    /// E-, apparent energy while active power is exported (OBIS 10.8.0).
    pub apparent_export: Energy,
}

impl Registers {
    /// R+ = R1 + R2 (OBIS 3.8.0), exactly.
    pub fn reactive_import(&self) -> Energy {
        Energy(self.reactive[0].0 + self.reactive[1].0)
    }

    /// R- = R3 + R4 (OBIS 4.8.0), exactly.
    pub fn reactive_export(&self) -> Energy {
        Energy(self.reactive[2].0 + self.reactive[3].0)
    }

    pub(crate) fn book_active(&mut self, quanta: i128) {
        let register = if quanta < 0 { &mut self.active_export } else { &mut self.active_import };
        *register += Energy(quanta.unsigned_abs());
    }

    pub(crate) fn book_reactive(&mut self, quadrant: Quadrant, quanta: i128) {
        self.reactive[quadrant as usize] += Energy(quanta.unsigned_abs());
    }

    pub(crate) fn book_apparent(&mut self, import: bool, quanta: u128) {
        let register = if import { &mut self.apparent_import } else { &mut self.apparent_export };
        *register += Energy(quanta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watt_hour_is_a_whole_number_of_quanta() {
        let one = Energy(QUANTA_PER_WATT_HOUR);
        assert_eq!((one.watt_hours(), one.microwatt_hours()), (1, 1_000_000));
        let almost = Energy(QUANTA_PER_WATT_HOUR - 1);
        assert_eq!((almost.watt_hours(), almost.microwatt_hours()), (0, 999_999));
    }

    #[test]
    fn a_lifetime_of_full_load_fits() {
        // 30 years at 3 x 115 A x 264.5 V
        let wh: u128 = 30 * 8766 * 91_253;
        assert_eq!(Energy(wh * QUANTA_PER_WATT_HOUR).microwatt_hours(), wh * 1_000_000);
    }
}
