//! The dip system: each voltage waits for its own angle after the common trigger.

use meterbench_metrology::SAMPLE_RATE;

use super::Fluke6105a;
use crate::instruments::scpi::{Done, Fault, Unit, answer, done, scientific};
use crate::source::Output;
use crate::world::World;

/// An angle this little behind is not waited for until it comes again: the uncertainty of the trigger (s).
const TRIGGER: f64 = 31e-6;
/// A ramp is made of steps of this length, of fifty at most (s).
const STEP: f64 = 1e-3;
const MOST_STEPS: f64 = 50.0;

/// What is waited for after the trigger.
#[derive(Debug, Clone, Copy, PartialEq)]
enum HoldOff {
    Seconds(f64),
    /// Of the fundamental of the channel.
    Degrees(f64),
}

/// A dip or swell of one voltage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dip {
    pub(super) on: bool,
    /// To this share of what stands [%].
    percent: f64,
    /// Ramp in, what lies between the ramps, ramp out, delay before a repetition (s).
    times: [f64; 4],
    hold_off: HoldOff,
}

impl Dip {
    pub(super) const fn new() -> Self {
        Self { on: false, percent: 100.0, times: [1e-4, 0.1, 1e-4, 0.0], hold_off: HoldOff::Seconds(0.0) }
    }

    pub(super) fn unit(&mut self, unit: &Unit<'_>) -> Done {
        if unit.is("STATe").is_some() {
            if unit.query {
                return answer(if self.on { "1" } else { "0" });
            }
            self.on = unit.switch()?;
            return done();
        }
        if unit.is("ENVelope").is_some() {
            let [ramp_in, held, ramp_out, delay] = self.times;
            if unit.query {
                return answer([self.percent, ramp_in, held, ramp_out, delay].map(scientific).join(","));
            }
            let [percent, ramp_in, held, ramp_out, delay] = unit.numbers()?;
            let ramps = [ramp_in, ramp_out].iter().all(|ramp| (1e-4..=30.0).contains(ramp));
            let times = (1e-3..=60.0).contains(&held) && (0.0..=60.0).contains(&delay);
            if !(ramps && times && (0.0..=140.0).contains(&percent)) {
                return Err(Fault::OutOfRange);
            }
            (self.percent, self.times) = (percent, [ramp_in, held, ramp_out, delay]);
            return done();
        }
        if unit.is("TRIGger:INPut").is_some() {
            // Free running and repetition are not emulated.
            return if unit.query { answer("EONE") } else { unit.word(&["EONE"]).map(|_| None) };
        }
        if unit.is("TRIGger:HOLDoff").is_some() {
            if unit.query {
                return answer(match self.hold_off {
                    HoldOff::Seconds(seconds) => format!("DEL,{}", scientific(seconds)),
                    HoldOff::Degrees(degrees) => format!("PHAS,{}", scientific(degrees)),
                });
            }
            self.hold_off = match unit.word_and_number(&["DELay", "PHASe"])? {
                (0, seconds) if (0.0..=60.0).contains(&seconds) => HoldOff::Seconds(seconds),
                (1, degrees) if (-180.0..=180.0).contains(&degrees) => HoldOff::Degrees(degrees),
                _ => return Err(Fault::OutOfRange),
            };
            return done();
        }
        Err(Fault::UndefinedHeader)
    }

    /// The share of the voltage so long after its begin (s); one before and after.
    fn share(&self, at: f64) -> f64 {
        let [ramp_in, held, ramp_out, _] = self.times;
        let bottom = self.percent / 100.0;
        let (full, rising) = (ramp_in + held, ramp_in + held + ramp_out);
        match at {
            at if at < 0.0 || at >= rising => 1.0,
            at if at < ramp_in => 1.0 + (bottom - 1.0) * at / ramp_in,
            at if at < full => bottom,
            at => bottom + (1.0 - bottom) * (at - full) / ramp_out,
        }
    }

    /// Where the voltage changes, from its begin (s): the middle of a short ramp, the steps of a long one.
    fn edges(&self) -> Vec<f64> {
        let [ramp_in, held, ramp_out, _] = self.times;
        let ramp = |from: f64, length: f64| {
            let steps = (length / STEP).floor().clamp(1.0, MOST_STEPS);
            (0..=steps as u32).filter_map(move |n| {
                let at = if steps > 1.0 { f64::from(n) } else { f64::from(n) + 0.5 };
                (at <= steps).then_some(from + length * at / steps)
            })
        };
        ramp(0.0, ramp_in).chain(ramp(ramp_in + held, ramp_out)).collect()
    }
}

impl Fluke6105a {
    /// Every armed voltage dips as soon as what it waits for has come.
    pub(super) fn trigger_dips(&mut self, world: &mut World) -> Done {
        let armed: Vec<usize> = (0..3).filter(|&n| self.channels[n][0].dip.on).collect();
        let standing = world.source.standing().clone();
        let (now, segment) = (world.next_sample(), world.segment());
        if armed.is_empty() || !self.output || now < self.stands_from {
            return Err(Fault::SettingsConflict);
        }
        let turns = segment.angle_at(now as f64) / std::f64::consts::TAU;
        let seconds_to = |n: usize| match self.channels[n][0].dip.hold_off {
            HoldOff::Seconds(seconds) => seconds,
            HoldOff::Degrees(degrees) => {
                let own = turns - standing.voltage[n].lag_deg / 360.0 + 0.25;
                let late = TRIGGER * standing.hertz;
                ((degrees / 360.0 - own + late).rem_euclid(1.0) - late).max(0.0) / standing.hertz
            }
        };
        let waits: Vec<(usize, f64)> = armed.iter().map(|&n| (n, seconds_to(n))).collect();
        let mut edges: Vec<f64> = waits
            .iter()
            .flat_map(|&(n, wait)| self.channels[n][0].dip.edges().into_iter().map(move |at| wait + at))
            .collect();
        edges.sort_by(f64::total_cmp);
        // Edges that were told to be one are one: within the uncertainty of the trigger.
        edges.dedup_by(|later, earlier| *later - *earlier < TRIGGER);
        let during = |at: f64| {
            let mut output: Output = standing.clone();
            for &(n, wait) in &waits {
                output.voltage[n].rms *= self.channels[n][0].dip.share(at - wait);
            }
            output
        };
        let steps: Vec<(Output, f64)> =
            edges.windows(2).map(|pair| (during((pair[0] + pair[1]) / 2.0), pair[1] - pair[0])).collect();
        let Some(first) = edges.first() else { return done() };
        // The angle at which L1 stands then says when.
        let crossing = turns - standing.voltage[0].lag_deg / 360.0 + 0.25;
        let whole = (first * standing.hertz).floor();
        let begin = now + (whole / standing.hertz * f64::from(SAMPLE_RATE)) as u64;
        // A hair ahead: "at once" must not be a period later because of the last bit of an angle.
        let angle = (crossing + first * standing.hertz) * 360.0 + 1e-6;
        world.source.play_steps(begin, angle, &steps);
        done()
    }

    /// A dip that goes on ends now.
    pub(super) fn end_dips(&mut self, world: &mut World) {
        let (standing, now) = (world.source.standing().clone(), world.next_sample());
        if world.source.output_at(now) != &standing
            || world.source.segments().last().is_some_and(|s| s.from > now as f64)
        {
            world.source.set(now, standing);
        }
    }
}
