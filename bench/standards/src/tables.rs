//! Prints every table of a standard with its certainties, for `list standards`.

use std::fmt::Write as _;

use crate::data::{DurationForm, Judged, Row};
use crate::standard::{Standard, energy_word, row_words};

impl Standard {
    /// Every table, as an auditor reads it beside the page.
    pub fn tables(&self) -> String {
        let file = &self.file;
        let mut out =
            format!("{}  {} ({} energy)\n{}\n", self.citation(), file.title, energy_word(file.energy), file.status);
        let _ = writeln!(out, "\n  percentage error at reference conditions [%]");
        file.intrinsic.iter().for_each(|row| table_row(&mut out, "", row, "±"));
        let mut range = None;
        for row in &file.mpe {
            if range.replace(row.range) != Some(row.range) {
                let _ = writeln!(out, "\n  maximum permissible error, {} °C [%]", row.range);
            }
            table_row(&mut out, "", &row.row, "±");
        }
        let mut influence = None;
        for row in &file.influence {
            if influence.replace(row.vary) != Some(row.vary) {
                let _ = writeln!(out, "\n  influence of {}{} [%]", row.vary.name(), self.shape(row.vary));
            }
            let over = row.over.map(|span| format!("{span}{}, ", row.vary.nominal())).unwrap_or_default();
            let of = match row.of {
                Judged::Shift => "",
                Judged::Error => "the error itself, ",
                Judged::PerKelvin => "per kelvin, ",
            };
            let sign = row.low.map_or("±".to_owned(), |low| format!("{low} to "));
            table_row(&mut out, &format!("{over}{of}"), &row.row, &sign);
        }
        for points in file.influence_points.values() {
            for (on, off) in &points.on_off {
                let hours = points.hours.as_ref().map(|hours| format!(", {hours} hours")).unwrap_or_default();
                let _ = writeln!(out, "    {on} s on {off} s off{hours}");
            }
        }
        let _ =
            writeln!(out, "\n  repeatability: standard deviation below {} of the limit", file.repeatability.fraction);
        for (class, cell) in &file.starting.current {
            let _ = writeln!(out, "  starting current, class {class}: {cell} of {}", file.reference_current);
        }
        let _ = writeln!(out, "  starting: an impulse within {} tau", file.starting.within_tau);
        let form = match file.no_load.duration.form {
            DurationForm::Ist => "k·m·Utest·Ist",
            DurationForm::Imax => "k·m·Un·Imax",
            DurationForm::Imin => "b·k·m·Utest·Imin",
        };
        for voltage in &file.no_load.voltages {
            let _ = writeln!(out, "  no-load: at {voltage} Un, at most {} impulses", file.no_load.impulses);
        }
        for (class, constant) in &file.no_load.duration.constant {
            let _ = writeln!(out, "    class {class}: {constant}/({form}) minutes");
        }
        for (class, cell) in &file.meter_constant {
            let _ = writeln!(out, "  meter constant, class {class}: ±{cell} %");
        }
        if let Some(table) = &file.interruptions {
            let _ = writeln!(out, "  voltage dips: at most {}·m·Un·Imax kWh ({})", table.critical_change, table.of);
            for event in &table.events {
                let _ = writeln!(
                    out,
                    "    to {} Un for {} s, {} times, {} s between",
                    event.to, event.seconds, event.times, event.between
                );
            }
        }
        let _ = writeln!(out, "\n  {} is the reference current. Sources:", file.reference_current);
        for (key, text) in &file.sources {
            let _ = writeln!(out, "    {key}: {text}");
        }
        out
    }
}

fn table_row(out: &mut String, prefix: &str, row: &Row, sign: &str) {
    let cells: Vec<String> = row.classes.iter().map(|(class, cell)| format!("{class}: {sign}{cell}")).collect();
    let _ = writeln!(out, "    {:<52} {}", format!("{prefix}{}", row_words(row)), cells.join("   "));
}
