//! AMETEK / California Instruments MX (and the SCPI tree of its family): voltages of three phases, no currents.
//!
//! A phase that is off stands at 0 V behind the closed relay; `off` opens the relay. The relay closes at 0 V. Harmonics are a table of one
//! period, scaled by the source to the RMS value that is set; it removes the direct part. Voltage events are lists of two points
//! that begin at an angle of the internal reference, all phases at once; the second point is what stood before, so that it does not matter whether a
//! list ends at its last point or returns.
//!
//! | commands | known from |
//! |---|---|
//! | `OUTP`, `VOLT`, `FREQ`, `PHAS`, `MEAS:VOLT`, `MEAS:FREQ`, `INST:COUP`, `INST:NSEL`, `FUNC SIN`, `SYST:ERR?`, a second after the relay | drivers of others |
//! | `VOLT:RANG`, `VOLT:MODE`, `LIST`, `TRIG:SYNC`, `TRIG:STAT?`, `INIT`, `ABOR`, `TRAC`, sense of `PHAS`, shortest dwell | manuals of the family |
//! | 16 Hz to 819 Hz, orders to 50 and 3 kHz, `PHAS:MODE LIST` together with voltages, `*RST` opens the relay | recalled |

mod events;
mod limits;

use std::f64::consts::TAU;
use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::Session;
use meterbench_waveform::{Distortion, VoltageEvent, Waveform};
use tokio::time::{Instant, sleep, sleep_until};

use crate::roles::{AcSource, InstrumentError, Readback, Setting, SourceLimits};
use crate::scpi::Scpi;
use crate::shape;
use crate::waveform::WaveSource;

/// From a command until the voltage stands: the slew takes less than a millisecond, its own measurement a period or two.
const SWITCHING: Duration = Duration::from_millis(100);
/// No command for this long after the relay moved.
const RELAY: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);
/// Points of a table.
const POINTS: usize = 1024;

pub(crate) struct AmetekMx {
    scpi: Scpi,
    limits: SourceLimits,
    /// What the driver has made of the instrument; nothing while that is not known.
    standing: Option<Standing>,
}

#[derive(Debug, Clone, Default)]
struct Standing {
    hertz: Option<f64>,
    phases: [Option<Phase>; 3],
    setting: Option<Setting>,
    relay: bool,
    /// Tables have two names each, so that the one in use is never written.
    bank: bool,
}

/// What a phase was told.
#[derive(Debug, Clone, PartialEq)]
struct Phase {
    /// RMS value of everything (V).
    volt: f64,
    /// `PHAS`: L1 ahead of the internal reference, the others ahead of L1 (deg).
    ahead_deg: f64,
    distortion: Distortion,
}

impl AmetekMx {
    pub(crate) fn new(session: Session, limits: SourceLimits) -> Self {
        Self::over(Scpi::new(session), limits)
    }

    fn over(scpi: Scpi, limits: SourceLimits) -> Self {
        Self { scpi, limits, standing: None }
    }

    /// Nothing is inherited: an instrument whose state is not known begins with its relay open.
    async fn prepare(&mut self) -> Result<(), InstrumentError> {
        self.standing = None;
        for command in ["*CLS", "ABOR", "OUTP 0", "*RST"] {
            self.scpi.tell(command).await?;
        }
        self.scpi.completed(LONGEST).await?;
        sleep(RELAY).await;
        self.scpi.tell("INST:COUP NONE").await?;
        self.scpi.tell(&format!("VOLT:RANG {}", limits::range(self.limits.volt))).await?;
        for n in 0..3 {
            for command in ["VOLT:MODE FIX", "PHAS:MODE FIX", "FUNC SIN", "VOLT 0"] {
                self.scpi.tell(&of(n, command)).await?;
            }
        }
        self.standing = Some(Standing::default());
        Ok(())
    }

    async fn put_out(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        self.check_waveform(setting, waveform)?;
        if self.standing.is_none() || self.scpi.is_out_of_step() {
            self.prepare().await?;
        }
        // If anything below fails, what stands is not known any more.
        let Some(mut standing) = self.standing.take() else { return Ok(()) };
        if !standing.relay && setting.voltage.iter().any(Option::is_some) {
            self.scpi.tell("OUTP 1").await?;
            sleep(RELAY).await;
            standing.relay = true;
        }
        let begun = Instant::now();
        if standing.hertz != Some(setting.hertz) {
            self.scpi.tell(&format!("FREQ {}", setting.hertz)).await?;
            standing.hertz = Some(setting.hertz);
        }
        let leads = leads(setting);
        for n in 0..3 {
            let distortion = waveform.voltage[n].clone();
            let volt = setting.voltage[n].map_or(0.0, |wave| wave.rms * shape::rms(&distortion));
            let wanted = Phase { volt, ahead_deg: told(&leads)[n], distortion };
            let stood = standing.phases[n].replace(wanted.clone());
            if stood.as_ref() != Some(&wanted) {
                self.phase(n, stood.as_ref(), &wanted, &mut standing.bank).await?;
            }
        }
        sleep_until(begun + SWITCHING).await;
        standing.setting = Some(*setting);
        self.standing = Some(standing);
        Ok(())
    }

    async fn phase(
        &mut self,
        n: usize,
        stood: Option<&Phase>,
        wanted: &Phase,
        bank: &mut bool,
    ) -> Result<(), InstrumentError> {
        if stood.is_none_or(|stood| stood.ahead_deg != wanted.ahead_deg) {
            self.scpi.tell(&of(n, &format!("PHAS {:.3}", wanted.ahead_deg))).await?;
        }
        if stood.is_none_or(|stood| stood.distortion != wanted.distortion) {
            let shape = if wanted.distortion.is_none() {
                "SIN".to_owned()
            } else {
                *bank = !*bank;
                self.table(&format!("MB{}{}", n + 1, if *bank { "A" } else { "B" }), &wanted.distortion).await?
            };
            self.scpi.tell(&of(n, &format!("FUNC {shape}"))).await?;
        }
        self.scpi.tell(&of(n, &format!("VOLT {:.3}", wanted.volt))).await
    }

    /// Loads one period; gives the name back.
    async fn table(&mut self, name: &str, distortion: &Distortion) -> Result<String, InstrumentError> {
        let known = self.scpi.ask("TRAC:CAT?").await?;
        if !known.split(',').any(|entry| entry.trim().trim_matches('"').eq_ignore_ascii_case(name)) {
            self.scpi.tell(&format!("TRAC:DEF {name}")).await?;
        }
        let peak = shape::peak(distortion);
        let value = |n: usize| shape::periodic(&distortion.harmonics, n as f64 / POINTS as f64 * TAU) / peak;
        let values: Vec<String> = (0..POINTS).map(|n| format!("{:.5}", value(n))).collect();
        self.scpi.tell(&format!("TRAC {name},{}", values.join(","))).await?;
        Ok(name.to_owned())
    }

    fn reported(&self, what: &str) -> InstrumentError {
        InstrumentError::Reported { instrument: self.scpi.instrument().to_owned(), what: what.to_owned() }
    }
}

/// A command to one phase: chosen in the same message, so that nobody else's choice comes between.
fn of(n: usize, command: &str) -> String {
    format!("INST:NSEL {};:{command}", n + 1)
}

/// By how much each voltage is ahead of the common zero (deg). A phase without voltage keeps its place in the order L1-L2-L3.
fn leads(setting: &Setting) -> [f64; 3] {
    let place = |n: usize| 120.0 * n as f64;
    let first = setting.voltage.iter().enumerate().find_map(|(n, wave)| Some(wave.as_ref()?.lag_deg - place(n)));
    let zero = first.unwrap_or(0.0);
    [0, 1, 2].map(|n| -setting.voltage[n].map_or(zero + place(n), |wave| wave.lag_deg))
}

/// The same as the instrument is told: L1 by the reference, the others by L1 (deg).
fn told(leads: &[f64; 3]) -> [f64; 3] {
    [leads[0], leads[1] - leads[0], leads[2] - leads[0]].map(shape::wrapped)
}

#[async_trait]
impl AcSource for AmetekMx {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        let identity = self.scpi.ask("*IDN?").await?;
        let maker = identity.split(',').next().unwrap_or_default().trim().to_ascii_uppercase();
        if !maker.contains("AMETEK") && !maker.contains("CALIFORNIA INSTRUMENTS") {
            return Err(self.scpi.unexpected("*IDN?", &identity, "`AMETEK,...`"));
        }
        Ok(identity)
    }

    fn check(&self, setting: &Setting) -> Result<(), InstrumentError> {
        self.check_waveform(setting, &Waveform::default())
    }

    async fn apply(&mut self, setting: &Setting) -> Result<(), InstrumentError> {
        self.put_out(setting, &Waveform::default()).await
    }

    async fn read_back(&mut self) -> Result<Readback, InstrumentError> {
        let mut readback = Readback { hertz: self.scpi.number("MEAS:FREQ?").await?, ..Readback::default() };
        for (n, volt) in readback.volt.iter_mut().enumerate() {
            *volt = self.scpi.number(&of(n, "MEAS:VOLT?")).await?.abs();
        }
        Ok(readback)
    }

    fn slowness(&self) -> Duration {
        SWITCHING
    }

    fn waves(&mut self) -> Option<&mut dyn WaveSource> {
        Some(self)
    }

    async fn off(&mut self) -> Result<(), InstrumentError> {
        self.standing = None;
        // Whatever stands in the error queue is not about this.
        self.scpi.say("*CLS").await?;
        self.scpi.say("ABOR").await?;
        self.scpi.tell("OUTP 0").await?;
        if self.scpi.switch("OUTP?").await? {
            return Err(self.reported("its output is on after it was switched off"));
        }
        sleep(RELAY).await;
        Ok(())
    }

    fn fresh(&self) -> Box<dyn AcSource> {
        Box::new(Self::over(self.scpi.fresh(), self.limits))
    }
}

#[async_trait]
impl WaveSource for AmetekMx {
    fn check_waveform(&self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        limits::check(&self.scpi, self.limits, setting, waveform)
    }

    async fn apply_waveform(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        self.put_out(setting, waveform).await
    }

    fn check_event(&self, setting: &Setting, event: &VoltageEvent) -> Result<(), InstrumentError> {
        limits::check_event(&self.scpi, self.limits, setting, event)
    }

    fn pause(&self, hertz: f64) -> Duration {
        events::pause(hertz)
    }

    async fn play(&mut self, event: &VoltageEvent) -> Result<(), InstrumentError> {
        let stands = self.standing.as_ref().and_then(|standing| standing.setting.filter(|_| standing.relay));
        let Some(setting) = stands else {
            return Err(self.scpi.cannot("a voltage event", "nothing stands that it could happen to"));
        };
        self.check_event(&setting, event)?;
        let Some(standing) = self.standing.take() else { return Ok(()) };
        self.transient(&standing, &leads(&setting), event).await?;
        self.standing = Some(standing);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
