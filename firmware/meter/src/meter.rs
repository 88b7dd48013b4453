//! The meter object: blocks of samples in, actions out.

use core::fmt;

use meterbench_metrology::{
    Config, ConfigError, CycleSums, Found, Frame, Impulse, ImpulseQuantity, Impulses, MeterConstant, PhaseCalibration,
    Readings, Registers, SAMPLE_RATE, State,
};

use crate::clock::{Clock, ClockError, Outage};
use crate::configuration::Configuration;
use crate::cosem::{Device, Identity, energy_of, snapshot_value};
use crate::display::{Display, DisplayFormat, Unit};
use crate::image::Image;
use crate::memory::{Memory, WorkArea, Workspace};
use crate::profile::{Product, Profile};
use crate::quality::aggregates::{Harmonics, NO_HARMONICS};
use crate::quality::event::{Moment, Timeline, Told, Trigger};
use crate::quality::monitor::{Monitor, Tick};
use crate::quality::snapshot::MOST_REGISTERS;
use crate::records::{Defaults, Records};
use crate::ring::Stamp;

/// What the shell must do for the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Drive the test output (LED) and the S0 output with the same two edges.
    Impulse(Impulse),
}

/// What is set per meter beside its type: nameplate, calibration, outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Reference voltage Un (V), one of the product's.
    pub reference_voltage: u32,
    /// What the test output and S0 count.
    pub quantity: ImpulseQuantity,
    /// Impulses per kWh (kvarh).
    pub constant: MeterConstant,
    /// Time an impulse lasts (ms).
    pub pulse_width_ms: u32,
    /// Resolution of the display.
    pub display: DisplayFormat,
    /// Power per phase below which nothing is registered (mW); `None` for half the starting power of the class.
    pub starting_power_mw: Option<u32>,
    /// Calibration of the measuring systems.
    pub calibration: [PhaseCalibration; 3],
}

impl Settings {
    /// As delivered: 230 V, 1000 imp/kWh of 30 ms, display in watt-hours, ideal calibration.
    pub fn delivered() -> Self {
        Self {
            reference_voltage: 230,
            quantity: ImpulseQuantity::Active,
            constant: const { MeterConstant::new(1000).unwrap() },
            pulse_width_ms: 30,
            display: DisplayFormat::WATT_HOUR,
            starting_power_mw: None,
            calibration: [PhaseCalibration::default(); 3],
        }
    }

    /// With the digits of the display and the length of the impulses that a software configuration asks for.
    #[must_use]
    pub fn configured(self, configuration: &Configuration) -> Self {
        Self { display: configuration.display_format(), pulse_width_ms: configuration.pulse_width_ms(), ..self }
    }
}

/// Why a meter cannot be made of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// The metrology refuses.
    #[error(transparent)]
    Metrology(#[from] ConfigError),
    /// The product is not made for this voltage.
    #[error("the reference voltage is {found} V; this type exists for {}", Volts(.allowed))]
    ReferenceVoltage {
        /// The voltage asked for (V).
        found: u32,
        /// The voltages of the product (V).
        allowed: &'static [u32],
    },
    /// The test output shall count what the meter does not register.
    #[error("this type registers no reactive energy: its test output cannot count kvarh")]
    NoReactiveEnergy,
}

/// `230 V and 240 V`
struct Volts<'a>(&'a [u32]);

impl fmt::Display for Volts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, volt) in self.0.iter().enumerate() {
            let and = if n == 0 { "" } else { " and " };
            write!(f, "{and}{volt} V")?;
        }
        Ok(())
    }
}

/// One meter.
#[derive(Debug)]
pub struct Meter {
    config: Config,
    state: State,
    settings: Settings,
    profile: Profile,
    device: Device,
    records: Records,
    quality: Monitor,
    workspace: Workspace,
    #[cfg(feature = "defects")]
    pub(crate) defects: crate::defects::Defects,
}

impl Meter {
    /// Configures the metrology from the profile and the settings.
    pub fn new(profile: &Profile, settings: &Settings) -> Result<Self, MeterError> {
        let un = settings.reference_voltage;
        let allowed = profile.product.reference_voltages();
        if !allowed.contains(&un) {
            return Err(MeterError::ReferenceVoltage { found: un, allowed });
        }
        if settings.quantity == ImpulseQuantity::Reactive && !profile.energies.has_reactive() {
            return Err(MeterError::NoReactiveEnergy);
        }
        let starting_mw = un * profile.starting_current_ma();
        let highest_w = profile.systems as u32 * un * profile.maximum_current * 115 / 100;
        let width = settings.pulse_width_ms.saturating_mul(SAMPLE_RATE / 1000);
        let mut config = Config::new(
            profile.systems,
            &settings.calibration,
            settings.starting_power_mw.unwrap_or(starting_mw / 2),
            highest_w,
            Impulses { quantity: settings.quantity, constant: settings.constant, width },
        )?;
        if !profile.energies.has_export() {
            config = config.import_only();
        }
        Ok(Self {
            config,
            state: State::default(),
            settings: *settings,
            profile: *profile,
            device: Device::new(None),
            records: Records::new(profile, Memory::Absent, Defaults::delivered(profile)),
            quality: Monitor::new(profile, un),
            workspace: Workspace::own(),
            #[cfg(feature = "defects")]
            defects: Default::default(),
        })
    }

    /// The same meter with a serial number, keys, and its type number as printed.
    #[must_use]
    pub fn with_identity(mut self, identity: &Identity, type_number: &str) -> Self {
        self.identify(identity, type_number);
        self
    }

    /// Gives the meter a serial number, keys, and its type number as printed.
    pub fn identify(&mut self, identity: &Identity, type_number: &str) {
        self.device = Device::new(Some(identity));
        self.device.set_type_number(type_number);
    }

    /// The same meter with the clock and the ports that its software configuration asks for.
    #[must_use]
    pub fn with_configuration(mut self, configuration: &Configuration) -> Self {
        self.configure(configuration);
        self
    }

    /// Gives the meter the clock and the ports that its software configuration asks for.
    pub fn configure(&mut self, configuration: &Configuration) {
        self.device.configure(configuration);
        self.records.defaults = Defaults::configured(&self.profile, configuration);
        let memory = self.take_memory();
        self.remember(memory);
    }

    /// The same meter with memory, and what stands in it: [`Memory::length_for`] octets give the depth of the data sheet.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory) -> Self {
        self.remember(memory);
        self
    }

    /// Gives the meter memory, and what stands in it. A processor has no room for a second meter on its way.
    #[inline(never)]
    pub fn remember(&mut self, memory: Memory) {
        self.records = Records::new(&self.profile, memory, self.records.defaults);
    }

    /// Takes the memory away, as it is when the supply fails: the next meter goes on with it.
    pub fn take_memory(&mut self) -> Memory {
        core::mem::take(&mut self.records.memory)
    }

    /// The same meter with room for the analysis of its samples: without it there is no power quality.
    #[must_use]
    pub fn with_workspace(mut self, workspace: Workspace) -> Self {
        self.watch_in(workspace);
        self
    }

    /// Gives the meter room for the analysis of its samples.
    pub fn watch_in(&mut self, workspace: Workspace) {
        self.workspace = workspace;
    }

    /// Takes the room of the analysis away: the next meter goes on with it.
    pub fn take_workspace(&mut self) -> Workspace {
        core::mem::take(&mut self.workspace)
    }

    /// The same meter with planted faults, to be given after its configuration.
    #[cfg(feature = "defects")]
    #[must_use]
    pub fn with_defects(mut self, defects: crate::defects::Defects) -> Self {
        self.device.clock.ignore_daylight_saving(defects.dst_ignored);
        self.quality.plant(defects);
        if let Some(area) = self.workspace.area_mut() {
            area.analysis.plant(defects.of_analysis());
        }
        self.defects = defects;
        self
    }

    /// What the meter is to its clients.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn device_mut(&mut self) -> &mut Device {
        &mut self.device
    }

    /// What the meter writes down with the time.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    pub(crate) fn records_mut(&mut self) -> &mut Records {
        &mut self.records
    }

    /// Power quality.
    pub(crate) fn quality(&self) -> &Monitor {
        &self.quality
    }

    pub(crate) fn quality_mut(&mut self) -> &mut Monitor {
        &mut self.quality
    }

    /// The time of the clock, as it is written down.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::of(&self.device.clock.local())
    }

    /// Somebody set the clock.
    pub(crate) fn clock_was_set(&mut self, before: Stamp) {
        let registers = self.all_registers();
        self.records.clock_set(before, &self.device.clock, |c| energy_of(&registers, c));
        self.quality.clock_set();
        self.write_down();
    }

    /// Lets the clock go on by so many samples from the one at which it stands; at every whole minute the registers are seen as
    /// they stand.
    fn pass(&mut self, mut from: u64, samples: u64) {
        let end = from + samples;
        while end - from >= self.device.clock.samples_to_tick() {
            let left = self.device.clock.samples_to_tick();
            from += left;
            self.device.clock.advance(left);
            self.tick(from);
        }
        self.device.clock.advance(end - from);
    }

    /// The clock shows a whole ten seconds, and the next sample is this.
    fn tick(&mut self, index: u64) {
        let utc = self.device.clock.utc_seconds();
        if utc.is_multiple_of(60) {
            let registers = self.all_registers();
            self.records.minute(&self.device.clock, |c| energy_of(&registers, c));
        }
        self.quality.tick(&Tick { utc, moment: Moment::of(&self.device.clock), index });
        self.write_down();
    }

    /// Takes a block of samples; hands every action to `act` in the order of its instant.
    pub fn process(&mut self, frames: &[Frame], mut act: impl FnMut(Action)) {
        let mut rest = frames;
        while !rest.is_empty() {
            let to_tick = usize::try_from(self.device.clock.samples_to_tick()).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(rest.len().min(to_tick));
            let index = self.state.sample_index();
            for frame in now {
                if let Some(impulse) = self.take(frame, index) {
                    act(Action::Impulse(impulse));
                }
                if self.quality.has_told() {
                    self.write_down();
                }
            }
            self.pass(index, now.len() as u64);
            rest = later;
        }
    }

    /// Takes one sample; the clock stands at the sample of this index.
    #[inline]
    fn take(&mut self, frame: &Frame, index: u64) -> Option<Impulse> {
        let Self { config, state, quality, device, workspace, .. } = self;
        let Some(WorkArea { analysis, harmonics }) = workspace.area_mut() else { return config.process(state, frame) };
        let time = Timeline { clock: &device.clock, index };
        config.process_watched(state, analysis, frame, |found| quality.found(&found, &time, harmonics))
    }

    /// Takes whole cycles of mains as sums, as [`Meter::process`] takes samples; see [`State::at_window_start`].
    pub fn process_cycle(&mut self, cycle: &CycleSums, mut act: impl FnMut(Action)) {
        // Energy is booked with the last sample: a minute that is over before sees the registers as they were.
        let (from, before) = (self.state.sample_index(), u64::from(cycle.samples.saturating_sub(1)));
        self.pass(from, before);
        let Self { config, state, quality, device, workspace, .. } = self;
        let act = |impulse| act(Action::Impulse(impulse));
        match workspace.area_mut() {
            None => config.process_cycle(state, cycle, act),
            Some(WorkArea { analysis, harmonics }) => {
                let time = Timeline { clock: &device.clock, index: from + before };
                let found = |found: Found<'_>| quality.found(&found, &time, harmonics);
                config.process_cycle_watched(state, analysis, cycle, act, found);
            }
        }
        if self.quality.has_told() {
            self.write_down();
        }
        self.pass(from + before, u64::from(cycle.samples) - before);
    }

    /// Writes down what the monitor has told.
    fn write_down(&mut self) {
        #[cfg(feature = "defects")]
        if let Some(trigger) = self.quality.take_late() {
            self.take_snapshot(&trigger);
        }
        for told in self.quality.take_told() {
            match told {
                Told::Ended(event) => self.records.tell_quality(&event),
                #[cfg(feature = "defects")]
                Told::Began(trigger) if self.defects.snapshot_late => self.quality.put_off(trigger),
                Told::Began(trigger) => self.take_snapshot(&trigger),
            }
        }
    }

    /// Takes a snapshot of the cycle in which an event began.
    fn take_snapshot(&mut self, trigger: &Trigger) {
        if self.profile.product != Product::Omnia {
            return;
        }
        let mut values = [0; MOST_REGISTERS];
        for (value, object) in values.iter_mut().zip(self.records.snapshots.objects()) {
            *value = object.as_ref().map_or(0, |object| snapshot_value(self, object, &trigger.values));
        }
        self.records.take_snapshot(trigger, &values);
    }

    /// The metrology's state, for what hands it cycles.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes power quality as clients see it, and what becomes of it, into a hash, for who compares two meters.
    pub fn hash_quality(&self, state: &mut impl core::hash::Hasher) {
        use core::hash::Hash;
        self.quality.hash(state);
        for phasor in self.harmonics().as_flattened() {
            (phasor.re.to_bits(), phasor.im.to_bits()).hash(state);
        }
    }

    /// Harmonics of the last window.
    pub(crate) fn harmonics(&self) -> &Harmonics {
        self.workspace.area().map_or(&NO_HARMONICS, |area| &area.harmonics)
    }

    /// Hands over from cycles to samples; see [`State::resume`].
    pub fn resume(&mut self, last_but_one: &Frame, last: &Frame) {
        self.state.resume(last_but_one, last);
    }

    /// Lets the test output and S0 count kWh or kvarh.
    pub fn select_output(&mut self, quantity: ImpulseQuantity) -> Result<(), MeterError> {
        if quantity == ImpulseQuantity::Reactive && !self.profile.energies.has_reactive() {
            return Err(MeterError::NoReactiveEnergy);
        }
        self.config.select(&mut self.state, quantity);
        Ok(())
    }

    /// What the test output and S0 count now.
    pub fn output(&self) -> ImpulseQuantity {
        self.config.impulses().quantity
    }

    /// What must outlive a power cut; the shell keeps it.
    pub fn persist(&self) -> Image {
        let Impulses { quantity, constant, .. } = self.config.impulses();
        let quality = Some(self.quality.kept(self.state.sample_index()));
        Image { kept: self.state.kept(), quantity, constant, device: Some(self.device.kept()), quality }
    }

    /// The image that the shell keeps before anything leaves a port; `None` where the one before still serves.
    ///
    /// A shell asks after every call of a port. With the image in its memory, no power cut makes the meter accept a request
    /// again that it has answered, use a number again that it has sent, or forget a key that it has confirmed.
    pub fn due_image(&mut self) -> Option<Image> {
        self.device.needs_keeping().then(|| {
            self.device.keep();
            self.persist()
        })
    }

    /// Goes on with an image, as after power-up: sample time starts at zero, and counters jump ahead by what the image
    /// reserves. The clock goes on as the outage says, with the zone and the daylight saving that clients gave it.
    ///
    /// The outputs count what they counted, if this type registers it. The energy on its way to the next impulse is
    /// dropped where it is of another kind or of another constant: less than one impulse, and no register changes.
    #[inline(never)]
    pub fn restore(&mut self, image: &Image, outage: Outage) {
        let Impulses { constant, .. } = self.config.impulses();
        let mut kept = image.kept;
        if self.select_output(image.quantity).is_err() || constant != image.constant {
            kept.collected = 0;
        }
        self.state = State::with_kept(&kept);
        if let Some(kept) = &image.device {
            self.device.restore(kept);
        }
        let stood = self.stamp();
        self.device.clock.wake(outage);
        if let Some(kept) = &image.quality {
            // Where nobody knows how long it was, what is known of an event is how long it was seen.
            let outage_ms = if let Outage::Bridged { ms } = outage { ms } else { 0 };
            self.quality.restore(kept, outage_ms);
        }
        self.write_down();
        let registers = self.all_registers();
        self.records.power_up(stood, &self.device.clock, |c| energy_of(&registers, c));
    }

    /// What it is by its clock.
    pub fn clock(&self) -> &Clock {
        &self.device.clock
    }

    /// Sets the clock (s of UTC since 2000), as is done before delivery.
    pub fn set_clock(&mut self, seconds: u64) -> Result<(), ClockError> {
        self.device.clock.set_utc(seconds)
    }

    /// The crystal that keeps time is so much faster than the one that samples (1e-9), as the shell finds by counting both.
    pub fn trim_clock(&mut self, ppb: i32) {
        self.device.clock.set_trim_ppb(ppb);
    }

    /// Samples taken since power-up.
    pub fn sample_index(&self) -> u64 {
        self.state.sample_index()
    }

    /// The image of the display with this item of its list (OBIS C.D.E); `None` for what the list does not hold.
    pub fn display(&self, obis: [u8; 3]) -> Option<Display> {
        let (total, energies) = (self.registers(), self.profile.energies);
        let (energy, unit) = match obis {
            [1, 8, 0] => (total.active_import, Unit::KilowattHour),
            [2, 8, 0] if energies.has_export() => (total.active_export, Unit::KilowattHour),
            [3, 8, 0] if energies.has_reactive() => (total.reactive_import(), Unit::KilovarHour),
            [4, 8, 0] if energies.has_reactive() => (total.reactive_export(), Unit::KilovarHour),
            _ => return None,
        };
        Some(Display::of(obis, energy, self.settings.display, unit))
    }

    /// Registers of the total, those of energies that the type does not register too.
    pub fn registers(&self) -> Registers {
        self.booked(self.state.total())
    }

    /// Registers of one phase, counted from 0.
    pub fn phase_registers(&self, phase: usize) -> Registers {
        self.booked(self.state.phase(phase))
    }

    /// Registers of the total and of the phases.
    pub(crate) fn all_registers(&self) -> [Registers; 4] {
        let [l1, l2, l3] = core::array::from_fn(|phase| self.phase_registers(phase));
        [self.registers(), l1, l2, l3]
    }

    /// What the registers hold of what was measured: all of it, unless a fault is planted.
    fn booked(&self, measured: &Registers) -> Registers {
        #[cfg(feature = "defects")]
        return self.defects.booked(*measured, self.config.impulses().constant);
        #[cfg(not(feature = "defects"))]
        *measured
    }

    /// Registers of the total (0) or of a phase (1 to 3), to be written.
    #[cfg(feature = "defects")]
    pub(crate) fn registers_mut(&mut self, phase: u8) -> &mut Registers {
        self.state.registers_mut(phase)
    }

    /// Instantaneous values.
    pub fn readings(&self) -> &Readings {
        self.state.readings()
    }

    /// What this meter is and has.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::TypeNumber;

    fn profile(type_number: &str) -> Profile {
        *type_number.parse::<TypeNumber>().unwrap().profile()
    }

    fn three_phase() -> Profile {
        profile("684-2-41D-1312AA70-1B14001")
    }

    const OMNIPOWER: &str = "686-11-11B-N14-3001-001";
    const IMPORT_ONLY: &str = "686-11-11B-N11-3001-001";

    #[test]
    fn the_profile_configures_the_metrology() {
        let profile = three_phase();
        assert_eq!((profile.maximum_current, profile.starting_current_ma()), (100, 20));
        assert!(Meter::new(&profile, &Settings::delivered()).is_ok());
        let wrong = Settings { reference_voltage: 120, ..Settings::delivered() };
        let refused = Meter::new(&profile, &wrong).unwrap_err();
        assert_eq!(refused, MeterError::ReferenceVoltage { found: 120, allowed: &[230, 240] });
        assert_eq!(refused.to_string(), "the reference voltage is 120 V; this type exists for 230 V and 240 V");
    }

    #[test]
    fn an_omnipower_exists_for_230_v() {
        let settings = Settings { reference_voltage: 240, ..Settings::delivered() };
        assert!(Meter::new(&three_phase(), &settings).is_ok());
        let refused = Meter::new(&profile(OMNIPOWER), &settings).unwrap_err();
        assert_eq!(refused, MeterError::ReferenceVoltage { found: 240, allowed: &[230] });
    }

    #[test]
    fn impulses_of_80_ms_fit_one_system_and_not_three() {
        let settings = Settings { pulse_width_ms: 80, ..Settings::delivered() };
        let meter = Meter::new(&profile(OMNIPOWER), &settings).unwrap();
        assert_eq!(meter.config.impulses().width, 80 * 8);
        assert!(matches!(Meter::new(&three_phase(), &settings), Err(MeterError::Metrology(_))));
    }

    #[test]
    fn the_configuration_sets_decimals_and_impulses() {
        let configuration = "31002-00101013-0000000100-000000001000-0000001000-30001031".parse().unwrap();
        let settings = Settings::delivered().configured(&configuration);
        assert_eq!((settings.display, settings.pulse_width_ms), (DisplayFormat { whole: 7, decimals: 2 }, 80));
    }

    #[test]
    fn what_is_not_registered_is_neither_shown_nor_counted() {
        let delivered = Settings::delivered();
        let shown = |type_number: &str| {
            let meter = Meter::new(&profile(type_number), &delivered).unwrap();
            [1, 2, 3, 4].map(|c| meter.display([c, 8, 0]).is_some())
        };
        assert_eq!(shown(OMNIPOWER), [true, true, true, true]);
        assert_eq!(shown("686-11-11B-N12-3001-001"), [true, true, false, false]);
        assert_eq!(shown(IMPORT_ONLY), [true, false, false, false]);
        let kvarh = Settings { quantity: ImpulseQuantity::Reactive, ..delivered };
        assert_eq!(Meter::new(&profile(IMPORT_ONLY), &kvarh).unwrap_err(), MeterError::NoReactiveEnergy);
    }

    #[test]
    fn an_import_only_meter_gives_no_impulse_for_export() {
        // 50 Hz, about 230 V and 53 A, against each other.
        let wave = |n: usize| (std::f64::consts::TAU * n as f64 / 160.0).sin();
        let export: [Frame; 160] = core::array::from_fn(|n| Frame {
            voltage: [(4_548_000.0 * wave(n)) as i32, 0, 0],
            current: [(-3_163_000.0 * wave(n)) as i32, 0, 0],
        });
        let impulses = |type_number: &str| {
            let mut meter = Meter::new(&profile(type_number), &Settings::delivered()).unwrap();
            let mut impulses = 0;
            for _ in 0..100 {
                meter.process(&export, |Action::Impulse(_)| impulses += 1);
            }
            (impulses, meter.registers().active_export.watt_hours() > 0)
        };
        assert_eq!(impulses(IMPORT_ONLY), (0, true));
        assert!(impulses(OMNIPOWER).0 > 1);
    }

    #[test]
    fn a_restored_meter_goes_on_where_it_stood() {
        let wave = |n: usize| (std::f64::consts::TAU * n as f64 / 160.0).sin();
        let import: [Frame; 160] = core::array::from_fn(|n| Frame {
            voltage: [(4_548_000.0 * wave(n)) as i32; 3],
            current: [(3_163_000.0 * wave(n + 10)) as i32; 3],
        });
        let delivered = Settings::delivered();
        let mut meter = Meter::new(&three_phase(), &delivered).unwrap();
        meter.select_output(ImpulseQuantity::Reactive).unwrap();
        for _ in 0..123 {
            meter.process(&import, |_| ());
        }
        let image = Image::from_bytes(&meter.persist().to_bytes()).unwrap();
        let mut again = Meter::new(&three_phase(), &delivered).unwrap();
        again.restore(&image, Outage::Unknown);
        assert_eq!((again.persist(), again.sample_index()), (meter.persist(), 0));
        assert_eq!(again.registers(), meter.registers());
        assert_eq!(again.output(), ImpulseQuantity::Reactive);
        assert_ne!(again.persist().kept.collected, 0);
        // Another type and another constant keep the registers, and drop what was on its way to an impulse.
        let mut other = Meter::new(&profile(IMPORT_ONLY), &delivered).unwrap();
        other.restore(&image, Outage::Unknown);
        assert_eq!((other.registers(), other.persist().kept.collected), (meter.registers(), 0));
        let slower = Settings { constant: MeterConstant::new(500).unwrap(), ..delivered };
        let mut other = Meter::new(&three_phase(), &slower).unwrap();
        other.restore(&image, Outage::Unknown);
        assert_eq!((other.registers(), other.persist().kept.collected), (meter.registers(), 0));
    }

    #[test]
    fn a_constant_that_merges_impulses_is_refused() {
        let settings = Settings { constant: MeterConstant::new(2000).unwrap(), ..Settings::delivered() };
        assert!(matches!(Meter::new(&three_phase(), &settings), Err(MeterError::Metrology(_))));
    }

    #[test]
    fn the_display_starts_at_zero_with_its_resolution() {
        let meter = Meter::new(&three_phase(), &Settings::delivered()).unwrap();
        let shown = |obis| meter.display(obis).map(|d| d.to_string());
        assert_eq!(shown([1, 8, 0]).as_deref(), Some("1.8.0;000000.000;kWh"));
        assert_eq!(shown([4, 8, 0]).as_deref(), Some("4.8.0;000000.000;kvarh"));
        assert_eq!(shown([32, 7, 0]), None);
    }
}
