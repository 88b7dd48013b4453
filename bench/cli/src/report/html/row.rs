//! A measurement in words, and the notes beneath a table that say where its limits come from.

use meterbench_record::{Direction, EnergyKind, LoadPoint, Measurement, Phases, Verdict};
use serde::Serialize;

use crate::words;

/// Sources of the limits of one table, each with a letter.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sources(Vec<Source>);

#[derive(Debug, PartialEq, Serialize)]
struct Source {
    letter: String,
    text: String,
}

impl Sources {
    /// The letter of the source of this measurement's limit; empty without a limit.
    pub(super) fn letter(&mut self, m: &Measurement) -> String {
        let Some(limit) = &m.limit else { return String::new() };
        let mut text = format!("{}: {}", limit.source, limit.row);
        if limit.source != "plan" {
            text.push_str(&format!(" [{}]", limit.certainty.word()));
        }
        let binding = words::binding(limit, &m.unit);
        if !binding.is_empty() {
            text.push_str(&format!("; {binding}"));
        }
        if let Some(known) = self.0.iter().find(|source| source.text == text) {
            return known.letter.clone();
        }
        let letter = letters(self.0.len());
        self.0.push(Source { letter: letter.clone(), text });
        letter
    }
}

/// a to z, then aa, ab.
fn letters(n: usize) -> String {
    let last = char::from(b'a' + (n % 26) as u8);
    if n < 26 { last.to_string() } else { format!("{}{last}", letters(n / 26 - 1)) }
}

/// A row of a table that shows every measurement alike.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    load: String,
    conditions: String,
    quantity: String,
    value: String,
    uncertainty: String,
    limit: String,
    source: String,
    verdict: String,
    class: &'static str,
    note: String,
}

impl Row {
    pub(super) fn new(m: &Measurement, systems: u8, sources: &mut Sources) -> Self {
        Self {
            load: m.subject.clone().unwrap_or_else(|| load(&m.at, systems)),
            conditions: m.at.conditions().join(", "),
            quantity: crate::words::quantity(&m.quantity),
            value: value(m),
            uncertainty: words::uncertainty(m),
            limit: limit(m),
            source: sources.letter(m),
            verdict: verdict(m),
            class: class(m),
            note: m.note.clone().unwrap_or_default(),
        }
    }
}

/// Current, power factor, and what is not every phase and import: `10 Itr (5 A), PF 0.5 ind, L1`.
pub(super) fn load(at: &LoadPoint, systems: u8) -> String {
    if at.ampere == 0.0 {
        return "no current".to_owned();
    }
    let ampere = if at.current.ends_with('A') { String::new() } else { format!(" ({} A)", at.ampere) };
    let factor = if at.energy == EnergyKind::Active { "PF" } else { "reactive, sin φ" };
    let besides = besides(at, systems).iter().map(|word| format!(", {word}")).collect::<String>();
    format!("{}{ampere}, {factor} {}{besides}", at.current, at.power_factor)
}

/// The same where there is little room: `10 Itr PF 0.5 ind L1`.
pub(super) fn short_load(at: &LoadPoint, systems: u8) -> String {
    let besides = besides(at, systems).iter().map(|word| format!(" {word}")).collect::<String>();
    format!("{} PF {}{besides}", at.current, at.power_factor)
}

fn besides(at: &LoadPoint, systems: u8) -> Vec<String> {
    let phases = (at.phases != Phases::all(systems)).then(|| at.phases.to_string());
    phases.into_iter().chain((at.direction == Direction::Export).then(|| "export".to_owned())).collect()
}

pub(super) fn value(m: &Measurement) -> String {
    if m.verdict == Some(Verdict::NotObservable) { String::new() } else { words::value(m) }
}

pub(super) fn limit(m: &Measurement) -> String {
    m.limit.as_ref().map_or_else(|| words::expected(m).to_owned(), |l| words::limit(l, &m.unit))
}

pub(super) fn verdict(m: &Measurement) -> String {
    match &m.verdict {
        None => "no limit".to_owned(),
        Some(Verdict::NotObservable) => "not applicable".to_owned(),
        Some(verdict) if !m.decides => format!("{} (advisory)", verdict.word()),
        Some(verdict) => verdict.word().to_owned(),
    }
}

pub(super) fn class(m: &Measurement) -> &'static str {
    match (&m.verdict, m.decides) {
        (Some(Verdict::Pass), true) => "pass",
        (Some(Verdict::Fail), true) => "fail",
        (None | Some(Verdict::NotObservable | Verdict::Skipped), _) => "none",
        _ => "open",
    }
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 25, 26, 27, 52].map(letters), ["a", "z", "aa", "ab", "ba"]);
    }
}
