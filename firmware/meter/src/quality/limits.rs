//! The limits beyond which something is an event; the installer sets them.
//!
//! Voltages are in 0.01 % of the declared voltage Udin, which is the reference voltage Un of the meter.

/// Limits there are.
pub(crate) const LIMITS: usize = 13;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// A dip begins below it.
    Dip = 0,
    /// A swell begins above it.
    Swell = 1,
    /// An interruption begins when all phases are below it.
    Interruption = 2,
    /// Dips and interruptions end this much above where they begin, swells this much below.
    Hysteresis = 3,
    /// A rapid change begins when a half cycle lies farther from the mean of the last second.
    RapidChange = 4,
    /// It ends when all lie nearer by this much.
    RapidChangeHysteresis = 5,
    /// A ten-minute voltage may not lie lower.
    Undervoltage = 6,
    /// A ten-minute voltage may not lie higher.
    Overvoltage = 7,
    /// A ten-second frequency may not lie farther from the nominal (0.01 % of it).
    Frequency = 8,
    /// A ten-minute u2 may not lie higher (0.01 %).
    Unbalance = 9,
    /// A ten-minute THDU may not lie higher (0.01 %).
    Distortion = 10,
    /// The neutral is lost from this u0 on (0.01 %).
    LostNeutral = 11,
    /// A phase of the medium voltage is lost from this u2 on (0.01 %).
    LostMvPhase = 12,
}

impl Limit {
    /// Every limit, by number.
    pub(crate) const ALL: [Self; LIMITS] = [
        Self::Dip,
        Self::Swell,
        Self::Interruption,
        Self::Hysteresis,
        Self::RapidChange,
        Self::RapidChangeHysteresis,
        Self::Undervoltage,
        Self::Overvoltage,
        Self::Frequency,
        Self::Unbalance,
        Self::Distortion,
        Self::LostNeutral,
        Self::LostMvPhase,
    ];

    /// As delivered, and the least and most that can be set. However they are set, a voltage that is back is neither below a
    /// dip nor above a swell.
    ///
    /// Source: EN 50160 and IEC 61000-4-30; those of lost conductors are this meter's own.
    #[rustfmt::skip]
    const fn row(self) -> (u16, u16, u16) {
        match self {
            //                                delivered  least    most
            Self::Dip                   => (   9_000,   5_000,   9_500),
            Self::Swell                 => (  11_000,  10_500,  20_000),
            Self::Interruption          => (     500,     100,   1_000),
            Self::Hysteresis            => (     200,      10,     500),
            Self::RapidChange           => (     500,     100,     600),
            Self::RapidChangeHysteresis => (     250,      50,     550),
            Self::Undervoltage          => (   9_000,   5_000,   9_950),
            Self::Overvoltage           => (  11_000,  10_050,  15_000),
            Self::Frequency             => (     100,      10,   1_500),
            Self::Unbalance             => (     200,      50,   2_000),
            Self::Distortion            => (     800,     100,   5_000),
            Self::LostNeutral           => (   1_000,     500,   5_000),
            Self::LostMvPhase           => (   2_000,   1_000,   9_000),
        }
    }
}

/// The limits of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Limits([u16; LIMITS]);

impl Limits {
    /// As delivered.
    pub(crate) const DELIVERED: Self = {
        let mut limits = [0; LIMITS];
        let mut n = 0;
        while n < LIMITS {
            limits[n] = Limit::ALL[n].row().0;
            n += 1;
        }
        Self(limits)
    };

    /// One of them.
    pub(crate) const fn of(&self, limit: Limit) -> u16 {
        self.0[limit as usize]
    }

    /// With another value; `None` outside what can be set, and where an event could not end.
    pub(crate) fn with(mut self, limit: Limit, value: u16) -> Option<Self> {
        let (_, least, most) = limit.row();
        self.0[limit as usize] = value;
        let ends = self.of(Limit::RapidChangeHysteresis) < self.of(Limit::RapidChange);
        ((least..=most).contains(&value) && ends).then_some(self)
    }

    /// Dips, swells and interruptions end where they begin.
    #[cfg(feature = "defects")]
    pub(crate) fn without_hysteresis(mut self) -> Self {
        self.0[Limit::Hysteresis as usize] = 0;
        self
    }

    /// All of them, by number.
    pub(crate) const fn values(&self) -> &[u16; LIMITS] {
        &self.0
    }

    /// All of them, by number; `None` where one cannot be set so.
    pub(crate) fn from_values(values: [u16; LIMITS]) -> Option<Self> {
        Limit::ALL.into_iter().try_fold(Self(values), |limits, limit| limits.with(limit, limits.of(limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_within_their_range_and_so_that_events_end() {
        let delivered = Limits::DELIVERED;
        assert_eq!(Limits::from_values(*delivered.values()), Some(delivered));
        for limit in Limit::ALL {
            let (_, least, most) = limit.row();
            assert_eq!(delivered.with(limit, least - 1), None, "{limit:?}");
            assert_eq!(delivered.with(limit, most + 1), None, "{limit:?}");
            assert_eq!(Limit::ALL[limit as usize], limit);
        }
        assert_eq!(delivered.with(Limit::Dip, 8500).map(|limits| limits.of(Limit::Dip)), Some(8500));
        assert_eq!(delivered.with(Limit::RapidChange, 250), None);
        assert_eq!(
            delivered.with(Limit::RapidChange, 300).and_then(|l| l.with(Limit::RapidChangeHysteresis, 300)),
            None
        );
        assert_eq!(Limits::from_values([0; LIMITS]), None);
    }
}
