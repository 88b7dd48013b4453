//! `vary:` of an influence step: `voltage`, `{ voltage: [0.9 Un, 1.1 Un] }`, or waves in place of sines: `[quadriform, peaked]`.

use meterbench_record::Switched;
use meterbench_standards::Influence;

use super::{Spanned, Varied, Vary, amounts, list, phases};
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{Node, Value};

const KNOWN: [Influence; 13] = [
    Influence::Voltage,
    Influence::Frequency,
    Influence::Temperature,
    Influence::PhaseSequence,
    Influence::Interrupted,
    Influence::Phases,
    Influence::FifthHarmonic,
    Influence::DcAndEvenHarmonics,
    Influence::OddHarmonics,
    Influence::SubHarmonics,
    Influence::Quadriform,
    Influence::Peaked,
    Influence::FastLoadVariation,
];

pub(super) fn read(node: &Node, findings: &Findings) -> Option<Vary> {
    let names = KNOWN.map(Influence::name);
    match &node.value {
        Value::Text(_) => {
            let influence = word(node, findings)?;
            return Some(Vary { span: node.span.clone(), influence, values: Vec::new() });
        }
        Value::List(_) => return waves(node, findings),
        _ => {}
    }
    let fields = Fields::open(node, "`vary`", &names, findings)?;
    let given: Vec<Influence> = KNOWN.into_iter().filter(|known| fields.get(known.name()).is_some()).collect();
    let [influence] = given[..] else {
        let message = "one influence quantity is varied at a time, the others stay at reference conditions";
        let finding = Finding::error("bad-value", &node.span, message);
        findings.push(finding.label("write one `influence` step for each"));
        return None;
    };
    let key = influence.name();
    let inner = fields.get(key)?;
    let values = match influence {
        Influence::Voltage => varied(amounts(&fields, key, Dimension::Voltage, findings)),
        Influence::Frequency => varied(amounts(&fields, key, Dimension::Frequency, findings)),
        Influence::Temperature => varied(list(inner, findings, |n| {
            let celsius = quantity::absolute(n, key, Dimension::Temperature, -60.0..=100.0, findings)?;
            Some(Amount::Absolute(celsius))
        })),
        Influence::PhaseSequence => list(inner, findings, |n| {
            let reversed = n.text() == Some("reversed");
            if !reversed {
                let finding = Finding::error("bad-value", &n.span, format!("{} is no phase sequence", n.shown()));
                findings.push(finding.label("write `reversed`"));
            }
            reversed.then_some(Varied::Reversed)
        }),
        Influence::FastLoadVariation => list(inner, findings, |n| switched(n, findings).map(Varied::Switched)),
        wave if wave.is_wave() => {
            let finding = Finding::error("bad-value", &inner.span, format!("`{key}` is one wave and has no values"));
            findings.push(finding.label(format!("write `vary: {key}`, or `vary: [{key}, ...]` for several waves")));
            return None;
        }
        _ => list(inner, findings, |n| match phases(n, super::IN_TURN, findings)? {
            Some(some) => Some(Varied::Phases(some)),
            None => {
                let finding = Finding::error("bad-value", &n.span, format!("`{key}: all` is no influence"));
                findings.push(finding.label("write `L1` or `L1+L2`"));
                None
            }
        }),
    };
    (!values.is_empty()).then(|| Vary { span: node.span.clone(), influence, values })
}

/// The word of an influence quantity.
fn word(node: &Node, findings: &Findings) -> Option<Influence> {
    let word = node.text().unwrap_or_default();
    let influence = KNOWN.into_iter().find(|known| known.name() == word);
    if influence.is_none() {
        let message = format!("{} is no influence quantity", node.shown());
        let label = format!("known: {}", KNOWN.map(Influence::name).join(", "));
        findings.push(Finding::error("unknown-word", &node.span, message).label(label));
    }
    influence
}

/// Several waves, one after the other, against the same sines.
fn waves(node: &Node, findings: &Findings) -> Option<Vary> {
    let values = list(node, findings, |n| {
        let influence = word(n, findings)?;
        if !influence.is_wave() {
            let finding = Finding::error("bad-value", &n.span, format!("`{}` is no wave", influence.name()));
            let names = Influence::WAVES.map(Influence::name).join(", ");
            findings.push(
                finding.label("write an `influence` step of its own").help(format!("a list holds waves: {names}")),
            );
            return None;
        }
        Some(Varied::Wave(influence))
    });
    let Some(Varied::Wave(influence)) = values.first().map(|first| first.value) else { return None };
    Some(Vary { span: node.span.clone(), influence, values })
}

/// `5 s on 0.5 s off`
fn switched(node: &Node, findings: &Findings) -> Option<Switched> {
    let text = node.text().unwrap_or_default();
    let read = || {
        let (on, off) = text.strip_suffix(" off")?.split_once(" on ")?;
        let seconds = |words| match quantity::parse(words, "vary", Dimension::Time) {
            Ok(Amount::Absolute(seconds)) if (0.05..=600.0).contains(&seconds) => Some(seconds),
            _ => None,
        };
        Some(Switched { on_seconds: seconds(on)?, off_seconds: seconds(off)? })
    };
    let switched = read();
    if switched.is_none() {
        let message = format!("{} says no times on and off", node.shown());
        let finding = Finding::error("bad-value", &node.span, message);
        findings.push(finding.label("write `10 s on 10 s off`; each from 50 ms to 10 min"));
    }
    switched
}

impl Vary {
    /// It asks a source for other waves than steady sines.
    pub(crate) fn needs_waves(&self) -> bool {
        self.influence.is_wave() || self.influence == Influence::FastLoadVariation
    }
}

fn varied(amounts: Vec<Spanned<Amount>>) -> Vec<Spanned<Varied>> {
    let wrap = |a: Spanned<Amount>| Spanned { value: Varied::Amount(a.value), span: a.span, words: a.words };
    amounts.into_iter().map(wrap).collect()
}
