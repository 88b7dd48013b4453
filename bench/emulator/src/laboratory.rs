//! The laboratory: a world, the instruments around it, and the wires that lead to them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meterbench_link::{Dialer, Endpoint, Listener, Stream, pipe};
use meterbench_meter::{
    Breaker, Configuration, ConfigurationError, Han, Product, Profile, ReactiveClass, Settings, TypeNumber,
    TypeNumberError,
};
use meterbench_metrology::{MeterConstant, Systems};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::analogue::FrontEnd;
use crate::body::{Body, BodyConfig, BodyError, Make, QemuUnusable};
use crate::faults::Fault;
use crate::instruments::chamber::WeissAscii2;
use crate::instruments::com5003::Com5003;
use crate::instruments::s0::S0Counter;
use crate::instruments::{Client, Instrument};
use crate::noise::Draw;
use crate::ports::{PortKind, test_identity};
use crate::position::{Position, TrueError};
use crate::reference::Reference;
use crate::source_model::SourceModel;
use crate::tcp;
use crate::world::{Engine, EngineSeconds, World};

/// A meter to put on the bench.
#[derive(Debug, Clone)]
pub struct MeterConfig {
    pub type_number: String,
    /// Software configuration (OMNIPOWER); `None` as delivered.
    pub configuration: Option<String>,
    pub serial: String,
    /// Reference voltage (V).
    pub un_volt: u32,
    /// Reference frequency (Hz).
    pub fn_hertz: u32,
    /// Meter constant of the nameplate [imp/kWh].
    pub constant: u32,
    /// Number of the error calculator its impulses are wired to, from 1.
    pub calculator: usize,
    pub faults: Vec<Fault>,
}

/// What the laboratory is made of.
#[derive(Debug, Clone)]
pub struct LaboratoryConfig {
    pub seed: u64,
    pub source: SourceModel,
    /// Meters by position number.
    pub meters: Vec<(u32, MeterConfig)>,
    /// Expanded uncertainty (k = 2) on the reference's certificate [%].
    pub reference_uncertainty_percent: f64,
    /// Ambient temperature (°C).
    pub ambient_c: f64,
    /// Bounds of the isolation of each position: ratio error [%] and phase displacement (minutes of arc); zero without one.
    pub isolation: (f64, f64),
    /// A climatic chamber stands around the meters.
    pub chamber: bool,
    pub engine: Engine,
    pub body: BodyConfig,
}

/// Why a laboratory cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum LaboratoryError {
    #[error("position {position}: type number {type_number}: {source}")]
    Type { position: u32, type_number: String, source: TypeError },
    #[error("position {position}: {source}")]
    Meter { position: u32, source: BodyError },
    #[error(transparent)]
    Body(#[from] QemuUnusable),
    #[error("position {position}: the meter constant is zero")]
    Constant { position: u32 },
    #[error(
        "position {position}: fault `{fault}` is planted in the firmware, and an image has none: write `body: native`"
    )]
    DefectInImage { position: u32, fault: &'static str },
    #[error("there is no instrument `{0}`")]
    NoInstrument(String),
    #[error("{instrument} cannot listen on {address}: {source}")]
    Listen { instrument: String, address: String, source: std::io::Error },
}

/// Why a type number, or the software configuration that goes with it, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    #[error(transparent)]
    TypeNumber(#[from] TypeNumberError),
    #[error("configuration: {0}")]
    Configuration(#[from] ConfigurationError),
}

/// One line of an instrument's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Bench time (ns).
    pub bench_ns: u64,
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.bench_ns, self.text)
    }
}

/// What an instrument was told, and its output state over bench time. Questions are counted, commands are kept.
#[derive(Debug, Clone, Default)]
pub struct InstrumentLog {
    lines: Vec<LogLine>,
    /// Questions by their words: how often, and when last [bench ns].
    questions: BTreeMap<String, (u64, u64)>,
}

/// Longest line the log keeps whole.
const LONGEST_LOGGED: usize = 500;
/// Different questions the log counts apart.
const MOST_QUESTIONS: usize = 1000;

impl InstrumentLog {
    fn told(&mut self, bench_ns: u64, line: &str) {
        let line = &line[..line.floor_char_boundary(LONGEST_LOGGED)];
        let settles_nothing = matches!(line, "AAV" | "SSM" | "AME");
        let only_asks = line.split('|').all(|part| part.trim_end().ends_with('?')) || line == "PULSES?";
        if settles_nothing || only_asks {
            if self.questions.len() < MOST_QUESTIONS || self.questions.contains_key(line) {
                let (count, last) = self.questions.entry(line.to_owned()).or_default();
                (*count, *last) = (*count + 1, bench_ns);
            }
            return;
        }
        self.lines.push(LogLine { bench_ns, text: format!("told {line}") });
    }

    fn output(&mut self, bench_ns: u64, energised: bool) {
        let text = if energised { "output on" } else { "output off" };
        let last = self.lines.iter().rev().find(|l| l.text.starts_with("output"));
        if last.is_none_or(|l| l.text != text) {
            self.lines.push(LogLine { bench_ns, text: text.to_owned() });
        }
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &[LogLine] {
        &self.lines
    }

    /// Questions by their words: how often they were asked, and when last [bench ns].
    pub fn questions(&self) -> &BTreeMap<String, (u64, u64)> {
        &self.questions
    }

    /// The last known output state; `None` if it never changed.
    pub fn last_output(&self) -> Option<&str> {
        self.lines.iter().rev().find_map(|l| l.text.strip_prefix("output "))
    }
}

struct Slot {
    instrument: Box<dyn Instrument>,
    log: InstrumentLog,
    is_source: bool,
    /// It answers by what meters do.
    reads_meters: bool,
}

struct Shared {
    world: World,
    slots: HashMap<String, Slot>,
    clients: Client,
}

impl Shared {
    /// Moves the world up to now and lets every instrument see what passed.
    fn advance(&mut self, now: u64) {
        let Self { world, slots, .. } = self;
        // Many questions are asked at one moment: the world stands there already.
        if world.stands_at(now) {
            return;
        }
        world.advance(now, |place| slots.values().any(|slot| slot.instrument.watches(place)));
        for slot in self.slots.values_mut() {
            slot.instrument.observe(&mut self.world);
        }
    }
}

/// The emulated laboratory. Clones share one world.
#[derive(Clone)]
pub struct Laboratory {
    shared: Arc<Mutex<Shared>>,
    dialers: Arc<HashMap<String, Dialer>>,
    epoch: Instant,
    positions: Arc<Vec<u32>>,
    source: SourceModel,
    /// Told when a body breaks.
    broken: Arc<Notify>,
}

/// Name of the counter on S0 of a position.
fn s0_name(position: u32) -> String {
    format!("s0/{position}")
}

impl Laboratory {
    /// Whether every meter of this configuration can be made. No process is started.
    pub fn verify(config: &LaboratoryConfig) -> Result<(), LaboratoryError> {
        refuse_defects(config)?;
        if let BodyConfig::Qemu(qemu) = &config.body {
            qemu.check()?;
        }
        let native = BodyConfig::Native;
        config.meters.iter().try_for_each(|(number, meter)| build_position(*number, meter, config, &native).map(drop))
    }

    /// Builds the laboratory and starts serving its pipes on the current runtime. Bench time begins now.
    pub fn start(config: &LaboratoryConfig) -> Result<Self, LaboratoryError> {
        refuse_defects(config)?;
        let mut positions = Vec::new();
        let mut systems = 1;
        let wiring = config.meters.iter().map(|(_, meter)| meter.calculator).collect();
        for (place, (number, meter)) in config.meters.iter().enumerate() {
            let position = build_position(*number, meter, config, &config.body.at(place))?;
            systems = systems.max(position.systems());
            positions.push(position);
        }
        let reference = Reference::drawn(config.seed, config.reference_uncertainty_percent);
        let serial = format!("05{:07}", config.seed % 10_000_000);
        let mut instruments: Vec<(String, Box<dyn Instrument>, bool)> = vec![
            ("source".into(), config.source.instrument(config.seed), true),
            ("reference".into(), Box::new(Com5003::new(&serial, wiring, systems)), false),
        ];
        for (place, (number, _)) in config.meters.iter().enumerate() {
            instruments.push((s0_name(*number), Box::new(S0Counter { position: place }), false));
        }
        if config.chamber {
            instruments.push(("chamber".into(), Box::new(WeissAscii2::new(config.ambient_c)), false));
        }
        let (mut slots, mut dialers, mut listeners) = (HashMap::new(), HashMap::new(), Vec::new());
        for (name, instrument, is_source) in instruments {
            let (dialer, listener) = pipe();
            dialers.insert(name.clone(), dialer);
            listeners.push((name.clone(), listener));
            let reads_meters = !is_source && name != "chamber";
            slots.insert(name, Slot { instrument, log: InstrumentLog::default(), is_source, reads_meters });
        }
        let mut ports = Vec::new();
        for (number, _) in &config.meters {
            for kind in PortKind::ALL {
                let (dialer, listener) = pipe();
                dialers.insert(kind.endpoint(*number), dialer);
                ports.push((*number, kind, listener));
            }
        }
        let shared =
            Shared { world: World::new(reference, positions, config.ambient_c, config.engine), slots, clients: 0 };
        let laboratory = Self {
            shared: Arc::new(Mutex::new(shared)),
            dialers: Arc::new(dialers),
            epoch: Instant::now(),
            positions: Arc::new(config.meters.iter().map(|(number, _)| *number).collect()),
            source: config.source,
            broken: Arc::default(),
        };
        for (name, listener) in listeners {
            tokio::spawn(laboratory.clone().answer_calls(name, listener));
        }
        for (position, kind, listener) in ports {
            tokio::spawn(laboratory.clone().answer_port(position, kind, listener));
        }
        Ok(laboratory)
    }

    /// Where an instrument or a port is reached within this process: `source`, `reference`, `s0/N`, `meter/N/optical`.
    pub fn endpoint(&self, instrument: &str) -> Option<Endpoint> {
        self.dialers.get(instrument).cloned().map(Endpoint::Pipe)
    }

    /// Names of the instruments, sorted.
    pub fn instruments(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().slots.keys().cloned().collect();
        names.sort();
        names
    }

    /// Byte that ends a line of this instrument.
    pub fn terminator(&self, instrument: &str) -> Option<u8> {
        self.lock().slots.get(instrument).map(|slot| slot.instrument.terminator())
    }

    /// The moment bench time began.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Bench time (ns).
    pub fn bench_ns(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Keeps the world close to bench time, so that a stop request is seen while nobody asks an instrument.
    pub async fn heart(&self, beat: Duration) {
        loop {
            sleep(beat).await;
            self.observe(|_| ());
        }
    }

    /// Looks at the world, moved up to now.
    pub fn observe<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let now = self.bench_ns();
        let mut shared = self.lock();
        shared.advance(now);
        self.tell_if_broken(&shared.world);
        look(&shared.world)
    }

    /// What broke the body of a meter. Its time stands still since; instruments that read meters say no more, so that nobody
    /// takes what is missing for a property of the meter.
    pub fn failure(&self) -> Option<LaboratoryError> {
        let shared = self.lock();
        let (place, error) = shared.world.failure()?;
        let position = self.positions.get(place).copied().unwrap_or_default();
        Some(LaboratoryError::Meter { position, source: error.clone() })
    }

    /// Completes when the body of a meter breaks; never otherwise.
    pub async fn broken(&self) {
        let told = self.broken.notified();
        tokio::pin!(told);
        told.as_mut().enable();
        if self.failure().is_none() {
            told.await;
        }
    }

    fn tell_if_broken(&self, world: &World) {
        if world.failure().is_some() {
            self.broken.notify_waiters();
        }
    }

    /// Numbers of the positions whose meters can be spoken to: all of them.
    pub fn meters_with_ports(&self) -> &[u32] {
        &self.positions
    }

    /// Uses the position of this number, brought up to now.
    pub(crate) fn with_position<R>(&self, number: u32, use_it: impl FnOnce(&mut Position) -> R) -> Option<R> {
        let place = self.positions.iter().position(|&n| n == number)?;
        let now = self.bench_ns();
        let mut shared = self.lock();
        shared.advance(now);
        let used = shared.world.look_at(place).map(use_it);
        self.tell_if_broken(&shared.world);
        used
    }

    /// Puts voltage (V, Hz) on every phase, and no current, by the commands of the source: a meter lives on it.
    pub fn put_voltage_on(&self, volt: f64, hertz: f64) {
        for line in self.source.voltage_lines(volt, hertz) {
            let _ = self.handle("source", 0, &line);
        }
    }

    /// The error of the meter at this position now, as the world knows it.
    pub fn true_error(&self, position: u32) -> Option<TrueError> {
        let place = self.positions.iter().position(|&n| n == position)?;
        self.observe(|world| world.true_error(place))
    }

    /// How the time of the meter at this position was spent.
    pub fn engine_seconds(&self, position: u32) -> EngineSeconds {
        let place = self.positions.iter().position(|&n| n == position).unwrap_or_default();
        self.observe(|world| world.engine_seconds(place))
    }

    /// What an instrument was told and put out.
    pub fn log(&self, instrument: &str) -> Option<InstrumentLog> {
        self.lock().slots.get(instrument).map(|slot| slot.log.clone())
    }

    /// The lock survives a panic while it was held: the safe state must work after one.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn handle(&self, name: &str, client: Client, line: &str) -> crate::instruments::Reply {
        let now = self.bench_ns();
        let mut shared = self.lock();
        shared.advance(now);
        let Shared { world, slots, .. } = &mut *shared;
        let Some(slot) = slots.get_mut(name) else { return crate::instruments::Reply::nothing() };
        slot.log.told(now, line);
        let reply = slot.instrument.receive(client, line, world);
        if slot.is_source {
            slot.log.output(now, world.output().is_energised());
        }
        self.tell_if_broken(world);
        if slot.reads_meters && world.failure().is_some() {
            return crate::instruments::Reply::nothing();
        }
        reply
    }

    async fn answer_calls(self, name: String, mut listener: Listener) {
        let mut calls = JoinSet::new();
        while let Some(stream) = listener.accept().await {
            calls.spawn(self.clone().converse(name.clone(), stream));
            while calls.try_join_next().is_some() {}
        }
    }

    /// Serves one instrument on TCP until the future is dropped; `started` learns the address.
    pub async fn serve_tcp(
        self,
        instrument: String,
        address: String,
        started: impl FnOnce(std::net::SocketAddr),
    ) -> Result<(), LaboratoryError> {
        if self.terminator(&instrument).is_none() {
            return Err(LaboratoryError::NoInstrument(instrument));
        }
        let talk = |stream| self.clone().converse(instrument.clone(), stream);
        tcp::serve(&instrument, &address, started, talk).await
    }

    /// One connection: lines in, lines out. A line that comes while an answer is due waits in the stream.
    async fn converse(self, name: String, mut stream: impl Stream) {
        const LONGEST_LINE: usize = 64 * 1024;
        let Some(terminator) = self.terminator(&name) else { return };
        let client = {
            let mut shared = self.lock();
            shared.clients += 1;
            shared.clients
        };
        let mut received = Vec::new();
        let mut chunk = [0; 4096];
        'connection: while let Ok(n) = stream.read(&mut chunk).await {
            if n == 0 || received.len() > LONGEST_LINE {
                break;
            }
            received.extend_from_slice(&chunk[..n]);
            while let Some(end) = received.iter().position(|&b| b == terminator) {
                let line: Vec<u8> = received.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).trim_end_matches(['\r', '\n']).to_owned();
                let reply = self.handle(&name, client, &line);
                if reply.text.is_empty() {
                    continue;
                }
                if !reply.after.is_zero() {
                    sleep(reply.after).await;
                }
                let mut bytes = reply.text.into_bytes();
                bytes.push(terminator);
                if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                    break 'connection;
                }
            }
        }
        if let Some(slot) = self.lock().slots.get_mut(&name) {
            slot.instrument.disconnected(client);
        }
    }
}

/// No image has faults planted in its firmware.
fn refuse_defects(config: &LaboratoryConfig) -> Result<(), LaboratoryError> {
    let mut planted = config.meters.iter().flat_map(|(number, meter)| meter.faults.iter().map(|f| (*number, f.kind)));
    match planted.find(|(_, kind)| config.body != BodyConfig::Native && kind.is_of_firmware()) {
        Some((position, kind)) => Err(LaboratoryError::DefectInImage { position, fault: kind.name() }),
        None => Ok(()),
    }
}

fn build_position(
    number: u32,
    meter: &MeterConfig,
    config: &LaboratoryConfig,
    body: &BodyConfig,
) -> Result<Position, LaboratoryError> {
    let (profile, configuration) = decode(&meter.type_number, meter.configuration.as_deref())
        .map_err(|source| LaboratoryError::Type { position: number, type_number: meter.type_number.clone(), source })?;
    let constant = MeterConstant::new(meter.constant).ok_or(LaboratoryError::Constant { position: number })?;
    let mut settings = Settings { reference_voltage: meter.un_volt, constant, ..Settings::delivered() };
    if let Some(configuration) = &configuration {
        settings = settings.configured(configuration);
    }
    let nominal = (f64::from(meter.un_volt), f64::from(meter.fn_hertz));
    let mut front_end = FrontEnd::drawn(config.seed, &meter.serial, nominal);
    let (ratio, angle) = config.isolation;
    let place = Draw::of(config.seed, "isolation");
    front_end.isolation = (
        1.0 + place.rectangular("ratio", u64::from(number), ratio / 100.0),
        place.rectangular("angle", u64::from(number), angle / 60.0),
    );
    let identity = test_identity(&meter.serial);
    let make = Make { type_number: meter.type_number.clone(), profile, identity, configuration };
    Position::with_body(
        &profile,
        &settings,
        front_end,
        &meter.faults,
        Draw::of(config.seed, &meter.serial).bits("noise", 0),
        config.ambient_c,
        |settings| Body::new(body, &make, settings),
    )
    .map_err(|source| LaboratoryError::Meter { position: number, source })
}

/// The type, and a configuration that fits it.
fn decode(type_number: &str, configuration: Option<&str>) -> Result<(Profile, Option<Configuration>), TypeError> {
    let profile = *type_number.parse::<TypeNumber>()?.profile();
    let configuration = configuration.map(str::parse::<Configuration>).transpose()?;
    if let Some(configuration) = &configuration {
        configuration.check(&profile)?;
    }
    Ok((profile, configuration))
}

/// What a type number says, for the comparison with a nameplate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeWords {
    pub class: &'static str,
    pub systems: u8,
    /// Reference voltages the product is made for (V).
    pub reference_voltages: &'static [u32],
    /// Reference frequencies the product is made for (Hz).
    pub reference_frequencies: &'static [u32],
    /// Minimum current (mA).
    pub minimum_current_ma: u32,
    /// Reference current (A).
    pub reference_current: u32,
    /// Maximum current (A).
    pub maximum_current: u32,
    /// A- is registered.
    pub export: bool,
    /// Class for reactive energy, if that is registered.
    pub reactive_class: Option<&'static str>,
    /// Time an impulse lasts (ms).
    pub pulse_width_ms: u32,
    /// Features by the words of plans, sorted.
    pub has: Vec<&'static str>,
}

/// Decodes a type number; a software configuration must fit it.
pub fn describe_type(type_number: &str, configuration: Option<&str>) -> Result<TypeWords, TypeError> {
    let (profile, configuration) = decode(type_number, configuration)?;
    let delivered = Settings::delivered();
    let settings = configuration.map_or(delivered, |configuration| delivered.configured(&configuration));
    let mut has: Vec<&'static str> = [
        (profile.breaker != Breaker::None, "supply-control-switch"),
        (profile.has_last_gasp(), "last-gasp"),
        (profile.has_pulse_output(), "pulse-output"),
        (profile.has_load_control(), "load-control"),
        (profile.has_auxiliary_supply(), "auxiliary-supply"),
        (profile.han != Han::None, "han"),
        (profile.modem, "modem"),
        (true, "voltage-quality"),
        (profile.product == Product::Omnia, "power-quality"),
        (profile.product == Product::Omnia, "snapshot"),
        (profile.product == Product::Omnia && profile.systems == Systems::Three, "grid-events"),
    ]
    .into_iter()
    .filter_map(|(has, word)| has.then_some(word))
    .collect();
    has.sort_unstable();
    Ok(TypeWords {
        class: profile.active_class.name(),
        systems: profile.systems as u8,
        reference_voltages: profile.product.reference_voltages(),
        reference_frequencies: profile.product.reference_frequencies(),
        minimum_current_ma: profile.minimum_current_ma(),
        reference_current: profile.reference_current,
        maximum_current: profile.maximum_current,
        export: profile.energies.has_export(),
        reactive_class: profile.reactive_class.map(ReactiveClass::name),
        pulse_width_ms: settings.pulse_width_ms,
        has,
    })
}
