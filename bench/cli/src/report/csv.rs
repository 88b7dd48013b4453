//! `points.csv`: one measurement a row, units in the names of the columns.

use meterbench_record::{Direction, EnergyKind, Record};

use crate::words;

pub fn render(record: &Record) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "id",
        "step",
        "position",
        "serial",
        "attempt",
        "quantity",
        "voltage_v",
        "current_a",
        "power_factor",
        "frequency_hz",
        "temperature_c",
        "conditions",
        "phases",
        "direction",
        "energy",
        "value",
        "unit",
        "expanded_uncertainty",
        "limit_low",
        "limit_high",
        "limit_source",
        "limit_row",
        "certainty",
        "verdict",
        "decides",
        "bench_s",
        "subject",
        "found",
        "expected",
        "note",
    ])?;
    let optional = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    for m in &record.measurements {
        let serial = record.subject.positions.iter().find(|p| p.id == m.position).map_or("", |p| p.serial.as_str());
        let limit = m.limit.as_ref();
        let direction = match m.at.direction {
            Direction::Import => "import",
            Direction::Export => "export",
        };
        let energy = match m.at.energy {
            EnergyKind::Active => "active",
            EnergyKind::Reactive => "reactive",
        };
        out.write_record([
            m.id.as_str(),
            &m.step.to_string(),
            &m.position.to_string(),
            serial,
            &m.attempt.to_string(),
            &m.quantity,
            &m.at.volt.to_string(),
            &m.at.ampere.to_string(),
            &m.at.power_factor.to_string(),
            &m.at.frequency_hz.to_string(),
            &m.at.temperature_c.to_string(),
            &m.at.conditions().join(", "),
            &m.at.phases.to_string(),
            direction,
            energy,
            &optional(m.value.number()),
            &m.unit,
            &optional(m.uncertainty.as_ref().map(|u| u.expanded)),
            &optional(limit.and_then(|l| l.low)),
            &optional(limit.and_then(|l| l.high)),
            limit.map_or("", |l| l.source.as_str()),
            limit.map_or("", |l| l.row.as_str()),
            limit.map_or("", |l| l.certainty.word()),
            m.verdict.as_ref().map_or("", |v| v.word()),
            if m.decides { "true" } else { "false" },
            &(m.bench_ns as f64 / 1e9).to_string(),
            m.subject.as_deref().unwrap_or_default(),
            &if m.value.number().is_none() { words::value(m) } else { String::new() },
            words::expected(m),
            m.note.as_deref().unwrap_or_default(),
        ])?;
    }
    out.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}
