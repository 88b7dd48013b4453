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
    highest: f32,
    lowest: f32,
    last: f32,
    /// Length of the last half cycle.
    half: u32,
    /// Length of a cycle while there is nothing better.
    period: u32,
    /// What the last two boundaries found for the cycle.
    found: [u32; 2],
}

/// Within 3 % of each other: noise, not a jump.
fn alike(a: u32, b: u32) -> bool {
    a.abs_diff(b) <= b / 32
}

impl Boundaries {
    pub(crate) const fn new() -> Self {
        Self {
            began: 0,
            anchor: 0,
            lost: true,
            highest: 0.0,
            lowest: 0.0,
            last: 0.0,
            half: NOMINAL / 2,
            period: NOMINAL,
            found: [NOMINAL; 2],
        }
    }

    /// A half cycle begins here, of a cycle of this length; how it began is not known.
    pub(crate) fn begin_at(&mut self, at: u64, period: u32) {
        let period = period.clamp(*CYCLE.start(), *CYCLE.end());
        *self = Self { began: at, anchor: at, half: period / 2, period, found: [period; 2], ..Self::new() };
    }

    /// Another voltage gives the crossings from now on.
    pub(crate) fn move_on(&mut self) {
        (self.lost, self.highest, self.lowest) = (true, 0.0, 0.0);
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
        self.highest = self.highest.max(voltage);
        self.lowest = self.lowest.min(voltage);
        let now = slot << 16;
        if (before < 0.0) != (voltage < 0.0) {
            self.cross(now, before, voltage)
        } else if now.saturating_sub(self.anchor) >= u64::from(self.period / 2 + self.period / 8) {
            let at = self.anchor + u64::from(self.period / 2);
            self.lost = true;
            Some(self.end(at))
        } else {
            None
        }
    }

    fn cross(&mut self, now: u64, before: f32, voltage: f32) -> Option<Boundary> {
        let peak = if voltage < 0.0 { self.highest } else { -self.lowest };
        if peak < LEAST_PEAK {
            return None;
        }
        let fraction = (before / (before - voltage) * 65_536.0) as u64;
        let at = now - (1 << 16) + fraction;
        let since = at.saturating_sub(self.anchor);
        let half = u64::from(self.period / 2);
        if !core::mem::take(&mut self.lost) {
            return (since * 8 >= half * 5).then(|| self.end(at));
        }
        if since * 2 >= half {
            return Some(self.end(at));
        }
        // The half cycle under way is the one that begins here.
        self.anchor = at;
        (self.highest, self.lowest) = (0.0, 0.0);
        None
    }

    /// The half cycle under way ends here.
    pub(crate) fn end(&mut self, at: u64) -> Boundary {
        let duration = at.saturating_sub(self.began) as u32;
        let cycle = self.length_of_cycle(duration.saturating_add(self.half));
        (self.began, self.anchor, self.half) = (at, at, duration);
        (self.highest, self.lowest) = (0.0, 0.0);
        Boundary { at, duration, cycle }
    }

    /// Two half cycles, unless they are not alike with what was before: over a jump of the phase, the last period.
    fn length_of_cycle(&mut self, found: u32) -> u32 {
        let [last_but_one, last] = self.found;
        if alike(found, last_but_one) && CYCLE.contains(&found) {
            self.period = found;
        }
        self.found = [last, found];
        if alike(found, self.period) { found } else { self.period }
    }
}
