//! Which probe is meant.

use std::fmt;
use std::sync::Arc;

use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{DebugProbeInfo, DebugProbeSelector, Probe};

use crate::error::{ProbeError, chain};

/// The probes that can be reached from here.
#[derive(Clone)]
pub struct Probes(Arc<dyn Fn() -> Lister + Send + Sync>);

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probes")
    }
}

impl Probes {
    /// Those on the USB of this machine.
    pub fn usb() -> Self {
        Self::with(Lister::new)
    }

    /// Others.
    pub fn with(lister: impl Fn() -> Lister + Send + Sync + 'static) -> Self {
        Self(Arc::new(lister))
    }

    /// Opens the probe that is meant: the one with this VID:PID or VID:PID:SERIAL, or the only one.
    pub(crate) fn open(&self, selector: Option<&str>) -> Result<(Probe, String), ProbeError> {
        let lister = (self.0)();
        let wanted = selector.map(read_selector).transpose()?;
        let mut found = lister.list_with_access(wanted.as_ref());
        if found.len() > 1 {
            return Err(ProbeError::SeveralProbes { found: found.iter().map(|item| choice(&item.info)).collect() });
        }
        let Some(item) = found.pop() else {
            let asked = selector.map_or(String::new(), |text| format!(" that is `{text}`"));
            return Err(ProbeError::NoProbe { asked });
        };
        let probe = name(&item.info);
        if item.accessibility == Accessibility::PermissionDenied {
            return Err(ProbeError::NotPermitted { probe });
        }
        match lister.open(&item.info) {
            Ok(opened) => Ok((opened, probe)),
            Err(error) => {
                let words: Vec<String> = chain(&error).map(ToString::to_string).collect();
                Err(ProbeError::NotOpened { probe, detail: words.join(": ") })
            }
        }
    }
}

/// Checks the words for a probe, before any is looked for.
pub(crate) fn read_selector(text: &str) -> Result<DebugProbeSelector, ProbeError> {
    text.parse().map_err(|_| ProbeError::BadSelector { text: text.to_owned() })
}

fn selector(info: &DebugProbeInfo) -> String {
    let serial = info.serial_number.as_deref().map_or(String::new(), |serial| format!(":{serial}"));
    format!("{:04x}:{:04x}{serial}", info.vendor_id, info.product_id)
}

fn name(info: &DebugProbeInfo) -> String {
    format!("{} ({})", info.identifier, selector(info))
}

fn choice(info: &DebugProbeInfo) -> String {
    format!("--probe {}   {}", selector(info), info.identifier)
}
