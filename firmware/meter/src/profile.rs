//! What a meter variant is and has.

use meterbench_metrology::Systems;

/// Product family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// OMNIA e-meter, one or three measuring systems.
    Omnia,
    /// OMNIPOWER single-phase meter.
    Omnipower,
}

impl Product {
    /// As printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Omnia => "OMNIA",
            Self::Omnipower => "OMNIPOWER",
        }
    }

    /// Reference voltages Un the product is made for (V).
    pub const fn reference_voltages(self) -> &'static [u32] {
        match self {
            Self::Omnia => &[230, 240],
            Self::Omnipower => &[230],
        }
    }

    /// Reference frequencies fn the product is made for (Hz).
    pub const fn reference_frequencies(self) -> &'static [u32] {
        match self {
            Self::Omnia => &[50],
            Self::Omnipower => &[50, 60],
        }
    }
}

/// Variant of the electronics and their firmware: it decides which software configurations are possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// First variant.
    One,
    /// Second variant.
    Two,
}

/// Housing and its main terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Housing {
    /// OMNIA, two screws per terminal.
    TwoScrews,
    /// OMNIA, 35 mm² elevator clamps.
    ElevatorClamps,
    /// OMNIPOWER, standard.
    Standard,
    /// OMNIPOWER ST.
    St,
}

/// Supply control switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// No breaker.
    None,
    /// Standard breaker.
    Standard,
    /// Dual breaker.
    Dual,
}

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

impl ReactiveClass {
    /// The digit on the nameplate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
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
    /// Supercapacitor, seven days, and battery.
    Supercap7Battery,
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
    /// A+.
    ActiveImport,
    /// A+, A-.
    ActiveBothWays,
    /// A+, A-, R+, R-.
    ActiveReactiveBothWays,
}

impl Energies {
    /// A- is registered.
    pub const fn has_export(self) -> bool {
        matches!(self, Self::ActiveBothWays | Self::ActiveReactiveBothWays)
    }

    /// R+ and R- are registered.
    pub const fn has_reactive(self) -> bool {
        matches!(self, Self::ActiveReactiveBothWays)
    }
}

/// The decoded variant.
///
/// The type approval for active energy (MID) covers A+ and A- of the OMNIA and A+ alone of the OMNIPOWER, whatever
/// else the variant registers: [`Profile::mid_covers_export`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Product family.
    pub product: Product,
    /// Variant of the electronics.
    pub variant: Variant,
    /// Measuring systems.
    pub systems: Systems,
    /// Housing and terminals.
    pub housing: Housing,
    /// Supply control switch.
    pub breaker: Breaker,
    /// LTE-M/NB-IoT modem (OMNIA).
    pub modem: bool,
    /// Integrated radio (OMNIPOWER).
    pub radio: bool,
    /// HAN interface (OMNIA).
    pub han: Han,
    /// Flexible interfaces (OMNIA).
    pub flex: Flex,
    /// Back-up supply.
    pub backup: Backup,
    /// Hot-swap interface (OMNIA).
    pub hot_swap: bool,
    /// Reference current Iref, Ib in IEC 62053 (A).
    pub reference_current: u32,
    /// Maximum current Imax (A).
    pub maximum_current: u32,
    /// Active accuracy class.
    pub active_class: ActiveClass,
    /// Reactive accuracy class; `None` where no reactive energy is registered.
    pub reactive_class: Option<ReactiveClass>,
    /// Registered energies.
    pub energies: Energies,
    /// Country code, three characters as printed.
    pub country: [u8; 3],
}

impl Profile {
    /// Minimum current Imin (mA): half of the transitional current, which is a tenth of the reference current
    /// (EN 50470-1, direct connection).
    pub const fn minimum_current_ma(&self) -> u32 {
        self.reference_current * 50
    }

    /// Starting current (mA).
    pub const fn starting_current_ma(&self) -> u32 {
        self.reference_current * self.active_class.starting_current_permille()
    }

    /// The type approval for active energy covers A- too.
    pub const fn mid_covers_export(&self) -> bool {
        matches!(self.product, Product::Omnia)
    }

    /// The variant can send a last gasp.
    pub const fn has_last_gasp(&self) -> bool {
        matches!(self.backup, Backup::Supercap3LastGasp | Backup::Supercap7LastGasp | Backup::BatteryLastGasp)
    }

    /// The variant has an S0 pulse output: every OMNIPOWER, and an OMNIA with a flexible interface.
    pub const fn has_pulse_output(&self) -> bool {
        matches!(self.product, Product::Omnipower) || !matches!(self.flex, Flex::None)
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
