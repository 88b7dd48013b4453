//! The uncertainty budget of an edge-gated percentage error (JCGM 100).
//!
//! The result is the error of the meter at its own temperature on this bench; what the meter does over the reference
//! conditions' tolerance (temperature within 2 K, for instance) belongs to the influence tests, not to this budget.

use meterbench_instruments::{Energy, ErrorReading, ReferenceSpecification};
use meterbench_record::{LoadPoint, Uncertainty};
use meterbench_standards::Influence;
use meterbench_standards::gum::Budget;

use crate::bench::Calibrations;
use crate::waves;

const CALIBRATION: &str = "reference: calibration";
const DRIFT: &str = "reference: drift since calibration";
const RANGE: &str = "reference: range and load";
const PHASE: &str = "reference: phase angle";
const RESOLUTION: &str = "reference: pulse resolution";
const ISOLATION: &str = "isolation of the position: ratio";
const ISOLATION_ANGLE: &str = "isolation of the position: angle";

/// Jitter of one edge, scanning head and meter (s).
const EDGE_JITTER_SECONDS: f64 = 1e-3;
/// Drift of the source's power during a measurement [%], and the delay by which impulses follow energy (s).
const SOURCE_DRIFT_PERCENT: f64 = 0.05;
const METER_DELAY_SECONDS: f64 = 0.02;

/// Uncertainty of the mean of these series of readings [%].
pub(crate) fn percentage_error(
    load: &LoadPoint,
    series: &[&[ErrorReading]],
    calibrations: Calibrations,
    specification: ReferenceSpecification,
) -> Uncertainty {
    let percents: Vec<Vec<f64>> = series.iter().map(|s| s.iter().map(|r| r.percent).collect()).collect();
    let readings = || series.iter().copied().flatten();
    let shortest = readings().map(|r| r.seconds).fold(f64::INFINITY, f64::min).max(1e-3);
    let fewest = readings().map(|r| r.pulses).fold(f64::INFINITY, f64::min).max(1.0);
    let budget = of_reference(Budget::default(), load, calibrations, specification);
    waves::budget(budget, load, shortest)
        .rectangular(RESOLUTION, 100.0 / fewest)
        .rectangular("impulse jitter", 100.0 * EDGE_JITTER_SECONDS / shortest)
        .rectangular("source: drift within the meter's delay", SOURCE_DRIFT_PERCENT * METER_DELAY_SECONDS / shortest)
        .repeated("repeatability of the mean", &percents)
        .combine()
}

/// What the reference, and the isolation between it and the meter, bring to any error.
fn of_reference(
    mut budget: Budget,
    load: &LoadPoint,
    calibrations: Calibrations,
    specification: ReferenceSpecification,
) -> Budget {
    if calibrations.isolation_percent > 0.0 {
        budget = budget
            .rectangular(ISOLATION, calibrations.isolation_percent)
            .rectangular(ISOLATION_ANGLE, 100.0 * calibrations.isolation_rad * load.angle_sensitivity());
    }
    budget
        .certificate(CALIBRATION, calibrations.reference_percent)
        .rectangular(DRIFT, specification.drift_percent)
        .rectangular(RANGE, specification.range_percent)
        .rectangular(PHASE, 100.0 * specification.phase_rad * load.angle_sensitivity())
}

/// Uncertainty of an error of energy from standstill to standstill [%]; `own` holds what the counts bring.
pub(crate) fn whole_energy(
    load: &LoadPoint,
    energy: &Energy,
    calibrations: Calibrations,
    specification: ReferenceSpecification,
    own: Budget,
) -> Uncertainty {
    of_reference(own, load, calibrations, specification)
        .rectangular(RESOLUTION, 100.0 / energy.pulses.max(1.0))
        .combine()
}

/// Uncertainty of the difference of two errors at the same load [%]: what is common to both falls out, what each has of its
/// own adds, and so does the influence quantity itself.
pub(crate) fn shift(
    (base, varied): (&Uncertainty, &Uncertainty),
    specification: ReferenceSpecification,
    influence: Influence,
    by_setting: f64,
) -> Uncertainty {
    let common: &[&str] = match influence {
        // One channel of the reference against three.
        Influence::Phases => &[DRIFT, ISOLATION, ISOLATION_ANGLE],
        Influence::Frequency => &[CALIBRATION, DRIFT, ISOLATION],
        // A wave has an angle, and harmonics, of its own.
        wave if wave.is_wave() || wave == Influence::FastLoadVariation => &[CALIBRATION, DRIFT, ISOLATION],
        _ => &[CALIBRATION, DRIFT, PHASE, ISOLATION, ISOLATION_ANGLE],
    };
    let by_what = if influence == Influence::SelfHeating {
        "scatter of single readings"
    } else {
        "setting of the influence quantity"
    };
    let own = |of: &Uncertainty| {
        let own = of.budget.iter().filter(|item| !common.contains(&item.item.as_str()) && item.item != RANGE);
        own.map(|item| item.standard * item.standard).sum::<f64>().sqrt()
    };
    Budget::default()
        .certificate("error at reference conditions", 2.0 * own(base))
        .certificate("error away from them", 2.0 * own(varied))
        // Another voltage can need another range: two terms that know nothing of each other.
        .rectangular(RANGE, 2f64.sqrt() * specification.range_percent)
        .rectangular(by_what, by_setting)
        .combine()
}
