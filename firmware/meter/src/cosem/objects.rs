//! The objects of the meter: one table, cut to what the type has.
//!
//! Source of the codes: IEC 62056-6-1 and the free list of the DLMS User Association.

mod quality;

use meterbench_iec62056::obis::Obis;
use meterbench_metrology::{Energy, PhaseReadings, Readings, Registers};

use super::roles::{Group, Role};
use crate::demand::QUANTITIES;
use crate::events::Log;
use crate::profile::{Energies, Profile};

pub(crate) use quality::{PhaseCount, QualityKind, QualityValue};

/// An object: a class, a name, and what stands behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    pub(crate) name: Obis,
    pub(crate) group: Group,
    pub(crate) kind: Kind,
}

/// What stands behind an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Data of the device.
    Data(Item),
    /// The counter that a client of this role must go beyond.
    Counter(Role),
    /// An energy register, of the total (0) or a phase (1 to 3).
    Energy(EnergyOf, u8),
    /// A value of this moment, of the total or a phase.
    Reading(ReadingOf, u8),
    Clock,
    SapAssignment,
    /// The association of a role; of the client that asks where there is none.
    Association(Option<Role>),
    Security(Role),
    /// What the test output and S0 count: 0 kWh, 1 kvarh. Data of the manufacturer.
    TestOutput,
    LocalPort,
    Hdlc,
    TcpUdp,
    EventLog(Log),
    /// Code of the last event of a logger.
    LastEvent(Log),
    LoadProfile,
    /// Status of the newest row of the load profile.
    ProfileStatus,
    /// What is made of a quantity of the demand, by its place in [`QUANTITIES`].
    Demand(DemandOf, u8),
    /// What the end of a billing period does.
    BillingScript,
    /// When billing periods end.
    BillingEnd,
    /// Of power quality.
    Quality(QualityKind),
}

/// What is made of the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DemandOf {
    /// Of the period that runs and the one before.
    Register,
    /// Of the period before.
    LastAverage,
    /// The highest since the last end of a billing period.
    Maximum,
    /// The highest of all former billing periods, added up.
    CumulatedMaximum,
}

/// Data of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    LogicalDeviceName,
    SerialNumber,
    TypeNumber,
    Firmware,
}

/// Which energy.
pub(crate) type EnergyOf = fn(&Registers) -> Energy;

/// Which value of this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadingOf {
    ImportedPower,
    ExportedPower,
    InductivePower,
    CapacitivePower,
    ApparentPower,
    Voltage,
    Current,
    PowerFactor,
    Frequency,
}

/// COSEM units (IEC 62056-6-2).
pub(crate) mod unit {
    pub(crate) const WATT: u8 = 27;
    pub(crate) const VOLT_AMPERE: u8 = 28;
    pub(crate) const VAR: u8 = 29;
    pub(crate) const WATT_HOUR: u8 = 30;
    pub(crate) const VOLT_AMPERE_HOUR: u8 = 31;
    pub(crate) const VAR_HOUR: u8 = 32;
    pub(crate) const AMPERE: u8 = 33;
    pub(crate) const VOLT: u8 = 35;
    pub(crate) const HERTZ: u8 = 44;
    pub(crate) const PERCENT: u8 = 56;
    pub(crate) const NONE: u8 = 255;
}

impl Object {
    /// Number and version of the interface class.
    pub(crate) fn class(&self) -> (u16, u8) {
        match self.kind {
            Kind::Data(_) | Kind::Counter(_) | Kind::LastEvent(_) | Kind::ProfileStatus | Kind::TestOutput => (1, 0),
            Kind::Demand(DemandOf::LastAverage | DemandOf::CumulatedMaximum, _) => (3, 0),
            Kind::Energy(..) | Kind::Reading(..) => (3, 0),
            Kind::Demand(DemandOf::Maximum, _) => (4, 0),
            Kind::Demand(DemandOf::Register, _) => (5, 0),
            Kind::EventLog(_) | Kind::LoadProfile => (7, 1),
            Kind::Clock => (8, 0),
            Kind::BillingScript => (9, 0),
            Kind::Association(_) => (15, 1),
            Kind::SapAssignment => (17, 0),
            Kind::LocalPort => (19, 1),
            Kind::BillingEnd => (22, 0),
            Kind::Hdlc => (23, 1),
            Kind::TcpUdp => (41, 0),
            Kind::Security(_) => (64, 0),
            Kind::Quality(kind) => kind.class(),
        }
    }

    /// The object exists on a meter of this type.
    fn is_on(&self, profile: &Profile) -> bool {
        let (c, phase) = match self.kind {
            Kind::Energy(_, phase) | Kind::Reading(_, phase) => (self.name.c() - 20 * phase, phase),
            Kind::Demand(..) => (self.name.c(), 0),
            Kind::Quality(kind) => return kind.is_on(profile),
            _ => return true,
        };
        let quantity = match c {
            2 => profile.energies.has_export(),
            3..=8 => profile.energies.has_reactive(),
            9 | 10 => profile.energies == Energies::ActiveReactiveBothWays,
            _ => true,
        };
        quantity && phase <= profile.systems as u8
    }
}

/// `A-B:C.D.E*255`
const fn obis(a: u8, b: u8, c: u8, d: u8, e: u8) -> Obis {
    Obis([a, b, c, d, e, 255])
}

const fn of(group: Group, name: Obis, kind: Kind) -> Object {
    Object { name, group, kind }
}

/// Energies of the total, by group C.
const ENERGIES: [(u8, EnergyOf); 10] = [
    (1, |r| r.active_import),
    (2, |r| r.active_export),
    (3, Registers::reactive_import),
    (4, Registers::reactive_export),
    (5, |r| r.reactive[0]),
    (6, |r| r.reactive[1]),
    (7, |r| r.reactive[2]),
    (8, |r| r.reactive[3]),
    (9, |r| r.apparent_import),
    (10, |r| r.apparent_export),
];

/// Values of this moment, by group C; voltage and current of a phase alone.
const READINGS: [(u8, ReadingOf); 9] = [
    (1, ReadingOf::ImportedPower),
    (2, ReadingOf::ExportedPower),
    (3, ReadingOf::InductivePower),
    (4, ReadingOf::CapacitivePower),
    (9, ReadingOf::ApparentPower),
    (11, ReadingOf::Current),
    (12, ReadingOf::Voltage),
    (13, ReadingOf::PowerFactor),
    (14, ReadingOf::Frequency),
];

const DEVICE: [Object; 19] = [
    of(Group::Association, obis(0, 0, 40, 0, 0), Kind::Association(None)),
    of(Group::Identity, obis(0, 0, 41, 0, 0), Kind::SapAssignment),
    of(Group::Identity, obis(0, 0, 42, 0, 0), Kind::Data(Item::LogicalDeviceName)),
    of(Group::Identity, obis(0, 0, 96, 1, 0), Kind::Data(Item::SerialNumber)),
    of(Group::Identity, obis(0, 0, 96, 1, 1), Kind::Data(Item::TypeNumber)),
    of(Group::Identity, obis(1, 0, 0, 2, 0), Kind::Data(Item::Firmware)),
    of(Group::Clock, obis(0, 0, 1, 0, 0), Kind::Clock),
    of(Group::Events, obis(0, 0, 96, 11, 0), Kind::LastEvent(Log::Standard)),
    of(Group::Events, obis(0, 0, 96, 11, 1), Kind::LastEvent(Log::Security)),
    of(Group::Events, obis(0, 0, 99, 98, 0), Kind::EventLog(Log::Standard)),
    of(Group::Events, obis(0, 0, 99, 98, 1), Kind::EventLog(Log::Security)),
    of(Group::LoadProfile, obis(1, 0, 99, 1, 0), Kind::LoadProfile),
    of(Group::LoadProfile, obis(0, 0, 96, 10, 1), Kind::ProfileStatus),
    of(Group::Legal, obis(0, 0, 10, 0, 1), Kind::BillingScript),
    of(Group::Legal, obis(0, 0, 15, 0, 0), Kind::BillingEnd),
    of(Group::Ports, obis(1, 0, 0, 128, 0), Kind::TestOutput),
    of(Group::Ports, obis(0, 0, 20, 0, 0), Kind::LocalPort),
    of(Group::Ports, obis(0, 0, 22, 0, 0), Kind::Hdlc),
    of(Group::Ports, obis(0, 0, 25, 0, 0), Kind::TcpUdp),
];

/// What is made of the demand, by group D.
const DEMANDS: [(u8, DemandOf); 4] =
    [(2, DemandOf::CumulatedMaximum), (4, DemandOf::Register), (5, DemandOf::LastAverage), (6, DemandOf::Maximum)];

/// Every object of a meter of this type, in the order of its list.
pub(crate) fn all(profile: &Profile) -> impl Iterator<Item = Object> + '_ {
    let roles = Role::ALL.into_iter().filter(|role| *role != Role::Public);
    let security = roles.flat_map(|role| {
        let e = role.number();
        [
            of(Group::Association, obis(0, 0, 40, 0, e), Kind::Association(Some(role))),
            of(Group::Security, obis(0, 0, 43, 0, e), Kind::Security(role)),
            of(Group::Identity, obis(0, 0, 43, 1, e), Kind::Counter(role)),
        ]
    });
    let energies =
        ENERGIES.into_iter().map(|(c, energy)| of(Group::Legal, obis(1, 0, c, 8, 0), Kind::Energy(energy, 0)));
    // Active energy of each phase too.
    let by_phase = (1..=3).flat_map(|phase| {
        let both = ENERGIES.into_iter().take(2);
        both.map(move |(c, energy)| of(Group::Legal, obis(1, 0, c + 20 * phase, 8, 0), Kind::Energy(energy, phase)))
    });
    let readings = (0..=3).flat_map(|phase| {
        READINGS.into_iter().filter(move |(_, reading)| reading.is_of(phase)).map(move |(c, reading)| {
            of(Group::Reading, obis(1, 0, c + 20 * phase, 7, 0), Kind::Reading(reading, phase))
        })
    });
    let demands = (0..).zip(QUANTITIES).flat_map(|(place, c)| {
        DEMANDS.map(|(d, demand)| of(Group::Legal, obis(1, 0, c, d, 0), Kind::Demand(demand, place)))
    });
    DEVICE
        .into_iter()
        .chain(security)
        .chain(energies)
        .chain(by_phase)
        .chain(demands)
        .chain(readings)
        .chain(quality::all())
        .filter(|object| object.is_on(profile))
}

/// The object of this name.
pub(crate) fn find(profile: &Profile, name: Obis) -> Option<Object> {
    all(profile).find(|object| object.name == name)
}

/// The register of this name that a snapshot can capture: any of class 3.
pub(crate) fn register(profile: &Profile, [c, d, e]: [u8; 3]) -> Option<Object> {
    find(profile, obis(1, 0, c, d, e)).filter(|object| object.class().0 == 3)
}

/// The name of a maximum of the demand.
pub(crate) const fn maximum(c: u8) -> Obis {
    obis(1, 0, c, 6, 0)
}

/// The name of an energy register by its group C.
pub(crate) const fn energy_register(c: u8) -> Obis {
    obis(1, 0, c, 8, 0)
}

/// An energy by the group C of its register: those of a phase stand 20 apart. Nothing for another code.
pub(crate) fn energy_of([total, phases @ ..]: &[Registers; 4], c: u8) -> Energy {
    let registers = usize::from(c / 20).checked_sub(1).map_or(Some(total), |phase| phases.get(phase));
    let energy = ENERGIES.into_iter().find(|(of, _)| *of == c % 20);
    registers.zip(energy).map_or(Energy::default(), |(registers, (_, energy))| energy(registers))
}

impl ReadingOf {
    /// Whether the total (0) or a phase has such a value.
    fn is_of(self, phase: u8) -> bool {
        match self {
            Self::Voltage | Self::Current => phase > 0,
            Self::Frequency => phase == 0,
            _ => true,
        }
    }

    /// Scaler and unit.
    pub(crate) const fn scaler_unit(self) -> (i8, u8) {
        match self {
            Self::ImportedPower | Self::ExportedPower => (-1, unit::WATT),
            Self::InductivePower | Self::CapacitivePower => (-1, unit::VAR),
            Self::ApparentPower => (-1, unit::VOLT_AMPERE),
            Self::Voltage => (-2, unit::VOLT),
            Self::Current => (-3, unit::AMPERE),
            Self::PowerFactor => (-3, unit::NONE),
            Self::Frequency => (-3, unit::HERTZ),
        }
    }

    /// The value in the unit of its scaler; `None` while there is none.
    pub(crate) fn value(self, readings: &Readings, phase: u8) -> Option<i64> {
        let here: &PhaseReadings = match phase {
            0 => &readings.total,
            n => &readings.phases[usize::from(n) - 1],
        };
        Some(match self {
            Self::ImportedPower => here.active_mw.max(0) / 100,
            Self::ExportedPower => (-here.active_mw).max(0) / 100,
            Self::InductivePower => here.reactive_mvar.max(0) / 100,
            Self::CapacitivePower => (-here.reactive_mvar).max(0) / 100,
            Self::ApparentPower => here.apparent_mva / 100,
            Self::Voltage => i64::from(here.voltage_mv) / 10,
            Self::Current => i64::from(here.current_ma),
            Self::PowerFactor => i64::from(here.power_factor) / 10,
            Self::Frequency => i64::from(readings.frequency_mhz?),
        })
    }
}

/// Unit of a power by group C of the total.
pub(crate) const fn power_unit(c: u8) -> u8 {
    match c {
        1 | 2 => unit::WATT,
        9 | 10 => unit::VOLT_AMPERE,
        _ => unit::VAR,
    }
}

/// Unit of an energy by group C of the total.
pub(crate) const fn energy_unit(c: u8) -> u8 {
    match c {
        1 | 2 => unit::WATT_HOUR,
        9 | 10 => unit::VOLT_AMPERE_HOUR,
        _ => unit::VAR_HOUR,
    }
}
