//! The desk of `idle`: journal, supply, reading head, button and watchdog.

use heapless::spsc::Consumer;
use meterbench_meter::{Image, Meter};
use meterbench_metrology::ImpulseQuantity;
use meterbench_stm32_f405::button::Button;
use meterbench_stm32_f405::journal::{Journal, PAGE, Record};
use meterbench_stm32_f405::reading_head::{Request, Text};
use meterbench_stm32_f405::saving::Saved;
use stm32f4xx_hal::gpio::{Input, Output, PA0, PC8, PC9};
use stm32f4xx_hal::pac::USART2;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::serial::Tx;
use stm32f4xx_hal::watchdog::IndependentWatchdog;

use crate::eeprom::Eeprom;
use crate::supply::Supply;

/// What `idle` works with.
pub struct Desk {
    pub requests: Consumer<'static, Request>,
    pub tx: Tx<USART2>,
    pub answer: Text,
    pub sent: usize,
    pub journal: Journal,
    pub eeprom: Eeprom,
    pub saved: Saved,
    pub supply: Supply,
    /// The registers were written after the supply began to fall.
    pub last_words: bool,
    pub select: PA0<Input>,
    pub button: Button,
    pub watchdog: IndependentWatchdog,
    /// Sample index at which the watchdog was fed.
    pub fed: u64,
    /// Not used by the firmware yet: held in their safe state, both coils without current.
    pub relay: (PC8<Output>, PC9<Output>),
}

/// The outputs count the other energy, if this type registers it.
pub fn other_output(meter: &mut Meter) {
    let other = match meter.output() {
        ImpulseQuantity::Active => ImpulseQuantity::Reactive,
        ImpulseQuantity::Reactive => ImpulseQuantity::Active,
    };
    // A type without reactive energy refuses, and goes on as it was: the button does nothing there.
    let _ = meter.select_output(other);
}

impl Desk {
    /// Feeds the watchdog while samples arrive, and only then.
    pub fn feed(&mut self, index: u64) {
        if index != self.fed {
            self.watchdog.feed();
            self.fed = index;
        }
    }

    /// Writes a record. A record of routine is given up between its pages when the supply falls, for one that is newer.
    pub fn save(&mut self, image: &Image, saved: Saved, low: bool) {
        let Record { address, bytes } = self.journal.record(image);
        let mut at = address;
        for page in bytes.as_chunks::<PAGE>().0 {
            if (at != address && !low && self.supply.is_low()) || self.eeprom.write(at, page).is_err() {
                return;
            }
            at += PAGE as u32;
        }
        self.journal.written();
        self.saved = saved;
        self.last_words = low;
    }

    /// Sends the next byte of an answer, if the port has room for it.
    pub fn send(&mut self) {
        if let Some(&byte) = self.answer.as_bytes().get(self.sent) {
            self.sent += usize::from(self.tx.write(byte).is_ok());
        } else if self.sent > 0 {
            (self.sent, self.answer) = (0, Text::new());
        }
    }
}
