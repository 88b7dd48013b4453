//! Scenarios of the protocol crate: golden octets, round trips, mutations, transfers.

mod common;

mod golden;
mod mutations;
mod protection;
mod round_trips;
mod session;
mod transfers;
//! The link half from outside: published frames, disturbed lines, mutated octets.

mod disturbed_line;
mod drive;
mod link_rules;
mod mutation;
mod optical_head;
mod random;
mod vectors;
