//! The pulses a meter puts out: its test output (LED) and its S0 output.

use meterbench_metrology::{Impulse, SampleInstant};

use crate::faults::Planted;

/// Pulses of an output since somebody began to count (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pulses {
    pub(crate) count: u64,
    /// Shortest and longest time on.
    pub(crate) on: Option<(u64, u64)>,
    /// Shortest and longest time off between two pulses.
    pub(crate) off: Option<(u64, u64)>,
}

impl Pulses {
    fn widen(span: &mut Option<(u64, u64)>, value: u64) {
        let (shortest, longest) = span.unwrap_or((value, value));
        *span = Some((shortest.min(value), longest.max(value)));
    }
}

/// A line that is on or off.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// The last pulse: when it began and when it ends.
    pulse: Option<(SampleInstant, SampleInstant)>,
    pulses: Pulses,
}

impl Line {
    /// Puts an impulse out; false where the line is still on: no edge anybody could see.
    fn put_out(&mut self, rise: SampleInstant, fall: SampleInstant) -> bool {
        if let Some((_, until)) = &mut self.pulse
            && rise <= *until
        {
            *until = (*until).max(fall);
            return false;
        }
        self.end_pulse();
        if let Some((_, fell)) = self.pulse {
            Pulses::widen(&mut self.pulses.off, rise.nanoseconds() - fell.nanoseconds());
        }
        self.pulse = Some((rise, fall));
        self.pulses.count += 1;
        true
    }

    /// Books the time on of the last pulse.
    fn end_pulse(&mut self) {
        if let Some((rose, fell)) = self.pulse {
            Pulses::widen(&mut self.pulses.on, fell.nanoseconds() - rose.nanoseconds());
        }
    }

    /// Whatever is on goes off.
    fn cut(&mut self, at: SampleInstant) {
        if let Some((_, fall)) = &mut self.pulse {
            *fall = at.min(*fall);
        }
    }

    /// What was seen of pulses that have ended.
    fn seen(mut self, now: SampleInstant) -> Pulses {
        if self.pulse.is_some_and(|(_, fall)| fall <= now) {
            self.end_pulse();
        }
        self.pulses
    }
}

/// Both outputs of one meter.
#[derive(Debug)]
pub(crate) struct Outputs {
    planted: Planted,
    /// Speed of the meter's clock against true time.
    clock: f64,
    led: Line,
    s0: Line,
    /// Impulses the metrology has given.
    impulses: u32,
    /// Rising edges of the LED that nobody has looked at yet.
    edges: Vec<SampleInstant>,
}

impl Outputs {
    pub(crate) fn new(planted: Planted, clock: f64) -> Self {
        Self { planted, clock, led: Line::default(), s0: Line::default(), impulses: 0, edges: Vec::new() }
    }

    /// An impulse of the metrology, by its own clock.
    pub(crate) fn put_out(&mut self, impulse: Impulse) {
        self.impulses += 1;
        let Some((led, s0)) = self.planted.puts_out(self.impulses) else { return };
        let (rise, fall) = self.planted.edges(impulse);
        let (rise, fall) = (true_instant(rise, self.clock), true_instant(fall, self.clock));
        if led && self.led.put_out(rise, fall) {
            self.edges.push(rise);
        }
        if s0 {
            self.s0.put_out(rise, fall);
        }
    }

    /// The meter has no power from this instant of its own clock on: an impulse under way is cut off.
    pub(crate) fn power_lost(&mut self, at: SampleInstant) {
        let at = true_instant(at, self.clock);
        [&mut self.led, &mut self.s0].into_iter().for_each(|line| line.cut(at));
    }

    /// Takes the rising edges of the LED since the last call.
    pub(crate) fn take_edges(&mut self) -> Vec<SampleInstant> {
        std::mem::take(&mut self.edges)
    }

    /// Begins to count the pulses of S0 anew at this sample of true time.
    pub(crate) fn reset_pulses(&mut self, now: u64) {
        let still_on = self.s0.pulse.filter(|(_, fall)| *fall > SampleInstant::new(now, 0));
        self.s0 = Line { pulse: still_on, ..Line::default() };
    }

    /// The pulses of S0 up to this sample of true time.
    pub(crate) fn pulses(&self, now: u64) -> Pulses {
        self.s0.seen(SampleInstant::new(now, 0))
    }
}

/// A moment of the meter's clock in true time.
fn true_instant(at: SampleInstant, clock: f64) -> SampleInstant {
    if clock == 1.0 {
        return at;
    }
    let whole = (at.index() as f64 * 65_536.0 + f64::from(at.fraction())) / clock;
    let whole = whole.round() as u64;
    SampleInstant::new(whole >> 16, (whole & 0xffff) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> SampleInstant {
        SampleInstant::new(8 * ms, 0)
    }

    #[test]
    fn times_on_and_off_are_those_of_the_edges() {
        let mut line = Line::default();
        for (rise, fall) in [(0, 30), (100, 130), (152, 182)] {
            assert!(line.put_out(ms(rise), ms(fall)));
        }
        let pulses = line.seen(ms(200));
        assert_eq!((pulses.count, pulses.on), (3, Some((30_000_000, 30_000_000))));
        assert_eq!(pulses.off, Some((22_000_000, 70_000_000)));
        assert_eq!(line.seen(ms(160)).count, 3, "one that has not ended is counted, and has no width yet");
    }

    #[test]
    fn a_pulse_that_begins_in_another_one_is_none_of_its_own() {
        let mut line = Line::default();
        assert!(line.put_out(ms(0), ms(60)));
        assert!(!line.put_out(ms(52), ms(112)));
        let pulses = line.seen(ms(200));
        assert_eq!((pulses.count, pulses.on, pulses.off), (1, Some((112_000_000, 112_000_000)), None));
    }
}
