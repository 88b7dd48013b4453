//! Tables with a row per load and a column per range of temperature: coefficients per kelvin, composite errors.

use meterbench_record::Measurement;
use serde::Serialize;

use super::row::{self, Sources};
use crate::words;

#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    title: &'static str,
    columns: Vec<String>,
    rows: Vec<MatrixRow>,
    sources: Sources,
}

#[derive(Debug, Serialize)]
struct MatrixRow {
    load: String,
    cells: Vec<Option<Cell>>,
}

#[derive(Debug, Serialize)]
struct Cell {
    value: String,
    uncertainty: String,
    limit: String,
    source: String,
    verdict: String,
    class: &'static str,
    note: String,
}

/// What a composite error is made of.
#[derive(Debug, Serialize)]
pub(super) struct Terms {
    names: Vec<String>,
    rows: Vec<TermsRow>,
}

#[derive(Debug, Serialize)]
struct TermsRow {
    load: String,
    range: String,
    terms: Vec<String>,
    composite: String,
}

/// A table of this quantity; nothing when it was not measured. Columns stand from cold to warm.
pub(super) fn matrix(
    step: &[&Measurement],
    quantity: &str,
    title: &'static str,
    limit_name: &str,
    systems: u8,
) -> Option<Matrix> {
    let mut of: Vec<&Measurement> = step.iter().copied().filter(|m| m.quantity == quantity).collect();
    let mut loads: Vec<&Measurement> = Vec::new();
    for m in &of {
        if !loads.iter().any(|known| known.at.same_base(&m.at)) {
            loads.push(m);
        }
    }
    of.sort_by(|a, b| a.at.temperature_c.total_cmp(&b.at.temperature_c));
    let mut columns: Vec<String> = Vec::new();
    for m in &of {
        let words = temperature(m);
        if !columns.contains(&words) {
            columns.push(words);
        }
    }
    let mut sources = Sources::default();
    let rows = loads.iter().map(|load| MatrixRow {
        load: row::load(&load.at, systems),
        cells: columns
            .iter()
            .map(|column| of.iter().find(|m| m.at.same_base(&load.at) && temperature(m) == *column))
            .map(|m| m.map(|m| cell(m, limit_name, &mut sources)))
            .collect(),
    });
    let rows: Vec<MatrixRow> = rows.collect();
    (!rows.is_empty()).then_some(Matrix { title, columns, rows, sources })
}

fn temperature(m: &Measurement) -> String {
    m.at.temperature.clone().unwrap_or_else(|| format!("{} °C", m.at.temperature_c))
}

fn cell(m: &Measurement, limit_name: &str, sources: &mut Sources) -> Cell {
    // The unit stands in the title.
    let bare = |text: String| text.trim_end_matches(m.unit.as_str()).trim_end().to_owned();
    let limit = m.limit.as_ref().map(|l| bare(words::limit(l, &m.unit)));
    let limit = limit.map(|l| format!("{limit_name} {}", l.trim_start_matches("at most ")));
    Cell {
        value: bare(row::value(m)),
        uncertainty: bare(words::uncertainty(m)),
        limit: limit.unwrap_or_default(),
        source: sources.letter(m),
        verdict: row::verdict(m),
        class: row::class(m),
        note: m.note.clone().unwrap_or_default(),
    }
}

/// The terms of every composite error, as the measurement keeps them; an empty table without composite errors.
pub(super) fn terms(step: &[&Measurement], systems: u8) -> Terms {
    let names = ["intrinsic error", "temperature", "voltage", "frequency"];
    let composite = step.iter().filter(|m| m.quantity == "composite-error" && !m.raw.is_empty());
    let rows = composite.map(|m| {
        let term = |name: &&str| m.raw.get(*name).and_then(serde_json::Value::as_f64);
        TermsRow {
            load: row::load(&m.at, systems),
            range: temperature(m),
            terms: names
                .iter()
                .map(|name| term(name).map(|x| format!("{} %", words::signed(x, 3))).unwrap_or_default())
                .collect(),
            composite: words::value(m),
        }
    });
    Terms { names: names.map(str::to_owned).to_vec(), rows: rows.collect() }
}
