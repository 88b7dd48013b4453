//! When a record of the journal is due.
//!
//! A record is written when a register of the total has gained a whole watt-hour (varh, VAh), though no sooner than
//! [`INTERVAL`] after the one before. The interval keeps the EEPROM within its 1.2 million writes per page at 85 °C: a ring of 128
//! slots takes one record in four seconds for 19 years. The supply supervisor writes one more when the supply falls, whatever stands here.

use meterbench_metrology::{Energy, Registers, SAMPLE_RATE};

/// Least time between two records [samples of 125 µs]: four seconds.
pub const INTERVAL: u64 = 4 * SAMPLE_RATE as u64;

/// What the newest record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    at: u64,
    watt_hours: [u64; 8],
}

impl Saved {
    /// These registers lie in the memory since this sample.
    pub fn new(sample_index: u64, registers: &Registers) -> Self {
        Self { at: sample_index, watt_hours: watt_hours(registers) }
    }

    /// Whether a record is due.
    pub fn is_due(&self, sample_index: u64, registers: &Registers) -> bool {
        sample_index.saturating_sub(self.at) >= INTERVAL && watt_hours(registers) != self.watt_hours
    }
}

fn watt_hours(registers: &Registers) -> [u64; 8] {
    let [r1, r2, r3, r4] = registers.reactive;
    let Registers { active_import, active_export, apparent_import, apparent_export, .. } = *registers;
    [active_import, active_export, r1, r2, r3, r4, apparent_import, apparent_export].map(Energy::watt_hours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_due_after_a_watt_hour_and_four_seconds() {
        let with = |wh: u128| Registers {
            reactive: [Energy::default(), Energy::default(), Energy::from_quanta(wh * (240 << 76)), Energy::default()],
            ..Registers::default()
        };
        let saved = Saved::new(100, &with(5));
        assert!(!saved.is_due(1_000_000, &with(5)));
        assert!(!saved.is_due(100 + INTERVAL - 1, &with(6)));
        assert!(saved.is_due(100 + INTERVAL, &with(6)));
    }
}
