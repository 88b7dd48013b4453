//! `play`: what the source puts out beside a steady sine, and what is expected of the meters.

use std::ops::Range;

use meterbench_record::Phases;
use meterbench_waveform::{Distortion, Transformer};

use super::{Spanned, amounts, phases};
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::port_test::Port;
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{Node, Value};

mod bounds;
mod expect;
mod wave;

pub(crate) use expect::{EventWords, Expected, ExpectedWhat};

/// Keys of the step beside `name` and `id`.
pub(super) const KEYS: [&str; 15] = [
    "dip",
    "swell",
    "interruption",
    "step",
    "wave",
    "unbalance",
    "grid",
    "frequency",
    "ramp",
    "course",
    "for",
    "after",
    "aligned",
    "port",
    "expect",
];
const EVENTS: [&str; 4] = ["dip", "swell", "interruption", "step"];
/// Keys that say what the voltages are; one of them at a time.
const VOLTAGES: [&str; 4] = ["unbalance", "grid", "ramp", "course"];

/// The step as written.
#[derive(Debug, Clone)]
pub(crate) struct Play {
    pub(crate) event: Option<Event>,
    pub(crate) wave: Option<Wave>,
    pub(crate) shape: Option<Shape>,
    pub(crate) frequency: Option<Spanned<Amount>>,
    /// Time that all of it stands (s); `None` where the events, or the course, say how long.
    pub(crate) seconds: Option<f64>,
    pub(crate) after_seconds: Option<f64>,
    pub(crate) aligned_seconds: Option<f64>,
    pub(crate) port: Port,
    pub(crate) expect: Vec<Expected>,
}

/// Events of a step whose rows are looked for: a step of the voltage leaves two, and a log of 64 rows must hold them all.
const MOST_LOGGED: u64 = 30;

/// Longest stimulus (s).
const LONGEST_SECONDS: f64 = 7.0 * 86_400.0;

/// A voltage event, some times.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) word: &'static str,
    pub(crate) span: Range<usize>,
    /// `None` for all.
    pub(crate) phases: Option<Spanned<Option<Phases>>>,
    pub(crate) to: Option<Spanned<Amount>>,
    pub(crate) seconds: f64,
    pub(crate) point_on_wave_deg: f64,
    pub(crate) phase_jump_deg: f64,
    pub(crate) times: u64,
    pub(crate) every_seconds: Option<f64>,
}

/// Distortions of the voltages and the currents of some phases.
#[derive(Debug, Clone)]
pub(crate) struct Wave {
    pub(crate) span: Range<usize>,
    pub(crate) voltage: Distortion,
    pub(crate) current: Distortion,
    pub(crate) phases: Option<Spanned<Option<Phases>>>,
}

/// What the voltages are.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Unbalanced {
        span: Range<usize>,
        negative: (f64, f64),
        zero: (f64, f64),
    },
    LostNeutral {
        span: Range<usize>,
        admittances: [f64; 3],
        neutral: f64,
    },
    LostMvPhase {
        span: Range<usize>,
        phase: usize,
        transformer: Transformer,
        u2_percent: f64,
    },
    /// And back to the load, where a time is given.
    Ramp {
        target: Point,
        over_seconds: f64,
        back_seconds: Option<f64>,
    },
    Course(Vec<(Point, f64)>),
}

/// Voltages and a frequency in the place of those of the load.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) voltage: Option<Spanned<Amount>>,
    pub(crate) phases: Option<Spanned<Option<Phases>>>,
    pub(crate) phase_jump_deg: f64,
    pub(crate) frequency: Option<Spanned<Amount>>,
}

pub(super) fn read(fields: &Fields<'_>, findings: &Findings) -> Option<Play> {
    let reader = Reader { fields, findings };
    let shape = reader.shape();
    let event = reader.event();
    let wave = fields.get("wave").map(|node| wave::read(node, findings));
    let frequency = amounts(fields, "frequency", Dimension::Frequency, findings);
    reader.check_single(&frequency, "frequency");
    let seconds = reader.time(fields, "for", 0.1..=LONGEST_SECONDS);
    let after_seconds = reader.time(fields, "after", 0.0..=LONGEST_SECONDS);
    let aligned_seconds = reader.time(fields, "aligned", 1.0..=7200.0);
    let port = reader.port();
    let expect = expect::read(fields, findings);
    reader.check_combination();
    if let (Some(Some(event)), Some(expect)) = (&event, &expect) {
        let logged = expect.iter().any(|expected| matches!(expected.what, ExpectedWhat::Event(_)));
        if logged && event.times > MOST_LOGGED {
            let message =
                format!("{} events do not fit into the log of a meter, which keeps its newest rows", event.times);
            let finding = Finding::error("out-of-range", &event.span, message);
            findings.push(finding.label(format!("play at most {MOST_LOGGED}, or expect their `counter` alone")));
        }
    }
    if let (Some(Some(Shape::Ramp { back_seconds: Some(_), .. })), Some(expect)) = (&shape, &expect) {
        for expected in expect.iter().filter(|expected| expected.what.is_read()) {
            let finding =
                Finding::error("bad-value", &expected.span, "this is read at the end, when the ramp is `back`");
            findings.push(finding.label("read it in a step without `back`"));
        }
    }
    Some(Play {
        event: event?,
        wave: match wave {
            None => None,
            Some(wave) => Some(wave?),
        },
        shape: shape?,
        frequency: frequency.into_iter().next(),
        seconds,
        after_seconds,
        aligned_seconds,
        port: port?,
        expect: expect?,
    })
}

struct Reader<'a> {
    fields: &'a Fields<'a>,
    findings: &'a Findings,
}

impl Reader<'_> {
    fn given<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        keys.iter().copied().filter(|key| self.fields.get(key).is_some()).collect()
    }

    /// Something is played, one event, one shape, and for some time.
    fn check_combination(&self) {
        let (events, shapes) = (self.given(&EVENTS), self.given(&VOLTAGES));
        for (given, what) in [(&events, "event"), (&shapes, "shape of the voltages")] {
            if let [first, second, ..] = given[..] {
                let span = self.fields.get(second).map_or(self.fields.span.clone(), |node| node.span.clone());
                let message = format!("one {what} is played in a step; `{first}` stands here already");
                let finding = Finding::error("bad-value", &span, message);
                self.findings.push(finding.label(format!("put `{second}` into a step of its own")));
            }
        }
        let stands = self.given(&["wave", "frequency"]);
        if events.is_empty() && shapes.is_empty() && stands.is_empty() {
            let played = [&EVENTS[..], &["wave", "frequency"], &VOLTAGES].concat().join(", ");
            let finding = Finding::error("missing-key", &self.fields.span, "step `play` plays nothing");
            self.findings.push(finding.label(format!("add one of {played}")));
        }
        let course = shapes.first() == Some(&"course");
        let moving = course || shapes.first() == Some(&"ramp");
        if moving && let Some(event) = events.first() {
            let span = self.fields.get(event).map_or(self.fields.span.clone(), |node| node.span.clone());
            let finding = Finding::error("bad-value", &span, format!("a `{event}` is played on what stands"));
            self.findings.push(finding.label("put it into a step of its own, or into the `course`"));
        }
        let need_time = !course && (!shapes.is_empty() || !stands.is_empty());
        if need_time && self.fields.get("for").is_none() {
            self.fields.missing("for", "step `play`", self.findings);
        }
        if let Some(node) = self.fields.get("for").filter(|_| course || !need_time) {
            let by = if course { "every point of the course" } else { "the event" };
            let finding = Finding::error("bad-value", &node.span, format!("{by} says itself how long it lasts"));
            self.findings.push(finding.label("remove this `for`"));
        }
    }

    /// The outer `None` means a mistake, as everywhere below.
    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn event(&self) -> Option<Option<Event>> {
        let Some(word) = self.given(&EVENTS).first().copied() else { return Some(None) };
        let node = self.fields.get(word)?;
        let keys = ["phases", "to", "for", "point-on-wave", "phase-jump", "times", "every"];
        let what = format!("`{word}`");
        let fields = Fields::open(node, &what, &keys, self.findings)?;
        let to = amounts(&fields, "to", Dimension::Voltage, self.findings);
        self.check_single(&to, "to");
        for key in ["to", "for"] {
            // An interruption leaves nothing.
            if fields.get(key).is_none() && (key, word) != ("to", "interruption") {
                fields.missing(key, &what, self.findings);
            }
        }
        let seconds = self.time(&fields, "for", 0.005..=86_400.0);
        let times = match fields.get("times") {
            None => Some(1),
            Some(_) => fields.whole("times", 1, 1000, self.findings),
        };
        let every_seconds = self.time(&fields, "every", 0.02..=86_400.0);
        if let (Some(node), Some(every), Some(seconds)) = (fields.get("every"), every_seconds, seconds)
            && every <= seconds
        {
            let message = format!("an event of {seconds} s every {every} s never ends");
            let finding = Finding::error("out-of-range", &node.span, message);
            self.findings.push(finding.label("from one begin to the next: more than `for`"));
        }
        if let (Some(node), Some(every), Some(times)) = (fields.get("every"), every_seconds, times)
            && times as f64 * every > LONGEST_SECONDS
        {
            let message = format!("{times} events every {every} s take {:.0} days", times as f64 * every / 86_400.0);
            let finding = Finding::error("out-of-range", &node.span, message);
            self.findings.push(finding.label(format!("{:.0} days at most", LONGEST_SECONDS / 86_400.0)));
        }
        let degrees = |key: &str, bounds: std::ops::RangeInclusive<f64>| match fields.get(key) {
            None => Some(0.0),
            Some(node) => angle(node, key, bounds, self.findings),
        };
        let (point_on_wave, phase_jump) =
            (degrees("point-on-wave", 0.0..=360.0), degrees("phase-jump", -180.0..=180.0));
        let phases = read_phases(&fields, self.findings);
        let to = to.into_iter().next();
        Some(Some(Event {
            word,
            span: node.span.clone(),
            phases: phases?,
            to: if word == "interruption" { to } else { Some(to?) },
            seconds: seconds?,
            point_on_wave_deg: point_on_wave?,
            phase_jump_deg: phase_jump?,
            times: times?,
            every_seconds,
        }))
    }

    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn shape(&self) -> Option<Option<Shape>> {
        let Some(word) = self.given(&VOLTAGES).first().copied() else { return Some(None) };
        let node = self.fields.get(word)?;
        let shape = match word {
            "unbalance" => self.unbalance(node),
            "grid" => self.grid(node),
            "ramp" => self.ramp(node),
            _ => self.course(node),
        };
        shape.map(Some)
    }

    fn unbalance(&self, node: &Node) -> Option<Shape> {
        let fields = Fields::open(node, "`unbalance`", &["negative", "zero", "angle", "zero-angle"], self.findings)?;
        let share = |key: &str| match fields.get(key) {
            None => Some(0.0),
            Some(node) => quantity::absolute(node, key, Dimension::Ratio, 0.0..=99.0, self.findings),
        };
        let degrees = |key: &str| match fields.get(key) {
            None => Some(0.0),
            Some(node) => angle(node, key, -360.0..=360.0, self.findings),
        };
        if fields.get("negative").is_none() && fields.get("zero").is_none() {
            fields.missing("negative", "`unbalance`", self.findings);
            return None;
        }
        let (negative, zero) = (share("negative"), share("zero"));
        let (ahead, zero_ahead) = (degrees("angle"), degrees("zero-angle"));
        Some(Shape::Unbalanced { span: node.span.clone(), negative: (negative?, ahead?), zero: (zero?, zero_ahead?) })
    }

    fn grid(&self, node: &Node) -> Option<Shape> {
        let keys = ["lost-neutral", "neutral", "lost-mv-phase", "transformer", "u2"];
        let fields = Fields::open(node, "`grid`", &keys, self.findings)?;
        let span = node.span.clone();
        let refuse = |key: &str, of: &str| {
            let node = fields.get(key);
            if let Some(node) = node {
                let finding = Finding::error("unknown-key", &node.span, format!("`{key}` belongs to `{of}`"));
                self.findings.push(finding.label("remove it"));
            }
        };
        match (fields.get("lost-neutral"), fields.get("lost-mv-phase")) {
            (Some(node), None) => {
                refuse("transformer", "lost-mv-phase");
                refuse("u2", "lost-mv-phase");
                let number = |node: &Node| match node.value {
                    Value::Number(y) if (0.0..=1e6).contains(&y) => Some(y),
                    _ => None,
                };
                let loads: Vec<Option<f64>> = node.alternatives().iter().map(number).collect();
                let (Ok([Some(y1), Some(y2), Some(y3)]), true) =
                    (<[Option<f64>; 3]>::try_from(loads), matches!(node.value, Value::List(_)))
                else {
                    let message = format!("`lost-neutral` is {}, expected the loads of three phases", node.shown());
                    let finding = Finding::error("bad-value", &node.span, message);
                    self.findings.push(finding.label("write how they compare, as in `[2, 1, 1]`"));
                    return None;
                };
                let neutral = match fields.get("neutral").map(|node| (number(node), node)) {
                    None => 0.0,
                    Some((Some(y), _)) => y,
                    Some((None, node)) => {
                        let message = format!("`neutral` is {}, expected what is left of it", node.shown());
                        let finding = Finding::error("bad-value", &node.span, message);
                        self.findings.push(finding.label("write a number in the unit of the loads"));
                        return None;
                    }
                };
                if y1 + y2 + y3 + neutral <= 0.0 {
                    let finding = Finding::error("out-of-range", &node.span, "without any load nothing is displaced");
                    self.findings.push(finding.label("give a phase a load"));
                    return None;
                }
                Some(Shape::LostNeutral { span, admittances: [y1, y2, y3], neutral })
            }
            (None, Some(node)) => {
                refuse("neutral", "lost-neutral");
                let phase = single_phase(node, "lost-mv-phase", self.findings);
                let transformer = match fields.text("transformer", self.findings) {
                    None if fields.get("transformer").is_some() => None,
                    None | Some(("Dyn", _)) => Some(Transformer::Dyn),
                    Some(("Yyn", _)) => Some(Transformer::Yyn),
                    Some(("Yzn", _)) => Some(Transformer::Yzn),
                    Some((other, node)) => {
                        let message = format!("`{other}` is no transformer that is known here");
                        let finding = Finding::error("unknown-word", &node.span, message);
                        self.findings.push(finding.label("write `Dyn`, `Yyn` or `Yzn`"));
                        None
                    }
                };
                let u2_percent = match fields.get("u2") {
                    None => Some(100.0),
                    Some(node) => quantity::absolute(node, "u2", Dimension::Ratio, 1.0..=100.0, self.findings),
                };
                let (phase, transformer, u2_percent) = (phase?, transformer?, u2_percent?);
                Some(Shape::LostMvPhase { span, phase, transformer, u2_percent })
            }
            _ => {
                let finding = Finding::error("missing-key", &span, "`grid` says what is lost, one thing at a time");
                self.findings.push(finding.label("write `lost-neutral: [2, 1, 1]` or `lost-mv-phase: L1`"));
                None
            }
        }
    }

    fn ramp(&self, node: &Node) -> Option<Shape> {
        let fields = Fields::open(node, "`ramp`", &["voltage", "phases", "frequency", "over", "back"], self.findings)?;
        if fields.get("over").is_none() {
            fields.missing("over", "`ramp`", self.findings);
        }
        let over_seconds = self.time(&fields, "over", 0.1..=86_400.0);
        let back_seconds = self.time(&fields, "back", 0.1..=86_400.0);
        let target = self.point(&fields, "`ramp`")?;
        if let (Some(_), Some(node)) = (&target.frequency, self.fields.get("frequency")) {
            let finding = Finding::error("bad-value", &node.span, "the frequency cannot stand and move at once");
            self.findings.push(finding.label("leave it to the `ramp`"));
        }
        Some(Shape::Ramp { target, over_seconds: over_seconds?, back_seconds })
    }

    fn course(&self, node: &Node) -> Option<Shape> {
        let Value::List(items) = &node.value else {
            let message = format!("`course` is {}, expected a list", node.shown());
            let finding = Finding::error("bad-value", &node.span, message);
            self.findings.push(finding.label("write `course: [{ voltage: 0.89 Un, for: 1 s }]`"));
            return None;
        };
        if items.is_empty() {
            let finding = Finding::error("empty-list", &node.span, "a course without points");
            self.findings.push(finding.label("write `[{ voltage: 0.89 Un, for: 1 s }]`"));
        }
        let read = |item: &Node| {
            let keys = ["voltage", "phases", "phase-jump", "frequency", "for"];
            let fields = Fields::open(item, "a point of the course", &keys, self.findings)?;
            if fields.get("for").is_none() {
                fields.missing("for", "a point of the course", self.findings);
            }
            let seconds = self.time(&fields, "for", 0.1..=LONGEST_SECONDS);
            Some((self.point(&fields, "a point of the course")?, seconds?))
        };
        let points: Vec<Option<(Point, f64)>> = items.iter().map(read).collect();
        points.into_iter().collect::<Option<Vec<_>>>().map(Shape::Course)
    }

    fn point(&self, fields: &Fields<'_>, what: &str) -> Option<Point> {
        let voltage = amounts(fields, "voltage", Dimension::Voltage, self.findings);
        let frequency = amounts(fields, "frequency", Dimension::Frequency, self.findings);
        self.check_single(&voltage, "voltage");
        self.check_single(&frequency, "frequency");
        let (voltage, frequency) = (voltage.into_iter().next(), frequency.into_iter().next());
        if voltage.is_none() && frequency.is_none() {
            if fields.get("voltage").is_none() && fields.get("frequency").is_none() {
                fields.missing("voltage", what, self.findings);
            }
            return None;
        }
        let phases = read_phases(fields, self.findings)?;
        let phase_jump_deg = match fields.get("phase-jump") {
            None => 0.0,
            Some(node) => angle(node, "phase-jump", -180.0..=180.0, self.findings)?,
        };
        Some(Point { voltage, phases, phase_jump_deg, frequency })
    }

    fn check_single(&self, values: &[Spanned<Amount>], key: &str) {
        if let Some(second) = values.get(1) {
            let finding = Finding::error("bad-value", &second.span, format!("`{key}` is one value here"));
            self.findings.push(finding.label("leave one; a `course` has several"));
        }
    }

    fn time(&self, fields: &Fields<'_>, key: &str, bounds: std::ops::RangeInclusive<f64>) -> Option<f64> {
        quantity::absolute(fields.get(key)?, key, Dimension::Time, bounds, self.findings)
    }

    fn port(&self) -> Option<Port> {
        match self.fields.text("port", self.findings) {
            None if self.fields.get("port").is_some() => None,
            None | Some(("optical", _)) => Some(Port::Optical),
            Some(("network", _)) => Some(Port::Network),
            Some((other, node)) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no port of a meter"));
                self.findings.push(finding.label("write `optical` or `network`"));
                None
            }
        }
    }
}

/// The outer `None` means a mistake.
#[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
fn read_phases(fields: &Fields<'_>, findings: &Findings) -> Option<Option<Spanned<Option<Phases>>>> {
    let Some(node) = fields.get("phases") else { return Some(None) };
    if matches!(node.value, Value::List(_)) {
        let finding = Finding::error("bad-value", &node.span, "phases one after the other are steps of their own");
        findings.push(finding.label("write `L1`, `L1+L2` or `all`"));
        return None;
    }
    let words = node.text().unwrap_or_default().to_owned();
    phases(node, "write `L1`, `L1+L2` or `all`", findings)
        .map(|value| Some(Spanned { value, span: node.span.clone(), words }))
}

/// `L2` -> 1
fn single_phase(node: &Node, key: &str, findings: &Findings) -> Option<usize> {
    let found = ["L1", "L2", "L3"].iter().position(|name| node.text() == Some(name));
    if found.is_none() {
        let finding = Finding::error("bad-value", &node.span, format!("`{key}` is {}, expected a phase", node.shown()));
        findings.push(finding.label("write `L1`, `L2` or `L3`"));
    }
    found
}

/// Degrees.
fn angle(node: &Node, key: &str, bounds: std::ops::RangeInclusive<f64>, findings: &Findings) -> Option<f64> {
    match quantity::read(node, key, Dimension::Angle, findings)? {
        Amount::Absolute(minutes) if bounds.contains(&(minutes / 60.0)) => Some(minutes / 60.0),
        _ => {
            let message = format!("`{key}` is {}, which is out of range", node.shown());
            let label = format!("allowed {} deg to {} deg", bounds.start(), bounds.end());
            findings.push(Finding::error("out-of-range", &node.span, message).label(label));
            None
        }
    }
}
