//! Who may do what: the roles of clients and their rights, in one table.
//!
//! Legal data (the energy registers and what is made of them) can be written by no role. The proof of a challenge, method 1 of an
//! association, needs no right: it is given before there are any.

use meterbench_iec62056::acse::Mechanism;

/// Who a client is, by its service access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Anybody: who the meter is, and what time it has.
    Public,
    /// The head-end system.
    Management,
    /// Reads registers and profiles.
    Reader,
    /// At the meter, over the optical port: sets it up, and touches no key.
    Installer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Public, Self::Management, Self::Reader, Self::Installer];

    /// The role of a client's service access point.
    pub fn of_client(client: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.client() == client)
    }

    /// Service access point of the client.
    pub const fn client(self) -> u16 {
        match self {
            Self::Public => 16,
            Self::Management => 1,
            Self::Reader => 2,
            Self::Installer => 3,
        }
    }

    /// The word in plans and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Management => "management",
            Self::Reader => "reader",
            Self::Installer => "installer",
        }
    }

    /// How a client proves that it has this role.
    pub const fn mechanism(self) -> Mechanism {
        match self {
            Self::Public => Mechanism::LOWEST,
            Self::Management | Self::Reader | Self::Installer => Mechanism::HIGH_GMAC,
        }
    }

    /// Number in logical names (`0-0:40.0.e`, `0-0:43.0.e`, `0-0:43.1.e`), from 1.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// Objects that share their rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Names and numbers of the device, counters that a client must know before it can speak.
    Identity,
    /// The clock.
    Clock,
    /// Energies, and what is made of them.
    Legal,
    /// Voltages, currents, powers of this moment.
    Reading,
    /// Event loggers, and how often what happened.
    Events,
    /// What counts as an event of power quality, and what a snapshot captures.
    QualitySetup,
    /// What was not looked at yet, and what raises an alarm.
    Alarms,
    /// The load profile: copies of registers, not the registers.
    LoadProfile,
    /// How ports behave.
    Ports,
    /// The association a client has.
    Association,
    /// Keys.
    Security,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 11] = [
        Self::Identity,
        Self::Clock,
        Self::Legal,
        Self::Reading,
        Self::Events,
        Self::QualitySetup,
        Self::Alarms,
        Self::LoadProfile,
        Self::Ports,
        Self::Association,
        Self::Security,
    ];
}

/// What a role may do with a group: read, write what the class lets be written, call methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Attributes can be read.
    pub read: bool,
    /// Attributes that the class lets be written can be written.
    pub write: bool,
    /// Methods can be called.
    pub act: bool,
}

const NONE: Rights = Rights { read: false, write: false, act: false };
const R: Rights = Rights { read: true, ..NONE };
const RW: Rights = Rights { write: true, ..R };
const RWA: Rights = Rights { write: true, act: true, ..R };

/// Rows by [`Group::ALL`], columns by [`Role::ALL`].
#[rustfmt::skip]
const RIGHTS: [[Rights; 4]; 11] = [
    //               public  management  reader  installer
    /* identity    */ [R,    R,          R,      R  ],
    /* clock       */ [R,    RWA,        R,      RWA],
    /* legal       */ [NONE, R,          R,      R  ],
    /* reading     */ [NONE, R,          R,      R  ],
    /* events      */ [NONE, R,          R,      R  ],
    /* quality     */ [NONE, R,          R,      RW ],
    /* alarms      */ [NONE, RW,         R,      RW ],
    /* profile     */ [NONE, RWA,        R,      RW ],
    /* ports       */ [NONE, RWA,        NONE,   RWA],
    /* association */ [R,    R,          R,      R  ],
    /* security    */ [NONE, RWA,        NONE,   NONE],
];

/// The rights of a role in a group.
pub fn rights(role: Role, group: Group) -> Rights {
    RIGHTS[group as usize][role as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_data_can_be_changed_by_no_role() {
        for role in Role::ALL {
            let legal = rights(role, Group::Legal);
            assert!(!legal.write && !legal.act, "{role:?}");
        }
    }

    #[test]
    fn roles_and_groups_stand_in_the_order_of_the_table() {
        assert!(Role::ALL.into_iter().enumerate().all(|(n, role)| role as usize == n));
        assert!(Group::ALL.into_iter().enumerate().all(|(n, group)| group as usize == n));
        assert!(Role::ALL.into_iter().all(|role| Role::of_client(role.client()) == Some(role)));
        assert_eq!(Role::of_client(17), None);
    }

    #[test]
    fn anybody_sees_who_the_meter_is_and_nothing_else() {
        for group in Group::ALL {
            let seen = rights(Role::Public, group).read;
            assert_eq!(seen, matches!(group, Group::Identity | Group::Clock | Group::Association), "{group:?}");
        }
    }
}
