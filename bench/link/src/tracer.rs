//! Writes down every line that passes, with bench time.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// A transcript shared by all sessions of a bench: `bench-ns instrument > line` for sent, `<` for received.
#[derive(Clone)]
pub struct Tracer {
    sink: Arc<Mutex<dyn Write + Send>>,
    epoch: Instant,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

impl Tracer {
    /// Writes to `sink`; bench time counts from `epoch`.
    pub fn new(sink: impl Write + Send + 'static, epoch: Instant) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), epoch }
    }

    pub(crate) fn line(&self, instrument: &str, direction: char, text: &str) {
        let ns = self.epoch.elapsed().as_nanos();
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // A transcript that cannot be written must not stop a measurement.
        let _ = writeln!(sink, "{ns} {instrument} {direction} {}", text.escape_debug());
    }
}
