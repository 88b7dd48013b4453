//! Conditions are words in one string: `at most 1`, `2 to 5`, `3`.

use crate::fields::Findings;
use crate::finding::Finding;
use crate::yaml::{Node, Value};

/// Bounds of a count, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// Reads a condition on a whole number.
pub(crate) fn count(node: &Node, key: &str, findings: &Findings) -> Option<Condition> {
    let whole = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let condition = match &node.value {
        Value::Number(n) if n.fract() == 0.0 && *n >= 0.0 => Some(Condition { low: Some(*n), high: Some(*n) }),
        Value::Text(text) => {
            if let Some(rest) = text.strip_prefix("at most ") {
                whole(rest).map(|high| Condition { low: None, high: Some(high) })
            } else if let Some(rest) = text.strip_prefix("at least ") {
                whole(rest).map(|low| Condition { low: Some(low), high: None })
            } else if let Some((low, high)) = text.split_once(" to ") {
                let bounds = whole(low).zip(whole(high)).filter(|(low, high)| low <= high);
                bounds.map(|(low, high)| Condition { low: Some(low), high: Some(high) })
            } else {
                None
            }
        }
        _ => None,
    };
    if condition.is_none() {
        let message = format!("`{key}` is {}, which is no condition on a count", node.shown());
        findings.push(
            Finding::error("bad-condition", &node.span, message)
                .label("write `3`, `at most 1`, `at least 2` or `2 to 5`"),
        );
    }
    condition
}
