//! A counter on the terminals of S0: `PULSES RESET` begins anew and is answered by itself, `PULSES?` is answered with
//! `COUNT;SHORTEST ON;LONGEST ON;SHORTEST OFF;LONGEST OFF`, times in milliseconds.
//!
//! The protocol is this project's own.

use super::{Client, Instrument, Reply};
use crate::outputs::Pulses;
use crate::world::World;

/// `100;30.00;30.00;22.17;22.21`
fn pulses(seen: &Pulses) -> String {
    let span = |span: Option<(u64, u64)>| match span {
        None => "-;-".to_owned(),
        Some((shortest, longest)) => format!("{:.2};{:.2}", shortest as f64 / 1e6, longest as f64 / 1e6),
    };
    format!("{};{};{}", seen.count, span(seen.on), span(seen.off))
}

#[derive(Debug)]
pub(crate) struct S0Counter {
    /// Place of the meter, counted from 0.
    pub(crate) position: usize,
}

impl Instrument for S0Counter {
    fn terminator(&self) -> u8 {
        b'\n'
    }

    fn receive(&mut self, _: Client, line: &str, world: &mut World) -> Reply {
        if line == "*IDN?" {
            return Reply::now("meterbench, S0 counter, 0, 1");
        }
        let now = world.next_sample();
        let Some(position) = world.look_at(self.position) else { return Reply::nothing() };
        match line {
            "PULSES RESET" => {
                position.reset_pulses(now);
                Reply::now(line)
            }
            // Terminals nothing is connected to see no pulse.
            "PULSES?" => Reply::now(pulses(&position.pulses(now).unwrap_or_default())),
            _ => Reply::nothing(),
        }
    }
}
