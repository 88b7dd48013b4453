//! The record: the fold of the journal.

use std::collections::BTreeMap;
use std::io::BufRead;

use meterbench_waveform::Played;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::BenchNs;
use crate::event::{EngineTime, Event, Firmware, JournalLine, LogLine, RunInfo, RunStart, Subject};
use crate::measurement::Measurement;
use crate::verdict::{Outcome, Verdict};

/// Schema of `record.json`.
pub const SCHEMA_RECORD: &str = "meterbench/record/1";

/// Why a journal cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The journal cannot be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A line is not an event. A last line that was cut off by a crash is not an error.
    #[error("line {line} of the journal is not an event: {source}")]
    Line {
        /// Number of the line.
        line: u64,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Lines are missing or doubled.
    #[error("line {line} of the journal carries number {seq}: lines are missing")]
    Sequence {
        /// Number of the line in the file.
        line: u64,
        /// Number it carries.
        seq: u64,
    },
    /// There is no first event.
    #[error("the journal does not begin with `run_started`")]
    NoStart,
    /// Nothing that a source could have played.
    #[error("line {line} of the journal plays what no source plays: {what}")]
    Played {
        /// Number of the line.
        line: u64,
        /// What of it.
        what: &'static str,
    },
    /// The end does not follow from what was measured.
    #[error("the journal says the run ended with {told:?}, its measurements say {measured:?}: it has been changed")]
    Contradiction {
        /// What the last event says.
        told: Outcome,
        /// What the measurements say.
        measured: Outcome,
    },
    /// Made by a newer program.
    #[error("the journal says `{0}`: made by a newer meterbench")]
    Schema(String),
}

/// Verdicts counted. Advisory verdicts are counted apart: they decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Deciding passes.
    pub pass: u32,
    /// Deciding failures.
    pub fail: u32,
    /// Deciding, and neither.
    pub inconclusive: u32,
    /// What this meter cannot show.
    pub not_observable: u32,
    /// Skipped.
    pub skipped: u32,
    /// Verdicts that do not decide.
    pub advisory: u32,
    /// Measured where nothing limits.
    pub unlimited: u32,
}

impl Counts {
    /// Counts one more measurement.
    pub fn add(&mut self, measurement: &Measurement) {
        let count = match &measurement.verdict {
            None => &mut self.unlimited,
            Some(Verdict::Skipped) => &mut self.skipped,
            Some(Verdict::NotObservable) => &mut self.not_observable,
            Some(_) if !measurement.decides => &mut self.advisory,
            Some(Verdict::Pass) => &mut self.pass,
            Some(Verdict::Fail) => &mut self.fail,
            Some(Verdict::Inconclusive | Verdict::Unknown(_)) => &mut self.inconclusive,
        };
        *count += 1;
    }

    /// The strongest result over these positions; one that decided nothing is not covered by its neighbours.
    pub fn strongest(counts: &BTreeMap<u32, Self>, tested: impl Iterator<Item = u32>) -> Outcome {
        let of = |position| counts.get(&position).map_or(Outcome::Undecided, Self::outcome);
        tested.map(of).max().unwrap_or(Outcome::Undecided)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            inconclusive: self.inconclusive + other.inconclusive,
            not_observable: self.not_observable + other.not_observable,
            skipped: self.skipped + other.skipped,
            advisory: self.advisory + other.advisory,
            unlimited: self.unlimited + other.unlimited,
        }
    }

    /// What the verdicts alone say. Nothing decided is never a pass.
    pub fn outcome(&self) -> Outcome {
        if self.fail > 0 {
            Outcome::Fail
        } else if self.pass == 0 || self.inconclusive > 0 {
            Outcome::Undecided
        } else {
            Outcome::Pass
        }
    }
}

/// What a run says, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// `meterbench/record/1`.
    pub schema: String,
    /// What is different in every run.
    pub run: RunInfo,
    /// What it was about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Measurements in the order they were made.
    pub measurements: Vec<Measurement>,
    /// Notes and faults of the bench, in order.
    pub notes: Vec<String>,
    /// What the source played beside steady sines, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub played: Vec<Played>,
    /// The attempts in which it did, one for each.
    #[serde(skip)]
    pub played_in: Vec<u32>,
    /// The attempt whose lines are folded in.
    #[serde(skip)]
    attempt_now: u32,
    /// Firmware that was put into meters, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firmware: Vec<Firmware>,
    /// What the firmware of meters said, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
    /// Verdicts per position.
    pub positions_counts: BTreeMap<u32, Counts>,
    /// Positions the bench lost, with the reason.
    #[serde(default)]
    pub positions_lost: BTreeMap<u32, String>,
    /// Verdicts of the run.
    pub counts: Counts,
    /// How the run ended; absent while the journal has no end.
    pub outcome: Option<Outcome>,
    /// What is known of the outputs at the end.
    pub outputs: String,
    /// Bench time of the last event (ns).
    pub bench_ns: BenchNs,
    /// Number of the last line of the journal.
    #[serde(skip)]
    pub seq: u64,
    /// Number of the last step that ended in this attempt.
    #[serde(skip)]
    pub steps_ended: u32,
    /// Positions this attempt is about; empty for all.
    #[serde(skip)]
    pub attempt_positions: Vec<u32>,
    /// How an emulated bench computed its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineTime>,
    /// What earlier attempts measured in steps that were made again after a break. It counts no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Measurement>,
    /// SHA-256 of this record without `run` and `digest`.
    pub digest: String,
}

impl Record {
    /// Begins a record.
    pub fn new(start: RunStart) -> Self {
        Self {
            schema: SCHEMA_RECORD.to_owned(),
            run: start.run,
            subject: start.subject,
            measurements: Vec::new(),
            notes: Vec::new(),
            played: Vec::new(),
            played_in: Vec::new(),
            attempt_now: 1,
            firmware: Vec::new(),
            log: Vec::new(),
            positions_counts: BTreeMap::new(),
            positions_lost: BTreeMap::new(),
            counts: Counts::default(),
            outcome: None,
            outputs: "unknown: the run has not ended".to_owned(),
            bench_ns: 0,
            seq: 0,
            steps_ended: 0,
            attempt_positions: Vec::new(),
            engine: None,
            superseded: Vec::new(),
            digest: String::new(),
        }
    }

    /// Folds one more line in.
    pub fn apply(&mut self, line: JournalLine) {
        self.bench_ns = self.bench_ns.max(line.bench_ns);
        self.seq = line.seq;
        match line.event {
            Event::Measured { measurement } => {
                self.counts.add(&measurement);
                self.positions_counts.entry(measurement.position).or_default().add(&measurement);
                self.measurements.push(*measurement);
            }
            Event::StepEnded(ended) => self.steps_ended = self.steps_ended.max(ended.step),
            Event::Noted { text, .. } => self.notes.push(text),
            Event::Played(played) => {
                self.played.push(*played);
                self.played_in.push(self.attempt_now);
            }
            Event::Flashed(firmware) => self.firmware.push(firmware),
            Event::Logged(line) => self.log.push(line),
            Event::PositionLost { position, text, .. } => {
                self.notes.push(format!("position {position}: {text}"));
                self.positions_lost.insert(position, text);
            }
            Event::BenchFailed { text, during, outputs } => {
                self.notes.push(format!("{text}; during {during}"));
                self.outputs = outputs;
            }
            Event::RunResumed { step, positions, attempt, at } => self.resume(step, &positions, attempt, &at),
            Event::RunEnded { outcome, outputs, wall_seconds, engine } => {
                self.engine = engine;
                self.outcome = Some(outcome);
                self.outputs = outputs;
                self.run.wall_seconds = wall_seconds;
            }
            Event::RunStarted(_) | Event::StepStarted(_) | Event::PointStarted { .. } | Event::Unknown(_) => {}
        }
    }

    /// What was measured there is made again: it is kept apart and counts no more.
    fn resume(&mut self, step: u32, positions: &[u32], attempt: u32, at: &str) {
        let meant = |position: u32| positions.is_empty() || positions.contains(&position);
        let (again, kept): (Vec<Measurement>, _) =
            std::mem::take(&mut self.measurements).into_iter().partition(|m| m.step >= step && meant(m.position));
        self.measurements = kept;
        let failed = again.iter().filter(|m| m.verdict == Some(Verdict::Fail) && m.decides).count();
        self.notes.push(format!(
            "attempt {attempt} began at {at} with step {step}: {} measurements of earlier attempts are kept apart, {failed} of them failed",
            again.len()
        ));
        self.superseded.extend(again);
        if positions.is_empty() {
            // What steps that are made again played is played again.
            let kept = self.played.partition_point(|played| played.step < step);
            self.played.truncate(kept);
            self.played_in.truncate(kept);
        }
        self.attempt_now = attempt;
        self.positions_counts.clear();
        self.counts = Counts::default();
        for measurement in &self.measurements {
            self.counts.add(measurement);
            self.positions_counts.entry(measurement.position).or_default().add(measurement);
        }
        // A position that was lost is tried again.
        self.positions_lost.retain(|&position, _| !meant(position));
        self.outcome = None;
        (self.steps_ended, self.attempt_positions) = (step.saturating_sub(1), positions.to_vec());
    }

    /// Attempts so far.
    pub fn attempt(&self) -> u32 {
        self.measurements.iter().chain(&self.superseded).map(|m| m.attempt).max().unwrap_or(1)
    }

    /// Folds a journal. A last line cut off by a crash is left out.
    pub fn fold(mut journal: impl BufRead) -> Result<Self, RecordError> {
        let mut record: Option<Self> = None;
        let mut text = String::new();
        for number in 1.. {
            text.clear();
            if journal.read_line(&mut text)? == 0 {
                break;
            }
            let whole = text.ends_with('\n');
            let line: JournalLine = match serde_json::from_str(&text) {
                Ok(line) => line,
                Err(_) if !whole => break,
                Err(source) => return Err(RecordError::Line { line: number, source }),
            };
            if line.seq != number {
                return Err(RecordError::Sequence { line: number, seq: line.seq });
            }
            if let Event::Played(played) = &line.event
                && let Some(what) = played.unsound()
            {
                return Err(RecordError::Played { line: number, what });
            }
            match (&mut record, line.event) {
                (None, Event::RunStarted(start)) => {
                    if start.schema != crate::SCHEMA_JOURNAL {
                        return Err(RecordError::Schema(start.schema));
                    }
                    record = Some(Self { seq: line.seq, ..Self::new(*start) });
                }
                (None, _) => return Err(RecordError::NoStart),
                (Some(_), Event::Unknown(value)) if is_known(&value) => {
                    // A word of this version that does not read: dropping it could drop a failure.
                    let source = serde_json::from_value::<KnownEvent>(value).err();
                    let source =
                        source.unwrap_or_else(|| <serde_json::Error as serde::de::Error>::custom("a field is wrong"));
                    return Err(RecordError::Line { line: number, source });
                }
                (Some(record), event) => record.apply(JournalLine { event, ..line_head(line.seq, line.bench_ns) }),
            }
        }
        let mut record = record.ok_or(RecordError::NoStart)?;
        let measured = record.decided();
        if let Some(told @ (Outcome::Pass | Outcome::Undecided | Outcome::Fail)) = record.outcome
            && told != measured
        {
            return Err(RecordError::Contradiction { told, measured });
        }
        record.seal();
        Ok(record)
    }

    /// What the measurements alone say of the run.
    pub fn decided(&self) -> Outcome {
        Counts::strongest(&self.positions_counts, self.subject.tested().map(|position| position.id))
    }

    /// Sets the digest.
    pub fn seal(&mut self) {
        self.digest = self.compute_digest();
    }

    /// SHA-256 over the canonical JSON of everything but `run` and `digest`.
    pub fn compute_digest(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.remove("run");
            object.remove("digest");
        }
        Sha256::digest(value.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Events of this version by name.
const KNOWN: [&str; 11] = [
    "run_started",
    "step_started",
    "point_started",
    "measured",
    "noted",
    "played",
    "position_lost",
    "run_resumed",
    "step_ended",
    "bench_failed",
    "run_ended",
];

fn is_known(value: &serde_json::Value) -> bool {
    value["event"].as_str().is_some_and(|word| KNOWN.contains(&word))
}

/// For the message of what is wrong with a measurement.
#[derive(Deserialize)]
struct KnownEvent {
    #[serde(rename = "measurement")]
    _measurement: Measurement,
}

fn line_head(seq: u64, bench_ns: BenchNs) -> JournalLine {
    JournalLine { seq, bench_ns, event: Event::Noted { step: None, text: String::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_decided_is_never_a_pass() {
        assert_eq!(Counts::default().outcome(), Outcome::Undecided);
        assert_eq!(Counts { advisory: 9, ..Counts::default() }.outcome(), Outcome::Undecided);
        assert_eq!(Counts { pass: 1, inconclusive: 1, ..Counts::default() }.outcome(), Outcome::Undecided);
        assert_eq!(Counts { pass: 1, advisory: 1, ..Counts::default() }.outcome(), Outcome::Pass);
        assert_eq!(Counts { pass: 9, fail: 1, inconclusive: 1, ..Counts::default() }.outcome(), Outcome::Fail);
    }

    #[test]
    fn what_was_played_in_a_step_that_is_made_again_stands_once() {
        use meterbench_waveform::{Played, Sines, Waveform};
        let run = r#"{"seq":1,"bench_ns":0,"event":"run_started","schema":"meterbench/journal/1","run":{"id":"","started":"","host":"","wall_seconds":0.0,"out":""},"version":"","plan":"","plan_file":"","plan_sha256":"","standard":null,"decision_rule":"","bench":"","bench_kind":"","instruments":[],"positions":[],"steps":[],"expected_bench_ns":0}"#;
        let mut record = Record::fold(format!("{run}\n").as_bytes()).unwrap();
        let mut play = |step| {
            let (words, sines, waveform) = (String::new(), Sines::default(), Waveform::default());
            let played = Played { step, words, from_ns: 0, to_ns: 1, sines, waveform, event: None };
            record.apply(JournalLine { seq: 2, bench_ns: 0, event: Event::Played(Box::new(played)) });
        };
        play(1);
        play(2);
        let resumed = |positions| Event::RunResumed { step: 2, positions, attempt: 2, at: String::new() };
        record.apply(JournalLine { seq: 4, bench_ns: 0, event: resumed(vec![3]) });
        assert_eq!(record.played.len(), 2, "the other positions keep theirs");
        record.apply(JournalLine { seq: 5, bench_ns: 0, event: resumed(Vec::new()) });
        assert_eq!(record.played.iter().map(|played| played.step).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_journal_without_a_start_is_refused() {
        assert!(matches!(Record::fold(&b""[..]), Err(RecordError::NoStart)));
        let line = b"{\"seq\":1,\"bench_ns\":0,\"event\":\"step_ended\",\"step\":1}\n";
        assert!(matches!(Record::fold(&line[..]), Err(RecordError::NoStart)));
        assert!(matches!(Record::fold(&b"nonsense\n"[..]), Err(RecordError::Line { line: 1, .. })));
    }

    #[test]
    fn every_event_of_this_version_is_known_by_name() {
        let events = [
            Event::PointStarted { step: 1, at: String::new() },
            Event::Noted { step: None, text: String::new() },
            Event::PositionLost { step: 1, position: 1, text: String::new() },
            Event::StepEnded(crate::StepReport { step: 1 }),
            Event::StepStarted(crate::StepInfo { step: 1, kind: String::new(), name: String::new(), points: 0 }),
            Event::BenchFailed { text: String::new(), during: String::new(), outputs: String::new() },
            Event::RunEnded { outcome: Outcome::Pass, outputs: String::new(), wall_seconds: 0.0, engine: None },
        ];
        for event in events {
            assert!(is_known(&serde_json::to_value(&event).unwrap()), "{event:?}");
        }
    }
}
