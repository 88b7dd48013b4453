//! IEC 62056-47: APDUs behind a header of eight octets, over TCP.

use meterbench_iec62056::server::{LONGEST_APDU, Server};
use meterbench_iec62056::wrapper::{Reassembler, Wpdu};

use super::{MESSAGE, now_ms};
use crate::meter::Meter;

/// Wrapper port of the one logical device.
const MANAGEMENT: u16 = 1;

/// One connection over a network.
#[derive(Debug)]
pub struct NetworkPort {
    reassembler: Reassembler<MESSAGE>,
    server: Server,
    /// When octets came last (ms); `None` before the connection is looked at.
    heard: Option<u64>,
}

impl Default for NetworkPort {
    fn default() -> Self {
        Self { reassembler: Reassembler::default(), server: Server::new(), heard: None }
    }
}

impl NetworkPort {
    /// Time (ms) after which a connection that says nothing is to be closed; `None` for never.
    pub fn due_in(&self, meter: &Meter) -> Option<u64> {
        let seconds = Some(meter.device().ports.network_inactivity_s).filter(|seconds| *seconds > 0)?;
        let silent = self.heard.map_or(0, |heard| now_ms(meter).saturating_sub(heard));
        Some((1000 * u64::from(seconds)).saturating_sub(silent))
    }

    /// Takes octets, or none where time alone has passed; hands every answer to `send`. False where the connection is to be
    /// closed: what comes is no wrapper, or it was silent for too long.
    #[inline(never)]
    pub fn receive(&mut self, meter: &mut Meter, mut octets: &[u8], mut send: impl FnMut(&[u8])) -> bool {
        if !octets.is_empty() || self.heard.is_none() {
            self.heard = Some(now_ms(meter));
        } else if self.due_in(meter) == Some(0) {
            return false;
        }
        while !octets.is_empty() {
            let Ok(taken) = self.reassembler.push(octets) else { return false };
            octets = octets.get(taken..).unwrap_or_default();
            let Some(message) = self.reassembler.message() else { continue };
            // Another logical device does not exist: it does not answer.
            if message.destination != MANAGEMENT {
                continue;
            }
            let mut answer = [0; LONGEST_APDU];
            let client = message.source;
            let mut length = self.server.answer(meter, client, message.data, &mut answer);
            while length > 0 {
                let wrapped = Wpdu { source: MANAGEMENT, destination: client, data: &answer[..length] };
                let mut out = [0; MESSAGE];
                if let Ok(length) = wrapped.encode(&mut out) {
                    send(&out[..length]);
                }
                length = self.server.go_on(meter, &mut answer);
            }
        }
        true
    }
}
