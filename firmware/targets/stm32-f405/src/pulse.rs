//! The order of edges on the two outputs.
//!
//! A timer holds one edge at a time and puts it out by itself at its tick. Here is what it must hold next: rise, fall, rise of
//! the next impulse. Impulses come with at least 10 ms of off-time at the highest power the meter is made for; more may wait.

/// One impulse in ticks of the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Both outputs switch on.
    pub on: u32,
    /// Both outputs switch off.
    pub off: u32,
}

/// What the timer must do at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Switch both outputs on.
    On(u32),
    /// Switch both outputs off.
    Off(u32),
}

impl Edge {
    /// The tick of this edge.
    pub const fn tick(self) -> u32 {
        match self {
            Self::On(tick) | Self::Off(tick) => tick,
        }
    }

    /// Whether the edge should have happened by now; ticks are less than half a turn of the timer apart.
    pub const fn is_past(self, now: u32) -> bool {
        self.tick().wrapping_sub(now) as i32 <= 0
    }
}

/// More impulses than can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} impulses wait already: the power is far above what the meter constant allows", WAITING)]
pub struct TooMany;

/// Impulses that can wait for the one that is being put out.
pub const WAITING: usize = 8;

/// Impulses in their order. Holds the edge that the timer holds.
#[derive(Debug, Default)]
pub struct Sequencer {
    held: Option<(Edge, Pulse)>,
    waiting: heapless::Deque<Pulse, WAITING>,
}

impl Sequencer {
    /// Nothing to put out.
    pub const fn new() -> Self {
        Self { held: None, waiting: heapless::Deque::new() }
    }

    /// Adds an impulse; the edge that the timer must be given now, if it holds none.
    pub fn push(&mut self, pulse: Pulse) -> Result<Option<Edge>, TooMany> {
        if self.held.is_some() {
            return self.waiting.push_back(pulse).map(|()| None).map_err(|_| TooMany);
        }
        Ok(Some(self.hold(Edge::On(pulse.on), pulse)))
    }

    /// The edge that the timer holds has happened; the edge it must be given now, if there is one.
    pub fn reached(&mut self) -> Option<Edge> {
        match self.held.take()? {
            (Edge::On(_), pulse) => Some(self.hold(Edge::Off(pulse.off), pulse)),
            (Edge::Off(_), _) => self.waiting.pop_front().map(|pulse| self.hold(Edge::On(pulse.on), pulse)),
        }
    }

    fn hold(&mut self, edge: Edge, pulse: Pulse) -> Edge {
        self.held = Some((edge, pulse));
        edge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_come_in_order_and_none_is_lost() {
        let mut sequencer = Sequencer::new();
        assert_eq!(sequencer.reached(), None);
        assert_eq!(sequencer.push(Pulse { on: 10, off: 20 }), Ok(Some(Edge::On(10))));
        assert_eq!(sequencer.push(Pulse { on: 30, off: 40 }), Ok(None));
        assert_eq!(sequencer.reached(), Some(Edge::Off(20)));
        assert_eq!(sequencer.reached(), Some(Edge::On(30)));
        assert_eq!(sequencer.reached(), Some(Edge::Off(40)));
        assert_eq!(sequencer.reached(), None);
        assert_eq!(sequencer.push(Pulse { on: 50, off: 60 }), Ok(Some(Edge::On(50))));
    }

    #[test]
    fn what_cannot_wait_is_refused() {
        let mut sequencer = Sequencer::new();
        for n in 0..=WAITING as u32 {
            assert!(sequencer.push(Pulse { on: n, off: n }).is_ok());
        }
        assert_eq!(sequencer.push(Pulse { on: 0, off: 0 }), Err(TooMany));
    }

    #[test]
    fn an_edge_is_past_across_the_turn_of_the_timer() {
        let edge = Edge::On(5);
        assert!(!edge.is_past(u32::MAX - 100) && !edge.is_past(4));
        assert!(edge.is_past(5) && edge.is_past(6) && edge.is_past(1_000_000));
    }
}
