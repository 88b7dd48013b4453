//! OMNIA type numbers: `68 X1-X2-X3X4X5-X6..X13-X14..X20`. Dashes and spaces are ignored.

use core::fmt;
use core::str::FromStr;

use meterbench_metrology::Systems;

use crate::profile::{ActiveClass, Backup, Energies, Flex, Han, Profile, ReactiveClass};

/// A type number whose every code is valid and whose combination is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeNumber {
    profile: Profile,
}

/// Why a type number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeNumberError {
    /// Wrong number of characters.
    #[error("a type number has 22 characters (68 and X1 to X20), this one has {found}")]
    Length {
        /// Characters found, dashes and spaces not counted.
        found: usize,
    },
    /// Not an OMNIA number.
    #[error("an OMNIA type number begins with 68")]
    Prefix,
    /// A code that the position does not know.
    #[error("X{position} is `{found}`; allowed is {allowed}")]
    Code {
        /// Number of the position, 1 to 20.
        position: u8,
        /// The character found there.
        found: char,
        /// The codes this position knows.
        allowed: &'static str,
    },
    /// Codes that are valid alone and not together.
    #[error("rule `{rule}`: {explanation}")]
    Rule {
        /// Name of the rule.
        rule: &'static str,
        /// What it demands.
        explanation: &'static str,
    },
}

const LENGTH: usize = 22;

/// The codes of one number, X1 at index 0.
struct Codes([u8; 20]);

impl Codes {
    fn read(text: &str) -> Result<Self, TypeNumberError> {
        let kept = || text.bytes().filter(|b| !matches!(b, b'-' | b' '));
        let found = kept().count();
        if found != LENGTH {
            return Err(TypeNumberError::Length { found });
        }
        if !kept().take(2).eq(*b"68") {
            return Err(TypeNumberError::Prefix);
        }
        let mut codes = [0; 20];
        for (code, byte) in codes.iter_mut().zip(kept().skip(2)) {
            *code = byte;
        }
        Ok(Self(codes))
    }

    /// The meaning of position X`n`, out of a table of (code, meaning).
    fn decode<T: Copy>(&self, n: u8, allowed: &'static str, table: &[(u8, T)]) -> Result<T, TypeNumberError> {
        let code = self.0[usize::from(n) - 1];
        table.iter().find_map(|&(known, meaning)| (known == code).then_some(meaning)).ok_or(TypeNumberError::Code {
            position: n,
            found: char::from(code),
            allowed,
        })
    }

    /// The meaning of a pair of positions that begins at X`n`.
    fn decode_pair<T: Copy>(
        &self,
        n: u8,
        allowed: &'static str,
        table: &[(&[u8; 2], T)],
    ) -> Result<T, TypeNumberError> {
        let at = usize::from(n) - 1;
        let pair = [self.0[at], self.0[at + 1]];
        if let Some(&(_, meaning)) = table.iter().find(|(known, _)| **known == pair) {
            return Ok(meaning);
        }
        // Name the character that spoils it: the first if no code begins with it, else the second.
        let second = u8::from(table.iter().any(|(known, _)| known[0] == pair[0]));
        Err(TypeNumberError::Code { position: n + second, found: char::from(pair[usize::from(second)]), allowed })
    }
}

const METER_TYPE: [(u8, Systems); 2] = [(b'4', Systems::Three), (b'6', Systems::One)];
const HOUSING: [(u8, bool); 2] = [(b'1', false), (b'4', true)];
const YES_NO: [(u8, bool); 2] = [(b'0', false), (b'1', true)];
const SYSTEMS: [(u8, Systems); 2] = [(b'1', Systems::One), (b'3', Systems::Three)];
const HAN: [(u8, Han); 3] = [(b'0', Han::None), (b'1', Han::P1Lite), (b'2', Han::P1)];
const FLEX: [(&[u8; 2], Flex); 4] = [
    (b"00", Flex::None),
    (b"AA", Flex::SupplyLoadControlPulse),
    (b"AB", Flex::LoadControlPulse),
    (b"AH", Flex::SupplyPulse),
];
const BACKUP: [(u8, Backup); 6] = [
    (b'3', Backup::Supercap3),
    (b'7', Backup::Supercap7),
    (b'B', Backup::Battery),
    (b'C', Backup::Supercap3LastGasp),
    (b'D', Backup::Supercap7LastGasp),
    (b'E', Backup::BatteryLastGasp),
];
const CURRENT: [(u8, u32); 2] = [(b'1', 100), (b'8', 80)];
const CLASS: [(&[u8; 2], (ActiveClass, ReactiveClass)); 6] = [
    (b"11", (ActiveClass::One, ReactiveClass::One)),
    (b"12", (ActiveClass::One, ReactiveClass::Two)),
    (b"22", (ActiveClass::Two, ReactiveClass::Two)),
    (b"B1", (ActiveClass::B, ReactiveClass::One)),
    (b"B2", (ActiveClass::B, ReactiveClass::Two)),
    (b"A2", (ActiveClass::A, ReactiveClass::Two)),
];
const ENERGY: [(u8, Energies); 1] = [(b'4', Energies::ActiveReactiveBothWays)];

impl FromStr for TypeNumber {
    type Err = TypeNumberError;

    fn from_str(text: &str) -> Result<Self, TypeNumberError> {
        let codes = Codes::read(text)?;
        let meter_type = codes.decode(1, "4 (three-phase) or 6 (single-phase)", &METER_TYPE)?;
        codes.decode(2, "2 (revision 2)", &[(b'2', ())])?;
        let elevator_terminals = codes.decode(3, "1 (two screws) or 4 (35 mm2 elevator clamps)", &HOUSING)?;
        let breaker = codes.decode(4, "0 (no breaker) or 1 (standard breaker)", &YES_NO)?;
        codes.decode(5, "D (OMNIA e-meter)", &[(b'D', ())])?;
        codes.decode(6, "1 (variant 1)", &[(b'1', ())])?;
        let systems = codes.decode(7, "1 or 3 measuring systems", &SYSTEMS)?;
        let modem = codes.decode(8, "0 (none) or 1 (LTE Cat M1/NB2)", &YES_NO)?;
        let han = codes.decode(9, "0 (none), 1 (P1 Lite) or 2 (P1)", &HAN)?;
        let flex = codes.decode_pair(10, "X10 X11 = 00, AA, AB or AH", &FLEX)?;
        let backup = codes.decode(12, "3, 7, B, C, D or E", &BACKUP)?;
        let hot_swap = codes.decode(13, "0 or 1 (hot swap)", &YES_NO)?;
        let maximum_current = codes.decode(14, "1 (5(100) A) or 8 (5(80) A)", &CURRENT)?;
        let (active_class, reactive_class) = codes.decode_pair(15, "X15 X16 = 11, 12, 22, B1, B2 or A2", &CLASS)?;
        let energies = codes.decode(17, "4 (A+/A-/R+/R-)", &ENERGY)?;
        let country = [codes.0[17], codes.0[18], codes.0[19]];
        for (position, &code) in (18u8..).zip(&country) {
            if !code.is_ascii_alphanumeric() {
                let found = char::from(code);
                return Err(TypeNumberError::Code {
                    position,
                    found,
                    allowed: "a letter or a digit of the country code",
                });
            }
        }
        let profile = Profile {
            systems,
            elevator_terminals,
            breaker,
            modem,
            han,
            flex,
            backup,
            hot_swap,
            maximum_current,
            active_class,
            reactive_class,
            energies,
            country,
        };
        if meter_type != systems {
            return Err(TypeNumberError::Rule {
                rule: "systems-match-meter-type",
                explanation: "a three-phase meter (X1 = 4) has three measuring systems (X7 = 3), a single-phase meter (X1 = 6) has one (X7 = 1)",
            });
        }
        if profile.has_last_gasp() && !modem {
            return Err(TypeNumberError::Rule {
                rule: "last-gasp-needs-modem",
                explanation: "a last gasp (X12 = C, D or E) is sent by the modem (X8 = 1)",
            });
        }
        Ok(Self { profile })
    }
}

impl TypeNumber {
    /// What the number says.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    fn encode(&self) -> [u8; 20] {
        fn code<T: PartialEq>(table: &[(u8, T)], meaning: &T) -> u8 {
            table.iter().find(|(_, known)| known == meaning).map_or(b'?', |(code, _)| *code)
        }
        fn pair<T: PartialEq>(table: &[(&[u8; 2], T)], meaning: &T) -> [u8; 2] {
            table.iter().find(|(_, known)| known == meaning).map_or(*b"??", |(code, _)| **code)
        }
        let p = &self.profile;
        let [x10, x11] = pair(&FLEX, &p.flex);
        let [x15, x16] = pair(&CLASS, &(p.active_class, p.reactive_class));
        let [x18, x19, x20] = p.country;
        [
            code(&METER_TYPE, &p.systems),
            b'2',
            code(&HOUSING, &p.elevator_terminals),
            code(&YES_NO, &p.breaker),
            b'D',
            b'1',
            code(&SYSTEMS, &p.systems),
            code(&YES_NO, &p.modem),
            code(&HAN, &p.han),
            x10,
            x11,
            code(&BACKUP, &p.backup),
            code(&YES_NO, &p.hot_swap),
            code(&CURRENT, &p.maximum_current),
            x15,
            x16,
            code(&ENERGY, &p.energies),
            x18,
            x19,
            x20,
        ]
    }
}

impl fmt::Display for TypeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("68")?;
        for (n, code) in self.encode().into_iter().enumerate() {
            if matches!(n, 1 | 2 | 5 | 13) {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(code))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::{format, println};

    use super::*;

    const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";

    #[test]
    fn every_valid_code_survives_a_round_trip() {
        let mut valid = 0;
        for (x1, x7) in [("4", "3"), ("6", "1")] {
            for x3 in ["1", "4"] {
                for x4 in ["0", "1"] {
                    for (x8, backups) in [("0", "37B"), ("1", "37BCDE")] {
                        for x9 in ["0", "1", "2"] {
                            for flex in ["00", "AA", "AB", "AH"] {
                                for x12 in backups.chars() {
                                    for x13 in ["0", "1"] {
                                        for x14 in ["1", "8"] {
                                            for class in ["11", "12", "22", "B1", "B2", "A2"] {
                                                let text = format!(
                                                    "68{x1}-2-{x3}{x4}D-1{x7}{x8}{x9}{flex}{x12}{x13}-{x14}{class}4DK1"
                                                );
                                                let parsed: TypeNumber = text.parse().unwrap();
                                                assert_eq!(parsed.to_string(), text);
                                                valid += 1;
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        println!("{valid} valid type numbers");
    }

    #[test]
    fn every_foreign_character_is_refused_at_its_position() {
        let good: std::vec::Vec<u8> = THREE_PHASE.bytes().filter(|b| *b != b'-').collect();
        for at in 2..good.len() {
            for byte in 0x21..=0x7e_u8 {
                let mut text = good.clone();
                text[at] = byte;
                if byte == b'-' {
                    continue;
                }
                let text = std::string::String::from_utf8(text).unwrap();
                match text.parse::<TypeNumber>() {
                    Ok(number) => assert_eq!(number.to_string().replace('-', ""), text),
                    Err(TypeNumberError::Code { position, .. }) => {
                        // A pair is judged as a whole, so a bad second half may show at the first position.
                        assert!((at - 1).abs_diff(usize::from(position)) <= 1, "{text}: X{position}");
                    }
                    Err(TypeNumberError::Rule { rule, .. }) => assert!(!rule.is_empty()),
                    Err(other) => panic!("{text}: {other}"),
                }
            }
        }
    }

    #[test]
    fn combinations_are_refused_by_name() {
        let rule = |text: &str| match text.parse::<TypeNumber>() {
            Err(TypeNumberError::Rule { rule, .. }) => rule,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(rule("684-2-41D-1112AA70-1B14001"), "systems-match-meter-type");
        assert_eq!(rule("684-2-41D-1302AAC0-1B14001"), "last-gasp-needs-modem");
    }

    #[test]
    fn length_and_prefix_are_checked_first() {
        assert_eq!("68".parse::<TypeNumber>(), Err(TypeNumberError::Length { found: 2 }));
        assert_eq!(THREE_PHASE.replacen("68", "69", 1).parse::<TypeNumber>(), Err(TypeNumberError::Prefix));
    }
}
