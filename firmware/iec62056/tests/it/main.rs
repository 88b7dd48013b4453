//! The protocol crate from outside: published octets, round trips, mutations, transfers, disturbed lines.

mod common;
mod device;
mod disturbed_line;
mod drive;
mod drive_server;
mod general_blocks;
mod golden;
mod line_mutation;
mod link_rules;
mod mutations;
mod optical_head;
mod protection;
mod random;
mod round_trips;
mod session;
mod transfers;
mod vectors;
