//! `check`: every mistake of every file, before anything runs.

use std::path::Path;

use meterbench_plan::{FaultFile, FileKind, Finding, PlanFile, Source, file_kind};
use meterbench_record::Nameplate;
use meterbench_standards::REFERENCE_C;

use crate::arguments::{CheckArguments, Format};
use crate::catalogue::{self, Refusal};
use crate::diagnostics;

/// Checks files; the exit code.
pub fn check(arguments: &CheckArguments) -> u8 {
    let (mut errors, mut files) = (0, 0);
    for path in &arguments.files {
        match check_file(path) {
            Ok(()) => {}
            Err(Refusal::Words(text)) => {
                errors += 1;
                files += 1;
                match arguments.format {
                    Format::Human => complain!("error: {text}"),
                    Format::Json => say!(
                        "{}",
                        serde_json::json!({
                            "file": path,
                            "line": 1,
                            "column": 1,
                            "code": "unreadable",
                            "severity": "error",
                            "message": text,
                        })
                    ),
                }
            }
            Err(Refusal::Findings(source, findings)) => {
                errors += findings.len();
                files += 1;
                for finding in &findings {
                    match arguments.format {
                        Format::Human => say!("{}", diagnostics::render(&source, finding)),
                        Format::Json => say!("{}", diagnostics::json(&source, finding)),
                    }
                }
            }
        }
    }
    if arguments.format == Format::Human {
        if errors > 0 {
            say!("{}", diagnostics::summary(errors, files));
        } else {
            say!("{} checked, no mistakes", crate::words::plural(arguments.files.len(), "file"));
        }
    }
    if errors > 0 { 2 } else { 0 }
}

fn check_file(path: &Path) -> Result<(), Refusal> {
    let source = catalogue::read_file(path)?;
    check_source(&source, path).map_err(|findings| Refusal::Findings(source, findings))
}

/// All findings of a file of any kind.
pub fn check_source(source: &Source, path: &Path) -> Result<(), Vec<Finding>> {
    match file_kind(source)? {
        FileKind::Plan => check_plan(source),
        FileKind::Bench => catalogue::read_bench(source).map(|_| ()),
        FileKind::Meter => {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            catalogue::read_meter(source, &name).map(|_| ())
        }
        FileKind::Fault => FaultFile::read(source).map(|_| ()),
    }
}

/// A plan is resolved for the first built-in meter it is meant for.
fn check_plan(source: &Source) -> Result<(), Vec<Finding>> {
    let plan = PlanFile::read(source)?;
    let meters: Vec<Nameplate> =
        catalogue::METERS.iter().filter_map(|(name, _)| catalogue::meter(name).ok()).map(|m| m.nameplate).collect();
    match meters.iter().find(|plate| plan.applies_to(plate)).or_else(|| meters.first()) {
        Some(plate) => plan.resolve(plate, REFERENCE_C).map(|_| ()),
        None => Ok(()),
    }
}
