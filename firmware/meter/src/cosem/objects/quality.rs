//! Objects of power quality: logs and counters, limits, values of windows and intervals, snapshots, alarms.
//!
//! Codes that the list of names does not have are of the manufacturer: D or E from 128.

use meterbench_iec62056::obis::Obis;
use meterbench_metrology::Systems;

use super::super::roles::Group;
use super::{Kind, Object, obis, of, unit};
use crate::profile::{Product, Profile};
use crate::quality::aggregates::ORDERS;
use crate::quality::kind::{EventKind, QualityLog, kinds_of};
use crate::quality::limits::Limit;

/// What is behind an object of power quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QualityKind {
    /// A register.
    Value(QualityValue),
    /// A limit, which the installer sets.
    Limit(Limit),
    /// How often a kind of event happened.
    Count(EventKind),
    /// In how many dips, or swells, a phase took part.
    PhaseCount(PhaseCount, u8),
    /// Every harmonic of a channel over the last window.
    Spectrum(u8),
    /// Which values are flagged.
    Flags,
    Log(QualityLog),
    /// Code of the last event of a log.
    LastCode(QualityLog),
    /// The last event of a log: code, phases, duration, worst value.
    LastEvent(QualityLog),
    Snapshot,
    AlarmRegister,
    AlarmFilter,
}

/// What a counter of a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhaseCount {
    Sags,
    Swells,
}

/// A value in a register. Channels are the voltages of the phases, then the currents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QualityValue {
    /// A harmonic of a channel over the last window, by its order.
    Harmonic(u8, u8),
    /// Its mean of ten minutes.
    HarmonicMean(u8, u8),
    /// THD of a channel over the last window.
    Distortion(u8),
    /// Its mean of ten minutes.
    DistortionMean(u8),
    /// u2 of the last window.
    NegativeSequence,
    /// u0 of the last window.
    ZeroSequence,
    /// Voltage of a phase over 150 cycles.
    ShortVoltage(u8),
    /// Over ten minutes.
    TenMinuteVoltage(u8),
    /// Over two hours.
    TwoHourVoltage(u8),
    /// Frequency of ten seconds.
    Frequency,
}

impl QualityValue {
    /// Scaler and unit.
    pub(crate) const fn scaler_unit(self) -> (i8, u8) {
        match self {
            Self::Harmonic(channel, _) | Self::HarmonicMean(channel, _) if channel < 3 => (-3, unit::VOLT),
            Self::Harmonic(..) | Self::HarmonicMean(..) => (-4, unit::AMPERE),
            Self::Distortion(_) | Self::DistortionMean(_) | Self::NegativeSequence | Self::ZeroSequence => {
                (-2, unit::PERCENT)
            }
            Self::ShortVoltage(_) | Self::TenMinuteVoltage(_) | Self::TwoHourVoltage(_) => (-2, unit::VOLT),
            Self::Frequency => (-4, unit::HERTZ),
        }
    }

    /// The number is a double-long-unsigned, and else a long-unsigned.
    pub(crate) const fn is_long(self) -> bool {
        matches!(self, Self::Harmonic(..) | Self::HarmonicMean(..) | Self::Frequency)
    }

    /// Which phase it is of, from 0; of all for `None`.
    const fn phase(self) -> Option<u8> {
        match self {
            Self::Harmonic(channel, _)
            | Self::HarmonicMean(channel, _)
            | Self::Distortion(channel)
            | Self::DistortionMean(channel) => Some(channel % 3),
            Self::ShortVoltage(phase) | Self::TenMinuteVoltage(phase) | Self::TwoHourVoltage(phase) => Some(phase),
            Self::NegativeSequence | Self::ZeroSequence | Self::Frequency => None,
        }
    }
}

impl QualityKind {
    /// Number and version of the interface class.
    pub(crate) const fn class(self) -> (u16, u8) {
        match self {
            Self::Value(_) | Self::Limit(_) => (3, 0),
            Self::Log(_) | Self::Snapshot => (7, 1),
            _ => (1, 0),
        }
    }

    /// The object exists on a meter of this type.
    pub(crate) fn is_on(self, profile: &Profile) -> bool {
        let omnia = profile.product == Product::Omnia;
        let three = profile.systems == Systems::Three;
        let has_phase = |phase: u8| u32::from(phase) < profile.systems as u32;
        match self {
            Self::Value(value) => {
                value.phase().is_none_or(has_phase)
                    && match value {
                        QualityValue::NegativeSequence | QualityValue::ZeroSequence => three,
                        QualityValue::Harmonic(..) | QualityValue::HarmonicMean(..) | QualityValue::Frequency => omnia,
                        _ => true,
                    }
            }
            Self::Limit(limit) => limited(limit).iter().any(|kind| kind.is_on(profile)),
            Self::Count(kind) => kind.is_on(profile),
            Self::PhaseCount(_, phase) => has_phase(phase),
            Self::Spectrum(channel) => omnia && has_phase(channel % 3),
            Self::Log(log) | Self::LastCode(log) | Self::LastEvent(log) => log == QualityLog::Quality || three,
            Self::Snapshot => omnia,
            Self::Flags | Self::AlarmRegister | Self::AlarmFilter => kinds_of(profile) != 0,
        }
    }
}

/// The kinds of events that a limit decides.
const fn limited(limit: Limit) -> &'static [EventKind] {
    match limit {
        Limit::Dip => &[EventKind::Dip],
        Limit::Swell => &[EventKind::Swell],
        Limit::Interruption => &[EventKind::Interruption],
        Limit::Hysteresis => &[EventKind::Dip, EventKind::Swell, EventKind::Interruption],
        Limit::RapidChange | Limit::RapidChangeHysteresis => &[EventKind::RapidChange],
        Limit::Undervoltage => &[EventKind::Undervoltage],
        Limit::Overvoltage => &[EventKind::Overvoltage],
        Limit::Frequency => &[EventKind::Frequency],
        Limit::Unbalance => &[EventKind::Unbalance],
        Limit::Distortion => &[EventKind::Distortion],
        Limit::LostNeutral => &[EventKind::LostNeutral],
        Limit::LostMvPhase => &[EventKind::LostMvPhase],
    }
}

/// Group C of a channel: voltages 32, 52, 72 and currents 31, 51, 71.
const fn c_of(channel: u8) -> u8 {
    let of_l1 = if channel < 3 { 32 } else { 31 };
    of_l1 + 20 * (channel % 3)
}

/// The name of a limit.
const fn limit(limit: Limit) -> Obis {
    let (c, d, e) = match limit {
        Limit::Dip => (12, 31, 0),
        Limit::Swell => (12, 35, 0),
        Limit::Interruption => (12, 39, 0),
        Limit::Hysteresis => (12, 132, 0),
        Limit::RapidChange => (12, 133, 0),
        Limit::RapidChangeHysteresis => (12, 133, 1),
        Limit::Undervoltage => (12, 134, 0),
        Limit::Overvoltage => (12, 135, 0),
        Limit::Frequency => (14, 134, 0),
        Limit::Unbalance => (12, 136, 2),
        Limit::Distortion => (12, 137, 0),
        Limit::LostNeutral => (12, 138, 0),
        Limit::LostMvPhase => (12, 138, 2),
    };
    obis(1, 0, c, d, e)
}

const fn quality(group: Group, name: Obis, kind: QualityKind) -> Object {
    of(group, name, Kind::Quality(kind))
}

const fn value(name: Obis, value: QualityValue) -> Object {
    quality(Group::Reading, name, QualityKind::Value(value))
}

/// Objects of which there is one.
const SINGLE: [Object; 13] = [
    quality(Group::Events, obis(0, 0, 96, 11, 4), QualityKind::LastCode(QualityLog::Quality)),
    quality(Group::Events, obis(0, 0, 96, 11, 5), QualityKind::LastCode(QualityLog::Grid)),
    quality(Group::Events, obis(0, 0, 96, 11, 132), QualityKind::LastEvent(QualityLog::Quality)),
    quality(Group::Events, obis(0, 0, 96, 11, 133), QualityKind::LastEvent(QualityLog::Grid)),
    quality(Group::Events, obis(0, 0, 99, 98, 4), QualityKind::Log(QualityLog::Quality)),
    quality(Group::Events, obis(0, 0, 99, 98, 5), QualityKind::Log(QualityLog::Grid)),
    quality(Group::QualitySetup, obis(1, 0, 99, 128, 0), QualityKind::Snapshot),
    quality(Group::Alarms, obis(0, 0, 97, 98, 0), QualityKind::AlarmRegister),
    quality(Group::Alarms, obis(0, 0, 97, 98, 10), QualityKind::AlarmFilter),
    quality(Group::Reading, obis(0, 0, 96, 10, 128), QualityKind::Flags),
    value(obis(1, 0, 12, 129, 2), QualityValue::NegativeSequence),
    value(obis(1, 0, 12, 129, 0), QualityValue::ZeroSequence),
    value(obis(1, 0, 14, 130, 0), QualityValue::Frequency),
];

/// Every object of power quality that any meter has.
pub(super) fn all() -> impl Iterator<Item = Object> {
    let limits = Limit::ALL.into_iter().map(|of| quality(Group::QualitySetup, limit(of), QualityKind::Limit(of)));
    let counts = EventKind::ALL
        .into_iter()
        .map(|kind| quality(Group::Events, obis(0, 0, 96, 15, kind.code()), QualityKind::Count(kind)));
    let by_phase = (0..3).flat_map(|phase| {
        let c = c_of(phase);
        [
            quality(Group::Events, obis(1, 0, c, 32, 0), QualityKind::PhaseCount(PhaseCount::Sags, phase)),
            quality(Group::Events, obis(1, 0, c, 36, 0), QualityKind::PhaseCount(PhaseCount::Swells, phase)),
            value(obis(1, 0, c, 130, 0), QualityValue::ShortVoltage(phase)),
            value(obis(1, 0, c, 24, 0), QualityValue::TenMinuteVoltage(phase)),
            value(obis(1, 0, c, 131, 0), QualityValue::TwoHourVoltage(phase)),
        ]
    });
    let by_channel = (0..6).flat_map(|channel| {
        let c = c_of(channel);
        let harmonics = ORDERS.into_iter().flat_map(move |order| {
            [
                value(obis(1, 0, c, 7, order), QualityValue::Harmonic(channel, order)),
                value(obis(1, 0, c, 24, order), QualityValue::HarmonicMean(channel, order)),
            ]
        });
        [
            value(obis(1, 0, c, 7, 124), QualityValue::Distortion(channel)),
            value(obis(1, 0, c, 24, 124), QualityValue::DistortionMean(channel)),
            quality(Group::Reading, obis(1, 0, c, 128, 0), QualityKind::Spectrum(channel)),
        ]
        .into_iter()
        .chain(harmonics)
    });
    SINGLE.into_iter().chain(limits).chain(counts).chain(by_phase).chain(by_channel)
}
