//! The meter object: blocks of samples in, actions out.

use meterbench_metrology::{
    Config, ConfigError, Frame, Impulse, ImpulseQuantity, Impulses, MeterConstant, PhaseCalibration, Readings,
    Registers, State,
};

use crate::display::{Display, DisplayFormat, Unit};
use crate::profile::Profile;

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
    /// Reference voltage Un (V), 230 or 240.
    pub reference_voltage: u32,
    /// What the test output and S0 count.
    pub quantity: ImpulseQuantity,
    /// Impulses per kWh (kvarh).
    pub constant: MeterConstant,
    /// Resolution of the display.
    pub display: DisplayFormat,
    /// Power per phase below which nothing is registered (mW); `None` for half the starting power of the class.
    pub starting_power_mw: Option<u32>,
    /// Calibration of the measuring systems.
    pub calibration: [PhaseCalibration; 3],
}

impl Settings {
    /// As delivered: 230 V, 1000 imp/kWh, display in watt-hours, ideal calibration.
    pub fn delivered() -> Self {
        Self {
            reference_voltage: 230,
            quantity: ImpulseQuantity::Active,
            constant: const { MeterConstant::new(1000).unwrap() },
            display: DisplayFormat::WATT_HOUR,
            starting_power_mw: None,
            calibration: [PhaseCalibration::default(); 3],
        }
    }
}

/// Why a meter cannot be made of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// The metrology refuses.
    #[error(transparent)]
    Metrology(#[from] ConfigError),
    /// The type exists for 230 V and 240 V.
    #[error("the reference voltage is {found} V; this type exists for 230 V and 240 V")]
    ReferenceVoltage {
        /// The voltage asked for (V).
        found: u32,
    },
}

/// One meter.
#[derive(Debug, Clone)]
pub struct Meter {
    config: Config,
    state: State,
    settings: Settings,
    profile: Profile,
}

impl Meter {
    /// Configures the metrology from the profile and the settings.
    pub fn new(profile: &Profile, settings: &Settings) -> Result<Self, MeterError> {
        let un = settings.reference_voltage;
        if !matches!(un, 230 | 240) {
            return Err(MeterError::ReferenceVoltage { found: un });
        }
        let starting_mw = un * profile.starting_current_ma();
        let highest_w = profile.systems as u32 * un * profile.maximum_current * 115 / 100;
        let width = Impulses::WIDTH_30_MS;
        let config = Config::new(
            profile.systems,
            &settings.calibration,
            settings.starting_power_mw.unwrap_or(starting_mw / 2),
            highest_w,
            Impulses { quantity: settings.quantity, constant: settings.constant, width },
        )?;
        Ok(Self { config, state: State::default(), settings: *settings, profile: *profile })
    }

    /// Takes a block of samples; hands every action to `act` in the order of its instant.
    pub fn process(&mut self, frames: &[Frame], mut act: impl FnMut(Action)) {
        for frame in frames {
            if let Some(impulse) = self.config.process(&mut self.state, frame) {
                act(Action::Impulse(impulse));
            }
        }
    }

    /// Samples taken since power-up.
    pub fn sample_index(&self) -> u64 {
        self.state.sample_index()
    }

    /// The image of the display with this item of its list (OBIS C.D.E); `None` for what the list does not hold.
    pub fn display(&self, obis: [u8; 3]) -> Option<Display> {
        let total = self.registers();
        let (energy, unit) = match obis {
            [1, 8, 0] => (total.active_import, Unit::KilowattHour),
            [2, 8, 0] => (total.active_export, Unit::KilowattHour),
            [3, 8, 0] => (total.reactive_import(), Unit::KilovarHour),
            [4, 8, 0] => (total.reactive_export(), Unit::KilovarHour),
            _ => return None,
        };
        Some(Display::of(obis, energy, self.settings.display, unit))
    }

    /// Registers of the total.
    pub fn registers(&self) -> &Registers {
        self.state.total()
    }

    /// Registers of one phase, counted from 0.
    pub fn phase_registers(&self, phase: usize) -> &Registers {
        self.state.phase(phase)
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

    fn three_phase() -> Profile {
        *"684-2-41D-1312AA70-1B14001".parse::<TypeNumber>().unwrap().profile()
    }

    #[test]
    fn the_profile_configures_the_metrology() {
        let profile = three_phase();
        assert_eq!((profile.maximum_current, profile.starting_current_ma()), (100, 20));
        assert!(Meter::new(&profile, &Settings::delivered()).is_ok());
        let wrong = Settings { reference_voltage: 120, ..Settings::delivered() };
        assert_eq!(Meter::new(&profile, &wrong).unwrap_err(), MeterError::ReferenceVoltage { found: 120 });
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
