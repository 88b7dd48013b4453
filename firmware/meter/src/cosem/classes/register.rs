//! Class 3, register: value, scaler and unit.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::objects::{
    DemandOf, EnergyOf, Kind, Object, QualityKind, QualityValue, ReadingOf, energy_unit, power_unit, unit,
};
use crate::events::StandardEvent;
use crate::meter::Meter;
use crate::quality::aggregates::{ORDERS, magnitude};
use crate::quality::event::Values;
use crate::quality::limits::Limit;
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
    let number = number_of_reading(reading);
    number.put(number.bits(value), out);
    Ok(())
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Long,
    LongUnsigned,
    DoubleLongUnsigned,
}

impl Number {
    /// A value as it is kept; one that does not fit is the nearest that does.
    fn bits(self, value: i64) -> u32 {
        match self {
            Self::Long => value.clamp(i16::MIN.into(), i16::MAX.into()) as i16 as u16 as u32,
            Self::LongUnsigned => value.clamp(0, u16::MAX.into()) as u32,
            Self::DoubleLongUnsigned => value.clamp(0, u32::MAX.into()) as u32,
        }
    }

    /// Writes what is kept.
    pub(super) fn put(self, bits: u32, out: &mut Writer<'_>) {
        match self {
            Self::Long => out.long(bits as i16),
            Self::LongUnsigned => out.long_unsigned(bits as u16),
            Self::DoubleLongUnsigned => out.double_long_unsigned(bits),
        }
    }

    /// Octets, the tag among them.
    pub(super) fn width(self) -> usize {
        match self {
            Self::Long | Self::LongUnsigned => 3,
            Self::DoubleLongUnsigned => 5,
        }
    }
}

fn number_of_reading(reading: ReadingOf) -> Number {
    match reading {
        ReadingOf::Voltage | ReadingOf::Frequency => Number::LongUnsigned,
        ReadingOf::PowerFactor => Number::Long,
        _ => Number::DoubleLongUnsigned,
    }
}

fn number_of_quality(value: QualityValue) -> Number {
    if value.is_long() { Number::DoubleLongUnsigned } else { Number::LongUnsigned }
}

/// How the value of a register (class 3) is written.
pub(super) fn number_of(object: &Object) -> Number {
    match object.kind {
        Kind::Reading(reading, _) => number_of_reading(reading),
        Kind::Quality(QualityKind::Value(value)) => number_of_quality(value),
        Kind::Quality(_) => Number::LongUnsigned,
        _ => Number::DoubleLongUnsigned,
    }
}

/// A register (class 3) as a snapshot keeps it: voltages and currents of phases are those of the cycle, everything else as it
/// stands. What has no value is 0.
pub(crate) fn snapshot_value(meter: &Meter, object: &Object, cycle: &Values) -> u32 {
    let of_phase = |values: [u32; 3], phase: u8| {
        usize::from(phase).checked_sub(1).and_then(|phase| values.get(phase)).map(|value| i64::from(*value))
    };
    let value = match object.kind {
        Kind::Energy(energy, 0) => Some((energy(&meter.registers()).watt_hours() % CAPACITY) as i64),
        Kind::Energy(energy, phase) => {
            Some((energy(&meter.phase_registers(usize::from(phase) - 1)).watt_hours() % CAPACITY) as i64)
        }
        Kind::Reading(ReadingOf::Voltage, phase) => of_phase(cycle.voltage_mv, phase).map(|millivolt| millivolt / 10),
        Kind::Reading(ReadingOf::Current, phase) => of_phase(cycle.current_ma, phase),
        Kind::Reading(reading, phase) => reading.value(meter.readings(), phase),
        Kind::Demand(demand, quantity) => Some(demand_value(meter, demand, quantity).into()),
        Kind::Quality(QualityKind::Value(value)) => quality_value(meter, value).map(i64::from),
        Kind::Quality(QualityKind::Limit(limit)) => Some(meter.quality().limits.of(limit).into()),
        _ => None,
    };
    number_of(object).bits(value.unwrap_or(0))
}

/// A value of power quality; null-data while there is none.
pub(super) fn quality(meter: &Meter, value: QualityValue, attribute: u8, out: &mut Writer<'_>) {
    if attribute == 3 {
        let (scaler, unit) = value.scaler_unit();
        scaler_unit(scaler, unit, out);
        return;
    }
    let number = number_of_quality(value);
    match quality_value(meter, value) {
        Some(value) => number.put(number.bits(value.into()), out),
        None => out.null_data(),
    }
}

/// In the unit of its scaler.
fn quality_value(meter: &Meter, value: QualityValue) -> Option<u32> {
    let quality = meter.quality();
    let (aggregates, ten_minutes) = (&quality.aggregates, &quality.aggregates.ten_minutes.values);
    let place = |order: u8| ORDERS.iter().position(|of| *of == order);
    let hundredths = |millivolt: u32| (millivolt + 5) / 10;
    let voltage =
        |values: &[Option<u32>; 3], phase: u8| values.get(usize::from(phase)).copied().flatten().map(hundredths);
    match value {
        QualityValue::Harmonic(channel, order) => {
            let phasor = meter.harmonics().get(usize::from(channel))?.get(usize::from(order).checked_sub(1)?)?;
            Some(magnitude(*phasor, channel.into()))
        }
        QualityValue::HarmonicMean(channel, order) => {
            *ten_minutes.harmonics.get(usize::from(channel))?.get(place(order)?)?
        }
        QualityValue::Distortion(channel) => {
            aggregates.window.values.thd.get(usize::from(channel)).map(|thd| u32::from(*thd))
        }
        QualityValue::DistortionMean(channel) => *ten_minutes.thd.get(usize::from(channel))?,
        QualityValue::NegativeSequence => aggregates.window.values.unbalance.map(|found| hundredths(found.negative)),
        QualityValue::ZeroSequence => aggregates.window.values.unbalance.map(|found| hundredths(found.zero)),
        QualityValue::ShortVoltage(phase) => voltage(&aggregates.short.values, phase),
        QualityValue::TenMinuteVoltage(phase) => voltage(&ten_minutes.voltage, phase),
        QualityValue::TwoHourVoltage(phase) => voltage(&aggregates.two_hours.values, phase),
        QualityValue::Frequency => quality.frequency.values,
    }
}

/// A limit of power quality, in hundredths of a percent.
pub(super) fn limit(meter: &Meter, limit: Limit, attribute: u8, out: &mut Writer<'_>) {
    match attribute {
        2 => out.long_unsigned(meter.quality().limits.of(limit)),
        _ => scaler_unit(-2, unit::PERCENT, out),
    }
}

/// Sets a limit, within what makes sense.
pub(super) fn set_limit(meter: &mut Meter, limit: Limit, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(value) = Reader::new(value.octets()).long_unsigned() else { return DataAccessResult::TYPE_UNMATCHED };
    let Some(limits) = meter.quality().limits.with(limit, value) else {
        return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED;
    };
    meter.quality_mut().limits = limits;
    let now = meter.stamp();
    meter.records_mut().tell(now, StandardEvent::ParametersChanged);
    DataAccessResult::SUCCESS
}

/// The mean of the last period, or the maxima of former billing periods.
pub(super) fn demand(
    meter: &Meter,
    object: &Object,
    (demand, quantity): (DemandOf, u8),
    attribute: u8,
    out: &mut Writer<'_>,
) {
    match attribute {
        2 => out.double_long_unsigned(demand_value(meter, demand, quantity)),
        _ => power(object, out),
    }
}

fn demand_value(meter: &Meter, demand: DemandOf, quantity: u8) -> u32 {
    let (demands, place) = (&meter.records().demand, usize::from(quantity));
    match demand {
        DemandOf::CumulatedMaximum => demands.maximum(place).cumulated,
        _ => demands.last().map_or(0, |last| last.power[place]),
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
