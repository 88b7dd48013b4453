//! `list`: what this version knows.

use meterbench_instruments::{CHAMBERS, REFERENCES, SOURCES};
use meterbench_plan::{OBJECTS, RESERVED_STEPS, STEPS};
use meterbench_standards::{PulseOutput, Standard};
use serde_json::{Value, json};

use crate::arguments::{Format, ListArguments, ListWhat};
use crate::catalogue::{self, Refusal};
use crate::diagnostics;

pub fn list(arguments: &ListArguments) -> u8 {
    match lines(arguments.what, arguments.format) {
        Ok(lines) => {
            lines.iter().for_each(|line| say!("{line}"));
            0
        }
        Err(refusal) => diagnostics::refuse(&refusal),
    }
}

fn lines(what: ListWhat, format: Format) -> Result<Vec<String>, Refusal> {
    let rows: Vec<(String, String, Value)> = match what {
        ListWhat::Faults => catalogue::faults()?
            .into_iter()
            .map(|f| {
                let usual = format!("{} {}", f.severity, f.unit).trim_end().to_owned();
                let words = format!("{:<18} {} ({})", usual, f.title, f.cause);
                let value = json!({ "name": f.name, "title": f.title, "severity": f.severity, "unit": f.unit, "cause": f.cause });
                (f.name.clone(), words, value)
            })
            .collect(),
        ListWhat::Steps => STEPS
            .iter()
            .map(|(name, words)| ((*name).to_owned(), (*words).to_owned(), json!({ "name": name, "keys": words })))
            .chain(RESERVED_STEPS.iter().map(|name| {
                let words = "reserved, not available in this version";
                ((*name).to_owned(), words.to_owned(), json!({ "name": name, "reserved": true }))
            }))
            .collect(),
        ListWhat::Meters => catalogue::METERS
            .iter()
            .map(|(name, _)| {
                let plate = catalogue::meter(name)?.nameplate;
                let words = format!("{:<46} {}", plate.title, plate.type_number);
                Ok(((*name).to_owned(), words, serde_json::to_value(&plate).unwrap_or_default()))
            })
            .collect::<Result<_, Refusal>>()?,
        ListWhat::Benches => catalogue::BENCHES
            .iter()
            .map(|(name, _)| {
                let bench = catalogue::bench(name)?;
                let value = json!({ "name": name, "title": bench.title, "positions": bench.positions.len() });
                Ok(((*name).to_owned(), bench.title, value))
            })
            .collect::<Result<_, Refusal>>()?,
        ListWhat::Instruments => SOURCES
            .iter()
            .map(|model| ((*model).to_owned(), "source".to_owned(), json!({ "model": model, "role": "source" })))
            .chain(REFERENCES.iter().map(|model| {
                let words = "reference with error calculators".to_owned();
                ((*model).to_owned(), words, json!({ "model": model, "role": "reference" }))
            }))
            .chain(CHAMBERS.iter().map(|model| {
                ((*model).to_owned(), "chamber".to_owned(), json!({ "model": model, "role": "chamber" }))
            }))
            .collect(),
        ListWhat::Objects => OBJECTS
            .iter()
            .map(|(name, class, obis)| {
                let value = json!({ "name": name, "class": class, "obis": obis.to_string() });
                ((*name).to_owned(), format!("{obis:<16} class {class}"), value)
            })
            .collect(),
        ListWhat::Standards => {
            let pulses = PulseOutput::iec62053_31();
            return Ok(Standard::all()
                .iter()
                .map(|standard| (standard.citation(), standard.title(), standard.tables()))
                .chain([(pulses.citation(), pulses.title(), pulses.tables())])
                .map(|(citation, title, tables)| match format {
                    Format::Human => tables,
                    Format::Json => json!({ "standard": citation, "title": title, "tables": tables }).to_string(),
                })
                .collect());
        }
    };
    Ok(rows
        .into_iter()
        .map(|(name, words, value)| match format {
            Format::Human => format!("{name:<28} {words}"),
            Format::Json => value.to_string(),
        })
        .collect())
}
