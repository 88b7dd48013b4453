//! What a source plays in a step, and what the meters must say of it.

use meterbench_record::{Feature, LoadPoint, Nameplate, Phases};
use meterbench_waveform::{Sine, VoltageEvent, Waveform};

use crate::condition::Condition;
use crate::event_kind::EventKind;
use crate::object::ObjectName;
use crate::port_test::Port;

/// A stimulus and what is expected of it.
#[derive(Debug, Clone)]
pub struct PlayTest {
    /// The load that stands before and after it.
    pub load: LoadPoint,
    /// What stands beside the load, one after the other; empty where the load stays.
    pub stages: Vec<Stage>,
    /// Events on what stands.
    pub events: Option<EventSeries>,
    /// From its end until the meters are asked what was (s).
    pub after_seconds: f64,
    /// It begins with a whole interval of the meter's clock, of this length (s).
    pub aligned_seconds: Option<f64>,
    /// Where the meters are asked.
    pub port: Port,
    pub expect: Vec<PlayExpectation>,
}

/// Something that stands for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub words: String,
    /// In the place of the voltages of the load, by phase.
    pub voltage: Option<[Sine; 3]>,
    /// In the place of the frequency of the load.
    pub hertz: Option<f64>,
    pub waveform: Waveform,
    /// Time of the way there, from what stood before (s).
    pub over_seconds: f64,
    /// Time it stands (s).
    pub seconds: f64,
}

/// The same event several times.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSeries {
    pub words: String,
    pub event: VoltageEvent,
    pub times: u64,
    /// From the begin of one to the begin of the next (s).
    pub every_seconds: f64,
}

impl EventSeries {
    /// From the first begin to the last end (s).
    pub fn seconds(&self) -> f64 {
        (self.times.saturating_sub(1)) as f64 * self.every_seconds + self.event.seconds
    }
}

impl PlayTest {
    /// Time of the stimulus (s).
    pub fn seconds(&self) -> f64 {
        let events = self.events.as_ref().map_or(0.0, EventSeries::seconds);
        let stages: f64 = self.stages.iter().map(|stage| stage.over_seconds + stage.seconds).sum();
        stages.max(events)
    }
}

/// One thing that a meter must say.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayExpectation {
    /// What it is about, for the record: the same word once in a step.
    pub subject: String,
    pub observable: Observable,
    /// What a meter must have to show it.
    pub needs: Vec<Feature>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Observable {
    /// Rows of a log.
    Event(EventExpectation),
    /// How far a counter went on; of one phase, or of all events of the kind.
    Counter { kind: EventKind, phase: Option<usize>, count: Condition },
    /// A register while the stimulus stands, or at the last look where only events are played; and whether the meter flags it.
    Reading { object: ObjectName, value: Option<Bounds>, flagged: Option<bool> },
    /// A harmonic while the stimulus stands.
    Harmonic { spectrum: ObjectName, orders: (u16, u16), value: Option<Bounds>, angle: Option<Bounds> },
    /// A register in the first new snapshot that this kind of event set off.
    Snapshot { kind: EventKind, object: ObjectName, value: Bounds },
}

/// New rows of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct EventExpectation {
    /// `None` for all kinds that the step does not name.
    pub kind: Option<EventKind>,
    pub count: Condition,
    pub phases: Option<Phases>,
    /// In the unit of the kind.
    pub extreme: Option<Bounds>,
    /// ms
    pub duration: Option<Bounds>,
    /// Begin by the clock of the meter, after the begin of the stimulus (ms).
    pub begin: Option<Bounds>,
}

impl PlayExpectation {
    /// Why a meter cannot show it, by its nameplate.
    pub fn missing(&self, plate: &Nameplate) -> Option<String> {
        let missing = self.needs.iter().find(|feature| !plate.has.contains(feature));
        missing.map(|feature| format!("this variant has no {}", feature.name()))
    }

    /// Measurements it makes at each position.
    pub fn measurements(&self) -> usize {
        match &self.observable {
            Observable::Event(event) => {
                let attributes = [event.extreme.is_some(), event.duration.is_some(), event.begin.is_some()];
                1 + usize::from(event.phases.is_some()) + attributes.into_iter().filter(|given| *given).count()
            }
            Observable::Counter { .. } | Observable::Snapshot { .. } => 1,
            Observable::Reading { value, flagged, .. } => usize::from(value.is_some()) + usize::from(flagged.is_some()),
            Observable::Harmonic { value, angle, .. } => usize::from(value.is_some()) + usize::from(angle.is_some()),
        }
    }
}

/// Bounds of a figure, inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub unit: &'static str,
}
