//! The matrix of rights: a row per object, a column per role, in each cell what the role can do with the attributes and
//! methods, as it was tried.

use meterbench_record::{Measurement, Verdict};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct RightsMatrix {
    roles: Vec<String>,
    rows: Vec<RightsRow>,
    /// Attributes and methods that were tried, over all roles.
    tried: u64,
}

#[derive(Debug, Serialize)]
struct RightsRow {
    object: String,
    class: u64,
    cells: Vec<Option<RightsCell>>,
}

#[derive(Debug, Serialize)]
struct RightsCell {
    words: String,
    class: &'static str,
    note: String,
}

/// The matrix of a step that tried rights; nothing for another step.
pub(super) fn rights(step: &[&Measurement]) -> Option<RightsMatrix> {
    let of: Vec<&Measurement> = step.iter().copied().filter(|m| is_right(m)).collect();
    let (mut roles, mut objects): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for m in &of {
        for (known, key) in [(&mut roles, "role"), (&mut objects, "object")] {
            let word = text(m, key);
            if !known.contains(&word) {
                known.push(word);
            }
        }
    }
    let rows = objects.iter().map(|object| {
        let here = |role: &&str| of.iter().find(|m| text(m, "object") == *object && text(m, "role") == *role);
        RightsRow {
            object: (*object).trim_end_matches("*255").to_owned(),
            class: roles.iter().find_map(here).map_or(0, |m| number(m, "class")),
            cells: roles.iter().map(|role| here(role).map(|m| cell(m))).collect(),
        }
    });
    let rows: Vec<RightsRow> = rows.collect();
    let tried = of.iter().map(|m| number(m, "tried")).sum();
    (!rows.is_empty()).then(|| RightsMatrix {
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        rows,
        tried,
    })
}

/// A measurement that stands in the matrix.
pub(super) fn is_right(m: &Measurement) -> bool {
    m.quantity == "access-rights" && m.raw.contains_key("cells")
}

fn text<'m>(m: &'m Measurement, key: &str) -> &'m str {
    m.raw.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
}

fn number(m: &Measurement, key: &str) -> u64 {
    m.raw.get(key).and_then(serde_json::Value::as_u64).unwrap_or_default()
}

fn cell(m: &Measurement) -> RightsCell {
    RightsCell {
        words: together(text(m, "cells")),
        class: if m.verdict == Some(Verdict::Pass) { "pass" } else { "fail" },
        note: m.note.clone().unwrap_or_default(),
    }
}

/// Neighbours with equal rights stand together: `1r- 2r- 3rw m1x` becomes `1-2 r, 3 rw, m1 x`.
fn together(cells: &str) -> String {
    let mut runs: Vec<(String, u32, u32, String)> = Vec::new();
    for word in cells.split(' ') {
        let digits = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
        let (kind, rest) = word.split_at(digits);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, letters) = rest.split_at(end);
        let Ok(number) = number.parse::<u32>() else { continue };
        let letters = match letters.replace('-', "") {
            none if none.is_empty() => "\u{2013}".to_owned(),
            some => some,
        };
        match runs.last_mut() {
            Some((same, _, last, with)) if *same == kind && *last + 1 == number && *with == letters => *last = number,
            _ => runs.push((kind.to_owned(), number, number, letters)),
        }
    }
    let one = |(kind, first, last, letters): &(String, u32, u32, String)| {
        if first == last {
            format!("{kind}{first} {letters}")
        } else {
            format!("{kind}{first}\u{2013}{last} {letters}")
        }
    };
    runs.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn neighbours_with_equal_rights_stand_together() {
        assert_eq!(together("1r- 2r- 3rw m1x m2x"), "1\u{2013}2 r, 3 rw, m1\u{2013}2 x");
        assert_eq!(together("1r- 2-- 3--"), "1 r, 2\u{2013}3 \u{2013}");
        assert_eq!(together(""), "");
    }
}
