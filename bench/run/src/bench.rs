//! The bench a procedure works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use meterbench_iec62056::apdu::{AttributeDescriptor, DataAccessResult};
use meterbench_iec62056::obis::Obis;
use meterbench_instruments::{
    AcSource, Access, Chamber, Clearance, MeterOutput, MeterPort, PortError, Programmer, Readback, Reference,
    S0Counter, Setting, Wave, result_words,
};
use meterbench_plan::{ResolvedStep, SUPPLY_UN};
use meterbench_record::{
    Direction, EnergyKind, Event, Limit, LoadPoint, Measurement, Nameplate, Uncertainty, Value, Verdict,
};
use meterbench_standards::{DecisionRule, Judgement};
use meterbench_waveform::Waveform;
use tokio::time::sleep;

use crate::error::RunError;
use crate::recorder::Recorder;
use crate::safety::SafetyStack;
use crate::waves;

/// Dwell after every change of the load before impulses are trusted.
pub(crate) const SETTLING: Duration = Duration::from_secs(10);
/// How often and how long the read-back of the source is awaited.
const READ_BACK_EVERY: Duration = Duration::from_millis(500);
const READ_BACK_TRIES: u32 = 20;
/// Read-back of a set-point must come this close.
const TOLERANCE: f64 = 0.005;

/// What certificates and data sheets of the bench say; expanded uncertainties, k = 2, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibrations {
    /// Of the reference [%].
    pub reference_percent: f64,
    /// Of the amplitude of the source [%].
    pub source_percent: f64,
    /// Of the chamber's sensor at the meter (K).
    pub chamber_kelvin: f64,
    /// Bounds of the isolation between source and position: ratio [%] and angle (rad).
    pub isolation_percent: f64,
    pub isolation_rad: f64,
}

/// The instruments every position shares.
pub struct Shared {
    pub source: Box<dyn AcSource>,
    pub reference: Box<dyn Reference>,
    pub chamber: Option<Box<dyn Chamber>>,
}

/// A place on the bench and the meter in it.
pub struct Place {
    pub id: u32,
    pub nameplate: Nameplate,
    /// Input of the reference's error calculator.
    pub calculator: String,
    pub s0: S0Counter,
    pub optical: MeterPort,
    pub network: MeterPort,
    /// How clients come to this meter, by role; never empty.
    pub accesses: Vec<Access>,
    /// A probe on the meter's board, on a bench that has one.
    pub programmer: Option<Box<dyn Programmer>>,
    /// Not tested on request.
    pub skip: bool,
    /// Cannot be measured further, by fault of the bench.
    pub lost: bool,
    /// Attempt at this position, from 1.
    pub attempt: u32,
}

/// What the test output counts: manufacturer's data of this meter.
const TEST_OUTPUT: AttributeDescriptor =
    AttributeDescriptor { class: 1, name: Obis([1, 0, 0, 128, 0, 255]), attribute: 2 };

impl Place {
    /// How a role comes to this meter.
    pub(crate) fn access(&self, role: &str) -> &Access {
        self.accesses.iter().find(|access| access.role == role).unwrap_or(&self.accesses[0])
    }

    /// Lets the test output and S0 count kWh or kvarh, over the optical port.
    async fn select_output(&mut self, energy: EnergyKind) -> Result<(), PortError> {
        let installer = self.access("installer").clone();
        self.optical.associate(&installer).await?;
        let value = [22, u8::from(energy == EnergyKind::Reactive)];
        let result = self.optical.set(TEST_OUTPUT, &value).await?;
        self.optical.close().await;
        if result == DataAccessResult::SUCCESS {
            return Ok(());
        }
        Err(self.optical.protocol(&format!("what the test output counts is not set: {}", result_words(result.0))))
    }
}

/// Instruments, positions and the record.
pub struct Bench {
    pub source: Box<dyn AcSource>,
    pub reference: Box<dyn Reference>,
    pub chamber: Option<Box<dyn Chamber>>,
    pub calibrations: Calibrations,
    pub places: Vec<Place>,
    pub recorder: Recorder,
    pub safety: SafetyStack,
    pub decision_rule: DecisionRule,
    /// What is going on, for a message when it breaks.
    pub during: Arc<Mutex<String>>,
    /// Number of the step that runs.
    pub(crate) step: u32,
    /// The load that stands, to change nothing that needs no change.
    pub(crate) standing: Option<LoadPoint>,
    /// What the test outputs of all meters count; none where they may have forgotten what they were told.
    output: Option<EnergyKind>,
    /// Objects of the meters, by place, as far as they were asked for them.
    pub(crate) objects: HashMap<usize, Vec<(u16, Obis)>>,
    /// Everything measured so far: what a later step computes with.
    pub(crate) measured: Vec<Measurement>,
}

impl Bench {
    /// `measured` is what an earlier attempt at this run has left.
    pub fn new(
        instruments: Shared,
        calibrations: Calibrations,
        places: Vec<Place>,
        recorder: Recorder,
        decision_rule: DecisionRule,
        measured: Vec<Measurement>,
    ) -> Self {
        let Shared { source, reference, chamber } = instruments;
        Self {
            source,
            reference,
            chamber,
            calibrations,
            places,
            recorder,
            safety: SafetyStack::default(),
            decision_rule,
            during: Arc::default(),
            step: 0,
            standing: None,
            output: Some(EnergyKind::Active),
            objects: HashMap::new(),
            measured,
        }
    }

    /// Why the meters of this bench cannot show this load, if they cannot.
    pub(crate) fn not_applicable(&self, load: &LoadPoint) -> Option<&'static str> {
        let backwards = load.direction == Direction::Export && load.energy == EnergyKind::Active;
        (backwards && !self.plate().export).then_some("this meter registers A+ only")
    }

    /// Records for every position that the meter cannot show this.
    pub(crate) fn record_not_applicable(
        &mut self,
        step: &ResolvedStep,
        quantity: &str,
        unit: &str,
        load: &LoadPoint,
        why: &str,
    ) -> Result<(), RunError> {
        for place in self.active() {
            let taken = Taken { not_observable: true, ..Taken::new(step, quantity, unit, load, None) };
            self.record(place, Taken { note: Some(why.to_owned()), ..taken })?;
        }
        Ok(())
    }

    /// What the impulses of a position stand for in this kind of energy; switches the test outputs if need be.
    pub(crate) async fn select_output(&mut self, energy: EnergyKind) -> Result<(), RunError> {
        if self.output != Some(energy) {
            for place in self.active() {
                if let Err(error) = self.places[place].select_output(energy).await {
                    self.lose(place, self.step, format!("its test output cannot be chosen: {error}"))?;
                }
            }
            // The impulse that was collecting belongs to the other energy.
            sleep(SETTLING).await;
        }
        self.output = Some(energy);
        Ok(())
    }

    pub(crate) fn meter_output(&self, place: usize) -> MeterOutput {
        let reactive = self.output == Some(EnergyKind::Reactive);
        MeterOutput { constant: self.places[place].nameplate.constant_per_kwh, reactive }
    }

    /// The nameplate every meter of this bench shares the ratings of.
    pub(crate) fn plate(&self) -> &Nameplate {
        &self.places[0].nameplate
    }

    /// Indices of the positions that are measured.
    pub(crate) fn active(&self) -> Vec<usize> {
        (0..self.places.len()).filter(|&n| !self.places[n].skip && !self.places[n].lost).collect()
    }

    pub(crate) fn say(&self, during: String) {
        *self.during.lock().unwrap_or_else(PoisonError::into_inner) = during;
    }

    /// Applies a load point, waits until the read-back stands and lets it settle.
    pub(crate) async fn apply(&mut self, load: &LoadPoint) -> Result<(), RunError> {
        if self.standing.as_ref() == Some(load) {
            return Ok(());
        }
        let systems = self.plate().systems;
        let (setting, waveform) = (setting(load, systems), waves::waveform(load, systems));
        waves::check(self.source.as_mut(), load, systems)?;
        let standing = self.standing.take();
        let unsupplied = self.starves(load) || standing.as_ref().is_some_and(|standing| self.starves(standing));
        self.safety.push(self.source.as_ref());
        // Ranges go up before the load and down after it. Without current there is nothing to range for, and a change
        // of range would abort what is counting.
        let (loaded, ranges) = (load.ampere > 0.0, waves::ranges(load));
        if loaded {
            let (volt, ampere) = standing.map_or((0.0, 0.0), |standing| waves::ranges(&standing));
            self.reference.set_ranges(ranges.0.max(volt), ranges.1.max(ampere)).await?;
        }
        waves::put_out(self.source.as_mut(), &setting, waveform.as_ref()).await?;
        if unsupplied {
            self.meters_have_started();
        }
        self.await_read_back(&setting, &waveform.unwrap_or_default()).await?;
        if loaded {
            self.reference.set_ranges(ranges.0, ranges.1).await?;
        }
        sleep(SETTLING).await;
        self.standing = Some(load.clone());
        Ok(())
    }

    /// The meters may be without supply at this load.
    pub(crate) fn starves(&self, load: &LoadPoint) -> bool {
        load.volt < SUPPLY_UN * self.plate().un_volt
    }

    /// A load was put out again after something else: its read-back stands, and it settles.
    pub(crate) async fn stands(&mut self, load: &LoadPoint, setting: &Setting) -> Result<(), RunError> {
        self.await_read_back(setting, &Waveform::default()).await?;
        if load.ampere > 0.0 {
            self.reference.set_ranges(load.volt, load.ampere).await?;
        }
        self.standing = Some(load.clone());
        Ok(())
    }

    /// Voltage stays, current goes off.
    pub(crate) async fn remove_current(&mut self, load: &LoadPoint) -> Result<(), RunError> {
        let unloaded = LoadPoint { ampere: 0.0, current: "0 A".into(), ..load.clone() };
        self.apply(&unloaded).await
    }

    /// Switches the source off and waits until its own measurement says so.
    pub(crate) async fn switch_off(&mut self) -> Result<Clearance, RunError> {
        self.standing = None;
        self.safety.push(self.source.as_ref());
        self.source.off().await?;
        let mut read = String::new();
        for _ in 0..READ_BACK_TRIES {
            match Clearance::read_back(&self.source.read_back().await?) {
                Ok(clearance) => return Ok(clearance),
                Err(words) => read = words,
            }
            sleep(READ_BACK_EVERY).await;
        }
        Err(RunError::StillOn { read })
    }

    /// The meters were, or may have been, without supply: nothing stands on their ports, their counters may have gone on,
    /// and test outputs that counted reactive energy may count active energy again.
    pub(crate) fn meters_have_started(&mut self) {
        self.output = self.output.filter(|&energy| energy == EnergyKind::Active);
        for place in &mut self.places {
            place.optical.forget();
            place.network.forget();
        }
    }

    async fn await_read_back(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), RunError> {
        let mut off = None;
        for _ in 0..READ_BACK_TRIES {
            let seen = self.source.read_back().await?;
            off = first_off(setting, waveform, &seen);
            if off.is_none() {
                return Ok(());
            }
            sleep(READ_BACK_EVERY).await;
        }
        off.map_or(Ok(()), Err)
    }

    /// Judges a value and records it.
    pub(crate) fn record(&mut self, place: usize, taken: Taken<'_>) -> Result<(), RunError> {
        let expanded = taken.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
        let judgement = match (&taken.limit, taken.value.number(), taken.failed) {
            _ if taken.not_observable => Some(Judgement { verdict: Verdict::NotObservable, decides: false }),
            _ if taken.unsettled => Some(Judgement { verdict: Verdict::Inconclusive, decides: true }),
            (Some(_), _, true) => Some(Judgement { verdict: Verdict::Fail, decides: true }),
            (Some(limit), Some(value), false) => Some(self.decision_rule.judge(value, expanded, limit)),
            (Some(_), None, false) => Some(Judgement { verdict: Verdict::Inconclusive, decides: true }),
            (None, _, true) if taken.judged => Some(Judgement { verdict: Verdict::Fail, decides: true }),
            (None, ..) if taken.met.is_some() => {
                let verdict = if taken.met == Some(true) { Verdict::Pass } else { Verdict::Fail };
                Some(Judgement { verdict, decides: true })
            }
            (None, ..) => None,
        };
        let mut raw = taken.raw;
        if taken.unsettled {
            raw.insert(UNSETTLED.into(), true.into());
        }
        let place = &self.places[place];
        let measurement = Measurement {
            id: match &taken.subject {
                Some(subject) => [taken.step_id, &meterbench_record::slug(subject), taken.quantity].join("/"),
                None => identifier(taken.step_id, taken.load, taken.quantity),
            },
            step: taken.step,
            position: place.id,
            attempt: place.attempt,
            quantity: taken.quantity.to_owned(),
            subject: taken.subject,
            at: taken.load.clone(),
            value: taken.value,
            unit: taken.unit.to_owned(),
            raw,
            readings: taken.readings,
            uncertainty: taken.uncertainty,
            limit: taken.limit,
            decides: judgement.as_ref().is_some_and(|j| j.decides),
            verdict: judgement.map(|j| j.verdict),
            note: taken.note,
            bench_ns: self.recorder.bench_ns(),
        };
        self.measured.push(measurement.clone());
        self.recorder.measured(measurement)
    }

    /// A position that cannot be measured further; the others go on.
    pub(crate) fn lose(&mut self, place: usize, step: u32, text: String) -> Result<(), RunError> {
        self.places[place].lost = true;
        let position = self.places[place].id;
        self.recorder.emit(Event::PositionLost { step, position, text })
    }
}

/// Key in the raw values of a measurement whose conditions did not stand.
pub const UNSETTLED: &str = "unsettled";

/// A value as a procedure took it, before it is judged.
pub(crate) struct Taken<'a> {
    pub(crate) step: u32,
    pub(crate) step_id: &'a str,
    pub(crate) quantity: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) load: &'a LoadPoint,
    pub(crate) value: Value,
    pub(crate) readings: Vec<f64>,
    pub(crate) raw: serde_json::Map<String, serde_json::Value>,
    pub(crate) uncertainty: Option<Uncertainty>,
    pub(crate) limit: Option<Limit>,
    pub(crate) note: Option<String>,
    /// The meter failed without leaving a number.
    pub(crate) failed: bool,
    /// A meter that gives nothing fails even where no figure limits it; not where the plan says `limit: none`.
    pub(crate) judged: bool,
    /// The conditions did not stand: whatever the value, it decides nothing; the note says why.
    pub(crate) unsettled: bool,
    /// This meter cannot show it; the note says why.
    pub(crate) not_observable: bool,
    /// What it is about, where the load point does not say it.
    pub(crate) subject: Option<String>,
    /// An expectation without a figure was met, or not.
    pub(crate) met: Option<bool>,
}

impl<'a> Taken<'a> {
    /// No value yet; the procedure fills in what it found.
    pub(crate) fn new(
        step: &'a ResolvedStep,
        quantity: &'a str,
        unit: &'a str,
        load: &'a LoadPoint,
        limit: Option<Limit>,
    ) -> Self {
        Self {
            step: step.number,
            step_id: &step.id,
            quantity,
            unit,
            load,
            value: Value::None,
            readings: Vec::new(),
            raw: serde_json::Map::new(),
            uncertainty: None,
            limit,
            note: None,
            failed: false,
            judged: !step.unlimited,
            unsettled: false,
            not_observable: false,
            subject: None,
            met: None,
        }
    }

    /// The meter failed without leaving a number.
    pub(crate) fn failed(self, why: String) -> Self {
        Self { note: Some(why), failed: true, ..self }
    }

    /// The conditions did not stand, and why.
    pub(crate) fn unsettled(self, why: Option<&String>) -> Self {
        match why {
            Some(why) => Self { note: Some(why.clone()), unsettled: true, ..self },
            None => self,
        }
    }
}

/// `balanced-load/l123/10-itr/0.5-ind/import/percentage-error`, and what departs from Un.
fn identifier(step_id: &str, load: &LoadPoint, quantity: &str) -> String {
    use meterbench_record::slug;
    let direction = if load.direction == Direction::Import { "import" } else { "export" };
    let mut parts = vec![
        step_id.to_owned(),
        slug(&load.phases.to_string()),
        slug(&load.current),
        slug(&load.power_factor.to_string()),
        direction.to_owned(),
    ];
    if load.energy == EnergyKind::Reactive {
        parts.push("reactive".to_owned());
    }
    // A temperature below zero must not read as one above.
    let signed = |words: &String| format!(" {words}").replace(" -", " minus ");
    parts.extend(load.conditions().iter().map(|words| slug(signed(words).trim())));
    parts.push(quantity.to_owned());
    parts.join("/")
}

/// Voltages stand at 0, 120 and 240 degrees; each current lags its own voltage.
pub(crate) fn setting(load: &LoadPoint, systems: u8) -> Setting {
    let connected = |phase: usize| phase < usize::from(systems);
    let standing = |phase: usize| connected(phase) && !load.interrupted.is_some_and(|gone| gone.has(phase));
    let turn = if load.reversed_sequence { [0.0, 240.0, 120.0] } else { [0.0, 120.0, 240.0] };
    let voltage = |phase: usize| Wave { rms: load.volt, lag_deg: turn[phase] };
    // Of a wave that is cut from the sine of the load, the fundamental.
    let (times, later_deg) = waves::fundamental(load.wave, load.frequency_hz);
    let lag_deg = load.lag_degrees() + later_deg;
    let current = |phase: usize| Wave { rms: load.ampere * times, lag_deg: turn[phase] + lag_deg };
    let loaded = |phase: usize| connected(phase) && load.phases.has(phase) && load.ampere > 0.0;
    Setting {
        hertz: load.frequency_hz,
        voltage: [0, 1, 2].map(|n| (standing(n) && load.volt > 0.0).then(|| voltage(n))),
        current: [0, 1, 2].map(|n| loaded(n).then(|| current(n))),
    }
}

fn first_off(setting: &Setting, waveform: &Waveform, seen: &Readback) -> Option<RunError> {
    let channels = |waves: &[Option<Wave>; 3]| waves.map(|w| w.map_or(0.0, |w| w.rms));
    let (volt, ampere) = (channels(&setting.voltage), channels(&setting.current));
    let off = |asked: f64, read: f64, floor: f64| (read - asked).abs() > asked * TOLERANCE + floor;
    for n in 0..3 {
        for (what, unit, asked, read, floor, distortion) in [
            ("U", "V", volt[n], seen.volt[n], 0.05, &waveform.voltage[n]),
            ("I", "A", ampere[n], seen.ampere[n], 1e-5, &waveform.current[n]),
        ] {
            let (low, high) = waves::read_back(distortion);
            if off(read.clamp(asked * low, asked * high), read, floor) {
                return Some(RunError::NotSettled {
                    what: format!("{what}{}", n + 1),
                    read: format!("{read:.4} {unit}"),
                    asked: format!("{asked} {unit}"),
                });
            }
        }
    }
    off(setting.hertz, seen.hertz, 0.0).then(|| RunError::NotSettled {
        what: "the frequency".into(),
        read: format!("{} Hz", seen.hertz),
        asked: format!("{} Hz", setting.hertz),
    })
}
