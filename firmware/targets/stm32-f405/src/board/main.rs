//! The meter on an Olimex STM32-H405 with an ADS131M0x front end. `docs/board.md` has pins, wiring and limits.
//!
//! Four priorities, by RTIC; a higher one interrupts a lower one at once:
//!
//! | priority | task | what |
//! |---|---|---|
//! | 4 | `timer` | data ready was captured: starts the DMA; an edge was put out: holds the next one |
//! | 3 | `frame` | the DMA has a frame: hands it to the metrology; `received`: a byte of the optical port |
//! | 2 | `metrology` | checks the frame, runs the meter, schedules impulses |
//! | 0 | `idle` | journal, supply, reading head, button, watchdog: may take milliseconds |
#![no_std]
#![no_main]
#![expect(unreachable_pub, reason = "the application macro asks for public types")]

mod clock;
mod desk;
mod eeprom;
mod front_end;
mod outputs;
mod supply;

use core::panic::PanicInfo;

/// A fault of the firmware ends in a reset: the outputs fall back to their safe level and the registers come from the journal.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

#[rtic::app(device = stm32f4xx_hal::pac, peripherals = true)]
mod app {
    use cortex_m::peripheral::SCB;
    use heapless::spsc::{Consumer, Producer, Queue};
    use meterbench_meter::{Action, Memory, Meter, Outage, WorkArea, Workspace};
    use meterbench_metrology::Frame;
    use meterbench_stm32_f405::button::Button;
    use meterbench_stm32_f405::converter::{Mender, decode};
    use meterbench_stm32_f405::journal::Journal;
    use meterbench_stm32_f405::nameplate;
    use meterbench_stm32_f405::pulse::Pulse;
    use meterbench_stm32_f405::reading_head::{Lines, Request, Text};
    use meterbench_stm32_f405::saving::Saved;
    use meterbench_stm32_f405::timebase::Timebase;
    use stm32f4xx_hal::gpio::{Output, PC12, PinState};
    use stm32f4xx_hal::pac::{Interrupt, USART2};
    use stm32f4xx_hal::prelude::*;
    use stm32f4xx_hal::serial::{Config as SerialConfig, Rx, Serial};
    use stm32f4xx_hal::watchdog::IndependentWatchdog;

    use crate::clock;
    use crate::desk::{Desk, other_output};
    use crate::eeprom::{Eeprom, SLOTS};
    use crate::front_end::{FrontEnd, Pins as FrontEndPins, RawFrame};
    use crate::outputs::{Outputs, Pins as OutputPins};
    use crate::supply::Supply;

    /// Frames that may wait for the metrology: 4 ms.
    const FRAMES: usize = 32;
    /// Octets for what the meter writes down: 1490 rows of four energies, where the data sheet has 17 347.
    const MEMORY: usize = 56 * 1024;
    /// Time without a sample after which the watchdog resets the board (ms).
    const WATCHDOG_MS: u32 = 1000;

    #[shared]
    struct Shared {
        front_end: FrontEnd,
        outputs: Outputs,
        meter: &'static mut Meter,
    }

    #[local]
    struct Local {
        frames_in: Producer<'static, RawFrame>,
        frames_out: Consumer<'static, RawFrame>,
        timebase: Timebase,
        mender: Mender,
        alive: PC12<Output>,
        rx: Rx<USART2>,
        lines: Lines,
        requests_in: Producer<'static, Request>,
        desk: Desk,
    }

    #[init(local = [
        frames: Queue<RawFrame, FRAMES> = Queue::new(),
        requests: Queue<Request, 4> = Queue::new(),
        rows: [u8; MEMORY] = [0; MEMORY],
        area: WorkArea = WorkArea::new(),
        meter: Option<Meter> = None,
    ])]
    fn init(cx: init::Context) -> (Shared, Local) {
        let device = cx.device;
        let mut watchdog = IndependentWatchdog::new(device.IWDG);
        watchdog.start(WATCHDOG_MS.millis());
        let mut rcc = clock::start(device.RCC, &device.FLASH);
        let supply = Supply::new(device.PWR, &mut rcc);
        let mut delay = cx.core.SYST.delay(&rcc.clocks);
        let (gpioa, gpiob, gpioc) =
            (device.GPIOA.split(&mut rcc), device.GPIOB.split(&mut rcc), device.GPIOC.split(&mut rcc));
        // First of all: no current in the coils of the relay, whatever comes.
        let relay = (
            gpioc.pc8.into_push_pull_output_in_state(PinState::Low),
            gpioc.pc9.into_push_pull_output_in_state(PinState::Low),
        );
        let alive = gpioc.pc12.into_push_pull_output_in_state(PinState::High);
        let select = gpioa.pa0.into_floating_input();

        // A nameplate that makes no meter fails its test on the host.
        let Ok(meter) = nameplate::meter() else { SCB::sys_reset() };
        // In its place at once: the stack has no room for one that moves.
        let meter = cx.local.meter.insert(meter);
        meter.remember(Memory::Static(cx.local.rows));
        meter.watch_in(Workspace::Static(cx.local.area));
        let mut eeprom = Eeprom::new(device.I2C1, gpiob.pb6, gpiob.pb7, &mut delay, &mut rcc);
        let found = Journal::recover(SLOTS, |address, bytes: &mut [u8]| {
            watchdog.feed();
            eeprom.read(address, bytes)
        });
        // Without its journal the meter must not run: it would start from zero and write over what it had.
        let Ok((journal, image)) = found else { SCB::sys_reset() };
        if let Some(image) = image {
            // The board has no real-time clock.
            meter.restore(&image, Outage::Unknown);
        }
        let saved = Saved::new(0, &meter.registers());

        let serial = SerialConfig::default().baudrate(9600.bps());
        let Ok(serial) = Serial::<USART2>::new(device.USART2, (gpioa.pa2, gpioa.pa3), serial, &mut rcc) else {
            SCB::sys_reset()
        };
        let (tx, mut rx) = serial.split();
        rx.listen();

        let outputs = OutputPins { data_ready: gpioa.pa5, test_output: gpiob.pb10, s0: gpiob.pb11 };
        let mut outputs = Outputs::new(device.TIM2, outputs, &mut rcc);
        let pins = FrontEndPins {
            select: gpiob.pb12,
            clock: gpiob.pb13,
            from_converter: gpiob.pb14,
            to_converter: gpiob.pb15,
            reset: gpioc.pc6,
        };
        watchdog.feed();
        let Ok(mut front_end) = FrontEnd::new(device.SPI2, device.DMA1, pins, &mut delay, &mut rcc) else {
            SCB::sys_reset()
        };
        outputs.start();
        front_end.synchronise(&mut delay);

        let (frames_in, frames_out) = cx.local.frames.split();
        let (requests_in, requests) = cx.local.requests.split();
        let desk = Desk {
            requests,
            tx,
            answer: Text::new(),
            sent: 0,
            journal,
            eeprom,
            saved,
            supply,
            last_words: false,
            button: Button::new(select.is_high()),
            select,
            watchdog,
            fed: 0,
            relay,
        };
        let timebase = Timebase::new(outputs.ticks_per_second());
        (
            Shared { front_end, outputs, meter },
            Local {
                frames_in,
                frames_out,
                timebase,
                mender: Mender::default(),
                alive,
                rx,
                lines: Lines::new(),
                requests_in,
                desk,
            },
        )
    }

    /// Data ready was captured, or an edge was put out.
    #[task(binds = TIM2, priority = 4, shared = [front_end, outputs])]
    fn timer(cx: timer::Context) {
        (cx.shared.outputs, cx.shared.front_end).lock(|outputs, front_end| {
            if let Some(captured) = outputs.captured() {
                front_end.begin(captured);
            }
            outputs.advance();
        });
    }

    /// A frame of the converter is in memory.
    #[task(binds = DMA1_STREAM3, priority = 3, shared = [front_end], local = [frames_in])]
    fn frame(mut cx: frame::Context) {
        let frame = cx.shared.front_end.lock(FrontEnd::finish);
        // A frame that finds no room shows as a gap in the captures, and is mended there.
        if let Some(frame) = frame {
            let _ = cx.local.frames_in.enqueue(frame);
        }
        rtic::pend(Interrupt::SPI3);
    }

    /// A byte of the optical port.
    #[task(binds = USART2, priority = 3, local = [rx, lines, requests_in])]
    fn received(cx: received::Context) {
        if let Ok(byte) = cx.local.rx.read()
            && let Some(request) = cx.local.lines.take(byte)
        {
            // Whoever asks faster than is answered gets no answer.
            let _ = cx.local.requests_in.enqueue(request);
        }
    }

    /// Runs the meter on every frame that waits. The interrupt of SPI3, which is not used otherwise, is pended by `frame`.
    #[task(binds = SPI3, priority = 2, shared = [meter, outputs], local = [frames_out, timebase, mender, alive])]
    fn metrology(mut cx: metrology::Context) {
        let metrology::LocalResources { frames_out, timebase, mender, alive, .. } = cx.local;
        while let Some(raw) = frames_out.dequeue() {
            let due = timebase.sample(raw.captured);
            // A sample of a converter that was reset is missing like one that is not whole.
            let whole = decode(raw.bytes()).ok();
            alive.set_state(PinState::from(whole.is_none()));
            for n in 1..=due {
                if mender.has_given_up() {
                    // Sample time stands, so that the watchdog resets the board. Until then `idle` can end a record.
                    break;
                }
                let frame: Frame = match whole {
                    Some(frame) if n == due => mender.whole(frame),
                    _ => mender.missing(),
                };
                let mut impulse = None;
                cx.shared.meter.lock(|meter| meter.process(&[frame], |Action::Impulse(i)| impulse = Some(i)));
                if let Some(impulse) = impulse {
                    let pulse = Pulse { on: timebase.tick(impulse.rise), off: timebase.tick(impulse.fall) };
                    cx.shared.outputs.lock(|outputs| outputs.put_out(pulse));
                }
            }
        }
    }

    /// Everything that has time.
    #[idle(shared = [meter], local = [desk])]
    fn idle(mut cx: idle::Context) -> ! {
        let desk = cx.local.desk;
        loop {
            let (index, registers) = cx.shared.meter.lock(|meter| (meter.sample_index(), meter.registers()));
            desk.feed(index);
            let low = desk.supply.is_low();
            let due = !low && desk.saved.is_due(index, &registers);
            if due || (low && !desk.last_words) {
                let image = cx.shared.meter.lock(|meter| meter.persist());
                desk.save(&image, Saved::new(index, &registers), low);
            }
            desk.last_words &= low;
            if desk.button.look(desk.select.is_high(), index) {
                cx.shared.meter.lock(|meter| other_output(meter));
            }
            if desk.answer.is_empty()
                && let Some(request) = desk.requests.dequeue()
                && let Some(answer) = cx.shared.meter.lock(|meter| request.carry_out(meter))
            {
                desk.answer = answer.text();
            }
            desk.send();
            cortex_m::asm::wfi();
        }
    }
}
