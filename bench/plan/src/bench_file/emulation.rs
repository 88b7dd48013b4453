//! How a bench is emulated.

use super::BenchKind;
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::quantity::{self, Dimension};
use crate::yaml::Node;

/// What goes wrong on a wire, for tests of the bench itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disturbance {
    /// Role of an instrument, port of the meters, or `body`.
    pub instrument: String,
    /// `dead`, `slow`, `half-line`, `garbage` or `cut`.
    pub kind: String,
    /// After so many commands; of a body, blocks.
    pub after: u32,
}

/// Where the firmware of the meters runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyEntry {
    /// In this program.
    #[default]
    Native,
    /// On an emulated processor; the image, where the file names one.
    Qemu { image: Option<String> },
}

/// How the bench is emulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Emulation {
    pub seed: u64,
    pub body: BodyEntry,
    pub ambient_c: f64,
    pub disturb: Vec<Disturbance>,
}

impl Emulation {
    pub(super) fn read(fields: &Fields<'_>, kind: BenchKind, findings: &Findings) -> Option<Self> {
        let default = Self { seed: 1, body: BodyEntry::Native, ambient_c: 23.0, disturb: Vec::new() };
        let Some(node) = fields.get("emulation") else { return Some(default) };
        if kind == BenchKind::Real {
            findings.push(
                Finding::error("bad-value", &node.span, "`emulation` has no meaning on a real bench")
                    .label("remove it"),
            );
        }
        let fields = Fields::open(node, "`emulation`", &["seed", "body", "image", "ambient", "disturb"], findings)?;
        let body = BodyEntry::read(&fields, findings)?;
        let seed = match fields.get("seed") {
            Some(_) => fields.whole("seed", 0, 1 << 53, findings)?,
            None => default.seed,
        };
        let ambient_c = match fields.get("ambient") {
            Some(node) => quantity::absolute(node, "ambient", Dimension::Temperature, -60.0..=100.0, findings)?,
            None => default.ambient_c,
        };
        let disturb = fields.get("disturb").map(|node| Disturbance::read(node, &body, findings)).unwrap_or_default();
        Some(Self { seed, body, ambient_c, disturb })
    }
}

impl BodyEntry {
    /// `body: qemu, image: path/to/firmware`
    fn read(fields: &Fields<'_>, findings: &Findings) -> Option<Self> {
        let image = fields.text("image", findings);
        match (fields.text("body", findings), image) {
            (Some(("qemu", _)), image) => {
                return Some(Self::Qemu { image: image.map(|(path, _)| path.to_owned()) });
            }
            (None | Some(("native", _)), None) => return Some(Self::Native),
            (None | Some(("native", _)), Some((_, node))) => {
                let finding = Finding::error("bad-value", &node.span, "a meter in this program has no image");
                findings.push(finding.label("remove it, or write `body: qemu`"));
            }
            (Some((other, node)), _) => {
                let finding = Finding::error("unknown-word", &node.span, format!("`{other}` is no body of a meter"));
                findings.push(finding.label("write `native` or `qemu`"));
            }
        }
        None
    }
}

impl Disturbance {
    /// `disturb: { source: { kind: dead, after: 20 } }`
    fn read(node: &Node, body: &BodyEntry, findings: &Findings) -> Vec<Self> {
        const KINDS: [&str; 5] = ["dead", "slow", "half-line", "garbage", "cut"];
        const BODY_KINDS: [&str; 3] = ["dead", "garbage", "cut"];
        const ROLES: [&str; 6] = ["source", "reference", "chamber", "optical", "network", "body"];
        let Some(roles) = Fields::open(node, "`disturb`", &ROLES, findings) else {
            return Vec::new();
        };
        let read = |role: &str| {
            let node = roles.get(role)?;
            if role == "body" && *body == BodyEntry::Native {
                let finding = Finding::error("bad-value", &node.span, "a meter in this program is not disturbed");
                findings.push(finding.label("remove it, or write `body: qemu`"));
            }
            let kinds = if role == "body" { &BODY_KINDS[..] } else { &KINDS[..] };
            let fields = Fields::open(node, "a disturbance", &["kind", "after"], findings)?;
            let (kind, node) = fields.required_text("kind", "a disturbance", findings)?;
            if !kinds.contains(&kind) {
                let message = format!("`{kind}` is no disturbance");
                findings.push(
                    Finding::error("unknown-word", &node.span, message).label(format!("known: {}", kinds.join(", "))),
                );
            }
            let after = match fields.get("after") {
                Some(_) => fields.whole("after", 0, 1_000_000, findings)?,
                None => 0,
            };
            Some(Self { instrument: role.to_owned(), kind: kind.to_owned(), after: u32::try_from(after).ok()? })
        };
        ROLES.into_iter().filter_map(read).collect()
    }
}
