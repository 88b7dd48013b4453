//! AMETEK / California Instruments MX45-3Pi: voltages of three phases, by the SCPI tree of its family.
//!
//! A command takes effect as it comes, within a sample. `PHAS` of L2 and L3 is told by L1; positive is ahead. Not emulated: direct voltage, steps and pulses
//! (lists make both), slew rates, waveforms beside sine and tables, current limits, and the current of what is connected: the
//! meters of this laboratory draw none.

mod table;
mod transient;

use std::collections::BTreeMap;

use self::table::Table;
use self::transient::Transient;
use super::scpi::{Done, Fault, Status, Unit, answer, done, message};
use super::{Client, Instrument, Reply};
use crate::noise::Draw;
use crate::source::{Output, Phasor, Wave};
use crate::world::World;

const RANGES: [f64; 2] = [150.0, 300.0];
const HERTZ: (f64, f64) = (16.0, 819.0);
const SINE: &str = "SINUSOID";
/// Tables it has room for.
const MOST_TABLES: usize = 50;

/// What stands at one phase.
#[derive(Debug, Clone, PartialEq)]
struct Phase {
    /// RMS value of everything (V).
    volt: f64,
    /// Of L1 by the reference, of the others by L1 (deg).
    ahead_deg: f64,
    shape: String,
}

#[derive(Debug)]
pub(crate) struct AmetekMx {
    draw: Draw,
    serial: String,
    status: Status,
    relay: bool,
    range: f64,
    hertz: f64,
    coupled: bool,
    selected: usize,
    phases: [Phase; 3],
    tables: BTreeMap<String, Table>,
    transient: Transient,
}

impl AmetekMx {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            draw: Draw::of(seed, "source"),
            serial: format!("{:05}", seed % 100_000),
            status: Status::default(),
            relay: false,
            range: RANGES[0],
            hertz: 60.0,
            coupled: true,
            selected: 0,
            phases: as_reset(),
            tables: BTreeMap::new(),
            transient: Transient::default(),
        }
    }

    fn put_out(&mut self, world: &mut World) {
        let (target, now) = (self.output(&self.phases), world.next_sample());
        if world.source.standing() != &target {
            world.source.set(now, target);
        }
    }

    /// What stands at the terminals when the phases are told this: every phase with its own errors.
    fn output(&self, phases: &[Phase; 3]) -> Output {
        let mut output = Output { hertz: self.hertz, ..Output::default() };
        let mut wave = Wave::default();
        for (n, phase) in phases.iter().enumerate() {
            let ahead = phase.ahead_deg + if n == 0 { 0.0 } else { phases[0].ahead_deg };
            let table = self.tables.get(&phase.shape);
            let (share, turned) = table.map_or((1.0, 0.0), |table| (table.fundamental, table.angle_deg));
            let gain = 1.0 + self.draw.normal("gain", n as u64, 5e-4);
            let lag_deg = -ahead - turned + self.draw.normal("angle", n as u64, 0.05);
            let volt = if self.relay { phase.volt } else { 0.0 };
            output.voltage[n] = Phasor { rms: volt * share * gain, lag_deg };
            if let Some(table) = table.filter(|_| volt > 0.0) {
                wave.voltage[n].harmonics.clone_from(&table.harmonics);
            }
        }
        output.wave = (wave != Wave::default()).then(|| wave.into());
        output
    }

    fn unit(&mut self, unit: &Unit<'_>, status: &mut Status, world: &mut World) -> Done {
        if let Some(name) = &unit.common {
            return match (name.as_str(), unit.query) {
                ("IDN", true) => answer(format!("AMETEK,MX45-3Pi,{},Rev 4.46", self.serial)),
                ("OPC", true) => answer("1"),
                ("TRG", false) => self.bus_trigger(world),
                ("RST", false) => {
                    unit.no_parameter()?;
                    self.reset(world);
                    done()
                }
                (name, _) => status.common(name, unit),
            };
        }
        if unit.is("SYSTem:ERRor:[NEXT]").is_some() && unit.query {
            return answer(status.next_error());
        }
        if let Some(said) = self.instrument(unit) {
            return said;
        }
        if unit.is("OUTPut:[STATe]").is_some() {
            if unit.query {
                return answer(if self.relay { "1" } else { "0" });
            }
            self.relay = unit.switch()?;
            self.abort(world);
            self.put_out(world);
            return done();
        }
        if unit.query
            && let Some((_, unit)) = unit.under("MEASure").or_else(|| unit.under("FETCh"))
        {
            return self.measure(&unit, world);
        }
        if unit.is("TRACe:[DATA]").is_some() && !unit.query {
            return self.load(unit, world);
        }
        if let Some((_, unit)) = unit.under("TRACe") {
            return self.trace(&unit);
        }
        if let Some(said) = self.triggering(unit, world) {
            return said;
        }
        self.source(unit, world)
    }

    /// Which phases are addressed; `None` when it is something else.
    fn instrument(&mut self, unit: &Unit<'_>) -> Option<Done> {
        const LETTERS: [&str; 3] = ["A", "B", "C"];
        let (coupled, selected) = (&mut self.coupled, &mut self.selected);
        if unit.is("INSTrument:COUPle").is_some() {
            if unit.query {
                return Some(answer(if *coupled { "ALL" } else { "NONE" }));
            }
            return Some(unit.word(&["ALL", "NONE"]).map(|word| {
                *coupled = word == 0;
                None
            }));
        }
        let by_number = unit.is("INSTrument:NSELect").is_some();
        if !by_number && unit.is("INSTrument:[SELect]").is_none() {
            return None;
        }
        if unit.query {
            let number = (*selected + 1).to_string();
            return Some(answer(if by_number { &number } else { LETTERS[*selected] }));
        }
        let place = if by_number { unit.number(1.0, 3.0).map(|n| n as usize - 1) } else { unit.word(&LETTERS) };
        Some(place.map(|place| {
            *selected = place;
            None
        }))
    }

    /// The phases a command is for.
    fn addressed(&self) -> Vec<usize> {
        if self.coupled { vec![0, 1, 2] } else { vec![self.selected] }
    }

    fn source(&mut self, unit: &Unit<'_>, world: &mut World) -> Done {
        let level = |unit: &Unit<'_>, function: &str| {
            unit.is(&format!("[SOURce]:{function}:[LEVel]:[IMMediate]:[AMPLitude]")).is_some()
        };
        if level(unit, "VOLTage") || unit.is("[SOURce]:VOLTage:AC").is_some() {
            if unit.query {
                let highest = !unit.parameters().is_empty() && unit.word(&["MAXimum"])? == 0;
                return answer(decimal(if highest { self.range } else { self.phases[self.selected].volt }));
            }
            let volt = unit.number(0.0, self.range)?;
            self.addressed().into_iter().for_each(|n| self.phases[n].volt = volt);
        } else if unit.is("[SOURce]:VOLTage:RANGe").is_some() {
            if unit.query {
                return answer(decimal(self.range));
            }
            let wanted = unit.number(0.0, RANGES[1])?;
            self.range = if wanted > RANGES[0] { RANGES[1] } else { RANGES[0] };
            // A change of range goes over zero.
            self.phases.iter_mut().for_each(|phase| phase.volt = 0.0);
        } else if level(unit, "FREQuency") {
            if unit.query {
                return answer(decimal(self.hertz));
            }
            self.hertz = unit.number(HERTZ.0, HERTZ.1)?;
        } else if unit.is("[SOURce]:PHASe:[IMMediate]").is_some() {
            if unit.query {
                return answer(decimal(self.phases[self.selected].ahead_deg));
            }
            // Never coupled.
            self.phases[self.selected].ahead_deg = unit.number(-360.0, 360.0)?;
        } else if unit.is("[SOURce]:FUNCtion:[SHAPe]").is_some() {
            if unit.query {
                return answer(self.phases[self.selected].shape.clone());
            }
            let shape = self.shape(unit.parameters())?;
            self.addressed().into_iter().for_each(|n| self.phases[n].shape.clone_from(&shape));
        } else {
            return Err(Fault::UndefinedHeader);
        }
        self.abort(world);
        self.put_out(world);
        done()
    }

    /// The name of a shape that exists.
    fn shape(&self, parameters: &[&str]) -> Result<String, Fault> {
        let [name] = parameters else {
            return Err(if parameters.is_empty() { Fault::MissingParameter } else { Fault::ParameterNotAllowed });
        };
        let name = name.to_ascii_uppercase();
        match name.as_str() {
            "SIN" | SINE => Ok(SINE.to_owned()),
            _ if self.tables.get(&name).is_some_and(|table| table.fundamental > 0.0) => Ok(name),
            _ => Err(Fault::IllegalParameter),
        }
    }

    fn measure(&self, unit: &Unit<'_>, world: &World) -> Done {
        let (output, n) = (world.output(), self.selected);
        let seen = 1.0 + self.draw.normal("read", n as u64, 3e-4);
        if unit.is("[SCALar]:VOLTage:[AC]").is_some() {
            return answer(decimal(output.voltage_rms(n) * seen));
        }
        if unit.is("[SCALar]:FREQuency").is_some() {
            return answer(decimal(output.hertz));
        }
        if unit.is("[SCALar]:VOLTage:HARMonic:[AMPLitude]").is_some() {
            let order = unit.number(0.0, 50.0)? as u16;
            let carried = output.distortion(n).into_iter().flat_map(|wave| &wave.harmonics);
            let share = match order {
                1 => 1.0,
                order => carried.filter(|part| part.order == order).map(|part| part.share).sum(),
            };
            return answer(decimal(output.voltage[n].rms * share * seen));
        }
        Err(Fault::UndefinedHeader)
    }

    fn reset(&mut self, world: &mut World) {
        (self.relay, self.range, self.hertz) = (false, RANGES[0], 60.0);
        (self.coupled, self.selected) = (true, 0);
        self.phases = as_reset();
        self.abort(world);
        self.transient = Transient::default();
        self.put_out(world);
    }
}

fn as_reset() -> [Phase; 3] {
    [0.0, 240.0, 120.0].map(|ahead_deg| Phase { volt: 0.0, ahead_deg, shape: SINE.to_owned() })
}

fn decimal(value: f64) -> String {
    format!("{value:.4}")
}

impl Instrument for AmetekMx {
    fn terminator(&self) -> u8 {
        b'\n'
    }

    fn receive(&mut self, _: Client, line: &str, world: &mut World) -> Reply {
        let mut status = std::mem::take(&mut self.status);
        let reply = message(line, &mut status, |unit, status| self.unit(unit, status, world));
        self.status = status;
        reply
    }
}

#[cfg(test)]
mod tests;
