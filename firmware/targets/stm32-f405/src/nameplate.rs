//! What is set per meter: type number, nameplate, calibration. A calibrated board changes this file and nothing else.

use meterbench_meter::{Meter, MeterError, Settings, TypeNumber, TypeNumberError};
use meterbench_metrology::PhaseCalibration;

/// Three-phase, class B, A+ A- R+ R-, 5(100) A.
pub const TYPE_NUMBER: &str = "684-2-41D-1312AA70-1B14001";

/// Calibration of L1 to L3: ideal until it is measured. Gains 1.0 = 2³⁰, delay of the current in 1/65536 sample.
pub const CALIBRATION: [PhaseCalibration; 3] = [IDEAL; 3];

const IDEAL: PhaseCalibration = PhaseCalibration {
    voltage_gain: PhaseCalibration::UNITY,
    current_gain: PhaseCalibration::UNITY,
    power_offset: 0,
    current_delay: 0,
};

/// Why this nameplate makes no meter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameplateError {
    /// The type number.
    #[error(transparent)]
    TypeNumber(#[from] TypeNumberError),
    /// The settings.
    #[error(transparent)]
    Settings(#[from] MeterError),
}

/// The meter of this nameplate, its registers at zero.
pub fn meter() -> Result<Meter, NameplateError> {
    let number = TYPE_NUMBER.parse::<TypeNumber>()?;
    Ok(Meter::new(number.profile(), &Settings { calibration: CALIBRATION, ..Settings::delivered() })?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_nameplate_makes_a_meter() {
        assert!(super::meter().is_ok());
    }
}
