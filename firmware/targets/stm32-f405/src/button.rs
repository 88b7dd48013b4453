//! A push button: bouncing, and of either polarity.
//!
//! The level at power-up is the level at rest, so that a button to ground and a button to the supply both work. A button held at
//! power-up counts as pressed when it is let go; nothing is harmed by that.

use meterbench_metrology::SAMPLE_RATE;

/// A level counts when it has stood for 30 ms [samples of 125 µs].
pub const SETTLING: u64 = 30 * SAMPLE_RATE as u64 / 1000;

/// A push button, looked at as often as the shell finds time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    rest: bool,
    pressed: bool,
    level: bool,
    since: u64,
}

impl Button {
    /// A button at rest with this level.
    pub const fn new(level: bool) -> Self {
        Self { rest: level, pressed: false, level, since: 0 }
    }

    /// Takes the level at this sample; true once for each press.
    pub fn look(&mut self, level: bool, sample_index: u64) -> bool {
        if level != self.level {
            (self.level, self.since) = (level, sample_index);
        }
        let pressed = level != self.rest;
        if pressed == self.pressed || sample_index.saturating_sub(self.since) < SETTLING {
            return false;
        }
        self.pressed = pressed;
        pressed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bouncing_press_counts_once_with_either_polarity() {
        for rest in [false, true] {
            let mut button = Button::new(rest);
            let mut presses = 0;
            for n in 0..20_000u64 {
                let bouncing = n % 2000 < 100 && n % 7 < 3;
                let held = (4000..8000).contains(&n) || (12_000..16_000).contains(&n);
                presses += u32::from(button.look(rest ^ held ^ bouncing, n));
            }
            assert_eq!(presses, 2);
        }
    }

    #[test]
    fn a_short_disturbance_is_no_press() {
        let mut button = Button::new(true);
        assert!(!(0..SETTLING).any(|n| button.look(false, n)));
        assert!(!(0..1000).any(|n| button.look(true, SETTLING + n)));
    }
}
