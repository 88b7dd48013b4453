//! Rows in a ring of [`Memory`](crate::memory::Memory): the newest overwrites the oldest, and a power cut costs at most the
//! row that was being written.
//!
//! A row is 18 octets and 4 more for every value: number (4), layout (2), UTC (6, s since 2000), deviation (2, minutes), clock
//! status (1), status (1), values (4 each), check sequence (2). Everything is big-endian. Numbers go on for ever, so the newest
//! row is found again in memory; the layout says what the values are, so rows of another set-up are none.

use core::ops::Range;

use meterbench_iec62056::date_time::{ClockStatus, DateTime, Deviation};
use meterbench_iec62056::hdlc::check_sequence;

use crate::clock::{Civil, LocalTime};

/// Octets of a row besides its values.
const FIXED: usize = 18;
/// Octets in front of the values.
const HEAD: usize = 16;
/// Octets of a value.
const VALUE: usize = 4;

/// When a row was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// UTC (s since 2000).
    pub(crate) utc: u64,
    /// What must be added to local time to come to UTC (minutes).
    pub(crate) deviation: i16,
    /// What the clock said of itself.
    pub(crate) status: ClockStatus,
}

impl Stamp {
    pub(crate) fn of(time: &LocalTime) -> Self {
        let local = time.civil.seconds().unwrap_or(0);
        let utc = local.saturating_add_signed(60 * i64::from(time.deviation));
        Self { utc, deviation: time.deviation, status: time.status() }
    }

    /// Local time on the wire.
    pub(crate) fn date_time(&self) -> DateTime {
        let civil = Civil::from_seconds(self.utc.saturating_add_signed(-60 * i64::from(self.deviation)));
        DateTime { deviation: Deviation(self.deviation), status: self.status, ..civil.date_time(0) }
    }
}

/// A row as it lies in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'m>(&'m [u8]);

impl Row<'_> {
    fn number<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }

    /// UTC (s since 2000).
    pub(crate) fn utc(&self) -> u64 {
        let [a, b, c, d, e, f] = self.number(6);
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let [status] = self.number(14);
        let deviation = i16::from_be_bytes(self.number(12));
        Stamp { utc: self.utc(), deviation, status: ClockStatus(status) }
    }

    pub(crate) fn status(&self) -> u8 {
        let [status] = self.number(15);
        status
    }

    pub(crate) fn value(&self, place: usize) -> u32 {
        u32::from_be_bytes(self.number(HEAD + VALUE * place))
    }
}

/// Where rows lie and which of them exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring {
    /// Place of the first octet.
    at: usize,
    /// Rows that have room.
    slots: u32,
    /// Values of a row.
    values: usize,
    layout: u16,
    /// Number of the first row there ever was, and of the next.
    first: u32,
    next: u32,
}

impl Ring {
    /// Octets of a row with so many values.
    pub(crate) const fn row_length(values: usize) -> usize {
        FIXED + VALUE * values
    }

    /// In `room` octets from `at` on, as far as the memory has them, without a row.
    pub(crate) fn new(memory: &[u8], at: usize, room: usize, values: usize, layout: u16) -> Self {
        let room = memory.len().saturating_sub(at).min(room);
        Self { at, slots: (room / Self::row_length(values)) as u32, values, layout, first: 0, next: 0 }
    }

    /// The same ring with the rows that are found in memory.
    pub(crate) fn recovered(mut self, memory: &[u8]) -> Self {
        let numbers = (0..self.slots).filter_map(|slot| self.found(memory, slot));
        if let Some(newest) = numbers.max() {
            let oldest = newest.saturating_sub(self.slots - 1);
            let first = (oldest..=newest).rev().take_while(|n| self.found(memory, n % self.slots) == Some(*n)).last();
            (self.first, self.next) = (first.unwrap_or(newest), newest + 1);
        }
        self
    }

    /// The same ring, empty, whose next row has this number.
    pub(crate) fn from(self, next: u32) -> Self {
        Self { first: next, next, ..self }
    }

    /// Number of the row in a slot; `None` where no row of this ring is whole.
    fn found(&self, memory: &[u8], slot: u32) -> Option<u32> {
        let row = Row(memory.get(self.place(slot)..)?.get(..Self::row_length(self.values))?);
        let (number, layout) = (u32::from_be_bytes(row.number(0)), u16::from_be_bytes(row.number(4)));
        let (content, check) = row.0.split_last_chunk()?;
        let whole = layout == self.layout && number % self.slots == slot && number < u32::MAX;
        (whole && check_sequence(content).to_be_bytes() == *check).then_some(number)
    }

    fn place(&self, slot: u32) -> usize {
        self.at + slot as usize * Self::row_length(self.values)
    }

    /// Rows that have room.
    pub(crate) fn capacity(&self) -> u32 {
        self.slots
    }

    /// Numbers of the rows that exist, the oldest first.
    pub(crate) fn rows(&self) -> Range<u32> {
        self.rows_before(self.next)
    }

    /// Numbers of the rows that existed when this one was the next.
    pub(crate) fn rows_before(&self, next: u32) -> Range<u32> {
        self.first.max(next.saturating_sub(self.slots)).min(next)..next
    }

    /// The row of this number, if it exists.
    pub(crate) fn row<'m>(&self, memory: &'m [u8], number: u32) -> Option<Row<'m>> {
        let there = self.rows().contains(&number);
        let place = self.place(number.checked_rem(self.slots)?);
        memory.get(place..)?.get(..Self::row_length(self.values)).filter(|_| there).map(Row)
    }

    /// The newest row.
    pub(crate) fn newest<'m>(&self, memory: &'m [u8]) -> Option<Row<'m>> {
        self.row(memory, self.next.checked_sub(1)?)
    }

    /// Writes a row; the oldest goes where there is no room. Values that are missing are 0.
    pub(crate) fn push(&mut self, memory: &mut [u8], stamp: Stamp, status: u8, values: impl Iterator<Item = u32>) {
        let number = self.next;
        let Some(slot) = number.checked_rem(self.slots) else { return };
        let place = self.place(slot);
        let Some(row) = memory.get_mut(place..).and_then(|m| m.get_mut(..Self::row_length(self.values))) else {
            return;
        };
        let Some((content, check)) = row.split_last_chunk_mut() else { return };
        content.fill(0);
        let (head, fields) = content.split_at_mut(HEAD);
        head[..4].copy_from_slice(&number.to_be_bytes());
        head[4..6].copy_from_slice(&self.layout.to_be_bytes());
        head[6..12].copy_from_slice(&stamp.utc.to_be_bytes()[2..]);
        head[12..14].copy_from_slice(&stamp.deviation.to_be_bytes());
        head[14] = stamp.status.0;
        head[15] = status;
        for (field, value) in fields.chunks_exact_mut(VALUE).zip(values) {
            field.copy_from_slice(&value.to_be_bytes());
        }
        *check = check_sequence(content).to_be_bytes();
        self.next = number + 1;
    }

    /// Every row goes, from memory too; numbers go on.
    pub(crate) fn clear(&mut self, memory: &mut [u8]) {
        let end = self.place(self.slots);
        if let Some(octets) = memory.get_mut(self.at..end) {
            octets.fill(0);
        }
        self.first = self.next;
    }
}
