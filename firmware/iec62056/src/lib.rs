//! The protocol family of the electricity meter, client and server: bytes in, bytes out.
//!
//! Nothing here owns a socket, a clock, a heap or a thread. Decoders borrow from the octets they were given, encoders
//! write into a slice of the caller, machines keep a few integers. What comes from outside is never trusted: a decoder
//! returns an error with its place, nesting is bounded by [`data::MAXIMUM_DEPTH`], and no octets make it panic.
//!
//! # The application half
//!
//! [`obis`] names things, [`data`] and [`date_time`] say values, [`acse`] opens and releases an association, [`apdu`]
//! carries the services and their block transfers, [`security`] protects them.
//!
//! [`server`] and [`client`] are the two ends of an association.
//!
//! # The link half
//!
//! [`readout`] is the optical port of IEC 62056-21, [`hdlc`] the link of IEC 62056-46, [`wrapper`] the header of IEC 62056-47.
//! Their machines take octets and moments in milliseconds, and give octets and events.
#![no_std]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod acse;
pub mod apdu;
pub mod client;
pub mod data;
pub mod date_time;
pub mod hdlc;
pub mod obis;
pub mod octets;
pub mod readout;
pub mod security;
pub mod server;
pub mod wrapper;
