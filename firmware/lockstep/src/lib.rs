//! Lock step: the wire between a bench and a meter body, and the service of its requests.
//!
//! A body that does not live in the bench's own program (an emulated processor, later a board) takes one *request* at a
//! time, answers it and waits for the next. The index of the sample is the only clock: a body that waits does not age.
//! Both ends are here, without a heap or IO: the bench writes with [`RequestWriter`] and reads [`Answer`]s, the body hands
//! the bytes of a request to [`Served`], which decodes them, lets the [`Meter`](meterbench_meter::Meter) take them and
//! writes the answer.
//!
//! # The wire
//!
//! A message is `length: u32`, `version: u32` ([`VERSION`]), `number: u32` and sections; `length` counts what follows it.
//! A section is `tag: u8`, `length: u16` and its content. Everything is little-endian. The answer has the number of its
//! request. A request has one or more sections, carried out in order:
//!
//! | tag | section | content |
//! |---|---|---|
//! | 1 | configure | length and text of the type number, then the settings |
//! | 2 | samples | index of the first: u64, until the next window: u8, frames of six 24-bit counts |
//! | 3 | cycles | index of the first sample: u64, two frames to go on from, up to ten cycles as sums |
//! | 4 | output | what the test output counts: u8 |
//! | 5 | display | item of the display: three bytes of OBIS |
//! | 6 | identity | length and text of the type number as printed, serial number: u32, three keys of each role, whether and which password, seed of the challenges |
//! | 7 | configuration | text of the software configuration |
//! | 8 | open | port: u8 (optical head, two connections over the network); a client connects, and the port starts anew |
//! | 9 | octets | port: u8, up to 64 octets that came over it; none lets its time pass |
//! | 10 | keep | nothing: asks for what must outlive a power cut |
//! | 11 | restore | whether the time since is known, lost or unknown: u8, milliseconds: u64, image; for a meter just configured |
//! | 12 | trim | how much faster its clock must run than its samples: i32 [1e-9] |
//!
//! A power cut is `keep` when the supply fails, and `configure` to `restore` when it is back.
//!
//! An answer has the sections
//!
//! | tag | section | content |
//! |---|---|---|
//! | 129 | impulse | rise: u64, fall: u64 [1/65536 sample] |
//! | 130 | display | item, whether it is shown, digits, format, unit |
//! | 131 | refused | reason: u8 |
//! | 132 | status | sample index, frames taken, running hash, at the start of a window, phase that synchronises |
//! | 133 | transmit | octets to send over the port that was given octets |
//! | 134 | switch | digit of its baud rate, whether 8N1: u8; counts once everything before has left |
//! | 135 | standing | whether its connection is closed: u8, whether it is due: u8, in how many milliseconds: u32 |
//! | 136 | image | what must outlive a power cut |
//!
//! and ends with the status. The hash ([`struct@Hash`]) runs over every event (impulses, and what the ports say) and, after
//! each request, over the whole state of the metrology, registers and all, and of power quality: two bodies that were given the same requests have
//! equal hashes, or the first that differ name the request.
//!
//! A body is bounded and does not panic, whatever bytes come: a request that is not understood is refused.
//!
//! # Deliberately absent
//!
//! Digital inputs and relay: they become sections of their own with the features of the firmware that need them.
#![no_std]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

mod answer;
mod bytes;
mod hash;
mod request;
mod served;
mod settings;
#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerPart, Refusal, Status};
pub use bytes::{HEADER, VERSION, WireError, message_length};
pub use hash::Hash;
pub use request::{
    Cycles, LONGEST_TYPE_NUMBER, MOST_CYCLES, MOST_FRAMES, MOST_OCTETS, Request, RequestPart, RequestWriter, Samples,
};
pub use served::{Served, process_until_window};

/// Bytes of the longest request: a block of [`MOST_FRAMES`] samples.
pub const LONGEST_REQUEST: usize = HEADER + 3 + 9 + 18 * MOST_FRAMES;

/// Bytes of the longest answer: an impulse at every sample of a block, and the status.
pub const LONGEST_ANSWER: usize = HEADER + 19 * MOST_FRAMES + 128;
