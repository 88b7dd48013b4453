//! IEEE 488.2 registers and the error queue of one connection.

use std::collections::VecDeque;

use super::{Fault, Header};

const QUEUE_DEPTH: usize = 50;

#[derive(Debug, Clone, Default)]
pub(super) struct Status {
    queue: VecDeque<(i32, &'static str)>,
    event_status: u8,
    event_enable: u8,
    service_enable: u8,
    questionable_enable: u16,
    questionable_transition: u16,
}

impl Status {
    pub(super) fn report(&mut self, fault: Fault) {
        let error = match fault {
            Fault::Command => (-100, "Command error"),
            Fault::NumericData => (-120, "Numeric data error"),
            Fault::Query => (-400, "Query error"),
        };
        if self.queue.len() < QUEUE_DEPTH {
            self.queue.push_back(error);
        } else if let Some(last) = self.queue.back_mut() {
            *last = (-350, "Queue overflow");
        }
    }

    pub(super) fn next_error(&mut self) -> String {
        self.queue.pop_front().map_or_else(|| "+0,No error".to_owned(), |(code, text)| format!("{code},{text}"))
    }

    pub(super) fn all_errors(&mut self) -> String {
        if self.queue.is_empty() {
            return self.next_error();
        }
        self.queue.drain(..).map(|(code, text)| format!("{code},{text}")).collect::<Vec<_>>().join(";")
    }

    pub(super) fn error_count(&self) -> usize {
        self.queue.len()
    }

    fn status_byte(&self) -> u8 {
        const ERROR_QUEUE: u8 = 1 << 2;
        const EVENT_SUMMARY: u8 = 1 << 5;
        let queue = if self.queue.is_empty() { 0 } else { ERROR_QUEUE };
        let summary = if self.event_status & self.event_enable == 0 { 0 } else { EVENT_SUMMARY };
        queue | summary
    }

    pub(super) fn common(&mut self, header: &Header<'_>) -> Result<Option<String>, Fault> {
        let answer = |value: u8| Ok(Some(format!("+{value}")));
        match (header.common_name(), header.is_query()) {
            ("*OPC", true) => answer(1),
            ("*TST", true) => Ok(Some("1".to_owned())),
            ("*ESR", true) => answer(self.event_status),
            ("*STB", true) => answer(self.status_byte()),
            ("*ESE", true) => answer(self.event_enable),
            ("*SRE", true) => answer(self.service_enable),
            ("*ESE", false) => {
                self.event_enable = byte(header)?;
                Ok(None)
            }
            ("*SRE", false) => {
                self.service_enable = byte(header)?;
                Ok(None)
            }
            ("*OPC", false) => without_parameter(header, || self.event_status |= 1),
            ("*RST", false) => without_parameter(header, || self.event_status &= !1),
            ("*CLS", false) => without_parameter(header, || {
                self.event_status = 0;
                self.queue.clear();
            }),
            ("*CLS" | "*RST", true) => Err(Fault::Query),
            _ => Err(Fault::Command),
        }
    }

    /// `STATus:QUEStionable:...`; no event is recorded until a transition filter lets it.
    pub(super) fn questionable(
        &mut self,
        part: &str,
        condition: u16,
        header: &Header<'_>,
    ) -> Result<Option<String>, Fault> {
        let (register, query): (&mut u16, _) = match part {
            "COND" | "CONDITION" if header.is_query() => return Ok(Some(condition.to_string())),
            "EVEN" | "EVENT" if header.is_query() => {
                return Ok(Some((condition & self.questionable_transition).to_string()));
            }
            "ENAB" | "ENABLE" => (&mut self.questionable_enable, header.is_query()),
            "PTR" | "PTRANSITION" => (&mut self.questionable_transition, header.is_query()),
            _ => return Err(Fault::Command),
        };
        if query {
            return Ok(Some(register.to_string()));
        }
        if let Some(value) = header.number(0.0, 65_535.0)? {
            *register = value as u16;
        }
        Ok(None)
    }
}

fn byte(header: &Header<'_>) -> Result<u8, Fault> {
    header.number(0.0, 255.0)?.map(|value| value as u8).ok_or(Fault::Command)
}

fn without_parameter(header: &Header<'_>, act: impl FnOnce()) -> Result<Option<String>, Fault> {
    // A parameter where none belongs is a command error.
    match header.parameter() {
        Ok(Some(_)) => Err(Fault::Command),
        _ => {
            act();
            Ok(None)
        }
    }
}
