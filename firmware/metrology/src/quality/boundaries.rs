//! Where half cycles end: zero crossings of the synchronising voltage in both directions, and where they would be without it.
//!
//! A crossing counts if the voltage has gone well beyond zero before, and not sooner than five eighths of a half cycle after the
//! last one: harmonics cross zero near the crossing of the fundamental, and the first crossing is the one that counts. Without a
//! crossing for a half cycle and a quarter, the half cycle has ended one half cycle after it began. The first crossing after
//! that moves the boundaries to where the voltage is.

use crate::scale::SAMPLE_RATE;

/// Peak that the voltage has reached between two crossings (counts): 28 V, as for the detection of cycles.
const LEAST_PEAK: f32 = 395_000.0;
/// Lengths of a cycle that are believed (62.5 Hz and 40 Hz), Q16.
const CYCLE: core::ops::RangeInclusive<u32> = (128 << 16)..=(200 << 16);
const NOMINAL: u32 = (SAMPLE_RATE / 50) << 16;

/// A half cycle that has ended. Places are slots in 1/65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// Where.
    pub(crate) at: u64,
    /// Length of the half cycle.
    pub(crate) duration: u32,
    /// Length of the whole cycle that ends here.
    pub(crate) cycle: u32,
    /// It is about half a period long.
    pub(crate) regular: bool,
}

/// Finds boundaries, sample by sample.
#[derive(Debug, Clone)]
pub(crate) struct Boundaries {
    /// Where the half cycle under way began.
    began: u64,
    /// From where its length is counted: moved when the voltage returns.
    anchor: u64,
    /// It began without a crossing.
    lost: bool,
    /// Highest and lowest voltage in it.
    peaks: (f32, f32),
    /// The same since it should have ended, once that is past.
    late: Option<(f32, f32)>,
    last: f32,
    /// Length of the last half cycle.
    half: u32,
    /// Length of a cycle while there is nothing better.
    period: u32,
    /// What the last three boundaries found for the cycle.
    found: [u32; 3],
}

const NO_PEAKS: (f32, f32) = (0.0, 0.0);

fn reach((highest, lowest): (f32, f32), voltage: f32) -> (f32, f32) {
    (highest.max(voltage), lowest.min(voltage))
}

/// Within this part of each other.
fn within(part: u32, a: u32, b: u32) -> bool {
    a.abs_diff(b) <= b / part
}

impl Boundaries {
    pub(crate) const fn new() -> Self {
        Self {
            began: 0,
            anchor: 0,
            lost: true,
            peaks: NO_PEAKS,
            late: None,
            last: 0.0,
            half: NOMINAL / 2,
            period: NOMINAL,
            found: [NOMINAL; 3],
        }
    }

    /// A half cycle begins here, of a cycle of this length; how it began is not known.
    pub(crate) fn begin_at(&mut self, at: u64, period: u32) {
        let period = period.clamp(*CYCLE.start(), *CYCLE.end());
        *self = Self { began: at, anchor: at, half: period / 2, period, found: [period; 3], ..Self::new() };
    }

    /// Another voltage gives the crossings from now on.
    pub(crate) fn move_on(&mut self) {
        (self.lost, self.peaks, self.late) = (true, NO_PEAKS, None);
    }

    /// No boundary will be found at or before this place any more.
    pub(crate) fn have_passed(&self, at: u64) -> bool {
        self.anchor + u64::from(self.period / 4) > at
    }

    /// Where the half cycle under way began.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Length of a cycle.
    pub(crate) fn period(&self) -> u32 {
        self.period
    }

    /// Takes the voltage at a slot.
    #[inline]
    pub(crate) fn take(&mut self, slot: u64, voltage: f32) -> Option<Boundary> {
        let before = core::mem::replace(&mut self.last, voltage);
        self.peaks = reach(self.peaks, voltage);
        let now = slot << 16;
        let crossed = if (before < 0.0) != (voltage < 0.0) { self.cross(now, before, voltage) } else { None };
        if crossed.is_none() && now.saturating_sub(self.anchor) >= u64::from(self.period / 2) {
            return self.wait(now, voltage);
        }
        crossed
    }

    /// A crossing is overdue.
    fn wait(&mut self, now: u64, voltage: f32) -> Option<Boundary> {
        let late = reach(self.late.unwrap_or(NO_PEAKS), voltage);
        self.late = Some(late);
        let at = self.anchor + u64::from(self.period / 2);
        (now - at >= u64::from(self.period / 8)).then(|| {
            let boundary = self.end(at, false);
            // What came since belongs to the half cycle that has begun there.
            self.peaks = late;
            boundary
        })
    }

    fn cross(&mut self, now: u64, before: f32, voltage: f32) -> Option<Boundary> {
        let peak = if voltage < 0.0 { self.peaks.0 } else { -self.peaks.1 };
        if peak < LEAST_PEAK {
            return None;
        }
        let fraction = (before / (before - voltage) * 65_536.0) as u64;
        let at = now - (1 << 16) + fraction;
        let since = at.saturating_sub(self.anchor);
        let half = u64::from(self.period / 2);
        if !self.lost {
            return (since * 8 >= half * 5).then(|| self.end(at, true));
        }
        if since * 2 >= half {
            return Some(self.end(at, true));
        }
        // The half cycle under way is the one that begins here.
        (self.anchor, self.lost) = (at, false);
        (self.peaks, self.late) = (NO_PEAKS, None);
        None
    }

    /// The half cycle under way ends here, with a crossing or without.
    pub(crate) fn end(&mut self, at: u64, crossing: bool) -> Boundary {
        let duration = at.saturating_sub(self.began) as u32;
        let cycle = self.length_of_cycle(duration.saturating_add(self.half), crossing);
        (self.began, self.anchor, self.half) = (at, at, duration);
        (self.peaks, self.late, self.lost) = (NO_PEAKS, None, !crossing);
        Boundary { at, duration, cycle, regular: within(16, duration, self.period / 2) }
    }

    /// Two half cycles, unless they are 0.8 % longer or shorter than the period: over a jump of the phase, the last period.
    ///
    /// Three in a row within 1.6 % are a new period, as soon as one more crossing follows: a voltage that vanishes goes through
    /// zero too.
    fn length_of_cycle(&mut self, found: u32, crossing: bool) -> u32 {
        let [last_but_two, last_but_one, last] = self.found;
        if crossing && within(64, last, last_but_one) && within(64, last, last_but_two) && CYCLE.contains(&last) {
            self.period = last;
        }
        self.found = [last_but_one, last, found];
        if within(128, found, self.period) { found } else { self.period }
    }
}
