//! A fault: its name, unit and usual severity. What it does to a meter is the emulator's business.

use crate::fields::{Fields, Findings, check_format, finish};
use crate::finding::{Finding, Source};
use crate::yaml::{self, Node, Value};

/// A fault file.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultFile {
    pub title: String,
    pub name: String,
    /// Unit of the severity; empty for a plain number.
    pub unit: String,
    /// Severity where none is given.
    pub severity: f64,
    /// What it stands for in a real meter.
    pub cause: String,
}

/// `gain: 1.5 %` in a bench file or `gain=1.5%` on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultWords {
    pub name: String,
    pub severity: Option<String>,
}

impl FaultFile {
    pub fn read(source: &Source) -> Result<Self, Vec<Finding>> {
        let mut parse_findings = Vec::new();
        let Some(root) = yaml::parse(source, &mut parse_findings) else { return Err(parse_findings) };
        let findings = Findings::default();
        let fault = Self::lower(&root, &findings);
        finish(fault, findings)
    }

    fn lower(root: &Node, findings: &Findings) -> Option<Self> {
        let fields = Fields::open(root, "a fault file", &["fault", "format", "name", "severity", "cause"], findings)?;
        check_format(&fields, findings);
        let title = fields.required_text("fault", "the file", findings);
        let name = fields.required_text("name", "the fault", findings);
        let severity = fields.required_text("severity", "the fault", findings);
        let cause = fields.required_text("cause", "the fault", findings);
        let (severity, unit) = severity.and_then(|(text, node)| {
            let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
            let value = number.parse::<f64>().ok().filter(|v| v.is_finite());
            if value.is_none() {
                let message = format!("`{text}` is no severity");
                findings.push(
                    Finding::error("bad-value", &node.span, message).label("write a number and a unit: `1.25 %`"),
                );
            }
            value.map(|v| (v, unit.to_owned()))
        })?;
        Some(Self { title: title?.0.to_owned(), name: name?.0.to_owned(), unit, severity, cause: cause?.0.to_owned() })
    }

    /// Reads a severity in the unit of this fault: `1.25 %`, `1.25%` or `1.25`.
    pub fn read_severity(&self, text: &str) -> Result<f64, String> {
        let number = text.trim().strip_suffix(&self.unit).unwrap_or(text).trim();
        number.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
            let unit =
                if self.unit.is_empty() { "a plain number".to_owned() } else { format!("a number in {}", self.unit) };
            format!("`{text}` is no severity of fault `{}`, which takes {unit}", self.name)
        })
    }
}

impl FaultWords {
    /// `{ gain: 1.5 %, creep: }`
    pub(crate) fn read_map(node: &Node, findings: &Findings) -> Vec<Self> {
        let Value::Map(entries) = &node.value else {
            let message = format!("`faults` is {}, expected names and severities", node.shown());
            findings.push(Finding::error("bad-value", &node.span, message).label("write `{ gain: 1.5 % }`"));
            return Vec::new();
        };
        let word = |value: &Node| match &value.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(n) => Some(n.to_string()),
            Value::Null => None,
            _ => {
                let message = format!("a severity is {}, expected a number and a unit", value.shown());
                findings.push(Finding::error("bad-value", &value.span, message).label("write `1.5 %`"));
                None
            }
        };
        entries
            .iter()
            .map(|(key, value)| Self { name: key.text().unwrap_or_default().to_owned(), severity: word(value) })
            .collect()
    }
}
