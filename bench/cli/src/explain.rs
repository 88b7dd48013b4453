//! `explain`: what a plan will do, point by point: limit, clause, impulses, why, and how long each step takes.

use meterbench_plan::{Action, Answer, InfluenceTest, Port, PortCheck, PortTest, ResolvedStep, TestPoint};
use meterbench_record::{Limit, LoadPoint, Nameplate};
use meterbench_run::{expected_seconds, point_seconds, step_seconds};
use serde::Serialize;

use crate::arguments::{ExplainArguments, Format};
use crate::diagnostics;
use crate::execute;
use crate::words;

mod stimulus;

/// One line of the explanation.
#[derive(Debug, Serialize)]
struct Line {
    step: u32,
    at: String,
    /// What is measured, or done.
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certainty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impulses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

/// Explains every plan; the exit code.
pub fn explain(arguments: &ExplainArguments) -> u8 {
    for path in &arguments.plans {
        let found = execute::prepare_for_reading(path, arguments.bench.as_deref(), arguments.meter.as_deref());
        let (prepared, equipped) = match found {
            Ok(found) => found,
            Err(refusal) => return diagnostics::refuse(&refusal),
        };
        let plate = &equipped.positions[0].meter;
        let total = expected_seconds(&prepared.plan, plate, equipped.file.chamber.is_some());
        if arguments.format == Format::Human {
            let standard = prepared.plan.standard.as_deref().unwrap_or("no standard named");
            say!("{}   {standard}   for meter {} ({})", prepared.plan.title, plate.name, plate.title);
            say!("decision rule {}; {} of bench time", prepared.plan.decision_rule.name(), words::duration(total));
        }
        for step in &prepared.plan.steps {
            let lines = lines(step, plate);
            match arguments.format {
                Format::Human => print(step, &lines, step_seconds(step, plate)),
                Format::Json => {
                    lines.iter().for_each(|line| say!("{}", serde_json::to_value(line).unwrap_or_default()));
                }
            }
        }
        if arguments.format == Format::Human {
            say!("\ntotal {}", words::duration(total));
        } else {
            say!("{}", serde_json::json!({ "plan": prepared.plan.title, "seconds": total }));
        }
    }
    0
}

fn print(step: &ResolvedStep, lines: &[Line], seconds: f64) {
    say!("\n{:>3}  {:<16} {:<34} {}", step.number, step.word, step.name, words::duration(seconds));
    let widest = |least: usize, text: fn(&Line) -> &str| {
        lines.iter().map(|line| text(line).chars().count()).fold(least, usize::max)
    };
    let (at_width, what_width) = (widest(36, |line| &line.at), widest(24, |line| &line.what));
    // Only what is followed by something needs room.
    let limit_width = widest(18, |line| match (line.impulses, line.seconds) {
        (None, None) => "",
        _ => line.limit.as_deref().unwrap_or(""),
    });
    for line in lines {
        let impulses = line.impulses.map_or(String::new(), |n| format!("{n} imp"));
        let takes = line.seconds.map_or(String::new(), words::duration);
        let (at, what, limit) = (&line.at, &line.what, line.limit.as_deref().unwrap_or(""));
        let row = format!("{at:<at_width$} {what:<what_width$} {limit:<limit_width$} {impulses:>9} {takes:>13}");
        say!("     {}", row.trim_end());
        if let Some(clause) = &line.clause {
            let certainty = line.certainty.map_or(String::new(), |c| format!(" [{c}]"));
            say!("         {clause}{certainty}");
        }
    }
}

fn line(step: &ResolvedStep, load: &LoadPoint, what: &str) -> Line {
    Line {
        step: step.number,
        at: load.to_string(),
        what: what.to_owned(),
        limit: None,
        clause: None,
        certainty: None,
        impulses: None,
        seconds: None,
    }
}

impl Line {
    fn limited(self, limit: Option<&Limit>, unit: &str) -> Self {
        let Some(limit) = limit else { return Self { limit: Some("shown, not limited".into()), ..self } };
        let certainty = (limit.source != "plan").then(|| limit.certainty.word());
        let clause = Some(format!("{}: {}", limit.source, limit.row));
        Self { limit: Some(words::limit(limit, unit)), clause, certainty, ..self }
    }

    fn measured(self, point: &TestPoint, readings: u64, plate: &Nameplate) -> Self {
        let seconds = Some(point_seconds(point, readings, plate));
        Self { impulses: Some(point.impulses * readings), seconds, ..self }
    }
}

fn lines(step: &ResolvedStep, plate: &Nameplate) -> Vec<Line> {
    match &step.action {
        Action::WarmUp { load, seconds } => {
            vec![Line { seconds: Some(*seconds), ..line(step, load, "until thermally stable") }]
        }
        Action::Apply { load } => vec![line(step, load, "stays on")],
        Action::Accuracy { points, readings, both_ways } => {
            let what = if *both_ways { "error, rising and falling" } else { "error" };
            let readings = if *both_ways { 2 * readings } else { *readings };
            let one =
                |p: &TestPoint| line(step, &p.load, what).limited(p.limit.as_ref(), "%").measured(p, readings, plate);
            points.iter().map(one).collect()
        }
        Action::Repeatability { points, readings } => {
            let what = format!("deviation of {readings}");
            let one =
                |p: &TestPoint| line(step, &p.load, &what).limited(p.limit.as_ref(), "%").measured(p, *readings, plate);
            points.iter().map(one).collect()
        }
        Action::Influence(test) => influence(step, test, plate),
        Action::SelfHeating { points, warm_up_seconds } => points
            .iter()
            .map(|heating| {
                let what = format!("shift, after {} h without", warm_up_seconds / 3600.0);
                line(step, &heating.point.load, &what).limited(heating.limit.as_ref(), "%")
            })
            .collect(),
        Action::Composite { points } => points
            .iter()
            .map(|point| {
                let what = format!("composite, {} °C", point.range);
                line(step, &point.load, &what).limited(Some(&point.limit), "%")
            })
            .collect(),
        Action::Interrupt(test) => test
            .dips
            .iter()
            .map(|dip| {
                let what = format!("to {} Un for {} s, {} times", dip.to, dip.seconds, dip.times);
                line(step, &test.load, &what).limited(Some(&test.limit), "Wh")
            })
            .collect(),
        Action::NotApplicable { load, why, .. } => vec![line(step, load, why)],
        Action::Starting { rule, points } => points
            .iter()
            .map(|load| {
                let seconds = Some(2.5 * rule.tau_seconds);
                let starting = line(step, load, "three impulses, each").limited(Some(&rule.limit), "s");
                Line { impulses: Some(3), seconds, ..starting }
            })
            .collect(),
        Action::NoLoad { points } => points
            .iter()
            .map(|(load, rule)| {
                let quiet = line(step, load, "impulses").limited(Some(&rule.limit), "1");
                Line { seconds: Some(rule.seconds), ..quiet }
            })
            .collect(),
        Action::MeterConstant { load, limit } => {
            vec![line(step, load, "impulses against register").limited(limit.as_ref(), "%")]
        }
        Action::PulseOutput { points } => points
            .iter()
            .flat_map(|point| {
                let width = line(step, &point.load, "time on").limited(Some(&point.width), "ms");
                let pause = line(step, &point.load, "time off").limited(point.pause.as_ref(), "ms");
                let count = |what| Line { limit: Some("as many".to_owned()), ..line(step, &point.load, what) };
                [width, pause, count("S0 against LED"), count("S0 against register")]
            })
            .collect(),
        Action::Wait { seconds, expect } => {
            let wait = Line {
                step: step.number,
                at: String::new(),
                what: format!("{} expected", words::plural(expect.len(), "count")),
                limit: None,
                clause: None,
                certainty: None,
                impulses: None,
                seconds: Some(*seconds),
            };
            vec![wait]
        }
        Action::RegisterTest { points } => points
            .iter()
            .map(|point| line(step, &point.load, "register against reference").limited(point.limit.as_ref(), "%"))
            .collect(),
        Action::Port { test, .. } => port(step, test),
        Action::Play(test) => stimulus::lines(step, test, plate),
        Action::Prompt { .. } | Action::Flash { .. } => Vec::new(),
    }
}

/// What a test over a port tries, a line for each thing that is expected.
fn port(step: &ResolvedStep, test: &PortTest) -> Vec<Line> {
    let over = match test.port {
        Port::Optical => "optical port",
        Port::Network => "network port",
    };
    let one = |who: &str, what: String| Line {
        step: step.number,
        at: format!("{who}, {over}"),
        what,
        limit: None,
        clause: None,
        certainty: None,
        impulses: None,
        seconds: None,
    };
    let answer = |granted: bool| if granted { "granted" } else { "refused, logged, nothing changed" };
    match &test.check {
        PortCheck::Read { role, expect } => {
            expect.iter().map(|e| one(role, format!("reads {}", e.object.words))).collect()
        }
        PortCheck::Write { role, object, attribute, answer: Answer::Invalid, .. } => {
            vec![one(role, format!("writes {} attribute {attribute}: refused for its value", object.words))]
        }
        PortCheck::Write { role, object, attribute, answer: access, .. } => {
            let access = answer(*access == Answer::Granted);
            vec![one(role, format!("writes {} attribute {attribute}: {access}", object.words))]
        }
        PortCheck::Act { role, object, method, granted, .. } => {
            vec![one(role, format!("calls {} method {method}: {}", object.words, answer(*granted)))]
        }
        PortCheck::AccessRights { rules } => {
            vec![one("every role", format!("every attribute and method, by {}", words::plural(rules.len(), "rule")))]
        }
        PortCheck::WrongKey { role } => vec![one(role, "keys wrong by one bit: refused, logged".into())],
        PortCheck::Replay { role, off_seconds: None } => vec![one(role, "heard before: refused, logged".into())],
        PortCheck::Replay { role, off_seconds: Some(seconds) } => {
            vec![one(role, format!("heard before a power cut of {seconds} s: refused, logged"))]
        }
        PortCheck::Downgrade { role } => vec![one(role, "less protection: refused, logged".into())],
        PortCheck::AssociationLimits { role, times } => vec![one(role, format!("{times} associations, and none"))],
        PortCheck::HdlcLink => vec![one("reader", "window, damaged frames".into())],
        PortCheck::Clock(test) => {
            vec![Line { seconds: Some(test.seconds), ..one("management", format!("clock within {} s", test.limit)) }]
        }
        PortCheck::LoadProfile { role, seconds, general_blocks } => {
            let blocks = if *general_blocks { ", in general blocks" } else { "" };
            vec![Line { seconds: Some(*seconds), ..one(role, format!("rows of the load profile{blocks}")) }]
        }
    }
}

fn influence(step: &ResolvedStep, test: &InfluenceTest, plate: &Nameplate) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (point, per_kelvin) in test.base.iter().zip(&test.per_kelvin) {
        let mut base = line(step, &point.load, "error at reference");
        if let Some(limit) = per_kelvin {
            base = base.limited(Some(limit), "%/K");
        }
        lines.push(base.measured(point, test.readings, plate));
    }
    for varied in test.variations.iter().flat_map(|v| &v.points) {
        let point = TestPoint { load: varied.load.clone(), limit: None, impulses: varied.impulses };
        let what = match &varied.limit {
            Some(limit) if limit.of == meterbench_standards::Judged::Error => "error",
            _ => "shift",
        };
        let limit = varied.limit.as_ref().map(|l| &l.limit);
        let line = line(step, &varied.load, what).limited(limit, "%");
        lines.push(match varied.load.switched {
            Some(_) => Line { seconds: Some(test.switched_seconds), ..line },
            None => line.measured(&point, test.readings, plate),
        });
    }
    lines
}
