//! Counting impulses without a gate: for starting, no-load, dial test and waiting.

use meterbench_instruments::CalculatorState;
use meterbench_record::EnergyKind;

use crate::bench::Bench;
use crate::error::RunError;

/// More impulses than any test waits for: the calculator never completes, it only counts.
const NEVER: u64 = 1_000_000_000;

/// Starts to count on every active position.
pub(crate) async fn start(bench: &mut Bench, energy: EnergyKind) -> Result<Vec<usize>, RunError> {
    bench.select_output(energy).await?;
    let places = bench.active();
    for &place in &places {
        let (input, output) = (bench.places[place].calculator.clone(), bench.meter_output(place));
        bench.reference.start(&input, output, NEVER).await?;
    }
    Ok(places)
}

/// Impulses of one position since the start.
pub(crate) async fn count(bench: &mut Bench, place: usize) -> Result<u64, RunError> {
    let input = bench.places[place].calculator.clone();
    match bench.reference.progress(&input).await? {
        (CalculatorState::Armed | CalculatorState::Counting, edges) => Ok(edges),
        _ => Err(RunError::Aborted { position: bench.places[place].id }),
    }
}

/// Ends counting.
pub(crate) async fn stop(bench: &mut Bench, places: &[usize]) -> Result<(), RunError> {
    for &place in places {
        let input = bench.places[place].calculator.clone();
        bench.reference.stop(&input).await?;
    }
    Ok(())
}
