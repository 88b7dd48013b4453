//! `flash`: firmware into one meter.

use crate::arguments::FlashArguments;

#[cfg(feature = "probe")]
mod with_probe;

#[cfg(feature = "probe")]
pub use with_probe::{Failure, flash_over};

/// Flashes over the probes of this machine; the exit code.
#[cfg(feature = "probe")]
pub fn flash(arguments: &FlashArguments) -> u8 {
    match flash_over(arguments, &meterbench_probe::Probes::usb(), &mut |text| say!("{text}")) {
        Ok(()) => 0,
        Err(failure) => failure.tell(),
    }
}

/// This program was built without probes; the exit code.
#[cfg(not(feature = "probe"))]
pub fn flash(arguments: &FlashArguments) -> u8 {
    complain!("error: {}flash {} ...`", crate::firmware::WITHOUT, arguments.image.display());
    2
}
