//! Limits of influence quantities and the maximum permissible error of the composite error.

use meterbench_record::{Limit, LoadPoint, Nameplate};

use crate::data::{Influence, Judged, Span};
use crate::standard::{Standard, StandardPoint, find_row, row_words, standard_points};

/// Limit of an influence at one load.
#[derive(Debug, Clone, PartialEq)]
pub struct InfluenceLimit {
    pub of: Judged,
    pub limit: Limit,
}

impl Standard {
    /// Limit of this influence at `value` (multiples of the nominal, or °C) for the load of `point`.
    pub fn influence_limit(
        &self,
        plate: &Nameplate,
        influence: Influence,
        value: f64,
        point: &LoadPoint,
    ) -> Option<InfluenceLimit> {
        let class = self.class_of(plate).ok()?;
        let rows = self
            .file
            .influence
            .iter()
            .filter(|row| row.vary == influence && row.over.is_none_or(|span| span.holds(value)));
        let (row, cell) = find_row(rows.filter(|_| point.energy == self.file.energy), plate, class, point, |r| &r.row)?;
        let over = row.over.map(|span| format!(" {span}{}", influence.nominal())).unwrap_or_default();
        let shape = self.shape(influence);
        let words = format!("influence of {}{over}, {}{shape}, class {class}", influence.name(), row_words(&row.row));
        let mut limit = self.limit(&words, cell, 1.0);
        if row.low.is_some() {
            limit.low = row.low;
        }
        // How long, and with which times, a current is switched is an ingredient as well.
        let hours = self.file.influence_points.get(&influence).and_then(|points| points.hours.as_ref());
        if let Some(hours) = hours.filter(|hours| !hours.certainty.decides()) {
            (limit.certainty, limit.binding) = (limit.certainty.min(hours.certainty), None);
        }
        Some(InfluenceLimit { of: row.of, limit })
    }

    /// Values and load points of the standard's own test of this influence.
    pub fn influence_points(&self, plate: &Nameplate, influence: Influence) -> Option<(&[f64], Vec<StandardPoint>)> {
        let points = self.file.influence_points.get(&influence)?;
        Some((&points.values, standard_points(&points.at, plate)))
    }

    /// The current of this wave is cut from a sine of twice the amplitude, so that the mean active power stays.
    pub fn equal_power(&self, influence: Influence) -> bool {
        self.file.influence_points.get(&influence).is_some_and(|points| points.equal_power)
    }

    /// Times with and without current (s), and how long each of them lasts (s); `None` where the standard has no such test.
    pub fn load_variations(&self) -> Option<(&[(f64, f64)], f64)> {
        let points = self.file.influence_points.get(&Influence::FastLoadVariation)?;
        Some((&points.on_off, points.hours.as_ref()?.figure * 3600.0))
    }

    /// What the current of a load point, that of its sine, is to the wave.
    pub(crate) fn shape(&self, influence: Influence) -> &'static str {
        match influence {
            Influence::DcAndEvenHarmonics => ", half-wave of Imax/√2 RMS",
            Influence::OddHarmonics | Influence::SubHarmonics if self.equal_power(influence) => {
                ", cut from twice this current"
            }
            Influence::OddHarmonics | Influence::SubHarmonics => ", cut from this current",
            _ => "",
        }
    }

    /// Ranges of temperature of the maximum permissible errors (°C), narrowest first; none where a standard has no MPE.
    pub fn mpe_ranges(&self) -> Vec<Span> {
        let mut ranges: Vec<Span> = Vec::new();
        for row in &self.file.mpe {
            if !ranges.contains(&row.range) {
                ranges.push(row.range);
            }
        }
        ranges
    }

    /// Maximum permissible error at this load in this range of temperature, for the composite error.
    pub fn mpe(&self, plate: &Nameplate, range: Span, point: &LoadPoint) -> Option<Limit> {
        let class = self.class_of(plate).ok()?;
        let rows = self.file.mpe.iter().filter(|row| row.range == range && point.energy == self.file.energy);
        let (row, cell) = find_row(rows, plate, class, point, |r| &r.row)?;
        let words = format!("MPE, {range} °C, {}, class {class}", row_words(&row.row));
        let mut limit = self.limit(&words, cell, 1.0);
        limit.low = None; // a composite error is a magnitude
        Some(limit)
    }
}

impl Influence {
    /// Unit of its values.
    pub fn nominal(self) -> &'static str {
        match self {
            Self::Voltage => " Un",
            Self::Frequency => " fn",
            Self::Temperature => " °C",
            _ => "",
        }
    }
}
