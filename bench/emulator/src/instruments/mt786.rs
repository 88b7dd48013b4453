//! ZERA MT786: source and built-in reference of a portable meter test system. ASCII lines ended by a carriage return.
//!
//! Angles on the wire are DIN: clockwise, positive = lagging, one common zero for voltages and currents. An unknown or
//! malformed command gets no answer at all. Set-points take effect with the next `SUI`; its acknowledgement comes when
//! the amplifiers stand.

use std::time::Duration;

use super::{Client, Instrument, Reply};
use crate::noise::Draw;
use crate::source::{Output, Phasor};
use crate::world::World;

/// Time from `SUI` until the amplifiers stand: the ramp of half a second and a little.
const SWITCHING: Duration = Duration::from_millis(800);

#[derive(Debug, Clone, Copy, Default)]
struct SetPoint {
    rms: f64,
    angle: f64,
    on: bool,
}

#[derive(Debug)]
pub(crate) struct Mt786 {
    draw: Draw,
    hertz: f64,
    voltage: [SetPoint; 3],
    current: [SetPoint; 3],
}

impl Mt786 {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            draw: Draw::of(seed, "source"),
            hertz: 50.0,
            voltage: [SetPoint::default(); 3],
            current: [SetPoint::default(); 3],
        }
    }

    /// The output these set-points make: every channel with its own gain and angle error.
    fn output(&self) -> Output {
        let phasor = |kind: &str, n: usize, set: SetPoint| {
            if !set.on {
                return Phasor::default();
            }
            let gain = 1.0 + self.draw.normal(kind, n as u64, 1.5e-4);
            let angle = self.draw.normal(kind, 10 + n as u64, 0.005);
            Phasor { rms: set.rms * gain, lag_deg: set.angle + angle }
        };
        Output {
            hertz: self.hertz,
            voltage: [0, 1, 2].map(|n| phasor("voltage", n, self.voltage[n])),
            current: [0, 1, 2].map(|n| phasor("current", n, self.current[n])),
            wave: None,
        }
    }

    /// `R230.000000.00S230.000120.00T230.000240.00`
    fn set_points(text: &str, into: &mut [SetPoint; 3]) -> Option<()> {
        let mut parsed = *into;
        for (n, letter) in ['R', 'S', 'T'].into_iter().enumerate() {
            let field = text.get(n * 14..n * 14 + 14)?;
            let numbers = field.strip_prefix(letter)?;
            parsed[n].rms = fixed(numbers.get(..7)?, 3)?;
            parsed[n].angle = fixed(numbers.get(7..)?, 2)?;
        }
        (text.len() == 42).then(|| *into = parsed)
    }

    /// `EEEPPPAAA`: voltages, currents, auxiliaries.
    fn switch(&mut self, text: &str) -> Option<()> {
        let letters: [u8; 9] = text.as_bytes().try_into().ok()?;
        let read = |letter: u8, on: u8| match letter {
            b'A' => Some(false),
            _ if letter == on => Some(true),
            _ => None,
        };
        let (mut voltage, mut current) = (self.voltage, self.current);
        for n in 0..3 {
            voltage[n].on = read(letters[n], b'E')?;
            current[n].on = read(letters[n + 3], b'P')?;
            read(letters[n + 6], b'E')?;
        }
        (self.voltage, self.current) = (voltage, current);
        Some(())
    }

    /// Actual values as the built-in reference sees them.
    fn actual_values(&self, output: &Output) -> String {
        let seen = |kind: &str, n: usize, rms: f64| rms * (1.0 + self.draw.normal(kind, n as u64, 1e-4));
        let mut lines = String::new();
        let mut line = |index: usize, value: f64| lines.push_str(&format!("{index};{}\r", exponent(value)));
        let u = [0, 1, 2].map(|n| seen("read U", n, output.voltage[n].rms));
        let i = [0, 1, 2].map(|n| seen("read I", n, output.current[n].rms));
        let zero = output.voltage.iter().find(|v| v.rms > 0.0).map_or(0.0, |v| v.lag_deg);
        let angle = |p: &Phasor| if p.rms > 0.0 { (p.lag_deg - zero).rem_euclid(360.0) } else { 0.0 };
        let p = [0, 1, 2].map(|n| output.active_watt(n));
        let q = [0, 1, 2].map(|n| output.reactive_var(n));
        let s = [0, 1, 2].map(|n| u[n] * i[n]);
        (0..3).for_each(|n| line(n, u[n]));
        (0..3).for_each(|n| line(3 + n, i[n]));
        (0..3).for_each(|n| line(6 + n, angle(&output.voltage[n])));
        (0..3).for_each(|n| line(9 + n, angle(&output.current[n])));
        (0..3).for_each(|n| line(12 + n, if s[n] > 0.0 { p[n] / s[n] } else { 0.0 }));
        (0..3).for_each(|n| line(15 + n, p[n]));
        (0..3).for_each(|n| line(18 + n, q[n]));
        (0..3).for_each(|n| line(21 + n, s[n]));
        line(24, p.iter().sum());
        line(25, q.iter().sum());
        line(26, s.iter().sum());
        lines.push_str(&format!("27;{}\r", sequence(output)));
        lines.push_str(&format!("28;{:.2}\r", output.hertz));
        lines.push_str("AMEACK");
        lines
    }
}

/// `123` or `132` by the angles of the voltages; `---` while one is missing.
fn sequence(output: &Output) -> &'static str {
    let [l1, l2, l3] = output.voltage;
    if [l1, l2, l3].iter().any(|v| v.rms == 0.0) {
        return "---";
    }
    let after = |from: Phasor, to: Phasor| (to.lag_deg - from.lag_deg).rem_euclid(360.0);
    if after(l1, l2) < after(l1, l3) { "123" } else { "132" }
}

/// `1.9996199E+01`
fn exponent(value: f64) -> String {
    let text = format!("{value:.7E}");
    let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}E{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// A number of fixed width: digits, a point, so many decimals. No sign, no exponent.
fn fixed(text: &str, decimals: usize) -> Option<f64> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction) && fraction.len() == decimals).then(|| text.parse().ok())?
}

impl Instrument for Mt786 {
    fn terminator(&self) -> u8 {
        b'\r'
    }

    fn receive(&mut self, _: Client, line: &str, world: &mut World) -> Reply {
        let mut known = || -> Option<Reply> {
            let (verb, rest) = line.split_at_checked(3)?;
            match verb {
                "AAV" if rest.is_empty() => Some(Reply::now("MT786V06.33\rAAVACK")),
                "SSM" if rest.is_empty() => Some(Reply::now("SSM00000000000000000000")),
                "ATI" if fixed_digits(rest, 2) => Some(Reply::now("ATIACK")),
                "AME" if rest.is_empty() => Some(Reply::now(self.actual_values(world.output()))),
                "SRE" if rest == "1" => Some(Reply::now("SOKRE")),
                "SFR" => {
                    let hertz = fixed(rest, 2).filter(|f| rest.len() == 5 && (40.0..=69.99).contains(f))?;
                    self.hertz = hertz;
                    Some(Reply::now("SOKFR"))
                }
                "SUP" => {
                    let numbers = ["AE", "EE", "AA", "EA"].iter().find_map(|p| rest.strip_prefix(p))?;
                    Self::set_points(numbers, &mut self.voltage)?;
                    Some(Reply::now("SOKUP"))
                }
                "SIP" => {
                    let numbers = ["AA", "EA"].iter().find_map(|p| rest.strip_prefix(p))?;
                    Self::set_points(numbers, &mut self.current)?;
                    Some(Reply::now("SOKIP"))
                }
                "SUI" => {
                    self.switch(rest)?;
                    let (target, now) = (self.output(), world.next_sample());
                    if target.is_energised() {
                        world.source.ramp_to(now, &target);
                    } else {
                        world.source.set(now, target);
                    }
                    Some(Reply::now("SOKUI").after(SWITCHING))
                }
                _ => None,
            }
        };
        known().unwrap_or_else(Reply::nothing)
    }
}

fn fixed_digits(text: &str, width: usize) -> bool {
    text.len() == width && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;

    fn world() -> World {
        World::new(Reference::drawn(1, 0.02), Vec::new(), 23.0, crate::world::Engine::Auto)
    }

    fn ask(source: &mut Mt786, world: &mut World, line: &str) -> String {
        source.receive(0, line, world).text
    }

    #[test]
    fn a_load_point_is_set_with_the_commands_of_the_real_one() {
        let (mut source, mut world) = (Mt786::new(1), world());
        assert_eq!(ask(&mut source, &mut world, "SFR50.00"), "SOKFR");
        let u = "SUPAER230.000000.00S230.000120.00T230.000240.00";
        let i = "SIPAAR005.000060.00S005.000180.00T005.000300.00";
        assert_eq!(ask(&mut source, &mut world, u), "SOKUP");
        assert_eq!(ask(&mut source, &mut world, i), "SOKIP");
        assert!(!world.output().is_energised(), "set-points alone put nothing out");
        assert_eq!(ask(&mut source, &mut world, "SUIEEEPPPAAA"), "SOKUI");
        world.advance(2_000_000_000, |_| false);
        for phase in 0..3 {
            assert!((world.output().active_watt(phase) / 575.0 - 1.0).abs() < 2e-3);
            assert!(world.output().reactive_var(phase) > 900.0, "lagging is inductive");
        }
        assert!(ask(&mut source, &mut world, "AME").contains("\r27;123\r28;50.00\rAMEACK"));
        assert_eq!(ask(&mut source, &mut world, "SUIAAAAAAAAA"), "SOKUI");
        assert!(!world.output().is_energised());
        assert!(ask(&mut source, &mut world, "AME").contains("\r27;---\r"));
    }

    #[test]
    fn what_it_does_not_know_it_does_not_answer() {
        let (mut source, mut world) = (Mt786::new(1), world());
        for bad in [
            "",
            "S",
            "SUIEEE",
            "SUIQQQPPPAAA",
            "SFR5.00",
            "SFR80.00",
            "SUPAER230.0",
            "SUPAER23x.000000.00S230.000120.00T230.000240.00",
            "*IDN?",
            "SUPÄÖ",
        ] {
            assert_eq!(ask(&mut source, &mut world, bad), "", "{bad}");
        }
    }

    #[test]
    fn numbers_are_written_with_two_digits_of_exponent() {
        assert_eq!(exponent(19.996_199), "1.9996199E+01");
        assert_eq!(exponent(-1.121_389_6e-4), "-1.1213896E-04");
        assert_eq!(exponent(0.0), "0.0000000E+00");
    }
}
