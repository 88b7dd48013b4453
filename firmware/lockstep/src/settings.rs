//! Settings, identity and ports of a meter on the wire.

use meterbench_meter::cosem::{Identity, RoleKeys};
use meterbench_meter::port::{Baud, Format, Line, Port};
use meterbench_meter::{DisplayFormat, Settings, Unit};
use meterbench_metrology::{ImpulseQuantity, MeterConstant, PhaseCalibration};

use crate::bytes::{Bytes, Writer};

/// Digits of the value field of a display.
const MOST_DIGITS: u8 = 9;
/// Decimals of a display.
const MOST_DECIMALS: u8 = 3;
/// The largest serial number: eight digits.
const LARGEST_SERIAL: u32 = 99_999_999;

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
    write_optional(writer, settings.starting_power_mw);
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

pub(crate) fn write_optional(writer: &mut Writer<'_>, value: Option<u32>) {
    writer.bytes(&[u8::from(value.is_some())]);
    writer.bytes(&value.unwrap_or(0).to_le_bytes());
}

/// A flag and a value that counts only where the flag is set.
pub(crate) fn read_optional(bytes: &mut Bytes<'_>) -> Option<Option<u32>> {
    let is_there = bytes.flag()?;
    bytes.u32().map(|value| is_there.then_some(value))
}

pub(crate) fn write_identity(writer: &mut Writer<'_>, identity: &Identity) {
    writer.bytes(&identity.serial.to_le_bytes());
    for role in &identity.keys {
        [role.encryption, role.authentication, role.master].iter().for_each(|key| writer.bytes(key));
    }
    for password in &identity.passwords {
        writer.bytes(&[u8::from(password.is_some())]);
        writer.bytes(&password.unwrap_or_default());
    }
    writer.bytes(&identity.seed);
}

pub(crate) fn read_identity(bytes: &mut Bytes<'_>) -> Option<Identity> {
    let serial = bytes.u32().filter(|serial| *serial <= LARGEST_SERIAL)?;
    let mut keys =
        || Some(RoleKeys { encryption: bytes.array()?, authentication: bytes.array()?, master: bytes.array()? });
    let keys = [keys()?, keys()?, keys()?];
    let mut password = || {
        let is_there = bytes.flag()?;
        bytes.array().map(|password| is_there.then_some(password))
    };
    let passwords = [password()?, password()?, password()?];
    Some(Identity { serial, keys, passwords, seed: bytes.array()? })
}

pub(crate) fn port_of(code: u8) -> Option<Port> {
    Port::ALL.get(usize::from(code)).copied()
}

pub(crate) fn write_line(writer: &mut Writer<'_>, line: Line) {
    writer.bytes(&[line.baud.digit(), u8::from(line.format == Format::EightNone)]);
}

pub(crate) fn read_line(bytes: &mut Bytes<'_>) -> Option<Line> {
    let baud = Baud::from_digit(bytes.u8()?)?;
    Some(Line { baud, format: if bytes.flag()? { Format::EightNone } else { Format::SevenEven } })
}
