//! A place on the bench: front end, meter body and what comes out of its optical test output.

use meterbench_meter::port::{Port, PortAction, Standing};
use meterbench_meter::{Action, Image, Profile, Settings};
use meterbench_metrology::{CycleSums, Frame, Impulse, SampleInstant};

use crate::analogue::dwell::Window;
use crate::analogue::{Around, FrontEnd, Sampler};
use crate::body::{Body, BodyError};
use crate::faults::{Fault, plant};
use crate::outputs::{Outputs, Pulses};
use crate::ports::{Call, Callers, PortKind};
use crate::source::Output;

mod supply;

use supply::{HOLD_UP, RealTimeClock, Supply, feeds};

/// Frames handed to the meter at once.
const BLOCK: usize = 800;

/// How time passes for a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Every sample, up to the end.
    Samples,
    /// Nobody looks: whole windows in closed form where the output stands. What is left of the last window stays undone.
    Dwell,
}

/// One meter under test.
#[derive(Debug)]
pub(crate) struct Position {
    sampler: Sampler,
    body: Body,
    callers: Callers,
    profile: Profile,
    reference_voltage: f64,
    supply: Supply,
    counter_forgotten: bool,
    clock: RealTimeClock,
    /// What the clock of the meter was last told (1e-9).
    trim: Option<i32>,
    /// The sample of power-up, from which the meter counts.
    begun: u64,
    frames: Vec<Frame>,
    outputs: Outputs,
    /// Samples taken one by one, and in whole windows.
    taken: (u64, u64),
    /// The body broke: time stands still here.
    failure: Option<BodyError>,
}

/// The error of a meter as the world knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueError {
    /// (registered - true)/true of the active power now [%].
    pub percent: f64,
    /// True active power, all phases of the meter (W).
    pub watt: f64,
}

impl Position {
    /// With the firmware in this program.
    #[cfg(test)]
    pub(crate) fn new(
        profile: &Profile,
        settings: &Settings,
        front_end: FrontEnd,
        faults: &[Fault],
        noise_seed: u64,
        ambient_c: f64,
    ) -> Result<Self, BodyError> {
        let identity = crate::ports::test_identity("1001");
        let make = crate::body::Make { type_number: String::new(), profile: *profile, identity, configuration: None };
        let native = |settings: &Settings| Body::native(&make, settings);
        Self::with_body(profile, settings, front_end, faults, noise_seed, ambient_c, native)
    }

    /// `body` makes the body of the settings that the faults leave.
    pub(crate) fn with_body(
        profile: &Profile,
        settings: &Settings,
        mut front_end: FrontEnd,
        faults: &[Fault],
        noise_seed: u64,
        ambient_c: f64,
        body: impl FnOnce(&Settings) -> Result<Body, BodyError>,
    ) -> Result<Self, BodyError> {
        let mut settings = *settings;
        let (planted, defects) = plant(faults, profile, &mut front_end, &mut settings);
        Ok(Self {
            clock: RealTimeClock::new(front_end.timekeeping, front_end.clock, profile.backup),
            outputs: Outputs::new(planted, front_end.clock),
            sampler: Sampler::new(front_end, ambient_c, noise_seed),
            body: body(&settings)?.with_defects(defects),
            callers: Callers::default(),
            profile: *profile,
            reference_voltage: settings.reference_voltage.into(),
            supply: Supply::New,
            counter_forgotten: planted.counter_forgotten,
            trim: None,
            begun: 0,
            frames: Vec::with_capacity(BLOCK),
            taken: (0, 0),
            failure: None,
        })
    }

    /// Systems of the meter.
    pub(crate) fn systems(&self) -> usize {
        self.profile.systems as usize
    }

    /// Samples of lag behind a moment of bench time.
    pub(crate) fn lag(&self, to: u64) -> u64 {
        self.sampler.own_sample(to as f64).saturating_sub(self.sampler.next_sample())
    }

    /// Runs the meter up to a moment of bench time (samples), by at most so many samples; false when it got there.
    ///
    /// Nothing moves after the body broke, see [`Position::failure`].
    pub(crate) fn advance(&mut self, around: Around<'_>, to: u64, pace: Pace, most: u64) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let moved = self.try_advance(around, to, pace, most);
        self.sound(moved).unwrap_or(false)
    }

    fn try_advance(&mut self, around: Around<'_>, to: u64, pace: Pace, most: u64) -> Result<bool, BodyError> {
        let to = self.sampler.own_sample(to as f64);
        let slice_end = self.sampler.next_sample() + most;
        while self.sampler.next_sample() < to {
            if self.sampler.next_sample() >= slice_end {
                return Ok(true);
            }
            let Some(until) = self.runs_until(around, to)? else { continue };
            self.keep_time()?;
            // A wave has no closed form over a window.
            let pace = if self.sampler.is_steady(around.source) { pace } else { Pace::Samples };
            if pace == Pace::Dwell
                && let Some(sync) = self.body.window_start()
            {
                match self.sampler.take_window(around, sync, until) {
                    Window::Taken(window) => {
                        self.take_window(&window.0, &window.1)?;
                        continue;
                    }
                    Window::NotYet if until == to => return Ok(false),
                    Window::NotYet | Window::Changing => {}
                }
            }
            self.take_samples(around, until, pace)?;
        }
        Ok(false)
    }

    /// The sample up to which the meter runs by what it has now; `None` where it does not run, and time has passed it by.
    fn runs_until(&mut self, around: Around<'_>, to: u64) -> Result<Option<u64>, BodyError> {
        let now = self.sampler.next_sample();
        let (terminals, change) = self.sampler.terminals(around.source);
        let fed = feeds(&terminals, self.systems(), self.reference_voltage);
        match self.supply {
            Supply::Fed | Supply::HeldUp { .. } if fed => self.supply = Supply::Fed,
            Supply::Fed => self.supply = Supply::HeldUp { until: now + HOLD_UP },
            Supply::HeldUp { until } if now == until => {
                self.supply = Supply::Gone;
                self.outputs.power_lost(SampleInstant::new(now, 0));
            }
            Supply::HeldUp { .. } => {}
            Supply::New | Supply::Gone if fed => self.power_up(now)?,
            Supply::New | Supply::Gone => {
                let Self { sampler, clock, .. } = self;
                sampler.skip(around, to.min(change), |samples, case_c| clock.pass(samples, case_c));
            }
        }
        Ok(match self.supply {
            Supply::Fed => Some(to),
            Supply::HeldUp { until } => Some(to.min(until)),
            Supply::New | Supply::Gone => None,
        })
    }

    /// The meter starts with the image that its supply supervisor had written when the hold-up ended: nothing happened to the
    /// body since.
    fn power_up(&mut self, now: u64) -> Result<(), BodyError> {
        let outage = self.clock.outage();
        if self.supply == Supply::Gone {
            let mut image = self.body.keep()?;
            if self.counter_forgotten {
                Image::RECEIVED.iter().for_each(|&at| image[at..at + 8].fill(0));
            }
            self.body.restart(&image, outage)?;
            // The head still lies on the meter.
            if self.callers.is_at(Port::Optical) {
                self.body.open_port(Port::Optical)?;
            }
        }
        (self.supply, self.begun, self.trim) = (Supply::Fed, now, None);
        Ok(())
    }

    /// Has power, or had it a moment ago.
    fn runs(&self) -> bool {
        matches!(self.supply, Supply::Fed | Supply::HeldUp { .. })
    }

    /// Tells the meter how its two crystals differ, in steps of 0.05 ppm: 4 ms a day.
    fn keep_time(&mut self) -> Result<(), BodyError> {
        let ppb = self.clock.ppb(self.sampler.thermal.case_c) / 50 * 50;
        if self.trim != Some(ppb) {
            self.body.trim(ppb)?;
            self.trim = Some(ppb);
        }
        Ok(())
    }

    fn take_samples(&mut self, around: Around<'_>, to: u64, pace: Pace) -> Result<(), BodyError> {
        self.frames.clear();
        let first = self.sampler.next_sample();
        self.sampler.fill(&mut self.frames, around, to);
        let mut done = self.frames.len();
        let Self { body, frames, outputs, sampler, begun, .. } = self;
        let act = |Action::Impulse(impulse)| outputs.put_out(since(*begun, impulse));
        match pace {
            Pace::Samples => body.process(frames, act)?,
            Pace::Dwell => {
                done = body.process_until_window(frames, act)?;
                if done < frames.len() {
                    sampler.rewind(first + done as u64);
                }
            }
        }
        self.taken.0 += done as u64;
        Ok(())
    }

    fn take_window(&mut self, cycles: &[CycleSums], frames: &[Frame; 2]) -> Result<(), BodyError> {
        let Self { body, outputs, begun, .. } = self;
        body.process_window(cycles, frames, |Action::Impulse(impulse)| outputs.put_out(since(*begun, impulse)))?;
        self.taken.1 += cycles.iter().map(|cycle| u64::from(cycle.samples)).sum::<u64>();
        Ok(())
    }

    /// Remembers what broke the body; a meter that refuses is sound.
    fn sound<T>(&mut self, done: Result<T, BodyError>) -> Result<T, BodyError> {
        if let Err(error @ (BodyError::Failed(_) | BodyError::Unusable(_))) = &done {
            self.failure.get_or_insert_with(|| error.clone());
        }
        done
    }

    /// What broke the body.
    pub(crate) fn failure(&self) -> Option<&BodyError> {
        self.failure.as_ref()
    }

    /// Takes the rising edges of the LED since the last call.
    pub(crate) fn take_edges(&mut self) -> Vec<SampleInstant> {
        self.outputs.take_edges()
    }

    /// Begins to count the pulses of S0 anew at this sample of bench time.
    pub(crate) fn reset_pulses(&mut self, now: u64) {
        self.outputs.reset_pulses(now);
    }

    /// The pulses of S0 up to this sample of bench time; `None` for a meter without that output.
    pub(crate) fn pulses(&self, now: u64) -> Option<Pulses> {
        self.profile.has_pulse_output().then(|| self.outputs.pulses(now))
    }

    /// What the display shows of this item; nothing without power.
    #[cfg(test)]
    pub(crate) fn display(&mut self, obis: [u8; 3]) -> Option<meterbench_meter::Display> {
        if !self.runs() {
            return None;
        }
        let shown = self.body.display(obis);
        self.sound(shown).ok().flatten()
    }

    /// Lets the test output count kWh or kvarh.
    #[cfg(test)]
    pub(crate) fn select_output(&mut self, quantity: meterbench_metrology::ImpulseQuantity) -> Result<(), BodyError> {
        let selected = self.body.select_output(quantity);
        self.sound(selected)
    }

    /// A client connects to a port of this kind; `None` where all are taken.
    pub(crate) fn connect(&mut self, kind: PortKind) -> Option<Call> {
        let call = self.callers.admit(kind)?;
        let opened = self.callers.port(&call).map(|port| self.body.open_port(port))?;
        self.sound(opened).ok()?;
        Some(call)
    }

    /// Hands octets of a client, or none, to the meter and lets its port act: without power it says nothing. `None` where nobody is there for it any more.
    pub(crate) fn speak(&mut self, call: &Call, octets: &[u8], act: impl FnMut(PortAction<'_>)) -> Option<Standing> {
        let port = self.callers.port(call).filter(|_| self.failure.is_none())?;
        if !self.runs() {
            return Some(Standing::default());
        }
        let said = self.body.speak(port, octets, act);
        self.sound(said).ok()
    }

    /// Temperature of the case (°C).
    pub(crate) fn case_c(&self) -> f64 {
        self.sampler.thermal.case_c
    }

    /// Samples taken one by one, and in whole windows.
    pub(crate) fn taken(&self) -> (u64, u64) {
        self.taken
    }

    /// What the meter must show at this output, by its front end alone.
    pub(crate) fn true_error(&self, output: &Output) -> TrueError {
        let voltage = self.sampler.front_end.terminals(&output.voltage);
        let terminals = Output { voltage, ..output.clone() };
        let watt: f64 = (0..self.systems()).map(|n| terminals.carried_watt(n)).sum();
        let seen = self.sampler.front_end.active_watt(output, &self.sampler.thermal);
        let seen: f64 = seen.iter().take(self.systems()).sum::<f64>() * self.sampler.front_end.clock;
        TrueError { percent: 100.0 * (seen - watt) / watt, watt }
    }
}

/// An impulse of a meter that began to count its samples at this one.
fn since(begun: u64, impulse: Impulse) -> Impulse {
    let later = |at: SampleInstant| SampleInstant::new(begun + at.index(), at.fraction());
    Impulse { rise: later(impulse.rise), fall: later(impulse.fall) }
}

#[cfg(test)]
impl Position {
    /// The meter itself, of a body in this program.
    pub(crate) fn meter(&self) -> &meterbench_meter::Meter {
        match &self.body {
            Body::Native(native) => &native.meter,
            Body::LockStep(_) => panic!("the meter is elsewhere"),
        }
    }

    /// Sets the clock of a body in this program (s of UTC since 2000).
    pub(crate) fn set_clock(&mut self, seconds: u64) {
        let Body::Native(native) = &mut self.body else { panic!("the meter is elsewhere") };
        native.meter.set_clock(seconds).unwrap();
    }
}

#[cfg(test)]
mod tests;
