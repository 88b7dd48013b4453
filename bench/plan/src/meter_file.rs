//! A meter: its nameplate as printed.

use meterbench_record::Nameplate;

use crate::fields::{Fields, Findings, check_format, finish};
use crate::finding::{Finding, Source};
use crate::plan_file::{read_class, read_features};
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{self, Node};

/// A meter file.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterFile {
    pub nameplate: Nameplate,
}

const KEYS: [&str; 10] =
    ["meter", "format", "type-number", "class", "phases", "voltage", "frequency", "current", "constant", "has"];

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
        let class = required("class").and_then(|node| read_class(node, findings));
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
        let has = fields.get("has").map(|node| read_features(node, findings)).unwrap_or_default();
        let (imin_ampere, iref_ampere, imax_ampere) = current?;
        Some(Self {
            nameplate: Nameplate {
                name: name.to_owned(),
                title: title?.0.to_owned(),
                type_number: type_number?.0.to_owned(),
                class: class?,
                systems: u8::try_from(systems?).ok()?,
                un_volt: un?,
                fn_hertz: fn_hertz?,
                imin_ampere,
                iref_ampere,
                imax_ampere,
                constant_per_kwh: constant?,
                has,
            },
        })
    }
}

/// `0.25-5(100) A`
fn read_currents(text: &str) -> Option<(f64, f64, f64)> {
    let (min, rest) = text.strip_suffix(" A")?.split_once('-')?;
    let (reference, max) = rest.strip_suffix(')')?.split_once('(')?;
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
    let (min, reference, max) = (number(min)?, number(reference)?, number(max)?);
    (min < reference && reference < max).then_some((min, reference, max))
}
