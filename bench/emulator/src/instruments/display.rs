//! A reading head at a meter: `DISPLAY? 1.8.0` is answered with `1.8.0;VALUE;UNIT`, `OUTPUT kvarh` lets the test output count
//! reactive energy and is answered by itself. On the terminals of S0 it counts pulses and times them: `PULSES RESET` begins
//! anew, `PULSES?` is answered with `COUNT;SHORTEST ON;LONGEST ON;SHORTEST OFF;LONGEST OFF`, times in milliseconds.
//!
//! The protocol is this project's own: a real bench has an operator, a camera or the meter's own port here.

use meterbench_metrology::ImpulseQuantity;

use super::{Client, Instrument, Reply};
use crate::outputs::Pulses;
use crate::world::World;

/// `1.8.0`
fn item(obis: &str) -> Option<[u8; 3]> {
    let mut parts = obis.split('.').map(|part| part.parse().ok());
    let item = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(item)
}

/// `100;30.00;30.00;22.17;22.21`
fn pulses(seen: &Pulses) -> String {
    let span = |span: Option<(u64, u64)>| match span {
        None => "-;-".to_owned(),
        Some((shortest, longest)) => format!("{:.2};{:.2}", shortest as f64 / 1e6, longest as f64 / 1e6),
    };
    format!("{};{};{}", seen.count, span(seen.on), span(seen.off))
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
        let now = world.next_sample();
        let Some(position) = world.look_at(self.position) else { return Reply::nothing() };
        match line {
            "PULSES RESET" => {
                position.reset_pulses(now);
                return Reply::now(line);
            }
            // Terminals nothing is connected to see no pulse.
            "PULSES?" => return Reply::now(pulses(&position.pulses(now).unwrap_or_default())),
            _ => {}
        }
        let quantity = match line {
            "OUTPUT kWh" => Some(ImpulseQuantity::Active),
            "OUTPUT kvarh" => Some(ImpulseQuantity::Reactive),
            _ => None,
        };
        if let Some(quantity) = quantity {
            let set = position.select_output(quantity).is_ok();
            return if set { Reply::now(line) } else { Reply::nothing() };
        }
        let shown = line.strip_prefix("DISPLAY? ").and_then(item).and_then(|item| position.display(item));
        shown.map_or_else(Reply::nothing, |display| Reply::now(display.to_string()))
    }
}
