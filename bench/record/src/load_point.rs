//! The load point: what the source shall apply.

use std::fmt;

use meterbench_waveform::NamedWave;
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

    /// `cos` and `sin` of the angle by which the current lags, with this as cos phi (active energy); exact at PF 1.
    fn cos_sin_of_active(self) -> (f64, f64) {
        let sin = (1.0 - self.magnitude * self.magnitude).max(0.0).sqrt();
        (self.magnitude, if self.side == Some(Reactance::Cap) { -sin } else { sin })
    }

    /// The same with this as sin phi (reactive energy): `1` is inductive.
    fn cos_sin_of_reactive(self) -> (f64, f64) {
        let cos = (1.0 - self.magnitude * self.magnitude).max(0.0).sqrt();
        (cos, if self.side == Some(Reactance::Cap) { -self.magnitude } else { self.magnitude })
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
    /// Each phase alone.
    pub const EACH: [Self; 3] = [Self::L1, Self([false, true, false]), Self([false, false, true])];
    /// Each pair.
    pub const PAIRS: [Self; 3] = [Self([true, true, false]), Self([true, false, true]), Self([false, true, true])];

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

/// A current that is switched on and off, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Switched {
    /// Time with current (s).
    pub on_seconds: f64,
    /// Time without (s).
    pub off_seconds: f64,
}

impl Switched {
    /// From one switching on to the next (s).
    pub fn period_seconds(self) -> f64 {
        self.on_seconds + self.off_seconds
    }

    /// Share of the time with current.
    pub fn share(self) -> f64 {
        self.on_seconds / self.period_seconds()
    }
}

impl fmt::Display for Switched {
    /// `5 s on 0.5 s off`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s on {} s off", self.on_seconds, self.off_seconds)
    }
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
    /// Frequency as written; absent at the reference frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// Temperature as written; absent at the reference temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<String>,
    /// The voltages stand in the order L1-L3-L2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reversed_sequence: bool,
    /// Phases whose voltage is interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Phases>,
    /// The wave that stands in place of sines of this voltage and current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<NamedWave>,
    /// The current does not stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched: Option<Switched>,
}

impl LoadPoint {
    /// `cos` and `sin` of the angle by which the current lags, direction not included.
    pub fn cos_sin(&self) -> (f64, f64) {
        match self.energy {
            EnergyKind::Active => self.power_factor.cos_sin_of_active(),
            EnergyKind::Reactive => self.power_factor.cos_sin_of_reactive(),
        }
    }

    fn sign(&self) -> f64 {
        if self.direction == Direction::Export { -1.0 } else { 1.0 }
    }

    /// Phases that carry current and whose voltage stands.
    fn working_phases(&self) -> f64 {
        let standing = |n: usize| !self.interrupted.is_some_and(|gone| gone.has(n));
        (0..3).filter(|&n| self.phases.has(n) && standing(n)).count() as f64
    }

    /// Power of the point in its own kind of energy, all working phases (W) or (var), without sign; the mean where it does not stand.
    pub fn power(&self) -> f64 {
        let (cos, sin) = self.cos_sin();
        let share = match (self.energy, self.wave) {
            (EnergyKind::Active, None) => cos,
            (EnergyKind::Reactive, None) => sin,
            (EnergyKind::Active, Some(wave)) => wave.active(sin.atan2(cos).to_degrees()),
            (EnergyKind::Reactive, Some(wave)) => wave.reactive(sin.atan2(cos).to_degrees()),
        };
        let in_time = self.switched.map_or(1.0, Switched::share);
        (self.working_phases() * self.volt * self.ampere * share * in_time).abs()
    }

    /// How strongly an angle error changes the energy measured: tan phi for active, its inverse for reactive energy.
    pub fn angle_sensitivity(&self) -> f64 {
        let (cos, sin) = self.cos_sin();
        let lag = sin.atan2(cos);
        match (self.energy, self.wave) {
            (EnergyKind::Active, None) => sin / cos,
            (EnergyKind::Reactive, None) => cos / sin,
            (EnergyKind::Active, Some(wave)) => wave.delay_sensitivity(lag.to_degrees()),
            (EnergyKind::Reactive, Some(wave)) => {
                (lag + wave.current(self.frequency_hz).lag_deg.to_radians()).tan().recip()
            }
        }
    }

    /// Angle by which the current lags (deg), direction included.
    pub fn lag_degrees(&self) -> f64 {
        let (cos, sin) = self.cos_sin();
        (sin * self.sign()).atan2(cos * self.sign()).to_degrees()
    }

    /// The same current, power factor, phases, direction and energy: an influence is judged against such a point.
    pub fn same_base(&self, other: &Self) -> bool {
        (self.ampere - other.ampere).abs() <= 1e-9 * self.ampere.abs()
            && self.power_factor == other.power_factor
            && self.phases == other.phases
            && self.direction == other.direction
            && self.energy == other.energy
    }

    /// What departs from the reference conditions, in words.
    pub fn conditions(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.voltage != "1 Un" {
            words.push(self.voltage.clone());
        }
        words.extend(self.frequency.clone());
        words.extend(self.temperature.clone());
        if self.reversed_sequence {
            words.push("L1-L3-L2".to_owned());
        }
        if let Some(gone) = self.interrupted {
            words.push(format!("without {gone}"));
        }
        words.extend(self.wave.map(|wave| wave.to_string()));
        words.extend(self.switched.map(|switched| format!("switched {switched}")));
        words
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
        if self.energy == EnergyKind::Reactive && self.ampere != 0.0 {
            write!(f, " reactive")?;
        }
        if self.phases != Phases::L123 {
            write!(f, " {}", self.phases)?;
        }
        if self.direction == Direction::Export {
            write!(f, " export")?;
        }
        self.conditions().iter().try_for_each(|words| write!(f, " {words}"))?;
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
    }

    #[test]
    fn the_power_of_a_wave_is_that_of_its_components() {
        let sine = LoadPoint {
            voltage: "1 Un".into(),
            current: "0.5 Imax".into(),
            volt: 230.0,
            ampere: 50.0,
            power_factor: PowerFactor::UNITY,
            frequency_hz: 50.0,
            phases: Phases::L123,
            direction: Direction::Import,
            energy: EnergyKind::Active,
            temperature_c: 23.0,
            frequency: None,
            temperature: None,
            reversed_sequence: false,
            interrupted: None,
            wave: None,
            switched: None,
        };
        let fired = NamedWave::PhaseFired { equal_power: false };
        for (wave, times) in [(NamedWave::FifthHarmonic, 1.04), (NamedWave::HalfWave, 1.0), (fired, 0.5)] {
            let point = LoadPoint { wave: Some(wave), ..sine.clone() };
            assert!((point.power() / sine.power() - times).abs() < 1e-9, "{wave}: {}", point.power());
            assert_eq!(point.to_string(), format!("0.5 Imax 1 {wave}"));
            let read: LoadPoint = serde_json::from_str(&serde_json::to_string(&point).unwrap()).unwrap();
            assert!(read == point && read.same_base(&sine));
        }
        assert!(
            (LoadPoint { wave: Some(fired), ..sine.clone() }.angle_sensitivity() - 2.0 / std::f64::consts::PI).abs()
                < 1e-9
        );
        let switched = Switched { on_seconds: 5.0, off_seconds: 0.5 };
        let point = LoadPoint { switched: Some(switched), ..sine.clone() };
        assert!((point.power() / sine.power() - 10.0 / 11.0).abs() < 1e-12);
        assert_eq!(point.to_string(), "0.5 Imax 1 switched 5 s on 0.5 s off");
        assert!(!serde_json::to_string(&sine).unwrap().contains("wave"), "a sine is not mentioned");
    }

    #[test]
    fn phases_survive_a_round_trip() {
        for text in ["L1", "L2", "L1+L2", "L123", "L2+L3"] {
            assert_eq!(Phases::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        assert!(Phases::try_from("L4".to_owned()).is_err() && Phases::try_from("L".to_owned()).is_err());
    }
}
