//! Kinds of power quality and grid events, as plans name them and as the logs of a meter number them.

use meterbench_record::Feature;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    VoltageDip,
    VoltageSwell,
    Interruption,
    Undervoltage,
    Overvoltage,
    Frequency,
    RapidVoltageChange,
    Unbalance,
    ThdVoltage,
    LostNeutral,
    LostMvPhase,
}

/// Values over ten minutes: one that is whole, and one that is good again (s).
const TWO_INTERVALS: f64 = 2.0 * 600.0;

impl EventKind {
    /// By their numbers.
    pub const ALL: [Self; 11] = [
        Self::VoltageDip,
        Self::VoltageSwell,
        Self::Interruption,
        Self::Undervoltage,
        Self::Overvoltage,
        Self::Frequency,
        Self::RapidVoltageChange,
        Self::Unbalance,
        Self::ThdVoltage,
        Self::LostNeutral,
        Self::LostMvPhase,
    ];

    /// The number of the kind: bit of the alarm register.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its code in a log, and group D of its counter.
    pub fn code(self) -> u8 {
        128 + self.number()
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word in plans.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// What the last column of its row in a log says: key in plans and quantity in records.
    pub fn extreme(self) -> &'static str {
        self.row().1
    }

    /// Unit of the extreme. Percentages are of Un, shares of the positive sequence or of the fundamental.
    pub fn unit(self) -> &'static str {
        self.row().2
    }

    /// Digits of the extreme in a log in one such unit.
    pub fn digits(self) -> f64 {
        if self == Self::Frequency { 1000.0 } else { 100.0 }
    }

    /// The extreme is a voltage, which a plan may write in Un.
    pub fn is_voltage(self) -> bool {
        self.number() <= Self::Overvoltage.number() || self == Self::RapidVoltageChange
    }

    /// How long after its end the meter can need to say so (s).
    pub fn settling_seconds(self) -> f64 {
        self.row().3
    }

    /// Stands in the log of grid events.
    pub fn is_of_grid(self) -> bool {
        self.number() >= Self::LostNeutral.number()
    }

    /// What a meter must have to log it.
    pub fn feature(self) -> Feature {
        match self {
            Self::VoltageDip | Self::VoltageSwell | Self::Undervoltage | Self::Overvoltage | Self::ThdVoltage => {
                Feature::VoltageQuality
            }
            Self::Interruption | Self::Frequency | Self::RapidVoltageChange | Self::Unbalance => Feature::PowerQuality,
            Self::LostNeutral | Self::LostMvPhase => Feature::GridEvents,
        }
    }

    #[rustfmt::skip]
    fn row(self) -> (&'static str, &'static str, &'static str, f64) {
        match self {
            Self::VoltageDip         => ("voltage-dip",          "residual",  "%",  3.0),
            Self::VoltageSwell       => ("voltage-swell",        "magnitude", "%",  3.0),
            Self::Interruption       => ("interruption",         "residual",  "%",  10.0),
            Self::Undervoltage       => ("undervoltage",         "voltage",   "%",  TWO_INTERVALS),
            Self::Overvoltage        => ("overvoltage",          "voltage",   "%",  TWO_INTERVALS),
            // Two intervals of ten seconds.
            Self::Frequency          => ("frequency",            "frequency", "Hz", 21.0),
            // A second of steady voltage.
            Self::RapidVoltageChange => ("rapid-voltage-change", "change",    "%",  3.0),
            Self::Unbalance          => ("unbalance",            "u2",        "%",  TWO_INTERVALS),
            Self::ThdVoltage         => ("thd-voltage",          "thd",       "%",  TWO_INTERVALS),
            Self::LostNeutral        => ("lost-neutral",         "u0",        "%",  10.0),
            Self::LostMvPhase        => ("lost-mv-phase",        "u2",        "%",  10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_number_and_its_word() {
        for (number, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), number);
            assert_eq!(EventKind::parse(kind.word()), Some(kind));
        }
        assert_eq!((EventKind::LostNeutral.code(), EventKind::VoltageDip.code()), (137, 128));
        assert_eq!(EventKind::parse("dip"), None);
    }
}
