//! What a run says.
//!
//! The contract crate at the bottom of the bench: quantities, [`LoadPoint`], [`Measurement`], [`Verdict`], [`Event`] and
//! [`Record`]. The run emits events; the terminal, the journal and every report read them. Nothing here does IO, knows a
//! clock or depends on a runtime.
//!
//! JSON is `snake_case`, units stand in the field's name, energy and time are integers, percent is percent. Additive
//! changes keep `meterbench/record/1`; readers ignore unknown fields and keep unknown words.
#![warn(missing_docs)]

mod event;
mod load_point;
mod measurement;
mod nameplate;
mod record;
mod verdict;

pub use event::{
    EngineTime, Event, Firmware, InstrumentInfo, JournalLine, LogLine, PositionInfo, RunInfo, RunStart, SCHEMA_JOURNAL,
    StepInfo, StepReport, Subject,
};
pub use load_point::{Direction, EnergyKind, LoadPoint, Phases, PowerFactor, Reactance, Switched};
pub use measurement::{BudgetItem, Limit, LimitBinding, Measurement, Uncertainty, Value};
pub use nameplate::{Class, Feature, Nameplate};
pub use record::{Counts, Record, RecordError, SCHEMA_RECORD};
pub use verdict::{Certainty, Outcome, Verdict};

/// Nanoseconds of bench time since the run began.
pub type BenchNs = u64;

/// Turns words into an identifier part: lower case, letters, digits, dots and single dashes.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '.' {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_slug_is_made_of_words() {
        assert_eq!(super::slug("Balanced load, 0.5 ind"), "balanced-load-0.5-ind");
        assert_eq!(super::slug("  ÄÖ 10 Itr!"), "10-itr");
    }
}
