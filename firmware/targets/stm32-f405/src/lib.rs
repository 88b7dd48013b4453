//! What the board shell decides, apart from what it touches: decoding a converter frame, the time base, the order of edges,
//! the journal of the registers, the line protocol of the reading head.
//!
//! Everything here is `no_std`, owns no peripheral and is tested on the host. `src/board/` is the shell itself: pins, timers,
//! DMA and interrupts, built with the feature `board` for `thumbv7em-none-eabihf`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod button;
pub mod converter;
pub mod journal;
pub mod nameplate;
pub mod pulse;
pub mod reading_head;
pub mod saving;
pub mod timebase;
