//! Climatic chambers of Weiss Technik and Vötsch with the protocol ASCII-2, TCP port 2049.
//!
//! A line is `$`, a two-digit address, a letter and its fields, ended by a carriage return. `E` sets, `I` asks. The
//! layout of the fields is configured at the chamber; this driver is for one controlled value (temperature), one
//! measured value (a Pt100 at the specimen) and 32 digital channels, of which number 1 starts the chamber.

use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::Session;

use crate::roles::{Chamber, ChamberLimits, Climate, InstrumentError};

const ADDRESS: &str = "01";
const CHANNELS: usize = 32;
/// Longest wait for an answer: a chamber is slow to speak.
const LONGEST: Duration = Duration::from_secs(5);

pub(crate) struct WeissAscii2 {
    session: Session,
    limits: ChamberLimits,
}

impl WeissAscii2 {
    pub(crate) fn new(session: Session, limits: ChamberLimits) -> Self {
        Self { session, limits }
    }

    async fn ask(&mut self, command: &str) -> Result<String, InstrumentError> {
        let mut lines = self.session.collect(command, LONGEST, |_| true).await?;
        Ok(lines.pop().unwrap_or_default())
    }
}

/// `0100...`: channel 1 starts the chamber, the others stay off.
fn channels(on: bool) -> String {
    (0..CHANNELS).map(|n| if n == 1 && on { '1' } else { '0' }).collect()
}

/// `0023.0 0022.8 0000.0 0023.1 0100...`: nominal and actual temperature, nominal (unused) and actual of the Pt100.
fn parse(line: &str) -> Option<Climate> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [nominal, actual, _, specimen, bits] = fields[..] else { return None };
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    let sound = bits.len() == CHANNELS && bits.bytes().all(|b| matches!(b, b'0' | b'1'));
    Some(Climate {
        nominal_c: number(nominal)?,
        actual_c: number(actual)?,
        specimen_c: number(specimen)?,
        running: sound.then(|| bits.as_bytes()[1] == b'1')?,
    })
}

#[async_trait]
impl Chamber for WeissAscii2 {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        self.read().await?;
        Ok(format!("ASCII-2 chamber at address {ADDRESS}, 1 controlled value, 1 Pt100, {CHANNELS} channels"))
    }

    fn check(&self, celsius: f64) -> Result<(), InstrumentError> {
        let (lowest, highest) = (self.limits.lowest_c, self.limits.highest_c);
        if (lowest..=highest).contains(&celsius) {
            return Ok(());
        }
        Err(InstrumentError::BeyondLimit {
            instrument: self.session.instrument().to_owned(),
            asked: format!("{celsius} °C"),
            limit: format!("{lowest} °C to {highest} °C"),
        })
    }

    async fn set(&mut self, celsius: f64) -> Result<(), InstrumentError> {
        self.check(celsius)?;
        let command = format!("${ADDRESS}E {celsius:06.1} {}", channels(true));
        let answer = self.ask(&command).await?;
        if answer != "0" {
            return Err(self.session.unexpected(&command, &answer, "`0`").into());
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Climate, InstrumentError> {
        let command = format!("${ADDRESS}I");
        let answer = self.ask(&command).await?;
        let expected = "two temperatures, two of the Pt100 and 32 channels";
        parse(&answer).ok_or_else(|| self.session.unexpected(&command, &answer, expected).into())
    }

    fn fresh(&self) -> Box<dyn Chamber> {
        Box::new(Self::new(self.session.fresh(), self.limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_chamber() {
        assert_eq!(format!("{:06.1}", -40.0), "-040.0");
        assert_eq!(channels(true), format!("01{}", "0".repeat(30)));
        let climate = parse(&format!("-040.0 -038.3 0000.0 -021.5 {}", channels(true))).unwrap();
        assert_eq!((climate.nominal_c, climate.actual_c, climate.specimen_c), (-40.0, -38.3, -21.5));
        assert!(climate.running);
        for bad in ["", "0023.0", "0023.0 0022.8 0000.0 0023.1 01", "a b c d e", "0023.0 NaN 0 0 01"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
