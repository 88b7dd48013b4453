//! The display of a meter as a reading head sees it: `DISPLAY?` is answered with `C.D.E;VALUE;UNIT`.
//!
//! The protocol is this project's own: a real bench has an operator or a camera here.

use super::{Client, Instrument, Reply};
use crate::world::World;

#[derive(Debug)]
pub(crate) struct DisplayReader {
    /// Place of the meter, counted from 0.
    pub(crate) position: usize,
}

impl Instrument for DisplayReader {
    fn terminator(&self) -> u8 {
        b'\n'
    }

    fn receive(&mut self, _: Client, line: &str, world: &mut World) -> Reply {
        match (line, world.positions.get(self.position)) {
            ("DISPLAY?", Some(position)) => Reply::now(position.meter.display().to_string()),
            ("*IDN?", _) => Reply::now("meterbench, display reader, 0, 1"),
            _ => Reply::nothing(),
        }
    }
}
