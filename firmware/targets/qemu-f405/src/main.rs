//! The meter in lock step: reads a request from standard input, lets the meter take it, writes the answer to standard
//! output, and waits. The index of the sample is the only clock.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use meterbench_lockstep::{LONGEST_REQUEST, Served, message_length};
use meterbench_meter::{Memory, WorkArea, Workspace};
use meterbench_qemu_f405::semihosting::{FOR_READING, FOR_WRITING, File, exit};

/// The bench is gone: nothing is left to do.
const DONE: u32 = 0;
/// The host has no standard input or output to open.
const NO_FILES: u32 = 2;
/// What came is no request.
const NO_REQUEST: u32 = 3;

/// Octets for what the meter writes down: 75 rows of four energies, where the data sheet has 17 347.
const MEMORY: usize = 9 * 1024;
/// Octets of a request and its answer: the request lies at the end, the answer takes the rest. The longest request, a block of
/// samples, leaves room for a hundred impulses; octets of a port leave room for all that it says.
const MESSAGES: usize = LONGEST_REQUEST + 2048;

#[entry]
fn main() -> ! {
    static mut ROWS: [u8; MEMORY] = [0; MEMORY];
    static mut AREA: WorkArea = WorkArea::new();
    static mut BUFFER: [u8; MESSAGES] = [0; MESSAGES];
    static mut SERVED: Option<Served> = None;
    let (Some(mut input), Some(mut output)) =
        (File::open(c"/dev/stdin", FOR_READING), File::open(c"/dev/stdout", FOR_WRITING))
    else {
        exit(NO_FILES)
    };
    let served = SERVED.insert(Served::with_memory(Memory::Static(ROWS)).with_workspace(Workspace::Static(AREA)));
    loop {
        let length = match read_request(&mut input, &mut BUFFER[..LONGEST_REQUEST]) {
            Ok(length) => length,
            Err(status) => exit(status),
        };
        BUFFER.copy_within(..length, MESSAGES - length);
        let (answer, request) = BUFFER.split_at_mut(MESSAGES - length);
        let answered = served.answer(request, answer);
        if !output.write(&answer[..answered]) {
            exit(DONE);
        }
    }
}

/// One whole request; the exit status if there is none.
fn read_request(input: &mut File, request: &mut [u8]) -> Result<usize, u32> {
    let mut there = 0;
    loop {
        // The bench waits for the answer: nothing of the next request can be in these bytes.
        let length = message_length(&request[..there]);
        if length.is_some_and(|length| length > request.len() || length < there) {
            return Err(NO_REQUEST);
        }
        if length == Some(there) {
            return Ok(there);
        }
        match input.read(&mut request[there..]) {
            0 => return Err(if there == 0 { DONE } else { NO_REQUEST }),
            read => there += read,
        }
    }
}
