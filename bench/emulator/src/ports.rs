//! The ports of the emulated meters, in this program and on TCP: the optical head, and the wrapper behind the network.
//!
//! Octets go to the firmware as they come, wherever it runs; its answers leave when the meter's own time says so. A pipe and a
//! line over TCP have no baud rate; a pseudo-terminal ([`crate::pty`]) has.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use meterbench_iec62056::readout::{Format, Line};
use meterbench_iec62056::security::{Gcm, Key};
use meterbench_link::{LineSetting, Listener, Stream};
use meterbench_meter::cosem::{Identity, Role, RoleKeys};
use meterbench_meter::port::{Port, PortAction, Standing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::laboratory::{Laboratory, LaboratoryError};
use crate::tcp;

/// Which port of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// IEC 62056-21 and HDLC.
    Optical,
    /// The wrapper of IEC 62056-47.
    Network,
}

impl PortKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Optical, Self::Network];

    /// The word in names: `meter/1/optical`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Optical => "optical",
            Self::Network => "network",
        }
    }

    /// Name of this port of the meter at a position.
    pub fn endpoint(self, position: u32) -> String {
        format!("meter/{position}/{}", self.name())
    }
}

/// How a client of one role speaks to an emulated meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleAccess {
    /// The role.
    pub role: &'static str,
    /// Service access point of the client.
    pub client: u16,
    /// Number in the logical names of its objects.
    pub number: u8,
    /// Global unicast encryption key and authentication key; none for who needs none.
    pub keys: Option<([u8; 16], [u8; 16])>,
    /// Password at the optical port of a meter whose local encryption is off; none for who has none.
    pub password: Option<[u8; 16]>,
}

/// The roles of the emulated meter with this serial number, with keys that anybody can make.
pub fn roles(serial: &str) -> Vec<RoleAccess> {
    let identity = test_identity(serial);
    let access = |role: Role| {
        let place = (role as usize).checked_sub(1);
        let keys = place.map(|n| (identity.keys[n].encryption, identity.keys[n].authentication));
        let password = place.and_then(|n| identity.passwords[n]);
        RoleAccess { role: role.name(), client: role.client(), number: role.number(), keys, password }
    };
    Role::ALL.into_iter().map(access).collect()
}

/// The identity of an emulated meter: keys made of its serial number. Serial numbers of a bench are numbers; another one gets
/// the keys of zero.
pub(crate) fn test_identity(serial: &str) -> Identity {
    let serial: u32 = serial.parse().unwrap_or(0);
    let key = |purpose: u8, role: u8| {
        let (mut vector, mut key) = ([0; 12], [0; 16]);
        vector[..4].copy_from_slice(&serial.to_be_bytes());
        vector[11] = role;
        Gcm::new(&Key([purpose; 16])).apply_key_stream(&vector, &mut key);
        key
    };
    let of_role = |role: u8| RoleKeys { encryption: key(1, role), authentication: key(2, role), master: key(3, role) };
    let passwords = [None, Some(key(5, 2)), Some(key(5, 3))];
    Identity { serial, keys: [1, 2, 3].map(of_role), passwords, seed: key(4, 0) }
}

/// Who is connected to the ports of one meter, by [`Port`]; gone where nobody holds it any more.
#[derive(Debug, Default)]
pub(crate) struct Callers([Weak<Notify>; Port::ALL.len()]);

/// A connection to a port of a meter. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Call {
    port: Port,
    /// Told when another one takes the port over.
    taken_over: Arc<Notify>,
}

impl Callers {
    /// Lets a caller in: to the optical head always, in place of who was there; to the network where a connection is free.
    pub(crate) fn admit(&mut self, kind: PortKind) -> Option<Call> {
        let is_free = |port: &Port| !self.is_at(*port);
        let port = match kind {
            PortKind::Optical => Port::Optical,
            PortKind::Network => [Port::FirstNetwork, Port::SecondNetwork].into_iter().find(is_free)?,
        };
        let taken_over = Arc::default();
        let before = std::mem::replace(&mut self.0[port as usize], Arc::downgrade(&taken_over));
        if let Some(before) = before.upgrade() {
            before.notify_one();
        }
        Some(Call { port, taken_over })
    }

    /// Somebody is connected to this port.
    pub(crate) fn is_at(&self, port: Port) -> bool {
        self.0[port as usize].strong_count() > 0
    }

    /// The port of a caller; `None` where another one has taken it over.
    pub(crate) fn port(&self, call: &Call) -> Option<Port> {
        std::ptr::eq(self.0[call.port as usize].as_ptr(), Arc::as_ptr(&call.taken_over)).then_some(call.port)
    }
}

/// How long a connection waits before the meter's time is looked at again, where the meter waits for nothing.
const IDLE: Duration = Duration::from_secs(1);

impl Laboratory {
    /// Serves one port of a meter on TCP until the future is dropped; `started` learns the address.
    pub async fn serve_port(
        self,
        position: u32,
        kind: PortKind,
        address: String,
        started: impl FnOnce(SocketAddr),
    ) -> Result<(), LaboratoryError> {
        let instrument = kind.endpoint(position);
        let talk = |stream| self.clone().speak(position, kind, stream);
        tcp::serve(&instrument, &address, started, talk).await
    }

    /// Serves one port of a meter within this program.
    pub(crate) async fn answer_port(self, position: u32, kind: PortKind, mut listener: Listener) {
        let mut calls = JoinSet::new();
        while let Some(stream) = listener.accept().await {
            calls.spawn(self.clone().speak(position, kind, stream));
            while calls.try_join_next().is_some() {}
        }
    }

    /// One connection: octets in, octets out, and what is due with time.
    pub(crate) async fn speak(self, position: u32, kind: PortKind, mut stream: impl Stream) {
        let Some(call) = self.with_position(position, |meter| meter.connect(kind)).flatten() else { return };
        let (mut chunk, mut standing) = ([0; 2048], Standing::default());
        while !standing.closed {
            let wait = standing.due_in_ms.map_or(IDLE, |ms| Duration::from_millis(u64::from(ms.max(1))).min(IDLE));
            let received = tokio::select! {
                biased;
                () = call.taken_over.notified() => return,
                () = self.broken() => return,
                read = stream.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(length) => &chunk[..length],
                },
                () = sleep(wait) => &[][..],
            };
            let mut out = Vec::new();
            let act = |action: PortAction<'_>| {
                out.push(match action {
                    PortAction::Transmit(octets) => Due::Octets(octets.to_vec()),
                    PortAction::Switch(line) => Due::Line(line_setting(line)),
                });
            };
            let said = self.with_position(position, |meter| meter.speak(&call, received, act)).flatten();
            for due in out {
                if due.perform(&mut stream).await.is_err() {
                    return;
                }
            }
            let Some(now) = said else { return };
            standing = now;
        }
    }
}

/// What a connection does next on its stream.
enum Due {
    Octets(Vec<u8>),
    Line(LineSetting),
}

impl Due {
    async fn perform(self, stream: &mut impl Stream) -> io::Result<()> {
        match self {
            Self::Octets(octets) => {
                stream.write_all(&octets).await?;
                stream.flush().await
            }
            Self::Line(line) => stream.set_line(line),
        }
    }
}

fn line_setting(line: Line) -> LineSetting {
    let baud = line.baud.bits_per_second();
    match line.format {
        Format::SevenEven => LineSetting::seven_even(baud),
        Format::EightNone => LineSetting::eight_none(baud),
    }
}

#[cfg(test)]
mod tests;
