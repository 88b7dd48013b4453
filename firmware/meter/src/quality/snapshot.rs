//! Snapshots of the grid: up to 24 registers as they stood in the cycle in which an event began.
//!
//! What is captured is chosen by logical names of registers (class 3); a choice that changes something clears the snapshots.

use core::ops::Range;

use meterbench_iec62056::hdlc::check_sequence;

use super::event::Moment;
use super::kind::EventKind;
use crate::cosem::{Object, snapshot_register};
use crate::memory::Memory;
use crate::profile::Profile;
use crate::ring::{Ring, Row, Stamp};

/// Most registers of a snapshot.
pub(crate) const MOST_REGISTERS: usize = 24;
/// Set-ups and snapshots that have room.
const SETUP_ROWS: usize = 2;
const ROWS: usize = 12;
/// Values of a row: the registers, and hundredths of the second.
const VALUES: usize = MOST_REGISTERS + 1;
/// Layout of a row of the set-up.
const SETUP: u16 = 7;

/// Octets of set-ups and snapshots.
pub(crate) const OCTETS: usize = SETUP_ROWS * Ring::row_length(MOST_REGISTERS) + ROWS * Ring::row_length(VALUES);

/// A register by groups C, D and E of its name; A is 1 and B is 0.
pub(crate) type Register = [u8; 3];

/// As delivered: voltages and currents, powers, power factor, frequency, energies, distortions of the voltages, unbalance.
#[rustfmt::skip]
const DELIVERED: [Register; 20] = [
    [32, 7, 0], [52, 7, 0], [72, 7, 0],
    [31, 7, 0], [51, 7, 0], [71, 7, 0],
    [1, 7, 0], [2, 7, 0], [3, 7, 0], [4, 7, 0], [13, 7, 0], [14, 7, 0],
    [1, 8, 0], [2, 8, 0],
    [32, 7, 124], [52, 7, 124], [72, 7, 124],
    [12, 129, 2], [12, 129, 0],
    [14, 130, 0],
];

/// What a snapshot captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setup {
    registers: [Register; MOST_REGISTERS],
    count: usize,
}

impl Setup {
    /// Nothing.
    pub(crate) const NONE: Self = Self { registers: [[0; 3]; MOST_REGISTERS], count: 0 };

    /// One register more; `None` where there is no room, or where it is there already.
    pub(crate) fn with(mut self, register: Register) -> Option<Self> {
        let known = self.registers().contains(&register);
        let free = self.registers.get_mut(self.count).filter(|_| !known)?;
        (*free, self.count) = (register, self.count + 1);
        Some(self)
    }

    /// The registers, in order.
    pub(crate) fn registers(&self) -> &[Register] {
        self.registers.get(..self.count).unwrap_or_default()
    }

    /// As values of a row in memory; C is never 0.
    fn words(&self) -> impl Iterator<Item = u32> {
        self.registers.iter().map(|[c, d, e]| u32::from_be_bytes([0, *c, *d, *e]))
    }

    fn of_row(row: &Row<'_>) -> Option<Self> {
        let registers = (0..MOST_REGISTERS).map(|place| row.value(place).to_be_bytes());
        registers.take_while(|[_, c, ..]| *c != 0).try_fold(Self::NONE, |setup, [_, c, d, e]| setup.with([c, d, e]))
    }

    fn objects(&self, profile: &Profile) -> [Option<Object>; MOST_REGISTERS] {
        let mut objects = [None; MOST_REGISTERS];
        for (object, register) in objects.iter_mut().zip(self.registers()) {
            *object = snapshot_register(profile, *register);
        }
        objects
    }

    fn layout(&self) -> u16 {
        check_sequence(self.registers.as_flattened())
    }
}

/// The snapshots of a meter.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    setup: Setup,
    /// What stands behind the registers of the set-up: looked up once, for a trigger leaves no time.
    objects: [Option<Object>; MOST_REGISTERS],
    setups: Ring,
    rows: Ring,
    /// Where the snapshots lie.
    at: usize,
}

/// A snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot<'m>(Row<'m>);

impl Snapshot<'_> {
    /// When its event began.
    pub(crate) fn at(&self) -> Moment {
        Moment { stamp: self.0.stamp(), hundredths: self.0.value(MOST_REGISTERS) as u8 }
    }

    /// Code of the event.
    pub(crate) fn code(&self) -> u8 {
        self.0.status()
    }

    /// A register by its place in the set-up, as it is kept.
    pub(crate) fn value(&self, place: usize) -> u32 {
        self.0.value(place)
    }
}

impl Snapshots {
    /// In memory from a place on, with what stands there.
    pub(crate) fn new(profile: &Profile, memory: &Memory, at: usize) -> Self {
        let octets = memory.octets();
        let room = SETUP_ROWS * Ring::row_length(MOST_REGISTERS);
        let setups = Ring::new(octets, at, room, MOST_REGISTERS, SETUP).recovered(octets);
        let chosen = setups.newest(octets).and_then(|row| Setup::of_row(&row));
        let is_register = |register: &Register| snapshot_register(profile, *register).is_some();
        let setup = chosen.filter(|setup| setup.registers().iter().all(is_register)).unwrap_or_else(|| {
            let delivered = DELIVERED.iter().filter(|register| is_register(register));
            delivered.fold(Setup::NONE, |setup, register| setup.with(*register).unwrap_or(setup))
        });
        let at = at + room;
        let rows = Self::ring(memory, at, &setup).recovered(octets);
        Self { objects: setup.objects(profile), setup, setups, rows, at }
    }

    fn ring(memory: &Memory, at: usize, setup: &Setup) -> Ring {
        Ring::new(memory.octets(), at, ROWS * Ring::row_length(VALUES), VALUES, setup.layout())
    }

    /// What is captured.
    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What stands behind the registers that are captured, in order.
    pub(crate) fn objects(&self) -> &[Option<Object>; MOST_REGISTERS] {
        &self.objects
    }

    /// Captures something else from now on; what was captured goes. Whether anything changed.
    pub(crate) fn set_setup(&mut self, profile: &Profile, memory: &mut Memory, now: Stamp, setup: Setup) -> bool {
        if setup == self.setup {
            return false;
        }
        self.rows.clear(memory.octets_mut());
        let next = self.rows.rows().end;
        self.setups.push(memory.octets_mut(), now, 0, setup.words());
        (self.setup, self.objects) = (setup, setup.objects(profile));
        self.rows = Self::ring(memory, self.at, &setup).from(next);
        true
    }

    /// Keeps a snapshot: the values of the registers of the set-up.
    pub(crate) fn push(&mut self, memory: &mut Memory, at: Moment, kind: EventKind, values: &[u32; MOST_REGISTERS]) {
        let values = values.iter().copied().chain(core::iter::once(u32::from(at.hundredths)));
        self.rows.push(memory.octets_mut(), at.stamp, kind.code(), values);
    }

    /// Rows that have room.
    pub(crate) fn capacity(&self) -> u32 {
        self.rows.capacity()
    }

    /// Numbers of the snapshots that exist, the oldest first.
    pub(crate) fn rows(&self) -> Range<u32> {
        self.rows.rows()
    }

    /// The snapshot of this number, if it exists.
    pub(crate) fn row<'m>(&self, memory: &'m Memory, number: u32) -> Option<Snapshot<'m>> {
        self.rows.row(memory.octets(), number).map(Snapshot)
    }
}
