//! Pulse output (S0): how long it is on, and how long off.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use meterbench_record::Limit;
use serde::Deserialize;

use crate::cell::Cell;

/// What a standard asks of the pulses of an S0 output.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PulseOutput {
    standard: String,
    edition: String,
    title: String,
    status: String,
    sources: BTreeMap<String, String>,
    on_ms: Cell,
    off_ms: Cell,
}

static IEC_62053_31: LazyLock<PulseOutput> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../data/iec62053-31-1998.yaml"))
        .expect("the data file is part of the program and read by its tests")
});

impl PulseOutput {
    /// IEC 62053-31:1998.
    pub fn iec62053_31() -> &'static Self {
        &IEC_62053_31
    }

    /// `IEC 62053-31:1998`.
    pub fn citation(&self) -> String {
        format!("{}:{}", self.standard, self.edition)
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    /// Least time a pulse is on (ms).
    pub fn shortest_pulse_ms(&self) -> f64 {
        self.on_ms.figure
    }

    /// Limit of the time between two pulses (ms): a lower bound alone.
    pub fn pause_limit(&self) -> Limit {
        Limit {
            low: Some(self.off_ms.figure),
            high: None,
            source: self.citation(),
            row: "least time between two pulses".to_owned(),
            certainty: self.off_ms.certainty,
            binding: None,
        }
    }

    /// Every figure, as an auditor reads it beside the page.
    pub fn tables(&self) -> String {
        let mut out = format!("{}  {}\n{}\n", self.citation(), self.title, self.status);
        let _ = writeln!(out, "\n  a pulse is on for at least {} ms", self.on_ms);
        let _ = writeln!(out, "  and off for at least {} ms\n\n  Sources:", self.off_ms);
        for (key, text) in &self.sources {
            let _ = writeln!(out, "    {key}: {text}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_has_a_lower_bound_alone() {
        let rule = PulseOutput::iec62053_31();
        let limit = rule.pause_limit();
        assert_eq!((limit.low, limit.high, limit.source.as_str()), (Some(30.0), None, "IEC 62053-31:1998"));
        assert!(limit.certainty.decides());
        assert!([&rule.on_ms, &rule.off_ms].iter().all(|cell| rule.sources.contains_key(&cell.source)));
        assert!(rule.tables().contains("on for at least 30 (verified, published) ms"));
    }
}
