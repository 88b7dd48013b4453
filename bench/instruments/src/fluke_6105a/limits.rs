//! What the amplifiers of a 6105A and its auxiliaries can make.

use std::f64::consts::SQRT_2;

use meterbench_waveform::{Distortion, VoltageEvent};

use crate::shape;

/// A hardware range: RMS values (V) or (A).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Highest frequency of a component (Hz).
    hertz: f64,
}

const fn range(low: f64, high: f64, hertz: f64) -> Range {
    Range { low, high, hertz }
}

/// Highest frequency of a harmonic (Hz); of the high-current option.
const BANDWIDTH: f64 = 6000.0;
const HIGH_CURRENT_BANDWIDTH: f64 = 3000.0;

/// By drivers of others, which name zero as the lower end.
#[rustfmt::skip]
const VOLTAGES: [Range; 7] = [
    range(0.0,   23.0, BANDWIDTH), range(0.0,   45.0, BANDWIDTH), range(0.0,  90.0, BANDWIDTH), range(0.0, 180.0, BANDWIDTH),
    range(0.0,  360.0, BANDWIDTH), range(0.0,  650.0, BANDWIDTH), range(0.0, 1008.0, BANDWIDTH),
];
/// Users manual, remote operation: ranges of the current channel. The last needs the option 80 A.
#[rustfmt::skip]
const CURRENTS: [Range; 8] = [
    range(0.05,  0.25, BANDWIDTH), range(0.05,  0.5, BANDWIDTH), range(0.1,  1.0, BANDWIDTH), range(0.2,  2.0, BANDWIDTH),
    range(0.5,   5.0,  BANDWIDTH), range(1.0,  10.0, BANDWIDTH), range(2.0, 21.0, BANDWIDTH), range(8.0, 80.0, HIGH_CURRENT_BANDWIDTH),
];

/// Lowest voltage (V) and current (A), highest current without an option (A), fundamentals (Hz).
pub(super) const LOWEST_VOLT: f64 = 1.0;
pub(super) const LOWEST_AMPERE: f64 = 0.01;
pub(super) const HIGHEST_AMPERE: f64 = 80.0;
pub(super) const HERTZ: (f64, f64) = (16.0, 850.0);
const HIGHEST_ORDER: u16 = 100;
/// Shares of a range that one component may have: the direct part; a component up to the corner, and falling with frequency beyond it.
const DIRECT_SHARE: f64 = 0.5;
const COMPONENT_SHARE: f64 = 0.3;
const CORNER_HERTZ: f64 = 2850.0;
const INTERHARMONIC_HERTZ: (f64, f64) = (16.0, 9000.0);
/// Flicker: modulation of everything; fluctuating harmonics: of the components, to nothing.
pub(super) const FLICKER_PERCENT: f64 = 30.0;
const FLICKER_HERTZ: (f64, f64) = (1.0 / 120.0, 40.0);
const FLUCTUATION_HERTZ: (f64, f64) = (0.008, 30.0);
/// Dip system: between the shortest ramps, a millisecond to a minute.
const EVENT_SECONDS: (f64, f64) = (0.0011, 60.0);
const HIGHEST_SWELL: f64 = 1.4;

/// What was asked for, and why it cannot be made.
pub(super) type Refused = (String, String);

fn refuse<T>(asked: String, why: String) -> Result<T, Refused> {
    Err((asked, why))
}

/// The voltage range of a bench, for good: a change of it would interrupt the meters.
pub(super) fn voltage_range(limit_volt: f64) -> Range {
    VOLTAGES.into_iter().find(|range| range.high >= limit_volt).unwrap_or(VOLTAGES[VOLTAGES.len() - 1])
}

/// The narrowest current range for this wave.
pub(super) fn current_range(ampere: f64, hertz: f64, distortion: &Distortion) -> Result<Range, Refused> {
    let rms = ampere * shape::rms(distortion);
    let wide_enough =
        CURRENTS.into_iter().filter(|range| range.high >= rms && (range.low <= rms || range.low <= CURRENTS[0].low));
    let mut refused = (format!("{rms:.4} A"), format!("its widest range ends at {HIGHEST_AMPERE} A"));
    for range in wide_enough {
        match fits(range, "A", ampere, hertz, distortion) {
            Ok(()) => return Ok(range),
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

/// Whether this range holds a wave: each component, RMS value and peak.
pub(super) fn fits(
    range: Range,
    unit: &str,
    fundamental: f64,
    hertz: f64,
    distortion: &Distortion,
) -> Result<(), Refused> {
    let mut orders = Vec::new();
    for harmonic in &distortion.harmonics {
        let order = harmonic.order;
        let asked = format!("a harmonic {order} of {} %", harmonic.percent);
        if order == 1 || order > HIGHEST_ORDER || orders.contains(&order) {
            return refuse(asked, format!("its harmonics are 0 and 2 to {HIGHEST_ORDER}, each once"));
        }
        orders.push(order);
        if !(0.0..=1000.0).contains(&harmonic.percent) || !harmonic.angle_deg.is_finite() {
            return refuse(asked, "that is no share of the fundamental".into());
        }
        let value = fundamental * harmonic.percent / 100.0;
        if order == 0 {
            within(asked, value, DIRECT_SHARE, range, unit)?;
        } else {
            component(asked, value, f64::from(order) * hertz, range.hertz, range, unit)?;
        }
    }
    if let Some(tone) = distortion.interharmonic {
        let asked = format!("an interharmonic of {} % at {} Hz", tone.percent, tone.hertz);
        let (low, high) = INTERHARMONIC_HERTZ;
        let high = if range.hertz < BANDWIDTH { range.hertz } else { high };
        if !(low..=high).contains(&tone.hertz) || !(0.0..=1000.0).contains(&tone.percent) {
            return refuse(asked, format!("its interharmonics are {low} Hz to {high} Hz on this range"));
        }
        component(asked, fundamental * tone.percent / 100.0, tone.hertz, high, range, unit)?;
    }
    modulation(distortion)?;
    let (rms, peak) = (fundamental * shape::rms(distortion), fundamental * shape::peak(distortion) * SQRT_2);
    let highest = range.high * SQRT_2;
    // A sine of the full range stands exactly at the peak of the range.
    if rms > range.high || peak > highest * (1.0 + 1e-9) {
        let asked = format!("a wave of {rms:.4} {unit} with a peak of {peak:.4} {unit}");
        return refuse(asked, format!("its {} {unit} range ends at a peak of {highest:.1} {unit}", range.high));
    }
    Ok(())
}

fn component(asked: String, value: f64, at: f64, ceiling: f64, range: Range, unit: &str) -> Result<(), Refused> {
    if at > ceiling {
        return refuse(asked, format!("{at:.0} Hz is beyond the {ceiling:.0} Hz of its {} {unit} range", range.high));
    }
    within(asked, value, COMPONENT_SHARE * (CORNER_HERTZ / at).min(1.0), range, unit)
}

fn within(asked: String, value: f64, share: f64, range: Range, unit: &str) -> Result<(), Refused> {
    let most = range.high * share;
    if value <= most {
        return Ok(());
    }
    refuse(
        asked,
        format!(
            "{value:.3} {unit} is more than the {most:.3} {unit} one such component may have on its {} {unit} range",
            range.high
        ),
    )
}

fn modulation(distortion: &Distortion) -> Result<(), Refused> {
    let Some(modulation) = distortion.modulation else { return Ok(()) };
    let asked = format!("a modulation of {} % at {} Hz", modulation.percent, modulation.hertz);
    if !(0.0..=200.0).contains(&modulation.percent) {
        return refuse(asked, "a modulation ends where the wave is gone".into());
    }
    let fluctuating = modulation.percent > FLICKER_PERCENT;
    let (low, high) = if fluctuating { FLUCTUATION_HERTZ } else { FLICKER_HERTZ };
    if !(low..=high).contains(&modulation.hertz) {
        return refuse(asked, format!("it modulates at {low:.4} Hz to {high} Hz by so much"));
    }
    if fluctuating && distortion.interharmonic.is_some() {
        return refuse(
            asked,
            format!("beyond {FLICKER_PERCENT} % it modulates harmonics, and an interharmonic is none"),
        );
    }
    Ok(())
}

/// Whether the dip system can make this of voltages that stand on this range.
pub(super) fn event(range: Range, highest: Option<f64>, event: &VoltageEvent) -> Result<(), Refused> {
    let asked = format!("a voltage event to {:.1} % for {} s", event.share * 100.0, event.seconds);
    if event.phase_jump_deg != 0.0 {
        let asked = format!("a phase jump of {} deg", event.phase_jump_deg);
        return refuse(asked, "its dip system changes amplitudes alone".into());
    }
    if !event.point_on_wave_deg.is_finite() {
        return refuse(asked, "there is no such point on wave".into());
    }
    let (shortest, longest) = EVENT_SECONDS;
    if event.seconds > longest {
        let why = "its dip system ends at a minute, and a set-point neither begins at a point on wave nor ends within a cycle";
        return refuse(asked, why.into());
    }
    if event.seconds.is_nan() || event.seconds < shortest {
        return refuse(asked, format!("its dips last {shortest} s to {longest} s"));
    }
    let Some(highest) = highest else {
        return refuse(asked, "one of these phases has no voltage".into());
    };
    if !(0.0..=HIGHEST_SWELL).contains(&event.share) || highest * event.share > range.high {
        let most = HIGHEST_SWELL * 100.0;
        return refuse(asked, format!("its swells end at {most:.0} %, and at the {} V of its range", range.high));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use meterbench_waveform::{Harmonic, Interharmonic, Modulation, ModulationShape};

    use super::*;

    fn harmonics(parts: &[(u16, f64)]) -> Distortion {
        let harmonics = parts.iter().map(|&(order, percent)| Harmonic { order, percent, angle_deg: 0.0 }).collect();
        Distortion { harmonics, ..Distortion::default() }
    }

    #[test]
    fn the_narrowest_range_that_holds_the_wave() {
        let high = |ampere, distortion: &Distortion| current_range(ampere, 50.0, distortion).map(|range| range.high);
        let sine = Distortion::default();
        assert_eq!(
            [0.02, 0.25, 0.5, 5.0, 21.0, 21.1, 80.0].map(|a| high(a, &sine).unwrap()),
            [0.25, 0.25, 0.5, 5.0, 21.0, 80.0, 80.0]
        );
        assert!(high(80.1, &sine).is_err());
        // 40 % of 5 A is 2 A: too much of the 5 A and of the 6.5 A, not of the 10 A range.
        assert_eq!(high(5.0, &harmonics(&[(5, 40.0)])).unwrap(), 10.0);
        assert_eq!(high(50.0, &harmonics(&[(5, 40.0)])).unwrap(), 80.0);
        let (asked, why) = current_range(70.0, 50.0, &harmonics(&[(5, 40.0)])).unwrap_err();
        assert_eq!(asked, "a harmonic 5 of 40 %");
        assert!(why.starts_with("28.000 A is more than the 24.000 A"), "{why}");
        let (_, why) = current_range(30.0, 60.0, &harmonics(&[(60, 1.0)])).unwrap_err();
        assert_eq!(why, "3600 Hz is beyond the 3000 Hz of its 80 A range");
    }

    #[test]
    fn what_is_no_wave_is_refused() {
        let range = voltage_range(280.0);
        assert_eq!(range.high, 360.0);
        let refused = |distortion: &Distortion| fits(range, "V", 230.0, 50.0, distortion).unwrap_err();
        assert!(refused(&harmonics(&[(1, 5.0)])).1.contains("0 and 2 to 100"));
        assert!(refused(&harmonics(&[(3, 1.0), (3, 2.0)])).1.contains("each once"));
        assert!(refused(&harmonics(&[(101, 1.0)])).1.contains("0 and 2 to 100"));
        assert!(refused(&harmonics(&[(3, f64::NAN)])).1.contains("no share"));
        assert!(refused(&harmonics(&[(3, -1.0)])).1.contains("no share"));
        assert!(refused(&harmonics(&[(5, 50.0)])).1.starts_with("115.000 V is more than the 108.000 V"));
        let tone =
            |hertz| Distortion { interharmonic: Some(Interharmonic { hertz, percent: 5.0 }), ..Distortion::default() };
        assert!(fits(range, "V", 230.0, 50.0, &tone(182.5)).is_ok());
        assert!(refused(&tone(15.0)).1.contains("16 Hz to 9000 Hz"));
        let many: Vec<(u16, f64)> = (2..12).map(|order| (order, 30.0)).collect();
        let (asked, why) = refused(&harmonics(&many));
        assert!(asked.contains("with a peak of") && why.contains("509.1 V"), "{asked}: {why}");
    }

    #[test]
    fn modulations_have_their_limits() {
        let modulated = |percent, hertz| {
            let modulation = Some(Modulation { shape: ModulationShape::Rectangle, hertz, percent });
            Distortion { modulation, ..Distortion::default() }
        };
        let fits = |distortion: &Distortion| fits(CURRENTS[6], "A", 5.0, 50.0, distortion);
        assert!(fits(&modulated(0.894, 0.325)).is_ok());
        assert!(fits(&modulated(200.0, 12.5)).is_ok(), "bursts");
        assert!(fits(&modulated(200.1, 12.5)).is_err() && fits(&modulated(f64::NAN, 12.5)).is_err());
        assert!(fits(&modulated(10.0, 40.1)).is_err() && fits(&modulated(200.0, 31.0)).is_err());
        let tone = Some(Interharmonic { hertz: 182.5, percent: 1.0 });
        assert!(fits(&Distortion { interharmonic: tone, ..modulated(200.0, 12.5) }).is_err());
    }

    #[test]
    fn events_have_their_limits() {
        let range = voltage_range(280.0);
        let dip = VoltageEvent {
            phases: [true, false, false],
            share: 0.4,
            seconds: 0.2,
            point_on_wave_deg: 90.0,
            phase_jump_deg: 0.0,
        };
        assert!(event(range, Some(230.0), &dip).is_ok());
        for (wrong, words) in [
            (VoltageEvent { phase_jump_deg: 30.0, ..dip }, "amplitudes alone"),
            (VoltageEvent { seconds: 180.0, ..dip }, "ends at a minute"),
            (VoltageEvent { seconds: f64::NAN, ..dip }, "0.0011 s to 60 s"),
            (VoltageEvent { share: 1.5, ..dip }, "swells end at 140 %"),
            (VoltageEvent { share: -0.1, ..dip }, "swells end at 140 %"),
            (VoltageEvent { point_on_wave_deg: f64::INFINITY, ..dip }, "no such point"),
        ] {
            let (_, why) = event(range, Some(230.0), &wrong).unwrap_err();
            assert!(why.contains(words), "{why}");
        }
        assert!(event(range, None, &dip).unwrap_err().1.contains("has no voltage"));
    }
}
