//! HDLC for COSEM: frames, addresses, negotiation and both ends of the link (IEC 62056-46, frame format type 3).
//!
//! [`Frame`] is the codec, [`Delimiter`] finds frames in a stream of octets, [`Server`] is the meter's end of the link,
//! [`Client`] the reader's. Both ends keep one contract:
//!
//! 1. Hand over octets with `receive`, which returns how many it took: it stops after each frame, so that nothing a
//!    frame caused is overwritten by the next one.
//! 2. Drain `poll_event`, then `poll_transmit`, until both are silent.
//! 3. Go on with the octets that are left; call `tick` no later than `deadline`.
//!
//! # Deliberately absent
//!
//! The transparency of asynchronous HDLC (there is none in this frame format: 7E may stand anywhere, the length counts),
//! the REJ and SREJ frames, and response times of the physical layer: the caller paces the line.

mod address;
mod client;
mod control;
mod crc;
mod delimiter;
mod event;
mod frame;
mod message;
mod parameters;
mod server;
mod transfer;

pub use address::{Address, AddressError, AddressLength, Reach};
pub use client::{Client, ClientError, ClientEvent, ClientSettings, Expect, Failure};
pub use control::Control;
pub use crc::check_sequence;
pub use delimiter::Delimiter;
pub use event::{Discarded, SettingsError};
pub use frame::{EncodeError, FLAG, FRAME_OVERHEAD, Frame, FrameError};
pub use parameters::{Parameters, ParametersError, ParametersForm};
pub use server::{AnswerError, Disconnection, Server, ServerEvent, ServerSettings};

/// Logical link control octets before a message from client to server (IEC 62056-46).
pub const LLC_TO_SERVER: [u8; 3] = [0xE6, 0xE6, 0x00];
/// Logical link control octets before a message from server to client (IEC 62056-46).
pub const LLC_TO_CLIENT: [u8; 3] = [0xE6, 0xE7, 0x00];
