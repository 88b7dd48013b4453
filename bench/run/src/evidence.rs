//! Evidence of the register: whether a meter without impulses failed, or the bench does not see them.

use meterbench_iec62056::obis::Obis;
use meterbench_instruments::{PortError, RegisterReading};
use meterbench_record::{Direction, EnergyKind, LoadPoint};
use tokio::time::Instant;

use crate::bench::Bench;

/// A register that moved by this many impulses while none came: the impulses are lost on the bench.
pub(crate) const LOST_AFTER: f64 = 3.0;

/// What an energy register says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Register {
    /// (Wh) or (varh).
    pub(crate) watt_hours: f64,
    /// Last digit (Wh).
    pub(crate) resolution_wh: f64,
    pub(crate) scaler: i8,
    /// Of IEC 62056-6-2.
    pub(crate) unit: u8,
    /// How long the reading took (s): the meter went on meanwhile.
    pub(crate) seconds: f64,
}

/// The register in which this load is counted.
fn register(load: &LoadPoint) -> Obis {
    let lags = load.lag_degrees().to_radians().sin() >= 0.0;
    let c = match (load.energy, load.direction, lags) {
        (EnergyKind::Active, Direction::Import, _) => 1,
        (EnergyKind::Active, Direction::Export, _) => 2,
        (EnergyKind::Reactive, _, true) => 3,
        (EnergyKind::Reactive, _, false) => 4,
    };
    Obis([1, 0, c, 8, 0, 255])
}

/// Reads the register of a position over its optical port; one that cannot be read is a reason in words, for this position
/// alone.
pub(crate) async fn read(bench: &mut Bench, place: usize, load: &LoadPoint) -> Result<Register, String> {
    let read = read_register(bench, place, register(load)).await;
    read.map_err(|error| format!("its register cannot be read: {error}"))
}

async fn read_register(bench: &mut Bench, place: usize, name: Obis) -> Result<Register, PortError> {
    let place = &mut bench.places[place];
    let reader = place.access("reader").clone();
    let began = Instant::now();
    place.optical.associate(&reader).await?;
    let read = place.optical.register(3, name).await;
    let seconds = began.elapsed().as_secs_f64();
    place.optical.close().await;
    let register = |read: RegisterReading| {
        let (watt_hours, resolution_wh) = (read.value(), read.resolution());
        Register { watt_hours, resolution_wh, scaler: read.scaler, unit: read.unit, seconds }
    };
    read.map(register)
}

/// Why a register cannot be tested in any useful time: its last digit is that of no meter.
pub(crate) fn useless(register: &Register) -> Option<String> {
    /// A digit of this many Wh takes a day at 10 A.
    const COARSEST_WH: f64 = 1000.0;
    let coarse = register.resolution_wh > COARSEST_WH;
    coarse.then(|| format!("its last digit is {} Wh (scaler {})", register.resolution_wh, register.scaler))
}

/// Why a position is lost whose register moved while its impulses did not come.
pub(crate) fn impulses_lost(moved_wh: f64, edges: u64) -> String {
    let seen = if edges == 0 { "no impulse came".to_owned() } else { format!("impulses stopped after {edges}") };
    format!(
        "{seen} while the register moved by {moved_wh:.0} Wh: the meter registers, and its impulses do not reach the error calculator (its output, the head on it, or a meter constant far below that of the nameplate)"
    )
}
