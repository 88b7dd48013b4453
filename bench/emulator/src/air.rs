//! The air around the meters: what a chamber makes of its set-points, as a function of time.

use meterbench_metrology::SAMPLE_RATE;

/// How fast a chamber moves its air [K/s].
const RATE: f64 = 3.0 / 60.0;

/// Air temperature over time. Begins at the ambient temperature.
#[derive(Debug, Clone)]
pub(crate) struct Air {
    legs: Vec<Leg>,
}

/// From this sample on the air moves from here to there.
#[derive(Debug, Clone, Copy)]
struct Leg {
    from: u64,
    start_c: f64,
    target_c: f64,
}

impl Leg {
    fn at(&self, sample: f64) -> f64 {
        let way = (sample - self.from as f64) / f64::from(SAMPLE_RATE) * RATE;
        self.start_c + (self.target_c - self.start_c).clamp(-way, way)
    }
}

impl Air {
    pub(crate) fn new(ambient_c: f64) -> Self {
        Self { legs: vec![Leg { from: 0, start_c: ambient_c, target_c: ambient_c }] }
    }

    /// Temperature at a sample (°C).
    pub(crate) fn at(&self, sample: f64) -> f64 {
        let leg = self.legs.iter().rev().find(|leg| leg.from as f64 <= sample).unwrap_or(&self.legs[0]);
        leg.at(sample)
    }

    /// Moves towards a temperature from this sample on.
    pub(crate) fn move_to(&mut self, sample: u64, target_c: f64) {
        let start_c = self.at(sample as f64);
        self.legs.push(Leg { from: sample, start_c, target_c });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_air_moves_at_three_kelvin_a_minute_and_stays() {
        let mut air = Air::new(23.0);
        let minute = u64::from(SAMPLE_RATE) * 60;
        air.move_to(minute, -40.0);
        assert_eq!(air.at(0.0), 23.0);
        assert!((air.at(11.0 * minute as f64) + 7.0).abs() < 1e-9);
        assert_eq!(air.at(60.0 * minute as f64), -40.0);
        air.move_to(60 * minute, 23.0);
        assert!((air.at(61.0 * minute as f64) + 37.0).abs() < 1e-9);
    }
}
