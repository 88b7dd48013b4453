//! Conditions on what a meter says of a stimulus: `0.4 Un ± 0.2 %`, `200 ms ± 20 ms`, `at most 1 %`, `49.9 Hz to 50.1 Hz`.

use crate::fields::Findings;
use crate::finding::Finding;
use crate::play_test::Bounds;
use crate::quantity;
use crate::yaml::Node;

/// Units by spelling, with the unit of the record and the factor to it.
const UNITS: [(&str, &str, f64); 18] = [
    ("Un", "Un", 1.0),
    ("fn", "fn", 1.0),
    ("%", "%", 1.0),
    ("ms", "ms", 1.0),
    ("s", "ms", 1e3),
    ("min", "ms", 60e3),
    ("h", "ms", 3.6e6),
    ("Hz", "Hz", 1.0),
    ("mHz", "Hz", 1e-3),
    ("V", "V", 1.0),
    ("mV", "V", 1e-3),
    ("A", "A", 1.0),
    ("mA", "A", 1e-3),
    ("deg", "deg", 1.0),
    ("W", "W", 1.0),
    ("kW", "W", 1e3),
    ("var", "var", 1.0),
    ("1", "1", 1.0),
];

/// Reads bounds in one of these units of the record; `what` names it, `example` is written beside the caret.
pub(super) fn read(node: &Node, key: &str, units: &[&str], example: &str, findings: &Findings) -> Option<Bounds> {
    let read = node.text().and_then(parse).filter(|bounds| units.contains(&bounds.unit));
    if read.is_none() {
        let message = format!("`{key}` is {}, which is no condition on it", node.shown());
        let finding = Finding::error("bad-condition", &node.span, message);
        findings.push(match node.text().and_then(quantity::spaced) {
            Some(words) => finding.label(format!("a space stands between number and unit: `{words}`")),
            None => finding.label(format!("write `{example}`, `at most ...`, `at least ...` or `... to ...`")),
        });
    }
    read
}

/// Beside a value in % or in Un, a tolerance in % counts points of the nominal, as standards state it; else a share of the value.
fn parse(text: &str) -> Option<Bounds> {
    let bounds = |low, high, unit| Bounds { low, high, unit };
    if let Some(rest) = text.strip_prefix("at most ") {
        return amount(rest).map(|(value, unit)| bounds(None, Some(value), unit));
    }
    if let Some(rest) = text.strip_prefix("at least ") {
        return amount(rest).map(|(value, unit)| bounds(Some(value), None, unit));
    }
    if let Some((middle, around)) = text.split_once(" ± ").or_else(|| text.split_once(" +/- ")) {
        let ((value, unit), (width, width_unit)) = (amount(middle)?, amount(around)?);
        let half = match (unit, width_unit) {
            _ if unit == width_unit => width,
            ("Un" | "fn", "%") => width / 100.0,
            (_, "%") => value.abs() * width / 100.0,
            _ => return None,
        };
        return (half >= 0.0).then(|| bounds(Some(value - half), Some(value + half), unit));
    }
    let (low, high) = text.split_once(" to ")?;
    let ((low, unit), (high, same)) = (amount(low)?, amount(high)?);
    (unit == same && low <= high).then(|| bounds(Some(low), Some(high), unit))
}

fn amount(text: &str) -> Option<(f64, &'static str)> {
    let (number, unit) = match text.trim() {
        nominal @ ("Un" | "fn") => ("1", nominal),
        other => other.split_once(' ').unwrap_or((other, "1")),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    let value = number.parse::<f64>().ok().filter(|value| plain && value.is_finite())?;
    UNITS.into_iter().find(|(known, ..)| *known == unit).map(|(_, unit, factor)| (value * factor, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_of_voltages_are_of_the_nominal() {
        let close = |text: &str, low: Option<f64>, high: Option<f64>, unit: &str| {
            let found = parse(text).unwrap();
            let near = |a: Option<f64>, b: Option<f64>| a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-9);
            assert!(near(found.low, low) && near(found.high, high) && found.unit == unit, "{text}: {found:?}");
            assert_eq!((found.low.is_some(), found.high.is_some()), (low.is_some(), high.is_some()), "{text}");
        };
        close("0.4 Un ± 0.2 %", Some(0.398), Some(0.402), "Un");
        close("7.81 % ± 0.1 %", Some(7.71), Some(7.91), "%");
        close("200 ms ± 20 ms", Some(180.0), Some(220.0), "ms");
        close("1 s +/- 10 %", Some(900.0), Some(1100.0), "ms");
        close("49.5 Hz ± 10 mHz", Some(49.49), Some(49.51), "Hz");
        close("230 V ± 1 %", Some(227.7), Some(232.3), "V");
        close("at most 0.05 %", None, Some(0.05), "%");
        close("at least Un", Some(1.0), None, "Un");
        close("-5 deg to 5 deg", Some(-5.0), Some(5.0), "deg");
        for bad in ["0.4 Un", "1 s ± 1 V", "2 s to 1 s", "1e3 ms ± 1 ms", "5 %± 1 %", "", "NaN % ± 1 %"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
