//! Class 1, data: counters of power quality, flags, spectra, alarms.

use meterbench_iec62056::apdu::DataAccessResult;
use meterbench_iec62056::data::{BitString, EncodedData};
use meterbench_iec62056::octets::{Reader, Writer};

use super::super::objects::{PhaseCount, QualityKind};
use super::quality_log;
use crate::meter::Meter;
use crate::quality::aggregates::{FlagOf, magnitude};
use crate::quality::angle::hundredths_of_degree;

pub(super) fn get(meter: &Meter, kind: QualityKind, out: &mut Writer<'_>) {
    let (counters, alarms) = (&meter.quality().counters, &meter.quality().alarms);
    match kind {
        QualityKind::Count(kind) => out.double_long_unsigned(counters.kinds[kind.number()]),
        QualityKind::PhaseCount(of, phase) => {
            let counts = if of == PhaseCount::Sags { &counters.sags } else { &counters.swells };
            out.double_long_unsigned(counts.get(usize::from(phase)).copied().unwrap_or(0));
        }
        QualityKind::Spectrum(channel) => spectrum(meter, channel, out),
        QualityKind::Flags => flags(meter, out),
        QualityKind::LastCode(log) => quality_log::last_code(meter, log, out),
        QualityKind::LastEvent(log) => quality_log::last(meter, log, out),
        QualityKind::AlarmRegister => out.double_long_unsigned(alarms.register),
        QualityKind::AlarmFilter => out.double_long_unsigned(alarms.filter),
        // These are of other classes.
        QualityKind::Value(_) | QualityKind::Limit(_) | QualityKind::Log(_) | QualityKind::Snapshot => {
            out.null_data();
        }
    }
}

/// Which values are flagged, the first bit first: of the last window, of 150 cycles, of ten minutes, of two hours, and the
/// frequency of ten seconds.
fn flags(meter: &Meter, out: &mut Writer<'_>) {
    let all = [FlagOf::Window, FlagOf::Short, FlagOf::TenMinutes, FlagOf::TwoHours, FlagOf::TenSeconds];
    let flagged = all.into_iter().filter(|of| meter.quality().is_flagged(*of));
    let octet = flagged.fold(0, |bits, of| bits | 0x80_u8 >> of as u8);
    if let Some(bits) = BitString::new(all.len(), &[octet]) {
        out.bit_string_data(bits);
    }
}

/// Fifty structures of magnitude (mV, 0.1 mA) and angle (0.01°) by order; zeros where there was no clean window.
fn spectrum(meter: &Meter, channel: u8, out: &mut Writer<'_>) {
    let channel = usize::from(channel);
    let orders = meter.harmonics().get(channel).map_or(&[][..], |orders| orders);
    out.array(orders.len());
    for phasor in orders {
        out.structure(2);
        out.double_long_unsigned(magnitude(*phasor, channel));
        out.long(hundredths_of_degree(*phasor));
    }
}

/// The alarm register is cleared where zeros are written, and nothing in it is set; the filter takes kinds that the meter knows.
pub(super) fn set(meter: &mut Meter, kind: QualityKind, value: EncodedData<'_>) -> DataAccessResult {
    let Ok(bits) = Reader::new(value.octets()).double_long_unsigned() else {
        return DataAccessResult::TYPE_UNMATCHED;
    };
    let quality = meter.quality_mut();
    match kind {
        QualityKind::AlarmRegister => quality.alarms.clear(bits),
        QualityKind::AlarmFilter if bits & !quality.kinds() == 0 => quality.alarms.filter = bits,
        QualityKind::AlarmFilter => return DataAccessResult::SCOPE_OF_ACCESS_VIOLATED,
        _ => return DataAccessResult::READ_WRITE_DENIED,
    }
    DataAccessResult::SUCCESS
}
