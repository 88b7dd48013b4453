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

/// Value with its unit: percent with sign, magnitudes without, counts whole, seconds to the second.
pub fn value(measurement: &Measurement) -> String {
    match (&measurement.value, measurement.unit.as_str()) {
        (Value::Number(x), unit) => match decimals(measurement) {
            Some((decimals, true)) => format!("{} {unit}", signed(*x, decimals)),
            Some((decimals, false)) if unit == "1" => format!("{x:.decimals$}"),
            Some((decimals, false)) => format!("{x:.decimals$} {unit}"),
            None if unit == "1" => short(*x),
            None => format!("{x:.0} {unit}"),
        },
        (Value::Integer(n), "1") => n.to_string(),
        (Value::Integer(n), unit) => format!("{n} {unit}"),
        (Value::None, _) => "none".to_owned(),
        (Value::Text(text) | Value::State(text), _) => text.clone(),
        (Value::Boolean(yes), _) => if *yes { "yes" } else { "no" }.to_owned(),
        (Value::InstantNs(ns), _) => clock(*ns),
        (Value::Series { file, .. }, _) => file.clone(),
    }
}

/// What a measurement is about: its subject, or its load point.
pub fn point(measurement: &Measurement) -> String {
    measurement.subject.clone().unwrap_or_else(|| measurement.at.to_string())
}

/// What a state was expected to be; empty where a figure limits.
pub fn expected(measurement: &Measurement) -> &str {
    measurement.raw.get("expected").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Decimals of an error or of what is computed from errors, and whether it has a sign.
fn decimals(measurement: &Measurement) -> Option<(usize, bool)> {
    match (measurement.unit.as_str(), measurement.quantity.as_str()) {
        ("%", "repeatability") => Some((4, false)),
        ("%", "composite-error") => Some((3, false)),
        // What meters say of power quality has no sign.
        (
            "%",
            "reading" | "snapshot" | "harmonic" | "residual" | "magnitude" | "voltage" | "change" | "u2" | "u0" | "thd",
        ) => Some((2, false)),
        ("%", _) => Some((3, true)),
        ("%/K", _) => Some((5, true)),
        ("ms", _) => Some((2, false)),
        ("s", "clock-deviation") => Some((2, true)),
        (_, "reading" | "snapshot" | "frequency" | "harmonic") => Some((3, false)),
        ("deg", _) => Some((2, true)),
        _ => None,
    }
}

/// `±1.0 %`, `at most 1`, `1 to 5`.
pub fn limit(limit: &Limit, unit: &str) -> String {
    range(limit.low, limit.high, unit)
}

/// The same of bounds that stand alone.
pub fn range(low: Option<f64>, high: Option<f64>, unit: &str) -> String {
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    match (low, high) {
        (Some(low), Some(high)) if low == high => format!("{}{unit}", short(high)),
        (Some(low), Some(high)) if low == -high => format!("±{}{unit}", short(high)),
        (Some(low), Some(high)) => format!("{} to {}{unit}", short(low), short(high)),
        (None, Some(high)) => format!("at most {}{unit}", short(high)),
        (Some(low), None) => format!("at least {}{unit}", short(low)),
        (None, None) => "none".to_owned(),
    }
}

/// With its sign, unless it is rounded to zero.
pub fn signed(x: f64, decimals: usize) -> String {
    let text = format!("{x:+.decimals$}");
    let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c) || c.is_alphabetic());
    if is_zero { text[1..].to_owned() } else { text }
}

/// How an uncertain ingredient of a limit binds; empty when none is uncertain.
pub fn binding(limit: &Limit, unit: &str) -> String {
    let words = limit.binding.as_ref().map(|b| {
        let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
        format!("{} uncertain: between {} and {}{unit}", b.ingredient, short(b.tightest), short(b.loosest))
    });
    words.unwrap_or_default()
}

/// Four significant digits without trailing zeros.
fn short(x: f64) -> String {
    if x == 0.0 || x.fract() == 0.0 {
        return format!("{x:.0}");
    }
    let decimals = (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `percentage-error` as people write it.
pub fn quantity(name: &str) -> String {
    name.replace('-', " ").replace("s0 ", "S0 ").replace(" led", " LED")
}

/// Expanded uncertainty, or nothing.
pub fn uncertainty(measurement: &Measurement) -> String {
    measurement.uncertainty.as_ref().map(|u| expanded(measurement, u.expanded)).unwrap_or_default()
}

/// An expanded uncertainty of this measurement, however it was computed.
pub fn expanded(measurement: &Measurement, expanded: f64) -> String {
    let (decimals, unit) = (decimals(measurement).map_or(1, |(decimals, _)| decimals), &measurement.unit);
    if unit == "1" { format!("{expanded:.decimals$}") } else { format!("{expanded:.decimals$} {unit}") }
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
        "1" => format!("by {above:.0}"),
        unit => match decimals(measurement) {
            Some((decimals, _)) => format!("by {above:.decimals$} {unit}"),
            None => format!("by {above:.0} {unit}"),
        },
    }
}

/// `1 position`, `3 positions`
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use meterbench_record::{Certainty, LimitBinding};

    use super::*;

    fn limited(low: Option<f64>, high: Option<f64>) -> Limit {
        let (source, row) = (String::new(), String::new());
        Limit { low, high, source, row, certainty: Certainty::High, binding: None }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(42_000.0), "11 h 40 min");
        assert_eq!(duration(1570.0), "26 min 10 s");
        assert_eq!(duration(12.3), "12 s");
        assert_eq!(duration(0.46), "0.5 s");
    }

    #[test]
    fn limits_keep_their_digits() {
        assert_eq!([0.0004, -0.0004, -0.0006].map(|x| signed(x, 3)), ["0.000", "0.000", "-0.001"]);
        assert_eq!(limit(&limited(Some(-0.05), Some(0.05)), "%/K"), "±0.05 %/K");
        assert_eq!(limit(&limited(Some(-100.0), Some(10.0)), "%"), "-100 to 10 %");
        assert_eq!(limit(&limited(None, Some(1040.4)), "s"), "at most 1040 s", "zeros before the point stay");
        let uncertain = LimitBinding { tightest: 0.03, loosest: 0.05, ingredient: "value".into() };
        let uncertain = Limit { binding: Some(uncertain), ..limited(None, Some(0.05)) };
        assert_eq!(binding(&uncertain, "%/K"), "value uncertain: between 0.03 and 0.05 %/K");
    }
}
