//! Faults that can be planted in the firmware of an emulated meter: what a careless developer would have written.
//!
//! The feature `defects` alone brings them; without it neither this module nor any hook exists, and no image is built with it.

use meterbench_iec62056::apdu::{ActionResult, DataAccessResult};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::Reader;
use meterbench_metrology::{Energy, MeterConstant, QualityDefects, Registers, Unbalance};

use crate::cosem::{Group, Rights, Role, rights};
use crate::meter::Meter;

/// What is wrong with a meter; nothing by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Defects {
    /// A register misses the energy of one impulse in so many; 0 for none.
    pub register_loss: u32,
    /// Share of the exported energy that is booked as import (ppm).
    pub wrong_direction_ppm: u32,
    /// Share of the inductive reactive energy that is booked as capacitive (ppm).
    pub reactive_sign_ppm: u32,
    /// Energy that a register drops at every impulse (µWh).
    pub rounding_loss_uwh: u32,
    /// The reader has the rights of management.
    pub rights_hole: bool,
    /// The scaler of energies is one too high.
    pub wrong_scaler: bool,
    /// The optical port sends all frames of an answer at once.
    pub window_ignored: bool,
    /// An answer in blocks ends one block early.
    pub blocks_truncated: bool,
    /// The clock stays on standard time.
    pub dst_ignored: bool,
    /// Management writes and resets energies.
    pub legal_write: bool,
    /// Dips, swells and interruptions end where they begin: a voltage near the threshold makes many of one.
    pub dip_hysteresis_missing: bool,
    /// Unbalance is made of magnitudes alone: the farthest from their mean, by the mean.
    pub unbalance_by_magnitude: bool,
    /// A snapshot is taken of the window that ends after its trigger.
    pub snapshot_late: bool,
    /// Occurrence counters stop at [`MOST_COUNTED`].
    pub counter_saturates: bool,
    /// Values are made of windows that are two cycles short.
    pub short_window: bool,
    /// Harmonics above the fortieth are left out of the distortion.
    pub thd_to_40: bool,
}

/// Where a counter of four bits stops.
pub const MOST_COUNTED: u32 = 15;

/// Quanta of a watt-hour, as [`Energy`] counts them.
const WATT_HOUR: u128 = 240 << 76;

impl Defects {
    /// What the registers become of what was measured. Two defects at once add up.
    pub(crate) fn booked(&self, mut registers: Registers, constant: MeterConstant) -> Registers {
        let Registers { active_import, active_export, reactive: [r1, r2, r3, r4], .. } = &mut registers;
        misbook(active_export, active_import, self.wrong_direction_ppm);
        misbook(r1, r4, self.reactive_sign_ppm);
        misbook(r2, r3, self.reactive_sign_ppm);
        let Registers { active_import, active_export, reactive, apparent_import, apparent_export } = &mut registers;
        for energy in [active_import, active_export, apparent_import, apparent_export].into_iter().chain(reactive) {
            let impulse = WATT_HOUR * 1000 / u128::from(constant.get());
            let impulses = energy.quanta() / impulse;
            let missed = impulses.checked_div(u128::from(self.register_loss)).unwrap_or(0) * impulse;
            let dropped = impulses * (WATT_HOUR / 1_000_000 * u128::from(self.rounding_loss_uwh));
            *energy = Energy::from_quanta(energy.quanta().saturating_sub(missed + dropped));
        }
        registers
    }

    /// What is wrong with the windows of the analysis.
    pub(crate) fn of_analysis(&self) -> QualityDefects {
        QualityDefects { short_window: self.short_window, thd_to_40: self.thd_to_40 }
    }

    /// The rights of a role in a group.
    pub(crate) fn rights(&self, role: Role, group: Group) -> Rights {
        match (role, group) {
            (Role::Reader, _) if self.rights_hole => rights(Role::Management, group),
            (Role::Management, Group::Legal) if self.legal_write => Rights { read: true, write: true, act: true },
            _ => rights(role, group),
        }
    }
}

/// Moves a share of an energy (ppm) to where it does not belong.
fn misbook(from: &mut Energy, to: &mut Energy, ppm: u32) {
    let moved = from.quanta() / 1_000_000 * u128::from(ppm);
    *from = Energy::from_quanta(from.quanta().saturating_sub(moved));
    *to += Energy::from_quanta(moved);
}

/// What a meter without phasors takes for u2, and for u0 too.
pub(crate) fn unbalance_by_magnitude(found: Unbalance, voltage_mv: &[u32; 3]) -> Unbalance {
    let sum: u64 = voltage_mv.iter().map(|voltage| u64::from(*voltage)).sum();
    let farthest = voltage_mv.iter().map(|voltage| (3 * u64::from(*voltage)).abs_diff(sum)).max().unwrap_or(0);
    let share = (farthest * 100_000).checked_div(sum).unwrap_or(0) as u32;
    Unbalance { negative: share, zero: share, ..found }
}

/// Sets an energy (Wh) by group C of the total, for the total (0) or a phase (1 to 3).
pub(crate) fn write_energy(meter: &mut Meter, c: u8, phase: u8, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(watt_hours) = Reader::new(value.octets()).double_long_unsigned() else {
        return DataAccessResult::TYPE_UNMATCHED;
    };
    set_energy(meter.registers_mut(phase), c, watt_hours);
    DataAccessResult::SUCCESS
}

/// Sets an energy to zero.
pub(crate) fn reset_energy(meter: &mut Meter, c: u8, phase: u8) -> ActionResult {
    set_energy(meter.registers_mut(phase), c, 0);
    ActionResult::SUCCESS
}

/// R+ and R- are sums: their first quadrant takes all.
fn set_energy(registers: &mut Registers, c: u8, watt_hours: u32) {
    let [r1, r2, r3, r4] = &mut registers.reactive;
    let (energy, other) = match c {
        1 => (&mut registers.active_import, None),
        2 => (&mut registers.active_export, None),
        3 => (r1, Some(r2)),
        4 => (r3, Some(r4)),
        5 => (r1, None),
        6 => (r2, None),
        7 => (r3, None),
        8 => (r4, None),
        9 => (&mut registers.apparent_import, None),
        _ => (&mut registers.apparent_export, None),
    };
    *energy = Energy::from_quanta(u128::from(watt_hours) * WATT_HOUR);
    if let Some(other) = other {
        *other = Energy::default();
    }
}
