//! The one stream of events, and the lines of its journal.

use meterbench_waveform::Played;
use serde::{Deserialize, Serialize};

use crate::BenchNs;
use crate::measurement::Measurement;
use crate::nameplate::Nameplate;
use crate::verdict::Outcome;

/// Schema of the journal's lines.
pub const SCHEMA_JOURNAL: &str = "meterbench/journal/1";

/// Everything that differs between two runs of the same plan, bench, meter, seed and version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Identifier and name of the directory.
    pub id: String,
    /// Start, ISO 8601 with offset.
    pub started: String,
    /// Machine.
    pub host: String,
    /// Who ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Wall time (s); zero until the end.
    pub wall_seconds: f64,
    /// Output directory.
    pub out: String,
    /// The image that the meters ran, where they did not run in this program: file and SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// An instrument as the bench file and the instrument itself describe it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstrumentInfo {
    /// Role on the bench.
    pub role: String,
    /// Model, as in the bench file.
    pub model: String,
    /// Where it is reached.
    pub address: String,
    /// What it answered when asked who it is.
    pub identity: String,
    /// Calibration certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Date until which the calibration holds, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Expanded uncertainty (k = 2) of the certificate [%].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_percent: Option<f64>,
    /// The same of a chamber (K).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_kelvin: Option<f64>,
}

/// How an emulated bench spent its bench time, by its first tested position (s).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EngineTime {
    /// Every sample of every channel.
    pub samples_s: f64,
    /// Whole cycles in closed form, while nobody waited for an impulse.
    pub cycles_s: f64,
}

/// A place on the bench and the meter in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionInfo {
    /// Number of the position.
    pub id: u32,
    /// Serial number of the meter.
    pub serial: String,
    /// Its nameplate.
    pub meter: Nameplate,
    /// Not tested on request.
    pub skip: bool,
    /// Planted faults, as words; empty on a healthy meter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Number, from 1.
    pub step: u32,
    /// Step word of the plan.
    pub kind: String,
    /// Name for people.
    pub name: String,
    /// Measurements it will make per position.
    pub points: u32,
}

/// What a run is about: equal for equal inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Version of meterbench.
    pub version: String,
    /// Title of the plan.
    pub plan: String,
    /// File of the plan, name only.
    pub plan_file: String,
    /// SHA-256 of the plan's bytes.
    pub plan_sha256: String,
    /// SHA-256 of what the bench is made of, and of the image its meters run, if they run one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench_sha256: Option<String>,
    /// Standard and edition.
    pub standard: Option<String>,
    /// Decision rule by name.
    pub decision_rule: String,
    /// Title of the bench.
    pub bench: String,
    /// `emulated` or `real`.
    pub bench_kind: String,
    /// Seed of an emulated bench.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Instruments.
    pub instruments: Vec<InstrumentInfo>,
    /// Positions.
    pub positions: Vec<PositionInfo>,
    /// Steps.
    pub steps: Vec<StepInfo>,
}

impl Subject {
    /// Positions that are tested.
    pub fn tested(&self) -> impl Iterator<Item = &PositionInfo> {
        self.positions.iter().filter(|position| !position.skip)
    }
}

/// The first event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Schema of the journal.
    pub schema: String,
    /// What is different in every run.
    pub run: RunInfo,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Bench time the plan is expected to take (ns).
    pub expected_bench_ns: BenchNs,
}

/// A step that ended, for readers that show one line a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// Number of the step.
    pub step: u32,
}

/// Firmware that was put into a meter, and read back byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firmware {
    /// Number of the step.
    pub step: u32,
    /// Position.
    pub position: u32,
    /// File of the image, as the plan names it.
    pub image: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Bytes in the flash.
    pub bytes: u64,
    /// The probe by its name, VID:PID and serial number.
    pub probe: String,
    /// The chip by its name and identity.
    pub chip: String,
    /// Why the probe was allowed to touch the meter.
    pub clearance: String,
}

/// A line of the log of a meter's firmware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Number of the step.
    pub step: u32,
    /// Position.
    pub position: u32,
    /// The words.
    pub text: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    RunStarted(Box<RunStart>),
    /// A run that broke off goes on: steps from this one are made anew, with a higher attempt.
    RunResumed {
        /// Number of the first step that is made again.
        step: u32,
        /// Positions that are tested again; empty for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        positions: Vec<u32>,
        /// Attempt from now on.
        attempt: u32,
        /// When, ISO 8601 with offset.
        at: String,
    },
    /// A step begins.
    StepStarted(StepInfo),
    /// A load point is applied; `at` in words.
    PointStarted {
        /// Number of the step.
        step: u32,
        /// The point in words.
        at: String,
    },
    /// A value was measured.
    Measured {
        /// The measurement.
        measurement: Box<Measurement>,
    },
    /// Something a reader of the report should know.
    Noted {
        /// Number of the step, if it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u32>,
        /// The words.
        text: String,
    },
    /// The source played something beside a steady sine.
    Played(Box<Played>),
    /// Firmware stands in a meter.
    Flashed(Firmware),
    /// A meter's firmware says something.
    Logged(LogLine),
    /// A position could not be measured further, by fault of the bench.
    PositionLost {
        /// Number of the step.
        step: u32,
        /// Position.
        position: u32,
        /// Why.
        text: String,
    },
    /// A step ended.
    StepEnded(StepReport),
    /// The bench broke.
    BenchFailed {
        /// What happened.
        text: String,
        /// During what.
        during: String,
        /// What is known of the outputs.
        outputs: String,
    },
    /// The run is over; outputs are off or the event says what is known.
    RunEnded {
        /// Strongest result.
        outcome: Outcome,
        /// What is known of the outputs.
        outputs: String,
        /// Wall time (s).
        wall_seconds: f64,
        /// How an emulated bench computed the time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        engine: Option<EngineTime>,
    },
    /// An event of a newer version, kept as it is.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Number of the line, from 1, without gaps.
    pub seq: u64,
    /// Bench time (ns).
    pub bench_ns: BenchNs,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use meterbench_waveform::{Sines, VoltageEvent, Waveform};

    use super::*;

    #[test]
    fn a_stimulus_with_an_event_survives_the_journal() {
        let phases = [true, false, false];
        let event = VoltageEvent { phases, share: 0.4, seconds: 0.2, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 };
        let (words, sines, waveform) = ("dip".to_owned(), Sines::default(), Waveform::default());
        let played = Played { step: 1, words, from_ns: 5, to_ns: 6, sines, waveform, event: Some(event) };
        let line = JournalLine { seq: 1, bench_ns: 6, event: Event::Played(Box::new(played)) };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<JournalLine>(&text).unwrap(), line, "{text}");
    }

    #[test]
    fn an_event_of_a_newer_version_is_kept() {
        let text = r#"{"seq":3,"bench_ns":5,"event":"dashboard_opened","by":"x"}"#;
        let line: JournalLine = serde_json::from_str(text).unwrap();
        assert!(matches!(&line.event, Event::Unknown(value) if value["event"] == "dashboard_opened"));
    }
}
