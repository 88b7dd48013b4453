//! ST M24M01 (1 Mbit) on I2C1 at 400 kHz: pages of 256 bytes, written within 4 ms (M24M01E) or 5 ms (M24M01).

use meterbench_stm32_f405::journal::{PAGE, SLOT};
use stm32f4xx_hal::gpio::{PB6, PB7, PinState};
use stm32f4xx_hal::hal::delay::DelayNs;
use stm32f4xx_hal::i2c::{DutyCycle, Error, I2c, Mode};
use stm32f4xx_hal::pac::I2C1;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Rcc;

/// Slots of the journal in 128 KiB.
pub const SLOTS: u32 = 128 * 1024 / SLOT as u32;

/// Device address with E2 = E1 = 0; bit 0 is bit 16 of the memory address.
const DEVICE: u8 = 0x50;
/// Attempts while a page is being written, each about 50 µs: 10 ms and more.
const ATTEMPTS: u32 = 400;

/// The memory of the journal.
pub struct Eeprom {
    bus: I2c<I2C1>,
}

impl Eeprom {
    /// Frees the bus from a transfer that a reset broke off, then takes it.
    pub fn new(i2c: I2C1, scl: PB6, sda: PB7, delay: &mut impl DelayNs, rcc: &mut Rcc) -> Self {
        let mut clock = scl.into_open_drain_output_in_state(PinState::High);
        // A memory in the middle of a byte holds the data line; after nine clocks it has let go.
        for _ in 0..9 {
            clock.set_low();
            delay.delay_us(5);
            clock.set_high();
            delay.delay_us(5);
        }
        let mode = Mode::fast(400.kHz(), DutyCycle::Ratio2to1);
        Self { bus: I2c::new(i2c, (clock, sda), mode, rcc) }
    }

    /// Fills `bytes` from this address on; they lie within one half of 64 KiB.
    pub fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), Error> {
        let (device, [high, low]) = split(address);
        self.bus.write_read(device, &[high, low], bytes)
    }

    /// Writes a page and waits until the memory has it.
    pub fn write(&mut self, address: u32, page: &[u8; PAGE]) -> Result<(), Error> {
        let (device, word) = split(address);
        self.bus.write_iter(device, word.into_iter().chain(page.iter().copied()))?;
        // The memory does not answer while it writes.
        let mut answer = self.bus.write(device, &word);
        for _ in 0..ATTEMPTS {
            if answer.is_ok() {
                break;
            }
            answer = self.bus.write(device, &word);
        }
        answer
    }
}

/// Device address and the lower 16 bits of the memory address.
fn split(address: u32) -> (u8, [u8; 2]) {
    let [_, half, high, low] = address.to_be_bytes();
    (DEVICE | (half & 1), [high, low])
}
