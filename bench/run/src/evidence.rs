//! Evidence of the register: whether a meter without impulses failed, or the bench does not see them.

use meterbench_instruments::DisplayReading;
use meterbench_record::Direction;

use crate::bench::Bench;

/// A register that moved by this many impulses while none came: the impulses are lost on the bench.
pub(crate) const LOST_AFTER: f64 = 3.0;

/// The register in which this direction is counted.
pub(crate) fn register(direction: Direction) -> &'static str {
    match direction {
        Direction::Import => "1.8.0",
        Direction::Export => "2.8.0",
    }
}

/// Reads the register of a position; a display that cannot be read is a reason in words, for this position alone.
pub(crate) async fn read(bench: &mut Bench, place: usize, direction: Direction) -> Result<DisplayReading, String> {
    let read = bench.places[place].display.read(register(direction)).await;
    read.map_err(|error| format!("its display cannot be read: {error}"))
}

/// Why a position is lost whose register moved while its impulses did not come.
pub(crate) fn impulses_lost(moved_wh: f64, edges: u64) -> String {
    let seen = if edges == 0 { "no impulse came".to_owned() } else { format!("impulses stopped after {edges}") };
    format!(
        "{seen} while the register moved by {moved_wh:.0} Wh: the meter registers, and its impulses do not reach the error calculator (its output, the head on it, or a meter constant far below that of the nameplate)"
    )
}
