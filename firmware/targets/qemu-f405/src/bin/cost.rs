//! What the meter costs on the target: instructions per sample frame and per window of 200 ms, counted by the emulator.
//!
//! QEMU has no model of cycles, but with `-icount shift=0` its clock moves by one nanosecond per instruction, and TIM2 counts
//! nanoseconds: the counts are exact and the same on every host. What an instruction takes on silicon is an assumption, stated
//! apart: [`CYCLES_PER_TEN_INSTRUCTIONS`]. Ends with status 1 where the meter takes more than [`MOST_PER_MILLE`] of the
//! processor.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::ptr;
use core::slice::from_ref;

use cortex_m_rt::entry;
use meterbench_meter::{Action, Meter, Settings, TypeNumber, WorkArea, Workspace};
use meterbench_metrology::Frame;
use meterbench_qemu_f405::semihosting::{exit, say};

/// Clock of the processor (MHz).
const CLOCK_MHZ: u64 = 168;
/// Assumed: on a Cortex-M4 most integer and long multiply instructions take one cycle, loads two, taken branches two to four;
/// five wait states of the flash are hidden by its cache but for long jumps. Twenty is on the safe side of published figures.
const CYCLES_PER_TEN_INSTRUCTIONS: u64 = 20;
/// Share of the processor that the meter may take [1/1000].
const MOST_PER_MILLE: u64 = 150;

/// Samples of one cycle of mains at 50 Hz, and of a window.
const CYCLE: usize = 160;
const WINDOW: usize = 10 * CYCLE;
/// Windows that are counted, after some in which the metrology finds its frequency.
const WINDOWS: u32 = 10;
const SETTLING: u32 = 4;

/// TIM2_CNT, which counts nanoseconds of emulated time in QEMU.
const COUNTER: *const u32 = 0x4000_0024 as *const u32;

fn instructions() -> u32 {
    // SAFETY: a register of this processor that may be read at any time.
    unsafe { ptr::read_volatile(COUNTER) }
}

/// Instructions of a call, without those of the counting.
fn counted(work: impl FnOnce()) -> u32 {
    let before = instructions();
    work();
    instructions().wrapping_sub(before)
}

/// 50 Hz, 230 V and 53 A in three phases, PF 1: a cycle by rotation.
fn cycle() -> [Frame; CYCLE] {
    const ONE: i64 = 1 << 30;
    const HALF_ROOT_3: i64 = 929_887_697;
    const STEP: (i64, i64) = (1_072_914_008, 42_154_906);
    let mut phases = [(ONE, 0), (-ONE / 2, -HALF_ROOT_3), (-ONE / 2, HALF_ROOT_3)];
    core::array::from_fn(|_| {
        let peak = |counts: i64| phases.map(|(_, sin)| ((sin * counts) >> 30) as i32);
        let frame = Frame { voltage: peak(4_548_000), current: peak(3_163_000) };
        phases = phases.map(|(cos, sin)| {
            ((cos * STEP.0 - sin * STEP.1 + ONE / 2) >> 30, (cos * STEP.1 + sin * STEP.0 + ONE / 2) >> 30)
        });
        frame
    })
}

/// A meter of this type in this place. It lies on the stack on its way, and nothing else may.
#[inline(never)]
fn make<'m>(place: &'m mut Option<Meter>, type_number: &str) -> Option<&'m mut Meter> {
    let type_number = type_number.parse::<TypeNumber>().ok()?;
    Some(place.insert(Meter::new(type_number.profile(), &Settings::delivered()).ok()?))
}

/// Counts a meter of this type, with power quality; whether it is within the limit.
#[inline(never)]
fn count(name: &str, meter: Option<&mut Meter>, workspace: &mut Workspace) -> bool {
    let frames = cycle();
    let Some(meter) = meter else { return false };
    meter.watch_in(core::mem::take(workspace));
    let counting = counted(|| ());
    let (mut windows, mut samples, mut impulses) = (0, 0, 0u32);
    // Least and most of a frame, least and most of a window, sum.
    let (mut frame_least, mut frame_most, mut window_least, mut window_most, mut sum) =
        (u32::MAX, 0, u32::MAX, 0, 0u64);
    let (mut window, mut index) = (0u32, 0);
    while windows < SETTLING + WINDOWS {
        let frame = black_box(&frames[index % CYCLE]);
        let took = counted(|| {
            meter.process(from_ref(frame), |Action::Impulse(impulse)| {
                black_box(&impulse);
                impulses += 1;
            });
        }) - counting;
        index += 1;
        window += took;
        let is_counted = windows >= SETTLING;
        if is_counted {
            (frame_least, frame_most) = (frame_least.min(took), frame_most.max(took));
            (sum, samples) = (sum + u64::from(took), samples + 1);
        }
        if meter.state().at_window_start() {
            if is_counted {
                (window_least, window_most) = (window_least.min(window), window_most.max(window));
            }
            (window, windows) = (0, windows + 1);
        }
        if index > 100 * WINDOW {
            say(format_args!("{name}: no windows begin"));
            return false;
        }
    }
    let cycles = |instructions: u64| instructions * CYCLES_PER_TEN_INSTRUCTIONS / 10;
    let window_cycles = CLOCK_MHZ * 200_000;
    let per_mille = cycles(u64::from(window_most)) * 1000 / window_cycles;
    let nanoseconds = cycles(u64::from(frame_most)) * 1000 / CLOCK_MHZ;
    say(format_args!(
        "{name}: {} instructions per frame on average, {frame_least} to {frame_most}; {window_least} to {window_most} per window of 200 ms; {impulses} impulses",
        sum / samples
    ));
    say(format_args!(
        "{name}: at {}.{} cycles per instruction (assumed) {}.{} % of {CLOCK_MHZ} MHz, the longest frame {}.{} of 125 us",
        CYCLES_PER_TEN_INSTRUCTIONS / 10,
        CYCLES_PER_TEN_INSTRUCTIONS % 10,
        per_mille / 10,
        per_mille % 10,
        nanoseconds / 1000,
        nanoseconds % 1000 / 100,
    ));
    *workspace = meter.take_workspace();
    per_mille <= MOST_PER_MILLE
}

#[entry]
fn main() -> ! {
    static mut METERS: [Option<Meter>; 2] = [None, None];
    static mut AREA: WorkArea = WorkArea::new();
    let [three, one] = METERS;
    let workspace = &mut Workspace::Static(AREA);
    let three = count("three systems", make(three, "684-2-41D-1312AA70-1B14001"), workspace);
    let one = count("one system", make(one, "686-11-11B-N14-3001-001"), workspace);
    exit(if three && one { 0 } else { 1 })
}
