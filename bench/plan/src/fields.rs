//! Reading a map: known keys, reserved keys, misspelt keys.

use std::cell::RefCell;
use std::ops::Range;

use crate::FileKind;
use crate::finding::{Finding, closest};
use crate::yaml::{Node, Value};

/// Keys that mean the same in every step and are not available yet.
pub(crate) const RESERVED_KEYS: [&str; 8] =
    ["when", "repeat", "retry", "timeout", "on-fail", "tags", "requires", "allow"];

/// The findings of one file, shared by everything that reads it.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Finding>>);

impl Findings {
    pub(crate) fn push(&self, finding: Finding) {
        let mut all = self.0.borrow_mut();
        if !all.contains(&finding) {
            all.push(finding);
        }
    }

    pub(crate) fn into_sorted(self) -> Vec<Finding> {
        let mut all = self.0.into_inner();
        all.sort_by_key(|f| (f.span.start, f.span.end));
        all
    }
}

/// The lowered file, or its findings; a file that is refused always says why.
pub(crate) fn finish<T>(value: Option<T>, findings: Findings) -> Result<T, Vec<Finding>> {
    let mut findings = findings.into_sorted();
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        _ => {
            if findings.is_empty() {
                findings.push(
                    Finding::error("bad-value", &(0..0), "the file is not complete")
                        .label("see the files in fixtures/"),
                );
            }
            Err(findings)
        }
    }
}

/// A map being read.
pub(crate) struct Fields<'a> {
    entries: Vec<(&'a Node, &'a Node)>,
    pub(crate) span: Range<usize>,
}

impl<'a> Fields<'a> {
    /// Opens a map, or reports that it is none. `what` names it in messages: ``step `accuracy` ``.
    pub(crate) fn open(node: &'a Node, what: &str, allowed: &[&str], findings: &Findings) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            findings.push(
                Finding::error(
                    "bad-value",
                    &node.span,
                    format!("{what} is {}, expected keys and values", node.shown()),
                )
                .label(format!("known keys: {}", allowed.join(", "))),
            );
            return None;
        };
        for (key, _) in entries {
            check_key(key, what, allowed, findings);
        }
        Some(Self { entries: entries.iter().map(|(k, v)| (k, v)).collect(), span: node.span.clone() })
    }

    /// No keys at all, as in a bare step word.
    pub(crate) fn none(span: &Range<usize>) -> Self {
        Self { entries: Vec::new(), span: span.clone() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| *v)
    }

    /// Text, or a finding: a number or a date without quotes is no text.
    pub(crate) fn text(&self, key: &str, findings: &Findings) -> Option<(&'a str, &'a Node)> {
        let node = self.get(key)?;
        let Some(text) = node.text() else {
            let finding =
                Finding::error("bad-value", &node.span, format!("`{key}` is {}, expected words", node.shown()));
            findings.push(match node.value {
                Value::Number(_) | Value::Bool(_) => {
                    finding.label("quote it: YAML may read this as a number").help(format!("write `{key}: \"...\"`"))
                }
                _ => finding.label("write words"),
            });
            return None;
        };
        check_template(text, node, findings);
        // A prompt may have several lines; nothing else goes to a terminal with control characters.
        if text.chars().any(|c| c.is_control() && !(c == '\n' && key == "text")) {
            let message = format!("`{key}` holds control characters");
            findings.push(Finding::error("bad-value", &node.span, message).label("write plain text"));
            return None;
        }
        if text.trim().is_empty() {
            findings
                .push(Finding::error("bad-value", &node.span, format!("`{key}` is empty")).label("write something"));
            return None;
        }
        Some((text, node))
    }

    /// Text that must be quoted where it looks like a number or a date.
    pub(crate) fn required_text(&self, key: &str, what: &str, findings: &Findings) -> Option<(&'a str, &'a Node)> {
        if self.get(key).is_none() {
            self.missing(key, what, findings);
        }
        self.text(key, findings)
    }

    pub(crate) fn missing(&self, key: &str, what: &str, findings: &Findings) {
        findings.push(
            Finding::error("missing-key", &self.span, format!("{what} has no `{key}`")).label(format!("add `{key}:`")),
        );
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, key: &str, least: u64, most: u64, findings: &Findings) -> Option<u64> {
        let node = self.get(key)?;
        match node.value {
            Value::Number(n) if n.fract() == 0.0 && n >= least as f64 && n <= most as f64 => Some(n as u64),
            _ => {
                let message = format!("`{key}` is {}, expected a whole number from {least} to {most}", node.shown());
                findings.push(Finding::error("out-of-range", &node.span, message).label(format!("{least} to {most}")));
                None
            }
        }
    }

    pub(crate) fn flag(&self, key: &str, findings: &Findings) -> bool {
        let Some(node) = self.get(key) else { return false };
        if let Value::Bool(flag) = node.value {
            return flag;
        }
        let message = format!("`{key}` is {}, expected true or false", node.shown());
        findings.push(Finding::error("bad-value", &node.span, message).label("write `true` or `false`"));
        false
    }
}

pub(crate) fn check_template(text: &str, node: &Node, findings: &Findings) {
    if text.contains("${") {
        findings.push(
            Finding::error("reserved", &node.span, "`${` is reserved: this version has no expressions")
                .label("write the value itself"),
        );
    }
}

fn check_key(key: &Node, what: &str, allowed: &[&str], findings: &Findings) {
    let Some(name) = key.text() else {
        let message = format!("{what} has {} as a key, expected a word", key.shown());
        findings.push(Finding::error("unknown-key", &key.span, message).label("keys are words"));
        return;
    };
    if allowed.contains(&name) {
        return;
    }
    if RESERVED_KEYS.contains(&name) {
        findings.push(
            Finding::error("reserved", &key.span, format!("`{name}` is reserved, not available in this version"))
                .label("remove it"),
        );
        return;
    }
    let finding = Finding::error("unknown-key", &key.span, format!("{what} has no key `{name}`"));
    findings.push(match closest(name, allowed.iter().copied()) {
        Some(close) => finding.label(format!("did you mean `{close}`?")),
        None => finding.label(format!("known keys: {}", allowed.join(", "))),
    });
}

/// What a file is: its first key says so.
pub(crate) fn file_kind(root: &Node, findings: &mut Vec<Finding>) -> Option<FileKind> {
    const KINDS: [(&str, FileKind); 4] =
        [("plan", FileKind::Plan), ("bench", FileKind::Bench), ("meter", FileKind::Meter), ("fault", FileKind::Fault)];
    let first = match &root.value {
        Value::Map(entries) => entries.first().map(|(key, _)| key),
        _ => None,
    };
    let word = first.and_then(Node::text);
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| Some(*name) == word) {
        return Some(*kind);
    }
    let span = first.unwrap_or(root).span.clone();
    let message = match word {
        Some(word) => format!("the first key is `{word}`, which is no kind of file"),
        None => "the file does not begin with a key".to_owned(),
    };
    findings.push(
        Finding::error("unknown-file", &span, message)
            .label("begin with `plan:`, `bench:`, `meter:` or `fault:` and a title"),
    );
    None
}

/// Checks `format`, which is optional and 1.
pub(crate) fn check_format(fields: &Fields<'_>, findings: &Findings) {
    let Some(node) = fields.get("format") else { return };
    if node.value != Value::Number(1.0) {
        let message = format!("format {} is made for a newer meterbench", node.shown());
        findings.push(Finding::error("newer-format", &node.span, message).label("this version reads format 1"));
    }
}
