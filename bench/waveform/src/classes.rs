//! Where an event stands in the tables of EN 50160 and beside the curve of the ITI (CBEMA).

/// Columns of the table of dips: first and last duration (ms). The first bound of the first column belongs to it, those of the others to
/// the column before.
pub const DIP_COLUMNS_MS: [(f64, f64); 5] =
    [(10.0, 200.0), (200.0, 500.0), (500.0, 1000.0), (1000.0, 5000.0), (5000.0, 60_000.0)];

/// Rows of the table of dips: letter, lowest residual voltage in the row, first one above it [% of the reference].
/// Source: EN 50160:2010 as two vendors print it; they agree but for the letter of the last row.
pub const DIP_ROWS: [(char, f64, f64); 5] =
    [('A', 80.0, 90.0), ('B', 70.0, 80.0), ('C', 40.0, 70.0), ('D', 5.0, 40.0), ('X', 0.0, 5.0)];

/// Columns of the table of swells (ms).
pub const SWELL_COLUMNS_MS: [(f64, f64); 3] = [(10.0, 500.0), (500.0, 5000.0), (5000.0, 60_000.0)];

/// Rows of the table of swells: letter, and the voltage from which on [% of the reference].
pub const SWELL_ROWS: [(char, f64); 2] = [('S', 120.0), ('T', 110.0)];

/// An interruption is long from here on (ms).
pub const LONG_INTERRUPTION_MS: f64 = 180_000.0;

/// The column of a duration, from 0.
fn column(columns: &[(f64, f64)], ms: f64) -> Option<usize> {
    columns.iter().position(|&(from, to)| (ms > from || from == columns[0].0 && ms >= from) && ms <= to)
}

/// Row and column of a dip, from 0; nothing outside the table.
pub fn dip_cell(residual_percent: f64, ms: f64) -> Option<(usize, usize)> {
    let row = DIP_ROWS.iter().position(|&(_, from, below)| residual_percent >= from && residual_percent < below)?;
    Some((row, column(&DIP_COLUMNS_MS, ms)?))
}

/// Row and column of a swell, from 0; nothing outside the table.
pub fn swell_cell(percent: f64, ms: f64) -> Option<(usize, usize)> {
    let row = if percent >= SWELL_ROWS[0].1 { 0 } else { usize::from(percent > SWELL_ROWS[1].1).checked_sub(1)? + 1 };
    Some((row, column(&SWELL_COLUMNS_MS, ms)?))
}

/// What the ITI curve says equipment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItiRegion {
    /// Works on.
    NoInterruption,
    /// May stop, must not be damaged.
    NoDamage,
    /// May be damaged.
    Prohibited,
}

impl ItiRegion {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoInterruption => "no interruption",
            Self::NoDamage => "no damage",
            Self::Prohibited => "prohibited",
        }
    }
}

/// Upper edge of the curve: from this duration on (s) at most so much [% of the nominal voltage], a step at each.
///
/// Source: ITI (CBEMA) curve application note, 2000, for 120 V and 60 Hz equipment; from knowledge of it, to be checked before it is relied
/// on. Only its part from 3 ms on is for RMS values.
pub const ITI_UPPER: [(f64, f64); 3] = [(0.001, 140.0), (0.003, 120.0), (0.5, 110.0)];

/// Lower edge: from this duration on (s) at least so much.
pub const ITI_LOWER: [(f64, f64); 4] = [(0.001, 0.0), (0.02, 70.0), (0.5, 80.0), (10.0, 90.0)];

/// Where a voltage for a time stands.
pub fn iti_region(percent: f64, seconds: f64) -> ItiRegion {
    let edge = |steps: &[(f64, f64)]| {
        let past = steps.iter().take_while(|&&(from, _)| seconds > from);
        past.last().map_or(steps[0].1, |&(_, percent)| percent)
    };
    match percent {
        _ if percent > edge(&ITI_UPPER) => ItiRegion::Prohibited,
        _ if percent < edge(&ITI_LOWER) => ItiRegion::NoDamage,
        _ => ItiRegion::NoInterruption,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dip_has_the_cell_of_the_table() {
        let name =
            |percent: f64, ms: f64| dip_cell(percent, ms).map(|(row, col)| format!("{}{}", DIP_ROWS[row].0, col + 1));
        #[rustfmt::skip]
        let cells = [
            (89.9, 10.0, "A1"), (80.0, 200.0, "A1"), (79.9, 200.1, "B2"), (70.0, 500.0, "B2"), (69.9, 500.1, "C3"), (40.0, 1000.0, "C3"),
            (39.9, 1000.1, "D4"), (5.0, 5000.0, "D4"), (4.9, 5000.1, "X5"), (0.0, 60_000.0, "X5"),
        ];
        for (percent, ms, cell) in cells {
            assert_eq!(name(percent, ms).as_deref(), Some(cell), "{percent} % {ms} ms");
        }
        for (percent, ms) in [(90.0, 100.0), (50.0, 9.9), (50.0, 60_000.1)] {
            assert_eq!(name(percent, ms), None, "{percent} % {ms} ms");
        }
    }

    #[test]
    fn every_swell_has_the_cell_of_the_table() {
        let name = |percent: f64, ms: f64| {
            swell_cell(percent, ms).map(|(row, col)| format!("{}{}", SWELL_ROWS[row].0, col + 1))
        };
        for (percent, ms, cell) in
            [(120.0, 500.0, "S1"), (119.9, 500.1, "T2"), (110.1, 10.0, "T1"), (130.0, 5001.0, "S3")]
        {
            assert_eq!(name(percent, ms).as_deref(), Some(cell));
        }
        assert_eq!([name(110.0, 100.0), name(115.0, 60_001.0)], [None, None]);
    }

    #[test]
    fn the_curve_of_the_iti_has_its_steps() {
        use ItiRegion::{NoDamage, NoInterruption, Prohibited};
        #[rustfmt::skip]
        let points = [
            (0.0, 0.02, NoInterruption), (0.0, 0.021, NoDamage), (70.0, 0.5, NoInterruption), (75.0, 0.6, NoDamage), (85.0, 10.0, NoInterruption),
            (85.0, 11.0, NoDamage), (120.0, 0.1, NoInterruption), (121.0, 0.1, Prohibited), (115.0, 1.0, Prohibited), (100.0, 1e3, NoInterruption),
        ];
        for (percent, seconds, region) in points {
            assert_eq!(iti_region(percent, seconds), region, "{percent} % for {seconds} s");
        }
    }
}
