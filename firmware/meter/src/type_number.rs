//! Type numbers: `68` and the codes X1, X2, … of a product. Dashes and spaces are ignored.

mod codes;
mod omnia;
mod omnipower;

use core::fmt;
use core::str::FromStr;

use crate::profile::{Product, Profile};
use codes::{Codes, characters, print};

/// A type number whose every code is valid and whose combination is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeNumber {
    profile: Profile,
}

/// Why a type number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeNumberError {
    /// Wrong number of characters.
    #[error(
        "a type number has 22 characters (OMNIA: 68 and X1 to X20) or 18 (OMNIPOWER: 68 and X1 to X16), this one has {found}"
    )]
    Length {
        /// Characters found, dashes and spaces not counted.
        found: usize,
    },
    /// No type number of these products.
    #[error("an OMNIA or OMNIPOWER type number begins with 68")]
    Prefix,
    /// A code that the position does not know.
    #[error("X{position} is `{found}`; allowed is {allowed}")]
    Code {
        /// Number of the position, from 1.
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

impl FromStr for TypeNumber {
    type Err = TypeNumberError;

    /// The number of characters tells the products apart.
    fn from_str(text: &str) -> Result<Self, TypeNumberError> {
        let profile = match characters(text).count() {
            omnia::LENGTH => omnia::decode(&Codes::read(text)?)?,
            omnipower::LENGTH => omnipower::decode(&Codes::read(text)?)?,
            found => return Err(TypeNumberError::Length { found }),
        };
        Ok(Self { profile })
    }
}

impl TypeNumber {
    /// What the number says.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

impl fmt::Display for TypeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.profile.product {
            Product::Omnia => print(f, &omnia::encode(&self.profile), &omnia::DASHES),
            Product::Omnipower => print(f, &omnipower::encode(&self.profile), &omnipower::DASHES),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_foreign_character_is_refused_at_its_position() {
        for number in ["684-2-41D-1312AA70-1B14001", "686-11-11B-N14-3001-001"] {
            let good: Vec<u8> = characters(number).collect();
            for at in 2..good.len() {
                for byte in (0x21..=0x7e_u8).filter(|b| *b != b'-') {
                    let mut text = good.clone();
                    text[at] = byte;
                    let text = String::from_utf8(text).unwrap();
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
    }

    #[test]
    fn length_and_prefix_are_checked_first() {
        assert_eq!("68".parse::<TypeNumber>(), Err(TypeNumberError::Length { found: 2 }));
        for number in ["694-2-41D-1312AA70-1B14001", "696-11-11B-N14-3001-001"] {
            assert_eq!(number.parse::<TypeNumber>(), Err(TypeNumberError::Prefix));
        }
    }
}
