//! Findings with file, line, column and caret.

use std::fmt::Write as _;

use meterbench_plan::{Finding, Severity, Source};
use serde_json::json;

use crate::catalogue::Refusal;

/// Characters of a line that are shown.
const LONGEST_SHOWN: usize = 200;

/// One finding as a person reads it.
pub fn render(source: &Source, finding: &Finding) -> String {
    let (line, column) = source.place(finding.span.start);
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = format!("{kind}[{}]: {}\n  --> {}:{line}:{column}\n", finding.code, finding.message, source.name);
    if let Some(text) = source.text.lines().nth(line - 1) {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs are shown as one blank, so that the caret stands below its word.
        let shown: String = text.chars().take(LONGEST_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let end = finding.span.end.min(source.text.len());
        let marked = source.text.get(finding.span.start..end).unwrap_or_default();
        let width = marked.lines().next().unwrap_or_default().chars().count().clamp(1, LONGEST_SHOWN);
        let column = column.min(LONGEST_SHOWN);
        let _ = writeln!(out, "{number} | {shown}");
        let caret = format!("{margin} | {}{} {}", " ".repeat(column - 1), "^".repeat(width), finding.label);
        let _ = writeln!(out, "{}", caret.trim_end());
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "   help: {help}");
    }
    out
}

/// One finding as a program reads it.
pub fn json(source: &Source, finding: &Finding) -> serde_json::Value {
    let (line, column) = source.place(finding.span.start);
    json!({
        "file": source.name,
        "line": line,
        "column": column,
        "code": finding.code,
        "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
        "message": finding.message,
        "label": finding.label,
        "help": finding.help,
    })
}

/// `3 errors in 1 file; nothing was run`
pub fn summary(findings: usize, files: usize) -> String {
    use crate::words::plural;
    format!("{} in {}; nothing was run", plural(findings, "error"), plural(files, "file"))
}

/// Prints a refusal to standard error and gives its exit code.
pub fn refuse(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Words(text) => complain!("error: {text}"),
        Refusal::Findings(source, findings) => {
            for finding in findings {
                complain!("{}", render(source, finding));
            }
            complain!("{}", summary(findings.len(), 1));
        }
    }
    2
}
