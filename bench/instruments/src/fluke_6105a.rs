//! Fluke 6105A with two auxiliaries 6106A: voltages and currents of three phases with harmonics, interharmonics, flicker and dips.
//!
//! The instrument speaks GPIB; over a gateway or VISA the lines are these. Each channel takes effect as it is told, so the order
//! is: currents that go or change their range off, frequency, voltages, currents, output. Voltages keep one range, that of the
//! bench's limit. A voltage's angle leads that of L1, a current's angle leads the voltage of its own phase, a harmonic's
//! angle is its own where the fundamental of its channel crosses zero upwards. The read-back is what the instrument says of its output: it
//! regulates by its own converter and has no second meter.
//!
//! | commands | known from |
//! |---|---|
//! | `SOUR:PHAS:FITT?`, `MHAR`, `FHAR`, `IHAR:STAT`, `FLIC:FREQ`, `FLIC:FREQ:UNIT`, `FLIC:SHAP`, `CURR:RANG` and its ranges, `CURR:AMPL?` | users manual |
//! | figures of dips and interharmonics, bandwidth of the 80 A range, modes of the dip trigger | users manual |
//! | `SOUR:FREQ`, `VOLT:RANG` and its ranges, `VOLT:STAT`, `CURR:STAT`, `UNIT:MHAR`, `OUTP:STAT`, `SYST:ERR?`, angles of currents | drivers of others |
//! | `VOLT:AMPL?`, `FLIC:STAT`, `FLIC:DEPT`, `IHAR:SIGN1`, `DIP:ENV`, `DIP:TRIG:INP`, `DIP:TRIG:HOLD`, `DIP:STAT`, `OUTP:DIP:TRIG` | recalled |
//! | shares of a range a harmonic and the direct part may have, angles of harmonics, what the depth of fluctuating harmonics means | recalled |

mod commands;
mod limits;

use std::time::Duration;

use async_trait::async_trait;
use meterbench_link::Session;
use meterbench_waveform::{Distortion, VoltageEvent, Waveform};
use tokio::time::{Instant, sleep, sleep_until};

use self::commands::{CLEAR, Channel, Kind, dip, head};
use self::limits::{HERTZ, HIGHEST_AMPERE, LOWEST_AMPERE, LOWEST_VOLT, Range, Refused};
use crate::roles::{AcSource, InstrumentError, Readback, Setting, SourceLimits, Wave};
use crate::scpi::Scpi;
use crate::shape;
use crate::waveform::WaveSource;

/// Time in which the amplifiers go from one set-point to the next, the soft start of the output included (recalled).
const SWITCHING: Duration = Duration::from_millis(800);
/// Longest time it may take to say that it is done.
const LONGEST: Duration = Duration::from_secs(15);
/// After a dip, before anything is asked for.
const AFTER_A_DIP: Duration = Duration::from_millis(50);
/// To arm and to disarm the dips of three phases.
const ARMING: Duration = Duration::from_millis(30);

pub(crate) struct Fluke6105a {
    scpi: Scpi,
    limits: SourceLimits,
    /// What the driver has made of the instrument; nothing while that is not known.
    standing: Option<Standing>,
}

/// What the channels were told.
#[derive(Debug, Default)]
struct Standing {
    hertz: Option<f64>,
    voltage: [Option<Channel>; 3],
    current: [Option<Channel>; 3],
    ranges: [Option<Range>; 3],
    setting: Option<Setting>,
    output: bool,
}

impl Fluke6105a {
    pub(crate) fn new(session: Session, limits: SourceLimits) -> Self {
        Self::over(Scpi::new(session), limits)
    }

    fn over(scpi: Scpi, limits: SourceLimits) -> Self {
        Self { scpi, limits, standing: None }
    }

    fn voltage_range(&self) -> Range {
        limits::voltage_range(self.limits.volt)
    }

    fn cannot(&self, name: &str, (asked, why): Refused) -> InstrumentError {
        self.scpi.cannot(format!("{asked} on {name}"), why)
    }

    /// The range of each current; refuses what no channel can make.
    fn ranges(&self, setting: &Setting, waveform: &Waveform) -> Result<[Option<Range>; 3], InstrumentError> {
        let within = |hertz: f64| (HERTZ.0..=HERTZ.1).contains(&hertz);
        if !within(setting.hertz) {
            return Err(self.scpi.beyond(format!("{} Hz", setting.hertz), format!("{} Hz to {} Hz", HERTZ.0, HERTZ.1)));
        }
        let highest = |limit: f64, most: f64| limit.min(most);
        let check = |wave: &Wave, distortion: &Distortion, unit: &str, least: f64, most: f64| {
            let rms = wave.rms * shape::rms(distortion);
            if (least..=most).contains(&wave.rms) && rms <= most && wave.lag_deg.is_finite() {
                return Ok(());
            }
            Err(self.scpi.beyond(format!("{} {unit}", shape::rounded(rms)), format!("{least} {unit} to {most} {unit}")))
        };
        let mut ranges = [None; 3];
        for (n, range) in ranges.iter_mut().enumerate() {
            let phase = n + 1;
            let distortion = &waveform.voltage[n];
            match &setting.voltage[n] {
                Some(wave) => {
                    let most = highest(self.limits.volt, self.voltage_range().high);
                    check(wave, distortion, "V", LOWEST_VOLT, most)?;
                    limits::fits(self.voltage_range(), "V", wave.rms, setting.hertz, distortion)
                        .map_err(|refused| self.cannot(&format!("U{phase}"), refused))?;
                }
                None => self.nothing_to_distort(distortion, &format!("U{phase}"))?,
            }
            let distortion = &waveform.current[n];
            match &setting.current[n] {
                Some(wave) => {
                    check(wave, distortion, "A", LOWEST_AMPERE, highest(self.limits.ampere, HIGHEST_AMPERE))?;
                    let held = limits::current_range(wave.rms, setting.hertz, distortion);
                    *range = Some(held.map_err(|refused| self.cannot(&format!("I{phase}"), refused))?);
                }
                None => self.nothing_to_distort(distortion, &format!("I{phase}"))?,
            }
        }
        Ok(ranges)
    }

    fn nothing_to_distort(&self, distortion: &Distortion, name: &str) -> Result<(), InstrumentError> {
        if distortion.is_none() {
            return Ok(());
        }
        Err(self.scpi.cannot(format!("a distortion of {name}"), "it is switched off"))
    }

    /// Nothing is inherited: an instrument whose state is not known begins with its outputs off.
    async fn prepare(&mut self) -> Result<(), InstrumentError> {
        self.standing = None;
        for command in ["*CLS", "OUTP:STAT OFF", "*RST", "UNIT:MHAR:VOLT ABS", "UNIT:MHAR:CURR ABS"] {
            self.scpi.tell(command).await?;
        }
        let range = self.voltage_range();
        for n in 0..3 {
            let head = head(Kind::Voltage, n);
            self.scpi.tell(&format!("{head}:RANG {},{}", range.low, range.high)).await?;
        }
        self.standing = Some(Standing::default());
        Ok(())
    }

    async fn put_out(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        let ranges = self.ranges(setting, waveform)?;
        let begun = Instant::now();
        if self.standing.is_none() || self.scpi.is_out_of_step() {
            self.prepare().await?;
        }
        // If anything below fails, what stands is not known any more.
        let Some(mut standing) = self.standing.take() else { return Ok(()) };
        let lags = voltage_lags(setting);
        for (n, range) in ranges.iter().enumerate() {
            if standing.current[n].is_some() && (setting.current[n].is_none() || standing.ranges[n] != *range) {
                let head = head(Kind::Current, n);
                self.scpi.tell(&format!("{head}:STAT OFF")).await?;
                // Another range is refused while what stands does not fit into it.
                if standing.current[n].as_ref().is_some_and(|channel| !channel.distortion.is_none()) {
                    for command in CLEAR {
                        self.scpi.tell(&format!("{head}:{command}")).await?;
                    }
                }
                standing.current[n] = None;
            }
        }
        if standing.hertz != Some(setting.hertz) {
            self.scpi.tell(&format!("SOUR:FREQ {}", setting.hertz)).await?;
            standing.hertz = Some(setting.hertz);
        }
        for n in 0..3 {
            let wanted = setting.voltage[n].map(|wave| Channel {
                rms: wave.rms,
                angle_deg: shape::wrapped(lags[0] - lags[n]),
                distortion: waveform.voltage[n].clone(),
            });
            self.channel(&head(Kind::Voltage, n), &mut standing.voltage[n], wanted).await?;
        }
        for (n, range) in ranges.into_iter().enumerate() {
            let wanted = setting.current[n].map(|wave| Channel {
                rms: wave.rms,
                angle_deg: shape::wrapped(lags[n] - wave.lag_deg),
                distortion: waveform.current[n].clone(),
            });
            let head = head(Kind::Current, n);
            if let Some(range) = range.filter(|range| standing.ranges[n] != Some(*range)) {
                self.scpi.tell(&format!("{head}:RANG {},{}", range.low, range.high)).await?;
                standing.ranges[n] = Some(range);
            }
            self.channel(&head, &mut standing.current[n], wanted).await?;
        }
        let energised = setting.voltage.iter().chain(&setting.current).any(Option::is_some);
        if standing.output != energised {
            self.scpi.tell(if energised { "OUTP:STAT ON" } else { "OUTP:STAT OFF" }).await?;
        }
        self.scpi.completed(LONGEST).await?;
        sleep_until(begun + SWITCHING).await;
        if self.scpi.switch("OUTP:STAT?").await? != energised {
            let (state, asked) = if energised { ("off", "on") } else { ("on", "off") };
            let what = format!("its output is {state} after it was switched {asked}");
            return Err(InstrumentError::Reported { instrument: self.scpi.instrument().to_owned(), what });
        }
        standing.output = energised;
        standing.setting = Some(*setting);
        self.standing = Some(standing);
        Ok(())
    }

    /// Brings one channel to what is wanted; nothing is said where it stands there.
    async fn channel(
        &mut self,
        head: &str,
        standing: &mut Option<Channel>,
        wanted: Option<Channel>,
    ) -> Result<(), InstrumentError> {
        if *standing == wanted {
            return Ok(());
        }
        match &wanted {
            None => self.scpi.tell(&format!("{head}:STAT OFF")).await?,
            Some(channel) => {
                for command in channel.commands(head, standing.as_ref()) {
                    self.scpi.tell(&command).await?;
                }
                if standing.is_none() {
                    self.scpi.tell(&format!("{head}:STAT ON")).await?;
                }
            }
        }
        *standing = wanted;
        Ok(())
    }
}

/// Lag of each phase's voltage behind the common zero (deg). A phase without voltage keeps its place in the order L1-L2-L3.
fn voltage_lags(setting: &Setting) -> [f64; 3] {
    let place = |n: usize| 120.0 * n as f64;
    let first = setting.voltage.iter().enumerate().find_map(|(n, wave)| Some(wave.as_ref()?.lag_deg - place(n)));
    let zero = first.unwrap_or(0.0);
    [0, 1, 2].map(|n| setting.voltage[n].map_or(zero + place(n), |wave| wave.lag_deg))
}

#[async_trait]
impl AcSource for Fluke6105a {
    async fn identify(&mut self) -> Result<String, InstrumentError> {
        let identity = self.scpi.ask("*IDN?").await?;
        if identity.split(',').nth(1).is_none_or(|model| model.trim() != "6105A") {
            return Err(self.scpi.unexpected("*IDN?", &identity, "`FLUKE,6105A,...`"));
        }
        for phase in 1..=3 {
            if !self.scpi.switch(&format!("SOUR:PHAS{phase}:FITT?")).await? {
                let what = format!("phase {phase} is not fitted: a 6105A makes three phases with two auxiliaries");
                return Err(InstrumentError::Reported { instrument: self.scpi.instrument().to_owned(), what });
            }
        }
        Ok(identity)
    }

    fn check(&self, setting: &Setting) -> Result<(), InstrumentError> {
        self.ranges(setting, &Waveform::default()).map(drop)
    }

    async fn apply(&mut self, setting: &Setting) -> Result<(), InstrumentError> {
        self.put_out(setting, &Waveform::default()).await
    }

    async fn read_back(&mut self) -> Result<Readback, InstrumentError> {
        let mut readback = Readback { hertz: self.scpi.number("SOUR:FREQ?").await?, ..Readback::default() };
        if !self.scpi.switch("OUTP:STAT?").await? {
            return Ok(readback);
        }
        for n in 0..3 {
            for (kind, value) in [(Kind::Voltage, &mut readback.volt[n]), (Kind::Current, &mut readback.ampere[n])] {
                let head = head(kind, n);
                if self.scpi.switch(&format!("{head}:STAT?")).await? {
                    *value = self.scpi.number(&format!("{head}:AMPL?")).await?;
                }
            }
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
        self.scpi.tell("OUTP:STAT OFF").await?;
        if self.scpi.switch("OUTP:STAT?").await? {
            let what = "its output is on after it was switched off".to_owned();
            return Err(InstrumentError::Reported { instrument: self.scpi.instrument().to_owned(), what });
        }
        Ok(())
    }

    fn fresh(&self) -> Box<dyn AcSource> {
        Box::new(Self::over(self.scpi.fresh(), self.limits))
    }
}

#[async_trait]
impl WaveSource for Fluke6105a {
    fn check_waveform(&self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        self.ranges(setting, waveform).map(drop)
    }

    async fn apply_waveform(&mut self, setting: &Setting, waveform: &Waveform) -> Result<(), InstrumentError> {
        self.put_out(setting, waveform).await
    }

    fn check_event(&self, setting: &Setting, event: &VoltageEvent) -> Result<(), InstrumentError> {
        let phases = (0..3).filter(|&n| event.phases[n]);
        let volts: Option<Vec<f64>> = phases.map(|n| setting.voltage[n].map(|wave| wave.rms)).collect();
        let highest = volts.and_then(|volts| volts.into_iter().reduce(f64::max));
        limits::event(self.voltage_range(), highest, event).map_err(|(asked, why)| self.scpi.cannot(asked, why))?;
        let reached = highest.unwrap_or(0.0) * event.share;
        if event.share > 1.0 && reached > self.limits.volt {
            return Err(self
                .scpi
                .beyond(format!("a swell to {} V", shape::rounded(reached)), format!("{} V", self.limits.volt)));
        }
        Ok(())
    }

    fn pause(&self, hertz: f64) -> Duration {
        Duration::from_secs_f64(1.0 / hertz) + AFTER_A_DIP + ARMING
    }

    async fn play(&mut self, event: &VoltageEvent) -> Result<(), InstrumentError> {
        let stands = self.standing.as_ref().and_then(|standing| standing.setting.filter(|_| standing.output));
        let Some(setting) = stands else {
            return Err(self.scpi.cannot("a voltage event", "nothing stands that it could happen to"));
        };
        self.check_event(&setting, event)?;
        let standing = self.standing.take();
        let lags = voltage_lags(&setting);
        let phases: Vec<usize> = (0..3).filter(|&n| event.phases[n]).collect();
        for &n in &phases {
            // Each channel waits for its own angle: at one instant, if they are told the angles they have at that instant.
            let own = event.point_on_wave_deg - (lags[n] - lags[0]);
            for command in dip(&head(Kind::Voltage, n), event, own, setting.hertz) {
                self.scpi.tell(&command).await?;
            }
        }
        self.scpi.tell("OUTP:DIP:TRIG").await?;
        sleep(Duration::from_secs_f64(1.0 / setting.hertz + event.seconds) + AFTER_A_DIP).await;
        for &n in &phases {
            self.scpi.tell(&format!("{}:DIP:STAT OFF", head(Kind::Voltage, n))).await?;
        }
        if !self.scpi.switch("OUTP:STAT?").await? {
            let what = "its output went off during a voltage event".to_owned();
            return Err(InstrumentError::Reported { instrument: self.scpi.instrument().to_owned(), what });
        }
        self.standing = standing;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
