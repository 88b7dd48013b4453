//! What of the metrology must outlive a power cut: registers, and the energy on its way to the next impulse.
//!
//! Everything else finds itself again within one window. The running cycle and window are not kept: a power cut costs at most
//! one cycle of active energy (23.5 ms) and one window of reactive and apparent energy, and never adds any.

use crate::energy::Registers;

/// Exact integers, of the moment they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Registers of the total.
    pub total: Registers,
    /// Registers of the phases.
    pub phases: [Registers; 3],
    /// Energy booked and not yet given out as an impulse [quanta of 1/(240·2⁷⁶) Wh, times imp/kWh].
    pub collected: u128,
}
