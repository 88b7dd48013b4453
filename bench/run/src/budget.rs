//! The uncertainty budget of an edge-gated percentage error (JCGM 100).
//!
//! The result is the error of the meter at its own temperature on this bench; what the meter does over the reference
//! conditions' tolerance (temperature within 2 K, for instance) belongs to the influence tests, not to this budget.

use meterbench_instruments::{ErrorReading, ReferenceSpecification};
use meterbench_record::{LoadPoint, Uncertainty};
use meterbench_standards::gum::Budget;

use crate::bench::Calibrations;

/// Jitter of one edge, scanning head and meter (s).
const EDGE_JITTER_SECONDS: f64 = 1e-3;
/// Drift of the source's power during a measurement [%], and the delay by which impulses follow energy (s).
const SOURCE_DRIFT_PERCENT: f64 = 0.05;
const METER_DELAY_SECONDS: f64 = 0.02;

/// Uncertainty of the mean of these readings [%].
pub(crate) fn percentage_error(
    load: &LoadPoint,
    readings: &[ErrorReading],
    calibrations: Calibrations,
    specification: ReferenceSpecification,
) -> Uncertainty {
    let percents: Vec<f64> = readings.iter().map(|r| r.percent).collect();
    let shortest = readings.iter().map(|r| r.seconds).fold(f64::INFINITY, f64::min).max(1e-3);
    let fewest = readings.iter().map(|r| r.pulses).fold(f64::INFINITY, f64::min).max(1.0);
    Budget::default()
        .certificate("reference: calibration", calibrations.reference_percent)
        .rectangular("reference: drift since calibration", specification.drift_percent)
        .rectangular("reference: range and load", specification.range_percent)
        .rectangular("reference: phase angle", 100.0 * specification.phase_rad * load.angle_sensitivity())
        .rectangular("reference: pulse resolution", 100.0 / fewest)
        .rectangular("impulse jitter", 100.0 * EDGE_JITTER_SECONDS / shortest)
        .rectangular("source: drift within the meter's delay", SOURCE_DRIFT_PERCENT * METER_DELAY_SECONDS / shortest)
        .repeated("repeatability of the mean", &percents)
        .combine()
}

/// Uncertainty of the difference of two errors at the same load [%]: what is common to both falls out (calibration, drift and
/// phase angle of the reference), what each has of its own adds, and so does the influence quantity itself.
pub(crate) fn shift(
    base: &Uncertainty,
    varied: &Uncertainty,
    specification: ReferenceSpecification,
    by_setting: f64,
) -> Uncertainty {
    const COMMON: [&str; 3] =
        ["reference: calibration", "reference: drift since calibration", "reference: phase angle"];
    let own = |of: &Uncertainty, name: &str| {
        let own = of.budget.iter().filter(|item| !COMMON.contains(&item.item.as_str()));
        let own = own.filter(|item| item.item != "reference: range and load");
        (format!("error {name}"), own.map(|item| item.standard * item.standard).sum::<f64>().sqrt())
    };
    let [base, varied] = [own(base, "at reference conditions"), own(varied, "away from them")];
    Budget::default()
        .certificate(&base.0, 2.0 * base.1)
        .certificate(&varied.0, 2.0 * varied.1)
        .rectangular("reference: range and load", specification.range_percent)
        .rectangular("setting of the influence quantity", by_setting)
        .combine()
}
