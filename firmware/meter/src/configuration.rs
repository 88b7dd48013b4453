//! The software configuration of an OMNIPOWER: the codes Z1 to Z20 and Z25 to Z30. The sheet leaves out Z21 to Z24.
//!
//! Decimals of the display, length of the impulses, zone and daylight saving, readout in plain and encryption of the
//! optical port change what this library does; the other codes are checked and kept.

use core::fmt;
use core::str::FromStr;

use crate::display::DisplayFormat;
use crate::profile::{Breaker, Energies, Product, Profile, Variant};
use crate::records::BillingEnd;

/// Values that a code may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedValues {
    /// Digits of the code.
    width: usize,
    /// First and last value of every run.
    runs: &'static [(u16, u16)],
}

impl AllowedValues {
    fn contains(self, value: u16) -> bool {
        self.runs.iter().any(|&(first, last)| (first..=last).contains(&value))
    }
}

impl fmt::Display for AllowedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width;
        for (n, (first, last)) in self.runs.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{first:0width$}")?;
            if last != first {
                write!(f, " to {last:0width$}")?;
            }
        }
        Ok(())
    }
}

const CODES: usize = 26;
/// All widths together.
const DIGITS: usize = 53;
/// What an order form decides may be any number.
const ORDER_FORM: &[(u16, u16)] = &[(0, 999)];
/// A dash stands behind these codes.
const DASHES: [u8; 5] = [4, 8, 12, 16, 20];

const fn row(z: u8, width: usize, runs: &'static [(u16, u16)]) -> (u8, AllowedValues) {
    (z, AllowedValues { width, runs })
}

/// Source: OMNIPOWER single-phase data sheet, software configuration. The codes of Z7 are counted on from the one
/// printed; day 28 of Z6 is not printed.
#[rustfmt::skip]
const TABLE: [(u8, AllowedValues); CODES] = [
    //   digits
    row( 1, 1, &[(1, 4)]),                  // display 7.0, 6.1, 7.2, 6.3
    row( 2, 1, &[(1, 2)]),                  // LED without consumption: off, on
    row( 3, 2, &[(0, 23), (26, 29)]),       // inputs and outputs of the primary module
    row( 4, 1, &[(2, 4)]),                  // integration period 15, 30, 60 min
    row( 5, 3, ORDER_FORM),                 // display lists
    row( 6, 2, &[(1, 27)]),                 // debiting stop date
    row( 7, 2, &[(0, 24)]),                 // debiting interval
    row( 8, 1, &[(1, 4)]),                  // impulse 30, 30, 80, 80 ms; alarm input off, on, off, on
    row( 9, 3, ORDER_FORM),                 // disconnection
    row(10, 3, &[(0, 0)]),                  // analysis logger
    row(11, 2, &[(0, 23)]),                 // GMT +0 to +12 h, -11 to -1 h
    row(12, 2, &[(0, 3)]),                  // pulse input: none, kWh, m³, L
    row(13, 3, &[(0, 2)]),                  // tariffs: off, module port, register
    row(14, 3, &[(0, 1)]),                  // load control: off, register
    row(15, 3, &[(0, 1)]),                  // daylight saving: none, EU
    row(16, 3, &[(0, 0), (318, 319), (326, 326), (328, 329), (337, 339), (348, 349), (356, 357), (359, 359),
                 (369, 369), (376, 376), (379, 379)]), // radio frequency
    row(17, 3, ORDER_FORM),                 // push button 2
    row(18, 3, &[(0, 2)]),                  // 1107: off, modes A and C with UD, with UD2
    row(19, 1, &[(0, 2)]),                  // breaker: none, connected, disconnected
    row(20, 3, ORDER_FORM),                 // calendar
    row(25, 1, &[(1, 3)]),                  // debiting logger 2: daily, weekly, monthly
    row(26, 3, &[(0, 0)]),                  // alarms: none
    row(27, 1, &[(1, 2)]),                  // load profile: absolute values, delta values
    row(28, 1, &[(0, 2)]),                  // encryption of the local interface: not applicable, on, off
    row(29, 1, &[(1, 5)]),                  // load profile: A+; A+/A-; and R+/R-; A+/A- and R1 to R4; all eight
    row(30, 1, &[(1, 2)]),                  // profile of debiting logger 2
];

/// What codes must hold together, and with the type.
struct Rule {
    name: &'static str,
    explanation: &'static str,
    holds: fn(&Configuration, &Profile) -> bool,
}

/// Source: OMNIPOWER single-phase data sheet, remarks at the codes.
const RULES: [Rule; 9] = [
    Rule {
        name: "configuration-is-of-omnipower",
        explanation: "the codes Z1 to Z30 configure an OMNIPOWER meter, no other product",
        holds: |_, p| p.product == Product::Omnipower,
    },
    Rule {
        name: "breaker-position-matches-breaker",
        explanation: "a meter without breaker (X10 = 0) has no breaker position (Z19 = 0), one with breaker has one (Z19 = 1 or 2)",
        holds: |c, p| (c.z(19) == 0) == (p.breaker == Breaker::None),
    },
    Rule {
        name: "1107-needs-variant-1",
        explanation: "the 1107 protocol (Z18 not 000) exists for variant 1 (X8 = 1)",
        holds: |c, p| c.z(18) == 0 || p.variant == Variant::One,
    },
    Rule {
        name: "delta-values-need-variant-2",
        explanation: "delta values in the load profile (Z27 = 2) exist for variant 2 (X8 = 2)",
        holds: |c, p| c.z(27) != 2 || p.variant == Variant::Two,
    },
    Rule {
        name: "local-encryption-needs-variant-2",
        explanation: "encryption of the local interface can be set (Z28 = 1 or 2) for variant 2 (X8 = 2); variant 1 has Z28 = 0",
        holds: |c, p| c.z(28) == 0 || p.variant == Variant::Two,
    },
    Rule {
        name: "variant-2-sets-local-encryption",
        explanation: "variant 2 (X8 = 2) has encryption of the local interface on or off (Z28 = 1 or 2)",
        holds: |c, p| c.z(28) != 0 || p.variant == Variant::One,
    },
    Rule {
        name: "quadrants-need-variant-2",
        explanation: "a load profile with R1 to R4 (Z29 = 4 or 5) exists for variant 2 (X8 = 2)",
        holds: |c, p| c.z(29) < 4 || p.variant == Variant::Two,
    },
    Rule {
        name: "debiting-profile-02-needs-variant-2",
        explanation: "profile 02 of debiting logger 2 (Z30 = 2) exists for variant 2 (X8 = 2)",
        holds: |c, p| c.z(30) != 2 || p.variant == Variant::Two,
    },
    Rule {
        name: "load-profile-holds-registered-energies",
        explanation: "the load profile (Z29) holds energies that the type registers (X9): A+ always, A- with X9 = 2 or 4, reactive energy with X9 = 4",
        holds: |c, p| match p.energies {
            Energies::ActiveImport => c.z(29) == 1,
            Energies::ActiveBothWays => c.z(29) <= 2,
            Energies::ActiveReactiveBothWays => true,
        },
    },
];

/// A software configuration whose every code is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// In the order of the table.
    values: [u16; CODES],
}

/// Why a configuration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// Wrong number of digits.
    #[error("a configuration has {DIGITS} digits (Z1 to Z20 and Z25 to Z30), this one has {found}")]
    Length {
        /// Characters found, dashes and spaces not counted.
        found: usize,
    },
    /// Something else than a digit.
    #[error("Z{position} holds `{found}`; a configuration has digits only")]
    Digit {
        /// Number of the code.
        position: u8,
        /// The character found there.
        found: char,
    },
    /// A value that the code does not know.
    #[error("Z{position} is `{found:0width$}`; allowed is {allowed}", width = .allowed.width)]
    Code {
        /// Number of the code.
        position: u8,
        /// The value found.
        found: u16,
        /// The values this code knows.
        allowed: AllowedValues,
    },
    /// Codes that are valid alone and not together, or not with this type.
    #[error("rule `{rule}`: {explanation}")]
    Rule {
        /// Name of the rule.
        rule: &'static str,
        /// What it demands.
        explanation: &'static str,
    },
}

impl Configuration {
    /// Whether a meter of this type can be configured so: the first rule that is broken.
    pub fn check(&self, profile: &Profile) -> Result<(), ConfigurationError> {
        match RULES.iter().find(|rule| !(rule.holds)(self, profile)) {
            Some(&Rule { name: rule, explanation, .. }) => Err(ConfigurationError::Rule { rule, explanation }),
            None => Ok(()),
        }
    }

    /// Digits of the display (Z1).
    pub fn display_format(&self) -> DisplayFormat {
        let (whole, decimals) = match self.z(1) {
            1 => (7, 0),
            2 => (6, 1),
            3 => (7, 2),
            _ => (6, 3),
        };
        DisplayFormat { whole, decimals }
    }

    /// Time an impulse lasts (ms, Z8).
    pub fn pulse_width_ms(&self) -> u32 {
        if self.z(8) <= 2 { 30 } else { 80 }
    }

    /// The optical port reads out in plain, by modes A and C (Z18).
    pub fn plain_readout(&self) -> bool {
        self.z(18) != 0
    }

    /// Period of the demand and of the load profile (s, Z4).
    pub(crate) fn integration_period_s(&self) -> u32 {
        match self.z(4) {
            2 => 900,
            3 => 1800,
            _ => 3600,
        }
    }

    /// Energies of the load profile by their group C (Z29).
    pub(crate) fn load_profile_energies(&self) -> &'static [u8] {
        match self.z(29) {
            1 => &[1],
            2 => &[1, 2],
            3 => &[1, 2, 3, 4],
            4 => &[1, 2, 5, 6, 7, 8],
            _ => &[1, 2, 3, 4, 5, 6, 7, 8],
        }
    }

    /// When billing periods end (Z6, Z7).
    pub(crate) fn billing_end(&self) -> BillingEnd {
        let (every, first) = match self.z(7) as u8 {
            0 => (0, 1),
            1 => (1, 1),
            code @ 2..=3 => (2, code - 1),
            code @ 4..=6 => (3, code - 3),
            code @ 7..=12 => (6, code - 6),
            code => (12, code - 12),
        };
        BillingEnd { day: self.z(6) as u8, every, first }
    }

    /// Associations over the optical port are ciphered (Z28); always, but where it says 2.
    pub fn local_encryption(&self) -> bool {
        self.z(28) != 2
    }

    /// What must be added to standard time to come to UTC (minutes, Z11): -60 for one hour east.
    pub fn zone_minutes(&self) -> i16 {
        let hours = self.z(11) as i16;
        -60 * if hours <= 12 { hours } else { hours - 24 }
    }

    /// Daylight saving by the rule of the European Union (Z15).
    pub fn daylight_saving(&self) -> bool {
        self.z(15) == 1
    }

    /// The value of code Z`n`, which is in the table.
    fn z(&self, n: u8) -> u16 {
        let skipped = if n > 20 { 4 } else { 0 };
        self.values[usize::from(n - skipped) - 1]
    }
}

impl FromStr for Configuration {
    type Err = ConfigurationError;

    fn from_str(text: &str) -> Result<Self, ConfigurationError> {
        let characters = || text.chars().filter(|c| !matches!(c, '-' | ' '));
        let found = characters().count();
        if found != DIGITS {
            return Err(ConfigurationError::Length { found });
        }
        let mut rest = characters();
        let mut values = [0; CODES];
        for (value, (position, allowed)) in values.iter_mut().zip(TABLE) {
            for found in rest.by_ref().take(allowed.width) {
                let digit = found.to_digit(10).ok_or(ConfigurationError::Digit { position, found })?;
                *value = 10 * *value + digit as u16;
            }
            if !allowed.contains(*value) {
                return Err(ConfigurationError::Code { position, found: *value, allowed });
            }
        }
        Ok(Self { values })
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((position, AllowedValues { width, .. }), value) in TABLE.iter().zip(self.values) {
            write!(f, "{value:0width$}")?;
            if DASHES.contains(position) {
                f.write_str("-")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;
    use crate::TypeNumber;

    /// For variant 1 with breaker and every energy.
    const BASE: &str = "41002-00101011-0000000100-000000001000-0000001000-30001031";
    const VARIANT_1: &str = "686-11-11B-N14-3001-001";
    const VARIANT_2: &str = "686-11-11B-N24-3001-001";

    fn profile(type_number: &str) -> Profile {
        *type_number.parse::<TypeNumber>().unwrap().profile()
    }

    fn base() -> Configuration {
        BASE.parse().unwrap()
    }

    /// The base with other values at some codes, unchecked.
    fn with(changes: &[(u8, u16)]) -> Configuration {
        let mut configuration = base();
        for (z, value) in changes {
            let at = TABLE.iter().position(|(position, _)| position == z).unwrap();
            configuration.values[at] = *value;
        }
        configuration
    }

    #[test]
    fn every_value_of_every_code_survives_a_round_trip_and_no_other_is_taken() {
        let counts = TABLE.map(|(z, allowed)| {
            let all = 0..10u16.pow(allowed.width as u32);
            all.filter(|&value| {
                let text = with(&[(z, value)]).to_string();
                match text.parse::<Configuration>() {
                    Ok(read) => {
                        assert_eq!((read.z(z), read.to_string()), (value, text));
                        true
                    }
                    Err(error) => {
                        assert_eq!(error, ConfigurationError::Code { position: z, found: value, allowed });
                        false
                    }
                }
            })
            .count()
        });
        let of_the_sheet =
            [4, 2, 28, 3, 1000, 27, 25, 4, 1000, 1, 24, 4, 3, 2, 2, 17, 1000, 3, 3, 1000, 3, 1, 2, 3, 5, 2];
        assert_eq!(counts, of_the_sheet);
    }

    /// A type and codes that fit it, drawn without asking the rules.
    fn drawn(random: &mut impl FnMut(u16) -> u16) -> (String, String) {
        let mut between = |first: u16, last: u16| first + random(last - first + 1);
        let (variant, energy, breaker) = (between(1, 2), [1, 2, 4][usize::from(between(0, 2))], between(0, 1));
        let mut codes = String::new();
        for (z, allowed) in TABLE {
            let value = match z {
                18 if variant == 2 => 0,
                19 => breaker * between(1, 2),
                27 | 30 if variant == 1 => 1,
                28 if variant == 1 => 0,
                28 => between(1, 2),
                29 if energy < 4 => between(1, energy),
                29 if variant == 1 => between(1, 3),
                _ => {
                    let (first, last) = allowed.runs[usize::from(between(0, allowed.runs.len() as u16 - 1))];
                    between(first, last)
                }
            };
            let (width, dash) = (allowed.width, if DASHES.contains(&z) { "-" } else { "" });
            codes += &format!("{value:0width$}{dash}");
        }
        (format!("686-11-11B-N{variant}{energy}-{}001-001", 3 * breaker), codes)
    }

    #[test]
    fn valid_combinations_survive_a_round_trip() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = |below: u16| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 32) % u64::from(below)) as u16
        };
        for _ in 0..100_000 {
            let (type_number, text) = drawn(&mut random);
            let configuration: Configuration = text.parse().unwrap();
            assert_eq!(configuration.to_string(), text);
            assert_eq!(configuration.check(&profile(&type_number)), Ok(()), "{type_number} {text}");
        }
    }

    #[test]
    fn every_rule_is_broken_alone() {
        type Changes = &'static [(u8, u16)];
        #[rustfmt::skip]
        let cases: [(&str, &str, Changes); 11] = [
            ("configuration-is-of-omnipower",          "684-2-41D-1312AA70-1B14001", &[]),
            ("breaker-position-matches-breaker",       VARIANT_1,                    &[(19, 0)]),
            ("breaker-position-matches-breaker",       "686-11-11B-N14-0001-001",    &[(19, 1)]),
            ("1107-needs-variant-1",                   VARIANT_2,                    &[(18, 1), (28, 1)]),
            ("delta-values-need-variant-2",            VARIANT_1,                    &[(27, 2)]),
            ("local-encryption-needs-variant-2",       VARIANT_1,                    &[(28, 2)]),
            ("variant-2-sets-local-encryption",        VARIANT_2,                    &[(28, 0)]),
            ("quadrants-need-variant-2",               VARIANT_1,                    &[(29, 4)]),
            ("debiting-profile-02-needs-variant-2",    VARIANT_1,                    &[(30, 2)]),
            ("load-profile-holds-registered-energies", "686-11-11B-N11-3001-001",    &[(29, 2)]),
            ("load-profile-holds-registered-energies", "686-11-11B-N12-3001-001",    &[(29, 3)]),
        ];
        for rule in &RULES {
            assert!(cases.iter().any(|(name, ..)| *name == rule.name), "{}", rule.name);
        }
        for (name, type_number, changes) in cases {
            let (configuration, profile) = (with(changes), profile(type_number));
            let broken: Vec<&str> =
                RULES.iter().filter(|rule| !(rule.holds)(&configuration, &profile)).map(|rule| rule.name).collect();
            assert_eq!(broken, [name]);
            assert!(
                matches!(configuration.check(&profile), Err(ConfigurationError::Rule { rule, .. }) if rule == name)
            );
        }
    }

    #[test]
    fn variant_2_has_what_variant_1_lacks() {
        let all = with(&[(27, 2), (28, 1), (29, 5), (30, 2)]);
        assert_eq!(all.check(&profile(VARIANT_2)), Ok(()));
        assert!(all.check(&profile(VARIANT_1)).is_err());
        assert_eq!(with(&[(18, 2)]).check(&profile(VARIANT_1)), Ok(()));
    }

    #[test]
    fn zone_daylight_saving_and_readout_are_read() {
        let with = |z: u8, value: u16| with(&[(z, value)]);
        assert_eq!([0, 1, 12, 13, 23].map(|z| with(11, z).zone_minutes()), [0, -60, -720, 660, 60]);
        assert_eq!([0, 1].map(|z| with(15, z).daylight_saving()), [false, true]);
        assert_eq!([0, 1, 2].map(|z| with(18, z).plain_readout()), [false, true, true]);
    }

    #[test]
    fn decimals_and_pulse_width_are_read() {
        let digits = |value| {
            let format = with(&[(1, value)]).display_format();
            (format.whole, format.decimals)
        };
        assert_eq!([1, 2, 3, 4].map(digits), [(7, 0), (6, 1), (7, 2), (6, 3)]);
        assert_eq!([1, 2, 3, 4].map(|value| with(&[(8, value)]).pulse_width_ms()), [30, 30, 80, 80]);
    }

    #[test]
    fn an_error_names_the_code_and_what_is_allowed() {
        let error = |text: &str| text.parse::<Configuration>().unwrap_err().to_string();
        assert_eq!(error("41"), "a configuration has 53 digits (Z1 to Z20 and Z25 to Z30), this one has 2");
        assert_eq!(error(&BASE.replacen('4', "x", 1)), "Z1 holds `x`; a configuration has digits only");
        assert_eq!(error(&BASE.replacen("41002", "41242", 1)), "Z3 is `24`; allowed is 00 to 23, 26 to 29");
        assert_eq!(BASE.replace('-', " ").parse::<Configuration>(), Ok(base()));
    }
}
