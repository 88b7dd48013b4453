//! `expect:` of a stimulus: events in the logs, counters, readings.

use std::ops::Range;

use meterbench_record::Phases;

use super::bounds;
use super::wave::orders_of;
use super::{Spanned, read_phases};
use crate::condition::{self, Condition};
use crate::event_kind::EventKind;
use crate::fields::{Fields, Findings};
use crate::finding::{Finding, closest};
use crate::object::{self, ObjectName};
use crate::play_test::Bounds;
use crate::step::OBSERVABLES;
use crate::yaml::{Node, Value};

/// What this step observes.
const OBSERVED: [&str; 4] = ["event", "counter", "reading", "snapshot"];
/// The word for every kind of event that a step does not name.
const OTHER: &str = "other";
/// Readings by order: spectra.
const HARMONICS: [(&str, &str); 6] = [
    ("voltage-harmonic-l1", "voltage-spectrum-l1"),
    ("voltage-harmonic-l2", "voltage-spectrum-l2"),
    ("voltage-harmonic-l3", "voltage-spectrum-l3"),
    ("current-harmonic-l1", "current-spectrum-l1"),
    ("current-harmonic-l2", "current-spectrum-l2"),
    ("current-harmonic-l3", "current-spectrum-l3"),
];

/// Units of registers.
const READABLE: [&str; 9] = ["Un", "fn", "%", "Hz", "V", "A", "W", "var", "1"];

/// An expectation as written.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) span: Range<usize>,
    pub(crate) what: ExpectedWhat,
}

#[derive(Debug, Clone)]
pub(crate) enum ExpectedWhat {
    Event(EventWords),
    Counter { kind: EventKind, phases: Option<Spanned<Option<Phases>>>, count: Condition },
    Reading { object: ObjectName, value: Option<Bounds>, flagged: Option<bool> },
    Snapshot { kind: EventKind, object: ObjectName, value: Bounds },
    Harmonic { words: String, spectrum: ObjectName, orders: (u16, u16), value: Option<Bounds>, angle: Option<Bounds> },
}

impl ExpectedWhat {
    /// It is read at the end of the stimulus, while that stands.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Reading { .. } | Self::Harmonic { .. })
    }
}

/// What rows of a log must say.
#[derive(Debug, Clone)]
pub(crate) struct EventWords {
    /// `None` for all that the step does not name.
    pub(crate) kind: Option<EventKind>,
    pub(crate) count: Condition,
    pub(crate) phases: Option<Spanned<Option<Phases>>>,
    pub(crate) extreme: Option<Bounds>,
    pub(crate) duration: Option<Bounds>,
    pub(crate) begin: Option<Bounds>,
}

pub(super) fn read(fields: &Fields<'_>, findings: &Findings) -> Option<Vec<Expected>> {
    let Some(node) = fields.get("expect") else {
        fields.missing("expect", "step `play`", findings);
        return None;
    };
    let label = "write `expect: [{ event: voltage-dip, count: 1 }]`";
    match &node.value {
        Value::List(items) if !items.is_empty() => {
            let read: Vec<Option<Expected>> = items.iter().map(|item| expectation(item, findings)).collect();
            read.into_iter().collect()
        }
        Value::List(_) => {
            findings.push(Finding::error("empty-list", &node.span, "`expect` is empty").label(label));
            None
        }
        _ => {
            let message = format!("`expect` is {}, expected a list", node.shown());
            findings.push(Finding::error("bad-value", &node.span, message).label(label));
            None
        }
    }
}

fn expectation(node: &Node, findings: &Findings) -> Option<Expected> {
    const WHAT: &str = "an expectation";
    let Value::Map(entries) = &node.value else {
        let message = format!("{WHAT} is {}, expected keys and values", node.shown());
        let finding = Finding::error("bad-value", &node.span, message);
        findings.push(finding.label("write `{ event: voltage-dip, count: 1 }`"));
        return None;
    };
    let named = entries
        .iter()
        .find_map(|(key, _)| Some((key, key.text()?)).filter(|(_, k)| OBSERVABLES.contains(k) || OBSERVED.contains(k)));
    let what = match named {
        Some((_, "event")) => event(node, findings),
        Some((_, "counter")) => counter(node, findings),
        Some((_, "reading")) => reading(node, findings),
        Some((_, "snapshot")) => snapshot(node, findings),
        Some((key, other)) => {
            let finding = Finding::error("reserved", &key.span, format!("step `play` does not observe `{other}`"));
            findings.push(finding.label(format!("it observes {}", OBSERVED.join(", "))));
            None
        }
        None => {
            let finding = Finding::error("missing-key", &node.span, format!("{WHAT} names nothing to observe"));
            findings.push(finding.label(format!("begin with one of {}", OBSERVED.join(", "))));
            None
        }
    }?;
    Some(Expected { span: node.span.clone(), what })
}

fn kind(text: &str, node: &Node, findings: &Findings) -> Option<EventKind> {
    let found = EventKind::parse(text);
    if found.is_none() {
        let words = EventKind::ALL.map(EventKind::word);
        let finding = Finding::error("unknown-word", &node.span, format!("`{text}` is no kind of event"));
        findings.push(match closest(text, words) {
            Some(close) => finding.label(format!("did you mean `{close}`?")),
            None => finding.label(format!("known: {}, {OTHER}", words.join(", "))),
        });
    }
    found
}

fn event(node: &Node, findings: &Findings) -> Option<ExpectedWhat> {
    const WHAT: &str = "an expected event";
    // Which keys there are depends on the kind.
    let every = EventKind::ALL.map(EventKind::extreme);
    let quiet = Findings::default();
    let peek = Fields::open(node, WHAT, &[], &quiet)?;
    let (text, name) = peek.required_text("event", WHAT, findings)?;
    let kind = if text == OTHER { None } else { Some(kind(text, name, findings)?) };
    let extreme_key = kind.map(EventKind::extreme);
    let keys: Vec<&str> = match extreme_key {
        Some(key) => vec!["event", "count", "phases", key, "duration", "begin"],
        None => vec!["event", "count"],
    };
    if let Value::Map(entries) = &node.value {
        let strange = entries.iter().find(|(key, _)| {
            key.text().is_some_and(|key| every.contains(&key) && extreme_key.is_some_and(|own| own != key))
        });
        if let (Some((key, _)), Some(own)) = (strange, extreme_key) {
            let message = format!("a row of `{text}` says `{own}`, not `{}`", key.text().unwrap_or_default());
            findings.push(Finding::error("unknown-key", &key.span, message).label(format!("write `{own}`")));
            return None;
        }
    }
    let fields = Fields::open(node, WHAT, &keys, findings)?;
    let count = match fields.get("count") {
        Some(node) => condition::count(node, "count", findings),
        None => Some(Condition { low: Some(1.0), high: None }),
    };
    let one = |key: &str, units: &[&str], example: &str| match fields.get(key) {
        None => Some(None),
        Some(node) => bounds::read(node, key, units, example, findings).map(Some),
    };
    let extreme = match (kind, extreme_key) {
        (Some(EventKind::Frequency), Some(key)) => one(key, &["Hz", "fn"], "49.4 Hz ± 10 mHz"),
        (Some(kind), Some(key)) if kind.is_voltage() => one(key, &["Un", "%"], "0.4 Un ± 0.2 %"),
        (Some(_), Some(key)) => one(key, &["%"], "3 % ± 0.15 %"),
        _ => Some(None),
    };
    if let (Some(count), Some(node)) = (&count, fields.get("count"))
        && count.high == Some(0.0)
        && let Some(other) = keys.iter().find(|key| !matches!(**key, "event" | "count") && fields.get(key).is_some())
    {
        let finding = Finding::error("bad-value", &node.span, format!("none is expected, and `{other}` is compared"));
        findings.push(finding.label(format!("remove `{other}`, or expect one")));
    }
    let duration = one("duration", &["ms"], "200 ms ± 20 ms");
    let begin = one("begin", &["ms"], "0 ms ± 100 ms");
    let phases = read_phases(&fields, findings);
    let (extreme, duration, begin, phases) = (extreme?, duration?, begin?, phases?);
    Some(ExpectedWhat::Event(EventWords { kind, count: count?, phases, extreme, duration, begin }))
}

fn counter(node: &Node, findings: &Findings) -> Option<ExpectedWhat> {
    const WHAT: &str = "an expected counter";
    let fields = Fields::open(node, WHAT, &["counter", "phases", "count"], findings)?;
    let name = fields.required_text("counter", WHAT, findings);
    let kind = name.and_then(|(text, node)| kind(text, node, findings));
    if fields.get("count").is_none() {
        fields.missing("count", WHAT, findings);
    }
    let count = fields.get("count").and_then(|node| condition::count(node, "count", findings));
    let phases = read_phases(&fields, findings)?;
    let kind = kind?;
    let by_phase = matches!(kind, EventKind::VoltageDip | EventKind::VoltageSwell);
    if let Some(phases) = phases.as_ref().filter(|_| !by_phase) {
        let message = format!("there is one counter of `{}` for all phases", kind.word());
        findings.push(Finding::error("bad-value", &phases.span, message).label("remove `phases`"));
        return None;
    }
    Some(ExpectedWhat::Counter { kind, phases, count: count? })
}

fn reading(node: &Node, findings: &Findings) -> Option<ExpectedWhat> {
    const WHAT: &str = "an expected reading";
    let quiet = Findings::default();
    let peek = Fields::open(node, WHAT, &[], &quiet)?;
    let (text, name) = peek.required_text("reading", WHAT, findings)?;
    if let Some((_, spectrum)) = HARMONICS.iter().find(|(known, _)| *known == text) {
        return harmonic(node, text, spectrum, findings);
    }
    let fields = Fields::open(node, WHAT, &["reading", "value", "flagged"], findings)?;
    let object = readable(text, name, findings);
    let flagged = fields.get("flagged").map(|_| fields.flag("flagged", findings));
    let value = match (fields.get("value"), flagged) {
        (None, Some(_)) => Some(None),
        _ => required(&fields, WHAT, &READABLE, "7.8 % ± 0.1 %", findings).map(Some),
    };
    check_unit(object.as_ref(), value.flatten(), &fields, findings);
    Some(ExpectedWhat::Reading { object: object?, value: value?, flagged })
}

/// `{ snapshot: voltage-dip, register: voltage-l1, value: 0.79 Un ± 1 % }`
fn snapshot(node: &Node, findings: &Findings) -> Option<ExpectedWhat> {
    const WHAT: &str = "an expected snapshot";
    let fields = Fields::open(node, WHAT, &["snapshot", "register", "value"], findings)?;
    let name = fields.required_text("snapshot", WHAT, findings);
    let kind = name.and_then(|(text, node)| kind(text, node, findings));
    let register = fields.required_text("register", WHAT, findings);
    let object = register.and_then(|(text, node)| readable(text, node, findings));
    let value = required(&fields, WHAT, &READABLE, "0.79 Un ± 1 %", findings);
    check_unit(object.as_ref(), value, &fields, findings);
    Some(ExpectedWhat::Snapshot { kind: kind?, object: object?, value: value? })
}

fn check_unit(object: Option<&ObjectName>, value: Option<Bounds>, fields: &Fields<'_>, findings: &Findings) {
    if let (Some(object), Some(bounds), Some(node)) = (object, value, fields.get("value")) {
        object.check_unit(bounds.unit, node, findings);
    }
}

/// A register by name, or by its code.
fn readable(text: &str, node: &Node, findings: &Findings) -> Option<ObjectName> {
    let found = object::read(text, node, &Findings::default());
    if let Some(object) = &found {
        object.check_number(node, findings);
    }
    if found.is_none() {
        let names = object::OBJECTS.iter().map(|(known, ..)| *known).chain(HARMONICS.map(|(known, _)| known));
        let finding = Finding::error("unknown-object", &node.span, format!("`{text}` is nothing that can be read"));
        findings.push(match closest(text, names) {
            Some(close) => finding.label(format!("did you mean `{close}`?")),
            None => finding.label("`meterbench list objects` names them; or write an OBIS code"),
        });
    }
    found
}

fn harmonic(node: &Node, text: &str, spectrum: &str, findings: &Findings) -> Option<ExpectedWhat> {
    const WHAT: &str = "an expected harmonic";
    const HIGHEST: u16 = 50;
    let fields = Fields::open(node, WHAT, &["reading", "order", "value", "angle"], findings)?;
    let orders = match fields.get("order") {
        None => {
            fields.missing("order", WHAT, findings);
            None
        }
        Some(node) => {
            let orders = orders_of(node).filter(|(first, last)| *first >= 2 && *last <= HIGHEST);
            if orders.is_none() {
                let finding = Finding::error("out-of-range", &node.span, format!("{} is no order", node.shown()));
                findings.push(finding.label(format!("write `5` or `2 to {HIGHEST}`")));
            }
            orders
        }
    };
    let angle = match fields.get("angle") {
        None => Some(None),
        Some(node) => bounds::read(node, "angle", &["deg"], "180 deg ± 2 deg", findings).map(Some),
    };
    let value = match (fields.get("value"), &angle) {
        (None, Some(Some(_))) => Some(None),
        _ => required(&fields, WHAT, &["%", "V", "A"], "6 % ± 0.05 %", findings).map(Some),
    };
    let object = object::read(spectrum, node, findings);
    let (orders, value, angle) = (orders?, value?, angle?);
    Some(ExpectedWhat::Harmonic { words: text.to_owned(), spectrum: object?, orders, value, angle })
}

fn required(fields: &Fields<'_>, what: &str, units: &[&str], example: &str, findings: &Findings) -> Option<Bounds> {
    let Some(node) = fields.get("value") else {
        fields.missing("value", what, findings);
        return None;
    };
    bounds::read(node, "value", units, example, findings)
}
