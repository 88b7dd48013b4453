//! Objects of a meter, by a name of this list or by OBIS code, and values as DLMS writes them.

use meterbench_iec62056::apdu::CaptureObject;
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use crate::fields::Findings;
use crate::finding::{Finding, closest};
use crate::port_test::READ_UNITS;
use crate::yaml::{Node, Value};

/// An object, as a plan names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// Interface class.
    pub class: u16,
    pub name: Obis,
    /// The words of the plan.
    pub words: String,
}

impl ObjectName {
    /// Of phase L2 or L3 alone (value group C).
    pub(crate) fn is_of_other_phases(&self) -> bool {
        matches!(self.name.0, [1, _, 41..=80, ..])
    }

    /// A clock or a log holds no number that could be compared.
    pub(crate) fn check_number(&self, node: &Node, findings: &Findings) {
        if !matches!(self.class, 1 | 3 | 4 | 5) {
            let message = format!("`{}` holds no number (interface class {})", self.words, self.class);
            findings.push(Finding::error("bad-value", &node.span, message).label("name a register"));
        }
    }

    /// Base unit of an energy, a power, a voltage, a current, a power factor or a frequency (IEC 62056-6-1, value groups C to E).
    fn unit(&self) -> Option<&'static str> {
        let [1, _, c @ 1..=80, d, e, _] = self.name.0 else { return None };
        // The sum and three phases count the same quantities, twenty codes apart.
        let energy_of = |power: &'static str| match (d, e) {
            (7, 0) => Some(power),
            (8, _) => READ_UNITS.iter().map(|(unit, ..)| *unit).find(|unit| unit.strip_suffix('h') == Some(power)),
            _ => None,
        };
        match ((c - 1) % 20 + 1, (d, e)) {
            (1 | 2, _) => energy_of("W"),
            (3..=8, _) => energy_of("var"),
            (9 | 10, _) => energy_of("VA"),
            (11, (7, 0)) => Some("A"),
            (12, (7, 0)) => Some("V"),
            (13, (7, 0)) => Some("1"),
            (14, (7, 0)) => Some("Hz"),
            _ => None,
        }
    }

    /// A condition in a unit that the object cannot have is a mistake of the plan, not of the meter.
    pub(crate) fn check_unit(&self, unit: &str, node: &Node, findings: &Findings) {
        let code = |unit: &str| READ_UNITS.iter().find(|(known, ..)| *known == unit).map(|(_, code, _)| *code);
        let Some(own) = self.unit().filter(|own| code(own) != code(unit)) else { return };
        let message = match own {
            "1" => format!("`{}` has no unit, the condition is in {unit}", self.words),
            own => format!("`{}` is in {own}, the condition is in {unit}", self.words),
        };
        let label = match own {
            "1" => "write numbers without a unit, as in `at least 0.99`".to_owned(),
            own => format!("write it in {own}"),
        };
        findings.push(Finding::error("wrong-unit", &node.span, message).label(label));
    }
}

/// Names for people: class and OBIS code (IEC 62056-6-1).
pub const OBJECTS: [(&str, u16, Obis); 74] = [
    ("association", 15, abstract_name(40, 0, 0)),
    ("logical-device-name", 1, abstract_name(42, 0, 0)),
    ("serial-number", 1, abstract_name(96, 1, 0)),
    ("type-number", 1, abstract_name(96, 1, 1)),
    ("firmware-version", 1, Obis([1, 0, 0, 2, 0, 255])),
    ("clock", 8, Obis::CLOCK),
    ("optical-port", 19, abstract_name(20, 0, 0)),
    ("hdlc-setup", 23, abstract_name(22, 0, 0)),
    ("security-setup", 64, abstract_name(43, 0, 2)),
    ("security-log", 7, abstract_name(99, 98, 1)),
    ("event-log", 7, abstract_name(99, 98, 0)),
    ("load-profile", 7, Obis([1, 0, 99, 1, 0, 255])),
    ("active-energy-import", 3, register(1, 8)),
    ("active-energy-export", 3, register(2, 8)),
    ("reactive-energy-import", 3, register(3, 8)),
    ("reactive-energy-export", 3, register(4, 8)),
    ("active-power-import", 3, register(1, 7)),
    ("frequency", 3, register(14, 7)),
    ("voltage-l1", 3, register(32, 7)),
    ("voltage-l2", 3, register(52, 7)),
    ("voltage-l3", 3, register(72, 7)),
    ("current-l1", 3, register(31, 7)),
    ("power-factor", 3, register(13, 7)),
    ("power-quality-log", 7, abstract_name(99, 98, 4)),
    ("grid-event-log", 7, abstract_name(99, 98, 5)),
    ("grid-snapshot", 7, Obis([1, 0, 99, 128, 0, 255])),
    ("quality-flags", 1, abstract_name(96, 10, 128)),
    ("alarm-register", 1, abstract_name(97, 98, 0)),
    ("alarm-filter", 1, abstract_name(97, 98, 10)),
    ("dip-threshold", 3, element(12, 31, 0)),
    ("swell-threshold", 3, element(12, 35, 0)),
    ("interruption-threshold", 3, element(12, 39, 0)),
    ("voltage-hysteresis", 3, element(12, 132, 0)),
    ("rapid-voltage-change-threshold", 3, element(12, 133, 0)),
    ("rapid-voltage-change-hysteresis", 3, element(12, 133, 1)),
    ("undervoltage-limit", 3, element(12, 134, 0)),
    ("overvoltage-limit", 3, element(12, 135, 0)),
    ("frequency-limit", 3, element(14, 134, 0)),
    ("unbalance-limit", 3, element(12, 136, 2)),
    ("thd-voltage-limit", 3, element(12, 137, 0)),
    ("lost-neutral-limit", 3, element(12, 138, 0)),
    ("lost-mv-phase-limit", 3, element(12, 138, 2)),
    ("frequency-10-s", 3, element(14, 130, 0)),
    ("unbalance-negative", 3, element(12, 129, 2)),
    ("unbalance-zero", 3, element(12, 129, 0)),
    ("voltage-150-cycles-l1", 3, element(32, 130, 0)),
    ("voltage-10-min-l1", 3, element(32, 24, 0)),
    ("voltage-2-h-l1", 3, element(32, 131, 0)),
    ("thd-voltage-l1", 3, element(32, 7, 124)),
    ("thd-current-l1", 3, element(31, 7, 124)),
    ("thd-voltage-10-min-l1", 3, element(32, 24, 124)),
    ("thd-current-10-min-l1", 3, element(31, 24, 124)),
    ("voltage-spectrum-l1", 1, element(32, 128, 0)),
    ("current-spectrum-l1", 1, element(31, 128, 0)),
    ("current-l2", 3, register(51, 7)),
    ("voltage-150-cycles-l2", 3, element(52, 130, 0)),
    ("voltage-10-min-l2", 3, element(52, 24, 0)),
    ("voltage-2-h-l2", 3, element(52, 131, 0)),
    ("thd-voltage-l2", 3, element(52, 7, 124)),
    ("thd-current-l2", 3, element(51, 7, 124)),
    ("thd-voltage-10-min-l2", 3, element(52, 24, 124)),
    ("thd-current-10-min-l2", 3, element(51, 24, 124)),
    ("voltage-spectrum-l2", 1, element(52, 128, 0)),
    ("current-spectrum-l2", 1, element(51, 128, 0)),
    ("current-l3", 3, register(71, 7)),
    ("voltage-150-cycles-l3", 3, element(72, 130, 0)),
    ("voltage-10-min-l3", 3, element(72, 24, 0)),
    ("voltage-2-h-l3", 3, element(72, 131, 0)),
    ("thd-voltage-l3", 3, element(72, 7, 124)),
    ("thd-current-l3", 3, element(71, 7, 124)),
    ("thd-voltage-10-min-l3", 3, element(72, 24, 124)),
    ("thd-current-10-min-l3", 3, element(71, 24, 124)),
    ("voltage-spectrum-l3", 1, element(72, 128, 0)),
    ("current-spectrum-l3", 1, element(71, 128, 0)),
];

const fn abstract_name(c: u8, d: u8, e: u8) -> Obis {
    Obis([0, 0, c, d, e, 255])
}

const fn register(c: u8, d: u8) -> Obis {
    Obis([1, 0, c, d, 0, 255])
}

const fn element(c: u8, d: u8, e: u8) -> Obis {
    Obis([1, 0, c, d, e, 255])
}

/// The interface class that objects of this name have (IEC 62056-6-2), where the plan does not say it.
fn class_of(name: Obis) -> u16 {
    if let Some((_, class, _)) = OBJECTS.iter().find(|(_, _, known)| *known == name) {
        return *class;
    }
    match name.0 {
        [0, _, 1, 0, ..] => 8,
        [0, _, 10, ..] => 9,
        [0, _, 11, ..] => 11,
        [0, _, 12, ..] => 10,
        [0, _, 13, ..] => 20,
        [0, _, 14, ..] => 6,
        [0, _, 15, ..] => 22,
        [0, _, 16, ..] => 21,
        [0, _, 17, ..] => 71,
        [0, _, 20, ..] => 19,
        [0, _, 22, ..] => 23,
        [0, _, 25, 0, ..] => 41,
        [0, _, 25, 1, ..] => 42,
        [0, _, 25, 2, ..] => 43,
        [0, _, 25, 9, ..] => 40,
        [0, _, 40, ..] => 15,
        [0, _, 41, ..] => 17,
        [0, _, 43, 0, ..] => 64,
        [0, _, 44, ..] => 18,
        [0, _, 96, 3, 10, _] => 70,
        [_, _, 99, ..] => 7,
        [0, ..] | [1, _, 0, ..] => 1,
        [_, _, _, 4 | 5, _, _] => 5,
        [_, _, _, 6, _, _] => 4,
        _ => 3,
    }
}

/// Reads an object.
pub(crate) fn read(text: &str, node: &Node, findings: &Findings) -> Option<ObjectName> {
    if let Some((_, class, name)) = OBJECTS.iter().find(|(known, ..)| *known == text) {
        return Some(ObjectName { class: *class, name: *name, words: text.to_owned() });
    }
    match text.parse::<Obis>() {
        Ok(name) => Some(ObjectName { class: class_of(name), name, words: text.to_owned() }),
        Err(error) => {
            let finding = Finding::error("unknown-object", &node.span, format!("`{text}` is no object: {error}"));
            findings.push(match closest(text, OBJECTS.iter().map(|(known, ..)| *known)) {
                Some(close) => finding.label(format!("did you mean `{close}`?")),
                None => finding.label("write an OBIS code, such as `1-0:1.8.0`, or a name, such as `clock`"),
            });
            None
        }
    }
}

/// Objects by the groups of their OBIS codes; `*` stands for any value of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPattern {
    groups: [Option<u8>; 5],
    /// The words of the plan.
    pub words: String,
}

impl ObjectPattern {
    /// Whether an object is meant.
    pub fn matches(&self, name: Obis) -> bool {
        self.groups.iter().zip(name.0).all(|(wanted, group)| wanted.is_none_or(|wanted| wanted == group))
    }

    /// Reads `1-0:*.8.*`, or a name.
    pub(crate) fn read(node: &Node, findings: &Findings) -> Option<Self> {
        let text = node.text().unwrap_or_default();
        let text = text.strip_suffix("*255").unwrap_or(text);
        if let Some((_, _, name)) = OBJECTS.iter().find(|(known, ..)| *known == text) {
            let [a, b, c, d, e, _] = name.0.map(Some);
            return Some(Self { groups: [a, b, c, d, e], words: text.to_owned() });
        }
        let mut groups = text.split(['-', ':', '.']).map(|group| match group {
            "*" => Some(None),
            number => number.parse().ok().map(Some),
        });
        let mut next = || groups.next().flatten();
        let read = (|| Some([next()?, next()?, next()?, next()?, next()?]))();
        let sound = text.split(['-', ':', '.']).count() == 5 && text.contains(':');
        let pattern = read.filter(|_| sound).map(|groups| Self { groups, words: text.to_owned() });
        if pattern.is_none() {
            let finding = Finding::error("unknown-object", &node.span, format!("{} names no objects", node.shown()));
            findings.push(match closest(text, OBJECTS.iter().map(|(known, ..)| *known)) {
                Some(close) => finding.label(format!("did you mean `{close}`?")),
                None => finding.label("write `A-B:C.D.E` with numbers and `*`, such as `1-0:*.8.*`, or a name"),
            });
        }
        pattern
    }
}

/// A value in the octets of A-XDR, and the words of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DlmsValue {
    pub octets: Vec<u8>,
    pub words: String,
}

/// Types of a value, as the standard names them.
const TYPES: &str = "null-data, boolean, integer, long, double-long, long64, unsigned, long-unsigned, double-long-unsigned, long64-unsigned, enum, octet-string, visible-string, capture-objects";

impl DlmsValue {
    /// Reads `long -60`, `boolean true`, `octet-string 0102FF`.
    pub(crate) fn read(node: &Node, key: &str, findings: &Findings) -> Option<Self> {
        let octets = match &node.value {
            Value::Text(text) => encode(text),
            _ => None,
        };
        let words = node.text().unwrap_or_default().to_owned();
        if octets.is_none() {
            let message = format!("`{key}` is {}, which is no value of DLMS", node.shown());
            let finding = Finding::error("bad-value", &node.span, message).label("write `long -60` or `boolean true`");
            findings.push(finding.help(format!("the type stands first: {TYPES}")));
        }
        octets.map(|octets| Self { octets, words })
    }
}

/// What a snapshot captures: time, code of the event, and registers by name.
fn capture_objects(names: &str) -> Option<Vec<u8>> {
    const CODE: CaptureObject = CaptureObject { class: 1, name: abstract_name(96, 11, 4), attribute: 2, data_index: 0 };
    const CLOCK: CaptureObject = CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 };
    let register = |text: &str| {
        let known = OBJECTS.iter().find(|(known, ..)| *known == text).map(|(_, class, name)| (*class, *name));
        let (class, name) = known.or_else(|| text.parse().ok().map(|name| (class_of(name), name)))?;
        Some(CaptureObject { class, name, attribute: 2, data_index: 0 })
    };
    let registers = names.split_whitespace().map(register).collect::<Option<Vec<_>>>()?;
    let all = || [CLOCK, CODE].into_iter().chain(registers.iter().copied());
    let mut octets = vec![0; 24 * (registers.len() + 2) + 8];
    let mut writer = Writer::new(&mut octets);
    writer.array(all().count());
    all().for_each(|object| object.encode(&mut writer));
    let length = writer.finish().ok()?;
    octets.truncate(length);
    Some(octets)
}

fn encode(text: &str) -> Option<Vec<u8>> {
    if let Some(names) = text.strip_prefix("capture-objects ") {
        return capture_objects(names);
    }
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let hexadecimal = || {
        let digits = rest.as_bytes();
        let octet = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(octet).collect::<Option<Vec<u8>>>()).flatten()
    };
    let string = if kind == "octet-string" { hexadecimal()? } else { Vec::new() };
    let data = match kind {
        "null-data" if rest.is_empty() => Data::NullData,
        "boolean" => Data::Boolean(rest.parse().ok()?),
        "integer" => Data::Integer(rest.parse().ok()?),
        "long" => Data::Long(rest.parse().ok()?),
        "double-long" => Data::DoubleLong(rest.parse().ok()?),
        "long64" => Data::Long64(rest.parse().ok()?),
        "unsigned" => Data::Unsigned(rest.parse().ok()?),
        "long-unsigned" => Data::LongUnsigned(rest.parse().ok()?),
        "double-long-unsigned" => Data::DoubleLongUnsigned(rest.parse().ok()?),
        "long64-unsigned" => Data::Long64Unsigned(rest.parse().ok()?),
        "enum" => Data::Enum(rest.parse().ok()?),
        "octet-string" => Data::OctetString(&string),
        "visible-string" => Data::VisibleString(rest.as_bytes()),
        _ => return None,
    };
    let mut octets = vec![0; text.len() + 16];
    EncodedData::encode_into(&data, &mut octets).map(|encoded| encoded.octets().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_on_the_wire() {
        assert_eq!(encode("long -60"), Some(vec![16, 0xFF, 0xC4]));
        assert_eq!(encode("octet-string 0102"), Some(vec![9, 2, 1, 2]));
        assert_eq!(encode("null-data"), Some(vec![0]));
        assert_eq!(encode("visible-string a b"), Some(vec![10, 3, b'a', b' ', b'b']));
        let captured = encode("capture-objects voltage-l1 1-0:31.7.0").unwrap();
        assert_eq!(captured[..2], [1, 4]);
        assert_eq!(captured.len(), 2 + 4 * 18);
        assert_eq!(captured[38..56], [2, 4, 18, 0, 3, 9, 6, 1, 0, 32, 7, 0, 255, 15, 2, 18, 0, 0]);
        for bad in [
            "capture-objects nothing",
            "",
            "long",
            "long 40000",
            "byte 1",
            "octet-string 1",
            "octet-string xx",
            "boolean yes",
            "-60",
        ] {
            assert_eq!(encode(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pattern_leaves_groups_open() {
        let findings = Findings::default();
        let node = |text: &str| Node { value: Value::Text(text.to_owned()), span: 0..0 };
        let pattern = ObjectPattern::read(&node("1-0:*.8.*"), &findings).unwrap();
        assert!(pattern.matches("1-0:1.8.0".parse().unwrap()) && pattern.matches("1-0:21.8.4".parse().unwrap()));
        assert!(!pattern.matches("1-0:1.7.0".parse().unwrap()));
        for bad in ["1.8.0", "1-0:1.8", "1-0:1.8.x", "1-0:1.8.0.0", "", "1.0.1.8.0", "1-0:1.8.300"] {
            assert_eq!(ObjectPattern::read(&node(bad), &findings), None, "{bad}");
        }
    }
}
