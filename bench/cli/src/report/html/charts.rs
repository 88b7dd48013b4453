//! The charts of a position: error over current, over voltage, frequency and temperature, and over time at Imax.

use meterbench_record::{Direction, EnergyKind, LoadPoint, Measurement, Nameplate, Phases, PowerFactor, Verdict};
use serde::Serialize;

use super::row;
use crate::report::svg::{Axis, Point, Series, View, error_curves, worth_magnifying};
use crate::words;

#[derive(Debug, Serialize)]
pub(super) struct Chart {
    title: String,
    svg: String,
}

/// What an influence chart shows at least [%].
const INFLUENCE_VIEW: View = View::AtLeast(-0.5, 0.3);
/// A meter that stopped is no point of a curve; the table tells of it.
const STOPPED_PERCENT: f64 = -99.9;
/// Self-heating is read this often (minutes).
const HEATING_MINUTES: f64 = 5.0;
/// The course of self-heating shows at least this much around its errors [%].
const HEATING_MARGIN: f64 = 0.02;

fn chart(title: &str, series: &[Series], axis: Axis, view: View) -> Option<Chart> {
    let svg = error_curves(series, title, axis, view);
    (!svg.is_empty()).then(|| Chart { title: title.to_owned(), svg })
}

fn point(m: &Measurement, x: f64) -> Option<Point> {
    let percent = m.value.number().filter(|percent| percent.is_finite())?;
    Some(Point {
        x,
        percent,
        uncertainty: m.uncertainty.as_ref().map_or(0.0, |u| u.expanded),
        limit: m.limit.as_ref().and_then(|l| l.high),
        failed: m.verdict == Some(Verdict::Fail) && m.decides,
        tip: format!("{}: {}, U {}", m.at, words::value(m), words::uncertainty(m)),
    })
}

fn is_error(m: &Measurement) -> bool {
    m.quantity == "percentage-error" && m.at.energy == EnergyKind::Active
}

fn push(series: &mut Vec<Series>, name: String, point: Point) {
    match series.iter_mut().find(|s| s.name == name) {
        // Several steps measure at reference conditions: one point stands for them.
        Some(known) if known.points.iter().any(|p| (p.x - point.x).abs() < 1e-9 && point.limit.is_none()) => {}
        Some(known) => known.points.push(point),
        None => series.push(Series { name, points: vec![point] }),
    }
}

/// A chart of the balanced points and one of the points with one phase loaded, a line per power factor (and phase).
pub(super) fn over_current(accuracy: &[&Measurement], systems: u8) -> Vec<Chart> {
    let all = Phases::all(systems);
    let mut charts = Vec::new();
    for (balanced, title) in [(true, "Error curve, all phases loaded"), (false, "Error, one phase loaded")] {
        let mut series = Vec::new();
        for m in accuracy.iter().filter(|m| is_error(m) && (m.at.phases == all) == balanced) {
            let mut name = format!("PF {}", m.at.power_factor);
            if !balanced {
                name = format!("{} {name}", m.at.phases);
            }
            if m.at.direction == Direction::Export {
                name.push_str(" export");
            }
            let conditions = m.at.conditions().join(" ");
            let name = format!("{name} {conditions}").trim_end().to_owned();
            if let Some(point) = point(m, m.at.ampere) {
                push(&mut series, name, point);
            }
        }
        charts.extend(chart(title, &series, Axis::Current, View::Limits));
        if worth_magnifying(&series) {
            charts.extend(chart(&format!("{title}, magnified"), &series, Axis::Current, View::Magnified));
        }
    }
    charts
}

/// An influence quantity that a data sheet shows.
struct Quantity {
    title: &'static str,
    axis: Axis,
    /// Where a load stands on the axis.
    x: fn(&LoadPoint, &Nameplate) -> f64,
    /// The load departs from the reference conditions in this quantity.
    varied: fn(&LoadPoint) -> bool,
}

fn quantities(plate: &Nameplate) -> [Quantity; 3] {
    let linear = |label, reference| Axis::Linear { label, reference };
    [
        Quantity {
            title: "Error over voltage",
            axis: linear("voltage [% of Un]", 100.0),
            x: |at, plate| 100.0 * at.volt / plate.un_volt,
            varied: |at| at.voltage != "1 Un",
        },
        Quantity {
            title: "Error over frequency",
            axis: linear("frequency [Hz]", plate.fn_hertz),
            x: |at, _| at.frequency_hz,
            varied: |at| at.frequency.is_some(),
        },
        Quantity {
            title: "Error over temperature",
            axis: linear("temperature [°C]", 23.0),
            x: |at, _| at.temperature_c,
            varied: |at| at.temperature.is_some(),
        },
    ]
}

/// A chart per quantity that the influence steps varied alone, each with its point at reference conditions.
pub(super) fn over_influence(influence: &[&Measurement], plate: &Nameplate) -> Vec<Chart> {
    quantities(plate).iter().filter_map(|quantity| influence_chart(influence, plate, quantity)).collect()
}

fn influence_chart(influence: &[&Measurement], plate: &Nameplate, quantity: &Quantity) -> Option<Chart> {
    let alone = |at: &LoadPoint| at.conditions().len() == 1 && (quantity.varied)(at);
    let steps: Vec<u32> = influence.iter().filter(|m| is_error(m) && alone(&m.at)).map(|m| m.step).collect();
    let shown = |m: &&&Measurement| {
        let moving = m.value.number().is_some_and(|percent| percent > STOPPED_PERCENT);
        steps.contains(&m.step) && is_error(m) && moving && (alone(&m.at) || m.at.conditions().is_empty())
    };
    let points: Vec<&Measurement> = influence.iter().filter(shown).copied().collect();
    let mut series = Vec::new();
    for load in lines(&points, plate) {
        for m in points.iter().filter(|m| m.at.same_base(load)) {
            // The limits of an influence step are not limits of the error over this axis.
            let point = point(m, (quantity.x)(&m.at, plate)).map(|p| Point { limit: None, ..p });
            if let Some(point) = point {
                push(&mut series, row::short_load(&m.at, plate.systems), point);
            }
        }
    }
    chart(quantity.title, &series, quantity.axis, INFLUENCE_VIEW)
}

/// The loads of a data sheet, as far as they were measured; without any of them the first three.
fn lines<'a>(points: &[&'a Measurement], plate: &Nameplate) -> Vec<&'a LoadPoint> {
    let all = Phases::all(plate.systems);
    let half = 0.5 * plate.imax_ampere;
    let inductive = PowerFactor::parse("0.5 ind").unwrap_or(PowerFactor::UNITY);
    let sheet = [(plate.itr_ampere(), PowerFactor::UNITY), (half, PowerFactor::UNITY), (half, inductive)];
    let is = |at: &LoadPoint, (ampere, factor): (f64, PowerFactor)| {
        let same = (at.ampere - ampere).abs() <= 1e-9 * ampere && at.power_factor == factor;
        same && at.phases == all && at.direction == Direction::Import
    };
    let of = |wanted| points.iter().map(|m| &m.at).find(|at| is(at, wanted));
    let found: Vec<&LoadPoint> = sheet.into_iter().filter_map(of).collect();
    if !found.is_empty() {
        return found;
    }
    let mut first: Vec<&LoadPoint> = Vec::new();
    for m in points {
        if first.len() < 3 && !first.iter().any(|known| known.same_base(&m.at)) {
            first.push(&m.at);
        }
    }
    first
}

/// The course of the error after the load was switched on.
pub(super) fn over_time(step: &[&Measurement], systems: u8) -> Option<Chart> {
    let courses = step.iter().filter(|m| m.quantity == "error-shift" && m.readings.len() > 1);
    let series: Vec<Series> = courses
        .map(|m| {
            let reading = |(n, &percent): (usize, &f64)| {
                let x = n as f64 * HEATING_MINUTES;
                let tip = format!("{x} min: {percent:+.4} %");
                Point { x, percent, uncertainty: 0.0, limit: None, failed: false, tip }
            };
            Series {
                name: row::short_load(&m.at, systems),
                points: m.readings.iter().enumerate().map(reading).collect(),
            }
        })
        .collect();
    let percents = || series.iter().flat_map(|s| &s.points).map(|p| p.percent).filter(|p| p.is_finite());
    let low = percents().fold(f64::INFINITY, f64::min) - HEATING_MARGIN;
    let high = percents().fold(f64::NEG_INFINITY, f64::max) + HEATING_MARGIN;
    let axis = Axis::Linear { label: "time after switching on [min]", reference: 0.0 };
    chart("Course of the error", &series, axis, View::AtLeast(low, high))
}
