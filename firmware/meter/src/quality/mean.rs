//! Means as IEC 61000-4-30 aggregates: the root of the mean of the squares, flagged if a value was.

/// The squares since the beginning of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Mean {
    squares: u64,
    count: u32,
}

impl Mean {
    /// A value more. 10⁶ of 10⁶ fit.
    pub(crate) fn push(&mut self, value: u32) {
        self.squares = self.squares.saturating_add(u64::from(value) * u64::from(value));
        self.count += 1;
    }

    /// A square more.
    pub(crate) fn push_square(&mut self, square: u64) {
        self.squares = self.squares.saturating_add(square);
        self.count += 1;
    }

    /// The mean, rounded; begins anew. `None` without a value.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let Self { squares, count } = core::mem::take(self);
        let square = squares.checked_div(count.into())?;
        let root = square.isqrt();
        // √x lies nearer to the next integer from r² + r + 1 on.
        let rounded = root + u64::from(square > root * root + root);
        u32::try_from(rounded).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[u32]) -> Option<u32> {
        let mut mean = Mean::default();
        values.iter().for_each(|value| mean.push(*value));
        mean.take()
    }

    #[test]
    fn a_mean_is_the_root_of_the_mean_of_squares() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[230_000; 3000]), Some(230_000));
        // √((200² + 240²)/2) = 220.907
        assert_eq!(mean(&[200_000, 240_000]), Some(220_907));
        assert_eq!(mean(&[3, 4]), Some(3), "√12.5, of which the half is cut off before the root");
        assert_eq!(mean(&[1_000_000; 36_000]), Some(1_000_000));
    }
}
