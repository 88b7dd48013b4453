//! What the source can make.

use std::f64::consts::SQRT_2;

use meterbench_waveform::{Distortion, VoltageEvent, Waveform};

use crate::roles::{InstrumentError, Setting, SourceLimits};
use crate::scpi::Scpi;
use crate::shape;

/// Ranges (V).
const RANGES: [f64; 2] = [150.0, 300.0];
const HERTZ: (f64, f64) = (16.0, 819.0);
/// Of a table.
const HIGHEST_ORDER: u16 = 50;
const HIGHEST_HERTZ: f64 = 3000.0;
/// Of a point of a list.
const DWELL_SECONDS: (f64, f64) = (0.001, 9e4);

/// The range of a bench, for good: a change of it would interrupt the meters.
pub(super) fn range(limit_volt: f64) -> f64 {
    RANGES.into_iter().find(|range| *range >= limit_volt).unwrap_or(RANGES[RANGES.len() - 1])
}

pub(super) fn check(
    scpi: &Scpi,
    limits: SourceLimits,
    setting: &Setting,
    waveform: &Waveform,
) -> Result<(), InstrumentError> {
    if setting.current.iter().any(Option::is_some) || waveform.current.iter().any(|wave| !wave.is_none()) {
        let why = "it is a source of voltages alone, a load point with current needs another source";
        return Err(scpi.cannot("a current", why));
    }
    if !(HERTZ.0..=HERTZ.1).contains(&setting.hertz) {
        return Err(scpi.beyond(format!("{} Hz", setting.hertz), format!("{} Hz to {} Hz", HERTZ.0, HERTZ.1)));
    }
    let range = range(limits.volt);
    let highest = limits.volt.min(range);
    for (n, (wave, distortion)) in setting.voltage.iter().zip(&waveform.voltage).enumerate() {
        let name = format!("U{}", n + 1);
        let Some(wave) = wave else {
            if distortion.is_none() {
                continue;
            }
            return Err(scpi.cannot(format!("a distortion of {name}"), "it is switched off"));
        };
        table(distortion, setting.hertz).map_err(|(asked, why)| scpi.cannot(format!("{asked} on {name}"), why))?;
        let rms = wave.rms * shape::rms(distortion);
        // Zero is a voltage that is off.
        if !(wave.rms > 0.0 && rms <= highest && wave.lag_deg.is_finite()) {
            return Err(scpi.beyond(format!("{} V", shape::rounded(rms)), format!("more than 0 V to {highest} V")));
        }
        let (peak, most) = (wave.rms * shape::peak(distortion) * SQRT_2, range * SQRT_2);
        if peak > most * (1.0 + 1e-9) {
            let asked = format!("a wave with a peak of {peak:.1} V on {name}");
            return Err(scpi.cannot(asked, format!("its {range} V range ends at a peak of {most:.1} V")));
        }
    }
    Ok(())
}

/// Whether a table of one period holds this.
fn table(distortion: &Distortion, hertz: f64) -> Result<(), (String, String)> {
    let mut orders = Vec::new();
    for part in &distortion.harmonics {
        let asked = format!("a harmonic {} of {} %", part.order, part.percent);
        if part.order == 0 {
            return Err((asked, "it removes the direct part of a wave".into()));
        }
        let known = orders.contains(&part.order);
        let highest = HIGHEST_ORDER.min((HIGHEST_HERTZ / hertz) as u16);
        if part.order == 1 || part.order > highest || known {
            return Err((asked, format!("its harmonics at {hertz} Hz are 2 to {highest}, each once")));
        }
        orders.push(part.order);
        if !(0.0..=1000.0).contains(&part.percent) || !part.angle_deg.is_finite() {
            return Err((asked, "that is no share of the fundamental".into()));
        }
    }
    if let Some(tone) = distortion.interharmonic {
        let asked = format!("an interharmonic of {} % at {} Hz", tone.percent, tone.hertz);
        return Err((asked, "its waves repeat with every period".into()));
    }
    if let Some(modulation) = distortion.modulation {
        let asked = format!("a modulation of {} % at {} Hz", modulation.percent, modulation.hertz);
        return Err((asked, "its waves repeat with every period".into()));
    }
    Ok(())
}

pub(super) fn check_event(
    scpi: &Scpi,
    limits: SourceLimits,
    setting: &Setting,
    event: &VoltageEvent,
) -> Result<(), InstrumentError> {
    let asked = format!("a voltage event to {:.1} % for {} s", event.share * 100.0, event.seconds);
    let (shortest, longest) = DWELL_SECONDS;
    if !(shortest..=longest).contains(&event.seconds) {
        return Err(scpi.cannot(asked, format!("its points last {shortest} s to {longest} s")));
    }
    if !event.point_on_wave_deg.is_finite() || !(-180.0..=180.0).contains(&event.phase_jump_deg) {
        return Err(scpi.cannot(asked, "there is no such point on wave, or no such jump"));
    }
    let highest = limits.volt.min(range(limits.volt));
    let phases: Vec<usize> = (0..3).filter(|&n| event.phases[n]).collect();
    if phases.is_empty() || phases.iter().any(|&n| setting.voltage[n].is_none()) {
        return Err(scpi.cannot(asked, "one of these phases has no voltage"));
    }
    for wave in phases.iter().filter_map(|&n| setting.voltage[n]) {
        let reached = wave.rms * event.share;
        if !(0.0..=highest).contains(&reached) {
            return Err(
                scpi.beyond(format!("{} V during a voltage event", shape::rounded(reached)), format!("{highest} V"))
            );
        }
    }
    Ok(())
}
