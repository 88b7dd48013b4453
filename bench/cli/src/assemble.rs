//! From a bench file to a bench: laboratory, drivers, places.

use std::time::Duration;

use meterbench_emulator::{
    BodyConfig, BodyDisturbance, Laboratory, LaboratoryConfig, MeterConfig, Qemu, RoleAccess, SourceModel,
    Spoil as BodySpoil, roles,
};
use meterbench_iec62056::acse::Mechanism;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::security::Key;
use meterbench_instruments::{
    AcSource, Access, Chamber, ChamberLimits, Counters, InstrumentError, MeterPort, PortAddress, PortKind, S0Counter,
    SourceLimits, open_chamber, open_reference, open_source, terminator,
};
use meterbench_link::{Disturbance, Endpoint, Session, SessionOptions, Spoil, Tracer};
use meterbench_plan::{BenchFile, BenchKind, BodyEntry, Emulation, FaultWords, InstrumentEntry, MeterFile};
use meterbench_record::{InstrumentInfo, Nameplate, PositionInfo};
use meterbench_run::{Calibrations, Place, Shared};

use serde::{Deserialize, Serialize};

use crate::arguments::EngineChoice;
use crate::catalogue::{self, Refusal};
use crate::digest;
use crate::firmware;

/// Longest wait for an ordinary answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What the command line changes about a bench.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    pub meter: Option<String>,
    pub faults: Vec<String>,
    pub seed: Option<u64>,
    pub positions: Vec<u32>,
    pub engine: EngineChoice,
}

/// A bench file with everything on it looked up.
#[derive(Debug, Clone)]
pub struct Equipped {
    pub file: BenchFile,
    pub positions: Vec<PositionInfo>,
    pub config: LaboratoryConfig,
    pub inputs: Inputs,
    /// The image its meters run, where they do not run in this program.
    pub image: Option<String>,
    /// SHA-256 of what the bench is made of: a run goes on only where it is the same.
    pub bench_sha256: String,
}

/// What a bench was equipped by: enough to equip it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// File or name of the bench.
    pub bench: String,
    pub changes: Changes,
}

/// Looks up meters and faults. Nothing is connected yet.
pub fn equip(bench: &str, changes: &Changes) -> Result<Equipped, Refusal> {
    let mut file = catalogue::bench(bench)?;
    if file.kind == BenchKind::Real {
        return Err(Refusal::Words(
            "this version runs emulated benches only: a real bench waits for the supervisor process that switches it off when meterbench is killed".into(),
        ));
    }
    apply_changes(&mut file, changes)?;
    let mut positions = Vec::new();
    let mut meters = Vec::new();
    for place in &file.positions {
        let name = changes.meter.as_deref().unwrap_or(&place.meter);
        let MeterFile { nameplate, configuration } = catalogue::meter(name)?;
        let mut faults = Vec::new();
        let mut words = Vec::new();
        for fault in &place.faults {
            let (fault, said) = catalogue::fault(fault)?;
            faults.push(fault);
            words.push(said);
        }
        meters.push((
            place.id,
            MeterConfig {
                type_number: nameplate.type_number.clone(),
                configuration,
                serial: place.serial.clone(),
                un_volt: nameplate.un_volt as u32,
                fn_hertz: nameplate.fn_hertz as u32,
                constant: nameplate.constant_per_kwh,
                calculator: calculator_number(&place.calculator),
                faults,
            },
        ));
        positions.push(PositionInfo {
            id: place.id,
            serial: place.serial.clone(),
            meter: nameplate,
            skip: place.skip,
            faults: words,
        });
    }
    check_equal_ratings(&positions)?;
    let config = LaboratoryConfig {
        seed: file.emulation.seed,
        source: SourceModel::parse(&file.source.model)
            .ok_or_else(|| format!("source model `{}` is not emulated", file.source.model))?,
        meters,
        reference_uncertainty_percent: file.reference_uncertainty_percent(),
        ambient_c: file.emulation.ambient_c,
        isolation: file.isolation.map_or((0.0, 0.0), |i| (i.ratio_percent, i.angle_minutes)),
        chamber: file.chamber.is_some(),
        engine: changes.engine.into(),
        body: body(&file.emulation),
    };
    Laboratory::verify(&config).map_err(|error| Refusal::Words(error.to_string()))?;
    let inputs = Inputs { bench: bench.to_owned(), changes: changes.clone() };
    let image = digest::image(&config.body)?;
    let bench_sha256 = digest::bench(&file, image.as_deref());
    Ok(Equipped { file, positions, config, inputs, image, bench_sha256 })
}

/// Where the firmware runs.
fn body(emulation: &Emulation) -> BodyConfig {
    let BodyEntry::Qemu { image } = &emulation.body else { return BodyConfig::Native };
    let mut qemu = Qemu::default();
    if let Some(image) = image {
        qemu.image = image.into();
    }
    let spoil = |kind: &str| match kind {
        "dead" => BodySpoil::Dead,
        "garbage" => BodySpoil::Garbage,
        _ => BodySpoil::Killed,
    };
    let disturbance = emulation.disturb.iter().find(|d| d.instrument == "body");
    qemu.disturb = disturbance.map(|d| BodyDisturbance { block: d.after, spoil: spoil(&d.kind) });
    BodyConfig::Qemu(qemu)
}

fn apply_changes(file: &mut BenchFile, changes: &Changes) -> Result<(), Refusal> {
    if let Some(seed) = changes.seed {
        file.emulation.seed = seed;
    }
    for id in &changes.positions {
        if !file.positions.iter().any(|p| p.id == *id) {
            return Err(Refusal::Words(format!("the bench has no position {id}")));
        }
    }
    if !changes.positions.is_empty() {
        for place in &mut file.positions {
            place.skip |= !changes.positions.contains(&place.id);
        }
    }
    if file.positions.iter().all(|p| p.skip) {
        return Err(Refusal::Words("every position of the bench is skipped: nothing would be tested".into()));
    }
    let planted: Vec<(FaultWords, Option<u32>)> =
        changes.faults.iter().map(|text| read_fault(text)).collect::<Result<_, _>>()?;
    if planted.is_empty() {
        return Ok(());
    }
    for (n, (fault, at)) in planted.iter().enumerate() {
        if planted[..n].iter().any(|(other, where_else)| other.name == fault.name && at == where_else) {
            return Err(Refusal::Words(format!("fault `{}` is given twice for the same place", fault.name)));
        }
    }
    for place in &mut file.positions {
        let here = |at: &Option<u32>| at.is_none_or(|id| id == place.id);
        let faults: Vec<FaultWords> = planted.iter().filter(|(_, at)| here(at)).map(|(f, _)| f.clone()).collect();
        if !faults.is_empty() {
            place.faults = faults;
        }
    }
    match planted.iter().find_map(|(_, at)| at.filter(|id| !file.positions.iter().any(|p| p.id == *id))) {
        Some(id) => Err(Refusal::Words(format!("the bench has no position {id} to plant a fault at"))),
        None => Ok(()),
    }
}

/// `gain=1.25%@2`
fn read_fault(text: &str) -> Result<(FaultWords, Option<u32>), Refusal> {
    let (text, position) = match text.rsplit_once('@') {
        Some((text, position)) => {
            let id = position.parse().map_err(|_| format!("`{position}` in --fault is no position"))?;
            (text, Some(id))
        }
        None => (text, None),
    };
    let (name, severity) = match text.split_once('=') {
        Some((name, severity)) => (name, Some(severity.to_owned())),
        None => (text, None),
    };
    let words = FaultWords { name: name.to_owned(), severity };
    catalogue::fault(&words)?;
    Ok((words, position))
}

/// One source feeds every position: the points of a plan fit all meters or none.
fn check_equal_ratings(positions: &[PositionInfo]) -> Result<(), Refusal> {
    let rating = |plate: &Nameplate| Nameplate {
        name: String::new(),
        title: String::new(),
        type_number: String::new(),
        has: Vec::new(),
        ..plate.clone()
    };
    let first = &positions[0];
    match positions.iter().find(|p| rating(&p.meter) != rating(&first.meter)) {
        Some(other) => Err(Refusal::Words(format!(
            "positions {} and {} hold meters of different ratings ({} and {}): one plan has one set of load points",
            first.id, other.id, first.meter.name, other.meter.name
        ))),
        None => Ok(()),
    }
}

/// Instruments and places, connected to a laboratory and not yet asked anything.
pub struct Connected {
    pub instruments: Shared,
    pub places: Vec<Place>,
}

/// Opens a session for every instrument.
pub fn connect(equipped: &Equipped, laboratory: &Laboratory, tracer: Option<&Tracer>) -> Result<Connected, Refusal> {
    let file = &equipped.file;
    let session = |instrument: &str, title: String, model: &str| -> Result<Session, Refusal> {
        let endpoint = laboratory.endpoint(instrument).ok_or_else(|| format!("the laboratory has no {instrument}"))?;
        let terminator = terminator(model).ok_or_else(|| format!("there is no driver `{model}`"))?;
        let options = SessionOptions { instrument: title, terminator, timeout: TIMEOUT, tracer: tracer.cloned() };
        Ok(Session::new(disturbed(file, instrument, endpoint), options))
    };
    let title = |role: &str, entry: &InstrumentEntry| {
        format!("the {role} ({} at {}, position all)", entry.model, entry.address)
    };
    let (volt, ampere) = file.source.limits.unwrap_or((0.0, 0.0));
    let source_session = session("source", title("source", &file.source), &file.source.model)?;
    let source = open_source(&file.source.model, source_session, SourceLimits { volt, ampere })
        .ok_or_else(|| format!("there is no source driver `{}`", file.source.model))?;
    let reference_session = session("reference", title("reference", &file.reference), &file.reference.model)?;
    let reference = open_reference(&file.reference.model, reference_session)
        .ok_or_else(|| format!("there is no reference driver `{}`", file.reference.model))?;
    let chamber = match &file.chamber {
        None => None,
        Some(entry) => {
            let session = session("chamber", title("chamber", entry), &entry.model)?;
            let driver = open_chamber(&entry.model, session, chamber_limits(entry));
            Some(driver.ok_or_else(|| format!("there is no chamber driver `{}`", entry.model))?)
        }
    };
    let mut places = Vec::new();
    for (entry, info) in file.positions.iter().zip(&equipped.positions) {
        let title = format!("the S0 counter (position {})", entry.id);
        let (seed, counters) = (port_seed(equipped, entry.id), Counters::default());
        let port = |kind: PortKind| {
            let title = format!("the {} port (position {})", kind.word(), entry.id);
            let endpoint = laboratory.endpoint(&format!("meter/{}/{}", entry.id, kind.word()));
            let endpoint = endpoint.ok_or_else(|| format!("the laboratory has no {title}"))?;
            let endpoint = disturbed(file, kind.word(), endpoint);
            let address = PortAddress { name: title, endpoint, kind, tracer: tracer.cloned() };
            Ok::<_, Refusal>(MeterPort::new(address, seed, &counters))
        };
        places.push(Place {
            id: entry.id,
            nameplate: info.meter.clone(),
            calculator: entry.calculator.clone(),
            programmer: firmware::programmer(entry),
            s0: S0Counter::new(session(&format!("s0/{}", entry.id), title, "s0-counter")?),
            optical: port(PortKind::Optical)?,
            network: port(PortKind::Network)?,
            accesses: roles(&entry.serial).iter().map(access).collect(),
            skip: entry.skip,
            lost: false,
            attempt: 1,
        });
    }
    Ok(Connected { instruments: Shared { source, reference, chamber }, places })
}

/// How a client of this role comes to an emulated meter, whose keys anybody can make.
fn access(role: &RoleAccess) -> Access {
    let high = role.keys.is_some();
    Access {
        role: role.role.to_owned(),
        client: role.client,
        mechanism: if high { Mechanism::HIGH_GMAC } else { Mechanism::LOWEST },
        keys: role.keys.map(|(encryption, authentication)| (Key(encryption), Key(authentication))),
        counter: high.then_some(Obis([0, 0, 43, 1, role.number, 255])),
    }
}

/// What the challenges of an emulated bench are made of: the same in every run with this seed.
fn port_seed(equipped: &Equipped, position: u32) -> [u8; 16] {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&equipped.config.seed.to_be_bytes());
    seed[8..12].copy_from_slice(&position.to_be_bytes());
    seed
}

fn chamber_limits(entry: &InstrumentEntry) -> ChamberLimits {
    let (lowest_c, highest_c) = entry.temperatures.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
    ChamberLimits { lowest_c, highest_c }
}

/// What the certificates of the bench say.
pub fn calibrations(file: &BenchFile) -> Calibrations {
    let chamber = file.chamber.as_ref().and_then(|c| c.calibration.as_ref());
    let source = file.source.calibration.as_ref();
    Calibrations {
        reference_percent: file.reference_uncertainty_percent(),
        source_percent: source.map_or(0.0, |c| c.uncertainty),
        chamber_kelvin: chamber.map_or(2.0, |c| c.uncertainty),
        isolation_percent: file.isolation.map_or(0.0, |i| i.ratio_percent),
        isolation_rad: file.isolation.map_or(0.0, |i| (i.angle_minutes / 60.0).to_radians()),
    }
}

/// `EC3` -> 3
fn calculator_number(input: &str) -> usize {
    input.strip_prefix("EC").and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn disturbed(file: &BenchFile, instrument: &str, endpoint: Endpoint) -> Endpoint {
    const LATE: Duration = Duration::from_secs(60);
    let Some(disturbance) = file.emulation.disturb.iter().find(|d| d.instrument == instrument) else { return endpoint };
    let spoil = match disturbance.kind.as_str() {
        "dead" => Spoil::Dead,
        "slow" => Spoil::Slow(LATE),
        "half-line" => Spoil::HalfLine,
        "garbage" => Spoil::Garbage,
        _ => Spoil::Cut,
    };
    Endpoint::Disturbed(Box::new(endpoint), Disturbance::after(disturbance.after, spoil))
}

/// The driver of the source with nobody at the other end: for the checks that come before any byte.
pub fn idle_source(equipped: &Equipped) -> Result<Box<dyn AcSource>, Refusal> {
    let entry = &equipped.file.source;
    let (volt, ampere) = entry.limits.unwrap_or((0.0, 0.0));
    let options = SessionOptions {
        instrument: format!("the source ({} at {})", entry.model, entry.address),
        terminator: b'\n',
        timeout: TIMEOUT,
        tracer: None,
    };
    let (dialer, _) = meterbench_link::pipe();
    let session = Session::new(Endpoint::Pipe(dialer), options);
    let driver = open_source(&entry.model, session, SourceLimits { volt, ampere });
    driver.ok_or_else(|| Refusal::Words(format!("there is no source driver `{}`", entry.model)))
}

/// The same for the chamber, if the bench has one.
pub fn idle_chamber(equipped: &Equipped) -> Option<Box<dyn Chamber>> {
    let entry = equipped.file.chamber.as_ref()?;
    let options = SessionOptions {
        instrument: format!("the chamber ({} at {})", entry.model, entry.address),
        terminator: b'\r',
        timeout: TIMEOUT,
        tracer: None,
    };
    let (dialer, _) = meterbench_link::pipe();
    open_chamber(&entry.model, Session::new(Endpoint::Pipe(dialer), options), chamber_limits(entry))
}

/// Asks every instrument who it is.
pub async fn identify(
    equipped: &Equipped,
    connected: &mut Connected,
) -> (Vec<InstrumentInfo>, Result<(), InstrumentError>) {
    let file = &equipped.file;
    let mut failure = Ok(());
    let Shared { source, reference, chamber } = &mut connected.instruments;
    let mut answers = vec![("source", &file.source, "%", source.identify().await)];
    if answers[0].3.is_ok() {
        answers.push(("reference", &file.reference, "%", reference.identify().await));
    }
    if let (Some(chamber), Some(entry), true) = (chamber, &file.chamber, answers.iter().all(|a| a.3.is_ok())) {
        answers.push(("chamber", entry, "K", chamber.identify().await));
    }
    let mut infos = Vec::new();
    for (role, entry, unit, identity) in answers {
        let identity = identity.unwrap_or_else(|error| {
            failure = Err(error);
            String::new()
        });
        let calibration = entry.calibration.as_ref();
        infos.push(InstrumentInfo {
            role: role.to_owned(),
            model: entry.model.clone(),
            address: entry.address.to_string(),
            identity,
            certificate: calibration.map(|c| c.certificate.clone()),
            due: calibration.map(|c| c.due.clone()),
            uncertainty_percent: calibration.filter(|_| unit == "%").map(|c| c.uncertainty),
            uncertainty_kelvin: calibration.filter(|_| unit == "K").map(|c| c.uncertainty),
        });
    }
    (infos, failure)
}

/// Keeps the world within this of bench time; shorter where a step of the world is long.
pub fn heart_beat(positions: usize) -> Duration {
    if positions > 10 { Duration::from_secs(1) } else { Duration::from_secs(10) }
}
