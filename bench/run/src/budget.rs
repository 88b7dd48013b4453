//! The uncertainty budget of an edge-gated percentage error (JCGM 100).
//!
//! The result is the error of the meter at its own temperature on this bench; what the meter does over the reference
//! conditions' tolerance (temperature within 2 K, for instance) belongs to the influence tests, not to this budget.

use meterbench_instruments::{ErrorReading, ReferenceSpecification};
use meterbench_record::{LoadPoint, Uncertainty};
use meterbench_standards::gum::Budget;

use crate::bench::ReferenceCalibration;

/// Jitter of one edge, scanning head and meter (s).
const EDGE_JITTER_SECONDS: f64 = 1e-3;
/// Drift of the source's power during a measurement [%], and the delay by which impulses follow energy (s).
const SOURCE_DRIFT_PERCENT: f64 = 0.05;
const METER_DELAY_SECONDS: f64 = 0.02;

/// Uncertainty of the mean of these readings [%].
pub(crate) fn percentage_error(
    load: &LoadPoint,
    readings: &[ErrorReading],
    calibration: ReferenceCalibration,
    specification: ReferenceSpecification,
) -> Uncertainty {
    let percents: Vec<f64> = readings.iter().map(|r| r.percent).collect();
    let shortest = readings.iter().map(|r| r.seconds).fold(f64::INFINITY, f64::min).max(1e-3);
    let fewest = readings.iter().map(|r| r.pulses).fold(f64::INFINITY, f64::min).max(1.0);
    let (cos, sin) = load.power_factor.cos_sin();
    Budget::default()
        .certificate("reference: calibration", calibration.uncertainty_percent)
        .rectangular("reference: drift since calibration", specification.drift_percent)
        .rectangular("reference: range and load", specification.range_percent)
        .rectangular("reference: phase angle", 100.0 * specification.phase_rad * sin / cos)
        .rectangular("reference: pulse resolution", 100.0 / fewest)
        .rectangular("impulse jitter", 100.0 * EDGE_JITTER_SECONDS / shortest)
        .rectangular("source: drift within the meter's delay", SOURCE_DRIFT_PERCENT * METER_DELAY_SECONDS / shortest)
        .repeated("repeatability of the mean", &percents)
        .combine()
}
