//! One channel: range, components, interharmonic, fluctuation, flicker.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::{SQRT_2, TAU};

use super::dip::Dip;
use crate::instruments::scpi::{Done, Fault, Unit, answer, done, scientific};
use crate::source::wave::{Distortion, Harmonic, Interharmonic, Modulation, Shape};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Voltage,
    Current,
}

/// Full range (V) or (A), and the highest frequency of a component (Hz).
type Range = (f64, f64, f64);

#[rustfmt::skip]
const VOLTAGES: [Range; 7] = [
    (0.0, 23.0, 6000.0), (0.0, 45.0, 6000.0), (0.0, 90.0, 6000.0), (0.0, 180.0, 6000.0), (0.0, 360.0, 6000.0), (0.0, 650.0, 6000.0),
    (0.0, 1008.0, 6000.0),
];
#[rustfmt::skip]
const CURRENTS: [Range; 8] = [
    (0.05, 0.25, 6000.0), (0.05, 0.5, 6000.0), (0.1, 1.0, 6000.0), (0.2, 2.0, 6000.0), (0.5, 5.0, 6000.0), (1.0, 10.0, 6000.0),
    (2.0, 21.0, 6000.0), (8.0, 80.0, 3000.0),
];
const HIGHEST_ORDER: u32 = 100;
/// Points of a period at which the peak is sought.
const POINTS: usize = 512;
const SHAPES: [&str; 3] = ["RECTangular", "SINusoidal", "SQUare"];
const SHAPE_WORDS: [&str; 3] = ["RECT", "SIN", "SQU"];

/// How something is moved to and fro.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moving {
    on: bool,
    percent: f64,
    /// In its unit.
    rate: f64,
    /// Changes per minute, two for each period, instead of hertz.
    per_minute: bool,
    shape: usize,
    duty: f64,
}

impl Moving {
    const fn new() -> Self {
        Self { on: false, percent: 0.0, rate: 0.5, per_minute: false, shape: 2, duty: 50.0 }
    }

    fn modulation(&self, depth: f64) -> Modulation {
        let hertz = if self.per_minute { self.rate / 120.0 } else { self.rate };
        let shape = if self.shape == 1 { Shape::Sine } else { Shape::Rectangle };
        let duty = if self.shape == 0 { self.duty / 100.0 } else { 0.5 };
        Modulation { shape, hertz, depth, duty }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Channel {
    kind: Kind,
    range: Range,
    pub(super) on: bool,
    /// RMS value and angle (deg) by order; order 1 is always there.
    components: BTreeMap<u16, (f64, f64)>,
    harmonics: bool,
    /// RMS value and frequency.
    tone: (f64, f64),
    interharmonic: bool,
    flicker: Moving,
    fluctuation: Moving,
    fluctuating: BTreeSet<u16>,
    pub(super) dip: Dip,
}

impl Channel {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            range: if kind == Kind::Voltage { VOLTAGES[0] } else { CURRENTS[0] },
            on: false,
            components: BTreeMap::from([(1, (0.0, 0.0))]),
            harmonics: false,
            tone: (0.0, 50.0),
            interharmonic: false,
            flicker: Moving::new(),
            fluctuation: Moving::new(),
            fluctuating: BTreeSet::new(),
            dip: Dip::new(),
        }
    }

    fn first(&self) -> (f64, f64) {
        self.components.get(&1).copied().unwrap_or_default()
    }

    /// RMS value of the fundamental as it is set.
    pub(super) fn fundamental(&self) -> f64 {
        self.first().0
    }

    pub(super) fn angle_deg(&self) -> f64 {
        self.first().1
    }

    pub(super) fn range(&self) -> f64 {
        self.range.1
    }

    /// Fluctuating harmonics fall from what is set to a share of it: their mean by what is set.
    pub(super) fn scale(&self) -> f64 {
        if self.fluctuation.on { 1.0 - self.fluctuation.percent / 200.0 } else { 1.0 }
    }

    fn parts(&self) -> impl Iterator<Item = (u16, f64, f64)> {
        let shown = self.harmonics;
        self.components
            .iter()
            .filter(move |(order, _)| **order != 1 && shown)
            .map(|(order, part)| (*order, part.0, part.1))
    }

    /// What the channel carries beside its fundamental, by shares of it.
    pub(super) fn distortion(&self) -> Distortion {
        let fundamental = self.fundamental();
        let harmonics = self.parts().filter(|(_, rms, _)| *rms > 0.0);
        let harmonics =
            harmonics.map(|(order, rms, angle_deg)| Harmonic { order, share: rms / fundamental, angle_deg }).collect();
        let interharmonic = (self.interharmonic && self.tone.0 > 0.0)
            .then(|| Interharmonic { hertz: self.tone.1, share: self.tone.0 / fundamental });
        let modulation = if self.fluctuation.on {
            Some(self.fluctuation.modulation(self.fluctuation.percent / 100.0 / self.scale()))
        } else {
            self.flicker.on.then(|| self.flicker.modulation(self.flicker.percent / 100.0))
        };
        Distortion { harmonics, interharmonic, modulation: modulation.filter(|m| m.depth > 0.0) }
    }

    /// Every component, RMS value and peak within the range.
    pub(super) fn fits(&self, hertz: f64) -> bool {
        let (_, high, ceiling) = self.range;
        let share = |at: f64| 0.3 * high * (2850.0 / at).min(1.0);
        let harmonic = |(order, rms, _): (u16, f64, f64)| match order {
            0 => rms <= 0.5 * high,
            order => f64::from(order) * hertz <= ceiling && rms <= share(f64::from(order) * hertz),
        };
        let tone = if self.interharmonic { self.tone.0 } else { 0.0 };
        let highest_tone = if ceiling < 6000.0 { ceiling } else { 9000.0 };
        let tone_fits = tone == 0.0 || (self.tone.1 <= highest_tone && tone <= share(self.tone.1));
        let (fundamental, angle) = (self.fundamental(), 0.0);
        let all: Vec<(u16, f64, f64)> = self.parts().chain([(1, fundamental, angle)]).collect();
        let rms = all.iter().map(|(_, rms, _)| rms * rms).sum::<f64>() + tone * tone;
        let at = |n: usize| {
            let angle = n as f64 / POINTS as f64 * TAU;
            let value = |&(order, rms, own): &(u16, f64, f64)| match order {
                0 => rms,
                order => SQRT_2 * rms * (f64::from(order) * angle + own.to_radians()).sin(),
            };
            all.iter().map(value).sum::<f64>().abs()
        };
        let flicker = if self.flicker.on { 1.0 + self.flicker.percent / 200.0 } else { 1.0 };
        let peak = ((0..POINTS).map(at).fold(0.0, f64::max) + SQRT_2 * tone) * flicker;
        let held = 1.0 + 1e-6;
        self.parts().all(harmonic) && tone_fits && rms.sqrt() <= high * held && peak <= high * SQRT_2 * held
    }

    /// A command or a question under `VOLTage` or `CURRent`.
    pub(super) fn unit(&mut self, unit: &Unit<'_>, output: bool, hertz: f64) -> Done {
        let said = self.change(unit, output)?;
        if unit.query || self.fits(hertz) { Ok(said) } else { Err(Fault::OutOfRange) }
    }

    fn change(&mut self, unit: &Unit<'_>, output: bool) -> Done {
        if unit.is("STATe").is_some() {
            return switch(unit, &mut self.on);
        }
        if unit.is("RANGe").is_some() {
            return self.select_range(unit, output);
        }
        if let Some((_, unit)) = unit.under("MHARmonics") {
            return self.components_unit(&unit);
        }
        if let Some((_, unit)) = unit.under("IHARmonics") {
            return self.tone_unit(&unit);
        }
        if let Some((_, unit)) = unit.under("FLICker") {
            return self.flicker_unit(&unit);
        }
        if let Some((_, unit)) = unit.under("FHARmonics") {
            return self.fluctuation_unit(&unit);
        }
        Err(Fault::UndefinedHeader)
    }

    /// The narrowest range that covers both limits. What does not fit into it is gone.
    fn select_range(&mut self, unit: &Unit<'_>, output: bool) -> Done {
        if unit.query {
            return answer(format!("{},{}", scientific(self.range.0), scientific(self.range.1)));
        }
        let [low, high] = unit.numbers()?;
        let ranges: &[Range] = if self.kind == Kind::Voltage { &VOLTAGES } else { &CURRENTS };
        let covers = |range: &&Range| range.0 <= low.max(ranges[0].0) && high <= range.1;
        let found = *ranges.iter().find(covers).filter(|_| low >= 0.0).ok_or(Fault::OutOfRange)?;
        if found == self.range {
            return done();
        }
        if output && self.on {
            return Err(Fault::SettingsConflict);
        }
        self.range = found;
        if self.components.values().any(|(rms, _)| *rms > found.1) {
            self.components = BTreeMap::from([(1, (0.0, self.angle_deg()))]);
        }
        done()
    }

    fn components_unit(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("STATe").is_some() {
            return switch(unit, &mut self.harmonics);
        }
        if unit.is("CLEar").is_some() && !unit.query {
            unit.no_parameter()?;
            self.components.retain(|order, _| *order == 1);
            self.fluctuating.retain(|order| *order == 1);
            return done();
        }
        if unit.is("AMPLitude").is_some() {
            let rms = self.components.values().map(|(rms, _)| rms * rms).sum::<f64>().sqrt();
            if unit.query {
                return answer(scientific(rms));
            }
            let wanted = unit.number(0.0, self.range.1)?;
            if rms == 0.0 {
                self.components.insert(1, (wanted, self.angle_deg()));
            } else {
                self.components.values_mut().for_each(|part| part.0 *= wanted / rms);
            }
            return done();
        }
        if unit.is("ALL").is_some() && unit.query {
            let highest = self.components.keys().copied().max().unwrap_or(1);
            let parts: Vec<(f64, f64)> = (1..=highest).map(|order| self.component(order)).collect();
            let text = |values: Vec<f64>| values.into_iter().map(scientific).collect::<Vec<_>>().join(",");
            return answer(match Self::half(unit)? {
                Some(0) => text(parts.iter().map(|part| part.0).collect()),
                Some(_) => text(parts.iter().map(|part| part.1).collect()),
                None => text(parts.iter().flat_map(|part| [part.0, part.1]).collect()),
            });
        }
        let numbers = unit.is("HARMonic#").ok_or(Fault::UndefinedHeader)?;
        let order = Self::order(numbers[0])?;
        if unit.query {
            let (rms, angle) = self.component(order);
            return answer(match Self::half(unit)? {
                Some(0) => scientific(rms),
                Some(_) => scientific(angle),
                None => format!("{},{}", scientific(rms), scientific(angle)),
            });
        }
        let [rms, angle] = unit.numbers()?;
        let within = (0.0..=self.range.1).contains(&rms) && (-360.0..=360.0).contains(&angle);
        if !within || (order == 0 && angle != 0.0) {
            return Err(Fault::OutOfRange);
        }
        self.components.insert(order, (rms, angle));
        done()
    }

    fn component(&self, order: u16) -> (f64, f64) {
        self.components.get(&order).copied().unwrap_or_default()
    }

    fn order(number: u32) -> Result<u16, Fault> {
        u16::try_from(number).ok().filter(|_| number <= HIGHEST_ORDER).ok_or(Fault::SuffixOutOfRange)
    }

    /// Amplitude or angle alone.
    fn half(unit: &Unit<'_>) -> Result<Option<usize>, Fault> {
        if unit.parameters().is_empty() { Ok(None) } else { unit.word(&["AMPLitude", "PANGle"]).map(Some) }
    }

    fn tone_unit(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("STATe").is_some() {
            return switch(unit, &mut self.interharmonic);
        }
        let numbers = unit.is("SIGNal#").ok_or(Fault::UndefinedHeader)?;
        if numbers[0] != 1 {
            return Err(Fault::SuffixOutOfRange);
        }
        if unit.query {
            return answer(format!("{},{}", scientific(self.tone.0), scientific(self.tone.1)));
        }
        let [rms, hertz] = unit.numbers()?;
        if !(0.0..=self.range.1).contains(&rms) || !(16.0..=9000.0).contains(&hertz) {
            return Err(Fault::OutOfRange);
        }
        self.tone = (rms, hertz);
        done()
    }

    fn flicker_unit(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("STATe").is_some() {
            if !unit.query && unit.switch()? && self.fluctuation.on {
                return Err(Fault::SettingsConflict);
            }
            return switch(unit, &mut self.flicker.on);
        }
        if unit.is("DEPTh").is_some() {
            return number(unit, &mut self.flicker.percent, 0.0, 30.0);
        }
        if unit.is("FREQuency").is_some() {
            let (least, most) = if self.flicker.per_minute { (1.0, 4800.0) } else { (0.5, 40.0) };
            return number(unit, &mut self.flicker.rate, least, most);
        }
        if unit.is("FREQuency:UNIT").is_some() {
            if unit.query {
                return answer(if self.flicker.per_minute { "CPM" } else { "HZ" });
            }
            self.flicker.per_minute = unit.word(&["HZ", "CPM"])? == 1;
            // A change of the unit sets the rate to its default.
            self.flicker.rate = if self.flicker.per_minute { 1.0 } else { 0.5 };
            return done();
        }
        shape_or_duty(unit, &mut self.flicker)
    }

    fn fluctuation_unit(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("STATe").is_some() {
            if !unit.query && unit.switch()? {
                if self.flicker.on || self.interharmonic {
                    return Err(Fault::SettingsConflict);
                }
                // Some harmonics alone are not emulated.
                let present = self.parts().map(|(order, ..)| order).chain([1]);
                if !present.into_iter().all(|order| self.fluctuating.contains(&order)) {
                    return Err(Fault::NothingToFluctuate);
                }
            }
            return switch(unit, &mut self.fluctuation.on);
        }
        if unit.is("CLEar").is_some() && !unit.query {
            unit.no_parameter()?;
            self.fluctuating.clear();
            self.fluctuation.on = false;
            return done();
        }
        if let Some(numbers) = unit.is("FLUCtuate#") {
            let order = Self::order(numbers[0])?;
            let mut on = self.fluctuating.contains(&order);
            let said = switch(unit, &mut on)?;
            if self.fluctuation.on && !unit.query {
                return Err(Fault::SettingsConflict);
            }
            if on {
                self.fluctuating.insert(order)
            } else {
                self.fluctuating.remove(&order)
            };
            return Ok(said);
        }
        if unit.is("MODulation").is_some() {
            if unit.query {
                return answer(format!(
                    "{},{}",
                    scientific(self.fluctuation.percent),
                    scientific(self.fluctuation.rate)
                ));
            }
            let [percent, hertz] = unit.numbers()?;
            if !(0.0..=100.0).contains(&percent) || !(0.008..=30.0).contains(&hertz) {
                return Err(Fault::OutOfRange);
            }
            (self.fluctuation.percent, self.fluctuation.rate) = (percent, hertz);
            return done();
        }
        shape_or_duty(unit, &mut self.fluctuation)
    }
}

fn switch(unit: &Unit<'_>, value: &mut bool) -> Done {
    if unit.query {
        return answer(if *value { "1" } else { "0" });
    }
    *value = unit.switch()?;
    done()
}

fn number(unit: &Unit<'_>, value: &mut f64, least: f64, most: f64) -> Done {
    if unit.query {
        return answer(scientific(*value));
    }
    *value = unit.number(least, most)?;
    done()
}

fn shape_or_duty(unit: &Unit<'_>, moving: &mut Moving) -> Done {
    if unit.is("DUTY").is_some() {
        return number(unit, &mut moving.duty, 0.01, 99.99);
    }
    unit.is("SHAPe").ok_or(Fault::UndefinedHeader)?;
    if unit.query {
        return answer(SHAPE_WORDS[moving.shape]);
    }
    moving.shape = unit.word(&SHAPES)?;
    done()
}
