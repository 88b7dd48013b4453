//! The log of a firmware: text that it writes into a ring in its RAM (RTT), read while it runs.

use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use probe_rs::Core;
use probe_rs::rtt::{Rtt, ScanRegion};

use crate::connection::Connection;
use crate::error::ProbeError;
use crate::image::Image;

/// How often the ring is looked at: a ring of a kilobyte is not overrun at 100 kB/s.
const EVERY: Duration = Duration::from_millis(10);
/// A line that does not end is cut here.
const LONGEST: usize = 1000;

fn region(image: &Image) -> ScanRegion {
    image.log.map_or(ScanRegion::Ram, ScanRegion::Exact)
}

/// Wipes a control block out, so that only a new one is found.
pub(crate) fn forget(core: &mut Core<'_>, image: &Image) {
    // None is there as a rule.
    let _ = Rtt::clear_control_block(core, &region(image));
}

impl Connection {
    /// Gives every line of the log to `each`, and `None` when there is nothing new, until it breaks off.
    pub fn follow(
        &mut self,
        image: &Image,
        mut each: impl FnMut(Option<String>) -> ControlFlow<()>,
    ) -> Result<(), ProbeError> {
        if image.defmt {
            let _ = each(Some("(this firmware logs with defmt, which this version does not decode)".to_owned()));
            return Ok(());
        }
        let mut found: Option<Rtt> = None;
        let mut begun = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let mut core = self.session.core(0).map_err(|error| ProbeError::log(&error))?;
            if found.is_none() {
                // The firmware sets its log up when it gets there.
                found = Rtt::attach_region(&mut core, &region(image)).ok();
            }
            let read = match found.as_mut().and_then(|rtt| rtt.up_channel(0)) {
                Some(channel) => channel.read(&mut core, &mut buffer).map_err(|error| ProbeError::log(&error))?,
                None => 0,
            };
            begun.extend_from_slice(&buffer[..read]);
            while let Some(line) = next_line(&mut begun) {
                if each(Some(line)).is_break() {
                    return Ok(());
                }
            }
            if read == 0 {
                drop(core);
                if each(None).is_break() {
                    return Ok(());
                }
                thread::sleep(EVERY);
            }
        }
    }
}

/// Takes the first line out.
fn next_line(begun: &mut Vec<u8>) -> Option<String> {
    let end = begun.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
    let end = end.or((begun.len() >= LONGEST).then_some(LONGEST))?;
    let line: Vec<u8> = begun.drain(..end).collect();
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

impl ProbeError {
    fn log(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::lost(error, crate::connection::Stage::Log)
    }
}
