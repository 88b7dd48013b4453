//! Who is connected to the ports of one meter.

use super::{NetworkPort, OpticalPort, PortAction};
use crate::meter::Meter;

/// A place where a client can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// The optical head.
    Optical,
    /// A connection over the network.
    FirstNetwork,
    /// Another one.
    SecondNetwork,
}

impl Port {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Optical, Self::FirstNetwork, Self::SecondNetwork];
}

/// How a connection stands after what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Time (ms) after which the port wants to be looked at, if nothing comes before it.
    pub due_in_ms: Option<u32>,
    /// Nobody is connected (any more): the shell closes what leads here.
    pub closed: bool,
}

/// The connections of a meter: one optical head, two over the network.
#[derive(Debug, Default)]
pub struct Connections {
    optical: Option<OpticalPort>,
    network: [Option<NetworkPort>; 2],
}

impl Connections {
    /// Nobody is connected any more.
    pub fn close(&mut self) {
        self.optical = None;
        self.network.iter_mut().for_each(|port| *port = None);
    }

    /// A client connects: the port starts anew, and whoever was there is gone.
    ///
    /// A port is large: on a processor its way to its place must not lie on the stack of everything else.
    #[inline(never)]
    pub fn open(&mut self, meter: &Meter, port: Port) {
        match port {
            Port::Optical => self.optical = Some(OpticalPort::new(meter)),
            Port::FirstNetwork => self.network[0] = Some(NetworkPort::default()),
            Port::SecondNetwork => self.network[1] = Some(NetworkPort::default()),
        }
    }

    /// Takes octets, or none, and lets the meter's time pass; hands out what is due.
    #[inline(never)]
    pub fn receive(
        &mut self,
        meter: &mut Meter,
        port: Port,
        octets: &[u8],
        mut act: impl FnMut(PortAction<'_>),
    ) -> Standing {
        const CLOSED: Standing = Standing { due_in_ms: None, closed: true };
        let network = match port {
            Port::FirstNetwork => &mut self.network[0],
            Port::SecondNetwork => &mut self.network[1],
            Port::Optical => {
                let Some(head) = &mut self.optical else { return CLOSED };
                head.receive(meter, octets, &mut act);
                head.tick(meter, &mut act);
                let due_in_ms = head.due_in(meter).map(|ms| u32::try_from(ms).unwrap_or(u32::MAX));
                return Standing { due_in_ms, closed: false };
            }
        };
        let Some(connection) = network else { return CLOSED };
        if connection.receive(meter, octets, |answer| act(PortAction::Transmit(answer))) {
            let due_in_ms = connection.due_in(meter).map(|ms| u32::try_from(ms).unwrap_or(u32::MAX));
            return Standing { due_in_ms, closed: false };
        }
        *network = None;
        CLOSED
    }
}
