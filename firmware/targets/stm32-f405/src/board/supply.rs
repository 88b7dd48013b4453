//! Supply supervisor: the programmable voltage detector of the processor watches its own 3.3 V.
//!
//! The level is the highest there is, 2.9 V. From there to 2.1 V the capacitor at the input of the board must carry it for as long
//! as a record takes; `docs/board.md` has the sum.

use stm32f4xx_hal::pac::PWR;
use stm32f4xx_hal::rcc::{Enable, Rcc};

/// 2.9 V (falling), RM0090, "PWR power control register".
const LEVEL_2V9: u8 = 0b111;

/// The voltage detector.
pub struct Supply {
    power: PWR,
}

impl Supply {
    /// Switches the detector on.
    pub fn new(power: PWR, rcc: &mut Rcc) -> Self {
        PWR::enable(rcc);
        power.cr().modify(|_, w| w.pls().set(LEVEL_2V9).pvde().set_bit());
        Self { power }
    }

    /// The supply is below the level: it falls, or has not come up yet.
    pub fn is_low(&self) -> bool {
        self.power.csr().read().pvdo().bit_is_set()
    }
}
