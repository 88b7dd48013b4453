//! Lists that are played when the trigger comes and the reference stands at its angle.

use super::{AmetekMx, Phase};
use crate::instruments::scpi::{Done, Fault, Unit, answer, done};
use crate::source::{Output, Span};
use crate::world::World;

const MOST_POINTS: usize = 32;
/// Points that are played at most, repetitions included.
const MOST_PLAYED: usize = 20_000;
const DWELL_SECONDS: (f64, f64) = (0.001, 9e4);
const SOURCES: [&str; 2] = ["IMMediate", "BUS"];
const SYNCHRONISED: [&str; 2] = ["IMMediate", "PHASe"];
const MODES: [&str; 2] = ["FIXed", "LIST"];

/// A function whose values may stand in a list.
#[derive(Debug, Clone, Default)]
struct Listed<T> {
    listed: [bool; 3],
    values: [Vec<T>; 3],
}

#[derive(Debug, Clone)]
pub(super) struct Transient {
    volt: Listed<f64>,
    ahead: Listed<f64>,
    shape: Listed<String>,
    dwell: Vec<f64>,
    count: usize,
    bus: bool,
    /// Angle of the reference at which it begins (deg).
    by_phase: bool,
    angle_deg: f64,
    /// Waits for the trigger.
    initiated: bool,
    span: Option<Span>,
}

impl Default for Transient {
    fn default() -> Self {
        Self {
            volt: Listed::default(),
            ahead: Listed::default(),
            shape: Listed::default(),
            dwell: vec![1.0],
            count: 1,
            bus: false,
            by_phase: false,
            angle_deg: 0.0,
            initiated: false,
            span: None,
        }
    }
}

impl AmetekMx {
    /// Modes, lists and triggers; `None` when it is something else.
    pub(super) fn triggering(&mut self, unit: &Unit<'_>, world: &mut World) -> Option<Done> {
        if unit.is("ABORt").is_some() && !unit.query {
            self.abort(world);
            return Some(done());
        }
        if unit.is("INITiate:[IMMediate]").is_some() && !unit.query {
            self.transient.initiated = true;
            return Some(if self.transient.bus { done() } else { self.start(world) });
        }
        if let Some((_, unit)) = unit.under("TRIGger") {
            return Some(self.trigger(&unit, world));
        }
        if let Some((_, unit)) = unit.under("[SOURce]:LIST") {
            return Some(self.list(&unit));
        }
        let addressed = self.addressed();
        let (selected, transient) = (self.selected, &mut self.transient);
        for (pattern, listed, phases) in [
            ("[SOURce]:VOLTage:MODE", &mut transient.volt.listed, &addressed),
            // Never coupled.
            ("[SOURce]:PHASe:MODE", &mut transient.ahead.listed, &vec![selected]),
            ("[SOURce]:FUNCtion:MODE", &mut transient.shape.listed, &addressed),
        ] {
            if unit.is(pattern).is_some() {
                if unit.query {
                    return Some(answer(if listed[selected] { "LIST" } else { "FIX" }));
                }
                return Some(unit.word(&MODES).map(|mode| {
                    phases.iter().for_each(|&n| listed[n] = mode == 1);
                    None
                }));
            }
        }
        None
    }

    fn list(&mut self, unit: &Unit<'_>) -> Done {
        let (addressed, selected, range) = (self.addressed(), self.selected, self.range);
        let points = |count: usize| answer(count.to_string());
        if unit.is("SHAPe").is_some() || unit.is("FUNCtion:[SHAPe]").is_some() {
            let texts = unit.parameters();
            if texts.is_empty() || texts.len() > MOST_POINTS {
                return Err(if texts.is_empty() { Fault::MissingParameter } else { Fault::TooMuchData });
            }
            let shapes = texts.iter().map(|text| self.shape(&[text])).collect::<Result<Vec<String>, Fault>>()?;
            addressed.iter().for_each(|&n| self.transient.shape.values[n].clone_from(&shapes));
            return done();
        }
        let transient = &mut self.transient;
        if unit.is("VOLTage:[LEVel]").is_some() {
            let values = unit.list(0.0, range, MOST_POINTS)?;
            addressed.iter().for_each(|&n| transient.volt.values[n].clone_from(&values));
        } else if unit.is("PHASe").is_some() {
            transient.ahead.values[selected] = unit.list(-360.0, 360.0, MOST_POINTS)?;
        } else if unit.is("DWELl").is_some() {
            transient.dwell = unit.list(DWELL_SECONDS.0, DWELL_SECONDS.1, MOST_POINTS)?;
        } else if unit.is("COUNt").is_some() {
            transient.count = unit.number(1.0, 2e8)? as usize;
        } else if unit.is("STEP").is_some() {
            // A point for each trigger is not emulated.
            unit.word(&["AUTO"])?;
        } else if unit.is("DWELl:POINts").is_some() && unit.query {
            return points(transient.dwell.len());
        } else if unit.is("VOLTage:POINts").is_some() && unit.query {
            return points(transient.volt.values[selected].len());
        } else {
            return Err(Fault::UndefinedHeader);
        }
        done()
    }

    fn trigger(&mut self, unit: &Unit<'_>, world: &mut World) -> Done {
        let transient = &mut self.transient;
        let chosen = |is: bool, words: [&str; 2]| answer(words[usize::from(is)].trim_end_matches(char::is_lowercase));
        if unit.is("[TRANsient]:SOURce").is_some() {
            if unit.query {
                return chosen(transient.bus, SOURCES);
            }
            transient.bus = unit.word(&SOURCES)? == 1;
        } else if unit.is("SYNChronize:SOURce").is_some() {
            if unit.query {
                return chosen(transient.by_phase, SYNCHRONISED);
            }
            transient.by_phase = unit.word(&SYNCHRONISED)? == 1;
        } else if unit.is("SYNChronize:PHASe").is_some() {
            if unit.query {
                return answer(format!("{:.3}", transient.angle_deg));
            }
            transient.angle_deg = unit.number(-360.0, 360.0)?;
        } else if unit.is("STATe").is_some() && unit.query {
            let now = world.next_sample() as f64;
            return answer(match transient.span {
                _ if transient.initiated => "WTRIG",
                Some(span) if now < span.begin => "ARM",
                Some(span) if now < span.end => "BUSY",
                _ => "IDLE",
            });
        } else {
            return Err(Fault::UndefinedHeader);
        }
        done()
    }

    pub(super) fn bus_trigger(&mut self, world: &mut World) -> Done {
        if !self.transient.initiated {
            // A trigger nobody waits for is ignored.
            return done();
        }
        self.start(world)
    }

    /// Ends what is being played, and waits for no trigger.
    pub(super) fn abort(&mut self, world: &mut World) {
        let now = world.next_sample();
        self.transient.initiated = false;
        if self.transient.span.take().is_some_and(|span| (now as f64) < span.end) {
            let standing = world.source.standing().clone();
            world.source.set(now, standing);
        }
    }

    /// The lists are played, each point for its dwell; what stood before stands again after them.
    fn start(&mut self, world: &mut World) -> Done {
        self.transient.initiated = false;
        let points = self.points()?;
        let mut steps: Vec<(Output, f64)> = Vec::new();
        for n in 0..points {
            let phases = [0, 1, 2].map(|place| self.at_point(place, n));
            let dwell = *nth(&self.transient.dwell, n).unwrap_or(&1.0);
            steps.push((self.output(&phases), dwell));
        }
        if points == 0 {
            return done();
        }
        if points.saturating_mul(self.transient.count) > MOST_PLAYED {
            return Err(Fault::OutOfRange);
        }
        let steps: Vec<(Output, f64)> = std::iter::repeat_n(steps, self.transient.count).flatten().collect();
        let now = world.next_sample();
        let angle = if self.transient.by_phase {
            // L1 is ahead of the reference.
            self.transient.angle_deg + self.phases[0].ahead_deg
        } else {
            // A hair ahead: "at once" must not be a period later because of the last bit of an angle.
            let turns = world.segment().angle_at(now as f64) / std::f64::consts::TAU;
            (turns - world.source.standing().voltage[0].lag_deg / 360.0 + 0.25) * 360.0 + 1e-6
        };
        let span = world.source.play_steps(now, angle, &steps);
        self.transient.span = Some(span);
        done()
    }

    /// How many points the lists have; a list of one point has as many as the others.
    fn points(&self) -> Result<usize, Fault> {
        let transient = &self.transient;
        let of = |listed: &[bool; 3], lengths: [usize; 3]| -> Vec<usize> {
            (0..3).filter(|&n| listed[n]).map(|n| lengths[n]).collect()
        };
        let mut lengths = of(&transient.volt.listed, transient.volt.values.each_ref().map(Vec::len));
        lengths.extend(of(&transient.ahead.listed, transient.ahead.values.each_ref().map(Vec::len)));
        lengths.extend(of(&transient.shape.listed, transient.shape.values.each_ref().map(Vec::len)));
        let Some(&points) = lengths.iter().max() else { return Ok(0) };
        lengths.push(transient.dwell.len());
        if lengths.iter().all(|&length| length == 1 || length == points) { Ok(points) } else { Err(Fault::ListsDiffer) }
    }

    fn at_point(&self, place: usize, n: usize) -> Phase {
        let (mut phase, transient) = (self.phases[place].clone(), &self.transient);
        if let Some(volt) = nth(&transient.volt.values[place], n).filter(|_| transient.volt.listed[place]) {
            phase.volt = *volt;
        }
        if let Some(ahead) = nth(&transient.ahead.values[place], n).filter(|_| transient.ahead.listed[place]) {
            phase.ahead_deg = *ahead;
        }
        if let Some(shape) = nth(&transient.shape.values[place], n).filter(|_| transient.shape.listed[place]) {
            phase.shape.clone_from(shape);
        }
        phase
    }
}

fn nth<T>(values: &[T], n: usize) -> Option<&T> {
    values.get(n).or_else(|| values.first().filter(|_| values.len() == 1))
}
