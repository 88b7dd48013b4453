//! Faults of the analysis, to be planted in an emulated meter. Never in an image.

/// What is wrong with the windows of an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QualityDefects {
    /// A window has eight cycles, the last of the ten, and is told as one of ten: RMS, harmonics, THD and unbalance see nothing of
    /// the other two. Steady waves read right; between the harmonics a line at a multiple of 5 Hz leaks into them.
    pub short_window: bool,
    /// THD ends at order 40.
    pub thd_to_40: bool,
}
