//! The load profile: registers at whole periods of the clock.
//!
//! A row is stamped with the end of its period. Periods are cut by standard time, so that daylight saving moves none and a
//! day has 23 or 25 hours of rows. A period that the clock left out, or that passed without supply, has no row; the row
//! after it says so. A clock that is set back makes rows with times that were there before, but never two of one time in a row.

use core::ops::Range;

use meterbench_iec62056::date_time::ClockStatus;
use meterbench_iec62056::hdlc::check_sequence;

use crate::memory::Memory;
use crate::profile::{Energies, Product, Profile};
use crate::ring::{Ring, Row, Stamp};

/// Most energies of a row.
pub(crate) const MOST_CHANNELS: usize = 8;
/// Periods that can be chosen (minutes).
const PERIODS: [u8; 5] = [5, 10, 15, 30, 60];

/// Bits of the status of a row; they are those of companion specifications (recalled).
pub(crate) mod status {
    /// The clock has never been set since it lost its supply.
    pub(crate) const CLOCK_INVALID: u8 = 0x02;
    /// Not to be used unseen: the clock may have stood still.
    pub(crate) const DATA_NOT_VALID: u8 = 0x04;
    /// Daylight saving is in force.
    pub(crate) const DAYLIGHT_SAVING: u8 = 0x08;
    /// The clock was set within the period.
    pub(crate) const CLOCK_ADJUSTED: u8 = 0x20;
    /// The supply failed within the period.
    pub(crate) const POWER_DOWN: u8 = 0x80;
}

/// What is captured, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capture {
    period_min: u8,
    /// Energies of a row by their group C; 0 where there is none.
    channels: [u8; MOST_CHANNELS],
}

impl Capture {
    /// As delivered: quarters of an hour, and every energy of the total that the type registers.
    pub(crate) fn delivered(profile: &Profile) -> Self {
        let channels = match profile.energies {
            Energies::ActiveImport => &[1][..],
            Energies::ActiveBothWays => &[1, 2],
            Energies::ActiveReactiveBothWays => &[1, 2, 3, 4],
        };
        Self { period_min: 15, channels: [0; MOST_CHANNELS] }.with_channels(channels).unwrap_or(Self::NONE)
    }

    const NONE: Self = Self { period_min: 15, channels: [0; MOST_CHANNELS] };

    /// With another period (s); `None` for one that cannot be chosen.
    pub(crate) fn with_period_s(self, seconds: u32) -> Option<Self> {
        let period_min = PERIODS.into_iter().find(|minutes| 60 * u32::from(*minutes) == seconds)?;
        Some(Self { period_min, ..self })
    }

    /// With other energies; `None` where they are too many.
    pub(crate) fn with_channels(self, chosen: &[u8]) -> Option<Self> {
        let mut channels = [0; MOST_CHANNELS];
        channels.get_mut(..chosen.len())?.copy_from_slice(chosen);
        Some(Self { channels, ..self })
    }

    /// Length of a period (s).
    pub(crate) fn period_s(&self) -> u32 {
        60 * u32::from(self.period_min)
    }

    /// Energies of a row by their group C.
    pub(crate) fn channels(&self) -> &[u8] {
        let count = self.channels.iter().take_while(|c| **c != 0).count();
        self.channels.get(..count).unwrap_or_default()
    }

    /// The energies whose verification is on the front are in it, none twice.
    pub(crate) fn holds_verified(&self, profile: &Profile) -> bool {
        let channels = self.channels();
        let export = profile.mid_covers_export() && profile.energies.has_export();
        let once = channels.iter().enumerate().all(|(n, c)| !channels.iter().take(n).any(|before| before == c));
        once && channels.contains(&1) && (!export || channels.contains(&2))
    }

    /// As values of a row in memory.
    pub(crate) fn words(&self) -> [u32; 3] {
        let [a, b, c, d, e, f, g, h] = self.channels;
        [u32::from(self.period_min), u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
    }

    /// From the values of a row in memory.
    pub(crate) fn of_words([period, first, second]: [u32; 3]) -> Option<Self> {
        let mut channels = [0; MOST_CHANNELS];
        channels[..4].copy_from_slice(&first.to_be_bytes());
        channels[4..].copy_from_slice(&second.to_be_bytes());
        Self { channels, ..Self::NONE }.with_period_s(period.checked_mul(60)?)
    }

    fn layout(&self) -> u16 {
        let mut octets = [self.period_min; 1 + MOST_CHANNELS];
        octets[1..].copy_from_slice(&self.channels);
        check_sequence(&octets)
    }
}

/// The load profile of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadProfile {
    capture: Capture,
    ring: Ring,
    /// Octets for rows, and where they begin.
    room: usize,
    at: usize,
    /// UTC of the newest row (s since 2000).
    newest: Option<u64>,
    /// Rows from this number on stand in the order of their times.
    sorted_from: u32,
    /// What the status of the next row says beside the clock.
    pending: u8,
}

impl LoadProfile {
    /// In memory from a place on, with the rows that are there.
    pub(crate) fn new(profile: &Profile, capture: Capture, memory: &Memory, at: usize) -> Self {
        let room = octets(profile.product);
        let octets = memory.octets();
        let ring = Ring::new(octets, at, room, capture.channels().len(), capture.layout()).recovered(octets);
        let mut found = Self { capture, ring, room, at, newest: None, sorted_from: 0, pending: 0 };
        for number in found.ring.rows() {
            if let Some(utc) = found.row(memory, number).map(|row| row.utc()) {
                found.note(number, utc);
            }
        }
        found
    }

    pub(crate) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Captures something else, or at another pace: what was captured goes.
    pub(crate) fn set_capture(&mut self, memory: &mut Memory, capture: Capture) {
        self.clear(memory);
        let next = self.ring.rows().end;
        self.capture = capture;
        self.ring =
            Ring::new(memory.octets(), self.at, self.room, capture.channels().len(), capture.layout()).from(next);
    }

    /// Every row goes.
    pub(crate) fn clear(&mut self, memory: &mut Memory) {
        self.ring.clear(memory.octets_mut());
        self.newest = None;
    }

    /// The next row says that the clock was set, or that the supply failed.
    pub(crate) fn mark(&mut self, status: u8) {
        self.pending |= status;
    }

    /// A period of the clock is over, if this is its end: `registers` gives the energy of a group C (Wh).
    pub(crate) fn minute(&mut self, memory: &mut Memory, now: Stamp, standard_s: u64, registers: impl Fn(u8) -> u32) {
        if !standard_s.is_multiple_of(u64::from(self.capture.period_s())) || self.newest == Some(now.utc) {
            return;
        }
        let status = of_clock(now) | core::mem::take(&mut self.pending);
        let number = self.ring.rows().end;
        let Self { capture, ring, .. } = self;
        ring.push(memory.octets_mut(), now, status, capture.channels().iter().map(|c| registers(*c)));
        self.note(number, now.utc);
    }

    /// A row follows those before it.
    fn note(&mut self, number: u32, utc: u64) {
        if self.newest.is_some_and(|newest| utc < newest) {
            self.sorted_from = number;
        }
        self.newest = Some(utc);
    }

    /// Rows that have room.
    pub(crate) fn capacity(&self) -> u32 {
        self.ring.capacity()
    }

    /// Numbers of the rows that exist, the oldest first.
    pub(crate) fn rows(&self) -> Range<u32> {
        self.ring.rows()
    }

    /// Numbers of the rows that existed when this one was the next.
    pub(crate) fn rows_before(&self, next: u32) -> Range<u32> {
        self.ring.rows_before(next)
    }

    /// Rows from this number on stand in the order of their times.
    pub(crate) fn sorted_from(&self) -> u32 {
        self.sorted_from
    }

    /// The row of this number, if it exists.
    pub(crate) fn row<'m>(&self, memory: &'m Memory, number: u32) -> Option<Row<'m>> {
        self.ring.row(memory.octets(), number)
    }
}

/// Octets for rows: the depths of both data sheets are those of 18 octets for a row and 4 for each energy of it.
pub(crate) const fn octets(product: Product) -> usize {
    match product {
        Product::Omnia => 589_824,
        Product::Omnipower => 587_776,
    }
}

fn of_clock(now: Stamp) -> u8 {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    bit(now.status.contains(ClockStatus::INVALID_VALUE), status::CLOCK_INVALID)
        | bit(now.status.contains(ClockStatus::DOUBTFUL_VALUE), status::DATA_NOT_VALID)
        | bit(now.status.contains(ClockStatus::DAYLIGHT_SAVING_ACTIVE), status::DAYLIGHT_SAVING)
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::TypeNumber;
    use crate::clock::{Civil, Clock, DaylightSaving};

    fn profile(type_number: &str) -> Profile {
        *type_number.parse::<TypeNumber>().unwrap().profile()
    }

    fn memory(octets: usize) -> Memory {
        Memory::Static(Box::leak(vec![0; octets].into_boxed_slice()))
    }

    fn omnia() -> Profile {
        profile("684-2-41D-1312AA70-1B14001")
    }

    /// A profile, its memory, and the clock that moves it; the registers show the minute.
    struct Bench {
        clock: Clock,
        memory: Memory,
        load: LoadProfile,
    }

    impl Bench {
        fn new(octets: usize, begin: Civil) -> Self {
            let mut clock = Clock::cold(-60, DaylightSaving::EUROPE);
            clock.set_local(begin, None).unwrap();
            let memory = memory(octets);
            let load = LoadProfile::new(&omnia(), Capture::delivered(&omnia()), &memory, 0);
            Self { clock, memory, load }
        }

        fn minutes(&mut self, minutes: u32) {
            for _ in 0..minutes {
                (0..6).for_each(|_| self.clock.advance(self.clock.samples_to_tick()));
                let (now, standard) = (Stamp::of(&self.clock.local()), self.clock.standard_seconds());
                let minute = (now.utc / 60) as u32;
                self.load.minute(&mut self.memory, now, standard, |c| minute + u32::from(c));
            }
        }

        /// Hour, minute, status of every row.
        fn rows(&self) -> Vec<(u8, u8, u8)> {
            let row = |number| self.load.row(&self.memory, number).unwrap();
            let shown = |number| {
                let time = row(number).stamp().date_time().time;
                (time.hour, time.minute, row(number).status())
            };
            self.load.rows().map(shown).collect()
        }
    }

    fn at(month: u8, day: u8, hour: u8, minute: u8) -> Civil {
        Civil { year: 2026, month, day, hour, minute, second: 0 }
    }

    /// Days of rows by channels and period, as the data sheets print them.
    #[test]
    fn the_depths_are_those_of_the_data_sheets() {
        let depths = |product, channels: &[usize], periods: &[usize]| -> Vec<usize> {
            let rows = |n: &usize| octets(product) / Ring::row_length(*n);
            channels.iter().flat_map(|n| periods.iter().map(move |period| rows(n) * period / 1440)).collect()
        };
        let omnia = depths(Product::Omnia, &[4, 6, 8], &[5, 15, 30, 60]);
        assert_eq!(omnia, [60, 180, 361, 722, 48, 146, 292, 585, 40, 122, 245, 491]);
        let omnipower = depths(Product::Omnipower, &[1, 2, 4, 6, 8], &[15, 30, 60]);
        let of_the_sheet = [278, 556, 1113, 235, 470, 941, 180, 360, 720, 145, 291, 583, 122, 244, 489];
        assert_eq!(omnipower, of_the_sheet);
    }

    #[test]
    fn a_day_of_transition_has_92_or_100_quarters() {
        for (month, day, quarters) in [(3, 29, 92), (10, 25, 100), (7, 1, 96)] {
            let mut bench = Bench::new(64_000, at(month, day, 0, 0));
            bench.minutes(15 * quarters);
            let rows = bench.rows();
            assert_eq!((rows.len(), rows[rows.len() - 1]), (quarters as usize, (0, 0, rows[rows.len() - 1].2)));
            let summer = rows.iter().filter(|row| row.2 == status::DAYLIGHT_SAVING).count();
            // From the row of 3:00 to midnight, and up to that of 2:45 for the first time.
            assert_eq!(
                summer,
                match month {
                    3 => 85,
                    10 => 11,
                    _ => 96,
                },
                "{month}"
            );
            assert_eq!(bench.load.sorted_from(), 0);
        }
    }

    #[test]
    fn a_clock_that_is_set_leaves_a_gap_or_goes_back_and_the_row_after_it_says_so() {
        let mut bench = Bench::new(64_000, at(11, 21, 12, 0));
        bench.minutes(35);
        bench.clock.set_local(at(11, 21, 13, 20), None).unwrap();
        bench.load.mark(status::CLOCK_ADJUSTED);
        bench.minutes(30);
        // Back by less than a period: no second row of 13:45.
        bench.clock.set_local(at(11, 21, 13, 44), None).unwrap();
        bench.load.mark(status::CLOCK_ADJUSTED);
        bench.minutes(20);
        bench.clock.set_local(at(11, 21, 12, 10), None).unwrap();
        bench.load.mark(status::CLOCK_ADJUSTED);
        bench.minutes(6);
        let adjusted = status::CLOCK_ADJUSTED;
        let expected =
            [(12, 15, 0), (12, 30, 0), (13, 30, adjusted), (13, 45, 0), (14, 0, adjusted), (12, 15, adjusted)];
        assert_eq!(bench.rows(), expected);
        assert_eq!(bench.load.sorted_from(), 5);
    }

    #[test]
    fn the_newest_push_the_oldest_out_and_all_are_found_again() {
        // Ten rows of four energies and a rest.
        let mut bench = Bench::new(345, at(11, 21, 0, 0));
        assert_eq!(bench.load.capacity(), 10);
        bench.minutes(15 * 23 + 7);
        assert_eq!(bench.load.rows(), 13..23);
        assert_eq!(bench.rows()[0], (3, 30, 0));
        let values: Vec<u32> = (0..4).map(|n| bench.load.row(&bench.memory, 22).unwrap().value(n)).collect();
        let minute = (at(11, 21, 4, 45).seconds().unwrap() / 60) as u32;
        assert_eq!(values, [minute + 1, minute + 2, minute + 3, minute + 4]);
        let again = LoadProfile::new(&omnia(), *bench.load.capture(), &bench.memory, 0);
        assert_eq!((again.rows(), again.newest), (13..23, bench.load.newest));
        // Another set-up has no part in these rows.
        let other = bench.load.capture().with_period_s(300).unwrap();
        assert_eq!(LoadProfile::new(&omnia(), other, &bench.memory, 0).rows(), 0..0);
    }

    #[test]
    fn a_power_cut_in_a_write_costs_that_row_at_most() {
        let mut bench = Bench::new(345, at(11, 21, 0, 0));
        bench.minutes(15 * 12);
        let before = bench.memory.octets().to_vec();
        bench.minutes(15);
        let after = bench.memory.octets().to_vec();
        let row = Ring::row_length(4);
        for cut in 0..row {
            // The thirteenth row goes to the third place, octet by octet.
            let mut torn = before.clone();
            torn[2 * row..2 * row + cut].copy_from_slice(&after[2 * row..2 * row + cut]);
            let memory = Memory::Static(Box::leak(torn.into_boxed_slice()));
            let rows = LoadProfile::new(&omnia(), *bench.load.capture(), &memory, 0).rows();
            assert!(rows == (2..12) || rows == (3..12), "{cut}: {rows:?}");
        }
    }

    #[test]
    fn another_period_clears_and_numbers_go_on() {
        let mut bench = Bench::new(345, at(11, 21, 0, 0));
        bench.minutes(60);
        bench.load.set_capture(&mut bench.memory, bench.load.capture().with_period_s(300).unwrap());
        assert_eq!(bench.load.rows(), 4..4);
        bench.minutes(11);
        assert_eq!(bench.rows(), [(1, 5, 0), (1, 10, 0)]);
        assert!(bench.load.capture().with_period_s(120).is_none());
    }

    #[test]
    fn the_verified_energies_stay_and_none_comes_twice() {
        let (omnia, omnipower) = (omnia(), profile("686-11-11B-N14-3001-001"));
        let holds = |profile: &Profile, channels: &[u8]| {
            Capture::delivered(profile).with_channels(channels).is_some_and(|c| c.holds_verified(profile))
        };
        assert!(holds(&omnia, &[3, 2, 1]) && holds(&omnipower, &[1, 3]));
        assert!(!holds(&omnia, &[1, 3]) && !holds(&omnipower, &[2, 3]) && !holds(&omnia, &[]));
        assert!(!holds(&omnia, &[1, 2, 3, 3]));
        assert!(!holds(&omnia, &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
        let capture = Capture::delivered(&omnia);
        assert_eq!(Capture::of_words(capture.words()), Some(capture));
        assert_eq!(Capture::of_words([7, 0, 0]), None);
    }
}
