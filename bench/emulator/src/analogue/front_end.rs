//! What a meter's measuring systems do to what stands at its terminals.

use std::f64::consts::SQRT_2;

use super::{Converter, Thermal};
use crate::noise::Draw;
use crate::source::wave::HIGHEST_ORDER;
use crate::source::{Harmonic, Output, Phasor};

/// Temperature at which gain and phase were adjusted (°C).
const ADJUSTED_AT_C: f64 = 23.0;

/// Parameters of one measuring system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Channel {
    /// Relative gain of the voltage channel.
    pub(crate) voltage_gain: f64,
    /// Relative gain of the current channel.
    pub(crate) current_gain: f64,
    /// Phase error of the current channel at the fundamental (rad), positive = current seen earlier. It is a delay: harmonics have it
    /// by their order.
    pub(crate) lead_rad: f64,
    /// Coupling from voltage into the current channel, in phase and in quadrature [A/V].
    pub(crate) coupling: (f64, f64),
    /// Noise, referred to the terminals (V), (A) RMS.
    pub(crate) voltage_noise: f64,
    pub(crate) current_noise: f64,
    /// Temperature coefficient of the shunt [1/K] and [1/K²].
    pub(crate) shunt_tc: f64,
    pub(crate) shunt_tc2: f64,
    /// Heating of the shunt by its own loss [K/A²] and its time constant (s).
    pub(crate) heating: f64,
    pub(crate) heating_tau: f64,
    /// Relative change of the current gain per kelvin of that heating, beside the shunt's own.
    pub(crate) heating_gain: f64,
    /// Relative change of gain per relative change of voltage and of frequency.
    pub(crate) voltage_coefficient: f64,
    pub(crate) frequency_coefficient: f64,
    /// Relative change of gain at the reversed phase sequence.
    pub(crate) sequence_gain: f64,
    /// A current transformer in the place of the shunt: relative change of its gain per ampere of direct current [1/A]. It passes
    /// no direct part itself.
    pub(crate) saturation: Option<f64>,
    /// How the current, and the voltage, come to samples.
    pub(crate) current_converter: Converter,
    pub(crate) voltage_converter: Converter,
}

/// Parameters of one front end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FrontEnd {
    pub(crate) channels: [Channel; 3],
    /// Temperature coefficient of the voltage reference, which enters power twice [1/K].
    pub(crate) reference_tc: f64,
    /// Nominal voltage (V) and frequency (Hz), at which it was adjusted.
    pub(crate) nominal: (f64, f64),
    /// Samples the meter takes in the time of one true sample: its clock.
    pub(crate) clock: f64,
    /// Relative error at 23 °C of the crystal that keeps the meter's time.
    pub(crate) timekeeping: f64,
    /// Voltage at its terminals against that of the source: ratio, and angle by which it lags (deg). A transformer passes no direct part.
    pub(crate) isolation: (f64, f64),
}

/// Cosine and sine parts of every order of the six channels U1..U3, I1..I3.
pub(super) type Spectrum = [[(f64, f64); HIGHEST_ORDER as usize + 1]; 6];

impl FrontEnd {
    /// The front end of this serial number: residual errors after adjustment, drawn from the seed.
    pub(crate) fn drawn(seed: u64, serial: &str, nominal: (f64, f64)) -> Self {
        let draw = Draw::of(seed, serial);
        let channel = |n: u64| {
            let power_offset_w = draw.normal("power offset", n, 0.02);
            let quadrature_w = draw.normal("quadrature offset", n, 0.02);
            let equalised = |name: &str| Converter { residue: draw.normal(name, n, 0.002), plain: None };
            Channel {
                voltage_gain: 1.0,
                current_gain: 1.0 + draw.normal("gain", n, 0.0005),
                lead_rad: draw.normal("phase", n, 0.0001),
                coupling: (power_offset_w / (230.0 * 230.0), quadrature_w / (230.0 * 230.0)),
                voltage_noise: 0.020,
                current_noise: 0.0045,
                shunt_tc: 25e-6 + draw.normal("shunt", n, 10e-6),
                shunt_tc2: -0.45e-6,
                // 200 µOhm, 12 K/W
                heating: 200e-6 * 12.0,
                heating_tau: 600.0,
                heating_gain: 0.0,
                voltage_coefficient: draw.normal("divider", n, 5e-4),
                frequency_coefficient: draw.normal("filter", n, 1e-3),
                sequence_gain: draw.normal("crosstalk", n, 2e-5),
                saturation: None,
                current_converter: equalised("current equaliser"),
                voltage_converter: equalised("voltage equaliser"),
            }
        };
        let reference_tc = draw.normal("reference", 0, 12e-6);
        // A crystal of 20 ppm.
        let clock = 1.0 + draw.rectangular("clock", 0, 2e-5);
        // At most half a second a day.
        let timekeeping = draw.rectangular("timekeeping", 0, 5.8e-6);
        let isolation = (1.0, 0.0);
        Self { channels: [channel(0), channel(1), channel(2)], reference_tc, nominal, clock, timekeeping, isolation }
    }

    /// No error but quantisation.
    #[cfg(test)]
    pub(crate) fn ideal() -> Self {
        let channel = Channel {
            voltage_gain: 1.0,
            current_gain: 1.0,
            lead_rad: 0.0,
            coupling: (0.0, 0.0),
            voltage_noise: 0.0,
            current_noise: 0.0,
            shunt_tc: 0.0,
            shunt_tc2: 0.0,
            heating: 0.0,
            heating_tau: 600.0,
            heating_gain: 0.0,
            voltage_coefficient: 0.0,
            frequency_coefficient: 0.0,
            sequence_gain: 0.0,
            saturation: None,
            current_converter: Converter::EVEN,
            voltage_converter: Converter::EVEN,
        };
        Self {
            channels: [channel; 3],
            reference_tc: 0.0,
            nominal: (230.0, 50.0),
            clock: 1.0,
            timekeeping: 0.0,
            isolation: (1.0, 0.0),
        }
    }

    /// Fundamentals of the voltages at the terminals: they have passed the isolation of the position.
    pub(crate) fn terminals(&self, voltage: &[Phasor; 3]) -> [Phasor; 3] {
        let (ratio, lag_deg) = self.isolation;
        voltage.map(|v| Phasor { rms: v.rms * ratio, lag_deg: v.lag_deg + lag_deg })
    }

    /// Gains of the six channels at these temperatures.
    pub(super) fn gains(&self, output: &Output, thermal: &Thermal) -> [f64; 6] {
        let voltage = self.terminals(&output.voltage);
        let mut gains = [0.0; 6];
        let reversed = if output.is_reversed() { 1.0 } else { 0.0 };
        for (n, channel) in self.channels.iter().enumerate() {
            let ambient = thermal.case_c - ADJUSTED_AT_C;
            let shunt = ambient + thermal.rise_k[n];
            let converter = 1.0 - self.reference_tc * ambient;
            let shunt_gain = 1.0 + channel.shunt_tc * shunt + channel.shunt_tc2 * shunt * shunt;
            let (volt, hertz) = self.nominal;
            let mut influenced = 1.0
                + channel.voltage_coefficient * (voltage[n].rms / volt - 1.0)
                + channel.frequency_coefficient * (output.hertz / hertz - 1.0)
                + channel.sequence_gain * reversed
                + channel.heating_gain * thermal.rise_k[n];
            if let Some(saturation) = channel.saturation {
                influenced *= (1.0 + saturation * output.direct_current(n).abs()).max(0.0);
            }
            gains[n] = channel.voltage_gain * converter;
            gains[n + 3] = channel.current_gain * shunt_gain * converter * influenced;
        }
        gains
    }

    /// What the converter sees of the fundamentals of this output: cosine and sine parts of U1..U3, I1..I3 in V and A, RMS.
    pub(crate) fn seen(&self, output: &Output, thermal: &Thermal) -> [(f64, f64); 6] {
        let (gains, voltage) = (self.gains(output, thermal), self.terminals(&output.voltage));
        let mut seen = [(0.0, 0.0); 6];
        for (n, channel) in self.channels.iter().enumerate() {
            let (u_cos, u_sin) = voltage[n].parts();
            let current =
                Phasor { lag_deg: output.current[n].lag_deg - channel.lead_rad.to_degrees(), ..output.current[n] };
            let (i_cos, i_sin) = current.parts();
            let (in_phase, quadrature) = channel.coupling;
            seen[n] = (u_cos * gains[n], u_sin * gains[n]);
            seen[n + 3] = (
                gains[n + 3] * i_cos + in_phase * u_cos - quadrature * u_sin,
                gains[n + 3] * i_sin + in_phase * u_sin + quadrature * u_cos,
            );
        }
        seen
    }

    /// What the converter sees of every order of this output where all gains are one, in V and A, RMS; the value itself at order 0.
    ///
    /// Of the coupling from voltage into current, what the gain does is taken off: where temperatures move it by a part in a
    /// thousand, the coupling is off by that part of itself.
    pub(super) fn spectrum(&self, output: &Output) -> Box<Spectrum> {
        let mut spectrum = Box::new([[(0.0, 0.0); HIGHEST_ORDER as usize + 1]; 6]);
        let (ratio, lag_deg) = self.isolation;
        let isolated = self.isolation != (1.0, 0.0);
        for (n, channel) in self.channels.iter().enumerate() {
            let fundamental = Harmonic { order: 1, share: 1.0, angle_deg: 0.0 };
            let components = |place: usize| {
                let harmonics = output.distortion(place).map_or(&[][..], |d| &d.harmonics);
                std::iter::once(&fundamental).chain(harmonics).copied().collect::<Vec<_>>()
            };
            let mut add = |place: usize, order: u16, (cos, sin): (f64, f64)| {
                let parts = &mut spectrum[place][usize::from(order.min(HIGHEST_ORDER))];
                *parts = (parts.0 + cos, parts.1 + sin);
            };
            for harmonic in components(n) {
                let order = f64::from(harmonic.order);
                let voltage = output.voltage[n].harmonic(&harmonic);
                let rms = if isolated && harmonic.order == 0 { 0.0 } else { voltage.rms * ratio };
                let terminal = Phasor { rms, lag_deg: voltage.lag_deg + order * lag_deg };
                let (gain, lag) = channel.voltage_converter.response(order * output.hertz, output.hertz);
                add(n, harmonic.order, turned(terminal, gain, lag).parts());
                let (u_cos, u_sin) = terminal.parts();
                let (in_phase, quadrature) = channel.coupling;
                let coupled = (in_phase * u_cos - quadrature * u_sin, in_phase * u_sin + quadrature * u_cos);
                add(n + 3, harmonic.order, (coupled.0 / channel.current_gain, coupled.1 / channel.current_gain));
            }
            for harmonic in components(n + 3) {
                let order = f64::from(harmonic.order);
                let (gain, lag) = channel.current_converter.response(order * output.hertz, output.hertz);
                let passes = if harmonic.order == 0 && channel.saturation.is_some() { 0.0 } else { gain };
                let current = output.current[n].harmonic(&harmonic);
                add(n + 3, harmonic.order, turned(current, passes, lag - order * channel.lead_rad).parts());
            }
        }
        spectrum
    }

    /// Active power the meter must find in this output (W), per phase; noise has none. A change of the amplitude to and fro is left out.
    pub(crate) fn active_watt(&self, output: &Output, thermal: &Thermal) -> [f64; 3] {
        if output.wave.is_none() {
            let seen = self.seen(output, thermal);
            return [0, 1, 2].map(|n| seen[n].0 * seen[n + 3].0 + seen[n].1 * seen[n + 3].1);
        }
        let (gains, spectrum) = (self.gains(output, thermal), self.spectrum(output));
        // The metrology takes the direct part off both channels.
        let alternating = |place: usize| spectrum[place][1..].iter();
        [0, 1, 2].map(|n| {
            let unity: f64 = alternating(n).zip(alternating(n + 3)).map(|(u, i)| u.0 * i.0 + u.1 * i.1).sum();
            gains[n] * gains[n + 3] * unity
        })
    }
}

/// A component after a gain, later by an angle (rad).
fn turned(phasor: Phasor, gain: f64, lag: f64) -> Phasor {
    Phasor { rms: phasor.rms * gain, lag_deg: phasor.lag_deg + lag.to_degrees() }
}

/// Peak values of a spectrum in counts.
pub(super) fn peaks(spectrum: &mut Spectrum) {
    for (parts, counts) in spectrum.iter_mut().zip(super::COUNTS) {
        for (order, part) in parts.iter_mut().enumerate() {
            let scale = if order == 0 { counts } else { counts * SQRT_2 };
            *part = (part.0 * scale, part.1 * scale);
        }
    }
}
