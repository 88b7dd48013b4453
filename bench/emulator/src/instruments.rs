//! Emulated instruments: sans-IO objects that take lines and give lines.

use std::time::Duration;

use crate::world::World;

pub(crate) mod ametek_mx;
pub(crate) mod chamber;
pub(crate) mod com5003;
pub(crate) mod fluke_6105a;
pub(crate) mod mt786;
pub(crate) mod s0;
mod scpi;

/// Who is talking: instruments that keep state per connection tell them apart by this.
pub(crate) type Client = u64;

/// An answer, and how long the instrument takes to give it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn now(text: impl Into<String>) -> Self {
        Self { text: text.into(), after: Duration::ZERO }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn nothing() -> Self {
        Self::default()
    }
}

/// An instrument behind the wire.
pub(crate) trait Instrument: Send {
    /// Byte that ends a line, both ways.
    fn terminator(&self) -> u8;

    /// Takes one line (without terminator) from a client; the world has been moved up to now.
    fn receive(&mut self, client: Client, line: &str, world: &mut World) -> Reply;

    /// Sees what passed in the world since the last call.
    fn observe(&mut self, _world: &mut World) {}

    /// Waits for impulses of this place (counted from 0): its meter must take every sample.
    fn watches(&self, _position: usize) -> bool {
        false
    }

    /// A client went away.
    fn disconnected(&mut self, _client: Client) {}
}
