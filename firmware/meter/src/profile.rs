//! What a meter variant is and has.

use meterbench_metrology::Systems;

/// Accuracy class for active energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveClass {
    /// MID class A (EN 50470-3).
    A,
    /// MID class B (EN 50470-3).
    B,
    /// IEC 62053-21 class 1.
    One,
    /// IEC 62053-21 class 2.
    Two,
}

impl ActiveClass {
    /// The letter or digit on the nameplate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::One => "1",
            Self::Two => "2",
        }
    }

    /// Starting current in 1/1000 of the reference current: 0.004 for B and 1, 0.005 for A and 2
    /// (EN 50470-3 and IEC 62053-21, direct connection).
    pub const fn starting_current_permille(self) -> u32 {
        match self {
            Self::B | Self::One => 4,
            Self::A | Self::Two => 5,
        }
    }
}

/// Accuracy class for reactive energy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReactiveClass {
    /// IEC 62053-24 class 1.
    One,
    /// IEC 62053-23 class 2.
    Two,
}

/// Home area network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Han {
    /// No interface.
    None,
    /// DSMR P1 with the reduced object list.
    P1Lite,
    /// DSMR P1.
    P1,
}

/// Flexible interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flex {
    /// None.
    None,
    /// Auxiliary power supply, two load control switches, one pulse output.
    SupplyLoadControlPulse,
    /// Two load control switches, one pulse output.
    LoadControlPulse,
    /// Auxiliary power supply, one pulse output.
    SupplyPulse,
}

/// What keeps clock and memory alive without mains, and whether it can send a last gasp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// Supercapacitor, three days.
    Supercap3,
    /// Supercapacitor, seven days.
    Supercap7,
    /// Battery.
    Battery,
    /// Supercapacitor, three days, and last gasp.
    Supercap3LastGasp,
    /// Supercapacitor, seven days, and last gasp.
    Supercap7LastGasp,
    /// Battery and last gasp.
    BatteryLastGasp,
}

/// Energies the meter registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Energies {
    /// A+, A-, R+, R-.
    ActiveReactiveBothWays,
}

/// The decoded variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Measuring systems.
    pub systems: Systems,
    /// 35 mm² elevator terminals instead of two screws.
    pub elevator_terminals: bool,
    /// Supply control switch.
    pub breaker: bool,
    /// LTE-M/NB-IoT modem.
    pub modem: bool,
    /// HAN interface.
    pub han: Han,
    /// Flexible interfaces.
    pub flex: Flex,
    /// Back-up supply.
    pub backup: Backup,
    /// Hot-swap interface.
    pub hot_swap: bool,
    /// Maximum current (A).
    pub maximum_current: u32,
    /// Active accuracy class.
    pub active_class: ActiveClass,
    /// Reactive accuracy class.
    pub reactive_class: ReactiveClass,
    /// Registered energies.
    pub energies: Energies,
    /// Country code, three characters as printed.
    pub country: [u8; 3],
}

impl Profile {
    /// Reference current (A): 5 A for every current range of the type.
    pub const REFERENCE_CURRENT: u32 = 5;
    /// Minimum current (mA).
    pub const MINIMUM_CURRENT_MA: u32 = 250;

    /// Starting current (mA).
    pub const fn starting_current_ma(&self) -> u32 {
        Self::REFERENCE_CURRENT * self.active_class.starting_current_permille()
    }

    /// The variant can send a last gasp.
    pub const fn has_last_gasp(&self) -> bool {
        matches!(self.backup, Backup::Supercap3LastGasp | Backup::Supercap7LastGasp | Backup::BatteryLastGasp)
    }

    /// The variant has an S0 pulse output.
    pub const fn has_pulse_output(&self) -> bool {
        !matches!(self.flex, Flex::None)
    }

    /// The variant has load control switches.
    pub const fn has_load_control(&self) -> bool {
        matches!(self.flex, Flex::SupplyLoadControlPulse | Flex::LoadControlPulse)
    }

    /// The variant has an auxiliary power supply input.
    pub const fn has_auxiliary_supply(&self) -> bool {
        matches!(self.flex, Flex::SupplyLoadControlPulse | Flex::SupplyPulse)
    }
}
