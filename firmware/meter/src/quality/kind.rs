//! Kinds of events, and which of them a type of meter knows.

use meterbench_metrology::Systems;

use crate::profile::{Product, Profile};

/// Kinds of events.
pub(crate) const KINDS: usize = 11;

/// What happened. The numbers are those of counters, codes and bits of the alarm register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EventKind {
    /// A phase fell below the threshold of dips.
    Dip = 0,
    /// A phase rose above the threshold of swells.
    Swell = 1,
    /// All phases fell below the threshold of interruptions.
    Interruption = 2,
    /// A ten-minute voltage lies too low.
    Undervoltage = 3,
    /// A ten-minute voltage lies too high.
    Overvoltage = 4,
    /// A ten-second frequency lies too far from the nominal.
    Frequency = 5,
    /// The voltage went from one steady value to another.
    RapidChange = 6,
    /// A ten-minute unbalance lies too high.
    Unbalance = 7,
    /// A ten-minute distortion of a voltage lies too high.
    Distortion = 8,
    /// The neutral of the low-voltage grid is broken.
    LostNeutral = 9,
    /// A phase of the medium-voltage grid is missing behind a transformer.
    LostMvPhase = 10,
}

/// The logger of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum QualityLog {
    /// Of the voltage at the terminals (EN 50160).
    Quality,
    /// Of conductors that are broken.
    Grid,
}

impl EventKind {
    /// Every kind, by number.
    pub(crate) const ALL: [Self; KINDS] = [
        Self::Dip,
        Self::Swell,
        Self::Interruption,
        Self::Undervoltage,
        Self::Overvoltage,
        Self::Frequency,
        Self::RapidChange,
        Self::Unbalance,
        Self::Distortion,
        Self::LostNeutral,
        Self::LostMvPhase,
    ];

    /// Its number.
    pub(crate) const fn number(self) -> usize {
        self as usize
    }

    /// Its code in a log.
    pub(crate) const fn code(self) -> u8 {
        128 + self as u8
    }

    /// Its bit in a set.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u8
    }

    /// Where it is written down.
    pub(crate) const fn log(self) -> QualityLog {
        match self {
            Self::LostNeutral | Self::LostMvPhase => QualityLog::Grid,
            _ => QualityLog::Quality,
        }
    }

    /// A meter of this type knows it: an OMNIPOWER by its own list, and what lies between phases three phases alone.
    pub(crate) const fn is_on(self, profile: &Profile) -> bool {
        let three = matches!(profile.systems, Systems::Three);
        match self {
            Self::Dip | Self::Swell | Self::Undervoltage | Self::Overvoltage | Self::Distortion => true,
            Self::Interruption | Self::Frequency | Self::RapidChange => matches!(profile.product, Product::Omnia),
            Self::Unbalance | Self::LostNeutral | Self::LostMvPhase => three,
        }
    }
}

/// The kinds that a meter of this type knows, as bits.
pub(crate) fn kinds_of(profile: &Profile) -> u32 {
    EventKind::ALL.into_iter().filter(|kind| kind.is_on(profile)).fold(0, |bits, kind| bits | kind.bit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TypeNumber;

    #[test]
    fn every_type_knows_the_events_of_its_data_sheet() {
        let kinds = |type_number: &str| kinds_of(type_number.parse::<TypeNumber>().unwrap().profile());
        assert_eq!(kinds("684-2-41D-1312AA70-1B14001"), 0b111_1111_1111);
        assert_eq!(kinds("686-2-41D-1112AA70-1B14001"), 0b001_0111_1111);
        assert_eq!(kinds("686-11-11B-N14-3001-001"), 0b001_0001_1011);
        assert!(EventKind::ALL.into_iter().enumerate().all(|(n, kind)| kind.number() == n));
    }
}
