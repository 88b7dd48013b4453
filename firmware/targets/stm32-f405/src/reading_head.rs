//! The lines of the reading head: `DISPLAY? 1.8.0` is answered with `1.8.0;VALUE;UNIT`, `OUTPUT kvarh` by itself, `*IDN?` by name.
//!
//! The protocol is the bench's own until the meter has a port. What is not understood, or what this type does not have, gets no answer.

use core::fmt;

use meterbench_meter::{Display, Meter};
use meterbench_metrology::ImpulseQuantity;

/// Longest line (bytes), terminator aside.
pub const LONGEST: usize = 32;

/// A line of text, ready to be sent; it ends with a line feed.
pub type Text = heapless::String<64>;

/// Bytes become lines.
#[derive(Debug, Default)]
pub struct Lines {
    line: heapless::Vec<u8, LONGEST>,
    /// The line is too long or not ASCII: the rest of it is dropped too.
    spoilt: bool,
}

impl Lines {
    /// Nothing received.
    pub const fn new() -> Self {
        Self { line: heapless::Vec::new(), spoilt: false }
    }

    /// Takes a byte; the request, if it ended a line that is one. A carriage return before the line feed is ignored.
    pub fn take(&mut self, byte: u8) -> Option<Request> {
        match byte {
            b'\n' => {
                let spoilt = core::mem::take(&mut self.spoilt);
                let line = core::mem::take(&mut self.line);
                core::str::from_utf8(&line).ok().filter(|_| !spoilt).and_then(Request::parse)
            }
            b'\r' => None,
            byte => {
                self.spoilt |= !byte.is_ascii() || self.line.push(byte).is_err();
                None
            }
        }
    }
}

/// What a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `*IDN?`
    Identify,
    /// `OUTPUT kWh` or `OUTPUT kvarh`
    Select(ImpulseQuantity),
    /// `DISPLAY? C.D.E`
    Show([u8; 3]),
}

impl Request {
    fn parse(line: &str) -> Option<Self> {
        match line {
            "*IDN?" => Some(Self::Identify),
            "OUTPUT kWh" => Some(Self::Select(ImpulseQuantity::Active)),
            "OUTPUT kvarh" => Some(Self::Select(ImpulseQuantity::Reactive)),
            _ => line.strip_prefix("DISPLAY? ").and_then(item).map(Self::Show),
        }
    }

    /// Carries the request out; `None` for what this type does not have.
    pub fn carry_out(self, meter: &mut Meter) -> Option<Answer> {
        match self {
            Self::Identify => Some(Answer::Identity),
            Self::Select(quantity) => meter.select_output(quantity).ok().map(|()| Answer::Selected(quantity)),
            Self::Show(obis) => meter.display(obis).map(Answer::Shown),
        }
    }
}

/// `1.8.0`
fn item(obis: &str) -> Option<[u8; 3]> {
    let mut parts = obis.split('.').map(|part| part.parse().ok());
    let item = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(item)
}

/// What was done, before it is text: making text takes longer than the meter may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Name and version of this firmware.
    Identity,
    /// The outputs count this from now on.
    Selected(ImpulseQuantity),
    /// An item of the display.
    Shown(Display),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str(concat!("meterbench, stm32-f405, 0, ", env!("CARGO_PKG_VERSION"))),
            Self::Selected(ImpulseQuantity::Active) => f.write_str("OUTPUT kWh"),
            Self::Selected(ImpulseQuantity::Reactive) => f.write_str("OUTPUT kvarh"),
            Self::Shown(display) => display.fmt(f),
        }
    }
}

impl Answer {
    /// The line to send.
    pub fn text(&self) -> Text {
        let mut text = Text::new();
        // The longest answer, a display, is 3 · 3 digits, 21 digits, unit and separators: 40 bytes.
        let _ = fmt::write(&mut text, format_args!("{self}\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};

    use meterbench_meter::{Settings, TypeNumber};

    use super::*;

    fn talk(type_number: &str, sent: &str) -> String {
        let number = type_number.parse::<TypeNumber>().unwrap();
        let mut meter = Meter::new(number.profile(), &Settings::delivered()).unwrap();
        let mut lines = Lines::new();
        let requests = sent.bytes().filter_map(|byte| lines.take(byte));
        requests.filter_map(|r| r.carry_out(&mut meter)).map(|answer| answer.text().to_string()).collect()
    }

    const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";

    #[test]
    fn the_lines_of_the_bench_are_answered() {
        assert_eq!(talk(THREE_PHASE, "DISPLAY? 1.8.0\n"), "1.8.0;000000.000;kWh\n");
        assert_eq!(talk(THREE_PHASE, "DISPLAY? 4.8.0\r\n"), "4.8.0;000000.000;kvarh\n");
        assert_eq!(talk(THREE_PHASE, "OUTPUT kvarh\nOUTPUT kWh\n"), "OUTPUT kvarh\nOUTPUT kWh\n");
        assert_eq!(talk(THREE_PHASE, "*IDN?\n"), "meterbench, stm32-f405, 0, 0.1.0\n");
    }

    #[test]
    fn what_is_not_there_gets_no_answer() {
        for line in
            ["", "DISPLAY?", "DISPLAY? 1.8", "DISPLAY? 1.8.0.0", "DISPLAY? 32.7.0", "DISPLAY? 1.8.256", "output kWh"]
        {
            assert_eq!(talk(THREE_PHASE, &std::format!("{line}\n")), "", "{line}");
        }
        assert_eq!(talk("686-11-11B-N11-3001-001", "OUTPUT kvarh\nDISPLAY? 3.8.0\n"), "");
    }

    #[test]
    fn a_spoilt_line_does_not_spoil_the_next() {
        let long = "x".repeat(200);
        for noise in [long.as_str(), "\u{e9}", "\0\0"] {
            assert_eq!(talk(THREE_PHASE, &std::format!("{noise}OUTPUT kWh\nOUTPUT kWh\n")), "OUTPUT kWh\n");
        }
    }
}
