//! ZERA COM5003: reference standard with error calculators, SCPI with IEEE 488.2 common commands over TCP port 6320.
//!
//! Three habits of the instrument that a client meets: a parameter ends with `;`, commands are joined by `|`, and a
//! query that fails answers nothing at all. Error queue and registers belong to the connection.
//!
//! Error calculators `EC01`, `EC02`, ... one per position, scan head input `SC1` of each; the energy register test
//! `EM01`. Emulated are the active-power reference (`REFSOURCE P`), four-wire mode, fixed ranges.

mod calculator;
mod header;
mod status;

use std::collections::HashMap;

use meterbench_metrology::SampleInstant;

use super::{Client, Instrument, Reply};
use crate::source::Output;
use crate::world::World;
use calculator::{EnergyRegister, ErrorCalculator};
use header::Header;
use status::Status;

/// Voltage ranges and current ranges of the instrument (V), (A), with the names on the wire.
const VOLTAGE_RANGES: [(&str, f64); 6] =
    [("480V", 480.0), ("240V", 240.0), ("120V", 120.0), ("60V", 60.0), ("12V", 12.0), ("5V", 5.0)];
const CURRENT_RANGES: [(&str, f64); 15] = [
    ("200A", 200.0),
    ("100A", 100.0),
    ("50A", 50.0),
    ("25A", 25.0),
    ("10A", 10.0),
    ("5A", 5.0),
    ("2.5A", 2.5),
    ("1.0A", 1.0),
    ("500mA", 0.5),
    ("250mA", 0.25),
    ("100mA", 0.1),
    ("50mA", 0.05),
    ("25mA", 0.025),
    ("10mA", 0.01),
    ("5mA", 0.005),
];
/// Frequency of the reference output at full scale (Hz).
const REFERENCE_HERTZ: f64 = 200_000.0;
/// A range is overloaded beyond this multiple of its nominal value.
const OVERLOAD: f64 = 1.25;

pub(crate) struct Com5003 {
    serial: String,
    phases: usize,
    voltage_range: [usize; 3],
    current_range: [usize; 3],
    overload: bool,
    calculators: Vec<ErrorCalculator>,
    /// Number of the error calculator each position is wired to, from 1.
    wiring: Vec<usize>,
    energy: EnergyRegister,
    clients: HashMap<Client, Status>,
}

/// Why a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Unknown header, missing `;`, command where a query is needed.
    Command,
    /// A parameter that is no valid value.
    NumericData,
    /// A command that has no query form.
    Query,
}

impl Com5003 {
    /// `wiring` names the error calculator of each position; `phases` connected systems.
    pub(crate) fn new(serial: &str, wiring: Vec<usize>, phases: usize) -> Self {
        let calculators = wiring.iter().copied().max().unwrap_or(0);
        Self {
            serial: serial.to_owned(),
            phases,
            voltage_range: [0; 3],
            current_range: [0; 3],
            overload: false,
            calculators: (0..calculators).map(|_| ErrorCalculator::default()).collect(),
            wiring,
            energy: EnergyRegister::default(),
            clients: HashMap::new(),
        }
    }

    /// Reference constant in these ranges [imp/kWh].
    fn reference_constant(&self) -> f64 {
        let (u, i) = (VOLTAGE_RANGES[self.voltage_range[0]].1, CURRENT_RANGES[self.current_range[0]].1);
        REFERENCE_HERTZ * 3.6e6 / (u * i * self.phases as f64)
    }

    /// Which of the reference's range errors applies.
    fn range_index(&self) -> usize {
        self.voltage_range[0] * CURRENT_RANGES.len() + self.current_range[0]
    }

    fn check_overload(&mut self, output: &Output) {
        for n in 0..self.phases {
            let (u, i) = (output.voltage_rms(n), output.current_rms(n));
            self.overload |= u > OVERLOAD * VOLTAGE_RANGES[self.voltage_range[n]].1;
            self.overload |= i > OVERLOAD * CURRENT_RANGES[self.current_range[n]].1;
        }
    }

    /// Lets every error calculator see the edges of its meter since the last call.
    fn collect_edges(&mut self, world: &mut World) {
        let (constant, range, phases) = (self.reference_constant(), self.range_index(), self.phases);
        for (position, &number) in world.positions.iter_mut().zip(&self.wiring) {
            let edges = position.take_edges();
            let Some(calculator) = number.checked_sub(1).and_then(|n| self.calculators.get_mut(n)) else { continue };
            for edge in edges {
                let reference = |reactive: bool, from: SampleInstant, to: SampleInstant| {
                    world.reference.energy(&world.source, (range, phases, reactive), from, to)
                };
                calculator.edge(edge, constant, reference);
            }
        }
    }

    fn execute(&mut self, client: Client, command: &str, world: &mut World) -> Result<Option<String>, Fault> {
        let header = Header::parse(command)?;
        if header.is_common() {
            return self.common(client, &header);
        }
        let nodes = header.nodes();
        match nodes.as_slice() {
            ["SYST" | "SYSTEM", "ERR" | "ERROR", rest @ ..] => self.system_error(client, rest, &header),
            ["STAT" | "STATUS", register, rest @ ..] => self.status_register(client, register, rest, &header),
            ["CALC" | "CALCULATE", module, "0001", node] => self.calculate(module, node, &header, world),
            ["SENS" | "SENSE", "RNG1", rest @ ..] => self.sense(rest, &header),
            ["CONF" | "CONFIGURATION", "RNG1", "RNGAUTO"] => match header.parameter()? {
                None => Ok(Some("0".into())),
                // Ranges stay where they are set: automatic ranging would abort a running error calculator.
                Some("0") => Ok(None),
                Some(_) => Err(Fault::NumericData),
            },
            ["CONF" | "CONFIGURATION", "POW1", "MMODE"] => match header.parameter()? {
                None => Ok(Some("4LW".into())),
                Some("4LW") => Ok(None),
                Some(_) => Err(Fault::NumericData),
            },
            ["CONF" | "CONFIGURATION", "POW1", "M0CONSTANT"] if header.is_query() => {
                Ok(Some(number(self.reference_constant())))
            }
            ["MEAS" | "MEASURE" | "READ" | "FETC" | "FETCH", rest @ ..] if header.is_query() => {
                self.measure(rest, world).map(Some)
            }
            _ => Err(Fault::Command),
        }
    }

    fn common(&mut self, client: Client, header: &Header<'_>) -> Result<Option<String>, Fault> {
        let identity = || format!("ZERA GmbH Koenigswinter, COM5003, {}, emu-1.0", self.serial);
        if header.common_name() == "*IDN" && header.is_query() {
            return Ok(Some(identity()));
        }
        self.clients.entry(client).or_default().common(header)
    }

    fn system_error(&mut self, client: Client, rest: &[&str], header: &Header<'_>) -> Result<Option<String>, Fault> {
        if !header.is_query() {
            return Err(Fault::Command);
        }
        let status = self.clients.entry(client).or_default();
        match rest {
            [] | ["NEXT"] => Ok(Some(status.next_error())),
            ["COUN" | "COUNT"] => Ok(Some(status.error_count().to_string())),
            ["ALL"] => Ok(Some(status.all_errors())),
            _ => Err(Fault::Command),
        }
    }

    fn status_register(
        &mut self,
        client: Client,
        register: &str,
        rest: &[&str],
        header: &Header<'_>,
    ) -> Result<Option<String>, Fault> {
        const OVERLOAD_BIT: u16 = 1 << 9;
        let questionable = if self.overload { OVERLOAD_BIT } else { 0 };
        let status = self.clients.entry(client).or_default();
        match (register, rest) {
            ("QUES" | "QUESTIONABLE", [part]) => status.questionable(part, questionable, header),
            ("OPER" | "OPERATION", ["COND" | "CONDITION"]) if header.is_query() => Ok(Some("0".into())),
            _ => Err(Fault::Command),
        }
    }

    fn calculate(
        &mut self,
        module: &str,
        node: &str,
        header: &Header<'_>,
        world: &mut World,
    ) -> Result<Option<String>, Fault> {
        let constant = self.reference_constant();
        let now = SampleInstant::new(world.next_sample(), 0);
        let (range, phases) = (self.range_index(), self.phases);
        let energy_since = |reactive: bool, from: SampleInstant| {
            world.reference.energy(&world.source, (range, phases, reactive), from, now)
        };
        if module == "EM01" {
            return self.energy.command(node, header, now, constant, energy_since);
        }
        let number: usize = module.strip_prefix("EC").and_then(|n| n.parse().ok()).ok_or(Fault::Command)?;
        let calculator = number.checked_sub(1).and_then(|n| self.calculators.get_mut(n)).ok_or(Fault::Command)?;
        calculator.command(node, header, now, constant, energy_since)
    }

    fn sense(&mut self, rest: &[&str], header: &Header<'_>) -> Result<Option<String>, Fault> {
        if let ["OVER" | "OVERLOAD"] = rest {
            return match header.parameter()? {
                None => Ok(Some(u8::from(self.overload).to_string())),
                Some("0") => {
                    self.overload = false;
                    Ok(None)
                }
                Some(_) => Err(Fault::NumericData),
            };
        }
        let [channel, "RANG" | "RANGE", rest @ ..] = rest else { return Err(Fault::Command) };
        let (ranges, slots): (&[(&str, f64)], _) = match channel.split_at_checked(2) {
            Some(("UL", _)) => (&VOLTAGE_RANGES, &mut self.voltage_range),
            Some(("IL", _)) => (&CURRENT_RANGES, &mut self.current_range),
            _ => return Err(Fault::Command),
        };
        let phase = channel[2..].parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|&n| n < 3);
        let slot = &mut slots[phase.ok_or(Fault::Command)?];
        match rest {
            ["CAT" | "CATALOG"] if header.is_query() => {
                Ok(Some(ranges.iter().map(|r| r.0).collect::<Vec<_>>().join(";")))
            }
            [] => match header.parameter()? {
                None => Ok(Some(ranges[*slot].0.to_owned())),
                Some(name) => {
                    let chosen = ranges.iter().position(|r| r.0 == name).ok_or(Fault::NumericData)?;
                    if chosen != *slot {
                        *slot = chosen;
                        // The reference constant changed under a running measurement.
                        self.calculators.iter_mut().for_each(ErrorCalculator::abort);
                        self.energy.abort();
                    }
                    Ok(None)
                }
            },
            _ => Err(Fault::Command),
        }
    }

    fn measure(&self, rest: &[&str], world: &World) -> Result<String, Fault> {
        let output = world.output();
        let values: Vec<(String, &str, f64)> = match rest.first().copied() {
            Some("RMS1") => (0..3)
                .map(|n| (format!("UL{}", n + 1), "V", world.reference.rms(output.voltage_rms(n), n)))
                .chain((0..3).map(|n| (format!("IL{}", n + 1), "A", world.reference.rms(output.current_rms(n), 3 + n))))
                .collect(),
            Some("POW1") => {
                let watt = |phases| world.reference.watt(world.segment(), self.range_index(), phases);
                let (single, sum) = (|n: usize| watt(n..n + 1), watt(0..self.phases));
                let phases = (0..3).map(|n| (format!("P{}", n + 1), "W", single(n)));
                phases.chain([("PS".to_owned(), "W", sum)]).collect()
            }
            Some("RNG1") => vec![("F".to_owned(), "Hz", output.hertz)],
            _ => return Err(Fault::Command),
        };
        let module = rest[0];
        let wanted = |name: &str| rest.get(1).is_none_or(|channel| *channel == name);
        let text: String = values
            .iter()
            .filter(|(name, ..)| wanted(name))
            .map(|(name, unit, value)| format!("{module}:{name}:[{unit}]:{};", number((value * 1e6).round() / 1e6)))
            .collect();
        if text.is_empty() || rest.len() > 2 { Err(Fault::Command) } else { Ok(text) }
    }
}

/// Shortest form that reads back the same, exponents with two digits: `10000`, `5e+08`.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let plain = format!("{value}");
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let short = format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    if short.len() < plain.len() { short } else { plain }
}

impl Instrument for Com5003 {
    fn terminator(&self) -> u8 {
        b'\n'
    }

    fn observe(&mut self, world: &mut World) {
        self.check_overload(world.output());
        self.collect_edges(world);
    }

    fn watches(&self, position: usize) -> bool {
        let number = self.wiring.get(position).and_then(|&n| n.checked_sub(1));
        number.and_then(|n| self.calculators.get(n)).is_some_and(ErrorCalculator::running)
    }

    fn receive(&mut self, client: Client, line: &str, world: &mut World) -> Reply {
        let mut answers = Vec::new();
        for command in line.split('|').map(str::trim).filter(|c| !c.is_empty()) {
            match self.execute(client, command, world) {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => {}
                Err(fault) => self.clients.entry(client).or_default().report(fault),
            }
        }
        Reply::now(answers.join("\n"))
    }

    fn disconnected(&mut self, client: Client) {
        self.clients.remove(&client);
    }
}

#[cfg(test)]
mod tests;
