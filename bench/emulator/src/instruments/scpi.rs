//! SCPI as instruments take it: messages of several units, headers in short or long form, faults in a queue.
//!
//! `;` keeps the node, a colon after it returns to the root, common commands move nothing. A unit that is no command ends its message.

mod status;

use std::time::Duration;

pub(super) use self::status::Status;
use super::Reply;

/// What is wrong with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Syntax,
    DataType,
    ParameterNotAllowed,
    MissingParameter,
    UndefinedHeader,
    SuffixOutOfRange,
    SettingsConflict,
    OutOfRange,
    TooMuchData,
    IllegalParameter,
    ListsDiffer,
    /// Fluke: fluctuation without a harmonic.
    NothingToFluctuate,
}

impl Fault {
    fn entry(self) -> (i32, &'static str) {
        match self {
            Self::Syntax => (-102, "Syntax error"),
            Self::DataType => (-104, "Data type error"),
            Self::ParameterNotAllowed => (-108, "Parameter not allowed"),
            Self::MissingParameter => (-109, "Missing parameter"),
            Self::UndefinedHeader => (-113, "Undefined header"),
            Self::SuffixOutOfRange => (-114, "Header suffix out of range"),
            Self::SettingsConflict => (-221, "Settings conflict"),
            Self::OutOfRange => (-222, "Data out of range"),
            Self::TooMuchData => (-223, "Too much data"),
            Self::IllegalParameter => (-224, "Illegal parameter value"),
            Self::ListsDiffer => (-226, "Lists not same length"),
            Self::NothingToFluctuate => (-300, "Activate harmonics before they fluctuate"),
        }
    }

    /// The unit was no command at all.
    fn ends_message(self) -> bool {
        self.entry().0 > -200
    }
}

/// One node of a header, upper case, its number split off.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    word: String,
    suffix: Option<u32>,
}

impl Node {
    fn parse(text: &str) -> Result<Self, Fault> {
        let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &text[word.len()..];
        if word.is_empty() || !word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') {
            return Err(Fault::Syntax);
        }
        let suffix = if digits.is_empty() { None } else { Some(digits.parse().map_err(|_| Fault::SuffixOutOfRange)?) };
        Ok(Self { word: word.to_ascii_uppercase(), suffix })
    }

    /// `PHASe#`: short or long form, with a number where the pattern has one (1 where it is left out).
    fn is(&self, pattern: &str) -> Option<Option<u32>> {
        let (pattern, numbered) = pattern.strip_suffix('#').map_or((pattern, false), |pattern| (pattern, true));
        if !is_word(&self.word, pattern) || (!numbered && self.suffix.is_some()) {
            return None;
        }
        Some(numbered.then(|| self.suffix.unwrap_or(1)))
    }
}

/// Exactly the short or the long form of `VOLTage`.
fn is_word(text: &str, pattern: &str) -> bool {
    let short = pattern.trim_end_matches(|c: char| c.is_ascii_lowercase());
    text.eq_ignore_ascii_case(pattern) || text.eq_ignore_ascii_case(short)
}

/// One command or query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit<'a> {
    nodes: Vec<Node>,
    /// `*IDN`: without the star.
    pub(super) common: Option<String>,
    pub(super) query: bool,
    parameters: Vec<&'a str>,
}

impl<'a> Unit<'a> {
    fn parse(text: &'a str, path: &mut Vec<Node>) -> Result<Self, Fault> {
        let (header, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let parameters = match rest.trim() {
            "" => Vec::new(),
            rest => rest.split(',').map(str::trim).collect(),
        };
        if parameters.iter().any(|parameter| parameter.is_empty()) {
            return Err(Fault::Syntax);
        }
        let (header, query) = header.strip_suffix('?').map_or((header, false), |header| (header, true));
        if let Some(name) = header.strip_prefix('*') {
            let common = Some(name.to_ascii_uppercase());
            return Ok(Self { nodes: Vec::new(), common, query, parameters });
        }
        let mut nodes = if header.starts_with(':') { Vec::new() } else { std::mem::take(path) };
        for node in header.trim_start_matches(':').split(':') {
            nodes.push(Node::parse(node)?);
        }
        *path = nodes[..nodes.len() - 1].to_vec();
        Ok(Self { nodes, common: None, query, parameters })
    }

    /// The numbers of the header, if it is this one: `[SOURce]:PHASe#:VOLTage:STATe`.
    pub(super) fn is(&self, pattern: &str) -> Option<Vec<u32>> {
        let pattern: Vec<&str> = pattern.split(':').collect();
        matches(&self.nodes, &pattern)
    }

    /// The numbers of the nodes of this pattern, and what stands under them.
    pub(super) fn under(&self, pattern: &str) -> Option<(Vec<u32>, Self)> {
        let pattern: Vec<&str> = pattern.split(':').collect();
        let (numbers, rest) = strip(&self.nodes, &pattern)?;
        let nodes = rest.to_vec();
        (!nodes.is_empty()).then(|| (numbers, Self { nodes, ..self.clone() }))
    }

    fn count(&self, count: usize) -> Result<(), Fault> {
        match self.parameters.len() {
            given if given < count => Err(Fault::MissingParameter),
            given if given > count => Err(Fault::ParameterNotAllowed),
            _ => Ok(()),
        }
    }

    pub(super) fn no_parameter(&self) -> Result<(), Fault> {
        self.count(0)
    }

    /// Exactly so many numbers.
    pub(super) fn numbers<const N: usize>(&self) -> Result<[f64; N], Fault> {
        self.count(N)?;
        let mut numbers = [0.0; N];
        for (number, text) in numbers.iter_mut().zip(&self.parameters) {
            *number = parse(text)?;
        }
        Ok(numbers)
    }

    pub(super) fn number(&self, least: f64, most: f64) -> Result<f64, Fault> {
        let [value] = self.numbers::<1>()?;
        if (least..=most).contains(&value) { Ok(value) } else { Err(Fault::OutOfRange) }
    }

    /// One number or more, each within bounds.
    pub(super) fn list(&self, least: f64, most: f64, longest: usize) -> Result<Vec<f64>, Fault> {
        if self.parameters.is_empty() {
            return Err(Fault::MissingParameter);
        }
        if self.parameters.len() > longest {
            return Err(Fault::TooMuchData);
        }
        let values = self.parameters.iter().map(|text| parse(text)).collect::<Result<Vec<f64>, Fault>>()?;
        if values.iter().all(|value| (least..=most).contains(value)) { Ok(values) } else { Err(Fault::OutOfRange) }
    }

    pub(super) fn switch(&self) -> Result<bool, Fault> {
        self.count(1)?;
        match self.parameters[0].to_ascii_uppercase().as_str() {
            "ON" | "1" => Ok(true),
            "OFF" | "0" => Ok(false),
            _ => Err(Fault::IllegalParameter),
        }
    }

    /// Which of these words, in short or long form, the only parameter is.
    pub(super) fn word(&self, words: &[&str]) -> Result<usize, Fault> {
        self.count(1)?;
        words.iter().position(|word| is_word(self.parameters[0], word)).ok_or(Fault::IllegalParameter)
    }

    /// A word and a number.
    pub(super) fn word_and_number(&self, words: &[&str]) -> Result<(usize, f64), Fault> {
        self.count(2)?;
        let word = words.iter().position(|word| is_word(self.parameters[0], word)).ok_or(Fault::IllegalParameter)?;
        Ok((word, parse(self.parameters[1])?))
    }

    /// A name, and the numbers after it.
    pub(super) fn name_and_numbers(&self) -> Result<(&'a str, Vec<f64>), Fault> {
        let (name, numbers) = self.parameters.split_first().ok_or(Fault::MissingParameter)?;
        Ok((name, numbers.iter().map(|text| parse(text)).collect::<Result<_, _>>()?))
    }

    pub(super) fn parameters(&self) -> &[&'a str] {
        &self.parameters
    }
}

fn matches(nodes: &[Node], pattern: &[&str]) -> Option<Vec<u32>> {
    let (numbers, rest) = strip(nodes, pattern)?;
    rest.is_empty().then_some(numbers)
}

/// Takes the nodes of a pattern off the beginning; `[SOURce]` may be left out.
fn strip<'n>(nodes: &'n [Node], pattern: &[&str]) -> Option<(Vec<u32>, &'n [Node])> {
    let (mut nodes, mut numbers) = (nodes, Vec::new());
    for part in pattern {
        let optional = part.strip_prefix('[').and_then(|part| part.strip_suffix(']'));
        let found = nodes.split_first().and_then(|(node, rest)| Some((node.is(optional.unwrap_or(part))?, rest)));
        match found {
            Some((suffix, rest)) => {
                numbers.extend(suffix);
                nodes = rest;
            }
            None => {
                optional?;
            }
        }
    }
    Some((numbers, nodes))
}

fn parse(text: &str) -> Result<f64, Fault> {
    text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or(Fault::DataType)
}

/// An answer to a query: its text, and when it comes.
pub(super) struct Answer {
    text: String,
    after: Duration,
}

impl Answer {
    pub(super) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// What a unit gives: nothing, or an answer.
pub(super) type Done = Result<Option<Answer>, Fault>;

pub(super) fn answer(text: impl Into<String>) -> Done {
    Ok(Some(Answer { text: text.into(), after: Duration::ZERO }))
}

pub(super) fn done() -> Done {
    Ok(None)
}

/// Takes a message unit by unit; `act` carries each out. Faults go to the queue.
pub(super) fn message(line: &str, status: &mut Status, mut act: impl FnMut(&Unit<'_>, &mut Status) -> Done) -> Reply {
    let mut path = Vec::new();
    let (mut texts, mut after) = (Vec::new(), Duration::ZERO);
    for text in line.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        let done = Unit::parse(text, &mut path).and_then(|unit| act(&unit, status));
        match done {
            Ok(None) => {}
            Ok(Some(answer)) => {
                after = after.max(answer.after);
                texts.push(answer.text);
            }
            Err(fault) => {
                status.report(fault.entry());
                if fault.ends_message() {
                    break;
                }
            }
        }
    }
    Reply::now(texts.join(";")).after(after)
}

/// `2.43E4`: at least one decimal, no more than carry something.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:.7E}");
    let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0');
    let point = if mantissa.ends_with('.') { "0" } else { "" };
    format!("{mantissa}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers and parameters of a message, and what stands in the queue after it.
    fn taken(line: &str) -> (Vec<String>, String) {
        let (mut units, mut status) = (Vec::new(), Status::default());
        message(line, &mut status, |unit, _| {
            let nodes: Vec<String> = unit
                .nodes
                .iter()
                .map(|node| format!("{}{}", node.word, node.suffix.map_or(String::new(), |n| n.to_string())))
                .collect();
            let common = unit.common.as_ref().map_or(String::new(), |name| format!("*{name}"));
            let mark = if unit.query { "?" } else { "" };
            units.push(format!("{}{common}{mark} {}", nodes.join(":"), unit.parameters.join(",")).trim().to_owned());
            done()
        });
        (units, status.next_error())
    }

    #[test]
    fn the_path_goes_on_after_a_semicolon() {
        for (line, units) in [
            ("VOLT:RANG 150;LIM 140", vec!["VOLT:RANG 150", "VOLT:LIM 140"]),
            ("CURR:PEAK 8;:VOLT 110", vec!["CURR:PEAK 8", "VOLT 110"]),
            ("VOLT:RANG 300;*ESE 32;LIM 250", vec!["VOLT:RANG 300", "*ESE 32", "VOLT:LIM 250"]),
            ("inst:coup none;:inst:nsel 1;:phas 0.0", vec!["INST:COUP none", "INST:NSEL 1", "PHAS 0.0"]),
            ("SOUR:PHAS2:VOLT:MHAR:HARM12 1.0 , 90;;", vec!["SOUR:PHAS2:VOLT:MHAR:HARM12 1.0,90"]),
        ] {
            assert_eq!(
                taken(line),
                (units.into_iter().map(str::to_owned).collect(), "0,\"No error\"".into()),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_message_ends_it_and_stands_in_the_queue() {
        for line in ["VOLT:;OUTP 1", "VOLT::RANG 1", "V0LT 1", "VOLT 1,,2", "VOLT 1,", ":", "?", "Ärger", "1", "\0"] {
            let (units, error) = taken(line);
            assert!(units.is_empty(), "{line}: {units:?}");
            assert_eq!(error, "-102,\"Syntax error\"", "{line}");
        }
        assert_eq!(taken("HARM99999999999 1").1, "-114,\"Header suffix out of range\"");
    }

    #[test]
    fn headers_are_matched_in_exact_forms_only() {
        let is = |header: &str, pattern: &str| Unit::parse(header, &mut Vec::new()).unwrap().is(pattern);
        const PATTERN: &str = "[SOURce]:PHASe#:VOLTage:MHARmonics:HARMonic#";
        assert_eq!(is("SOUR:PHAS2:VOLT:MHAR:HARM7", PATTERN), Some(vec![2, 7]));
        assert_eq!(is("source:phase:voltage:mharmonics:harmonic", PATTERN), Some(vec![1, 1]));
        assert_eq!(is("PHAS3:VOLT:MHAR:HARM0", PATTERN), Some(vec![3, 0]));
        for wrong in ["SOURC:PHAS:VOLT:MHAR:HARM1", "PHAS:VOLT2:MHAR:HARM1", "PHAS:VOLT:MHAR", "PHAS:VOLT:MHAR:HARM1:X"]
        {
            assert_eq!(is(wrong, PATTERN), None, "{wrong}");
        }
        assert_eq!(is("OUTP", "OUTPut:[STATe]"), Some(vec![]));
        assert_eq!(is("OUTP:STAT", "OUTPut:[STATe]"), Some(vec![]));
    }

    #[test]
    fn numbers_are_written_as_the_manual_writes_them() {
        for (value, text) in
            [(24_300.0, "2.43E4"), (0.0, "0.0E0"), (-120.0, "-1.2E2"), (0.25, "2.5E-1"), (50.0, "5.0E1")]
        {
            assert_eq!(scientific(value), text);
        }
    }
}
