//! Numbers as people read them.

use meterbench_record::{Limit, Measurement, Value};

/// `11 h 40 min`, `26 min 10 s`, `12 s`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (h, min, s) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (h, min) {
        (0, 0) if seconds < 9.95 => format!("{seconds:.1} s"),
        (0, 0) => format!("{s} s"),
        (0, _) => format!("{min} min {s} s"),
        _ => format!("{h} h {min} min"),
    }
}

/// `02:14:07`
pub fn clock(bench_ns: u64) -> String {
    let s = bench_ns / 1_000_000_000;
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// Value with its unit: percent with sign and two or three digits, counts whole, seconds to the second.
pub fn value(measurement: &Measurement) -> String {
    match (&measurement.value, measurement.unit.as_str()) {
        (Value::Number(x), "%") if measurement.quantity == "repeatability" => format!("{x:.4} %"),
        (Value::Number(x), "%") => format!("{x:+.3} %"),
        (Value::Number(x), unit) => format!("{x:.0} {unit}"),
        (Value::Integer(n), "1") => n.to_string(),
        (Value::Integer(n), unit) => format!("{n} {unit}"),
        (Value::None, _) => "none".to_owned(),
        (Value::Text(text) | Value::State(text), _) => text.clone(),
        (Value::Boolean(yes), _) => if *yes { "yes" } else { "no" }.to_owned(),
        (Value::InstantNs(ns), _) => clock(*ns),
        (Value::Series { file, .. }, _) => file.clone(),
    }
}

/// `±1.0 %`, `at most 1`, `1 to 5`.
pub fn limit(limit: &Limit, unit: &str) -> String {
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    match (limit.low, limit.high) {
        (Some(low), Some(high)) if low == -high => format!("±{}{unit}", short(high)),
        (Some(low), Some(high)) if low == high => format!("{}{unit}", short(high)),
        (Some(low), Some(high)) => format!("{} to {}{unit}", short(low), short(high)),
        (None, Some(high)) => format!("at most {}{unit}", short(high)),
        (Some(low), None) => format!("at least {}{unit}", short(low)),
        (None, None) => "none".to_owned(),
    }
}

/// Four significant digits without trailing zeros, at least one decimal for percent-like numbers below ten.
fn short(x: f64) -> String {
    if x.fract() == 0.0 {
        return if x.abs() < 10.0 && x != 0.0 {
            format!("{x:.1}").trim_end_matches(".0").to_owned()
        } else {
            format!("{x:.0}")
        };
    }
    let decimals = (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{x:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Expanded uncertainty, or nothing.
pub fn uncertainty(measurement: &Measurement) -> String {
    let Some(uncertainty) = &measurement.uncertainty else { return String::new() };
    match measurement.unit.as_str() {
        "%" => format!("{:.3} %", uncertainty.expanded),
        unit => format!("{:.1} {unit}", uncertainty.expanded),
    }
}

/// By how much a value lies outside its limit, in words; empty inside.
pub fn outside(measurement: &Measurement) -> String {
    let (Some(value), Some(limit)) = (measurement.value.number(), &measurement.limit) else {
        return measurement.note.clone().unwrap_or_default();
    };
    let above = limit.high.map_or(0.0, |high| value - high).max(limit.low.map_or(0.0, |low| low - value));
    if above <= 0.0 {
        return String::new();
    }
    match measurement.unit.as_str() {
        "%" => format!("by {above:.3} %"),
        "1" => format!("by {above:.0}"),
        unit => format!("by {above:.0} {unit}"),
    }
}

/// `1 position`, `3 positions`
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(42_000.0), "11 h 40 min");
        assert_eq!(duration(1570.0), "26 min 10 s");
        assert_eq!(duration(12.3), "12 s");
        assert_eq!(duration(0.46), "0.5 s");
    }
}
