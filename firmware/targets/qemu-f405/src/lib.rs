//! What the programs for QEMU's STM32F405 share: [`semihosting`], and the last words of one that fails.
//!
//! QEMU 7.2 has no clock tree, no ports and no usable converter in this machine, and none is needed: samples come and
//! events go over semihosting, in lock step with the bench. No timer and no serial port is touched.
#![no_std]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

pub mod semihosting;

/// Exit status of a program that panicked.
const PANICKED: u32 = 101;
/// Exit status of a program that took a fault.
const FAULTED: u32 = 102;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    semihosting::say(format_args!("{info}"));
    semihosting::exit(PANICKED)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    semihosting::say(format_args!("hard fault at {:#010x}", frame.pc()));
    semihosting::exit(FAULTED)
}
