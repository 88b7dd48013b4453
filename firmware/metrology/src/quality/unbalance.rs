//! Symmetrical components of three phasors (IEC 61000-4-30).
//!
//! `U1 = (Ua + a·Ub + a²·Uc)/3`, `U2 = (Ua + a²·Ub + a·Uc)/3`, `U0 = (Ua + Ub + Uc)/3` with `a` a third of a turn;
//! `u2 = U2/U1`, `u0 = U0/U1`.

use super::values::{Phasor, Unbalance};

/// Without a positive sequence of this much (V) there is nothing to compare with.
const LEAST_POSITIVE: f32 = 5.0;

const A: Phasor = Phasor { re: -0.5, im: 0.866_025_4 };
const A_SQUARED: Phasor = Phasor { re: -0.5, im: -0.866_025_4 };

/// Positive, negative and zero sequence.
pub(crate) fn sequences(of: &[Phasor; 3]) -> [Phasor; 3] {
    let [a, b, c] = *of;
    let third = |x: Phasor| Phasor { re: x.re / 3.0, im: x.im / 3.0 };
    [third(a + A * b + A_SQUARED * c), third(a + A_SQUARED * b + A * c), third(a + b + c)]
}

/// `None` without a positive sequence: no voltage, one phase in three, or reverse rotation.
pub(crate) fn unbalance(voltages: &[Phasor; 3]) -> Option<Unbalance> {
    let [positive, negative, zero] = sequences(voltages).map(Phasor::magnitude);
    let against = |x: f32| (x / positive * 100_000.0 + 0.5) as u32;
    (positive >= LEAST_POSITIVE).then(|| Unbalance {
        negative: against(negative),
        zero: against(zero),
        positive_mv: (positive * 1000.0 + 0.5) as u32,
    })
}
