//! What of power quality outlives a power cut: limits, counters, alarms, and events that last.

use meterbench_iec62056::octets::{DecodeError, DecodeErrorKind, Reader, Writer};
use meterbench_metrology::SampleInstant;

use super::counters::{Alarms, Counters};
use super::event::{Moment, Open};
use super::kind::KINDS;
use super::limits::{LIMITS, Limits};
use crate::clock::Clock;

/// What an image holds of power quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeptQuality {
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) alarms: Alarms,
    /// Events that last, with what has passed of them.
    pub(crate) open: [Option<Open>; KINDS],
}

/// Bytes of an event that lasts: begin (hundredths of a second of UTC since 2000), what has passed (ms), worst value, phases.
const OPEN: usize = 6 + 4 + 4 + 1;

impl KeptQuality {
    /// Bytes: limits, counters by kind, of dips and swells by phase, alarms, which events last, and each of them.
    pub(crate) const SIZE: usize = 2 * LIMITS + 4 * (KINDS + 6) + 8 + 2 + OPEN * KINDS;

    /// Writes the bytes, numbers least significant byte first.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        self.limits.values().iter().for_each(|limit| out.put_array(&limit.to_le_bytes()));
        let Counters { kinds, sags, swells } = &self.counters;
        kinds.iter().chain(sags).chain(swells).for_each(|count| out.put_array(&count.to_le_bytes()));
        out.put_array(&self.alarms.register.to_le_bytes());
        out.put_array(&self.alarms.filter.to_le_bytes());
        let last = self.open.iter().enumerate().fold(0_u16, |bits, (n, open)| bits | u16::from(open.is_some()) << n);
        out.put_array(&last.to_le_bytes());
        for open in &self.open {
            let Some(open) = open else {
                out.put_array(&[0; OPEN]);
                continue;
            };
            let hundredths = open.begun.stamp.utc.saturating_mul(100) + u64::from(open.begun.hundredths);
            let [a, b, c, d, e, f, ..] = hundredths.to_le_bytes();
            out.put_array(&[a, b, c, d, e, f]);
            out.put_array(&open.before_ms.to_le_bytes());
            out.put_array(&open.extreme.to_le_bytes());
            out.put_array(&[open.phases]);
        }
    }

    /// Reads them; the clock of the same image knows what local time an event began.
    pub(crate) fn read(bytes: &mut Reader<'_>, clock: &Clock) -> Result<Self, DecodeError> {
        let mut limits = [0; LIMITS];
        for limit in &mut limits {
            *limit = u16::from_le_bytes(*bytes.array()?);
        }
        let limits = Limits::from_values(limits).ok_or(bytes.error_behind(DecodeErrorKind::Value))?;
        let mut counters = Counters::default();
        let Counters { kinds, sags, swells } = &mut counters;
        for count in kinds.iter_mut().chain(sags).chain(swells) {
            *count = u32::from_le_bytes(*bytes.array()?);
        }
        let [register, filter] = [*bytes.array()?, *bytes.array()?].map(u32::from_le_bytes);
        let last = u16::from_le_bytes(*bytes.array()?);
        let mut open = [None; KINDS];
        for (n, slot) in open.iter_mut().enumerate() {
            let [a, b, c, d, e, f] = *bytes.array()?;
            let hundredths = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
            let [before_ms, extreme] = [*bytes.array()?, *bytes.array()?].map(u32::from_le_bytes);
            let [phases] = *bytes.array()?;
            if last >> n & 1 == 0 {
                continue;
            }
            let begun = Moment { hundredths: (hundredths % 100) as u8, ..Moment::of(&clock.showing(hundredths / 100)) };
            *slot = Some(Open { begun, before_ms, since: SampleInstant::default(), phases, extreme });
        }
        Ok(Self { limits, counters, alarms: Alarms { register, filter }, open })
    }
}
