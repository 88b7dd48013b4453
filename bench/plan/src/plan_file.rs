//! A plan as written.

use std::ops::Range;

use meterbench_record::{Class, Feature, Nameplate};
use meterbench_standards::{DecisionRule, Standard};

use crate::fields::{Fields, Findings, check_format, finish};
use crate::finding::{Finding, Source, closest};
use crate::quantity::{self, Dimension};
use crate::step::{Body, Step, read_steps};
use crate::yaml::{self, Node};

/// What a plan asks of a meter: a requirement, never a choice.
#[derive(Debug, Clone, Default)]
pub struct Requirement {
    pub class: Option<(Class, Range<usize>)>,
    pub reactive_class: Option<(Class, Range<usize>)>,
    pub phases: Option<(u8, Range<usize>)>,
    /// Maximum current (A).
    pub imax: Option<(f64, Range<usize>)>,
    pub has: Vec<Feature>,
    pub(crate) span: Range<usize>,
}

/// A plan, lowered and not yet resolved against a meter.
#[derive(Debug, Clone)]
pub struct PlanFile {
    pub title: String,
    pub standard: Option<&'static Standard>,
    pub decision_rule: DecisionRule,
    pub requirement: Requirement,
    pub(crate) standard_span: Range<usize>,
    pub(crate) steps: Vec<Step>,
}

const KEYS: [&str; 6] = ["plan", "format", "standard", "decision-rule", "meter", "steps"];

impl PlanFile {
    /// Reads a plan; all its mistakes at once.
    pub fn read(source: &Source) -> Result<Self, Vec<Finding>> {
        let mut parse_findings = Vec::new();
        let Some(root) = yaml::parse(source, &mut parse_findings) else { return Err(parse_findings) };
        let findings = Findings::default();
        let plan = Self::lower(&root, &findings);
        finish(plan, findings)
    }

    /// The plan is for meters with this nameplate.
    pub fn applies_to(&self, plate: &Nameplate) -> bool {
        let wanted = &self.requirement;
        wanted.class.as_ref().is_none_or(|(class, _)| *class == plate.class)
            && wanted.reactive_class.as_ref().is_none_or(|(class, _)| Some(*class) == plate.reactive_class)
            && wanted.phases.as_ref().is_none_or(|(phases, _)| *phases == plate.systems)
            && wanted.imax.as_ref().is_none_or(|(ampere, _)| same_current(*ampere, plate.imax_ampere))
            && wanted.has.iter().all(|feature| plate.has.contains(feature))
            && self.standard.is_none_or(|standard| standard.class_of(plate).is_ok())
    }

    /// It asks a source for other waves than steady sines.
    pub fn needs_waves(&self) -> bool {
        fn any(steps: &[Step]) -> bool {
            steps.iter().any(|step| match &step.body {
                Body::Influence { vary, .. } => vary.needs_waves(),
                Body::Play(_) => true,
                Body::Group { steps } => any(steps),
                _ => false,
            })
        }
        any(&self.steps)
    }

    fn lower(root: &Node, findings: &Findings) -> Option<Self> {
        let fields = Fields::open(root, "a plan", &KEYS, findings)?;
        check_format(&fields, findings);
        let title = fields.required_text("plan", "the file", findings).map(|(title, _)| title.to_owned());
        let standard =
            fields.text("standard", findings).map(|(text, node)| (find_standard(text, node, findings), node));
        let standard_span = standard.as_ref().map_or(fields.span.clone(), |(_, node)| node.span.clone());
        let decision_rule = fields.text("decision-rule", findings).and_then(|(text, node)| {
            let rule = DecisionRule::parse(text);
            if rule.is_none() {
                let names = DecisionRule::ALL.map(DecisionRule::name).join(", ");
                let message = format!("`{text}` is no decision rule");
                findings.push(Finding::error("unknown-word", &node.span, message).label(format!("known: {names}")));
            }
            rule
        });
        let requirement = fields.get("meter").and_then(|node| read_requirement(node, findings)).unwrap_or_default();
        let steps = match fields.get("steps") {
            Some(node) => read_steps(node, findings, 0),
            None => {
                fields.missing("steps", "the plan", findings);
                Vec::new()
            }
        };
        Some(Self {
            title: title?,
            standard: standard.and_then(|(found, _)| found),
            decision_rule: decision_rule.unwrap_or_default(),
            requirement,
            standard_span,
            steps,
        })
    }
}

fn find_standard(text: &str, node: &Node, findings: &Findings) -> Option<&'static Standard> {
    let found = Standard::find(text);
    if found.is_none() {
        let known: Vec<String> = Standard::all().iter().map(Standard::citation).collect();
        let finding = Finding::error("unknown-standard", &node.span, format!("no limits of `{text}` are known here"));
        let same_number = known.iter().find(|citation| citation.starts_with(text));
        findings.push(
            match same_number.map(String::as_str).or_else(|| closest(text, known.iter().map(String::as_str))) {
                Some(close) => finding.label(format!("did you mean `{close}`? The edition is part of the name")),
                None => finding.label(format!("known: {}", known.join(", "))),
            },
        );
    }
    found
}

fn read_requirement(node: &Node, findings: &Findings) -> Option<Requirement> {
    let keys = ["class", "reactive-class", "phases", "imax", "connection", "has"];
    let fields = Fields::open(node, "`meter`", &keys, findings)?;
    let class_of = |key| fields.get(key).and_then(|node| Some((read_class(node, findings)?, node.span.clone())));
    let (class, reactive_class) = (class_of("class"), class_of("reactive-class"));
    let phases = fields.get("phases").and_then(|_| fields.whole("phases", 1, 3, findings));
    if phases == Some(2) {
        let span = &fields.get("phases").map_or(fields.span.clone(), |n| n.span.clone());
        findings.push(Finding::error("out-of-range", span, "no meter has 2 phases").label("write 1 or 3"));
    }
    if let Some((connection, node)) = fields.text("connection", findings)
        && connection != "direct"
    {
        let message = format!("connection `{connection}` is reserved, not available in this version");
        findings.push(Finding::error("reserved", &node.span, message).label("this version tests `direct` meters"));
    }
    let imax = fields.get("imax").and_then(|node| {
        let ampere = quantity::absolute(node, "imax", Dimension::Current, 1.0..=1000.0, findings)?;
        Some((ampere, node.span.clone()))
    });
    let has = fields.get("has").map(|node| read_features(node, findings)).unwrap_or_default();
    let phases_span = fields.get("phases").map_or(fields.span.clone(), |node| node.span.clone());
    let phases = phases.and_then(|n| u8::try_from(n).ok()).map(|n| (n, phases_span));
    let has_span = fields.get("has").map_or(fields.span.clone(), |node| node.span.clone());
    Some(Requirement { class, reactive_class, phases, imax, has, span: has_span })
}

/// Currents of nameplates.
pub(crate) fn same_current(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs()
}

/// A class is a letter, or a digit with or without quotes.
pub(crate) fn read_class(node: &Node, findings: &Findings) -> Option<Class> {
    let text = match &node.value {
        yaml::Value::Number(n) => n.to_string(),
        yaml::Value::Text(text) => text.clone(),
        _ => String::new(),
    };
    let class = Class::parse(&text);
    if class.is_none() {
        let message = format!("{} is no accuracy class", node.shown());
        findings.push(Finding::error("unknown-word", &node.span, message).label("write A, B, C, 1 or 2"));
    }
    class
}

/// A list of feature words.
pub(crate) fn read_features(node: &Node, findings: &Findings) -> Vec<Feature> {
    let read = |node: &Node| {
        let feature = node.text().and_then(Feature::parse);
        if feature.is_none() {
            let names = Feature::ALL.map(Feature::name);
            let finding =
                Finding::error("unknown-word", &node.span, format!("{} is nothing a meter can have", node.shown()));
            findings.push(match closest(node.text().unwrap_or_default(), names) {
                Some(close) => finding.label(format!("did you mean `{close}`?")),
                None => finding.label(format!("known: {}", names.join(", "))),
            });
        }
        feature
    };
    node.alternatives().iter().filter_map(read).collect()
}
