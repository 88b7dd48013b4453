//! Steps of a plan, as written: words and quantities, not yet numbers of a meter.

use std::ops::Range;

use meterbench_record::{Direction, EnergyKind, Phases, PowerFactor, Switched};
use meterbench_standards::Influence;

use crate::condition::{self, Condition};
use crate::fields::{Fields, Findings};
use crate::finding::{Finding, closest};
use crate::port_test::PortTest;
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{Node, Value};

/// Steps of this version, with a line each for `list steps`.
pub const STEPS: [(&str, &str); 29] = [
    ("warm-up", "apply a load and wait: for, voltage, current"),
    ("accuracy", "percentage error at load points: at, readings, limit, sweep; without `at` the standard's own points"),
    (
        "influence",
        "shift of the error by an influence quantity or a wave: vary, at, readings, limit, soak (temperature), for (fast-load-variation)",
    ),
    ("self-heating", "shift of the error by the meter's own loss at Imax: at, limit"),
    ("composite-error", "intrinsic error and shifts together, against the MPE of every range of temperature"),
    ("repeatability", "standard deviation of successive readings: at, readings, limit"),
    ("starting", "the meter starts at Ist and goes on: direction"),
    ("no-load", "no impulses without current: voltage"),
    ("meter-constant", "impulses against the register (dial test): at"),
    ("pulse-output", "time on and off of the pulses on S0, and as many as on the LED and in the register: at"),
    ("interrupt", "voltage dips and interruptions without current: to, for, times; alone: the standard's own"),
    (
        "play",
        "a stimulus, and what the meters say of it: dip, swell, interruption, step, wave, unbalance, grid, frequency, ramp, course, for, after, aligned, port, expect",
    ),
    ("flash", "put firmware into the meters over their probes: image, log"),
    ("apply", "apply a load point and leave it on: voltage, current, power-factor, frequency, phases, direction"),
    ("wait", "let bench time pass: for, expect"),
    ("register-test", "energy registers, read over the optical port, against the reference: at, limit"),
    ("read", "read registers and data over a port: port, as, expect"),
    ("write", "write an attribute over a port: port, as, object, attribute, value, expect"),
    ("act", "call a method over a port: port, as, object, method, parameter, expect"),
    ("access-rights", "every role, object, attribute and method against a table of rights: port, rules"),
    ("wrong-key", "keys that are wrong by one bit are refused, and logged: port, as"),
    ("replay", "what was heard before is refused, also after a power cut: port, as, off"),
    ("downgrade", "less protection than the role needs is refused: port, as"),
    ("association-limits", "one association after the other, and none: port, as, times"),
    ("hdlc-link", "the rules of the link on the optical port: window, lengths, damaged frames"),
    ("clock", "set the clock, and compare it later: port, set, for, limit, daylight-saving"),
    ("load-profile", "rows of the load profile after a time at the load that stands: port, as, for, blocks"),
    ("prompt", "ask the operator: text"),
    ("group", "steps under one name: name, steps"),
];

/// Words that will be steps; no plan can use them for anything else.
pub const RESERVED_STEPS: [&str; 2] = ["switch", "press"];

mod play;
mod port;
mod vary;

pub(crate) use play::{Event, EventWords, Expected, ExpectedWhat, Play, Point, Shape, Wave};

/// Load points in words: lists multiply, last key fastest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) span: Range<usize>,
    pub(crate) voltage: Vec<Spanned<Amount>>,
    pub(crate) current: Vec<Spanned<Amount>>,
    pub(crate) power_factor: Vec<Spanned<PowerFactor>>,
    pub(crate) frequency: Vec<Spanned<Amount>>,
    /// `None` in the list stands for `all`.
    pub(crate) phases: Vec<Spanned<Option<Phases>>>,
    pub(crate) direction: Vec<Spanned<Direction>>,
    pub(crate) energy: Vec<Spanned<EnergyKind>>,
}

/// `vary:` of an influence step.
#[derive(Debug, Clone)]
pub(crate) struct Vary {
    pub(crate) span: Range<usize>,
    pub(crate) influence: Influence,
    /// Empty for the standard's own values.
    pub(crate) values: Vec<Spanned<Varied>>,
}

/// One value of an influence quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Varied {
    Amount(Amount),
    Phases(Phases),
    Reversed,
    /// This wave in place of sines.
    Wave(Influence),
    /// The current on and off.
    Switched(Switched),
}

/// A voltage dip as written; an interruption is a dip to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Dip {
    pub(crate) to: Option<Spanned<Amount>>,
    pub(crate) seconds: f64,
    pub(crate) times: u64,
}

/// A value, its bytes and its words.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
    pub(crate) words: String,
}

/// `limit:` of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum StepLimit {
    /// Symmetric [%].
    Percent(f64),
    /// Measured and shown, not judged.
    None,
}

/// A step as written.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) span: Range<usize>,
    pub(crate) word: &'static str,
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) limit: Option<StepLimit>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    WarmUp {
        load: Block,
        seconds: f64,
    },
    Accuracy {
        at: Option<Vec<Block>>,
        readings: u64,
        both_ways: bool,
    },
    Influence {
        vary: Vary,
        at: Option<Vec<Block>>,
        readings: u64,
        soak_seconds: Option<f64>,
        /// How long a current is switched on and off.
        switched_seconds: Option<f64>,
    },
    SelfHeating {
        at: Option<Vec<Block>>,
    },
    CompositeError,
    /// `None` for the standard's own.
    Interrupt {
        dip: Option<Dip>,
    },
    Repeatability {
        at: Option<Vec<Block>>,
        readings: u64,
    },
    Starting {
        directions: Vec<Direction>,
    },
    NoLoad {
        voltages: Vec<Spanned<Amount>>,
    },
    MeterConstant {
        at: Option<Vec<Block>>,
    },
    PulseOutput {
        at: Option<Vec<Block>>,
    },
    RegisterTest {
        at: Option<Vec<Block>>,
    },
    Port(PortTest),
    Play(Box<Play>),
    Flash {
        image: Spanned<String>,
        log_seconds: f64,
    },
    Apply {
        load: Block,
    },
    Wait {
        seconds: f64,
        expect: Vec<CountExpectation>,
    },
    Prompt {
        text: String,
    },
    Group {
        steps: Vec<Step>,
    },
}

/// `expect: [{ impulses: led, count: ... }]`.
#[derive(Debug, Clone)]
pub(crate) struct CountExpectation {
    pub(crate) count: Condition,
}

const LOAD_KEYS: [&str; 8] =
    ["voltage", "current", "power-factor", "frequency", "phases", "direction", "energy", "temperature"];
/// Deepest nesting of groups.
const DEEPEST_GROUP: u32 = 4;

/// Reads the list under `steps`.
pub(crate) fn read_steps(node: &Node, findings: &Findings, depth: u32) -> Vec<Step> {
    let Value::List(items) = &node.value else {
        let message = format!("`steps` is {}, expected a list", node.shown());
        findings.push(Finding::error("bad-value", &node.span, message).label("begin each step with `- `"));
        return Vec::new();
    };
    if items.is_empty() {
        findings.push(
            Finding::error("no-steps", &node.span, "the plan has no steps").label("add a step, such as `- no-load`"),
        );
    }
    items.iter().filter_map(|item| read_step(item, findings, depth)).collect()
}

/// A bare word, or a map with exactly one key.
fn read_step(node: &Node, findings: &Findings, depth: u32) -> Option<Step> {
    let (word, word_span, body) = match &node.value {
        Value::Text(word) => (word.as_str(), &node.span, None),
        Value::Map(entries) => match entries.as_slice() {
            [(key, body)] => (key.text().unwrap_or_default(), &key.span, Some(body)),
            [(first, _), (second, _), ..] => {
                let message = "a step has exactly one key, its name; two stand here";
                let help = format!(
                    "indent `{}` below `{}`, or begin a step of its own with `- `",
                    second.text().unwrap_or("it"),
                    first.text().unwrap_or("the step")
                );
                findings.push(Finding::error("two-steps", &second.span, message).label("a second key").help(help));
                return None;
            }
            [] => {
                findings.push(
                    Finding::error("empty-step", &node.span, "a step without a name")
                        .label("write a step name, such as `- no-load`"),
                );
                return None;
            }
        },
        _ => {
            let message = format!("a step is {}, expected a step name", node.shown());
            findings.push(
                Finding::error("unknown-step", &node.span, message).label("write a step name, such as `- no-load`"),
            );
            return None;
        }
    };
    let Some(&(word, _)) = STEPS.iter().find(|(known, _)| *known == word) else {
        findings.push(unknown_step(word, word_span));
        return None;
    };
    if let Some(Node { value: Value::Null, span }) = body {
        findings.push(
            Finding::error("empty-step", span, format!("step `{word}` has nothing after its colon"))
                .label(format!("write `- {word}` without a colon, or `- {word}: {{ ... }}`")),
        );
        return None;
    }
    StepReader { word, span: word_span.clone(), findings, depth }.read(body)
}

fn unknown_step(word: &str, span: &Range<usize>) -> Finding {
    if RESERVED_STEPS.contains(&word) {
        return Finding::error("reserved", span, format!("step `{word}` is reserved, not available in this version"))
            .label("remove it");
    }
    let finding = Finding::error("unknown-step", span, format!("`{word}` is not a step"));
    match closest(word, STEPS.iter().map(|(known, _)| *known)) {
        Some(close) => finding.label(format!("did you mean `{close}`?")),
        None => finding.label("`meterbench list steps` names them all"),
    }
}

struct StepReader<'a> {
    word: &'static str,
    span: Range<usize>,
    findings: &'a Findings,
    depth: u32,
}

impl StepReader<'_> {
    /// Keys of this step beside `name` and `id`.
    fn keys(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.word {
            "warm-up" => &["for", "voltage", "current", "power-factor", "frequency", "phases", "direction"],
            "accuracy" => &["at", "readings", "limit", "sweep"],
            "influence" => &["vary", "at", "readings", "limit", "soak", "for"],
            "repeatability" => &["at", "readings", "limit"],
            "self-heating" => &["at", "limit"],
            "composite-error" => &[],
            "interrupt" => &["to", "for", "times"],
            "pulse-output" => &["at"],
            "starting" => &["direction"],
            "no-load" => &["voltage"],
            "meter-constant" | "register-test" => &["at", "limit"],
            "play" => &play::KEYS,
            "flash" => &["image", "log"],
            "apply" => &LOAD_KEYS,
            "wait" => &["for", "expect"],
            "prompt" => &["text"],
            "group" => &["steps"],
            other => port::keys(other).unwrap_or_default(),
        };
        ["name", "id"].into_iter().chain(own.iter().copied()).collect()
    }

    fn read(&self, body: Option<&Node>) -> Option<Step> {
        let what = format!("step `{}`", self.word);
        let fields = match body {
            Some(node) => Fields::open(node, &what, &self.keys(), self.findings)?,
            None => Fields::none(&self.span),
        };
        let findings = self.findings;
        let name = fields.text("name", findings).map(|(name, _)| name.to_owned());
        let id = fields.text("id", findings).and_then(|(id, node)| {
            let sound = id == meterbench_record::slug(id) && !id.is_empty();
            if !sound {
                let message = format!("`{id}` is no identifier");
                let label = format!("lower case words and dashes: `{}`", meterbench_record::slug(id));
                findings.push(Finding::error("bad-value", &node.span, message).label(label));
            }
            sound.then(|| id.to_owned())
        });
        // That of a clock is a time.
        let limit = fields.get("limit").filter(|_| self.word != "clock").and_then(|node| read_limit(node, findings));
        let body = self.body(&fields)?;
        let name = name.unwrap_or_else(|| default_name(self.word));
        Some(Step { span: self.span.clone(), word: self.word, name, id, limit, body })
    }

    fn body(&self, fields: &Fields<'_>) -> Option<Body> {
        let findings = self.findings;
        Some(match self.word {
            "warm-up" => Body::WarmUp { load: read_block(fields, findings), seconds: self.duration(fields)? },
            // Three readings show the scatter of the meter; one leaves it out of the uncertainty.
            "accuracy" => {
                let both_ways = match fields.text("sweep", findings) {
                    None | Some(("rising", _)) => false,
                    Some(("rising-and-falling", _)) => true,
                    Some((other, node)) => {
                        let message = format!("`{other}` is no order of currents");
                        let finding = Finding::error("unknown-word", &node.span, message);
                        findings.push(finding.label("write `rising` or `rising-and-falling`"));
                        return None;
                    }
                };
                Body::Accuracy { at: self.at(fields)?, readings: self.readings(fields, 3)?, both_ways }
            }
            "influence" => {
                let Some(node) = fields.get("vary") else {
                    fields.missing("vary", "step `influence`", findings);
                    return None;
                };
                let vary = vary::read(node, findings)?;
                let soak_seconds = match fields.get("soak") {
                    None => None,
                    Some(node) if vary.influence != Influence::Temperature => {
                        let finding = Finding::error("bad-value", &node.span, "only a temperature needs a soak");
                        findings.push(finding.label("remove it"));
                        return None;
                    }
                    Some(node) => Some(quantity::absolute(node, "soak", Dimension::Time, 0.0..=1e5, findings)?),
                };
                let switched_seconds = match fields.get("for") {
                    None => None,
                    Some(node) if vary.influence != Influence::FastLoadVariation => {
                        let finding =
                            Finding::error("bad-value", &node.span, "only `fast-load-variation` lasts for a time");
                        findings.push(finding.label("remove it"));
                        return None;
                    }
                    Some(node) => Some(quantity::absolute(node, "for", Dimension::Time, 60.0..=1e5, findings)?),
                };
                let (at, readings) = (self.at(fields)?, self.readings(fields, 3)?);
                Body::Influence { vary, at, readings, soak_seconds, switched_seconds }
            }
            "self-heating" => Body::SelfHeating { at: self.at(fields)? },
            "composite-error" => Body::CompositeError,
            "interrupt" => {
                let given = ["to", "for", "times"].iter().any(|key| fields.get(key).is_some());
                Body::Interrupt { dip: if given { Some(self.dip(fields)?) } else { None } }
            }

            "repeatability" => Body::Repeatability { at: self.at(fields)?, readings: self.readings(fields, 5)? },
            "starting" => {
                let directions = fields.get("direction").map(|node| list(node, findings, |n| direction(n, findings)));
                let directions = directions.map(|all| all.into_iter().map(|d| d.value).collect());
                Body::Starting { directions: directions.unwrap_or_else(|| vec![Direction::Import]) }
            }
            "no-load" => Body::NoLoad { voltages: amounts(fields, "voltage", Dimension::Voltage, findings) },
            "meter-constant" => Body::MeterConstant { at: self.at(fields)? },
            "pulse-output" => Body::PulseOutput { at: self.at(fields)? },
            "register-test" => Body::RegisterTest { at: self.at(fields)? },
            "play" => Body::Play(Box::new(play::read(fields, findings)?)),
            "flash" => self.flash(fields)?,
            "apply" => Body::Apply { load: read_block(fields, findings) },
            "wait" => Body::Wait { seconds: self.duration(fields)?, expect: read_expect(fields, findings) },
            "prompt" => Body::Prompt { text: fields.required_text("text", "step `prompt`", findings)?.0.to_owned() },
            "group" => Body::Group { steps: self.group(fields)? },
            word => Body::Port(port::read(word, fields, findings)?),
        })
    }

    fn duration(&self, fields: &Fields<'_>) -> Option<f64> {
        let Some(node) = fields.get("for") else {
            fields.missing("for", &format!("step `{}`", self.word), self.findings);
            return None;
        };
        quantity::absolute(node, "for", Dimension::Time, 0.0..=3.6e6, self.findings)
    }

    fn flash(&self, fields: &Fields<'_>) -> Option<Body> {
        let (image, node) = fields.required_text("image", "step `flash`", self.findings)?;
        let image = Spanned { value: image.to_owned(), span: node.span.clone(), words: image.to_owned() };
        let log_seconds = match fields.get("log") {
            None => 0.0,
            Some(node) => quantity::absolute(node, "log", Dimension::Time, 0.0..=3600.0, self.findings)?,
        };
        Some(Body::Flash { image, log_seconds })
    }

    fn readings(&self, fields: &Fields<'_>, default: u64) -> Option<u64> {
        let least = if self.word == "repeatability" { 2 } else { 1 };
        match fields.get("readings") {
            None => Some(default),
            Some(_) => fields.whole("readings", least, 100, self.findings),
        }
    }

    fn dip(&self, fields: &Fields<'_>) -> Option<Dip> {
        let to = amounts(fields, "to", Dimension::Voltage, self.findings).into_iter().next();
        let times = match fields.get("times") {
            None => 1,
            Some(_) => fields.whole("times", 1, 1000, self.findings)?,
        };
        let Some(node) = fields.get("for") else {
            fields.missing("for", "step `interrupt`", self.findings);
            return None;
        };
        let seconds = quantity::absolute(node, "for", Dimension::Time, 1e-3..=3600.0, self.findings)?;
        Some(Dip { to, seconds, times })
    }

    /// The outer `None` means a mistake, the inner that there is no `at`.
    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn at(&self, fields: &Fields<'_>) -> Option<Option<Vec<Block>>> {
        let Some(node) = fields.get("at") else { return Some(None) };
        let Value::List(blocks) = &node.value else {
            let message = format!("`at` is {}, expected a list of load points", node.shown());
            let label = "write `at:` and below it `- { current: Itr }`";
            self.findings.push(Finding::error("bad-value", &node.span, message).label(label));
            return None;
        };
        if blocks.is_empty() {
            let finding = Finding::error("no-points", &node.span, "`at` names no load point");
            self.findings.push(finding.label("remove `at` for the standard's own points"));
            return None;
        }
        let read = |node| {
            let fields = Fields::open(node, "a load point", &LOAD_KEYS, self.findings)?;
            Some(read_block(&fields, self.findings))
        };
        blocks.iter().map(read).collect::<Option<Vec<_>>>().map(Some)
    }

    fn group(&self, fields: &Fields<'_>) -> Option<Vec<Step>> {
        let Some(node) = fields.get("steps") else {
            fields.missing("steps", "step `group`", self.findings);
            return None;
        };
        if self.depth >= DEEPEST_GROUP {
            let message = format!("groups stand at most {DEEPEST_GROUP} deep");
            self.findings.push(Finding::error("too-deep", &self.span, message).label("move it up"));
            return None;
        }
        Some(read_steps(node, self.findings, self.depth + 1))
    }
}

fn default_name(word: &str) -> String {
    let spaced = word.replace('-', " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn read_limit(node: &Node, findings: &Findings) -> Option<StepLimit> {
    if node.text() == Some("none") {
        return Some(StepLimit::None);
    }
    quantity::absolute(node, "limit", Dimension::Ratio, 1e-4..=100.0, findings).map(StepLimit::Percent)
}

/// Reads every element that reads.
fn list<T>(node: &Node, findings: &Findings, read: impl Fn(&Node) -> Option<T>) -> Vec<Spanned<T>> {
    if node.alternatives().is_empty() {
        findings.push(Finding::error("empty-list", &node.span, "an empty list names nothing").label("write a value"));
    }
    let words = |node: &Node| match &node.value {
        Value::Text(text) => text.clone(),
        Value::Number(n) => n.to_string(),
        _ => String::new(),
    };
    let spanned = |node: &Node| read(node).map(|value| Spanned { value, span: node.span.clone(), words: words(node) });
    node.alternatives().iter().filter_map(spanned).collect()
}

fn amounts(fields: &Fields<'_>, key: &str, dimension: Dimension, findings: &Findings) -> Vec<Spanned<Amount>> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    list(node, findings, |n| {
        quantity::read(n, key, dimension, findings).filter(|amount| positive(*amount, n, key, findings))
    })
}

fn positive(amount: Amount, node: &Node, key: &str, findings: &Findings) -> bool {
    let (Amount::Absolute(value) | Amount::Nominal(value) | Amount::Current(value, _)) = amount;
    if value >= 0.0 {
        return true;
    }
    let message = format!("`{key}` is {}, which is below zero", node.shown());
    let label = if key == "current" { "for export write `direction: export`" } else { "write a value from zero up" };
    findings.push(Finding::error("out-of-range", &node.span, message).label(label));
    false
}

/// Reads the closed set of load-point keys.
fn read_block(fields: &Fields<'_>, findings: &Findings) -> Block {
    let get = |key: &str| fields.get(key);
    for node in get("temperature").map_or(&[][..], Node::alternatives) {
        if node.text() != Some("23 °C") {
            let words = node.text().unwrap_or("...");
            let message = format!("`temperature: {words}` away from 23 °C is an influence");
            let finding = Finding::error("reserved", &node.span, message);
            findings.push(finding.label(format!("write a step `influence: {{ vary: {{ temperature: {words} }} }}`")));
        }
    }
    Block {
        span: fields.span.clone(),
        voltage: amounts(fields, "voltage", Dimension::Voltage, findings),
        current: amounts(fields, "current", Dimension::Current, findings),
        power_factor: get("power-factor")
            .map(|node| list(node, findings, |n| quantity::power_factor(n, findings)))
            .unwrap_or_default(),
        frequency: amounts(fields, "frequency", Dimension::Frequency, findings),
        phases: get("phases").map(|node| list(node, findings, |n| phases(n, IN_TURN, findings))).unwrap_or_default(),
        direction: get("direction").map(|node| list(node, findings, |n| direction(n, findings))).unwrap_or_default(),
        energy: get("energy").map(|node| list(node, findings, |n| energy(n, findings))).unwrap_or_default(),
    }
}

/// Beside phases that a list takes one after another.
const IN_TURN: &str = "write `L1`, `L1+L2` or `all`; `[L1, L2, L3]` means one after another";

#[expect(clippy::option_option, reason = "a mistake and `all` are two things")]
fn phases(node: &Node, label: &str, findings: &Findings) -> Option<Option<Phases>> {
    let text = node.text().unwrap_or_default();
    if text == "all" {
        return Some(None);
    }
    let mut on = [false; 3];
    let sound = !text.is_empty()
        && text.split('+').all(|name| match ["L1", "L2", "L3"].iter().position(|known| *known == name) {
            Some(n) => !std::mem::replace(&mut on[n], true),
            None => false,
        });
    let parsed = Phases::new(on).filter(|_| sound);
    if parsed.is_none() {
        let message = format!("{} names no phases", node.shown());
        findings.push(Finding::error("bad-value", &node.span, message).label(label));
    }
    parsed.map(Some)
}

fn direction(node: &Node, findings: &Findings) -> Option<Direction> {
    match node.text() {
        Some("import") => Some(Direction::Import),
        Some("export") => Some(Direction::Export),
        _ => {
            let message = format!("{} is no direction", node.shown());
            findings.push(Finding::error("bad-value", &node.span, message).label("write `import` or `export`"));
            None
        }
    }
}

fn energy(node: &Node, findings: &Findings) -> Option<EnergyKind> {
    match node.text() {
        Some("active") => Some(EnergyKind::Active),
        Some("reactive") => Some(EnergyKind::Reactive),
        _ => {
            let message = format!("{} is no kind of energy", node.shown());
            findings.push(Finding::error("bad-value", &node.span, message).label("write `active` or `reactive`"));
            None
        }
    }
}

pub(crate) const OBSERVABLES: [&str; 10] =
    ["impulses", "contact", "led", "event", "counter", "message", "register", "reading", "access", "display"];

fn read_expect(fields: &Fields<'_>, findings: &Findings) -> Vec<CountExpectation> {
    let Some(node) = fields.get("expect") else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("`expect` is {}, expected a list", node.shown());
        let label = "write `expect: [{ impulses: led, count: at most 1 }]`";
        findings.push(Finding::error("bad-value", &node.span, message).label(label));
        return Vec::new();
    };
    if let Some(second) = items.get(1) {
        let message = "one wait expects one count of impulses";
        findings.push(Finding::error("bad-value", &second.span, message).label("put it into a step of its own"));
    }
    items.iter().filter_map(|item| read_expectation(item, findings)).collect()
}

fn read_expectation(node: &Node, findings: &Findings) -> Option<CountExpectation> {
    if let Value::Map(entries) = &node.value {
        let later = entries
            .iter()
            .find(|(key, _)| key.text().is_some_and(|word| OBSERVABLES.contains(&word) && word != "impulses"));
        if let Some((key, _)) = later {
            let message =
                format!("observable `{}` is reserved, not available in this version", key.text().unwrap_or(""));
            findings.push(Finding::error("reserved", &key.span, message).label("this version observes `impulses`"));
            return None;
        }
    }
    let fields = Fields::open(node, "an expectation", &["impulses", "count"], findings)?;
    let (output, output_node) = fields.required_text("impulses", "an expectation", findings)?;
    if output != "led" {
        let message = format!("`{output}` is no output that gives impulses");
        findings.push(Finding::error("bad-value", &output_node.span, message).label("write `impulses: led`"));
        return None;
    }
    let Some(count) = fields.get("count") else {
        fields.missing("count", "an expectation of impulses", findings);
        return None;
    };
    Some(CountExpectation { count: condition::count(count, "count", findings)? })
}
