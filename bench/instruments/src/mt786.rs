//! ZERA MT786: source of a portable meter test system. ASCII lines ended by a carriage return.
//!
//! Order of commands: frequency, voltages, currents, switch. A phase is switched only by `SUI`. Angles on the wire are
//! DIN (positive = lagging) with one zero for voltages and currents. An unknown command gets no answer, an error
//! contains `ER-`, `ERR-` or `ERROR`, and a status line `SSM...` may come unasked.

use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::Session;

use crate::roles::{AcSource, InstrumentError, Readback, Setting, SourceLimits, Wave};
use crate::shape;

/// Longest time from switching on until the amplifiers stand.
const SWITCH_ON: Duration = Duration::from_secs(15);
/// The same for switching off.
const SWITCH_OFF: Duration = Duration::from_secs(5);
/// Time in which the amplifiers go from one set-point to the next.
const SWITCHING: Duration = Duration::from_millis(800);
const ALL_OFF: &str = "SUIAAAAAAAAA";
/// Range of the instrument (V), (A), (Hz).
const VOLT: (f64, f64) = (20.0, 500.0);
const AMPERE: (f64, f64) = (0.001, 120.0);
const HERTZ: (f64, f64) = (45.0, 65.0);

pub(crate) struct Mt786 {
    session: Session,
    limits: SourceLimits,
}

impl Mt786 {
    pub(crate) fn new(session: Session, limits: SourceLimits) -> Self {
        Self { session, limits }
    }

    /// Sends a command and waits for exactly this acknowledgement.
    async fn command(
        &mut self,
        command: &str,
        acknowledgement: &str,
        longest: Duration,
    ) -> Result<(), InstrumentError> {
        let lines = self.session.collect(command, longest, |line| !line.starts_with("SSM")).await?;
        let answer = lines.last().map_or("", String::as_str);
        if answer != acknowledgement {
            return Err(self.session.unexpected(command, answer, &format!("`{acknowledgement}`")).into());
        }
        Ok(())
    }

    /// Sends an A-command; the lines before its acknowledgement.
    async fn ask(&mut self, command: &str) -> Result<Vec<String>, InstrumentError> {
        const LONGEST: Duration = Duration::from_secs(2);
        let (ack, nak) = (format!("{command}ACK"), format!("{command}NAK"));
        let mut lines = self.session.collect(command, LONGEST, |line| line == ack || line == nak).await?;
        match lines.pop() {
            Some(end) if end == ack => Ok(lines),
            end => Err(self.session.unexpected(command, &end.unwrap_or_default(), &format!("`{ack}`")).into()),
        }
    }

    /// The status word: twenty zeros when all is well.
    async fn check_health(&mut self) -> Result<(), InstrumentError> {
        let answer = self.session.query("SSM").await?;
        let nibbles = answer.strip_prefix("SSM").filter(|n| n.len() >= 20 && n.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(nibbles) = nibbles else {
            return Err(self.session.unexpected("SSM", &answer, "`SSM` and twenty hexadecimal digits").into());
        };
        if nibbles.bytes().all(|b| b == b'0') {
            return Ok(());
        }
        let instrument = self.session.instrument().to_owned();
        Err(InstrumentError::Reported { instrument, what: conditions(nibbles) })
    }

    fn beyond(&self, asked: String, limit: String) -> InstrumentError {
        InstrumentError::BeyondLimit { instrument: self.session.instrument().to_owned(), asked, limit }
    }
}

/// The error word in words.
fn conditions(nibbles: &str) -> String {
    const FIRST: [(u8, &str); 6] = [
        (0x08, "amplifier error"),
        (0x04, "fuse"),
        (0x02, "voltage or current short"),
        (0x80, "emergency stop"),
        (0x40, "isolation failure"),
        (0x20, "fibre identification"),
    ];
    const GROUPS: [&str; 9] = [
        "error",
        "short or open",
        "temperature",
        "power supply",
        "overload",
        "group error",
        "connection missing",
        "data transmission",
        "undefined error",
    ];
    const AMPLIFIERS: [&str; 8] = ["U1", "U2", "U3", "I1", "I2", "I3", "auxiliary 1", "auxiliary 2"];
    let digits: Vec<u8> = nibbles.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    let general = digits[0] | digits[1] << 4;
    let mut words: Vec<String> =
        FIRST.iter().filter(|(bit, _)| general & bit != 0).map(|(_, word)| (*word).to_owned()).collect();
    if digits[1] & 1 != 0 {
        words.push("reference meter data transmission".into());
    }
    for (group, pair) in GROUPS.iter().zip(digits[2..].chunks(2)) {
        let mask = pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
        for (_, amplifier) in AMPLIFIERS.iter().enumerate().filter(|(n, _)| mask & (1 << n) != 0) {
            words.push(format!("{amplifier} {group}"));
        }
    }
    words.join(", ")
}

/// `R230.000000.00S230.000120.00T...`; a phase that is off is all zeros.
fn set_points(waves: &[Option<Wave>; 3]) -> String {
    let field = |(letter, wave): (char, &Option<Wave>)| {
        let Wave { rms, lag_deg } = wave.unwrap_or(Wave { rms: 0.0, lag_deg: 0.0 });
        // Wrapped after rounding: 359.996 must not become 360.00.
        let centidegrees = (lag_deg.rem_euclid(360.0) * 100.0).round() as u32 % 36_000;
        format!("{letter}{rms:07.3}{:03}.{:02}", centidegrees / 100, centidegrees % 100)
    };
    ['R', 'S', 'T'].into_iter().zip(waves).map(field).collect()
}

fn switch(setting: &Setting) -> String {
    let letters = |waves: &[Option<Wave>; 3], on: char| waves.map(|w| if w.is_some() { on } else { 'A' });
    let all = letters(&setting.voltage, 'E').into_iter().chain(letters(&setting.current, 'P'));
    format!("SUI{}AAA", all.collect::<String>())
}

#[async_trait]
impl AcSource for Mt786 {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        let lines = self.ask("AAV").await?;
        let identity = lines.last().cloned().unwrap_or_default();
        let is_ours = identity.split_once('V').is_some_and(|(model, _)| model == "MT786");
        if !is_ours {
            return Err(self.session.unexpected("AAV", &identity, "`MT786V...`").into());
        }
        self.check_health().await?;
        Ok(identity)
    }

    fn check(&self, setting: &Setting) -> Result<(), InstrumentError> {
        for wave in setting.voltage.iter().flatten() {
            let highest = self.limits.volt.min(VOLT.1);
            if !(VOLT.0..=highest).contains(&wave.rms) {
                return Err(
                    self.beyond(format!("{} V", shape::rounded(wave.rms)), format!("{} V to {highest} V", VOLT.0))
                );
            }
        }
        for wave in setting.current.iter().flatten() {
            let highest = self.limits.ampere.min(AMPERE.1);
            if !(AMPERE.0..=highest).contains(&wave.rms) {
                return Err(
                    self.beyond(format!("{} A", shape::rounded(wave.rms)), format!("{} A to {highest} A", AMPERE.0))
                );
            }
        }
        if !(HERTZ.0..=HERTZ.1).contains(&setting.hertz) {
            return Err(self.beyond(format!("{} Hz", setting.hertz), format!("{} Hz to {} Hz", HERTZ.0, HERTZ.1)));
        }
        Ok(())
    }

    async fn apply(&mut self, setting: &Setting) -> Result<(), InstrumentError> {
        self.check(setting)?;
        const SETTING: Duration = Duration::from_millis(1500);
        self.command(&format!("SFR{:05.2}", setting.hertz), "SOKFR", SETTING).await?;
        self.command(&format!("SUPAE{}", set_points(&setting.voltage)), "SOKUP", SETTING).await?;
        self.command(&format!("SIPAA{}", set_points(&setting.current)), "SOKIP", SETTING).await?;
        self.command(&switch(setting), "SOKUI", SWITCH_ON).await
    }

    async fn read_back(&mut self) -> Result<Readback, InstrumentError> {
        self.check_health().await?;
        let lines = self.ask("AME").await?;
        let mut readback = Readback::default();
        let mut seen = Vec::new();
        for line in &lines {
            let field = line.split_once(';').and_then(|(n, value)| Some((n.parse::<usize>().ok()?, value)));
            let Some((index, value)) = field else {
                return Err(self.session.unexpected("AME", line, "`index;value`").into());
            };
            if !matches!(index, 0..=5 | 28) {
                continue; // not every other value is a number: 27 is the phase order
            }
            let Some(value) = value.parse::<f64>().ok().filter(|v| v.is_finite()) else {
                return Err(self.session.unexpected("AME", line, "`index;number`").into());
            };
            match index {
                0..=2 => readback.volt[index] = value.abs(),
                3..=5 => readback.ampere[index - 3] = value.abs(),
                _ => readback.hertz = value,
            }
            seen.push(index);
        }
        // Each value once: a missing one would stand at zero and read as off.
        seen.sort_unstable();
        if seen != [0, 1, 2, 3, 4, 5, 28] {
            let text = format!("values {seen:?}");
            return Err(self.session.unexpected("AME", &text, "each of U1..U3, I1..I3 and f once").into());
        }
        Ok(readback)
    }

    fn slowness(&self) -> Duration {
        SWITCHING
    }

    async fn off(&mut self) -> Result<(), InstrumentError> {
        self.command(ALL_OFF, "SOKUI", SWITCH_OFF).await
    }

    fn fresh(&self) -> Box<dyn AcSource> {
        Box::new(Self::new(self.session.fresh(), self.limits))
    }
}

#[cfg(test)]
mod tests {
    use meterbench_link::{Endpoint, SessionOptions, pipe};

    use super::*;

    fn wave(rms: f64, lag_deg: f64) -> Option<Wave> {
        Some(Wave { rms, lag_deg })
    }

    fn setting() -> Setting {
        Setting {
            hertz: 50.0,
            voltage: [wave(230.0, 0.0), wave(230.0, 120.0), wave(230.0, 240.0)],
            current: [wave(5.0, 60.0), None, wave(5.0, -60.0)],
        }
    }

    #[test]
    fn commands_are_those_of_the_instrument() {
        let s = setting();
        assert_eq!(set_points(&s.voltage), "R230.000000.00S230.000120.00T230.000240.00");
        assert_eq!(set_points(&s.current), "R005.000060.00S000.000000.00T005.000300.00");
        assert_eq!(switch(&s), "SUIEEEPAPAAA");
        assert_eq!(set_points(&[wave(0.02, 359.996), None, None]).get(..14), Some("R000.020000.00"));
    }

    #[test]
    fn the_error_word_is_told_in_words() {
        assert_eq!(
            conditions("42000002002000000800"),
            "fuse, fibre identification, U2 temperature, I3 overload, I1 data transmission"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_limit_not_a_byte_is_written() {
        let (dialer, mut listener) = pipe();
        let options = SessionOptions {
            instrument: "the source".into(),
            terminator: b'\r',
            timeout: Duration::from_secs(2),
            tracer: None,
        };
        let limits = SourceLimits { volt: 280.0, ampere: 120.0 };
        let mut source = Mt786::new(Session::new(Endpoint::Pipe(dialer), options), limits);
        for bad in [
            Setting { voltage: [wave(300.0, 0.0), None, None], ..setting() },
            Setting { current: [wave(130.0, 0.0), None, None], ..setting() },
            Setting { current: [wave(f64::NAN, 0.0), None, None], ..setting() },
            Setting { hertz: 70.0, ..setting() },
        ] {
            assert!(matches!(source.apply(&bad).await, Err(InstrumentError::BeyondLimit { .. })), "{bad:?}");
        }
        drop(source);
        assert!(listener.accept().await.is_none(), "nobody even called");
    }
}
