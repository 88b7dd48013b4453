//! A bench: instruments by role, positions, emulation.

use std::ops::Range;

use crate::fault_file::FaultWords;
use crate::fields::{Fields, Findings, check_format, finish};
use crate::finding::{Finding, Source, closest};
use crate::quantity::{self, Dimension};
use crate::yaml::{self, Node, Value};

mod emulation;
mod probe;

pub use emulation::{BodyEntry, Disturbance, Emulation};
pub use probe::ProbeEntry;

/// Told apart before anything is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchKind {
    Emulated,
    Real,
}

/// Where an instrument is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Emulated,
    Tcp(String),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Emulated => f.write_str("emulated"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    pub certificate: String,
    pub due: String,
    /// Expanded uncertainty, k = 2: in percent, of a chamber (K).
    pub uncertainty: f64,
}

/// An instrument of the bench.
#[derive(Debug, Clone, PartialEq)]
pub struct InstrumentEntry {
    pub model: String,
    pub address: Address,
    pub calibration: Option<Calibration>,
    /// Source only: nothing above this is ever asked of it (V), (A).
    pub limits: Option<(f64, f64)>,
    /// Chamber only: nothing below or above this is ever asked of it (°C).
    pub temperatures: Option<(f64, f64)>,
}

/// Models that drivers exist for, by role.
#[derive(Debug, Clone, Copy)]
pub struct Models<'a> {
    pub sources: &'a [&'a str],
    pub references: &'a [&'a str],
    pub chambers: &'a [&'a str],
}

/// A place for a meter.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionEntry {
    pub id: u32,
    pub meter: String,
    pub serial: String,
    /// Input of the reference's error calculator: `EC1`.
    pub calculator: String,
    pub faults: Vec<FaultWords>,
    pub skip: bool,
    /// Real benches only.
    pub probe: Option<ProbeEntry>,
}

/// What stands between the source and the voltage circuits of several meters with closed links: isolating transformers, by
/// their bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Isolation {
    /// Ratio error [%].
    pub ratio_percent: f64,
    /// Phase displacement (minutes of arc).
    pub angle_minutes: f64,
}

/// A bench file.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchFile {
    pub title: String,
    pub kind: BenchKind,
    pub source: InstrumentEntry,
    pub reference: InstrumentEntry,
    pub chamber: Option<InstrumentEntry>,
    pub isolation: Option<Isolation>,
    pub positions: Vec<PositionEntry>,
    pub emulation: Emulation,
}

const ROLES: [&str; 6] = ["source", "reference", "chamber", "counter", "load", "switch-matrix"];
const MOST_POSITIONS: usize = 48;

impl BenchFile {
    /// Reads a bench file.
    pub fn read(source: &Source, models: Models<'_>) -> Result<Self, Vec<Finding>> {
        let mut parse_findings = Vec::new();
        let Some(root) = yaml::parse(source, &mut parse_findings) else { return Err(parse_findings) };
        let findings = Findings::default();
        let bench = Reader { findings: &findings, models }.bench(&root);
        finish(bench, findings)
    }

    /// The certificate's uncertainty of the reference [%]; the file is refused without one.
    pub fn reference_uncertainty_percent(&self) -> f64 {
        self.reference.calibration.as_ref().map_or(f64::INFINITY, |c| c.uncertainty)
    }
}

/// Source, reference, chamber.
type Wired = (InstrumentEntry, InstrumentEntry, Option<InstrumentEntry>);

struct Reader<'a> {
    findings: &'a Findings,
    models: Models<'a>,
}

impl Reader<'_> {
    fn bench(&self, root: &Node) -> Option<BenchFile> {
        let findings = self.findings;
        let keys = ["bench", "format", "kind", "instruments", "isolation", "positions", "emulation"];
        let fields = Fields::open(root, "a bench file", &keys, findings)?;
        check_format(&fields, findings);
        let title = fields.required_text("bench", "the file", findings)?.0.to_owned();
        let kind = match fields.required_text("kind", "the bench", findings)? {
            ("emulated", _) => BenchKind::Emulated,
            ("real", _) => BenchKind::Real,
            (other, node) => {
                let message = format!("`{other}` is no kind of bench");
                findings.push(Finding::error("unknown-word", &node.span, message).label("write `emulated` or `real`"));
                return None;
            }
        };
        let instruments = self.instruments(&fields, kind);
        let positions = self.positions(&fields, kind);
        let isolation = match fields.get("isolation") {
            None => None,
            Some(node) => Some(self.isolation(node)?),
        };
        let emulation = Emulation::read(&fields, kind, findings);
        let (source, reference, chamber) = instruments?;
        Some(BenchFile {
            title,
            kind,
            source,
            reference,
            chamber,
            isolation,
            positions: positions?,
            emulation: emulation?,
        })
    }

    fn instruments(&self, fields: &Fields<'_>, kind: BenchKind) -> Option<Wired> {
        let Some(node) = fields.get("instruments") else {
            fields.missing("instruments", "the bench", self.findings);
            return None;
        };
        let roles = Fields::open(node, "`instruments`", &ROLES, self.findings)?;
        for role in &ROLES[3..] {
            if let Some(node) = roles.get(role) {
                let message = format!("role `{role}` is reserved, not available in this version");
                self.findings.push(Finding::error("reserved", &node.span, message).label("remove it"));
            }
        }
        let source = self.instrument(&roles, "source", self.models.sources, kind);
        let reference = self.instrument(&roles, "reference", self.models.references, kind);
        let chamber = match roles.get("chamber") {
            None => None,
            Some(_) => Some(self.instrument(&roles, "chamber", self.models.chambers, kind)?),
        };
        Some((source?, reference?, chamber))
    }

    fn instrument(&self, roles: &Fields<'_>, role: &str, models: &[&str], kind: BenchKind) -> Option<InstrumentEntry> {
        let findings = self.findings;
        let Some(node) = roles.get(role) else {
            roles.missing(role, "`instruments`", findings);
            return None;
        };
        let what = format!("role `{role}`");
        let keys: &[&str] = if role == "reference" {
            &["model", "address", "calibration"]
        } else {
            &["model", "address", "calibration", "limits"]
        };
        let fields = Fields::open(node, &what, keys, findings)?;
        let (model, model_node) = fields.required_text("model", &what, findings)?;
        if !models.contains(&model) {
            let finding =
                Finding::error("unknown-model", &model_node.span, format!("there is no {role} driver `{model}`"));
            findings.push(match closest(model, models.iter().copied()) {
                Some(close) => finding.label(format!("did you mean `{close}`?")),
                None => finding.label(format!("known: {}", models.join(", "))),
            });
        }
        let (address, address_node) = fields.required_text("address", &what, findings)?;
        let address = self.address(address, address_node, kind)?;
        let unit = if role == "chamber" { Dimension::Kelvin } else { Dimension::Ratio };
        let calibration = fields.get("calibration").and_then(|node| self.calibration(node, unit));
        let temperatures = fields.get("limits").filter(|_| role == "chamber").and_then(|node| {
            let fields = Fields::open(node, "`limits`", &["lowest", "highest"], findings)?;
            let read = |key: &str| {
                let Some(node) = fields.get(key) else {
                    fields.missing(key, "`limits`", findings);
                    return None;
                };
                quantity::absolute(node, key, Dimension::Temperature, -100.0..=200.0, findings)
            };
            let limits = read("lowest").zip(read("highest"));
            if limits.is_some_and(|(lowest, highest)| lowest >= highest) {
                let finding = Finding::error("out-of-range", &fields.span, "`lowest` is not below `highest`");
                findings.push(finding.label("exchange them"));
            }
            limits
        });
        let limits = fields.get("limits").filter(|_| role == "source").and_then(|node| {
            let fields = Fields::open(node, "`limits`", &["voltage", "current"], findings)?;
            let read = |key: &str, dimension, least: f64| {
                let Some(node) = fields.get(key) else {
                    fields.missing(key, "`limits`", findings);
                    return None;
                };
                quantity::absolute(node, key, dimension, least..=1000.0, findings)
            };
            // A source of voltages alone has no current.
            read("voltage", Dimension::Voltage, 1e-3).zip(read("current", Dimension::Current, 0.0))
        });
        if role == "reference" && fields.get("calibration").is_none() {
            let finding = Finding::error(
                "missing-key",
                &fields.span,
                "the reference has no `calibration`: its uncertainty is unknown",
            );
            findings.push(
                finding.label("add `calibration: { certificate: \"...\", due: \"2027-03-31\", uncertainty: 0.02 % }`"),
            );
        }
        if role != "reference" && fields.get("limits").is_none() {
            fields.missing("limits", &format!("the {role}"), findings);
        }
        Some(InstrumentEntry { model: model.to_owned(), address, calibration, limits, temperatures })
    }

    fn address(&self, text: &str, node: &Node, kind: BenchKind) -> Option<Address> {
        let address = match text {
            "emulated" => Some(Address::Emulated),
            _ => {
                text.strip_prefix("tcp://").filter(|rest| rest.contains(':')).map(|rest| Address::Tcp(rest.to_owned()))
            }
        };
        let finding = match (&address, kind) {
            (None, _) => Finding::error("bad-address", &node.span, format!("`{text}` is no address"))
                .label("write `emulated` or `tcp://host:port`; other transports are reserved"),
            (Some(Address::Tcp(_)), BenchKind::Emulated) => Finding::error(
                "bad-address",
                &node.span,
                "an emulated bench reaches its instruments within the program",
            )
            .label("write `emulated`"),
            (Some(Address::Emulated), BenchKind::Real) => {
                Finding::error("bad-address", &node.span, "a real bench has no emulated instruments")
                    .label("write `tcp://host:port`")
            }
            _ => return address,
        };
        self.findings.push(finding);
        None
    }

    fn calibration(&self, node: &Node, unit: Dimension) -> Option<Calibration> {
        let findings = self.findings;
        let fields = Fields::open(node, "`calibration`", &["certificate", "due", "uncertainty"], findings)?;
        let certificate = fields.required_text("certificate", "`calibration`", findings)?.0.to_owned();
        let (due, due_node) = fields.required_text("due", "`calibration`", findings)?;
        if !is_date(due) {
            let message = format!("`{due}` is no date");
            findings.push(Finding::error("bad-value", &due_node.span, message).label("write \"2027-03-31\""));
        }
        let Some(node) = fields.get("uncertainty") else {
            fields.missing("uncertainty", "`calibration`", findings);
            return None;
        };
        let uncertainty = quantity::absolute(node, "uncertainty", unit, 1e-4..=10.0, findings)?;
        Some(Calibration { certificate, due: due.to_owned(), uncertainty })
    }

    fn positions(&self, fields: &Fields<'_>, kind: BenchKind) -> Option<Vec<PositionEntry>> {
        let findings = self.findings;
        let Some(node) = fields.get("positions") else {
            fields.missing("positions", "the bench", findings);
            return None;
        };
        let Value::List(items) = &node.value else {
            let message = format!("`positions` is {}, expected a list", node.shown());
            findings.push(Finding::error("bad-value", &node.span, message).label("begin each position with `- `"));
            return None;
        };
        if items.is_empty() || items.len() > MOST_POSITIONS {
            let message = format!("the bench has {} positions", items.len());
            let label = format!("1 to {MOST_POSITIONS} are possible");
            findings.push(Finding::error("out-of-range", &node.span, message).label(label));
        }
        let mut positions: Vec<PositionEntry> = Vec::new();
        let mut probes = Vec::new();
        for item in items {
            let Some((position, span)) = self.position(item, kind) else { continue };
            probes.extend(position.probe.clone().map(|probe| (probe, span.clone())));
            for (same, what) in [
                (positions.iter().any(|p| p.id == position.id), "position number"),
                (positions.iter().any(|p| p.serial == position.serial), "serial number"),
                (positions.iter().any(|p| p.calculator == position.calculator), "error calculator"),
            ] {
                if same {
                    let message = format!("two positions have the same {what}");
                    findings.push(Finding::error("duplicate-position", &span, message).label("give it one of its own"));
                }
            }
            positions.push(position);
        }
        probe::check_apart(&probes, findings);
        Some(positions)
    }

    fn position(&self, node: &Node, kind: BenchKind) -> Option<(PositionEntry, Range<usize>)> {
        let findings = self.findings;
        let keys = ["id", "meter", "serial", "impulses", "optical", "faults", "skip", "probe"];
        let fields = Fields::open(node, "a position", &keys, findings)?;
        if fields.get("id").is_none() {
            fields.missing("id", "a position", findings);
        }
        let id = fields.whole("id", 1, 999, findings);
        let meter = fields.required_text("meter", "a position", findings);
        let serial = fields.required_text("serial", "a position", findings);
        let impulses = fields.required_text("impulses", "a position", findings);
        if let Some((text, node)) = fields.text("optical", findings)
            && text != "emulated"
        {
            let message = format!("`optical: {text}` is reserved, not available in this version");
            findings.push(Finding::error("reserved", &node.span, message).label("write `emulated`"));
        }
        let calculator = impulses.and_then(|(text, node)| {
            let input = text.strip_prefix("reference/").filter(|input| is_calculator(input));
            if input.is_none() {
                let message = format!("`{text}` is no input for impulses");
                findings.push(
                    Finding::error("bad-value", &node.span, message).label("write `reference/EC1` to `reference/EC48`"),
                );
            }
            input.map(str::to_owned)
        });
        let faults = fields.get("faults").map(|node| FaultWords::read_map(node, findings)).unwrap_or_default();
        let skip = fields.flag("skip", findings);
        let probe = fields.get("probe").and_then(|node| probe::read(node, kind, findings));
        let position = PositionEntry {
            id: u32::try_from(id?).ok()?,
            meter: meter?.0.to_owned(),
            serial: serial?.0.to_owned(),
            calculator: calculator?,
            faults,
            skip,
            probe,
        };
        Some((position, fields.span))
    }

    fn isolation(&self, node: &Node) -> Option<Isolation> {
        let fields = Fields::open(node, "`isolation`", &["ratio", "angle"], self.findings)?;
        let read = |key: &str, dimension, most: f64| {
            let Some(node) = fields.get(key) else {
                fields.missing(key, "`isolation`", self.findings);
                return None;
            };
            quantity::absolute(node, key, dimension, 0.0..=most, self.findings)
        };
        let ratio_percent = read("ratio", Dimension::Ratio, 1.0);
        let angle_minutes = read("angle", Dimension::Angle, 60.0);
        Some(Isolation { ratio_percent: ratio_percent?, angle_minutes: angle_minutes? })
    }
}

fn is_calculator(input: &str) -> bool {
    input
        .strip_prefix("EC")
        .is_some_and(|n| !n.starts_with('0') && n.parse::<usize>().is_ok_and(|n| (1..=MOST_POSITIONS).contains(&n)))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, width: usize| part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2)
        && (1..=12).contains(&m.parse::<u32>().unwrap_or(0)) && (1..=31).contains(&d.parse::<u32>().unwrap_or(0)))
}
