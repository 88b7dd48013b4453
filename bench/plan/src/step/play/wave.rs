//! `wave:` harmonics, an interharmonic and a modulation of voltages and currents.

use meterbench_waveform::{Distortion, Harmonic, Interharmonic, Modulation, ModulationShape};

use super::{Wave, read_phases};
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::quantity::{self, Amount, Dimension};
use crate::yaml::{Node, Value};

/// Highest order a plan can ask for.
const HIGHEST_ORDER: u16 = 100;

pub(super) fn read(node: &Node, findings: &Findings) -> Option<Wave> {
    let fields = Fields::open(node, "`wave`", &["voltage", "current", "phases"], findings)?;
    if fields.get("voltage").is_none() && fields.get("current").is_none() {
        fields.missing("voltage", "`wave`", findings);
        return None;
    }
    let of = |key: &str| match fields.get(key) {
        None => Some(Distortion::default()),
        Some(node) => distortion(node, key, findings),
    };
    let (voltage, current) = (of("voltage"), of("current"));
    let phases = read_phases(&fields, findings)?;
    Some(Wave { span: node.span.clone(), voltage: voltage?, current: current?, phases })
}

fn distortion(node: &Node, key: &str, findings: &Findings) -> Option<Distortion> {
    let what = format!("`{key}`");
    let fields = Fields::open(node, &what, &["harmonics", "interharmonic", "modulation"], findings)?;
    let harmonics = match fields.get("harmonics") {
        None => Some(Vec::new()),
        Some(node) => harmonics(node, findings),
    };
    let interharmonic = match fields.get("interharmonic") {
        None => Some(None),
        Some(node) => interharmonic(node, findings).map(Some),
    };
    let modulation = match fields.get("modulation") {
        None => Some(None),
        Some(node) => modulation(node, findings).map(Some),
    };
    let distortion = Distortion { harmonics: harmonics?, interharmonic: interharmonic?, modulation: modulation? };
    if distortion.is_none() {
        fields.missing("harmonics", &what, findings);
        return None;
    }
    Some(distortion)
}

/// `{ 5: 6 %, 7: 5 % 180 deg, 11 to 13: 1 % }`
fn harmonics(node: &Node, findings: &Findings) -> Option<Vec<Harmonic>> {
    let Value::Map(entries) = &node.value else {
        let message = format!("`harmonics` is {}, expected orders and shares", node.shown());
        let finding = Finding::error("bad-value", &node.span, message);
        findings.push(finding.label("write `{ 5: 6 %, 7: 5 % 180 deg }`"));
        return None;
    };
    let mut all: Vec<Harmonic> = Vec::new();
    let mut sound = true;
    for (key, value) in entries {
        let (orders, share) = (orders(key, findings), share(value, findings));
        let (Some((first, last)), Some((percent, angle_deg))) = (orders, share) else {
            sound = false;
            continue;
        };
        for order in first..=last {
            if all.iter().any(|known| known.order == order) {
                let finding = Finding::error("duplicate-key", &key.span, format!("order {order} stands here already"));
                findings.push(finding.label("every order once"));
                sound = false;
            }
            all.push(Harmonic { order, percent, angle_deg });
        }
    }
    all.sort_by_key(|harmonic| harmonic.order);
    sound.then_some(all)
}

/// `5`, `2 to 50`; 0 is the direct part.
fn orders(node: &Node, findings: &Findings) -> Option<(u16, u16)> {
    let read = orders_of(node).filter(|(first, last)| {
        let component = |order: u16| order != 1 && order <= HIGHEST_ORDER;
        component(*first) && component(*last) && (*first > 0 || first == last)
    });
    if read.is_none() {
        let message = format!("{} is no order of a harmonic", node.shown());
        let label = format!("write 0 for a direct part, `5` or `2 to 50`; up to {HIGHEST_ORDER}");
        findings.push(Finding::error("out-of-range", &node.span, message).label(label));
    }
    read
}

/// A whole number, or two with ` to ` between them.
pub(super) fn orders_of(node: &Node) -> Option<(u16, u16)> {
    match &node.value {
        Value::Number(n) if n.fract() == 0.0 && (0.0..=65_535.0).contains(n) => Some((*n as u16, *n as u16)),
        Value::Text(text) => {
            let (first, last) = text.split_once(" to ").unwrap_or((text, text));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some((first, last))
        }
        _ => None,
    }
}

/// `6 %`, `5 % 180 deg`
fn share(node: &Node, findings: &Findings) -> Option<(f64, f64)> {
    let text = node.text().unwrap_or_default();
    let in_units = (|| {
        let (share, angle) = match text.split_once("% ") {
            Some((number, angle)) => (format!("{number}%"), Some(angle)),
            None => (text.to_owned(), None),
        };
        let percent = absolute(&share, Dimension::Ratio)?;
        let minutes = match angle {
            None => 0.0,
            Some(angle) => absolute(angle, Dimension::Angle)?,
        };
        Some((percent, minutes / 60.0))
    })();
    let read = in_units.filter(|(percent, angle)| (0.0..=100.0).contains(percent) && angle.abs() <= 360.0);
    if read.is_none() {
        let message = format!("{} is no share of a harmonic", node.shown());
        let code = if in_units.is_some() { "out-of-range" } else { "wrong-unit" };
        let finding = Finding::error(code, &node.span, message);
        findings.push(finding.label("write `6 %` or `5 % 180 deg`, up to 100 % of the fundamental"));
    }
    read
}

fn absolute(text: &str, dimension: Dimension) -> Option<f64> {
    match quantity::parse(text, "harmonics", dimension) {
        Ok(Amount::Absolute(value)) => Some(value),
        _ => None,
    }
}

fn interharmonic(node: &Node, findings: &Findings) -> Option<Interharmonic> {
    let fields = Fields::open(node, "`interharmonic`", &["frequency", "share"], findings)?;
    let [hertz, percent] = required(&fields, "`interharmonic`", "share", (1.0, 5000.0), findings);
    Some(Interharmonic { hertz: hertz?, percent: percent? })
}

fn modulation(node: &Node, findings: &Findings) -> Option<Modulation> {
    let fields = Fields::open(node, "`modulation`", &["shape", "frequency", "depth"], findings)?;
    let shape = match fields.text("shape", findings) {
        None if fields.get("shape").is_some() => None,
        None | Some(("sine", _)) => Some(ModulationShape::Sine),
        Some(("rectangle", _)) => Some(ModulationShape::Rectangle),
        Some((other, node)) => {
            let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no shape of a modulation"));
            findings.push(finding.label("write `sine` or `rectangle`"));
            None
        }
    };
    let [hertz, percent] = required(&fields, "`modulation`", "depth", (0.001, 50.0), findings);
    Some(Modulation { shape: shape?, hertz: hertz?, percent: percent? })
}

/// A frequency and a share that must be given.
fn required(
    fields: &Fields<'_>,
    what: &str,
    share: &str,
    (lowest, highest): (f64, f64),
    findings: &Findings,
) -> [Option<f64>; 2] {
    [("frequency", Dimension::Frequency, lowest..=highest), (share, Dimension::Ratio, 0.0..=100.0)].map(
        |(key, dimension, bounds)| {
            let node = fields.get(key);
            if node.is_none() {
                fields.missing(key, what, findings);
            }
            quantity::absolute(node?, key, dimension, bounds, findings)
        },
    )
}
