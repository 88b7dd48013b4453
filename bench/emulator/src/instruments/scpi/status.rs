//! IEEE 488.2 registers and the error queue.

use std::collections::VecDeque;

use super::{Done, Fault, Unit, answer, done};

const QUEUE_DEPTH: usize = 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    queue: VecDeque<(i32, &'static str)>,
    event_status: u8,
    event_enable: u8,
    service_enable: u8,
}

impl Status {
    pub(super) fn report(&mut self, entry: (i32, &'static str)) {
        // Command error, execution error, device-dependent error.
        self.event_status |= match entry.0 {
            -199..=-100 => 32,
            -299..=-200 => 16,
            _ => 8,
        };
        if self.queue.len() < QUEUE_DEPTH {
            self.queue.push_back(entry);
        } else if let Some(last) = self.queue.back_mut() {
            *last = (-350, "Queue overflow");
        }
    }

    /// `0,"No error"` when there is none.
    pub(crate) fn next_error(&mut self) -> String {
        let (code, text) = self.queue.pop_front().unwrap_or((0, "No error"));
        format!("{code},\"{text}\"")
    }

    fn status_byte(&self) -> u8 {
        let queue = if self.queue.is_empty() { 0 } else { 4 };
        let summary = if self.event_status & self.event_enable == 0 { 0 } else { 32 };
        let byte = queue | summary;
        if byte & self.service_enable == 0 { byte } else { byte | 64 }
    }

    /// What every instrument of IEEE 488.2 does; `*IDN?`, `*RST`, `*OPC?` and `*TRG` are the instrument's own.
    pub(crate) fn common(&mut self, name: &str, unit: &Unit<'_>) -> Done {
        if !matches!((name, unit.query), ("ESE" | "SRE", false)) {
            unit.no_parameter()?;
        }
        match (name, unit.query) {
            ("CLS", false) => {
                self.queue.clear();
                self.event_status = 0;
                done()
            }
            ("ESE", false) => {
                self.event_enable = unit.number(0.0, 255.0)? as u8;
                done()
            }
            ("SRE", false) => {
                self.service_enable = unit.number(0.0, 255.0)? as u8;
                done()
            }
            ("OPC", false) => {
                self.event_status |= 1;
                done()
            }
            ("WAI", false) => done(),
            ("ESE", true) => answer(self.event_enable.to_string()),
            ("SRE", true) => answer(self.service_enable.to_string()),
            ("ESR", true) => answer(std::mem::take(&mut self.event_status).to_string()),
            ("STB", true) => answer(self.status_byte().to_string()),
            ("TST", true) => answer("0"),
            _ => Err(Fault::UndefinedHeader),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message;
    use super::*;

    fn ask(status: &mut Status, line: &str) -> String {
        let act = |unit: &Unit<'_>, status: &mut Status| match &unit.common {
            Some(name) => status.common(name, unit),
            None => Err(Fault::UndefinedHeader),
        };
        message(line, status, act).text
    }

    #[test]
    fn faults_fill_the_queue_and_the_registers() {
        let mut status = Status::default();
        assert_eq!(ask(&mut status, "*ESE 32;*SRE 32;*ESE?"), "32");
        ask(&mut status, "NONSENSE");
        assert_eq!(ask(&mut status, "*STB?"), "100", "queue, event summary, request for service");
        assert_eq!(ask(&mut status, "*ESR?;*ESR?"), "32;0");
        assert_eq!(status.next_error(), "-113,\"Undefined header\"");
        assert_eq!(status.next_error(), "0,\"No error\"");
        for _ in 0..40 {
            ask(&mut status, "*ESE 256");
        }
        let errors: Vec<String> = (0..21).map(|_| status.next_error()).collect();
        assert_eq!(errors[0], "-222,\"Data out of range\"");
        assert_eq!(errors[19..], ["-350,\"Queue overflow\"", "0,\"No error\""]);
        ask(&mut status, "*ESE;*CLS;*IDN");
        assert_eq!(status.next_error(), "-109,\"Missing parameter\"", "a bad command ends its message");
    }
}
