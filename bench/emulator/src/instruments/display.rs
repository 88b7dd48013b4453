//! The display of a meter as a reading head sees it: `DISPLAY? 1.8.0` is answered with `1.8.0;VALUE;UNIT`.
//!
//! The protocol is this project's own: a real bench has an operator or a camera here.

use super::{Client, Instrument, Reply};
use crate::world::World;

/// `1.8.0`
fn item(obis: &str) -> Option<[u8; 3]> {
    let mut parts = obis.split('.').map(|part| part.parse().ok());
    let item = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(item)
}

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
        if line == "*IDN?" {
            return Reply::now("meterbench, display reader, 0, 1");
        }
        let shown = || {
            let item = item(line.strip_prefix("DISPLAY? ")?)?;
            world.positions.get(self.position)?.meter.display(item)
        };
        shown().map_or_else(Reply::nothing, |display| Reply::now(display.to_string()))
    }
}
