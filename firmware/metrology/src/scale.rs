//! What one count of the analogue-to-digital converter means.

/// Samples per second and channel [S/s]. THD to the 50th harmonic at 52.5 Hz needs more than 5.25 kS/s.
pub const SAMPLE_RATE: u32 = 8000;

/// Counts at full scale: 24-bit content, sign included.
pub const FULL_SCALE: i32 = 1 << 23;

/// Peak voltage at full scale (V): 71.5 µV per count.
pub const VOLT_FULL_SCALE: u32 = 600;

/// Peak current at full scale (A): 23.8 µA per count.
pub const AMPERE_FULL_SCALE: u32 = 200;

/// Fraction bits of a gain: 1.0 is `1 << 30`.
pub(crate) const GAIN_BITS: u32 = 30;

/// Quanta in one watt-hour (or varh, VAh).
///
/// The quantum is one count² · sample, scaled by the 30 fraction bits of the gain, so that a cycle is booked without
/// rounding. 1 Wh = 3600 s · 8000 S/s · (2²³/600)·(2²³/200) = 240 · 2⁴⁶ count²·samples, exactly.
pub(crate) const QUANTA_PER_WATT_HOUR: u128 = 240 << (46 + GAIN_BITS);

/// Milliwatts of one count² (at gain 1.0) are `MILLIWATT_NUMERATOR / 2^46`.
pub(crate) const MILLIWATT_NUMERATOR: i128 = (VOLT_FULL_SCALE as i128) * (AMPERE_FULL_SCALE as i128) * 1000;
