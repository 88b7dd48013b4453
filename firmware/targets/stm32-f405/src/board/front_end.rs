//! ADS131M06 or ADS131M08 on SPI2: set up byte by byte, then read by DMA at every data-ready edge.
//!
//! DMA1 stream 3 receives and stream 4 sends, both on channel 0 (RM0090, "DMA1 request mapping"); the types below would not
//! compile with any other. 7.5 MHz leave room for the delay of an isolator: a frame of 30 bytes takes 32 µs of the 125 µs.

use meterbench_stm32_f405::converter::{CHANNELS_M08, Command, Register, SETTINGS, channels, frame_length, response};
use stm32f4xx_hal::ClearFlags;
use stm32f4xx_hal::dma::config::{DmaConfig, Priority};
use stm32f4xx_hal::dma::{MemoryToPeripheral, PeripheralToMemory, Stream3, Stream4, StreamsTuple, Transfer};
use stm32f4xx_hal::gpio::{Output, PB12, PB13, PB14, PB15, PC6, PinState, Speed};
use stm32f4xx_hal::hal::delay::DelayNs;
use stm32f4xx_hal::pac::{DMA1, SPI2};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Rcc;
use stm32f4xx_hal::spi::{Mode, Phase, Polarity, Rx, Spi, Tx};

/// Longest frame (bytes).
const LONGEST: usize = frame_length(CHANNELS_M08);

/// Pins of the converter; data ready is captured by the timer of the outputs.
pub struct Pins {
    /// CS, low while a frame runs.
    pub select: PB12,
    /// SCLK.
    pub clock: PB13,
    /// DOUT.
    pub from_converter: PB14,
    /// DIN.
    pub to_converter: PB15,
    /// SYNC/RESET, low resets.
    pub reset: PC6,
}

/// A frame as it came, with the tick of its data-ready edge.
pub struct RawFrame {
    /// Tick of the data-ready edge.
    pub captured: u32,
    bytes: [u8; LONGEST],
    length: usize,
}

impl RawFrame {
    /// The bytes received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// No converter, or not the right one.
#[derive(Debug)]
pub struct NoConverter;

type Receive = Transfer<Stream3<DMA1>, 0, Rx<SPI2>, PeripheralToMemory, &'static mut [u8]>;
type Send = Transfer<Stream4<DMA1>, 0, Tx<SPI2>, MemoryToPeripheral, &'static [u8]>;

/// The converter, in step with the timer.
pub struct FrontEnd {
    select: PB12<Output>,
    receive: Receive,
    send: Send,
    /// Where the next frame goes while the last one is read.
    spare: Option<&'static mut [u8]>,
    /// A frame of the null command.
    null: &'static [u8],
    sent_before: bool,
    /// Tick of the frame that is running.
    running: Option<u32>,
    reset: PC6<Output>,
}

impl FrontEnd {
    /// Resets the converter, sets it up, reads its settings back and locks them.
    pub fn new(spi: SPI2, dma: DMA1, pins: Pins, delay: &mut impl DelayNs, rcc: &mut Rcc) -> Result<Self, NoConverter> {
        let mut select = pins.select.into_push_pull_output_in_state(PinState::High).speed(Speed::High);
        let mut reset = pins.reset.into_push_pull_output_in_state(PinState::Low);
        let clock = pins.clock.into_alternate().speed(Speed::High);
        let to_converter = pins.to_converter.into_alternate().speed(Speed::High);
        let mode = Mode { polarity: Polarity::IdleLow, phase: Phase::CaptureOnSecondTransition };
        let pins = (Some(clock), Some(pins.from_converter), Some(to_converter));
        let mut spi = Spi::new(spi, pins, mode, 7_500.kHz(), rcc);
        // A pulse longer than 2048 clocks of 8.192 MHz (250 µs) resets; a shorter one would only synchronise.
        delay.delay_ms(5);
        reset.set_high();
        delay.delay_ms(5);

        let mut exchange = |command: Command, value: u16, length: usize| {
            let mut frame = [0; LONGEST];
            let frame = &mut frame[..length];
            command.put(value, frame);
            select.set_low();
            let done = spi.transfer_in_place(frame);
            select.set_high();
            delay.delay_us(2);
            done.map(|()| response(frame)).map_err(|_| NoConverter)
        };
        let mut read = |register: Register, length: usize| {
            exchange(Command::read(register), 0, length)?;
            exchange(Command::NULL, 0, length)
        };
        // The frame of the larger converter reads the identity of both.
        let length = frame_length(channels(read(Register::Id, LONGEST)?).ok_or(NoConverter)?);
        for (register, value) in SETTINGS {
            exchange(Command::write(register), value, length)?;
        }
        let mut read = |register: Register| {
            exchange(Command::read(register), 0, length)?;
            exchange(Command::NULL, 0, length)
        };
        for (register, value) in SETTINGS {
            if read(register)? != value {
                return Err(NoConverter);
            }
        }
        exchange(Command::LOCK, 0, length)?;
        // The answer to the lock; every frame from now on answers with the status.
        exchange(Command::NULL, 0, length)?;

        let buffers = cortex_m::singleton!(: [[u8; LONGEST]; 3] = [[0; LONGEST]; 3]).ok_or(NoConverter)?;
        let [null, first, spare] = buffers.each_mut().map(|buffer| &mut buffer[..length]);
        let null: &'static [u8] = null;
        let (tx, rx) = spi.use_dma().txrx();
        let streams = StreamsTuple::new(dma, rcc);
        let config = DmaConfig::default().memory_increment(true).priority(Priority::VeryHigh);
        let receive = config.transfer_complete_interrupt(true);
        let mut receive = Transfer::init_peripheral_to_memory(streams.3, rx, first, None, receive);
        let send = Transfer::init_memory_to_peripheral(streams.4, tx, null, None, config);
        receive.start(|_| ());
        let spare = Some(spare);
        Ok(Self { select, receive, send, spare, null, sent_before: false, running: None, reset })
    }

    /// Drops the samples that the converter has held back while nobody read it: from here on each data-ready edge is of the
    /// sample that is read next. 10 µs are more than one and less than 2048 of its clocks, which would reset it.
    pub fn synchronise(&mut self, delay: &mut impl DelayNs) {
        self.reset.set_low();
        delay.delay_us(10);
        self.reset.set_high();
    }

    /// Starts reading the sample whose data-ready edge was captured at this tick.
    pub fn begin(&mut self, captured: u32) {
        if self.running.is_some() {
            // The frame before did not end within a sample. The gap shows in the captures and is mended there.
            return;
        }
        self.running = Some(captured);
        self.select.set_low();
        if self.sent_before {
            self.send.clear_all_flags();
            // Without a second buffer this cannot be refused.
            let _ = self.send.next_transfer(self.null);
        } else {
            self.send.start(|_| ());
            self.sent_before = true;
        }
    }

    /// The DMA interrupt: takes the frame and makes ready for the next one.
    pub fn finish(&mut self) -> Option<RawFrame> {
        self.select.set_high();
        self.receive.clear_all_flags();
        let captured = self.running.take()?;
        let (filled, _) = self.receive.next_transfer(self.spare.take()?).ok()?;
        let mut frame = RawFrame { captured, bytes: [0; LONGEST], length: filled.len() };
        frame.bytes[..filled.len()].copy_from_slice(filled);
        self.spare = Some(filled);
        Some(frame)
    }
}
