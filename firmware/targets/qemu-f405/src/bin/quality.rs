//! The analysis of power quality on the target: every digit of what it finds, as a hash to compare with that of other processors
//! (`firmware/metrology/tests/it/quality/stimulus.rs`; ends with status 1 where it differs), and what it costs in instructions,
//! counted as in `cost`.
#![no_std]
#![no_main]

use core::ptr;

use cortex_m_rt::entry;
use meterbench_metrology::Analysis;
use meterbench_qemu_f405::semihosting::{exit, say};

#[path = "../../../../metrology/tests/it/quality/stimulus.rs"]
mod stimulus;

/// TIM2_CNT, which counts nanoseconds of emulated time in QEMU.
const COUNTER: *const u32 = 0x4000_0024 as *const u32;

fn instructions() -> u32 {
    // SAFETY: a register of this processor that may be read at any time.
    unsafe { ptr::read_volatile(COUNTER) }
}

#[entry]
fn main() -> ! {
    // Larger than the stack; `entry` hands it in as a reference.
    static mut ANALYSIS: Analysis = Analysis::new();
    let (mut most, mut sum) = (0, 0u64);
    let (hash, halves, windows) = stimulus::digits(ANALYSIS, |sample| {
        let before = instructions();
        sample();
        let took = instructions().wrapping_sub(before);
        most = most.max(took);
        sum += u64::from(took);
    });
    say(format_args!("{halves} half cycles, {windows} windows: {hash:#018x}"));
    say(format_args!(
        "three systems with the analysis: {} instructions per frame on average, at most {most}",
        sum / u64::from(stimulus::Stimulus::LENGTH)
    ));
    exit(if hash == stimulus::HASH { 0 } else { 1 })
}
