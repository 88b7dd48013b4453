//! Clocks: 120 MHz from the crystal of the board.
//!
//! 120 MHz and not 168 MHz, with five wait states of the flash, because that is within the limits of the processor down to
//! 1.8 V: the last record of the journal is written while the supply falls (RM0090, "Number of wait states according to CPU
//! clock frequency"). The timers of APB1 then count at 60 MHz, 16.7 ns.

use stm32f4xx_hal::pac::{FLASH, RCC};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Rcc};

/// Wait states of the flash that 120 MHz need at 1.8 V.
const WAIT_STATES: u8 = 5;

/// Starts crystal and PLL: core 120 MHz, APB1 30 MHz, APB2 60 MHz.
pub fn start(rcc: RCC, flash: &FLASH) -> Rcc {
    let rcc = rcc.freeze(Config::hse(8.MHz()).sysclk(120.MHz()).pclk1(30.MHz()).pclk2(60.MHz()));
    flash.acr().modify(|_, w| w.latency().set(WAIT_STATES));
    rcc
}
