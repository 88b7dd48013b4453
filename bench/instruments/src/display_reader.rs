//! The reading head at a meter: `DISPLAY? 1.8.0` is answered with `1.8.0;VALUE;UNIT`, `OUTPUT kvarh` by what it sets.

use meterbench_link::Session;

use crate::roles::{DisplayReading, InstrumentError};

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
        let command = format!("OUTPUT {}", if reactive { "kvarh" } else { "kWh" });
        let answer = self.session.query(&command).await?;
        if answer != command {
            return Err(self.session.unexpected(&command, &answer, &format!("`{command}`")).into());
        }
        Ok(())
    }
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
    fn the_resolution_is_that_of_the_last_digit() {
        let reading = parse("1.8.0;000012.345;kWh").unwrap();
        assert_eq!((reading.watt_hours, reading.resolution_wh, reading.obis.as_str()), (12_345.0, 1.0, "1.8.0"));
        assert_eq!(parse("1.8.0;0000012;kWh").unwrap().resolution_wh, 1000.0);
        for bad in ["", "1.8.0;12.3", "1.8.0;12.3;V", "1.8.0;-1;kWh", "x;1;kWh", "1.8.0;1;kWh;", "1.8.0;NaN;kWh"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
