//! `probe:` of a position: a debug probe on the meter's board.

use std::ops::Range;

use super::BenchKind;
use crate::fields::{Fields, Findings};
use crate::finding::Finding;
use crate::yaml::Node;

/// A debug probe at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeEntry {
    /// Chip of the meter, such as STM32F405RG.
    pub chip: String,
    /// VID:PID or VID:PID:SERIAL; without it there must be a single probe.
    pub usb: Option<String>,
    /// It may touch a meter under voltage.
    pub isolated: bool,
}

/// `probe: { chip: STM32F405RG, usb: "0483:374b:066DFF48", isolated: true }`
pub(super) fn read(node: &Node, kind: BenchKind, findings: &Findings) -> Option<ProbeEntry> {
    if kind == BenchKind::Emulated {
        let message = "an emulated bench has no chip to flash: its meters run in this program or in QEMU";
        findings.push(Finding::error("bad-value", &node.span, message).label("remove it"));
        return None;
    }
    let fields = Fields::open(node, "`probe`", &["chip", "usb", "isolated"], findings)?;
    let chip = fields.required_text("chip", "`probe`", findings)?.0.to_owned();
    let usb = fields.text("usb", findings).map(|(usb, node)| {
        if !is_selector(usb) {
            let message = format!("`{usb}` is no probe");
            let label = "write VID:PID or VID:PID:SERIAL, such as \"0483:374b:066DFF48\"";
            findings.push(Finding::error("bad-value", &node.span, message).label(label));
        }
        usb.to_owned()
    });
    Some(ProbeEntry { chip, usb, isolated: fields.flag("isolated", findings) })
}

/// Two positions must not share a probe, nor leave open which is whose.
pub(super) fn check_apart(probes: &[(ProbeEntry, Range<usize>)], findings: &Findings) {
    for (n, (probe, span)) in probes.iter().enumerate() {
        let message = match &probe.usb {
            None if probes.len() > 1 => "several positions have a probe, and this one does not say which",
            Some(usb) if probes[..n].iter().any(|(other, _)| other.usb.as_ref() == Some(usb)) => {
                "two positions have the same probe"
            }
            _ => continue,
        };
        findings.push(Finding::error("duplicate-position", span, message).label("write `usb:` with its serial number"));
    }
}

/// Two numbers of four hexadecimal digits, and a serial number.
fn is_selector(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let number = |part: Option<&str>| part.is_some_and(|p| p.len() == 4 && p.bytes().all(|b| b.is_ascii_hexdigit()));
    number(parts.next()) && number(parts.next()) && parts.next() != Some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BenchFile, Models, Source};

    const BENCH: &str = "
bench: A real bench
kind: real
instruments:
  source: { model: s, address: \"tcp://10.0.0.5:5025\", limits: { voltage: 280 V, current: 120 A } }
  reference:
    { model: r, address: \"tcp://10.0.0.6:5025\", calibration: { certificate: E-1, due: \"2027-03-31\", uncertainty: 0.02 % } }
positions:
  - { id: 1, meter: m, serial: \"1001\", impulses: reference/EC1, probe: ONE }
  - { id: 2, meter: m, serial: \"1002\", impulses: reference/EC2, probe: TWO }
  - { id: 3, meter: m, serial: \"1003\", impulses: reference/EC3 }
";

    fn read(kind: &str, one: &str, two: &str) -> Result<Vec<Option<ProbeEntry>>, Vec<String>> {
        let text = BENCH.replace("kind: real", kind).replace("ONE", one).replace("TWO", two);
        let models = Models { sources: &["s"], references: &["r"], chambers: &[] };
        let read = BenchFile::read(&Source::new("t", text), models);
        read.map(|bench| bench.positions.into_iter().map(|p| p.probe).collect())
            .map_err(|findings| findings.into_iter().map(|f| format!("{}: {}", f.message, f.label)).collect())
    }

    #[test]
    fn a_position_declares_its_probe() {
        let probes = read(
            "kind: real",
            "{ chip: STM32F405RG, usb: \"0483:374b:066DFF48\", isolated: true }",
            "{ chip: STM32F411RE, usb: \"1366:1015:000801\" }",
        );
        let probe =
            |chip: &str, usb: &str, isolated| Some(ProbeEntry { chip: chip.into(), usb: Some(usb.into()), isolated });
        assert_eq!(
            probes.unwrap(),
            [probe("STM32F405RG", "0483:374b:066DFF48", true), probe("STM32F411RE", "1366:1015:000801", false), None]
        );
    }

    #[test]
    fn what_does_not_name_one_probe_is_refused() {
        let said = |one: &str, two: &str| read("kind: real", one, two).unwrap_err().join("\n");
        let one = "{ chip: A, usb: \"0483:374b:01\" }";
        assert_eq!(said(one, one), "two positions have the same probe: write `usb:` with its serial number");
        assert_eq!(
            said(one, "{ chip: A }"),
            "several positions have a probe, and this one does not say which: write `usb:` with its serial number"
        );
        assert_eq!(
            said(one, "{ chip: A, usb: stlink }"),
            "`stlink` is no probe: write VID:PID or VID:PID:SERIAL, such as \"0483:374b:066DFF48\""
        );
        assert_eq!(said(one, "{ usb: \"0483:374b:02\" }"), "`probe` has no `chip`: add `chip:`");
        assert_eq!(
            said(one, "{ chip: A, usb: \"0483:374b:02\", isolated: perhaps }"),
            "`isolated` is `perhaps`, expected true or false: write `true` or `false`"
        );
    }

    #[test]
    fn an_emulated_bench_has_no_probe() {
        let said = read("kind: emulated", "{ chip: A }", "{ chip: A }").unwrap_err();
        let wanted = "an emulated bench has no chip to flash: its meters run in this program or in QEMU: remove it";
        assert_eq!(said.iter().filter(|text| *text == wanted).count(), 2, "{said:?}");
    }
}
