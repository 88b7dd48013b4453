//! Fluke 6105A with two auxiliaries 6106A and the 80 A option: voltages and currents of three phases.
//!
//! The real one speaks GPIB, this one the same lines over a stream. A command takes effect as it comes. Angles: a voltage leads that of L1, a current leads
//! the voltage of its own phase, a harmonic has its own where the fundamental of its channel crosses zero upwards. Not emulated: the
//! repeating modes of dips, dips of currents, voltage from the current terminals, fluctuation of some harmonics only, a channel
//! without a fundamental (it puts out nothing), the calculations of power.

mod channel;
mod dip;

use std::sync::Arc;
use std::time::Duration;

use meterbench_metrology::SAMPLE_RATE;

use self::channel::{Channel, Kind};
use super::scpi::{Done, Fault, Status, Unit, answer, done, message, scientific};
use super::{Client, Instrument, Reply};
use crate::noise::Draw;
use crate::source::{Output, Phasor, Wave};
use crate::world::World;

/// Time until everything that was commanded stands: the ramp of half a second and a little (samples).
const SWITCHING: u64 = SAMPLE_RATE as u64 * 4 / 5;
/// Fundamentals (Hz).
const HERTZ: (f64, f64) = (16.0, 850.0);

#[derive(Debug)]
pub(crate) struct Fluke6105a {
    draw: Draw,
    serial: String,
    status: Status,
    hertz: f64,
    output: bool,
    /// U and I of each phase.
    channels: [[Channel; 2]; 3],
    /// What the channels carried last: the same wave runs on.
    wave: Option<Arc<Wave>>,
    /// When the last change is over (samples).
    stands_from: u64,
}

impl Fluke6105a {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            draw: Draw::of(seed, "source"),
            serial: format!("{:09}", 610_500_000 + seed % 1_000_000),
            status: Status::default(),
            hertz: 50.0,
            output: false,
            channels: [0, 1, 2].map(|_| [Channel::new(Kind::Voltage), Channel::new(Kind::Current)]),
            wave: None,
            stands_from: 0,
        }
    }

    /// What stands at the terminals: every channel with its own errors.
    fn output(&mut self) -> Output {
        let mut output = Output { hertz: self.hertz, ..Output::default() };
        let mut wave = Wave::default();
        for (n, channels) in self.channels.iter().enumerate() {
            for (kind, channel) in channels.iter().enumerate() {
                if !(self.output && channel.on) {
                    continue;
                }
                // A current is told by the voltage of its own phase, a voltage by that of L1; L1 itself may be turned.
                let own = if kind == 0 { 0.0 } else { channels[0].angle_deg() };
                let rms = channel.fundamental() * self.gain(n, kind) + self.offset(n, kind, channel.range());
                let lag_deg = -(own + channel.angle_deg()) + self.draw.rectangular("angle", place(n, kind), 0.003);
                let (phasor, carried) = match kind {
                    0 => (&mut output.voltage[n], &mut wave.voltage[n]),
                    _ => (&mut output.current[n], &mut wave.current[n]),
                };
                if channel.fundamental() > 0.0 {
                    *phasor = Phasor { rms: rms.max(0.0) * channel.scale(), lag_deg };
                    *carried = channel.distortion();
                }
            }
        }
        if wave == Wave::default() {
            self.wave = None;
        } else if self.wave.as_deref() != Some(&wave) {
            self.wave = Some(Arc::new(wave));
        }
        output.wave.clone_from(&self.wave);
        output
    }

    /// Data sheet, one year: 50 ppm of the output, and 10 ppm of the range.
    fn gain(&self, n: usize, kind: usize) -> f64 {
        1.0 + self.draw.rectangular("gain", place(n, kind), 5e-5)
    }

    fn offset(&self, n: usize, kind: usize, range: f64) -> f64 {
        self.draw.rectangular("offset", place(n, kind), 1e-5) * range
    }

    /// Lets the world have what is set. What goes off goes at once, the rest in a ramp.
    fn put_out(&mut self, world: &mut World) {
        let (target, now) = (self.output(), world.next_sample());
        if world.source.standing() == &target {
            return;
        }
        if target.is_energised() {
            world.source.ramp_to(now, &target);
        } else {
            world.source.set(now, target);
        }
        self.stands_from = now + SWITCHING;
    }

    fn reset(&mut self, world: &mut World) {
        self.hertz = 50.0;
        self.output = false;
        self.channels = [0, 1, 2].map(|_| [Channel::new(Kind::Voltage), Channel::new(Kind::Current)]);
        self.put_out(world);
    }

    fn unit(&mut self, unit: &Unit<'_>, status: &mut Status, world: &mut World) -> Done {
        if let Some(name) = &unit.common {
            return match (name.as_str(), unit.query) {
                ("IDN", true) => answer(format!("FLUKE,6105A,{},2.10", self.serial)),
                ("OPC", true) => {
                    let left = self.stands_from.saturating_sub(world.next_sample());
                    let after = Duration::from_secs_f64(left as f64 / f64::from(SAMPLE_RATE));
                    answer("1").map(|said| said.map(|said| said.after(after)))
                }
                ("RST", false) => {
                    unit.no_parameter()?;
                    self.reset(world);
                    done()
                }
                (name, _) => status.common(name, unit),
            };
        }
        if let Some((numbers, rest)) = unit.under("[SOURce]:PHASe#") {
            return self.phase(numbers[0], &rest, world);
        }
        if unit.is("[SOURce]:FREQuency").is_some() {
            if unit.query {
                return answer(scientific(self.hertz));
            }
            let hertz = unit.number(HERTZ.0, HERTZ.1)?;
            if !self.channels.iter().flatten().all(|channel| channel.fits(hertz)) {
                return Err(Fault::OutOfRange);
            }
            self.hertz = hertz;
            self.put_out(world);
            return done();
        }
        if unit.is("OUTPut:[STATe]").is_some() {
            if unit.query {
                return answer(if self.output { "1" } else { "0" });
            }
            self.output = unit.switch()?;
            self.put_out(world);
            return done();
        }
        if unit.is("OUTPut:DIP:TRIGger").is_some() && !unit.query {
            unit.no_parameter()?;
            return self.trigger_dips(world);
        }
        for quantity in ["UNIT:MHARmonics:VOLTage", "UNIT:MHARmonics:CURRent"] {
            if unit.is(quantity).is_some() {
                // Volts and amperes; shares of the fundamental are not emulated.
                return if unit.query { answer("ABS") } else { unit.word(&["ABSolute"]).map(|_| None) };
            }
        }
        if unit.is("SYSTem:ERRor:[NEXT]").is_some() && unit.query {
            return answer(status.next_error());
        }
        if unit.is("SYSTem:VERSion").is_some() && unit.query {
            return answer("1999.0");
        }
        Err(Fault::UndefinedHeader)
    }

    fn phase(&mut self, number: u32, unit: &Unit<'_>, world: &mut World) -> Done {
        let n = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < 4);
        let n = n.ok_or(Fault::SuffixOutOfRange)?;
        if unit.query && unit.is("FITTed").is_some() {
            return answer(if n < 3 { "1" } else { "0" });
        }
        if n > 2 {
            return Err(Fault::SettingsConflict);
        }
        if unit.query && unit.is("MODel").is_some() {
            return answer(if n == 0 { "\"6105A\"" } else { "\"6106A\"" });
        }
        if unit.query && unit.is("SERial").is_some() {
            return answer(format!("\"{}{n}\"", self.serial));
        }
        let (kind, unit) = match (unit.under("VOLTage"), unit.under("CURRent")) {
            (Some((_, rest)), _) => (0, rest),
            (_, Some((_, rest))) => (1, rest),
            _ => return Err(Fault::UndefinedHeader),
        };
        if unit.query && unit.is("AMPLitude").is_some() {
            unit.no_parameter()?;
            return answer(scientific(self.measured(n, kind, world)));
        }
        if kind == 0
            && let Some((_, rest)) = unit.under("DIP")
        {
            let was_on = self.channels[n][0].dip.on;
            let said = self.channels[n][0].dip.unit(&rest)?;
            if was_on && !self.channels[n][0].dip.on {
                self.end_dips(world);
            }
            return Ok(said);
        }
        // Whatever a command leaves half done is not kept.
        let mut channel = self.channels[n][kind].clone();
        let said = channel.unit(&unit, self.output, self.hertz)?;
        self.channels[n][kind] = channel;
        self.put_out(world);
        Ok(said)
    }

    /// The output as the instrument sees it: by its own converter, whose error is that of the output.
    fn measured(&self, n: usize, kind: usize, world: &World) -> f64 {
        let (output, channel) = (world.output(), &self.channels[n][kind]);
        let rms = if kind == 0 { output.voltage_rms(n) } else { output.current_rms(n) };
        if rms == 0.0 { 0.0 } else { (rms - self.offset(n, kind, channel.range())) / self.gain(n, kind) }
    }
}

fn place(n: usize, kind: usize) -> u64 {
    (n + 3 * kind) as u64
}

impl Instrument for Fluke6105a {
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
