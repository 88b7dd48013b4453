//! Instantaneous values of the last complete window of ten cycles: for display and plausibility, not legal energy.

/// Quadrant of the load by the signs of P (import positive) and Q (positive when the current lags the voltage).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Quadrant {
    /// P and Q positive: import, inductive.
    #[default]
    Q1 = 0,
    /// P negative, Q positive.
    Q2 = 1,
    /// P and Q negative.
    Q3 = 2,
    /// P positive, Q negative: import, capacitive.
    Q4 = 3,
}

impl Quadrant {
    /// The quadrant of these signs; zero counts as positive.
    pub const fn of(active: i128, reactive: i128) -> Self {
        match (active >= 0, reactive >= 0) {
            (true, true) => Self::Q1,
            (false, true) => Self::Q2,
            (false, false) => Self::Q3,
            (true, false) => Self::Q4,
        }
    }
}

/// Order in which the phase voltages reach their maxima.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhaseSequence {
    /// L1-L2-L3.
    Forward,
    /// L1-L3-L2.
    Reversed,
}

/// Values of one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PhaseReadings {
    /// RMS voltage (mV).
    pub voltage_mv: u32,
    /// RMS current (mA).
    pub current_ma: u32,
    /// Active power (mW), import positive.
    pub active_mw: i64,
    /// Fundamental reactive power (mvar), inductive positive.
    pub reactive_mvar: i64,
    /// Apparent power (mVA), `Urms·Irms`.
    pub apparent_mva: i64,
    /// Power factor `P/S` [1/10 000], signed like P; zero when S is zero.
    pub power_factor: i16,
    /// Quadrant of the load.
    pub quadrant: Quadrant,
}

/// Values of the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Readings {
    /// Phase values; unused systems stay zero.
    pub phases: [PhaseReadings; 3],
    /// Total values: sums of P, Q and S; voltage and current stay zero.
    pub total: PhaseReadings,
    /// Mains frequency (mHz); `None` while no voltage gives ten clean cycles.
    pub frequency_mhz: Option<u32>,
    /// Phase sequence; `None` on a single-phase meter or when a voltage is missing.
    pub phase_sequence: Option<PhaseSequence>,
}
