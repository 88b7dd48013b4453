//! From the words of a plan to load points: lists multiply, symbols become volts, amperes and hertz of this meter.

use std::ops::Range;

use meterbench_record::{Direction, EnergyKind, LoadPoint, Phases, PowerFactor};
use meterbench_standards::{Load, Standard, StandardPoint};

use super::Resolver;
use crate::finding::Finding;
use crate::quantity::Amount;
use crate::step::{Block, Spanned, Step};

/// Load points of one step: more are a mistake of multiplied lists.
const MOST_POINTS: usize = 2000;

/// A point and the bytes that made it.
pub(super) struct Placed {
    pub(super) load: LoadPoint,
    pub(super) span: Range<usize>,
}

impl Resolver<'_> {
    /// Impulses need active power.
    pub(super) fn check_power(&self, load: &LoadPoint, span: &Range<usize>) {
        if load.power() < 1e-3 {
            let message =
                format!("there is no power at this point ({} V, {} A): nothing to measure", load.volt, load.ampere);
            let label = if load.ampere > 0.0 { "give it a `voltage`" } else { "give it a `current`" };
            self.findings.push(Finding::error("no-power", span, message).label(label));
        }
    }

    pub(super) fn check_duplicates(&self, placed: &[Placed]) {
        for (n, point) in placed.iter().enumerate() {
            if placed[..n].iter().any(|other| same_load(&other.load, &point.load)) {
                let message = format!("load point {} stands twice in this step", point.load);
                self.findings.push(
                    Finding::error("duplicate-point", &point.span, message)
                        .label("for more readings write `readings: 3`"),
                );
            }
        }
    }

    /// Load points of a standard at reference conditions.
    pub(super) fn place(&self, points: Vec<StandardPoint>, step: &Step) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::new();
        for point in points {
            let phases: Vec<Phases> = match point.load {
                Load::Balanced => vec![Phases::all(self.plate.systems)],
                Load::OnePhase => Phases::EACH.to_vec(),
            };
            for phases in phases {
                let load = LoadPoint {
                    current: point.current.to_string(),
                    ampere: point.current.ampere(self.plate),
                    power_factor: point.power_factor,
                    phases,
                    ..self.reference_conditions()
                };
                // The edges of two bands can fall together on a meter; one point is enough.
                if !placed.iter().any(|p| same_load(&p.load, &load)) {
                    placed.push(Placed { load, span: step.span.clone() });
                }
            }
        }
        placed
    }

    /// A block that must be one point.
    pub(super) fn single(&self, block: &Block, step: &Step) -> Option<LoadPoint> {
        let mut points = self.expand(block);
        if points.len() > 1 {
            let message = format!("step `{}` has one load point; a list means several", step.word);
            self.findings.push(Finding::error("bad-value", &points[1].span, message).label("leave one value"));
        }
        if points.is_empty() { None } else { Some(points.swap_remove(0).load) }
    }

    pub(super) fn reference_conditions(&self) -> LoadPoint {
        LoadPoint {
            voltage: "1 Un".into(),
            current: "0 A".into(),
            volt: self.plate.un_volt,
            ampere: 0.0,
            power_factor: PowerFactor::UNITY,
            frequency_hz: self.plate.fn_hertz,
            phases: Phases::all(self.plate.systems),
            direction: Direction::Import,
            energy: self.plan.standard.map_or(EnergyKind::Active, Standard::energy),
            temperature_c: self.ambient_c,
            frequency: None,
            temperature: None,
            reversed_sequence: false,
            interrupted: None,
            wave: None,
            switched: None,
        }
    }

    /// Multiplies the lists of a block, in the order of the keys, last key fastest.
    pub(super) fn expand(&self, block: &Block) -> Vec<Placed> {
        let lengths = [
            block.voltage.len(),
            block.current.len(),
            block.power_factor.len(),
            block.frequency.len(),
            block.phases.len(),
            block.direction.len(),
            block.energy.len(),
        ];
        let product = lengths.into_iter().map(|n| n.max(1)).fold(1, usize::saturating_mul);
        if product > MOST_POINTS {
            let message = format!("the lists of this block multiply to {product} load points");
            let label = format!("at most {MOST_POINTS}");
            self.findings.push(Finding::error("too-many-points", &block.span, message).label(label));
            return Vec::new();
        }
        let mut points = vec![Placed { load: self.reference_conditions(), span: block.span.clone() }];
        points = multiply(points, &block.voltage, |load, voltage| self.set_voltage(load, voltage));
        points = multiply(points, &block.current, |load, current| {
            load.ampere = self.ampere(current)?;
            load.current = canonical(current);
            Some(())
        });
        points = multiply(points, &block.power_factor, |load, pf| {
            load.power_factor = pf.value;
            Some(())
        });
        points = multiply(points, &block.frequency, |load, frequency| self.set_frequency(load, frequency));
        points = multiply(points, &block.phases, |load, phases| {
            let phases_of_meter = Phases::all(self.plate.systems);
            load.phases = phases.value.unwrap_or(phases_of_meter);
            if (0..3).any(|n| load.phases.has(n) && !phases_of_meter.has(n)) {
                let message = format!(
                    "{} is loaded here, and meter {} has {} phase",
                    load.phases, self.plate.name, self.plate.systems
                );
                self.findings.push(Finding::error("meter-mismatch", &phases.span, message).label("not on this meter"));
                return None;
            }
            Some(())
        });
        points = multiply(points, &block.direction, |load, direction| {
            load.direction = direction.value;
            Some(())
        });
        multiply(points, &block.energy, |load, energy| {
            load.energy = energy.value;
            if energy.value == EnergyKind::Reactive && self.plate.reactive_class.is_none() {
                let message = format!("meter {} registers no reactive energy", self.plate.name);
                self.findings.push(Finding::error("meter-mismatch", &energy.span, message).label("not on this meter"));
                return None;
            }
            Some(())
        })
    }

    pub(super) fn set_voltage(&self, load: &mut LoadPoint, voltage: &Spanned<Amount>) -> Option<()> {
        load.volt = self.volt(voltage)?;
        load.voltage = canonical(voltage);
        Some(())
    }

    pub(super) fn set_frequency(&self, load: &mut LoadPoint, frequency: &Spanned<Amount>) -> Option<()> {
        load.frequency_hz = match frequency.value {
            Amount::Nominal(factor) => factor * self.plate.fn_hertz,
            Amount::Absolute(hertz) => hertz,
            Amount::Current(..) => return None,
        };
        let hertz = (load.frequency_hz * 1e6).round() / 1e6;
        load.frequency = (hertz != self.plate.fn_hertz).then(|| format!("{hertz} Hz"));
        self.within(load.frequency_hz, 45.0..=65.0, "Hz", &frequency.span)
    }

    pub(super) fn volt(&self, voltage: &Spanned<Amount>) -> Option<f64> {
        let volt = match voltage.value {
            Amount::Nominal(factor) => factor * self.plate.un_volt,
            Amount::Absolute(volt) => volt,
            Amount::Current(..) => return None,
        };
        self.within(volt, 0.0..=1.2 * self.plate.un_volt, "V", &voltage.span)?;
        Some(volt)
    }

    /// Currents up to 1.2 Imax: more is a short-time overcurrent test, which this bench does not do.
    fn ampere(&self, current: &Spanned<Amount>) -> Option<f64> {
        let ampere = match current.value {
            Amount::Current(factor, symbol) => factor * symbol.ampere(self.plate),
            Amount::Absolute(ampere) => ampere,
            Amount::Nominal(_) => return None,
        };
        self.within(ampere, 0.0..=1.2 * self.plate.imax_ampere, "A", &current.span)?;
        Some(ampere)
    }

    pub(super) fn within(
        &self,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
        unit: &str,
        span: &Range<usize>,
    ) -> Option<()> {
        if range.contains(&value) {
            return Some(());
        }
        let message = format!("{value} {unit} is beyond what meter {} is tested with", self.plate.name);
        let label = format!("{} {unit} to {} {unit}", range.start(), range.end());
        self.findings.push(Finding::error("out-of-range", span, message).label(label));
        None
    }
}

/// One factor of the product. Points whose value does not fit are dropped, a finding says why.
fn multiply<T: Clone>(
    points: Vec<Placed>,
    values: &[Spanned<T>],
    set: impl Fn(&mut LoadPoint, &Spanned<T>) -> Option<()>,
) -> Vec<Placed> {
    if values.is_empty() {
        return points;
    }
    let mut product = Vec::new();
    for point in points {
        for value in values {
            let mut load = point.load.clone();
            if set(&mut load, value).is_some() {
                product.push(Placed { load, span: value.span.clone() });
            }
        }
    }
    product
}

/// `Un` and `1 Un` are one word in identifiers, `Itr` stays as written.
fn canonical(value: &Spanned<Amount>) -> String {
    match value.value {
        Amount::Nominal(factor) => format!("{factor} Un"),
        Amount::Current(1.0, symbol) => symbol.name().to_owned(),
        Amount::Current(factor, symbol) => format!("{factor} {}", symbol.name()),
        Amount::Absolute(_) => value.words.clone(),
    }
}

/// Equal in amperes, volts and hertz, however they are written.
pub(super) fn same_load(a: &LoadPoint, b: &LoadPoint) -> bool {
    let close = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.abs();
    close(a.volt, b.volt) && close(a.frequency_hz, b.frequency_hz) && a.same_base(b)
}
