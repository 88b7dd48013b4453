//! `vary:` of an influence step: `voltage`, or `{ voltage: [0.9 Un, 1.1 Un] }`.

use meterbench_standards::Influence;

use super::{Spanned, Varied, Vary, amounts, list, phases};
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{Node, Value};

const KNOWN: [Influence; 6] = [
    Influence::Voltage,
    Influence::Frequency,
    Influence::Temperature,
    Influence::PhaseSequence,
    Influence::Interrupted,
    Influence::Phases,
];

pub(super) fn read(node: &Node, findings: &Findings) -> Option<Vary> {
    let names = KNOWN.map(Influence::name);
    if let Value::Text(word) = &node.value {
        let influence = KNOWN.into_iter().find(|known| known.name() == word);
        if influence.is_none() {
            let message = format!("`{word}` is no influence quantity");
            let label = format!("known: {}", names.join(", "));
            findings.push(Finding::error("unknown-word", &node.span, message).label(label));
        }
        return influence.map(|influence| Vary { span: node.span.clone(), influence, values: Vec::new() });
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
        _ => list(inner, findings, |n| match phases(n, findings)? {
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

fn varied(amounts: Vec<Spanned<Amount>>) -> Vec<Spanned<Varied>> {
    let wrap = |a: Spanned<Amount>| Spanned { value: Varied::Amount(a.value), span: a.span, words: a.words };
    amounts.into_iter().map(wrap).collect()
}
