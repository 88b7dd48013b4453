//! Built-in benches, meters and faults, and files by name.

use std::path::Path;

use meterbench_emulator::{Fault, FaultKind, TypeError, describe_type};
use meterbench_instruments::{CHAMBERS, REFERENCES, SOURCES};
use meterbench_plan::{
    BenchFile, FaultFile, FaultWords, FileKind, Finding, MeterFile, Models, Severity, Source, file_kind,
};
use meterbench_record::Class;

macro_rules! built_in {
    ($($kind:literal / $name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../fixtures/", $kind, "/", $name, ".yaml")))),*]
    };
}

type Entries = &'static [(&'static str, &'static str)];

pub const BENCHES: Entries = built_in![
    "benches" / "emulated-3ph",
    "benches" / "emulated-3ph-three-positions",
    "benches" / "emulated-3ph-48-positions",
    "benches" / "emulated-3ph-waves",
    "benches" / "emulated-3ph-ametek",
];
pub const METERS: Entries = built_in![
    "meters" / "omnia-3ph",
    "meters" / "omnia-1ph",
    "meters" / "omnia-3ph-class-1",
    "meters" / "omnia-1ph-class-1",
    "meters" / "omnia-3ph-class-a",
    "meters" / "omnia-3ph-240v",
    "meters" / "omnia-3ph-80a",
    "meters" / "omnia-1ph-class-2",
    "meters" / "omnipower-1ph",
    "meters" / "omnipower-1ph-import-only",
    "meters" / "omnipower-1ph-10-60",
    "meters" / "omnipower-1ph-60hz",
];
pub const FAULTS: Entries = built_in![
    "faults" / "gain",
    "faults" / "phase-error",
    "faults" / "creep",
    "faults" / "lost-phase",
    "faults" / "dropped-impulses",
    "faults" / "noise",
    "faults" / "offset-power",
    "faults" / "wrong-constant",
    "faults" / "voltage-coefficient",
    "faults" / "frequency-coefficient",
    "faults" / "shunt-tcr",
    "faults" / "self-heating",
    "faults" / "phase-sequence",
    "faults" / "register-loss",
    "faults" / "wrong-direction",
    "faults" / "reactive-sign",
    "faults" / "rounding-loss",
    "faults" / "clock-error",
    "faults" / "pulse-width",
    "faults" / "s0-loss",
    "faults" / "rights-hole",
    "faults" / "wrong-scaler",
    "faults" / "window-ignored",
    "faults" / "blocks-truncated",
    "faults" / "dst-ignored",
    "faults" / "legal-write",
    "faults" / "counter-forgotten",
    "faults" / "dc-sensitive",
    "faults" / "alias",
    "faults" / "no-dip-hysteresis",
    "faults" / "short-window",
    "faults" / "thd-to-40",
    "faults" / "unbalance-by-magnitude",
    "faults" / "snapshot-late",
    "faults" / "counter-saturates",
];

/// Something the command line names is wrong; nothing has been energised.
#[derive(Debug)]
pub enum Refusal {
    /// A sentence.
    Words(String),
    /// Findings in a file.
    Findings(Source, Vec<Finding>),
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Words(text)
    }
}

/// Reads a file; an unreadable one is a sentence that names it.
pub fn read_file(path: &Path) -> Result<Source, Refusal> {
    let name = path.display().to_string();
    match std::fs::read(path) {
        Err(error) => Err(Refusal::Words(format!("{name} cannot be read: {error}"))),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text.trim_start_matches('\u{feff}'))),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err(Refusal::Words(format!("{name} is not UTF-8 text: byte {at} is no character")))
            }
        },
    }
}

/// A built-in entry by name, or a file by path.
fn named(kind: &str, entries: Entries, name: &str) -> Result<Source, Refusal> {
    if let Some((_, text)) = entries.iter().find(|(known, _)| *known == name) {
        return Ok(Source::new(format!("{name} (built-in {kind})"), *text));
    }
    let path = Path::new(name);
    let looks_like_file = name.contains('/') || path.extension().is_some();
    if looks_like_file || path.exists() {
        let source = read_file(path)?;
        let wanted = if kind == "bench" { FileKind::Bench } else { FileKind::Meter };
        return match file_kind(&source) {
            Ok(found) if found != wanted => {
                Err(Refusal::Words(format!("{name} is no {kind} file: it does not begin with `{kind}:`")))
            }
            Ok(_) => Ok(source),
            Err(findings) => Err(Refusal::Findings(source, findings)),
        };
    }
    let known: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
    Err(Refusal::Words(format!("there is no {kind} `{name}`; known are {}, or give a file", known.join(", "))))
}

pub fn bench(name: &str) -> Result<BenchFile, Refusal> {
    let source = named("bench", BENCHES, name)?;
    read_bench(&source).map_err(|findings| Refusal::Findings(source, findings))
}

/// Reads a bench file with the models this version has drivers for; its meters and faults must exist.
pub fn read_bench(source: &Source) -> Result<BenchFile, Vec<Finding>> {
    let bench = BenchFile::read(source, Models { sources: &SOURCES, references: &REFERENCES, chambers: &CHAMBERS })?;
    let mut findings = Vec::new();
    let mut refused = |code: &'static str, word: &str, refusal: Refusal| {
        let message = match refusal {
            Refusal::Words(text) => text,
            Refusal::Findings(file, _) => format!("{} has mistakes of its own: check it alone", file.name),
        };
        let start = source.text.find(word).unwrap_or(0);
        let span = start..start + word.len().min(source.text.len() - start);
        let label = "the bench needs this".to_owned();
        findings.push(Finding { code, severity: Severity::Error, message, span, label, help: None });
    };
    for position in &bench.positions {
        if let Err(refusal) = meter(&position.meter) {
            refused("unknown-meter", &position.meter, refusal);
        }
        for words in &position.faults {
            if let Err(refusal) = fault(words) {
                refused("unknown-fault", &words.name, refusal);
            }
        }
    }
    if findings.is_empty() { Ok(bench) } else { Err(findings) }
}

pub fn meter(name: &str) -> Result<MeterFile, Refusal> {
    let source = named("meter", METERS, name)?;
    let short = Path::new(name).file_stem().map_or(name.to_owned(), |stem| stem.to_string_lossy().into_owned());
    read_meter(&source, &short).map_err(|findings| Refusal::Findings(source, findings))
}

/// Reads a meter file and holds its nameplate against its type number.
pub fn read_meter(source: &Source, name: &str) -> Result<MeterFile, Vec<Finding>> {
    let meter = MeterFile::read(source, name)?;
    let findings = compare_with_type(&meter, source);
    if findings.is_empty() { Ok(meter) } else { Err(findings) }
}

fn compare_with_type(meter: &MeterFile, source: &Source) -> Vec<Finding> {
    let plate = &meter.nameplate;
    let line_of = |key: &str| {
        let mut lines = source.text.lines().scan(0, |offset, line| {
            let begin = *offset;
            *offset += line.len() + 1;
            Some((begin, line))
        });
        let (begin, line) = lines.find(|(_, line)| line.starts_with(&format!("{key}:")))?;
        Some(begin..begin + line.trim_end().len())
    };
    // What the file leaves out is contradicted by the type number.
    let at = |key: &str| line_of(key).or_else(|| line_of("type-number")).unwrap_or(0..0);
    let finding = |key: &str, message: String, label: String| Finding {
        code: "meter-mismatch",
        severity: Severity::Error,
        message,
        span: at(key),
        label,
        help: None,
    };
    let words = match describe_type(&plate.type_number, meter.configuration.as_deref()) {
        Ok(words) => words,
        Err(TypeError::TypeNumber(error)) => {
            return vec![finding("type-number", error.to_string(), "no such type".into())];
        }
        Err(TypeError::Configuration(error)) => {
            return vec![finding("configuration", error.to_string(), "no such configuration of this type".into())];
        }
    };
    let mut findings = Vec::new();
    let mut compare = |key: &str, plate_says: String, type_says: String| {
        if plate_says != type_says {
            let message = format!("the nameplate says {key} {plate_says}, the type number says {type_says}");
            let remedy = if type_says == "none" { "leave this out".to_owned() } else { format!("write {type_says}") };
            findings.push(finding(key, message, format!("{remedy}, or another type number")));
        }
    };
    compare("class", plate.class.to_string(), words.class.to_owned());
    let reactive_class = plate.reactive_class.map_or("none", Class::name);
    compare("reactive-class", reactive_class.to_owned(), words.reactive_class.unwrap_or("none").to_owned());
    compare("export", plate.export.to_string(), words.export.to_string());
    compare("phases", plate.systems.to_string(), words.systems.to_string());
    compare(
        "current",
        format!("{}-{}({}) A", plate.imin_ampere, plate.iref_ampere, plate.imax_ampere),
        format!(
            "{}-{}({}) A",
            f64::from(words.minimum_current_ma) / 1000.0,
            words.reference_current,
            words.maximum_current
        ),
    );
    let mut has: Vec<&str> = plate.has.iter().map(|feature| feature.name()).collect();
    has.sort_unstable();
    compare("has", format!("[{}]", has.join(", ")), format!("[{}]", words.has.join(", ")));
    let (says, configured) = (plate.pulse_width_ms, f64::from(words.pulse_width_ms));
    if says != configured {
        let by = if meter.configuration.is_some() { "configuration (Z8)" } else { "type" };
        let message = format!("the nameplate says pulse-width {says} ms, the {by} says {configured} ms");
        findings.push(finding("pulse-width", message, format!("write {configured} ms, or another {by}")));
    }
    for (key, plate_says, exists_for, unit) in [
        ("voltage", plate.un_volt, words.reference_voltages, "V"),
        ("frequency", plate.fn_hertz, words.reference_frequencies, "Hz"),
    ] {
        if !exists_for.iter().any(|value| f64::from(*value) == plate_says) {
            let values: Vec<String> = exists_for.iter().map(|value| format!("{value} {unit}")).collect();
            let message =
                format!("the nameplate says {plate_says} {unit}; this type exists for {}", values.join(" and "));
            findings.push(finding(key, message, format!("write `{}`", values.join("` or `"))));
        }
    }
    findings
}

/// Every fault of the catalogue.
pub fn faults() -> Result<Vec<FaultFile>, Refusal> {
    FAULTS
        .iter()
        .map(|(name, text)| {
            let source = Source::new(format!("{name} (built-in fault)"), *text);
            FaultFile::read(&source).map_err(|findings| Refusal::Findings(source, findings))
        })
        .collect()
}

/// A fault by name with its severity, checked, and in words for the record.
pub fn fault(words: &FaultWords) -> Result<(Fault, String), Refusal> {
    let known = faults()?;
    let Some(file) = known.iter().find(|file| file.name == words.name) else {
        let names: Vec<&str> = known.iter().map(|f| f.name.as_str()).collect();
        return Err(Refusal::Words(format!("there is no fault `{}`; known are {}", words.name, names.join(", "))));
    };
    let severity = match &words.severity {
        Some(text) => file.read_severity(text)?,
        None => file.severity,
    };
    let kind =
        FaultKind::parse(&file.name).ok_or_else(|| format!("fault `{}` has no effect in this version", file.name))?;
    let fault = Fault::new(kind, severity).map_err(|error| format!("fault `{}`: {error}", file.name))?;
    Ok((fault, format!("{} = {severity} {}", file.name, file.unit).trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_built_in_reads() {
        for (name, _) in BENCHES {
            bench(name).unwrap();
        }
        for (name, _) in METERS {
            if let Err(refusal) = meter(name) {
                panic!("{name}: {refusal:?}");
            }
        }
        for file in faults().unwrap() {
            fault(&FaultWords { name: file.name, severity: None }).unwrap();
        }
    }

    #[test]
    fn a_nameplate_that_contradicts_its_type_number_is_refused() {
        let (_, text) = METERS[0];
        for (from, to, key) in [
            ("class: B", "class: A", "class"),
            ("phases: 3", "phases: 1", "phases"),
            ("(100) A", "(80) A", "current"),
            ("has: [supply-control-switch, ", "has: [last-gasp, ", "has"),
            ("230 V", "110 V", "voltage"),
            ("50 Hz", "60 Hz", "frequency"),
            ("reactive-class: 1", "reactive-class: 2", "reactive-class"),
            ("reactive-class: 1", "", "type-number"),
            ("phases: 3", "phases: 3\nexport: false", "export"),
            ("phases: 3", "phases: 3\nconfiguration: \"1\"", "configuration"),
        ] {
            let source = Source::new("t", text.replace(from, to));
            let findings = read_meter(&source, "t").unwrap_err();
            assert_eq!(findings[0].code, "meter-mismatch", "{to}");
            assert!(source.text[findings[0].span.clone()].starts_with(key), "{to}");
        }
    }

    #[test]
    fn an_omnipower_is_held_against_its_type_and_configuration() {
        let text = METERS.iter().find(|(name, _)| *name == "omnipower-1ph").unwrap().1;
        let refused = |from: &str, to: &str| {
            let source = Source::new("t", text.replace(from, to));
            let findings = read_meter(&source, "t").unwrap_err();
            (source.text[findings[0].span.clone()].to_owned(), findings[0].message.clone())
        };
        let (place, message) = refused("230 V", "240 V");
        assert!(place.starts_with("voltage:") && message.ends_with("this type exists for 230 V"), "{message}");
        let (place, message) = refused("0.25-5(100)", "0.5-10(100)");
        assert!(place.starts_with("current:") && message.ends_with("0.25-5(100) A"), "{message}");
        let (place, message) = refused("0000001000-", "0000000000-");
        assert!(place.starts_with("configuration:") && message.contains("breaker-position"), "{message}");
    }
}
