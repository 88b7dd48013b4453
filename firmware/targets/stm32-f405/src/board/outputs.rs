//! Test output and S0 output: TIM2 puts both edges out by itself, at the tick.
//!
//! Channel 1 captures data ready of the converter, channels 3 and 4 hold the same edge. All three count with one counter of
//! 32 bits that never stops, so that an edge has the same distance to its sample whatever the processor is doing.

use meterbench_stm32_f405::pulse::{Edge, Pulse, Sequencer};
use stm32f4xx_hal::gpio::alt::tim2::{Ch1, Ch3, Ch4};
use stm32f4xx_hal::gpio::{PA5, PB10, PB11, PushPull};
use stm32f4xx_hal::pac::TIM2;
use stm32f4xx_hal::rcc::{Enable, Rcc, Reset};

/// Pins of TIM2.
pub struct Pins {
    /// Data ready of the converter, channel 1.
    pub data_ready: PA5,
    /// Test output (LED), channel 3, high is on.
    pub test_output: PB10,
    /// S0 output, channel 4, high is on.
    pub s0: PB11,
}

/// The timer and what it must hold next.
pub struct Outputs {
    timer: TIM2,
    sequencer: Sequencer,
    ticks_per_second: u32,
    _pins: (Ch1<PushPull>, Ch3<PushPull>, Ch4<PushPull>),
}

/// What an output does when the counter reaches the tick (RM0090, "TIMx capture/compare mode register 2", OCxM).
#[derive(Clone, Copy)]
enum Mode {
    On = 0b001,
    Off = 0b010,
    OffNow = 0b100,
    OnNow = 0b101,
}

impl Outputs {
    /// Takes timer and pins; both outputs are off.
    pub fn new(timer: TIM2, pins: Pins, rcc: &mut Rcc) -> Self {
        TIM2::enable(rcc);
        TIM2::reset(rcc);
        let mut outputs = Self {
            timer,
            sequencer: Sequencer::new(),
            ticks_per_second: rcc.clocks.timclk1().raw(),
            _pins: (pins.data_ready.into(), pins.test_output.into(), pins.s0.into()),
        };
        outputs.timer.ccmr1_input().write(|w| w.cc1s().ti1());
        outputs.set(Mode::OffNow);
        outputs.timer.ccer().write(|w| w.cc1e().set_bit().cc1p().set_bit().cc3e().set_bit().cc4e().set_bit());
        outputs.timer.arr().write(|w| w.arr().set(u32::MAX));
        outputs.timer.cr1().write(|w| w.cen().set_bit());
        outputs
    }

    /// From now on captures and edges raise the interrupt.
    pub fn start(&mut self) {
        self.timer.sr().write(|w| w.cc1if().clear_bit());
        self.timer.dier().write(|w| w.cc1ie().set_bit().cc3ie().set_bit());
    }

    /// Ticks per second.
    pub fn ticks_per_second(&self) -> u32 {
        self.ticks_per_second
    }

    /// The tick of a data-ready edge that was captured since the last call.
    pub fn captured(&mut self) -> Option<u32> {
        let captured = self.timer.sr().read().cc1if().bit_is_set();
        // Reading the capture clears its flag.
        captured.then(|| self.timer.ccr1().read().ccr().bits())
    }

    /// If the edge that is held was put out, holds the next one.
    pub fn advance(&mut self) {
        if self.timer.sr().read().cc3if().bit_is_set() {
            // Flags are cleared by zeros; ones leave them alone.
            self.timer.sr().write(|w| w.cc3if().clear_bit());
            if let Some(edge) = self.sequencer.reached() {
                self.hold(edge);
            }
        }
    }

    /// Puts an impulse out after those that wait. What finds no room is above any power the meter is made for, and is left out.
    pub fn put_out(&mut self, pulse: Pulse) {
        if let Ok(Some(edge)) = self.sequencer.push(pulse) {
            self.hold(edge);
        }
    }

    /// Gives the timer an edge. One whose tick has gone by already is put out at once.
    fn hold(&mut self, edge: Edge) {
        // Until the mode is set the outputs keep their level: the mode of the edge before only confirms it.
        self.timer.ccr3().write(|w| w.ccr().set(edge.tick()));
        self.timer.ccr4().write(|w| w.ccr().set(edge.tick()));
        self.timer.sr().write(|w| w.cc3if().clear_bit());
        let (at_tick, now) = match edge {
            Edge::On(_) => (Mode::On, Mode::OnNow),
            Edge::Off(_) => (Mode::Off, Mode::OffNow),
        };
        self.set(at_tick);
        if edge.is_past(self.timer.cnt().read().cnt().bits()) {
            self.set(now);
            self.timer.egr().write(|w| w.cc3g().set_bit());
        }
    }

    fn set(&mut self, mode: Mode) {
        self.timer.ccmr2_output().write(|w| w.oc3m().set(mode as u8).oc4m().set(mode as u8));
    }
}
