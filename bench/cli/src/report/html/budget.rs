//! Uncertainty budgets, each checked by the propagation of distributions (JCGM 101).

use std::collections::HashMap;

use meterbench_record::{BudgetItem, Measurement, Uncertainty};
use meterbench_standards::gum::coverage_half_width;
use serde::Serialize;

use crate::words;

/// Trials per budget: a normal result then repeats within 0.7 %, which tells 10 % well.
const TRIALS: usize = 20_000;
/// The same draws in every report: a report is a function of its record alone.
const SEED: u64 = 101;
/// The two methods agree within this share of the GUM value.
const AGREE: f64 = 0.10;

#[derive(Debug, Serialize)]
pub(super) struct Budget {
    title: String,
    uncertainty: String,
    readings: String,
    items: Vec<Item>,
    check: String,
}

#[derive(Debug, Serialize)]
struct Item {
    item: String,
    kind: String,
    distribution: String,
    degrees: String,
    standard: String,
}

/// Distribution, bits of the standard uncertainty, degrees of freedom of every item.
type Key = Vec<(String, u64, Option<u32>)>;

/// Half-widths by Monte Carlo; equal budgets are drawn once.
#[derive(Debug, Default)]
pub(super) struct Trials {
    known: HashMap<Key, f64>,
}

impl Trials {
    fn half_width(&mut self, budget: &[BudgetItem]) -> f64 {
        let key = |i: &BudgetItem| (i.distribution.clone(), i.standard.to_bits(), i.degrees_of_freedom);
        let known = self.known.entry(budget.iter().map(key).collect());
        *known.or_insert_with(|| coverage_half_width(budget, TRIALS, SEED))
    }
}

/// How the budgets of a position agree with their check.
#[derive(Debug, Default, Serialize)]
pub(super) struct Agreement {
    budgets: usize,
    agree: usize,
    trials: String,
    /// Those that do not, in words.
    differ: Vec<String>,
}

impl Agreement {
    pub(super) fn new() -> Self {
        Self { trials: thousands(TRIALS), ..Self::default() }
    }
}

/// The budget of a measurement, counted in; nothing when it has none.
pub(super) fn budget(m: &Measurement, trials: &mut Trials, agreement: &mut Agreement) -> Option<Budget> {
    let uncertainty = m.uncertainty.as_ref().filter(|u| !u.budget.is_empty())?;
    let title = format!("{}, {}", crate::words::point(m), crate::words::quantity(&m.quantity));
    Some(Budget {
        check: check(m, uncertainty, &title, trials, agreement),
        title,
        uncertainty: words::uncertainty(m),
        readings: m.readings.iter().map(|r| format!("{r:+.4}")).collect::<Vec<_>>().join("  "),
        items: uncertainty.budget.iter().map(|i| item(i, &m.unit)).collect(),
    })
}

fn item(i: &BudgetItem, unit: &str) -> Item {
    Item {
        item: i.item.clone(),
        kind: i.kind.clone(),
        distribution: i.distribution.clone(),
        degrees: i.degrees_of_freedom.map(|n| n.to_string()).unwrap_or_default(),
        standard: format!("{:.5} {unit}", i.standard),
    }
}

/// Holds the value of the GUM against the trials.
fn check(m: &Measurement, gum: &Uncertainty, title: &str, trials: &mut Trials, agreement: &mut Agreement) -> String {
    // The last digit of a reading: a rectangle ends where k = 2 does not, and there is nothing to find.
    if m.subject.is_some() && dominated_by_a_rectangle(&gum.budget) {
        return "one rectangular contribution dominates: k = 2 covers all of it".to_owned();
    }
    let drawn = trials.half_width(&gum.budget);
    let difference = if gum.expanded > 0.0 { drawn / gum.expanded - 1.0 } else { 0.0 };
    let percent = format!("{} %", words::signed(100.0 * difference, 0));
    let words = words::expanded(m, drawn);
    agreement.budgets += 1;
    if difference.abs() <= AGREE {
        agreement.agree += 1;
    } else {
        let larger = if difference > 0.0 { "Monte Carlo" } else { "the GUM" };
        let of_gum = words::uncertainty(m);
        agreement.differ.push(format!(
            "{title}: U = {of_gum} by the GUM, {words} by Monte Carlo ({percent}); {larger} gives the larger value"
        ));
    }
    format!("Monte Carlo (JCGM 101, {} trials): U = {words}, {percent} from the GUM value", thousands(TRIALS))
}

fn dominated_by_a_rectangle(budget: &[BudgetItem]) -> bool {
    let square = |item: &BudgetItem| item.standard * item.standard;
    let all: f64 = budget.iter().map(square).sum();
    budget.iter().any(|item| item.distribution == "rectangular" && square(item) > 0.9 * all)
}

/// `20 000`
fn thousands(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{} {:03}", n / 1000, n % 1000) }
}
