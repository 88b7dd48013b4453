//! Tests over the ports of the meters, one position after the other.
//!
//! What a meter says is judged, also where it refuses or breaks the protocol; a port where nobody says anything loses the
//! position.

mod access_rights;
mod association_limits;
mod attacks;
mod clock;
mod evidence;
mod hdlc_link;
mod load_profile;
mod objects;
mod power_cut;

use meterbench_instruments::{Access, MeterPort, PortError};
use meterbench_plan::{Answer, Port, PortCheck, PortTest, ResolvedStep};
use meterbench_record::{Event, Limit, LoadPoint, Uncertainty, Value};
use serde_json::{Map, json};

use crate::bench::{Bench, Taken};
use crate::error::RunError;

/// Runs a test over a port at every position.
pub(crate) async fn port_test(
    bench: &mut Bench,
    step: &ResolvedStep,
    test: &PortTest,
    load: &LoadPoint,
) -> Result<(), RunError> {
    if bench.standing.is_none() {
        bench.apply(load).await?;
    }
    let at = bench.standing.clone().unwrap_or_else(|| load.clone());
    for place in bench.active() {
        bench.say(format!("{} \"{}\", position {}", step.word, step.name, bench.places[place].id));
        bench.recorder.emit(Event::PointStarted { step: step.number, at: at.to_string() })?;
        let (findings, done) = match &test.check {
            PortCheck::Replay { role, off_seconds: Some(seconds) } => {
                power_cut::replay(bench, place, test.port, role, *seconds, &at).await?
            }
            _ => {
                let mut talk = Talk::new(bench, place, test.port, &at);
                let done = talk.check(&test.check).await;
                talk.port.close().await;
                (talk.findings, done)
            }
        };
        for finding in findings {
            finding.record(bench, step, place, &at)?;
        }
        match done {
            Ok(()) => {}
            Err(error) if error.is_of_meter() => {
                Finding::met("conversation", "protocol", false, error.word(), "kept", Some(error.to_string()))
                    .record(bench, step, place, &at)?;
            }
            Err(error) => bench.lose(place, step.number, error.to_string())?,
        }
    }
    Ok(())
}

/// How many findings a test makes at each position; of a table of rights only the meter knows.
pub(crate) fn findings(test: &PortTest) -> usize {
    match &test.check {
        PortCheck::Read { expect, .. } => expect.len(),
        PortCheck::Write { answer: Answer::Granted | Answer::Invalid, .. } => 2,
        PortCheck::Act { granted: true, .. } => 1,
        PortCheck::Write { .. } | PortCheck::Act { .. } => 3,
        PortCheck::AccessRights { .. } => 0,
        PortCheck::WrongKey { .. } => 7,
        PortCheck::Replay { off_seconds: None, .. } => 10,
        PortCheck::Replay { off_seconds: Some(_), .. } => 4,
        PortCheck::Downgrade { .. } => 21,
        PortCheck::AssociationLimits { .. } => 5,
        PortCheck::HdlcLink => 2,
        // Rows, clock, times, status; how many energies it holds only the meter knows.
        PortCheck::LoadProfile { general_blocks, .. } => 4 + usize::from(*general_blocks),
        PortCheck::Clock(test) => 2 + usize::from(test.set.is_some()),
    }
}

/// Bench time of a test at one position (s), where the line carries octets in no time.
pub(crate) fn seconds(test: &PortTest) -> f64 {
    /// Sign-on, link and association, with the time the meter takes to answer.
    const ASSOCIATION: f64 = 5.0;
    /// Evidence: a look at everything before and after.
    const EVIDENCE: f64 = 30.0;
    match &test.check {
        PortCheck::Read { .. } => ASSOCIATION,
        PortCheck::Write { answer: Answer::Granted | Answer::Invalid, .. } => ASSOCIATION,
        PortCheck::Act { granted: true, .. } => ASSOCIATION,
        PortCheck::Write { .. } | PortCheck::Act { .. } => ASSOCIATION + EVIDENCE,
        PortCheck::AccessRights { .. } => 60.0,
        PortCheck::WrongKey { .. } => 2.0 * (ASSOCIATION + EVIDENCE),
        PortCheck::Replay { off_seconds, .. } => off_seconds.unwrap_or(0.0) + 3.0 * (ASSOCIATION + EVIDENCE),
        PortCheck::Downgrade { .. } => 7.0 * (ASSOCIATION + EVIDENCE),
        PortCheck::AssociationLimits { times, .. } => 600.0 + 0.1 * *times as f64,
        PortCheck::HdlcLink => 2.0 * ASSOCIATION,
        PortCheck::Clock(test) => 2.0 * ASSOCIATION + test.seconds,
        PortCheck::LoadProfile { seconds, .. } => 2.0 * ASSOCIATION + seconds,
    }
}

/// A conversation with one meter, and what was found.
struct Talk<'b> {
    port: &'b mut MeterPort,
    accesses: &'b [Access],
    /// The energy registers stand.
    at_rest: bool,
    findings: Vec<Finding>,
}

impl<'b> Talk<'b> {
    fn new(bench: &'b mut Bench, place: usize, port: Port, at: &LoadPoint) -> Self {
        let place = &mut bench.places[place];
        let port = match port {
            Port::Optical => &mut place.optical,
            Port::Network => &mut place.network,
        };
        Self { port, accesses: &place.accesses, at_rest: at.ampere == 0.0, findings: Vec::new() }
    }

    async fn check(&mut self, check: &PortCheck) -> Result<(), PortError> {
        match check {
            PortCheck::Read { role, expect } => self.read(role, expect).await,
            PortCheck::Write { role, object, attribute, value, answer } => {
                self.write(role, object, *attribute, value, *answer).await
            }
            PortCheck::Act { role, object, method, parameter, granted } => {
                self.act(role, object, *method, parameter.as_ref(), *granted).await
            }
            PortCheck::AccessRights { rules } => self.access_rights(rules).await,
            PortCheck::WrongKey { role } => self.wrong_key(role).await,
            PortCheck::Replay { role, .. } => self.replay(role).await,
            PortCheck::Downgrade { role } => self.downgrade(role).await,
            PortCheck::AssociationLimits { role, times } => self.association_limits(role, *times).await,
            PortCheck::HdlcLink => self.hdlc_link().await,
            PortCheck::Clock(test) => self.clock(test).await,
            PortCheck::LoadProfile { role, seconds, general_blocks } => {
                self.load_profile(role, *seconds, *general_blocks).await
            }
        }
    }

    /// How a role comes to this meter.
    fn access(&self, role: &str) -> Result<Access, PortError> {
        let known = self.accesses.iter().find(|access| access.role == role);
        known.cloned().ok_or_else(|| self.port.silent(&format!("the bench cannot come as {role}")))
    }

    async fn associate(&mut self, role: &str) -> Result<(), PortError> {
        let access = self.access(role)?;
        self.port.associate(&access).await
    }

    fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// What was found about a subject.
struct Finding {
    subject: String,
    quantity: &'static str,
    value: Value,
    unit: &'static str,
    limit: Option<Limit>,
    uncertainty: Option<Uncertainty>,
    /// An expectation without a figure was met, or not.
    met: Option<bool>,
    /// The conditions did not stand: it decides nothing.
    unsettled: bool,
    note: Option<String>,
    raw: Map<String, serde_json::Value>,
}

impl Finding {
    /// An expectation without a figure: the state that was found against the one that was expected.
    fn met(
        subject: &str,
        quantity: &'static str,
        met: bool,
        found: &str,
        expected: &str,
        note: Option<String>,
    ) -> Self {
        let mut raw = Map::new();
        raw.insert("expected".into(), json!(expected));
        Self {
            subject: subject.to_owned(),
            quantity,
            value: Value::State(found.to_owned()),
            unit: "",
            limit: None,
            uncertainty: None,
            met: Some(met),
            unsettled: false,
            note,
            raw,
        }
    }

    /// A figure within bounds.
    fn figure(subject: &str, quantity: &'static str, value: Value, unit: &'static str, limit: Limit) -> Self {
        Self {
            subject: subject.to_owned(),
            quantity,
            value,
            unit,
            limit: Some(limit),
            uncertainty: None,
            met: None,
            unsettled: false,
            note: None,
            raw: Map::new(),
        }
    }

    fn record(self, bench: &mut Bench, step: &ResolvedStep, place: usize, at: &LoadPoint) -> Result<(), RunError> {
        let Self { subject, quantity, value, unit, limit, uncertainty, met, unsettled, note, raw } = self;
        let taken = Taken::new(step, quantity, unit, at, limit);
        bench.record(place, Taken { subject: Some(subject), value, uncertainty, met, unsettled, note, raw, ..taken })
    }
}

/// Bounds that the plan sets.
fn plan_limit(low: Option<f64>, high: Option<f64>, row: &str) -> Limit {
    Limit {
        low,
        high,
        source: "plan".into(),
        row: row.to_owned(),
        certainty: meterbench_record::Certainty::Verified,
        binding: None,
    }
}
