//! Quantities are strings `number SPACE unit`.

use meterbench_record::PowerFactor;
use meterbench_standards::Symbol;

use crate::fields::Findings;
use crate::finding::Finding;
use crate::yaml::{Node, Value};

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    Voltage,
    Current,
    Frequency,
    Time,
    Ratio,
    Power,
    Angle,
    Temperature,
    Kelvin,
    Constant,
}

impl Dimension {
    fn noun(self) -> &'static str {
        match self {
            Self::Voltage => "a voltage",
            Self::Current => "a current",
            Self::Frequency => "a frequency",
            Self::Time => "a duration",
            Self::Ratio => "a ratio",
            Self::Power => "a power",
            Self::Angle => "an angle",
            Self::Temperature => "a temperature",
            Self::Kelvin => "a difference of temperature",
            Self::Constant => "a meter constant",
        }
    }

    fn needs(self) -> &'static str {
        match self {
            Self::Voltage => "V or a multiple of Un",
            Self::Current => "A or a multiple of Itr, Imin, Imax",
            Self::Frequency => "Hz or a multiple of fn",
            Self::Time => "s, ms, min or h",
            Self::Ratio => "%",
            Self::Power => "W",
            Self::Angle => "min-of-arc or deg",
            Self::Temperature => "°C",
            Self::Kelvin => "K",
            Self::Constant => "imp/kWh",
        }
    }

    fn example(self, number: &str) -> String {
        let volts = number.parse::<f64>().is_ok_and(|n| n > 2.0);
        match self {
            Self::Voltage if volts => format!("`{number} V`"),
            Self::Voltage => format!("`{number} V` or `{number} Un`"),
            Self::Current => format!("`{number} A` or `{number} Itr`"),
            Self::Frequency => format!("`{number} Hz`"),
            Self::Time => format!("`{number} ms`, `{number} s` or `{number} min`"),
            Self::Ratio => format!("`{number} %`"),
            Self::Power => format!("`{number} W`"),
            Self::Angle => format!("`{number} deg` or `{number} min-of-arc`"),
            Self::Temperature => format!("`{number} °C`"),
            Self::Kelvin => format!("`{number} K`"),
            Self::Constant => format!("`{number} imp/kWh`"),
        }
    }
}

/// Units by spelling, with their dimension and factor to the base unit.
const UNITS: [(&str, Dimension, f64); 30] = [
    ("V", Dimension::Voltage, 1.0),
    ("mV", Dimension::Voltage, 1e-3),
    ("kV", Dimension::Voltage, 1e3),
    ("Un", Dimension::Voltage, 0.0),
    ("A", Dimension::Current, 1.0),
    ("mA", Dimension::Current, 1e-3),
    ("kA", Dimension::Current, 1e3),
    ("Ist", Dimension::Current, 0.0),
    ("Imin", Dimension::Current, 0.0),
    ("Itr", Dimension::Current, 0.0),
    ("Iref", Dimension::Current, 0.0),
    ("Ib", Dimension::Current, 0.0),
    ("In", Dimension::Current, 0.0),
    ("Imax", Dimension::Current, 0.0),
    ("Hz", Dimension::Frequency, 1.0),
    ("kHz", Dimension::Frequency, 1e3),
    ("fn", Dimension::Frequency, 0.0),
    ("s", Dimension::Time, 1.0),
    ("ms", Dimension::Time, 1e-3),
    ("min", Dimension::Time, 60.0),
    ("h", Dimension::Time, 3600.0),
    ("%", Dimension::Ratio, 1.0),
    ("W", Dimension::Power, 1.0),
    ("kW", Dimension::Power, 1e3),
    ("deg", Dimension::Angle, 60.0),
    ("min-of-arc", Dimension::Angle, 1.0),
    ("°C", Dimension::Temperature, 1.0),
    ("degC", Dimension::Temperature, 1.0),
    ("K", Dimension::Kelvin, 1.0),
    ("imp/kWh", Dimension::Constant, 1.0),
];

/// A number in the base unit of its dimension, or a multiple of a symbol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// V, A, Hz, s, %, W, minutes of arc, °C, imp/kWh.
    Absolute(f64),
    /// Times Un or fn.
    Nominal(f64),
    /// Times a current of the nameplate.
    Current(f64, Symbol),
}

/// Splits `number SPACE unit`. A bare symbol means once.
fn split(text: &str) -> Result<(f64, &str), String> {
    if UNITS.iter().any(|&(unit, _, factor)| unit == text && factor == 0.0) {
        return Ok((1.0, text));
    }
    let Some((number, unit)) = text.split_once(' ') else {
        let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        return Err(if number.is_empty() || unit.is_empty() || unit.contains(':') {
            "write one number, a space and one unit, as in `10 A` or `30 min`".to_owned()
        } else {
            format!("a space stands between number and unit: `{number} {unit}`")
        });
    };
    if number.contains(',') {
        return Err(format!("the decimal mark is a point: `{} {unit}`", number.replace(',', ".")));
    }
    let plain = number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    let value = number.parse::<f64>().ok().filter(|v| plain && v.is_finite());
    value.map(|v| (v, unit)).ok_or_else(|| format!("`{number}` is not a number"))
}

/// A condition with the space between number and unit that it misses: `± 0.2%` -> `± 0.2 %`.
pub(crate) fn spaced(text: &str) -> Option<String> {
    let mut missed = false;
    let words = text.split(' ').map(|word| {
        let digits = word.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let glued = !number.is_empty() && UNITS.iter().any(|(known, ..)| *known == unit);
        missed |= glued;
        if glued { format!("{number} {unit}") } else { word.to_owned() }
    });
    let words = words.collect::<Vec<_>>().join(" ");
    missed.then_some(words)
}

/// Reads a quantity of this dimension from text; on failure message and remedy.
pub(crate) fn parse(text: &str, key: &str, wanted: Dimension) -> Result<Amount, (String, String)> {
    let (number, unit) = split(text).map_err(|remedy| (format!("`{text}` is not a quantity"), remedy))?;
    let Some(&(_, dimension, factor)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
        let message = format!("`{unit}` is not a unit, `{key}` needs {}", wanted.needs());
        return Err((message, format!("write {}", wanted.example(&number.to_string()))));
    };
    if (wanted, unit) == (Dimension::Temperature, "K") {
        let message = format!("`{text}` is counted from absolute zero, `{key}` needs °C");
        return Err((message, format!("write `{} °C`", ((number - 273.15) * 100.0).round() / 100.0)));
    }
    if (wanted, dimension) == (Dimension::Voltage, Dimension::Ratio) {
        let message = format!("`{text}` is a ratio, `{key}` needs {}", wanted.needs());
        return Err((message, format!("write `{} Un`", number / 100.0)));
    }
    if dimension != wanted {
        let message = format!("`{text}` is {}, `{key}` needs {}", dimension.noun(), wanted.needs());
        return Err((message, format!("write {}", wanted.example(&number.to_string()))));
    }
    Ok(match (Symbol::parse(unit), factor) {
        (Some(symbol), _) => Amount::Current(number, symbol),
        (None, 0.0) => Amount::Nominal(number),
        // Powers of ten below one are divided by their reciprocal, so that 20 mA is 0.02 A to the last bit.
        (None, factor) if factor < 1.0 => Amount::Absolute(number / (1.0 / factor).round()),
        (None, factor) => Amount::Absolute(number * factor),
    })
}

/// Reads a quantity from a node; reports what is wrong with it.
pub(crate) fn read(node: &Node, key: &str, wanted: Dimension, findings: &Findings) -> Option<Amount> {
    match &node.value {
        Value::Text(text) if text.contains("${") => {
            crate::fields::check_template(text, node, findings);
            None
        }
        Value::Text(text) => match parse(text, key, wanted) {
            Ok(amount) => Some(amount),
            Err((message, remedy)) => {
                findings.push(Finding::error("wrong-unit", &node.span, message).label(remedy));
                None
            }
        },
        Value::Number(n) => {
            let message = format!("`{n}` has no unit, `{key}` needs {}", wanted.needs());
            findings.push(
                Finding::error("wrong-unit", &node.span, message)
                    .label(format!("write {}", wanted.example(&n.to_string()))),
            );
            None
        }
        _ => {
            let message = format!("`{key}` is {}, expected {}", node.shown(), wanted.noun());
            findings
                .push(Finding::error("bad-value", &node.span, message).label(format!("write {}", wanted.example("1"))));
            None
        }
    }
}

/// A quantity in its base unit, without symbols, within bounds.
pub(crate) fn absolute(
    node: &Node,
    key: &str,
    wanted: Dimension,
    bounds: std::ops::RangeInclusive<f64>,
    findings: &Findings,
) -> Option<f64> {
    match read(node, key, wanted, findings)? {
        Amount::Absolute(value) if bounds.contains(&value) => Some(value),
        Amount::Absolute(_) => {
            let message = format!("`{key}` is {}, which is out of range", node.shown());
            let unit = wanted.needs().split([' ', ',']).next().unwrap_or_default();
            let label = format!("allowed {} {unit} to {} {unit}", bounds.start(), bounds.end());
            findings.push(Finding::error("out-of-range", &node.span, message).label(label));
            None
        }
        _ => {
            let message = format!("`{key}` is {}, a multiple has no meaning here", node.shown());
            findings.push(
                Finding::error("wrong-unit", &node.span, message).label(format!("write {}", wanted.example("1"))),
            );
            None
        }
    }
}

/// Reads `1`, `0.5 ind`, `0.8 cap`.
pub(crate) fn power_factor(node: &Node, findings: &Findings) -> Option<PowerFactor> {
    let parsed = match &node.value {
        Value::Text(text) => PowerFactor::parse(text),
        Value::Number(1.0) => Some(PowerFactor::UNITY),
        _ => None,
    };
    if parsed.is_none() {
        let label = match &node.value {
            Value::Number(n) if *n > 0.0 && *n < 1.0 => format!("write `{n} ind` or `{n} cap`"),
            Value::Text(text) if text.contains(',') => {
                format!("the decimal mark is a point: `{}`", text.replace(',', "."))
            }
            _ => "write `1`, `0.5 ind` or `0.8 cap`".to_owned(),
        };
        let message = format!("{} is not a power factor", node.shown());
        findings.push(Finding::error("wrong-unit", &node.span, message).label(label));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_number_space_unit() {
        let current = |text| parse(text, "current", Dimension::Current);
        assert_eq!(current("10 Itr"), Ok(Amount::Current(10.0, Symbol::Itr)));
        assert_eq!(current("Imax"), Ok(Amount::Current(1.0, Symbol::Imax)));
        assert_eq!(current("20 mA"), Ok(Amount::Absolute(0.02)));
        assert_eq!(parse("1.15 Un", "voltage", Dimension::Voltage), Ok(Amount::Nominal(1.15)));
        assert_eq!(parse("30 min", "for", Dimension::Time), Ok(Amount::Absolute(1800.0)));
        let remedy = |text| current(text).unwrap_err().1;
        assert_eq!(remedy("10A"), "a space stands between number and unit: `10 A`");
        assert_eq!(remedy("0,5 Itr"), "the decimal mark is a point: `0.5 Itr`");
        assert_eq!(remedy("10 V"), "write `10 A` or `10 Itr`");
        assert_eq!(remedy("10 Ampere"), "write `10 A` or `10 Itr`");
        for bad in ["", "A A", "1e3 A", "inf A", "NaN A", "10  A", "--1 A"] {
            assert!(current(bad).is_err(), "{bad}");
        }
    }
}
