//! Which source stands in the laboratory.

use crate::instruments::Instrument;
use crate::instruments::ametek_mx::AmetekMx;
use crate::instruments::fluke_6105a::Fluke6105a;
use crate::instruments::mt786::Mt786;

/// A source that can be emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceModel {
    /// ZERA MT786: steady sines.
    #[default]
    Mt786,
    /// Fluke 6105A with two auxiliaries: waves and events of voltages and currents.
    Fluke6105a,
    /// AMETEK MX: waves and events of voltages alone.
    AmetekMx,
}

impl SourceModel {
    /// By the word of a bench file.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "zera-mt786" => Some(Self::Mt786),
            "fluke-6105a" => Some(Self::Fluke6105a),
            "ametek-mx" => Some(Self::AmetekMx),
            _ => None,
        }
    }

    pub(crate) fn instrument(self, seed: u64) -> Box<dyn Instrument> {
        match self {
            Self::Mt786 => Box::new(Mt786::new(seed)),
            Self::Fluke6105a => Box::new(Fluke6105a::new(seed)),
            Self::AmetekMx => Box::new(AmetekMx::new(seed)),
        }
    }

    /// Lines that put voltage (V, Hz) on every phase and no current.
    pub(crate) fn voltage_lines(self, volt: f64, hertz: f64) -> Vec<String> {
        match self {
            Self::Mt786 => {
                let phase = |letter: char, lag_deg: f64| format!("{letter}{volt:07.3}{lag_deg:06.2}");
                let phases = [phase('R', 0.0), phase('S', 120.0), phase('T', 240.0)].concat();
                vec![format!("SFR{hertz:05.2}"), format!("SUPAE{phases}"), "SUIEEEAAAAAA".to_owned()]
            }
            Self::Fluke6105a => {
                let phase = |n: usize, angle: f64| {
                    format!(
                        "SOUR:PHAS{n}:VOLT:RANG 0,{};MHAR:HARM1 {volt},{angle};STAT ON;:SOUR:PHAS{n}:VOLT:STAT ON",
                        volt * 1.4
                    )
                };
                let phases = [phase(1, 0.0), phase(2, -120.0), phase(3, 120.0)];
                let ends = [format!("SOUR:FREQ {hertz}"), "OUTP:STAT ON".to_owned()];
                phases.into_iter().chain(ends).collect()
            }
            Self::AmetekMx => {
                let begins = ["INST:COUP ALL;:VOLT:RANG 300".to_owned(), format!("FREQ {hertz}")];
                let angles = [0, -120, -240].into_iter().zip(1..);
                let phases = angles.map(|(angle, n)| format!("INST:NSEL {n};:PHAS {angle}"));
                begins.into_iter().chain(phases).chain(["OUTP 1".to_owned(), format!("VOLT {volt}")]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;
    use crate::world::{Engine, World};

    #[test]
    fn every_source_can_put_voltage_on_the_meters() {
        for model in [SourceModel::Mt786, SourceModel::Fluke6105a, SourceModel::AmetekMx] {
            let mut world = World::new(Reference::drawn(1, 0.02), Vec::new(), 23.0, Engine::Auto);
            let mut source = model.instrument(7);
            for line in model.voltage_lines(230.0, 50.0) {
                source.receive(0, &line, &mut world);
            }
            world.advance(2_000_000_000, |_| false);
            let output = world.output();
            assert!((0..3).all(|n| (output.voltage[n].rms / 230.0 - 1.0).abs() < 3e-3), "{model:?}: {output:?}");
            assert!(output.current.iter().all(|current| current.rms == 0.0) && !output.is_reversed(), "{model:?}");
            assert_eq!(output.hertz, 50.0, "{model:?}");
        }
    }
}
