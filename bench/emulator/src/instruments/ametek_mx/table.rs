//! Waves as tables of one period, which any client may load.

use std::f64::consts::TAU;

use super::{AmetekMx, MOST_TABLES, SINE};
use crate::instruments::scpi::{Done, Fault, Unit, answer, done};
use crate::source::Harmonic;
use crate::world::World;

const POINTS: usize = 1024;
/// The amplifiers carry no more.
const HIGHEST_ORDER: usize = 50;
/// Less than this share of the fundamental is the rounding of the table.
const LEAST: f64 = 5e-5;

/// What a table is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Table {
    /// RMS value of the fundamental by that of everything; zero in a table without points.
    pub(super) fundamental: f64,
    /// By how much the fundamental is ahead of the beginning of the table (deg).
    pub(super) angle_deg: f64,
    pub(super) harmonics: Vec<Harmonic>,
}

impl Table {
    /// The direct part is removed; a table without a fundamental is none.
    fn of(points: &[f64]) -> Option<Self> {
        let component = |order: usize| {
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (n, value) in points.iter().enumerate() {
                let (sin, cos) = ((n * order % POINTS) as f64 / POINTS as f64 * TAU).sin_cos();
                (sine, cosine) = (sine + value * sin, cosine + value * cos);
            }
            (sine.hypot(cosine), cosine.atan2(sine).to_degrees())
        };
        let (first, angle_deg) = component(1);
        let highest = points.iter().fold(0.0f64, |highest, value| highest.max(value.abs()));
        if first < highest * 1e-3 || !first.is_normal() {
            return None;
        }
        let harmonics: Vec<Harmonic> = (2..=HIGHEST_ORDER)
            .filter_map(|order| {
                let (amplitude, own) = component(order);
                let turned = own - order as f64 * angle_deg;
                (amplitude / first > LEAST).then(|| Harmonic {
                    order: order as u16,
                    share: amplitude / first,
                    angle_deg: turned.rem_euclid(360.0),
                })
            })
            .collect();
        let square: f64 = 1.0 + harmonics.iter().map(|part| part.share * part.share).sum::<f64>();
        Some(Self { fundamental: 1.0 / square.sqrt(), angle_deg, harmonics })
    }
}

/// `MB1A`, of letters, digits and underscores, upper case.
fn name(text: &str) -> Result<String, Fault> {
    let sound = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let name = text.to_ascii_uppercase();
    if sound && text.as_bytes()[0].is_ascii_alphabetic() && !matches!(name.as_str(), "SIN" | SINE) {
        return Ok(name);
    }
    Err(Fault::IllegalParameter)
}

impl AmetekMx {
    /// What stands under `TRACe`, the points of a table excepted.
    pub(super) fn trace(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("CATalog").is_some() && unit.query {
            let names = std::iter::once(SINE).chain(self.tables.keys().map(String::as_str));
            return answer(names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(","));
        }
        if unit.query {
            return Err(Fault::UndefinedHeader);
        }
        if unit.is("DEFine").is_some() {
            let (text, size) = unit.name_and_numbers()?;
            let name = name(text)?;
            if !size.is_empty() && size != [POINTS as f64] {
                return Err(Fault::OutOfRange);
            }
            if self.tables.contains_key(&name) || self.tables.len() >= MOST_TABLES {
                return Err(Fault::SettingsConflict);
            }
            self.tables.insert(name, Table::default());
            return done();
        }
        if unit.is("DELete:ALL").is_some() {
            unit.no_parameter()?;
            if self.phases.iter().any(|phase| phase.shape != SINE) {
                return Err(Fault::SettingsConflict);
            }
            self.tables.clear();
            return done();
        }
        if unit.is("DELete:[NAME]").is_some() {
            let (text, _) = unit.name_and_numbers()?;
            let name = name(text)?;
            if self.phases.iter().any(|phase| phase.shape == name) {
                return Err(Fault::SettingsConflict);
            }
            return self.tables.remove(&name).map(|_| None).ok_or(Fault::IllegalParameter);
        }
        Err(Fault::UndefinedHeader)
    }

    /// `TRACe[:DATA] NAME,1024 values`.
    pub(super) fn load(&mut self, unit: &Unit<'_>, world: &mut World) -> Done {
        let (text, points) = unit.name_and_numbers()?;
        let name = name(text)?;
        if points.len() != POINTS {
            return Err(if points.len() > POINTS { Fault::TooMuchData } else { Fault::MissingParameter });
        }
        let known = self.tables.get_mut(&name).ok_or(Fault::IllegalParameter)?;
        *known = Table::of(&points).ok_or(Fault::IllegalParameter)?;
        self.put_out(world);
        done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_taken_apart_into_its_components() {
        let at = |n: usize| n as f64 / POINTS as f64 * TAU;
        let points: Vec<f64> = (0..POINTS)
            .map(|n| 3.0 + (at(n) + 0.1).sin() + 0.2 * (5.0 * at(n) + 1.0).sin() + 1e-6 * (7.0 * at(n)).sin())
            .collect();
        let table = Table::of(&points).unwrap();
        assert!((table.angle_deg - 0.1f64.to_degrees()).abs() < 1e-9);
        assert!((table.fundamental - 1.0 / 1.04f64.sqrt()).abs() < 1e-9, "the direct part is gone");
        let [fifth] = table.harmonics[..] else { panic!("{:?}", table.harmonics) };
        assert!((fifth.share - 0.2).abs() < 1e-9);
        // Where the fundamental crosses zero it stands at 1 - 5 · 0.1 rad.
        assert!((fifth.angle_deg - 0.5f64.to_degrees()).abs() < 1e-6);
        assert!(Table::of(&[0.0; POINTS]).is_none() && Table::of(&[1.0; POINTS]).is_none());
        let huge: Vec<f64> = points.iter().map(|value| value * 1e300).collect();
        assert!(Table::of(&huge).is_none_or(|table| table.fundamental.is_finite()));
    }
}
