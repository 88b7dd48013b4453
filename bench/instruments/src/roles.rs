//! What an instrument is to a procedure.

use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::LinkError;

use crate::waveform::WaveSource;

/// A sine to put out: RMS value and the angle by which it lags the common zero (deg).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    pub rms: f64,
    pub lag_deg: f64,
}

/// What the source shall put out; `None` = switched off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    pub hertz: f64,
    pub voltage: [Option<Wave>; 3],
    pub current: [Option<Wave>; 3],
}

/// What nothing on this bench may exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceLimits {
    /// Highest phase voltage (V).
    pub volt: f64,
    /// Highest current (A).
    pub ampere: f64,
}

/// What the source says it puts out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Readback {
    pub volt: [f64; 3],
    pub ampere: [f64; 3],
    pub hertz: f64,
}

/// The bench is broken, or was asked for something it must not do. Never a verdict on the meter.
#[derive(Debug, thiserror::Error)]
pub enum InstrumentError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("{instrument} reports: {what}")]
    Reported { instrument: String, what: String },
    #[error("{instrument} is not asked for {asked}: the limit of this bench is {limit}")]
    BeyondLimit { instrument: String, asked: String, limit: String },
    #[error("{instrument} cannot make {asked}: {why}")]
    CannotMake { instrument: String, asked: String, why: String },
    #[error("{instrument}: {what}")]
    Flash { instrument: String, what: String },
}

/// A source of voltage and current.
#[async_trait]
pub trait AcSource: Send {
    /// Who it says it is.
    async fn identify(&mut self) -> Result<String, InstrumentError>;

    /// Refuses what lies beyond the limits; nothing is written for it.
    fn check(&self, setting: &Setting) -> Result<(), InstrumentError>;

    /// Puts out a setting. Returns when the source says that it stands.
    async fn apply(&mut self, setting: &Setting) -> Result<(), InstrumentError>;

    /// What it puts out by its own measurement. An error condition of the source is an error here.
    async fn read_back(&mut self) -> Result<Readback, InstrumentError>;

    /// How long a change of its output takes, from the command to the new value.
    fn slowness(&self) -> Duration;

    /// The same source for waves other than a steady sine; `None` where it makes none.
    fn waves(&mut self) -> Option<&mut dyn WaveSource> {
        None
    }

    /// Switches every output off.
    async fn off(&mut self) -> Result<(), InstrumentError>;

    /// A driver of its own on a connection of its own, for the safe state.
    fn fresh(&self) -> Box<dyn AcSource>;
}

/// What the data sheet states beside the certificate, each as half-width of equal probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceSpecification {
    /// Drift since calibration [%].
    pub drift_percent: f64,
    /// Dependence on range and load [%].
    pub range_percent: f64,
    /// Phase error (rad).
    pub phase_rad: f64,
}

/// Energy over a time, as the reference counted it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Energy {
    pub watt_hours: f64,
    pub seconds: f64,
    /// Reference pulses behind it.
    pub pulses: f64,
}

/// The reference standard.
#[async_trait]
pub trait ReferenceStandard: Send {
    async fn identify(&mut self) -> Result<String, InstrumentError>;

    fn specification(&self) -> ReferenceSpecification;

    /// Sets ranges that hold these values and lets them stand: automatic ranging would lose energy.
    async fn set_ranges(&mut self, volt: f64, ampere: f64) -> Result<(), InstrumentError>;

    /// Begins to count active or reactive energy.
    async fn start_energy(&mut self, reactive: bool) -> Result<(), InstrumentError>;

    /// Energy since the start; counting goes on.
    async fn energy(&mut self) -> Result<Energy, InstrumentError>;

    /// Ends counting; the energy between start and stop.
    async fn stop_energy(&mut self) -> Result<Energy, InstrumentError>;
}

/// What the impulses of a meter stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterOutput {
    /// Impulses per kWh or kvarh.
    pub constant: u32,
    /// kvarh instead of kWh.
    pub reactive: bool,
}

/// Where an error calculator stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalculatorState {
    /// Not started.
    Idle,
    /// Waits for the first impulse.
    Armed,
    /// Counts.
    Counting,
    /// Has a result.
    Ready,
    /// Was stopped, or a range changed under it.
    Aborted,
}

/// A completed measurement of an error calculator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorReading {
    /// Percentage error by the instrument's own arithmetic.
    pub percent: f64,
    /// Impulses it measured over.
    pub impulses: u64,
    /// Reference energy between first and last edge (Wh) or (varh).
    pub reference_wh: f64,
    /// Reference pulses.
    pub pulses: f64,
    /// Time between first and last edge (s).
    pub seconds: f64,
}

/// One error calculator per position, named by its input: `EC1`.
#[async_trait]
pub trait ErrorCalculator: Send {
    /// Arms a calculator for so many impulses of a meter with this constant [imp/kWh] or [imp/kvarh].
    async fn start(&mut self, input: &str, meter: MeterOutput, impulses: u64) -> Result<(), InstrumentError>;

    /// Where a calculator stands, and the edges it has seen since the start.
    async fn progress(&mut self, input: &str) -> Result<(CalculatorState, u64), InstrumentError>;

    /// The completed measurement; only after [`CalculatorState::Ready`].
    async fn reading(&mut self, input: &str) -> Result<ErrorReading, InstrumentError>;

    async fn stop(&mut self, input: &str) -> Result<(), InstrumentError>;
}

/// A reference standard with error calculators.
pub trait Reference: ReferenceStandard + ErrorCalculator {}
impl<T: ReferenceStandard + ErrorCalculator> Reference for T {}

/// What nothing on this bench may ask of the chamber (°C).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChamberLimits {
    pub lowest_c: f64,
    pub highest_c: f64,
}

/// What a chamber says of itself (°C).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Climate {
    pub nominal_c: f64,
    /// Of the air.
    pub actual_c: f64,
    /// Of the sensor at the meter.
    pub specimen_c: f64,
    pub running: bool,
}

/// A climatic chamber with a sensor at the meter.
#[async_trait]
pub trait Chamber: Send {
    async fn identify(&mut self) -> Result<String, InstrumentError>;

    /// Refuses what lies beyond the limits; nothing is written for it.
    fn check(&self, celsius: f64) -> Result<(), InstrumentError>;

    /// Sets the temperature of the air and starts the chamber; returns at once.
    async fn set(&mut self, celsius: f64) -> Result<(), InstrumentError>;

    async fn read(&mut self) -> Result<Climate, InstrumentError>;

    /// A driver of its own on a connection of its own, for the safe state.
    fn fresh(&self) -> Box<dyn Chamber>;
}

/// Pulses on an S0 output since a count began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulses {
    pub count: u64,
    /// Shortest and longest time on (ms); `None` where no pulse has ended.
    pub on_ms: Option<(f64, f64)>,
    /// Shortest and longest time off between two pulses (ms); `None` below two pulses.
    pub off_ms: Option<(f64, f64)>,
}
