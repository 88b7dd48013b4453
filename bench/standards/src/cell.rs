//! Cells of the data files: a limit with its certainty, a current in the symbols of the standard.

use std::fmt;
use std::str::FromStr;

use meterbench_record::{Certainty, LimitBinding, Nameplate};
use serde::Deserialize;

/// One figure of a standard: `1.5 verified tables`, or `2.0 medium memory 1.0..2.5`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cell {
    pub figure: f64,
    pub certainty: Certainty,
    /// Key into the sources of the file.
    pub source: String,
    /// Tightest and loosest figure the truth can be, for an uncertain one.
    pub candidates: Option<(f64, f64)>,
}

impl Cell {
    /// Tightest and loosest figure the truth can be; `None` when that is not known.
    pub(crate) fn bounds(&self) -> Option<(f64, f64)> {
        if self.certainty.decides() { Some((self.figure, self.figure)) } else { self.candidates }
    }

    /// The binding of a limit made of this cell times `scale`; `None` when the figure decides on its own.
    pub(crate) fn binding(&self, ingredient: &str, scale: f64) -> Option<LimitBinding> {
        let (tightest, loosest) = self.candidates?;
        (!self.certainty.decides()).then(|| LimitBinding {
            tightest: tightest * scale,
            loosest: loosest * scale,
            ingredient: ingredient.to_owned(),
        })
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{text}`: {what}");
        let mut words = text.split_whitespace();
        let figure = words.next().and_then(|w| w.parse().ok()).ok_or_else(|| wrong("no figure"))?;
        let certainty = match words.next() {
            Some("verified") => Certainty::Verified,
            Some("high") => Certainty::High,
            Some("medium") => Certainty::Medium,
            Some("low") => Certainty::Low,
            _ => return Err(wrong("no certainty")),
        };
        let source = words.next().ok_or_else(|| wrong("no source"))?.to_owned();
        let candidates = match words.next() {
            None => None,
            Some(range) => {
                let (tight, loose) = range.split_once("..").ok_or_else(|| wrong("no range"))?;
                let parse = |w: &str| w.parse::<f64>().map_err(|_| wrong("a bad range"));
                Some((parse(tight)?, parse(loose)?))
            }
        };
        if words.next().is_some() {
            return Err(wrong("too many words"));
        }
        Ok(Self { figure, certainty, source, candidates })
    }
}

impl TryFrom<String> for Cell {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.figure, self.certainty.word(), self.source)
    }
}

/// A current symbol of the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    Ist,
    Imin,
    Itr,
    /// Reference current of EN 50470.
    Iref,
    /// The same current in IEC 62053:2003.
    Ib,
    /// The same current in IEC 62053:2020, and of meters on current transformers.
    In,
    Imax,
}

impl Symbol {
    pub const ALL: [Self; 7] = [Self::Ist, Self::Imin, Self::Itr, Self::Iref, Self::Ib, Self::In, Self::Imax];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ist => "Ist",
            Self::Imin => "Imin",
            Self::Itr => "Itr",
            Self::Iref => "Iref",
            Self::Ib => "Ib",
            Self::In => "In",
            Self::Imax => "Imax",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|symbol| symbol.name() == text)
    }

    pub fn ampere(self, plate: &Nameplate) -> f64 {
        match self {
            Self::Ist => plate.ist_ampere(),
            Self::Imin => plate.imin_ampere,
            Self::Itr => plate.itr_ampere(),
            Self::Iref | Self::Ib | Self::In => plate.iref_ampere,
            Self::Imax => plate.imax_ampere,
        }
    }
}

/// A multiple of a symbol: `0.05 Ib`, `Imax`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Current {
    pub factor: f64,
    pub symbol: Symbol,
}

impl Current {
    pub fn ampere(self, plate: &Nameplate) -> f64 {
        self.factor * self.symbol.ampere(plate)
    }
}

impl FromStr for Current {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (factor, symbol) = text.split_once(' ').unwrap_or(("1", text));
        let factor = factor.parse::<f64>().ok().filter(|f| f.is_finite() && *f > 0.0);
        let symbol = Symbol::parse(symbol);
        factor
            .zip(symbol)
            .map(|(factor, symbol)| Self { factor, symbol })
            .ok_or_else(|| format!("`{text}` is no current"))
    }
}

impl TryFrom<String> for Current {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.factor == 1.0 {
            return f.write_str(self.symbol.name());
        }
        write!(f, "{} {}", self.factor, self.symbol.name())
    }
}
