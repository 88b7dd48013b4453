//! Local reading by characters: IEC 62056-21 modes A, C and E, both ends of the optical head.
//!
//! [`Meter`] answers a request with its identification and then, as the tester selects, sends its data, enters the
//! programming mode, or hands the line over to HDLC. [`Tester`] is the other end. Both hand out what the shell must do:
//! transmit these characters, set the line to another rate, hand over. A `Switch` counts from the moment at which
//! everything handed out before has left.
//!
//! Characters are octets with seven bits; parity is the business of the line, and the eighth bit is not looked at.
//!
//! # Deliberately absent
//!
//! Mode D, the meter's side of mode B, and the wake-up of battery meters (leading NULs are skipped).

mod baud;
mod block;
mod collector;
mod data;
mod meter;
mod reply;
mod sign_on;
mod tester;

pub use baud::{Baud, Format, Line};
pub use block::{ACKNOWLEDGE, Block, REFUSE, block_check};
pub use data::{DataSet, DataSets, DataWriter};
pub use meter::{Meter, MeterAction, MeterSettings, ReplyError};
pub use sign_on::{Identification, Mode, OptionSelect, Request};
pub use tester::{CommandError, Goal, Tester, TesterAction, TesterFailure, TesterSettings};

/// Why characters are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadoutError {
    /// Another character than the one that must stand there, or none.
    #[error("character {offset} is not {expected}")]
    Unexpected {
        /// Where it stands.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A part is longer than it may be.
    #[error("character {offset} starts {what} of more than {most} characters")]
    TooLong {
        /// Where the part starts.
        offset: usize,
        /// Which part.
        what: &'static str,
        /// Characters it may have.
        most: usize,
    },
    /// The block check character is wrong.
    #[error("the block check character is {found:#04x}, expected {expected:#04x}")]
    BlockCheck {
        /// The character that stands there.
        found: u8,
        /// What the characters before it give.
        expected: u8,
    },
    /// There is not enough room to write.
    #[error("there is room for {room} characters only")]
    Room {
        /// Characters there is room for.
        room: usize,
    },
}

/// Copies pieces one behind the other.
pub(crate) fn join(out: &mut [u8], pieces: &[&[u8]]) -> Result<usize, ReadoutError> {
    let room = out.len();
    let mut at = 0;
    for piece in pieces {
        let place = out.get_mut(at..at + piece.len()).ok_or(ReadoutError::Room { room })?;
        place.copy_from_slice(piece);
        at += piece.len();
    }
    Ok(at)
}
