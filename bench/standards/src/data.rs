//! The shape of a data file. Checked when it is read: an unknown source or a missing certainty is an error, not a gap.

use std::collections::BTreeMap;

use meterbench_record::PowerFactor;
use serde::Deserialize;

use crate::cell::{Cell, Current};

/// A data file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit table {file}: {problem}")]
pub struct DataError {
    pub file: &'static str,
    pub problem: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) standard: String,
    pub(crate) edition: String,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) classes: Vec<String>,
    pub(crate) reference_current: String,
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) intrinsic: Vec<Row>,
    pub(crate) mpe: Vec<Row>,
    pub(crate) points: Vec<Points>,
    pub(crate) repeatability: Repeatability,
    pub(crate) starting: StartingRow,
    pub(crate) no_load: NoLoadRow,
    pub(crate) meter_constant: BTreeMap<String, Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoadWord {
    Balanced,
    OnePhase,
}

/// A row of limits: one band of current, the power factors of the row, a cell per class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) load: LoadWord,
    pub(crate) from: Current,
    pub(crate) to: Current,
    #[serde(default)]
    pub(crate) last: bool,
    pub(crate) pf: Vec<PfWord>,
    #[serde(rename = "A")]
    pub(crate) a: Option<Cell>,
    #[serde(rename = "B")]
    pub(crate) b: Option<Cell>,
    #[serde(rename = "C")]
    pub(crate) c: Option<Cell>,
    #[serde(rename = "1")]
    pub(crate) one: Option<Cell>,
    #[serde(rename = "2")]
    pub(crate) two: Option<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum PfWord {
    Any,
    One(PowerFactor),
}

impl TryFrom<String> for PfWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::Any);
        }
        PowerFactor::parse(&text).map(Self::One).ok_or_else(|| format!("`{text}` is no power factor"))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Points {
    pub(crate) load: LoadWord,
    pub(crate) current: Vec<Current>,
    pub(crate) pf: Vec<PowerFactor>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeatability {
    pub(crate) fraction: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StartingRow {
    pub(crate) within_tau: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoLoadRow {
    pub(crate) voltage: Cell,
    pub(crate) duration: Duration,
    pub(crate) impulses: Cell,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duration {
    pub(crate) form: DurationForm,
    pub(crate) constant: BTreeMap<String, Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DurationForm {
    /// `C/(k·m·Utest·Ist)` minutes.
    StartingCurrent,
    /// `C/(k·m·Un·Imax)` minutes.
    MaximumCurrent,
}

impl Row {
    pub(crate) fn cells(&self) -> [(&'static str, Option<&Cell>); 5] {
        [
            ("A", self.a.as_ref()),
            ("B", self.b.as_ref()),
            ("C", self.c.as_ref()),
            ("1", self.one.as_ref()),
            ("2", self.two.as_ref()),
        ]
    }

    pub(crate) fn cell(&self, class: &str) -> Option<&Cell> {
        self.cells().into_iter().find(|(name, _)| *name == class).and_then(|(_, cell)| cell)
    }
}

impl File {
    pub(crate) fn read(file: &'static str, text: &str) -> Result<Self, DataError> {
        let wrong = |problem: String| DataError { file, problem };
        let read: Self = serde_saphyr::from_str(text).map_err(|e| wrong(e.to_string()))?;
        for cell in read.all_cells() {
            if !read.sources.contains_key(&cell.source) {
                return Err(wrong(format!("cell `{cell}` cites a source that the file does not name")));
            }
            if cell.candidates.is_some_and(|(tight, loose)| tight > cell.figure || loose < cell.figure) {
                return Err(wrong(format!("cell `{cell}` lies outside its own candidates")));
            }
        }
        Ok(read)
    }

    fn all_cells(&self) -> impl Iterator<Item = &Cell> {
        let rows = self.intrinsic.iter().chain(&self.mpe).flat_map(Row::cells).filter_map(|(_, cell)| cell);
        let single =
            [&self.repeatability.fraction, &self.starting.within_tau, &self.no_load.voltage, &self.no_load.impulses];
        rows.chain(single).chain(self.no_load.duration.constant.values()).chain(self.meter_constant.values())
    }
}
