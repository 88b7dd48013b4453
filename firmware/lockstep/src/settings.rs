//! Settings of a meter on the wire.

use meterbench_meter::{DisplayFormat, Settings, Unit};
use meterbench_metrology::{ImpulseQuantity, MeterConstant, PhaseCalibration};

use crate::bytes::{Bytes, Writer};

/// Digits of the value field of a display.
const MOST_DIGITS: u8 = 9;
/// Decimals of a display.
const MOST_DECIMALS: u8 = 3;

pub(crate) const fn quantity_code(quantity: ImpulseQuantity) -> u8 {
    match quantity {
        ImpulseQuantity::Active => 0,
        ImpulseQuantity::Reactive => 1,
    }
}

pub(crate) const fn quantity_of(code: u8) -> Option<ImpulseQuantity> {
    match code {
        0 => Some(ImpulseQuantity::Active),
        1 => Some(ImpulseQuantity::Reactive),
        _ => None,
    }
}

pub(crate) const fn unit_code(unit: Unit) -> u8 {
    match unit {
        Unit::KilowattHour => 0,
        Unit::KilovarHour => 1,
    }
}

pub(crate) const fn unit_of(code: u8) -> Option<Unit> {
    match code {
        0 => Some(Unit::KilowattHour),
        1 => Some(Unit::KilovarHour),
        _ => None,
    }
}

pub(crate) fn read_format(bytes: &mut Bytes<'_>) -> Option<DisplayFormat> {
    let format = DisplayFormat { whole: bytes.u8()?, decimals: bytes.u8()? };
    (format.whole <= MOST_DIGITS && format.decimals <= MOST_DECIMALS).then_some(format)
}

pub(crate) fn write_format(writer: &mut Writer<'_>, format: DisplayFormat) {
    writer.bytes(&[format.whole, format.decimals]);
}

pub(crate) fn write_settings(writer: &mut Writer<'_>, settings: &Settings) {
    writer.bytes(&settings.reference_voltage.to_le_bytes());
    writer.bytes(&[quantity_code(settings.quantity)]);
    writer.bytes(&settings.constant.get().to_le_bytes());
    writer.bytes(&settings.pulse_width_ms.to_le_bytes());
    write_format(writer, settings.display);
    writer.bytes(&[u8::from(settings.starting_power_mw.is_some())]);
    writer.bytes(&settings.starting_power_mw.unwrap_or(0).to_le_bytes());
    for phase in &settings.calibration {
        writer.bytes(&phase.voltage_gain.to_le_bytes());
        writer.bytes(&phase.current_gain.to_le_bytes());
        writer.bytes(&phase.power_offset.to_le_bytes());
        writer.bytes(&phase.current_delay.to_le_bytes());
    }
}

pub(crate) fn read_settings(bytes: &mut Bytes<'_>) -> Option<Settings> {
    let mut settings = Settings {
        reference_voltage: bytes.u32()?,
        quantity: quantity_of(bytes.u8()?)?,
        constant: MeterConstant::new(bytes.u32()?)?,
        pulse_width_ms: bytes.u32()?,
        display: read_format(bytes)?,
        starting_power_mw: read_optional(bytes)?,
        calibration: [PhaseCalibration::default(); 3],
    };
    for phase in &mut settings.calibration {
        *phase = PhaseCalibration {
            voltage_gain: bytes.i32()?,
            current_gain: bytes.i32()?,
            power_offset: bytes.i32()?,
            current_delay: bytes.i16()?,
        };
    }
    Some(settings)
}

/// A flag and a value that counts only where the flag is set.
fn read_optional(bytes: &mut Bytes<'_>) -> Option<Option<u32>> {
    let is_there = bytes.flag()?;
    bytes.u32().map(|value| is_there.then_some(value))
}
