//! One measurement: a value, what it is worth, what it is held against.

use serde::{Deserialize, Serialize};

use crate::BenchNs;
use crate::load_point::LoadPoint;
use crate::verdict::{Certainty, Verdict};

/// The measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A real number in the unit of the measurement.
    Number(f64),
    /// A count.
    Integer(i64),
    /// Words.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A named state.
    State(String),
    /// A moment of bench time (ns).
    InstantNs(u64),
    /// A file of columns beside the record.
    Series {
        /// File name, made of the hash of its content.
        file: String,
        /// Column names.
        columns: Vec<String>,
    },
    /// There is no value: the verdict says why.
    None,
}

impl Value {
    /// The number in it, if there is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(*x),
            Self::Integer(n) => Some(*n as f64),
            _ => None,
        }
    }
}

/// One line of an uncertainty budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetItem {
    /// What contributes.
    pub item: String,
    /// Evaluation type, `A` or `B`.
    pub kind: String,
    /// Distribution: `normal`, `rectangular`, `triangular`, `student`.
    pub distribution: String,
    /// Standard uncertainty of the result caused by it, in the unit of the measurement.
    pub standard: f64,
    /// Degrees of freedom; absent means infinite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees_of_freedom: Option<u32>,
}

/// Expanded uncertainty with its budget (GUM).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Expanded uncertainty U = k·u, in the unit of the measurement.
    pub expanded: f64,
    /// Coverage factor.
    pub k: f64,
    /// The budget, largest first.
    pub budget: Vec<BudgetItem>,
}

/// How a limit binds when one of its ingredients is uncertain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitBinding {
    /// Tightest limit that the ingredient could mean, as a magnitude.
    pub tightest: f64,
    /// Loosest limit that it could mean.
    pub loosest: f64,
    /// Which ingredient is uncertain.
    pub ingredient: String,
}

/// What a value is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Lower bound; absent means unbounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper bound; absent means unbounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Standard and edition, or `plan`.
    pub source: String,
    /// Table and row in words.
    pub row: String,
    /// How sure the figure is.
    pub certainty: Certainty,
    /// Candidates of an uncertain ingredient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<LimitBinding>,
}

/// One measurement at one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Made of words, the same in every run of the plan.
    pub id: String,
    /// Number of the step in the plan, from 1.
    pub step: u32,
    /// Position of the meter on the bench.
    pub position: u32,
    /// Attempt, from 1.
    pub attempt: u32,
    /// What was measured, kebab-case.
    pub quantity: String,
    /// What it is about, where the load point does not say it: an object, a role, an attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Where.
    pub at: LoadPoint,
    /// The value.
    pub value: Value,
    /// Its unit.
    pub unit: String,
    /// Raw integers behind the value.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub raw: serde_json::Map<String, serde_json::Value>,
    /// Single readings, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<f64>,
    /// What the value is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
    /// What it is held against; absent when the standard has no limit there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// What it says of the meter; absent when nothing limits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The verdict counts for the outcome.
    pub decides: bool,
    /// Why, in words, where the figures alone do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Bench time at which the value was complete (ns).
    pub bench_ns: BenchNs,
}
