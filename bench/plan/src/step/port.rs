//! Steps over a port of the meter.

use std::ops::RangeInclusive;

use crate::fields::{Fields, Findings};
use crate::finding::{Finding, closest};
use crate::object::{self, DlmsValue, ObjectName, ObjectPattern};
use crate::port_test::{
    Answer, ClockTest, Port, PortCheck, PortTest, READ_UNITS, ROLES, ReadExpectation, ReadValue, RightsRule,
};
use crate::quantity::{self, Dimension};
use crate::yaml::{Node, Value};

/// Keys of a step over a port beside `name`, `id` and `port`.
pub(super) fn keys(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "read" => &["port", "as", "expect"],
        "write" => &["port", "as", "object", "attribute", "value", "expect"],
        "act" => &["port", "as", "object", "method", "parameter", "expect"],
        "access-rights" => &["port", "rules"],
        "wrong-key" | "downgrade" => &["port", "as"],
        "replay" => &["port", "as", "off"],
        "association-limits" => &["port", "as", "times"],
        "hdlc-link" => &[],
        "clock" => &["port", "set", "for", "limit", "daylight-saving"],
        "load-profile" => &["port", "as", "for", "blocks"],
        _ => return None,
    })
}

/// Reads the body of such a step.
pub(super) fn read(word: &'static str, fields: &Fields<'_>, findings: &Findings) -> Option<PortTest> {
    let reader = PortReader { word, fields, findings };
    let (port, check) = (reader.port(), reader.check());
    Some(PortTest { port: port?, check: check? })
}

struct PortReader<'a> {
    word: &'static str,
    fields: &'a Fields<'a>,
    findings: &'a Findings,
}

/// Everything is read before anything is given up, so that every mistake is named at once.
impl PortReader<'_> {
    fn check(&self) -> Option<PortCheck> {
        let fields = self.fields;
        Some(match self.word {
            "read" => {
                let (role, expect) = (self.role("reader"), self.readings());
                PortCheck::Read { role: role?, expect: expect? }
            }
            "write" => {
                let (role, object) = (self.role("management"), self.object());
                let (attribute, value, answer) = (self.number("attribute", 2), self.value("value"), self.answer(true));
                if fields.get("value").is_none() {
                    fields.missing("value", "step `write`", self.findings);
                }
                PortCheck::Write {
                    role: role?,
                    object: object?,
                    attribute: attribute?,
                    value: value??,
                    answer: answer?,
                }
            }
            "act" => {
                let (role, object) = (self.role("management"), self.object());
                let (method, parameter) = (self.number("method", 1), self.value("parameter"));
                let granted = self.answer(false).map(|answer| answer == Answer::Granted);
                PortCheck::Act {
                    role: role?,
                    object: object?,
                    method: method?,
                    parameter: parameter?,
                    granted: granted?,
                }
            }
            "access-rights" => PortCheck::AccessRights { rules: self.rules()? },
            "wrong-key" => PortCheck::WrongKey { role: self.secured_role()? },
            "downgrade" => PortCheck::Downgrade { role: self.secured_role()? },
            "replay" => {
                let (role, off) = (self.secured_role(), self.time("off", 1.0..=86_400.0));
                PortCheck::Replay { role: role?, off_seconds: off? }
            }
            "association-limits" => {
                let times = match fields.get("times") {
                    None => Some(100),
                    Some(_) => fields.whole("times", 1, 100_000, self.findings),
                };
                let role = self.secured_role();
                PortCheck::AssociationLimits { role: role?, times: times? }
            }
            "clock" => PortCheck::Clock(self.clock()?),
            "load-profile" => {
                let (role, blocks) = (self.role("reader"), self.general_blocks());
                let seconds = self.required_time("for", 600.0..=31.0 * 86_400.0);
                PortCheck::LoadProfile { role: role?, seconds: seconds?, general_blocks: blocks? }
            }
            _ => PortCheck::HdlcLink,
        })
    }

    fn port(&self) -> Option<Port> {
        match self.fields.text("port", self.findings) {
            None if self.fields.get("port").is_some() => None,
            None | Some(("optical", _)) => Some(Port::Optical),
            Some(("network", _)) => Some(Port::Network),
            Some((other, node)) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no port of a meter"));
                self.findings.push(finding.label("write `optical` or `network`"));
                None
            }
        }
    }

    /// `blocks: general`
    fn general_blocks(&self) -> Option<bool> {
        match self.fields.text("blocks", self.findings) {
            None if self.fields.get("blocks").is_some() => None,
            None | Some(("service", _)) => Some(false),
            Some(("general", _)) => Some(true),
            Some((other, node)) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no kind of blocks"));
                self.findings.push(finding.label("write `general` or `service`"));
                None
            }
        }
    }

    fn role(&self, default: &'static str) -> Option<&'static str> {
        match self.fields.get("as") {
            None => Some(default),
            Some(node) => role(node, self.findings),
        }
    }

    /// A role that proves who it is.
    fn secured_role(&self) -> Option<&'static str> {
        let role = self.role("reader")?;
        if role != "public" {
            return Some(role);
        }
        let span = self.fields.get("as").map_or(self.fields.span.clone(), |node| node.span.clone());
        let finding = Finding::error("bad-value", &span, "the public client proves nothing");
        self.findings.push(finding.label("write `reader`, `management` or `installer`"));
        None
    }

    fn object(&self) -> Option<ObjectName> {
        let what = format!("step `{}`", self.word);
        let (text, node) = self.fields.required_text("object", &what, self.findings)?;
        object::read(text, node, self.findings)
    }

    fn number(&self, key: &str, least: u64) -> Option<i8> {
        if self.fields.get(key).is_none() {
            self.fields.missing(key, &format!("step `{}`", self.word), self.findings);
        }
        self.fields.whole(key, least, 127, self.findings).and_then(|n| i8::try_from(n).ok())
    }

    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn value(&self, key: &str) -> Option<Option<DlmsValue>> {
        match self.fields.get(key) {
            None => Some(None),
            Some(node) => DlmsValue::read(node, key, self.findings).map(Some),
        }
    }

    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn time(&self, key: &str, bounds: RangeInclusive<f64>) -> Option<Option<f64>> {
        match self.fields.get(key) {
            None => Some(None),
            Some(node) => quantity::absolute(node, key, Dimension::Time, bounds, self.findings).map(Some),
        }
    }

    fn required_time(&self, key: &str, bounds: RangeInclusive<f64>) -> Option<f64> {
        if self.fields.get(key).is_none() {
            self.fields.missing(key, &format!("step `{}`", self.word), self.findings);
        }
        self.time(key, bounds)?
    }

    /// `expect: [{ access: refused }]`; a value can be invalid too.
    fn answer(&self, has_value: bool) -> Option<Answer> {
        let label = "write `expect: [{ access: refused }]` or `granted`";
        let Some(items) = self.items("expect", label)? else {
            self.fields.missing("expect", &format!("step `{}`", self.word), self.findings);
            return None;
        };
        let [item] = items else {
            let span = self.fields.get("expect").map_or(0..0, |node| node.span.clone());
            let finding = Finding::error("bad-value", &span, format!("step `{}` expects one answer", self.word));
            self.findings.push(finding.label(label));
            return None;
        };
        let item = Fields::open(item, "an expectation", &["access"], self.findings)?;
        match item.required_text("access", "an expectation", self.findings)? {
            ("granted", _) => Some(Answer::Granted),
            ("refused", _) => Some(Answer::Refused),
            ("invalid", _) if has_value => Some(Answer::Invalid),
            (other, node) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no answer"));
                let known =
                    if has_value { "write `granted`, `refused` or `invalid`" } else { "write `granted` or `refused`" };
                self.findings.push(finding.label(known));
                None
            }
        }
    }

    fn readings(&self) -> Option<Vec<ReadExpectation>> {
        let label = "write `expect: [{ register: 32.7.0, value: 230 V ± 1 % }]`";
        let Some(items) = self.items("expect", label)? else {
            self.fields.missing("expect", "step `read`", self.findings);
            return None;
        };
        let read: Vec<Option<ReadExpectation>> = items.iter().map(|item| self.reading(item)).collect();
        for (n, expectation) in read.iter().enumerate() {
            let Some(ReadExpectation { object, .. }) = expectation else { continue };
            if read[..n].iter().flatten().any(|other| other.object.name == object.name) {
                let message = format!("`{}` is read twice in one step", object.words);
                let finding = Finding::error("duplicate-id", &items[n].span, message);
                self.findings.push(finding.label("put it into a step of its own"));
            }
        }
        read.into_iter().collect()
    }

    fn reading(&self, item: &Node) -> Option<ReadExpectation> {
        let fields = Fields::open(item, "an expectation", &["register", "value", "text"], self.findings)?;
        let register = fields.required_text("register", "an expectation", self.findings);
        let object = register.and_then(|(text, node)| object::read(text, node, self.findings));
        let value = match (fields.get("value"), fields.text("text", self.findings)) {
            (Some(node), None) => {
                let value = number(node, self.findings);
                if let (Some(object), Some((_, name))) = (&object, register) {
                    object.check_number(name, self.findings);
                }
                if let (Some(object), Some(ReadValue::Number { unit, .. })) = (&object, &value) {
                    object.check_unit(unit, node, self.findings);
                }
                value
            }
            (None, Some((text, _))) => Some(ReadValue::Text(text.to_owned())),
            _ => {
                let message = "a register is compared with a `value` or a `text`";
                let finding = Finding::error("missing-key", &fields.span, message);
                self.findings.push(finding.label("add `value: 230 V ± 1 %` or `text: \"00001001\"`"));
                None
            }
        };
        Some(ReadExpectation { object: object?, value: value? })
    }

    fn rules(&self) -> Option<Vec<RightsRule>> {
        let label = "write `rules:` and below it `- { objects: clock, read: all, write: [management] }`";
        let Some(items) = self.items("rules", label)? else {
            self.fields.missing("rules", "step `access-rights`", self.findings);
            return None;
        };
        every(items, |item| self.rule(item))
    }

    fn rule(&self, item: &Node) -> Option<RightsRule> {
        let fields = Fields::open(item, "a rule", &["objects", "read", "write", "act"], self.findings)?;
        let objects = match fields.get("objects") {
            None => {
                fields.missing("objects", "a rule", self.findings);
                None
            }
            Some(node) => {
                if node.alternatives().is_empty() {
                    let finding = Finding::error("empty-list", &node.span, "a rule for no objects");
                    self.findings.push(finding.label("write `objects: clock` or a pattern"));
                }
                every(node.alternatives(), |node| ObjectPattern::read(node, self.findings))
            }
        };
        let who = |key: &str| match fields.get(key) {
            None => Some(Vec::new()),
            Some(node) if node.text() == Some("all") => Some(ROLES.to_vec()),
            Some(node) => every(node.alternatives(), |node| role(node, self.findings)),
        };
        let (read, write, act) = (who("read"), who("write"), who("act"));
        Some(RightsRule { objects: objects?, read: read?, write: write?, act: act? })
    }

    /// The outer `None` means a mistake, the inner that the key is absent.
    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn items(&self, key: &str, label: &str) -> Option<Option<&[Node]>> {
        let Some(node) = self.fields.get(key) else { return Some(None) };
        match &node.value {
            Value::List(items) if !items.is_empty() => Some(Some(items)),
            Value::List(_) => {
                let finding = Finding::error("empty-list", &node.span, format!("`{key}` is empty"));
                self.findings.push(finding.label(label));
                None
            }
            _ => {
                let message = format!("`{key}` is {}, expected a list", node.shown());
                self.findings.push(Finding::error("bad-value", &node.span, message).label(label));
                None
            }
        }
    }

    fn clock(&self) -> Option<ClockTest> {
        let set = match self.fields.text("set", self.findings) {
            None if self.fields.get("set").is_some() => None,
            None => Some(None),
            Some((text, node)) => {
                let moment = utc(text);
                if moment.is_none() {
                    let finding = Finding::error("bad-value", &node.span, format!("`{text}` is no moment"));
                    self.findings.push(finding.label("write \"2026-03-29 00:59:30 UTC\", from 2000 to 2099"));
                }
                moment.map(Some)
            }
        };
        let limit = self.required_time("limit", 0.01..=3600.0);
        let daylight_saving = match self.fields.text("daylight-saving", self.findings) {
            None if self.fields.get("daylight-saving").is_some() => None,
            None | Some(("EU", _)) => Some(true),
            Some(("none", _)) => Some(false),
            Some((other, node)) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no rule"));
                self.findings.push(finding.label("write `EU` or `none`"));
                None
            }
        };
        let seconds = self.required_time("for", 1.0..=400.0 * 86_400.0);
        Some(ClockTest { set: set?, seconds: seconds?, limit: limit?, daylight_saving: daylight_saving? })
    }
}

/// All of them, once each has been looked at.
fn every<T>(nodes: &[Node], read: impl FnMut(&Node) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<Option<T>> = nodes.iter().map(read).collect();
    all.into_iter().collect()
}

fn role(node: &Node, findings: &Findings) -> Option<&'static str> {
    let text = node.text().unwrap_or_default();
    let found = ROLES.into_iter().find(|role| *role == text);
    if found.is_none() {
        let finding = Finding::error("unknown-word", &node.span, format!("{} is no role", node.shown()));
        findings.push(match closest(text, ROLES) {
            Some(close) => finding.label(format!("did you mean `{close}`?")),
            None => finding.label(format!("known: {}", ROLES.join(", "))),
        });
    }
    found
}

/// `2026-03-29 00:59:30 UTC` as seconds since 1970.
fn utc(text: &str) -> Option<i64> {
    use meterbench_iec62056::date_time::{Date, days_in_month};
    let (date, time) = text.strip_suffix(" UTC")?.split_once(' ')?;
    let field = |text: &str, width: usize| {
        (text.len() == width && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u16>().ok()).flatten()
    };
    let parts = |text: &str, separator: char, first: usize| {
        let mut parts = text.split(separator);
        let read = [field(parts.next()?, first)?, field(parts.next()?, 2)?, field(parts.next()?, 2)?];
        parts.next().is_none().then_some(read)
    };
    let [year, month, day] = parts(date, '-', 4)?;
    let [hour, minute, second] = parts(time, ':', 2)?;
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let sound = (2000..2100).contains(&year) && (1..=12).contains(&month) && day >= 1;
    if !sound || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = Date { year, month, day_of_month: day, day_of_week: 0xFF };
    let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    date.days_since_1970().map(|days| days * 86_400 + of_day)
}

/// `230 V ± 0.5 %`, `at most 5 W`, `49.9 Hz to 50.1 Hz`.
fn number(node: &Node, findings: &Findings) -> Option<ReadValue> {
    let read = node.text().and_then(bounds);
    if read.is_none() {
        let message = format!("`value` is {}, which is no condition on a register", node.shown());
        let finding = Finding::error("bad-condition", &node.span, message);
        let label = match node.text().and_then(quantity::spaced) {
            Some(words) => format!("a space stands between number and unit: `{words}`"),
            None => "write `230 V ± 0.5 %`, `at most 5 W`, `at least 1 kWh` or `49.9 Hz to 50.1 Hz`".to_owned(),
        };
        findings.push(finding.label(label).help(format!("units: {}", READ_UNITS.map(|(unit, ..)| unit).join(" "))));
    }
    read
}

fn bounds(text: &str) -> Option<ReadValue> {
    let amount = |text: &str| {
        let (number, unit) = match text.trim() {
            nominal @ ("Un" | "fn") => ("1", nominal),
            // A power factor has no unit.
            other => other.split_once(' ').unwrap_or((other, "1")),
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
        let value = number.parse::<f64>().ok().filter(|value| plain && value.is_finite())?;
        if unit == "%" {
            return Some((value, "%", 255, 0.01));
        }
        let (unit, code, factor) = READ_UNITS.into_iter().find(|(known, ..)| *known == unit)?;
        Some((value, unit, code, factor))
    };
    let one = |text: &str| amount(text).filter(|(_, unit, ..)| *unit != "%");
    let made = |low: Option<f64>, high: Option<f64>, unit: &'static str| ReadValue::Number { low, high, unit };
    if let Some(rest) = text.strip_prefix("at most ") {
        let (value, unit, ..) = one(rest)?;
        return Some(made(None, Some(value), unit));
    }
    if let Some(rest) = text.strip_prefix("at least ") {
        let (value, unit, ..) = one(rest)?;
        return Some(made(Some(value), None, unit));
    }
    if let Some((middle, around)) = text.split_once(" ± ").or_else(|| text.split_once(" +/- ")) {
        let ((value, unit, code, factor), (width, _, width_code, width_factor)) = (one(middle)?, amount(around)?);
        let half = match around.ends_with('%') {
            true => value.abs() * width / 100.0,
            false if width_code == code && factor > 0.0 => width * width_factor / factor,
            false => return None,
        };
        return (half >= 0.0).then(|| made(Some(value - half), Some(value + half), unit));
    }
    let (low, high) = text.split_once(" to ")?;
    let ((low, unit, ..), (high, same, ..)) = (one(low)?, one(high)?);
    (unit == same && low <= high).then(|| made(Some(low), Some(high), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_of_this_century_and_say_utc() {
        assert_eq!(utc("2026-03-29 00:59:30 UTC"), Some(1_774_745_970));
        assert_eq!(utc("2000-01-01 00:00:00 UTC"), Some(946_684_800));
        for bad in [
            "2026-03-29 00:59:30",
            "2026-02-29 00:00:00 UTC",
            "1999-12-31 00:00:00 UTC",
            "2026-3-29 00:00:00 UTC",
            "2026-03-29 24:00:00 UTC",
            "",
        ] {
            assert_eq!(utc(bad), None, "{bad}");
        }
    }

    #[test]
    fn conditions_on_a_register() {
        let number = |low, high, unit| Some(ReadValue::Number { low, high, unit });
        assert_eq!(bounds("200 V ± 1 %"), number(Some(198.0), Some(202.0), "V"));
        assert_eq!(bounds("230 V +/- 500 mV"), number(Some(229.5), Some(230.5), "V"));
        assert_eq!(bounds("at most 5 W"), number(None, Some(5.0), "W"));
        assert_eq!(bounds("at least 1 kWh"), number(Some(1.0), None, "kWh"));
        assert_eq!(bounds("49.9 Hz to 50.1 Hz"), number(Some(49.9), Some(50.1), "Hz"));
        assert_eq!(bounds("Un ± 50 %"), number(Some(0.5), Some(1.5), "Un"));
        assert_eq!(bounds("at least 0.99"), number(Some(0.99), None, "1"));
        for bad in
            ["230 V", "230", "230 V ± 1 A", "1 V to 2 A", "2 V to 1 V", "5 % ± 1 %", "at most 1 %", "1e3 V ± 1 %"]
        {
            assert_eq!(bounds(bad), None, "{bad}");
        }
    }
}
