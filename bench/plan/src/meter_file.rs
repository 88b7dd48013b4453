//! A meter: its nameplate as printed.

use meterbench_record::{Class, Nameplate};

use crate::fields::{Fields, Findings, check_format, finish};
use crate::finding::{Finding, Source};
use crate::plan_file::{read_class, read_features};
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{self, Node};

/// A meter file.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterFile {
    pub nameplate: Nameplate,
    /// Software configuration of an OMNIPOWER, as written.
    pub configuration: Option<String>,
}

/// Time an impulse lasts where a meter file says nothing (ms).
const USUAL_PULSE_MS: f64 = 30.0;
const KEYS: [&str; 14] = [
    "meter",
    "format",
    "type-number",
    "configuration",
    "class",
    "reactive-class",
    "export",
    "phases",
    "voltage",
    "frequency",
    "current",
    "constant",
    "pulse-width",
    "has",
];

impl MeterFile {
    /// Reads a meter file; `name` is what the bench calls it.
    pub fn read(source: &Source, name: &str) -> Result<Self, Vec<Finding>> {
        let mut parse_findings = Vec::new();
        let Some(root) = yaml::parse(source, &mut parse_findings) else { return Err(parse_findings) };
        let findings = Findings::default();
        let meter = Self::lower(&root, name, &findings);
        finish(meter, findings)
    }

    fn lower(root: &Node, name: &str, findings: &Findings) -> Option<Self> {
        let fields = Fields::open(root, "a meter file", &KEYS, findings)?;
        check_format(&fields, findings);
        let required = |key: &str| {
            if fields.get(key).is_none() {
                fields.missing(key, "the meter", findings);
            }
            fields.get(key)
        };
        let title = fields.required_text("meter", "the file", findings);
        let type_number = fields.required_text("type-number", "the meter", findings);
        let configuration = fields.text("configuration", findings);
        let class = required("class").and_then(|node| read_class(node, findings));
        let reactive_class = fields.get("reactive-class").and_then(|node| read_reactive_class(node, findings));
        let export = fields.get("export").is_none() || fields.flag("export", findings);
        let systems = required("phases").and_then(|node| {
            let systems = fields.whole("phases", 1, 3, findings)?;
            if systems == 2 {
                findings
                    .push(Finding::error("out-of-range", &node.span, "no meter has 2 phases").label("write 1 or 3"));
            }
            Some(systems)
        });
        let un = required("voltage")
            .and_then(|node| quantity::absolute(node, "voltage", Dimension::Voltage, 50.0..=500.0, findings));
        let fn_hertz = required("frequency")
            .and_then(|node| quantity::absolute(node, "frequency", Dimension::Frequency, 45.0..=65.0, findings));
        let current = required("current").and_then(|_| fields.text("current", findings)).and_then(|(text, node)| {
            let currents = read_currents(text);
            if currents.is_none() {
                let message = format!("`{text}` is no current rating");
                let label = "write Imin-Iref(Imax), as printed: `0.25-5(100) A`";
                findings.push(Finding::error("bad-value", &node.span, message).label(label));
            }
            currents
        });
        let constant = required("constant").and_then(|node| {
            let read = quantity::read(node, "constant", Dimension::Constant, findings)?;
            match read {
                Amount::Absolute(k) if k.fract() == 0.0 && (1.0..=1e6).contains(&k) => Some(k as u32),
                _ => {
                    let message = format!("`constant` is {}, which is out of range", node.shown());
                    findings.push(Finding::error("out-of-range", &node.span, message).label("1 to 1000000 imp/kWh"));
                    None
                }
            }
        });
        let pulse_width_ms = match fields.get("pulse-width") {
            None => Some(USUAL_PULSE_MS),
            Some(node) => {
                quantity::absolute(node, "pulse-width", Dimension::Time, 0.001..=1.0, findings).map(|s| s * 1e3)
            }
        };
        let has = fields.get("has").map(|node| read_features(node, findings)).unwrap_or_default();
        let (imin_ampere, iref_ampere, imax_ampere) = current?;
        Some(Self {
            nameplate: Nameplate {
                name: name.to_owned(),
                title: title?.0.to_owned(),
                type_number: type_number?.0.to_owned(),
                class: class?,
                reactive_class,
                export,
                systems: u8::try_from(systems?).ok()?,
                un_volt: un?,
                fn_hertz: fn_hertz?,
                imin_ampere,
                iref_ampere,
                imax_ampere,
                constant_per_kwh: constant?,
                pulse_width_ms: pulse_width_ms?,
                has,
            },
            configuration: configuration.map(|(text, _)| text.to_owned()),
        })
    }
}

fn read_reactive_class(node: &Node, findings: &Findings) -> Option<Class> {
    let class = read_class(node, findings)?;
    if !matches!(class, Class::One | Class::Two) {
        let message = format!("{} is no accuracy class for reactive energy", node.shown());
        findings.push(Finding::error("unknown-word", &node.span, message).label("write 1 or 2"));
        return None;
    }
    Some(class)
}

/// `0.25-5(100) A`
fn read_currents(text: &str) -> Option<(f64, f64, f64)> {
    let (min, rest) = text.strip_suffix(" A")?.split_once('-')?;
    let (reference, max) = rest.strip_suffix(')')?.split_once('(')?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
    let (min, reference, max) = (number(min)?, number(reference)?, number(max)?);
    (min < reference && reference < max).then_some((min, reference, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    const METER: &str = "meter: M\ntype-number: 686-11-16A-N11-3001-001\nclass: A\nphases: 1\nvoltage: 230 V\n\
                         frequency: 60 Hz\ncurrent: 0.5-10(60) A\nconstant: 1000 imp/kWh\n";

    fn read(more: &str) -> Result<MeterFile, Vec<Finding>> {
        MeterFile::read(&Source::new("m", format!("{METER}{more}")), "m")
    }

    #[test]
    fn export_is_registered_and_reactive_energy_is_not_where_nothing_is_said() {
        let MeterFile { nameplate, configuration } = read("").unwrap();
        assert_eq!((nameplate.imin_ampere, nameplate.iref_ampere, nameplate.imax_ampere), (0.5, 10.0, 60.0));
        assert_eq!((nameplate.fn_hertz, nameplate.export, nameplate.reactive_class), (60.0, true, None));
        assert_eq!(configuration, None);
    }

    #[test]
    fn export_reactive_class_and_configuration_are_read() {
        let MeterFile { nameplate, configuration } =
            read("export: false\nreactive-class: 2\nconfiguration: 41002-001\n").unwrap();
        assert_eq!((nameplate.export, nameplate.reactive_class), (false, Some(Class::Two)));
        assert_eq!(configuration.as_deref(), Some("41002-001"));
    }

    #[test]
    fn an_impulse_lasts_30_ms_where_nothing_is_said() {
        assert_eq!(read("").unwrap().nameplate.pulse_width_ms, 30.0);
        assert_eq!(read("pulse-width: 80 ms").unwrap().nameplate.pulse_width_ms, 80.0);
        assert_eq!(read("pulse-width: 80 s").unwrap_err()[0].code, "out-of-range");
    }

    #[test]
    fn a_class_of_active_energy_alone_is_no_reactive_class() {
        for (words, code) in [
            ("reactive-class: B", "unknown-word"),
            ("reactive-class: 3", "unknown-word"),
            ("export: no-thing", "bad-value"),
        ] {
            assert_eq!(read(words).unwrap_err()[0].code, code, "{words}");
        }
    }
}
