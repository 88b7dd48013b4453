//! A plan meets a meter: words become amperes, points get their limits, impulses and times.

use std::ops::Range;

use meterbench_record::{Certainty, Direction, Limit, LoadPoint, Nameplate, slug};
use meterbench_standards::{DecisionRule, InterruptionRow, NoLoad, REFERENCE_C, Standard, Starting};

use crate::condition::Condition;
use crate::fields::Findings;
use crate::finding::Finding;
use crate::plan_file::{PlanFile, same_current};
use crate::play_test::PlayTest;
use crate::port_test::PortTest;
use crate::quantity::Amount;
use crate::step::{Block, Body, Dip, Spanned, Step, StepLimit};

mod influence;
mod load_points;
mod play;
mod port;
mod pulse_output;
mod register_test;
mod waves;

use load_points::{Placed, same_load};
pub use play::SUPPLY_UN;

pub use pulse_output::PulsePoint;
pub use register_test::RegisterPoint;

pub use influence::{CompositePoint, HeatingPoint, InfluenceTest, Variation, VariedPoint};

/// A plan for one kind of meter, ready to run.
#[derive(Debug, Clone)]
pub struct ResolvedPlan {
    pub title: String,
    pub standard: Option<String>,
    pub decision_rule: DecisionRule,
    pub steps: Vec<ResolvedStep>,
}

/// A step with its points.
#[derive(Debug, Clone)]
pub struct ResolvedStep {
    /// From 1.
    pub number: u32,
    pub word: &'static str,
    pub name: String,
    /// Where it stands in the plan (bytes).
    pub span: Range<usize>,
    /// First part of every identifier of its measurements.
    pub id: String,
    /// The plan asks for no verdict: `limit: none`.
    pub unlimited: bool,
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Action {
    WarmUp {
        load: LoadPoint,
        seconds: f64,
    },
    /// `both_ways`: with rising, then with falling current.
    Accuracy {
        points: Vec<TestPoint>,
        readings: u64,
        both_ways: bool,
    },
    Influence(InfluenceTest),
    SelfHeating {
        points: Vec<HeatingPoint>,
        warm_up_seconds: f64,
    },
    Composite {
        points: Vec<CompositePoint>,
    },
    Interrupt(Box<DipTest>),
    /// This meter cannot show what the step tests, and why.
    NotApplicable {
        quantity: &'static str,
        unit: &'static str,
        load: LoadPoint,
        why: String,
    },
    Repeatability {
        points: Vec<TestPoint>,
        readings: u64,
    },
    Starting {
        rule: Starting,
        points: Vec<LoadPoint>,
    },
    NoLoad {
        points: Vec<(LoadPoint, NoLoad)>,
    },
    MeterConstant {
        load: LoadPoint,
        limit: Option<Limit>,
    },
    PulseOutput {
        points: Vec<PulsePoint>,
    },
    RegisterTest {
        points: Vec<RegisterPoint>,
    },
    /// A stimulus of the source, and what the meters say of it.
    Play(Box<PlayTest>),
    /// Over a port, at the load that stands, or at this one where none does.
    Port {
        test: Box<PortTest>,
        load: LoadPoint,
    },
    /// Firmware over the probe of every position, and its log for a time. `span`: where the plan names the image.
    Flash {
        image: String,
        log_seconds: f64,
        span: Range<usize>,
    },
    Apply {
        load: LoadPoint,
    },
    Wait {
        seconds: f64,
        expect: Vec<Expectation>,
    },
    Prompt {
        text: String,
    },
}

/// Voltage dips without current.
#[derive(Debug, Clone)]
pub struct DipTest {
    /// Voltage at Un and no current.
    pub load: LoadPoint,
    pub dips: Vec<InterruptionRow>,
    /// Energy that may be registered (Wh).
    pub limit: Limit,
    /// A point that shows that the meter works as before.
    pub after: TestPoint,
}

/// Impulses expected during a wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    pub count: Condition,
}

/// A load point with everything its measurement needs.
#[derive(Debug, Clone, PartialEq)]
pub struct TestPoint {
    pub load: LoadPoint,
    pub limit: Option<Limit>,
    /// Impulses per reading.
    pub impulses: u64,
}

/// Tolerance of the reference temperature.
const REFERENCE_TOLERANCE_K: f64 = 2.0;
/// Shortest measurement (s).
const SHORTEST_SECONDS: f64 = 10.0;
/// Jitter of the impulses that a tenth of the limit must cover (s): one mains period.
const JITTER_SECONDS: f64 = 0.020;
/// Limit assumed where there is none, for the number of impulses [%].
const ASSUMED_LIMIT_PERCENT: f64 = 1.0;

impl PlanFile {
    /// Resolves the plan for meters with this nameplate at this ambient temperature (°C); all mistakes at once.
    pub fn resolve(&self, plate: &Nameplate, ambient_c: f64) -> Result<ResolvedPlan, Vec<Finding>> {
        let resolver = Resolver { plan: self, plate, ambient_c, findings: Findings::default() };
        resolver.check_requirement();
        let mut steps = Vec::new();
        resolver.flatten(&self.steps, "", &mut steps);
        resolver.check_identifiers(&steps);
        let findings = resolver.findings.into_sorted();
        if !findings.is_empty() {
            return Err(findings);
        }
        Ok(ResolvedPlan {
            title: self.title.clone(),
            standard: self.standard.map(Standard::citation),
            decision_rule: self.decision_rule,
            steps,
        })
    }
}

struct Resolver<'a> {
    plan: &'a PlanFile,
    plate: &'a Nameplate,
    ambient_c: f64,
    findings: Findings,
}

impl Resolver<'_> {
    fn check_requirement(&self) {
        let (requirement, plate) = (&self.plan.requirement, self.plate);
        let mismatch = |span: &Range<usize>, text: String| {
            let message = format!("this plan is not for meter {}: {text}", plate.name);
            self.findings.push(
                Finding::error("meter-mismatch", span, message)
                    .label("the plan requires this")
                    .help("put another meter on the bench with `--meter`; `meterbench list meters` names them"),
            );
        };
        if let Some((class, span)) = requirement.class.as_ref().filter(|(class, _)| *class != plate.class) {
            mismatch(span, format!("it requires class {class}, the meter is class {}", plate.class));
        }
        if let Some((class, span)) =
            requirement.reactive_class.as_ref().filter(|(class, _)| Some(*class) != plate.reactive_class)
        {
            let has =
                plate.reactive_class.map_or("registers no reactive energy".to_owned(), |c| format!("is class {c}"));
            mismatch(span, format!("it requires class {class} for reactive energy, the meter {has}"));
        }
        if let Some((phases, span)) = requirement.phases.as_ref().filter(|(phases, _)| *phases != plate.systems) {
            mismatch(span, format!("it is for meters with phases: {phases}, the meter has {}", plate.systems));
        }
        if let Some((ampere, span)) = requirement.imax.as_ref().filter(|(a, _)| !same_current(*a, plate.imax_ampere)) {
            mismatch(span, format!("it is for meters of Imax {ampere} A, the meter has {} A", plate.imax_ampere));
        }
        for feature in requirement.has.iter().filter(|feature| !plate.has.contains(feature)) {
            mismatch(&requirement.span, format!("it requires {}, which this variant has not", feature.name()));
        }
        if let Some(Err(none)) = self.plan.standard.map(|standard| standard.class_of(plate)) {
            let message = format!("{none}, and so not for meter {}", plate.name);
            self.findings.push(
                Finding::error("meter-mismatch", &self.plan.standard_span, message)
                    .label("another standard or another meter")
                    .help("`--meter` puts another meter on an emulated bench"),
            );
        }
    }

    /// Groups become names in front of their steps.
    fn flatten(&self, steps: &[Step], prefix: &str, into: &mut Vec<ResolvedStep>) {
        for step in steps {
            let name = format!("{prefix}{}", step.name);
            if let Body::Group { steps } = &step.body {
                self.flatten(steps, &format!("{name}: "), into);
                continue;
            }
            let action = match &step.body {
                Body::CompositeError => self.composite(step, into),
                Body::Play(play) => self.play(step, play, into),
                Body::Port(test) => self.port(step, test, into),
                _ => self.action(step),
            };
            let Some(action) = action else { continue };
            let number = into.len() as u32 + 1;
            let id = step.id.clone().unwrap_or_else(|| slug(&name));
            let unlimited = step.limit == Some(StepLimit::None);
            let span = step.span.clone();
            into.push(ResolvedStep { number, word: step.word, name, span, id, unlimited, action });
        }
    }

    /// Identifiers are made of words: two steps that measure must not share theirs.
    fn check_identifiers(&self, steps: &[ResolvedStep]) {
        let measures = |step: &ResolvedStep| {
            !matches!(
                step.action,
                Action::WarmUp { .. } | Action::Apply { .. } | Action::Prompt { .. } | Action::Flash { .. }
            ) && !matches!(&step.action, Action::Wait { expect, .. } if expect.is_empty())
        };
        let mut known = std::collections::HashSet::new();
        for step in steps.iter().filter(|step| measures(step)) {
            if !known.insert(&step.id) {
                let message = format!("another step already measures under `{}`", step.id);
                self.findings.push(
                    Finding::error("duplicate-id", &step.span, message).label("give this step a `name:` of its own"),
                );
            }
        }
    }

    fn action(&self, step: &Step) -> Option<Action> {
        Some(match &step.body {
            Body::WarmUp { load, seconds } => {
                let load = if load.current.is_empty() {
                    let mut load = load.clone();
                    let (value, words) = (Amount::Current(1.0, meterbench_standards::Symbol::Itr), "Itr".to_owned());
                    load.current = vec![Spanned { value, span: load.span.clone(), words }];
                    self.single(&load, step)?
                } else {
                    self.single(load, step)?
                };
                Action::WarmUp { load, seconds: *seconds }
            }
            Body::Apply { load } => Action::Apply { load: self.single(load, step)? },
            Body::Accuracy { at, readings, both_ways } => {
                let points = self.test_points(step, at.as_deref(), Purpose::Error)?;
                Action::Accuracy { points, readings: *readings, both_ways: *both_ways }
            }
            Body::Influence { vary, at, readings, soak_seconds, switched_seconds } => {
                self.influence(step, vary, at.as_deref(), *readings, (*soak_seconds, *switched_seconds))?
            }
            Body::Interrupt { dip } => self.interrupt(step, dip.as_ref())?,
            Body::SelfHeating { at } => self.self_heating(step, at.as_deref())?,
            Body::Repeatability { at, readings } => {
                let points = self.test_points(step, at.as_deref(), Purpose::Repeatability)?;
                Action::Repeatability { points, readings: *readings }
            }
            Body::Starting { directions } => self.starting(step, directions)?,
            Body::NoLoad { voltages } => self.no_load(step, voltages)?,
            Body::MeterConstant { at } => self.meter_constant(step, at.as_deref())?,
            Body::PulseOutput { at } => self.pulse_output(step, at.as_deref())?,
            Body::RegisterTest { at } => self.register_test(step, at.as_deref())?,
            Body::Wait { seconds, expect } => {
                let expect = expect.iter().map(|e| Expectation { count: e.count }).collect();
                Action::Wait { seconds: *seconds, expect }
            }
            Body::Flash { image, log_seconds } => {
                Action::Flash { image: image.value.clone(), log_seconds: *log_seconds, span: image.span.clone() }
            }
            Body::Prompt { text } => Action::Prompt { text: text.clone() },
            Body::CompositeError | Body::Play(_) | Body::Port(_) | Body::Group { .. } => return None,
        })
    }

    /// The standard, or a finding that this step needs one.
    fn standard(&self, step: &Step) -> Option<&'static Standard> {
        let standard = self.plan.standard.filter(|s| s.class_of(self.plate).is_ok());
        if (self.ambient_c - REFERENCE_C).abs() > REFERENCE_TOLERANCE_K {
            let message = format!("the limits hold at 23 °C ± 2 K, and the bench stands at {} °C", self.ambient_c);
            self.findings.push(
                Finding::error("no-limit", &step.span, message).label("no limit of a standard at this temperature"),
            );
        }
        if self.plan.standard.is_none() {
            let message = format!("step `{}` takes its limits from a standard, and this plan names none", step.word);
            self.findings.push(
                Finding::error("no-limit", &step.span, message)
                    .label("add `standard: EN 50470-3:2006` to the plan")
                    .help("`meterbench list standards` names those that are known"),
            );
        }
        standard
    }

    fn test_points(&self, step: &Step, at: Option<&[Block]>, purpose: Purpose) -> Option<Vec<TestPoint>> {
        let placed = match at {
            Some(blocks) => blocks.iter().flat_map(|block| self.expand(block)).collect(),
            None if purpose == Purpose::Repeatability => self.expand(&reference_block(step)),
            None => self.own_points(step)?,
        };
        self.check_duplicates(&placed);
        placed.iter().for_each(|point| self.check_power(&point.load, &point.span));
        let points: Vec<TestPoint> = placed
            .iter()
            .filter_map(|placed| {
                let limit = self.limit(step, placed, purpose)?;
                let percent = limit.as_ref().and_then(|l| l.high).unwrap_or(ASSUMED_LIMIT_PERCENT);
                // The repeatability limit is a tenth of the error limit, by which the impulses are counted.
                let percent = if purpose == Purpose::Repeatability { percent * 10.0 } else { percent };
                let impulses = impulses(self.plate, &placed.load, percent);
                Some(TestPoint { load: placed.load.clone(), limit, impulses })
            })
            .collect();
        (points.len() == placed.len()).then_some(points)
    }

    /// The points of the standard that have a limit for this class.
    fn own_points(&self, step: &Step) -> Option<Vec<Placed>> {
        let standard = self.standard(step)?;
        let placed = self.place(standard.accuracy_points(self.plate), step);
        Some(placed.into_iter().filter(|p| standard.intrinsic_limit(self.plate, &p.load).is_ok()).collect())
    }

    /// The limit at a point. The outer `None` is a mistake, the inner that the point is measured without one.
    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn limit(&self, step: &Step, placed: &Placed, purpose: Purpose) -> Option<Option<Limit>> {
        match step.limit {
            Some(StepLimit::None) => return Some(None),
            Some(StepLimit::Percent(percent)) => return Some(Some(plan_limit(percent, purpose))),
            None => {}
        }
        let standard = self.standard(step)?;
        let found = match purpose {
            Purpose::Error => standard.intrinsic_limit(self.plate, &placed.load),
            Purpose::Repeatability => standard.repeatability_limit(self.plate, &placed.load),
        };
        match found {
            Ok(limit) => Some(Some(limit)),
            Err(none) => {
                self.findings.push(
                    Finding::error("no-limit", &placed.span, none.to_string())
                        .label("no limit here")
                        .help("move the point into its own `at` block with other values, or give `limit:` for this step (`limit: none` measures without a verdict)"),
                );
                None
            }
        }
    }

    fn starting(&self, step: &Step, directions: &[Direction]) -> Option<Action> {
        let rule = self.standard(step)?.starting(self.plate).ok()?;
        let points = directions
            .iter()
            .map(|&direction| LoadPoint {
                current: "Ist".into(),
                ampere: rule.ampere,
                direction,
                ..self.reference_conditions()
            })
            .collect();
        Some(Action::Starting { rule, points })
    }

    fn no_load(&self, step: &Step, voltages: &[Spanned<Amount>]) -> Option<Action> {
        let standard = self.standard(step)?;
        let at = |rule: NoLoad| {
            let load = LoadPoint {
                voltage: format!("{} Un", rule.voltage_factor),
                volt: rule.voltage_factor * self.plate.un_volt,
                ..self.reference_conditions()
            };
            (load, rule)
        };
        let rules = if voltages.is_empty() {
            standard.no_load(self.plate).ok()?
        } else {
            let rule = |voltage: &Spanned<Amount>| {
                let volt = self.volt(voltage)?;
                if volt < 1.0 {
                    let finding = Finding::error("no-power", &voltage.span, "without voltage no meter could register");
                    self.findings.push(finding.label("write a voltage, such as `1.15 Un`"));
                    return None;
                }
                standard.no_load_at(self.plate, volt / self.plate.un_volt).ok()
            };
            voltages.iter().map(rule).collect::<Option<_>>()?
        };
        Some(Action::NoLoad { points: rules.into_iter().map(at).collect() })
    }

    fn interrupt(&self, step: &Step, dip: Option<&Dip>) -> Option<Action> {
        let standard = self.standard(step)?;
        let own = match standard.dips(self.plate) {
            Ok(own) => own,
            Err(none) => {
                self.findings.push(Finding::error("no-limit", &step.span, none.to_string()).label("no limit here"));
                return None;
            }
        };
        let dips = match dip {
            None => own.events,
            Some(dip) => {
                let to = dip.to.as_ref().map_or(Some(0.0), |to| self.volt(to))? / self.plate.un_volt;
                if to >= 0.9 {
                    let span = dip.to.as_ref().map_or(&step.span, |to| &to.span);
                    let finding = Finding::error("out-of-range", span, format!("{to} Un is no dip"));
                    self.findings.push(finding.label("below 0.9 Un; `interrupt: {}` runs the standard's own"));
                    return None;
                }
                let times = u32::try_from(dip.times).unwrap_or(u32::MAX);
                vec![InterruptionRow { to, seconds: dip.seconds, times, between: 0.0 }]
            }
        };
        let load = LoadPoint { current: "Iref".into(), ampere: self.plate.iref_ampere, ..self.reference_conditions() };
        let limit = standard.intrinsic_limit(self.plate, &load).ok();
        let percent = limit.as_ref().and_then(|l| l.high).unwrap_or(ASSUMED_LIMIT_PERCENT);
        let after = TestPoint { impulses: impulses(self.plate, &load, percent), load, limit };
        let test = DipTest { load: self.reference_conditions(), dips, limit: own.limit, after };
        Some(Action::Interrupt(Box::new(test)))
    }

    fn meter_constant(&self, step: &Step, at: Option<&[Block]>) -> Option<Action> {
        let load = match at {
            None => LoadPoint { current: "Imax".into(), ampere: self.plate.imax_ampere, ..self.reference_conditions() },
            Some([block]) => self.single(block, step)?,
            Some(_) => {
                let message = "the dial test runs at one load point";
                self.findings
                    .push(Finding::error("bad-value", &step.span, message).label("leave one block under `at`"));
                return None;
            }
        };
        self.check_power(&load, &step.span);
        let limit = match step.limit {
            Some(StepLimit::None) => None,
            Some(StepLimit::Percent(percent)) => Some(plan_limit(percent, Purpose::Error)),
            None => Some(self.standard(step)?.meter_constant_limit(self.plate).ok()?),
        };
        Some(Action::MeterConstant { load, limit })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Error,
    Repeatability,
}

fn plan_limit(percent: f64, purpose: Purpose) -> Limit {
    Limit {
        low: (purpose == Purpose::Error).then_some(-percent),
        high: Some(percent),
        source: "plan".into(),
        row: "limit of the step".into(),
        certainty: Certainty::Verified,
        binding: None,
    }
}

/// Where no point is named, a repeatability is taken at Iref.
fn reference_block(step: &Step) -> Block {
    let (value, words) = (Amount::Current(10.0, meterbench_standards::Symbol::Itr), "10 Itr".to_owned());
    let span = step.span.clone();
    Block { span: span.clone(), current: vec![Spanned { value, span, words }], ..Block::default() }
}

/// Impulses of one reading: long enough that the jitter of one mains period stays below a tenth of the limit.
fn impulses(plate: &Nameplate, load: &LoadPoint, limit_percent: f64) -> u64 {
    let seconds = SHORTEST_SECONDS.max(JITTER_SECONDS * 1000.0 / limit_percent);
    let period = plate.seconds_per_impulse(load.power());
    if !period.is_finite() {
        return 1;
    }
    (seconds / period - 1e-9).ceil().max(1.0) as u64
}
