//! A channel of the instrument in its commands.

use meterbench_waveform::{Distortion, Modulation, ModulationShape, VoltageEvent};

use super::limits::FLICKER_PERCENT;
use crate::shape::wrapped;

/// Voltage or current of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Voltage,
    Current,
}

/// What a channel puts out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channel {
    pub(super) rms: f64,
    /// Of a voltage: ahead of the voltage of L1. Of a current: ahead of the voltage of its own phase (deg).
    pub(super) angle_deg: f64,
    pub(super) distortion: Distortion,
}

/// `SOUR:PHAS2:VOLT`, phases counted from 0.
pub(super) fn head(kind: Kind, phase: usize) -> String {
    let word = match kind {
        Kind::Voltage => "VOLT",
        Kind::Current => "CURR",
    };
    format!("SOUR:PHAS{}:{word}", phase + 1)
}

/// Ramps of a dip: the shortest.
const RAMP_SECONDS: f64 = 1e-4;
/// Below this a modulation is told in changes per minute, two for each period.
const SLOWEST_HERTZ: f64 = 0.5;

/// Takes everything from a channel but its fundamental.
pub(super) const CLEAR: [&str; 5] = ["FLIC:STAT OFF", "FHAR:STAT OFF", "FHAR:CLE", "IHAR:STAT OFF", "MHAR:CLE"];

impl Channel {
    /// Commands that make this of what stands there.
    pub(super) fn commands(&self, head: &str, standing: Option<&Self>) -> Vec<String> {
        let mut commands = Vec::new();
        let distorted_before = standing.is_none_or(|channel| !channel.distortion.is_none());
        if standing.is_none_or(|channel| channel.distortion != self.distortion) && distorted_before {
            // Everything but the fundamental, before a new set is made of it.
            commands.extend(CLEAR.map(|c| format!("{head}:{c}")));
        }
        let fluctuation = self.distortion.modulation.filter(|m| m.percent > FLICKER_PERCENT);
        // Fluctuating harmonics fall from what is set.
        let raised = fluctuation.map_or(1.0, |m| 1.0 + m.percent / 200.0);
        let harmonic = |order: u16, rms: f64, angle: f64| {
            format!("{head}:MHAR:HARM{order} {:.6},{:.4}", rms * raised, wrapped(angle))
        };
        commands.push(harmonic(1, self.rms, self.angle_deg));
        for part in &self.distortion.harmonics {
            let angle = if part.order == 0 { 0.0 } else { part.angle_deg };
            commands.push(harmonic(part.order, self.rms * part.percent / 100.0, angle));
        }
        commands.push(format!("{head}:MHAR:STAT ON"));
        if let Some(tone) = self.distortion.interharmonic {
            commands.push(format!("{head}:IHAR:SIGN1 {:.6},{}", self.rms * tone.percent / 100.0, tone.hertz));
            commands.push(format!("{head}:IHAR:STAT ON"));
        }
        match (self.distortion.modulation, fluctuation) {
            (_, Some(modulation)) => commands.extend(self.fluctuation(head, modulation)),
            (Some(modulation), None) => commands.extend(flicker(head, modulation)),
            (None, None) => {}
        }
        commands
    }

    /// All components rise and fall together.
    fn fluctuation(&self, head: &str, modulation: Modulation) -> Vec<String> {
        let orders = self.distortion.harmonics.iter().map(|part| part.order).chain([1]);
        let depth = modulation.percent / (1.0 + modulation.percent / 200.0);
        let mut commands: Vec<String> = orders.map(|order| format!("{head}:FHAR:FLUC{order} ON")).collect();
        commands.push(format!("{head}:FHAR:MOD {depth:.4},{}", modulation.hertz));
        commands.push(format!("{head}:FHAR:SHAP {}", shape(modulation.shape)));
        commands.push(format!("{head}:FHAR:STAT ON"));
        commands
    }
}

fn flicker(head: &str, modulation: Modulation) -> Vec<String> {
    let (unit, rate) =
        if modulation.hertz < SLOWEST_HERTZ { ("CPM", modulation.hertz * 120.0) } else { ("HZ", modulation.hertz) };
    vec![
        // The unit first: it sets the rate to its own default.
        format!("{head}:FLIC:FREQ:UNIT {unit}"),
        format!("{head}:FLIC:FREQ {rate}"),
        format!("{head}:FLIC:SHAP {}", shape(modulation.shape)),
        format!("{head}:FLIC:DEPT {}", modulation.percent),
        format!("{head}:FLIC:STAT ON"),
    ]
}

fn shape(shape: ModulationShape) -> &'static str {
    match shape {
        ModulationShape::Sine => "SIN",
        ModulationShape::Rectangle => "SQU",
    }
}

/// Arms the dip of one phase: it begins where the channel's own fundamental reaches this angle (deg), after the common trigger.
///
/// At half height: there the ramp stands at the angle, and the ramps with what lies between them last as long as the event.
pub(super) fn dip(head: &str, event: &VoltageEvent, own_angle_deg: f64, hertz: f64) -> Vec<String> {
    let held = event.seconds - RAMP_SECONDS;
    let begin = own_angle_deg - 360.0 * hertz * RAMP_SECONDS / 2.0;
    vec![
        format!("{head}:DIP:ENV {:.4},{RAMP_SECONDS},{held:.6},{RAMP_SECONDS},0", event.share * 100.0),
        format!("{head}:DIP:TRIG:INP EONE"),
        format!("{head}:DIP:TRIG:HOLD PHAS,{:.3}", wrapped(begin)),
        format!("{head}:DIP:STAT ON"),
    ]
}

#[cfg(test)]
mod tests {
    use meterbench_waveform::{Harmonic, Interharmonic};

    use super::*;

    fn channel(distortion: Distortion) -> Channel {
        Channel { rms: 230.0, angle_deg: -120.0, distortion }
    }

    #[test]
    fn a_sine_is_two_commands_and_clears_what_stood() {
        let (sine, head) = (channel(Distortion::default()), head(Kind::Voltage, 1));
        assert_eq!(
            sine.commands(&head, Some(&sine)),
            ["SOUR:PHAS2:VOLT:MHAR:HARM1 230.000000,-120.0000", "SOUR:PHAS2:VOLT:MHAR:STAT ON"]
        );
        let third = Harmonic { order: 3, percent: 10.0, angle_deg: 200.0 };
        let distorted = channel(Distortion { harmonics: vec![third], ..Distortion::default() });
        let commands = distorted.commands(&head, Some(&sine));
        assert_eq!(commands[1], "SOUR:PHAS2:VOLT:MHAR:HARM3 23.000000,-160.0000");
        let back = sine.commands(&head, Some(&distorted));
        assert!(back.contains(&"SOUR:PHAS2:VOLT:MHAR:CLE".to_owned()));
        assert!(sine.commands(&head, None).contains(&"SOUR:PHAS2:VOLT:FLIC:STAT OFF".to_owned()), "whatever stood");
    }

    #[test]
    fn direct_part_and_interharmonic() {
        let wave = Distortion {
            harmonics: vec![Harmonic { order: 0, percent: 10.0, angle_deg: 90.0 }],
            interharmonic: Some(Interharmonic { hertz: 182.5, percent: 1.0 }),
            modulation: None,
        };
        let commands = channel(wave).commands("X", Some(&channel(Distortion::default())));
        assert_eq!(commands[1], "X:MHAR:HARM0 23.000000,0.0000", "the direct part has no angle");
        assert_eq!(commands[3], "X:IHAR:SIGN1 2.300000,182.5");
    }

    #[test]
    fn slow_flicker_is_told_in_changes_per_minute() {
        let modulation = |hertz, percent| Modulation { shape: ModulationShape::Rectangle, hertz, percent };
        let commands = flicker("X", modulation(0.325, 0.894));
        assert_eq!(commands[..2], ["X:FLIC:FREQ:UNIT CPM", "X:FLIC:FREQ 39"]);
        assert_eq!(flicker("X", modulation(8.8, 0.25))[1], "X:FLIC:FREQ 8.8");
        // Two cycles on, two off: from twice the wave to nothing.
        let bursts = Distortion { modulation: Some(modulation(12.5, 200.0)), ..Distortion::default() };
        let commands = channel(bursts).commands("X", Some(&channel(Distortion::default())));
        assert_eq!(commands[0], "X:MHAR:HARM1 460.000000,-120.0000");
        assert_eq!(commands[2..4], ["X:FHAR:FLUC1 ON", "X:FHAR:MOD 100.0000,12.5"]);
    }

    #[test]
    fn a_dip_lasts_from_half_height_to_half_height() {
        let event =
            VoltageEvent { phases: [true; 3], share: 0.4, seconds: 0.2, point_on_wave_deg: 90.0, phase_jump_deg: 0.0 };
        let commands = dip("X", &event, 90.0 - 240.0, 50.0);
        assert_eq!(commands[0], "X:DIP:ENV 40.0000,0.0001,0.199900,0.0001,0");
        assert_eq!(commands[2], "X:DIP:TRIG:HOLD PHAS,-150.900");
    }
}
