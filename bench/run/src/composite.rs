//! The composite error of the MID: intrinsic error and the largest shifts by temperature, voltage and frequency at the same
//! load, `e_c = sqrt(e² + δT² + δU² + δf²)`, against the maximum permissible error of each range of temperature.

use meterbench_plan::{CompositePoint, ResolvedStep};
use meterbench_record::{LoadPoint, Measurement, Uncertainty, Value};
use meterbench_standards::Span;
use meterbench_standards::gum::Budget;
use serde_json::{Map, json};

use crate::bench::{Bench, Taken, UNSETTLED};
use crate::error::RunError;

/// Rated ranges over which the shifts count, in multiples of the nominal.
const RATED_VOLTAGE: Span = Span { from: 0.9, to: 1.1, open: false };
const RATED_FREQUENCY: Span = Span { from: 0.98, to: 1.02, open: false };

/// One of the four terms.
struct Term {
    name: &'static str,
    percent: f64,
    uncertainty: f64,
    /// Its conditions did not stand.
    open: bool,
}

pub(crate) fn composite(bench: &mut Bench, step: &ResolvedStep, points: &[CompositePoint]) -> Result<(), RunError> {
    for point in points {
        if let Some(why) = bench.not_applicable(&point.load) {
            bench.record_not_applicable(step, "composite-error", "%", &point.load, why)?;
            continue;
        }
        for place in bench.active() {
            let load = LoadPoint {
                temperature_c: point.range.to,
                temperature: Some(format!("{} °C", point.range)),
                ..point.load.clone()
            };
            let taken = Taken::new(step, "composite-error", "%", &load, Some(point.limit.clone()));
            let taken = match terms(bench, place, &point.load, point.range) {
                Ok(terms) => combine(taken, &terms),
                Err(missing) => Taken { note: Some(missing), unsettled: true, ..taken },
            };
            bench.record(place, taken)?;
        }
    }
    Ok(())
}

fn terms(bench: &Bench, place: usize, load: &LoadPoint, range: Span) -> Result<[Term; 4], String> {
    let (id, plate) = (bench.places[place].id, &bench.places[place].nameplate);
    let here = || bench.measured.iter().filter(|m| m.position == id && m.at.same_base(load));
    let errors = || here().filter(|m| m.quantity == "percentage-error" && m.at.conditions().is_empty());
    let size = |m: &&Measurement| m.value.number().map_or(f64::INFINITY, f64::abs);
    let larger = |a: &&Measurement, b: &&Measurement| size(a).total_cmp(&size(b));
    // The accuracy test is the intrinsic error, the largest where there are several; without one, the error the shifts were
    // taken against.
    let intrinsic = errors().filter(|m| m.limit.is_some()).max_by(larger).or_else(|| errors().max_by(larger));
    let shift = |name, wanted: &dyn Fn(&LoadPoint) -> bool| {
        let of = |m: &&Measurement| m.quantity == "error-shift" && wanted(&m.at);
        let found: Vec<&Measurement> = here().filter(of).collect();
        let largest = found.iter().copied().max_by(larger);
        term(name, largest, found.iter().copied().any(is_open))
    };
    let alone = |at: &LoadPoint| at.conditions().len() == 1;
    let factor = |value: f64, nominal: f64| value / nominal;
    Ok([
        term("intrinsic error", intrinsic, intrinsic.is_some_and(is_open))?,
        shift("temperature", &|at| alone(at) && at.temperature.is_some() && range.holds(at.temperature_c))?,
        shift("voltage", &|at| {
            alone(at) && at.voltage != "1 Un" && RATED_VOLTAGE.holds(factor(at.volt, plate.un_volt))
        })?,
        shift("frequency", &|at| {
            alone(at) && at.frequency.is_some() && RATED_FREQUENCY.holds(factor(at.frequency_hz, plate.fn_hertz))
        })?,
    ])
}

/// Its conditions did not stand.
fn is_open(measurement: &Measurement) -> bool {
    measurement.raw.contains_key(UNSETTLED)
}

fn term(name: &'static str, measured: Option<&Measurement>, open: bool) -> Result<Term, String> {
    let measured = measured.ok_or_else(|| format!("{name}: nothing was measured at this load"))?;
    let percent = measured.value.number().ok_or_else(|| format!("{name}: there is no value at this load"))?;
    let uncertainty = measured.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
    Ok(Term { name, percent, uncertainty, open })
}

fn combine<'a>(taken: Taken<'a>, terms: &[Term; 4]) -> Taken<'a> {
    let composite = terms.iter().map(|t| t.percent * t.percent).sum::<f64>().sqrt();
    let open: Vec<&str> = terms.iter().filter(|t| t.open).map(|t| t.name).collect();
    let mut raw = Map::new();
    for term in terms {
        raw.insert(term.name.to_owned(), json!(term.percent));
    }
    let why = (!open.is_empty()).then(|| format!("{} had not settled", open.join(" and ")));
    let (value, uncertainty) = (Value::Number(composite), Some(uncertainty_of(terms, composite)));
    Taken { value, raw, uncertainty, ..taken }.unsettled(why.as_ref())
}

/// Each term enters with its share of the composite error as sensitivity.
fn uncertainty_of(terms: &[Term; 4], composite: f64) -> Uncertainty {
    let share = |t: &Term| if composite > 0.0 { (t.percent / composite).abs() } else { 0.5 };
    terms.iter().fold(Budget::default(), |budget, t| budget.certificate(t.name, share(t) * t.uncertainty)).combine()
}
