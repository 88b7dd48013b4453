//! Evidence of the register: whether a meter without impulses failed, or the bench does not see them.

use meterbench_instruments::DisplayReading;
use meterbench_record::{Direction, EnergyKind, LoadPoint};

use crate::bench::Bench;

/// A register that moved by this many impulses while none came: the impulses are lost on the bench.
pub(crate) const LOST_AFTER: f64 = 3.0;

/// The register in which this load is counted.
fn register(load: &LoadPoint) -> &'static str {
    let lags = load.lag_degrees().to_radians().sin() >= 0.0;
    match (load.energy, load.direction, lags) {
        (EnergyKind::Active, Direction::Import, _) => "1.8.0",
        (EnergyKind::Active, Direction::Export, _) => "2.8.0",
        (EnergyKind::Reactive, _, true) => "3.8.0",
        (EnergyKind::Reactive, _, false) => "4.8.0",
    }
}

/// Reads the register of a position; a display that cannot be read is a reason in words, for this position alone.
pub(crate) async fn read(bench: &mut Bench, place: usize, load: &LoadPoint) -> Result<DisplayReading, String> {
    let read = bench.places[place].display.read(register(load)).await;
    read.map_err(|error| format!("its display cannot be read: {error}"))
}

/// Why a position is lost whose register moved while its impulses did not come.
pub(crate) fn impulses_lost(moved_wh: f64, edges: u64) -> String {
    let seen = if edges == 0 { "no impulse came".to_owned() } else { format!("impulses stopped after {edges}") };
    format!(
        "{seen} while the register moved by {moved_wh:.0} Wh: the meter registers, and its impulses do not reach the error calculator (its output, the head on it, or a meter constant far below that of the nameplate)"
    )
}
