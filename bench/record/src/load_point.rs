//! The load point: what the source shall apply.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which side of the voltage the current stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reactance {
    /// Current lags.
    Ind,
    /// Current leads.
    Cap,
}

/// Power factor (active energy) or sin phi (reactive energy) in the way the standards write it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PowerFactor {
    /// Magnitude, above 0 and at most 1.
    pub magnitude: f64,
    /// Side; `None` only at magnitude 1.
    pub side: Option<Reactance>,
}

impl PowerFactor {
    /// PF 1.
    pub const UNITY: Self = Self { magnitude: 1.0, side: None };

    /// Angle by which the current lags the voltage (deg); negative for a leading current.
    pub fn lag_degrees(self) -> f64 {
        let angle = self.magnitude.acos().to_degrees();
        if self.side == Some(Reactance::Cap) { -angle } else { angle }
    }

    /// `cos` and `sin` of that angle, exact at PF 1.
    pub fn cos_sin(self) -> (f64, f64) {
        let sin = (1.0 - self.magnitude * self.magnitude).max(0.0).sqrt();
        (self.magnitude, if self.side == Some(Reactance::Cap) { -sin } else { sin })
    }

    /// Parses `1`, `0.5 ind`, `0.8 cap`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, side) = match text.split_once(' ') {
            Some((number, "ind")) => (number, Some(Reactance::Ind)),
            Some((number, "cap")) => (number, Some(Reactance::Cap)),
            Some(_) => return None,
            None => (text, None),
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let magnitude: f64 = number.parse().ok().filter(|_| plain)?;
        let valid = if side.is_none() { magnitude == 1.0 } else { magnitude > 0.0 && magnitude < 1.0 };
        valid.then_some(Self { magnitude, side })
    }
}

impl fmt::Display for PowerFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.side {
            None => write!(f, "{}", self.magnitude),
            Some(Reactance::Ind) => write!(f, "{} ind", self.magnitude),
            Some(Reactance::Cap) => write!(f, "{} cap", self.magnitude),
        }
    }
}

impl From<PowerFactor> for String {
    fn from(pf: PowerFactor) -> Self {
        pf.to_string()
    }
}

impl TryFrom<String> for PowerFactor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a power factor"))
    }
}

/// Which phases carry current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Phases([bool; 3]);

impl Phases {
    /// Of a single-phase meter.
    pub const L1: Self = Self([true, false, false]);
    /// All three.
    pub const L123: Self = Self([true, true, true]);

    /// `None` when no phase is in.
    pub fn new(phases: [bool; 3]) -> Option<Self> {
        phases.contains(&true).then_some(Self(phases))
    }

    /// Every phase of a meter with this many systems.
    pub fn all(systems: u8) -> Self {
        if systems == 1 { Self::L1 } else { Self::L123 }
    }

    /// This phase, counted from 0, carries current.
    pub fn has(self, phase: usize) -> bool {
        self.0.get(phase).copied().unwrap_or(false)
    }

    /// Number of loaded phases.
    pub fn count(self) -> u8 {
        self.0.iter().map(|&on| u8::from(on)).sum()
    }
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::L123 {
            return f.write_str("L123");
        }
        let mut names = ["L1", "L2", "L3"].into_iter().zip(self.0).filter_map(|(name, on)| on.then_some(name));
        names.next().map_or(Ok(()), |first| f.write_str(first))?;
        names.try_for_each(|name| write!(f, "+{name}"))
    }
}

impl From<Phases> for String {
    fn from(phases: Phases) -> Self {
        phases.to_string()
    }
}

impl TryFrom<String> for Phases {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "L123" {
            return Ok(Self::L123);
        }
        let names = ["L1", "L2", "L3"];
        let known = text.split('+').all(|name| names.contains(&name));
        let on = names.map(|name| text.split('+').any(|n| n == name));
        Self::new(on).filter(|_| known).ok_or_else(|| format!("`{text}` names no phases"))
    }
}

/// Direction of energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Towards the consumer, A+.
    Import,
    /// Towards the network, A-.
    Export,
}

/// Kind of energy under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnergyKind {
    /// kWh.
    Active,
    /// kvarh.
    Reactive,
}

/// What the source shall apply, in the words of the plan and in SI units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadPoint {
    /// Voltage as written: `1 Un`, `230 V`.
    pub voltage: String,
    /// Current as written: `10 Itr`, `5 A`.
    pub current: String,
    /// Phase voltage (V).
    pub volt: f64,
    /// Current in each loaded phase (A).
    pub ampere: f64,
    /// Power factor.
    pub power_factor: PowerFactor,
    /// Frequency (Hz).
    pub frequency_hz: f64,
    /// Loaded phases; every voltage of the meter is present.
    pub phases: Phases,
    /// Direction.
    pub direction: Direction,
    /// Kind of energy.
    pub energy: EnergyKind,
    /// Ambient temperature (°C).
    pub temperature_c: f64,
}

impl LoadPoint {
    /// Active power of the point, all loaded phases (W); negative for export.
    pub fn active_watt(&self) -> f64 {
        let sign = if self.direction == Direction::Export { -1.0 } else { 1.0 };
        let (cos, _) = self.power_factor.cos_sin();
        sign * f64::from(self.phases.count()) * self.volt * self.ampere * cos
    }

    /// Angle by which the current lags (deg), direction included.
    pub fn lag_degrees(&self) -> f64 {
        let turn = if self.direction == Direction::Export { 180.0 } else { 0.0 };
        self.power_factor.lag_degrees() + turn
    }
}

impl fmt::Display for LoadPoint {
    /// `10 Itr  0.5 ind`, and only what departs from the reference conditions besides.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ampere == 0.0 {
            write!(f, "no current")?;
        } else {
            write!(f, "{} {}", self.current, self.power_factor)?;
        }
        if self.voltage != "1 Un" {
            write!(f, " {}", self.voltage)?;
        }
        if self.phases != Phases::L123 {
            write!(f, " {}", self.phases)?;
        }
        if self.direction == Direction::Export {
            write!(f, " export")?;
        }
        if self.frequency_hz != 50.0 {
            write!(f, " {} Hz", self.frequency_hz)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_factors_are_written_as_the_standard_writes_them() {
        for text in ["1", "0.5 ind", "0.8 cap", "0.25 ind"] {
            assert_eq!(PowerFactor::parse(text).unwrap().to_string(), text);
        }
        for bad in ["0.5", "1 ind", "2 ind", "0 ind", "ind", "NaN ind", "-0.5 ind", "0.5  ind"] {
            assert_eq!(PowerFactor::parse(bad), None, "{bad}");
        }
        assert!((PowerFactor::parse("0.5 ind").unwrap().lag_degrees() - 60.0).abs() < 1e-9);
    }

    #[test]
    fn phases_survive_a_round_trip() {
        for text in ["L1", "L2", "L1+L2", "L123", "L2+L3"] {
            assert_eq!(Phases::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        assert!(Phases::try_from("L4".to_owned()).is_err() && Phases::try_from("L".to_owned()).is_err());
    }
}
