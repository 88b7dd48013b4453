//! ZERA COM5003: reference standard with error calculators. SCPI over TCP port 6320.
//!
//! Every parameter ends with `;`, commands are joined by `|`, a failing query answers nothing. So each exchange ends
//! with `|*STB?`, whose answer always comes: what stands before it are the answers, and its bit 2 says that something
//! failed.

use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::Session;

use crate::roles::{
    CalculatorState, Energy, ErrorCalculator, ErrorReading, InstrumentError, MeterOutput, ReferenceSpecification,
    ReferenceStandard,
};

/// Ranges by name and nominal value, smallest first.
const VOLTAGE_RANGES: [(&str, f64); 4] = [("60V", 60.0), ("120V", 120.0), ("240V", 240.0), ("480V", 480.0)];
const CURRENT_RANGES: [(&str, f64); 15] = [
    ("5mA", 0.005),
    ("10mA", 0.01),
    ("25mA", 0.025),
    ("50mA", 0.05),
    ("100mA", 0.1),
    ("250mA", 0.25),
    ("500mA", 0.5),
    ("1.0A", 1.0),
    ("2.5A", 2.5),
    ("5A", 5.0),
    ("10A", 10.0),
    ("25A", 25.0),
    ("50A", 50.0),
    ("100A", 100.0),
    ("200A", 200.0),
];
/// A range holds a little more than its nominal value.
const HEADROOM: f64 = 1.1;
/// Longest wait for an answer.
const LONGEST: Duration = Duration::from_secs(2);
const ERROR_QUEUE: u32 = 1 << 2;

/// What was overloaded while the load changed is over when counting begins.
const CLEAR_OVERLOAD: &str = "SENSe:RNG1:OVERLOAD 0;";

pub(crate) struct Com5003 {
    session: Session,
    ranges: Option<(&'static str, &'static str)>,
}

impl Com5003 {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, ranges: None }
    }

    /// Sends commands and queries; the answers of the queries, in order.
    async fn exchange(&mut self, commands: &str, answers: usize) -> Result<Vec<String>, InstrumentError> {
        let line = format!("{commands}|*STB?");
        let mut lines = self.session.collect(&line, LONGEST, |answer| answer.starts_with('+')).await?;
        let status = lines.pop().and_then(|s| s.parse::<u32>().ok());
        let Some(status) = status else {
            return Err(self.session.unexpected(&line, &lines.join(" "), "a status byte at the end").into());
        };
        if status & ERROR_QUEUE != 0 {
            let what = self.session.query("SYSTem:ERRor:ALL?").await?;
            return Err(self.reported(format!("`{what}` after `{commands}`")));
        }
        if lines.len() != answers {
            let got = format!("{} answers", lines.len());
            return Err(self.session.unexpected(&line, &got, &format!("{answers}")).into());
        }
        Ok(lines)
    }

    fn reported(&self, what: String) -> InstrumentError {
        InstrumentError::Reported { instrument: self.session.instrument().to_owned(), what }
    }

    /// Queries that are each answered by one finite number.
    async fn numbers<const N: usize>(&mut self, queries: [String; N]) -> Result<[f64; N], InstrumentError> {
        let commands = queries.join("|");
        let answers = self.exchange(&commands, N).await?;
        let mut numbers = [0.0; N];
        for (number, answer) in numbers.iter_mut().zip(&answers) {
            *number = match answer.parse::<f64>() {
                Ok(value) if value.is_finite() => value,
                _ => return Err(self.session.unexpected(&commands, answer, "a number").into()),
            };
        }
        Ok(numbers)
    }

    /// The reference must not have been overloaded while it counted.
    async fn check_overload(&mut self) -> Result<(), InstrumentError> {
        let [overload] = self.numbers(["SENSe:RNG1:OVERLOAD?".into()]).await?;
        if overload != 0.0 {
            return Err(self.reported("a range was overloaded".into()));
        }
        Ok(())
    }
}

/// `EC1` -> `CALCulate:EC01:0001`.
fn node(input: &str, name: &str) -> String {
    let number: u32 = input.strip_prefix("EC").and_then(|n| n.parse().ok()).unwrap_or(0);
    format!("CALCulate:EC{number:02}:0001:{name}")
}

fn pick(ranges: &[(&'static str, f64)], value: f64) -> &'static str {
    let largest = ranges[ranges.len() - 1];
    ranges.iter().find(|(_, nominal)| *nominal * HEADROOM >= value).unwrap_or(&largest).0
}

#[async_trait]
impl ReferenceStandard for Com5003 {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        let identity = self.exchange("*CLS|*IDN?", 1).await?.remove(0);
        let fields: Vec<&str> = identity.split(',').map(str::trim).collect();
        if fields.len() != 4 || fields[1] != "COM5003" {
            return Err(self.session.unexpected("*IDN?", &identity, "the four fields of a COM5003").into());
        }
        self.exchange("CONFiguration:RNG1:RNGAUTO 0;|CONFiguration:POW1:MMODE 4LW;", 0).await?;
        Ok(identity)
    }

    /// Class 0.02: data sheet bounds beside the certificate.
    fn specification(&self) -> ReferenceSpecification {
        ReferenceSpecification { drift_percent: 0.004, range_percent: 0.004, phase_rad: 5e-5 }
    }

    async fn set_ranges(&mut self, volt: f64, ampere: f64) -> Result<(), InstrumentError> {
        let wanted = (pick(&VOLTAGE_RANGES, volt), pick(&CURRENT_RANGES, ampere));
        if self.ranges == Some(wanted) && !self.session.is_out_of_step() {
            return Ok(());
        }
        self.ranges = None;
        let set =
            |kind: &str, name: &str| (1..=3).map(|n| format!("SENSe:RNG1:{kind}{n}:RANGe {name};")).collect::<Vec<_>>();
        let commands: Vec<String> = [set("UL", wanted.0), set("IL", wanted.1)].concat();
        self.exchange(&commands.join("|"), 0).await?;
        self.exchange(CLEAR_OVERLOAD, 0).await?;
        self.ranges = Some(wanted);
        Ok(())
    }

    async fn start_energy(&mut self, reactive: bool) -> Result<(), InstrumentError> {
        let (reference, unit) = if reactive { ("Q", "kVarh") } else { ("P", "kWh") };
        let settings =
            ["MODE 0".to_owned(), format!("REFSOURCE {reference}"), format!("TXUNIT {unit}"), "START 1".into()];
        let settings = settings.map(|s| format!("CALCulate:EM01:0001:{s};")).join("|");
        self.exchange(&format!("{CLEAR_OVERLOAD}|{settings}"), 0).await.map(drop)
    }

    async fn energy(&mut self) -> Result<Energy, InstrumentError> {
        self.check_overload().await?;
        let queries = ["ENERGY", "TIME", "REFCONSTANT", "STATUS"].map(|q| format!("CALCulate:EM01:0001:{q}?"));
        let [kwh, seconds, constant, status] = self.numbers(queries).await?;
        if status == 8.0 {
            return Err(self.reported("the energy measurement was aborted".into()));
        }
        Ok(Energy { watt_hours: kwh * 1000.0, seconds, pulses: (kwh * constant).round() })
    }

    async fn stop_energy(&mut self) -> Result<Energy, InstrumentError> {
        self.exchange("CALCulate:EM01:0001:START 0;", 0).await?;
        self.energy().await
    }
}

#[async_trait]
impl ErrorCalculator for Com5003 {
    async fn start(&mut self, input: &str, meter: MeterOutput, impulses: u64) -> Result<(), InstrumentError> {
        let (reference, unit) = if meter.reactive { ("Q", "I/kVarh") } else { ("P", "I/kWh") };
        let settings = [
            CLEAR_OVERLOAD.to_owned(),
            format!("{} SC1;", node(input, "DUTSOURCE")),
            format!("{} {reference};", node(input, "REFSOURCE")),
            format!("{} {unit};", node(input, "DCUNIT")),
            format!("{} {};", node(input, "DUTCONSTANT"), meter.constant),
            format!("{} {impulses};", node(input, "MRATE")),
            format!("{} 1;", node(input, "MCOUNT")),
            format!("{} 1;", node(input, "START")),
        ];
        self.exchange(&settings.join("|"), 0).await.map(drop)
    }

    async fn progress(&mut self, input: &str) -> Result<(CalculatorState, u64), InstrumentError> {
        let [status, edges] = self.numbers(["STATUS", "PULSES"].map(|q| format!("{}?", node(input, q)))).await?;
        let state = match status as u32 {
            0 => CalculatorState::Idle,
            1 => CalculatorState::Armed,
            2 | 6 => CalculatorState::Counting,
            4 => CalculatorState::Ready,
            8 => CalculatorState::Aborted,
            other => return Err(self.reported(format!("{input} has status {other}"))),
        };
        Ok((state, edges as u64))
    }

    async fn reading(&mut self, input: &str) -> Result<ErrorReading, InstrumentError> {
        self.check_overload().await?;
        let queries =
            ["RESULT", "MRATE", "ENFINAL", "REFCONSTANT", "MMEASTIME"].map(|q| format!("{}?", node(input, q)));
        let [percent, impulses, kwh, constant, ms] = self.numbers(queries).await?;
        Ok(ErrorReading {
            percent,
            impulses: impulses as u64,
            reference_wh: kwh * 1000.0,
            pulses: (kwh * constant).round(),
            seconds: ms / 1000.0,
        })
    }

    async fn stop(&mut self, input: &str) -> Result<(), InstrumentError> {
        self.exchange(&format!("{} 0;", node(input, "START")), 0).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_range_that_holds_the_value_is_taken() {
        assert_eq!(pick(&CURRENT_RANGES, 0.02), "25mA");
        assert_eq!(pick(&CURRENT_RANGES, 0.25), "250mA");
        assert_eq!(pick(&CURRENT_RANGES, 100.0), "100A");
        assert_eq!(pick(&CURRENT_RANGES, 120.0), "200A");
        assert_eq!(pick(&VOLTAGE_RANGES, 264.5), "480V");
        assert_eq!(pick(&VOLTAGE_RANGES, 230.0), "240V");
    }

    #[test]
    fn nodes_are_written_in_long_form() {
        assert_eq!(node("EC3", "RESULT"), "CALCulate:EC03:0001:RESULT");
    }
}
