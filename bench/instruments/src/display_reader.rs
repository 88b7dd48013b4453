//! The reading head at a meter: `DISPLAY? 1.8.0` is answered with `1.8.0;VALUE;UNIT`, `OUTPUT kvarh` by what it sets,
//! `PULSES?` by count and times of the pulses on S0.

use meterbench_link::Session;

use crate::roles::{DisplayReading, InstrumentError, Pulses};

/// Reads one display, and chooses what the test output of the meter counts.
pub struct DisplayReader {
    session: Session,
}

impl DisplayReader {
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    /// Reads one item of the display's list, named by OBIS C.D.E.
    pub async fn read(&mut self, obis: &str) -> Result<DisplayReading, InstrumentError> {
        let query = format!("DISPLAY? {obis}");
        let text = self.session.query(&query).await?;
        match parse(&text).filter(|reading| reading.obis == obis) {
            Some(reading) => Ok(reading),
            None => Err(self.session.unexpected(&query, &text, &format!("`{obis};VALUE;kWh` or `kvarh`")).into()),
        }
    }

    /// Lets the test output count kWh or kvarh.
    pub async fn select_output(&mut self, reactive: bool) -> Result<(), InstrumentError> {
        self.command(if reactive { "OUTPUT kvarh" } else { "OUTPUT kWh" }).await
    }

    /// Begins to count and time the pulses on S0 anew.
    pub async fn reset_pulses(&mut self) -> Result<(), InstrumentError> {
        self.command("PULSES RESET").await
    }

    /// The pulses on S0 since then.
    pub async fn pulses(&mut self) -> Result<Pulses, InstrumentError> {
        let text = self.session.query("PULSES?").await?;
        let expected = "`COUNT;SHORTEST ON;LONGEST ON;SHORTEST OFF;LONGEST OFF` in ms";
        parse_pulses(&text).ok_or_else(|| self.session.unexpected("PULSES?", &text, expected).into())
    }

    /// A command is answered by itself.
    async fn command(&mut self, command: &str) -> Result<(), InstrumentError> {
        let answer = self.session.query(command).await?;
        if answer != command {
            return Err(self.session.unexpected(command, &answer, &format!("`{command}`")).into());
        }
        Ok(())
    }
}

fn parse_pulses(text: &str) -> Option<Pulses> {
    let mut fields = text.split(';');
    let count = fields.next()?.parse().ok()?;
    let mut span = || match (fields.next()?, fields.next()?) {
        ("-", "-") => Some(None),
        (shortest, longest) => {
            let number = |text: &str| text.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms >= 0.0);
            Some(Some((number(shortest)?, number(longest)?)))
        }
    };
    let (on_ms, off_ms) = (span()?, span()?);
    fields.next().is_none().then_some(Pulses { count, on_ms, off_ms })
}

fn parse(text: &str) -> Option<DisplayReading> {
    let mut fields = text.split(';');
    let (obis, value, unit) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || !matches!(unit, "kWh" | "kvarh") || obis.split('.').count() != 3 {
        return None;
    }
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let kwh: f64 = value.parse().ok()?;
    let decimals = value.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    Some(DisplayReading {
        obis: obis.to_owned(),
        watt_hours: (kwh * 1e6).round() / 1e3,
        resolution_wh: 10f64.powi(3 - i32::try_from(decimals).ok()?),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_may_be_too_few_to_have_times() {
        let read = |count, on_ms, off_ms| Some(Pulses { count, on_ms, off_ms });
        assert_eq!(parse_pulses("2;30.00;30.10;22.17;22.17"), read(2, Some((30.0, 30.1)), Some((22.17, 22.17))));
        assert_eq!(parse_pulses("1;30.00;30.00;-;-"), read(1, Some((30.0, 30.0)), None));
        assert_eq!(parse_pulses("0;-;-;-;-"), read(0, None, None));
        for bad in ["", "1", "1;30;30", "-1;-;-;-;-", "1;-;30;-;-", "1;NaN;1;-;-", "1;-;-;-;-;", "1;-5;30;-;-"] {
            assert_eq!(parse_pulses(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_resolution_is_that_of_the_last_digit() {
        let reading = parse("1.8.0;000012.345;kWh").unwrap();
        assert_eq!((reading.watt_hours, reading.resolution_wh, reading.obis.as_str()), (12_345.0, 1.0, "1.8.0"));
        assert_eq!(parse("1.8.0;0000012;kWh").unwrap().resolution_wh, 1000.0);
        for bad in ["", "1.8.0;12.3", "1.8.0;12.3;V", "1.8.0;-1;kWh", "x;1;kWh", "1.8.0;1;kWh;", "1.8.0;NaN;kWh"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
