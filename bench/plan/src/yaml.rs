//! YAML text as a tree whose every node knows its bytes.
//!
//! The parser applies merge keys and anchors, refuses duplicate keys and bounds depth and size. `yes`, `on` and their
//! like stay words.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::finding::{Finding, Source};

/// A node and its bytes in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What the author wrote, for a message.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Number(n) => format!("`{n}`"),
            Value::Text(text) => format!("`{text}`"),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// The elements of a list, or the node itself: a list means alternatives.
    pub(crate) fn alternatives(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }
}

/// Parses one document. On failure the findings say why and the result is `None`.
pub(crate) fn parse(source: &Source, findings: &mut Vec<Finding>) -> Option<Node> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: 64, max_nodes: 2_000_000 },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&source.text, options) {
        Ok(raw) => Some(convert(raw, source)),
        Err(error) => {
            findings.push(explain(&error, source));
            None
        }
    }
}

/// The parser's error with a slug of ours and, for YAML's own traps, a remedy.
fn explain(error: &serde_saphyr::Error, source: &Source) -> Finding {
    let text = error.without_snippet().to_string();
    let offset = error.location().map_or(0, |location| byte_of(location, source));
    let end = source.text[offset..]
        .find(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ']' | '}'))
        .map_or(source.text.len(), |n| source.text.ceil_char_boundary(offset + n.max(1)));
    let span = offset..end;
    let lower = text.to_lowercase();
    let line_so_far = source.text[..offset].rsplit('\n').next().unwrap_or_default();
    // The place is printed with the caret: the parser's own "at line ..." would say it twice.
    let first = text.lines().next().unwrap_or_default();
    let said = first.split(" at line ").next().unwrap_or(first).trim_end_matches(':');
    if lower.contains("duplicate") {
        Finding::error("duplicate-key", &span, format!("`{}` stands twice in this map", &source.text[span.clone()]))
            .label("a key may stand once")
            .help("for several load points use a list under `at`")
    } else if lower.contains("budget") || lower.contains("depth") || lower.contains("recursion") {
        Finding::error("too-deep", &span, "the file is nested too deeply, or its aliases unfold to too much")
            .label("here it becomes too much")
    } else if lower.contains("document") {
        Finding::error("bad-yaml", &span, "a second document begins here")
            .label("one file holds one document")
            .help("remove the `---` line")
    } else if lower.contains("tab") || line_so_far.contains('\t') {
        Finding::error("bad-yaml", &span, "a tab stands where blanks must").label("indent with blanks, not with tabs")
    } else {
        Finding::error("bad-yaml", &span, said).label("YAML cannot be read from here on").help(
            "values that begin with `>`, `%`, `@`, `&`, `*` or hold `: ` need quotes; conditions are words, such as `at most 5`",
        )
    }
}

/// Byte of a location; parser errors know line and column only.
fn byte_of(location: serde_saphyr::Location, source: &Source) -> usize {
    let to_usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let from_line = || {
        let lines_before = to_usize(location.line()).saturating_sub(1);
        let line_start: usize = source.text.split_inclusive('\n').take(lines_before).map(str::len).sum();
        let column = to_usize(location.column()).saturating_sub(1);
        let in_line: usize = source.text[line_start..].chars().take(column).map(char::len_utf8).sum();
        line_start + in_line
    };
    let byte = location.span().byte_offset().map_or_else(from_line, to_usize);
    source.text.floor_char_boundary(byte.min(source.text.len()))
}

fn convert(raw: Spanned<Raw>, source: &Source) -> Node {
    let span = raw.referenced.span();
    let start = byte_of(raw.referenced, source);
    let length = span.byte_len().and_then(|l| usize::try_from(l).ok()).unwrap_or(0);
    let end = source.text.ceil_char_boundary((start + length).min(source.text.len()));
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(b) => Value::Bool(b),
        Raw::Number(n) => Value::Number(n),
        Raw::Text(t) => Value::Text(t),
        Raw::List(items) => Value::List(items.into_iter().map(|item| convert(item, source)).collect()),
        Raw::Map(entries) => {
            Value::Map(entries.into_iter().map(|(k, v)| (convert(k, source), convert(v, source))).collect())
        }
    };
    // A container's caret stands on its first line only.
    let end = match value {
        Value::List(_) | Value::Map(_) => {
            let line_end = source.text[start..].find('\n').map_or(source.text.len(), |n| start + n);
            if end == start { (start + 1).min(line_end) } else { end.min(line_end) }
        }
        _ => end,
    };
    Node { value, span: start..end.max(start) }
}

/// The tree as the parser delivers it.
enum Raw {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_knows_its_bytes() {
        let source = Source::new("t", "plan: Ä test\nsteps:\n  - wait: { for: 10 min }\n  - no-load\n");
        let root = parse(&source, &mut Vec::new()).unwrap();
        let Value::Map(entries) = &root.value else { panic!() };
        assert_eq!(&source.text[entries[0].1.span.clone()], "Ä test");
        let Value::List(steps) = &entries[1].1.value else { panic!() };
        assert_eq!(&source.text[steps[1].span.clone()], "no-load");
        let Value::Map(step) = &steps[0].value else { panic!() };
        let Value::Map(body) = &step[0].1.value else { panic!() };
        assert_eq!(&source.text[body[0].1.span.clone()], "10 min");
        assert_eq!(source.place(steps[1].span.start), (4, 5));
    }

    #[test]
    fn words_of_older_yaml_stay_words() {
        let source = Source::new("t", "a: yes\nb: on\nc: 12:30\nd: \"1\"\ne: 1\n");
        let root = parse(&source, &mut Vec::new()).unwrap();
        let Value::Map(entries) = &root.value else { panic!() };
        let values: Vec<&Value> = entries.iter().map(|(_, v)| &v.value).collect();
        assert_eq!(values[0], &Value::Text("yes".into()));
        assert_eq!(values[1], &Value::Text("on".into()));
        assert_eq!(values[2], &Value::Text("12:30".into()));
        assert_eq!(values[3], &Value::Text("1".into()));
        assert_eq!(values[4], &Value::Number(1.0));
    }
}
