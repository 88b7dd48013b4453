//! The way back: what energises pushes its undo at once, and the undo runs whatever happened in between.

use std::sync::{Arc, Mutex, PoisonError};

use meterbench_instruments::{AcSource, Chamber, OFF_VOLT};

/// Below this a current (A) counts as off.
const OFF_AMPERE: f64 = 0.001;

/// Undo actions, last in first out. Clones share one stack.
#[derive(Clone, Default)]
pub struct SafetyStack {
    energised: Arc<Mutex<Vec<Box<dyn AcSource>>>>,
    chamber: Arc<Mutex<Option<Box<dyn Chamber>>>>,
}

/// Where a chamber is left: people open it (°C).
const SAFE_C: f64 = 23.0;

impl SafetyStack {
    /// Remembers how to switch this source off, on a connection of its own. Once is enough.
    pub(crate) fn push(&self, source: &dyn AcSource) {
        let mut stack = self.lock();
        if stack.is_empty() {
            stack.push(source.fresh());
        }
    }

    /// Remembers how to bring the chamber back. Once is enough.
    pub(crate) fn push_chamber(&self, chamber: &dyn Chamber) {
        self.chamber.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| chamber.fresh());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn AcSource>>> {
        self.energised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches everything off and reads it back.
    pub async fn run(&self) -> Outputs {
        let mut all = Outputs { safe: true, words: String::new() };
        loop {
            let Some(source) = self.lock().pop() else { break };
            let one = make_safe(source.as_ref()).await;
            all.safe &= one.safe;
            all.words = if all.words.is_empty() { one.words } else { format!("{}; {}", all.words, one.words) };
        }
        if all.words.is_empty() {
            "voltage off, current off (never switched on)".clone_into(&mut all.words);
        }
        // The chamber comes last: it can hurt nobody as fast as a source.
        let chamber = self.chamber.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut chamber) = chamber {
            let words = match chamber.set(SAFE_C).await {
                Ok(()) => format!("chamber set to {SAFE_C} °C"),
                Err(error) => format!("chamber NOT set back ({error}): look after it by hand"),
            };
            all.words = format!("{}; {words}", all.words);
        }
        all
    }
}

/// What is known of the outputs at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    /// Off, and read back as off.
    pub safe: bool,
    pub words: String,
}

/// Off, and once more on another connection if the first attempt fails.
async fn make_safe(source: &dyn AcSource) -> Outputs {
    let mut failure = String::new();
    for mut attempt in [source.fresh(), source.fresh()] {
        match attempt.off().await {
            Ok(()) => return read_back(attempt.as_mut()).await,
            Err(error) => failure = error.to_string(),
        }
    }
    let words = format!("UNKNOWN: off was commanded twice and not confirmed ({failure}); switch the bench off by hand");
    Outputs { safe: false, words }
}

async fn read_back(source: &mut dyn AcSource) -> Outputs {
    match source.read_back().await {
        Ok(seen) => {
            let on = |values: [f64; 3], least: f64| values.iter().any(|&v| v > least);
            let state = |on: bool| if on { "STILL ON" } else { "off" };
            let (volt, ampere) = (on(seen.volt, OFF_VOLT), on(seen.ampere, OFF_AMPERE));
            let words = format!("voltage {} (read back), current {} (read back)", state(volt), state(ampere));
            Outputs { safe: !volt && !ampere, words }
        }
        Err(error) => {
            let words =
                format!("voltage and current commanded off and acknowledged, not read back ({error}): check by hand");
            Outputs { safe: false, words }
        }
    }
}
