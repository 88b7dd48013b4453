//! Error calculator and energy register: both count the reference between two instants.

use meterbench_metrology::SampleInstant;

use super::{Fault, Header, number};

/// Bits of the STATUS answer.
const ARMED: u32 = 1;
const STARTED: u32 = 2;
const READY: u32 = 4;
const ABORTED: u32 = 8;

/// `CALCulate:ECnn:0001`: counts reference pulses over a number of meter impulses.
#[derive(Debug, Clone)]
pub(super) struct ErrorCalculator {
    /// Meter constant [imp/kWh].
    dut_constant: f64,
    /// Impulses to measure over.
    impulses: u64,
    upper: f64,
    lower: f64,
    /// Counts the reactive reference.
    reactive: bool,
    status: u32,
    armed_at: SampleInstant,
    first: Option<SampleInstant>,
    last: Option<SampleInstant>,
    /// Edges seen since START.
    edges: u64,
    /// Reference pulses of the last completed measurement.
    reference_pulses: Option<u64>,
    constant_used: f64,
}

impl Default for ErrorCalculator {
    fn default() -> Self {
        Self {
            dut_constant: 10_000.0,
            impulses: 10,
            upper: 10.0,
            lower: -10.0,
            reactive: false,
            status: 0,
            armed_at: SampleInstant::default(),
            first: None,
            last: None,
            edges: 0,
            reference_pulses: None,
            constant_used: 0.0,
        }
    }
}

impl ErrorCalculator {
    /// A rising edge of the meter's test output. The first starts the count, the last of `impulses` more ends it.
    pub(super) fn edge(
        &mut self,
        at: SampleInstant,
        reference_constant: f64,
        reference: impl Fn(bool, SampleInstant, SampleInstant) -> f64,
    ) {
        // A meter nobody watched may be a little behind: what it gave before the start is not counted.
        if !self.running() || at < self.armed_at {
            return;
        }
        self.edges += 1;
        self.last = Some(at);
        let Some(first) = self.first else {
            self.first = Some(at);
            self.status = STARTED;
            return;
        };
        if self.edges > self.impulses {
            let pulses = reference(self.reactive, first, at).abs() / 1000.0 * reference_constant;
            self.reference_pulses = Some(pulses as u64);
            self.constant_used = reference_constant;
            self.status = READY;
        }
    }

    pub(super) fn abort(&mut self) {
        if self.running() {
            self.status = ABORTED;
        }
    }

    pub(super) fn running(&self) -> bool {
        self.status & (ARMED | STARTED) != 0
    }

    /// Percentage error of the last completed measurement.
    fn result(&self) -> f64 {
        let Some(pulses) = self.reference_pulses else { return 0.0 };
        let target = (self.impulses as f64 * self.constant_used / self.dut_constant).floor();
        if pulses == 0 { f64::NAN } else { 100.0 * (target - pulses as f64) / pulses as f64 }
    }

    pub(super) fn command(
        &mut self,
        node: &str,
        header: &Header<'_>,
        now: SampleInstant,
        reference_constant: f64,
        energy_since: impl Fn(bool, SampleInstant) -> f64,
    ) -> Result<Option<String>, Fault> {
        let setting = |value: f64, new: Option<f64>| match new {
            Some(new) => (new, None),
            None => (value, Some(number(value))),
        };
        let answer;
        match node {
            "DUTC" | "DUTCONSTANT" => {
                (self.dut_constant, answer) = setting(self.dut_constant, header.number(1e-6, 1e20)?);
            }
            "MRAT" | "MRATE" => {
                let (value, text) = setting(self.impulses as f64, header.number(1.0, 4_294_967_295.0)?);
                (self.impulses, answer) = (value as u64, text);
            }
            "UPL" | "UPLIMIT" => (self.upper, answer) = setting(self.upper, header.number(-100.0, 100.0)?),
            "LOL" | "LOLIMIT" => (self.lower, answer) = setting(self.lower, header.number(-100.0, 100.0)?),
            "START" | "STAR" => match header.number(0.0, 1.0)? {
                None => answer = Some(u8::from(self.running()).to_string()),
                Some(on) => {
                    if on == 1.0 {
                        (self.status, self.first, self.last, self.edges) = (ARMED, None, None, 0);
                        self.armed_at = now;
                    } else {
                        self.abort();
                    }
                    answer = None;
                }
            },
            "DUTS" | "DUTSOURCE" => return fixed(header, "SC1"),
            "REFS" | "REFSOURCE" => return one_of(header, &mut self.reactive, ["P", "Q"]),
            "DCUN" | "DCUNIT" => return one_of(header, &mut self.reactive, ["I/kWh", "I/kVarh"]),
            "CONT" | "CONTINUOUS" => return fixed(header, "0"),
            "MCO" | "MCOUNT" => return fixed(header, "1"),
            _ if !header.is_query() => return Err(Fault::Command),
            "REFC" | "REFCONSTANT" => answer = Some(number(reference_constant)),
            "STAT" | "STATUS" => answer = Some(self.status.to_string()),
            "PULS" | "PULSES" => answer = Some(self.edges.to_string()),
            "PROG" | "PROGRESS" => {
                let done = self.edges.saturating_sub(1) as f64 / self.impulses as f64;
                answer = Some(number((100.0 * done).min(100.0).round()));
            }
            "ENER" | "ENERGY" => {
                let live = self
                    .first
                    .filter(|_| self.status == STARTED)
                    .map(|first| energy_since(self.reactive, first).abs() / 1000.0);
                answer = Some(number(live.unwrap_or_else(|| self.final_energy())));
            }
            "ENF" | "ENFINAL" => answer = Some(number(self.final_energy())),
            "RESULT" => answer = Some(number(self.result())),
            "RAT" | "RATING" => {
                let inside = (self.lower..=self.upper).contains(&self.result());
                answer = Some(if self.status == READY { u8::from(inside).to_string() } else { "-1".to_owned() });
            }
            "MME" | "MMEASTIME" => {
                let until = if self.status == STARTED { Some(now) } else { self.last };
                let ms = self.first.zip(until).map(|(a, b)| (b.nanoseconds() - a.nanoseconds()) / 1_000_000);
                answer = Some(ms.unwrap_or(0).to_string());
            }
            _ => return Err(Fault::Command),
        }
        Ok(answer)
    }

    /// kWh of the last completed measurement.
    fn final_energy(&self) -> f64 {
        self.reference_pulses.map_or(0.0, |pulses| pulses as f64 / self.constant_used)
    }
}

/// `CALCulate:EM01:0001`: the reference's energy between START 1 and START 0.
#[derive(Debug, Clone, Default)]
pub(super) struct EnergyRegister {
    reactive: bool,
    status: u32,
    began: Option<SampleInstant>,
    /// kWh at the end.
    energy: f64,
    milliseconds: u64,
}

impl EnergyRegister {
    pub(super) fn abort(&mut self) {
        if self.status == STARTED {
            self.status = ABORTED;
        }
    }

    pub(super) fn command(
        &mut self,
        node: &str,
        header: &Header<'_>,
        now: SampleInstant,
        reference_constant: f64,
        energy_since: impl Fn(bool, SampleInstant) -> f64,
    ) -> Result<Option<String>, Fault> {
        // Whole reference pulses, as the instrument counts them.
        let counted = |wh: f64| (wh.abs() / 1000.0 * reference_constant).floor() / reference_constant;
        let live = self.began.filter(|_| self.status == STARTED);
        let since = |began: SampleInstant| (now.nanoseconds() - began.nanoseconds()) / 1_000_000;
        match node {
            "MODE" | "MOD" => fixed(header, "0"),
            "TXUN" | "TXUNIT" => one_of(header, &mut self.reactive, ["kWh", "kVarh"]),
            "REFS" | "REFSOURCE" => one_of(header, &mut self.reactive, ["P", "Q"]),
            "START" | "STAR" => match header.number(0.0, 1.0)? {
                None => Ok(Some(u8::from(live.is_some()).to_string())),
                Some(on) => {
                    if on == 1.0 {
                        let reactive = self.reactive;
                        *self = Self { reactive, status: STARTED, began: Some(now), energy: 0.0, milliseconds: 0 };
                    } else if let Some(began) = live {
                        self.energy = counted(energy_since(self.reactive, began));
                        self.milliseconds = since(began);
                        self.status = READY;
                    }
                    Ok(None)
                }
            },
            _ if !header.is_query() => Err(Fault::Command),
            "STAT" | "STATUS" => Ok(Some(self.status.to_string())),
            "ENER" | "ENERGY" => {
                Ok(Some(number(live.map_or(self.energy, |began| counted(energy_since(self.reactive, began))))))
            }
            "TIME" | "TIM" => Ok(Some(number(live.map_or(self.milliseconds, since) as f64 / 1000.0))),
            "REFC" | "REFCONSTANT" => Ok(Some(number(reference_constant))),
            _ => Err(Fault::Command),
        }
    }
}

/// A setting of two values, the second for reactive energy. Source and unit go together: the last one set counts.
fn one_of(header: &Header<'_>, reactive: &mut bool, words: [&str; 2]) -> Result<Option<String>, Fault> {
    match header.parameter()? {
        None => Ok(Some(words[usize::from(*reactive)].to_owned())),
        Some(value) => {
            *reactive = words.iter().position(|word| *word == value).ok_or(Fault::NumericData)? == 1;
            Ok(None)
        }
    }
}

/// A setting of which only one value is emulated: another is refused, not ignored.
fn fixed(header: &Header<'_>, only: &str) -> Result<Option<String>, Fault> {
    match header.parameter()? {
        None => Ok(Some(only.to_owned())),
        Some(value) if value == only => Ok(None),
        Some(_) => Err(Fault::NumericData),
    }
}
