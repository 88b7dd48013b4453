//! The clock through a power cut: what an image holds of it, and how it goes on.

use meterbench_iec62056::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

use super::{Civil, Clock, DaylightSaving, PER_SECOND, Quality, RuleDay, Transition, ZONES};

/// What became of the time since an image was made; the shell knows it of its real-time clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// A reserve kept the real-time clock running: this much time passed (ms).
    Bridged {
        /// By the real-time clock (ms).
        ms: u64,
    },
    /// The reserve ran out: the time is lost.
    Lost,
    /// There is no real-time clock: the time stood still, nobody knows how long.
    Unknown,
}

/// Places of a rule: month, kind of day, day, weekday, hour, minute.
const RULE: usize = 6;

impl Clock {
    /// Bytes in an image: time, zone, quality, daylight saving.
    pub(crate) const KEPT: usize = 8 + 2 + 1 + 2 + 2 * RULE;

    /// What an image holds; the trim is the shell's.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        let DaylightSaving { enabled, begin, end, deviation } = &self.daylight;
        out.put_array(&self.now.to_le_bytes());
        out.put_array(&self.zone.to_le_bytes());
        out.put_array(&[self.quality as u8, u8::from(*enabled)]);
        out.put_array(&deviation.to_le_bytes());
        out.put_array(&rule(begin));
        out.put_array(&rule(end));
    }

    /// Reads it; what no clock can show is refused.
    pub(crate) fn read(bytes: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let now = u64::from_le_bytes(*bytes.array()?);
        let zone = i16::from_le_bytes(*bytes.array()?);
        let [quality, enabled] = *bytes.array()?;
        let deviation = i8::from_le_bytes(*bytes.array()?);
        let (begin, end) = (read_rule(bytes)?, read_rule(bytes)?);
        let quality = [Quality::Valid, Quality::Doubtful, Quality::Invalid].into_iter().find(|q| *q as u8 == quality);
        let seconds = now / PER_SECOND;
        let shown = Civil::from_seconds(seconds).seconds() == Some(seconds) && ZONES.contains(&zone);
        let quality = quality.filter(|_| shown).ok_or(bytes.error_behind(DecodeErrorKind::Value))?;
        let daylight = DaylightSaving { enabled: enabled != 0, begin, end, deviation };
        let mut clock = Self { now, quality, ..Self::cold(zone, daylight) };
        clock.aim();
        Ok(clock)
    }

    /// Goes on with what an image holds, under its own trim.
    pub(crate) fn restore(&mut self, kept: &Self) {
        let Self { now, residue, zone, daylight, quality, .. } = *kept;
        *self = Self { now, residue, zone, daylight, quality, ..*self };
        self.aim();
    }

    /// Goes on after an outage.
    pub(crate) fn wake(&mut self, outage: Outage) {
        match outage {
            Outage::Bridged { ms } => {
                self.now = self.now.saturating_add(ms.saturating_mul(PER_SECOND / 1000));
            }
            Outage::Lost => *self = Self { now: 0, residue: 0, quality: Quality::Invalid, ..*self },
            Outage::Unknown => self.doubt(),
        }
        self.aim();
    }
}

fn rule(rule: &Transition) -> [u8; RULE] {
    let (kind, day) = match rule.day {
        RuleDay::From(day) => (0, day),
        RuleDay::Last => (1, 0),
        RuleDay::LastButOne => (2, 0),
    };
    [rule.month, kind, day, rule.weekday.unwrap_or(0), rule.hour, rule.minute]
}

fn read_rule(bytes: &mut Reader<'_>) -> Result<Transition, DecodeError> {
    let [month, kind, day, weekday, hour, minute] = *bytes.array()?;
    let day = match (kind, day) {
        (0, 1..=31) => Some(RuleDay::From(day)),
        (1, 0) => Some(RuleDay::Last),
        (2, 0) => Some(RuleDay::LastButOne),
        _ => None,
    };
    let fits = (1..=12).contains(&month) && weekday <= 7 && hour < 24 && minute < 60;
    let day = day.filter(|_| fits).ok_or(bytes.error_behind(DecodeErrorKind::Value))?;
    Ok(Transition { month, day, weekday: (weekday > 0).then_some(weekday), hour, minute })
}
