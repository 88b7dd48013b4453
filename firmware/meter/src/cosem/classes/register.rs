//! Class 3, register: value, scaler and unit.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::octets::Writer;

use super::super::objects::{DemandOf, EnergyOf, Object, ReadingOf, energy_unit, power_unit};
use crate::meter::Meter;
use crate::records::CAPACITY;

/// An energy register, in watt-hours.
pub(super) fn energy(
    meter: &Meter,
    object: &Object,
    (energy, phase): (EnergyOf, u8),
    attribute: u8,
    out: &mut Writer<'_>,
) {
    let registers = if phase == 0 { meter.registers() } else { meter.phase_registers(usize::from(phase) - 1) };
    match attribute {
        2 => out.double_long_unsigned((energy(&registers).watt_hours() % CAPACITY) as u32),
        #[cfg(feature = "defects")]
        _ if meter.defects.wrong_scaler => scaler_unit(1, energy_unit(object.name.c() - 20 * phase), out),
        _ => scaler_unit(0, energy_unit(object.name.c() - 20 * phase), out),
    }
}

/// A value of this moment.
pub(super) fn reading(
    meter: &Meter,
    (reading, phase): (ReadingOf, u8),
    attribute: u8,
    out: &mut Writer<'_>,
) -> Result<(), DataAccessResult> {
    if attribute == 3 {
        let (scaler, unit) = reading.scaler_unit();
        scaler_unit(scaler, unit, out);
        return Ok(());
    }
    let value = reading.value(meter.readings(), phase).ok_or(DataAccessResult::TEMPORARY_FAILURE)?;
    match reading {
        // What does not fit shows the most there is.
        ReadingOf::Voltage | ReadingOf::Frequency => out.long_unsigned(u16::try_from(value).unwrap_or(u16::MAX)),
        ReadingOf::PowerFactor => out.long(i16::try_from(value).unwrap_or(i16::MAX)),
        _ => out.double_long_unsigned(u32::try_from(value).unwrap_or(u32::MAX)),
    }
    Ok(())
}

/// The mean of the last period, or the maxima of former billing periods.
pub(super) fn demand(
    meter: &Meter,
    object: &Object,
    (demand, quantity): (DemandOf, u8),
    attribute: u8,
    out: &mut Writer<'_>,
) {
    let (demands, place) = (&meter.records().demand, usize::from(quantity));
    match (attribute, demand) {
        (2, DemandOf::CumulatedMaximum) => out.double_long_unsigned(demands.maximum(place).cumulated),
        (2, _) => out.double_long_unsigned(demands.last().map_or(0, |last| last.power[place])),
        _ => power(object, out),
    }
}

/// Scaler and unit of a power: tenths.
pub(super) fn power(object: &Object, out: &mut Writer<'_>) {
    scaler_unit(-1, power_unit(object.name.c()), out);
}

fn scaler_unit(scaler: i8, unit: u8, out: &mut Writer<'_>) {
    out.structure(2);
    out.integer(scaler);
    out.enumeration(unit);
}
