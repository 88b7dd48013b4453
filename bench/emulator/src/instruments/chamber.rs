//! A climatic chamber with the protocol ASCII-2 of Weiss Technik and Vötsch, TCP port 2049.
//!
//! Configured with one controlled value (temperature), one measured value (the Pt100 at the first meter) and 32 digital
//! channels. `$01?` tells this layout, `$01E` sets, `$01I` asks, `$01F` tells faults. A wrong address is met with
//! silence, a malformed set-point with a word that is not `0`.

use super::{Client, Instrument, Reply};
use crate::world::World;

const ADDRESS: &str = "01";
const CHANNELS: usize = 32;
/// Range of the chamber (°C).
const RANGE: std::ops::RangeInclusive<f64> = -72.0..=180.0;

#[derive(Debug)]
pub(crate) struct WeissAscii2 {
    nominal_c: f64,
    channels: String,
}

impl WeissAscii2 {
    pub(crate) fn new(ambient_c: f64) -> Self {
        Self { nominal_c: ambient_c, channels: "0".repeat(CHANNELS) }
    }

    fn running(&self) -> bool {
        self.channels.as_bytes().get(1) == Some(&b'1')
    }

    /// ` 0023.0 0100...`; `None` when it is no set-point.
    fn set(&mut self, text: &str, world: &mut World) -> Option<()> {
        let mut fields = text.strip_prefix(' ')?.split(' ');
        let (value, channels) = (fields.next()?, fields.next()?);
        let width = value.len() == 6 && value.as_bytes()[4] == b'.';
        let celsius = value.parse::<f64>().ok().filter(|v| width && RANGE.contains(v))?;
        let sound = channels.len() == CHANNELS && channels.bytes().all(|b| matches!(b, b'0' | b'1'));
        if !sound || fields.next().is_some() {
            return None;
        }
        self.nominal_c = celsius;
        channels.clone_into(&mut self.channels);
        if self.running() {
            world.move_air(celsius);
        } else {
            let now = world.air_c();
            world.move_air(now);
        }
        Some(())
    }
}

impl Instrument for WeissAscii2 {
    fn terminator(&self) -> u8 {
        b'\r'
    }

    fn receive(&mut self, _: Client, line: &str, world: &mut World) -> Reply {
        let Some(command) = line.trim().strip_prefix('$').and_then(|rest| rest.strip_prefix(ADDRESS)) else {
            return Reply::nothing();
        };
        match command.split_at_checked(1) {
            Some(("I", "")) => Reply::now(format!(
                "{:06.1} {:06.1} 0000.0 {:06.1} {}",
                self.nominal_c,
                world.air_c(),
                world.specimen_c(),
                self.channels
            )),
            Some(("E", fields)) => match self.set(fields, world) {
                Some(()) => Reply::now("0"),
                None => Reply::now("1"),
            },
            Some(("F", "")) => Reply::now("0"),
            Some(("?", "")) => Reply::now(
                "ASCII description of the protocol:\r\
                 E: temperature[C] 32 channels\r\
                 I: temperature nominal[C] actual[C], Pt100 nominal(unused) actual[C], 32 channels\r\
                 channel 1: start",
            ),
            _ => Reply::nothing(),
        }
    }
}
