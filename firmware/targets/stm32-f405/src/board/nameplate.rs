//! What is set per meter: type number, nameplate, calibration. A calibrated board changes this file and nothing else.

use meterbench_meter::{Meter, Settings, TypeNumber};
use meterbench_metrology::PhaseCalibration;

/// Three-phase, class B, A+ A- R+ R-, 5(100) A, no breaker in use.
const TYPE_NUMBER: &str = "684-2-41D-1312AA70-1B14001";

/// Calibration of L1 to L3: ideal until it is measured. Gains 1.0 = 2³⁰, delay of the current in 1/65536 sample.
const CALIBRATION: [PhaseCalibration; 3] = [IDEAL; 3];

const IDEAL: PhaseCalibration = PhaseCalibration {
    voltage_gain: PhaseCalibration::UNITY,
    current_gain: PhaseCalibration::UNITY,
    power_offset: 0,
    current_delay: 0,
};

/// The meter with its registers at zero.
pub fn meter() -> Meter {
    let settings = Settings { calibration: CALIBRATION, ..Settings::delivered() };
    let profile = TYPE_NUMBER.parse::<TypeNumber>().map(|number| *number.profile());
    // Both are constants of this file: the first start of a changed nameplate shows whether they fit.
    match profile.map(|profile| Meter::new(&profile, &settings)) {
        Ok(Ok(meter)) => meter,
        _ => panic!("nameplate.rs: this type number and these settings make no meter"),
    }
}
