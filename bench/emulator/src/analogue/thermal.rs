//! What warms a meter: the air around it, and its own shunts.

use super::FrontEnd;
use crate::source::Output;

/// Time constant of a meter in moving air (s).
const CASE_TAU: f64 = 1200.0;

/// Temperatures of one meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thermal {
    /// Of the case: it follows the air.
    pub(crate) case_c: f64,
    /// Rise of each shunt above the case by its own loss (K).
    pub(crate) rise_k: [f64; 3],
}

/// Share of the way to its end that each temperature goes in one step of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Approach {
    shunts: [f64; 3],
    case: f64,
}

impl Approach {
    pub(super) fn in_seconds(front_end: &FrontEnd, seconds: f64) -> Self {
        let share = |tau: f64| -(-seconds / tau).exp_m1();
        Self { shunts: front_end.channels.map(|channel| share(channel.heating_tau)), case: share(CASE_TAU) }
    }
}

impl Thermal {
    pub(super) fn advance(&mut self, front_end: &FrontEnd, output: &Output, air_c: f64, share: &Approach) {
        for (n, channel) in front_end.channels.iter().enumerate() {
            let current = output.current_rms(n);
            let target = channel.heating * current * current;
            self.rise_k[n] += (target - self.rise_k[n]) * share.shunts[n];
        }
        if self.case_c != air_c {
            self.case_c += (air_c - self.case_c) * share.case;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shunt_warms_with_its_time_constant() {
        let mut front_end = FrontEnd::ideal();
        front_end.channels[0].heating = 200e-6 * 12.0;
        let mut thermal = Thermal { case_c: 23.0, rise_k: [0.0; 3] };
        let mut output = Output::default();
        output.current[0].rms = 100.0;
        let share = Approach::in_seconds(&front_end, 0.1);
        (0..6000).for_each(|_| thermal.advance(&front_end, &output, 23.0, &share));
        // one time constant at 24 K final rise
        assert!((thermal.rise_k[0] - 24.0 * (1.0 - (-1f64).exp())).abs() < 1e-6, "{}", thermal.rise_k[0]);
    }
}
