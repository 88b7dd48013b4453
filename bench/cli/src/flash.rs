//! `flash`: firmware into one meter.

use crate::arguments::FlashArguments;

#[cfg(feature = "probe")]
mod with_probe;

#[cfg(feature = "probe")]
pub use with_probe::{Failure, flash_over};

/// Flashes over the probes of this machine; the exit code.
#[cfg(feature = "probe")]
pub fn flash(arguments: &FlashArguments) -> u8 {
    // A signal in the middle would leave half a firmware in the meter: it is heard when the chip is whole.
    crate::stop::listen();
    match flash_over(arguments, &meterbench_probe::Probes::usb(), &mut |text| say!("{text}")) {
        Ok(()) if crate::stop::is_requested() => {
            say!("INTERRUPTED   the firmware is complete");
            130
        }
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
