//! IEC 62056-47: APDUs behind a header of eight octets, over TCP.

use meterbench_iec62056::server::{LONGEST_APDU, Server};
use meterbench_iec62056::wrapper::{Reassembler, Wpdu};

use super::MESSAGE;
use crate::meter::Meter;

/// Wrapper port of the one logical device.
const MANAGEMENT: u16 = 1;

/// One connection over a network.
#[derive(Debug)]
pub struct NetworkPort {
    reassembler: Reassembler<MESSAGE>,
    server: Server,
}

impl Default for NetworkPort {
    fn default() -> Self {
        Self { reassembler: Reassembler::default(), server: Server::new() }
    }
}

impl NetworkPort {
    /// Takes octets, hands every answer to `send`; false where the connection is to be closed: what comes is no wrapper.
    pub fn receive(&mut self, meter: &mut Meter, mut octets: &[u8], mut send: impl FnMut(&[u8])) -> bool {
        while !octets.is_empty() {
            let Ok(taken) = self.reassembler.push(octets) else { return false };
            octets = octets.get(taken..).unwrap_or_default();
            let Some(message) = self.reassembler.message() else { continue };
            // Another logical device does not exist: it does not answer.
            if message.destination != MANAGEMENT {
                continue;
            }
            let mut answer = [0; LONGEST_APDU];
            let length = self.server.answer(meter, message.source, message.data, &mut answer);
            if length == 0 {
                continue;
            }
            let answer = Wpdu { source: MANAGEMENT, destination: message.source, data: &answer[..length] };
            let mut out = [0; MESSAGE];
            if let Ok(length) = answer.encode(&mut out) {
                send(&out[..length]);
            }
        }
        true
    }
}
