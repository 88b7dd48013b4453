//! Aggregation of values (IEC 61000-4-30): the root of the mean of their squares, flagged if one of them was.

/// Windows of ten cycles in a value of 150 cycles.
pub const WINDOWS_IN_150_CYCLES: u32 = 15;

/// Values of ten minutes in a value of two hours.
pub const INTERVALS_IN_2_HOURS: u32 = 12;

/// What became of many values. Unit and scale are theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Aggregate {
    /// Root of the mean of the squares, rounded to the nearest.
    pub value: u32,
    /// A value among them was flagged.
    pub flagged: bool,
    /// How many they were.
    pub count: u32,
}

/// The root of the mean of squares, over an interval that the clock ends: ten minutes.
///
/// Exact but for its rounding, for 2¹⁶ values below 2²⁴ (16 kV in millivolts), which is more than three hours of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Mean {
    squares: u64,
    count: u32,
    flagged: bool,
}

impl Mean {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { squares: 0, count: 0, flagged: false }
    }

    /// One value more.
    pub fn add(&mut self, value: u32, flagged: bool) {
        self.squares = self.squares.saturating_add(u64::from(value) * u64::from(value));
        self.count = self.count.saturating_add(1);
        self.flagged |= flagged;
    }

    /// How many values it is over.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The interval is over: what it was, and another begins. `None` where there was nothing in it.
    pub fn take(&mut self) -> Option<Aggregate> {
        let Self { squares, count, flagged } = core::mem::take(self);
        // Four times the mean: the root has one bit of fraction to round by.
        let root = (u128::from(squares) * 4).checked_div(u128::from(count))?.isqrt();
        Some(Aggregate { value: u32::try_from(root.div_ceil(2)).unwrap_or(u32::MAX), flagged, count })
    }
}

/// The root of the mean of squares of so many values in turn: 15 windows make 150 cycles, twelve times ten minutes two hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeanOf<const N: u32> {
    mean: Mean,
}

impl<const N: u32> Default for MeanOf<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: u32> MeanOf<N> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { mean: Mean::new() }
    }

    /// One value more; the aggregate with the last of them.
    pub fn add(&mut self, value: u32, flagged: bool) -> Option<Aggregate> {
        self.mean.add(value, flagged);
        if self.mean.count() < N { None } else { self.mean.take() }
    }

    /// What was collected is dropped: the next value is the first of its aggregate.
    pub fn restart(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_that_of_squares_and_rounded_to_the_nearest() {
        for (values, wanted) in [
            (&[3u32, 4][..], 4),      // 3.536
            (&[0, 230_000], 162_635), // 162 634.56
            (&[230_000; 3000], 230_000),
            (&[1, 1, 2], 1), // 1.414
            (&[16_777_215; 65_536], 16_777_215),
        ] {
            let mut mean = Mean::new();
            values.iter().for_each(|&value| mean.add(value, false));
            let count = values.len() as u32;
            assert_eq!(mean.take(), Some(Aggregate { value: wanted, flagged: false, count }));
            assert_eq!(mean.take(), None);
        }
    }

    #[test]
    fn fifteen_windows_make_150_cycles_and_one_flag_is_enough() {
        let mut mean = MeanOf::<WINDOWS_IN_150_CYCLES>::new();
        for flagged_one in [None, Some(0), Some(14)] {
            for n in 0..15 {
                let got = mean.add(100 + n, Some(n) == flagged_one);
                assert_eq!(got.is_some(), n == 14);
                if let Some(aggregate) = got {
                    // sqrt of the mean of 100² .. 114²
                    assert_eq!(aggregate, Aggregate { value: 107, flagged: flagged_one.is_some(), count: 15 });
                }
            }
        }
    }

    #[test]
    fn two_hours_of_ten_minutes_are_the_mean_of_all_their_windows() {
        let (mut all, mut two_hours) = (Mean::new(), MeanOf::<INTERVALS_IN_2_HOURS>::new());
        let mut result = None;
        for interval in 0..12u32 {
            let mut ten_minutes = Mean::new();
            for window in 0..3000 {
                let value = 220_000 + interval * 1000 + window % 7 * 100;
                ten_minutes.add(value, false);
                all.add(value, false);
            }
            let aggregate = ten_minutes.take().unwrap();
            result = two_hours.add(aggregate.value, aggregate.flagged);
        }
        assert!(result.unwrap().value.abs_diff(all.take().unwrap().value) <= 1, "equal counts: rounding alone");
    }
}
